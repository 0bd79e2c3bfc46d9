"""The pages of a scan in segments, as they come in.

Of each segment one page is read ahead, in a thread or a task of its own, and held until the caller takes it; then the
next one is asked for. So no more is in memory than a page of each segment that is under way, a caller who is slow is
waited for, and nothing runs on for a caller who has stopped: the threads last for a page.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from dynamix import context
from dynamix.connection import Connection
from dynamix.cursor import Cursor
from dynamix.drivers import End
from dynamix.operations.asking import key_at
from dynamix.operations.budget import ran_out
from dynamix.operations.search import MOST_AHEAD, Found
from dynamix.operations.segments import MOST_AT_ONCE, in_segment, joined, places
from dynamix.schema.table import Table
from dynamix.selection import Search
from dynamix.wire import Item

M = TypeVar("M")


class Taken(NamedTuple, Generic[M]):
    """A page that came in, and the cursor of all that was not given so far."""

    items: list[M]
    next: Cursor | None


class Lanes(Generic[M]):
    """What is still to be read of each segment."""

    def __init__(self, connection: Connection, table: Table[M], search: Search[M], size: int | None) -> None:
        self.connection = connection
        self._table = table
        self._search = search
        self._size = size
        self._left = search.limit
        self._at: list[Item | None] = places(search)
        self._turns = deque(number for number, place in enumerate(self._at) if place is not None)
        self._cut: str | None = None

    def next(self) -> tuple[int, Search[M]] | None:
        """A segment that is to be asked for its next page, and by which search; None where none is for now."""
        if not self._turns or self._cut is not None or self._left == 0:
            return None
        number = self._turns.popleft()
        size = self._size
        if self._left is not None:
            size = min(self._left, size or MOST_AHEAD)
        return number, in_segment(
            self.connection.retry, self._table, self._search, number, self._at[number] or {}, size
        )

    def took(self, number: int, found: Found[M]) -> Taken[M] | None:
        """The page that came in of a segment, None where nothing was looked at, or nothing is wanted any more."""
        if self._left == 0:
            return None
        items = found.items
        if self._left is not None and len(items) > self._left:
            items = items[: self._left]
            self._at[number] = key_at(self._search, items[-1])
        elif found.next is not None:
            self._at[number] = found.next.key
        elif not found.cut:
            self._at[number] = None
        if self._left is not None:
            self._left -= len(items)
        if found.cut:
            self._cut = found.cut
            return self._taken(items) if items else None
        if self._at[number] is not None:
            self._turns.appendleft(number)
        return self._taken(items)

    def _taken(self, items: list[M]) -> Taken[M]:
        return Taken(items, joined(self.connection.retry, self._table, self._search, self._at))

    def end(self) -> None:
        """Raises ReadLimitError where a bound ended it before everything was looked at."""
        rest = None if self._cut is None else joined(self.connection.retry, self._table, self._search, self._at)
        if rest is not None:
            raise ran_out(self._cut, [], rest)


def taken(lanes: Lanes[M], run: Callable[[Search[M]], Found[M]]) -> Iterator[Taken[M]]:
    """The pages that come in, read in threads where requests overlap.

    The threads have ended when this has, but for one that is closed early: they end with the requests under way. It may
    be the garbage collector that closes it, in the middle of whatever a thread does and under any lock that it holds,
    so nothing is waited for then.
    """
    outcomes: SimpleQueue[tuple[int, Found[M] | None, BaseException | None]] = SimpleQueue()
    threads: dict[int, threading.Thread] = {}
    end = End()

    def work(number: int, search: Search[M]) -> None:
        try:
            with context.changed(end=end):
                found = run(search)
        except BaseException as error:
            outcomes.put((number, None, error))
        else:
            outcomes.put((number, found, None))

    def begin() -> None:
        most = MOST_AT_ONCE if lanes.connection._overlaps else 1
        while len(threads) < most and (turn := lanes.next()) is not None:
            thread = threading.Thread(target=copy_context().run, args=(work, *turn), name="dynamix")
            threads[turn[0]] = thread
            if not lanes.connection._overlaps or not _started(thread):
                work(*turn)

    try:
        begin()
        while threads:
            number, found, error = outcomes.get()
            _join(threads.pop(number))
            if found is None:
                raise error or AssertionError
            page = lanes.took(number, found)
            begin()
            if page is not None:
                yield page
    except BaseException as error:
        end.come()
        if not isinstance(error, GeneratorExit):
            for thread in threads.values():
                _join(thread)
        raise
    lanes.end()


def _started(thread: threading.Thread) -> bool:
    """Whether a thread could be started, which it cannot at the end of the interpreter."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _join(thread: threading.Thread) -> None:
    """Waits for a thread, if it was started."""
    if thread.ident is not None:
        thread.join()


async def ataken(lanes: Lanes[M], run: Callable[[Search[M]], Awaitable[Found[M]]]) -> AsyncGenerator[Taken[M], None]:
    """The same under asyncio, in tasks."""
    import asyncio  # here, so that programs without it start faster

    tasks: dict[asyncio.Future[Found[M]], int] = {}

    def begin() -> None:
        while len(tasks) < MOST_AT_ONCE and (turn := lanes.next()) is not None:
            tasks[asyncio.ensure_future(run(turn[1]))] = turn[0]

    try:
        begin()
        while tasks:
            done: set[asyncio.Future[Any]] = (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0]
            for task in done:
                page = lanes.took(tasks.pop(task), task.result())
                begin()
                if page is not None:
                    yield page
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # of a page that nobody asks for any more
    lanes.end()
