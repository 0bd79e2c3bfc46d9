"""The pool of connections: kept, counted, waited for, and replaced without anybody noticing."""

import json
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest
from peer import SECONDS, Conversation, always, answer, peer
from sides import KEYS, LOOPS, Side, asked

import dynamix
from dynamix import Connection
from dynamix.transport.http import asynchronous, blocking

ONCE: Any = {"max_attempts": 1}
QUICK: Any = {"retry_delay": 0.001}


def echo(conversation: Conversation) -> None:
    """Answers each request with its own body."""
    while (request := conversation.read()) is not None:
        conversation.send(answer(request.body))


class Held:
    """Holds each request until the test lets it go."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self._released = threading.Semaphore(0)

    def talk(self, conversation: Conversation) -> None:
        """Answers each request with its own body, when it is let go."""
        while (request := conversation.read()) is not None:
            self.arrived.release()
            assert self._released.acquire(timeout=SECONDS)
            conversation.send(answer(request.body))

    def wait(self, count: int = 1) -> None:
        """Returns when so many more requests have arrived."""
        for _ in range(count):
            assert self.arrived.acquire(timeout=SECONDS)

    def release(self, count: int = 1) -> None:
        """Lets so many requests go."""
        self._released.release(count)


def test_a_connection_is_kept(side: Side) -> None:
    """Requests one after another travel on one connection."""
    with peer(echo) as there, Connection(is_local_endpoint=there.address) as connection:
        assert [side.ask(connection, body={"n": n}) for n in range(5)] == [{"n": n} for n in range(5)]
        assert there.connections == 1
        side.close(connection)


@pytest.mark.parametrize(
    "last",
    [
        answer(b"{}", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["it says so", "HTTP/1.0"],
)
def test_a_connection_that_the_server_will_close_is_not_kept(side: Side, last: bytes) -> None:
    """After `Connection: close`, and after an answer of HTTP/1.0, the next request gets a new connection."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(last)
        conversation.wait_for_end()

    with peer(talk) as there, Connection(is_local_endpoint=there.address, max_connections=1) as connection:
        for _ in range(3):
            side.write(connection)
        assert there.connections == 3
        assert len(there.requests) == 3


def test_http_1_0_can_keep_a_connection(side: Side) -> None:
    """An answer of HTTP/1.0 that says `Connection: keep-alive` leaves the connection open."""
    kept = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"
    with peer(always(kept)) as there, Connection(is_local_endpoint=there.address) as connection:
        side.ask(connection)
        side.ask(connection)
        assert there.connections == 1
        side.close(connection)


@pytest.mark.parametrize("how", ["end", "reset", "unasked answer"])
def test_a_connection_that_ended_while_idle_is_replaced(side: Side, how: str) -> None:
    """What happened to an idle connection is no error, not even for a write that must not be repeated."""
    over = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        assert conversation.read() is not None
        conversation.send(answer(b'{"right": true}'))
        if how == "end":
            conversation.connected.close()
        elif how == "reset":
            asked.acquire(timeout=SECONDS)  # an RST would take an answer that is not read yet with it
            conversation.reset()
        else:
            asked.acquire(timeout=SECONDS)
            conversation.send(b'HTTP/1.1 408 X\r\nContent-Length: 15\r\n\r\n{"right":false}')
        over.release()
        if how == "unasked answer":
            conversation.wait_for_end()

    asked = threading.Semaphore(0)
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **ONCE) as connection:
        for _ in range(3):
            assert side.write(connection) == {"right": True}
            asked.release()
            assert over.acquire(timeout=SECONDS)
        assert there.connections == len(there.requests) == 3
        side.close(connection)


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_connection_that_ends_as_a_request_is_sent(side: Side, how: str) -> None:
    """A read is sent again on a new connection; a write that may have arrived is not, and its outcome is unknown."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(answer())
        if conversation.read() is not None and how == "reset":
            conversation.reset()

    with peer(talk) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        side.ask(connection)
        assert side.ask(connection) == {}
        assert (there.connections, len(there.requests)) == (2, 3)
        with pytest.raises(dynamix.OutcomeUnknownError) as caught:
            side.write(connection)
        assert caught.value.sent
        assert isinstance(caught.value.__cause__, dynamix.ConnectionLostError)
        assert (there.connections, len(there.requests)) == (2, 4)
        side.close(connection)


def test_a_connection_that_was_idle_for_long_is_not_used(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that has been idle for longer than servers keep one is closed, and a new one is made."""
    for module in (blocking, asynchronous):
        monkeypatch.setattr(module, "IDLE_SECONDS", -1.0)
    ended = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        echo(conversation)
        ended.release()

    with peer(talk) as there, Connection(is_local_endpoint=there.address) as connection:
        for number in range(1, 4):
            side.ask(connection)
            assert there.connections == number
        for _ in range(2):
            assert ended.acquire(timeout=SECONDS)
        side.close(connection)


def test_idle_connections_grow_few(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """When fewer connections are needed than before, those that are left over are closed in time."""
    held = Held()
    ended = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        held.talk(conversation)
        ended.release()

    with peer(talk) as there, Connection(is_local_endpoint=there.address) as connection:
        many = [side.start(connection) for _ in range(4)]
        held.wait(4)
        held.release(4)
        assert [one.result(SECONDS) for one in many] == [{}] * 4
        one = side.start(connection)  # which has the youngest of the four
        held.wait()
        for module in (blocking, asynchronous):
            monkeypatch.setattr(module, "IDLE_SECONDS", -1.0)
        held.release()
        assert one.result(SECONDS) == {}
        assert ended.acquire(timeout=SECONDS)
        assert there.connections == 4
        side.close(connection)


def test_a_connection_that_ends_on_its_way_to_who_waits(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for a connection and is handed one that cannot be used any more closes it and makes a new one."""
    held = Held()
    ended = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        held.talk(conversation)
        ended.release()

    with peer(talk) as there, Connection(is_local_endpoint=there.address, max_connections=1) as connection:
        many = [side.start(connection) for _ in range(2)]
        held.wait()
        for module in (blocking, asynchronous):
            monkeypatch.setattr(module, "IDLE_SECONDS", -1.0)
        held.release()
        held.wait()
        assert ended.acquire(timeout=SECONDS)
        held.release()
        assert [one.result(SECONDS) for one in many] == [{}] * 2
        assert there.connections == 2
        side.close(connection)


def test_many_share_few_connections(side: Side) -> None:
    """However many ask at once, no more than `max_connections` are open, all are used, and each gets its own answer."""
    meeting = threading.Barrier(3)

    def talk(conversation: Conversation) -> None:
        while (request := conversation.read()) is not None:
            meeting.wait(SECONDS)
            conversation.send(answer(request.body))

    with peer(talk) as there, Connection(is_local_endpoint=there.address, max_connections=3) as connection:
        asking = [side.start(connection, body={"n": n}) for n in range(60)]
        assert [one.result(SECONDS) for one in asking] == [{"n": n} for n in range(60)]
        assert there.connections == 3
        side.close(connection)


def test_threads_do_not_disturb_each_other() -> None:
    """Sixteen threads, each with many requests on few connections: each gets the answers to its own."""

    def work(number: int) -> bool:
        bodies = [{"thread": number, "n": n} for n in range(40)]
        return [connection.run(asked(connection, "GetItem", body, repeatable=True)) for body in bodies] == bodies

    with (
        peer(echo) as there,
        Connection(is_local_endpoint=there.address, max_connections=5) as connection,
        ThreadPoolExecutor(16) as threads,
    ):
        assert all(threads.map(work, range(16)))
        assert there.connections <= 5


def test_who_waits_for_a_connection_is_served_first(side: Side) -> None:
    """A connection that comes back goes to who waits longest, not to who asks next."""
    held = Held()
    with peer(held.talk) as there, Connection(is_local_endpoint=there.address, max_connections=1) as connection:
        first = side.start(connection, body={"n": 0})
        held.wait()
        waiting = []
        for number in range(1, 4):
            waiting.append(side.start(connection, body={"n": number}))
            side.wait_for_waiters(connection, number)
        held.release(4)
        assert first.result(SECONDS) == {"n": 0}
        assert [one.result(SECONDS) for one in waiting] == [{"n": 1}, {"n": 2}, {"n": 3}]
        assert [json.loads(request.body)["n"] for request in there.requests] == [0, 1, 2, 3]
        side.close(connection)


def test_who_waits_for_a_connection_sleeps() -> None:
    """A waiting thread looks at the pool when it is called, and now and then; so it keeps nobody from giving back."""
    held, looks, waits = Held(), 0, threading.Event()

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal looks
        if event == "call" and frame.f_code is blocking.BlockingPool._heal.__code__:
            looks += 1
            waits.set()

    def ask(number: int) -> Any:
        sys.setprofile(count if number else None)
        try:
            return connection.run(asked(connection, "GetItem", {"n": number}, repeatable=True))
        finally:
            sys.setprofile(None)

    with (
        peer(held.talk) as there,
        Connection(is_local_endpoint=there.address, max_connections=1) as connection,
        ThreadPoolExecutor(2) as threads,
    ):
        first = threads.submit(ask, 0)
        held.wait()
        second = threads.submit(ask, 1)
        assert waits.wait(SECONDS)
        since = time.monotonic()
        time.sleep(0.2)
        looked = looks
        held.release(2)
        assert looked <= 2 + (time.monotonic() - since) / blocking.LOOK_AGAIN_SECONDS
        assert [first.result(SECONDS), second.result(SECONDS)] == [{"n": 0}, {"n": 1}]


def test_waiting_for_a_connection_has_an_end(side: Side) -> None:
    """Who waits in vain for `read_timeout` seconds is told that all connections are busy; nothing was sent."""
    connecting, over = threading.Event(), threading.Event()

    def talk(_: Conversation) -> None:
        connecting.set()
        over.wait(SECONDS)

    with peer(talk) as there:
        connection = Connection(
            endpoint_url=f"https://127.0.0.1:{there.port}", read_timeout=0.05, max_connections=1, **ONCE, **KEYS
        )
        holder = side.start(connection)
        assert connecting.wait(SECONDS)
        with pytest.raises(dynamix.RequestTimeoutError, match=r"all 1 connections .* max_connections") as caught:
            side.write(connection)
        assert not caught.value.sent
        over.set()
        with pytest.raises(dynamix.ConnectError):
            holder.result(SECONDS)
        side.close(connection)


def test_a_connection_that_cannot_be_made_gives_its_place_to_who_waits(side: Side) -> None:
    """When the connection that all wait for comes to nothing, the next one tries in turn."""
    connecting = threading.Semaphore(0)
    over = threading.Event()

    def talk(_: Conversation) -> None:
        connecting.release()
        over.wait(SECONDS)

    with peer(talk) as there:
        connection = Connection(endpoint_url=f"https://127.0.0.1:{there.port}", max_connections=1, **ONCE, **KEYS)
        asking = [side.start(connection)]
        assert connecting.acquire(timeout=SECONDS)
        asking += [side.start(connection) for _ in range(3)]
        side.wait_for_waiters(connection, 3)
        over.set()
        for one in asking:
            with pytest.raises(dynamix.ConnectError):
                one.result(SECONDS)
        assert there.connections == 4
        side.close(connection)


def test_closing_lets_what_is_under_way_end(side: Side) -> None:
    """A request that travels, and one that waits for its connection, are answered after close; a new one is refused.
    The connection ends with the last of them."""
    held = Held()
    ended = threading.Event()

    def talk(conversation: Conversation) -> None:
        held.talk(conversation)
        ended.set()

    with peer(talk) as there, Connection(is_local_endpoint=there.address, max_connections=1) as connection:
        travelling = side.start(connection, body={"n": 1})
        held.wait()
        waiting = side.start(connection, body={"n": 2})
        side.wait_for_waiters(connection, 1)
        side.close(connection)
        with pytest.raises(dynamix.ConnectionException, match="was closed"):
            side.ask(connection)
        held.release(2)
        assert (travelling.result(SECONDS), waiting.result(SECONDS)) == ({"n": 1}, {"n": 2})
        assert ended.wait(SECONDS)


def test_closing_ends_idle_connections(side: Side) -> None:
    """The server sees the end of an idle connection as soon as it is closed."""
    ended = threading.Event()

    def talk(conversation: Conversation) -> None:
        echo(conversation)
        ended.set()

    with peer(talk) as there, Connection(is_local_endpoint=there.address) as connection:
        side.ask(connection)
        side.close(connection)
        assert ended.wait(SECONDS)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads here")
def test_an_interrupted_request_leaves_nothing_behind() -> None:
    """A signal handler that raises ends the connection; the late answer meets nobody's request."""

    class Interrupted(BaseException):
        pass

    came, late = threading.Event(), threading.Event()

    def interrupt(*_: object) -> None:
        if not came.is_set():
            came.set()
            raise Interrupted

    def talk(conversation: Conversation) -> None:
        request = conversation.read()
        assert request is not None
        if conversation.number == 0:
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGUSR1)
            while not came.wait(0.2):  # one that comes just before the main thread waits does not wake it
                signal.pthread_kill(main, signal.SIGUSR1)
            assert late.wait(SECONDS)
        conversation.send(answer(request.body))
        conversation.wait_for_end()

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with peer(talk) as there, Connection(is_local_endpoint=there.address, max_connections=1) as connection:
            with pytest.raises(Interrupted):
                connection.run(asked(connection, "GetItem", {"n": 1}, repeatable=True))
            late.set()
            assert connection.run(asked(connection, "GetItem", {"n": 2}, repeatable=True)) == {"n": 2}
            assert there.connections == 2
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("side", LOOPS, indirect=True)
def test_a_closed_pool_leaves_its_loop_nothing_to_end(side: Side) -> None:
    """Once the last connection of a pool that was closed has ended, nothing is left for the end of the event loop."""
    assert side.loop is not None
    held = Held()
    with peer(held.talk) as there, Connection(is_local_endpoint=there.address) as connection:
        answer_ = side.start(connection)
        held.wait()
        transport: Any = connection._transport
        pool = transport._pools[side.loop]
        side.close(connection)
        assert pool._guard is not None
        held.release()
        answer_.result(SECONDS)
        assert pool._guard is None
