"""How a read is bounded, and what is told where it ended before everything was looked at."""

import asyncio
import contextlib
from typing import Any

import pytest
from forum import Thread, create_threads
from scripted import Holding, serving

import dynamix
from dynamix import Cursor, ReadLimitError

SCIENCE = Thread.query().where(Thread.forum_id == "science")
NONE = SCIENCE.filter(Thread.title == "none").page_size(2)


def ids(threads: Any) -> list[str]:
    """The sort keys of threads."""
    return [thread.thread_id for thread in threads]


@pytest.mark.usefixtures("place")
def test_page_size_is_what_a_request_looks_at() -> None:
    """page_size bounds what one request evaluates, limit what is given in all; both together hold."""
    threads = create_threads(9)
    odd = SCIENCE.filter(Thread.user_id == "user1")
    assert ids(SCIENCE.page_size(4).get_items()[0]) == ids(threads[:4])
    assert ids(odd.page_size(4).get_items()[0]) == ids([threads[1]])
    assert ids(odd.page_size(2).limit(2).get_items()[0]) == ids([threads[1], threads[4]])
    assert [ids(page.items) for page in SCIENCE.page_size(4).limit(6).pages()] == [ids(threads[:6])]
    assert [len(page.items) for page in SCIENCE.page_size(4).pages()] == [4, 4, 1]
    assert [ids(page.items) for page in SCIENCE.pages(5)] == [ids(threads[:5]), ids(threads[5:])]
    assert [len(page.items) for page in SCIENCE.limit(5).pages(2)] == [2, 2, 1]
    assert ids(SCIENCE.page_size(1)) == ids(threads) == ids(SCIENCE.page_size(2).all())


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("bounded", [NONE.max_pages(2), NONE.max_units(0.9)], ids=["pages", "units"])
def test_what_was_not_looked_at_is_never_told_as_nothing(bounded: dynamix.query.Query[Thread]) -> None:
    """Every way of reading that comes to a bound raises the error with what was found and where to go on, but a page,
    which has its cursor; where everything was looked at, nothing is raised."""
    threads = create_threads(7)
    for read in (
        lambda query: query.first(),
        lambda query: query.one(),
        lambda query: query.all(),
        lambda query: query.count(),
        lambda query: query.exists(),
        lambda query: query.delete(),
        lambda query: query.update(Thread.title.set("x")),
        list,
        lambda query: list(query.pages()),
        lambda query: asyncio.run(query.afirst()),
    ):
        with pytest.raises(ReadLimitError, match=r"max_(pages|units)\(.*start_key\(error\.cursor\)") as caught:
            read(bounded)
        error = caught.value
        assert (error.items, error.count, error.applied) == ((), 0, "no")
        assert isinstance(error.cursor, Cursor)
        assert error.cursor.key["thread_id"] == {"S": "t0003"}
        assert ids(SCIENCE.start_key(error.cursor)) == ids(threads[4:])
    found, cursor = bounded.limit(5).get_items()
    assert (found, cursor is None) == ([], False)
    with pytest.raises(ReadLimitError) as caught:
        SCIENCE.page_size(3).max_pages(2).all()
    assert (ids(caught.value.items), caught.value.count) == (ids(threads[:6]), 6)
    with pytest.raises(ReadLimitError) as caught:
        SCIENCE.page_size(3).max_pages(2).count()
    assert caught.value.count == 6
    assert SCIENCE.page_size(3).max_pages(3).count() == 7
    assert ids(SCIENCE.page_size(3).max_pages(3).max_units(50).max_seconds(60)) == ids(threads)
    assert SCIENCE.page_size(3).max_pages(1).exists()
    seen: list[Thread] = []
    with pytest.raises(ReadLimitError) as caught:
        seen.extend(SCIENCE.page_size(3).max_pages(2))
    assert ids(seen) == ids(threads[:6])
    assert caught.value.items == ()


def test_time_is_up() -> None:
    """max_seconds ends a request under way: the error has what was found before, and a page its cursor. The deadline of
    a block stays a deadline."""
    held = Holding("Query")
    query = SCIENCE.page_size(2)
    with serving(held):
        threads = create_threads(5)

        async def ask(read: Any, answered: int) -> Any:
            asking = asyncio.ensure_future(read)
            for _ in range(answered):
                (await held.anext()).answer()
            return await asking

        for seconds in (0.3, 1, 10):  # the first answer comes in time by one of them
            with pytest.raises(ReadLimitError, match=rf"max_seconds\({seconds}\)") as caught:
                asyncio.run(ask(query.max_seconds(seconds).aall(), 1))
            if caught.value.items:
                break
        assert ids(caught.value.items) == ids(threads[:2])
        held.next()
        for seconds in (0.3, 1, 10):
            with contextlib.suppress(ReadLimitError):
                found, cursor = asyncio.run(ask(query.limit(4).max_seconds(seconds).aget_items(), 1))
                break
        assert ids(found) == ids(threads[:2])
        assert cursor is not None
        held.next()
        with pytest.raises(ReadLimitError) as caught:
            asyncio.run(ask(query.max_seconds(0.01).aget_items(), 0))
        assert caught.value.cursor is None
        with pytest.raises(dynamix.DeadlineExceededError), dynamix.timeout(0.01):
            asyncio.run(ask(query.max_seconds(50).aget_items(), 0))


@pytest.mark.usefixtures("place")
def test_one_and_exists() -> None:
    """one() gives the only match and tells of none and of several; exists() says whether there is one."""
    threads = create_threads(4)
    assert SCIENCE.where(Thread.title == "Title 2").one() == threads[2]
    assert SCIENCE.limit(1).one() == threads[0]
    with pytest.raises(dynamix.ItemNotFoundError, match=r"no Thread matches.*first\(\)"):
        NONE.one()
    with pytest.raises(dynamix.MultipleItemsError, match="more than one Thread") as caught:
        SCIENCE.one()
    assert caught.value.items == tuple(threads[:2])
    assert [SCIENCE.exists(), NONE.exists(), Thread.scan().exists(), SCIENCE.limit(2).exists()] == [
        True,
        False,
        True,
        True,
    ]


@pytest.mark.usefixtures("place")
def test_selected_fields_and_order() -> None:
    """select() reads these fields and the keys, another one is an error; order() turns the direction alone."""
    threads = create_threads(3)
    found = SCIENCE.use_index(Thread.updated_at).select(Thread.updated_at).order(asc=False).all()
    assert ids(found) == ids(threads[::-1])
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = found[0].title
    assert ids(SCIENCE.order(asc=False).use_index(Thread.expires_at)) == ids(threads)
    assert ids(SCIENCE.order(asc=False).order(asc=True)) == ids(threads)
    assert SCIENCE.select(Thread.title).select().first() == threads[0]


WRONG: dict[str, Any] = {
    "a misspelt method": lambda: SCIENCE.wehre,  # type: ignore[attr-defined]
    "a method of the other class": lambda: Thread.scan().order,  # type: ignore[attr-defined]
    "a filter by a key": lambda: SCIENCE.filter(Thread.thread_id == "x").get_items(),
    "a condition on another model's field": lambda: SCIENCE.where(Other.title == "x"),
    "a filter on another model's field": lambda: SCIENCE.filter(Other.title == "x"),
    "another model's field": lambda: SCIENCE.select(Other.title),
    "what is no condition": lambda: SCIENCE.filter("title"),  # type: ignore[arg-type]
    "no pages": lambda: SCIENCE.max_pages(0),
    "a part of a page": lambda: SCIENCE.page_size(1.5),  # type: ignore[arg-type]
    "pages of nothing": lambda: SCIENCE.pages(0),
    "no units": lambda: SCIENCE.max_units(0),
    "seconds in words": lambda: SCIENCE.max_seconds("5"),  # type: ignore[arg-type]
}


class Other(dynamix.Model):
    """Another model."""

    name = dynamix.CharField(hash_key=True)
    title = dynamix.CharField()


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_at_once(what: str) -> None:
    """There is no connection here: nothing was sent."""
    with pytest.raises((dynamix.ValidationException, AttributeError)):
        WRONG[what]()


def test_a_misspelt_method_suggests_the_nearest() -> None:
    """The message names what was probably meant."""
    with pytest.raises(AttributeError, match=r"a Query has no attribute 'wehre'; did you mean 'where'\?"):
        _ = SCIENCE.wehre  # type: ignore[attr-defined]
    assert not hasattr(SCIENCE, "_repr_html_")
