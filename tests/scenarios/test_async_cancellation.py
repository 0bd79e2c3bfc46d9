"""A task may be cancelled at any moment; the connection goes on, and every later answer belongs to its own request."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Coroutine, Iterator
from typing import Any

import msgspec
import pytest
from forum import Thread, key
from loops import NAMES, Run, runner
from scripted import SECONDS, Counting, Holding, serving

import dynamix


@pytest.fixture(params=NAMES)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in each kind of event loop in turn."""
    return runner(request.param)


def create_threads(count: int, size: int = 1) -> None:
    """A table with threads t0000, t0001, ... with titles of this size that end in their number."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(n), "title": f"{'x' * size} {n}"} for n in range(count)])


async def title(number: int) -> int:
    """The number at the end of a thread's title, which is the thread's own."""
    thread = await Thread.aget(**key(number))
    assert thread is not None
    assert thread.title is not None
    return int(thread.title.split()[-1])


async def cancel(task: "asyncio.Task[Any]") -> None:
    """Cancels a task, which then ends as cancelled."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@contextlib.contextmanager
def fresh(connection: dynamix.Connection) -> Iterator[None]:
    """Uses another connection to the same place, with nothing looked up and nothing open."""
    with dynamix.Connection(**connection._options) as another, dynamix.use_connection(another):
        yield


async def pause(times: int = 20) -> None:
    """Lets other tasks go as far as they can without an answer."""
    for _ in range(times):
        await asyncio.sleep(0)


def start(operation: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """An operation in a task of its own."""
    return asyncio.create_task(operation)


async def ended(request: Any) -> None:
    """Returns when the connection of a request is closed."""
    await asyncio.to_thread(request.connection.join, SECONDS)
    assert not request.connection.is_alive()


async def read_request(reader: asyncio.StreamReader) -> None:
    """Reads one request to its end."""
    length = 0
    while line := (await reader.readline()).strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    await reader.readexactly(length)


async def timed(seconds: float, operation: Awaitable[Any]) -> None:
    """Gives an operation so much time, which is not enough."""

    async def within() -> None:
        async with asyncio.timeout(seconds):
            await operation

    with pytest.raises(TimeoutError):
        await within()


# Before anything is sent


def test_cancelled_before_its_first_step(run: Run) -> None:
    """A task that is cancelled before it began, and one whose connection is not looked up yet, send nothing."""
    server = Holding("GetItem")

    async def main() -> None:
        await cancel(start(title(0)))
        task = start(title(0))
        await asyncio.sleep(0)
        await cancel(task)
        following = start(title(1))
        request = await server.anext()
        assert request.body["Key"]["thread_id"] == {"S": "t0001"}
        request.answer()
        assert await following == 1
        assert server.count == 1

    with serving(server) as connection:
        create_threads(2)
        with fresh(connection):
            run(main)


def test_cancelled_while_waiting_for_a_connection(run: Run) -> None:
    """Where all connections are out, a task that waits for one may be cancelled; who waits behind it is served."""
    server = Holding("GetItem")

    async def main() -> None:
        holder = start(title(0))
        first = await server.anext()
        waiting, behind = start(title(1)), start(title(2))
        await pause()
        await cancel(waiting)
        first.answer()
        assert await holder == 0
        (await server.anext()).answer()
        assert await behind == 2
        assert server.count == 2

    with serving(server, max_connections=1):
        create_threads(3)
        run(main)


def test_cancelled_as_it_is_given_a_connection(run: Run) -> None:
    """A task that is cancelled at the moment when it is given a connection passes it on."""
    server = Holding("GetItem")

    async def main() -> None:
        async def hold() -> None:
            assert await title(0) == 0
            waiting.cancel()  # the connection is its already, and it has not run since

        holder = start(hold())
        first = await server.anext()
        waiting, behind = start(title(1)), start(title(2))
        await pause()
        first.answer()
        await holder
        with pytest.raises(asyncio.CancelledError):
            await waiting
        second = await server.anext()
        second.answer()
        assert await behind == 2
        assert second.connection is first.connection
        assert server.count == 2

    with serving(server, max_connections=1):
        create_threads(3)
        run(main)


def test_cancelled_while_connecting(run: Run) -> None:
    """A task that is cancelled during the handshake of TLS closes its connection and gives its place back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        options = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"

        async def main() -> None:
            for _ in range(2):
                task = start(title(0))
                accepted, _ = await asyncio.to_thread(listener.accept)
                with accepted:
                    accepted.settimeout(SECONDS)
                    assert await asyncio.to_thread(accepted.recv, 65536)
                    await cancel(task)
                    assert await asyncio.to_thread(accepted.recv, 65536) == b""

        connection = dynamix.Connection(endpoint_url=url, max_connections=1, **options)  # type: ignore[arg-type]
        with connection, dynamix.use_connection(connection):
            run(main)


# While an answer is awaited


@pytest.mark.parametrize("by_timeout", [False, True], ids=["cancelled", "timed"])
def test_cancelled_while_waiting_for_the_answer(run: Run, by_timeout: bool) -> None:
    """A connection whose answer is still to come is closed; the late answer meets nobody else's request."""
    server = Holding("GetItem")

    async def main() -> None:
        task = start(title(0))
        late = await server.anext()
        await (timed(0.001, task) if by_timeout else cancel(task))
        following = start(title(1))
        request = await server.anext()
        assert request.connection is not late.connection
        late.answer()
        await ended(late)
        request.answer()
        assert await following == 1

    with serving(server, max_connections=1):
        create_threads(2)
        run(main)


def test_cancelled_in_the_middle_of_an_answer(run: Run) -> None:
    """Half an answer that was read before the task was cancelled is forgotten with its connection."""

    async def main() -> None:
        closed, half_read = asyncio.Event(), asyncio.Event()
        served = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal served
            served += 1
            await read_request(reader)
            body = b'{"Item":{"forum_id":{"S":"science"},"thread_id":{"S":"t"},"title":{"S":"x %d"}}}' % served
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body[:40]))
            await writer.drain()
            if served == 1:
                half_read.set()
                assert await reader.read() == b""
                closed.set()
            else:
                writer.write(body[40:])
                await reader.read()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()[:2]
            async with dynamix.Connection(is_local_endpoint=address, max_connections=1) as connection:
                with dynamix.use_connection(connection):
                    task = start(title(0))
                    await half_read.wait()
                    await asyncio.sleep(0.01)
                    await cancel(task)
                    await closed.wait()
                    assert await title(0) == 2

    run(main)


def test_cancelled_in_a_write(run: Run) -> None:
    """A change whose task was cancelled stays queued, to be sent again or discarded."""
    server = Holding("UpdateItem")

    async def main() -> None:
        thread = Thread(**key(0))
        thread.set_field(Thread.title, "new 7")
        task = start(thread.acommit_changes())
        request = await server.anext()
        await cancel(task)
        following = start(thread.acommit_changes())
        (await server.anext()).answer()
        await following
        request.answer()
        await ended(request)
        assert await title(0) == 7

    with serving(server):
        create_threads(1)
        run(main)


# Between pages


def test_the_next_page_is_fetched_while_this_one_is_used(run: Run) -> None:
    """The second page is asked for before the first is used up; the third not before the second is there."""
    server = Holding("Query")

    async def main() -> None:
        threads = aiter(Thread.query().where(Thread.forum_id == "science"))

        async def read() -> Thread:
            return await anext(threads)

        reading = start(read())
        (await server.anext()).answer()
        seen = [await reading]
        await server.anext()
        seen += [await read() for _ in range(3)]
        await pause()
        assert server.count == 2
        server.release()
        seen += [thread async for thread in threads]
        assert [thread.thread_id for thread in seen] == [key(n)["thread_id"] for n in range(13)]

    with serving(server):
        create_threads(13, 200_000)
        run(main)


@pytest.mark.parametrize("where", ["in the body", "waiting for the page"])
def test_cancelled_between_pages(run: Run, where: str) -> None:
    """An iteration that is cancelled gives up the page that is on its way."""
    server = Holding("Query")

    async def main() -> None:
        entered = asyncio.Event()

        async def read() -> None:
            async for _ in Thread.query().where(Thread.forum_id == "science"):
                entered.set()
                if where == "in the body":
                    await asyncio.Event().wait()

        task = start(read())
        (await server.anext()).answer()
        await entered.wait()
        second = await server.anext()
        await pause()
        await cancel(task)
        assert await title(1) == 1
        second.answer()
        await ended(second)
        assert server.count == 2

    with serving(server):
        create_threads(13, 200_000)
        run(main)


@pytest.mark.parametrize("failing", [True, False], ids=["page fails", "page arrives"])
def test_left_when_the_next_page_is_there(run: Run, failing: bool) -> None:
    """An iteration that is left drops the next page, or its error, that came meanwhile; nobody complains."""
    server = Holding("Query")

    async def main() -> None:
        query = Thread.query().where(Thread.forum_id == "science")

        async def read() -> None:
            async for _ in query:
                second = await server.anext()
                if failing:
                    second.refuse("ValidationException")
                else:
                    second.answer()
                following = start(query.afirst())
                (await server.anext()).answer()
                await following
                await pause()
                break

        reading = start(read())
        (await server.anext()).answer()
        await reading

    with serving(server, max_connections=1):
        create_threads(13, 200_000)
        run(main)


def test_a_page_that_fails(run: Run) -> None:
    """The items before a page that fails are given, then its error is raised."""
    server = Holding("Query")

    async def main() -> None:
        seen = []

        async def read() -> None:
            async for thread in Thread.query().where(Thread.forum_id == "science"):
                seen.append(thread)

        reading = start(read())
        (await server.anext()).answer()
        (await server.anext()).refuse("AccessDeniedException")
        with pytest.raises(dynamix.AccessDeniedError):
            await reading
        assert 0 < len(seen) < 7

    with serving(server):
        create_threads(13, 200_000)
        run(main)


# In batches and pauses


@pytest.mark.parametrize("by_timeout", [False, True], ids=["cancelled", "timed"])
def test_cancelled_in_a_batch(run: Run, by_timeout: bool) -> None:
    """A batch that is cancelled gives up what is on its way and sends nothing more."""
    server = Holding("BatchWriteItem")

    async def main() -> None:
        batch = start(Thread.abatch_write([key(n) for n in range(400)]))
        held = [await server.anext() for _ in range(8)]
        await (timed(0.001, batch) if by_timeout else cancel(batch))
        assert await title(1) == 1
        for request in held:
            request.answer()
            await ended(request)
        assert server.count == 8

    with serving(server):
        dynamix.create_table(Thread)
        Thread.create(**key(1), title="x 1")
        run(main)


@pytest.mark.parametrize("by_timeout", [False, True], ids=["cancelled", "timed"])
def test_cancelled_while_it_pauses(run: Run, by_timeout: bool) -> None:
    """A retry that is cancelled while it pauses never comes; the connection is kept."""
    server = Holding("GetItem")

    async def main() -> None:
        pausing = asyncio.Event()

        def jitter() -> float:
            pausing.set()
            return 1.0

        connection = dynamix.current.current()
        connection.retry = msgspec.structs.replace(connection.retry, jitter=jitter)
        task = start(title(0))
        first = await server.anext()
        first.refuse("ThrottlingException")
        await pausing.wait()
        await pause()
        await (timed(0.001, task) if by_timeout else cancel(task))
        following = start(title(1))
        second = await server.anext()
        second.answer()
        assert await following == 1
        assert second.connection is first.connection
        assert server.count == 2

    with serving(server, throttle_delay=600.0, max_retry_delay=600.0):
        create_threads(2)
        run(main)


def test_cancelled_while_a_table_is_made(run: Run) -> None:
    """A wait for a table may be cancelled, and begun again."""
    server = Holding("DescribeTable")

    async def main() -> None:
        task = start(dynamix.acreate_table(Thread))
        await server.anext()
        await cancel(task)
        task = start(dynamix.acreate_table(Thread))
        (await server.anext()).answer()
        await server.anext()
        server.release()
        await task
        await Thread.acreate(**key(0))

    with serving(server):
        run(main)


# Limits


def test_no_more_connections_than_allowed(run: Run) -> None:
    """However many tasks there are, no more than `max_connections` requests travel, on as many connections."""
    server = Counting("GetItem", meeting=4)

    async def main() -> None:
        assert await asyncio.gather(*map(title, range(60))) == list(range(60))

    with serving(server, max_connections=4):
        create_threads(60)
        run(main)
    assert server.most == 4
    assert len(server.connections) == 4


def test_a_connection_that_ends_as_it_is_passed_on(run: Run) -> None:
    """A task that is given a connection which the server has just closed takes a new one; nothing is in doubt."""

    async def main() -> None:
        served = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal served
            await read_request(reader)
            served += 1
            body = b'{"Attributes": {"forum_id": {"S": "science"}, "thread_id": {"S": "t0000"}}}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            writer.close()

        async def add() -> None:
            thread = Thread(**key(0))
            thread.add_to_field(Thread.updated_at, 1)  # which is not sent twice
            await thread.acommit_changes()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()[:2]
            async with dynamix.Connection(is_local_endpoint=address, max_connections=1) as connection:
                with dynamix.use_connection(connection):
                    await asyncio.gather(*(add() for _ in range(20)))
        assert served == 20

    run(main)


def test_a_cancelled_task_frees_its_place(run: Run) -> None:
    """After many cancellations there are as many connections to be had as before."""
    server = Holding("GetItem")

    async def main() -> None:
        for _ in range(5):
            tasks = [start(title(n)) for n in range(3)]
            for _ in tasks:
                await server.anext()
            for task in tasks:
                await cancel(task)
        tasks = [start(title(n)) for n in range(6)]
        for _ in tasks:
            (await server.anext()).answer()
        assert await asyncio.gather(*tasks) == list(range(6))

    with serving(server, max_connections=3):
        create_threads(6)
        run(main)


def test_closed_while_requests_travel(run: Run) -> None:
    """Operations under way when the connection is closed come to their end; their connections are closed then."""
    server = Holding("GetItem")

    async def main() -> None:
        connection = dynamix.current.current()
        tasks = [start(title(n)) for n in range(3)]
        requests = [await server.anext() for _ in tasks]
        await connection.aclose()
        for request in requests:
            request.answer()
        assert await asyncio.gather(*tasks) == [0, 1, 2]
        for request in requests:
            await ended(request)
        with pytest.raises(dynamix.ConnectionException, match="closed"):
            await title(0)

    with serving(server):
        create_threads(3)
        run(main)


def test_a_loop_that_ends_while_requests_travel(run: Run) -> None:
    """Tasks left when the program ends are cancelled; their connections are closed, and the next loop has its own."""
    server = Holding("GetItem")

    with serving(server):
        create_threads(3)

        async def leave() -> list["asyncio.Task[Any]"]:
            tasks = [start(title(n)) for n in range(3)]
            requests.extend([await server.anext() for _ in tasks])
            for task in tasks:
                task.cancel()
            return tasks

        async def main() -> None:
            for request in requests:
                request.answer()
                await ended(request)
            task = start(title(2))
            (await server.anext()).answer()
            assert await task == 2

        requests: list[Any] = []
        assert len(run(leave)) == 3
        run(main)
