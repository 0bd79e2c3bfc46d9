"""Cursors that cannot continue a query: refused as such, whoever finds out."""

import asyncio
from typing import Any

import pytest
from forum import Thread, create_threads, key
from scripted import Holding, serving

import dynamix
from dynamix.cursor import Cursor
from places import Place

SCIENCE = Thread.forum_id == "science"


def cursor(place: Place, key_: dict[str, Any], index: str | None = None) -> Cursor:
    """A cursor at a place of the threads' table."""
    return Cursor(place.table_name(Thread), index, key_)


def wire(forum: str, thread: str) -> dict[str, Any]:
    """A thread's key."""
    return {"forum_id": {"S": forum}, "thread_id": {"S": thread}}


REFUSED: dict[str, tuple[Any, dict[str, Any], str | None]] = {
    "another partition": (Thread.query().where(SCIENCE), wire("arts", "t0001"), None),
    "outside the sort key's condition": (
        Thread.query().where(SCIENCE, Thread.thread_id > "t0003"),
        wire("science", "t0001"),
        None,
    ),
    "another partition of an index": (
        Thread.query().use_index("by_user").where(Thread.user_id == "user1"),
        {**wire("science", "t0001"), "user": {"S": "user2"}, "updated_at": {"N": "1"}},
        "by_user",
    ),
    "one row only": (Thread.query().where(SCIENCE, Thread.thread_id == "t0002"), wire("arts", "t0002"), None),
    "another type": (Thread.scan(), {"forum_id": {"N": "1"}, "thread_id": {"S": "x"}}, None),
    "a key too few": (Thread.scan(), {"forum_id": {"S": "1"}}, None),
    "a key too many": (Thread.scan(), {**wire("science", "t0001"), "title": {"S": "x"}}, None),
    "an index's keys missing": (Thread.scan().use_index("by_user"), wire("science", "t0001"), "by_user"),
    "no type": (Thread.scan(), {"forum_id": {}, "thread_id": {"S": "x"}}, None),
    "two types": (Thread.scan(), {"forum_id": {"S": "a", "N": "1"}, "thread_id": {"S": "x"}}, None),
    "an unknown type": (Thread.scan(), {"forum_id": {"Q": "a"}, "thread_id": {"S": "x"}}, None),
    "an empty key": (Thread.scan(), wire("", "x"), None),
    "no number": (
        Thread.scan().use_index(Thread.updated_at),
        {**wire("science", "x"), "updated_at": {"N": "abc"}},
        "thread_ix_updated_at",
    ),
    "no base64": (Thread.scan(), {"forum_id": {"B": "é"}, "thread_id": {"S": "x"}}, None),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_cursor_that_cannot_continue_the_query_is_refused_as_such(place: Place, reason: str) -> None:
    """InvalidCursorError says so, of the cursor and of its text, for pages, iterations, limits and counts."""
    create_threads(5)
    search, key_, index = REFUSED[reason]
    for start in (cursor(place, key_, index), str(cursor(place, key_, index))):
        for read in (
            lambda query: query.get_items(),
            lambda query: query.limit(2).get_items(),
            lambda query: query.count(),
            list,
            lambda query: asyncio.run(query.aget_items()),
        ):
            with pytest.raises(dynamix.InvalidCursorError, match="pass a cursor only to the query that gave it"):
                read(search.start_key(start))


def test_other_refusals_are_not_the_cursors() -> None:
    """What the service refuses for another reason stays what it is, with a cursor or without."""
    held = Holding("Query")
    with serving(held):
        create_threads(2)
        query = Thread.query().where(SCIENCE).start_key(Cursor("thread", None, wire("science", "t0000")))

        async def ask() -> None:
            asking = asyncio.ensure_future(query.aget_items())
            (await held.anext()).refuse("ValidationException")
            await asking

        with pytest.raises(dynamix.InvalidRequestError):
            asyncio.run(ask())


@pytest.mark.usefixtures("place")
def test_a_deleted_item_can_be_continued_from() -> None:
    """A cursor stands between items: the item that it was made from may be gone."""
    threads = create_threads(4)
    _, cursor = Thread.query().where(SCIENCE).limit(2).get_items()
    threads[1].delete()
    assert [thread.get_primary_key_dict() for thread in Thread.query().where(SCIENCE).start_key(cursor)] == [
        key(2),
        key(3),
    ]


@pytest.mark.parametrize("search", [Thread.query(), Thread.query().where(SCIENCE), Thread.scan()], ids=repr)
def test_a_query_has_no_truth_value(search: Any) -> None:
    """`if query:` would be true whatever there is; it raises, as a condition does, and says what to ask."""
    for ask in (bool, lambda query: not query, lambda query: query or None):
        with pytest.raises(TypeError, match=r"no truth value.*first\(\).*count\(\)"):
            ask(search)
