"""Keys that another program spelled otherwise than dynamix does: what was loaded is found again."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

import dynamix
from places import Place

DAYS = [f"2024-01-0{day}T00:00:00.000Z" for day in (1, 2, 3)]


class Event(dynamix.Model):
    """A table whose keys and index are dates, times and spans."""

    __secondary_indexes__: ClassVar = {"by_due": {"hash_key": "day", "range_key": "due"}}

    day = dynamix.DateField(hash_key=True)
    at = dynamix.DateTimeField(range_key=True)
    due = dynamix.TimeDeltaField(name="due.in", unsorted=True)
    odd = dynamix.CharField(name='a "quoted" name')
    number = dynamix.IntegerField()
    notes = dynamix.ListField(default=[])


class Plain(dynamix.Model):
    """The same table without the name that takes the slow way of reading."""

    __table_name__ = "Event"
    __secondary_indexes__: ClassVar = {"by_due": {"hash_key": "day", "range_key": "due"}}

    day = dynamix.DateField(hash_key=True)
    at = dynamix.DateTimeField(range_key=True)
    due = dynamix.TimeDeltaField(name="due.in", unsorted=True)
    number = dynamix.IntegerField()
    notes = dynamix.ListField(default=[])


@pytest.fixture(params=[Event, Plain])
def model(place: Place, request: pytest.FixtureRequest) -> Any:
    """A table with three events that another program stored."""
    dynamix.create_table(request.param)
    for number, at in enumerate(DAYS):
        item = {"day": {"S": "20240101"}, "at": {"S": at}, "number": {"N": str(number)}, "due.in": {"S": f"+0{number}"}}
        place.call("PutItem", TableName=place.table_name(Event), Item=item)
    return request.param


def numbers(place: Place) -> list[tuple[str, str]]:
    """The numbers that are stored now, each with its sort key."""
    found = place.call("Scan", TableName=place.table_name(Event), ConsistentRead=True)["Items"]
    return sorted((item["number"]["N"], item["at"]["S"]) for item in found)


def test_they_are_changed_and_deleted(place: Place, model: Any) -> None:
    """A commit, a whole write and a delete reach the very item that was loaded."""
    first, second, third = sorted(model.scan(), key=lambda event: event.number)
    for event in (first, copy.deepcopy(second)):
        event.append_to_listfield(model.notes, "n")
        event.set_field(model.number, event.number + 5)
        event.commit_changes()
        event.set_field(model.number, event.number + 5)
        event.commit_changes()
    third.number = 12
    model.batch_write([third])
    third.number = 13
    third.commit_changes()
    assert numbers(place) == [("10", DAYS[0]), ("11", DAYS[1]), ("13", DAYS[2])]
    assert model.batch_get(first, second, third)[2] == third
    second.delete()
    model.batch_delete([third])
    assert numbers(place) == [("10", DAYS[0])]


@pytest.mark.parametrize("narrow", [lambda scan: scan, lambda scan: scan.use_index("by_due")], ids=["table", "index"])
def test_they_are_read_in_pages(model: Any, narrow: Callable[[Any], Any]) -> None:
    """Pages that end within what was read go on behind it, and the second round finds each item."""
    scan = narrow(model.scan(model.due)).where(~model.due.contains("+00"))
    pages, cursor = [], None
    while not pages or cursor is not None:
        found, cursor = scan.limit(1).start_key(cursor).get_items()
        pages.append([event.at.day for event in found])
    assert sorted(day for page in pages for day in page) == [2, 3]
    found, _ = model.scan().use_index("by_due").get_items(requery_for_all_projections=True)
    assert sorted(event.number for event in found) == [0, 1, 2]


def test_an_answer_that_cannot_be_read_keeps_the_key(place: Place, model: Any) -> None:
    """An instance that knows its key only is still found by it."""
    event = next(event for event in model.scan() if event.number == 1)
    place.call(
        "UpdateItem",
        TableName=place.table_name(Event),
        Key={"day": {"S": "20240101"}, "at": {"S": DAYS[1]}},
        AttributeUpdates={"due.in": {"Value": {"S": "soon"}}},
    )
    event.number = 6
    with pytest.raises(dynamix.StoredValueError, match="were stored"):
        event.commit_changes()
    event.due = None
    event.number = 7
    event.commit_changes()
    assert (event.number, event.notes) == (7, [])
    assert numbers(place)[2] == ("7", DAYS[1])
