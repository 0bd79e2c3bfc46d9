"""Reads of many keys of several models."""

import threading
from typing import Any

import pytest
from forum import Thread, create_threads, key

import dynamix
from dynamix import Connection, use_connection

pytestmark = pytest.mark.usefixtures("place")


class Word(dynamix.Model):
    """Another model."""

    __table_name__ = "word"
    text = dynamix.CharField(hash_key=True)
    count = dynamix.IntegerField()


class Spelling(dynamix.Model):
    """A third one, in the table of the second."""

    __table_name__ = "word"
    text = dynamix.CharField(hash_key=True)


def test_keys_of_several_models_are_read_in_order() -> None:
    """What exists comes in the order of the first mention, each as its model; keys and instances mix."""
    threads = create_threads(3)
    dynamix.create_table(Word)
    Word.batch_write([{"text": "a", "count": 1}, {"text": "b", "count": 2}])
    found = dynamix.batch_get(
        Word.key_of(text="b"),
        threads[2],
        Spelling.key_of(text="b"),
        Thread.key_of(**key(0)),
        Word.key_of(text="gone"),
        Thread.key_of(**key(99)),
        threads[0],
        Word(text="a").get_primary_key_dict(),
        Word.key_of(text="b"),
        consistent=True,
    )
    expected: list[dynamix.Model] = [Word(text="b", count=2), threads[2], Spelling(text="b"), threads[0]]
    assert found == [*expected, Word(text="a", count=1)]
    assert [type(each) for each in found] == [Word, Thread, Spelling, Thread, Word]
    assert dynamix.batch_get() == []


def test_more_keys_than_a_request_takes() -> None:
    """Hundreds of keys of two models are read."""
    threads = create_threads(230)
    dynamix.create_table(Word)
    words = Word.batch_write([{"text": str(n)} for n in range(130)])
    mixed: list[dynamix.Model] = [each for pair in zip(threads, words, strict=False) for each in pair]
    assert dynamix.batch_get(*mixed, *threads[130:]) == [*mixed, *threads[130:]]


def test_a_missing_table_is_named() -> None:
    """The error says which model's table does not exist."""
    create_threads(1)
    with pytest.raises(dynamix.TableNotFoundError, match=r"word' of Word does not exist; create it with"):
        dynamix.batch_get(Thread.key_of(**key(0)), Word.key_of(text="a"))


def test_what_cannot_be_read_is_told_to_whoever_asked() -> None:
    """`on_error` is called in the caller's own thread, and the others are still read."""

    class Counted(dynamix.Model):
        __table_name__ = "word"
        text = dynamix.CharField(hash_key=True)
        count = dynamix.CharField()

    threads = create_threads(1)
    dynamix.create_table(Word)
    Word.create(text="a", count=1)
    told: list[tuple[Any, threading.Thread]] = []
    found = dynamix.batch_get(
        Counted.key_of(text="a"),
        threads[0],
        on_error=lambda error: told.append((error.key, threading.current_thread())),
    )
    assert found == threads
    assert told == [({"text": "a"}, threading.current_thread())]
    with pytest.raises(dynamix.StoredValueError, match=r"Counted\.count"):
        dynamix.batch_get(Counted.key_of(text="a"), threads[0])


def test_what_is_no_key_of_a_model_is_refused() -> None:
    """A plain dict does not say of which model it is; models of two connections are two requests."""
    with pytest.raises(dynamix.WrongTypeError, match=r"\{'text': 'a'\}, at position 1, does not say of which model"):
        dynamix.batch_get(Word.key_of(text="a"), {"text": "a"})  # type: ignore[arg-type]
    with Connection(embedded=True) as other:

        class Elsewhere(dynamix.Model):
            __connection__ = other
            text = dynamix.CharField(hash_key=True)

        with pytest.raises(dynamix.InvalidQueryError, match="Elsewhere uses another connection"):
            dynamix.batch_get(Word.key_of(text="a"), Elsewhere.key_of(text="a"))
        with use_connection(other):
            dynamix.create_table(Elsewhere)
            assert dynamix.batch_get(Elsewhere.key_of(text="a")) == []


def test_a_key_knows_its_model() -> None:
    """A key of `key_of` and `get_primary_key_dict` is a dict like any other that knows its model."""
    made = Word.key_of(text="a")
    assert (made, made.model) == ({"text": "a"}, Word)
    assert Word(text="a").get_primary_key_dict().model is Word
