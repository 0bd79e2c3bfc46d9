"""Whole writes of what was read: what nobody touched goes back as it was stored, NULLs among it, on every place."""

import copy
import pickle
from decimal import Decimal
from typing import Any, ClassVar

import pytest

import dynamix
from places import Place


class JsonField(dynamix.Field[Any, Any]):
    """Whatever JSON holds, stored as text."""

    def to_wire(self, value: Any) -> dict[str, Any]:
        import json

        return {"S": json.dumps(value)}

    def from_wire(self, wire: dict[str, Any]) -> Any:
        import json

        return json.loads(wire["S"])


class Record(dynamix.Model):
    """What other programs spell in their own ways."""

    key = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
    filled = dynamix.CharField(default="x")
    number = dynamix.IntegerField(default=5)
    real = dynamix.FloatField()
    at = dynamix.DateTimeField()
    day = dynamix.DateField()
    clock = dynamix.TimeField()
    span = dynamix.TimeDeltaField()
    truth = dynamix.BooleanField()
    items = dynamix.ListField(default=[])
    mapping = dynamix.DictField(default={"a": 1})
    many = dynamix.SetField(default={"new"})
    data = JsonField(default={"fresh": True})
    needed = dynamix.ListField(required=True)
    expires = dynamix.TTLField()
    counted = dynamix.IntegerField(transform=abs)


ODD: dict[str, Any] = {
    "key": {"S": "k"},
    "text": {"S": "t"},
    "filled": {"S": "y"},
    "number": {"N": "7"},
    "real": {"N": "0.12345678901234567890123456789"},
    "at": {"S": "2024-03-02T00:00:00.000000+0000"},
    "day": {"S": "20240302"},
    "clock": {"N": "3600.5"},
    "span": {"S": "+060"},
    "truth": {"BOOL": True},
    "items": {"L": [{"N": "0.12345678901234567890123456789"}, {"NULL": True}, {"SS": ["a"]}]},
    "mapping": {"M": {"price": {"N": "0.1"}}},
    "many": {"NS": ["1"]},
    "data": {"S": '{ "b":1,"a":[ ] }'},
    "needed": {"L": []},
    "expires": {"N": "4102444800"},
    "counted": {"N": "-3"},
}
NULLS = {name: {"NULL": True} for name in ODD if name not in ("key", "needed")} | {
    name: ODD[name] for name in ("key", "needed")
}


@pytest.fixture
def table(place: Place) -> Place:
    """The place, with a table of records."""
    dynamix.create_table(Record)
    return place


def put(place: Place, item: dict[str, Any]) -> None:
    """Store an item as another program would."""
    place.call("PutItem", TableName=place.table_name(Record), Item=item)


def load() -> Record:
    """The record."""
    found = Record.get(key="k", consistent=True)
    assert found is not None
    return found


WAYS = {
    "as it is": lambda record: record,
    "read": lambda record: (repr(record), record)[1],
    "copied": copy.copy,
    "deeply copied": copy.deepcopy,
    "pickled": lambda record: pickle.loads(pickle.dumps(record)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("item", [ODD, NULLS], ids=["odd", "nulls"])
def test_what_nobody_touched_goes_back(table: Place, item: dict[str, Any], way: str) -> None:
    """A whole write of a loaded instance changes nothing, once and again, and a scan reads what it stored."""
    put(table, item)
    before = load()
    record = WAYS[way](load())
    for _ in range(2):
        Record.batch_write([record])
        assert table.stored_item(Record, key="k") == item
        assert list(Record.scan()) == [record] == [before]
    assert record.is_valid()
    record.commit_changes()
    assert table.stored_item(Record, key="k") == item


def test_what_was_touched_is_written(table: Place) -> None:
    """A value that was set, be it to what it was, edited or removed goes in the field's own form; others stay."""
    put(table, ODD)
    record = load()
    record.real = record.real
    record.text = None
    record.span = record.span
    record.items.append("more")
    record.data["a"].append(1)
    Record.batch_write([record])
    stored = table.stored_item(Record, key="k")
    assert stored is not None
    assert stored == {name: form for name, form in ODD.items() if name != "text"} | {
        "real": {"N": "0.12345678901234568"},
        "span": {"S": "60"},
        "items": {"L": [*ODD["items"]["L"], {"S": "more"}]},
        "data": {"S": '{"b": 1, "a": [1]}'},
    }


def test_a_null_reads_as_missing(table: Place) -> None:
    """A stored NULL shows None or the default, in every way of reading, also among items that have none."""
    put(table, NULLS)
    put(table, {**ODD, "key": {"S": "full"}})
    shown = {
        "text": None,
        "filled": "x",
        "number": 5,
        "at": None,
        "items": [],
        "many": set(),
        "data": {"fresh": True},
    }
    (queried,) = Record.query().where(Record.key == "k")
    (scanned,) = (record for record in Record.scan() if record.key == "k")
    for record in (load(), queried, scanned, *Record.batch_get({"key": "k"})):
        assert {name: getattr(record, name) for name in shown} == shown
    put(table, {"key": {"S": "k"}, "needed": {"NULL": True}})
    with pytest.raises(dynamix.FieldNotLoadedError, match="needed"):
        load().needed  # noqa: B018
    put(table, {"key": {"S": "k"}, "text": {"N": "1"}, "filled": {"NULL": True}})
    with pytest.raises(dynamix.StoredValueError, match=r"Record\.text"):
        load()


def test_a_long_number_reads_as_the_nearest_float(table: Place) -> None:
    """More digits than a float has are no error, and are kept while another field changes."""
    put(table, ODD)
    record = load()
    assert record.real == 0.12345678901234568
    record.add_to_field(Record.number, 1).commit_changes()
    record.set_field(Record.text, "new")
    Record.batch_write([record])
    assert table.stored_item(Record, key="k") == {**ODD, "number": {"N": "8"}, "text": {"S": "new"}}
    record.add_to_field(Record.real, 1.5).commit_changes()
    stored = table.stored_item(Record, key="k")
    assert stored is not None
    assert stored["real"] == {"N": "1.62345678901234567890123456789"}


def test_an_edit_of_what_a_field_class_makes_is_noticed(table: Place) -> None:
    """A value that a class of the user's own makes is watched like a list: loaded, created, or a default that shows."""
    put(table, {name: form for name, form in ODD.items() if name != "data"})
    lacking = load()
    put(table, ODD)
    loaded = load()
    put(table, NULLS)
    for record in (lacking, loaded, load(), Record.create(key="new", needed=[], data={"b": 1})):
        before = copy.deepcopy(record.data)
        record.commit_changes()
        record.data["b"] = 2
        with pytest.raises(dynamix.InvalidUpdateError, match=r"Record\.data was edited in place"):
            record.commit_changes()
        assert record.discard_changes().data == before
        record.set_field(Record.data, {"c": 3}).commit_changes()
        assert record.data == {"c": 3}


class Nullable(dynamix.Model):
    """What shares its table with programs that store NULL."""

    key = dynamix.CharField(hash_key=True)
    text = dynamix.CharField(null=True)
    at = dynamix.DateTimeField(null=True)
    items = dynamix.ListField(null=True)
    many = dynamix.SetField(null=True)
    plain = dynamix.CharField()


def test_none_is_stored_as_null_where_that_is_asked(place: Place) -> None:
    """null=True stores None as NULL: created, set, or written whole; an empty set is still left out."""
    dynamix.create_table(Nullable)
    null = {"NULL": True}
    created = Nullable.create(key="k")
    empty = {"key": {"S": "k"}, "text": null, "at": null, "items": null, "many": null}
    assert place.stored_item(Nullable, key="k") == empty
    assert Nullable.get(key="k") == created
    created.set_field(Nullable.text, "x").set_field(Nullable.items, [1]).set_field(Nullable.many, {"a"})
    created.commit_changes()
    created.set_field(Nullable.text, None).set_field(Nullable.many, set()).set_field(Nullable.plain, None)
    created.commit_changes()
    stored = {name: form for name, form in empty.items() if name != "many"} | {"items": {"L": [{"N": "1"}]}}
    assert place.stored_item(Nullable, key="k") == stored
    assert (created.text, created.at, created.items, created.plain) == (None, None, [1], None)
    assert [one.key for one in Nullable.scan().where(Nullable.text == None)] == ["k"]  # noqa: E711 - a condition
    assert [one.key for one in Nullable.scan().where(Nullable.text.exists())] == ["k"]
    assert [one.key for one in Nullable.scan().where(Nullable.text.attribute_type("NULL"))] == ["k"]
    Nullable.batch_write([{"key": "k"}])
    assert place.stored_item(Nullable, key="k") == empty


@pytest.mark.parametrize("options", [{"required": True}, {"hash_key": True}, {"indexed": True}])
def test_a_field_that_must_be_there_is_never_null(options: dict[str, Any]) -> None:
    """null=True is refused where None is."""
    with pytest.raises(dynamix.ModelDefinitionError, match="null=True"):
        dynamix.CharField(null=True, **options)


def test_a_key_of_an_index_is_never_null() -> None:
    """null=True is refused for a field that a global index has as a key, when the model is first used."""

    class Indexed(dynamix.Model):
        """A key that may be NULL."""

        __secondary_indexes__: ClassVar = {"by_text": {"hash_key": "text"}}

        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField(null=True)

    with pytest.raises(dynamix.ModelDefinitionError, match="null=True"):
        Indexed(key="k").validate()


class Priced(dynamix.Model):
    """Free-form fields with either kind of number."""

    key = dynamix.CharField(hash_key=True)
    exact = dynamix.DictField(numbers=Decimal)
    prices = dynamix.ListField(numbers=Decimal)
    steps = dynamix.SetField(numbers=Decimal)
    loose = dynamix.DictField()
    marks = dynamix.ListField()
    many = dynamix.SetField()


@pytest.mark.usefixtures("place")
def test_numbers_in_free_form_read_as_asked() -> None:
    """With numbers=Decimal a number with a fraction is a Decimal, however deep; an integer is an int either way."""
    dynamix.create_table(Priced)
    tenth, half = Decimal("0.1"), Decimal("0.50")
    deep = {"line": [{"price": tenth, "count": 2, "set": {tenth, 3}}], "half": 0.5}
    Priced.create(key="k", exact=deep, prices=[tenth, half, 3, 4.0], steps={tenth, 1})
    found = Priced.get(key="k")
    assert found is not None
    assert (found.exact, found.prices, found.steps) == (deep, [tenth, half, 3, 4], {tenth, 1})
    assert [type(number) for number in found.prices or ()] == [Decimal, Decimal, int, int]
    assert found.exact is not None
    assert tenth + found.exact["line"][0]["price"] == Decimal("0.2")
    found.append_to_listfield(Priced.prices, tenth).update_to_dict_field(Priced.exact, {"new": tenth}).commit_changes()
    assert (found.prices[-1], found.exact["new"]) == (tenth, tenth)  # type: ignore[index]
    assert [one.key for one in Priced.scan().where(Priced.prices.contains(tenth), Priced.marks.not_exists())] == ["k"]
    Priced.create(key="f", loose={"a": 0.1, "b": 2, "c": Decimal("0.5")}, marks=[0.1], many={0.1, 2})
    loose = Priced.get(key="f")
    assert loose is not None
    assert (loose.loose, loose.marks, loose.many) == ({"a": 0.1, "b": 2, "c": 0.5}, [0.1], {0.1, 2})
    assert [one.key for one in Priced.scan().where(Priced.marks.contains(Decimal("0.1")))] == ["f"]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("loose", {"a": [{"b": Decimal("0.1")}]}, "numbers=Decimal"),
        ("marks", [Decimal("0.10")], "numbers=Decimal"),
        ("many", {Decimal("0.1")}, "numbers=Decimal"),
        ("exact", {"a": [0.1]}, "numbers=float"),
        ("prices", [{"a": {0.1}}], "numbers=float"),
        ("steps", {0.1}, "numbers=float"),
    ],
)
def test_what_would_not_read_back_equal_is_refused(name: str, wrong: Any, says: str) -> None:
    """A number that its field would give back as another one is refused however it comes, naming the option."""
    dynamix.create_table(Priced)
    priced = Priced.create(key="k")
    field = getattr(Priced, name)
    with pytest.raises(dynamix.FieldValidationException, match=rf"Priced\.{name} .*{says}"):
        Priced.create(key="k", **{name: wrong})
    with pytest.raises(dynamix.FieldValidationException, match=says):
        priced.set_field(field, wrong)
    change: Any = {
        dict: priced.update_to_dict_field,
        list: priced.append_to_listfield,
        set: priced.add_to_setfield,
    }[type(wrong)]
    with pytest.raises(dynamix.FieldValidationException, match=says):
        change(field, wrong)


def test_numbers_is_one_of_two_types() -> None:
    """Another type than float or Decimal is refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError, match="numbers="):
        dynamix.ListField(numbers=int)


def test_what_was_missing_does_not_become_null(place: Place) -> None:
    """A field that stores None as NULL leaves a missing attribute missing; a new item has the NULL."""

    class Filled(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField(null=True)
        data = dynamix.AnyField(null=True)

    dynamix.create_table(Filled)
    null = {"NULL": True}
    for item in ({"key": {"S": "k"}}, {"key": {"S": "k"}, "text": null, "data": null}):
        place.call("PutItem", TableName=place.table_name(Filled), Item=item)
        filled = Filled.get_or_raise(key="k")
        Filled.batch_write([filled])
        assert filled.save(overwrite=True).to_item() == place.stored_item(Filled, key="k") == item
    Filled.create(key="k")
    assert place.stored_item(Filled, key="k") == {"key": {"S": "k"}, "text": null, "data": null}
