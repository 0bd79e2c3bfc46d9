"""Blocks that store and delete any number of items: bounded in memory, and the last write of a key stands."""

import asyncio
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from forum import Thread, key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import Counting, Holding, Reluctant, serving

import dynamix
from dynamix import Batch
from places import Place


class Note(dynamix.Model):
    """Another model."""

    __table_name__ = "note"
    name = dynamix.CharField(hash_key=True)
    value = dynamix.IntegerField()
    renewed = dynamix.DateTimeField(auto_now=True)


@pytest.fixture
def tables(place: Place) -> None:
    """The tables of both models, on each place."""
    dynamix.create_table(Thread)
    dynamix.create_table(Note)


@pytest.fixture
def embedded() -> Iterator[None]:
    """The tables of both models in an engine of their own."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Thread)
        dynamix.create_table(Note)
        yield


def notes() -> dict[str, int | None]:
    """What is stored of notes."""
    return {note.name: note.value for note in Note.scan().consistent()}


def write(put: Iterable[dynamix.Model], delete: Iterable[Any] = ()) -> None:
    """Makes writes in one block."""
    with dynamix.batch() as b:
        for instance in put:
            b.put(instance)
        for what in delete:
            b.delete(what)


# What is written


@pytest.mark.usefixtures("tables")
def test_a_block_takes_any_models() -> None:
    """Instances, models with values, keys and instances to delete mix; all is stored when the block has ended."""
    Note.batch_write([{"name": "a"}, {"name": "b"}, {"name": "c"}])
    (loaded,) = Note.batch_get({"name": "b"})
    with dynamix.batch() as b:
        thread = b.put(Thread(**key(1), title="one"))
        made = b.put(Note, name="d", value=4)
        b.delete(Note, name="a")
        b.delete(loaded)
        b.delete(Note.key_of(name="c"))
        b.delete(Note.key_of(name="gone"))
    assert (made.name, made.value) == ("d", 4)
    assert list(Thread.scan().consistent()) == [thread]
    assert notes() == {"d": 4}
    assert loaded.save().name == "b"  # what was deleted is new again


@pytest.mark.usefixtures("tables")
def test_an_async_block_takes_any_models() -> None:
    """The same in asyncio."""

    async def main() -> None:
        async with dynamix.batch() as b:
            await b.aput(Thread(**key(1), title="one"))
            await b.aput(Note, name="d", value=4)
            await b.aput(Note, name="e")
            await b.adelete(Note, name="e")
        async with Note.batch() as own:
            await own.aput({"name": "f", "value": 6})
            await own.adelete({"name": "d"})

    asyncio.run(main())
    assert [thread.title for thread in Thread.scan().consistent()] == ["one"]
    assert notes() == {"f": 6}


@pytest.mark.usefixtures("tables")
def test_a_models_own_block_takes_dicts() -> None:
    """The block of one model takes dicts of values and of keys too, and no other model."""
    with Note.batch() as b:
        made = b.put({"name": "a", "value": 1})
        b.put(Note(name="b"))
        b.put({"name": "c"})
        b.delete({"name": "c"})
        with pytest.raises(dynamix.WrongTypeError, match="the batch of Note, and Thread is another"):
            b.put(Thread(**key(1)))
        with pytest.raises(dynamix.WrongTypeError, match="the batch of Note, and Thread is another"):
            b.delete(Thread.key_of(**key(1)))
    assert made.value == 1
    assert notes() == {"a": 1, "b": None}


@pytest.mark.usefixtures("tables")
def test_a_block_of_many_writes() -> None:
    """More than one round is written, 25 a request over all tables, and `progress` is told of each."""
    told: list[int] = []
    with dynamix.batch(progress=told.append) as b:
        for n in range(1010):
            b.put(Note, name=str(n), value=n)
        assert told == [1000]
        for n in range(200):
            b.delete(Note, name=str(n))
            b.put(Thread(**key(n)))
    assert told == [1000, 1410]
    assert notes() == {str(n): n for n in range(200, 1010)}
    assert Thread.scan().consistent().count() == 200


@pytest.mark.usefixtures("embedded")
def test_an_instance_is_stored_as_it_is_when_it_is_put() -> None:
    """What is edited after `put` is left to be saved; changes and commits wait for the end of the block."""
    thread = Thread(**key(1), reviews=["a"])
    with dynamix.batch() as b:
        b.put(thread)
        thread.reviews.append("b")
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            thread.set_field(Thread.title, "x")
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"), dynamix.batch() as other:
            other.put(thread)
    assert Thread.get_or_raise(**key(1)).reviews == ["a"]
    thread.set_field(Thread.title, "x").save()
    assert Thread.get_or_raise(**key(1)).reviews == ["a", "b"]


@pytest.mark.usefixtures("embedded")
def test_an_instance_may_be_put_again() -> None:
    """One instance that is put several times is stored as it was last; put after its deletion it is there."""
    thread = Thread(**key(1), reviews=["a"])
    with dynamix.batch() as b:
        b.put(thread)
        thread.reviews.append("b")
        b.put(thread)
    assert Thread.get_or_raise(**key(1)).reviews == ["a", "b"]
    with dynamix.batch() as b:
        b.delete(thread)
        b.put(thread)
    thread.set_field(Thread.title, "x").commit_changes()
    assert Thread.get_or_raise(**key(1)).title == "x"
    with dynamix.batch() as b:
        b.put(thread)
        b.delete(thread)
    assert not Thread.exists(**key(1))
    assert thread.save().reviews == ["a", "b"]  # it is new again


@pytest.mark.usefixtures("embedded")
def test_times_of_writes_are_those_of_puts() -> None:
    """A field with `auto_now` gets the time at which an instance is put."""
    note = Note.create(name="a")
    before = note.renewed
    with dynamix.batch() as b:
        b.put(note)
    assert before is not None
    assert note.renewed is not None
    assert note.renewed > before
    assert Note.get_or_raise(name="a").renewed == note.renewed


@pytest.mark.usefixtures("embedded")
def test_a_key_keeps_its_stored_form() -> None:
    """A key that another program spelled is deleted as it is stored."""
    with dynamix.batch() as b:
        b.delete(Note, **Note(name="x").get_primary_key_dict())
        b.put(Note, name="y")
    assert notes() == {"y": None}


# The last of a key stands

OPERATIONS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS, count=st.integers(1, 2300))
@pytest.mark.usefixtures("embedded")
def test_the_last_write_of_a_key_stands(operations: list[tuple[str, bool]], count: int) -> None:
    """Whatever puts and deletes of few keys come in which order over how many rounds, each key ends as its last."""
    expected: dict[str, int | None] = {}
    with Note.batch() as clear:
        for name in "abc":
            clear.delete({"name": name})
    with dynamix.batch() as b:
        for n in range(count):
            name, is_put = operations[n % len(operations)]
            if is_put:
                b.put(Note, name=name, value=n)
                expected[name] = n
            else:
                b.delete(Note, name=name)
                expected.pop(name, None)
    assert notes() == expected


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_the_last_write_of_a_key_stands_among_many_writers(way: str, engine_http: tuple[str, int]) -> None:
    """A batch may be shared by threads, or by tasks; each writer's last write of a key of its own stands."""
    connection = dynamix.Connection(is_local_endpoint=engine_http, table_prefix=f"shared-{way}-")
    with connection, dynamix.use_connection(connection):
        dynamix.create_table(Note)
        if way == "threads":
            by_threads(connection)
        else:
            asyncio.run(by_tasks())
        assert notes() == {f"{writer}-{n}": 599 - (2 - n) for writer in range(5) for n in range(3)}


def by_threads(connection: dynamix.Connection) -> None:
    """Five threads write three keys each, again and again, in one batch."""
    with dynamix.batch() as b, ThreadPoolExecutor(5) as pool:

        def work(writer: int) -> None:
            with dynamix.use_connection(connection):
                for n in range(600):
                    b.delete(Note, name=f"{writer}-{n % 3}")
                    b.put(Note, name=f"{writer}-{n % 3}", value=n)

        list(pool.map(work, range(5)))


async def by_tasks() -> None:
    """Five tasks do."""
    async with dynamix.batch() as b, asyncio.TaskGroup() as tasks:

        async def work(writer: int) -> None:
            for n in range(600):
                await b.adelete(Note, name=f"{writer}-{n % 3}")
                await b.aput(Note, name=f"{writer}-{n % 3}", value=n)

        for writer in range(5):
            tasks.create_task(work(writer))


def test_a_key_with_a_request_under_way_waits() -> None:
    """While a round is under way nothing else is sent, so no second request can have its keys."""
    server = Holding("BatchWriteItem")

    async def main() -> None:
        async with Note.batch() as b:
            for n in range(999):
                await b.aput({"name": str(n % 30), "value": n})
            filling = asyncio.create_task(b.aput({"name": "0", "value": -1}))
            first, second = await server.anext(), await server.anext()
            for n in range(999):
                await b.aput({"name": str(n % 30), "value": -2})
            late = asyncio.create_task(b.aput({"name": "1", "value": -2}))
            first.answer()
            await asyncio.sleep(0.05)
            assert server.count == 2
            second.answer()
            server.release()
            await filling
            await late

    with serving(server):
        dynamix.create_table(Note)
        asyncio.run(main())
        assert set(notes().values()) == {-2}


# Bounds


@pytest.mark.usefixtures("embedded")
def test_memory_is_bounded_by_items() -> None:
    """However many items come, only those of one round are held."""
    alive = most = 0

    def forget(_gone: object) -> None:
        nonlocal alive
        alive -= 1

    watched = []
    with dynamix.batch() as b:
        for n in range(3500):
            note = Note(name=str(n))
            watched.append(weakref.ref(note, forget))
            alive += 1
            b.put(note)
            most = max(most, alive)
    assert 900 < most <= 1000
    assert Note.scan().count() == 3500


@pytest.mark.usefixtures("embedded")
def test_memory_is_bounded_by_bytes() -> None:
    """Large items are sent when 16 MB of them wait."""
    told: list[int] = []
    with dynamix.batch(progress=told.append) as b:
        for n in range(50):
            b.put(Thread(**key(n), title="x" * 390_000))
    assert told == [44, 50]


@pytest.mark.parametrize("way", ["blocking", "asyncio"])
def test_requests_of_a_round_overlap(way: str) -> None:
    """Eight requests of 25 writes travel at once; a request holds writes of several tables."""
    server = Counting("BatchWriteItem", meeting=8)

    async def main() -> None:
        async with dynamix.batch() as b:
            for n in range(100):
                await b.aput(Note, name=str(n))
                await b.aput(Thread(**key(n)))

    with serving(server, max_connections=20):
        dynamix.create_table(Note)
        dynamix.create_table(Thread)
        if way == "asyncio":
            asyncio.run(main())
        else:
            with dynamix.batch() as b:
                for n in range(100):
                    b.put(Note, name=str(n))
                    b.put(Thread(**key(n)))
        assert (server.count, server.most) == (8, 8)


# What is refused


@pytest.mark.usefixtures("embedded")
def test_what_cannot_be_written_is_refused_at_once() -> None:
    """A wrong value, name, model or key raises where it is given, and what was given before is still written."""
    with dynamix.batch() as b:
        b.put(Note, name="a")
        for wrong, error, words in [
            (lambda: b.put(Note, name=5), dynamix.FieldValidationException, "Note.name"),
            (lambda: b.put(Note), dynamix.MissingKeyError, "name"),
            (lambda: b.put(Note, nam="x"), dynamix.UnknownNameError, "did you mean 'name'"),
            (lambda: b.put({"name": "x"}), dynamix.WrongTypeError, "does not say of which model"),
            (lambda: b.put("x"), dynamix.WrongTypeError, "'x' is neither a model nor"),  # type: ignore[type-var]
            (lambda: b.put(int), dynamix.WrongTypeError, "is not a model"),  # type: ignore[type-var]
            (lambda: b.put(Thread(**key(1), title="x" * 410_000)), dynamix.ItemTooLargeError, "400 KB|409600"),
            (lambda: b.put(Note(name="x"), value=1), dynamix.UnknownNameError, "value was given beside"),  # type: ignore[call-overload]
            (lambda: b.delete({"name": "x"}), dynamix.WrongTypeError, "does not say of which model"),
            (lambda: b.delete(Note), dynamix.MissingKeyError, "name"),
            (lambda: b.delete(Note, name="x", value=1), dynamix.UnknownNameError, "not part of the key"),
            (lambda: b.update(Note, Note.value.add(1), name="a"), dynamix.InvalidUpdateError, "update_by_key"),
            (lambda: b.update(Note, Note.value.add(1), name="a"), dynamix.InvalidUpdateError, "transaction"),
        ]:
            with pytest.raises(error, match=words):
                wrong()
    assert notes() == {"a": None}


@pytest.mark.usefixtures("embedded")
def test_conditions_of_instances_are_not_passed_over() -> None:
    """An instance with conditions of its own is refused by all batches, which cannot look at them, unless unchecked."""
    note = Note(name="a", value=1).save()
    note.set_modify_conditions(Note.value > 5)
    with dynamix.batch() as b:
        for refused in (
            lambda: b.put(note),
            lambda: b.delete(note),
            lambda: Note.batch_write([note]),
            lambda: Note.batch_delete([note]),
        ):
            with pytest.raises(dynamix.InvalidUpdateError, match="set_modify_conditions"):
                refused()
        note.set_modify_conditions()
        b.put(note)
    note.set_modify_conditions(Note.value > 5)
    Note.batch_delete([note], unchecked=True)
    assert notes() == {}


def test_one_block_has_one_place() -> None:
    """Models of two connections are refused: a round of requests goes to one place."""
    with dynamix.Connection(embedded=True) as one, dynamix.Connection(embedded=True) as two:

        class Elsewhere(dynamix.Model):
            __connection__ = two
            name = dynamix.CharField(hash_key=True)

        with dynamix.use_connection(one):
            dynamix.create_table(Note)
            with dynamix.batch() as b:
                b.put(Note, name="a")
                with pytest.raises(dynamix.InvalidUpdateError, match="Elsewhere uses another connection"):
                    b.put(Elsewhere, name="a")
            assert notes() == {"a": None}


@pytest.mark.usefixtures("embedded")
def test_a_batch_is_used_in_its_block() -> None:
    """Before and after its block, in a second block, and by the verbs of the other kind of block it is refused."""
    b = dynamix.batch()
    with pytest.raises(dynamix.InvalidUpdateError, match="in a block"):
        b.put(Note, name="a")
    with b, pytest.raises(dynamix.InvalidUpdateError, match=r"by 'with'; there, call b\.put"):
        asyncio.run(b.aput(Note, name="a"))
    with pytest.raises(dynamix.InvalidUpdateError, match="has ended"):
        b.delete(Note, name="a")
    with pytest.raises(dynamix.InvalidUpdateError, match="used for one block"), b:
        pass

    async def main() -> None:
        async with dynamix.batch() as other:
            with pytest.raises(dynamix.InvalidUpdateError, match=r"by 'async with'; there, call await b\.aput"):
                other.put(Note, name="a")

    asyncio.run(main())
    assert notes() == {}


async def count_in_a_task(made: int) -> None:
    """What cannot be called as a plain function."""


@pytest.mark.usefixtures("embedded")
def test_nothing_is_added_to_a_block_that_ended_meanwhile() -> None:
    """A thread whose `put` was late, here in the model's own hook, is told so, and not that all is well."""
    begun, ended = threading.Event(), threading.Event()

    class Slow(dynamix.Model):
        name = dynamix.CharField(hash_key=True)

        def before_save(self) -> None:
            begun.set()
            ended.wait(30)

    dynamix.create_table(Slow)
    with ThreadPoolExecutor(1) as pool:
        with dynamix.batch() as b:
            late = pool.submit(copy_context().run, b.put, Slow(name="late"))
            begun.wait(30)
        ended.set()
        with pytest.raises(dynamix.InvalidUpdateError, match="has ended"):
            late.result()
    assert not Slow.exists(name="late")


@pytest.mark.parametrize("progress", [5, "x", count_in_a_task])
def test_progress_is_a_function(progress: Any) -> None:
    """What cannot be called as `progress` is refused; so is a coroutine function, which would have to be awaited."""
    with pytest.raises(dynamix.WrongTypeError, match="not a plain function"):
        dynamix.batch(progress=progress)


def test_a_field_called_batch_wins() -> None:
    """A field called `batch` wins over the method; `dynamix.batch()` takes such a model."""

    class Parcel(dynamix.Model):
        name = dynamix.CharField(hash_key=True)
        batch = dynamix.IntegerField()  # type: ignore[assignment]

    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(Parcel)
        with dynamix.batch() as b:
            b.put(Parcel, name="a", batch=5)
        assert Parcel.get_or_raise(name="a").batch == 5


# What is given up


@pytest.mark.parametrize("way", ["blocking", "asyncio"])
@pytest.mark.usefixtures("tables")
def test_an_exception_drops_what_was_not_sent(way: str) -> None:
    """What was sent stays, the rest is dropped, the exception says how many, and instances are free again."""
    kept: list[Note] = []

    def give() -> Iterator[Note]:
        for n in range(1007):
            kept.append(Note(name=str(n)))
            yield kept[-1]
        raise KeyError("mine")

    async def main() -> None:
        async with dynamix.batch() as b:
            for note in give():
                await b.aput(note)

    with pytest.raises(KeyError, match="mine") as caught:
        write(give()) if way == "blocking" else asyncio.run(main())
    assert caught.value.__notes__ == [
        "of 1007 writes that were given to the batch, 1000 were made, 0 may have been, and 7 were not"
    ]
    assert len(notes()) == 1000
    kept[-1].save()
    kept[0].set_field(Note.value, 1).commit_changes()


@pytest.mark.usefixtures("tables")
def test_a_missing_table_is_told_with_every_write() -> None:
    """A table that does not exist ends the block; the error has all that was given, and nothing was stored."""

    class Nowhere(dynamix.Model):
        name = dynamix.CharField(hash_key=True)

    made = Nowhere(name="a")
    with pytest.raises(dynamix.PartlyAppliedError, match=r"the table '.*Nowhere' of Nowhere does not exist") as caught:
        write([made], [Nowhere.key_of(name="b")])
    assert caught.value.applied == "no"
    assert caught.value.not_stored == (made, {"name": "b"})
    assert isinstance(caught.value.not_stored[1], dynamix.Key)
    assert isinstance(caught.value.__cause__, dynamix.TableNotFoundError)
    with pytest.raises(dynamix.PartlyAppliedError, match=r"one of the tables .* of Note, .* of Nowhere"):
        write([Note(name="a"), made])


@pytest.mark.usefixtures("embedded")
def test_what_is_never_taken_is_in_the_error() -> None:
    """Where the service leaves items undone to the end, the error has the instances and keys; the rest is stored."""
    server = Reluctant(lambda entries: [entry for entry in entries if "bad" not in json.dumps(entry)])
    with serving(server, retry_delay=0.001, max_retry_delay=0.01):
        dynamix.create_table(Note)
        bad, good = Note(name="bad"), Note(name="good")
        with pytest.raises(dynamix.BatchIncompleteError) as caught:
            write([bad, good], [Note.key_of(name="bad too")])
        assert (caught.value.stored, caught.value.not_stored) == ((good,), (bad, {"name": "bad too"}))
        assert caught.value.applied == "partly"
        with pytest.raises(dynamix.BatchIncompleteError) as caught:
            write([*(Note(name=str(n)) for n in range(1000)), bad])
        assert caught.value.applied == "partly"  # an earlier round was stored
        assert caught.value.not_stored == (bad,)


def test_a_block_may_go_on_after_an_error() -> None:
    """Who catches the error of a round has all that was lost in it, and may put more; the end raises nothing then."""
    server = Reluctant(lambda entries: [entry for entry in entries if "bad" not in json.dumps(entry)])
    lost: list[Any] = []
    with serving(server, retry_delay=0.001, max_retry_delay=0.01):
        dynamix.create_table(Note)
        with dynamix.batch() as b:
            for n in range(2005):
                try:
                    b.put(Note, name=f"bad{n}" if n % 500 == 7 else str(n))
                except dynamix.BatchIncompleteError as error:
                    lost += error.not_stored
        assert [note.name for note in lost] == ["bad7", "bad507", "bad1007", "bad1507"]
        assert len(notes()) == 2001


def test_an_interrupted_round_is_sent_again() -> None:
    """A task that is cancelled while its `aput` sends loses nothing: what sends next sends it first."""
    server = Holding("BatchWriteItem")

    async def main(b: Batch[Note]) -> None:
        async with b:
            for n in range(999):
                await b.aput({"name": str(n % 20), "value": n})
            filling = asyncio.create_task(b.aput({"name": "0", "value": -1}))
            await server.anext()
            filling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await filling
            server.release()
            await b.aput({"name": "1", "value": -2})

    with serving(server):
        dynamix.create_table(Note)
        asyncio.run(main(Note.batch()))
        assert notes() == {str(n): 980 + n for n in range(2, 19)} | {"0": -1, "1": -2, "19": 979}


def test_a_block_at_an_end_without_threads(engine_http: tuple[str, int]) -> None:
    """In an atexit handler, where no thread can be started, requests go one after another."""
    program = """
import atexit, sys, dynamix
class Note(dynamix.Model):
    name = dynamix.CharField(hash_key=True)
dynamix.set_connection(is_local_endpoint=("127.0.0.1", int(sys.argv[1])), table_prefix="blocks-at-exit-")
dynamix.create_table(Note)
def at_the_end():
    with dynamix.batch() as b:
        for n in range(1100):
            b.put(Note, name=str(n))
    print(Note.scan().count())
atexit.register(at_the_end)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(engine_http[1])], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout.split()) == ("", ["1100"])
