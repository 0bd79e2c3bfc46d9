"""Requests from the bytes of a connection, by httptools; what is too large, or not for us, is noted at once."""

import socket

import httptools

from dynamix.engine.http.names import Names
from dynamix.limits import BATCH_BYTES

_HEADER_BYTES = 64 * 1024


class Request:
    """One request as it arrives."""

    def __init__(self) -> None:
        self.method = ""
        self.headers: dict[str, str] = {}
        self.url = b""
        self.body = bytearray()
        self.keep_alive = True


class RequestReader:
    """What httptools calls while it parses; `arrived` holds the complete requests."""

    def __init__(self, connection: socket.socket, names: Names) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.arrived: list[Request] = []
        self.too_large = False
        self.refused: str | None = None
        self._connection = connection
        self._names = names
        self._request = Request()
        self._header_bytes = 0
        self._framing = 0  # bytes since the last that was a whole header, or part of a body

    def feed(self, data: bytes) -> None:
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

    def _parse(self, data: bytes) -> None:
        while True:
            try:
                return self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self.too_large or self.arrived[-1].method == "CONNECT":
                    raise
                data = self._without_offer(self.arrived.pop()) + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _without_offer(self, request: Request) -> bytes:
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
        self._framing = 0
        headers = self._request.headers
        self.refused = self.refused or self._names.refusal(headers.get("host"), headers.get("origin"))
        if self.refused is not None:
            return
        if int(self._request.headers.get("content-length", "0")) > BATCH_BYTES:
            self.too_large = True
        elif self._request.headers.get("expect", "").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

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
        self._request.method = self.parser.get_method().decode("latin-1")
        self._request.keep_alive = self.parser.should_keep_alive()
        self.arrived.append(self._request)
        self._request = Request()
        self._header_bytes = 0

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_BYTES:
            raise ValueError("too many headers")
