"""The blocking side of HTTP: connections over sockets, and the pool that threads share.

A pool hands out the connection that came back last, so that few stay warm under light load. One that has been idle
for long, or on which something arrived unasked (mostly its end), is replaced before use. When `limit` connections are
out, further callers wait for one to come back, and are served in the order in which they came. After a fork the child
starts with an empty pool: it closes its copies of the sockets without a word to the server, and the parent goes on as
if nothing had happened.
"""

import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from dynamix import forks
from dynamix.errors import ConnectionException, ConnectionLostError, RequestTimeoutError
from dynamix.transport.http.http1 import AnswerReader
from dynamix.transport.http.sockets import WANTS_READ, WANTS_WRITE, Watch
from dynamix.wire import Response

IDLE_SECONDS = 45.0
"""How long a connection may be idle; DynamoDB closes idle ones after about a minute."""

_PIECE_BYTES = 64 * 1024


class Connection:
    """One connection: a request goes out, its answer comes in."""

    __slots__ = ("_reader", "_socket", "_watch", "idle_since")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._watch = Watch(connected.fileno())
        self._reader = AnswerReader()
        self.idle_since = 0.0

    @property
    def is_reusable(self) -> bool:
        """Whether the last answer was whole and the server keeps the connection open."""
        return self._reader.reusable

    def is_usable(self) -> bool:
        """Whether an idle connection may be taken up again."""
        return time.monotonic() - self.idle_since < IDLE_SECONDS and not self._watch.is_readable()

    def exchange(self, request: bytes, timeout: float) -> Response:
        """Sends a request and returns its answer, within `timeout` seconds in all. Raises ConnectionException."""
        deadline = time.monotonic() + timeout
        try:
            self._send(request, deadline)
        except TimeoutError as error:
            raise RequestTimeoutError(f"the endpoint did not take the request within {timeout:g} s") from error
        except OSError as error:
            raise ConnectionLostError(f"the connection ended before the request was sent: {error}") from error
        try:
            return self._receive(deadline)
        except TimeoutError as error:
            raise RequestTimeoutError(f"no whole answer within {timeout:g} s", sent=True) from error
        except OSError as error:
            raise self._reader.lost() from error

    def _send(self, request: bytes, deadline: float) -> None:
        try:
            sent = self._socket.send(request)
        except WANTS_WRITE:
            sent = 0
        if sent == len(request):
            return
        rest = memoryview(request)[sent:]
        while rest:
            self._watch.until_writable(deadline)
            try:
                rest = rest[self._socket.send(rest) :]
            except WANTS_WRITE:
                continue

    def _receive(self, deadline: float) -> Response:
        self._watch.until_readable(deadline)
        while True:
            try:
                data = self._socket.recv(_PIECE_BYTES)
            except WANTS_READ:
                self._watch.until_readable(deadline)
                continue
            if not data:
                raise self._reader.lost()
            answer = self._reader.feed(data)
            if answer is not None:
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError

    def close(self) -> None:
        """Closes this process's end."""
        self._socket.close()


class Pool:
    """Connections to one endpoint for all threads of a process; at most `limit`.

    `connect` makes a connected socket that does not block. `timeout` in seconds bounds an exchange, and the wait for a
    connection when all are out.
    """

    def __init__(self, connect: Callable[[], socket.socket], *, timeout: float, limit: int) -> None:
        self._connect = connect
        self._timeout = timeout
        self._limit = limit
        self._closed = False
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._after_fork()
        forks.register(self)
        weakref.finalize(self, _close_all, self._open)

    def _after_fork(self) -> None:
        """Begins with nothing, as the child of a fork must."""
        self._lock = threading.Lock()
        self._waiters: deque[SimpleQueue[Connection | None]] = deque()
        self._out = 0  # connections that are in use or being made
        self._idle.clear()
        _close_all(self._open)

    def exchange(self, request: bytes) -> Response:
        """Sends a request and returns its answer. Raises ConnectionException."""
        connection = self._take()
        try:
            answer = connection.exchange(request, self._timeout)
        except BaseException:
            self._end(connection)
            self._give_back(None)
            raise
        self._give_back(connection)
        return answer

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._end(self._idle.pop())

    def _take(self) -> Connection:
        """A connection that is ready for a request."""
        waiter: SimpleQueue[Connection | None] | None = None
        with self._lock:
            if self._closed:
                raise ConnectionException("this connection was closed")
            if self._out < self._limit:
                self._out += 1
                idle = self._idle.pop() if self._idle else None
            else:
                waiter = SimpleQueue()
                self._waiters.append(waiter)
        if waiter is not None:
            idle = self._wait(waiter)
        if idle is not None:
            if idle.is_usable():
                return idle
            self._end(idle)
        try:
            connection = Connection(self._connect())
        except BaseException:
            self._give_back(None)
            raise
        self._open.add(connection)
        return connection

    def _wait(self, waiter: "SimpleQueue[Connection | None]") -> Connection | None:
        """A connection that came back, or None for the place of one that is no more."""
        try:
            return waiter.get(timeout=self._timeout)
        except BaseException as error:
            with self._lock:
                gone = waiter not in self._waiters
                if not gone:
                    self._waiters.remove(waiter)
            if gone:
                self._give_back(waiter.get())
            if isinstance(error, Empty):
                raise RequestTimeoutError(
                    f"all {self._limit} connections were busy for {self._timeout:g} s; raise max_connections"
                ) from None
            raise

    def _give_back(self, connection: Connection | None) -> None:
        """Gives what `_take` handed out, None for a connection that is no more, to who waits longest, else the pool."""
        stale = None
        with self._lock:
            if connection is not None:
                if self._closed or not connection.is_reusable:
                    connection, stale = None, connection
                else:
                    connection.idle_since = time.monotonic()
            if self._waiters:
                self._waiters.popleft().put(connection)
            else:
                self._out -= 1
                if connection is not None:
                    self._idle.append(connection)
                    if connection.idle_since - self._idle[0].idle_since > IDLE_SECONDS:
                        stale = self._idle.pop(0)
        if stale is not None:
            self._end(stale)

    def _end(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.close()


def _close_all(connections: set[Connection]) -> None:
    while connections:
        connections.pop().close()
