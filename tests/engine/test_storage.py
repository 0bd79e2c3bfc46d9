"""Where the rows are: shared by threads, snapshots, files opened and refused."""

import gc
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynamix.engine import Engine
from dynamix.engine.storage import opening, transactions
from dynamix.errors import ConnectError
from engine.database import Database, index, wire

CLOSED = "the engine is closed; make a new one"


@pytest.fixture(params=["memory", "file"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine() if request.param == "memory" else Engine(tmp_path / "file.db")
    yield engine
    engine.close()


def _count(database: Database, times: int) -> None:
    for _ in range(times):
        database.call(
            "UpdateItem",
            TableName="tab",
            Key=wire({"a": "x"}),
            UpdateExpression="ADD n :n",
            ExpressionAttributeValues={":n": {"N": "1"}},
        )


def test_threads_lose_no_update(engine: Engine) -> None:
    """Many threads on one engine count without losing."""
    database = Database(engine)
    database.create("a:S")
    threads = [threading.Thread(target=_count, args=(database, 50)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.get(a="x") == wire({"a": "x", "n": 400})


def test_snapshots_are_restored(engine: Engine) -> None:
    """Restoring brings back tables, items and counts, as often as wanted, and forgets what came after."""
    database = Database(engine)
    database.create("a:S")
    database.put(a="kept")
    snapshot = engine.snapshot()
    for _ in range(2):
        database.put(a="later")
        database.create("a:S", name="later")
        database.call(
            "UpdateTable",
            TableName="tab",
            AttributeDefinitions=[{"AttributeName": "c", "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": "gsi",
                        "KeySchema": [{"AttributeName": "c", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                }
            ],
        )
        engine.restore(snapshot)
        assert database.call("ListTables")["TableNames"] == ["tab"]
        assert database.call("Scan", TableName="tab")["Items"] == [wire({"a": "kept"})]
        assert "GlobalSecondaryIndexes" not in database.call("DescribeTable", TableName="tab")["Table"]
    snapshot.close()


def test_a_snapshot_goes_from_one_engine_to_another(engine: Engine) -> None:
    """A test can load a file's data into memory, or the other way round."""
    database = Database(engine)
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")])
    database.put(a="x", c="y")
    other = Engine()
    other.restore(engine.snapshot())
    copy = Database(other)
    assert copy.call("Scan", TableName="tab", IndexName="gsi")["Count"] == 1
    copy.put(a="z")
    assert database.call("Scan", TableName="tab")["Count"] == 1


def test_restoring_is_seen_whole_by_others(tmp_path: Path) -> None:
    """Who works on a file while it is restored sees it as before or as after, never new rows by old descriptions."""
    file = Database(Engine(tmp_path / "file.db"))
    file.create("a:S")
    file.put(a="x", c="of the file")
    memory = Database()
    memory.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S", "KEYS_ONLY")])
    memory.put(a="x", c="of the memory", d="d")
    snapshots = [memory.engine.snapshot(), file.engine.snapshot()]
    states = [[wire({"a": "x", "c": "of the file"})], [wire({"a": "x", "c": "of the memory", "d": "d"})]]
    ended = threading.Event()
    wrong = []

    def look() -> None:
        other = Database(Engine(tmp_path / "file.db"))
        while not ended.is_set():
            seen = other.call("Scan", TableName="tab")["Items"]
            if seen not in states:
                wrong.append(seen)
        other.engine.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(200):
        file.engine.restore(snapshots[number % 2])
    ended.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    file.engine.close()


def test_failed_changes_of_tables_leave_nothing(engine: Engine) -> None:
    """A table operation that is refused half-way leaves tables and indexes as they were."""
    database = Database(engine)
    database.create("a:S")
    before = database.call("DescribeTable", TableName="tab")
    code, _ = database.refusal(
        "UpdateTable",
        TableName="tab",
        DeletionProtectionEnabled=True,
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "nope"}}],
    )
    assert code == "ResourceNotFoundException"
    assert database.call("DescribeTable", TableName="tab") == before


def test_files_keep_what_was_answered(tmp_path: Path) -> None:
    """What one engine wrote another finds, also while the first is still open."""
    path = tmp_path / "file.db"
    first = Database(Engine(path))
    first.create("a:S")
    first.put(a="x")
    second = Database(Engine(path))
    assert second.get(a="x") == wire({"a": "x"})
    first.call("DeleteTable", TableName="tab")
    assert second.refusal("GetItem", TableName="tab", Key=wire({"a": "x"}))[0] == "ResourceNotFoundException"
    first.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")])
    second.put(a="y", c="z")
    first.engine.close()
    assert second.call("Scan", TableName="tab", IndexName="gsi")["Count"] == 1
    second.engine.close()


def test_changed_indexes_are_seen_by_all(tmp_path: Path) -> None:
    """A writer that knew the table without an index fills the index that another engine made."""
    path = tmp_path / "file.db"
    first, second = Database(Engine(path)), Database(Engine(path))
    first.create("a:S")
    second.put(a="x")
    first.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[{"AttributeName": "c", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "gsi",
                    "KeySchema": [{"AttributeName": "c", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    second.put(a="y", c="z")
    assert first.call("Scan", TableName="tab", IndexName="gsi")["Items"] == [wire({"a": "y", "c": "z"})]
    first.engine.close()
    second.engine.close()


def _refused(path: Path) -> str:
    with pytest.raises(ConnectError) as caught:
        Engine(path)
    assert caught.value.sent is False
    return str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file of another program, or no database at all, is refused and left as it is."""
    text = tmp_path / "text.db"
    text.write_text("not a database at all, but long enough to be taken for one" * 20)
    before = text.read_bytes()
    assert "text.db" in _refused(text)
    assert text.read_bytes() == before
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = foreign.read_bytes()
    assert "another program" in _refused(foreign)
    assert foreign.read_bytes() == before
    assert "cannot open" in _refused(tmp_path / "no folder" / "file.db")


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_what_is_no_file_is_refused(path: str) -> None:
    """SQLite's names for a database in memory would give each thread one of its own."""
    with pytest.raises(ConnectError, match="names no file"):
        Engine(path)


def test_an_engine_may_be_dropped(tmp_path: Path) -> None:
    """An engine and its snapshots that nobody holds any more end without a complaint."""
    for path in (None, tmp_path / "file.db"):
        Engine(path).snapshot()
    gc.collect()


def test_newer_files_are_refused(tmp_path: Path) -> None:
    """A file of a newer layout is refused with what to do."""
    path = tmp_path / "file.db"
    Engine(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "upgrade dynamix" in _refused(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_the_database_too(tmp_path: Path) -> None:
    """After a fork parent and child go on: in memory each with a copy, on a file together."""
    program = """
import os, sys
from engine.database import Database, wire
from dynamix.engine import Engine
memory, file = Database(), Database(Engine(sys.argv[1]))
for database in (memory, file):
    database.create("a:S")
    database.put(a="before")
child = os.fork()
if not child:
    for database in (memory, file):
        assert database.get(a="before") is not None
        database.put(a="child")
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
for database, seen in ((memory, False), (file, True)):
    assert (database.get(a="child") is not None) is seen
    database.put(a="parent")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "file.db")], env=environment, check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_outlives_the_engine_of_its_parent(tmp_path: Path) -> None:
    """What a child writes after its parent closed the file is kept, and seen by other processes at once."""
    program = """
import os, subprocess, sys
from engine.database import Database
from dynamix.engine import Engine
database = Database(Engine(sys.argv[1]))
database.create("a:S")
told, tell = os.pipe()
child = os.fork()
if not child:
    database.put(a="while the parent has it open")
    os.close(tell)
    assert os.read(told, 1) == b"x"
    database.put(a="later")
    other = "import sys; from engine.database import Database; from dynamix.engine import Engine;"
    other += "d = Database(Engine(sys.argv[1])); d.put(a='other'); d.engine.close()"
    subprocess.run([sys.executable, "-c", other, sys.argv[1]], check=True)
    assert database.get(a="other") is not None
    database.put(a="last")
    os._exit(0)
os.close(told)
database.put(a="parent")
database.engine.close()
os.write(tell, b"x")
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
database = Database(Engine(sys.argv[1]))
assert database.call("Scan", TableName="tab")["Count"] == 5
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "file.db")], env=environment, check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_may_fork_while_its_threads_work(tmp_path: Path) -> None:
    """A fork waits for the work of other threads; they go on, and each child can work too."""
    program = """
import os, sys, threading
from engine.database import Database
from dynamix.engine import Engine
databases = [Database(), Database(Engine(sys.argv[1]))]
for database in databases:
    database.create("a:S")
    database.put(a="x")
ended = threading.Event()
def work(database):
    while not ended.is_set():
        database.put(a="y")
        assert database.get(a="x") is not None
threads = [threading.Thread(target=work, args=(database,)) for database in databases for _ in range(2)]
for thread in threads:
    thread.start()
for number in range(20):
    child = os.fork()
    if not child:
        for database in databases:
            database.put(a=str(number))
            assert database.get(a="x") is not None
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
ended.set()
for thread in threads:
    thread.join()
assert databases[1].call("Scan", TableName="tab")["Count"] == 22
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "file.db")], env=environment, check=True)


def test_a_closed_engine_says_so(engine: Engine) -> None:
    """A request to a closed engine is answered with an error, not raised."""
    engine.close()
    for _ in range(2):
        status, body = engine.handle("ListTables", b"{}")
        assert (status, json.loads(body)) == (507, {"__type": "dynamix#StorageException", "message": CLOSED})
        engine.close()


def test_a_closed_engine_stays_answering(engine: Engine) -> None:
    """A failed write of a closed engine lets the next request through."""
    Database(engine).create("a:S")
    engine.close()
    request = b'{"TableName": "tab", "Item": {"a": {"S": "x"}}}'
    for _ in range(2):
        status, body = engine.handle("PutItem", request)
        assert (status, json.loads(body)["message"]) == (507, CLOSED)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits here")
def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    """Where no more can be written an answer says so, nothing is half done, and all goes on when there is room."""
    program = """
import resource, signal, sys
import msgspec
from engine.database import Database, wire, index
from dynamix.engine import Engine
database = Database(Engine(sys.argv[1]))
database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
items = [wire({"a": str(number), "c": "c", "d": "d" * 20_000}) for number in range(50)]
answers = [database.engine.handle("PutItem", msgspec.json.encode({"TableName": "tab", "Item": item})) for item in items]
refused = [body for status, body in answers if status != 200]
assert refused and all(b"disk" in body for body in refused), refused
assert "disk" in database.error("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification={
    "AttributeName": "t", "Enabled": True})["message"]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
def held():
    return [database.call("Scan", TableName="tab", **of)["Count"] for of in ({}, {"IndexName": "gsi"})]
assert held() == [len(items) - len(refused)] * 2
status = database.call("DescribeTimeToLive", TableName="tab")["TimeToLiveDescription"]["TimeToLiveStatus"]
assert status == "DISABLED"
database.call("PutItem", TableName="tab", Item=items[-1])
assert held() == [len(items) - len(refused) + 1] * 2
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "file.db")], env=environment, check=True)


def test_work_that_outlives_its_engine_ends(tmp_path: Path) -> None:
    """Closing an engine while it works closes the connection when the work is done."""
    engine = Engine(tmp_path / "file.db")
    with engine._session().reading() as catalog:
        engine.close()
        assert catalog.names("", 1) == []
    with pytest.raises(sqlite3.ProgrammingError):
        catalog.names("", 1)


def test_a_database_held_by_others_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer waits for another process, in the end says so, and goes on when the other is done."""
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(transactions, "_PATIENCE_SECONDS", 0.1)
    engine = Engine(tmp_path / "file.db")
    database = Database(engine)
    database.create("a:S")
    other = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    error = database.error("PutItem", TableName="tab", Item=wire({"a": "x"}))
    assert error["__type"] == "dynamix#StorageException"
    assert error["message"].startswith("another process has held the database for")
    assert database.get(a="x") is None
    other.execute("ROLLBACK")
    other.close()
    database.put(a="x")
    assert database.get(a="x") == wire({"a": "x"})
    engine.close()
