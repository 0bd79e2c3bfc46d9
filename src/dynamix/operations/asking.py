"""One request of a search: what is asked, where it begins, and whether the search's bounds allow it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dynamix.cursor import Cursor, Order, Place, sealed
from dynamix.errors import DeadlineExceededError, InvalidCursorError, InvalidRequestError
from dynamix.expressions.nodes import AttributeNotExists, Compare, Not, Path, Value, all_of
from dynamix.expressions.render import Placeholders, render_condition, render_projection
from dynamix.expressions.texts import check_condition
from dynamix.operations import requests
from dynamix.operations.budget import Budget, Told, told_by
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Table
from dynamix.selection import Search, Selection
from dynamix.wire import Apply, AttributeValue, Call, Flow, Item, Pause

M = TypeVar("M")
T = TypeVar("T")


def settled(policy: RetryPolicy, search: Search[M]) -> Search[M]:
    """The same search, with what the connection says where the search says nothing."""
    if search.consistent is not None or not policy.consistent:
        return search
    return replace(search, consistent=search.index.local)


def hiding(search: Search[Any], selection: Selection) -> Selection:
    """The same, without what has expired by now, where the model hides that, without guards beside the items, and
    without the items of other models."""
    schema = search.schema
    if schema.hidden is not None:
        selection = selection._replace(filters=(*selection.filters, Not(schema.existence.expired)))
    if schema.guards is not None and schema.guards.within:
        guard = AttributeNotExists(Path((schema.guards.owner_name,)))
        selection = selection._replace(filters=(*selection.filters, guard))
    if schema.kinds is None:
        return selection
    from dynamix.narrowing import narrowed  # which programs without shared tables never need

    return narrowed(search, schema.kinds, selection)


def ask(
    policy: RetryPolicy,
    search: Search[Any],
    body: dict[str, Any],
    start: Cursor | None,
    read: Callable[[bytes], T],
    budget: Budget | None,
) -> Flow[T | None]:
    """The answer for one page, which begins at `start`; None where the search's bounds do not allow it.

    Raises InvalidCursorError where it cannot begin there.
    """
    if start is not None and start.key:
        body["ExclusiveStartKey"] = start.key
    try:
        if budget is None:
            return (yield from request(policy, Call(target(search), msgspec.json.encode(body), read)))
        return (yield from _ask_within(policy, search, body, read, budget))
    except InvalidRequestError as error:
        refusal = None if start is None else start.refused(str(error))
        if refusal is None:
            raise
        raise refusal from error


def _ask_within(
    policy: RetryPolicy, search: Search[Any], body: dict[str, Any], read: Callable[[bytes], T], budget: Budget
) -> Flow[T | None]:
    """The same within the bounds of a search."""
    if not budget.allows():
        return None
    if budget.counts_units:
        body["ReturnConsumedCapacity"] = "INDEXES"
    call = Call(target(search), msgspec.json.encode(body), lambda answer: (read(answer), told_by(answer)))
    told: Told | None = None
    reserved = 0.0
    try:
        while True:
            seconds, reserved = budget.reserve()
            if not seconds:
                break
            yield Pause(seconds)
        answer, told = yield from request(policy, call)
    except DeadlineExceededError as error:
        budget.ended(error)
        return None
    finally:
        budget.used(reserved, told)
    if budget.progress is not None:
        yield Apply(budget.tell, told)
    return answer


def chosen(search: Search[Any]) -> tuple[AnyField, ...]:
    """The fields to read where some were chosen: these, the keys, from which cursors are made, and what tells models
    apart."""
    schema = search.schema
    return (*schema.table.keys, *search.index.keys, *search.fields, *schema.projection.telling(search.index))


def target(search: Search[Any]) -> str:
    """The operation of a search."""
    return "Query" if search.keyed else "Scan"


def body_of(table: Table[Any], search: Search[Any], selection: Selection) -> dict[str, Any]:
    """A request, but for where its page begins and, where there is a limit, how many items it looks at."""
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
        names = search.schema.projection.asked_for(chosen(search), search.index)
        body["ProjectionExpression"] = render_projection(tuple(Path((name,)) for name in names), placeholders)
    requests.name_and_value(body, placeholders)
    if not search.ascending:
        body["ScanIndexForward"] = False
    if search.consistent:
        body["ConsistentRead"] = True
    if search.page_size is not None:
        body["Limit"] = search.page_size
    if search.segment is not None:
        body["Segment"], body["TotalSegments"] = search.segment
    return body


def look(search: Search[Any], selection: Selection, asked: int, left: int) -> int:
    """How many items the next request of a limited search looks at, after so many requests, where so many matches are
    still to be found.

    DynamoDB's own limit counts what is looked at, so what is filtered or passed by may need more requests; each looks
    at twice as many items, unless the search says how many.
    """
    if not selection.filters and search.on_error == "raise":
        return left if search.page_size is None else min(search.page_size, left)
    return search.page_size or (search.limit or 1) << min(asked, 16)


def cursor_after(policy: RetryPolicy, table: Table[Any], search: Search[Any], last_key: Item | None) -> Cursor | None:
    """Where the page behind this key begins; None at the end."""
    return cursor_at(policy, table, search, last_key) if last_key else None


def cursor_at(policy: RetryPolicy, table: Table[Any], search: Search[Any], key: Item, *, back: bool = False) -> Cursor:
    """The cursor at a key, of what comes after it or before; without a key, of what comes after or before all."""
    cursor = Cursor(table.name, search.index.name, key, order_of(search), back, segment=search.segment)
    return cursor if policy.seal is None else replace(cursor, text=sealed(cursor, policy.seal))


def order_of(search: Search[Any]) -> Order:
    """The direction of a search, as its cursors have it."""
    return "scan" if not search.keyed else "asc" if search.ascending else "desc"


def begun(policy: RetryPolicy, table: Table[Any], search: Search[M], selection: Selection) -> Search[M]:
    """The same search, with the cursor where it begins. Raises InvalidCursorError where that cannot continue it."""
    assert search.begin is not None  # noqa: S101 - the caller has looked
    place = Place(
        table.name,
        search.index.name,
        order_of(search),
        tuple(dict.fromkeys(field.name for field in (*search.schema.table.keys, *search.index.keys))),
        dict(_partition(search, selection)),
        search.segment,
        search.segments,
    )
    start = place.opened(search.begin, policy.seal)
    return replace(search, start=start if start.key or start.back or start.places else None)


def _partition(search: Search[Any], selection: Selection) -> Iterator[tuple[str, AttributeValue]]:
    """The stored names and the values of what says which partition a query reads."""
    names = {field.name for field in search.index.hash_keys}
    for condition in selection.key:
        match condition:
            case Compare("=", Path((str(name),)), Value(value)) if name in names:
                yield name, value


def only_forward(search: Search[Any]) -> None:
    """Refuse to begin where an earlier page ends."""
    if search.start is not None and search.start.back:
        raise InvalidCursorError(
            "the cursor is the `previous` one of a page, of which only pages() and get_items() give the page"
        )


def key_at(search: Search[M], item: M) -> Item:
    """The key, of table and index, at which an item stands."""
    return search.schema.key.forms_of((*search.schema.table.keys, *search.index.keys), vars(item))


class Counted(Struct):
    """What is read of an answer that counts."""

    count: int = msgspec.field(name="Count")
    last_key: Item | None = msgspec.field(name="LastEvaluatedKey", default=None)


COUNTED = msgspec.json.Decoder(Counted).decode
