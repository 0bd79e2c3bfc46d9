"""A condition that is not met names model, key and condition, and brings what is stored."""

import pytest
from forum import Thread, key

import dynamix
from places import Place

STORED = {"title": "stored", "updated_at": 5, "tags": {"a"}}


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    """A table with one thread."""
    dynamix.create_table(Thread)
    Thread.create(**key(1), **STORED)


def brings_the_item(error: dynamix.ConditionalCheckFailedError, place: Place) -> bool:
    """Whether an error has the stored instance, and its stored form."""
    assert error.applied == "no"
    assert error.stored_item == place.stored_item(Thread, **key(1))
    return bool(error.item == Thread.get(**key(1)))


def test_a_create_that_must_be_new(place: Place) -> None:
    """The error of an item that exists brings that item."""
    with pytest.raises(dynamix.ItemExistsError) as caught:
        Thread.create(**key(1), overwrite=False)
    assert str(caught.value) == "Thread with forum_id='science', thread_id='t0001' exists already; it was left alone"
    assert brings_the_item(caught.value, place)


def test_a_commit(place: Place) -> None:
    """The error of a commit names the conditions, values and all."""
    thread = Thread(**key(1))
    thread.set_field(Thread.state, "new")
    thread.set_modify_conditions(Thread.updated_at == 4, Thread.title.exists())
    with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
        thread.commit_changes()
    assert str(caught.value) == (
        "Thread with forum_id='science', thread_id='t0001' does not meet the condition Thread.updated_at = 4 AND "
        "attribute_exists(Thread.title); nothing was stored"
    )
    assert brings_the_item(caught.value, place)


def test_a_delete(place: Place) -> None:
    """The error of a delete names the conditions; where there is no item, it says so and has none."""
    thread = Thread(**key(1))
    thread.set_modify_conditions(Thread.updated_at == 4)
    with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
        thread.delete()
    assert str(caught.value) == (
        "Thread with forum_id='science', thread_id='t0001' does not meet the condition Thread.updated_at = 4; it was "
        "not deleted"
    )
    assert brings_the_item(caught.value, place)
    ghost = Thread(**key(2))
    ghost.set_modify_conditions(Thread.updated_at == 4)
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="= 4, as there is no such item; it was") as missing:
        ghost.delete()
    assert (missing.value.item, missing.value.stored_item) == (None, None)


def test_a_commit_of_an_item_that_is_not_there() -> None:
    """A change of an item that does not exist has no item to bring."""
    ghost = Thread(**key(2))
    ghost.set_field(Thread.title, "x")
    with pytest.raises(dynamix.ItemNotFoundError, match="thread_id='t0002' does not exist; nothing was") as caught:
        ghost.commit_changes()
    assert (caught.value.item, caught.value.stored_item, caught.value.applied) == (None, None, "no")


def test_a_stored_item_that_cannot_be_read(place: Place) -> None:
    """What another program has spoilt is brought in its stored form alone."""
    place.call(
        "UpdateItem",
        TableName=place.table_name(Thread),
        Key={"forum_id": {"S": "science"}, "thread_id": {"S": "t0001"}},
        AttributeUpdates={"title": {"Value": {"N": "5"}}},
    )
    with pytest.raises(dynamix.ItemExistsError) as caught:
        Thread.create(**key(1), overwrite=False)
    assert caught.value.item is None
    assert caught.value.stored_item == place.stored_item(Thread, **key(1))
