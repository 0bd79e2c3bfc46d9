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

from itertools import cycle, repeat
from operator import call, methodcaller
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

    __slots__ = (
        "_begun",
        "_body",
        "_ended",
        "_headers",
        "_parser",
        "_received",
        "_statuses",
        "on_body",
        "on_header",
        "on_headers_complete",
        "on_message_begin",
        "on_message_complete",
        "reusable",
    )

    def __init__(self) -> None:
        self.reusable = True
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._begun: list[None] = []  # these three have one entry for each answer, informational ones included
        self._statuses: list[int] = []
        self._ended: list[bool] = []  # whether the server keeps the connection open, which can be told then only
        self._received = 0  # bytes of an answer that is not whole yet
        # httptools calls these. All are built-in functions: they are quick, and no signal's handler runs within them,
        # whose exception httptools would take for one of its own.
        parser: list[httptools.HttpResponseParser] = []
        parsers = cycle(parser)
        self.on_message_begin = map(self._begun.append, map(call, repeat(self._headers.clear))).__next__
        self.on_header = self._headers.__setitem__
        self.on_headers_complete = map(self._statuses.append, map(methodcaller("get_status_code"), parsers)).__next__
        self.on_body = self._body.append
        self.on_message_complete = map(self._ended.append, map(methodcaller("should_keep_alive"), parsers)).__next__
        self._parser = httptools.HttpResponseParser(self)
        parser.append(self._parser)

    def feed(self, data: bytes) -> Response | None:
        """Takes what arrived and returns the answer once it is whole. Raises InvalidAnswerError."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise self._refuse(f"what the endpoint sent is not one HTTP answer: {error}") from error
        if self._ended and ((len(self._begun) == 1 and self._statuses[0] >= 200) or self._is_whole()):
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

    def _is_whole(self) -> bool:
        """Whether an answer has ended that is none of those that precede the real one, such as 100 Continue."""
        while self._ended and self._statuses[0] < 200:
            del self._begun[0], self._statuses[0], self._ended[0]
        if self._ended and len(self._begun) > 1:
            raise self._refuse("what the endpoint sent is not one HTTP answer: bytes follow the answer")
        return bool(self._ended)

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
        status, self.reusable = self._statuses[0], self._ended[0]
        date = None
        if status != 200 and (sent_at := self._header(b"date")) is not None:
            date = sent_at.decode("latin-1")
        parts.clear()
        self._begun.clear()
        self._statuses.clear()
        self._ended.clear()
        self._received = 0
        return Response(status, body, None if request_id is None else request_id.decode("latin-1").strip(), date=date)

    def _header(self, lower_name: bytes) -> bytes | None:
        """A header's value; names differ in case between servers."""
        length = len(lower_name)
        for name, value in self._headers.items():
            if len(name) == length and name.lower() == lower_name:
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
