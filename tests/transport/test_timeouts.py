"""Whatever a server does or leaves undone, an operation ends in time, with an error that says what was waited for."""

import socket
import threading
from typing import Any

import pytest
from black_holes import black_hole
from peer import SECONDS, Conversation, always, answer, peer
from sides import Side

import dynamix
from dynamix import Connection

SHORT: Any = {"read_timeout": 0.1, "connect_timeout": SECONDS, "max_attempts": 2, "retry_delay": 0.001}


def test_a_server_that_never_answers(side: Side) -> None:
    """A read is sent again and then ends in a RequestTimeoutError; a write has an unknown outcome; none is kept."""
    ended = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.wait_for_end()
        ended.release()

    with peer(talk) as there, Connection(is_local_endpoint=there.address, **SHORT) as connection:
        with pytest.raises(dynamix.RequestTimeoutError, match=r"no whole answer within 0\.1 s") as caught:
            side.ask(connection)
        assert caught.value.sent
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(dynamix.OutcomeUnknownError, match=r"no whole answer within 0\.1 s"):
            side.write(connection)
        for _ in range(3):
            assert ended.acquire(timeout=SECONDS)
        assert there.connections == 3
        side.close(connection)


def test_bytes_that_trickle_do_not_stretch_the_time(side: Side) -> None:
    """The time is that of the whole answer: a server that sends a byte now and then is given up like a silent one."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not given_up.wait(0.01):
            conversation.send(b" ")

    given_up = threading.Event()
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **SHORT) as connection:
        with pytest.raises(dynamix.OutcomeUnknownError, match=r"no whole answer within 0\.1 s"):
            side.write(connection)
        given_up.set()
        side.close(connection)


def test_a_flood_does_not_stretch_the_time(side: Side) -> None:
    """A server that sends without end is given up at the same time, however busy it keeps the client."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.connected.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                conversation.connected.sendall(b"1\r\n \r\n")
        except OSError:
            return

    with peer(talk) as there, Connection(is_local_endpoint=there.address, **SHORT) as connection:
        with pytest.raises(dynamix.OutcomeUnknownError, match=r"no whole answer within 0\.1 s"):
            side.write(connection)
        side.close(connection)


def test_a_server_that_does_not_take_the_request(side: Side) -> None:
    """A request that the server did not read to its end cannot have been applied; the error says it was not sent."""
    over = threading.Event()

    def talk(conversation: Conversation) -> None:
        conversation.connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        over.wait(SECONDS)

    with peer(talk) as there, Connection(is_local_endpoint=there.address, **SHORT) as connection:
        with pytest.raises(dynamix.RequestTimeoutError, match=r"within 0\.1 s") as caught:
            side.ask(connection, "UpdateItem", {"text": "x" * 20_000_000}, repeatable=False)
        assert not caught.value.sent
        over.set()
        side.close(connection)


def test_an_answer_in_time_is_taken(side: Side) -> None:
    """An answer in small pieces is put together, and the time of one request is not that of the next."""

    def talk(conversation: Conversation) -> None:
        while conversation.read() is not None:
            for byte in answer(b'{"whole": true}'):
                conversation.send(bytes([byte]))

    with peer(talk) as there, Connection(is_local_endpoint=there.address, read_timeout=SECONDS) as connection:
        for _ in range(3):
            assert side.ask(connection) == {"whole": True}
        assert there.connections == 1
        side.close(connection)


def test_a_connection_into_a_black_hole(side: Side) -> None:
    """A machine that answers nothing at all is given up after the time for a connection; nothing was sent."""
    options: Any = {"connect_timeout": 0.1, "max_attempts": 2, "retry_delay": 0.001}
    with black_hole() as address, Connection(is_local_endpoint=address, **options) as connection:
        with pytest.raises(dynamix.ConnectError, match=r"cannot connect to http://127.*: not within 0\.1 s") as caught:
            side.write(connection)
        assert not caught.value.sent
        side.close(connection)


def test_a_name_that_does_not_exist(side: Side) -> None:
    """A host that cannot be found is a failed connection."""
    with (
        Connection(is_local_endpoint=("no-such-host.invalid", 8000), max_attempts=1) as connection,
        pytest.raises(dynamix.ConnectError, match=r"cannot connect to http://no-such-host\.invalid:8000/"),
    ):
        side.ask(connection)


def test_one_slow_request_does_not_hold_up_another(side: Side) -> None:
    """While one request runs into its timeout, others are answered."""

    def talk(conversation: Conversation) -> None:
        if conversation.number == 0:
            conversation.read()
            arrived.set()
            conversation.wait_for_end()
        else:
            always(answer(b'{"quick": true}'))(conversation)

    arrived = threading.Event()
    options: Any = {"read_timeout": 0.2, "max_attempts": 1}
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **options) as connection:
        slow = side.start(connection)
        assert arrived.wait(SECONDS)
        assert side.ask(connection) == {"quick": True}
        with pytest.raises(dynamix.RequestTimeoutError):
            slow.result(SECONDS)
        side.close(connection)
