"""Time to live: items whose expiry time has passed are deleted.

A table with a time to live has one more row store, with a key per item that expires: the time in whole seconds, eight
bytes, then the item's key. As in the service, an item is deleted some time after its expiry, and seen until then (see
sweeping.py). A time of more than five years ago deletes nothing, and neither does an attribute that is not a number.

Source: DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB".
"""

from typing import Any

from dynamix.engine.actions import indexes
from dynamix.engine.actions.action import erase
from dynamix.engine.actions.indexes import EXPIRY_BYTES
from dynamix.engine.data.rows import Store
from dynamix.engine.faults import invalid
from dynamix.engine.operations.clearing import clear
from dynamix.engine.operations.copying import IndexSteps, is_large
from dynamix.engine.operations.making import made
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import unfinished
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.phases import check_made
from dynamix.engine.tables.record import Expiry, Record
from dynamix.engine.tables.table import Table, fresh_record
from dynamix.engine.tables.unfinished import Copying

AT_ONCE = 256
"""How many items one transaction removes: nobody waits for long."""

_EXPIRY = "expiry"
_FORGOTTEN_SECONDS = 5 * 365 * 24 * 3600


def update_time_to_live(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Name the attribute by which the items of a table expire, or stop their expiry."""
    wanted = request["TimeToLiveSpecification"]
    attribute = wanted["AttributeName"]
    job = None
    with storage.writing() as catalog:
        unfinished.remove_stale(catalog)
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
            if _EXPIRY in record.copying.values():
                raise invalid("TimeToLive is already enabled")
            record.expiry = Expiry(attribute, Store.create(catalog.execute).id)
            if is_large(catalog, table):
                job = Copying(catalog, _of_expiry(record), _EXPIRY)
            else:
                prepared = catalog.compiled(table, record)
                for piece in catalog.pieces(table.store):
                    indexes.fill_expiry(catalog.execute, prepared, indexes.versions(piece))
        else:
            if current is None or table.expiry_store is None:
                raise invalid("TimeToLive is already disabled")
            if current.attribute != attribute:
                raise invalid(
                    f"TimeToLive is active on a different AttributeName: current AttributeName is {current.attribute}"
                )
            record.expiry = None
            table.expiry_store.discard(catalog.execute)
        if job is None:
            catalog.save(table, record)
    if job is not None:
        _enable_in_steps(storage, job)
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


def _of_expiry(record: Record) -> Record:
    """What a record says of the expiry of the items."""
    described = {member: record.description[member] for member in ("TableName", "KeySchema", "AttributeDefinitions")}
    return Record(described, 0, {}, expiry=record.expiry)


def _enable_in_steps(storage: Storage, job: Copying) -> None:
    """Note the expiry times of the items of a large table while others write to it, and let them be known."""
    steps = IndexSteps(job)

    def finish(catalog: Catalog) -> None:
        record = job.finish(catalog)
        steps.end(catalog)
        record.expiry = job.record.expiry
        catalog.save(catalog.named(job.source.name), record)

    made(storage, job, steps.all(), finish)
