"""Items that another program stored and that a model cannot read: named, passed by, and no trouble to those beside."""

import asyncio
import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from forum import Thread, create_threads, key
from scripted import Holding, serving

import dynamix
from dynamix import StoredValueError
from places import Place

EAGER = {"title": {"N": "5"}}
LAZY = {"reviews": {"M": {}}}


def spoil(place: Place, number: int, attributes: dict[str, Any]) -> None:
    """Give a stored thread attributes that its model cannot read."""
    place.call(
        "PutItem",
        TableName=place.table_name(Thread),
        Item={
            "forum_id": {"S": "science"},
            "thread_id": {"S": f"t{number:04}"},
            "user": {"S": f"user{number % 3}"},
            "updated_at": {"N": str(number)},
            **attributes,
        },
    )


def threads(place: Place, *bad: int, attributes: dict[str, Any] = EAGER, count: int = 6) -> list[Thread]:
    """Threads of which some cannot be read; the readable ones."""
    made = create_threads(count)
    for number in bad:
        spoil(place, number, attributes)
    return [thread for number, thread in enumerate(made) if number not in bad]


Read = Callable[..., list[Thread]]


async def collected(search: Any) -> list[Thread]:
    """What `async for` gives."""
    return [thread async for thread in search]


WAYS: dict[str, Read] = {
    "query": lambda **on: Thread.query(**on).where(Thread.forum_id == "science").get_items()[0],
    "limit": lambda **on: Thread.query(**on).where(Thread.forum_id == "science").limit(6).get_items()[0],
    "iteration": lambda **on: list(Thread.query(**on).where(Thread.forum_id == "science")),
    "async iteration": lambda **on: asyncio.run(collected(Thread.query(**on).where(Thread.forum_id == "science"))),
    "scan": lambda **on: sorted(Thread.scan(**on), key=lambda thread: thread.thread_id),
    "batch_get": lambda **on: Thread.batch_get(*(key(number) for number in range(6)), **on),
    "abatch_get": lambda **on: asyncio.run(Thread.abatch_get(*(key(number) for number in range(6)), **on)),
    "index": lambda **on: (
        Thread.query(**on)
        .use_index(Thread.updated_at)
        .where(Thread.forum_id == "science")
        .get_items(requery_for_all_projections=True)[0]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_item_that_cannot_be_read_is_named(place: Place, way: str) -> None:
    """The error of a value that its field cannot read names table, key, field and value, also in its words."""
    threads(place, 2)
    with pytest.raises(StoredValueError) as caught:
        WAYS[way]()
    error = caught.value
    assert (error.table, error.key, error.field, error.value) == (
        place.table_name(Thread), key(2), "title", {"N": "5"},
    )  # fmt: skip
    for word in (place.table_name(Thread), "thread_id='t0002'", "Thread.title", "{'N': '5'}", "store another one"):
        assert word in str(error)


@pytest.mark.parametrize("attributes", [EAGER, LAZY], ids=["at once", "later"])
@pytest.mark.parametrize("way", WAYS)
def test_items_that_cannot_be_read_are_passed_by(place: Place, way: str, attributes: dict[str, Any]) -> None:
    """With on_error="skip" they are left out; a function is told of each, once and in order, and may return nothing."""
    good = threads(place, 0, 2, 5, attributes=attributes)
    assert WAYS[way](on_error="skip") == good
    told: list[StoredValueError] = []
    assert WAYS[way](on_error=told.append) == good
    assert sorted(str((error.key or {})["thread_id"]) for error in told) == ["t0000", "t0002", "t0005"]
    assert {(error.table, error.field) for error in told} == {(place.table_name(Thread), *attributes)}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_function_raises_ends_the_reading(place: Place, way: str) -> None:
    """An exception of the function itself comes out of the reading."""
    threads(place, 2)

    def refuse(error: StoredValueError) -> None:
        raise LookupError(error.field)

    with pytest.raises(LookupError, match="title"):
        WAYS[way](on_error=refuse)


def test_get_names_the_item(place: Place) -> None:
    """So does the error of a single item, and of a list that is read later."""
    threads(place, 2)
    with pytest.raises(StoredValueError, match=r"thread_id='t0002'.*table") as caught:
        Thread.get(**key(2))
    assert caught.value.key == key(2)
    spoil(place, 2, LAZY)
    thread = Thread.get(**key(2))
    assert thread is not None
    Thread.batch_write([thread])  # which gives back what nobody read
    assert (place.stored_item(Thread, **key(2)) or {})["reviews"] == LAZY["reviews"]
    thread = Thread.get(**key(2))
    assert thread is not None
    for read in (lambda: thread.reviews, thread.to_son, thread.validate):
        with pytest.raises(StoredValueError, match=r"Thread\.reviews.*thread_id='t0002'.*table") as caught:
            read()
        assert (caught.value.key, caught.value.field) == (key(2), "reviews")
        assert caught.value.table == place.table_name(Thread)


def test_a_limit_counts_what_can_be_read(place: Place) -> None:
    """A limited page passes by what cannot be read, tells of it once, and its cursor goes on behind the last match."""
    good = threads(place, 0, 2, 3, 5, 7, count=8)
    told: list[str] = []
    query = Thread.query(on_error=lambda error: told.append((error.key or {})["thread_id"]))
    query = query.where(Thread.forum_id == "science").limit(2)
    first, cursor = query.get_items()
    second, cursor = query.start_key(cursor).get_items()
    assert (first, second, cursor) == (good[:2], good[2:], None)
    assert told == ["t0000", "t0002", "t0003", "t0005", "t0007"]
    assert query.count() == 2
    assert query.first() == good[0]


def test_a_limit_among_many_that_cannot_be_read_takes_few_requests() -> None:
    """The pages that look past them grow, as they do for a filter."""
    server = Holding("Query")
    with serving(server) as connection, ThreadPoolExecutor(1) as pool:
        threads(Place("engine", "", connection), *range(60), count=61)
        query = Thread.query(on_error="skip").where(Thread.forum_id == "science")
        asking = pool.submit(copy_context().run, query.first)
        looks = []
        while sum(looks) < 61:
            request = server.next()
            looks.append(request.body["Limit"])
            request.answer()
        found = asking.result()
        assert found is not None
        assert (found.thread_id, looks) == ("t0060", [1, 2, 4, 8, 16, 32])


def test_a_page_ends_before_what_cannot_be_read(place: Place) -> None:
    """By default too, a limit that is met before such an item does not meet it."""
    good = threads(place, 3)
    found, cursor = Thread.query().where(Thread.forum_id == "science", Thread.user_id != "x").limit(3).get_items()
    assert found == good[:3]
    with pytest.raises(StoredValueError):
        Thread.query().where(Thread.forum_id == "science").start_key(cursor).limit(3).get_items()


def test_a_key_that_cannot_be_read_is_told_as_it_is_stored(place: Place) -> None:
    """Where even the key is of another type than the model says, the error has its stored form."""

    class Wrong(dynamix.Model):
        __table_name__ = "thread"
        forum_id = dynamix.CharField(hash_key=True)
        thread_id = dynamix.IntegerField(range_key=True)

    create_threads(1)
    told: list[StoredValueError] = []
    assert list(Wrong.scan(on_error=told.append)) == []
    assert [error.key for error in told] == [{"forum_id": "science", "thread_id": {"S": "t0000"}}]
    Wrong.batch_delete(keys=[error.key or {} for error in told])
    assert place.stored_item(Thread, **key(0)) is None


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("on_error", ["ignore", None, 5, True])
def test_on_error_takes_what_it_says(on_error: Any) -> None:
    """Anything else is refused with what it takes, as is a function that would have to be awaited."""

    async def later(error: StoredValueError) -> None: ...

    for wrong in (on_error, later):
        for ask in (Thread.query, Thread.scan, lambda on_error: Thread.batch_get(key(1), on_error=on_error)):
            with pytest.raises(dynamix.InvalidQueryError, match="on_error takes"):
                ask(on_error=wrong)


def test_an_instance_that_holds_such_a_value_can_be_handled(place: Place) -> None:
    """repr, comparison, copies and pickles do not raise, and keep what is stored."""
    threads(place, 2, attributes=LAZY)
    thread, again = Thread.get(**key(2)), Thread.get(**key(2))
    assert thread is not None
    assert "reviews=<unreadable '{\"M\":{}}'>" in repr(thread)
    twins = (copy.copy(thread), copy.deepcopy(thread), pickle.loads(pickle.dumps(thread)))
    for twin in (*twins, again):
        assert twin == thread
        assert repr(twin) == repr(thread)
        with pytest.raises(StoredValueError, match=r"Thread\.reviews"):
            _ = twin.reviews
    spoil(place, 2, {"reviews": {"N": "1"}})
    assert Thread.get(**key(2)) != thread
    assert Thread.get(**key(1)) != thread
    mended = Thread(**key(2)).set_field(Thread.reviews, ["mended"]).commit_changes()
    assert Thread.get(**key(2)) == mended


def test_a_default_that_cannot_be_stored_does_not_keep_an_instance_from_being_shown(place: Place) -> None:
    """The refusal of such a default comes where it is read, and not from repr, comparison or copies."""

    class Odd(dynamix.Model):
        name = dynamix.CharField(hash_key=True)
        things = dynamix.ListField(default=[object()])

    dynamix.create_table(Odd)
    place.call("PutItem", TableName=place.table_name(Odd), Item={"name": {"S": "a"}})
    odd, same = Odd.get(name="a"), Odd.get(name="a")
    assert repr(odd) == "Odd(name='a')"
    assert copy.copy(odd) == same
    with pytest.raises(dynamix.FieldValidationException, match=r"Odd\.things"):
        _ = odd.things  # type: ignore[union-attr]
