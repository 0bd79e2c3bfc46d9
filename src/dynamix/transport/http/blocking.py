"""The blocking side of HTTP: connections over sockets, and the pool that threads share.

A pool hands out the connection that came back last, so that few stay warm under light load. One that has been idle
for long, or on which something arrived unasked (mostly its end), is replaced before use. When `limit` connections are
out, further callers wait for one to come back, and are served in the order in which they came. After a fork the child
starts with an empty pool: it closes its copies of the sockets without a word to the server, and the parent goes on as
if nothing had happened.

An exception can fall between any two steps: that of a signal's handler, such as KeyboardInterrupt. So places are not
counted up and down but belong to the call that uses them, named by its frame; a place whose call is over is free,
whatever became of giving it back. Who waits looks for such places every second, since nobody tells of them.
"""

import contextlib
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType

from dynamix import forks
from dynamix.errors import ConnectionException, ConnectionLostError
from dynamix.interrupts import is_foreign
from dynamix.transport.deadlines import TimeUpError, seconds_until, timed_out
from dynamix.transport.http.http1 import AnswerReader
from dynamix.transport.http.sigv4 import Request
from dynamix.transport.http.sockets import Watch
from dynamix.wire import Response

IDLE_SECONDS = 45.0
"""How long a connection may be idle; DynamoDB closes idle ones after about a minute."""

LOOK_AGAIN_SECONDS = 1.0
"""How often who waits for a connection looks for a place that was lost."""

_PIECE_BYTES = 64 * 1024


class BlockingConnection:
    """One connection: a request goes out, its answer comes in."""

    __slots__ = ("_reader", "_socket", "_watch", "idle_since")

    def __init__(self, connected: socket.socket, watch: Watch) -> None:
        self._socket = connected
        self._watch = watch
        self._reader = AnswerReader()
        self.idle_since = 0.0

    @property
    def is_reusable(self) -> bool:
        """Whether the last answer was whole and the server keeps the connection open."""
        return self._reader.reusable

    def is_usable(self) -> bool:
        """Whether an idle connection may be taken up again."""
        return time.monotonic() - self.idle_since < IDLE_SECONDS and not self._watch.is_readable()

    def exchange(self, request: Request, timeout: float, deadline: float) -> Response:
        """Sends a request and returns its answer, within `timeout` seconds in all, and before the operation's deadline.

        Raises ConnectionException.
        """
        until = time.monotonic() + timeout
        if deadline < until:
            until = deadline
        try:
            self._send(request, until)
        except TimeUpError as error:
            message = f"the endpoint did not take the request within {timeout:g} s"
            raise timed_out(message, sent=False, until=until, deadline=deadline) from error
        except OSError as error:
            if is_foreign(error):
                raise
            raise ConnectionLostError(f"the connection ended before the request was sent: {error}") from error
        try:
            return self._receive(until)
        except TimeUpError as error:
            raise timed_out(
                f"no whole answer within {timeout:g} s", sent=True, until=until, deadline=deadline
            ) from error
        except OSError as error:
            if is_foreign(error):
                raise
            raise self._reader.lost() from error

    def _send(self, request: Request, until: float) -> None:
        try:
            sent = self._socket.send(request.data)
        except self._watch.wants_write:
            sent = 0
        if sent == len(request.data):
            return
        rest = memoryview(request.data)[sent:]
        while rest:
            self._watch.until_writable(until)
            try:
                rest = rest[self._socket.send(rest) :]
            except self._watch.wants_write:
                continue

    def _receive(self, until: float) -> Response:
        self._watch.until_readable(until)
        while True:
            try:
                data = self._socket.recv(_PIECE_BYTES)
            except self._watch.wants_read:
                self._watch.until_readable(until)
                continue
            if not data:
                raise self._reader.lost()
            answer = self._reader.feed(data)
            if answer is not None:
                return answer
            if time.monotonic() > until:
                raise TimeUpError

    def close(self) -> None:
        """Closes this process's end."""
        self._socket.close()


class BlockingPool:
    """Connections to one endpoint for all threads of a process; at most `limit`.

    `connect` makes a connected socket that does not block, and its watch. `timeout` in seconds bounds an exchange, and
    the wait for a connection when all are out.
    """

    def __init__(self, connect: Callable[[float], tuple[socket.socket, Watch]], *, timeout: float, limit: int) -> None:
        self._connect = connect
        self._timeout = timeout
        self._limit = limit
        self._closed = False
        self._idle: list[BlockingConnection] = []
        self._open: set[BlockingConnection] = set()
        self._after_fork()
        forks.register(self)
        weakref.finalize(self, _close_all, self._open)

    def _after_fork(self) -> None:
        """Begins with nothing, as the child of a fork must."""
        self._lock = threading.RLock()  # a signal's handler may come here while its thread is here
        self._out: dict[FrameType, BlockingConnection | None] = {}  # with None where the connection is being made
        self._waiters: dict[FrameType, SimpleQueue[None]] = {}
        self._idle.clear()
        _close_all(self._open)

    def exchange(self, request: Request, deadline: float) -> Response:
        """Sends a request and returns its answer. Raises ConnectionException."""
        try:  # no variable may hold this frame: it would hold itself
            connection = self._obtain(sys._getframe(), deadline)
            answer = connection.exchange(request, self._timeout, deadline)
            self._give_back(sys._getframe(), answered=True)
            return answer
        except BaseException:
            self._give_back(sys._getframe(), answered=False)
            raise

    def close(self) -> None:
        """Closes idle connections now, and those in use when they come back."""
        with self._lock:
            self._closed = True
            self._end_idle()

    def _end_idle(self) -> None:
        """A loop in a function of its own: from Python 3.12 on, an exception that comes between two rounds of a loop is
        not seen by the `with` around it."""
        while self._idle:
            self._end(self._idle.pop())

    def _obtain(self, place: FrameType, deadline: float) -> BlockingConnection:
        """A connection that is ready for a request, in a place of the pool."""
        if self._closed:
            raise ConnectionException("this connection was closed")
        with self._lock:
            is_free = not self._waiters and len(self._out) < self._limit
            if is_free:
                self._out[place] = self._idle.pop() if self._idle else None
        if not is_free:
            self._wait(place, deadline)
        connection = self._out[place]
        if connection is not None:
            if connection.is_usable():
                return connection
            with self._lock:
                self._out[place] = None
                self._end(connection)
        with self._lock:
            self._heal()
            self._wake()
        connection = BlockingConnection(*self._connect(deadline))
        with self._lock:
            self._out[place] = connection
            self._open.add(connection)
        return connection

    def _take(self, place: FrameType) -> bool:
        """Takes a place for who waits, with an idle connection if there is one; whether one is free for it."""
        if len(self._out) >= self._limit or next(iter(self._waiters), None) is not place:
            return False
        self._waiters.pop(place)
        self._out[place] = self._idle.pop() if self._idle else None
        return True

    def _wait(self, place: FrameType, deadline: float) -> None:
        """Waits for a place."""
        until = min(time.monotonic() + self._timeout, deadline)
        called: SimpleQueue[None] = SimpleQueue()
        with self._lock:
            self._waiters[place] = called
        while True:
            with self._lock:
                if next(iter(self._waiters), None) is place:
                    self._heal()
                if self._take(place):
                    self._wake()  # there may be another free one
                    return
                self._drop_waiters_that_are_over()
            left = seconds_until(until)
            if not left:
                message = f"all {self._limit} connections were busy for {self._timeout:g} s; raise max_connections"
                raise timed_out(message, sent=False, until=until, deadline=deadline)
            with contextlib.suppress(Empty):
                called.get(timeout=min(left, LOOK_AGAIN_SECONDS))

    def _give_back(self, place: FrameType, *, answered: bool) -> None:
        """Gives a place back, its connection if it may be used again, and wakes who waits longest."""
        stale = None
        with self._lock:
            connection = self._out.pop(place, None)
            if connection is not None:
                if answered and connection.is_reusable and not self._closed:
                    connection.idle_since = time.monotonic()
                    self._idle.append(connection)
                    if connection.idle_since - self._idle[0].idle_since > IDLE_SECONDS:
                        stale = self._idle.pop(0)
                else:
                    stale = connection
            if self._waiters:
                self._waiters.pop(place, None)
                self._wake()
        if stale is not None:
            self._end(stale)

    def _wake(self) -> None:
        """Has who waits longest look for a place."""
        self._drop_waiters_that_are_over()
        for called in self._waiters.values():
            called.put(None)
            return

    def _drop_waiters_that_are_over(self) -> None:
        """Makes first who waits longest of those that still wait."""
        while self._waiters and _is_over(place := next(iter(self._waiters))):
            self._waiters.pop(place)

    def _heal(self) -> None:
        """Takes back what was lost when an exception fell between two steps, as that of a signal can."""
        for place in [place for place in self._out if _is_over(place)]:
            self._out.pop(place)
        for connection in self._open.difference(self._idle, self._out.values()):
            self._end(connection)

    def _end(self, connection: BlockingConnection) -> None:
        self._open.discard(connection)
        connection.close()


def _is_over(place: FrameType) -> bool:
    """Whether the call in this frame has ended, whatever the pool was told of its end. A frame at work refuses to be
    cleared, also one of a thread or greenlet that waits."""
    try:
        place.clear()
    except RuntimeError:
        return False
    return True


def _close_all(connections: set[BlockingConnection]) -> None:
    while connections:
        connections.pop().close()
