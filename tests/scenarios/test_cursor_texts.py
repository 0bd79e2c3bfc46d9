"""Cursors as text: short, bound to their query, signed and encrypted; pages that add up, forwards and back."""

import json
import pickle
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from forum import Thread, create_threads
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynamix
from dynamix import Connection, Cursor, InvalidCursorError, use_connection
from places import Place

SCIENCE = Thread.query().where(Thread.forum_id == "science")
BY_USER = Thread.query().where(Thread.user_id == "user1")
OLD, NEW = b"old key of 16 bytes", "new key of 16 bytes"


def ids(threads: Any) -> list[str]:
    """The sort keys of threads."""
    return [thread.thread_id for thread in threads]


def text_after(query: Any, number: int = 2) -> str:
    """The text of the cursor behind so many matches."""
    _, cursor = query.limit(number).get_items()
    assert cursor is not None
    return str(cursor)


@pytest.mark.parametrize("options", [{}, {"cursor_key": NEW}, {"cursor_key": NEW, "encrypt_cursors": True}])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    asc=st.booleans(),
    query=st.sampled_from(
        [
            SCIENCE,
            SCIENCE.use_index(Thread.expires_at),
            SCIENCE.filter(Thread.user_id != "user0"),
            SCIENCE.filter(Thread.title == "Title 9").page_size(3),
            BY_USER,
            SCIENCE.where(Thread.thread_id > "t0003"),
            SCIENCE.filter(Thread.title == "none"),
        ]
    ),
)
def test_pages_of_any_size_add_up(
    options: dict[str, Any], sizes: list[int], asc: bool, query: dynamix.query.Query[Thread]
) -> None:
    """Pages of any sizes, each begun from the text of the one before, are the whole in order; so are those read by the
    previous cursors, from the last page back."""
    with Connection(embedded=True, **options) as connection, use_connection(connection):
        create_threads(11)
        whole = ids(query.order(asc=asc))
        seen: list[str] = []
        text, number, last = None, 0, None
        while True:
            last = next(iter(query.order(asc=asc).start_key(text).pages(sizes[number % len(sizes)])))
            seen += ids(last.items)
            number += 1
            if last.next is None:
                break
            text = str(last.next)
        assert seen == whole
        back = ids(last.items)
        while last.previous is not None:
            text = str(last.previous)
            last = next(iter(query.order(asc=asc).start_key(text).pages(sizes[number % len(sizes)])))
            back = ids(last.items) + back
            number += 1
        assert back == whole
        if number > 2 and last.next is not None:
            assert ids(last.items) + ids(query.order(asc=asc).start_key(last.next)) == whole


@pytest.mark.usefixtures("place")
def test_web_pages_forwards_and_back() -> None:
    """The page before a page is the one that was shown, and leads to it again; of scans there is none."""
    threads = create_threads(9)
    first, second, third = list(SCIENCE.pages(3))[:3]
    assert first.previous is None
    again = next(iter(SCIENCE.start_key(str(second.previous)).pages(3)))
    assert ids(again.items) == ids(threads[:3])
    assert again.next is not None
    assert ids(SCIENCE.start_key(again.next)) == ids(threads[3:])
    items, cursor = SCIENCE.start_key(third.previous).limit(3).get_items()
    assert ids(items) == ids(threads[3:6])
    assert ids(SCIENCE.start_key(cursor)) == ids(threads[6:])
    for read in ("first", "count", "all", "delete"):
        with pytest.raises(InvalidCursorError, match=r"only pages\(\) and get_items\(\)"):
            getattr(SCIENCE.start_key(third.previous), read)()
    assert [page.previous for page in Thread.scan().pages(4)] == [None] * 3


@pytest.mark.usefixtures("place")
def test_a_cursor_is_bound_to_its_query(place: Place) -> None:
    """It continues neither another table's, index's, direction's nor partition's, as an object or as text; filters and
    ranges may change. The service's own key and the text of older versions are taken, and bound to the partition."""
    create_threads(6)
    _, cursor = SCIENCE.limit(2).get_items()
    assert cursor is not None
    elsewhere = [
        SCIENCE.order(asc=False),
        SCIENCE.use_index(Thread.updated_at),
        Thread.query().where(Thread.forum_id == "arts"),
        Thread.scan(),
    ]
    older = urlsafe_b64encode(json.dumps([cursor.table, None, cursor.key]).encode()).decode()
    for start in (cursor, str(cursor), pickle.loads(pickle.dumps(cursor))):
        for query in elsewhere:
            with pytest.raises(InvalidCursorError, match="pass a cursor only to the query that gave it"):
                query.start_key(start).get_items()
        assert ids(SCIENCE.where(Thread.thread_id < "t0004").filter(Thread.title.exists()).start_key(start)) == [
            "t0002",
            "t0003",
        ]
    for start in (older, older.rstrip("="), cursor.key):
        assert ids(SCIENCE.start_key(start)) == ["t0002", "t0003", "t0004", "t0005"]
        with pytest.raises(InvalidCursorError, match="another value of the partition key 'forum_id'"):
            elsewhere[2].start_key(start).get_items()
    text = str(cursor)
    assert len(text) < 40
    assert re.fullmatch(r"[\w-]+", text)
    assert json.loads(json.dumps({"cursor": text, "key": cursor.key}))["key"] == cursor.key
    for wrong in ("", "?", "é", "AAAA", "Wg", text[:-4], text[:8], text + "AAAA", "B" + text[1:]):
        with pytest.raises(InvalidCursorError):
            SCIENCE.start_key(wrong).get_items()


@pytest.mark.parametrize("encrypts", [False, True], ids=["signed", "encrypted"])
def test_only_who_has_the_key_makes_cursors(encrypts: bool) -> None:
    """With a cursor_key every changed or unsigned text is refused, as are keys in place of cursors; keys can be
    rotated; what is encrypted shows no value."""
    engine = dynamix.engine.Engine()
    options: Any = {"engine": engine, "encrypt_cursors": encrypts}
    with use_connection(Connection(engine=engine)):
        create_threads(6)
        _, plain = SCIENCE.limit(2).get_items()
        assert plain is not None
    with use_connection(Connection(**options, cursor_key=OLD)):
        text = text_after(SCIENCE)
        _, cursor = SCIENCE.limit(2).get_items()
    assert cursor == plain
    content = urlsafe_b64decode(text + "==="[: -len(text) % 4])
    assert (b"science" in content) is not encrypts
    assert "science" not in repr(cursor)
    with use_connection(Connection(**options, cursor_key=[NEW, OLD])):
        assert ids(SCIENCE.start_key(text)) == ["t0002", "t0003", "t0004", "t0005"] == ids(SCIENCE.start_key(cursor))
        rotated = text_after(SCIENCE)
        older = urlsafe_b64encode(json.dumps([plain.table, None, plain.key]).encode()).decode()
        for wrong in (str(plain), older, plain.key):
            with pytest.raises(InvalidCursorError, match="cursor_key"):
                SCIENCE.start_key(wrong).get_items()
        for place in range(len(content)):
            changed = bytearray(content)
            changed[place] ^= 1
            with pytest.raises(InvalidCursorError):
                SCIENCE.start_key(urlsafe_b64encode(changed).decode()).get_items()
        with pytest.raises(InvalidCursorError, match="direction"):
            SCIENCE.order(asc=False).start_key(text).get_items()
    with use_connection(Connection(**options, cursor_key=NEW)):
        assert ids(SCIENCE.start_key(rotated)) == ["t0002", "t0003", "t0004", "t0005"]
        with pytest.raises(InvalidCursorError, match="another cursor_key"):
            SCIENCE.start_key(text).get_items()
    with use_connection(Connection(engine=engine)), pytest.raises(InvalidCursorError, match="cursor_key"):
        SCIENCE.start_key(text).get_items()
    engine.close()


@pytest.mark.parametrize(
    "options",
    [
        {"cursor_key": "too short"},
        {"cursor_key": 5},
        {"cursor_key": []},
        {"cursor_key": [NEW, "hush-hush"]},
        {"encrypt_cursors": True},
        {"cursor_key": NEW, "encrypt_cursors": 1},
    ],
)
def test_wrong_keys_are_refused(options: Any) -> None:
    """A key that is too short or none is refused when the connection is made, and not shown."""
    with pytest.raises(dynamix.ValidationException) as caught:
        Connection(embedded=True, **options)
    assert "hush" not in str(caught.value)
    assert "new key" not in repr(Connection(embedded=True, cursor_key=NEW))
    assert "new key" not in repr(Connection(embedded=True, cursor_key=NEW).retry)


def test_cursors_compare_by_where_they_stand() -> None:
    """Equal are those of one place, however they are sealed."""
    one = Cursor("thread", None, {"a": {"S": "x"}}, "asc")
    assert one == Cursor("thread", None, {"a": {"S": "x"}}, "asc", text="sealed")
    assert one != Cursor("thread", None, {"a": {"S": "x"}}, "desc")
    assert repr(one) == "Cursor('thread', None, {'a': {'S': 'x'}})"
