"""Flows that delete or change everything that a search finds.

Only keys are read; each item is then written by a request of its own, on condition that it still matches. So what
others change meanwhile is left alone, and not counted.

A change of what the index sorts by could bring an item back under the eyes of the search, and it would be changed
twice. Then all keys are read before the first write.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from dynamix.codec.names import Key
from dynamix.cursor import Cursor
from dynamix.errors import (
    ConditionalCheckFailedError,
    DynamixError,
    InvalidQueryError,
    InvalidUpdateError,
    NotUniqueError,
    PartlyAppliedError,
)
from dynamix.expressions.nodes import Condition, all_of
from dynamix.expressions.walk import paths
from dynamix.operations import items, segments, update, verbs
from dynamix.operations.asking import (
    ask,
    body_of,
    cursor_after,
    hiding,
    look,
    only_forward,
    settled,
)
from dynamix.operations.budget import Budget, ran_out, spent
from dynamix.operations.indexes import LiveIndexes, check_held
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Schema, Table
from dynamix.selection import Search, Selection
from dynamix.updates.changes import Changes
from dynamix.wire import Apply, Flow, Item, Together

Fate: TypeAlias = Literal["done", "left"] | DynamixError | None
"""What became of one item: written, left alone since it no longer matches, failed, or not tried."""


class Sweep(NamedTuple):
    """What is done with each match: it is changed, or deleted where there are no changes. `progress` is called with the
    number of items written so far."""

    changes: Changes | None
    progress: Callable[[int], object] | None


class _Rows(NamedTuple):
    """Keys of one page, of table and index, and where the next one begins."""

    rows: list[Item]
    next: Cursor | None
    cut: str | None = None


def sweep(
    policy: RetryPolicy,
    table: Table[Any],
    live: LiveIndexes,
    search: Search[Any],
    selection: Selection,
    budget: Budget | None,
    what: Sweep,
) -> Flow[int]:
    """Delete or change all matches, at most the limit, and return how many were.

    Raises PartlyAppliedError for what stops it, and ReadLimitError at a bound of the search.
    """
    only_forward(search)
    search, selection = settled(policy, search), hiding(search, selection)
    check_held(search, selection, (yield from live.held(policy, table, search.index)))
    search = msgspec.structs.replace(search, fields=search.schema.table.keys)
    if _may_return(search, what.changes) and (search.segments is not None or search.segment is not None):
        raise InvalidQueryError(
            f"a change of what {search.index.name!r} sorts by can move an item to another segment, where it would be "
            "changed once more; leave out the segments"
        )
    if search.segments is not None:
        return (
            yield from segments.sweep(policy, table, search, partial(_part, policy, table, selection, budget, what))
        )
    return (yield from _sweep(policy, table, search, selection, budget, what))


def _part(
    policy: RetryPolicy,
    table: Table[Any],
    selection: Selection,
    budget: Budget | None,
    what: Sweep,
    search: Search[Any],
    before: int,
) -> Flow[int]:
    """The same for one segment, after so many writes in others."""
    progress = what.progress
    if progress is not None:
        what = what._replace(progress=lambda count: progress(before + count))
    return _sweep(policy, table, search, selection, budget, what)


def _sweep(
    policy: RetryPolicy,
    table: Table[Any],
    search: Search[Any],
    selection: Selection,
    budget: Budget | None,
    what: Sweep,
) -> Flow[int]:
    """The same for what is no scan in segments."""
    done = _Done(policy, table, search, _required(search, selection), what)
    body, cursor, seen, asked = body_of(table, search, selection), search.start, 0, 0
    ahead: list[Item] | None = [] if _may_return(search, what.changes) else None
    while True:
        left = None if search.limit is None else search.limit - seen
        if left is not None:
            body["Limit"] = look(search, selection, asked, left)
            asked += 1
        try:
            page = yield from _keys(policy, table, search, body, cursor, budget, left)
        except DynamixError as cause:
            if done.count:
                raise segments.stopped(done.count, cursor, cause) from cause
            raise
        seen += len(page.rows)
        is_end = page.cut or page.next is None or seen == search.limit
        if ahead is not None:
            ahead += page.rows
        if ahead is None or is_end:
            yield from done.write(page.rows if ahead is None else ahead, cursor if ahead is None else search.start)
        if page.cut:
            error = ran_out(page.cut, [], page.next, done.count)
            error.applied = "partly" if done.count else "no"
            raise error
        if is_end:
            return done.count
        cursor = page.next


def refuse_several(schema: Schema[Any], *, changes: bool) -> None:
    """Raise InvalidUpdateError for items of several models whose own ways of being written would be passed over."""
    if schema.kinds is None or schema.kinds.own is not None:
        return
    guarded = [member.model_name for member in schema.kinds.schemas() if member.guards is not None]
    if changes or guarded:
        why = f"items of {guarded[0]} have unique values" if guarded else "their models say what a change of them means"
        raise InvalidUpdateError(
            f"a query of {schema.model_name} finds items of several models, and {why}; write those of each model by a "
            "query of its own"
        )


def _required(search: Search[Any], selection: Selection) -> tuple[Condition, ...]:
    """The conditions of a search that another write may have made untrue: all but those on the table's own key."""
    own = {field.name for field in search.schema.table.keys}
    found = (*selection.key, *selection.filters)
    return tuple(c for c in found if not all(path.parts[0] in own for path in paths(c)))


def _may_return(search: Search[Any], changes: Changes | None) -> bool:
    """Whether a change can move an item to where the search comes later."""
    keys = search.index.keys if not search.keyed else search.index.range_keys
    return changes is not None and any(str(field) in changes.fields for field in keys)


def _keys(
    policy: RetryPolicy,
    table: Table[Any],
    search: Search[Any],
    body: dict[str, Any],
    start: Cursor | None,
    budget: Budget | None,
    left: int | None,
) -> Flow[_Rows]:
    """One page of keys, at most so many."""
    answer = yield from ask(policy, search, body, start, _KEYS, budget)
    if answer is None:
        return _Rows([], start, spent(budget))
    if left is not None and len(answer.items) > left:
        return _Rows(answer.items[:left], cursor_after(policy, table, search, answer.items[left - 1]))
    return _Rows(answer.items, cursor_after(policy, table, search, answer.last_key))


class _Keys(Struct):
    """What is read of an answer."""

    items: list[Item] = msgspec.field(name="Items")
    last_key: Item | None = msgspec.field(name="LastEvaluatedKey", default=None)


_KEYS = msgspec.json.Decoder(_Keys).decode


class _Done:
    """The writes of a sweep, and how many were made."""

    def __init__(
        self,
        policy: RetryPolicy,
        table: Table[Any],
        search: Search[Any],
        required: tuple[Condition, ...],
        what: Sweep,
    ) -> None:
        self.count = 0
        self._policy = policy
        self._table = table
        self._search = search
        self._required = required
        self._what = what
        self._has_failed = False

    def write(self, rows: Sequence[Item], start: Cursor | None) -> Flow[None]:
        """Write these items, some at a time. Raises PartlyAppliedError, whose cursor is `start` where the first of them
        was not done with."""
        keys = [{field.name: row[field.name] for field in self._table.schema.table.keys} for row in rows]
        fates: list[Fate] = (yield Together([self._try(key) for key in keys], lets_finish=True)) if keys else []
        self.count += fates.count("done")
        if self._has_failed:
            raise self._failure(rows, keys, fates, start)
        if self._what.progress is not None and keys:
            yield Apply(self._what.progress, self.count)

    def _try(self, key: Item) -> Flow[Fate]:
        """What becomes of one item."""
        if self._has_failed:
            return None
        try:
            yield from self._write(key)
        except DynamixError as error:
            if isinstance(error, ConditionalCheckFailedError) and not (
                error.changed or isinstance(error, NotUniqueError)
            ):
                return "left"
            self._has_failed = True
            return error
        return "done"

    def _write(self, key: Item) -> Flow[Any]:
        if self._what.changes is None:
            condition = all_of(self._required) if self._required else None
            return verbs.delete_by_key(self._policy, self._table, items.ByKey(key, condition, False))
        terms = update.Terms(self._required)
        return verbs.change(self._policy, self._table, update.ByKey(key, self._what.changes, terms))

    def _failure(
        self, rows: Sequence[Item], keys: Sequence[Item], fates: Sequence[Fate], start: Cursor | None
    ) -> PartlyAppliedError:
        """The error that says which items were done with, and what stopped the others."""
        before = next(n for n, fate in enumerate(fates) if fate is None or isinstance(fate, DynamixError))
        cause = next(fate for fate in fates if isinstance(fate, DynamixError))
        verb = "deleted" if self._what.changes is None else "updated"
        error = PartlyAppliedError(
            f"{self.count} matching items were {verb}; start_key(error.cursor) goes on with the others: {cause}"
        )
        error.count = self.count
        error.cursor = start
        if before:
            names = [field.name for field in (*self._table.schema.table.keys, *self._search.index.keys)]
            error.cursor = cursor_after(
                self._policy, self._table, self._search, {name: rows[before - 1][name] for name in names}
            )
        error.stored = self._told(keys, fates, before, lambda fate: fate == "done")
        error.unknown = self._told(
            keys, fates, before, lambda fate: isinstance(fate, DynamixError) and fate.applied != "no"
        )
        error.not_stored = self._told(
            keys, fates, before, lambda fate: isinstance(fate, DynamixError) and fate.applied == "no"
        )
        error.applied = "partly" if self.count else "maybe" if error.unknown else "no"
        error.__cause__ = cause
        return error

    def _told(
        self, keys: Sequence[Item], fates: Sequence[Fate], before: int, test: Callable[[Fate], bool]
    ) -> tuple[Key[Any], ...]:
        """The keys, as `get` takes them, of those items from `before` on that fared in one way."""
        schema = self._table.schema
        return tuple(
            Key(schema.model, schema.key.from_stored({field.attribute: key[field.name] for field in schema.table.keys}))
            for key, fate in zip(keys[before:], fates[before:], strict=True)
            if test(fate)
        )
