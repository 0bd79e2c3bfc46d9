"""Flows that search: one page of a query or scan, the first so many matches, the number of matches."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dynamix.codec.reader import Page
from dynamix.cursor import Cursor
from dynamix.errors import InvalidRequestError
from dynamix.expressions.nodes import AttributeNotExists, Not, Path, all_of
from dynamix.expressions.render import Placeholders, render_condition, render_projection
from dynamix.expressions.texts import check_condition
from dynamix.operations import batch, requests
from dynamix.operations.indexes import Held, LiveIndexes, check_held
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Table
from dynamix.selection import Search, Selection
from dynamix.unreadable import readable
from dynamix.wire import Call, Flow, Item

M = TypeVar("M")
T = TypeVar("T")


def items(
    policy: RetryPolicy,
    table: Table[M],
    live: LiveIndexes,
    search: Search[M],
    selection: Selection,
    requery: bool = False,
) -> Flow[tuple[list[M], Cursor | None]]:
    """The matches and where to go on: one page of up to 1 MB, or as many pages as `limit` matches take.

    With `requery`, what was not chosen or the index does not hold is read from the table; the order is kept, and items
    that were deleted meanwhile are left out.
    """
    search, selection = _settled(policy, search), _hiding(search, selection)
    held = yield from live.held(policy, table, search.index)
    check_held(search, selection, held)
    read = _reader(table, search, held)
    found, cursor = yield from (_page if search.limit is None else _limited)(policy, table, search, selection, read)
    if requery and found and (search.fields or held != _WHOLE):
        keys = [search.schema.key_of(vars(item)) for item in found]
        found = yield from batch.get(policy, table, keys, search.consistent, search.on_error)
    elif search.schema.after_load is not None:
        for item in found:
            search.schema.after_load(item)
    return found, cursor


_WHOLE = Held(None)


def _page(
    policy: RetryPolicy, table: Table[M], search: Search[M], selection: Selection, read: Callable[[bytes], Page[M]]
) -> Flow[tuple[list[M], Cursor | None]]:
    """One page of matches, up to 1 MB looked at, and the cursor of the next."""
    answer = yield from _asked(policy, search, _body(table, search, selection), search.start, read)
    found, _ = readable(table, answer.items, answer.unread, search.on_error)
    return found, _cursor(table, search, answer.last_key)


def _limited(
    policy: RetryPolicy, table: Table[M], search: Search[M], selection: Selection, read: Callable[[bytes], Page[M]]
) -> Flow[tuple[list[M], Cursor | None]]:
    """As many matches as the limit says, from as many pages as it takes.

    DynamoDB's own limit counts what is looked at, so what is filtered or passed by may need more pages; each looks at
    twice as many items.
    """
    body = _body(table, search, selection)
    sparse = bool(selection.filters) or search.on_error != "raise"
    assert search.limit is not None  # noqa: S101 - the caller has looked
    limit = look = search.limit
    found: list[M] = []
    cursor = search.start
    while True:
        body["Limit"] = look
        answer = yield from _asked(policy, search, body, cursor, read)
        kept, rest = readable(table, answer.items, answer.unread, search.on_error, limit - len(found))
        found += kept
        if rest:
            return found, _cursor(table, search, _key_at(search, found[-1]))
        cursor = _cursor(table, search, answer.last_key)
        if cursor is None or len(found) == limit:
            return found, cursor
        look = look * 2 if sparse else limit - len(found)


def count(
    policy: RetryPolicy, table: Table[Any], live: LiveIndexes, search: Search[Any], selection: Selection
) -> Flow[int]:
    """The number of matches, at most the limit; nothing but numbers is sent back."""
    search, selection = replace(_settled(policy, search), fields=()), _hiding(search, selection)
    if selection.filters:
        check_held(search, selection, (yield from live.held(policy, table, search.index)))
    body = {**_body(table, search, selection), "Select": "COUNT"}
    cursor = search.start
    total = 0
    while True:
        answer = yield from _asked(policy, search, body, cursor, _COUNTED)
        total += answer.count
        cursor = _cursor(table, search, answer.last_key)
        if search.limit is not None and total >= search.limit:
            return search.limit
        if cursor is None:
            return total


class _Counted(Struct):
    """What is read of an answer that counts."""

    count: int = msgspec.field(name="Count")
    last_key: Item | None = msgspec.field(name="LastEvaluatedKey", default=None)


_COUNTED = msgspec.json.Decoder(_Counted).decode


def _settled(policy: RetryPolicy, search: Search[M]) -> Search[M]:
    """The same search, with what the connection says where the search says nothing."""
    if search.consistent is not None:
        return search
    return replace(search, consistent=policy.consistent and search.index.local)


def _hiding(search: Search[Any], selection: Selection) -> Selection:
    """The same, without what has expired by now, where the model hides that, and without guards beside the items."""
    schema = search.schema
    if schema.hidden is not None:
        selection = selection._replace(filters=(*selection.filters, Not(schema.expired)))
    if schema.guards is not None and schema.guards.within:
        guard = AttributeNotExists(Path((schema.guards.owner_name,)))
        selection = selection._replace(filters=(*selection.filters, guard))
    return selection


def _asked(
    policy: RetryPolicy, search: Search[Any], body: dict[str, Any], start: Cursor | None, read: Callable[[bytes], T]
) -> Flow[T]:
    """The answer for one page, which begins at `start`. Raises InvalidCursorError where it cannot begin there."""
    if start is not None:
        keys = {field.name for field in (*search.schema.table.keys, *search.index.keys)}
        start.require(body["TableName"], search.index.name, keys)
        body["ExclusiveStartKey"] = start.key
    try:
        return (yield from request(policy, Call(_target(search), msgspec.json.encode(body), read)))
    except InvalidRequestError as error:
        refusal = None if start is None else start.refused(str(error))
        if refusal is None:
            raise
        raise refusal from error


def _reader(table: Table[M], search: Search[M], held: Held) -> Callable[[bytes], Page[M]]:
    codec = search.schema.codec
    if search.fields:
        return codec.reader(table.name, frozenset(field.attribute for field in _chosen(search))).page
    if held.sure:
        return codec.reader(table.name, held.attributes).page
    return codec.reader(table.name, held.attributes, search.schema.keys_of_index(search.index)).page


def _chosen(search: Search[Any]) -> tuple[AnyField, ...]:
    """The fields to read where some were chosen: these, and the keys, from which cursors are made."""
    return (*search.schema.table.keys, *search.index.keys, *search.fields)


def _target(search: Search[Any]) -> str:
    return "Query" if search.keyed else "Scan"


def _body(table: Table[Any], search: Search[Any], selection: Selection) -> dict[str, Any]:
    """A request, but for where its page begins and how many items it looks at."""
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table.name}
    if search.index.name is not None:
        body["IndexName"] = search.index.name
    if selection.key:
        body["KeyConditionExpression"] = " AND ".join(render_condition(part, placeholders) for part in selection.key)
    if selection.filters:
        filters = all_of(selection.filters)
        body["FilterExpression"] = render_condition(filters, placeholders)
        check_condition(filters, body["FilterExpression"])
    if search.fields:
        names = dict.fromkeys(field.name for field in _chosen(search))
        body["ProjectionExpression"] = render_projection(tuple(Path((name,)) for name in names), placeholders)
    requests.name_and_value(body, placeholders)
    if not search.ascending:
        body["ScanIndexForward"] = False
    if search.consistent:
        body["ConsistentRead"] = True
    return body


def _cursor(table: Table[Any], search: Search[Any], last_key: Item | None) -> Cursor | None:
    return Cursor(table.name, search.index.name, last_key) if last_key else None


def _key_at(search: Search[M], item: M) -> Item:
    """The key, of table and index, at which an item stands."""
    return search.schema.forms_of((*search.schema.table.keys, *search.index.keys), vars(item))
