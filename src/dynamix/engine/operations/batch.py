"""BatchGetItem and BatchWriteItem: many items in one request, each for itself.

What does not fit is handed back with status 200: keys whose items would take an answer past 16 MB, or the items of one
partition past 1 MB. Each write of a batch stands alone; here they commit together, which no reader can tell from their
having been quick.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from dynamix.engine.actions import throughput
from dynamix.engine.actions.capacity import Charge, read_units, reports
from dynamix.engine.actions.delete import Delete
from dynamix.engine.actions.lag import past_of
from dynamix.engine.actions.put import Put
from dynamix.engine.actions.throughput import THROTTLED, carry_out_alone
from dynamix.engine.data.rows import decode_item
from dynamix.engine.data.values import check_item
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.operations.items import collection_metrics
from dynamix.engine.requests import actions
from dynamix.engine.requests.expressions import Expressions, check_parameters, read
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.limits import BATCH_BYTES, BATCH_GET_KEYS, BATCH_WRITE_ITEMS, PAGE_BYTES
from dynamix.wire import Item

_DUPLICATES = "Provided list of item keys contains duplicates"


def batch_get_item(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Items by their keys, of any tables."""
    keys: dict[str, list[Item]] = {}
    wanted: list[tuple[str, dict[str, Any], Expressions]] = []
    for name, part in request["RequestItems"].items():
        check_parameters("KeysAndAttributes", part)
        keys[name] = [check_item(key) for key in part["Keys"]]
        wanted.append((name, part, read("KeysAndAttributes", part)))
    if sum(map(len, keys.values())) > BATCH_GET_KEYS:
        raise invalid("Too many items requested for the BatchGetItem call")
    responses: dict[str, list[Any]] = {}
    unprocessed: dict[str, Any] = {}
    charges: list[tuple[Table, Charge]] = []
    room = BATCH_BYTES
    throttled: Fault | None = None
    with storage.reading() as catalog:
        located = [_locate(catalog, name, keys[name]) for name in keys]
        for (name, part, expressions), (table, encoded) in zip(wanted, located, strict=True):
            table.check_scalars(expressions.entered_by_projection)
            reader = _KeyReader(catalog, table, part, expressions, room)
            responses[name] = [item for key in encoded for item in reader.items(key)]
            room = reader.room
            charges.append((table, reader.charge))
            throttled = throttled or reader.throttled
            left = [key for key, code in zip(part["Keys"], encoded, strict=True) if code in reader.left]
            if left:
                unprocessed[name] = {**part, "Keys": left}
    if throttled is not None and not any(charge.table for _, charge in charges):
        raise throttled
    answer: dict[str, Any] = {"Responses": responses, "UnprocessedKeys": unprocessed}
    consumed = reports(request, charges)
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer


def batch_write_item(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Puts and deletes, of any tables, without conditions."""
    parts = [(name, part) for name, parts in request["RequestItems"].items() for part in parts]
    asked = [_asked(name, part) for name, part in parts]
    if len(asked) > BATCH_WRITE_ITEMS:
        raise invalid("Too many items requested for the BatchWriteItem call")
    charges: dict[str, tuple[Table, Charge]] = {}
    metrics: dict[str, list[dict[str, Any]]] = {}
    unprocessed: dict[str, list[dict[str, Any]]] = {}
    with storage.writing() as catalog:
        located: list[tuple[str, Put | Delete]] = [(each.name, each.locate(catalog)) for each in asked]
        if len({(action.table.id, action.key) for _, action in located}) < len(located):
            raise invalid(_DUPLICATES)
        done: list[tuple[str, Put | Delete]] = []
        for (name, action), (_, part) in zip(located, parts, strict=True):
            try:
                charge = carry_out_alone(catalog, action).charge
            except Fault as fault:
                if fault.code not in THROTTLED or (part is parts[-1][1] and not done):
                    raise
                unprocessed.setdefault(name, []).append(part)
                continue
            done.append((name, action))
            charges.setdefault(name, (action.table, Charge()))[1].add(charge)
        if request.get("ReturnItemCollectionMetrics") == "SIZE":
            for name, action in done:
                told = collection_metrics(catalog, action)
                if told is not None:
                    metrics.setdefault(name, []).append(told)
    answer: dict[str, Any] = {"UnprocessedItems": unprocessed}
    consumed = reports(request, charges.values())
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    return answer


class _KeyReader:
    """Reads the keys of one table, as far as there is room for their items."""

    def __init__(
        self, catalog: Catalog, table: Table, part: dict[str, Any], expressions: Expressions, room: int
    ) -> None:
        self.room = room
        self.charge = Charge()
        self.left: set[bytes] = set()
        self.throttled: Fault | None = None
        self._catalog = catalog
        self._table = table
        self._part = part
        self._past = past_of(catalog, table, None, part)
        self._projection = expressions.projection
        self._partition_room: dict[bytes, int] = {}

    def items(self, key: bytes) -> Iterator[msgspec.Raw | Item]:
        """The item of a key, if it exists and there is room for it."""
        row = self._table.store.get(self._catalog.execute, key)
        if self._past is not None:
            row = self._past.row(key, row)
        size = row[0] if row else 0
        partition = self._table.keys.partition_of(key)
        room = self._partition_room.get(partition, PAGE_BYTES)
        if size > min(room, self.room):
            self.left.add(key)
            return
        units = read_units(size, self._part)
        try:
            throughput.read(self._catalog, self._table, Charge(units))
        except Fault as fault:
            self.throttled = fault
            self.left.add(key)
            return
        self._partition_room[partition] = room - size
        before, self.room = self.room, self.room - size
        if before // PAGE_BYTES > self.room // PAGE_BYTES and self._catalog.give_way is not None:
            self._catalog.give_way()
        self.charge.table += units
        if row is not None:
            yield msgspec.Raw(row[1]) if self._projection is None else self._projection(decode_item(row[1]))


def _locate(catalog: Catalog, name: str, keys: list[Item]) -> tuple[Table, list[bytes]]:
    table = catalog.table(name)
    encoded = [table.keys.encode_key(key) for key in keys]
    if len(set(encoded)) < len(encoded):
        raise invalid(_DUPLICATES)
    return table, encoded


def _asked(name: str, part: dict[str, Any]) -> actions.Asked[Put] | actions.Asked[Delete]:
    put, delete = part.get("PutRequest"), part.get("DeleteRequest")
    if put is not None and delete is None:
        return actions.put(name, put, "PutRequest")
    if delete is not None and put is None:
        return actions.delete(name, delete, "DeleteRequest")
    raise invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    )
