"""What an instance made in Python stands for: its key alone is a handle on an item, values besides are a new item."""

import copy
import pickle
from collections.abc import Callable

import pytest
from forum import Thread, key

import dynamix

pytestmark = pytest.mark.usefixtures("_table")


@pytest.fixture
def _table(place: object) -> None:
    dynamix.create_table(Thread)


def stored() -> Thread:
    """The thread as it is in the table."""
    found = Thread.get(**key(1), consistent=True)
    assert found is not None
    return found


WAYS: dict[str, Callable[[Thread], Thread]] = {
    "itself": lambda thread: thread,
    "copy": copy.copy,
    "pickle": lambda thread: pickle.loads(pickle.dumps(thread)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_values_given_to_a_new_instance_are_not_dropped(way: Callable[[Thread], Thread]) -> None:
    """A commit would not send what the constructor was given, so it is refused, with changes queued or without."""
    Thread.create(**key(1), title="stored")
    thread = Thread(**key(1), title="given")
    with pytest.raises(dynamix.InvalidUpdateError, match=r"never stored.*Thread\.create\(\.\.\.\)"):
        way(thread).commit_changes()
    thread.set_field(Thread.state, "open")
    with pytest.raises(dynamix.InvalidUpdateError, match="never stored"):
        way(thread).commit_changes()
    assert (thread.title, thread.state, stored().title, stored().state) == ("given", "open", "stored", None)
    thread = way(thread)
    Thread.batch_write([thread])
    thread.add_to_field(Thread.updated_at, 1)
    thread.commit_changes()
    assert stored() == thread
    assert (thread.title, thread.state, thread.updated_at) == ("given", "open", 1)


def test_a_default_that_was_given_is_a_value_too() -> None:
    """A value counts as given though it is the default; None does not."""
    with pytest.raises(dynamix.InvalidUpdateError, match="never stored"):
        Thread(**key(1), updated_at=0).commit_changes()
    Thread(**key(1), title=None, updated_at=None).commit_changes()
    assert not Thread.exists(**key(1))


def test_an_instance_made_of_its_key_changes_the_item() -> None:
    """It is a handle: what is queued on it changes the stored item, and nothing else does."""
    Thread.create(**key(1), title="stored", updated_at=7, data={"a": 1})
    thread = Thread(**key(1))
    thread.title = "changed"
    thread.add_to_field(Thread.updated_at, 1).update_to_dict_field(Thread.data, {"b": 2})
    thread.commit_changes()
    assert (thread.title, thread.updated_at, thread.data) == ("changed", 8, {"a": 1, "b": 2})
    assert stored() == thread
    Thread.batch_write([Thread(**key(1))])
    assert stored() == Thread(**key(1))


@pytest.mark.parametrize("delete", ["delete", "batch_delete", "batch_delete by keys="])
@pytest.mark.parametrize("source", ["made", "created", "loaded", "made of its key"])
def test_a_deleted_instance_is_new(source: str, delete: str) -> None:
    """After a delete nothing is there to change: a commit is refused; stored whole, the instance is loaded again."""
    thread = Thread(**key(1), title="t", reviews=["x"])
    if source != "made":
        thread = Thread.create(**key(1), title="t", reviews=["x"])
    if source == "loaded":
        thread = stored()
    if source == "made of its key":
        thread = Thread(**key(1))
    thread.set_modify_conditions()
    match delete:
        case "delete":
            thread.delete()
        case "batch_delete":
            Thread.batch_delete([thread])
        case _:
            Thread.batch_delete(keys=[thread])
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Thread\.batch_write"):
        thread.commit_changes()
    thread.title = "again"
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Thread\.batch_write"):
        thread.commit_changes()
    assert not Thread.exists(**key(1))
    Thread.batch_write([thread])
    thread.append_to_listfield(Thread.reviews, "y")
    thread.commit_changes()
    assert stored() == thread
    assert thread.title == "again"
    assert thread.reviews == (["y"] if source == "made of its key" else ["x", "y"])


def test_the_conditions_of_a_delete_are_spent() -> None:
    """Conditions hold for one delete; one that failed leaves everything as it was."""
    thread = Thread.create(**key(1), title="t")
    thread.set_modify_conditions(Thread.title == "u")
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        thread.delete()
    thread.set_modify_conditions(Thread.title == "t")
    thread.delete()
    Thread.batch_write([thread])
    thread.title = "u"
    thread.commit_changes()
    assert stored().title == "u"


def test_a_partly_loaded_instance_stays_so_when_it_is_deleted() -> None:
    """What it lacks is not known after the delete either, so it is not stored whole."""
    Thread.create(**key(1), title="t", data={"a": 1})
    (thread,) = Thread.scan(Thread.title)
    thread.delete()
    with pytest.raises(dynamix.InvalidUpdateError, match="was loaded without"):
        Thread.batch_write([thread])


def test_edits_of_a_new_instance_are_stored() -> None:
    """A list of an instance that is still to be stored whole may be edited in place."""
    thread = Thread(**key(1), reviews=["x"])
    assert thread.reviews is not None
    thread.reviews.append("y")
    thread.append_to_listfield(Thread.reviews, "z")
    Thread.batch_write([thread])
    assert stored().reviews == thread.reviews == ["x", "y", "z"]
