"""A server that refuses, hangs, breaks off, answers garbage, fails or throttles: a clear error, and nothing is lost."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from zlib import crc32

import pytest
from forum import Thread, key

import dynamix
from dynamix import Connection, use_connection


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """An HTTP answer with its checksum."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"x-amz-crc32: {crc32(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def error(status: int, code: str) -> bytes:
    """An answer that says what DynamoDB says."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "said by the server"}
    return answer(status, json.dumps(body).encode())


def changed(*headers: str, **attributes: dict[str, str]) -> bytes:
    """The answer to a change of the thread of `key(1)`."""
    item = {name: {"S": value} for name, value in key(1).items()} | attributes
    return answer(200, json.dumps({"Attributes": item}).encode(), *headers)


STORED = answer(200, b"{}")
SECONDS = 30
"""Longer than anything takes on a busy machine."""


class Server:
    """Answers each request by the next step, the last one for ever; closes after b"" and what ends in "cut"."""

    def __init__(self, *steps: bytes) -> None:
        self.steps = list(steps)
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._heard = threading.Semaphore(0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def heard(self, number: int) -> list[str]:
        """The requests, when so many more have been read."""
        assert all(self._heard.acquire(timeout=SECONDS) for _ in range(number))
        return self.requests

    def close(self) -> None:
        """Ends the server and the connections that it holds."""
        self._ended.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        threads = []
        while True:
            connection, _ = self._listener.accept()
            if self._ended.is_set():
                connection.close()
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(0.05)
            while (target := self._request(connection)) is not None:
                self.requests.append(target)
                self._heard.release()
                step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
                if step == b"hang":
                    self._ended.wait()
                    return
                if not step:
                    return
                with contextlib.suppress(OSError):
                    connection.sendall(step)
                if step.endswith(b"cut"):
                    return

    def _request(self, connection: socket.socket) -> str | None:
        """Reads one request; its target, or None where no further one comes."""
        received = b""
        while b"\r\n\r\n" not in received or len(received) < self._whole(received):
            try:
                part = connection.recv(65536)
            except TimeoutError:
                if self._ended.is_set():
                    return None
                continue
            except OSError:
                return None
            if not part:
                return None
            received += part
        (target,) = [line for line in received.split(b"\r\n") if line.lower().startswith(b"x-amz-target")]
        return target.rpartition(b".")[2].decode()

    @staticmethod
    def _whole(received: bytes) -> int:
        head = received.partition(b"\r\n\r\n")[0]
        (length,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        return len(head) + 4 + int(length.partition(b":")[2])


@contextlib.contextmanager
def serving(*steps: bytes) -> Iterator[Server]:
    """A server with these steps, used by all models in the block."""
    server = Server(*steps)
    connection = Connection(
        is_local_endpoint=("127.0.0.1", server.port),
        read_timeout=0.5 if b"hang" in steps else SECONDS,
        max_attempts=3,
        retry_delay=0.001,
        throttle_delay=0.001,
    )
    try:
        with connection, use_connection(connection):
            yield server
    finally:
        server.close()


def add() -> None:
    """A write that must not be applied twice."""
    thread = Thread(**key(1))
    thread.add_to_field(Thread.updated_at, 1)
    thread.commit_changes()


def test_a_server_that_refuses() -> None:
    """Where nothing listens, the error says so and that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    connection = Connection(is_local_endpoint=("127.0.0.1", port), retry_delay=0.001)
    with connection, use_connection(connection):
        operations: tuple[Callable[[], object], ...] = (lambda: Thread.get(**key(1)), add)
        for operation in operations:
            with pytest.raises(dynamix.ConnectError, match=str(port)) as caught:
                operation()
            assert not caught.value.sent


def test_a_server_that_hangs() -> None:
    """A read without an answer is tried again and ends in a timeout; a write that may have arrived is not repeated."""
    with serving(b"hang") as server:
        with pytest.raises(dynamix.RequestTimeoutError):
            Thread.get(**key(1))
        assert server.heard(3) == ["GetItem"] * 3
    with serving(b"hang") as server:
        with pytest.raises(dynamix.OutcomeUnknownError, match="may or may not have been applied"):
            add()
        assert server.heard(1) == ["UpdateItem"]


@pytest.mark.parametrize(
    "step",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{cut",
        b"HTTP/1.1 200 OK\r\nContent-Le cut",
        b"garbage that no one ordered cut",
        b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nx-amz-crc32: 1\r\n\r\n{"a":1}',
        answer(200, b"not JSON"),
        answer(200, b"[5]"),
        error(500, "InternalServerError"),
    ],
    ids=["closes", "cuts the body", "cuts the head", "garbage", "wrong checksum", "no JSON", "wrong JSON", "fails"],
)
def test_a_server_that_breaks_off(step: bytes) -> None:
    """A read is repeated until an answer comes; a write that may have arrived says that its outcome is unknown."""
    found = answer(200, b'{"Item": {"forum_id": {"S": "f"}, "thread_id": {"S": "t"}, "title": {"S": "found"}}}')
    with serving(step, step, found) as server:
        thread = Thread.get(**key(1))
        assert thread is not None
        assert thread.title == "found"
        assert server.requests == ["GetItem"] * 3
    with serving(step) as server:
        with pytest.raises(dynamix.OutcomeUnknownError):
            add()
        assert server.requests == ["UpdateItem"]
    with serving(step) as server:
        with pytest.raises((dynamix.ConnectionException, dynamix.ServiceUnavailableError)):
            Thread.get(**key(1))
        assert server.requests == ["GetItem"] * 3


def test_a_write_of_the_same_effect_is_repeated() -> None:
    """Storing a whole item twice is storing it once, so it is repeated after an unknown outcome."""
    with serving(b"", STORED) as server:
        Thread.create(**key(1))
        assert server.requests == ["PutItem", "PutItem"]


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
def test_a_server_that_throttles(code: str) -> None:
    """A throttled request was not applied: any is repeated; when it stays throttled, the error says so."""
    with serving(error(400, code), error(400, code), changed(updated_at={"N": "8"})) as server:
        add()
        assert server.requests == ["UpdateItem"] * 3
    with serving(error(400, code)) as server:
        with pytest.raises(dynamix.ThrottledError, match="said by the server") as caught:
            add()
        assert (caught.value.code, len(server.requests)) == (code, 3)


def test_a_failed_commit_keeps_the_queue() -> None:
    """After an error the changes are still queued, and can be committed when the server is back."""
    with serving(error(400, "AccessDeniedException"), changed(title={"S": "x"})) as server:
        thread = Thread(**key(1))
        thread.set_field(Thread.title, "x")
        with pytest.raises(dynamix.AccessDeniedError):
            thread.commit_changes()
        thread.commit_changes()
        assert server.requests == ["UpdateItem"] * 2


def test_an_answer_of_something_else() -> None:
    """A server that is no DynamoDB is named as such."""
    with (
        serving(answer(404, b"<html>nothing here</html>")),
        pytest.raises(dynamix.InvalidAnswerError, match="check the endpoint"),
    ):
        Thread.get(**key(1))


def test_a_kept_connection_that_has_ended() -> None:
    """A server that closes idle connections causes no error, not even for a write that must not be repeated."""
    closing = changed("Connection: close", updated_at={"N": "8"})
    with serving(closing, closing) as server:
        add()
        add()
        assert server.requests == ["UpdateItem"] * 2


EVERY_OPERATION: dict[str, Callable[[], object]] = {
    "get": lambda: Thread.get(**key(1)),
    "exists": lambda: Thread.exists(**key(1)),
    "batch_get": lambda: Thread.batch_get(key(1)),
    "query": lambda: list(Thread.query().where(Thread.forum_id == "science")),
    "scan": lambda: list(Thread.scan()),
    "count": lambda: Thread.scan().count(),
    "item_count": Thread.item_count,
    "create": lambda: Thread.create(**key(1)),
    "create what must be new": lambda: Thread.create(**key(1), overwrite=False),
    "commit": add,
    "delete": lambda: Thread.delete_by_key(**key(1)),
    "batch_write": lambda: Thread.batch_write([key(1)]),
    "batch_delete": lambda: Thread.batch_delete([key(1)]),
    "create_table": lambda: dynamix.create_table(Thread),
}


@pytest.mark.parametrize(
    "body",
    [b"<html>welcome</html>", b"[]", b'"ok"', b"null", b"", b"[" * 100_000, b"\xff\xfe"],
    ids=["HTML", "list", "text", "null", "empty", "deep", "no UTF-8"],
)
@pytest.mark.parametrize("operation", EVERY_OPERATION.values(), ids=EVERY_OPERATION)
def test_a_server_that_takes_everything(operation: Callable[[], object], body: bytes) -> None:
    """A server that answers 200 to whatever it is asked is not taken for DynamoDB by any operation."""
    with serving(answer(200, body)), pytest.raises((dynamix.InvalidAnswerError, dynamix.OutcomeUnknownError)):
        operation()


@pytest.mark.parametrize("body", [b"{}", b'{"ok": true}'])
@pytest.mark.parametrize(
    "name",
    ["batch_get", "query", "scan", "count", "item_count", "commit", "batch_write", "batch_delete", "create_table"],
)
def test_an_answer_without_what_is_due(name: str, body: bytes) -> None:
    """An answer without the members that the operation always has is not taken for success, nor for "nothing there"."""
    with serving(answer(200, body)), pytest.raises((dynamix.InvalidAnswerError, dynamix.OutcomeUnknownError)):
        EVERY_OPERATION[name]()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("get", {"Item": {}}),
        ("get", {"Item": {"forum_id": 5, "thread_id": {"S": "t"}}}),
        ("scan", {"Items": [{"forum_id": {"S": "f"}}]}),
        ("scan", {"Items": ["x"]}),
        ("scan", {"Items": {}}),
        ("commit", {"Attributes": {"updated_at": {"N": "5"}}}),
        ("batch_write", {"UnprocessedItems": {"thread": [{"PutRequest": {"Item": {"forum_id": {"S": "other"}}}}]}}),
        ("batch_write", {"UnprocessedItems": {"thread": [{"PutRequest": {}}]}}),
        ("batch_write", {"UnprocessedItems": {"thread": [{}]}}),
        ("create_table", {"Table": {}}),
    ],
)
def test_an_answer_that_cannot_be_true(name: str, body: dict[str, object]) -> None:
    """An item without its key, and a member of another form than the service's, are errors of dynamix, not values."""
    with serving(answer(200, json.dumps(body).encode())), pytest.raises(dynamix.DynamixError):
        EVERY_OPERATION[name]()
