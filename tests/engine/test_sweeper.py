"""The thread that removes what has expired: when it is there, and when not."""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dynamix import Connection
from dynamix.engine import Engine
from dynamix.engine.operations import sweeping
from engine.database import Clock, Database, wire

NOW = 1_800_000_000
OFTEN = 0.01


def _sweepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dynamix-sweeper"]


def _until(holds: Callable[[], bool]) -> None:
    """Wait for what must come; the time limit of the suite ends what never does."""
    while not holds():
        time.sleep(0.005)


def _expiring(engine: Engine, *, name: str = "tab", **create: object) -> Database:
    database = Database(engine)
    database.create("a:S", name=name, **create)
    wanted = {"AttributeName": "ttl", "Enabled": True}
    database.call("UpdateTimeToLive", TableName=name, TimeToLiveSpecification=wanted)
    return database


@pytest.fixture(params=["memory", "file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return None if request.param == "memory" else tmp_path / "file.db"


def test_expired_items_are_removed_in_the_background(path: Path | None) -> None:
    """Nobody has to ask: the thread removes what has expired by the engine's clock, and ends with the engine."""
    clock = Clock(NOW)
    database = _expiring(Engine(path, clock=clock, sweep_seconds=OFTEN))
    database.put(a="x", ttl=NOW + 10)
    database.put(a="y", ttl=NOW + 1000)
    clock.now += 20
    _until(lambda: database.get(a="x") is None)
    assert database.get(a="y") is not None
    database.engine.close()
    assert _sweepers() == []


def test_there_is_no_thread_without_need(path: Path | None) -> None:
    """An engine without a table that expires or has a stream has no thread, and none is begun where none is wanted."""
    with_none = Database(Engine(path, sweep_seconds=OFTEN))
    with_none.create("a:S")
    with_none.put(a="x", ttl=1)
    assert _sweepers() == []
    with_none.engine.close()
    never = _expiring(Engine(clock=Clock(NOW), sweep_seconds=None))
    never.put(a="x", ttl=NOW - 1)
    assert _sweepers() == []
    assert never.get(a="x") is not None
    never.engine.close()


def test_the_thread_ends_with_a_connection() -> None:
    """Closing a connection of the mapper ends the thread of its engine."""
    with Connection(embedded=True) as connection:
        connection.request(
            "CreateTable",
            {
                "TableName": "tab",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            },
        )
        assert len(_sweepers()) == 1
    assert _sweepers() == []


def test_the_thread_ends_with_an_engine_that_is_dropped() -> None:
    """The thread keeps no engine alive that nobody else holds."""
    _expiring(Engine(sweep_seconds=OFTEN))
    gc.collect()
    _until(lambda: not _sweepers())


def test_a_file_is_swept_from_its_opening(tmp_path: Path) -> None:
    """An engine that only opens a file with such a table, and gets no request, removes what has expired."""
    clock = Clock(NOW)
    path = tmp_path / "file.db"
    database = _expiring(Engine(path, clock=clock, sweep_seconds=None))
    database.put(a="x", ttl=NOW + 10)
    clock.now += 20
    sweeping_one = Engine(path, clock=clock, sweep_seconds=OFTEN)
    _until(lambda: database.get(a="x") is None)
    sweeping_one.close()


def test_what_fails_is_told_once_and_tried_again(
    path: Path | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A sweep that fails is logged, once for each cause, and the next one does the work."""
    clock = Clock(NOW)
    failed = threading.Semaphore(0)

    def fail(*_: object) -> int:
        failed.release()
        raise OSError("the disk is gone")

    database = _expiring(Engine(path, clock=clock, sweep_seconds=OFTEN))
    with monkeypatch.context() as broken:
        broken.setattr(sweeping, "sweep", fail)
        database.put(a="x", ttl=NOW + 10)
        clock.now += 20
        for _ in range(3):
            failed.acquire()
    _until(lambda: database.get(a="x") is None)
    database.engine.close()
    told = [record.getMessage() for record in caplog.records if "expired" in record.getMessage()]
    assert told == ["what has expired could not be removed: the disk is gone"]


def test_several_engines_remove_an_item_once(tmp_path: Path) -> None:
    """Of several engines on one file, of whatever process, one removes an item, and its stream tells it once."""
    clock = Clock(NOW)
    path = tmp_path / "file.db"
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    first = _expiring(Engine(path, clock=clock, sweep_seconds=OFTEN), StreamSpecification=stream)
    others = [Engine(path, clock=clock, sweep_seconds=OFTEN) for _ in range(3)]
    for start in range(0, 600, 25):
        puts = [{"PutRequest": {"Item": wire({"a": f"{n}", "ttl": NOW + 5})}} for n in range(start, start + 25)]
        first.call("BatchWriteItem", RequestItems={"tab": puts})
    clock.now += 10
    _until(lambda: first.call("Scan", TableName="tab", Select="COUNT")["Count"] == 0)
    for engine in others:
        engine.close()
    arn = first.call("ListStreams")["Streams"][0]["StreamArn"]
    (shard,) = first.call("DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
    place = first.call("GetShardIterator", StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    answer = first.call("GetRecords", **place)
    records = answer["Records"] + first.call("GetRecords", ShardIterator=answer["NextShardIterator"])["Records"]
    removed = [record["dynamodb"]["Keys"]["a"]["S"] for record in records if record["eventName"] == "REMOVE"]
    assert len(removed) == len(set(removed)) == 600
    first.engine.close()


FORKED = """
import os, sys, threading, time, warnings
from dynamix.engine import Engine
from engine.database import Clock, Database

warnings.simplefilter("error")  # Python warns of forks with threads
clock = Clock(1_800_000_000)

def sweepers():
    return [thread.name for thread in threading.enumerate()]

databases = []
for path in (None, sys.argv[1]):
    database = Database(Engine(path, clock=clock, sweep_seconds=0.01))
    database.create("a:S")
    database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification={"AttributeName": "t", "Enabled": True})
    database.put(a="x", t=1_800_000_010)
    databases.append(database)
assert sweepers() == ["MainThread", "dynamix-sweeper", "dynamix-sweeper"], sweepers()
child = os.fork()
clock.now += 20
for database in databases:
    while database.get(a="x") is not None:
        time.sleep(0.005)
    assert "dynamix-sweeper" in sweepers()
    database.engine.close()
assert sweepers() == ["MainThread"], sweepers()
if not child:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_both_sides_of_a_fork_go_on(tmp_path: Path) -> None:
    """No thread is there while a process is copied; parent and child begin one when they next use such a table."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", FORKED, str(tmp_path / "file.db")], env=environment, check=True)


def test_a_table_may_go_while_it_is_swept(path: Path | None) -> None:
    """A table that is deleted between the look and the sweep, or during it, is no concern of it."""
    clock = Clock(NOW)
    database = _expiring(Engine(path, clock=clock, sweep_seconds=None))
    database.put(a="x", ttl=NOW + 1)
    clock.now += 10
    looks = []

    def stopped() -> bool:
        if not looks:
            database.call("DeleteTable", TableName="tab")
        looks.append(True)
        return False

    assert sweeping.sweep(database.engine._session(), stopped) == 0
    assert len(looks) > 1
    database.engine.close()
