"""Time to live: items whose expiry time has passed are deleted.

A table with a time to live has one more row store, with a key per item that expires: the time in whole seconds, eight
bytes, then the item's key. As in the service, an item is deleted some time after its expiry, and seen until then (see
sweeping.py). A time of more than five years ago deletes nothing, and neither does an attribute that is not a number.

Source: DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB".
"""

from itertools import chain
from typing import Any

from dynamix.engine.actions.action import erase
from dynamix.engine.actions.indexes import EXPIRY_BYTES, expiry_key
from dynamix.engine.data.rows import Store, decode_item
from dynamix.engine.faults import invalid
from dynamix.engine.operations.clearing import clear
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.phases import check_made
from dynamix.engine.tables.record import Expiry
from dynamix.engine.tables.table import Table, fresh_record

AT_ONCE = 256
"""How many items one transaction removes: nobody waits for long."""

_FORGOTTEN_SECONDS = 5 * 365 * 24 * 3600


def update_time_to_live(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Name the attribute by which the items of a table expire, or stop their expiry."""
    wanted = request["TimeToLiveSpecification"]
    attribute = wanted["AttributeName"]
    with storage.writing() as catalog:
        table = catalog.named(request["TableName"])
        check_made(table.name, table.phase)
        current = table.record.expiry
        record = fresh_record(table)
        if wanted["Enabled"]:
            if current is not None:
                if current.attribute != attribute:
                    raise invalid(
                        "TimeToLive is active on a different AttributeName: current AttributeName is "
                        f"{current.attribute}"
                    )
                raise invalid("TimeToLive is already enabled")
            record.expiry = Expiry(attribute, _note_all(catalog, table, attribute).id)
        else:
            if current is None or table.expiry_store is None:
                raise invalid("TimeToLive is already disabled")
            if current.attribute != attribute:
                raise invalid(
                    f"TimeToLive is active on a different AttributeName: current AttributeName is {current.attribute}"
                )
            record.expiry = None
            table.expiry_store.discard(catalog.execute)
        catalog.save(table, record)
    clear(storage)
    return {"TimeToLiveSpecification": wanted}


def describe_time_to_live(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """By which attribute the items of a table expire."""
    with storage.reading() as catalog:
        expiry = catalog.named(request["TableName"]).record.expiry
    if expiry is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": expiry.attribute}}


def expire_some(catalog: Catalog, table: Table) -> int:
    """Delete some of the items of a table that have expired. Returns how many."""
    removed = 0
    for noted in due(catalog, table):
        key = noted[EXPIRY_BYTES:]
        row = table.store.get(catalog.execute, key)
        if row is not None:
            erase(catalog, table, key, row, expired=True)
            removed += 1
    return removed


def due(catalog: Catalog, table: Table) -> list[bytes]:
    """The keys in the expiry store of some items of a table that have expired."""
    if table.expiry_store is None:
        return []
    now = int(catalog.now())
    low = max(now - _FORGOTTEN_SECONDS, 0).to_bytes(EXPIRY_BYTES, "big")
    rows = table.expiry_store.between(catalog.execute, low, max(now + 1, 0).to_bytes(EXPIRY_BYTES, "big"))
    return [key for key, _, _ in rows.fetchmany(AT_ONCE)]


def _note_all(catalog: Catalog, table: Table, attribute: str) -> Store:
    """A new expiry store with the expiry times of the items that are there. Others read meanwhile."""
    execute = catalog.execute
    store = Store.create(execute)
    for key, _, body in chain.from_iterable(catalog.pieces(table.store)):
        noted = expiry_key(attribute, decode_item(body), key)
        if noted is not None:
            store.put(execute, noted, 0, b"", None)
    return store
