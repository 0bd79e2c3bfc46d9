"""Lists, maps and sets edited in place: no edit is lost without a word."""

import copy
import itertools
import pickle
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sample import Sample

import dynamix
from dynamix.codec import values
from places import Place

pytestmark = pytest.mark.usefixtures("_table")

VALUES: dict[str, Any] = {"items": [1, {"a": [2]}], "mapping": {"b": {"c": 3}}, "many": {"x"}}


@pytest.fixture
def _table(place: Place) -> None:
    dynamix.create_table(Sample)


def created() -> Sample:
    return Sample.create(key="k", **VALUES)


def loaded() -> Sample:
    created()
    sample = Sample.get(key="k", consistent=True)
    assert sample is not None
    return sample


def scanned() -> Sample:
    created()
    (sample,) = Sample.scan().consistent()
    return sample


def written() -> Sample:
    (sample,) = Sample.batch_write([{"key": "k", **VALUES}])
    return sample


def committed() -> Sample:
    sample = Sample.create(key="k")
    for field in (Sample.items, Sample.mapping, Sample.many):
        sample.set_field(field, VALUES[field.attribute])
    sample.commit_changes()
    return sample


EDITS: dict[str, Callable[[Sample], object]] = {
    "items": lambda sample: (sample.items or []).append(4),
    "items, deep": lambda sample: (sample.items or [])[1]["a"].append(5),
    "mapping": lambda sample: (sample.mapping or {}).pop("b"),
    "mapping, deep": lambda sample: (sample.mapping or {})["b"].update(d=6),
    "many": lambda sample: (sample.many or set()).add("y"),
    "many, emptied": lambda sample: (sample.many or set()).clear(),
}


def copied() -> dict[str, Any]:
    """The values anew, since an instance takes the very objects that it is given."""
    return {"items": [1, {"a": [2]}], "mapping": {"b": {"c": 3}}, "many": {"x"}}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    VALUES.update(copied())


@pytest.mark.parametrize("source", [created, loaded, scanned, written, committed])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_in_place_is_refused_at_the_commit(source: Callable[[], Sample], edit: str) -> None:
    """A commit refuses what was edited in place, naming the field; nothing is stored, and discarding undoes it."""
    sample = source()
    EDITS[edit](sample)
    sample.set_field(Sample.text, "new")
    with pytest.raises(dynamix.InvalidUpdateError, match=rf"Sample\.{edit.split(',')[0]} was edited in place"):
        sample.commit_changes()
    assert Sample.get(key="k") == Sample(key="k", **copied())
    sample.discard_changes()
    assert sample == Sample(key="k", **copied())
    sample.set_field(Sample.text, "new")
    sample.commit_changes()
    assert Sample.get(key="k") == Sample(key="k", text="new", **copied())


def test_an_edit_in_place_alone_is_refused() -> None:
    """A commit of nothing but an edit in place would send nothing, so it is refused."""
    sample = loaded()
    EDITS["items"](sample)
    with pytest.raises(dynamix.InvalidUpdateError, match="discard_changes"):
        sample.commit_changes()


def test_an_edit_in_place_is_refused_by_a_change() -> None:
    """A change of a value that was edited in place is refused when it is queued; no change is queued then."""
    sample = loaded()
    EDITS["items"](sample)
    with pytest.raises(dynamix.InvalidUpdateError, match=r"Sample\.items was edited in place"):
        sample.append_to_listfield(Sample.items, 7)
    sample.discard_changes()
    sample.commit_changes()
    assert Sample.get(key="k") == sample == Sample(key="k", **copied())


def test_an_edited_value_can_be_stored_whole() -> None:
    """Set as the field's value, an edited list is stored with its edits."""
    sample = loaded()
    EDITS["items, deep"](sample)
    sample.set_field(Sample.items, sample.items)
    sample.commit_changes()
    assert Sample.get(key="k") == sample
    assert sample.items == [1, {"a": [2, 5]}]


@pytest.mark.parametrize(
    "values",
    [
        {
            "items": (1, 2.0, Decimal("3.50"), None, b"b", bytearray(b"c")),
            "mapping": {"n": {3, 10, 2}, "b": {b"z", b"a"}},
        },
        {"many": {5, 1.5, Decimal("1E+2")}, "items": [], "mapping": {}},
        {"many": {b"y", b"x"}, "items": [{"deep": [[{"many"}]]}]},
        {"many": set(), "items": None},
        {},
    ],
)
def test_what_was_only_looked_at_was_not_edited(values: dict[str, Any]) -> None:
    """Reading lists, maps and sets of any content is no edit."""
    for sample in (Sample.create(key="k", **values), Sample.get(key="k"), Sample.batch_get({"key": "k"})[0]):
        assert sample is not None
        assert repr(sample)
        sample.set_field(Sample.number, 1)
        sample.commit_changes()
        assert repr(sample)
        sample.commit_changes()


COUNTED = itertools.count()


class Defaulted(dynamix.Model):
    """Lists, maps and sets with a default, of every kind."""

    key = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField()
    constant = dynamix.ListField(default=[1, (2, 3)])
    called = dynamix.ListField(default=list)
    varying = dynamix.DictField(default=lambda: {"n": next(COUNTED)})
    none = dynamix.SetField(default=set)
    some = dynamix.SetField(default={"a", "b"})


def lacking(place: Place, stored: dict[str, Any]) -> Defaulted:
    """An instance of an item that another program stored, with nothing but these attributes."""
    dynamix.create_table(Defaulted)
    place.call("PutItem", TableName=place.table_name(Defaulted), Item={"key": {"S": "k"}, **stored})
    found = Defaulted.get(key="k", consistent=True)
    assert found is not None
    return found


NULLS = {name: {"NULL": True} for name in ("constant", "called", "varying", "none", "some")}


@pytest.mark.parametrize("stored", [{}, NULLS], ids=["missing", "NULL"])
def test_a_default_that_was_looked_at_was_not_edited(place: Place, stored: dict[str, Any]) -> None:
    """A default shown for what is not stored is no edit, though the next one may be another."""
    defaulted = lacking(place, stored)
    assert repr(defaulted)
    seen = defaulted.varying
    defaulted.set_field(Defaulted.number, 1)
    defaulted.discard_changes()
    assert defaulted.varying is seen
    defaulted.set_field(Defaulted.number, 1)
    defaulted.commit_changes()
    assert place.stored_item(Defaulted, key="k") == {"key": {"S": "k"}, "number": {"N": "1"}, **stored}


@pytest.mark.parametrize("stored", [{}, NULLS], ids=["missing", "NULL"])
@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("constant", lambda d: d.constant.append(1)),
        ("called", lambda d: d.called.append(1)),
        ("varying", lambda d: d.varying.update(x=1)),
        ("none", lambda d: d.none.add("x")),
        ("some", lambda d: d.some.add("x")),
    ],
)
def test_an_edited_default_is_refused(
    place: Place, stored: dict[str, Any], name: str, edit: Callable[[Defaulted], object]
) -> None:
    """An edit of a default is one too; discarded, the same default shows again."""
    defaulted = lacking(place, stored)
    before = copy.deepcopy(getattr(defaulted, name))
    edit(defaulted)
    with pytest.raises(dynamix.InvalidUpdateError, match=rf"Defaulted\.{name} was edited in place"):
        defaulted.commit_changes()
    defaulted.discard_changes()
    assert values.encode(getattr(defaulted, name) or None) == values.encode(before or None)
    defaulted.commit_changes()


def test_a_set_created_empty() -> None:
    """A set that was created empty is not stored; only adding to it is an edit, whatever its default."""
    dynamix.create_table(Defaulted)
    for name in ("none", "some"):
        defaulted = Defaulted.create(key="k", none=set(), some=set())
        defaulted.set_field(Defaulted.number, 1)
        defaulted.commit_changes()
        defaulted = Defaulted.create(key="k", none=set(), some=set())
        getattr(defaulted, name).add("x")
        with pytest.raises(dynamix.InvalidUpdateError, match=rf"Defaulted\.{name} was edited in place"):
            defaulted.commit_changes()


CHANGES: dict[str, Callable[[Sample], None]] = {
    "items": lambda sample: sample.append_to_listfield(Sample.items, {"new": 1}),
    "mapping": lambda sample: sample.update_to_dict_field(Sample.mapping, {"new": {}}),
    "many": lambda sample: sample.add_to_setfield(Sample.many, {"new"}),
}
WAYS: dict[str, Callable[[Sample], Sample]] = {
    "itself": lambda sample: sample,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda sample: pickle.loads(pickle.dumps(sample)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("source", [created, loaded])
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_beside_a_change_is_refused(source: Callable[[], Sample], edit: str, way: Callable[[Any], Any]) -> None:
    """What is edited in place after a change of the same field was queued would not be sent, so it is refused."""
    name = edit.split(",")[0]
    sample = source()
    CHANGES[name](sample)
    sample = way(sample)
    EDITS[edit](sample)
    with pytest.raises(dynamix.InvalidUpdateError, match=rf"Sample\.{name} was edited in place"):
        sample.commit_changes()
    sample.discard_changes()
    assert sample == Sample(key="k", **copied())
    CHANGES[name](sample)
    sample.commit_changes()
    assert Sample.get(key="k") == sample


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("edit", ["items", "mapping", "many"])
def test_a_whole_value_that_is_edited_after_it_was_set(edit: str, way: Callable[[Any], Any]) -> None:
    """A value that was set whole is sent as the instance shows it at the commit; a copy sends its own."""
    sample = created()
    sample.set_field(getattr(Sample, edit), copied()[edit])
    twin = way(sample)
    EDITS[edit](twin)
    shown = copy.deepcopy(getattr(twin, edit))
    assert shown != copied()[edit]
    twin.commit_changes()
    assert getattr(twin, edit) == getattr(Sample.get(key="k"), edit) == shown
    if twin is not sample:
        assert getattr(sample, edit) == copied()[edit]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_queued_element_that_is_edited(way: Callable[[Any], Any]) -> None:
    """An element that was queued is sent as the instance shows it at the commit."""
    sample = loaded()
    CHANGES["items"](sample)
    CHANGES["mapping"](sample)
    twin = way(sample)
    assert twin.items is not None
    assert twin.mapping is not None
    twin.items[-1]["new"] = 2
    twin.mapping["new"]["x"] = 3
    twin.commit_changes()
    stored = Sample.get(key="k")
    assert stored is not None
    assert (stored.items, stored.mapping) == ([1, {"a": [2]}, {"new": 2}], {"b": {"c": 3}, "new": {"x": 3}})
    assert stored == twin


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_edit_after_a_whole_value_and_a_change_of_it(way: Callable[[Any], Any]) -> None:
    """A value that was set whole and changed since is sent as the instance shows it, too."""
    sample = created()
    for name, change in CHANGES.items():
        sample.set_field(getattr(Sample, name), copied()[name])
        change(sample)
    sample = way(sample)
    for name in CHANGES:
        EDITS[name](sample)
    shown = copy.deepcopy((sample.items, sample.mapping, sample.many))
    assert shown == ([1, {"a": [2]}, {"new": 1}, 4], {"new": {}}, {"x", "new", "y"})
    sample.commit_changes()
    assert (sample.items, sample.mapping, sample.many) == shown
    assert Sample.get(key="k") == sample


class Unstorable(dynamix.Model):
    """A default that no item can hold."""

    __table_name__ = "Defaulted"

    key = dynamix.CharField(hash_key=True)
    items = dynamix.ListField(default=[object()])


def test_a_default_that_cannot_be_stored(place: Place) -> None:
    """A default that could not be stored is refused where it would show, naming the field."""
    lacking(place, {})
    found = Unstorable.get(key="k")
    assert found is not None
    with pytest.raises(dynamix.FieldValidationException, match=r"Unstorable\.items cannot hold \[<object"):
        found.items  # noqa: B018 - read to be refused


class Respelled(dynamix.Model):
    """What is not stored as it was loaded, if it is stored again."""

    key = dynamix.CharField(hash_key=True)
    text = dynamix.JSONField(stored="text")
    lower = dynamix.ListField(transform=lambda words: [str(word).lower() for word in words])
    many = dynamix.SetField()


def test_what_would_be_stored_otherwise_was_not_edited(place: Place) -> None:
    """JSON text in another spelling, and a value that transformers would change, are no edits when they are read."""
    dynamix.create_table(Respelled)
    item = {"key": {"S": "k"}, "text": {"S": '{ "b":1,"a":[1.50 ] }'}, "lower": {"L": [{"S": "A"}, {"N": "1.50"}]}}
    place.call("PutItem", TableName=place.table_name(Respelled), Item=item)
    stored = place.stored_item(Respelled, key="k")
    loaded = Respelled.get_or_raise(key="k", consistent=True)
    assert loaded.text == {"a": [1.5], "b": 1}
    assert loaded.lower == ["A", 1.5]
    loaded.save()
    assert place.stored_item(Respelled, key="k") == stored
    loaded.refresh()
    loaded.text["a"].append(2)
    loaded.save()
    assert Respelled.get_or_raise(key="k", consistent=True).text == {"a": [1.5, 2], "b": 1}


def test_an_edit_of_a_set_that_queued_deletes_emptied() -> None:
    """An element that is put back in place stays."""
    dynamix.create_table(Respelled)
    record = Respelled.create(key="k", many={"x"})
    record.delete_from_setfield(Respelled.many, {"x"})
    assert record.many == set()
    record.many.add("x")
    record.save()
    assert record.many == {"x"} == Respelled.get_or_raise(key="k", consistent=True).many


class Nested(dynamix.NestedModel):
    """A model with a default that can be edited, and a list with transformers."""

    words = dynamix.ListField(default=[])
    days = dynamix.ListField(of=dynamix.DateField(), transform=sorted)


class Sorted(dynamix.Model):
    """What other programs stored in another order, or in part."""

    key = dynamix.CharField(hash_key=True)
    days = dynamix.ListField(of=dynamix.DateField(), transform=sorted)
    nested = dynamix.ModelField(Nested)


WRITES: dict[str, Callable[[Sorted], object]] = {
    "save": lambda record: record.save(),
    "whole": lambda record: Sorted.batch_write([record]),
}


@pytest.mark.parametrize("write", WRITES)
def test_an_edit_of_what_is_stored_in_another_order(place: Place, write: str) -> None:
    """What is stored is what transformers make of the edited value, and the default of what was not stored, edited."""
    dynamix.create_table(Sorted)
    days = {"L": [{"S": "20240303"}, {"S": "2024-03-02"}]}
    place.call(
        "PutItem",
        TableName=place.table_name(Sorted),
        Item={"key": {"S": "k"}, "days": days, "nested": {"M": {"days": days}}},
    )
    record = Sorted.get_or_raise(key="k", consistent=True)
    record.days[0] = date(2024, 3, 5)
    record.nested.days[0] = date(2024, 3, 5)
    record.nested.words.append("a")
    WRITES[write](record)
    stored = Sorted.get_or_raise(key="k", consistent=True)
    assert stored.days == stored.nested.days == [date(2024, 3, 2), date(2024, 3, 5)]
    assert stored.nested.words == ["a"]
