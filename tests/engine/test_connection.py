"""One connection of the server: when it is late, by a clock that the test moves."""

import asyncio
from collections.abc import Iterator

import pytest

from dynamix.engine.http.answers import answer
from dynamix.engine.http.connection import Connection
from dynamix.engine.http.names import Names
from dynamix.engine.http.reader import Request
from engine.served import request


class Loop(asyncio.SelectorEventLoop):
    """A loop that never runs, at a time that is set."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Wire(asyncio.Transport):
    """Takes what is written, as far as the client reads."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.written = b""
        self.reads = True
        self._connection = connection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        if not self.reads:
            self._connection.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """The client is not read."""

    def resume_reading(self) -> None:
        """It is read again."""


class Host:
    """Answers each request, or none yet where `answers` is false."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.names = Names((), any_host=True)
        self.buffer = memoryview(bytearray(4096))
        self.grace = 1.0
        self.unfinished = 0
        self.answers = True

    def answer(self, connection: Connection, request: Request) -> bytes | None:
        return answer(200, b"{}") if self.answers else None

    def has_lost(self, connection: Connection) -> None:
        """Nothing is kept."""


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.loop.close()


@pytest.fixture
def connection(host: Host) -> Connection:
    connection = Connection(host)
    connection.connection_made(Wire(connection))
    return connection


def receive(host: Host, connection: Connection, data: bytes) -> None:
    host.buffer[: len(data)] = data
    connection.buffer_updated(len(data))


WHOLE = request("GetItem", b"{}")


def test_each_request_has_its_own_time(host: Host, connection: Connection) -> None:
    """A client that sends one after the other, the next begun with each, is late only with what is not whole."""
    receive(host, connection, WHOLE[:10])
    assert connection.began == 0
    for now in range(1, 100):
        host.loop.now = now
        receive(host, connection, WHOLE[10:] + WHOLE[:10])
        assert connection.began == now
    host.loop.now = 200
    receive(host, connection, WHOLE[10:20])
    assert connection.began == 99
    receive(host, connection, WHOLE[20:])
    assert connection.began is None
    assert connection.is_idle


def test_an_answer_that_is_not_taken_has_its_time(host: Host, connection: Connection) -> None:
    """It counts from when it was written; what came behind it, half, from when it was taken."""
    transport = connection._transport
    assert isinstance(transport, Wire)
    transport.reads = False
    host.loop.now = 5
    receive(host, connection, WHOLE + WHOLE[:10])
    assert connection.began == 5
    assert not connection.is_idle
    transport.reads = True
    host.loop.now = 30
    connection.resume_writing()
    assert connection.began == 30
    assert not connection.is_idle


def test_what_the_engine_takes_is_not_the_clients_time(host: Host, connection: Connection) -> None:
    """While an answer is owed the client is not late; what it has begun counts from the answer on."""
    host.answers = False
    receive(host, connection, WHOLE + WHOLE[:10])
    assert connection.owes
    host.loop.now = 100
    connection.answer(answer(200, b"{}"))
    assert connection.began == 100


def test_nothing_is_parsed_while_an_answer_is_owed(host: Host, connection: Connection) -> None:
    """What comes meanwhile is kept as it is, and served in its turn."""
    host.answers = False
    transport = connection._transport
    assert isinstance(transport, Wire)
    receive(host, connection, WHOLE)
    receive(host, connection, WHOLE + WHOLE[:10])
    assert not connection._reader.arrived
    assert not connection._reader.has_begun
    host.answers = True
    connection.answer(answer(200, b"{}"))
    assert transport.written.count(b" 200 OK") == 2
    assert connection._reader.has_begun
