"""Commits of hundreds of changes: an expression may have 4 KB and 300 operators, and a commit is never split."""

from typing import Any

import pytest

import dynamix
from places import Place


class Large(dynamix.Model):
    """A map, a list, and what else one item has."""

    key = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField(default=5)
    mapping = dynamix.DictField()
    items = dynamix.ListField()
    many = dynamix.SetField()


pytestmark = pytest.mark.usefixtures("_table")


@pytest.fixture
def _table(place: Place) -> None:
    dynamix.create_table(Large)


def loaded() -> Large:
    """The item, read anew."""
    found = Large.get(key="k", consistent=True)
    assert found is not None
    return found


def partial() -> Large:
    """The item, of which the key alone was loaded."""
    (found,) = Large.scan(Large.key)
    return found


def changed(large: Large, count: int) -> Large:
    """Many changes at once."""
    large.add_to_field(Large.number, 1)
    large.update_to_dict_field(Large.mapping, {f"key {n}": n for n in range(count)})
    large.remove_from_dict_field(Large.mapping, [f"gone {n}" for n in range(count)])
    for n in range(count):
        large.replace_by_index_in_listfield(Large.items, n, -n)
    large.append_to_listfield(Large.items, ["end"] * count)
    return large.add_to_setfield(Large.many, {f"element {n}" for n in range(count)})


def expected(count: int, **values: Any) -> Large:
    """The item after these changes."""
    mapping = {"kept": 1.5} | values.get("mapping", {}) | {f"key {n}": n for n in range(count)}
    items = [*(-n for n in range(count)), *(["kept"] * 3), *values.get("items", ()), *(["end"] * count)]
    many = {f"element {n}" for n in range(count)} | values.get("many", set())
    return Large(key="k", number=values.get("number", 5) + 1, mapping=mapping, items=items, many=many)


@pytest.mark.parametrize("source", [loaded, lambda: Large(key="k"), partial], ids=["loaded", "key alone", "partial"])
@pytest.mark.parametrize("count", [100, 400])
def test_hundreds_of_changes_in_one_commit(count: int, source: Any) -> None:
    """They are stored whether the expression has room for them or the whole values are set instead, and whatever is
    known of the item."""
    kept = {"mapping": {"kept": 1.5, **{f"gone {n}": n for n in range(count)}}, "items": [*range(count), *["kept"] * 3]}
    Large.create(key="k", **kept)
    large = changed(source(), count)
    large.commit_changes()
    assert loaded() == large == expected(count)


@pytest.mark.parametrize("source", [loaded, lambda: Large(key="k"), partial], ids=["loaded", "key alone", "partial"])
def test_hundreds_of_changes_of_a_stale_instance(source: Any) -> None:
    """What another program stored meanwhile is kept, though whole values are set."""
    kept = {"mapping": {"kept": 1.5}, "items": [*range(400), *["kept"] * 3]}
    Large.create(key="k", **kept)
    large = source()
    other = loaded()
    other.update_to_dict_field(Large.mapping, {"other": "x", "key 3": 0}).append_to_listfield(Large.items, "other")
    other.add_to_field(Large.number, 10).add_to_setfield(Large.many, {"other"})
    other.commit_changes()
    changed(large, 400).commit_changes()
    more: dict[str, Any] = {"mapping": {"other": "x"}, "items": ["other"], "number": 15, "many": {"other"}}
    assert loaded() == large == expected(400, **more)


def test_hundreds_of_changes_of_what_is_missing() -> None:
    """A map and a list that the item lacks are made."""
    Large.create(key="k")
    for source in (loaded, partial):
        large = source().update_to_dict_field(Large.mapping, {f"key {n}": n for n in range(900)})
        for n in range(900):
            large.replace_by_index_in_listfield(Large.items, n, n)
        large.commit_changes()
        assert loaded() == large == Large(key="k", mapping={f"key {n}": n for n in range(900)}, items=[*range(900)])
        large.set_field(Large.mapping, None).set_field(Large.items, None).commit_changes()


def test_hundreds_of_changes_of_another_type(place: Place) -> None:
    """What another program stored is no list: the error names the field, and nothing is stored."""
    item = {"key": {"S": "k"}, "items": {"S": "text"}}
    place.call("PutItem", TableName=place.table_name(Large), Item=item)
    large = Large(key="k")
    for n in range(500):
        large.replace_by_index_in_listfield(Large.items, n, n)
    with pytest.raises(dynamix.StoredValueError, match=r"Large\.items: the stored value {'S': 'text'} is not"):
        large.commit_changes()
    assert place.stored_item(Large, key="k") == item


def test_stored_forms_of_what_is_not_changed(place: Place) -> None:
    """Where a whole value is set, the parts that were not changed stay as another program stored them."""
    digits = {"N": "0.12345678901234567890123456789"}
    item = {"key": {"S": "k"}, "mapping": {"M": {"a": digits}}, "items": {"L": [{"N": "0"}] * 500 + [digits]}}
    place.call("PutItem", TableName=place.table_name(Large), Item=item)
    large = loaded().update_to_dict_field(Large.mapping, {f"key {n}": n for n in range(900)})
    for n in range(500):
        large.replace_by_index_in_listfield(Large.items, n, "x")
    large.commit_changes()
    stored = place.stored_item(Large, key="k")
    assert stored is not None
    assert stored["items"] == {"L": [{"S": "x"}] * 500 + [digits]}
    assert stored["mapping"]["M"]["a"] == digits


class Wide(dynamix.Model):
    """More fields than one expression can name."""

    __table_name__ = "Large"

    key = dynamix.CharField(hash_key=True)
    for _number in range(800):
        vars()[f"field_{_number}"] = dynamix.IntegerField(default=1)


def test_hundreds_of_fields() -> None:
    """Hundreds of fields fit; more than that are refused before anything is sent, in our own words."""
    Large.create(key="k")
    wide = Wide(key="k")
    for number in range(400):
        wide.set_field(getattr(Wide, f"field_{number}"), number)
    wide.commit_changes()
    assert Wide.get(key="k") == wide
    for number in range(800):
        wide.set_field(getattr(Wide, f"field_{number}"), -number)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"the changes of 800 fields \(Wide\.field_0, .*commit some"):
        wide.commit_changes()
    wide.discard_changes()
    for number in range(160):  # operators: if_not_exists() and +
        wide.add_to_field(getattr(Wide, f"field_{number}"), 1)
    with pytest.raises(dynamix.InvalidUpdateError, match="the changes of 160 fields"):
        wide.commit_changes()


def test_hundreds_of_fields_that_must_be_unchanged(place: Place) -> None:
    """More than one condition can compare are refused in words of their own, before anything is sent."""
    names = [f"field{number}" for number in range(200)]
    wide: Any = type(
        "Wide",
        (dynamix.Model,),
        {"__module__": __name__, "key": dynamix.CharField(hash_key=True)}
        | {name: dynamix.IntegerField() for name in names},
    )
    dynamix.create_table(wide)
    one = wide.create(key="k", **dict.fromkeys(names, 1))
    for name in names:
        setattr(one, name, 2)
    with pytest.raises(dynamix.InvalidUpdateError, match="200 fields are to be stored as they were loaded"):
        one.save(if_unchanged=True)
    one.save()
    assert wide.get(key="k", consistent=True) == one


def test_too_many_conditions() -> None:
    """Conditions that no request can hold are refused in our own words."""
    large = Large.create(key="k")
    large.add_to_field(Large.number, 1)
    large.set_modify_conditions(*[Large.number != n for n in range(200)])
    with pytest.raises(dynamix.InvalidQueryError, match="the conditions have 401 operators"):
        large.commit_changes()


def test_an_item_that_would_be_too_large() -> None:
    """An update that makes the item too large says so, naming model and key, and nothing is stored."""
    large = Large.create(key="k", items=["x" * 300_000])
    large.append_to_listfield(Large.items, "x" * 110_000)
    with pytest.raises(dynamix.ItemTooLargeError, match=r"Large with key='k' would have more than the 409600 bytes"):
        large.commit_changes()
    large.discard_changes()
    assert loaded() == large
