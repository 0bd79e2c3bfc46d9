"""One connection: bytes in, answers out, one at a time.

A connection owes at most one answer. While the engine works on it, or the client has not taken the last one, nothing
more is parsed, and after the next bytes nothing more is read: so a client that sends and does not read holds what fits
into the system's buffers and one piece of bytes here. A large answer is handed to the system piece by piece.

All of it runs in the event loop's thread.
"""

import asyncio
import logging
from typing import Protocol

import httptools

from dynamix.engine.http.answers import CONTINUE
from dynamix.engine.http.names import Names
from dynamix.engine.http.reader import Request, RequestReader
from dynamix.limits import BATCH_BYTES

_PIECE = 256 * 1024
_UNFINISHED_BYTES = 1024 * 1024 * 1024
"""Of all bodies together that have not arrived whole."""

_log = logging.getLogger("dynamix.engine.http.server")


class Host(Protocol):
    """What a connection needs of its server. `buffer` is where bytes arrive, for all connections one; `unfinished` is
    how many bytes all of them keep of bodies that have not arrived whole."""

    loop: asyncio.AbstractEventLoop
    names: Names
    buffer: memoryview
    grace: float
    unfinished: int

    def answer(self, connection: "Connection", request: Request) -> bytes | None:
        """The answer to a request; None where `Connection.answer` is called with it later."""

    def has_lost(self, connection: "Connection") -> None:
        """The connection has ended."""


class Connection(asyncio.BufferedProtocol):
    """Answers the requests of one client until one side ends it."""

    __slots__ = (
        "_broken",
        "_closing",
        "_draining",
        "_ending",
        "_held",
        "_host",
        "_is_all",
        "_keep_alive",
        "_owes",
        "_reader",
        "_rest",
        "_transport",
        "_undrained",
        "_unfinished",
        "began",
        "idle_since",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self._reader = RequestReader(self._leave_to_send, host.names)
        self._transport: asyncio.Transport = _NO_TRANSPORT
        self._owes = False
        self._keep_alive = True
        self._held = b""
        self._rest = memoryview(b"")
        self._undrained = False
        self._unfinished = 0
        self._broken = False
        self._closing = False  # when all that has come is answered
        self._is_all = False  # nothing more will come
        self._ending = False  # the last answer is given
        self._draining = 0  # bytes that may still come after the last answer
        self.began: float | None = None  # a request that is not whole, or an answer that is not taken
        self.idle_since = host.loop.time()

    @property
    def is_idle(self) -> bool:
        """Whether it only waits for a request."""
        if self._transport is _NO_TRANSPORT:
            return False
        return self.began is None and not (self._owes or self._draining or self._reader.arrived)

    @property
    def owes(self) -> bool:
        """Whether the engine works for it."""
        return self._owes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream
        self._transport = transport
        transport.set_write_buffer_limits(0)

    def connection_lost(self, error: Exception | None) -> None:
        self._rest = memoryview(b"")
        self._reader.arrived.clear()
        self._host.unfinished -= self._unfinished
        self._unfinished = 0
        self._host.has_lost(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._host.buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = self._host.buffer[:nbytes]
        if self._draining:
            self._draining -= nbytes
            if self._draining <= 0:
                self._transport.abort()
        elif self._owes or self._undrained or self._held:
            self._held += bytes(data)
            self._transport.pause_reading()
        else:
            self._feed(data)
            self._go_on()

    def eof_received(self) -> bool:
        if self._draining:
            return False
        self._closing = self._is_all = True
        self._go_on()
        return not self._transport.is_closing()

    def pause_writing(self) -> None:
        self._undrained = True

    def resume_writing(self) -> None:
        self._undrained = False
        if self._rest:
            self._send_rest()
        if not self._undrained:
            self._note_begun()
            self._go_on()

    def answer(self, answer: bytes) -> None:
        """Send the answer that is owed, and go on."""
        if not self._transport.is_closing():
            self._send(answer)
            self._go_on()

    def finish(self) -> None:
        """End when what has been asked is answered."""
        self._closing = True
        self._go_on()

    def abort(self) -> None:
        """End now."""
        self._transport.abort()

    def _feed(self, data: memoryview | bytes) -> None:
        whole = len(self._reader.arrived)
        try:
            self._reader.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._broken = True
        if self.began is None or len(self._reader.arrived) > whole:
            self._note_begun()
        self._count_unfinished()

    def _count_unfinished(self) -> None:
        """End what would make the bodies that have not arrived whole too much; their clients try again."""
        before, self._unfinished = self._unfinished, self._reader.unfinished
        self._host.unfinished += self._unfinished - before
        if self._unfinished > before and self._host.unfinished > _UNFINISHED_BYTES:
            _log.warning("a request was ended: half requests take more than %d bytes", _UNFINISHED_BYTES)
            self._transport.abort()

    def _note_begun(self) -> None:
        """From now on what is not whole is waited for, or what is not taken."""
        waits = self._undrained or self._reader.has_begun
        self.began = self._host.loop.time() if waits else None

    def _go_on(self) -> None:
        """Answer what has arrived, until an answer has to be waited for or cannot be sent yet."""
        reader = self._reader
        while not (self._owes or self._undrained or self._draining):
            if self._ending:
                self._drain()
                return
            if reader.arrived:
                request = reader.arrived.popleft()
                self._owes = True
                self._keep_alive = request.keep_alive
                answer = self._host.answer(self, request)
                if answer is not None:
                    self._send(answer)
            elif (last := reader.last_answer(broken=self._broken)) is not None:
                self._ending = True
                self._transport.write(last)
            elif self._held:
                held, self._held = self._held, b""
                self._feed(held)
                if not self._closing:
                    self._transport.resume_reading()
            elif self._closing:
                self._transport.close()
                return
            else:
                return

    def _send(self, answer: bytes) -> None:
        self._owes = False
        self.idle_since = self._host.loop.time()
        if len(answer) > _PIECE:
            self._rest = memoryview(answer)
            self._send_rest()
        else:
            self._transport.write(answer)
        self._note_begun()
        self._ending = not self._keep_alive

    def _send_rest(self) -> None:
        while self._rest and not self._undrained:
            piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
            self._transport.write(piece)

    def _drain(self) -> None:
        """Read what is still on its way, for some time: closing earlier could take the answer from the client."""
        if self._is_all:
            self._transport.close()
            return
        self._draining = 4 * BATCH_BYTES
        self._transport.write_eof()
        self._host.loop.call_later(self._host.grace, self._transport.abort)

    def _leave_to_send(self) -> None:
        """A client waits for leave to send its body. Between the answers to others it would be taken for one."""
        if not (self._owes or self._reader.arrived or self._undrained):
            self._transport.write(CONTINUE)


_NO_TRANSPORT = asyncio.Transport()
