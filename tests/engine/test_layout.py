"""The layout of the database's file: older ones are upgraded, newer ones refused."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from dynamix.engine import Engine
from dynamix.engine.storage import layout
from dynamix.errors import ConnectError
from engine.database import Clock, Database, wire

WRITTEN = 1_790_000_000.25
OLDER = Path(__file__).with_name("layout1.sql")
"""A database as layout 1 has it: a table with indexes, tags and a stream, one with time to live, a client token."""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "file.db"
    connection = sqlite3.connect(path)
    connection.executescript(OLDER.read_text())
    connection.close()
    return path


def _shape(path: Path) -> list[tuple[str, str]]:
    """The tables of SQLite but for those of rows."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT GLOB '[sl][0-9]*' ORDER BY name")
    shape = [(name, sql) for name, sql in rows if not name.startswith("sqlite_")]
    shape += [(name, connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")]
    connection.close()
    return shape


def test_an_older_file_is_upgraded_in_place(older: Path, tmp_path: Path) -> None:
    """What a file of layout 1 holds is there after its upgrade, and its layout is that of a new file."""
    clock = Clock(WRITTEN)
    database = Database(Engine(older, clock=clock))
    assert database.call("ListTables")["TableNames"] == ["plain", "tab"]
    assert database.call("Scan", TableName="tab")["Count"] == 3
    assert database.get(a="x", b=1) == wire({"a": "x", "b": 1, "c": "c1", "d": 9})
    for name, condition, values in (("gsi", "c = :c", {"c": "c2"}), ("lsi", "a = :a AND d > :d", {"a": "x", "d": 8})):
        assert database.query(condition, values, IndexName=name)["Count"] == 1
    table = database.call("DescribeTable", TableName="tab")["Table"]
    assert (table["ItemCount"], table["TableSizeBytes"], table["LatestStreamLabel"]) == (
        3,
        51,
        "2026-09-21T14:13:20.250",
    )
    assert database.call("ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"] == [{"Key": "team", "Value": "x"}]
    again = {"Put": {"TableName": "plain", "Item": wire({"a": "other"})}}
    code, _ = database.refusal("TransactWriteItems", ClientRequestToken="token-1", TransactItems=[again])
    assert code == "IdempotentParameterMismatchException"
    assert database.call("DescribeTimeToLive", TableName="plain")["TimeToLiveDescription"]["AttributeName"] == "ttl"
    backup = database.call("CreateBackup", TableName="tab", BackupName="kept")["BackupDetails"]
    database.call("RestoreTableFromBackup", TargetTableName="restored", BackupArn=backup["BackupArn"])
    assert database.call("Scan", TableName="restored", IndexName="gsi")["Count"] == 2
    database.put(a="z", b=3)
    database.engine.close()
    Engine(tmp_path / "new.db").close()
    assert _shape(older) == _shape(tmp_path / "new.db")
    assert Database(Engine(older, clock=clock)).get(a="z", b=3) is not None


def test_an_upgrade_is_one_transaction(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that fails half-way leaves the file as it was."""
    before = _shape(older)
    steps = (*layout._STEPS[1], "INSERT INTO nowhere VALUES (1)")
    with monkeypatch.context() as broken:
        broken.setattr(layout, "_STEPS", (layout._STEPS[0], steps))
        with pytest.raises(ConnectError, match="nowhere"):
            Engine(older)
    assert _shape(older) == before
    assert Database(Engine(older)).call("Scan", TableName="tab")["Count"] == 3


def test_several_may_upgrade_at_once(older: Path) -> None:
    """Of several engines that open an older file at the same moment one upgrades it, and all can use it."""
    barrier = threading.Barrier(6)
    found = []

    def use() -> None:
        barrier.wait()
        database = Database(Engine(older))
        found.append(database.call("Scan", TableName="tab")["Count"])
        database.engine.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 6


def test_an_engine_of_an_older_layout_writes_no_more(tmp_path: Path) -> None:
    """An engine that has a file open while a newer dynamix upgrades it refuses work, as it would miss what is new."""
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    database.create("a:S")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE state SET layout = layout + 1")
    connection.commit()
    connection.close()
    for target, member in (("PutItem", "Item"), ("GetItem", "Key")):
        code, message = database.refusal(target, TableName="tab", **{member: wire({"a": "x"})})
        assert code == "StorageException"
        assert "upgrade dynamix here too" in message


READ_ONLY = """
import os, sys
from dynamix.engine import Engine
from dynamix.errors import ConnectError

path = sys.argv[1]
if os.getuid() == 0:
    os.setuid(65534)
try:
    Engine(path)
except ConnectError as error:
    assert "(layout 1)" in str(error), error
    assert "no permission to write it; open it once where it may be written, or open a copy" in str(error), error
else:
    raise AssertionError
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions here")
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_an_older_file_that_may_not_be_written_is_refused(kind: str) -> None:
    """A file that cannot be upgraded is refused with what to do."""
    with tempfile.TemporaryDirectory() as folder:  # not below what only its owner may enter, as another user reads here
        path = os.path.join(folder, "file.db")
        connection = sqlite3.connect(path)
        connection.executescript(OLDER.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        os.chmod(path, 0o444)
        os.chmod(folder, 0o755 if kind == "file" else 0o555)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(
            [sys.executable, "-c", READ_ONLY, path], env=environment, capture_output=True, text=True, check=False
        )
        os.chmod(folder, 0o755)
        assert ended.returncode == 0, ended.stderr[-2000:]


def test_a_stream_that_was_only_described_is_one_after_the_upgrade(older: Path) -> None:
    """The stream that a table of layout 1 was said to have tells what is written from its upgrade on."""
    database = Database(Engine(older, sweep_seconds=None))
    arn = database.call("DescribeTable", TableName="tab")["Table"]["LatestStreamArn"]
    assert arn.endswith("/stream/2026-09-21T14:13:20.250")
    described = database.call("DescribeStream", StreamArn=arn)["StreamDescription"]
    assert (described["StreamStatus"], described["StreamViewType"]) == ("ENABLED", "NEW_AND_OLD_IMAGES")
    assert [key["AttributeName"] for key in described["KeySchema"]] == ["a", "b"]
    (shard,) = described["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    place = database.call("GetShardIterator", **start)
    assert database.call("GetRecords", **place)["Records"] == []
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "x", "b": 1}))
    (record,) = database.call("GetRecords", **place)["Records"]
    assert record["dynamodb"]["OldImage"] == wire({"a": "x", "b": 1, "c": "c1", "d": 9})
    assert database.engine.roll_shards() == 1
    database.engine.close()
