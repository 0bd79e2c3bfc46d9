"""Copies and pickles of an instance: they know what it knew, and their changes are their own."""

import copy
import pickle
from collections.abc import Callable

import pytest
from forum import Thread, create_threads, key

import dynamix

pytestmark = pytest.mark.usefixtures("place")

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thread: pickle.loads(pickle.dumps(thread)),
}

Way = Callable[[Thread], Thread]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_has_changes_of_its_own(way: Way) -> None:
    """What is queued is queued on both; later changes, and giving them up, are for one of them only."""
    dynamix.create_table(Thread)
    thread = Thread.create(**key(1), title="old")
    thread.set_field(Thread.title, "new")
    thread.append_to_listfield(Thread.reviews, "x")
    twin = way(thread)
    twin.set_field(Thread.title, "newest")
    twin.append_to_listfield(Thread.reviews, "y")
    assert (thread.title, thread.reviews) == ("new", ["x"])
    assert (twin.title, twin.reviews) == ("newest", ["x", "y"])
    thread.discard_changes()
    assert (thread.title, thread.reviews) == ("old", [])
    twin.commit_changes()
    assert Thread.get(**key(1)) == twin
    assert (twin.title, twin.reviews) == ("newest", ["x", "y"])


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_knows_what_it_lacks(way: Way) -> None:
    """A copy of a partly loaded instance is one too, also where a field that was not loaded has a change."""
    create_threads(1)
    (thread,) = Thread.query(Thread.title).where(Thread.forum_id == "science")
    thread.set_field(Thread.state, "open")
    twin = way(thread)
    assert twin.state == "open"
    twin.discard_changes()
    for unknown in ("state", "updated_at"):
        with pytest.raises(dynamix.FieldNotLoadedError):
            getattr(twin, unknown)
    with pytest.raises(dynamix.InvalidUpdateError, match="would remove"):
        Thread.batch_write([twin])


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_slots_are_copied(way: Callable[[dynamix.Model], dynamix.Model]) -> None:
    """What a model keeps in slots goes along."""
    slotted = Slotted(key="k")
    slotted.extra = 5
    slotted.set_field(Slotted.text, "t")
    twin = way(slotted)
    assert isinstance(twin, Slotted)
    assert (twin.extra, twin.text) == (5, "t")


class Slotted(dynamix.Model):
    """A model with a slot beside its fields."""

    __slots__ = ("extra",)
    extra: int
    key = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
