"""The asyncio side of HTTP: connections as protocols, and the pool of one event loop.

It keeps the rules of the blocking side (blocking.py) with the means of asyncio. An exchange that is given up, by a
timeout or because its task was cancelled, ends its connection: half an answer must not meet the next request.
Deadlines cost one timer per connection, not one per request: the timer looks, when it fires, whether the present
request has a later deadline.

When `asyncio.run` ends, the loop finishes its asynchronous generators; one that each pool holds suspended closes the
connections then, so a program need not close anything for a clean end.
"""

import asyncio
import contextlib
import math
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, cast

from dynamix.errors import ConnectionException, RequestTimeoutError
from dynamix.transport.deadlines import late, seconds_until, timed_out
from dynamix.transport.http.blocking import IDLE_SECONDS, LOOK_AGAIN_SECONDS
from dynamix.transport.http.http1 import AnswerReader
from dynamix.transport.http.sigv4 import Request
from dynamix.transport.http.sockets import Watch
from dynamix.wire import Response


class AsyncConnection(asyncio.Protocol):
    """One connection: a request goes out, its answer comes in."""

    __slots__ = (
        "_answer",
        "_is_bound",
        "_loop",
        "_reader",
        "_timeout",
        "_timer",
        "_transport",
        "_until",
        "_watch",
        "idle_since",
        "is_open",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self._loop = loop
        self._timeout = timeout
        self._reader = AnswerReader()
        self._answer: asyncio.Future[Response] | None = None
        self._until = 0.0  # when the exchange must be over, by the loop's clock
        self._is_bound = False  # by the operation's deadline
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self.is_open = False

    @property
    def is_reusable(self) -> bool:
        """Whether the last answer was whole and the server keeps the connection open."""
        return self.is_open and self._reader.reusable

    def is_usable(self) -> bool:
        """Whether an idle connection may be taken up again."""
        return self.is_open and self._loop.time() - self.idle_since < IDLE_SECONDS and not self._watch.is_readable()

    def exchange(self, request: Request, deadline: float) -> "asyncio.Future[Response]":
        """Sends a request; the future gets its answer, or a ConnectionException."""
        answer = self._answer = self._loop.create_future()
        self._until = self._loop.time() + self._timeout
        self._is_bound = deadline != math.inf and (left := seconds_until(deadline)) < self._timeout
        if self._is_bound:
            self._until = self._loop.time() + left
            if self._timer is not None:
                self._timer.cancel()  # it may be too late
                self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._until, self._look_at_deadline)
        if self._transport is None or not self.is_open:
            self._fail(self._reader.lost())
        else:
            self._transport.write(request.data)
        return answer

    def abort(self) -> None:
        """Closes the connection at once."""
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        self._watch = Watch(transport.get_extra_info("socket").fileno())
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with what arrived."""
        answer = self._answer
        if answer is None or answer.done():
            self.abort()  # nobody asked for it
            return
        try:
            response = self._reader.feed(data)
        except ConnectionException as error:
            self._fail(error)
        else:
            if response is not None:
                answer.set_result(response)  # first, lest an interrupt between leave a task without its answer
                self._answer = None

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio when the connection has ended."""
        self._fail(self._reader.lost())

    def _look_at_deadline(self) -> None:
        self._timer = None
        if self._answer is None:
            return
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look_at_deadline)
            return
        sent = self._transport is None or self._transport.get_write_buffer_size() == 0
        message = f"no whole answer within {self._timeout:g} s"
        self._fail(late(sent=sent) if self._is_bound else RequestTimeoutError(message, sent=sent))

    def _fail(self, error: ConnectionException) -> None:
        answer, self._answer = self._answer, None
        self.abort()
        if answer is not None and not answer.done():
            answer.set_exception(error)


class AsyncPool:
    """Connections to one endpoint for all tasks of one event loop; at most `limit`.

    `connect` makes a connection. `timeout` in seconds bounds the wait for a connection when all are out.
    """

    def __init__(self, connect: Callable[[float], Awaitable[AsyncConnection]], *, timeout: float, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect = connect
        self._timeout = timeout
        self._limit = limit
        self._closed = False
        self._idle: deque[AsyncConnection] = deque()
        self._open: set[AsyncConnection] = set()
        self._out: dict[_Place, AsyncConnection | None] = {}  # with None where the connection is being made
        self._waiters: dict[_Place, asyncio.Future[None]] = {}
        self._next_look: asyncio.TimerHandle | None = None
        self._guard: AsyncGenerator[None] | None = None

    def exchange(self, request: Request, deadline: float) -> Coroutine[Any, Any, Response]:
        """Sends a request and returns its answer. Raises ConnectionException."""
        place = _Place()
        coroutine = self._exchange(request, deadline, place)
        place.exchange = weakref.ref(coroutine)
        return coroutine

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        self._closed = True
        while self._idle:
            self._end(self._idle.pop())
        self._end_guard()

    async def _exchange(self, request: Request, deadline: float, place: "_Place") -> Response:
        try:
            if self._closed:
                raise ConnectionException("this connection was closed")
            if not self._take(place):
                await self._wait(place, deadline)
            connection = self._out[place] or await self._new(place, deadline)
            answer = await connection.exchange(request, deadline)
            self._give_back(place, answered=True)
            return answer
        except BaseException:
            self._give_back(place, answered=False)
            raise

    def _take(self, place: "_Place") -> bool:
        """Takes a place, with an idle connection if there is one; whether one was free, and nobody waits longer."""
        if len(self._out) >= self._limit or (self._waiters and next(iter(self._waiters)) is not place):
            return False
        self._waiters.pop(place, None)
        self._out[place] = None
        while self._idle:
            self._out[place] = connection = self._idle.pop()
            if connection.is_usable():
                break
            self._out[place] = None
            self._end(connection)
        return True

    async def _wait(self, place: "_Place", deadline: float) -> None:
        """Waits for a place."""
        until = min(time.monotonic() + self._timeout, deadline)
        waiter = self._waiters[place] = self._loop.create_future()
        if self._next_look is None or self._next_look.when() < self._loop.time():
            self._look_again()
        while not self._take(place):
            left = seconds_until(until)
            if not left:
                message = f"all {self._limit} connections were busy for {self._timeout:g} s; raise max_connections"
                raise timed_out(message, sent=False, until=until, deadline=deadline)
            if waiter.done():
                waiter = self._waiters[place] = self._loop.create_future()
            await asyncio.wait((waiter,), timeout=left)
        self._wake()  # there may be another free one

    def _look_again(self) -> None:
        """Looks for lost places now, and as long as somebody waits."""
        self._next_look = None
        if self._waiters:
            self._next_look = self._loop.call_later(LOOK_AGAIN_SECONDS, self._look_again)
            self._heal()

    async def _new(self, place: "_Place", deadline: float) -> AsyncConnection:
        """A new connection in a place."""
        self._heal()
        if self._guard is None:
            self._guard = _end_with_loop(self._open)
            await anext(self._guard)
        connection = await self._connect(deadline)
        self._out[place] = connection
        self._open.add(connection)
        return connection

    def _give_back(self, place: "_Place", *, answered: bool) -> None:
        """Gives a place back, its connection if it may be used again, and wakes who waits longest."""
        self._waiters.pop(place, None)
        connection = self._out.pop(place, None)
        if connection is not None:
            if answered and connection.is_reusable and not self._closed:
                connection.idle_since = self._loop.time()
                self._idle.append(connection)
                if connection.idle_since - self._idle[0].idle_since > IDLE_SECONDS:
                    self._end(self._idle.popleft())
            else:
                self._end(connection)
        if self._waiters:
            self._wake()

    def _wake(self) -> None:
        """Has who waits longest look for a place."""
        while self._waiters:
            place = next(iter(self._waiters))
            if place.is_free():
                self._waiters.pop(place, None)
            else:
                waiter = self._waiters[place]
                if not waiter.done():
                    waiter.set_result(None)
                return

    def _heal(self) -> None:
        """Takes back what was lost when an exception fell between two steps, as that of a signal can."""
        for place in [place for place in self._out if place.is_free()]:
            self._out.pop(place)
        for connection in self._open - set(self._idle) - set(self._out.values()):
            self._end(connection)
        self._wake()

    def _end(self, connection: AsyncConnection) -> None:
        self._open.discard(connection)
        connection.abort()
        if self._closed:
            self._end_guard()

    def _end_guard(self) -> None:
        """Ends what would end the connections with the loop, when there are none any more."""
        if self._guard is None or self._open:
            return
        with contextlib.suppress(StopIteration, RuntimeError):  # it has nothing to wait for, or the loop is ending it
            self._guard.aclose().send(None)
        self._guard = None


class _Place:
    """A place of the pool, for one exchange."""

    __slots__ = ("exchange",)

    exchange: "weakref.ref[Coroutine[Any, Any, Response]]"

    def is_free(self) -> bool:
        """Whether the exchange is over, whatever the pool was told of its end."""
        exchange = self.exchange()
        return exchange is None or exchange.cr_frame is None  # type: ignore[attr-defined]


async def _end_with_loop(connections: set[AsyncConnection]) -> AsyncGenerator[None]:
    """Ends the connections when the event loop finishes its asynchronous generators."""
    try:
        yield
    finally:
        if connections:
            for connection in list(connections):
                connection.abort()
            await asyncio.sleep(0)
