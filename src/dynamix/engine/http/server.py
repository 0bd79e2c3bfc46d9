"""The engine behind DynamoDB's HTTP protocol, for the AWS SDKs and tools of any language.

Each connection has a thread that reads, asks the engine, and answers; requests that arrive together are answered in
their order. `httptools` does the parsing. The address of a request and its signature are not looked at, except
that a request without credentials is refused, as the service does.

Closing the server ends the connections between two answers: what the engine has been asked is also answered.

Where the process can have no more connections or threads, those that there are go on, and others wait for their turn.
"""

import base64
import contextlib
import logging
import os
import socket
import threading
import time
import zlib
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

import httptools

from dynamix.engine.faults import Fault, unknown_operation
from dynamix.limits import BATCH_BYTES

_TARGET_PREFIX = "DynamoDB_20120810."
_CONTENT_TYPES = ("application/json", "application/x-amz-json-1.0")
_ANSWER_TYPE = "application/x-amz-json-1.0"
_BLANK_LINE = b"\r\n\r\n"
_HEADER_BYTES = 64 * 1024
_CHUNK = 256 * 1024
_GRACE_SECONDS = 5  # for clients that do not read their answers
_PAUSE_SECONDS = 0.1  # until there may be room for another connection
_log = logging.getLogger(__name__)


class Handler(Protocol):
    """What answers requests: the engine."""

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]: ...


class Server:
    """Listens at an address until it is closed. A `port` of 0 is any free one; `address` says which."""

    def __init__(self, engine: Handler, host: str = "127.0.0.1", port: int = 0) -> None:
        self._engine = engine
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self._connections: dict[threading.Thread, socket.socket] = {}
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
        for connection in (self._listener, *connections.values()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        self._listener.close()
        self._acceptor.join()
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in connections:
            thread.join(max(deadline - time.monotonic(), 0))
        for thread, connection in connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self) -> None:
        waiting = False
        while True:
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
            thread = threading.Thread(target=self._serve, args=(connection,), name="dynamix-connection", daemon=True)
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
                    self._connections[thread] = connection

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(ConnectionError, TimeoutError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _converse(connection, self._engine)
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)


class _Request:
    """One request as it arrives."""

    def __init__(self) -> None:
        self.method = ""
        self.headers: dict[str, str] = {}
        self.url = b""
        self.body = bytearray()
        self.keep_alive = True


class _Reader:
    """What httptools calls while it parses; `arrived` holds the complete requests."""

    def __init__(self, connection: socket.socket) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.arrived: list[_Request] = []
        self.too_large = False
        self._connection = connection
        self._request = _Request()
        self._header_bytes = 0

    def feed(self, data: bytes) -> None:
        """Parse what has come. An offer to go on in another protocol is left alone, as RFC 9110 7.8 allows.

        httptools ends a request that makes the offer with its headers, so it is parsed once more without it.
        """
        while True:
            try:
                return self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.too_large or self.arrived[-1].method == "CONNECT":
                    raise
                data = self._without_offer(self.arrived.pop()) + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _without_offer(self, request: _Request) -> bytes:
        """The head of a request once more."""
        kept = {
            name: value for name, value in request.headers.items() if name not in ("connection", "upgrade", "expect")
        }
        if not request.keep_alive:
            kept["connection"] = "close"
        lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
        start = b"%s %s HTTP/1.1\r\n" % (request.method.encode("latin-1"), request.url)
        return start + lines.encode("latin-1") + b"\r\n"

    def on_url(self, url: bytes) -> None:
        self._count_header(len(url))
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_header(len(name) + len(value))
        self._request.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if int(self._request.headers.get("content-length", "0")) > BATCH_BYTES:
            self.too_large = True
        elif self._request.headers.get("expect", "").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if len(self._request.body) + len(body) > BATCH_BYTES:
            self.too_large = True
        else:
            self._request.body += body

    def on_message_complete(self) -> None:
        if self.too_large:
            return
        self._request.method = self.parser.get_method().decode("latin-1")
        self._request.keep_alive = self.parser.should_keep_alive()
        self.arrived.append(self._request)
        self._request = _Request()
        self._header_bytes = 0

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_BYTES:
            raise ValueError("too many headers")


def _converse(connection: socket.socket, engine: Handler) -> None:
    """Answers the requests of one connection until one side ends it."""
    reader = _Reader(connection)
    while data := connection.recv(_CHUNK):
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
        if reader.too_large:
            fault = Fault("RequestEntityTooLargeException", "Request exceeds the limit of 16 MB", status=413)
            connection.sendall(_response(413, fault.body(), keep_alive=False))
            _drain(connection)
            return
        if broken:
            connection.sendall(_response(400, b"", keep_alive=False))
            _drain(connection)
            return


def _drain(connection: socket.socket) -> None:
    """Reads what is still on its way, for some time: closing earlier could take the answer from the client."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(_GRACE_SECONDS)
    left = 4 * BATCH_BYTES
    while left > 0 and (data := connection.recv(_CHUNK)):
        left -= len(data)


def _answer(request: _Request, engine: Handler, *, keep_alive: bool) -> bytes:
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


def _target(request: _Request) -> str:
    """The operation that is asked for. Raises a Fault where there is none, or no sign of credentials."""
    target = request.headers.get("x-amz-target", "")
    if not target.startswith(_TARGET_PREFIX):
        raise unknown_operation(target) if target else Fault("UnknownOperationException", "")
    signed = request.headers.get("authorization", "").strip().startswith("AWS4-") or b"X-Amz-Algorithm=" in request.url
    if not signed:
        raise Fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    return target.removeprefix(_TARGET_PREFIX)


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
