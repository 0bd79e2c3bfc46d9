"""HTTP/1.1 as far as DynamoDB needs it, without any I/O: the blocking and the asyncio side are both built on this.

The rules:

- One request at a time on a connection, no pipelining. A request is one block of bytes with a Content-Length
  (sigv4.py).
- Answers are read by httptools. An answer is whole when its announced length, or its last chunk, has arrived. One that
  announces neither would end with the connection, which cannot be told from a connection that broke: it never is whole.
- A whole answer is handed out only if it fits its `x-amz-crc32`, where it has one.
- Requests say `Accept-Encoding: identity`; an answer in another encoding is refused.
- A connection may be used again after a whole answer that does not say `Connection: close`. Bytes that nobody asked for
  end it, be they behind an answer or on an idle connection.
- Sizes are bounded: 64 KiB of headers; 128 MiB of body, which holds the 16 MB of a full BatchGetItem answer also in
  the JSON form that blows values up most.
- A request whose last byte was not handed to the operating system cannot have been applied. From then on a connection
  that ends is reported as `sent`, and the retry flow alone decides whether to repeat.

Reference: RFC 9112.
"""

from zlib import crc32

import httptools

from dynamix.errors import ConnectionLostError, InvalidAnswerError
from dynamix.wire import Response

MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 128 * 1024 * 1024


class AnswerReader:
    """Reads the answers that arrive on one connection, one after another.

    `reusable` says whether another request may be sent on the connection.
    """

    __slots__ = ("_body", "_headers", "_parser", "_received", "_whole", "on_body", "on_header", "reusable")

    def __init__(self) -> None:
        self.reusable = True
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._whole = False
        self._received = 0  # bytes of an answer that is not whole yet
        # httptools calls these for each header and each piece; methods of built-in types are the cheapest there are
        self.on_header = self._headers.__setitem__
        self.on_body = self._body.append
        self._parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        """Called by httptools at the first byte of an answer."""
        if self._whole:
            raise ValueError("bytes follow the answer")

    def on_message_complete(self) -> None:
        """Called by httptools at the last byte of an answer."""
        if self._parser.get_status_code() < 200:
            self._headers.clear()  # an informational answer, such as 100 Continue, precedes the real one
        else:
            self._whole = True
            self.reusable = self._parser.should_keep_alive()  # it can tell now only

    def feed(self, data: bytes) -> Response | None:
        """Takes what arrived and returns the answer once it is whole. Raises InvalidAnswerError."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise self._refuse(
                f"what the endpoint sent is not one HTTP answer: {error.__context__ or error}"
            ) from error
        if self._whole:
            return self._take()
        self._received += len(data)
        if self._received > MAX_HEADER_BYTES:
            self._check_size()
        return None

    def lost(self) -> ConnectionLostError:
        """The error for a connection that ended before the answer was whole."""
        self.reusable = False
        when = "before the whole answer had arrived" if self._received else "without an answer"
        return ConnectionLostError(f"the endpoint closed the connection {when}", sent=True)

    def _take(self) -> Response:
        """The whole answer; the reader is then ready for the next."""
        headers, parts = self._headers, self._body
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        crc = headers.get(b"x-amz-crc32") or self._header(b"x-amz-crc32")
        if crc is not None and crc.strip() != b"%d" % crc32(body):
            raise self._refuse("the answer was damaged on the way: it does not fit its x-amz-crc32")
        encoding = self._header(b"content-encoding")
        if encoding is not None and encoding.strip() != b"identity":
            raise self._refuse(f"the answer came in an encoding that was not asked for: {encoding!r}")
        request_id = headers.get(b"x-amzn-RequestId") or self._header(b"x-amzn-requestid")
        headers.clear()
        parts.clear()
        self._whole = False
        self._received = 0
        return Response(
            self._parser.get_status_code(), body, None if request_id is None else request_id.decode("latin-1").strip()
        )

    def _header(self, lower_name: bytes) -> bytes | None:
        """A header's value; names differ in case between servers."""
        for name, value in self._headers.items():
            if name.lower() == lower_name:
                return value
        return None

    def _check_size(self) -> None:
        """Refuses an answer that is, or says it will be, too large."""
        if not self._body:
            raise self._refuse(f"the headers of the answer exceed {MAX_HEADER_BYTES} bytes")
        if max(self._received, int(self._header(b"content-length") or 0)) > MAX_BODY_BYTES:
            raise self._refuse(f"the answer exceeds {MAX_BODY_BYTES} bytes")

    def _refuse(self, message: str) -> InvalidAnswerError:
        self.reusable = False
        return InvalidAnswerError(message, sent=True)
