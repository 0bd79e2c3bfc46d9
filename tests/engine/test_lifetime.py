"""Time to live: what has expired is removed in the background, and seen until then."""

from typing import Any

import pytest

from dynamix.engine import Engine
from engine.database import Clock, Database, index, wire

NOW = 1_800_000_000
FIVE_YEARS = 5 * 365 * 24 * 3600


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def database(clock: Clock) -> Database:
    database = Database(Engine(clock=clock, sweep_seconds=None))
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")])
    return database


def _enable(database: Database, attribute: str = "ttl", *, enabled: bool = True) -> None:
    wanted = {"AttributeName": attribute, "Enabled": enabled}
    answer = database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=wanted)
    assert answer == {"TimeToLiveSpecification": wanted}


def _names(database: Database, **request: Any) -> list[str]:
    return sorted(item["a"]["S"] for item in database.call("Scan", TableName="tab", **request)["Items"])


def test_expired_items_go_with_the_next_sweep(database: Database, clock: Clock) -> None:
    """An expired item is seen until it is removed, from the table, its indexes and its counts alike."""
    _enable(database)
    database.put(a="short", c="x", ttl=NOW + 10)
    database.put(a="long", c="x", ttl=NOW + 20)
    database.put(a="endless", c="x")
    database.put(a="text", c="x", ttl="soon")
    clock.now += 9
    assert database.engine.expire() == 0
    clock.now += 1
    assert len(_names(database)) == len(_names(database, IndexName="gsi")) == 4
    assert database.get(a="short") is not None
    assert database.engine.expire() == 1
    assert _names(database) == ["endless", "long", "text"]
    assert _names(database, IndexName="gsi") == ["endless", "long", "text"]
    assert database.get(a="short") is None
    clock.now += 10
    database.put(a="new")
    assert database.call("DescribeTable", TableName="tab")["Table"]["ItemCount"] == 4
    assert (database.engine.expire(), database.engine.expire()) == (1, 0)
    assert database.call("DescribeTable", TableName="tab")["Table"]["ItemCount"] == 3


def test_items_that_were_there_expire_too(database: Database, clock: Clock) -> None:
    """Naming the attribute is enough: items written before it expire as well."""
    database.put(a="x", ttl=NOW + 10)
    database.put(a="past", ttl=NOW - 10)
    _enable(database)
    assert database.engine.expire() == 1
    assert _names(database) == ["x"]
    clock.now += 10
    database.engine.expire()
    assert _names(database) == []


def test_an_expired_item_may_live_on(database: Database, clock: Clock) -> None:
    """An item that is given another time before it was removed is kept."""
    _enable(database)
    database.put(a="x", ttl=NOW + 10)
    clock.now += 20
    database.put(a="x", ttl=NOW + 100)
    assert database.engine.expire() == 0
    assert _names(database) == ["x"]


def test_a_changed_time_counts(database: Database, clock: Clock) -> None:
    """An item expires by the time it has, not by one it had."""
    _enable(database)
    database.put(a="x", ttl=NOW + 10)
    database.call(
        "UpdateItem",
        TableName="tab",
        Key=wire({"a": "x"}),
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "ttl"},
        ExpressionAttributeValues={":t": {"N": str(NOW + 100)}},
    )
    clock.now += 50
    assert database.engine.expire() == 0
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "x"}))
    database.put(a="x")
    clock.now += 100
    assert database.engine.expire() == 0
    assert _names(database) == ["x"]


def test_long_past_times_do_nothing(database: Database, clock: Clock) -> None:
    """A time more than five years ago is not taken for an expiry."""
    _enable(database)
    database.put(a="ancient", ttl=NOW - FIVE_YEARS - 1)
    database.put(a="zero", ttl=0)
    database.put(a="negative", ttl=-5)
    database.put(a="huge", ttl="9" * 30)
    assert database.engine.expire() == 0
    assert len(_names(database)) == 4


def test_many_items_expire_at_once(database: Database, clock: Clock) -> None:
    """There is no number of items that is too many to expire."""
    _enable(database)
    for start in range(0, 1100, 25):
        puts = [{"PutRequest": {"Item": wire({"a": f"{n}", "ttl": NOW + 5})}} for n in range(start, start + 25)]
        database.call("BatchWriteItem", RequestItems={"tab": puts})
    clock.now += 5
    assert database.engine.expire() == 1100
    assert _names(database) == []


def test_the_setting_is_described_and_guarded(database: Database) -> None:
    """The attribute is described; enabling twice, or disabling another, is refused."""
    disabled = {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    assert database.call("DescribeTimeToLive", TableName="tab") == disabled
    _enable(database)
    assert database.call("DescribeTimeToLive", TableName="tab") == {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    }
    for attribute, enabled, message in (
        ("ttl", True, "TimeToLive is already enabled"),
        ("other", True, "TimeToLive is active on a different AttributeName: current AttributeName is ttl"),
        ("other", False, "TimeToLive is active on a different AttributeName: current AttributeName is ttl"),
    ):
        refused = database.refusal(
            "UpdateTimeToLive",
            TableName="tab",
            TimeToLiveSpecification={"AttributeName": attribute, "Enabled": enabled},
        )
        assert refused == ("ValidationException", message)
    _enable(database, enabled=False)
    assert database.call("DescribeTimeToLive", TableName="tab") == disabled
    code, message = database.refusal(
        "UpdateTimeToLive", TableName="tab", TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": False}
    )
    assert (code, message) == ("ValidationException", "TimeToLive is already disabled")


def test_a_table_goes_with_its_expiry_times(database: Database, clock: Clock) -> None:
    """A table made anew has no time to live, and what expired of the old one is no concern of it."""
    _enable(database)
    database.put(a="x", ttl=int(clock.now) + 10)
    database.call("DeleteTable", TableName="tab")
    database.create("a:S")
    database.put(a="y", ttl=int(clock.now) + 10)
    clock.now += 20
    assert database.engine.expire() == 0
    assert _names(database) == ["y"]
    described = database.call("DescribeTimeToLive", TableName="tab")
    assert described == {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
