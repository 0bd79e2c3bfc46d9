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
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import cast

from dynamix.errors import ConnectionException, RequestTimeoutError
from dynamix.transport.http.blocking import IDLE_SECONDS
from dynamix.transport.http.endpoint import Endpoint
from dynamix.transport.http.http1 import AnswerReader
from dynamix.transport.http.proxy import Proxy, Tunnel
from dynamix.transport.http.sockets import Watch, refused
from dynamix.wire import Response


class Connection(asyncio.Protocol):
    """One connection: a request goes out, its answer comes in."""

    __slots__ = (
        "_answer",
        "_deadline",
        "_loop",
        "_reader",
        "_timeout",
        "_timer",
        "_transport",
        "_watch",
        "idle_since",
        "is_open",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self._loop = loop
        self._timeout = timeout
        self._reader = AnswerReader()
        self._answer: asyncio.Future[Response] | None = None
        self._deadline = 0.0
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

    def exchange(self, request: bytes) -> "asyncio.Future[Response]":
        """Sends a request; the future gets its answer, or a ConnectionException."""
        answer = self._answer = self._loop.create_future()
        self._deadline = self._loop.time() + self._timeout
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)
        if self._transport is None or not self.is_open:
            self._fail(self._reader.lost())
        else:
            self._transport.write(request)
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
                self._answer = None
                answer.set_result(response)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio when the connection has ended."""
        self._fail(self._reader.lost())

    def _look_at_deadline(self) -> None:
        self._timer = None
        if self._answer is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)
            return
        sent = self._transport is None or self._transport.get_write_buffer_size() == 0
        self._fail(RequestTimeoutError(f"no whole answer within {self._timeout:g} s", sent=sent))

    def _fail(self, error: ConnectionException) -> None:
        answer, self._answer = self._answer, None
        self.abort()
        if answer is not None and not answer.done():
            answer.set_exception(error)


class Pool:
    """Connections to one endpoint for all tasks of one event loop; at most `limit`.

    `connect` makes a connection. `timeout` in seconds bounds the wait for a connection when all are out.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, timeout: float, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect = connect
        self._timeout = timeout
        self._limit = limit
        self._closed = False
        self._idle: deque[Connection] = deque()
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._out = 0  # connections that are in use or being made
        self._open: set[Connection] = set()
        self._guard: AsyncGenerator[None] | None = None

    async def exchange(self, request: bytes) -> Response:
        """Sends a request and returns its answer. Raises ConnectionException."""
        connection = self._take_idle() or await self._obtain()
        try:
            answer = await connection.exchange(request)
        except BaseException:
            self._drop(connection)
            raise
        self._give_back(connection)
        return answer

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        self._closed = True
        while self._idle:
            self._end(self._idle.pop())
        self._end_guard()

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                self._out += 1
                return connection
            self._end(connection)
        return None

    async def _obtain(self) -> Connection:
        """A new connection, or one that comes back."""
        if self._closed:
            raise ConnectionException("this connection was closed")
        if self._out < self._limit:
            self._out += 1
        else:
            returned = await self._wait()
            if returned is not None:
                if returned.is_usable():
                    return returned
                self._end(returned)  # it ended on its way here; its place is ours
        try:
            if self._guard is None:
                self._guard = _end_with_loop(self._open)
                await anext(self._guard)
            connection = await self._connect()
        except BaseException:
            self._pass_on(None)
            raise
        self._open.add(connection)
        return connection

    async def _wait(self) -> Connection | None:
        """A connection that came back, or None for the place of one that is no more."""
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._timeout):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                self._pass_on(waiter.result())
            if isinstance(error, TimeoutError):
                raise RequestTimeoutError(
                    f"all {self._limit} connections were busy for {self._timeout:g} s; raise max_connections"
                ) from error
            raise

    def _give_back(self, connection: Connection) -> None:
        if self._closed or not connection.is_reusable:
            self._drop(connection)
            return
        connection.idle_since = self._loop.time()
        self._pass_on(connection)

    def _drop(self, connection: Connection) -> None:
        self._end(connection)
        self._pass_on(None)

    def _pass_on(self, connection: Connection | None) -> None:
        """Gives a connection, or the place of one that is no more, to who waits longest, else back to the pool."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._out -= 1
        if connection is not None:
            self._idle.append(connection)
            if connection.idle_since - self._idle[0].idle_since > IDLE_SECONDS:
                self._end(self._idle.popleft())

    def _end(self, connection: Connection) -> None:
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


async def _end_with_loop(connections: set[Connection]) -> AsyncGenerator[None]:
    """Ends the connections when the event loop finishes its asynchronous generators."""
    try:
        yield
    finally:
        if connections:
            for connection in list(connections):
                connection.abort()
            await asyncio.sleep(0)


async def connect(
    endpoint: Endpoint, proxy: Proxy | None, context: ssl.SSLContext | None, connect_timeout: float, timeout: float
) -> Connection:
    """A new connection, with TLS where a context is given. Raises ConnectError."""
    loop = asyncio.get_running_loop()
    connection = Connection(loop, timeout)
    try:
        async with asyncio.timeout(connect_timeout):
            if proxy is None:
                name = None if context is None else endpoint.host
                await loop.create_connection(
                    lambda: connection, endpoint.host, endpoint.port, ssl=context, server_hostname=name
                )
            elif context is None:
                await loop.create_connection(lambda: connection, proxy.host, proxy.port)
            else:
                await _connect_through(proxy, endpoint, context, connection)
    except OSError as error:
        connection.abort()
        raise refused(endpoint, proxy, error, connect_timeout) from error
    except BaseException:
        connection.abort()
        raise
    return connection


async def _connect_through(proxy: Proxy, endpoint: Endpoint, context: ssl.SSLContext, connection: Connection) -> None:
    """Opens a tunnel at the proxy, and TLS to the endpoint inside it."""
    loop = asyncio.get_running_loop()
    transport, opener = await loop.create_connection(
        lambda: _Opener(loop, Tunnel(proxy, endpoint)), proxy.host, proxy.port
    )
    try:
        await opener.stands
        secured = await loop.start_tls(transport, connection, context, server_hostname=endpoint.host)
    except BaseException:
        transport.abort()
        raise
    if secured is None:
        raise ConnectionResetError("the proxy closed the connection")
    connection.connection_made(secured)


class _Opener(asyncio.Protocol):
    """Asks a proxy for a tunnel."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self.stands: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._tunnel.request)

    def data_received(self, data: bytes) -> None:
        self._feed(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._feed(b"")

    def _feed(self, data: bytes) -> None:
        if self.stands.done():
            return
        try:
            if self._tunnel.feed(data):
                self.stands.set_result(None)
        except ConnectionException as error:
            self.stands.set_exception(error)
            self.stands.exception()  # nobody may wait for it any more, which is no cause for complaint
