"""Stored forms by name: times as other programs write them, durations, times of day, and base64 twice."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynamix
from places import Place

MIDNIGHT = datetime(2024, 3, 2, tzinfo=UTC)
QUARTER = datetime(2024, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))

FORMS: list[tuple[Any, dict[str, str], dict[str, str]]] = [
    ("pynamodb", {"S": "2024-03-02T00:00:00.000000+0000"}, {"S": "2024-03-01T12:30:15.250000+0000"}),
    ("bloop", {"S": "2024-03-02T00:00:00.000000+00:00"}, {"S": "2024-03-01T12:30:15.250000+00:00"}),
    ("pydantic", {"S": "2024-03-02T00:00:00Z"}, {"S": "2024-03-01T12:30:15.250000Z"}),
    ("pydynox", {"S": "2024-03-02T00:00:00+00:00"}, {"S": "2024-03-01T12:30:15.250000+00:00"}),
    ("javascript", {"S": "2024-03-02T00:00:00.000Z"}, {"S": "2024-03-01T12:30:15.250Z"}),
    ("milliseconds", {"N": "1709337600000"}, {"N": "1709296215250"}),
]
SORTED = ("pynamodb", "bloop", "javascript", "seconds", "milliseconds")
DAYS = (lambda moment: moment.strftime("%d.%m.%Y"), lambda text: datetime.strptime(text, "%d.%m.%Y"))
MINUTES = (lambda moment: int(moment.timestamp()) // 60, lambda count: datetime.fromtimestamp(count * 60, UTC))


@pytest.mark.parametrize(("name", "midnight", "quarter"), FORMS)
def test_times_are_stored_as_the_named_program_has_them(
    name: Any, midnight: dict[str, str], quarter: dict[str, str]
) -> None:
    """Each form writes what its program writes, a time without an offset as UTC, and reads it back."""
    field = dynamix.DateTimeField(stored=name)
    for moment, wire in ((MIDNIGHT, midnight), (MIDNIGHT.replace(tzinfo=None), midnight), (QUARTER, quarter)):
        assert field.encode(moment) == wire
        read = field.decode(wire)
        assert (read, read and read.utcoffset()) == (moment.replace(tzinfo=UTC), timedelta(0))
    kept = field.encode(QUARTER.astimezone(EAST))
    assert kept == ({"S": "2024-03-01T14:30:15.250000+02:00"} if name in ("pydantic", "pydynox") else quarter)
    assert field.decode(kept) == QUARTER


@settings(max_examples=40)
@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=6), st.sampled_from(SORTED))
def test_what_may_be_a_sort_key_sorts(moments: list[datetime], name: Any) -> None:
    """Stored forms sort as their times do, and read back exactly, for every form that may be a sort key."""
    field = dynamix.DateTimeField(stored=name, range_key=True)
    assert field.sorts
    cut = sorted({field.stamp(moment) for moment in moments})
    wires = [field.encode(moment) for moment in cut]
    assert [field.decode(wire) for wire in wires] == cut
    contents = [Decimal(wire["N"]) if "N" in wire else wire["S"] for wire in wires]
    assert contents == sorted(contents)


@given(st.timedeltas(), st.times())
def test_durations_and_times_of_day_are_exact(length: timedelta, clock: time) -> None:
    """ISO 8601 and seconds keep every microsecond; a number sorts as the lengths do, and so do ISO times."""
    for stored in ("iso", "seconds"):
        field = dynamix.TimeDeltaField(stored=stored)  # type: ignore[call-overload]
        assert field.decode(field.encode(length)) == length
    times = dynamix.TimeField(stored="iso")
    assert times.decode(times.encode(clock)) == clock
    assert (times.encode(clock)["S"] < times.encode(time(12))["S"]) == (clock < time(12))


class Visit(dynamix.Model):
    """One field of each form."""

    __secondary_indexes__: ClassVar = {"by_day": {"hash_key": "page", "range_key": "day", "projections": "ALL"}}

    page = dynamix.CharField(hash_key=True)
    at = dynamix.DateTimeField(range_key=True, stored="milliseconds")
    changed = dynamix.DateTimeField(auto_now=True, stored="seconds")
    made = dynamix.DateTimeField(auto_now_add=True, stored="javascript")
    seen = dynamix.DateTimeField(stored="pydantic")
    day = dynamix.DateTimeField(stored=DAYS, unsorted=True)
    minute = dynamix.DateTimeField(stored=MINUTES)
    opens = dynamix.TimeField(stored="iso")
    took = dynamix.TimeDeltaField(stored="iso")
    pause = dynamix.TimeDeltaField(stored="seconds")
    blob = dynamix.BinaryField(stored="base64")
    blobs = dynamix.SetField(of=dynamix.BinaryField(stored="base64"))


def test_forms_hold_on_every_place(place: Place) -> None:
    """Forms work as keys, in conditions, in collections and as automatic times, which are cut to what they hold."""
    dynamix.create_table(Visit)
    visit = Visit.create(
        page="/", at=QUARTER, seen=MIDNIGHT, day=datetime(2024, 3, 2), minute=MIDNIGHT, opens=time(8, 30),
        took=timedelta(days=1, hours=2, milliseconds=500), pause=timedelta(seconds=1.5), blob=b"\x00\xff",
        blobs={b"\x01"},
    )  # fmt: skip
    (item,) = place.call("Scan", TableName=place.table_name(Visit))["Items"]
    changed, made = item.pop("changed"), item.pop("made")
    assert item == {
        "page": {"S": "/"}, "at": {"N": "1709296215250"}, "seen": {"S": "2024-03-02T00:00:00Z"},
        "day": {"S": "02.03.2024"}, "minute": {"N": "28488960"}, "opens": {"S": "08:30:00"},
        "took": {"S": "P1DT2H0.5S"}, "pause": {"N": "1.5"}, "blob": {"B": "QVA4PQ=="}, "blobs": {"BS": ["QVE9PQ=="]},
    }  # fmt: skip
    assert (len(changed["N"]), len(made["S"])) == (10, 24)
    assert Visit.get(page="/", at=QUARTER) == visit
    visit.set_field(Visit.seen, QUARTER).commit_changes()
    visit.pause = timedelta(0)
    visit.save()
    assert Visit.get(page="/", at=QUARTER) == visit
    for condition in (
        Visit.at > MIDNIGHT - timedelta(days=1),
        Visit.seen == QUARTER,
        Visit.day == datetime(2024, 3, 2),
        Visit.opens < time(9),
        Visit.took == timedelta(days=1, hours=2, milliseconds=500),
        Visit.pause < timedelta(1),
        Visit.blob == b"\x00\xff",
        Visit.blobs.contains(b"\x01"),
    ):
        assert list(Visit.scan().where(condition)) == [visit]
    assert Visit.query().use_index("by_day").where(Visit.page == "/", Visit.day == datetime(2024, 3, 2)).count() == 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (dynamix.DateTimeField(stored="javascript"), QUARTER.replace(microsecond=1), "loses a part"),
        (dynamix.DateTimeField(stored="seconds"), QUARTER, "loses a part"),
        (dynamix.DateTimeField(stored=DAYS), QUARTER, "loses a part"),
        (dynamix.DateTimeField(stored="bloop"), datetime(1, 1, 1, tzinfo=EAST), "year"),
        (dynamix.TimeField(stored="iso"), time(1, tzinfo=UTC), "no offset"),
    ],
)
def test_what_a_form_would_lose_is_refused(field: Any, value: Any, reason: str) -> None:
    """A value that would not read back as it was is refused, never cut."""
    with pytest.raises(dynamix.FieldValidationException, match=reason):
        field.encode(value)


@pytest.mark.parametrize(
    ("field", "wire"),
    [
        (dynamix.DateTimeField(stored="bloop"), {"S": "yesterday"}),
        (dynamix.DateTimeField(stored="seconds"), {"S": "1709337600"}),
        (dynamix.DateTimeField(stored="seconds"), {"N": "0.0000001"}),
        (dynamix.DateTimeField(stored="seconds"), {"N": "1e30"}),
        (dynamix.DateTimeField(stored=DAYS), {"S": "2024-03-02"}),
        (dynamix.TimeDeltaField(stored="iso"), {"S": "P"}),
        (dynamix.TimeDeltaField(stored="iso"), {"S": "P1Y"}),
        (dynamix.TimeDeltaField(stored="seconds"), {"N": "1e100"}),
        (dynamix.TimeField(stored="iso"), {"S": "12:00+02:00"}),
        (dynamix.BinaryField(stored="base64"), {"B": "AP8="}),
    ],
)
def test_what_is_stored_in_another_form_is_refused(field: Any, wire: dict[str, str]) -> None:
    """A stored value of another form is an error, never a wrong value."""
    with pytest.raises(dynamix.StoredValueError):
        field.decode(wire)


def _key(field: Any) -> Callable[[], object]:
    """Use a model that sorts by a field."""

    class Sorted(dynamix.Model):
        """A sort key."""

        key = dynamix.CharField(hash_key=True)
        sort = field

    return lambda: Sorted(key="x").validate()


@pytest.mark.parametrize(
    "field",
    [
        dynamix.DateTimeField(range_key=True, stored="pydantic"),
        dynamix.DateTimeField(range_key=True, stored="pydynox"),
        dynamix.DateTimeField(range_key=True, stored=DAYS),
        dynamix.TimeDeltaField(range_key=True),
        dynamix.TimeDeltaField(range_key=True, stored="iso"),
        dynamix.BinaryField(range_key=True, stored="base64"),
    ],
)
def test_what_does_not_sort_is_no_sort_key(field: Any) -> None:
    """A form that does not sort as its values do is refused as a sort key, and in comparisons by order."""
    with pytest.raises(dynamix.ModelDefinitionError, match=r"Sorted\.sort cannot be a sort key.*unsorted=True"):
        _key(field)()
    with pytest.raises(dynamix.InvalidQueryError):
        _ = field < None


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: dynamix.DateTimeField(stored="java"),  # type: ignore[call-overload]
        lambda: dynamix.DateTimeField(stored="bloop", utc=True),
        lambda: dynamix.DateTimeField(stored=(str,)),  # type: ignore[call-overload]
        lambda: dynamix.DateTimeField(stored=(lambda moment: moment.nope, str)),  # type: ignore[call-overload]
        lambda: dynamix.DateTimeField(stored=(lambda moment: [1], str)),  # type: ignore[call-overload]
        lambda: dynamix.TimeField(stored="text"),  # type: ignore[call-overload]
        lambda: dynamix.TimeDeltaField(stored="number"),  # type: ignore[call-overload]
        lambda: dynamix.BinaryField(stored="twice"),  # type: ignore[call-overload]
    ],
)
def test_forms_that_are_none(attempt: Callable[[], object]) -> None:
    """A name that is no form, or a function that fails, is refused where the field is made."""
    with pytest.raises(dynamix.ModelDefinitionError):
        attempt()
