"""Keys whose stored form is not their field's own: whatever takes a key reaches the very item, on every place."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest

import dynamix
from places import Place

UPPER = "0F8FAD5B-D9CB-469F-A165-70867728950E"
MOMENT = datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)


class UUIDField(dynamix.Field[UUID, Any]):
    """A UUID, stored in small letters."""

    key_type = "S"

    def to_wire(self, value: UUID) -> dict[str, Any]:
        return {"S": str(value)}

    def from_wire(self, wire: dict[str, Any]) -> UUID:
        return UUID(wire["S"])


class LowerField(dynamix.CharField[Any]):
    """Text without capitals."""

    def to_wire(self, value: str) -> dict[str, Any]:
        return super().to_wire(value.lower())

    def from_wire(self, wire: dict[str, Any]) -> str:
        return super().from_wire(wire).lower()


class StampField(dynamix.DateTimeField[Any]):
    """A subclass that changes nothing."""


class CentsField(dynamix.Field[Decimal, Any]):
    """An amount, stored as a number of cents."""

    key_type = "N"

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        return {"N": str(int(value * 100))}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return (Decimal(wire["N"]) / 100).quantize(Decimal("0.01"))


CASES: dict[str, tuple[Any, dict[str, str], Any]] = {
    "long float": (dynamix.FloatField, {"N": "1700000000.1234567891"}, 1700000000.1234567891),
    "whole float": (dynamix.FloatField, {"N": "9007199254740993"}, 9007199254740992.0),
    "own text": (LowerField, {"S": "Ada"}, "ada"),
    "own uuid": (UUIDField, {"S": UPPER}, UUID(UPPER)),
    "own number": (CentsField, {"N": "1250.25"}, Decimal("12.50")),
    "javascript": (dynamix.DateTimeField, {"S": "2024-03-01T12:30:15.250Z"}, MOMENT),
    "pynamodb": (dynamix.DateTimeField, {"S": "2024-03-01T12:30:15.250000+0000"}, MOMENT),
    "subclass": (StampField, {"S": "2024-03-01T12:30:15.250Z"}, MOMENT),
    "bare": (lambda **key: dynamix.DateTimeField(utc=True, **key), {"S": "2024-03-01T12:30:15.250000"}, MOMENT),
    "date": (dynamix.DateField, {"S": "20240301"}, MOMENT.date()),
    "span": (dynamix.TimeDeltaField, {"S": "+060"}, None),
}


class Case:
    """A table with one item, which another program stored, and another beside it."""

    def __init__(self, place: Place, make: Any, form: dict[str, str]) -> None:
        class Spelled(dynamix.Model):
            """Sorted by the key under test, which a global index has as its partition key."""

            __secondary_indexes__: ClassVar = {"by_at": {"hash_key": "at"}}

            name = dynamix.CharField(hash_key=True)
            at = make(range_key=True, unsorted=True)
            number = dynamix.IntegerField()
            notes = dynamix.ListField()

        self.place, self.model, self.form = place, Spelled, form
        dynamix.create_table(Spelled)
        self.put(form, 1)

    def put(self, form: dict[str, str], number: int) -> None:
        item = {"name": {"S": "k"}, "at": form, "number": {"N": str(number)}}
        self.place.call("PutItem", TableName=self.place.table_name(self.model), Item=item)

    def stored(self) -> list[tuple[dict[str, str], str]]:
        items = self.place.call("Scan", TableName=self.place.table_name(self.model), ConsistentRead=True)["Items"]
        return [(item["at"], item["number"]["N"]) for item in items]

    def load(self) -> Any:
        (found,) = self.model.scan()
        return found


@pytest.fixture(params=CASES)
def case(place: Place, request: pytest.FixtureRequest) -> Case:
    """Each spelling in turn."""
    make, form, value = CASES[request.param]
    case = Case(place, make, form)
    assert value is None or case.load().at == value
    return case


def test_an_instance_is_changed_stored_and_deleted(case: Case) -> None:
    """A commit, whole writes and both ways of deleting reach the item that was loaded, and make no second one."""
    case.load().set_field(case.model.number, 2).commit_changes()
    assert case.stored() == [(case.form, "2")]
    loaded = case.load()
    loaded.number = 3
    case.model.batch_write([loaded])
    loaded.set_field(case.model.number, 4).commit_changes()
    assert case.stored() == [(case.form, "4")]
    assert case.model.batch_get(loaded) == [loaded]
    loaded.delete()
    assert case.stored() == []
    case.put(case.form, 5)
    case.model.batch_delete([case.load()])
    assert case.stored() == []


def test_an_instance_is_made_of_a_key_as_stored(case: Case) -> None:
    """A key that carries stored forms makes handles and whole items of that very key, in every way."""
    model, key = case.model, case.load().get_primary_key_dict()
    model(**key).set_field(model.number, 2).commit_changes()
    assert case.stored() == [(case.form, "2")]
    for number, copied in enumerate((copy.copy, copy.deepcopy), 3):
        copied(model(**key)).set_field(model.number, number).commit_changes()
        assert case.stored() == [(case.form, str(number))]
    assert model.batch_get(model(**key)) == [case.load()]
    assert model.scan().where(model.at.same_as(model(**key))).get_items()[0] == [case.load()]
    with pytest.raises(dynamix.ItemExistsError):
        model.create(overwrite=False, **key)
    model.batch_write([{**key, "number": 6}])
    assert case.stored() == [(case.form, "6")]
    created = model.create(**key, number=7)
    assert created.get_primary_key_dict() == key
    created.set_field(model.number, 8).commit_changes()
    assert case.stored() == [(case.form, "8")]
    model(**key).delete()
    assert case.stored() == []


class Name:
    """A text whose class has no equality."""

    def __init__(self, text: str) -> None:
        self.text = text


class NameField(dynamix.Field[Name, Any]):
    """A name, stored in small letters."""

    key_type = "S"

    def to_wire(self, value: Name) -> dict[str, Any]:
        return {"S": value.text.lower()}

    def from_wire(self, wire: dict[str, Any]) -> Name:
        return Name(wire["S"])


@pytest.mark.parametrize("carried", [dict, copy.deepcopy, lambda key: pickle.loads(pickle.dumps(key))])
def test_a_key_needs_no_equality(place: Place, carried: Callable[[Any], Any]) -> None:
    """Where a key's values cannot be compared, the dict still reaches the item that it was made for, and no other."""
    case = Case(place, NameField, {"S": "Ada"})
    case.put({"S": "ada"}, 2)
    loaded = next(one for one in case.model.scan() if one.number == 1)
    key = carried(loaded.get_primary_key_dict())
    assert case.model.get(**key).number == 1
    key["at"] = Name("ADA")
    assert case.model.get(**key).number == 2
    case.model.delete_by_key(**carried(loaded.get_primary_key_dict()))
    assert case.stored() == [({"S": "ada"}, "2")]


def test_a_key_that_its_field_cannot_write_is_as_it_is_stored(place: Place) -> None:
    """What a field reads and would not write itself is found by the key of its instance."""
    case = Case(place, dynamix.DateTimeField, {"S": "0001-01-01T00:00:00+05:00"})
    key = case.load().get_primary_key_dict()
    assert case.model.get(**key) == case.load()
    case.model(**key).set_field(case.model.number, 2).commit_changes()
    assert case.stored() == [(case.form, "2")]
    case.model.delete_by_key(**key)
    assert case.stored() == []


@pytest.mark.parametrize("spoilt", [{"number": {"S": "x"}}, {"notes": {"S": "x"}}], ids=["at once", "later"])
def test_the_key_of_an_error_reaches_its_item(case: Case, spoilt: dict[str, Any]) -> None:
    """The key that the error of an unreadable item has is the one that is stored: the item is deleted by it."""
    case.place.call(
        "PutItem",
        TableName=case.place.table_name(case.model),
        Item={"name": {"S": "k"}, "at": case.form, "number": {"N": "1"}, **spoilt},
    )
    told: list[dynamix.StoredValueError] = []
    assert list(case.model.scan(on_error=told.append)) == []
    with pytest.raises(dynamix.StoredValueError) as caught:
        _ = next(iter(case.model.query().where(case.model.name == "k"))).notes
    with pytest.raises(dynamix.StoredValueError) as again:
        _ = case.model.get(**(told[0].key or {})).notes
    for error in (told[0], caught.value, again.value):
        assert case.model.exists(**(error.key or {}))
        assert error.table == case.place.table_name(case.model)
    case.model.delete_by_key(**(caught.value.key or {}))
    assert case.model.scan(on_error="skip").count() == 0


def test_an_index_finds_the_rest(case: Case) -> None:
    """What an index gives is requeried by its key as stored, and its cursors go on behind it."""
    index = case.model.scan().use_index("by_at")
    found, cursor = index.limit(1).get_items(requery_for_all_projections=True)
    assert [one.number for one in found] == [1]
    assert cursor is None or index.start_key(str(cursor)).get_items() == ([], None)
    same = case.model.query().use_index("by_at").where(case.model.at.same_as(found[0]))
    assert [one.at for one in same] == [found[0].at]


@pytest.mark.parametrize(
    "carried",
    [lambda key: key, dict, copy.copy, copy.deepcopy, lambda key: pickle.loads(pickle.dumps(key)), lambda key: {**key}],
    ids=["itself", "dict", "copy", "deepcopy", "pickle", "unpacked"],
)
def test_a_key_dict_carries_the_stored_form(place: Place, carried: Callable[[Any], Any]) -> None:
    """What get_primary_key_dict gives is taken as it is by whatever takes a key, and looks like any dict."""
    case = Case(place, UUIDField, {"S": UPPER})
    model, loaded = case.model, case.load()
    key = carried(loaded.get_primary_key_dict())
    assert key == {"name": "k", "at": UUID(UPPER)}
    assert repr(key) == repr({"name": "k", "at": UUID(UPPER)})
    assert model.get(**key) == loaded
    assert model.exists(**key)
    assert model.batch_get(key, loaded) == [loaded]
    assert not model.exists(name="k", at=UUID(UPPER))
    assert model.get(**{**key, "at": UUID(int=1)}) is None
    key["at"] = UUID(int=2)
    assert model.get(**key) is None
    key["at"] = UUID(UPPER)
    model.delete_by_key(**key)
    assert case.stored() == []
    case.put(case.form, 1)
    model.batch_delete([key])
    assert case.stored() == []


def test_a_key_is_made_of_stored_forms(case: Case) -> None:
    """key_of takes the text or number that the table holds, or DynamoDB's form of it; other values are the field's."""
    ((_, content),) = case.form.items()
    for given in (content, case.form):
        key = case.model.key_of(name="k", at=given)
        assert key == case.load().get_primary_key_dict()
        assert case.model.get(**key) == case.load()
    value = case.load().at
    if not isinstance(value, str | float | Decimal):
        assert {type(name) for name in case.model.key_of(name="k", at=value)} == {str}


def test_own_spellings_carry_nothing(place: Place) -> None:
    """The key of an item that its fields spelled is a plain dict, and numbers that are equal are one key."""
    case = Case(place, dynamix.FloatField, {"N": "1.50"})
    assert [type(name) for name in case.load().get_primary_key_dict()] == [str, str]
    assert [found.number for found in case.model.batch_get({"name": "k", "at": 1.5}, {"name": "k", "at": 1.50})] == [1]
    case.model.batch_delete([case.load(), {"name": "k", "at": 1.5}])
    assert case.stored() == []
    case.put({"N": "100000000000000000000000000000"}, 2)
    assert [found.number for found in case.model.batch_get({"name": "k", "at": 1e29})] == [2]
    assert case.model(name="k").get_primary_key_dict() == {"name": "k", "at": None}


@pytest.mark.usefixtures("place")
def test_wrong_keys_are_refused() -> None:
    """What cannot be a key's stored form is refused, naming the field."""

    class Both(dynamix.Model):
        """A text and a number."""

        text = dynamix.CharField(hash_key=True)
        number = dynamix.FloatField(range_key=True)

    for wrong, error in (
        ({"text": "x"}, dynamix.MissingKeyError),
        ({"text": "x", "number": "1", "other": 2}, dynamix.UnknownNameError),
        ({"text": "", "number": 1}, dynamix.FieldValidationException),
        ({"text": "x" * 3000, "number": 1}, dynamix.FieldValidationException),
        ({"text": 5, "number": 1}, dynamix.FieldValidationException),
        ({"text": {"N": "5"}, "number": 1}, dynamix.FieldValidationException),
        ({"text": "x", "number": "one"}, dynamix.FieldValidationException),
        ({"text": "x", "number": True}, dynamix.FieldValidationException),
    ):
        with pytest.raises(error):
            Both.key_of(**wrong)


def test_same_as_compares_with_the_stored_form(place: Place) -> None:
    """same_as is met by the item that was loaded, where eq asks for the field's own spelling."""
    case = Case(place, dynamix.DateTimeField, {"S": "2024-03-01T12:30:15.250Z"})
    model, loaded = case.model, case.load()
    query = model.query().where(model.name == "k")
    assert query.where(model.at.same_as(loaded)).get_items()[0] == [loaded]
    assert query.where(model.at == loaded.at).get_items()[0] == []
    assert model.scan().where(model.number.same_as(loaded)).get_items()[0] == [loaded]
    loaded.number = 7
    assert model.scan().where(model.number.same_as(loaded)).get_items()[0] == []
    with pytest.raises(dynamix.WrongTypeError, match="same_as"):
        model.number.same_as("x")
    with pytest.raises(dynamix.WrongTypeError, match="None"):
        model.notes.same_as(loaded)


def test_a_long_key_survives_an_unreadable_answer(place: Place) -> None:
    """An instance that knows its key only, since the rest could not be read, still knows it as stored."""
    case = Case(place, dynamix.FloatField, {"N": "1700000000.1234567891"})
    loaded = case.load()
    case.place.call(
        "UpdateItem",
        TableName=case.place.table_name(case.model),
        Key={"name": {"S": "k"}, "at": case.form},
        AttributeUpdates={"number": {"Value": {"S": "x"}}},
    )
    with pytest.raises(dynamix.StoredValueError, match="were stored"):
        loaded.append_to_listfield(case.model.notes, "n").commit_changes()
    loaded.set_field(case.model.number, 3).commit_changes()
    assert case.stored() == [(case.form, "3")]
