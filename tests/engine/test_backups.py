"""Backups: what a table was is kept, told and made a table again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from dynamix.engine.faults import Fault
from dynamix.engine.operations.making import enter
from dynamix.engine.operations.tables import new_record
from dynamix.engine.tables.restored import definition
from dynamix.engine.tables.unfinished import Unfinished
from engine.database import Clock, Database, index, value, wire
from engine.restored import TABLE, described, held, switch
from engine.vector_tables import vector, vectors

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


def back_up(database: Database, name: str = "first", table: str = "tab") -> str:
    """The ARN of a new backup."""
    arn: str = database.call("CreateBackup", TableName=table, BackupName=name)["BackupDetails"]["BackupArn"]
    return arn


def restore(database: Database, arn: str, target: str = "new", **more: Any) -> dict[str, Any]:
    described: dict[str, Any] = database.call("RestoreTableFromBackup", BackupArn=arn, TargetTableName=target, **more)[
        "TableDescription"
    ]
    return described


def test_a_restored_table_is_what_was_backed_up(database: Database) -> None:
    """Items, indexes, throughput, class and encryption come back; tags, stream, expiry and protection do not."""
    database.create(
        "a:S b:N",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        LocalSecondaryIndexes=[index("local", "a:S n:N", "KEYS_ONLY")],
        GlobalSecondaryIndexes=[
            index(
                "by-n", "n:N", "INCLUDE", "c", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 2}
            )
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSESpecification={"Enabled": True, "SSEType": "KMS"},
        TableClass="STANDARD_INFREQUENT_ACCESS",
        Tags=[{"Key": "k", "Value": "v"}],
        DeletionProtectionEnabled=True,
    )
    expiry = {"AttributeName": "until", "Enabled": True}
    database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=expiry)
    for number in range(20):
        database.put(a="x", b=number, n=number % 3, c="c", d="d", until=NOW - 5)
    arn = back_up(database)
    before = {name: held(database, "tab", **more) for name, more in _READ.items()}
    for number in range(10):
        database.call("DeleteItem", TableName="tab", Key=wire({"a": "x", "b": number}))
    told = restore(database, arn)
    assert (told["TableStatus"], told["RestoreSummary"]["RestoreInProgress"]) == ("CREATING", True)
    assert {name: held(database, "new", **more) for name, more in _READ.items()} == before
    table = described(database, "new")
    assert table["TableStatus"] == "ACTIVE"
    assert table["RestoreSummary"] == {
        "SourceBackupArn": arn,
        "SourceTableArn": TABLE,
        "RestoreDateTime": NOW,
        "RestoreInProgress": False,
    }
    source = described(database, "tab")
    assert table["TableArn"] == f"{TABLE.rpartition('/')[0]}/new"
    assert table["TableId"] != source["TableId"]
    assert table["ItemCount"] == 20
    for member in ("KeySchema", "AttributeDefinitions", "TableClassSummary", "SSEDescription"):
        assert table[member] == source[member], member
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    assert table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
    assert table["GlobalSecondaryIndexes"][0]["IndexArn"] == f"{table['TableArn']}/index/by-n"
    assert not table["DeletionProtectionEnabled"]
    assert "StreamSpecification" not in table
    assert database.call("ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"] == []
    expiry = database.call("DescribeTimeToLive", TableName="new")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "DISABLED"}
    database.put(table="new", a="y", b=1, n=1)
    assert len(held(database, "new", IndexName="by-n")) == 21


_READ: dict[str, dict[str, Any]] = {"table": {}, "local": {"IndexName": "local"}, "global": {"IndexName": "by-n"}}


def test_what_is_told_of_a_backup(database: Database, clock: Clock) -> None:
    """A backup tells of itself, and of its table as that was, which may be gone; a deleted one is not found."""
    database.create(
        "a:S",
        GlobalSecondaryIndexes=[index("by-n", "n:N")],
        OnDemandThroughput={"MaxReadRequestUnits": 7},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    expiry = {"AttributeName": "until", "Enabled": True}
    database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=expiry)
    database.put(a="x", n=1)
    table = described(database, "tab")
    details = database.call("CreateBackup", TableName=TABLE, BackupName="first")["BackupDetails"]
    assert details == {
        "BackupArn": details["BackupArn"],
        "BackupName": "first",
        "BackupSizeBytes": 5,
        "BackupStatus": "CREATING",
        "BackupType": "USER",
        "BackupCreationDateTime": NOW,
    }
    assert details["BackupArn"].startswith(f"{TABLE}/backup/{NOW}000-")
    database.call("DeleteTable", TableName="tab")
    arn = details["BackupArn"]
    told = database.call("DescribeBackup", BackupArn=arn)["BackupDescription"]
    assert told["BackupDetails"] == details | {"BackupStatus": "AVAILABLE"}
    assert told["SourceTableDetails"] == {
        "TableName": "tab",
        "TableId": table["TableId"],
        "TableArn": TABLE,
        "KeySchema": table["KeySchema"],
        "TableSizeBytes": 5,
        "TableCreationDateTime": NOW,
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        "OnDemandThroughput": {"MaxReadRequestUnits": 7},
        "ItemCount": 1,
        "BillingMode": "PAY_PER_REQUEST",
    }
    features = told["SourceTableFeatureDetails"]
    assert features["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    assert features["StreamDescription"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert [each["IndexName"] for each in features["GlobalSecondaryIndexes"]] == ["by-n"]
    assert restore(database, arn, "tab")["TableName"] == "tab"
    deleted = database.call("DeleteBackup", BackupArn=arn)["BackupDescription"]
    assert deleted["BackupDetails"]["BackupStatus"] == "DELETED"
    not_found = ("BackupNotFoundException", f"Backup not found: {arn}")
    assert database.refusal("DescribeBackup", BackupArn=arn) == not_found
    assert database.refusal("DeleteBackup", BackupArn=arn) == not_found
    assert database.refusal("RestoreTableFromBackup", BackupArn=arn, TargetTableName="other") == not_found
    elsewhere = arn.replace("table/tab", "table/other")
    assert database.refusal("DescribeBackup", BackupArn=elsewhere)[0] == "BackupNotFoundException"


def test_backups_are_listed_by_table_kind_and_time(database: Database, clock: Clock) -> None:
    """The oldest come first; pages go on after the last one told, even if that was deleted meanwhile."""
    for name in ("tab", "other"):
        database.create("a:S", name=name)
    arns = []
    for number in range(6):
        arns.append(back_up(database, f"b-{number}", ("tab", "other")[number % 2]))
        clock.now += 1
    told: list[str] = []
    start: dict[str, Any] = {}
    while True:
        page = database.call("ListBackups", Limit=2, **start)
        told += [summary["BackupArn"] for summary in page["BackupSummaries"]]
        if "LastEvaluatedBackupArn" not in page:
            break
        start = {"ExclusiveStartBackupArn": page["LastEvaluatedBackupArn"]}
        if len(told) == 4:
            database.call("DeleteBackup", BackupArn=told[3])
    assert told == arns
    listed = database.call("ListBackups", TableName=TABLE)["BackupSummaries"]
    assert [summary["BackupName"] for summary in listed] == ["b-0", "b-2", "b-4"]
    assert listed[0]["TableArn"] == TABLE
    within = {"TimeRangeLowerBound": NOW + 1, "TimeRangeUpperBound": NOW + 4}
    listed = database.call("ListBackups", **within)["BackupSummaries"]
    assert [summary["BackupName"] for summary in listed] == ["b-1", "b-2"]
    assert database.call("ListBackups", BackupType="SYSTEM")["BackupSummaries"] == []
    assert database.refusal("ListBackups", TimeRangeLowerBound=2, TimeRangeUpperBound=1)[0] == "ValidationException"
    assert database.refusal("ListBackups", ExclusiveStartBackupArn=TABLE)[0] == "ValidationException"


def test_a_table_that_could_be_recovered_leaves_a_backup(database: Database, clock: Clock) -> None:
    """Deleting a table with point-in-time recovery keeps it for 35 days; one without it leaves nothing."""
    for name in ("tab", "other"):
        database.create("a:S", name=name)
        database.put(table=name, a="x")
    switch(database)
    before = held(database, "tab")
    for name in ("tab", "other"):
        database.call("DeleteTable", TableName=name)
    assert database.call("ListBackups")["BackupSummaries"] == []
    (summary,) = database.call("ListBackups", BackupType="ALL")["BackupSummaries"]
    assert (summary["BackupName"], summary["BackupType"]) == ("tab$DeletedTableBackup", "SYSTEM")
    assert summary["BackupExpiryDateTime"] == NOW + 35 * DAY
    clock.now += 35 * DAY - 1
    database.engine.expire()
    restore(database, summary["BackupArn"], "tab")
    assert held(database, "tab") == before
    clock.now += 1
    database.engine.expire()
    assert database.refusal("DescribeBackup", BackupArn=summary["BackupArn"])[0] == "BackupNotFoundException"
    with database.engine._session().reading() as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM stores").fetchone() == (1,)
        assert not catalog.ages()


def test_a_restore_may_change_indexes_and_billing(database: Database) -> None:
    """Indexes can be left out, never added or changed; what is paid may be another."""
    indexes = [index("by-n", "n:N"), index("by-c", "c:S", "INCLUDE", "x", "y")]
    database.create("a:S", GlobalSecondaryIndexes=indexes, VectorIndexes=[vectors("near", 2)])
    database.put(a="x", n=1, c="c", e=vector(1, 0))
    arn = back_up(database)
    restore(database, arn, "all")
    wanted = {"TableName": "all", "IndexName": "near", "SearchVector": vector(1, 2)["L"], "TopK": 1}
    assert len(database.call("SearchVectors", **wanted)["SearchResults"]) == 1
    by_c = {name: value for name, value in indexes[1].items() if name != "definitions"}
    by_c["Projection"] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["y", "x"]}
    paid = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    table = restore(
        database,
        arn,
        BillingModeOverride="PROVISIONED",
        ProvisionedThroughputOverride=paid,
        GlobalSecondaryIndexOverride=[{**by_c, "ProvisionedThroughput": paid}],
        VectorIndexOverride=[],
        SSESpecificationOverride={"Enabled": True},
    )
    assert [each["IndexName"] for each in table["GlobalSecondaryIndexes"]] == ["by-c"]
    assert "VectorIndexes" not in table
    assert {each["AttributeName"] for each in table["AttributeDefinitions"]} == {"a", "c"}
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
    assert table["SSEDescription"]["Status"] == "ENABLED"
    for wrong, said in (
        ({"GlobalSecondaryIndexOverride": [{**by_c, "IndexName": "by-z"}]}, "IndexName: by-z"),
        ({"GlobalSecondaryIndexOverride": [{**by_c, "Projection": {"ProjectionType": "ALL"}}]}, "IndexName: by-c"),
        ({"GlobalSecondaryIndexOverride": [{**by_c, "WarmThroughput": {"ReadUnitsPerSecond": 1}}]}, "WarmThroughput"),
        ({"BillingModeOverride": "PROVISIONED"}, "ReadCapacityUnits and WriteCapacityUnits must both be specified"),
        ({"ProvisionedThroughputOverride": paid}, "BillingMode is PAY_PER_REQUEST"),
    ):
        code, message = database.refusal("RestoreTableFromBackup", BackupArn=arn, TargetTableName="other", **wrong)
        assert code == "ValidationException"
        assert said in message, message
    assert database.refusal("RestoreTableFromBackup", BackupArn=arn, TargetTableName="tab") == (
        "TableAlreadyExistsException",
        "Table already exists: tab",
    )
    assert database.call("ListTables")["TableNames"] == ["all", "new", "tab"]


@pytest.mark.parametrize("swept", [True, False])
def test_a_table_that_is_left_half_way_is_removed(database: Database, swept: bool) -> None:
    """What a killed process has made of a table is removed after a minute, by a sweep or by who makes the next one;
    until then its name is in use."""
    database.create("a:S")
    arn = back_up(database)
    asked = {"BackupArn": arn, "TargetTableName": "new"}
    session = database.engine._session()
    with session.writing() as catalog:
        left = Unfinished(catalog, new_record(catalog, definition(catalog.table("tab").record.description, asked)))
        enter(catalog, left.table, [(b"key", 1, b"{}")])
    refusal = database.refusal("RestoreTableFromBackup", **asked)
    assert refusal == ("TableInUseException", "Table is being created: new")
    assert database.call("ListTables")["TableNames"] == ["tab"]
    database.engine.expire()
    assert database.refusal("RestoreTableFromBackup", **asked) == refusal
    with session.writing() as catalog:
        catalog.execute("UPDATE unfinished SET beat = beat - 61")
        assert catalog.ages()
    if swept:
        database.engine.expire()
    restore(database, arn)
    with pytest.raises(Fault, match="could not be completed"), session.writing() as catalog:
        left.step(catalog)
    with session.reading() as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM stores").fetchone() == (3,)
        assert not catalog.ages()


@pytest.mark.parametrize("change", ["restored", "created", "deleted"])
def test_what_changes_under_a_restore(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore ends where all tables are put back, its name is taken or its backup deleted; nothing is left of it."""
    database = Database(Engine())
    database.create("a:S")
    for number in range(20):
        database.put(a=str(number))
    arn = back_up(database)
    snapshot = database.engine.snapshot()
    monkeypatch.setattr("dynamix.engine.tables.catalog.PIECE_ROWS", 5)
    session_type = type(database.engine._session())
    begin = session_type.writing
    begun = []

    def writing(self: Any) -> Any:
        begun.append(1)
        if len(begun) == 3:
            monkeypatch.setattr(session_type, "writing", begin)
            if change == "restored":
                database.engine.restore(snapshot)
            elif change == "created":
                database.create("a:S", name="new")
            else:
                database.call("DeleteBackup", BackupArn=arn)
        return begin(self)

    monkeypatch.setattr(session_type, "writing", writing)
    code, _ = database.refusal("RestoreTableFromBackup", BackupArn=arn, TargetTableName="new")
    expected = {
        "restored": "StorageException",
        "created": "TableAlreadyExistsException",
        "deleted": "BackupNotFoundException",
    }
    assert code == expected[change]
    with database.engine._session().reading() as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM unfinished").fetchone() == (0,)
        stores = {"restored": 2, "created": 3, "deleted": 1}[change]
        assert catalog.execute("SELECT COUNT(*) FROM stores").fetchone() == (stores,)
    database.engine.close()


def test_a_table_that_is_not_there_has_an_error_of_its_own(database: Database) -> None:
    """The operations on backups say TableNotFoundException where others say ResourceNotFoundException."""
    refused = ("TableNotFoundException", "Table not found: none")
    assert database.refusal("CreateBackup", TableName="none", BackupName="first") == refused
    assert database.refusal("DescribeContinuousBackups", TableName="none") == refused


_ITEMS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9), max_size=6)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(_ITEMS, _ITEMS, st.integers(1, 3))
def test_a_restore_equals_its_backup(before: dict[str, int], after: dict[str, int], rows: int) -> None:
    """Whatever was written since: a restored table holds what was backed up, and so do its indexes."""
    database = Database(Engine())
    database.create("a:S", GlobalSecondaryIndexes=[index("by-n", "n:N", "KEYS_ONLY")])
    for name, number in before.items():
        database.put(a=name, n=number)
    expected = held(database, "tab"), held(database, "tab", IndexName="by-n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dynamix.engine.tables.catalog.PIECE_ROWS", rows)
        arn = back_up(database)
        for name, number in after.items():
            database.put(a=name, n=number)
        for name in set(before) - set(after):
            database.call("DeleteItem", TableName="tab", Key={"a": value(name)})
        table = restore(database, arn)
    assert (held(database, "new"), held(database, "new", IndexName="by-n")) == expected
    assert table["ItemCount"] == len(before)
    assert (
        table["TableSizeBytes"]
        == database.call("DescribeBackup", BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupSizeBytes"]
    )
    database.engine.close()


def test_backups_are_in_the_file(tmp_path: Path) -> None:
    """A backup that one engine made is restored by another, at the same time and after a restart."""
    path = tmp_path / "file.db"
    first, second = Database(Engine(path)), Database(Engine(path))
    first.create("a:S")
    first.put(a="x")
    arn = back_up(first)
    restore(second, arn)
    assert held(first, "new") == held(first, "tab")
    for database in (first, second):
        database.engine.close()
    third = Database(Engine(path))
    third.call("DeleteTable", TableName="tab")
    restore(third, arn, "tab")
    assert held(third, "tab") == held(third, "new") != []
    third.engine.close()
