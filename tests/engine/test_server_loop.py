"""The server's one thread: whom it lets wait, and what a client may make it hold."""

import contextlib
import http.client
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dynamix.engine import Engine
from dynamix.engine.http import server as server_module
from dynamix.engine.http.server import Server
from engine.database import Database, index, wire
from engine.served import LIST, bodies, request, talk


def ask(client: socket.socket, operation: str, **members: object) -> None:
    client.sendall(request(operation, json.dumps({"TableName": "tab", **members}).encode()))


def told(client: socket.socket) -> object:
    """The JSON of one small answer."""
    answer = b""
    while not (b"\r\n\r\n" in answer and answer.endswith((b"}", b"]"))):
        answer += client.recv(65536)
    (body,) = bodies(answer)
    return body


def test_nobody_waits_for_a_write_that_waits(tmp_path: Path) -> None:
    """While another process holds the file, reads of other clients are answered; the write is, when it can be done."""
    engine = Engine(tmp_path / "file.db")
    Database(engine).create("a:S")
    other = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    with Server(engine) as server, contextlib.ExitStack() as clients:
        writers = [clients.enter_context(socket.create_connection(server.address)) for _ in range(5)]
        reader = clients.enter_context(socket.create_connection(server.address))
        other.execute("BEGIN IMMEDIATE")
        for number, writer in enumerate(writers):
            ask(writer, "PutItem", Item=wire({"a": str(number)}))
        for _ in range(20):
            ask(reader, "Scan")
            assert told(reader) == {"Count": 0, "ScannedCount": 0, "Items": []}
        other.execute("ROLLBACK")
        assert [told(writer) for writer in writers] == [{}] * 5
        ask(reader, "Scan", Select="COUNT")
        assert told(reader) == {"Count": 5, "ScannedCount": 5}
    other.close()
    engine.close()


@pytest.mark.parametrize("place", [":memory:", "file.db"])
def test_pages_of_many_clients_are_all_answered(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for turns of the loop, a few in each; those that turn out long are left to threads."""
    monkeypatch.setattr("dynamix.engine.http.work._PASSING_SECONDS", 1e-6)
    engine = Engine() if place == ":memory:" else Engine(tmp_path / place)
    database = Database(engine)
    for table, rows in (("tab", 300), ("long", 1500)):
        database.create("a:S", name=table)
        for start in range(0, rows, 25):
            puts = [{"PutRequest": {"Item": wire({"a": str(start + n), "b": "x" * 300})}} for n in range(25)]
            database.call("BatchWriteItem", RequestItems={table: puts})
    database.create("a:S b:S", name="sorted")
    for number in range(300):
        database.put(table="sorted", a="a", b=str(number))
    query = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": wire({":a": "a"}), "Select": "COUNT"}
    few = {"FilterExpression": "a = :a", "ExpressionAttributeValues": wire({":a": "7"})}
    one = {"Count": 1, "ScannedCount": 300, "Items": [wire({"a": "7", "b": "x" * 300})]}
    with Server(engine) as server, contextlib.ExitStack() as clients:
        scanners = [clients.enter_context(socket.create_connection(server.address)) for _ in range(43)]
        reader = clients.enter_context(socket.create_connection(server.address))
        for client in scanners[:20]:
            ask(client, "Scan", **few)
        for client in scanners[23:]:
            ask(client, "Query", TableName="sorted", **query)
        ask(scanners[20], "Scan", TableName="long", Select="COUNT")
        ask(scanners[21], "Scan", TableName="none")
        ask(scanners[22], "Scan", Limit=2, Select="COUNT")
        whole = http.client.HTTPConnection(*server.address)
        clients.callback(whole.close)
        whole.request("POST", "/", b'{"TableName": "tab"}', {**LIST, "X-Amz-Target": "DynamoDB_20120810.Scan"})
        ask(reader, "GetItem", Key=wire({"a": "1"}))
        assert told(reader) == {"Item": wire({"a": "1", "b": "x" * 300})}
        assert [told(client) for client in scanners[:20]] == [one] * 20
        assert [told(client) for client in scanners[23:]] == [{"Count": 300, "ScannedCount": 300}] * 20
        assert told(scanners[20]) == {"Count": 1500, "ScannedCount": 1500}
        assert "ResourceNotFoundException" in str(told(scanners[21]))
        assert str(told(scanners[22])).startswith("{'Count': 2, 'ScannedCount': 2, 'LastEvaluatedKey'")
        assert len(json.loads(whole.getresponse().read())["Items"]) == 300
    engine.close()


def test_nobody_waits_for_an_index_that_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and writes are answered while a table-sized piece of work goes on, in memory too; it is answered when it is
    done."""
    monkeypatch.setattr("dynamix.engine.tables.table.PIECE_ROWS", 2)  # so that it lasts on any machine
    engine = Engine()
    database = Database(engine)
    database.create("a:S")
    for number in range(5000):
        database.put(a=str(number), c="c")
    with (
        Server(engine) as server,
        socket.create_connection(server.address) as maker,
        socket.create_connection(server.address) as reader,
    ):
        new = index("new", "c:S")
        ask(
            maker,
            "UpdateTable",
            AttributeDefinitions=new.pop("definitions"),
            GlobalSecondaryIndexUpdates=[{"Create": new}],
        )
        maker.setblocking(False)
        answered = 0
        while True:
            ask(reader, "GetItem", Key=wire({"a": "7"}))
            assert told(reader) == {"Item": {"a": {"S": "7"}, "c": {"S": "c"}}}
            ask(reader, "PutItem", Item=wire({"a": "new"}))
            assert told(reader) == {}
            with contextlib.suppress(BlockingIOError):
                if maker.recv(1):
                    break
            answered += 1
        assert answered > 2
    engine.close()


@pytest.mark.parametrize("job", ["backup", "restore", "recover", "export", "import", "delete"])
def test_nobody_waits_for_backups_and_exports(job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and writes are answered while a table is copied, written to files or read from them."""
    (tmp_path / "file").write_text("".join(f'{{"Item": {{"a": {{"S": "{number}"}}}}}}\n' for number in range(5000)))
    engine = Engine(buckets={"mine": tmp_path})
    database = Database(engine)
    keys = {
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    }
    source = {"InputFormat": "DYNAMODB_JSON", "S3BucketSource": {"S3Bucket": "mine"}}
    table = {"TableName": "tab", "BillingMode": "PAY_PER_REQUEST", **keys}
    database.call("ImportTable", TableCreationParameters=table, **source)
    recovered = {"PointInTimeRecoveryEnabled": True}
    database.call("UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=recovered)
    arn = database.call("CreateBackup", TableName="tab", BackupName="first")["BackupDetails"]["BackupArn"]
    moment = time.time() + 0.001
    for number in range(1000):
        database.call("DeleteItem", TableName="tab", Key=wire({"a": str(number + 1000)}))
    monkeypatch.setattr("dynamix.engine.data.discarded.AT_ONCE_BYTES", 0)
    for module in ("tables.catalog", "tables.past", "tables.table", "data.discarded"):
        monkeypatch.setattr(f"dynamix.engine.{module}.PIECE_ROWS", 2)  # so that it lasts on any machine
    operation, asked = {
        "backup": ("CreateBackup", {"BackupName": "second"}),
        "restore": ("RestoreTableFromBackup", {"BackupArn": arn, "TargetTableName": "new"}),
        "recover": (
            "RestoreTableToPointInTime",
            {"SourceTableName": "tab", "TargetTableName": "new", "RestoreDateTime": moment},
        ),
        "export": ("ExportTableToPointInTime", {"TableArn": arn.partition("/backup")[0], "S3Bucket": "mine"}),
        "import": ("ImportTable", {"TableCreationParameters": {**table, "TableName": "new"}, **source}),
        "delete": ("DeleteBackup", {"BackupArn": arn}),
    }[job]
    with (
        Server(engine) as server,
        socket.create_connection(server.address) as worker,
        socket.create_connection(server.address) as reader,
    ):
        ask(worker, operation, **asked)
        worker.setblocking(False)
        answered = 0
        begun = b""
        while not begun:
            ask(reader, "GetItem", Key=wire({"a": "7"}))
            assert told(reader) == {"Item": {"a": {"S": "7"}}}
            ask(reader, "PutItem", Item=wire({"a": "new"}))
            assert told(reader) == {}
            with contextlib.suppress(BlockingIOError):
                begun = worker.recv(20)
            answered += 1
        assert begun.startswith(b"HTTP/1.1 200 ")
        assert answered > 2
    engine.close()


def test_a_client_that_does_not_read_is_not_served_on() -> None:
    """One answer is owed at a time: who sends and sends without reading is soon not read any more."""
    counted = []

    class Large:
        def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
            counted.append(target)
            return 200, bytes(1024 * 1024)

    with Server(Large()) as server, socket.create_connection(server.address) as client:
        client.settimeout(1)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 1000:
                client.sendall(request("GetItem", bytes(1024 * 1024)))
                sent += 1
        assert sent < 50
        assert len(counted) < 20
        client.settimeout(None)
        received = 0
        while received < len(counted) * 1024 * 1024:
            received += len(client.recv(1 << 20))


def test_half_open_connections_cost_no_thread() -> None:
    """A connection that asks nothing, or only half a request, is an entry in a set and no thread."""
    with Server(Engine()) as server, contextlib.ExitStack() as clients:
        assert talk(server, request("ListTables", b"{}")).startswith(b"HTTP/1.1 200 ")
        before = threading.active_count()
        for number in range(300):
            client = clients.enter_context(socket.create_connection(server.address))
            if number % 2:
                client.sendall(b"POST / HTTP/1.1\r\nHost: loc")
        assert talk(server, request("ListTables", b"{}")).startswith(b"HTTP/1.1 200 ")
        assert len(server._connections) >= 300
        assert threading.active_count() <= before + 1
    assert server_module._MOST_CONNECTIONS > 5000


def test_writes_of_many_clients_are_all_answered() -> None:
    """Writes that come together have their own answers, whatever became of the others."""
    engine = Engine()
    database = Database(engine)
    database.create("a:S")
    with Server(engine) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(server.address)) for _ in range(100)]
        for number, client in enumerate(clients):
            ask(client, "PutItem", Item=wire({"a": str(number % 50)}), ConditionExpression="attribute_not_exists(a)")
        answers = [told(client) for client in clients]
    assert answers.count({}) == 50
    assert sum("ConditionalCheckFailed" in str(answer) for answer in answers) == 50
    assert database.call("Scan", TableName="tab", Select="COUNT")["Count"] == 50
    engine.close()


class Slow:
    """An engine whose first write waits, and which notes what is asked of it together."""

    def __init__(self) -> None:
        self.begun, self.gate = threading.Event(), threading.Event()
        self.groups: list[list[int]] = []

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        self.begun.set()
        self.gate.wait(60)
        return 200, b"{}"

    def in_passing(self, target: str, body: bytes) -> tuple[int, bytes] | None:
        return None

    def together(self, requests: Sequence[tuple[str, bytes]], *, in_passing: bool) -> list[tuple[int, bytes]]:
        self.groups.append([len(body) for _, body in requests])
        return [(200, b"{}")] * len(requests)


def test_large_writes_are_not_all_made_together() -> None:
    """Writes that wait go into one transaction up to some bytes, so that none is held up by all the others."""
    engine = Slow()
    with Server(engine) as server, contextlib.ExitStack() as clients:
        writers = [clients.enter_context(socket.create_connection(server.address)) for _ in range(12)]
        for writer in writers:
            ask(writer, "PutItem", Item=wire({"a": "x" * 100_000}))
            engine.begun.wait(60)
        (work,) = server._works.values()
        for _ in range(600):
            if len(work._left) == len(writers) - 1:
                break
            threading.Event().wait(0.05)
        engine.gate.set()
        assert [told(writer) for writer in writers] == [{}] * len(writers)
    assert sum(map(len, engine.groups)) > 0
    assert all(sum(group[:-1]) < 128 * 1024 for group in engine.groups)
