"""The `serve` command: workers, durability, damaged files, and the options of DynamoDB Local."""

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dynamix.cli import main
from dynamix.engine import Engine
from dynamix.engine.storage.file import File
from dynamix.errors import DatabaseFileError
from engine.database import Database, wire
from engine.served import post, served

EXPIRING = 1500
CREATE = json.dumps(
    {
        "TableName": "tab",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
).encode()


def test_the_options_of_dynamodb_local_are_understood(tmp_path: Path) -> None:
    """A line as people have it in scripts serves a file in the directory named; the port may be any."""
    options = ["-port", "0", "-sharedDb", "-dbPath", str(tmp_path), "-cors", "*", "-disableTelemetry"]
    with served(*options) as (process, connection):
        assert post(connection, "CreateTable", CREATE, Origin="https://any.example")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert os.listdir(tmp_path) == ["dynamix.db"]
    with served("--lag", "3600", "--throttle") as (_, connection):
        post(connection, "CreateTable", CREATE)
        assert post(connection, "PutItem", b'{"TableName": "tab", "Item": {"a": {"S": "x"}}}')[0] == 200
        assert json.loads(post(connection, "Scan", b'{"TableName": "tab"}')[2])["Count"] == 0
    with served("-inMemory", "-sharedDb", "-delayTransientStatuses", "--control") as (process, connection):
        connection.request("POST", "/_control/clock", '{"now": 1800000000}')
        assert connection.getresponse().read()
        assert json.loads(post(connection, "CreateTable", CREATE)[2])["TableDescription"]["TableStatus"] == "CREATING"
        assert json.loads(post(connection, "DeleteTable", b'{"TableName": "tab"}')[2])["message"].endswith(
            "created: tab"
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-inMemory", "-dbPath", "."], "argument -dbPath: not allowed with argument -inMemory"),
        (["-dbPath", "no/such"], "there is no directory 'no/such'; make it first"),
        (["--workers", "0", "--db", "x"], "'0' is not a number of processes; give one from 1 to 256"),
        (["--durability", "none"], "invalid choice: 'none'"),
        (["--delay-statuses", "-1"], "'-1' are no seconds; give a number from 0 to 3600"),
        (["--accounts", "--per-key"], "argument --per-key: not allowed with argument --accounts"),
        (["-sharedDb", "--accounts"], "argument --accounts: not allowed with argument -sharedDb"),
    ],
)
def test_options_that_cannot_be_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mistakes end the command with status 2 and a message."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_workers_need_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Processes have no memory in common."""
    assert main(["serve", "--port", "0", "--workers", "2"]) == 1
    assert "several workers have no memory in common; give them a file: --db PATH" in capsys.readouterr().err


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
def test_workers_serve_one_file(tmp_path: Path) -> None:
    """A worker that dies is begun again, what it answered stays, and a signal to the parent ends all."""
    with served("--db", str(tmp_path / "file.db"), "--workers", "2") as (process, connection):
        assert post(connection, "CreateTable", CREATE)[0] == 200
        begun = children(process.pid)
        assert len(begun) == 2
        for number in range(20):
            connection.close()  # so that the workers take turns
            body = json.dumps({"TableName": "tab", "Item": wire({"a": str(number)})}).encode()
            assert post(connection, "PutItem", body)[0] == 200
        connection.close()
        os.kill(begun[0], signal.SIGKILL)
        assert process.stderr is not None
        assert process.stderr.readline() == f"dynamix serve: worker {begun[0]} has ended (signal 9)\n"
        while len(children(process.pid)) < 2:
            pass
        now = children(process.pid)
        assert begun[0] not in now
        assert json.loads(post(connection, "Scan", b'{"TableName": "tab", "Select": "COUNT"}')[2])["Count"] == 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in now)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
def test_workers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    """Workers die amid transactions: each that was answered is there, none in part, and the stream tells each once."""
    rng = random.Random(11)
    stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
    answered, number = [], 0
    with served("--db", str(tmp_path / "file.db"), "--workers", "3") as (process, connection):
        assert post(connection, "CreateTable", json.dumps({**json.loads(CREATE), **stream}).encode())[0] == 200
        for _ in range(5):
            killed = threading.Timer(rng.random() * 0.03, kill, (rng.choice(children(process.pid)),))
            killed.start()
            while killed.is_alive() or number % 5:
                number += 1
                keys = [f"{number}-{place}" for place in range(2)]
                puts = [{"Put": {"TableName": "tab", "Item": wire({"a": key, "text": "x" * 500})}} for key in keys]
                try:
                    status, _, _ = post(connection, "TransactWriteItems", json.dumps({"TransactItems": puts}).encode())
                except (OSError, http.client.HTTPException):
                    status = 0
                answered += keys if status == 200 else []
                connection.close()  # so that the workers take turns
    engine = Engine(tmp_path / "file.db")
    engine.check()
    database = Database(engine)
    stored = sorted(item["a"]["S"] for item in database.call("Scan", TableName="tab")["Items"])
    assert set(answered) <= set(stored)
    assert answered
    told = streamed_keys(database)
    assert sorted(told) == stored
    assert [key.removesuffix("-0") for key in told[::2]] == [key.removesuffix("-1") for key in told[1::2]]
    engine.close()


def kill(pid: int) -> None:
    """End a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def streamed_keys(database: Database) -> list[str]:
    """The keys that the records of the only stream tell, in their order."""
    (stream,) = database.call("ListStreams")["Streams"]
    where = {"StreamArn": stream["StreamArn"]}
    (shard,) = database.call("DescribeStream", **where)["StreamDescription"]["Shards"]
    where |= {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = database.call("GetShardIterator", **where)["ShardIterator"]
    keys: list[str] = []
    while page := database.call("GetRecords", ShardIterator=iterator):
        if not page["Records"]:
            return keys
        keys += [record["dynamodb"]["Keys"]["a"]["S"] for record in page["Records"]]
        iterator = page["NextShardIterator"]
    return keys


@pytest.mark.parametrize("place", ["memory", "file", "workers"])
def test_what_expires_is_removed_while_requests_are_answered(place: str, tmp_path: Path) -> None:
    """Threads that sweep and loops that write let each other go on, and nothing is removed twice."""
    more = [] if place == "memory" else ["--db", str(tmp_path / "file.db")]
    if place == "workers":
        more += ["--workers", "2"]
    with served(*more) as (process, connection):
        stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        assert post(
            connection, "CreateTable", json.dumps({**json.loads(CREATE), "StreamSpecification": stream}).encode()
        )
        ttl = {"TableName": "tab", "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}}
        assert post(connection, "UpdateTimeToLive", json.dumps(ttl).encode())[0] == 200
        ended = int(time.time()) - 10
        for first in range(0, EXPIRING, 25):
            puts = [{"PutRequest": {"Item": wire({"a": str(n), "until": ended})}} for n in range(first, first + 25)]
            status, _, told = post(connection, "BatchWriteItem", json.dumps({"RequestItems": {"tab": puts}}).encode())
            assert (status, told) == (200, b'{"UnprocessedItems":{}}')
        count, written = 0, 0
        while count != written or not written:
            connection.close()  # so that the workers take turns
            item = {"TableName": "tab", "Item": wire({"a": f"kept {written}"})}
            assert post(connection, "PutItem", json.dumps(item).encode())[0] == 200
            written += 1
            count = json.loads(post(connection, "Scan", b'{"TableName": "tab", "Select": "COUNT"}')[2])["Count"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    if place != "memory":
        assert expired(tmp_path / "file.db") == [str(n) for n in range(EXPIRING)]


def expired(path: Path) -> list[str]:
    """The keys of the items that the stream of a file's table tells to have expired, in the order of their numbers."""
    database = Database(Engine(path, sweep_seconds=None))
    (stream,) = database.call("ListStreams")["Streams"]
    (shard,) = database.call("DescribeStream", StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    start = {"StreamArn": stream["StreamArn"], "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = database.call("GetShardIterator", **start)["ShardIterator"]
    records: list[Any] = []
    while (told := database.call("GetRecords", ShardIterator=iterator))["Records"]:
        records += told["Records"]
        iterator = told["NextShardIterator"]
    database.engine.close()
    keys = [record["dynamodb"]["Keys"]["a"]["S"] for record in records if "userIdentity" in record]
    return sorted(keys, key=int)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """A parent that is killed leaves nobody behind."""
    with served("--db", str(tmp_path / "file.db"), "--workers", "2") as (process, connection):
        assert post(connection, "ListTables")[0] == 200
        connection.close()
        begun = children(process.pid)
        process.kill()
        process.wait()
        for pid in begun:
            while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
                pass


WORKERS = """
import os, sys
from dynamix.cli.workers import run_workers
sys.exit(run_workers(2, lambda: 3))
"""


def test_workers_that_cannot_work_end_it(tmp_path: Path) -> None:
    """Where each worker dies as soon as it is begun, the parent gives up and says how they ended."""
    ended = subprocess.run([sys.executable, "-c", WORKERS], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.count("has ended (status 3)") >= 5


def credentials(access_key: str, region: str = "eu-west-1") -> dict[str, str]:
    scope = f"Credential={access_key}/20270115/{region}/dynamodb/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"}


def tables(connection: http.client.HTTPConnection, access_key: str, region: str = "eu-west-1") -> list[str]:
    """The ARNs of the tables that somebody sees."""
    who = credentials(access_key, region)
    names = json.loads(post(connection, "ListTables", **who)[2])["TableNames"]
    described = [
        post(connection, "DescribeTable", json.dumps({"TableName": name}).encode(), **who)[2] for name in names
    ]
    return [json.loads(told)["Table"]["TableArn"] for told in described]


ONE, TWO = "111111111111", "222222222222"


def test_accounts_are_apart(tmp_path: Path) -> None:
    """Who has another account or region sees other tables, with ARNs to match; all other keys share one account."""
    with served("--accounts", "--db", str(tmp_path / "file.db")) as (process, connection):
        for access_key, region in ((ONE, "eu-west-1"), (TWO, "eu-west-1"), (ONE, "us-east-2"), ("any", "eu-west-1")):
            assert tables(connection, access_key, region) == []
            assert post(connection, "CreateTable", CREATE, **credentials(access_key, region))[0] == 200
            account = "000000000000" if access_key == "any" else access_key
            assert tables(connection, access_key, region) == [f"arn:aws:dynamodb:{region}:{account}:table/tab"]
        assert len(tables(connection, "other")) == 1
        assert post(connection, "ListTables", **credentials(ONE, "../x"))[0] == 400
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert sorted(os.listdir(tmp_path)) == [
        "file-000000000000_eu-west-1.db",
        "file-111111111111_eu-west-1.db",
        "file-111111111111_us-east-2.db",
        "file-222222222222_eu-west-1.db",
    ]


def test_access_keys_are_apart() -> None:
    """With DynamoDB Local's rule each access key has tables of its own, in one account."""
    with served("--per-key") as (_, connection):
        assert post(connection, "CreateTable", CREATE, **credentials("one"))[0] == 200
        assert tables(connection, "one") == ["arn:aws:dynamodb:eu-west-1:000000000000:table/tab"]
        assert tables(connection, "two") == tables(connection, "one", "us-east-1") == []
        status, _, body = post(connection, "ListTables", **credentials("a-b"))
        assert (status, b"UnrecognizedClientException" in body) == (400, True)


def damaged(path: Path) -> None:
    """A file of the engine with some of its middle overwritten."""
    engine = Engine(path)
    database = Database(engine)
    database.create("a:S")
    for number in range(300):
        database.put(a=str(number), text="x" * 300)
    engine.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 9000] = b"?" * 9000
    path.write_bytes(content)


def test_a_damaged_file_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command reads the file when it opens it, and says what is wrong."""
    path = tmp_path / "file.db"
    damaged(path)
    assert main(["serve", "--port", "0", "--db", str(path)]) == 1
    assert f"dynamix serve: the database '{path}' is damaged; restore it from a copy: " in capsys.readouterr().err
    engine = Engine(path)
    with pytest.raises(DatabaseFileError, match="is damaged"):
        engine.check()
    engine.close()


def test_a_sound_file_passes(tmp_path: Path) -> None:
    """A file in use is sound, and so is memory."""
    for place in (None, tmp_path / "file.db"):
        engine = Engine(place)
        Database(engine).create("a:S")
        engine.check()
        engine.close()


@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("full", 2)])
def test_durability_is_what_sqlite_is_told(tmp_path: Path, durability: str, synchronous: int) -> None:
    """With "full" each commit waits for the disk, and so is nothing that is done in passing."""
    engine = Engine(tmp_path / "file.db", durability=durability)  # type: ignore[arg-type]
    Database(engine).create("a:S")
    assert isinstance(engine._database, File)
    with engine._database.sessions()().reading() as catalog:
        assert catalog.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    put = "PutItem", json.dumps({"TableName": "tab", "Item": wire({"a": "x"})}).encode()
    assert (engine.in_passing(*put) is None) == (durability == "full")
    assert engine.handle(*put) == (200, b"{}")
    assert engine.together([put, put], in_passing=False) == [(200, b"{}")] * 2
    engine.close()
