"""The pages of a query or scan, one after another, and one read under way."""

import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dynamix import context
from dynamix.connection import Connection
from dynamix.cursor import Cursor
from dynamix.operations.asking import begun
from dynamix.operations.budget import Budget, ran_out
from dynamix.operations.explained import explaining
from dynamix.operations.search import MOST_AHEAD, Found, page
from dynamix.selection import Search, select
from dynamix.wire import Flow

if TYPE_CHECKING:
    from dynamix.explanation import Explanation
    from dynamix.lanes import Lanes

M = TypeVar("M")


class Read(Generic[M]):
    """One read under way, of one request or many, over one connection and within its bounds."""

    __slots__ = ("_connection", "_selection", "_table", "budget", "search")

    def __init__(self, search: Search[M], connection: Connection) -> None:
        search, self._selection = select(search)
        self.budget = None if search.bounds is None else _budget(search, connection.retry.clock)
        self._connection = connection
        self._table = search.schema.at(connection.table_prefix)
        if search.begin is not None:
            search = begun(connection.retry, self._table, search, self._selection)
        self.search = search

    def run(self, flow: Callable[..., Flow[Any]], search: Search[M], *arguments: Any) -> Any:
        """Runs a flow of the search, blocking."""
        if self.budget is None:
            return self._connection.run(self._flow(flow, search, *arguments))
        with self._in_time(self.budget):
            return self._connection.run(self._flow(flow, search, *arguments))

    async def arun(self, flow: Callable[..., Flow[Any]], search: Search[M], *arguments: Any) -> Any:
        """The same under asyncio."""
        if self.budget is None:
            return await self._connection.arun(self._flow(flow, search, *arguments))
        with self._in_time(self.budget):
            return await self._connection.arun(self._flow(flow, search, *arguments))

    def explain(self, description: Mapping[str, Any] | None) -> "Explanation":
        """What it would do."""
        from dynamix.explanation import explain  # which few programs need

        return explain(self._connection.retry, self._table, self.search, self._selection, description)

    def lanes(self, size: int | None) -> "Lanes[M]":
        """The segments of a scan in segments, to be read page by page, with so many matches in each page."""
        from dynamix.lanes import Lanes

        return Lanes(self._connection, self._table, self.search, size)

    def _flow(self, flow: Callable[..., Flow[Any]], search: Search[M], *arguments: Any) -> Flow[Any]:
        retry, live = self._connection.retry, self._connection.indexes
        return explaining(flow, retry, self._table, live, search, self._selection, self.budget, *arguments)

    @staticmethod
    def _in_time(budget: Budget) -> contextlib.AbstractContextManager[None]:
        """Has the driver heed the deadline of the read."""
        return context.changed(deadline=min(budget.deadline, context.in_force().deadline))


def _budget(search: Search[Any], clock: Callable[[], float]) -> Budget:
    """What a read that begins now may take. A block's deadline that comes before its own is none of its bounds."""
    assert search.bounds is not None  # noqa: S101 - the caller has looked
    deadline = math.inf if search.bounds.seconds is None else time.monotonic() + search.bounds.seconds
    if deadline >= context.in_force().deadline:
        deadline = math.inf
    return Budget(search.bounds, clock, deadline, search.segments or 1)


class Page(Struct, Generic[M], frozen=True):
    """One page of matches, in order.

    `next` is the cursor of the next page, None at the end; a last page may be empty. `previous` is that of the page
    before, None at the beginning, and of scans, which have no order. In a scan of segments side by side, `next` goes on
    with all that was not given so far.
    """

    items: list[M]
    next: Cursor | None
    previous: Cursor | None


class Pages(Generic[M]):
    """The pages of a query or scan, for `for` and `async for`."""

    def __init__(
        self, search: Search[M], connection: Callable[[], Connection], size: int | None, requery: bool
    ) -> None:
        self._search = search
        self._connection = connection
        self._size = size
        self._requery = requery

    def __iter__(self) -> Iterator[Page[M]]:
        read = Read(self._search, self._connection())
        if read.search.segments is not None:
            from dynamix.lanes import taken  # which few programs need

            for part in taken(read.lanes(self._size), lambda search: read.run(page, search, self._requery)):
                yield Page(part.items, part.next, None)
            return
        ahead = _Ahead(read, self._size)
        while (search := ahead.search) is not None:
            found = ahead.took(read.run(page, search, self._requery))
            if found is not None:
                yield found
        ahead.end()

    async def __aiter__(self) -> AsyncIterator[Page[M]]:
        """Page after page; the next one is fetched while this one is used."""
        import asyncio  # here, so that programs without it start faster

        read = Read(self._search, self._connection())
        if read.search.segments is not None:
            from dynamix.lanes import ataken

            parts = ataken(read.lanes(self._size), lambda search: read.arun(page, search, self._requery))
            async with contextlib.aclosing(parts):
                async for part in parts:
                    yield Page(part.items, part.next, None)
            return
        ahead = _Ahead(read, self._size)
        fetching = asyncio.ensure_future(read.arun(page, ahead.search or read.search, self._requery))
        try:
            while True:
                found = ahead.took(await fetching)
                search = ahead.search
                if search is not None:
                    fetching = asyncio.ensure_future(read.arun(page, search, self._requery))
                if found is not None:
                    yield found
                if search is None:
                    break
        finally:
            if not fetching.done():
                fetching.cancel()
                await asyncio.wait([fetching])
            if not fetching.cancelled():
                fetching.exception()  # of a page that nobody asks for any more
        ahead.end()


class _Ahead(Generic[M]):
    """What is still to be read of an iteration: `search` is that of its next page, None at the end."""

    def __init__(self, read: Read[M], size: int | None) -> None:
        self._read = read
        self._left = read.search.limit
        self._size = size
        self._cut_at: Found[M] | None = None
        self.search: Search[M] | None = self._from(read.search.start)

    def took(self, found: Found[M]) -> Page[M] | None:
        """The page that was found, None where nothing was looked at."""
        if self._left is not None:
            self._left -= len(found.items)
        if found.cut:
            self._cut_at, self.search = found, None
            return Page(found.items, found.next, found.previous) if found.items else None
        is_end = found.next is None or self._left == 0
        self.search = None if is_end else self._from(found.next)
        return Page(found.items, found.next, found.previous)

    def end(self) -> None:
        """Raises ReadLimitError where the iteration ended at a bound."""
        if self._cut_at is not None:
            raise ran_out(self._cut_at.cut, [], self._cut_at.next)

    def _from(self, start: Cursor | None) -> Search[M]:
        size = self._size
        if self._left is not None:
            size = min(self._left, size or MOST_AHEAD)
        search = self._read.search
        return search if start is search.start and size == search.limit else replace(search, start=start, limit=size)
