"""The engine behind DynamoDB's HTTP protocol, for the AWS SDKs and tools of any language.

Each connection has a thread that reads, asks the engine, and answers; requests that arrive together are answered in
their order. `httptools` does the parsing. The address of a request and its signature are not looked at, except
that a request without credentials is refused, as the service does.

Closing the server ends the connections between two answers: what the engine has been asked is also answered.

Where the process can have no more connections or threads, those that there are go on, and others wait for their turn.
A request that has begun must arrive as a whole within a minute, and answers must be taken within one; connections that
wait for a request may wait for ever, but when there are too many, the one that waits longest is ended for a new one.

Web pages are not served: a request with the Origin of another machine is refused before it is read, and while the
server listens on this machine alone, so is one that names another Host. Else a page could reach it through a name of
its own that it lets resolve to this machine ("DNS rebinding").
"""

import base64
import contextlib
import logging
import os
import socket
import threading
import time
import zlib
from collections.abc import Collection
from email.utils import formatdate
from http import HTTPStatus
from ipaddress import ip_address
from typing import Protocol

import httptools

from dynamix.engine.faults import Fault
from dynamix.engine.http.names import Names
from dynamix.engine.http.reader import Request, RequestReader
from dynamix.engine.requests.targets import operation_of
from dynamix.limits import BATCH_BYTES

_CONTENT_TYPES = ("application/json", "application/x-amz-json-1.0")
_ANSWER_TYPE = "application/x-amz-json-1.0"
_BLANK_LINE = b"\r\n\r\n"
_CHUNK = 256 * 1024
_REQUEST_SECONDS = 60.0  # from a request's first byte to its last, and for an answer to be taken
_MOST_CONNECTIONS = 1024
_GRACE_SECONDS = 5  # for clients that do not read their answers
_PAUSE_SECONDS = 0.1  # until there may be room for another connection
_log = logging.getLogger(__name__)


class Handler(Protocol):
    """What answers requests: the engine."""

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]: ...


class Server:
    """Listens at an address until it is closed. A `port` of 0 is any free one; `address` says which.

    `allowed` are names by which others than this machine's own programs may come.
    """

    def __init__(
        self, engine: Handler, host: str = "127.0.0.1", port: int = 0, *, allowed: Collection[str] = ()
    ) -> None:
        self._engine = engine
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self.is_local = ip_address(self.address[0]).is_loopback
        self._names = Names(allowed, any_host=not self.is_local)
        self._connections: dict[threading.Thread, _Served] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, name="dynamix-server", daemon=True)
        self._acceptor.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes no more requests, gives the answers that are owed, and returns when all connections are closed."""
        with self._lock:
            self._closed.set()
            connections = dict(self._connections)
        for connection in (self._listener, *(served.socket for served in connections.values())):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        self._listener.close()
        self._acceptor.join()
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in connections:
            thread.join(max(deadline - time.monotonic(), 0))
        for thread, served in connections.items():
            with contextlib.suppress(OSError):
                served.socket.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self) -> None:
        waiting = False
        while True:
            self._make_room()
            try:
                connection, _ = self._listener.accept()
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if self._closed.is_set():
                    return
                if not waiting:
                    _log.warning("new connections have to wait: %s", error)
                waiting = True
                self._closed.wait(_PAUSE_SECONDS)
                continue
            waiting = False
            served = _Served(connection)
            thread = threading.Thread(target=self._serve, args=(served,), name="dynamix-connection", daemon=True)
            with self._lock:
                if self._closed.is_set():
                    connection.close()
                    return
                try:
                    thread.start()
                except RuntimeError as error:
                    _log.warning("a connection had to be refused: %s", error)
                    connection.close()
                else:
                    self._connections[thread] = served

    def _make_room(self) -> None:
        """Wait until there is room for one more connection; one that waits for a request may have to go."""
        while not self._closed.is_set():
            with self._lock:
                connections = list(self._connections.values())
            if len(connections) < _MOST_CONNECTIONS:
                return
            idle = [served for served in connections if served.idle_since is not None]
            if idle:
                longest = min(idle, key=lambda served: served.idle_since or 0.0)
                with contextlib.suppress(OSError):
                    longest.socket.shutdown(socket.SHUT_RD)
            self._closed.wait(_PAUSE_SECONDS)

    def _serve(self, served: "_Served") -> None:
        try:
            with served.socket, contextlib.suppress(OSError):  # it is gone, or too slow
                served.socket.settimeout(_REQUEST_SECONDS)
                served.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _converse(served, self._engine, self._names)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)


class _Served:
    """A connection; since when it has waited for a request, or until when the one that has begun must be there."""

    __slots__ = ("deadline", "idle_since", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.idle_since: float | None = time.monotonic()
        self.deadline = 0.0


def _converse(served: _Served, engine: Handler, names: Names) -> None:
    """Answers the requests of one connection until one side ends it."""
    connection = served.socket
    reader = RequestReader(connection, names)
    while data := _receive(served, reader):
        try:
            reader.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            broken = True
        else:
            broken = False
        for request in reader.arrived:
            keep_alive = request.keep_alive and not broken
            answer = _answer(request, engine, keep_alive=keep_alive)
            if request.method == "HEAD":
                answer = answer.partition(_BLANK_LINE)[0] + _BLANK_LINE
            connection.sendall(answer)
            if not request.keep_alive:
                return
        reader.arrived.clear()
        last = _last_answer(reader, broken=broken)
        if last is not None:
            connection.sendall(last)
            _drain(connection)
            return


def _receive(served: _Served, reader: RequestReader) -> bytes:
    """What comes next; nothing at the end. A request that has begun has so many seconds for all the rest of it."""
    if served.idle_since is None and not reader.has_begun:
        served.idle_since = time.monotonic()
    while True:
        try:
            data = served.socket.recv(_CHUNK)
        except TimeoutError:
            if served.idle_since is None:
                raise
            continue
        now = time.monotonic()
        if served.idle_since is not None:
            served.idle_since = None
            served.deadline = now + _REQUEST_SECONDS
        elif now > served.deadline:
            raise TimeoutError
        return data


def _last_answer(reader: RequestReader, *, broken: bool) -> bytes | None:
    """The answer after which nothing more is read, if it is time for one."""
    if reader.refused is not None:
        fault = Fault("AccessDeniedException", reader.refused, status=403)
        return _response(403, fault.body(), keep_alive=False)
    if reader.too_large:
        fault = Fault("RequestEntityTooLargeException", "Request exceeds the limit of 16 MB", status=413)
        return _response(413, fault.body(), keep_alive=False)
    return _response(400, b"", keep_alive=False) if broken else None


def _drain(connection: socket.socket) -> None:
    """Reads what is still on its way, for some time: closing earlier could take the answer from the client."""
    connection.shutdown(socket.SHUT_WR)
    until = time.monotonic() + _GRACE_SECONDS
    left = 4 * BATCH_BYTES
    while left > 0 and (seconds := until - time.monotonic()) > 0:
        connection.settimeout(seconds)
        data = connection.recv(_CHUNK)
        if not data:
            return
        left -= len(data)


def _answer(request: Request, engine: Handler, *, keep_alive: bool) -> bytes:
    if request.method == "GET":
        return _response(200, b"healthy: dynamodb.ddblocal.amazonaws.com ", "text/plain", keep_alive=keep_alive)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or content_type not in _CONTENT_TYPES:
        return _response(404, b"<UnknownOperationException/>\n", "application/xml", keep_alive=keep_alive)
    try:
        status, body = engine.handle(_target(request), bytes(request.body))
    except Fault as fault:
        status, body = fault.status, fault.body()
    except Exception:
        _log.exception("a request failed inside the engine")
        status, body = 500, Fault("InternalServerError", "the request failed inside the engine; see its log").body()
    return _response(status, body, keep_alive=keep_alive)


def _target(request: Request) -> str:
    """The operation that is asked for. Raises a Fault where there is none, or no sign of credentials."""
    operation = operation_of(request.headers.get("x-amz-target", ""))
    signed = request.headers.get("authorization", "").strip().startswith("AWS4-") or b"X-Amz-Algorithm=" in request.url
    if not signed:
        raise Fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    return operation


def _response(status: int, body: bytes, content_type: str = _ANSWER_TYPE, *, keep_alive: bool) -> bytes:
    request_id = base64.b32encode(os.urandom(32))[:52].decode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Server: Server\r\n"
        f"Date: {_date()}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
        f"x-amzn-RequestId: {request_id}\r\n"
        f"x-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def _date() -> str:
    """The time now as HTTP writes it; one text serves a whole second."""
    global _last_date
    now = int(time.time())
    if _last_date[0] != now:
        _last_date = now, formatdate(now, usegmt=True)
    return _last_date[1]


_last_date = 0, ""
