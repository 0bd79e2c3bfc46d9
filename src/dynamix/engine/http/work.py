"""Where requests are carried out, so that none waits long for another.

What takes a moment is done in the event loop's own thread, in passing: reads at once, and the writes that have come
meanwhile together, in one transaction. Pages that come beside many others stand in a line, of which each turn of the
loop takes a few. What turns out to take longer, or would have to wait for another writer, is left
to threads: one for writes, which again takes all that are ready into one transaction, and a few for the rest. A handler
that is no engine may block as it likes: then each connection has a thread of its own.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Protocol, TypeAlias, runtime_checkable

from dynamix.engine.faults import Fault
from dynamix.engine.http.threads import Threads
from dynamix.engine.tables.catalog import PASSING_ROWS, PIECE_ROWS

Outcome: TypeAlias = tuple[int, bytes]
"""Status and body of an answer."""

Asked: TypeAlias = tuple[str, bytes]
"""Operation and body of a request."""

_READS = frozenset(("GetItem", "BatchGetItem", "TransactGetItems", "DescribeTable", "GetRecords"))
_PAGES = frozenset(("Query", "Scan"))
_WRITES = frozenset(("PutItem", "UpdateItem", "DeleteItem"))
_WRITES_OF_MANY = frozenset(("BatchWriteItem", "TransactWriteItems"))
_SMALL_BYTES = 64 * 1024
_SMALL_MANY_BYTES = 4 * 1024
_TOGETHER = 64
_TOGETHER_BYTES = 128 * 1024
_THREADS = 8
_LONG_SECONDS = 0.001
_PASSING_SECONDS = 0.01
"""For how long, in one turn of the loop, pages are read that take long: others wait."""
_log = logging.getLogger("dynamix.engine.http.server")


class Handler(Protocol):
    """What answers requests: the engine."""

    def handle(self, target: str, body: bytes) -> Outcome: ...


@runtime_checkable
class Quick(Handler, Protocol):
    """A handler that can say that a request takes too long, and take several writes at once: the engine."""

    def in_passing(self, target: str, body: bytes, rows: int = PIECE_ROWS) -> Outcome | None: ...

    def together(self, requests: Sequence[Asked], *, in_passing: bool) -> list[Outcome] | None: ...


class Waiting:
    """A request that is to be answered.

    `form` makes the bytes of the answer, in any thread; `tell` takes them, in the loop's.
    """

    __slots__ = ("asked", "form", "tell")

    def __init__(self, asked: Asked, form: Callable[[Outcome], bytes], tell: Callable[[bytes], None]) -> None:
        self.asked = asked
        self.form = form
        self.tell = tell


class Work:
    """Carries out requests. All methods are called in the loop's thread, and so is what tells an outcome."""

    def __init__(self, engine: Handler, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._quick = engine if isinstance(engine, Quick) else None
        self._loop = loop
        self._threads = ThreadPoolExecutor(_THREADS, "dynamix-work")
        self._own_threads = Threads()
        self._writer = ThreadPoolExecutor(1, "dynamix-writer")
        self._come: deque[Waiting] = deque()  # writes that the next turn of the loop carries out
        self._left: deque[Waiting] = deque()  # writes that are left to the thread
        self._thread_writes = False
        self._spent = 0.0  # in this turn of the loop, on long pages
        self._pages: deque[Waiting] = deque()  # that later turns of the loop carry out
        self._is_put_off = False  # whether the page that was asked for last is to be one of these
        self._awaits_turn = False

    def now(self, asked: Asked, *, alone: bool) -> Outcome | None:
        """The outcome of a request that takes a moment only.

        Writes wait for others that may come with them, but for the one of a client that is `alone`.
        """
        target, body = asked
        self._is_put_off = False
        if self._quick is None or len(body) > _SMALL_BYTES:
            return None
        if target in _PAGES:
            return self._page(self._quick, asked)
        if target in _READS or (alone and target in _WRITES and not self._thread_writes):
            return self._quick.in_passing(target, body)
        return None

    def _page(self, engine: Quick, asked: Asked) -> Outcome | None:
        """The outcome of a read of many rows. Where such reads have kept others waiting already, it is put off, but for
        a query that reads few."""
        is_late = self._spent >= _PASSING_SECONDS
        self._is_put_off = is_late
        if is_late and asked[0] == "Scan":
            return None
        begun = perf_counter()
        outcome = engine.in_passing(*asked, PIECE_ROWS if is_late else PASSING_ROWS)
        self._spend(perf_counter() - begun)
        return outcome

    def _spend(self, seconds: float) -> None:
        """Count what a page took in this turn of the loop."""
        if seconds > _LONG_SECONDS:
            self._spent += seconds
            self._await_turn()

    def _await_turn(self) -> None:
        if not self._awaits_turn:
            self._awaits_turn = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """A turn of the loop begins: carry out some of the pages that were put off."""
        self._awaits_turn, self._spent = False, 0.0
        begun = perf_counter()
        while self._pages:
            self._read(self._pages.popleft())
            if perf_counter() - begun >= _PASSING_SECONDS:
                break
        self._spend(perf_counter() - begun)
        if self._pages:
            self._await_turn()

    def _read(self, waiting: Waiting) -> None:
        try:
            assert self._quick is not None  # noqa: S101 - others have no pages put off
            outcome = self._quick.in_passing(*waiting.asked, PASSING_ROWS)
        except Exception:
            _log.exception("a request failed inside the engine")
            outcome = failed()
        if outcome is None:
            self._threads.submit(self._carry_out, waiting)
        elif len(outcome[1]) > _SMALL_BYTES:
            self.aside(partial(waiting.form, outcome), waiting.tell)  # which may take long to be encoded
        else:
            waiting.tell(waiting.form(outcome))

    def begin(self, waiting: Waiting, connection: object) -> None:
        """Carry out a request of a connection that could not be carried out now; it is told its answer."""
        target, body = waiting.asked
        many = target in _WRITES_OF_MANY
        if self._quick is None:
            self._own_threads.run(connection, lambda: self._carry_out(waiting))
        elif self._is_put_off:
            self._is_put_off = False
            self._pages.append(waiting)
            self._await_turn()
        elif not (many or target in _WRITES):
            self._threads.submit(self._carry_out, waiting)
        elif len(body) > (_SMALL_MANY_BYTES if many else _SMALL_BYTES):
            self._leave((waiting,))
        else:
            if not self._come:
                self._loop.call_soon(self._write)
            self._come.append(waiting)

    def aside(self, make: Callable[[], bytes], tell: Callable[[bytes], None]) -> None:
        """Have a thread make an answer that takes long to make."""
        self._threads.submit(lambda: self._loop.call_soon_threadsafe(tell, make()))

    def _carry_out(self, waiting: Waiting) -> None:
        self._loop.call_soon_threadsafe(waiting.tell, waiting.form(self.outcome(waiting.asked)))

    def outcome(self, asked: Asked) -> Outcome:
        """The outcome of a request, however long it takes, in any thread."""
        try:
            return self._engine.handle(*asked)
        except Exception:
            _log.exception("a request failed inside the engine")
            return failed()

    def has_lost(self, connection: object) -> None:
        """A connection has ended."""
        self._own_threads.end(connection)

    def close(self) -> None:
        """To be called when nothing waits any more."""
        self._own_threads.close()
        self._threads.shutdown()
        self._writer.shutdown()

    def _write(self) -> None:
        """Carry out the writes that have come, or leave them to the thread."""
        now = _portion(self._come)
        if self._come:
            self._loop.call_soon(self._write)
        outcomes = None
        if self._quick is not None and not self._thread_writes:
            outcomes = self._quick.together([waiting.asked for waiting in now], in_passing=True)
        if outcomes is None:
            self._leave(now)
            return
        for waiting, outcome in zip(now, outcomes, strict=True):
            waiting.tell(waiting.form(outcome))

    def _leave(self, waiting: Sequence[Waiting]) -> None:
        self._left.extend(waiting)
        if not self._thread_writes:
            self._thread_writes = True
            self._writer.submit(self._write_aside)

    def _write_aside(self) -> None:
        """In the writer's thread: carry out what is left to it until there is nothing more."""
        while self._left:
            now = _portion(self._left)
            outcomes = self._together([waiting.asked for waiting in now])
            answers = [waiting.form(outcome) for waiting, outcome in zip(now, outcomes, strict=True)]
            self._loop.call_soon_threadsafe(_tell, now, answers)
        self._loop.call_soon_threadsafe(self._has_written)

    def _has_written(self) -> None:
        self._thread_writes = False
        if self._left:  # since the thread looked
            self._leave(())

    def _together(self, requests: Sequence[Asked]) -> list[Outcome]:
        if self._quick is not None and len(requests) > 1:
            outcomes = self._quick.together(requests, in_passing=False)
            if outcomes is not None:
                return outcomes
        return [self.outcome(asked) for asked in requests]


def failed() -> Outcome:
    """What a client is told of a request on which the engine itself failed."""
    fault = Fault("InternalServerError", "the request failed inside the engine; see its log", status=500)
    return fault.status, fault.body()


def _portion(waiting: deque[Waiting]) -> list[Waiting]:
    """Takes those that go together next."""
    taken: list[Waiting] = []
    size = 0
    while waiting and len(taken) < _TOGETHER and size < _TOGETHER_BYTES:
        each = waiting.popleft()
        taken.append(each)
        size += len(each.asked[1])
    return taken


def _tell(waiting: Sequence[Waiting], answers: Sequence[bytes]) -> None:
    for each, answer in zip(waiting, answers, strict=True):
        each.tell(answer)
