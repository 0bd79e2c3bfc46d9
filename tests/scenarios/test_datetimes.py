"""Datetimes with and without an offset: stored texts and conditions sort as the times do, on every place."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynamix
from dynamix.expressions.nodes import Between, Compare, Value
from places import Place


class Mixed(dynamix.Model):
    """Times of both kinds, as a sort key and beside it."""

    name = dynamix.CharField(hash_key=True)
    at = dynamix.DateTimeField(range_key=True)
    also = dynamix.DateTimeField(indexed=True)


class Universal(dynamix.Model):
    """The same in UTC only."""

    __table_name__ = "Mixed"

    name = dynamix.CharField(hash_key=True)
    at = dynamix.DateTimeField(range_key=True, utc=True)
    also = dynamix.DateTimeField(indexed=True, utc=True)


def instant(moment: datetime) -> datetime:
    """The moment in UTC; without an offset it is that already."""
    return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)


moments = st.datetimes(
    datetime(2024, 1, 1),
    datetime(2024, 1, 2),
    timezones=st.none() | st.builds(timezone, st.integers(-14 * 60, 14 * 60).map(lambda m: timedelta(minutes=m))),
).flatmap(
    lambda moment: st.sampled_from([moment, moment.replace(microsecond=0), moment.replace(second=0, microsecond=0)])
)


@given(st.lists(moments, min_size=2, max_size=6))
def test_texts_sort_as_times(times: list[datetime]) -> None:
    """Stored texts sort as the times, one without an offset being in UTC; of the same time, it comes first."""
    texts = {moment: str(Mixed.at.to_wire(moment)["S"]) for moment in times}
    by_text = sorted(times, key=texts.__getitem__)
    assert [instant(moment) for moment in by_text] == sorted(map(instant, times))
    for moment in times:
        read = Mixed.at.from_wire({"S": texts[moment]})
        assert (read.utcoffset() is None) == (moment.utcoffset() is None)
        assert instant(read) == instant(moment)
        assert Universal.at.from_wire(Universal.at.to_wire(moment)) == instant(moment)


@given(moments, moments)
def test_conditions_compare_times(stored: datetime, given: datetime) -> None:
    """Each comparison, and a range, holds for the stored text exactly where it holds for the times."""
    text = Mixed.at.to_wire(stored)["S"]
    outcomes = {
        "<": lambda bound: text < bound,
        "<=": lambda bound: text <= bound,
        ">": lambda bound: text > bound,
        ">=": lambda bound: text >= bound,
    }
    left, right = instant(stored), instant(given)
    wanted = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    for condition in (Mixed.at < given, Mixed.at <= given, Mixed.at > given, Mixed.at >= given):
        assert isinstance(condition, Compare)
        assert isinstance(condition.right, Value)
        assert outcomes[condition.operator](condition.right.value["S"]) is wanted[condition.operator]
    between = Mixed.at.between(given, given)
    assert isinstance(between, Between)
    assert isinstance(between.low, Value)
    assert isinstance(between.high, Value)
    assert (between.low.value["S"] <= text <= between.high.value["S"]) is (left == right)


NOON = datetime(2024, 1, 1, 12)
TIMES = [
    datetime(2024, 1, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))),
    NOON,
    NOON.replace(tzinfo=UTC),
    NOON.replace(microsecond=250000),
    datetime(2024, 1, 1, 12, 30, tzinfo=UTC),
]


@pytest.mark.usefixtures("place")
def test_a_mixed_field_is_searched_in_the_order_of_time() -> None:
    """A sort key, an index and a filter see the order of the times, whichever kind the bound is of."""
    dynamix.create_table(Mixed)
    Mixed.batch_write([{"name": "k", "at": moment, "also": moment} for moment in reversed(TIMES)])
    query = Mixed.query().where(Mixed.name == "k")
    assert [found.at for found in query] == TIMES
    assert [found.also for found in query.use_index(Mixed.also)] == TIMES
    for bound in (NOON, NOON.replace(tzinfo=UTC)):
        for search, field in ((query, Mixed.at), (query, Mixed.also), (query.use_index(Mixed.also), Mixed.also)):
            assert [found.at for found in search.where(field < bound)] == TIMES[:1]
            assert [found.at for found in search.where(field <= bound)] == TIMES[:3]
            assert [found.at for found in search.where(field > bound)] == TIMES[3:]
            assert [found.at for found in search.where(field >= bound)] == TIMES[1:]
            assert [found.at for found in search.where(field.between(bound, bound))] == TIMES[1:3]
            assert [found.at for found in search.where(field >= bound, field <= bound)] == TIMES[1:3]
    assert [found.at for found in query.where(Mixed.also == NOON)] == [NOON]


def test_a_field_in_utc(place: Place) -> None:
    """With utc=True a time without an offset is stored with one, found with or without, and read with it; what another
    program stored without one reads so too."""
    dynamix.create_table(Universal)
    aware = NOON.replace(tzinfo=UTC)
    Universal.create(name="k", at=NOON, also=TIMES[0])
    (item,) = place.call("Scan", TableName=place.table_name(Universal))["Items"]
    stored = {"S": "2024-01-01T12:00:00+00:00"}
    assert item == {"name": {"S": "k"}, "at": stored, "also": {"S": "2024-01-01T10:30:00+00:00"}}
    for moment in (NOON, aware, aware.astimezone(timezone(timedelta(hours=5)))):
        found = Universal.get(name="k", at=moment)
        assert found is not None
        assert (found.at, found.at.tzinfo) == (aware, UTC)
        assert [one.at for one in Universal.query().where(Universal.name == "k", Universal.at == moment)] == [aware]
    for text, moment in (("2024-01-01T12:00:00", aware), ("2024-01-01T14:00:00+02:00", aware)):
        place.call("PutItem", TableName=place.table_name(Universal), Item={**item, "at": {"S": text}})
        (other,) = Universal.scan().where(Universal.at.begins_with(text), Universal.at != NOON)
        assert (other.at, other.at.tzinfo) == (moment, UTC)
        other.delete()
    assert Universal.scan().count() == 1


class Local(dynamix.DateTimeField[Any]):
    """Times that are stored without their offset."""

    def to_wire(self, value: datetime) -> dict[str, Any]:
        return {"S": value.replace(tzinfo=None).isoformat()}


def test_a_class_that_writes_otherwise_compares_as_it_writes() -> None:
    """Bounds are made by the class's own conversion."""

    class Own(dynamix.Model):
        """A field of that class."""

        key = dynamix.CharField(hash_key=True)
        at = Local()

    condition = Own.at <= NOON.replace(tzinfo=UTC)
    assert isinstance(condition, Compare)
    assert condition.right == Value({"S": "2024-01-01T12:00:00"})
