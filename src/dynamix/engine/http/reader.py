"""Requests from the bytes of a connection, by httptools; what is too large, or not for us, is noted at once."""

from collections import deque
from collections.abc import Callable

import httptools

from dynamix.engine.faults import Fault
from dynamix.engine.http.answers import answer, refusal
from dynamix.engine.http.encodings import too_large
from dynamix.engine.http.names import Names
from dynamix.limits import BATCH_BYTES

_HEADER_BYTES = 64 * 1024


class Request:
    """One request as it arrives. `headers` are by names in small letters; several of one name are put together."""

    __slots__ = ("body", "headers", "keep_alive", "method", "url")

    def __init__(self) -> None:
        self.method = b""
        self.headers: dict[bytes, bytes] = {}
        self.url = b""
        self.body = bytearray()
        self.keep_alive = True


class RequestReader:
    """What httptools calls while it parses; `arrived` holds the complete requests.

    `leave_to_send` is called where a client waits for leave to send its body.
    """

    __slots__ = (
        "_framing",
        "_header_bytes",
        "_leave_to_send",
        "_names",
        "_request",
        "arrived",
        "parser",
        "refused",
        "too_large",
    )

    def __init__(self, leave_to_send: Callable[[], None], names: Names) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.arrived: deque[Request] = deque()
        self.too_large = False
        self.refused: str | None = None
        self._leave_to_send = leave_to_send
        self._names = names
        self._request = Request()
        self._header_bytes = 0
        self._framing = 0  # bytes since the last that was a whole header, or part of a body

    def feed(self, data: bytes | memoryview) -> None:
        """Parse what has come. An offer to go on in another protocol is left alone, as RFC 9110 7.8 allows.

        httptools ends a request that makes the offer with its headers, so it is parsed once more without it. It keeps
        a line until it is whole, however long that takes, so what is neither headers nor body is counted here.
        """
        self._framing += len(data)
        self._parse(data)
        if self._framing > _HEADER_BYTES:
            raise httptools.HttpParserError("too much between the parts of a request")

    @property
    def has_begun(self) -> bool:
        """Whether a part of a request has come, and not its end."""
        return self._framing > 0 or self._header_bytes > 0

    def last_answer(self, *, broken: bool) -> bytes | None:
        """The answer after which nothing more is read, if it is time for one."""
        if self.refused is not None:
            return refusal(Fault("AccessDeniedException", self.refused, status=403))
        if self.too_large:
            return refusal(too_large())
        return answer(400, b"", keep_alive=False) if broken else None

    def _parse(self, data: bytes | memoryview) -> None:
        while True:
            try:
                return self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.too_large or self.arrived[-1].method == b"CONNECT":
                    raise
                data = self._without_offer(self.arrived.pop()) + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _without_offer(self, request: Request) -> bytes:
        """The head of a request once more."""
        dropped = (b"connection", b"upgrade", b"expect")
        kept = {name: value for name, value in request.headers.items() if name not in dropped}
        if not request.keep_alive:
            kept[b"connection"] = b"close"
        lines = b"".join(b"%s: %s\r\n" % header for header in kept.items())
        return b"%s %s HTTP/1.1\r\n%s\r\n" % (request.method, request.url, lines)

    @property
    def unfinished(self) -> int:
        """How many bytes of a body have come that is not whole."""
        return len(self._request.body)

    def on_url(self, url: bytes) -> None:
        self._count_header(len(url))
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_header(len(name) + len(value))
        headers = self._request.headers
        name = name.lower()
        if name not in headers:
            headers[name] = value
        elif name != b"accept-encoding":  # the service looks at the first
            headers[name] += b"," + value

    def on_headers_complete(self) -> None:
        self._framing = 0
        headers = self._request.headers
        self.refused = self.refused or self._names.refusal(_text(headers.get(b"host")), _text(headers.get(b"origin")))
        if self.refused is not None:
            return
        if int(headers.get(b"content-length", b"0")) > BATCH_BYTES:
            self.too_large = True
        elif b"expect" in headers and headers[b"expect"].lower() == b"100-continue":
            self._leave_to_send()

    def on_body(self, body: bytes) -> None:
        self._framing = 0
        if len(self._request.body) + len(body) > BATCH_BYTES:
            self.too_large = True
        else:
            self._request.body += body

    def on_message_complete(self) -> None:
        self._framing = 0
        if self.too_large or self.refused is not None:
            return
        request = self._request
        request.method = self.parser.get_method()
        request.keep_alive = self.parser.should_keep_alive()
        self.arrived.append(request)
        self._request = Request()
        self._header_bytes = 0

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_BYTES:
            raise ValueError("too many headers")


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
