"""Flows of scans in segments: each round asks every segment that is not read to its end for one page, side by side.

A cursor of such a scan has the place of each segment, so a page of it goes on in all of them.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from dynamix.codec.reader import Page
from dynamix.cursor import Cursor, sealed
from dynamix.errors import DynamixError, PartlyAppliedError, ReadLimitError
from dynamix.operations.asking import COUNTED, ask, body_of, cursor_at, key_at, look
from dynamix.operations.budget import Budget, spent
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.selection import Search, Selection
from dynamix.unreadable import readable
from dynamix.wire import Flow, Item, Together

M = TypeVar("M")
T = TypeVar("T")

MOST_AT_ONCE = 32
"""How many segments are asked at once at most; the others wait until one is read to its end."""


def places(search: Search[Any]) -> list[Item | None]:
    """Where each segment goes on: after a key, {} at its beginning, None at its end."""
    assert search.segments is not None  # noqa: S101 - the caller has looked
    if search.start is not None and search.start.places is not None:
        return list(search.start.places)
    return [{}] * search.segments


def in_segment(
    policy: RetryPolicy, table: Table[Any], search: Search[M], number: int, place: Item, limit: int | None = None
) -> Search[M]:
    """The search of one segment, from this place on."""
    assert search.segments is not None  # noqa: S101 - the caller has looked
    part = replace(search, segment=(number, search.segments), segments=None, start=None, limit=limit)
    return replace(part, start=cursor_at(policy, table, part, place)) if place else part


def joined(policy: RetryPolicy, table: Table[Any], search: Search[Any], at: Sequence[Item | None]) -> Cursor | None:
    """The cursor of a scan whose segments go on there; None where all are at their end."""
    if all(place is None for place in at):
        return None
    cursor = Cursor(table.name, search.index.name, {}, "scan", places=tuple(at))
    return cursor if policy.seal is None else replace(cursor, text=sealed(cursor, policy.seal))


def shares(at: Sequence[Item | None], left: int | None, *, exact: bool) -> list[tuple[int, Item, int | None]]:
    """The segments that the next round asks, with their places, and how many matches each is to find of those left.

    Where every item matches (`exact`), these are as many as are left in all.
    """
    live = [(number, place) for number, place in enumerate(at) if place is not None]
    if left is None or not exact:
        return [(number, place, left) for number, place in live[:MOST_AT_ONCE]]
    live = live[: min(left, MOST_AT_ONCE)]
    least, more = divmod(left, len(live))
    return [(number, place, least + (turn < more)) for turn, (number, place) in enumerate(live)]


def page(
    policy: RetryPolicy,
    table: Table[M],
    search: Search[M],
    selection: Selection,
    budget: Budget | None,
    read: Callable[[bytes], Page[M]],
) -> Flow[tuple[list[M], Cursor | None, str | None]]:
    """The matches of one round, or of as many as `limit` matches take, where to go on, and the bound that ended it."""
    at, found, asked = places(search), list[M](), 0
    while True:
        left = None if search.limit is None else search.limit - len(found)
        for number, answer in (yield from _round(policy, table, search, selection, budget, read, at, left, asked)):
            most = None if search.limit is None else search.limit - len(found)
            kept, rest = readable(table, answer.items, answer.unread, search.on_error, most, search.convert)
            found += kept
            if not rest:
                at[number] = answer.last_key
            elif kept:
                at[number] = key_at(search, kept[-1])
        asked += 1
        cursor, cut = joined(policy, table, search, at), spent(budget)
        if cursor is None or cut or search.limit is None or len(found) == search.limit:
            return found, cursor, None if cursor is None else cut


def count(
    policy: RetryPolicy,
    table: Table[Any],
    search: Search[Any],
    selection: Selection,
    budget: Budget | None,
) -> Flow[tuple[int, Cursor | None, str | None]]:
    """The number of matches, at most the limit; where it ended, and the bound that ended it."""
    at, total, asked = places(search), 0, 0
    while True:
        left = None if search.limit is None else search.limit - total
        for number, answer in (yield from _round(policy, table, search, selection, budget, COUNTED, at, left, asked)):
            total += answer.count
            at[number] = answer.last_key
        asked += 1
        cursor, cut = joined(policy, table, search, at), spent(budget)
        if search.limit is not None and total >= search.limit:
            return search.limit, cursor, None
        if cursor is None or cut:
            return total, cursor, None if cursor is None else cut


def _round(
    policy: RetryPolicy,
    table: Table[Any],
    search: Search[Any],
    selection: Selection,
    budget: Budget | None,
    read: Callable[[bytes], T],
    at: Sequence[Item | None],
    left: int | None,
    asked: int,
) -> Flow[list[tuple[int, T]]]:
    """The answers of one round after so many others, with the numbers of their segments; without those that a bound
    does not allow."""
    exact = not selection.filters and search.on_error == "raise"
    turns = shares(at, left, exact=exact)
    flows = []
    for number, place, share in turns:
        part = in_segment(policy, table, search, number, place, search.limit)
        body = body_of(table, part, selection)
        if share is not None:
            body["Limit"] = look(part, selection, asked, share)
        if read is COUNTED:
            body["Select"] = "COUNT"
        flows.append(ask(policy, part, body, part.start, read, budget))
    answers: list[T | None] = yield Together(flows, MOST_AT_ONCE)
    return [(number, answer) for (number, _, _), answer in zip(turns, answers, strict=True) if answer is not None]


def sweep(
    policy: RetryPolicy,
    table: Table[Any],
    search: Search[Any],
    write: Callable[[Search[Any], int], Flow[int]],
) -> Flow[int]:
    """Write all matches, one segment after another: what overlaps are the writes. `write` does it for a segment, after
    so many writes of others."""
    at, total = places(search), 0
    for number, place in enumerate(at):
        if place is None:
            continue
        left = None if search.limit is None else search.limit - total
        if left == 0:
            break
        try:
            total += yield from write(in_segment(policy, table, search, number, place, left), total)
        except DynamixError as error:
            if not isinstance(error, PartlyAppliedError | ReadLimitError):
                if total:
                    raise stopped(total, joined(policy, table, search, at), error) from error
                raise
            if error.cursor is not None:
                at[number] = error.cursor.key
            error.cursor = joined(policy, table, search, at)
            error.count += total
            if total:
                error.applied = "partly"
            raise
        at[number] = None
    return total


def stopped(count: int, cursor: Cursor | None, cause: DynamixError) -> PartlyAppliedError:
    """The error for a read that fails between writes, of which so many were made."""
    error = PartlyAppliedError(
        f"{count} matching items were written; start_key(error.cursor) goes on with the others: {cause}"
    )
    error.count, error.cursor, error.applied = count, cursor, "partly"
    return error
