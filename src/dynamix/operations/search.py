"""Flows that search: one page of a query or scan, the first so many matches, the number of matches."""

from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from dynamix.codec.compiled import Page
from dynamix.codec.state import stored_of
from dynamix.cursor import Cursor
from dynamix.expressions.nodes import Path, all_of
from dynamix.expressions.render import Placeholders, render_condition, render_projection
from dynamix.operations import batch
from dynamix.operations.plan import Search, split
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Table
from dynamix.wire import Call, Flow, Item

M = TypeVar("M")


def items(
    policy: RetryPolicy, table: Table[M], search: Search[M], requery: bool = False
) -> Flow[tuple[list[M], Cursor | None]]:
    """The matches and where to go on: one page of up to 1 MB, or as many pages as `limit` matches take.

    With `requery`, what was not chosen or the index does not hold is read from the table; the order is kept, and items
    that were deleted meanwhile are left out.
    """
    found, cursor = yield from (
        page(policy, table, search) if search.limit is None else _limited(policy, table, search)
    )
    if requery and found and (search.fields or search.schema.loaded_from(search.index) is not None):
        keys = [search.schema.key_of(vars(item)) for item in found]
        found = yield from batch.get(policy, table, keys, search.consistent)
    return found, cursor


def page(policy: RetryPolicy, table: Table[M], search: Search[M]) -> Flow[tuple[list[M], Cursor | None]]:
    """One page of matches, up to 1 MB looked at, and the cursor of the next."""
    answer: Page[M] = yield from request(policy, _call(table, search, None))
    return answer.items, _cursor(table, search, answer.last_key)


def _limited(policy: RetryPolicy, table: Table[M], search: Search[M]) -> Flow[tuple[list[M], Cursor | None]]:
    """As many matches as the limit says, from as many pages as it takes.

    DynamoDB's own limit counts what is looked at, so a filter may need more pages; each looks at twice as many items.
    """
    assert search.limit is not None  # noqa: S101 - the caller has looked
    filtered = bool(split(search).filters)
    found: list[M] = []
    look = search.limit
    while True:
        answer: Page[M] = yield from request(policy, _call(table, search, look))
        room = search.limit - len(found)
        found += answer.items[:room]
        if len(answer.items) > room:
            return found, _cursor(table, search, _key_at(search, found[-1]))
        cursor = _cursor(table, search, answer.last_key)
        if cursor is None or len(found) == search.limit:
            return found, cursor
        search = replace(search, start=cursor)
        look = look * 2 if filtered else search.limit - len(found)  # type: ignore[operator]


def count(policy: RetryPolicy, table: Table[Any], search: Search[Any]) -> Flow[int]:
    """The number of matches, at most the limit; nothing but numbers is sent back."""
    total = 0
    search = replace(search, fields=())
    while True:
        body = {**_body(table, search, None), "Select": "COUNT"}
        call = Call(_target(search), msgspec.json.encode(body), _decode_count)
        answer = yield from request(policy, call)
        total += answer.Count
        cursor = _cursor(table, search, answer.LastEvaluatedKey)
        if search.limit is not None and total >= search.limit:
            return search.limit
        if cursor is None:
            return total
        search = replace(search, start=cursor)


class _Counted(msgspec.Struct):
    Count: int
    LastEvaluatedKey: Item | None = None


_decode_count = msgspec.json.Decoder(_Counted).decode


def _call(table: Table[M], search: Search[M], look: int | None) -> Call[Page[M]]:
    attributes = search.schema.loaded_from(search.index)
    if search.fields:
        attributes = frozenset(field.attribute for field in _chosen(search))
    reader = search.schema.codec.reader(attributes)
    return Call(_target(search), msgspec.json.encode(_body(table, search, look)), reader.page)


def _chosen(search: Search[Any]) -> tuple[AnyField, ...]:
    """The fields to read where some were chosen: these, and the keys, from which cursors are made."""
    return (*search.schema.table.keys, *search.index.keys, *search.fields)


def _target(search: Search[Any]) -> str:
    return "Query" if search.keyed else "Scan"


def _body(table: Table[Any], search: Search[Any], look: int | None) -> dict[str, Any]:
    key, filters = split(search)
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table.name}
    if search.index.name is not None:
        body["IndexName"] = search.index.name
    if key:
        body["KeyConditionExpression"] = " AND ".join(render_condition(part, placeholders) for part in key)
    if filters:
        body["FilterExpression"] = render_condition(all_of(filters), placeholders)
    if search.fields:
        names = dict.fromkeys(field.name for field in _chosen(search))
        body["ProjectionExpression"] = render_projection(tuple(Path((name,)) for name in names), placeholders)
    if placeholders.names:
        body["ExpressionAttributeNames"] = placeholders.names
    if placeholders.values:
        body["ExpressionAttributeValues"] = placeholders.values
    if not search.ascending:
        body["ScanIndexForward"] = False
    if search.consistent:
        body["ConsistentRead"] = True
    if look is not None:
        body["Limit"] = look
    if search.start is not None:
        search.start.require(table.name, search.index.name)
        body["ExclusiveStartKey"] = search.start.key
    return body


def _cursor(table: Table[Any], search: Search[Any], last_key: Item | None) -> Cursor | None:
    return None if last_key is None else Cursor(table.name, search.index.name, last_key)


def _key_at(search: Search[M], item: M) -> Item:
    """The key, of table and index, at which an item stands."""
    values = vars(item)
    stored = stored_of(values)
    return {
        field.name: stored.get(field.attribute) or search.schema.encoder(field)(values[field.attribute])
        for field in (*search.schema.table.keys, *search.index.keys)
    }
