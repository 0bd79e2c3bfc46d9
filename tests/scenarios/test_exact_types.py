"""Decimals, binary, UUIDs, enumerations, literals and JSON: as values, as keys, in conditions and changes."""

from datetime import UTC, datetime, time, timedelta
from decimal import Context, Decimal, FloatOperation, Inexact, Rounded, localcontext
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

import dynamix
from places import Place


class Colour(Enum):
    """Strings with names."""

    RED = "r"
    BLUE = "b"
    OTHER = "?"


class Rank(IntEnum):
    """Numbers with names, in order."""

    LOW = 1
    HIGH = 10


class Part(dynamix.Model):
    """A key of binary and Decimal, and one field of each class."""

    digest = dynamix.BinaryField(hash_key=True)
    price = dynamix.DecimalField(range_key=True, places=2, minimum=0)
    exact = dynamix.DecimalField()
    cost = dynamix.DecimalField(places=2)
    seal = dynamix.BinaryField(max_length=4)
    id = dynamix.UUIDField()
    colour = dynamix.EnumField(Colour, unknown=Colour.OTHER)
    named = dynamix.EnumField(Colour, by="name")
    rank = dynamix.EnumField(Rank)
    state = dynamix.LiteralField("draft", "live")
    document = dynamix.JSONField()
    text = dynamix.JSONField(stored="text")
    anything = dynamix.AnyField()


class Tag(dynamix.Model):
    """A key of a UUID and an enumeration."""

    id = dynamix.UUIDField(hash_key=True)
    rank = dynamix.EnumField(Rank, range_key=True)


WHOLE = UUID(int=10)
VALUES: dict[str, Any] = {
    "digest": b"\x00\xff",
    "price": Decimal("12.50"),
    "exact": Decimal("-0.12345678901234567890123456789012345678"),
    "seal": b"",
    "id": WHOLE,
    "colour": Colour.RED,
    "named": Colour.BLUE,
    "rank": Rank.HIGH,
    "state": "live",
    "document": {"a": [1, None, 0.5]},
    "text": {"b": 10**50, "a": "é"},
    "anything": {b"x"},
}
STORED = {
    "digest": {"B": "AP8="},
    "price": {"N": "12.5"},
    "exact": {"N": "-0.12345678901234567890123456789012345678"},
    "seal": {"B": ""},
    "id": {"S": str(WHOLE)},
    "colour": {"S": "r"},
    "named": {"S": "BLUE"},
    "rank": {"N": "10"},
    "state": {"S": "live"},
    "document": {"M": {"a": {"L": [{"N": "1"}, {"NULL": True}, {"N": "0.5"}]}}},
    "text": {"S": f'{{"a":"é","b":{10**50}}}'},
    "anything": {"BS": ["eA=="]},
}


def test_values_and_keys_read_back_as_they_were(place: Place) -> None:
    """Every way of reading gives what was stored, equal and of the same type, from the documented stored form."""
    dynamix.create_table(Part)
    created = Part.create(**VALUES)
    (item,) = place.call("Scan", TableName=place.table_name(Part))["Items"]
    assert item == STORED
    key = {"digest": b"\x00\xff", "price": Decimal("12.5")}
    for found in (Part.get(**key), *Part.query().where(Part.digest == b"\x00\xff"), *Part.batch_get(key)):
        assert found == created
        assert {name: (getattr(found, name), type(getattr(found, name))) for name in VALUES} == {
            name: (value, type(value)) for name, value in VALUES.items()
        }
        assert str(found.price) == "12.50"
    created.add_to_field(Part.exact, Decimal("1e-37")).commit_changes()
    assert created.exact == Decimal("-0.12345678901234567890123456789012345668")
    found = Part.scan().where(Part.exact == created.exact).first()
    assert found is not None
    found.document["a"].append(True)
    found.text["c"] = []
    found.save()
    assert Part.get(**key) == found
    found.change(Part.document["a"][0].set(5)).commit_changes()
    assert found.document == {"a": [5, None, 0.5, True]}


@pytest.mark.usefixtures("place")
def test_keys_sort_as_their_values_do() -> None:
    """Sort keys come in the order of their values, a page goes on at any, and key_of finds what is stored."""
    dynamix.create_table(Part)
    dynamix.create_table(Tag)
    prices = [Decimal("0.05"), Decimal("0.50"), Decimal(3), Decimal("10.25")]
    Part.batch_write([{"digest": b"d", "price": price} for price in reversed(prices)])
    query = Part.query().where(Part.digest == b"d").limit(2)
    page, cursor = query.get_items()
    rest, _ = query.start_key(str(cursor)).get_items()
    assert [part.price for part in page + rest] == prices
    assert Part.query().where(Part.digest == b"d", Part.price > Decimal(1)).count() == 2
    assert Part.get(**Part.key_of(digest={"B": "ZA=="}, price=3)) is not None
    Tag.batch_write([{"id": WHOLE, "rank": rank} for rank in (Rank.HIGH, Rank.LOW)])
    assert [tag.rank for tag in Tag.query().where(Tag.id == WHOLE)] == [Rank.LOW, Rank.HIGH]
    for wrong, reason in ((b"", "empty"), (b"x" * 2049, "2049 bytes")):
        with pytest.raises(dynamix.FieldValidationException, match=rf"Part\.digest .*{reason}"):
            Part.get(digest=wrong, price=Decimal(1))


def test_conditions_go_by_the_stored_form() -> None:
    """What makes sense of each class is found; begins_with of binary takes bytes."""
    with dynamix.use_connection(dynamix.Connection(embedded=True)):
        dynamix.create_table(Part)
        part = Part.create(**VALUES)
        for condition in (
            Part.digest.begins_with(b"\x00"),
            Part.seal < b"x",
            Part.exact.between(Decimal(-1), Decimal(0)),
            Part.id.is_in([WHOLE]),
            (Part.colour == Colour.RED) & (Part.named != Colour.RED),
            Part.rank > Rank.LOW,
            Part.state == "live",
            Part.document["a"].contains(None),
            Part.text == {"a": "é", "b": 10**50},
            Part.anything.contains(b"x"),
        ):
            assert list(Part.scan().where(condition)) == [part]


def test_an_unknown_member_is_kept(place: Place) -> None:
    """A stored value that is no member reads as the one for unknown ones, and is given back while nobody sets another;
    without that option it is an error that names table, key and field."""
    dynamix.create_table(Part)
    key = {"digest": {"B": "AA=="}, "price": {"N": "1"}}
    item = {**key, "colour": {"S": "green"}}
    place.call("PutItem", TableName=place.table_name(Part), Item=item)
    part = Part.scan().first()
    assert part is not None
    assert part.colour is Colour.OTHER
    Part.batch_write([part])
    assert place.call("Scan", TableName=place.table_name(Part))["Items"] == [item]
    place.call("PutItem", TableName=place.table_name(Part), Item={**key, "named": {"S": "GREEN"}})
    with pytest.raises(dynamix.StoredValueError, match=r"Part\.named.*GREEN.*digest=b'\\x00'.*table") as caught:
        Part.scan().first()
    assert caught.value.field == "named"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"price": Decimal("0.001")}, "more than 2 digits"),
        ({"price": Decimal(-1)}, "less than 0"),
        ({"exact": 0.1}, "takes a Decimal"),
        ({"exact": True}, "takes a Decimal"),
        ({"exact": Decimal("NaN")}, "not a number"),
        ({"exact": Decimal("1." + "1" * 38)}, "38"),
        ({"seal": "x"}, "takes bytes"),
        ({"seal": b"12345"}, "5 bytes, more than 4"),
        ({"id": str(WHOLE)}, "takes a UUID"),
        ({"colour": "r"}, "takes a Colour"),
        ({"rank": 1}, "takes a Rank"),
        ({"state": "gone"}, "none of 'draft', 'live'"),
        ({"state": True}, "takes one of"),
        ({"document": {1: "x"}}, "not a str"),
        ({"document": {"a": b"x"}}, "no form for a bytes"),
        ({"document": (1,)}, "no form for a tuple"),
        ({"text": [float("inf")]}, "JSON has no inf"),
        ({"anything": object()}, "no type"),
    ],
)
def test_what_a_class_cannot_hold_is_refused(values: dict[str, Any], reason: str) -> None:
    """A wrong value is refused before anything is sent, by the name of its field, with the reason."""
    with pytest.raises(dynamix.FieldValidationException, match=rf"Part\.{next(iter(values))} .*{reason}"):
        Part(**{"digest": b"d", "price": Decimal(1), **values}).validate()


def test_conditions_without_sense_are_refused() -> None:
    """A part of what has none, an order of what has none, and an amount with too many digits are errors at once."""
    for attempt in (
        lambda: Part.exact.begins_with("1"),
        lambda: Part.price.contains(1),
        lambda: Part.id.begins_with("0"),
        lambda: Part.colour.contains("r"),
        lambda: Part.colour < Colour.RED,
        lambda: Part.text["a"],
        lambda: Part.text.contains("a"),
        lambda: Part.document > {},
        lambda: dynamix.BooleanField().contains(True),
        lambda: dynamix.BooleanField() < True,
        lambda: dynamix.ListField() < [1],
        lambda: dynamix.SetField() < {1},
        lambda: dynamix.DictField() < {},
    ):
        with pytest.raises(dynamix.InvalidQueryError):
            attempt()
    for attempt in (lambda: Part.seal.begins_with("x"), lambda: dynamix.ListField().begins_with("x")):
        with pytest.raises(dynamix.WrongTypeError):
            attempt()
    with pytest.raises(dynamix.FieldValidationException, match="more than 2 digits"):
        Part.cost.add(Decimal("0.001"))


def test_what_an_instance_shows_is_what_is_read() -> None:
    """Ints of a DecimalField and buffers of a BinaryField show as what they read back as, given or assigned."""
    with dynamix.use_connection(dynamix.Connection(embedded=True)):
        dynamix.create_table(Part)
        part = Part.create(digest=bytearray(b"d"), price=5, exact=7)
        assert (part.digest, str(part.price), type(part.exact)) == (b"d", "5.00", Decimal)
        part.exact, part.seal = 8, memoryview(b"x")
        assert (part.exact, type(part.exact), part.seal) == (Decimal(8), Decimal, b"x")
        part.save()
        assert Part.get(digest=b"d", price=5) == part


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: dynamix.DecimalField(places=-1),
        lambda: dynamix.DecimalField(places=1, minimum=Decimal("0.01")),
        lambda: dynamix.IntegerField(minimum=2, maximum=1),
        lambda: dynamix.EnumField("Colour"),
        lambda: dynamix.EnumField(Colour, by="colour"),
        lambda: dynamix.EnumField(Enum("Mixed", {"A": 1, "B": "x"})),
        lambda: dynamix.EnumField(Colour, unknown="r"),
        lambda: dynamix.LiteralField(),
        lambda: dynamix.LiteralField("a", 1),
        lambda: dynamix.LiteralField(b"a"),
        lambda: dynamix.JSONField(stored="json"),
        lambda: dynamix.CharField(max_length="5"),
        lambda: dynamix.ListField(min_length=-1),
        lambda: dynamix.BinaryField(max_length=True),
        lambda: dynamix.CharField(validator="x"),
        lambda: dynamix.ListField(of={}),
        lambda: dynamix.Model.__class__(
            "Both", (dynamix.Model,), {"k": dynamix.CharField(hash_key=True, range_key=True)}
        )(k="x").validate(),
    ],
)
def test_options_that_cannot_be(attempt: Any) -> None:
    """An option that no value could meet is refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError):
        attempt()


@pytest.mark.usefixtures("place")
def test_an_edit_inside_a_text_depends_on_the_text() -> None:
    """A text is stored whole, so an edit inside it that would undo another's is a conflict."""
    dynamix.create_table(Part)
    Part.create(digest=b"d", price=1, text={"a": 1})
    first, second = Part.scan().first(), Part.scan().first()
    assert first is not None
    assert second is not None
    first.text["b"] = 2
    second.text["c"] = 3
    first.save()
    with pytest.raises(dynamix.ConditionalCheckFailedError) as caught:
        second.save()
    assert caught.value.changed == ("Part.text",)
    second.refresh(discard=True)
    assert second.text == {"a": 1, "b": 2}


class Timing(dynamix.Model):
    """What is stored as numbers that a program's decimal context could cut."""

    key = dynamix.CharField(hash_key=True)
    clock = dynamix.TimeField()
    span = dynamix.TimeDeltaField(stored="seconds")
    at = dynamix.DateTimeField(stored="milliseconds")
    price = dynamix.DecimalField()
    big = dynamix.DecimalField(unique=True)


@pytest.mark.parametrize(
    "context",
    [
        Context(prec=4),
        Context(prec=4, Emax=6, Emin=-6),
        Context(capitals=0),
        Context(prec=4, traps=[Inexact, Rounded, FloatOperation]),
    ],
)
def test_the_decimal_context_of_a_program_changes_nothing(context: Context) -> None:
    """Values are stored, read and added to exactly, whatever context a program has for its own Decimals."""
    values: dict[str, Any] = {
        "clock": time(12, 30, 15, 123456),
        "span": timedelta(days=5, microseconds=123456),
        "at": datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC),
        "price": Decimal("1.5E+20"),
        "big": Decimal("12345678901234567890123456789012345678"),
    }
    with dynamix.Connection(embedded=True) as connection, dynamix.use_connection(connection), localcontext(context):
        dynamix.create_table(Timing)
        Timing.create(key="k", **values)
        found = Timing.get_or_raise(key="k")
        shown = {name: getattr(found, name) for name in values}
        son = Timing.from_son(found.to_son())
        Timing.update_by_key(Timing.big.set(Timing.big - Decimal("12345678901234567890123456789012345677")), key="k")
        with pytest.raises(dynamix.NotUniqueError):
            Timing.create(key="l", big=Decimal(1))
        with localcontext(Context(prec=40)):
            assert shown == values
            assert {name: getattr(son, name) for name in values} == values
            assert Timing.get_or_raise(key="k").big == 1


class Loose(dynamix.Model):
    """Fields that take other types than they read."""

    key = dynamix.CharField(hash_key=True)
    ratio = dynamix.FloatField()
    ratios = dynamix.ListField(of=float)
    free = dynamix.ListField()
    marks = dynamix.SetField()
    blob = dynamix.BinaryField()
    at = dynamix.DateTimeField()


def test_an_instance_shows_what_a_get_would(place: Place) -> None:
    """What is taken in another type is shown in the one in which it is read, when given, assigned and set."""
    dynamix.create_table(Loose)
    given: dict[str, Any] = {
        "ratio": Decimal("0.1"),
        "ratios": (1, Decimal("0.5"), 10**23),
        "free": (1, "a"),
        "marks": frozenset({"x"}),
        "blob": memoryview(b"abc")[::2],
        "at": datetime(2024, 11, 3, 1, 30, fold=1, tzinfo=ZoneInfo("America/New_York")),
    }
    created = Loose.create(key="a", **given)
    assigned = Loose(key="b").save()
    for name, value in given.items():
        setattr(assigned, name, value)
    shown = repr(assigned)
    assigned.save()
    found = Loose.get_or_raise(key="a")
    assert repr(created) == repr(found) == repr(Loose.get(key="b")).replace("'b'", "'a'") == shown.replace("'b'", "'a'")
    assert (found.ratio, found.ratios, found.free) == (0.1, [1.0, 0.5, 1e23], [1, "a"])
    assert found.at == datetime(2024, 11, 3, 6, 30, tzinfo=UTC)
    assert Loose.scan().where(Loose.ratio == Decimal("0.1"), Loose.blob == given["blob"]).count() == 2
