"""Queued changes and their commit."""

import asyncio
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from forum import Thread, key

import dynamix
from dynamix.model.changing import Changing
from places import Place

pytestmark = pytest.mark.usefixtures("_table")


@pytest.fixture
def _table(place: Place) -> None:
    dynamix.create_table(Thread)


def stored(number: int = 1) -> Thread:
    """The thread as it is in the table."""
    found = Thread.get(**key(number))
    assert found is not None
    return found


def test_changes_show_at_once_and_are_sent_at_the_commit() -> None:
    """The instance shows a change when it is queued; the table has it after the commit."""
    thread = Thread.create(**key(1), title="old")
    thread.set_field(Thread.title, "new")
    assert thread.title == "new"
    assert stored().title == "old"
    thread.commit_changes()
    assert stored() == thread


def test_changes_and_commits_give_the_instance() -> None:
    """Every method of an instance that queues, guards, discards or commits gives that very instance, so that they
    chain."""
    thread = Thread.create(**key(1), updated_at=1, tags={"a"}, reviews=["x", "y"], data={"k": 1})
    calls: dict[str, tuple[object, ...]] = {
        "set_field": (Thread.title, "t"),
        "add_to_field": (Thread.updated_at, 1),
        "update_to_dict_field": (Thread.data, {"l": 2}),
        "remove_from_dict_field": (Thread.data, ["k"]),
        "append_to_listfield": (Thread.reviews, "z"),
        "replace_by_index_in_listfield": (Thread.reviews, 0, "w"),
        "remove_by_index_from_listfield": (Thread.reviews, 1),
        "add_to_setfield": (Thread.tags, {"b"}),
        "delete_from_setfield": (Thread.tags, {"a"}),
        "change": (Thread.state.set("open"), Thread.reviews.append("v")),
        "set_modify_conditions": (Thread.title.not_exists(),),
        "add_modify_conditions": (Thread.updated_at == 1,),
        "commit_changes": (),
        "discard_changes": (),
    }
    public = {name for name, value in vars(Changing).items() if callable(value) and not name.startswith("_")}
    assert calls.keys() == public - {"acommit_changes"}
    for name, arguments in calls.items():
        assert getattr(thread, name)(*arguments) is thread, name
    assert (stored().title, stored().updated_at, stored().reviews) == ("t", 2, ["w", "z", "v"])
    assert thread.commit_changes() is thread  # nothing is queued
    assert asyncio.run(thread.acommit_changes()) is thread
    assert asyncio.run(thread.set_field(Thread.title, "u").acommit_changes()) is thread


def test_nothing_queued_sends_nothing() -> None:
    """A commit without changes is no error and leaves no item behind."""
    thread = Thread(**key(1))
    thread.commit_changes()
    assert Thread.get(**key(1)) is None


def test_setting_none_removes() -> None:
    """None removes the attribute."""
    thread = Thread.create(**key(1), title="t", tags={"a"})
    thread.set_field(Thread.title, None)
    thread.set_field(Thread.tags, set())
    thread.commit_changes()
    assert (stored().title, stored().tags) == (None, None)


def test_adding_is_atomic() -> None:
    """add_to_field adds to what is stored, not to what the instance saw, and then shows the sum."""
    thread = Thread.create(**key(1), updated_at=10)
    other = stored()
    other.add_to_field(Thread.updated_at, 5)
    other.commit_changes()
    thread.add_to_field(Thread.updated_at, 100)
    assert thread.updated_at == 110
    thread.commit_changes()
    assert thread.updated_at == 115
    assert stored() == thread


def test_adding_to_a_missing_number() -> None:
    """A missing number counts as 0; an amount may be negative."""
    thread = Thread.create(**key(1))
    thread.add_to_field(Thread.expires_at, 3)
    thread.add_to_field(Thread.expires_at, -5)
    assert thread.expires_at == -2
    thread.commit_changes()
    assert stored().expires_at == -2


def test_after_the_commit_the_instance_holds_what_the_service_answered() -> None:
    """Changes that others made to the same field show after the commit."""
    thread = Thread.create(**key(1), data={"a": 1}, reviews=["x"], tags={"p"})
    other = stored()
    other.update_to_dict_field(Thread.data, {"b": 2})
    other.append_to_listfield(Thread.reviews, "y")
    other.add_to_setfield(Thread.tags, {"q"})
    other.commit_changes()
    thread.update_to_dict_field(Thread.data, {"c": 3})
    thread.append_to_listfield(Thread.reviews, "z")
    thread.add_to_setfield(Thread.tags, {"r"})
    thread.commit_changes()
    assert thread.data == {"a": 1, "b": 2, "c": 3}
    assert thread.reviews == ["x", "y", "z"]
    assert thread.tags == {"p", "q", "r"}
    assert stored() == thread


def test_a_change_inside_a_missing_container_creates_it() -> None:
    """Map keys, appends and set elements create what the item lacks."""
    thread = Thread.create(**key(1))
    thread.set_field(Thread.reviews, None)
    thread.commit_changes()
    assert stored().reviews == []  # the default, for nothing is stored
    thread.update_to_dict_field(Thread.data, {"a": 1})
    thread.append_to_listfield(Thread.reviews, "x")
    thread.add_to_setfield(Thread.tags, {"p"})
    thread.commit_changes()
    assert (stored().data, stored().reviews, stored().tags) == ({"a": 1}, ["x"], {"p"})


def test_a_stale_picture_is_no_obstacle() -> None:
    """When the container was removed, or made, since the instance was loaded, the change is still made whole."""
    thread = Thread.create(**key(1), data={"a": 1}, title="old")
    stale_with, stale_without = stored(), Thread.create(**key(2))
    thread.set_field(Thread.data, None)
    thread.commit_changes()
    stale_with.update_to_dict_field(Thread.data, {"b": 2})
    stale_with.set_field(Thread.title, "new")
    stale_with.commit_changes()
    assert (stored().data, stored().title) == ({"b": 2}, "new")
    assert stale_with == stored()

    fresh = stored(2)
    fresh.set_field(Thread.data, {"a": 1})
    fresh.commit_changes()
    stale_without.update_to_dict_field(Thread.data, {"b": 2})
    stale_without.commit_changes()
    assert stored(2).data == {"a": 1, "b": 2}


def test_removing_what_is_not_there() -> None:
    """Removing missing keys, elements and indexes changes nothing and is no error."""
    thread = Thread.create(**key(1), reviews=["x"])
    thread.remove_from_dict_field(Thread.data, ["a"])
    thread.delete_from_setfield(Thread.tags, {"p"})
    thread.remove_by_index_from_listfield(Thread.reviews, 5)
    assert (thread.data, thread.tags, thread.reviews) == (None, None, ["x"])
    thread.commit_changes()
    assert (stored().data, stored().tags, stored().reviews) == (None, None, ["x"])


def test_deleting_the_last_element_of_a_set() -> None:
    """A set that becomes empty is gone."""
    thread = Thread.create(**key(1), tags={"p"})
    thread.delete_from_setfield(Thread.tags, {"p"})
    thread.commit_changes()
    assert thread.tags is None
    assert stored().tags is None


def test_a_failed_condition_leaves_everything() -> None:
    """The commit raises, the table is as it was, and the instance keeps its queue for a retry."""
    thread = Thread.create(**key(1), title="old", updated_at=1)
    thread.set_field(Thread.title, "new")
    thread.set_modify_conditions(Thread.updated_at.eq(2))
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        thread.commit_changes()
    assert stored().title == "old"
    assert thread.title == "new"
    other = stored()
    other.set_field(Thread.updated_at, 2)
    other.commit_changes()
    thread.commit_changes()
    assert stored().title == "new"


def test_discard_changes() -> None:
    """discard_changes drops the queue and shows what was loaded."""
    thread = Thread.create(**key(1), title="old", reviews=["x"])
    thread.set_field(Thread.title, "new")
    thread.append_to_listfield(Thread.reviews, "y")
    thread.set_modify_conditions(Thread.updated_at.eq(99))
    thread.discard_changes()
    assert (thread.title, thread.reviews) == ("old", ["x"])
    thread.commit_changes()
    assert (stored().title, stored().reviews) == ("old", ["x"])
    thread.set_field(Thread.title, "newer")
    thread.commit_changes()
    assert stored().title == "newer"


def test_conditions_last_for_one_commit() -> None:
    """Conditions are used by the commit that follows and by no later one."""
    thread = Thread.create(**key(1), updated_at=1)
    thread.set_modify_conditions(Thread.updated_at.eq(1), Thread.title.not_exists())
    thread.set_field(Thread.updated_at, 2)
    thread.commit_changes()
    thread.set_field(Thread.updated_at, 3)
    thread.commit_changes()
    assert stored().updated_at == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda thread: thread.set_field(Thread.title, "ghost"),
        lambda thread: thread.set_field(Thread.title, None),
        lambda thread: thread.add_to_field(Thread.updated_at, 1),
        lambda thread: thread.update_to_dict_field(Thread.data, {"b": 1}),
        lambda thread: thread.remove_from_dict_field(Thread.data, ["a"]),
        lambda thread: thread.append_to_listfield(Thread.reviews, "x"),
        lambda thread: thread.add_to_setfield(Thread.tags, {"x"}),
        lambda thread: thread.delete_from_setfield(Thread.tags, {"p"}),
    ],
)
def test_a_deleted_item_does_not_come_back(change: Callable[[Thread], None]) -> None:
    """A change of an item that was deleted meanwhile raises, and leaves no ghost behind."""
    thread = Thread.create(**key(1), title="t", data={"a": 1}, tags={"p"})
    Thread.delete_by_key(**key(1))
    change(thread)
    with pytest.raises(dynamix.ItemNotFoundError):
        thread.commit_changes()
    assert Thread.get(**key(1)) is None


def test_adding_and_deleting_on_one_set() -> None:
    """What no single expression can say goes in order, and atomic=True refuses it, naming the field."""
    thread = Thread.create(**key(1), tags={"a", "b"}, updated_at=1)
    thread.add_to_setfield(Thread.tags, {"c"})
    thread.delete_from_setfield(Thread.tags, {"a"})
    with pytest.raises(dynamix.InvalidUpdateError, match="tags"):
        thread.commit_changes(atomic=True)
    assert stored().tags == {"a", "b"}
    thread.set_modify_conditions(Thread.updated_at.eq(1))
    thread.commit_changes()
    assert thread.tags == {"b", "c"}
    assert stored() == thread


def test_appends_beside_element_changes_are_atomic() -> None:
    """Appends beside replacements and removals go in one request, in order."""
    thread = Thread.create(**key(1), reviews=["a", "b", "c"])
    thread.append_to_listfield(Thread.reviews, ["d", "e"])
    thread.replace_by_index_in_listfield(Thread.reviews, 0, "A")
    thread.remove_by_index_from_listfield(Thread.reviews, 1)
    thread.append_to_listfield(Thread.reviews, "f")
    thread.commit_changes(atomic=True)
    assert thread.reviews == ["A", "c", "d", "e", "f"]
    assert stored() == thread


def test_a_list_that_shrank_meanwhile() -> None:
    """Indexes count in the list as stored at the commit, where they lie within it."""
    thread = Thread.create(**key(1), reviews=["a", "b", "c"])
    other = stored()
    other.set_field(Thread.reviews, ["z"])
    other.commit_changes()
    thread.append_to_listfield(Thread.reviews, "d")
    thread.remove_by_index_from_listfield(Thread.reviews, 0)
    thread.commit_changes()
    assert thread.reviews == ["d"]
    assert stored() == thread


def test_a_bad_change_is_refused_when_it_is_queued() -> None:
    """A change of a wrong type, of a foreign field or of the key is refused, and the queue stays as it was."""
    thread = Thread.create(**key(1), title="t")

    class Other(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        title = dynamix.CharField()

    changes: tuple[Callable[[], None], ...] = (
        lambda: thread.set_field(Thread.title, 5),  # type: ignore[misc]
        lambda: thread.set_field(Other.title, "x"),
        lambda: thread.set_field(Thread.thread_id, "x"),
        lambda: thread.add_to_field(Thread.title, 1),  # type: ignore[arg-type]
        lambda: thread.add_to_field(Thread.updated_at, 0.5),
        lambda: thread.append_to_listfield(Thread.data, "x"),  # type: ignore[arg-type]
        lambda: thread.append_to_listfield(Thread.reviews, object()),
        lambda: thread.add_to_setfield(Thread.tags, {1, "a"}),
        lambda: thread.update_to_dict_field(Thread.data, {1: "x"}),  # type: ignore[dict-item]
        lambda: thread.replace_by_index_in_listfield(Thread.reviews, -1, "x"),
        lambda: thread.set_modify_conditions(Other.title.eq("x")),
    )
    for change in changes:
        with pytest.raises(dynamix.ValidationException):
            change()
    assert thread.title == "t"
    thread.commit_changes()
    assert stored() == thread


def test_attributes_set_in_python_are_not_lost_silently() -> None:
    """Assigning an attribute is a change like set_field."""
    thread = Thread.create(**key(1), title="old")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thread.title = "new"
        thread.commit_changes()
    assert stored().title == "new"


def partly_loaded() -> Thread:
    """A thread of which only title and key were loaded."""
    Thread.create(**key(1), title="t", updated_at=7, data={"a": 1}, reviews=["x"], tags={"p"})
    (thread,), _ = Thread.query(Thread.title).where(Thread.forum_id == "science").get_items()
    return thread


def test_fields_that_were_not_loaded_can_be_changed() -> None:
    """Every change works on a field that was not loaded; after the commit the instance knows the whole item."""
    thread = partly_loaded()
    thread.add_to_field(Thread.updated_at, 1)
    thread.update_to_dict_field(Thread.data, {"b": 2})
    thread.append_to_listfield(Thread.reviews, "y")
    thread.replace_by_index_in_listfield(Thread.reviews, 0, "X")
    thread.add_to_setfield(Thread.tags, {"q"})
    thread.set_field(Thread.state, "open")
    assert thread.state == "open"
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = thread.updated_at
    thread.commit_changes()
    assert (thread.updated_at, thread.data, thread.tags) == (8, {"a": 1, "b": 2}, {"p", "q"})
    assert thread.reviews == ["X", "y"]
    assert stored() == thread


def test_discarding_forgets_what_was_not_loaded() -> None:
    """After discard_changes a field that was not loaded is unknown again."""
    thread = partly_loaded()
    thread.set_field(Thread.state, "open")
    thread.discard_changes()
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = thread.state


def test_a_partly_loaded_item_cannot_be_stored_whole() -> None:
    """Writing a partly loaded instance whole would remove the rest, so it is refused and nothing is sent."""
    thread = partly_loaded()
    with pytest.raises(dynamix.InvalidUpdateError, match="would remove"):
        Thread.batch_write([thread])
    assert stored().data == {"a": 1}


def test_delete_under_a_condition() -> None:
    """Conditions guard a deletion as well."""
    thread = Thread.create(**key(1), updated_at=1)
    thread.set_modify_conditions(Thread.updated_at.eq(2))
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        thread.delete()
    assert Thread.exists(**key(1))
    thread.set_modify_conditions(Thread.updated_at.eq(1))
    thread.delete()
    assert not Thread.exists(**key(1))


def test_elements_of_two_types_are_refused_when_queued() -> None:
    """A set has elements of one type, so changes that mix them are refused, before half of them is stored."""
    thread = Thread.create(**key(1), tags={"a"})
    for first, second in (
        (thread.add_to_setfield, thread.add_to_setfield),
        (thread.add_to_setfield, thread.delete_from_setfield),
        (thread.delete_from_setfield, thread.add_to_setfield),
    ):
        first(Thread.tags, {"b"})
        with pytest.raises(dynamix.FieldValidationException, match=r"Thread\.tags .*mixes types"):
            second(Thread.tags, {1})
        thread.discard_changes()
    thread.add_to_setfield(Thread.tags, {"b"})
    with pytest.raises(dynamix.FieldValidationException):
        thread.delete_from_setfield(Thread.tags, {1})
    thread.commit_changes()
    assert stored().tags == thread.tags == {"a", "b"}


def test_a_sum_of_too_many_digits_is_refused_when_queued() -> None:
    """Amounts that together have over 38 digits are refused; those queued before are kept."""
    thread = Thread.create(**key(1), expires_at=-(10**38) + 1)
    thread.add_to_field(Thread.expires_at, 10**38 - 1)
    with pytest.raises(dynamix.FieldValidationException, match=r"Thread\.expires_at .*38"):
        thread.add_to_field(Thread.expires_at, 2)
    thread.commit_changes()
    assert stored().expires_at == thread.expires_at == 0


def test_a_refused_change_leaves_nothing_to_send() -> None:
    """When the only change was refused, a commit sends nothing: here there is no such item."""
    thread = Thread(**key(1))
    with pytest.raises(dynamix.ValidationException):
        thread.add_to_field(Thread.expires_at, 10**38 + 1)
    thread.commit_changes()


def test_after_the_commit_nothing_is_shown_that_is_not_stored(place: Place) -> None:
    """What others removed is gone from the instance as well, a required field included."""

    class Note(dynamix.Model):
        __table_name__ = "thread"
        forum_id = dynamix.CharField(hash_key=True)
        thread_id = dynamix.CharField(range_key=True)
        title = dynamix.CharField(required=True)
        state = dynamix.CharField()

    note = Note.create(**key(1), title="t", state="open")
    place.call(
        "UpdateItem",
        TableName=place.table_name(Thread),
        Key={"forum_id": {"S": "science"}, "thread_id": {"S": "t0001"}},
        UpdateExpression="REMOVE title, #s",
        ExpressionAttributeNames={"#s": "state"},
    )
    note.set_field(Note.state, None)
    note.commit_changes()
    assert note.state is None
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = note.title


def test_a_value_changed_after_it_was_queued() -> None:
    """What is queued is the caller's own object; where it cannot be stored any more, the commit is refused."""
    thread = Thread.create(**key(1), reviews=["x"], data={"a": 1})
    inner: dict[str, object] = {}
    changes: tuple[Callable[[], None], ...] = (
        lambda: thread.update_to_dict_field(Thread.data, {"b": inner}),
        lambda: thread.append_to_listfield(Thread.reviews, [inner]),
        lambda: thread.replace_by_index_in_listfield(Thread.reviews, 0, inner),
        lambda: thread.set_field(Thread.reviews, [inner]),
    )
    for change in changes:
        inner.clear()
        change()
        inner["c"] = object()
        with pytest.raises(dynamix.FieldValidationException, match=r"Thread\.(data|reviews)"):
            thread.commit_changes()
        thread.discard_changes()
    assert (stored().data, stored().reviews) == ({"a": 1}, ["x"])


def test_one_number_of_two_types_in_a_set() -> None:
    """A Decimal that a set would give back as a float which is not equal is refused, whatever would be done with it."""
    tenth = Decimal("0.10")
    thread = Thread.create(**key(1), tags={0.1, 5, Decimal("2.50")})
    assert Thread.get(**key(1)) == Thread(**key(1), tags={0.1, 5, 2.5})
    for change in (thread.add_to_setfield, thread.delete_from_setfield, thread.set_field):
        with pytest.raises(dynamix.FieldValidationException, match="numbers=Decimal"):
            change(Thread.tags, {tenth})
    thread.delete_from_setfield(Thread.tags, {0.1, Decimal("2.5")}).commit_changes()
    assert thread.tags == {5}


def test_a_set_edited_to_what_cannot_be_stored() -> None:
    """Changes of a set that was edited in place go on; the commit refuses it, and discarding undoes it."""
    thread = Thread.create(**key(1), tags={"a"})
    for queue in (
        lambda: thread.add_to_setfield(Thread.tags, {"b"}),
        lambda: thread.set_field(Thread.tags, {"b"}),
    ):
        queue()
        assert thread.tags is not None
        thread.tags.add(5)
        thread.add_to_setfield(Thread.tags, {"c"})
        with pytest.raises(dynamix.DynamixError, match=r"Thread\.tags"):
            thread.commit_changes()
        thread.discard_changes()
        assert thread.tags == {"a"}


def test_an_element_where_a_field_belongs() -> None:
    """Each change says of an element inside a map or list that it takes fields, and what changes an element."""
    thread = Thread.create(**key(1), data={"a": {"b": [1]}}, reviews=["x"])
    changes: list[Callable[[Any], object]] = [
        lambda element: thread.set_field(element, 1),
        lambda element: thread.add_to_field(element, 1),
        lambda element: thread.update_to_dict_field(element, {}),
        lambda element: thread.remove_from_dict_field(element, ["a"]),
        lambda element: thread.append_to_listfield(element, 1),
        lambda element: thread.replace_by_index_in_listfield(element, 0, 1),
        lambda element: thread.remove_by_index_from_listfield(element, 0),
        lambda element: thread.add_to_setfield(element, {1}),
        lambda element: thread.delete_from_setfield(element, {1}),
    ]
    advice = {
        "Thread.data['a'] is an element, and this change takes a field; use "
        "update_to_dict_field(Thread.data, {'a': value})": Thread.data["a"],
        "Thread.data['a']['b'][0] is an element, and this change takes a field; use "
        "update_to_dict_field(Thread.data, {'a': the new value of Thread.data['a']})": Thread.data["a"]["b"][0],
        "Thread.reviews[0] is an element, and this change takes a field; use "
        "replace_by_index_in_listfield(Thread.reviews, 0, value)": Thread.reviews[0],
    }
    for change in changes:
        for message, element in advice.items():
            with pytest.raises(dynamix.WrongTypeError) as caught:
                change(element)
            assert str(caught.value) == message
    thread.commit_changes()
    assert stored() == thread
