"""Batches travel beside each other, blocking and async alike: bounded, complete, and ended by the first error."""

import asyncio
import random
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from forum import Thread, key
from loops import runner
from scripted import Counting, Holding, Reluctant, Request, serving

import dynamix

WAYS = ("blocking", "asyncio")


class Batches:
    """The batches of threads, in one of the ways in which a program may call them."""

    def __init__(self, way: str) -> None:
        self._run = None if way == "blocking" else runner(way)

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        if self._run is None:
            return getattr(Thread, name)(*arguments, **named)
        return self._run(lambda: getattr(Thread, "a" + name)(*arguments, **named))

    def write(self, numbers: range) -> None:
        """Stores threads."""
        self._call("batch_write", [{**key(n), "title": f"Title {n}"} for n in numbers])

    def delete(self, numbers: range) -> None:
        """Deletes threads."""
        self._call("batch_delete", keys=[key(n) for n in numbers])

    def get(self, numbers: range, **named: Any) -> list[int]:
        """The numbers of the threads that are found, which are whole and in order."""
        found = self._call("batch_get", *[key(n) for n in numbers], **named)
        ids = [int(thread.thread_id[1:]) for thread in found]
        assert [thread.title for thread in found] == [f"Title {n}" for n in ids]
        return ids


@pytest.fixture(params=WAYS)
def batches(request: pytest.FixtureRequest) -> Batches:
    """Batches in each way in turn."""
    return Batches(request.param)


def stored() -> list[int]:
    """The numbers of all threads that are stored."""
    return sorted(int(thread.thread_id[1:]) for thread in Thread.scan())


def numbers(items: Any) -> list[int]:
    """The numbers of items or keys in DynamoDB's JSON form."""
    return sorted(int(item["thread_id"]["S"][1:]) for item in items)


# Overlap


@pytest.mark.parametrize("target", ["BatchGetItem", "BatchWriteItem"])
@pytest.mark.parametrize(("connections", "at_once"), [(64, 8), (3, 3)], ids=["by the batch", "by the connection"])
def test_requests_of_a_batch_overlap(batches: Batches, target: str, connections: int, at_once: int) -> None:
    """Eight requests of a batch travel at once, fewer where the connection allows fewer; never more."""
    server = Counting(target, meeting=at_once)
    with serving(server, max_connections=connections):
        dynamix.create_table(Thread)
        if target == "BatchGetItem":
            assert batches.get(range(24 * 100)) == []
        else:
            batches.write(range(24 * 25))
            assert stored() == list(range(24 * 25))
    assert server.count == 24
    assert server.most == at_once
    assert len(server.connections) == at_once


def test_batches_of_several_tasks_share_the_connections() -> None:
    """Batches at once in several tasks stay within `max_connections` together, and each gets its own items."""
    server = Counting("BatchGetItem", meeting=5)

    async def get(start: int) -> list[int]:
        found = await Thread.abatch_get(*[key(n) for n in range(start, start + 500)])
        return [int(thread.thread_id[1:]) for thread in found]

    async def main() -> None:
        found = await asyncio.gather(*map(get, range(4)))
        assert found == [list(range(start, start + 500)) for start in range(4)]

    with serving(server, max_connections=5):
        dynamix.create_table(Thread)
        Thread.batch_write([key(n) for n in range(503)])
        runner("asyncio")(main)
    assert server.most == 5


# The first error ends a batch


@pytest.mark.parametrize("target", ["BatchGetItem", "BatchWriteItem"])
def test_the_first_error_ends_a_batch(batches: Batches, target: str) -> None:
    """A request that is refused ends those that pause before a repeat, and no further one is sent."""
    server = Holding(target)
    operation = batches.write if target == "BatchWriteItem" else batches.get

    def leave_undone(request: Request) -> None:
        left = "UnprocessedItems" if target == "BatchWriteItem" else "UnprocessedKeys"
        request.answer({left: request.body["RequestItems"], "Responses": {"thread": []}})

    with serving(server, retry_delay=600.0, max_retry_delay=600.0) as connection, ThreadPoolExecutor(1) as thread:
        dynamix.create_table(Thread)
        connection.retry = msgspec.structs.replace(connection.retry, jitter=lambda: 1.0)
        running = thread.submit(in_context(lambda: operation(range(20 * 100))))
        requests = [server.next() for _ in range(8)]
        for request in requests[:4]:
            leave_undone(request)
        requests[4].refuse("AccessDeniedException")
        for request in requests[5:]:
            leave_undone(request)
        with pytest.raises(dynamix.AccessDeniedError):
            running.result()
        assert server.count == 8


def in_context(function: Callable[[], Any]) -> Callable[[], Any]:
    """A function that is called in another thread with the connection in force here."""
    connection = dynamix.current.current()

    def call() -> Any:
        with dynamix.use_connection(connection):
            return function()

    return call


def test_the_first_error_ends_requests_that_travel() -> None:
    """In asyncio the error is raised at once; the other requests are given up, answers and all."""
    server = Holding("BatchGetItem")

    async def main() -> None:
        batch = asyncio.create_task(Thread.abatch_get(*[key(n) for n in range(2000)]))
        requests = [await server.anext() for _ in range(8)]
        requests[3].refuse("AccessDeniedException")
        with pytest.raises(dynamix.AccessDeniedError):
            await batch
        following = asyncio.create_task(Thread.abatch_get(key(1)))
        request = await server.anext()
        for held in (*requests, request):
            held.answer()
        assert [thread.thread_id for thread in await following] == ["t0001"]
        assert server.count == 9

    with serving(server):
        dynamix.create_table(Thread)
        Thread.batch_write([key(n) for n in range(3)])
        runner("asyncio")(main)


def test_a_batch_on_a_server_that_is_gone(batches: Batches) -> None:
    """Where no server listens, a batch of many requests raises one error, as a single request would."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        address = silent.getsockname()
        with (
            dynamix.Connection(is_local_endpoint=address, retry_delay=0.001) as connection,
            dynamix.use_connection(connection),
            pytest.raises(dynamix.ConnectError),
        ):
            batches.write(range(500))


# What the service leaves undone


def some(seed: int) -> Callable[[list[Any]], list[Any]]:
    """Takes some entries of each request, now and then none of many; of few it would do so too often in a row."""
    chance = random.Random(seed)
    return lambda entries: chance.sample(entries, chance.randint(0 if len(entries) > 5 else 1, len(entries)))


@pytest.mark.parametrize("seed", range(2))
def test_what_is_left_undone_is_sent_again(batches: Batches, seed: int) -> None:
    """What the server leaves is sent again until all is done; nothing is dropped, and nothing is done twice."""
    server = Reluctant(some(seed))
    with serving(server, retry_delay=0.0001):
        dynamix.create_table(Thread)
        batches.write(range(230))
        assert numbers(entry["PutRequest"]["Item"] for entry in server.taken) == list(range(230))
        assert stored() == list(range(230))
        server.taken.clear()
        assert batches.get(range(-5, 300), consistent=True) == list(range(230))
        assert numbers(server.taken) == [*range(-5, 300)]
        server.taken.clear()
        batches.delete(range(100, 230))
        assert numbers(entry["DeleteRequest"]["Key"] for entry in server.taken) == list(range(100, 230))
        assert stored() == list(range(100))


def test_a_batch_that_goes_slowly_comes_to_its_end(batches: Batches) -> None:
    """As long as something is done in each round, however little, a batch goes on; also where keys have no item."""
    server = Reluctant(lambda entries: entries[:1])
    with serving(server, retry_delay=0.0001):
        dynamix.create_table(Thread)
        assert batches.get(range(40)) == []
        batches.write(range(50))
        assert batches.get(range(40)) == list(range(40))
        batches.delete(range(50))
        assert stored() == []


def never(*which: int) -> Callable[[list[Any]], list[Any]]:
    """Takes all entries but those of some threads."""

    def takes(entries: list[Any]) -> list[Any]:
        return [entry for entry in entries if not any(f"t{n:04}" in repr(entry) for n in which)]

    return takes


def test_a_write_that_is_never_done(batches: Batches) -> None:
    """Where the server never takes some items, the error lists just these, of all requests; all others are stored."""
    server = Reluctant(never(3, 60, 61))
    with serving(server, retry_delay=0.0001):
        dynamix.create_table(Thread)
        with pytest.raises(dynamix.BatchIncompleteError, match="3 items") as caught:
            batches.write(range(100))
        assert numbers(caught.value.unprocessed) == [3, 60, 61]
        assert caught.value.unprocessed[0].keys() >= {"forum_id", "thread_id", "title"}
        assert stored() == [n for n in range(100) if n not in (3, 60, 61)]
        with pytest.raises(dynamix.BatchIncompleteError, match="2 items") as caught:
            batches.delete(range(50, 100))
        assert caught.value.unprocessed == tuple(
            {"forum_id": {"S": "science"}, "thread_id": {"S": f"t{n:04}"}} for n in (60, 61)
        )


def test_a_read_that_is_never_done(batches: Batches) -> None:
    """Where the server never gives some items, the error lists the keys of just these, of all requests."""
    server = Reluctant(lambda entries: entries)
    with serving(server, retry_delay=0.0001):
        dynamix.create_table(Thread)
        batches.write(range(400))
        server._takes = never(3, 250, 251)
        with pytest.raises(dynamix.BatchIncompleteError, match="3 items") as caught:
            batches.get(range(400))
        assert numbers(caught.value.unprocessed) == [3, 250, 251]
        assert caught.value.unprocessed[0].keys() == {"forum_id", "thread_id"}


def test_a_requery_is_a_batch(batches: Batches) -> None:
    """The second round of a query overlaps its requests too, and misses nothing that was left undone."""
    server = Reluctant(some(7))
    with serving(server, retry_delay=0.0001):
        dynamix.create_table(Thread)
        batches.write(range(320))
        query = Thread.query().where(Thread.forum_id == "science").use_index(Thread.updated_at)
        found, cursor = query.get_items(requery_for_all_projections=True)
        assert cursor is None
        assert sorted(thread.title or "" for thread in found) == sorted(f"Title {n}" for n in range(320))


def test_many_batches_at_once_over_threads() -> None:
    """Batches of several threads at once, each overlapping, get what is theirs."""
    server = Reluctant(some(1))

    def use(first: int) -> list[int]:
        threads = Batches("blocking")
        threads.write(range(first, first + 100))
        return threads.get(range(first, first + 100))

    with serving(server, retry_delay=0.0001, max_connections=6), ThreadPoolExecutor(4) as executor:
        dynamix.create_table(Thread)
        running = [executor.submit(in_context(lambda first=first: use(first))) for first in range(0, 400, 100)]
        assert [task.result() for task in running] == [list(range(n, n + 100)) for n in range(0, 400, 100)]
