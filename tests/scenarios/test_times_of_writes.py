"""The time of the last write (`auto_now`) is shown once that write is stored, and not where it failed."""

from datetime import UTC, datetime
from typing import Any

import pytest

import dynamix
from dynamix import BooleanField, CharField, ConditionalCheckFailedError, DateTimeField, ListField
from dynamix.expressions.nodes import Condition
from places import Place

LONG_AGO = datetime(2020, 1, 2, tzinfo=UTC)


class Note(dynamix.Model):
    """An item that knows when it was changed."""

    __table_name__ = "note"

    key = CharField(hash_key=True)
    done = BooleanField()
    words = ListField()
    changed_at = DateTimeField(auto_now=True)


@pytest.fixture
def note(place: Place) -> Note:
    """A note that was changed long ago."""
    dynamix.create_table(Note)
    item: dict[str, Any] = {"key": {"S": "k"}, "words": {"L": []}, "changed_at": {"S": LONG_AGO.isoformat()}}
    place.call("PutItem", TableName=place.table_name(Note), Item=item)
    return Note.get_or_raise(key="k", consistent=True)


def write_all(note: Note, condition: Condition) -> None:
    note.save(overwrite=True, condition=condition)


def save_an_edit(note: Note, condition: Condition) -> None:
    note.words.append("word")
    note.save(condition=condition)


def commit(note: Note, condition: Condition) -> None:
    note.set_field(Note.done, True)
    note.commit_changes(condition=condition)


def commit_an_action(note: Note, condition: Condition) -> None:
    note.change(Note.done.set(True))
    note.commit_changes(condition=condition)


@pytest.mark.parametrize("write", [write_all, save_an_edit, commit, commit_an_action])
def test_the_time_of_a_write_shows_once_it_is_stored(note: Note, write: Any) -> None:
    """Where a condition is not met, an instance shows the time before; where it is, the time that is stored."""
    with pytest.raises(ConditionalCheckFailedError):
        write(note, Note.done == True)  # noqa: E712 - a condition
    assert note.changed_at == LONG_AGO
    note.discard_changes()
    note.refresh()
    write(note, Note.done.not_exists())
    assert note.changed_at is not None
    assert note.changed_at > LONG_AGO
    assert Note.get_or_raise(key="k", consistent=True) == note


def test_a_new_item_that_is_refused_keeps_its_time(note: Note) -> None:
    """An instance whose key is taken shows the time that it was made with."""
    twin = Note(key="k")
    made = twin.changed_at
    with pytest.raises(dynamix.ItemExistsError):
        twin.save()
    assert twin.changed_at == made


def test_the_time_of_a_batch_shows_on_what_is_stored(note: Note) -> None:
    """A batch that is refused leaves the times of the instances given; one that is stored renews them."""
    bad = Note(key="bad")
    vars(bad)["done"] = "yes"
    with pytest.raises(dynamix.WrongTypeError):
        Note.batch_write([note, bad])
    with pytest.raises(dynamix.WrongTypeError):
        Note.batch_write([note, {"key": "bad", "done": "yes"}])
    assert note.changed_at == LONG_AGO
    other = Note.batch_write([note, {"key": "other", "changed_at": LONG_AGO}])[1]
    assert note.changed_at is not None
    assert note.changed_at > LONG_AGO
    assert other.changed_at == LONG_AGO
    assert Note.get_or_raise(key="k", consistent=True) == note
    assert Note.get_or_raise(key="other", consistent=True) == other


def test_the_time_is_no_change_that_was_queued(note: Note) -> None:
    """After a write that failed nothing but what the program has changed is left to store."""
    note.words.append("word")
    with pytest.raises(ConditionalCheckFailedError):
        note.save(condition=Note.done == True)  # noqa: E712 - a condition
    note.words.pop()
    note.refresh()
    assert note.changed_at == LONG_AGO
