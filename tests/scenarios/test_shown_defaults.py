"""A default that shows for what is not stored is what changes start from, and what is stored is what was shown."""

import contextlib
import copy
import itertools
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

import dynamix
from places import Place

COUNTED = itertools.count(100)


class Shown(dynamix.Model):
    """Fields with defaults of all kinds."""

    key = dynamix.CharField(hash_key=True)
    other = dynamix.CharField()
    number = dynamix.IntegerField(default=5)
    real = dynamix.FloatField(default=0.1)
    clock = dynamix.IntegerField(default=lambda: next(COUNTED))
    mapping = dynamix.DictField(default={"a": 1})
    items = dynamix.ListField(default=["a", "b"])
    called = dynamix.ListField(default=list)
    varying = dynamix.ListField(default=lambda: [next(COUNTED)])
    many = dynamix.SetField(default={"new"})


NAMES = ("number", "real", "clock", "mapping", "items", "called", "varying", "many")
NULLS = {name: {"NULL": True} for name in NAMES}
STORED = {
    "number": {"N": "40"},
    "real": {"N": "0.5"},
    "clock": {"N": "1"},
    "mapping": {"M": {"b": {"N": "2"}}},
    "items": {"L": [{"S": "x"}, {"S": "y"}, {"S": "z"}]},
    "called": {"L": [{"N": "1"}]},
    "varying": {"L": [{"N": "1"}]},
    "many": {"SS": ["old"]},
}


def put(place: Place, **stored: Any) -> None:
    """Another program stores an item of these attributes."""
    dynamix.create_table(Shown)
    place.call("PutItem", TableName=place.table_name(Shown), Item={"key": {"S": "k"}, **stored})


def loaded() -> Shown:
    """The item, read anew."""
    found = Shown.get(key="k", consistent=True)
    assert found is not None
    return found


def projected() -> Shown:
    """The item, of which only one field was loaded."""
    (found,) = Shown.scan(Shown.other)
    return found


def values(shown: Shown) -> dict[str, Any]:
    """What an instance shows."""
    return {name: copy.deepcopy(getattr(shown, name)) for name in NAMES}


CHANGES: dict[str, Callable[[Shown], object]] = {
    "add": lambda shown: shown.add_to_field(Shown.number, -1),
    "add a fraction": lambda shown: shown.add_to_field(Shown.real, 0.2),
    "add to a clock": lambda shown: shown.add_to_field(Shown.clock, 1000),
    "set a key": lambda shown: shown.update_to_dict_field(Shown.mapping, {"c": 3}),
    "remove a key": lambda shown: shown.remove_from_dict_field(Shown.mapping, ["a"]),
    "remove no key": lambda shown: shown.remove_from_dict_field(Shown.mapping, ["z"]),
    "append": lambda shown: shown.append_to_listfield(Shown.items, "c"),
    "append to an empty one": lambda shown: shown.append_to_listfield(Shown.called, "c"),
    "append to one of many": lambda shown: shown.append_to_listfield(Shown.varying, 0),
    "replace": lambda shown: shown.replace_by_index_in_listfield(Shown.items, 1, "c"),
    "replace past the end": lambda shown: shown.replace_by_index_in_listfield(Shown.items, 9, "c"),
    "remove": lambda shown: shown.remove_by_index_from_listfield(Shown.items, 0),
    "remove past the end": lambda shown: shown.remove_by_index_from_listfield(Shown.items, 9),
    "remove the only one": lambda shown: shown.remove_by_index_from_listfield(Shown.varying, 0),
    "append and remove": lambda shown: (
        shown.append_to_listfield(Shown.items, ["c", "d"])
        .remove_by_index_from_listfield(Shown.items, 2)
        .replace_by_index_in_listfield(Shown.items, 0, "z")
    ),
    "add elements": lambda shown: shown.add_to_setfield(Shown.many, {"x"}),
    "delete elements": lambda shown: shown.delete_from_setfield(Shown.many, {"new"}),
    "add and delete elements": lambda shown: shown.add_to_setfield(Shown.many, {"x"}).delete_from_setfield(
        Shown.many, {"new"}
    ),
}
WAYS: dict[str, Callable[[Shown], Shown]] = {
    "itself": lambda shown: shown,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda shown: pickle.loads(pickle.dumps(shown)),
}


@pytest.mark.parametrize("stored", [{}, NULLS], ids=["missing", "NULL"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_shows_is_what_is_stored(place: Place, change: Callable[[Shown], object], stored: dict[str, Any]) -> None:
    """Of a loaded item that lacks the attribute, or has a NULL there, the default is changed; a clock's keeps its
    value; what shows after the commit is what showed before it, and what everybody reads but for the clocks."""
    put(place, **stored)
    for shown in (loaded(), Shown(key="k")):
        before = values(shown)
        change(shown)
        expected = values(shown)
        shown.commit_changes()
        if shown.many != expected["many"]:  # for new instances only, while the set of this one was not stored
            expected["many"] = set()
            assert before["many"] == {"new"}
        assert values(shown) == expected
        read = values(loaded())
        for name in ("clock", "varying"):
            if expected[name] == before[name]:
                read[name] = expected[name]
        assert read == expected
        put(place, **stored)


@pytest.mark.parametrize("source", [loaded, lambda: Shown(key="k"), projected], ids=["loaded", "key alone", "partial"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_stored_by_now_is_changed(
    place: Place, change: Callable[[Shown], object], source: Callable[[], Shown]
) -> None:
    """Where the stored item turns out to have the attribute, its value is changed, whatever showed."""
    put(place, **STORED)
    expected = loaded()
    change(expected)
    put(place)
    shown = source()
    put(place, **STORED)
    change(shown)
    shown.commit_changes()
    assert values(shown) == values(loaded()) == values(expected)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_missing_by_now_is_the_default(place: Place, change: Callable[[Shown], object]) -> None:
    """Where the stored item has lost the attribute, a change starts from what a reader of it would see."""
    put(place)
    expected = loaded()
    change(expected)
    for instance in (loaded, projected):
        put(place, **STORED)
        shown = instance()
        put(place)
        change(shown)
        shown.commit_changes()
        for name in set(NAMES) - {"clock", "varying"}:
            assert getattr(shown, name) == getattr(loaded(), name) == getattr(expected, name)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("source", [loaded, lambda: Shown(key="k")], ids=["loaded", "key alone"])
def test_a_default_is_made_once(place: Place, source: Callable[[], Shown], way: Callable[[Shown], Shown]) -> None:
    """A default that would be another each time is kept: over reads, copies, and commits of other fields."""
    put(place)
    shown = source()
    before = values(shown)
    for _ in range(2):
        shown = way(shown)
        shown.set_field(Shown.other, "x")
        shown.commit_changes()
        assert {**values(shown), "many": before["many"]} == before
    shown.append_to_listfield(Shown.varying, 0)
    shown.add_to_field(Shown.clock, 1)
    shown.commit_changes()
    assert (loaded().varying, loaded().clock) == ([*before["varying"], 0], before["clock"] + 1)


def test_a_set_is_empty_where_nothing_is_stored(place: Place) -> None:
    """A set's default is for new instances; an item without the set reads as an empty one, such as one that was
    emptied."""
    put(place)
    assert loaded().many == set()
    shown = Shown.create(key="k")
    assert shown.many == loaded().many == {"new"}
    shown.delete_from_setfield(Shown.many, {"new"})
    assert shown.many == set()
    shown.commit_changes()
    assert shown.many == loaded().many == set()


def test_an_edited_default_of_an_instance_made_of_its_key(place: Place) -> None:
    """A list, map or set that shows by default is refused when it was edited in place; discarded, it shows again."""
    put(place)
    for edit in (
        lambda shown: shown.items.append("x"),
        lambda shown: shown.varying.append("x"),
        lambda shown: shown.mapping.update(x=1),
        lambda shown: shown.many.add("x"),
    ):
        shown = Shown(key="k")
        before = values(shown)
        edit(shown)
        with pytest.raises(dynamix.InvalidUpdateError, match="was edited in place"):
            shown.commit_changes()
        shown.discard_changes()
        assert values(shown) == before
        shown.commit_changes()


def test_a_condition_on_a_default_does_not_find_the_item(place: Place) -> None:
    """Conditions look at what is stored, so a default that shows meets none but not_exists()."""
    put(place)
    assert Shown.scan().where(Shown.number == 5).count() == 0
    assert Shown.scan().where((Shown.number == 5) | Shown.number.not_exists()).count() == 1


def test_a_whole_item_has_what_shows(place: Place) -> None:
    """An instance that is stored whole is stored with the defaults that it shows."""
    put(place)
    shown = loaded()
    before = values(shown)
    Shown.batch_write([shown])
    assert values(loaded()) == values(shown) == before
    assert place.stored_item(Shown, key="k") == {
        "key": {"S": "k"},
        "number": {"N": "5"},
        "real": {"N": "0.1"},
        "clock": {"N": str(before["clock"])},
        "mapping": {"M": {"a": {"N": "1"}}},
        "items": {"L": [{"S": "a"}, {"S": "b"}]},
        "called": {"L": []},
        "varying": {"L": [{"N": str(before["varying"][0])}]},
    }


def test_what_a_new_plan_leaves_for_a_second_update_is_sent(place: Place) -> None:
    """Where the stored set turns out to be there, and additions and deletions take two updates after all, both are
    made, or with atomic=True none."""
    put(place, many={"SS": ["b"]})
    handle = Shown(key="k").add_to_setfield(Shown.many, {"a"}).delete_from_setfield(Shown.many, {"b"})
    with pytest.raises(dynamix.InvalidUpdateError, match="no single request"):
        handle.commit_changes(atomic=True)
    assert loaded().many == {"b"}
    handle.commit_changes()
    assert handle.many == loaded().many == {"a"}


class Eager(dynamix.Model):
    """A list that is read with its item, and has a default."""

    __table_name__ = "eager"

    key = dynamix.CharField(hash_key=True)
    other = dynamix.CharField()
    items = dynamix.ListField(default=["a"], lazy=False)


def _commit(eager: Eager) -> None:
    eager.set_field(Eager.other, "x").commit_changes()


def _commit_a_removal(eager: Eager) -> None:
    with dynamix.transaction() as tx:
        tx.save(eager.set_field(Eager.items, None))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("write", [_commit, _commit_a_removal, Eager.refresh])
def test_an_edit_of_a_default_that_shows_on(write: Callable[[Eager], object], place: Place) -> None:
    """A default that is not stored still shows after a write or a refresh, and an edit of it in place is saved."""
    dynamix.create_table(Eager)
    place.call("PutItem", TableName=place.table_name(Eager), Item={"key": {"S": "k"}})
    eager = Eager.get_or_raise(key="k", consistent=True)
    write(eager)
    eager.items.append("b")
    eager.save()
    assert Eager.get_or_raise(key="k", consistent=True).items == ["a", "b"]


class Failing(dynamix.Model):
    """A default that fails when it is told to."""

    __table_name__ = "failing"

    fails: ClassVar[bool] = False
    key = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField()
    title = dynamix.CharField(default=lambda: 1 / 0 if Failing.fails else "untitled")  # type: ignore[arg-type,return-value]


def _save_in_a_transaction(failing: Failing) -> None:
    with dynamix.transaction() as tx:
        tx.save(failing.set_field(Failing.title, None))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("write", [Failing.commit_changes, _save_in_a_transaction])
def test_a_default_that_fails_after_a_write(
    write: Callable[[Failing], object], monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """What was stored counts as stored: the error of a commit says so, and nothing is sent a second time."""
    dynamix.create_table(Failing)
    item = {"key": {"S": "k"}, "number": {"N": "1"}}
    place.call("PutItem", TableName=place.table_name(Failing), Item=item)
    failing = Failing.get_or_raise(key="k", consistent=True).add_to_field(Failing.number, 1)
    monkeypatch.setattr(Failing, "fails", True)
    with contextlib.suppress(dynamix.StoredValueError):
        write(failing)
    monkeypatch.setattr(Failing, "fails", False)
    failing.commit_changes()
    assert failing.refresh().number == 2


class FailingUnique(Failing):
    """The same with unique values, so that a commit is a transaction and a read."""

    __table_name__ = "failing-unique"
    number = dynamix.IntegerField(unique=True)


@pytest.mark.parametrize("model", [Failing, FailingUnique])
def test_the_error_for_a_default_that_fails_after_a_commit(
    model: type[Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that the changes were stored, and what failed."""
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection):
        dynamix.create_table(model)
        failing = model.create(key="k", number=1, title="t").set_field(model.title, None)
        monkeypatch.setattr(Failing, "fails", True)
        with pytest.raises(dynamix.StoredValueError, match=r"changes were stored, .* ZeroDivisionError") as caught:
            failing.commit_changes()
        assert caught.value.applied == "yes"
