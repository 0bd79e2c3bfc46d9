"""Every field type keeps its values exactly, on every place, in the stored formats of the first dynamix."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

import pytest
from sample import Sample

import dynamix
from places import Place

DEEP: dict[str, Any] = {
    "text": "é😀\u0000",
    "none": None,
    "truth": [True, False],
    "numbers": [0, -1, 10**37, 0.1, 1e-100, Decimal("1.2345678901234567890123456789012345678")],
    "binary": b"\x00\xff",
    "sets": [{"a", "b"}, {1, 2.5}, {b"x"}],
    "empty": ["", [], {}, b""],
}

VALUES: list[tuple[str, Any, dict[str, Any]]] = [
    ("text", "plain", {"S": "plain"}),
    ("text", "", {"S": ""}),
    ("text", 'quotes " and \\ and \u2028 and \U0001f600', {"S": 'quotes " and \\ and \u2028 and \U0001f600'}),
    ("number", 0, {"N": "0"}),
    ("number", -(10**38) + 1, {"N": "-" + "9" * 38}),
    ("number", 10**125, {"N": "1" + "0" * 125}),
    ("real", 0.1, {"N": "0.1"}),
    ("real", 1e-130, {"N": "0." + "0" * 129 + "1"}),
    ("real", -2.5e100, {"N": "-25" + "0" * 99}),
    ("real", 3.0, {"N": "3"}),
    ("truth", True, {"BOOL": True}),
    ("truth", False, {"BOOL": False}),
    ("moment", datetime(2026, 11, 23, 12, 30, 15, 123456), {"S": "2026-11-23T12:30:15.123456"}),
    ("moment", datetime(2026, 11, 23, 12, 30, tzinfo=UTC), {"S": "2026-11-23T12:30:00+00:00"}),
    (
        "moment",
        datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        {"S": "2026-11-23T07:00:00+00:00"},
    ),
    ("day", date(2024, 2, 29), {"S": "2024-02-29"}),
    ("clock", time(23, 59, 59), {"N": "86399"}),
    ("clock", time(0, 0, 0, 1), {"N": "0.000001"}),
    ("span", timedelta(days=2, seconds=5), {"S": "172805"}),
    ("span", -timedelta(seconds=5), {"S": "-5"}),
    ("items", [], {"L": []}),
    ("items", [1, "a", [None]], {"L": [{"N": "1"}, {"S": "a"}, {"L": [{"NULL": True}]}]}),
    ("mapping", {}, {"M": {}}),
    ("mapping", {"#": 1, "a.b": {"c": []}}, {"M": {"#": {"N": "1"}, "a.b": {"M": {"c": {"L": []}}}}}),
    ("many", {"a"}, {"SS": ["a"]}),
    ("many", {5}, {"NS": ["5"]}),
    ("many", {b"\x00"}, {"BS": ["AA=="]}),
]


@pytest.mark.parametrize(("field", "value", "stored"), VALUES)
def test_a_value_reads_back_as_it_was(place: Place, field: str, value: Any, stored: dict[str, Any]) -> None:
    """What is created is read back equal and of the same type, and is stored in the documented form."""
    dynamix.create_table(Sample)
    created = Sample.create(key="k", **{field: value})
    found = Sample.get(key="k")
    assert found is not None
    assert found == created
    read = getattr(found, field)
    assert read == value
    assert type(read) is type(value)
    assert place.stored_item(Sample, key="k") == {"key": {"S": "k"}, field: stored}


class Text(str):
    """A str of a program's own."""


class Colour(str, Enum):  # noqa: UP042 - unlike a StrEnum's, its str() is not its value
    """Strings with names."""

    RED = "red"


class Level(int, Enum):
    """Numbers with names."""

    HIGH = 3


@pytest.mark.usefixtures("place")
def test_a_value_of_a_subclass_is_stored_as_what_it_is() -> None:
    """A str or int of a subclass, enums among them, is stored by its value, as a key and in conditions too."""
    dynamix.create_table(Sample)
    Sample.create(key=Text("k"), text=Colour.RED, number=Level.HIGH)
    found = Sample.get(key=Text("k"))
    assert found is not None
    assert (found.key, found.text, found.number) == ("k", "red", 3)
    assert {type(found.text), type(found.number)} == {str, int}
    for condition in (Sample.text == Colour.RED, Sample.text.begins_with(Text("r")), Sample.number == Level.HIGH):
        assert list(Sample.scan().where(condition)) == [found]


class Timed(dynamix.Model):
    """Keys of a time and a float."""

    at = dynamix.DateTimeField(hash_key=True)
    amount = dynamix.FloatField(range_key=True)
    count = dynamix.IntegerField()


class Dated(dynamix.Model):
    """Keys of a date and a time of day."""

    day = dynamix.DateField(hash_key=True)
    clock = dynamix.TimeField(range_key=True)


class Spanned(dynamix.Model):
    """Keys of a timedelta and a long integer."""

    span = dynamix.TimeDeltaField(hash_key=True)
    number = dynamix.IntegerField(range_key=True)


@pytest.mark.usefixtures("place")
def test_keys_of_every_type() -> None:
    """Whatever can be a key finds its item again: by get, in batches, in conditions and through a cursor's text."""
    for model in (Timed, Dated, Spanned):
        dynamix.create_table(model)
    at = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=5)))
    Timed.batch_write(
        [{"at": at, "amount": amount, "count": 1} for amount in (-0.0, 1e-7, 12345678901234567890.0, -2.5)]
    )
    zero = Timed.get(at=at, amount=0)
    assert zero is not None
    assert Timed.batch_get({"at": at, "amount": 0.0}, {"at": at.astimezone(UTC), "amount": 0}) == [zero]
    zero.add_to_field(Timed.count, 1)
    zero.commit_changes()
    assert zero.count == 2
    query = Timed.query().where(Timed.at == at).limit(2)
    page, cursor = query.get_items()
    assert [timed.amount for timed in page] == [-2.5, 0.0]
    page, cursor = query.start_key(str(cursor)).get_items()
    assert [timed.amount for timed in page] == [1e-7, 12345678901234567890.0]

    dated = Dated.create(day=date(2026, 1, 1), clock=time(1, 2, 3, 4))
    assert Dated.get(day=date(2026, 1, 1), clock=time(1, 2, 3, 4)) == dated
    assert Dated.query().where(Dated.day == date(2026, 1, 1), Dated.clock > time(1)).first() == dated

    spanned = Spanned.create(span=-timedelta(days=1, seconds=3), number=10**37)
    assert Spanned.query().where(Spanned.span == spanned.span, Spanned.number.lte(10**37)).first() == spanned
    spanned.delete()
    assert not Spanned.exists(span=-timedelta(days=1, seconds=3), number=10**37)


@pytest.mark.usefixtures("place")
def test_deep_values_read_back_as_they_were() -> None:
    """Whatever nests in a map or a list reads back equal: numbers to the digit, sets as sets, binary as bytes."""
    dynamix.create_table(Sample)
    Sample.create(key="k", mapping=DEEP, items=[DEEP])
    found = Sample.get(key="k")
    assert found is not None
    assert found.mapping == DEEP
    assert found.items == [DEEP]
    assert found.mapping is not None
    assert [type(number) for number in found.mapping["numbers"]] == [int, int, int, float, float, Decimal]


@pytest.mark.usefixtures("place")
def test_values_read_back_from_every_way_of_reading() -> None:
    """get, batch_get, query and scan show the same instance."""
    dynamix.create_table(Sample)
    values = {"text": "t", "number": 1, "real": 0.5, "truth": True, "items": [1], "mapping": {"a": 1}, "many": {1, 2}}
    times = {"moment": datetime(2026, 1, 1), "day": date(2026, 1, 1), "clock": time(1), "span": timedelta(1)}
    created = Sample.create(key="k", **values, **times)  # type: ignore[arg-type]
    assert Sample.get(key="k") == created
    assert Sample.batch_get({"key": "k"}) == [created]
    assert Sample.query().where(Sample.key.eq("k")).get_items()[0] == [created]
    assert list(Sample.scan()) == [created]


def test_missing_is_missing(place: Place) -> None:
    """None and an empty set are not stored, and read back as None."""
    dynamix.create_table(Sample)
    Sample.create(key="k", text=None, many=set())
    assert place.stored_item(Sample, key="k") == {"key": {"S": "k"}}
    found = Sample.get(key="k")
    assert found is not None
    assert found.text is None
    assert found.many is None


class Named(dynamix.Model):
    """Attributes whose stored names are reserved words, or hold dots, spaces, emoji or another field's name."""

    key = dynamix.CharField(hash_key=True, name="select")
    sort = dynamix.IntegerField(range_key=True, name="order by")
    dotted = dynamix.CharField(name="a.b[0].c", indexed=True, projections="ALL")
    emoji = dynamix.IntegerField(name="😀")
    swapped = dynamix.CharField(name="other")
    other = dynamix.CharField(name="swapped")
    hashes = dynamix.DictField(name="#n0")
    colons = dynamix.ListField(name=":v0")
    size = dynamix.SetField()


def test_odd_names_work_everywhere(place: Place) -> None:
    """A name is never taken for syntax, and Python code uses the attribute's name, whatever the stored one."""
    dynamix.create_table(Named)
    named = Named.create(
        key="k", sort=1, dotted="d", emoji=5, swapped="s", other="o", hashes={"a.b": {"😀 ": 1}}, colons=[1], size={"x"}
    )
    assert set(place.stored_item(Named, key="k", sort=1) or {}) == {
        "select", "order by", "a.b[0].c", "😀", "other", "swapped", "#n0", ":v0", "size",
    }  # fmt: skip
    assert Named.get(key="k", sort=1) == named
    found, _ = (
        Named.query()
        .where(Named.key == "k", Named.sort.between(0, 2), Named.emoji > 4, Named.swapped == "s", Named.other == "o")
        .get_items()
    )
    assert found == [named]
    found, _ = Named.query().use_index(Named.dotted).where(Named.key.eq("k"), Named.dotted.begins_with("d")).get_items()
    assert found == [named]
    assert list(Named.scan().where(Named.hashes["a.b"]["😀 "].eq(1) & Named.size.contains("x"))) == [named]

    named.set_field(Named.dotted, "e")
    named.add_to_field(Named.emoji, 1)
    named.update_to_dict_field(Named.hashes, {"#": 1, ":v1": 2})
    named.append_to_listfield(Named.colons, 2)
    named.add_to_setfield(Named.size, {"y"})
    named.set_modify_conditions(Named.other.eq("o"))
    named.commit_changes()
    assert Named.get(key="k", sort=1) == named
    assert (named.dotted, named.emoji, named.colons, named.size) == ("e", 6, [1, 2], {"x", "y"})
    assert named.hashes == {"a.b": {"😀 ": 1}, "#": 1, ":v1": 2}


class Odd(dynamix.Model):
    """Keys of table and indexes, and projections, under names that look like syntax."""

    __secondary_indexes__: ClassVar = {
        "by_owner": {"hash_key": "owner", "range_key": "rank", "projections": ["note"]},
        "by_note": {"hash_key": "a.b :x", "projections": "ALL"},
    }

    key = dynamix.CharField(hash_key=True, name="#k.[0]")
    sort = dynamix.IntegerField(range_key=True, name=":v0 and 😀")
    owner = dynamix.CharField(name="size(x)")
    rank = dynamix.IntegerField(name="#n1", indexed=True, projections=["note"])
    note = dynamix.CharField(name="a.b :x")
    data = dynamix.DictField(name="NULL")


@pytest.mark.usefixtures("place")
def test_odd_names_work_as_keys_and_in_projections() -> None:
    """Indexes, chosen fields, pages, the second round, batches and conditions on keys take any name."""
    dynamix.create_table(Odd)
    values = [
        {"key": "k", "sort": n, "owner": "o", "rank": 9 - n, "note": f"n{n % 2}", "data": {"#": n}} for n in range(6)
    ]
    odds = Odd.batch_write(values)
    assert Odd.batch_get(*[odd.get_primary_key_dict() for odd in odds]) == odds
    with pytest.raises(dynamix.ItemExistsError):
        Odd.create(key="k", sort=0, overwrite=False)
    assert Odd.exists(key="k", sort=0)

    by_owner = Odd.query().use_index("by_owner").where(Odd.owner == "o", Odd.rank > 4, Odd.note == "n0")
    page, cursor = by_owner.limit(1).get_items()
    assert [(odd.sort, odd.note) for odd in page] == [(4, "n0")]
    page, cursor = by_owner.limit(2).start_key(str(cursor)).get_items(requery_for_all_projections=True)
    assert page == [odds[2], odds[0]]
    assert list(Odd.query().use_index("by_note").where(Odd.note == "n1", Odd.data["#"].gt(3))) == [odds[5]]
    by_rank = Odd.query(Odd.note).use_index(Odd.rank, asc=False).where(Odd.key == "k", Odd.sort.between(1, 3))
    assert [(odd.sort, odd.note) for odd in by_rank] == [(1, "n1"), (2, "n0"), (3, "n1")]
    assert sorted(odd.sort for odd in Odd.scan(Odd.data).where(Odd.data["#"].is_in([1, 5]))) == [1, 5]

    odds[0].set_modify_conditions(Odd.key.eq("k"), Odd.data["#"].eq(0))
    odds[0].delete()
    Odd.batch_delete([odds[1]], keys=[{"key": "k", "sort": 2}])
    assert Odd.scan().count() == 3
