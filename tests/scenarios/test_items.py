"""Creating, reading and deleting one item."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime

import pytest
from forum import Thread, key
from scripted import Holding, serving

import dynamix

pytestmark = pytest.mark.usefixtures("_table")


@pytest.fixture
def _table(place: object) -> None:
    dynamix.create_table(Thread)


def test_create_stores_and_returns() -> None:
    """create stores the item and returns it, defaults filled in."""
    thread = Thread.create(**key(1), title="t")
    assert (thread.title, thread.updated_at, thread.reviews, thread.user_id) == ("t", 0, [], None)
    assert Thread.get(**key(1)) == thread


def test_create_replaces_the_whole_item() -> None:
    """create over an existing key replaces it; nothing of the old item is left."""
    Thread.create(**key(1), title="old", tags={"x"})
    Thread.create(**key(1), user_id="me")
    found = Thread.get(**key(1))
    assert found is not None
    assert (found.title, found.tags, found.user_id) == (None, None, "me")


def test_create_without_overwriting() -> None:
    """create(overwrite=False) raises on an existing key, leaves the stored item alone, and works on a free one."""
    first = Thread.create(**key(1), title="first", overwrite=False)
    with pytest.raises(dynamix.ItemExistsError) as caught:
        Thread.create(**key(1), title="second", overwrite=False)
    assert isinstance(caught.value, dynamix.ClientException)
    assert Thread.get(**key(1)) == first


def test_get_of_a_missing_item() -> None:
    """get gives None where there is no item; exists says the same."""
    assert Thread.get(**key(1)) is None
    assert not Thread.exists(**key(1))
    Thread.create(**key(1))
    assert Thread.exists(**key(1))


def test_delete() -> None:
    """delete removes the item, and removing what is not there is no error."""
    thread = Thread.create(**key(1))
    thread.delete()
    assert Thread.get(**key(1)) is None
    thread.delete()
    Thread.delete_by_key(**key(1))


def test_delete_by_key() -> None:
    """delete_by_key removes the item without loading it, and no other."""
    Thread.create(**key(1))
    Thread.create(**key(2))
    Thread.delete_by_key(**key(1))
    assert [thread.thread_id for thread in Thread.scan()] == ["t0002"]


def test_defaults_are_not_shared() -> None:
    """A mutable default is copied for each instance."""
    first, second = Thread(**key(1)), Thread(**key(2))
    first.reviews.append("x")
    assert second.reviews == []
    assert Thread(**key(3)).reviews == []


def test_equality_is_by_type_and_values() -> None:
    """Instances are equal when their types and values are; never to anything else."""
    assert Thread(**key(1), title="t") == Thread(**key(1), title="t")
    assert Thread(**key(1), title="t") != Thread(**key(1), title="u")
    assert Thread(**key(1)) != key(1)


def test_repr_names_the_type_and_the_values() -> None:
    """repr shows the model and the values."""
    text = repr(Thread(**key(1), title="black holes"))
    assert text.startswith("Thread(")
    assert "forum_id='science'" in text
    assert "title='black holes'" in text


def test_to_son_goes_to_json() -> None:
    """to_son gives what json can dump, sets and binary included, by the attributes' names."""
    thread = Thread.create(**key(1), user_id="me", tags={"b", "a"}, data={"x": {1, 2}, "y": b"\xff", "z": 0.5})
    son = json.loads(json.dumps(thread.to_son()))
    assert son["forum_id"] == "science"
    assert son["user_id"] == "me"
    assert sorted(son["tags"]) == ["a", "b"]
    assert sorted(son["data"]["x"]) == [1, 2]
    assert son["data"]["z"] == 0.5


def test_get_primary_key_dict() -> None:
    """get_primary_key_dict gives the key as `get` takes it."""
    thread = Thread.create(**key(1), title="t")
    assert thread.get_primary_key_dict() == key(1)
    assert Thread.get(**thread.get_primary_key_dict()) == thread


def test_item_count() -> None:
    """item_count is the count that the table's description holds."""
    assert Thread.item_count() == 0
    Thread.create(**key(1))
    assert Thread.item_count() in (0, 1)  # the service refreshes it every six hours, other places at once


class Base(dynamix.Model):
    """Fields that several models share."""

    key = dynamix.CharField(hash_key=True)
    made_at = dynamix.DateTimeField(auto_now_add=True)
    changed_at = dynamix.DateTimeField(auto_now=True)


class Note(Base):
    """A model with inherited fields."""

    text = dynamix.CharField(required=True)
    slug = dynamix.CharField(default_using_instance=lambda note: note.text.lower().replace(" ", "-"))


def test_fields_are_inherited() -> None:
    """A model has its parents' fields, in a table of its own name."""
    dynamix.create_table(Note)
    note = Note.create(key="k", text="Black Holes")
    assert Note.get(key="k") == note
    assert note.slug == "black-holes"
    assert isinstance(note.made_at, datetime)


def test_automatic_times() -> None:
    """auto_now_add is set once, auto_now at every write."""
    dynamix.create_table(Note)
    note = Note.create(key="k", text="a")
    made, changed = note.made_at, note.changed_at
    assert made is not None
    assert changed is not None
    note.set_field(Note.text, "b")
    note.commit_changes()
    assert note.made_at == made
    assert note.changed_at is not None
    assert note.changed_at > changed
    assert Note.get(key="k") == note


def later(now: datetime | None, before: datetime | None) -> bool:
    """Whether a time is there, and after the one before."""
    return now is not None and before is not None and now > before


@pytest.mark.parametrize("store", [Note.save, lambda note: Note.batch_write([note])], ids=["save", "batch"])
def test_automatic_times_of_what_is_stored_whole(store: Callable[[Note], object]) -> None:
    """A new instance keeps the time at which it was made. One that was deleted is made anew: it gets another time,
    unless it was given one; a replacement of a stored item does not."""
    dynamix.create_table(Note)
    note = Note(key="k", text="a")
    made, changed = note.made_at, note.changed_at
    store(note)
    assert note.made_at == made
    assert later(note.changed_at, changed)
    changed = note.changed_at
    note.save(overwrite=True)
    assert note.made_at == made
    assert later(note.changed_at, changed)
    assert Note.get(key="k", consistent=True) == note
    note.delete()
    changed = note.changed_at
    store(note)
    assert later(note.made_at, made)
    assert later(note.changed_at, changed)
    assert Note.get(key="k", consistent=True) == note
    note.delete()
    note.made_at = made
    store(note)
    assert note.made_at == made
    assert Note.get(key="k", consistent=True) == note


def test_automatic_times_of_a_saved_change() -> None:
    """A change that is sent sets auto_now and leaves auto_now_add alone; where nothing differs, nothing is set."""
    dynamix.create_table(Note)
    note = Note.create(key="k", text="a")
    made = note.made_at
    for change in (
        lambda: note.set_field(Note.text, "b").save(),
        lambda: note.set_field(Note.text, "c").commit_changes(),
    ):
        changed = note.changed_at
        change()
        note.refresh()
        assert note.made_at == made
        assert later(note.changed_at, changed)
    changed = note.changed_at
    note.save()
    assert note.refresh().changed_at == changed


def test_undeclared_attributes_survive_an_update() -> None:
    """An attribute that the model does not declare survives the commit of changes."""

    class Narrow(dynamix.Model):
        __table_name__ = "thread"
        forum_id = dynamix.CharField(hash_key=True)
        thread_id = dynamix.CharField(range_key=True)
        title = dynamix.CharField()

    Thread.create(**key(1), title="t", data={"a": 1})
    narrow = Narrow.get(**key(1))
    assert narrow is not None
    narrow.set_field(Narrow.title, "u")
    narrow.commit_changes()
    wide = Thread.get(**key(1))
    assert wide is not None
    assert (wide.title, wide.data) == ("u", {"a": 1})


def test_a_batch_is_a_write_as_well() -> None:
    """batch_write of a loaded instance sets auto_now, and leaves auto_now_add alone."""
    dynamix.create_table(Note)
    Note.create(key="k", text="a")
    note = Note.get(key="k")
    assert note is not None
    assert note.changed_at is not None
    made, changed = note.made_at, note.changed_at
    assert Note.batch_write([note]) == [note]
    assert note.made_at == made
    assert note.changed_at > changed
    assert Note.get(key="k") == note


class Falsy(dynamix.Model):
    """Defaults that are false in Python, and some that are true."""

    slug = dynamix.CharField(default_using_instance=lambda falsy: falsy.title.lower())
    key = dynamix.CharField(hash_key=True, default=lambda: "made up")
    title = dynamix.CharField(default="Untitled")
    zero = dynamix.IntegerField(default=0)
    no = dynamix.BooleanField(default=False)
    empty = dynamix.CharField(default="")
    five = dynamix.IntegerField(default=5)
    yes = dynamix.BooleanField(default=True)
    real = dynamix.FloatField(default=1.5)
    items = dynamix.ListField(default=[1])


def test_defaults_that_are_false() -> None:
    """0, False and "" are values: as defaults, and in place of other defaults, and so is an empty list."""
    dynamix.create_table(Falsy)
    falsy = Falsy.create()
    assert (falsy.key, falsy.zero, falsy.no, falsy.empty) == ("made up", 0, False, "")
    assert Falsy.get(key="made up") == falsy
    given = Falsy.create(key="k", title="", five=0, yes=False, real=0.0, items=[])
    found = Falsy.get(key="k")
    assert found == given
    assert found is not None
    assert (found.title, found.five, found.yes, found.real, found.items) == ("", 0, False, 0.0, [])


def test_a_default_from_the_instance_sees_the_others() -> None:
    """default_using_instance comes after all plain defaults, in whichever order the fields are declared."""
    assert Falsy(key="k").slug == "untitled"


@pytest.mark.parametrize("consistent", [False, True])
def test_exists_can_be_consistent(consistent: bool) -> None:
    """exists takes consistent, as get does, and asks the service for it."""
    Thread.create(**key(1))
    assert Thread.exists(**key(1), consistent=consistent)
    assert not asyncio.run(Thread.aexists(**key(2), consistent=consistent))
    held = Holding("GetItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        asking = pool.submit(copy_context().run, lambda: Thread.exists(**key(1), consistent=consistent))
        request = held.next()
        request.answer()
        assert request.body.get("ConsistentRead", False) is consistent
        assert asking.result() is False
