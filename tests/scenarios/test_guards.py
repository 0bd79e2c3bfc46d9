"""Conditions of changes and deletes: they add up, and `unchanged()` compares with what was loaded."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import dynamix
from places import Place


class Guarded(dynamix.Model):
    """Fields of many kinds, with and without a default."""

    key = dynamix.CharField(hash_key=True)
    version = dynamix.IntegerField()
    count = dynamix.IntegerField(default=3)
    real = dynamix.FloatField()
    moment = dynamix.DateTimeField()
    items = dynamix.ListField(default=["a"])
    mapping = dynamix.DictField()
    many = dynamix.SetField()
    changed = dynamix.DateTimeField(auto_now=True)


NAMES = ("version", "count", "real", "moment", "items", "mapping", "many")
STORED = {
    "version": {"N": "1"},
    "count": {"N": "3"},
    "real": {"N": "0.5"},
    "moment": {"S": "2026-01-02T03:04:05+00:00"},
    "items": {"L": [{"S": "a"}, {"N": "1"}]},
    "mapping": {"M": {"a": {"L": []}}},
    "many": {"NS": ["2", "1"]},
}
OTHERS = {
    "version": {"N": "2"},
    "count": {"N": "4"},
    "real": {"N": "0.25"},
    "moment": {"S": "2026-01-02T03:04:06+00:00"},
    "items": {"L": [{"S": "a"}]},
    "mapping": {"M": {}},
    "many": {"NS": ["1"]},
}
NULLS = {name: {"NULL": True} for name in NAMES}


def put(place: Place, **stored: Any) -> None:
    """Another program stores an item of these attributes."""
    dynamix.create_table(Guarded)
    place.call("PutItem", TableName=place.table_name(Guarded), Item={"key": {"S": "k"}, **stored})


def loaded() -> Guarded:
    """The item, read anew."""
    found = Guarded.get(key="k", consistent=True)
    assert found is not None
    return found


def queue_all(guarded: Guarded) -> None:
    """Queue a change of every field."""
    guarded.add_to_field(Guarded.version, 1).add_to_field(Guarded.count, 1).set_field(Guarded.real, 9.5)
    guarded.set_field(Guarded.moment, None).append_to_listfield(Guarded.items, "b")
    guarded.update_to_dict_field(Guarded.mapping, {"b": 1}).add_to_setfield(Guarded.many, {7})


@pytest.mark.parametrize("way", [lambda guarded: guarded, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
@pytest.mark.parametrize("stored", [STORED, {}, NULLS], ids=["stored", "missing", "NULL"])
@pytest.mark.parametrize("name", NAMES)
def test_unchanged(place: Place, name: str, stored: dict[str, Any], way: Callable[[Guarded], Guarded]) -> None:
    """It is met while the attribute is stored as it was loaded, or is missing if it was, whatever is queued; and by a
    change of another field, but not by one of its own."""
    put(place, **stored)
    guarded = loaded()
    other = "real" if name == "version" else "version"
    guarded.set_modify_conditions(getattr(Guarded, name).unchanged())
    queue_all(guarded)
    guarded = way(guarded)
    put(place, **{**stored, name: OTHERS[name]})
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        guarded.commit_changes()
    put(place, **{**stored, other: OTHERS[other]})
    guarded.commit_changes()
    assert getattr(guarded, name) != getattr(Guarded(key="k"), name) or name == "moment"


@pytest.mark.parametrize("stored", [STORED, {}], ids=["stored", "missing"])
@pytest.mark.parametrize("name", NAMES)
def test_unchanged_guards_a_delete(place: Place, name: str, stored: dict[str, Any]) -> None:
    """A delete takes it as well, negated and joined with others too."""
    put(place, **stored)
    guarded = loaded()
    unchanged = getattr(Guarded, name).unchanged()
    put(place, **{**stored, name: OTHERS[name]})
    guarded.set_modify_conditions(unchanged)
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        guarded.delete()
    guarded.set_modify_conditions(~unchanged & (Guarded.key.exists() | unchanged))
    guarded.delete()
    assert not Guarded.exists(key="k")


def test_unchanged_after_a_commit(place: Place) -> None:
    """What was committed is what was loaded last; so is what was created or stored whole."""
    put(place, **STORED)
    guarded = loaded()
    for _ in range(3):
        for name in NAMES:
            guarded.add_modify_conditions(getattr(Guarded, name).unchanged())
        guarded.add_modify_conditions(Guarded.changed.unchanged(), Guarded.key.unchanged())
        queue_all(guarded)
        guarded.commit_changes()
        guarded = Guarded.batch_write([guarded])[0]
    created = Guarded.create(key="k", version=1)
    created.set_modify_conditions(Guarded.version.unchanged(), Guarded.count.unchanged(), Guarded.mapping.unchanged())
    queue_all(created)
    created.commit_changes()
    assert loaded() == created


def test_unchanged_of_what_was_not_loaded(place: Place) -> None:
    """Nothing is known to compare with, so the commit and the delete are refused; a query has nothing loaded at all."""
    put(place, **STORED)
    (partial,) = Guarded.scan(Guarded.version)
    for guarded in (partial, Guarded(key="k")):
        guarded.set_field(Guarded.version, 5).set_modify_conditions(Guarded.items.unchanged())
        with pytest.raises(dynamix.InvalidUpdateError, match=r"Guarded\.items was not loaded; get the item"):
            guarded.commit_changes()
        with pytest.raises(dynamix.InvalidUpdateError, match=r"Guarded\.items was not loaded; get the item"):
            guarded.delete()
    partial.set_modify_conditions(Guarded.version.unchanged())
    partial.commit_changes()
    for condition in (Guarded.version.unchanged(), Guarded.key.exists() & ~Guarded.version.unchanged()):
        with pytest.raises(dynamix.InvalidQueryError, match=r"Guarded\.version\.unchanged\(\) compares with what an"):
            Guarded.scan().where(condition).count()


def test_conditions_add_up(place: Place) -> None:
    """One helper's guard is not replaced by the next one's; set_modify_conditions starts anew."""
    put(place, **STORED)
    guarded = loaded()
    guarded.set_field(Guarded.count, 0)
    guarded.add_modify_conditions(Guarded.version == 2).add_modify_conditions(Guarded.real == 0.5)
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        guarded.commit_changes()
    guarded.set_modify_conditions(Guarded.version == 1).add_modify_conditions(Guarded.real == 0.5)
    guarded.commit_changes()
    assert loaded().count == 0
    with pytest.raises(dynamix.WrongTypeError, match="is not a condition"):
        guarded.add_modify_conditions(True)  # type: ignore[arg-type]
