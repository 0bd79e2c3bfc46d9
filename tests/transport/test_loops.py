"""The asyncio side: cancelled at every step, in loops that end and follow each other, closed from anywhere."""

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import pytest
from authority import bundle, server_context
from loops import NAMES, Run, runner
from peer import SECONDS, Conversation, Peer, always, answer, forwarding_to, peer
from sides import KEYS, Side, asked, one_side

from dynamix import Connection


@pytest.fixture(params=NAMES)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in each kind of event loop in turn."""
    return runner(request.param)


async def ask(connection: Connection, body: Any = None) -> Any:
    """The answer to one request."""
    return await connection.arun(asked(connection, "GetItem", body or {}, repeatable=True))


def echo(conversation: Conversation) -> None:
    """Answers each request with its own body."""
    while (request := conversation.read()) is not None:
        conversation.send(answer(request.body))


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' authority is trusted."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle(tmp_path)))


def echo_once(conversation: Conversation) -> None:
    """Answers one request with its own body, and says that the connection ends."""
    if (request := conversation.read()) is not None:
        conversation.send(answer(request.body, "Connection: close"))
        conversation.wait_for_end()


async def cancel_at_every_step(url: str) -> None:
    """Cancels a request after one step of the loop, after two, ...; each time the next one gets its own answer."""
    async with Connection(endpoint_url=url, max_connections=1, **KEYS) as connection:
        for steps in range(40):
            task = asyncio.create_task(ask(connection, {"cancelled": steps}))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() or task.result() == {"cancelled": steps}
            assert await ask(connection, {"next": steps}) == {"next": steps}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("way", ["HTTP", "TLS", "tunnel"])
def test_cancelled_at_every_step(way: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request may be cancelled at any moment of connecting, tunnelling, shaking hands, sending and waiting."""

    def use(there: Peer, host: str) -> None:
        url = f"http{'' if way == 'HTTP' else 's'}://{host}:{there.port}"
        run(lambda: cancel_at_every_step(url))

    with peer(echo_once, None if way == "HTTP" else server_context("127.0.0.1", "tables.example")) as there:
        if way != "tunnel":
            use(there, "127.0.0.1")
            return
        with peer(forwarding_to(there)) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            use(there, "tables.example")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("secure", [False, True], ids=["HTTP", "TLS"])
def test_a_loop_may_end_with_connections_open(secure: bool, run: Run) -> None:
    """Nothing need be closed: each loop ends cleanly, its connections with it, and the next one has its own."""
    ended = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        echo(conversation)
        ended.release()

    with peer(talk, server_context("127.0.0.1") if secure else None) as there:
        connection = Connection(endpoint_url=f"http{'s' if secure else ''}://127.0.0.1:{there.port}", **KEYS)

        async def main() -> None:
            assert await asyncio.gather(*(ask(connection, {"n": n}) for n in range(5))) == [{"n": n} for n in range(5)]

        for _ in range(3):
            opened = there.connections
            run(main)
            for _ in range(there.connections - opened):
                assert ended.acquire(timeout=SECONDS)
        connection.close()


def test_a_loop_may_come_while_those_that_ended_are_forgotten() -> None:
    """A loop that begins in another thread, at the moment when this one looks through the loops, is no obstacle."""

    class Loop(asyncio.SelectorEventLoop):
        is_watched = False

        def is_closed(self) -> bool:
            if self.is_watched:
                self.is_watched = False
                thread = threading.Thread(target=lambda: asyncio.run(ask(connection)))
                thread.start()
                thread.join()
            return super().is_closed()

    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address) as connection:
        first = Loop()
        first.run_until_complete(ask(connection))
        first.is_watched = True
        asyncio.run(ask(connection))
        assert not first.is_watched
        first.run_until_complete(first.shutdown_asyncgens())
        first.close()


@pytest.mark.parametrize("name", NAMES)
def test_closing_from_another_thread(name: str) -> None:
    """A blocking close ends the idle connections of a loop that runs elsewhere."""
    ended = threading.Event()

    def talk(conversation: Conversation) -> None:
        echo(conversation)
        ended.set()

    with one_side(name) as side, peer(talk) as there, Connection(is_local_endpoint=there.address) as connection:
        side.ask(connection)
        connection.close()
        assert ended.wait(SECONDS)


def test_a_connection_that_is_dropped_ends_its_sockets(side: Side) -> None:
    """A Connection that nobody holds any more ends its sockets without complaint, though nobody closed it."""
    ended = threading.Event()

    def talk(conversation: Conversation) -> None:
        echo(conversation)
        ended.set()

    with peer(talk) as there:
        side.ask(Connection(is_local_endpoint=there.address))
        gc.collect()
        assert ended.wait(SECONDS)


def test_blocking_calls_and_tasks_share_a_connection(run: Run) -> None:
    """Threads and tasks that use one Connection at once get the answers to their own requests."""

    def block(number: int) -> bool:
        bodies = [{"thread": number, "n": n} for n in range(20)]
        return [connection.run(asked(connection, "GetItem", body, repeatable=True)) for body in bodies] == bodies

    async def main() -> None:
        blocking = [asyncio.to_thread(block, number) for number in range(4)]
        tasks = [ask(connection, {"task": n}) for n in range(200)]
        answers = await asyncio.gather(*blocking, *tasks)
        assert answers == [True] * 4 + [{"task": n} for n in range(200)]

    with peer(echo) as there, Connection(is_local_endpoint=there.address, max_connections=4) as connection:
        run(main)
        assert there.connections <= 8


def test_a_thousand_requests_at_once(run: Run) -> None:
    """A thousand tasks share `max_connections` connections, and each gets its own answer."""

    async def main() -> None:
        bodies = [{"n": n} for n in range(1000)]
        async with Connection(is_local_endpoint=there.address, max_connections=10, connect_timeout=60) as connection:
            assert await asyncio.gather(*(ask(connection, body) for body in bodies)) == bodies

    with peer(echo) as there:
        run(main)
        assert there.connections == 10
