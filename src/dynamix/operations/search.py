"""Flows that search: a page, the first match, the only one, all of them, their number.

A search may have bounds. Where it comes to one before it has looked at everything, a page ends with its cursor;
nothing else may stand for what was not looked at, so all others raise ReadLimitError.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from msgspec.structs import replace

from dynamix.codec.reader import Page
from dynamix.cursor import Cursor
from dynamix.errors import DeadlineExceededError, ItemNotFoundError, MultipleItemsError, StoredValueError
from dynamix.late import later
from dynamix.operations.asking import (
    COUNTED,
    ask,
    body_of,
    chosen,
    cursor_after,
    cursor_at,
    hiding,
    key_at,
    look,
    only_forward,
    settled,
)
from dynamix.operations.budget import Budget, ran_out, spent
from dynamix.operations.indexes import Held, LiveIndexes, check_held
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.selection import Search, Selection
from dynamix.unreadable import readable
from dynamix.wire import Flow

if TYPE_CHECKING:
    from dynamix.operations import batch, segments
else:
    later(globals(), batch="dynamix.operations.batch", segments="dynamix.operations.segments")

M = TypeVar("M")


MOST_AHEAD = 1000
"""How many matches a page of an iteration has at most where only a limit is given, lest all be held at once."""


class Found(NamedTuple, Generic[M]):
    """The matches of a page, where the next one begins, which bound of the search ended it, if one did, and where the
    previous page ends."""

    items: list[M]
    next: Cursor | None
    cut: str | None = None
    previous: Cursor | None = None

    def pair(self) -> tuple[list[M], Cursor | None]:
        """The matches and where to go on. Raises ReadLimitError where nothing at all could be looked at."""
        if self.cut is not None and self.next is None:
            raise ran_out(self.cut, self.items, None)
        return self.items, self.next


def page(
    policy: RetryPolicy,
    table: Table[M],
    live: LiveIndexes,
    search: Search[M],
    selection: Selection,
    budget: Budget | None = None,
    requery: bool = False,
) -> Flow[Found[M]]:
    """The matches and where to go on: one page of up to 1 MB, or as many pages as `limit` matches take.

    With `requery`, what was not chosen or the index does not hold is read from the table; the order is kept, and items
    that were deleted meanwhile are left out.
    """
    search, selection = settled(policy, search), hiding(search, selection)
    try:
        held = yield from live.held(policy, table, search.index)
        check_held(search, selection, held)
        read = _reader(table, search, held, requery)
        get = _page if search.limit is None else _limited
        if search.segments is not None:
            get = _side_by_side
        elif search.start is not None:
            get = partial(_neighbour, get)
        found = yield from get(policy, table, search, selection, budget, read)
        if requery and found.items and (search.fields or held != _WHOLE):
            keys = [search.schema.key.of(vars(item)) for item in found.items]
            items = yield from batch.get(policy, table, keys, search.consistent, search.on_error)
            return found._replace(items=_converted(search, items))
    except DeadlineExceededError as error:
        if budget is None:
            raise
        budget.ended(error)
        return Found([], search.start, spent(budget))
    if search.schema.hooks.after_load is not None:
        for item in found.items:
            search.schema.hooks.after_load(item)
    return found if search.convert is None else found._replace(items=_converted(search, found.items))


def _converted(search: Search[Any], items: list[Any]) -> list[Any]:
    """What the caller is given for these instances."""
    if search.convert is None:
        return items
    converted = []
    for item in items:
        try:
            converted.append(search.convert(item))
        except StoredValueError as error:
            if search.on_error == "raise":
                raise
            if search.on_error != "skip":
                search.on_error(error)
    return converted


_WHOLE = Held(None)


Get: TypeAlias = Callable[
    [RetryPolicy, Table[M], Search[M], Selection, Budget | None, Callable[[bytes], Page[M]]], Flow[Found[M]]
]
"""What reads the matches of a page."""


def _neighbour(
    get: Get[M],
    policy: RetryPolicy,
    table: Table[M],
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
    read: Callable[[bytes], Page[M]],
) -> Flow[Found[M]]:
    """The matches of a page behind another one or before it, which is read backwards from there."""
    at = partial(cursor_at, policy, table, search)
    if search.start is None or not search.start.back:
        found = yield from get(policy, table, search, selection, budget, read)
        if not search.keyed:
            return found
        first = key_at(search, found.items[0]) if found.items else found.next.key if found.next else {}
        return found._replace(previous=at(first, back=True))
    turned = replace(search, ascending=not search.ascending)
    found = yield from get(policy, table, turned, selection, budget, read)
    items, before = found.items[::-1], found.next
    if found.cut and not items:
        return found
    last = key_at(search, items[-1]) if items else before.key if before else {}
    return Found(items, at(last), found.cut, None if before is None else at(before.key, back=True))


def _page(
    policy: RetryPolicy,
    table: Table[M],
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
    read: Callable[[bytes], Page[M]],
) -> Flow[Found[M]]:
    """One page of matches, up to 1 MB looked at, and the cursor of the next."""
    answer = yield from ask(policy, search, body_of(table, search, selection), search.start, read, budget)
    if answer is None:
        return Found([], search.start, spent(budget))
    found, _ = readable(table, answer.items, answer.unread, search.on_error, None, search.convert)
    return Found(found, cursor_after(policy, table, search, answer.last_key))


def _limited(
    policy: RetryPolicy,
    table: Table[M],
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
    read: Callable[[bytes], Page[M]],
) -> Flow[Found[M]]:
    """As many matches as the limit says, from as many pages as it takes."""
    body = body_of(table, search, selection)
    assert search.limit is not None  # noqa: S101 - the caller has looked
    limit = search.limit
    found: list[M] = []
    cursor, asked = search.start, 0
    while True:
        body["Limit"] = look(search, selection, asked, limit - len(found))
        asked += 1
        answer = yield from ask(policy, search, body, cursor, read, budget)
        if answer is None:
            return Found(found, cursor, spent(budget))
        left = limit - len(found)
        kept, rest = readable(table, answer.items, answer.unread, search.on_error, left, search.convert)
        found += kept
        if rest:
            return Found(found, cursor_after(policy, table, search, key_at(search, found[-1])))
        cursor = cursor_after(policy, table, search, answer.last_key)
        if cursor is None or len(found) == limit:
            return Found(found, cursor)


def _side_by_side(
    policy: RetryPolicy,
    table: Table[M],
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
    read: Callable[[bytes], Page[M]],
) -> Flow[Found[M]]:
    """The matches of a page of each segment, or as many as the limit says."""
    return Found(*(yield from segments.page(policy, table, search, selection, budget, read)))


def every(
    policy: RetryPolicy,
    table: Table[M],
    live: LiveIndexes,
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
    requery: bool = False,
) -> Flow[list[M]]:
    """All matches, at most the limit."""
    only_forward(search)
    matches: list[M] = []
    while True:
        found = yield from page(policy, table, live, search, selection, budget, requery)
        matches += found.items
        if found.cut:
            raise ran_out(found.cut, matches, found.next)
        if found.next is None or search.limit is not None:  # up to a limit, the page itself reads on
            return matches
        search = replace(search, start=found.next)


def first(
    policy: RetryPolicy,
    table: Table[M],
    live: LiveIndexes,
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
) -> Flow[M | None]:
    """The first match; None where there is none."""
    only_forward(search)
    found = yield from page(policy, table, live, replace(search, limit=1), selection, budget)
    if found.cut:
        raise ran_out(found.cut, [], found.next)
    return found.items[0] if found.items else None


def one(
    policy: RetryPolicy,
    table: Table[M],
    live: LiveIndexes,
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
) -> Flow[M]:
    """The only match, at most the limit. Raises ItemNotFoundError for none, MultipleItemsError for another."""
    limit = 2 if search.limit is None else min(search.limit, 2)
    matches = yield from every(policy, table, live, replace(search, limit=limit), selection, budget)
    name = search.schema.model_name
    if not matches:
        raise ItemNotFoundError(f"no {name} matches the query; first() gives None then")
    if len(matches) > 1:
        error = MultipleItemsError(f"more than one {name} matches the query; first() gives the first of them")
        error.items = tuple(matches)
        raise error
    return matches[0]


def count(
    policy: RetryPolicy,
    table: Table[Any],
    live: LiveIndexes,
    search: Search[Any],
    selection: Selection,
    budget: Budget | None,
) -> Flow[int]:
    """The number of matches, at most the limit; nothing but numbers is sent back."""
    only_forward(search)
    search, selection = replace(settled(policy, search), fields=()), hiding(search, selection)
    if selection.filters:
        check_held(search, selection, (yield from live.held(policy, table, search.index)))
    if search.segments is not None:
        total, cursor, cut = yield from segments.count(policy, table, search, selection, budget)
        if cut:
            raise ran_out(cut, [], cursor, total)
        return total
    body = {**body_of(table, search, selection), "Select": "COUNT"}
    cursor, total, asked = search.start, 0, 0
    while True:
        if search.limit is not None:
            body["Limit"] = look(search, selection, asked, search.limit - total)
            asked += 1
        answer = yield from ask(policy, search, body, cursor, COUNTED, budget)
        if answer is None:
            raise ran_out(spent(budget), [], cursor, total)
        total += answer.count
        cursor = cursor_after(policy, table, search, answer.last_key)
        if search.limit is not None and total >= search.limit:
            return search.limit
        if cursor is None:
            return total


def exists(
    policy: RetryPolicy,
    table: Table[Any],
    live: LiveIndexes,
    search: Search[Any],
    selection: Selection,
    budget: Budget | None,
) -> Flow[bool]:
    """Whether there is a match; none is sent back."""
    return (yield from count(policy, table, live, replace(search, limit=1), selection, budget)) > 0


def _reader(table: Table[M], search: Search[M], held: Held, requery: bool) -> Callable[[bytes], Page[M]]:
    schema, attributes, sure = search.schema, held.attributes, None
    if requery and schema.versions is not None and attributes is not None:
        attributes = schema.projection.keys_of_index(
            search.index
        )  # the rest is read from the table, in its own version
    elif search.fields:
        attributes = schema.projection.attributes(chosen(search), search.index)
    elif not held.sure:
        sure = schema.projection.keys_of_index(search.index)
    if sure is None and held.attributes is not None:
        sure = schema.projection.sure_of(attributes)
    return schema.codec.reader(table.name, attributes, sure).page
