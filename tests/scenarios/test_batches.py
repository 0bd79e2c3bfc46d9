"""Batches of any size: cut, resent and completed; nothing dropped, nothing doubled."""

import pytest
from forum import Thread, create_threads, key

import dynamix

pytestmark = pytest.mark.usefixtures("place")


@pytest.mark.parametrize("count", [0, 1, 25, 26, 100, 101, 1000])
def test_batches_of_any_size(count: int) -> None:
    """Everything written is found, in the order asked for, and everything deleted is gone."""
    threads = create_threads(count)
    keys = [key(n) for n in range(count)]
    assert Thread.batch_get(*reversed(keys)) == threads[::-1]
    assert len(list(Thread.scan())) == count
    Thread.batch_delete(keys=keys)
    assert Thread.batch_get(*keys) == []
    assert list(Thread.scan()) == []


def test_batch_get_drops_duplicates_and_leaves_out_the_missing() -> None:
    """A key given twice is answered once, at its first place; a key without an item is left out."""
    threads = create_threads(3)
    found = Thread.batch_get(key(2), key(99), key(0), key(2), key(1), key(0))
    assert found == [threads[2], threads[0], threads[1]]


def test_batch_write_takes_items_and_dicts() -> None:
    """Instances and dicts of values mix; dicts get the model's defaults."""
    dynamix.create_table(Thread)
    Thread.batch_write([Thread(**key(0), title="a"), {**key(1), "title": "b"}])
    found = Thread.batch_get(key(0), key(1))
    assert [(thread.title, thread.reviews) for thread in found] == [("a", []), ("b", [])]


def test_batch_write_keeps_the_last_of_a_key() -> None:
    """Of two items of one key the later one stands, as if written one after another."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(n % 2), "title": str(n)} for n in range(60)])
    assert [thread.title for thread in Thread.batch_get(key(0), key(1))] == ["58", "59"]


def test_batch_delete_takes_items_and_keys() -> None:
    """Instances, keys, and a key given twice are all taken; what does not exist is no error."""
    threads = create_threads(4)
    Thread.batch_delete([threads[0], key(1), key(1), key(99)])
    Thread.batch_delete(keys=[key(2), threads[1]])
    assert list(Thread.scan()) == [threads[3]]


def test_a_bad_item_stops_the_batch_before_it_is_sent() -> None:
    """When one item of a batch is invalid, nothing is written."""
    dynamix.create_table(Thread)
    with pytest.raises(dynamix.ValidationException, match="title"):
        Thread.batch_write([{**key(0)}, {**key(1), "title": 5}])
    with pytest.raises(dynamix.ValidationException, match="titel"):
        Thread.batch_write([{**key(0)}, {**key(1), "titel": "x"}])
    assert list(Thread.scan()) == []


def test_large_items_are_batched_by_size() -> None:
    """A batch of items near the size limit passes the 16 MB limit of one request and arrives whole."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(n), "title": "x" * 390_000} for n in range(60)])
    found = Thread.batch_get(*[key(n) for n in range(60)])
    assert [thread.thread_id for thread in found] == [f"t{n:04}" for n in range(60)]
    assert {len(thread.title or "") for thread in found} == {390_000}


class Chapter(Thread):
    """A model of the same table with one field more."""

    __table_name__ = "thread"

    pages = dynamix.IntegerField()


def test_an_instance_of_a_model_with_more_fields_is_refused() -> None:
    """The other model would not store them: the error names both and the fields, and nothing is sent. One that adds
    none is stored."""
    create_threads(0)

    class Post(Thread):
        __table_name__ = "thread"

    chapter = Chapter(**key(1), title="x", pages=3)
    with pytest.raises(dynamix.WrongTypeError, match=r"does not store its Chapter\.pages"):
        Thread.batch_write([Thread(**key(2), title="x"), chapter])
    assert Thread.scan().count() == 0
    Thread.batch_write([Post(**key(1), title="x")])
    assert Thread.scan().count() == 1
