"""After a fork the parent and the child both go on, and share no socket."""

import asyncio
import gc
import json
import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from authority import bundle, server_context
from peer import SECONDS, Conversation, Peer, answer, peer
from sides import KEYS, asked

from dynamix import Connection

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # it is what these tests are about
]


def in_child(work: Callable[[], bool]) -> Callable[[], bool]:
    """Forks; the child does this work and ends. What is returned waits for it, and says whether the work was right."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(SECONDS)  # which ends a child that hangs
            status = 0 if work() else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return lambda: os.waitpid(child, 0)[1] == 0


class Numbering:
    """Answers each request with the number of its connection."""

    def talk(self, conversation: Conversation) -> None:
        """What is done on each connection."""
        while conversation.read() is not None:
            conversation.send(answer(b'{"connection": %d}' % conversation.number))


def ask(connection: Connection) -> int:
    """The number of the connection that a request travels on."""
    return int(connection.run(asked(connection, "GetItem", {}, repeatable=True))["connection"])


async def aask(connection: Connection) -> int:
    """The same under asyncio."""
    return int((await connection.arun(asked(connection, "GetItem", {}, repeatable=True)))["connection"])


def sockets_to(there: Peer) -> list[socket.socket]:
    """All sockets of this process that are connected to a peer."""
    found = []
    for thing in gc.get_objects():
        if isinstance(thing, socket.socket) and thing.fileno() >= 0:
            try:
                to = thing.getpeername()
            except OSError:
                continue
            if to == there.address:
                found.append(thing)
    return found


def test_parent_and_child_have_connections_of_their_own() -> None:
    """The parent keeps its warm connection; the child makes one, and a grandchild another."""

    def child() -> bool:
        if sockets_to(there):
            return False
        own = ask(connection)
        grandchild = in_child(lambda: ask(connection) not in (0, own))
        return own != 0 and grandchild() and ask(connection) == own

    with peer(Numbering().talk) as there, Connection(is_local_endpoint=there.address) as connection:
        assert ask(connection) == 0
        assert in_child(child)()
        assert ask(connection) == 0
        assert there.connections == 3


def test_a_fork_while_requests_travel_and_wait() -> None:
    """The child of a busy parent has all its places free and none of its sockets; the parent gets its answers."""
    arrived, released = threading.Semaphore(0), threading.Event()

    def talk(conversation: Conversation) -> None:
        while (request := conversation.read()) is not None:
            if json.loads(request.body) == "hold":
                arrived.release()
                assert released.wait(SECONDS)
            conversation.send(answer(b'{"connection": %d}' % conversation.number))

    def child() -> bool:
        return not sockets_to(there) and ask(connection) > 1 and ask(connection) > 1

    with (
        peer(talk) as there,
        Connection(is_local_endpoint=there.address, max_connections=2) as connection,
        ThreadPoolExecutor(3) as threads,
    ):
        flows = [asked(connection, "GetItem", body, repeatable=True) for body in ("hold", "hold", "wait")]
        asking = [threads.submit(connection.run, flow) for flow in flows[:2]]
        for _ in asking:
            assert arrived.acquire(timeout=SECONDS)
        asking.append(threads.submit(connection.run, flows[2]))
        transport: Any = connection._transport
        while not transport._pool._waiters:
            pass
        right = in_child(child)
        assert right()
        released.set()
        assert {one.result(SECONDS)["connection"] for one in asking} == {0, 1}
        assert there.connections == 3


def test_a_fork_after_asyncio() -> None:
    """A child goes on with loops of its own, or blocking, where the parent has used the connection from asyncio."""

    def child() -> bool:
        return asyncio.run(aask(connection)) > 0 and ask(connection) > 0

    with peer(Numbering().talk) as there, Connection(is_local_endpoint=there.address) as connection:
        assert asyncio.run(aask(connection)) == 0
        assert in_child(child)()
        assert asyncio.run(aask(connection)) > 0


def test_a_fork_inside_a_running_loop() -> None:
    """A child that was forked by a coroutine uses the connection; the parent's loop goes on with its own."""

    async def main() -> None:
        assert await aask(connection) == 0
        right = in_child(lambda: ask(connection) > 0 and asyncio.run(aask(connection)) > 0)
        assert await asyncio.to_thread(right)
        assert await aask(connection) == 0

    with peer(Numbering().talk) as there, Connection(is_local_endpoint=there.address) as connection:
        asyncio.run(main())


def test_a_loop_that_both_use_after_a_fork() -> None:
    """Where parent and child go on with the same loop, the child leaves the parent's connection alone."""
    with peer(Numbering().talk) as there, Connection(is_local_endpoint=there.address) as connection:
        loop = asyncio.SelectorEventLoop()
        assert loop.run_until_complete(aask(connection)) == 0
        assert in_child(lambda: loop.run_until_complete(aask(connection)) > 0)()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def test_a_fork_while_another_thread_opens_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is not held up by what a thread of its parent was about to read."""
    quick, slow = bundle(tmp_path), tmp_path / "slow"
    os.mkfifo(slow)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(slow))

    def child() -> bool:
        os.environ["AWS_CA_BUNDLE"] = str(quick)
        return ask(connection) == 0

    with peer(Numbering().talk, server_context("127.0.0.1")) as there, ThreadPoolExecutor(1) as threads:
        connection = Connection(endpoint_url=f"https://127.0.0.1:{there.port}", **KEYS)
        asking = threads.submit(ask, connection)
        with open(slow, "w") as writer:  # returns when the thread reads
            assert in_child(child)()
            writer.write(quick.read_text())
        assert asking.result(SECONDS) == 1
        connection.close()


def test_a_fork_while_another_thread_gets_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child asks for credentials itself, where a thread of its parent was waiting for some."""
    quick, slow, script, config = (tmp_path / name for name in ("quick", "slow", "script", "config"))
    os.mkfifo(slow)
    script.write_text(f"if [ -e {quick} ]; then cat {quick}; else cat {slow}; fi")
    config.write_text(f"[default]\ncredential_process = sh {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    keys = json.dumps({"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "verySecretKey"})

    def child() -> bool:
        quick.write_text(keys)
        return ask(connection) == 0

    with peer(Numbering().talk) as there, ThreadPoolExecutor(1) as threads:
        # 0.0.0.0 is not local by its name, so credentials are looked up
        connection = Connection(endpoint_url=f"http://0.0.0.0:{there.port}", region_name="eu-west-1")
        asking = threads.submit(ask, connection)
        with open(slow, "w") as writer:  # returns when the process reads
            assert in_child(child)()
            writer.write(keys)
        assert asking.result(SECONDS) == 1
        connection.close()
