"""The engine behind DynamoDB's HTTP protocol, for the AWS SDKs and tools of any language.

One thread runs an event loop, in which connections are read and answered (see connection.py) and what takes a moment
only is carried out; the rest is left to a few threads (see work.py). `httptools` does the parsing. A connection
costs some kilobytes and no thread.

Closing the server ends the connections between two answers: what the engine has been asked is also answered.

Where the process can have no more connections, those that there are go on, and others wait for their turn. A request
that has begun must arrive as a whole within a minute, and answers must be taken within one; connections that wait for a
request may wait for ever, but when there are too many, the one that waits longest is ended for a new one.

Web pages are not served: a request with the Origin of another machine is refused before it is read, and while the
server listens on this machine alone, so is one that names another Host. Else a page could reach it through a name of
its own that it lets resolve to this machine ("DNS rebinding").
"""

import asyncio
import contextlib
import json
import logging
import socket
import threading
from collections.abc import Collection, Mapping
from functools import partial
from ipaddress import ip_address
from typing import Any

from dynamix.engine.broken import Broken
from dynamix.engine.faults import Fault, unable
from dynamix.engine.http.accounts import Accounts
from dynamix.engine.http.answers import BLANK_LINE, JSON, answer
from dynamix.engine.http.connection import Connection
from dynamix.engine.http.control import PATH, Control
from dynamix.engine.http.encodings import WORTH_BYTES, decoded, encoded, preferred
from dynamix.engine.http.names import Names
from dynamix.engine.http.reader import Request
from dynamix.engine.http.signatures import Signatures, refuse_chunked
from dynamix.engine.http.work import Handler, Outcome, Waiting, Work, failed
from dynamix.engine.requests.targets import operation_of
from dynamix.errors import StorageError

_CONTENT_TYPES = (b"application/x-amz-json-1.0", b"application/json")
_PRESIGNED = b"X-Amz-Algorithm="
_EXPOSED = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,x-amz-crc32,Date"
_ENDPOINT_MINUTES = 1440
_LARGE_BYTES = 64 * 1024  # that take long to be encoded
_BUFFER_BYTES = 256 * 1024
_REQUEST_SECONDS = 60.0  # from a request's first byte to its last, and for an answer to be taken
_LOOKS = 4  # for late ones, in this time
_MOST_CONNECTIONS = 10_000
_GRACE_SECONDS = 5  # for clients that do not read their answers
_PAUSE_SECONDS = 0.1  # until there may be room for another connection
_BACKLOG = 1024
_log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; connections can be taken from it in several processes. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener


class Server:
    """Listens at an address until it is closed. A `port` of 0 is any free one; `address` says which.

    `listener` is a socket that listens already. `allowed` are names by which others than this machine's own programs
    may come, `origins` the web pages that may (see names.py). With `keys`, secret keys by access keys, a request must
    be signed with one of them. `control` answers requests to `/_control/`.
    """

    def __init__(
        self,
        engine: Handler | Accounts,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        allowed: Collection[str] = (),
        origins: Collection[str] = (),
        keys: Mapping[str, str] | None = None,
        listener: socket.socket | None = None,
        control: Control | None = None,
    ) -> None:
        self._listener = listen(host, port) if listener is None else listener
        bound_host, bound_port = self._listener.getsockname()[:2]
        self.address: tuple[str, int] = bound_host, bound_port
        self.is_local = ip_address(bound_host).is_loopback
        self.names = Names(allowed, any_host=not self.is_local, origins=origins)
        self._signatures = None if keys is None else Signatures(keys)
        self.loop = asyncio.new_event_loop()
        self.buffer = memoryview(bytearray(_BUFFER_BYTES))
        self.grace = float(_GRACE_SECONDS)
        self.unfinished = 0
        self._engine = engine
        self._control = control
        self._works: dict[Handler, Work] = {}
        self._connections: set[Connection] = set()
        self._accepted: set[asyncio.Task[Any]] = set()
        self._waits = False
        self._closing = asyncio.Event()
        self._emptied = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="dynamix-server", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes no more requests, gives the answers that are owed, and returns when all connections are closed."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            self._listener.close()
            for work in self._works.values():
                work.close()
            self.loop.close()

    async def _serve(self) -> None:
        self.loop.add_reader(self._listener, self._accept)
        self.loop.call_later(_REQUEST_SECONDS / _LOOKS, self._end_late_ones)
        await self._closing.wait()
        self.loop.remove_reader(self._listener)
        self._listener.close()
        await asyncio.sleep(0)  # what has been received by now is read
        await asyncio.gather(*self._accepted, return_exceptions=True)
        for connection in list(self._connections):
            connection.finish()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wait_for_end(), self.grace)
        self.grace = 0.0
        while self._connections:
            for connection in list(self._connections):
                if not connection.owes:
                    connection.abort()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wait_for_end(), _PAUSE_SECONDS)

    async def _wait_for_end(self) -> None:
        """Until there is no connection any more."""
        while self._connections:
            self._emptied.clear()
            await self._emptied.wait()

    def _accept(self) -> None:
        """Take the connections that wait, as far as there is room."""
        for _ in range(_BACKLOG):
            if not self._has_room():
                self._accept_later()
                return
            try:
                client, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if not self._waits:
                    _log.warning("new connections have to wait: %s", error)
                self._waits = True
                self._accept_later()
                return
            self._waits = False
            client.setblocking(False)
            connection = Connection(self)
            self._connections.add(connection)
            task = self.loop.create_task(self._take(client, connection))
            self._accepted.add(task)
            task.add_done_callback(self._accepted.discard)

    async def _take(self, client: socket.socket, connection: Connection) -> None:
        try:
            await self.loop.connect_accepted_socket(lambda: connection, client)
        except OSError:
            client.close()
            self.has_lost(connection)

    def _accept_later(self) -> None:
        self.loop.remove_reader(self._listener)
        self.loop.call_later(_PAUSE_SECONDS, self._accept_again)

    def _accept_again(self) -> None:
        if not self._closing.is_set():
            self.loop.add_reader(self._listener, self._accept)

    def _has_room(self) -> bool:
        """Whether there is room for one more connection; one that waits for a request may have to go."""
        if len(self._connections) < _MOST_CONNECTIONS:
            return True
        idle = [connection for connection in self._connections if connection.is_idle]
        if not idle:
            return False
        longest = min(idle, key=lambda connection: connection.idle_since)
        self._connections.discard(longest)
        longest.finish()
        return True

    def _end_late_ones(self) -> None:
        before = self.loop.time() - _REQUEST_SECONDS
        for connection in list(self._connections):
            if connection.began is not None and connection.began < before and not connection.owes:
                connection.abort()
        self.loop.call_later(_REQUEST_SECONDS / _LOOKS, self._end_late_ones)

    def has_lost(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)
        for work in self._works.values():
            work.has_lost(connection)
        if not self._connections:
            self._emptied.set()

    def answer(self, connection: Connection, request: Request) -> bytes | None:
        """The answer to a request; None where the connection is told later."""
        if self._control is not None and request.url.startswith(PATH):
            return self._controlled(self._control, connection, request)
        if request.method != b"POST" or not _is_json(request):
            return self._other(request)
        encoding = request.headers.get(b"content-encoding")
        try:
            target = self._checked(request)
            work = self._work_for(request)
            if encoding is not None or target == "DescribeEndpoints":
                work.aside(partial(self._made_aside, work, request, target, encoding), connection.answer)
                return None
            asked = target, bytes(request.body)
            if self._control is not None and (broken := self._control.breakage.next(target)) is not None:
                return self._broken(
                    broken, connection, Waiting(asked, partial(_form, request), connection.answer), work
                )
            outcome = work.now(asked, alone=len(self._connections) == 1)
        except Fault as fault:
            outcome = fault.status, fault.body()
        except Exception:
            _log.exception("a request failed inside the engine")
            outcome = failed()
        if outcome is None:
            work.begin(Waiting(asked, partial(_form, request), connection.answer), connection)
            return None
        if len(outcome[1]) > _LARGE_BYTES and _encoding_of(request) is not None:
            work.aside(partial(_form, request, outcome), connection.answer)
            return None
        return _form(request, outcome)

    def _controlled(self, control: Control, connection: Connection, request: Request) -> bytes | None:
        """Have what controls the server carried out, for who may."""
        if request.method != b"POST":
            return _form(request, (404, b'{"message":"send a POST"}'))
        try:
            if self._signatures is not None:
                self._signatures.check(request)
        except Fault as fault:
            return _form(request, (fault.status, fault.body()))
        verb = request.url.removeprefix(PATH).decode("latin-1")
        make = partial(control.handle, verb, bytes(request.body))
        assert not isinstance(self._engine, Accounts)  # noqa: S101 - one engine is controlled
        self._work_for(request).aside(lambda: _form(request, make()), connection.answer)
        return None

    def _broken(self, broken: Broken, connection: Connection, waiting: Waiting, work: Work) -> bytes | None:
        """Let go wrong what is to go wrong with a request."""
        fault = broken.answer()
        if fault is not None:
            return waiting.form((fault.status, fault.body()))
        if broken.kind == "cut":
            if not broken.after:
                self.loop.call_soon(connection.abort)
                return None
            waiting.tell = lambda _: connection.abort()
        self.loop.call_later(broken.seconds if broken.kind == "delay" else 0, work.begin, waiting, connection)
        return None

    def _work_for(self, request: Request) -> Work:
        """Where a request is carried out. Raises Fault."""
        engine = self._engine
        if isinstance(engine, Accounts):
            try:
                engine = engine.engine_of(request)
            except StorageError as error:
                raise unable(str(error)) from error
        work = self._works.get(engine)
        if work is None:
            work = self._works[engine] = Work(engine, self.loop)
        return work

    def _checked(self, request: Request) -> str:
        """The operation that is asked for. Raises a Fault where there is none, or not the credentials for it."""
        operation = operation_of(request.headers.get(b"x-amz-target", b"").decode("latin-1"))
        if b"x-amz-content-sha256" in request.headers:
            refuse_chunked(request)
        if self._signatures is not None:
            self._signatures.check(request)
        elif not (request.headers.get(b"authorization", b"").startswith(b"AWS4-") or _PRESIGNED in request.url):
            raise Fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        return operation

    def _made_aside(self, work: Work, request: Request, target: str, encoding: bytes | None) -> bytes:
        """The answer to a request whose body is encoded, or that asks for the server itself."""
        try:
            body = bytes(request.body) if encoding is None else decoded(bytes(request.body), encoding)
        except Fault as fault:
            return _form(request, (fault.status, fault.body()))
        outcome = work.outcome((target, body))
        if target == "DescribeEndpoints" and outcome[0] == 200:
            endpoint = {"Address": self._asked_for(request), "CachePeriodInMinutes": _ENDPOINT_MINUTES}
            outcome = 200, json.dumps({"Endpoints": [endpoint]}).encode()
        return _form(request, outcome)

    def _other(self, request: Request) -> bytes:
        """The answer to what is no operation: a look whether the server is well, or the question of a web page."""
        headers = request.headers
        if request.method == b"GET" and request.url.partition(b"?")[0] == b"/":
            return _form(request, (200, f"healthy: {self._asked_for(request)} ".encode()), "text/plain")
        if request.method == b"OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers:
            return _form(request, (200, b""), "text/plain")
        return _form(request, (404, b"<UnknownOperationException/>\n"), "application/xml")

    def _asked_for(self, request: Request) -> str:
        """By which name the client knows the server."""
        host, port = self.address
        own = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return request.headers.get(b"host", b"").decode("latin-1") or own


def _is_json(request: Request) -> bool:
    content_type = request.headers.get(b"content-type", b"")
    return content_type in _CONTENT_TYPES or content_type.partition(b";")[0].strip().lower() in _CONTENT_TYPES


def _encoding_of(request: Request) -> bytes | None:
    """The encoding in which the client would like its answer."""
    accepted = request.headers.get(b"accept-encoding")
    return None if accepted is None else preferred(accepted)


def _form(request: Request, outcome: Outcome, content_type: str = JSON) -> bytes:
    """The bytes of the answer to a request."""
    status, body = outcome
    more = ""
    if len(body) > WORTH_BYTES and (encoding := _encoding_of(request)) is not None:
        body = encoded(body, encoding)
        more = f"Content-Encoding: {encoding.decode()}\r\n"
    if b"origin" in request.headers:
        more += _for_pages(request.headers)
    whole = answer(status, body, content_type, keep_alive=request.keep_alive, more=more)
    return whole.partition(BLANK_LINE)[0] + BLANK_LINE if request.method == b"HEAD" else whole


def _for_pages(headers: dict[bytes, bytes]) -> str:
    """What a browser wants to be told before it hands an answer to a page, or sends a request of one."""
    lines = f"Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: {_EXPOSED}\r\n"
    method = headers.get(b"access-control-request-method")
    if method is not None:
        names = headers.get(b"access-control-request-headers")
        lines += f"Access-Control-Allow-Methods: {method.decode('latin-1')}\r\nAccess-Control-Max-Age: 172800\r\n"
        if names is not None:
            lines += f"Access-Control-Allow-Headers: {names.decode('latin-1')}\r\n"
    return lines
