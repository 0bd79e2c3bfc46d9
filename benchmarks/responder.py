"""A constant HTTP server in DynamoDB's place: each request gets an answer that was cut beforehand.

It keeps nothing and checks nothing, so a contestant's figures hold its own work and next to none of a database's. An
answer is chosen by the operation in X-Amz-Target, the table's name and, where it matters, the keys in the body; it
carries what the service's answers carry: Content-Length, x-amz-crc32, x-amzn-RequestId, on a connection that is kept
alive. The last bodies of each operation are remembered, so that the worker can see that a contestant really sent what
it was asked to send (the operation `Recorded`).

Prints the port it listens on, then serves until its standard input ends.
"""

import asyncio
import json
import re
import sys
import threading
import zlib
from collections import defaultdict, deque
from collections.abc import Callable

import sample
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
_TARGET = re.compile(rb"\r\nx-amz-target: *[a-z0-9_]+\.([a-z]+)")
_THREAD = re.compile(rb'"(thread-\d{6})"')
_SMALL_FORUM = f'"{sample.SMALL_FORUM}"'.encode()
_WHOLE = re.compile(rb'"ReturnValues": *"ALL_')
_PYNAMODB_TABLE = sample.PYNAMODB_TABLE.encode()
_DOCUMENT_TABLE = f'"{sample.DOCUMENT_TABLE}"'.encode()
_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sun, 17 May 2026 08:30:15 GMT\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    b"x-amzn-RequestId: 7OGS28CPA2DPT6UH0GLCUJJ7KJVV4KQNSO5AEMVJF66Q9ASUAAJG\r\nx-amz-crc32: %d\r\n\r\n"
)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _with_head(body: bytes) -> bytes:
    return _HEAD % (len(body), zlib.crc32(body)) + body


class Answers:
    """Every answer about one table."""

    def __init__(self, table: str) -> None:
        self._table = table
        items = {forum: [self._item(values) for values in sample.posts(forum)] for forum in sample.FORUM_SIZES}
        by_thread = zip(sample.post_keys(), items[sample.FORUM], strict=True)
        self._by_thread = {thread.encode(): item for (_, thread), item in by_thread}
        self._batches: dict[tuple[bytes, ...], bytes] = {}
        self._item_answer = _with_head(b'{"Item":%b}' % items[sample.FORUM][0])
        self._attributes_answer = _with_head(b'{"Attributes":%b}' % items[sample.FORUM][0])
        self._updated_answer = _with_head(
            _json({"Attributes": sample.item_to_wire({"title": "A new title", "views": 1001})})
        )
        self._pages = {forum: self._page(forum_items) for forum, forum_items in items.items()}
        self._queries = {forum: _with_head(page + b"}") for forum, page in self._pages.items()}
        self._empty = _with_head(b"{}")
        self._all_written = _with_head(b'{"UnprocessedItems":{}}')

    def _item(self, values: dict[str, object]) -> bytes:
        item = _json(sample.item_to_wire(values))
        return item.replace(b"+00:00", b"+0000") if self._table == sample.PYNAMODB_TABLE else item

    def _page(self, items: list[bytes]) -> bytes:
        return b'{"Items":[%b],"Count":%d,"ScannedCount":%d' % (b",".join(items), len(items), len(items))

    def getitem(self, body: bytes) -> bytes:
        return self._item_answer

    def putitem(self, body: bytes) -> bytes:
        return self._empty

    def updateitem(self, body: bytes) -> bytes:
        if _WHOLE.search(body):
            return self._attributes_answer
        return self._updated_answer if b'"UPDATED_' in body else self._empty

    def query(self, body: bytes) -> bytes:
        return self._queries[sample.SMALL_FORUM if _SMALL_FORUM in body else sample.FORUM]

    def scan(self, body: bytes) -> bytes:
        """The same page each time; only its end tells how far the scan has come."""
        start = re.search(rb'"page-(\d+)"', body)
        number = int(start[1]) + 1 if start else 1
        end = b"}"
        if number < sample.SCAN_PAGES:
            key = sample.item_to_wire({"forum_id": sample.FORUM, "thread_id": f"page-{number}"})
            end = b',"LastEvaluatedKey":%b}' % _json(key)
        return _with_head(self._pages[sample.FORUM] + end)

    def batchgetitem(self, body: bytes) -> bytes:
        threads = tuple(_THREAD.findall(body))
        answer = self._batches.get(threads)
        if answer is None:
            items = b",".join(self._by_thread[thread] for thread in threads)
            responses = b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (self._table.encode(), items)
            answer = self._batches[threads] = _with_head(responses)
        return answer

    def batchwriteitem(self, body: bytes) -> bytes:
        return self._all_written

    def transactwriteitems(self, body: bytes) -> bytes:
        return self._empty


class DocumentAnswers:
    """Every answer about the document."""

    def __init__(self) -> None:
        self._item_answer = _with_head(b'{"Item":%b}' % _json(sample.item_to_wire(sample.document())))
        changed = _json(sample.item_to_wire(sample.changed_document()))
        self._attributes_answer = _with_head(b'{"Attributes":%b}' % changed)
        self._empty = _with_head(b"{}")

    def getitem(self, body: bytes) -> bytes:
        return self._item_answer

    def putitem(self, body: bytes) -> bytes:
        return self._empty

    def updateitem(self, body: bytes) -> bytes:
        return self._attributes_answer if _WHOLE.search(body) else self._empty


_DOCUMENT = DocumentAnswers()
_TABLES = Answers(sample.TABLE), Answers(sample.PYNAMODB_TABLE)
_RECORDED: defaultdict[bytes, deque[bytes]] = defaultdict(lambda: deque(maxlen=64))


class Server(asyncio.Protocol):
    """One connection. The sizes of requests are taken from their heads by two patterns, nothing else is parsed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write: Callable[[bytes], None] = transport.write  # type: ignore[attr-defined]
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        data = self._pending + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            length, target = _LENGTH.search(head), _TARGET.search(head)
            if length is None or target is None:
                raise ValueError(f"a request without a length or a target: {head!r}")
            after = end + 4 + int(length[1])
            if len(data) < after:
                break
            self._write(self._answer(target[1], data[end + 4 : after]))
            data = data[after:]
        self._pending = data

    def _answer(self, operation: bytes, body: bytes) -> bytes:
        if operation == b"recorded":
            bodies = _RECORDED.pop(body.lower(), ())
            return _with_head(b"[%b]" % b",".join(bodies))
        _RECORDED[operation].append(body)
        answers = _DOCUMENT if _DOCUMENT_TABLE in body else _TABLES[_PYNAMODB_TABLE in body]
        answer: Callable[[bytes], bytes] = getattr(answers, operation.decode())
        return answer(body)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    uvloop.run(main())
