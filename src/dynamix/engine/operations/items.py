"""GetItem, PutItem, UpdateItem, DeleteItem."""

from typing import Any, Literal

import msgspec

from dynamix.engine.actions import throughput
from dynamix.engine.actions.action import Action, Outcome
from dynamix.engine.actions.capacity import Charge, read_units, report
from dynamix.engine.actions.lag import past_of
from dynamix.engine.actions.throughput import carry_out
from dynamix.engine.actions.update import Update
from dynamix.engine.data.rows import Row, after, decode_item
from dynamix.engine.data.values import check_item
from dynamix.engine.requests import actions
from dynamix.engine.requests.expressions import check_parameters, read
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.wire import Item

_GIGABYTE = 1 << 30


def get_item(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """One item by its key. Every read is consistent, unless the engine lags; what it costs is as asked."""
    check_parameters("GetItem", request)
    key = check_item(request["Key"])
    expressions = read("GetItem", request)
    with storage.reading() as catalog:
        table = catalog.table(request["TableName"])
        encoded = table.keys.encode_key(key)
        table.check_scalars(expressions.entered_by_projection)
        row = table.store.get(catalog.once, encoded)
        if not catalog.at_once:
            row = _seen(catalog, table, encoded, row, request)
    answer: dict[str, Any] = {}
    if row is not None:
        projection = expressions.projection
        answer["Item"] = msgspec.Raw(row[1]) if projection is None else projection(decode_item(row[1]))
    return _with_read_charge(answer, request, table, row)


def put_item(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Store an item in place of the one with its key."""
    return _changed(storage, request, actions.put(request["TableName"], request, "PutItem"))


def delete_item(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Remove an item; no error where there is none."""
    return _changed(storage, request, actions.delete(request["TableName"], request, "DeleteItem"))


def update_item(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Change attributes of an item."""
    return _changed(storage, request, actions.update(request["TableName"], request, "UpdateItem"))


def collection_metrics(catalog: Catalog, action: Action) -> dict[str, Any] | None:
    """The size of the collection of an action's item, where the table has local indexes, as a range in gigabytes."""
    table = action.table
    local = [index for index in table.indexes if not index.is_global]
    if not local:
        return None
    prefix = table.keys.partition_of(action.key)
    size = 0
    for store in (table.store, *(index.store for index in local)):
        _, total = store.totals(catalog.execute)
        if total >= _GIGABYTE:
            total = store.bytes_between(catalog.execute, prefix, after(prefix))
        size += total
    low = float(size // _GIGABYTE)
    ((name, _),) = table.keys.partition
    return {"ItemCollectionKey": {name: action.given[name]}, "SizeEstimateRangeGB": [low, low + 1.0]}


def _changed(storage: Storage, request: dict[str, Any], asked: actions.Asked[Any]) -> dict[str, Any]:
    with storage.writing() as catalog:
        action: Action = asked.locate(catalog)
        outcome = carry_out(catalog, action)
        metrics = None
        if request.get("ReturnItemCollectionMetrics") == "SIZE":
            metrics = collection_metrics(catalog, action)
    answer: dict[str, Any] = {}
    returned = _returned(request.get("ReturnValues", "NONE"), action, outcome)
    if returned is not None:
        answer["Attributes"] = returned
    consumed = report(request, action.table, outcome.charge)
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    if metrics is not None:
        answer["ItemCollectionMetrics"] = metrics
    return answer


def _returned(mode: str, action: Action, outcome: Outcome) -> msgspec.Raw | Item | None:
    """The attributes that the request asked to have back, None where there are none."""
    if mode == "NONE":
        return None
    if mode == "ALL_OLD":
        return msgspec.Raw(outcome.old[1]) if outcome.old else None
    if mode == "ALL_NEW":
        return msgspec.Raw(outcome.new[1]) if outcome.new else None
    if not isinstance(action, Update) or action.update is None or outcome.before is None or outcome.after is None:
        return None
    kept: Literal["UPDATED_OLD", "UPDATED_NEW"] = "UPDATED_OLD" if mode == "UPDATED_OLD" else "UPDATED_NEW"
    return action.update.returned(outcome.before, outcome.after, kept) or None


def _seen(catalog: Catalog, table: Table, key: bytes, row: Row | None, request: dict[str, Any]) -> Row | None:
    """The row of a key as a read sees it that takes its time; `row` is what is there."""
    past = past_of(catalog, table, None, request)
    if past is not None:
        row = past.row(key, row)
    throughput.read(catalog, table, Charge(read_units(row[0] if row else 0, request)))
    return row


def _with_read_charge(answer: dict[str, Any], request: dict[str, Any], table: Table, row: Row | None) -> dict[str, Any]:
    consumed = report(request, table, Charge(read_units(row[0] if row else 0, request)))
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer
