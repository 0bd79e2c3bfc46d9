"""Transformers, choices, bounds: what becomes of a value before it is stored, and all that is wrong with an object."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

import dynamix
from places import Place


class Reader(dynamix.Model):
    """A transformed key, and fields with each kind of limit."""

    email = dynamix.CharField(hash_key=True, transform=[str.strip, str.lower])
    nick = dynamix.CharField(transform=str.lower, default="NOBODY")
    plan = dynamix.CharField(choices=["free", "paid"])
    level = dynamix.IntegerField(choices=(1, 2), transform=int)
    blank = dynamix.CharField(transform=lambda text: text.strip() or None)
    ratio = dynamix.FloatField(minimum=0, maximum=1)
    price = dynamix.DecimalField(maximum=10)
    born = dynamix.DateField(minimum=date(1900, 1, 1))
    seen = dynamix.DateTimeField(maximum=datetime(2030, 1, 1, tzinfo=UTC))
    alarm = dynamix.TimeField(maximum=time(12))
    pause = dynamix.TimeDeltaField(minimum=timedelta(0))
    tags = dynamix.SetField(max_length=2)
    words = dynamix.ListField(min_length=1)
    extra = dynamix.DictField(max_length=1)
    name = dynamix.CharField(required=True)


def test_a_transformer_makes_one_value_of_many(place: Place) -> None:
    """What is given, assigned, asked for and compared with goes through the transformers; what is stored does not."""
    dynamix.create_table(Reader)
    reader = Reader.create(email=" Ada@X.org", name="Ada", nick="ADA", level="2", blank="  ")
    assert (reader.email, reader.nick, reader.level, reader.blank) == ("ada@x.org", "ada", 2, None)
    assert Reader.get(email="ADA@x.org ") == reader
    reader.nick = "Lady"
    reader.change(Reader.plan.set("paid"), Reader.level.set("1"))
    assert (reader.nick, reader.level) == ("lady", 1)
    reader.save()
    for condition in (
        Reader.nick == "LADY",
        Reader.nick.is_in(["x", "Lady"]),
        Reader.nick.begins_with("LA"),
        Reader.email.contains("ADA@"),
        Reader.level == "1",
    ):
        assert list(Reader.scan().where(condition)) == [reader]
    assert list(Reader.scan().where(Reader.email.begins_with("ada "))) == []
    assert Reader(name="x").nick == "nobody"
    item = {"email": {"S": " Eve "}, "nick": {"S": "EVE"}, "name": {"S": "e"}}
    place.call("PutItem", TableName=place.table_name(Reader), Item=item)
    eve = Reader.scan().where(Reader.name == "e").first()
    assert eve is not None
    assert (eve.email, eve.nick) == (" Eve ", "EVE")
    Reader.batch_write([eve])
    eve.set_field(Reader.plan, "free").commit_changes()
    items = place.call("Scan", TableName=place.table_name(Reader))["Items"]
    (stored,) = (found for found in items if found["name"] == {"S": "e"})
    assert stored == {**item, "plan": {"S": "free"}}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("plan", "gold", "none of 'free', 'paid'"),
        ("level", "3", "none of 1, 2"),
        ("level", "x", "takes an int"),
        ("nick", 5, "takes a str"),
        ("ratio", 1.5, "more than 1"),
        ("price", Decimal("10.5"), "more than 10"),
        ("born", date(1899, 1, 1), "less than 1900-01-01"),
        ("seen", datetime(2031, 1, 1), "more than 2030"),
        ("alarm", time(13), "more than 12"),
        ("pause", timedelta(-1), "less than 0:00"),
        ("tags", {"a", "b", "c"}, "3 elements, more than 2"),
        ("words", [], "0 elements, fewer than 1"),
        ("extra", {"a": 1, "b": 2}, "2 elements, more than 1"),
    ],
)
def test_limits_of_values(field: str, value: Any, reason: str) -> None:
    """A value out of its limits is refused with the reason, given or assigned."""
    for attempt in (
        Reader(**{"email": "x", "name": "n", field: value}).validate,
        lambda: setattr(Reader(email="x"), field, value),
    ):
        with pytest.raises(dynamix.FieldValidationException, match=rf"Reader\.{field} cannot hold .*: .*{reason}"):
            attempt()


def _create(values: dict[str, Any]) -> object:
    return Reader.create(**values)


def _save(values: dict[str, Any]) -> object:
    return Reader(**values).save()


def _batch(values: dict[str, Any]) -> object:
    return Reader.batch_write([values])


@pytest.mark.parametrize("store", [_create, _save, _batch, lambda values: Reader(**values).validate()])
def test_all_that_is_wrong_is_told_at_once(store: Callable[[dict[str, Any]], object]) -> None:
    """One error names every wrong field of an object, in order, and JSON takes its list; nothing is sent."""
    day, wrong = date(1, 1, 1), {1: {b"x"}}
    values = {"email": "", "plan": "gold", "ratio": float("inf"), "born": day, "extra": wrong}
    nowhere = dynamix.use_connection(dynamix.Connection(embedded=True))
    with nowhere, pytest.raises(dynamix.FieldValidationException) as caught:
        store(values)
    error = caught.value
    assert (error.field, error.value) == ("email", "")
    assert [entry.field for entry in error.errors] == ["email", "plan", "ratio", "born", "extra", "name"]
    assert json.loads(json.dumps(error.errors)) == [
        ["email", "", "a key of a table or an index cannot be empty"],
        ["plan", "gold", "it is none of 'free', 'paid'"],
        ["ratio", "inf", "DynamoDB holds magnitudes from 1E-130 to 9.99...E+125"],
        ["born", "0001-01-01", "it is less than 1900-01-01"],
        ["extra", {"1": ["b'x'"]}, "the map key 1 is not a str"],
        ["name", None, "a value is required"],
    ]
    assert str(error).count("Reader.") == 6


class Stock(dynamix.Model):
    """A number that is never negative, where it is set."""

    key = dynamix.CharField(hash_key=True)
    count = dynamix.IntegerField(transform=lambda count: max(count, 0))
    counts = dynamix.ListField(of=dynamix.IntegerField(transform=abs))
    next = dynamix.IntegerField()


def test_no_transformer_is_for_what_is_added(place: Place) -> None:
    """A number to add is no value of the field, so it goes in as it is, whatever way it takes."""
    dynamix.create_table(Stock)
    stock = Stock.create(key="a", count=9, counts=[9], next=0)
    stock.add_to_field(Stock.count, -2).add_to_field(Stock.count, -1)
    stock.change(Stock.counts[0].add(-2)).commit_changes()
    Stock.update_by_key(Stock.count.add(-1), key="a")
    Stock.update_by_key(Stock.next.set(Stock.count + -1), key="a")
    found = Stock.get_or_raise(key="a")
    assert (found.count, found.counts, found.next) == (5, [7], 4)


def test_transformers_have_to_settle() -> None:
    """One that makes another value of what it made is a mistake in the model; what fails is refused."""

    class Odd(dynamix.Model):
        """Two wrong transformers."""

        key = dynamix.CharField(hash_key=True, transform=lambda text: text + "x")
        other = dynamix.CharField(transform=lambda text: text.missing)

    for attempt in (lambda: Odd(key="a").validate(), lambda: Odd.key == "a"):
        with pytest.raises(dynamix.ModelDefinitionError, match=r"transformers of Odd\.key"):
            attempt()
    with pytest.raises(dynamix.FieldValidationException, match=r"Odd\.other .*transformers fail: AttributeError"):
        _ = Odd.other == "a"


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: dynamix.CharField(choices="abc"),
        lambda: dynamix.CharField(choices=[]),
        lambda: dynamix.CharField(transform="lower"),  # type: ignore[call-overload]
        lambda: dynamix.CharField(transform=[]),
        lambda: dynamix.CharField(min_length=2, max_length=1),
        lambda: dynamix.FloatField(minimum=Decimal("0.1234567890123456789")),  # type: ignore[call-overload]
        lambda: dynamix.DateField(minimum=date(2026, 1, 2), maximum=date(2026, 1, 1)),
    ],
)
def test_limits_that_cannot_be(attempt: Callable[[], object]) -> None:
    """Limits that no value meets are refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError):
        attempt()
