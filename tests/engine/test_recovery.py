"""Recovery to a point in time: which moments, and what a table held then."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from engine.database import Clock, Database, index, wire
from engine.restored import TABLE, described, held, switch

NOW = 1_800_000_000
DAY = 24 * 3600


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(params=["memory", "file"])
def database(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[Database]:
    path = None if request.param == "memory" else tmp_path / "file.db"
    database = Database(Engine(path, clock=clock, sweep_seconds=None))
    yield database
    database.engine.close()


def recover(database: Database, target: str, moment: float | None = None, **more: Any) -> dict[str, Any]:
    when: dict[str, Any] = {"UseLatestRestorableTime": True} if moment is None else {"RestoreDateTime": moment}
    answer = database.call("RestoreTableToPointInTime", SourceTableName="tab", TargetTableName=target, **when, **more)
    told: dict[str, Any] = answer["TableDescription"]
    return told


def test_the_moments_to_which_a_table_can_be_recovered(database: Database, clock: Clock) -> None:
    """From when it was enabled, or the begin of the period, until now; what a shorter period let go does not return."""
    database.create("a:S")
    described = database.call("DescribeContinuousBackups", TableName=TABLE)["ContinuousBackupsDescription"]
    assert described == {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    assert switch(database) == {
        "PointInTimeRecoveryStatus": "ENABLED",
        "RecoveryPeriodInDays": 35,
        "EarliestRestorableDateTime": NOW,
        "LatestRestorableDateTime": NOW,
    }
    clock.now += 40 * DAY
    assert switch(database)["EarliestRestorableDateTime"] == clock.now - 35 * DAY
    assert switch(database, days=2)["EarliestRestorableDateTime"] == clock.now - 2 * DAY
    clock.now += 1
    again = switch(database, days=35)
    assert again["EarliestRestorableDateTime"] == clock.now - 2 * DAY
    assert again["LatestRestorableDateTime"] == clock.now
    assert switch(database, on=False) == {"PointInTimeRecoveryStatus": "DISABLED"}
    assert switch(database, on=False) == {"PointInTimeRecoveryStatus": "DISABLED"}
    assert switch(database)["EarliestRestorableDateTime"] == clock.now
    wanted = {"PointInTimeRecoveryEnabled": False, "RecoveryPeriodInDays": 3}
    code, message = database.refusal(
        "UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=wanted
    )
    assert code == "ValidationException"
    assert "RecoveryPeriodInDays" in message


def test_a_table_is_what_it_was(database: Database, clock: Clock) -> None:
    """A table recovered to a moment has the items of then, with the settings of now."""
    database.create("a:S", GlobalSecondaryIndexes=[index("by-n", "n:N")])
    for number in range(5):
        database.put(a=str(number), n=number)
    switch(database)
    past = held(database, "tab")
    clock.now += 10
    database.put(a="1", n=100)
    database.put(a="new", n=5)
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "2"}))
    clock.now += 10
    told = recover(database, "then", NOW + 9)
    assert told["RestoreSummary"] == {
        "SourceTableArn": TABLE,
        "RestoreDateTime": NOW + 9,
        "RestoreInProgress": True,
    }
    assert held(database, "then") == held(database, "then", IndexName="by-n") == past
    assert described(database, "then")["ItemCount"] == 5
    recover(database, "later", NOW + 10, GlobalSecondaryIndexOverride=[])
    recover(database, "latest")
    assert held(database, "later") == held(database, "latest") == held(database, "tab") != past
    assert "GlobalSecondaryIndexes" not in described(database, "later")
    assert database.refusal("DescribeContinuousBackups", TableName="then2")[0] == "TableNotFoundException"
    state = database.call("DescribeContinuousBackups", TableName="then")["ContinuousBackupsDescription"]
    assert state["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


def test_what_cannot_be_recovered_is_refused(database: Database, clock: Clock) -> None:
    """No table, no recovery, no time, two times, a time outside, or a target that is there."""
    database.create("a:S")
    ask: dict[str, Any] = {"SourceTableName": "tab", "TargetTableName": "new", "UseLatestRestorableTime": True}
    refusal = database.refusal("RestoreTableToPointInTime", **ask)
    assert refusal == (
        "PointInTimeRecoveryUnavailableException",
        "Point in time recovery is not enabled for table 'tab'",
    )
    clock.now += 0.75
    switch(database)
    for wrong, code in (
        ({"SourceTableName": "none"}, "TableNotFoundException"),
        ({"SourceTableArn": TABLE}, "ValidationException"),
        ({"RestoreDateTime": NOW}, "ValidationException"),
        ({"UseLatestRestorableTime": False}, "ValidationException"),
        ({"UseLatestRestorableTime": False, "RestoreDateTime": NOW - 1}, "InvalidRestoreTimeException"),
        ({"UseLatestRestorableTime": False, "RestoreDateTime": NOW + 2}, "InvalidRestoreTimeException"),
        ({"TargetTableName": "tab"}, "TableAlreadyExistsException"),
    ):
        assert database.refusal("RestoreTableToPointInTime", **{**ask, **wrong})[0] == code, wrong
    recover(database, "whole", NOW)  # the second in which recovery began, as clients tell it that know no fractions
    del ask["SourceTableName"]
    assert database.refusal("RestoreTableToPointInTime", **ask)[0] == "ValidationException"
    assert database.call("RestoreTableToPointInTime", SourceTableArn=TABLE, **ask)


def test_a_table_without_recovery_has_no_log(database: Database, clock: Clock) -> None:
    """Recovery and streams share one log, which ends with the last of them and is kept as long as either wants it."""
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    database.create("a:S")
    session = database.engine._session()

    def kept() -> int | None:
        with session.reading() as catalog:
            log = catalog.table("tab").log
            return None if log is None else log.kept

    assert kept() is None
    switch(database, days=3)
    assert kept() == 3 * DAY
    database.call("UpdateTable", TableName="tab", StreamSpecification=stream)
    switch(database, on=False)
    assert kept() == DAY
    switch(database, days=1)
    database.call("UpdateTable", TableName="tab", StreamSpecification={"StreamEnabled": False})
    assert kept() == DAY
    switch(database, on=False)
    assert kept() is None


def test_recovery_begins_anew_with_a_snapshot(clock: Clock) -> None:
    """After all tables were put back to a snapshot there is no past before that."""
    database = Database(Engine(clock=clock, sweep_seconds=None))
    database.create("a:S")
    switch(database)
    snapshot = database.engine.snapshot()
    clock.now += 10
    database.put(a="x")
    database.engine.restore(snapshot)
    clock.now += 10
    told = database.call("DescribeContinuousBackups", TableName="tab")["ContinuousBackupsDescription"]
    assert told["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"] == NOW + 10
    database.engine.close()


_WRITES = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "wait"]), st.sampled_from("abc"), st.integers(0, 3)), max_size=20
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(_WRITES, st.integers(1, 3))
def test_a_recovered_table_equals_the_snapshot_of_its_moment(program: list[tuple[str, str, int]], rows: int) -> None:
    """Recovered to any moment of its past, a table holds what it held then, and so does its index."""
    clock = Clock(NOW)
    database = Database(Engine(clock=clock, sweep_seconds=None))
    database.create("a:S", GlobalSecondaryIndexes=[index("by-n", "n:N", "KEYS_ONLY")])
    switch(database)
    snapshots = {}
    for kind, name, number in [*program, ("wait", "a", 1)]:
        if kind == "put":
            database.put(a=name, n=number)
        elif kind == "delete":
            database.call("DeleteItem", TableName="tab", Key=wire({"a": name}))
        else:
            snapshots[clock.now] = (held(database, "tab"), held(database, "tab", IndexName="by-n"))
            clock.now += 0.25
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dynamix.engine.tables.catalog.PIECE_ROWS", rows)
        for moment, (items, entries) in list(snapshots.items())[-4:]:
            target = f"t{moment}"
            recover(database, target, moment)
            assert held(database, target) == items
            assert held(database, target, IndexName="by-n") == entries
    database.engine.close()
