"""The blocking side of HTTP: connections over sockets, and the pool that threads share.

A pool hands out the connection that came back last, so that few stay warm under light load. One that has been idle
for long, or on which something arrived unasked (mostly its end), is replaced before use. When `limit` connections are
out, further callers wait for one to come back. After a fork the child starts with an empty pool: it closes its copies
of the sockets without a word to the server, and the parent goes on as if nothing had happened.
"""

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, MutableSequence

from dynamix.errors import ConnectionException, ConnectionLostError, RequestTimeoutError
from dynamix.transport.http1 import AnswerReader
from dynamix.transport.sockets import WANTS_READ, WANTS_WRITE, Watch
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
        self._forget_all()
        _pools.add(self)
        weakref.finalize(self, _close_all, self._idle)

    def _forget_all(self) -> None:
        self._lock = threading.Lock()
        self._returned = threading.Condition(self._lock)
        self._waiting = 0
        self._out = 0  # connections that are in use or being made
        _close_all(self._idle)

    def exchange(self, request: bytes) -> Response:
        """Sends a request and returns its answer. Raises ConnectionException."""
        connection = self._take()
        try:
            answer = connection.exchange(request, self._timeout)
        except BaseException:
            connection.close()
            self._give_back(None)
            raise
        self._give_back(connection)
        return answer

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        with self._lock:
            self._closed = True
            _close_all(self._idle)

    def _take(self) -> Connection:
        """A connection that is ready for a request."""
        with self._lock:
            if self._out >= self._limit:
                self._wait_for_one()
            if self._closed:
                raise ConnectionException("this connection was closed")
            self._out += 1
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            if idle.is_usable():
                return idle
            idle.close()
        try:
            return Connection(self._connect())
        except BaseException:
            self._give_back(None)
            raise

    def _wait_for_one(self) -> None:
        self._waiting += 1
        try:
            if not self._returned.wait_for(lambda: self._out < self._limit or self._closed, self._timeout):
                raise RequestTimeoutError(
                    f"all {self._limit} connections were busy for {self._timeout:g} s; raise max_connections"
                )
        finally:
            self._waiting -= 1

    def _give_back(self, connection: Connection | None) -> None:
        """Takes back what `_take` handed out; None for a connection that is no more."""
        stale = None
        with self._lock:
            self._out -= 1
            if connection is not None:
                if self._closed or not connection.is_reusable:
                    stale = connection
                else:
                    connection.idle_since = now = time.monotonic()
                    self._idle.append(connection)
                    if now - self._idle[0].idle_since > IDLE_SECONDS:
                        stale = self._idle.pop(0)
            if self._waiting:
                self._returned.notify()
        if stale is not None:
            stale.close()


def _close_all(connections: MutableSequence[Connection]) -> None:
    while connections:
        connections.pop().close()


_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool._forget_all()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
