"""A NULL that another program stored counts as missing, for every change."""

from collections.abc import Callable
from typing import Any

import pytest

import dynamix
from places import Place


class Nulled(dynamix.Model):
    """Fields without a default."""

    key = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
    number = dynamix.IntegerField()
    mapping = dynamix.DictField()
    items = dynamix.ListField()
    many = dynamix.SetField()


NAMES = ("text", "number", "mapping", "items", "many")
CHANGES: dict[str, tuple[Callable[[Nulled], object], Any]] = {
    "set": (lambda nulled: nulled.set_field(Nulled.text, "x"), {"S": "x"}),
    "remove": (lambda nulled: nulled.set_field(Nulled.text, None), None),
    "add": (lambda nulled: nulled.add_to_field(Nulled.number, 2), {"N": "2"}),
    "set a key": (lambda nulled: nulled.update_to_dict_field(Nulled.mapping, {"a": 1}), {"M": {"a": {"N": "1"}}}),
    "remove a key": (lambda nulled: nulled.remove_from_dict_field(Nulled.mapping, ["a"]), {"NULL": True}),
    "append": (lambda nulled: nulled.append_to_listfield(Nulled.items, "a"), {"L": [{"S": "a"}]}),
    "replace": (lambda nulled: nulled.replace_by_index_in_listfield(Nulled.items, 3, "a"), {"L": [{"S": "a"}]}),
    "remove an element": (lambda nulled: nulled.remove_by_index_from_listfield(Nulled.items, 0), {"NULL": True}),
    "add elements": (lambda nulled: nulled.add_to_setfield(Nulled.many, {"a"}), {"SS": ["a"]}),
    "delete elements": (lambda nulled: nulled.delete_from_setfield(Nulled.many, {"a"}), {"NULL": True}),
}
FIELDS = dict(zip(CHANGES, ("text", "text", "number", *["mapping"] * 2, *["items"] * 3, *["many"] * 2), strict=True))


def put(place: Place, **stored: Any) -> None:
    """Another program stores an item of these attributes."""
    dynamix.create_table(Nulled)
    place.call("PutItem", TableName=place.table_name(Nulled), Item={"key": {"S": "k"}, **stored})


def loaded() -> Nulled:
    """The item, read anew."""
    found = Nulled.get(key="k", consistent=True)
    assert found is not None
    return found


def partial() -> Nulled:
    """The item, of which the key alone was loaded."""
    (found,) = Nulled.scan(Nulled.key)
    return found


SOURCES: dict[str, Callable[[], Nulled]] = {"loaded": loaded, "key alone": lambda: Nulled(key="k"), "partial": partial}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_null(place: Place, name: str, source: Callable[[], Nulled]) -> None:
    """Each change does to a NULL what it does to nothing; where it would store nothing, the NULL is left alone."""
    nulls = {field: {"NULL": True} for field in NAMES}
    put(place, **nulls)
    nulled = source()
    change, expected = CHANGES[name]
    change(nulled)
    nulled.commit_changes()
    item = {"key": {"S": "k"}, **nulls, FIELDS[name]: expected}
    assert place.stored_item(Nulled, key="k") == {field: wire for field, wire in item.items() if wire is not None}
    assert nulled == loaded()


@pytest.mark.parametrize("null", NAMES)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_one_null_among_many_changes(place: Place, source: Callable[[], Nulled], null: str) -> None:
    """A NULL that nobody knew of is no obstacle to the changes of other fields."""
    values = {
        "text": {"S": "t"},
        "number": {"N": "40"},
        "mapping": {"M": {"x": {"N": "1"}}},
        "items": {"L": [{"S": "x"}]},
        "many": {"SS": ["x"]},
    }
    put(place, **values)
    nulled = source()
    put(place, **{**values, null: {"NULL": True}})
    for name in ("set", "add", "set a key", "append", "add elements"):
        CHANGES[name][0](nulled)
    nulled.set_modify_conditions(Nulled.key.exists())
    nulled.commit_changes()
    expected = {"text": "x", "number": 42, "mapping": {"x": 1, "a": 1}, "items": ["x", "a"], "many": {"x", "a"}}
    alone = {"text": "x", "number": 2, "mapping": {"a": 1}, "items": ["a"], "many": {"a"}}
    assert nulled == loaded() == Nulled(key="k", **{**expected, null: alone[null]})


def test_a_failed_condition_beside_a_null(place: Place) -> None:
    """The condition is what fails, and nothing is stored."""
    put(place, number={"NULL": True})
    nulled = loaded()
    nulled.add_to_field(Nulled.number, 1).set_modify_conditions(Nulled.text.exists())
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        nulled.commit_changes()
    assert place.stored_item(Nulled, key="k") == {"key": {"S": "k"}, "number": {"NULL": True}}


def test_a_change_that_the_service_refuses(place: Place) -> None:
    """What fails for another reason than a NULL fails with the service's own words."""
    put(place, number={"N": "1"}, many={"NS": ["1"]})
    nulled = Nulled(key="k")
    nulled.add_to_field(Nulled.number, 1).add_to_setfield(Nulled.many, {"a"})
    with pytest.raises(dynamix.InvalidRequestError):
        nulled.commit_changes()
    assert place.stored_item(Nulled, key="k") == {"key": {"S": "k"}, "number": {"N": "1"}, "many": {"NS": ["1"]}}
