"""Instances in JSON and back, and the JSON schema that says what that JSON is."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

import dynamix
from dynamix import (
    AnyField,
    BinaryField,
    BooleanField,
    CharField,
    CompressedField,
    ComputedField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    DiscriminatorField,
    EncryptedField,
    EnumField,
    Field,
    FieldValidationException,
    FloatField,
    IntegerField,
    JSONField,
    KeyField,
    ListField,
    LiteralField,
    Model,
    SetField,
    TimeDeltaField,
    TimeField,
    TTLField,
    UUIDField,
    VersionField,
)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Reversed:
    """A cipher for tests."""

    def encrypt(self, data: bytes, context: bytes) -> bytes:
        return data[::-1]

    decrypt = encrypt


class AddressField(Field[IPv4Address, Any]):
    """A field whose values JSON does not know: they stand as they are stored."""

    key_type = "S"

    def to_wire(self, value: IPv4Address) -> dict[str, Any]:
        return {"S": str(value)}

    def from_wire(self, wire: dict[str, Any]) -> IPv4Address:
        return IPv4Address(wire["S"])


class CentsField(Field[Decimal, Any]):
    """A field whose values JSON knows in another form than they are stored in."""

    key_type = "N"

    def to_wire(self, value: Decimal) -> dict[str, Any]:
        return {"N": str(int(value * 100))}

    def from_wire(self, wire: dict[str, Any]) -> Decimal:
        return Decimal(wire["N"]) / 100


class ReadCentsField(CentsField):
    """The same, which says how it reads them."""

    def from_json(self, son: Any) -> Decimal:
        return Decimal(son)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


class OddField(ReadCentsField):
    """One whose schema has no type."""

    def json_schema(self) -> dict[str, Any]:
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}


class Sheet(Model):
    """A sheet with one of each.

    It is never stored.
    """

    id = UUIDField(hash_key=True)
    number = IntegerField(range_key=True, minimum=-5, maximum=10**30, description="which sheet")
    text = CharField(min_length=1, max_length=300)
    slug = CharField(required=True, pattern="[a-z]+(-[a-z]+)*")
    price = DecimalField()
    share = FloatField(minimum=0)
    done = BooleanField()
    data = BinaryField(min_length=2, max_length=7)
    colour = EnumField(Colour, by="name")
    level = LiteralField(1, 2, 3)
    moment = DateTimeField()
    seconds = DateTimeField(stored="seconds")
    day = DateField()
    clock = TimeField()
    span = TimeDeltaField(stored="seconds")
    expires = TTLField()
    days = ListField(of=date, max_length=3)
    gaps = ListField(of=IntegerField(null=True))
    prices = DictField(of=Decimal)
    colours = SetField(of=Colour, default=set)
    ids = SetField(of=UUID)
    json = JSONField()
    any = AnyField()
    packed = CompressedField(UUID)
    secret = EncryptedField(Decimal, Reversed(), hidden=False)
    address = AddressField()
    cents = ReadCentsField()
    key = KeyField("SHEET#{slug}")
    double = ComputedField(int, lambda number: number * 2, "number")
    version = VersionField()


INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2900, 1, 1))
OFFSETS = st.sampled_from([None, UTC, timezone(timedelta(hours=-3, minutes=-30))])
DECIMALS = st.decimals(-(10**9), 10**9, places=7)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(0.1, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=5,
)
VALUES: dict[str, Any] = {
    "text": st.text(min_size=1),
    "price": DECIMALS,
    "share": st.floats(0, 1e100).filter(lambda x: x == 0 or x > 1e-100),
    "done": st.booleans(),
    "data": st.binary(min_size=2, max_size=7),
    "colour": st.sampled_from(Colour),
    "level": st.sampled_from([1, 2, 3]),
    "moment": st.builds(lambda moment, offset: moment.replace(tzinfo=offset), INSTANTS, OFFSETS),
    "seconds": INSTANTS.map(lambda moment: moment.replace(tzinfo=UTC, microsecond=0)),
    "day": st.dates(),
    "clock": st.times(),
    "span": st.timedeltas(),
    "expires": INSTANTS.map(lambda moment: moment.replace(tzinfo=UTC, microsecond=0)),
    "days": st.lists(st.dates(), max_size=3),
    "gaps": st.lists(st.none() | st.integers(-(10**37), 10**37)),
    "prices": st.dictionaries(st.text(min_size=1), DECIMALS),
    "colours": st.sets(st.sampled_from(Colour)),
    "ids": st.sets(st.uuids(), min_size=1),
    "json": JSON,
    "any": JSON,
    "packed": st.uuids(),
    "secret": DECIMALS,
    "address": st.ip_addresses(v=4),
    "cents": st.decimals(-100, 100, places=2),
}
SHEETS = st.fixed_dictionaries(
    {"id": st.uuids(), "number": st.integers(-5, 10**30), "slug": st.from_regex("[a-z]+(-[a-z]+)*", fullmatch=True)},
    optional=VALUES,
).map(lambda values: Sheet(**values))
ADAPTER = TypeAdapter(Sheet)
TAKEN, SHOWN = (Draft202012Validator(Sheet.json_schema(mode=mode)) for mode in ("validation", "serialization"))


@given(SHEETS)
@settings(max_examples=60)
def test_json_comes_back_as_it_was(sheet: Sheet) -> None:
    """Of every class of field, what to_son shows is read by from_son, and by pydantic, as an equal value of the same
    type, and is what both schemas say."""
    text = json.dumps(sheet.to_son(), allow_nan=False)
    son = json.loads(text)
    back = Sheet.from_son(son)
    assert back == sheet
    for name in Sheet.json_schema()["properties"]:
        assert type(getattr(back, name)) is type(getattr(sheet, name)), name
    SHOWN.validate(son)
    TAKEN.validate(son)
    Sheet.from_son({name: value for name, value in son.items() if value is not None}).validate()
    assert json.loads(ADAPTER.dump_json(sheet)) == son
    assert ADAPTER.validate_json(text) == ADAPTER.validate_python(ADAPTER.dump_python(sheet)) == sheet


def test_what_a_schema_says() -> None:
    """It has types, formats, bounds, lengths, patterns, choices, defaults, descriptions, and what is required."""

    class Ticket(Model):
        """A ticket."""

        id = UUIDField(hash_key=True, default=uuid4)
        title = CharField(required=True, min_length=1, max_length=80, pattern="[A-Z].*", description="as a sentence")
        seats = IntegerField(default=1, minimum=1, maximum=8)
        price = DecimalField(minimum=Decimal("0.5"), required=True)
        kind = CharField(choices=["child", "adult"])
        colour = EnumField(Colour, default=Colour.RED)
        tags = SetField(of=CharField(max_length=5), max_length=3)
        loose = CharField(pattern=r"(?i)x\Z")
        token = CharField(required=True, hidden=True)
        slug = KeyField("T#{title}")
        changed = DateTimeField(auto_now=True, required=True)
        photo = BinaryField(max_length=4)

    schema = Ticket.json_schema()
    Draft202012Validator.check_schema(schema)
    text = {"type": "string", "pattern": r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"}
    assert schema == {
        "title": "Ticket",
        "type": "object",
        "description": "A ticket.",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "title": {
                "type": "string",
                "minLength": 1,
                "maxLength": 80,
                "pattern": "^(?:[A-Z].*)$",
                "description": "as a sentence",
            },
            "seats": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1},
            "price": {"anyOf": [{"type": "number", "minimum": 0.5}, text]},
            "kind": {"type": ["string", "null"], "enum": ["child", "adult", None]},
            "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "tags": {
                "type": ["array", "null"],
                "uniqueItems": True,
                "items": {"type": "string", "maxLength": 5},
                "maxItems": 3,
            },
            "loose": {"type": ["string", "null"]},
            "token": {"type": "string", "writeOnly": True},
            "slug": {"type": ["string", "null"], "readOnly": True},
            "changed": {"type": "string", "format": "date-time"},
            "photo": {"type": ["string", "null"], "contentEncoding": "base64", "maxLength": 8},
        },
        "required": ["title", "price", "token"],
        "additionalProperties": False,
    }
    shown = Ticket.json_schema(mode="serialization", exclude=[Ticket.price])
    assert shown["required"] == list(shown["properties"])
    assert schema["properties"].keys() - shown["properties"].keys() == {"token", "price"}
    assert list(Ticket.json_schema(include=["seats"])["properties"]) == ["seats"]


def test_models_that_share_a_table() -> None:
    """Their JSON says of which of them it is, and pydantic tells them by it."""

    class Shelf(Model):
        __table_name__ = "shelf"

        place = IntegerField(hash_key=True)
        kind = DiscriminatorField()

    class Book(Shelf):
        __discriminator__ = "book"

    class Box(Shelf):
        __discriminator__ = "box"

    assert Box.json_schema()["properties"]["kind"] == {"type": "string", "enum": ["book", "box"], "readOnly": True}
    adapter: TypeAdapter[Book | Box] = TypeAdapter(Book | Box)
    for instance in (Book(place=1), Box(place=1)):
        assert type(instance).from_son(instance.to_son()) == instance
        assert adapter.validate_python(instance.to_son()) == instance


def test_all_that_is_wrong_is_told_at_once() -> None:
    """What a client sent wrongly is refused field by field, in one error; so is a name that is none."""
    wrong = {
        "number": -6,
        "slug": "Big",
        "price": 0.12345678901234567,
        "data": "?",
        "colour": "green",
        "level": 4,
        "moment": "yesterday",
        "day": 5,
        "days": ["2026-02-30"],
        "prices": {"a": "1_000"},
        "span": True,
        "done": 1,
        "share": "0.5",
        "ids": ["x"],
        "secret": "much",
        "address": "localhost",
        "key": "SHEET#x",
    }
    with pytest.raises(FieldValidationException) as refused:
        Sheet.from_son(wrong)
    told = {error.field: error.message for error in refused.value.errors}
    assert told.keys() == wrong.keys() - {"key"}  # which only its parts can tell
    assert told["colour"] == "it is none of 'RED', 'BLUE'"
    assert told["days"] == "element 0: it is not a date, such as '2026-03-01'"
    assert "give it as text" in told["price"]
    assert "much" not in str(refused.value)
    with pytest.raises(dynamix.UnknownNameError, match="did you mean 'slug'"):
        Sheet.from_son({"slugg": "x"})
    with pytest.raises(dynamix.WrongTypeError, match="not of a list"):
        Sheet.from_son([])  # type: ignore[arg-type]
    deep: Any = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(FieldValidationException, match=r"Sheet\.json"):
        Sheet.from_son({"json": deep})


def test_what_json_cannot_tell_apart() -> None:
    """In a free-form field it stays as JSON has it: text, lists, numbers. Python values are taken as they are."""
    any_ = {"set": {1}, "bytes": b"x", "number": Decimal("0.1234567890123456789"), "time": [1.5]}
    son = Sheet(any=any_).to_son()
    read = Sheet.from_son({"any": son["any"], "day": date(2026, 1, 1), "ids": {UUID(int=1)}})
    assert read.any == {"set": [1], "bytes": "eA==", "number": "0.1234567890123456789", "time": [1.5]}
    assert (read.day, read.ids) == (date(2026, 1, 1), {UUID(int=1)})
    assert Sheet.from_son({"share": 3, "number": 3.0, "price": 12.5}).to_son(include=["share", "number", "price"]) == {
        "number": 3,
        "share": 3.0,
        "price": "12.5",
    }


def test_fields_of_a_programs_own() -> None:
    """A class whose form in JSON is not the stored one says how it is read, or it is refused with that advice."""

    class Bill(Model):
        number = IntegerField(hash_key=True)
        cents = CentsField()
        several = ListField(of=ReadCentsField())
        odd = OddField()
        hosts = SetField(of=AddressField())

    bill = Bill(number=1, several=[Decimal("2.5")], hosts={IPv4Address(2), IPv4Address(1)})
    assert bill.to_son()["hosts"] == ["0.0.0.1", "0.0.0.2"]
    assert Bill.from_son(bill.to_son()) == bill
    schema = Bill.json_schema()["properties"]
    assert schema["several"]["items"] == {"type": "string"}
    assert schema["odd"] == {"anyOf": [{"oneOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "null"}]}
    with pytest.raises(FieldValidationException, match="no from_json"):
        Bill.from_son(Bill(number=1, cents=Decimal("2.5")).to_son())


def test_what_was_read_is_stored(place: object) -> None:
    """It is a new instance, which save() and create() store like any other."""

    class Entry(Model):
        id = IntegerField(hash_key=True)
        at = DateTimeField(required=True)
        stars = IntegerField(default=3)
        token = CharField(hidden=True)

    dynamix.create_table(Entry)
    entry = Entry.from_son({"id": 1, "at": "2026-03-01T12:30:00Z", "stars": None, "token": "t"}).save()
    found = Entry.get(id=1)
    assert found == entry
    assert (entry.at, entry.stars, entry.token) == (datetime(2026, 3, 1, 12, 30, tzinfo=UTC), 3, "t")
    with pytest.raises(dynamix.ItemExistsError):
        Entry.from_son(entry.to_son()).save()
    with pytest.raises(dynamix.RequiredFieldError):
        Entry.from_son({"id": 2}).save()


def test_seconds_keep_their_fraction() -> None:
    """A timedelta is a number of seconds, or text where no float holds it."""

    class Lap(Model):
        id = IntegerField(hash_key=True)
        span = TimeDeltaField(stored="iso")

    spans = {0.5: timedelta(seconds=0.5), -1: -timedelta(seconds=1), -0.000001: -timedelta(microseconds=1)}
    spans |= {"86399999999999.999999": timedelta.max}  # type: ignore[dict-item]
    assert {Lap(span=span).to_son()["span"]: span for span in spans.values()} == spans
