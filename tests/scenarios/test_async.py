"""The async twins on every place: they do what the blocking operations do, many at once, in any event loop."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
from forum import Thread, key
from loops import Run, runner

import dynamix
from places import Place
from test_twins import OWNERS, spoken

WHERE = [("dynamodb-local", "asyncio"), ("engine", "asyncio"), ("engine-http", "asyncio"), ("engine-http", "uvloop")]
pytestmark = [pytest.mark.parametrize(("place", "run"), WHERE, indirect=True), pytest.mark.usefixtures("place")]


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in the event loop that the test is given."""
    return runner(request.param)


class Counter(dynamix.Model):
    """Something that many add to at once."""

    __table_name__ = "counter"
    number = dynamix.IntegerField(hash_key=True)
    count = dynamix.IntegerField()


def create_counters(count: int) -> None:
    """A table with counters 0, 1, ..."""
    dynamix.create_table(Counter)
    Counter.batch_write([{"number": number} for number in range(count)])


def counts() -> dict[int, int | None]:
    """What the counters say."""
    return {counter.number: counter.count for counter in Counter.scan().consistent()}


def create_large_threads(count: int) -> list[str]:
    """A table with threads of 200 KB, of which five make a page; their ids, in order."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(n), "title": "x" * 200_000} for n in range(count)])
    return [key(n)["thread_id"] for n in range(count)]


SCIENCE = Thread.query().where(Thread.forum_id == "science")


# Twins

Call = Callable[..., Coroutine[Any, Any, Any]]


class Blocking:
    """Tells a story with the blocking operations."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    async def call(self, owner: Any, name: str, *arguments: Any, **named: Any) -> Any:
        """One operation; errors are part of the story."""
        self.used.add(name)
        try:
            return await self._perform(owner, name, arguments, named)
        except dynamix.DynamixError as error:
            return type(error), str(error)

    async def _perform(self, owner: Any, name: str, arguments: Any, named: Any) -> Any:
        return getattr(owner, name)(*arguments, **named)

    async def all(self, reading: Any) -> list[Any]:
        """What iterating gives."""
        return list(reading)

    async def block(self, batch: dynamix.Batch[Any], *steps: tuple[Any, ...]) -> list[Any]:
        """What the verbs in a block of writes give."""
        with batch:
            return [await self.call(batch, name, *arguments) for name, *arguments in steps]


class Async(Blocking):
    """Tells the same story with the twins."""

    async def _perform(self, owner: Any, name: str, arguments: Any, named: Any) -> Any:
        return await getattr(owner, "a" + name)(*arguments, **named)

    async def all(self, reading: Any) -> list[Any]:
        """What iterating gives."""
        return [item async for item in reading]

    async def block(self, batch: dynamix.Batch[Any], *steps: tuple[Any, ...]) -> list[Any]:
        """What the verbs in a block of writes give."""
        async with batch:
            return [await self.call(batch, name, *arguments) for name, *arguments in steps]


SELECT = 'SELECT * FROM "nowhere" WHERE forum_id = ?'


async def story(tell: Blocking) -> list[Any]:
    """Uses every operation of models and queries, well and badly; gives all that was answered."""
    call = tell.call
    thread = Thread(**key(0), title="zero", updated_at=5)
    told = [
        await call(Thread, "get", **key(0)),
        await call(dynamix, "create_table", Thread),
        await call(dynamix, "create_table", Thread, force=True),
        await call(Thread, "get", **key(0)),
        await call(Thread, "create", **key(0), title="zero"),
        await call(Thread, "create", **key(0), overwrite=False),
        await call(Thread, "create", **key(0), titel="?"),
        await call(Thread, "get", consistent=True, **key(0)),
        await call(Thread, "get", forum_id="science"),
        await call(Thread, "exists", **key(0)),
        await call(Thread, "exists", **key(1)),
    ]
    thread.add_to_field(Thread.updated_at, 3)
    thread.append_to_listfield(Thread.reviews, "good")
    thread.add_to_setfield(Thread.tags, {"a", "b"})
    told += [await call(thread, "commit_changes"), thread]
    thread.set_field(Thread.title, "never")
    thread.set_modify_conditions(Thread.title.eq("other"))
    told += [await call(thread, "commit_changes"), await call(thread, "delete"), thread]
    thread.discard_changes()
    thread.add_to_setfield(Thread.tags, {"c"})
    thread.delete_from_setfield(Thread.tags, {"a"})
    told += [await call(thread, "commit_changes", atomic=True), await call(thread, "commit_changes"), thread]
    told += [
        await call(Thread, "update_by_key", Thread.updated_at.add(1), Thread.data["a"].set(1), returns="new", **key(0)),
        await call(Thread, "update_by_key", Thread.title.set("x"), condition=Thread.title == "other", **key(0)),
        await call(Thread, "update_by_key", Thread.title.set("x"), **key(98)),
        await call(Thread, "update_by_key", Thread.title.set("x"), Thread.title.remove(), **key(0)),
        await call(Thread, "update_by_key", Thread.title.set("new"), upsert=True, returns="old", **key(0)),
        await call(Thread, "get", **key(0)),
    ]
    ghost = Thread(**key(99))
    ghost.set_field(Thread.title, "boo")
    told += [await call(ghost, "commit_changes")]
    made = Thread(**key(98), title="made", reviews=["a"])
    told += [await call(made, "save"), await call(made, "save", condition=Thread.title == "other")]
    (made.reviews or []).append("b")
    told += [
        await call(made, "refresh"),
        await call(made, "save", if_unchanged=True),
        await call(made, "refresh"),
        made,
    ]
    told += [
        await call(Thread, "get_or_raise", **key(97)),
        await call(Thread, "get_or_create", {"title": "new"}, **key(97)),
        await call(Thread, "get_or_create", {"title": "newer"}, **key(97)),
        await call(Thread, "delete_by_key", **key(97), returns="old"),
        await call(made, "delete", condition=Thread.title == "made"),
        await call(Thread, "modify", lambda page: page.set_field(Thread.title, "modified"), **key(0)),
        await call(Thread, "modify", lambda page: 5, attempts=1, **key(0)),
        await call(Thread, "modify", lambda page: None, **key(99)),
    ]
    rows = [{**key(n), "title": f"Title {n}", "user_id": f"user{n % 3}", "updated_at": n} for n in range(1, 40)]
    told += [
        await call(Thread, "batch_write", rows),
        await call(Thread, "batch_write", [{**key(0), "title": 5}]),
        await call(Thread, "batch_get", *[key(n) for n in (3, 1, 88, 3)], consistent=True),
        await call(Thread, "batch_get"),
        await call(SCIENCE.limit(3), "get_items"),
        await call(SCIENCE.use_index("by_user"), "get_items"),
        await call(
            Thread.query().use_index("by_user").where(Thread.user_id == "user1"),
            "get_items",
            requery_for_all_projections=True,
        ),
        await call(SCIENCE.where(Thread.title == "Title 7"), "first"),
        await call(SCIENCE.where(Thread.title == "none"), "first"),
        await call(SCIENCE.where(Thread.user_id == "user1"), "count"),
        await call(Thread.scan().limit(2), "get_items"),
        await call(Thread.scan().where(Thread.title == "Title 7"), "first"),
        await call(Thread.scan().limit(7), "count"),
        await call(Thread.scan(), "count"),
        await tell.all(SCIENCE),
        await tell.all(SCIENCE.limit(7).use_index(Thread.updated_at, asc=False)),
        await tell.all(Thread.scan(Thread.title).limit(7)),
        await tell.all(SCIENCE.pages(15)),
        await call(SCIENCE.max_pages(1).page_size(3), "all"),
        await call(SCIENCE.where(Thread.title == "Title 7"), "one"),
        await call(SCIENCE, "one"),
        await call(SCIENCE.where(Thread.title == "none"), "exists"),
        await call(SCIENCE.filter(Thread.user_id == "user1"), "update", Thread.title.set("x"), progress=print),
        await call(SCIENCE.filter(Thread.title == "x").limit(2), "delete"),
        await call(SCIENCE.filter(Thread.title == "x"), "all"),
        list(await call(SCIENCE, "grouped")),
        await call(SCIENCE, "update"),
        await call(thread, "delete"),
        await call(Thread, "delete_by_key", **key(1)),
        await call(Thread, "delete_by_key", **key(1)),
        await call(Thread, "batch_delete", [thread, key(2)], keys=[key(n) for n in range(3, 35)]),
        await tell.all(SCIENCE),
        await tell.block(Thread.batch(), ("put", key(60)), ("delete", key(39)), ("put", key(61)), ("delete", key(61))),
        await tell.block(dynamix.batch(), ("put", thread), ("put", key(60)), ("delete", Thread.key_of(**key(38)))),
        await tell.all(SCIENCE),
        await call(dynamix, "batch_get", Thread.key_of(**key(60)), thread, Thread.key_of(**key(88))),
        await call(dynamix, "batch_get", key(60)),
        type(await call(Thread, "item_count")),
        await call(Thread, "search", "nearest", [1.0, 2.0]),
        await call(Thread, "is_searchable", "nearest"),
        await call(
            dynamix, "transact_get", Thread.key_of(**key(39)), Thread.key_of(**key(88)), Thread.key_of(**key(39))
        ),
        await call(dynamix, "transact_get", key(39)),
        await call(dynamix, "partiql", SELECT, ["science"], model=Thread, scan=True),
        await call(dynamix, "partiql", SELECT, ["science"]),
        await call(dynamix, "partiql_batch", dynamix.Statement(SELECT, ["science"], Thread)),
        await call(dynamix, "partiql_transaction", dynamix.Statement(SELECT, ["science"], Thread)),
        await call(dynamix, "compare_table", Thread),
        await call(dynamix, "update_table", Thread),
        await call(Thread, "delete_table"),
        await call(Thread, "delete_table"),
        await call(dynamix, "update_table", Thread),
    ]
    return told


def test_each_twin_does_what_its_operation_does(run: Run) -> None:
    """The same story told by the blocking operations and by their twins is the same, refusals and errors included."""
    blocking, twins = Blocking(), Async()
    told = run(lambda: story(blocking))
    assert run(lambda: story(twins)) == told
    assert (
        blocking.used
        == twins.used
        == {name for owner in OWNERS for name in spoken(owner)} - {"run", "close", "request"}
    )


# Many at once


def test_a_thousand_gets_and_commits_at_once(run: Run) -> None:
    """Of a thousand tasks half get one of ten items and half add to one: each gets its own, no addition is lost."""
    create_counters(10)

    async def get(n: int) -> None:
        counter = await Counter.aget(number=n % 10)
        assert counter is not None
        assert counter.number == n % 10

    async def add(n: int) -> None:
        counter = Counter(number=n % 10)
        counter.add_to_field(Counter.count, n)
        await counter.acommit_changes()
        assert (counter.number, (counter.count or 0) >= n) == (n % 10, True)

    async def main() -> None:
        await asyncio.gather(*(operation(n) for n in range(500) for operation in (get, add)))

    run(main)
    assert counts() == {number: sum(range(number, 500, 10)) for number in range(10)}


def test_cancelled_tasks_disturb_no_other(run: Run) -> None:
    """Where half of the tasks are cancelled at some moment, the others, and those that follow, get their own items."""
    create_counters(50)
    chance = random.Random(4)

    async def get(n: int) -> int:
        counter = await Counter.aget(number=n % 50)
        assert counter is not None
        return counter.number

    async def main() -> None:
        for _ in range(3):
            tasks = [asyncio.create_task(get(n)) for n in range(70)]
            for task in chance.sample(tasks, 35):
                await asyncio.sleep(chance.choice([0, 0, 0.0001]))
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for n, result in enumerate(results):
                assert result == n % 50 or isinstance(result, asyncio.CancelledError), result
        assert await asyncio.gather(*map(get, range(100))) == [n % 50 for n in range(100)]

    run(main)


def test_a_cancelled_change_is_made_or_not(run: Run) -> None:
    """An addition whose task was cancelled was made once or not at all; it is never made twice or in part."""
    create_counters(1)

    async def add() -> None:
        counter = Counter(number=0)
        counter.add_to_field(Counter.count, 1)
        await counter.acommit_changes()

    async def main() -> int:
        tasks = [asyncio.create_task(add()) for _ in range(100)]
        for task in tasks[::2]:
            await asyncio.sleep(0)
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results[1::2]] == [type(None)] * 50
        return results.count(None)

    done = run(main)
    assert done <= (counts()[0] or 0) <= 100


# Iteration


def test_iteration_goes_over_all_pages(run: Run) -> None:
    """`async for` gives each item once, in order, over page borders of 1 MB, and no more than the limit."""
    ids = create_large_threads(13)

    async def main() -> None:
        assert len((await SCIENCE.aget_items())[0]) < 7
        assert [thread.thread_id async for thread in SCIENCE] == ids
        assert [thread.thread_id async for thread in SCIENCE.use_index(asc=False)] == ids[::-1]
        assert [thread.thread_id async for thread in SCIENCE.limit(8)] == ids[:8]
        assert sorted([thread.thread_id async for thread in Thread.scan()]) == ids
        several = [[thread.thread_id async for thread in SCIENCE] for _ in range(3)]
        assert several == [ids] * 3

    run(main)


def test_iterations_interleave(run: Run) -> None:
    """One query is iterated by several tasks at once, each from the beginning."""
    ids = create_large_threads(13)

    async def read() -> list[str]:
        found = []
        async for thread in SCIENCE:
            found.append(thread.thread_id)
            await asyncio.sleep(0)
        return found

    async def main() -> None:
        assert await asyncio.gather(*(read() for _ in range(5))) == [ids] * 5

    run(main)


async def leave_by_break(threads: AsyncIterator[Thread]) -> None:
    """Leaves at the second item."""
    count = 0
    async for _ in threads:
        count += 1
        if count == 2:
            break


async def leave_by_error(threads: AsyncIterator[Thread]) -> None:
    """Leaves by an exception in the body."""

    async def read() -> None:
        async for _ in threads:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await read()


async def leave_by_aclose(threads: AsyncIterator[Thread]) -> None:
    """Leaves at once, and closes the iterator."""
    async with aclosing(threads) as closing:  # type: ignore[type-var]
        await anext(closing)


async def leave_by_cancellation(threads: AsyncIterator[Thread]) -> None:
    """Leaves as the task is cancelled in the body."""
    entered = asyncio.Event()

    async def read() -> None:
        async for _ in threads:
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def leave_by_timeout(threads: AsyncIterator[Thread]) -> None:
    """Leaves as a time limit in the body is over."""

    async def read() -> None:
        async with asyncio.timeout(0.001):
            async for _ in threads:
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await read()


def test_leaving_an_iteration_early(run: Run) -> None:
    """An iteration that is left, in whatever way, leaves no task, and the connection goes on."""
    ids = create_large_threads(13)

    async def main() -> None:
        for leave in (leave_by_break, leave_by_error, leave_by_aclose, leave_by_cancellation, leave_by_timeout):
            for reading in (SCIENCE, Thread.scan()):
                await leave(aiter(reading))
                first = await SCIENCE.afirst()
                assert first is not None
                assert first.thread_id == ids[0], leave

    run(main)


def test_an_iteration_that_is_never_ended(run: Run) -> None:
    """A loop may end while an iteration stands between two items."""
    create_large_threads(13)
    kept = []

    async def main() -> None:
        threads = aiter(SCIENCE)
        kept.append(threads)
        await anext(threads)

    run(main)


def test_an_iteration_on_nothing(run: Run) -> None:
    """Iterating raises what the blocking iteration raises: for a missing table, and before anything is sent."""

    async def main() -> None:
        with pytest.raises(dynamix.TableNotFoundError, match="create_table"):
            [thread async for thread in SCIENCE]
        with pytest.raises(dynamix.InvalidQueryError):
            [thread async for thread in Thread.query()]
        await dynamix.acreate_table(Thread)
        assert [thread async for thread in SCIENCE] == []

    run(main)


# Loops and threads


def test_one_connection_serves_loop_after_loop(run: Run) -> None:
    """A loop ends with connections open; the next one, and blocking calls between, use the same Connection."""
    create_counters(20)

    async def main() -> None:
        assert None not in await asyncio.gather(*(Counter.aget(number=n) for n in range(20)))

    for _ in range(3):
        run(main)
        assert Counter.get(number=1) is not None


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # which is what this loop's owner left
def test_a_loop_closed_without_an_end(run: Run) -> None:
    """A loop that is closed at once, its connections open, does not keep the next one from working."""
    create_counters(20)

    async def main() -> None:
        assert None not in await asyncio.gather(*(Counter.aget(number=n) for n in range(20)))

    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
    run(main)
    gc.collect()


def test_loops_in_several_threads(run: Run) -> None:
    """Several loops, each in a thread of its own, share a Connection."""
    create_counters(5)
    connection = dynamix.current.current()

    async def main() -> None:
        with dynamix.use_connection(connection):
            for n in range(40):
                counter = Counter(number=n % 5)
                counter.add_to_field(Counter.count, 1)
                await counter.acommit_changes()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: asyncio.run(main()), range(4)))
    run(main)
    assert counts() == dict.fromkeys(range(5), 40)


def test_one_model_in_threads_and_tasks(place: Place, run: Run) -> None:
    """Threads and tasks use one model at once, each on the connection of its own block; none disturbs another."""
    with dynamix.Connection(embedded=True) as second, dynamix.Connection(embedded=True) as third:
        connections = [place.connection, second, third]
        for connection in connections:
            with dynamix.use_connection(connection):
                create_counters(1)

        def change(connection: dynamix.Connection) -> None:
            with dynamix.use_connection(connection):
                for _ in range(25):
                    counter = Counter(number=0)
                    counter.add_to_field(Counter.count, 1 + connections.index(connection))
                    counter.commit_changes()

        async def achange(connection: dynamix.Connection) -> None:
            with dynamix.use_connection(connection):
                for _ in range(25):
                    counter = Counter(number=0)
                    counter.add_to_field(Counter.count, 1 + connections.index(connection))
                    await counter.acommit_changes()
                    await asyncio.sleep(0)
                    assert dynamix.current.current() is connection

        async def main() -> None:
            with ThreadPoolExecutor(6) as threads:
                changing = [threads.submit(change, connection) for connection in connections * 2]
                await asyncio.gather(*map(achange, connections * 2))
                await asyncio.gather(*map(asyncio.wrap_future, changing))

        run(main)
        assert dynamix.current.current() is place.connection
        for number, connection in enumerate(connections, 1):
            with dynamix.use_connection(connection):
                assert counts() == {0: 100 * number}


def test_a_connection_as_an_async_context(place: Place, run: Run) -> None:
    """`async with` closes a connection at the end of the block; further operations are refused."""
    create_counters(1)

    async def main() -> None:
        async with place.connection as connection:
            assert connection is place.connection
            assert await Counter.aget(number=0) == Counter(number=0)
        for _ in range(2):
            with pytest.raises(dynamix.ConnectionException, match="closed"):
                await Counter.aget(number=0)
        await connection.aclose()

    run(main)
