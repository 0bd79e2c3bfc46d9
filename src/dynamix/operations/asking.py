"""One request of a search: what is asked, where it begins, and whether the search's bounds allow it."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dynamix.cursor import Cursor, Order, Place, sealed
from dynamix.errors import (
    DeadlineExceededError,
    InvalidAnswerError,
    InvalidCursorError,
    InvalidRequestError,
    ReadLimitError,
)
from dynamix.expressions.nodes import AttributeNotExists, Compare, Not, Path, Value, all_of
from dynamix.expressions.render import Placeholders, render_condition, render_projection
from dynamix.expressions.texts import check_condition
from dynamix.operations import requests
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Table
from dynamix.selection import Bounds, Search, Selection
from dynamix.wire import AttributeValue, Call, Flow, Item

M = TypeVar("M")
T = TypeVar("T")


class Budget:
    """What one read has used of its bounds. `deadline` is a time of `time.monotonic`, which the driver heeds.

    `spent` says which bound ended the read, None while none did.
    """

    def __init__(self, bounds: Bounds, deadline: float = math.inf) -> None:
        self.deadline = deadline
        self.spent: str | None = None
        self._bounds = bounds
        self._pages = 0
        self._units = 0.0

    @property
    def counts_units(self) -> bool:
        """Whether answers have to tell what they consumed."""
        return self._bounds.units is not None

    def allows(self) -> bool:
        """Whether one more request is within the bounds."""
        pages, units = self._bounds.pages, self._bounds.units
        if pages is not None and self._pages >= pages:
            self.spent = f"max_pages({pages})"
        elif units is not None and self._units >= units:
            self.spent = f"max_units({units}), {self._units:g} units,"
        return self.spent is None

    def used(self, units: float) -> None:
        """A request was answered, and consumed so many units."""
        self._pages += 1
        self._units += units

    def ended(self, error: DeadlineExceededError) -> None:
        """Time was up. Raises the error where the deadline is not the read's own."""
        if self.deadline == math.inf:
            raise error
        self.spent = f"max_seconds({self._bounds.seconds})"


def spent(budget: Budget | None) -> str | None:
    """Which bound ended a read, if one did."""
    return None if budget is None else budget.spent


def ran_out(bound: str | None, found: list[Any], cursor: Cursor | None, count: int | None = None) -> ReadLimitError:
    """The error for a read that came to a bound before it had looked at everything."""
    error = ReadLimitError(
        f"the read was ended by {bound} before it had looked at everything; start_key(error.cursor) goes on"
    )
    error.items, error.cursor = tuple(found), cursor
    error.count = len(found) if count is None else count
    return error


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
        selection = selection._replace(filters=(*selection.filters, Not(schema.expired)))
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
    call = Call(target(search), msgspec.json.encode(body), lambda answer: (read(answer), _consumed(answer).capacity))
    try:
        answer, capacity = yield from request(policy, call)
    except DeadlineExceededError as error:
        budget.ended(error)
        return None
    if budget.counts_units and capacity is None:
        raise InvalidAnswerError("max_units() cannot be heeded: the answer does not tell the units that it consumed")
    budget.used(0.0 if capacity is None else capacity.units)
    return answer


class _Capacity(Struct):
    units: float = msgspec.field(name="CapacityUnits", default=0.0)


class _Consumed(Struct):
    capacity: _Capacity | None = msgspec.field(name="ConsumedCapacity", default=None)


_consumed = msgspec.json.Decoder(_Consumed).decode


def chosen(search: Search[Any]) -> tuple[AnyField, ...]:
    """The fields to read where some were chosen: these, the keys, from which cursors are made, and what tells models
    apart."""
    schema = search.schema
    return (*schema.table.keys, *search.index.keys, *search.fields, *schema.telling(search.index))


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
        names = search.schema.asked_for(chosen(search), search.index)
        body["ProjectionExpression"] = render_projection(tuple(Path((name,)) for name in names), placeholders)
    requests.name_and_value(body, placeholders)
    if not search.ascending:
        body["ScanIndexForward"] = False
    if search.consistent:
        body["ConsistentRead"] = True
    if search.page_size is not None:
        body["Limit"] = search.page_size
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
    cursor = Cursor(table.name, search.index.name, key, order_of(search), back)
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
    )
    start = place.opened(search.begin, policy.seal)
    return replace(search, start=start if start.key or start.back else None)


def _partition(search: Search[Any], selection: Selection) -> Iterator[tuple[str, AttributeValue]]:
    """The stored name and the value of what says which partition a query reads."""
    for condition in selection.key:
        match condition:
            case Compare("=", Path((str(name),)), Value(value)) if name == search.index.hash_key.name:
                yield name, value


def only_forward(search: Search[Any]) -> None:
    """Refuse to begin where an earlier page ends."""
    if search.start is not None and search.start.back:
        raise InvalidCursorError(
            "the cursor is the `previous` one of a page, of which only pages() and get_items() give the page"
        )


def key_at(search: Search[M], item: M) -> Item:
    """The key, of table and index, at which an item stands."""
    return search.schema.forms_of((*search.schema.table.keys, *search.index.keys), vars(item))
