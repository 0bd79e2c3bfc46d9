"""What the engine does in passing, and several writes in one transaction: what a server with one thread is made of."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dynamix.engine import Engine
from dynamix.engine.data.rows import FIRST, LAST
from dynamix.engine.tables.catalog import PASSING_ROWS, Again, Later
from engine.database import Database, index
from engine.vector_tables import create, search_request, vector, vectors

ROWS = 1000
WHOLE = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}}
STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


@pytest.fixture(params=["memory", "file"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(None if request.param == "memory" else tmp_path / "file.db")
    yield engine
    engine.close()


@pytest.fixture
def database(engine: Engine) -> Database:
    database = Database(engine)
    database.create("a:S b:N")
    return database


def asked(operation: str, **members: Any) -> tuple[str, bytes]:
    return operation, json.dumps({"TableName": "tab", **members}).encode()


def put(a: str, number: int = 0, **members: Any) -> tuple[str, bytes]:
    return asked("PutItem", Item={"a": {"S": a}, "b": {"N": str(number)}}, **members)


def fill(engine: Engine, rows: int, first: int = 0) -> None:
    """Store the items of the numbers from `first` on, each with a vector."""
    for start in range(first, rows, 25):
        numbers = range(start, min(start + 25, rows))
        items = [{"a": {"S": "x"}, "b": {"N": str(n)}, "c": {"S": str(n)}, "e": vector(1, n)} for n in numbers]
        request = {"RequestItems": {"tab": [{"PutRequest": {"Item": item}} for item in items]}}
        status, _ = engine.handle("BatchWriteItem", json.dumps(request).encode())
        assert status == 200


def test_a_short_request_is_answered_in_passing(engine: Engine, database: Database) -> None:
    """Reads and writes of a few rows are answered as ever, refusals included."""
    fill(engine, 25)
    for request in (
        put("y"),
        put("x", ConditionExpression="attribute_not_exists(a)"),
        asked("GetItem", Key={"a": {"S": "x"}, "b": {"N": "3"}}),
        asked("Scan", Limit=3),
        asked("Scan"),
        asked("Nothing"),
    ):
        assert engine.in_passing(*request) == engine.handle(*request)


def test_a_long_read_is_not_done_in_passing(engine: Engine, database: Database) -> None:
    """Whoever reads many rows, or large ones, is sent elsewhere, where the same request has all of them."""
    fill(engine, ROWS)
    query = asked("Query", **WHOLE)
    statement = "ExecuteStatement", b'{"Statement": "SELECT * FROM tab"}'
    assert [engine.in_passing(*request) for request in (query, asked("Scan"), statement)] == [None] * 3
    assert engine.in_passing(*query, PASSING_ROWS) == engine.handle(*query)
    assert engine.in_passing(*query, ROWS - 1) is None
    assert json.loads(engine.handle(*query)[1])["Count"] == ROWS
    backward = json.loads(engine.handle("Query", query[1][:-1] + b', "ScanIndexForward": false}')[1])
    assert [int(item["b"]["N"]) for item in backward["Items"]] == list(range(ROWS))[::-1]
    large = [{"a": {"S": "large"}, "b": {"N": str(n)}} for n in range(8)]
    for key in large:
        database.call("PutItem", TableName="tab", Item={**key, "c": {"S": "x" * 390_000}})
    batch = "BatchGetItem", json.dumps({"RequestItems": {"tab": {"Keys": large}}}).encode()
    assert engine.in_passing(*batch) is None
    assert engine.handle(*batch)[0] == 200


def test_long_reads_beside_each_other_have_all_rows(engine: Engine, database: Database) -> None:
    """They change places by the piece, also with one that ends early or is begun in the middle of another."""
    fill(engine, ROWS)
    answers: list[list[int]] = []

    def read() -> None:
        for request in (asked("Scan"), asked("Scan", Limit=600), asked("Query", **WHOLE)):
            numbers = [int(item["b"]["N"]) for item in json.loads(engine.handle(*request)[1])["Items"]]
            answers.append(numbers)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, answers)) == [600] * 4 + [ROWS] * 8
    assert all(numbers == list(range(len(numbers))) for numbers in answers)


def test_a_long_read_may_begin_in_the_middle_of_another(tmp_path: Path) -> None:
    """As in a signal's handler: on a file it is not refused."""
    engine = Engine(tmp_path / "file.db")
    Database(engine).create("a:S b:N")
    fill(engine, ROWS)
    inner: list[int] = []
    session = engine._session()
    with session.reading() as catalog:
        for number, _ in enumerate(catalog.rows(catalog.table("tab").store, FIRST, LAST)):
            if number == ROWS // 2:
                inner.append(json.loads(engine.handle(*asked("Scan"))[1])["Count"])
    assert (inner, number) == ([ROWS], ROWS - 1)
    engine.close()


def test_records_of_streams_are_read_in_passing_where_they_are_few(engine: Engine) -> None:
    """A few records are answered as ever; who would read many is sent elsewhere."""
    database = Database(engine)
    described = database.create("a:S b:N", StreamSpecification=STREAM)["TableDescription"]
    arn = described["LatestStreamArn"]
    (shard,) = database.call("DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    wanted = "GetRecords", json.dumps(database.call("GetShardIterator", **start)).encode()
    for rows in (0, 25):
        fill(engine, rows)
        answer = engine.in_passing(*wanted)
        assert answer is not None
        assert len(json.loads(answer[1])["Records"]) == rows
    fill(engine, ROWS, 25)
    assert engine.in_passing(*wanted) is None
    assert len(json.loads(engine.handle(*wanted)[1])["Records"]) == ROWS


def test_vectors_are_not_searched_in_passing(engine: Engine) -> None:
    """How long a search takes is not known before: who asks for one is always sent elsewhere."""
    database = Database(engine)
    create(database, vectors("vix", 2))
    database.call("PutItem", TableName="tab", Item={"a": {"S": "x"}, "e": vector(1, 2)})
    search = "SearchVectors", json.dumps(search_request((1, 2))).encode()
    assert engine.in_passing(*search) is None
    assert len(json.loads(engine.handle(*search)[1])["SearchResults"]) == 1


def test_a_stream_tells_writes_together_in_their_order(engine: Engine) -> None:
    """What was refused among them leaves no record, and their sequence numbers have no gap."""
    database = Database(engine)
    arn = database.create("a:S b:N", StreamSpecification=STREAM)["TableDescription"]["LatestStreamArn"]
    absent = {"ConditionExpression": "attribute_not_exists(a)"}
    outcomes = engine.together([put("x"), put("x", **absent), put("y"), put("z")], in_passing=True)
    assert outcomes is not None
    assert [status for status, _ in outcomes] == [200, 400, 200, 200]
    (shard,) = database.call("DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    records = database.call("GetRecords", **database.call("GetShardIterator", **start))["Records"]
    assert [record["dynamodb"]["Keys"]["a"]["S"] for record in records] == ["x", "y", "z"]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_writes_together_have_an_answer_each(engine: Engine, database: Database) -> None:
    """A request that fails is undone alone; each sees what those before it wrote."""
    absent = {"ConditionExpression": "attribute_not_exists(a)"}
    both = [{"Put": {"TableName": "tab", **json.loads(put(a)[1]), **absent}} for a in ("new", "x")]
    requests = [
        put("x", **absent),
        put("x", **absent),
        ("TransactWriteItems", json.dumps({"TransactItems": both}).encode()),
        put("y", **absent),
        ("PutItem", b"{"),
    ]
    outcomes = engine.together(requests, in_passing=True)
    assert outcomes is not None
    assert [status for status, _ in outcomes] == [200, 400, 400, 200, 400]
    assert b"TransactionCanceledException" in outcomes[2][1]
    items = database.call("Scan", TableName="tab")["Items"]
    assert sorted(item["a"]["S"] for item in items) == ["x", "y"]


def test_writes_that_cannot_be_together_are_not_done(engine: Engine, database: Database) -> None:
    """Where one fails in a way that may have undone the others, nothing is done, and nothing is told."""
    assert engine.together([put("x"), ("PutItem", b"{}"), (0, b"")], in_passing=True) is None  # type: ignore[list-item]
    assert engine.together([put("x"), ("PutItem", b"{}"), (0, b"")], in_passing=False) is None  # type: ignore[list-item]
    assert database.call("Scan", TableName="tab")["Count"] == 0
    assert engine.handle(*put("x"))[0] == 200


def test_another_process_that_writes_is_not_waited_for(tmp_path: Path) -> None:
    """While it holds the file, reads go on in passing and writes are sent elsewhere; they wait there."""
    engine = Engine(tmp_path / "file.db")
    Database(engine).create("a:S b:N")
    other = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert engine.in_passing(*put("x")) is None
    assert engine.together([put("x"), put("y")], in_passing=True) is None
    assert engine.in_passing(*asked("Scan")) == (200, b'{"Count":0,"ScannedCount":0,"Items":[]}')
    waiting = threading.Thread(target=engine.handle, args=put("x"))
    waiting.start()
    other.execute("ROLLBACK")
    waiting.join()
    answer = engine.in_passing(*put("y"))
    assert answer == (200, b"{}")
    assert json.loads(engine.handle(*asked("Scan"))[1])["Count"] == 2
    other.close()
    engine.close()


INDEXING: dict[str, dict[str, Any]] = {
    "GlobalSecondaryIndexes": {
        "AttributeDefinitions": [{"AttributeName": "c", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": index("new", "c:S")}],
    },
    "VectorIndexes": {"VectorIndexUpdates": [{"Create": vectors("new", 2)}]},
}


@pytest.mark.parametrize("member", INDEXING)
def test_readers_go_on_while_an_index_is_made(member: str) -> None:
    """In memory, too, others read while a long piece of work writes; nobody sees what it has not finished."""
    engine = Engine()
    database = Database(engine)
    database.create("a:S b:N")
    fill(engine, 4 * ROWS)
    seen: list[bool] = []
    made: list[tuple[int, bytes]] = []
    begun = threading.Event()

    def make() -> None:
        begun.set()
        made.append(engine.handle(*asked("UpdateTable", **INDEXING[member], StreamSpecification=STREAM)))

    writer = threading.Thread(target=make)
    writer.start()
    begun.wait()
    while not made:
        _, streams = engine.handle("ListStreams", b"{}")
        status, told = engine.handle(*asked("DescribeTable"))
        assert status == 200
        seen.append(member in json.loads(told)["Table"])
        assert seen[-1] or not json.loads(streams)["Streams"]
        assert engine.handle(*asked("GetItem", Key={"a": {"S": "x"}, "b": {"N": "7"}}))[0] == 200
        if not seen[-1]:
            assert engine.in_passing(*put("refused", ConditionExpression="attribute_exists(a)")) in (None, REFUSED)
    writer.join()
    assert made[0][0] == 200
    assert seen.count(False) > 1
    assert seen == sorted(seen)
    (made_index,) = database.call("DescribeTable", TableName="tab")["Table"][member]
    assert made_index["ItemCount"] == 4 * ROWS
    engine.close()


def test_readers_go_on_while_expiry_times_are_noted() -> None:
    """In memory, others read while the times of all items are noted; nobody sees it before it is finished."""
    engine = Engine(sweep_seconds=None)
    database = Database(engine)
    database.create("a:S b:N")
    fill(engine, 4 * ROWS)
    specification = {"AttributeName": "b", "Enabled": True}
    made: list[tuple[int, bytes]] = []
    request = asked("UpdateTimeToLive", TimeToLiveSpecification=specification)
    writer = threading.Thread(target=lambda: made.append(engine.handle(*request)))
    writer.start()
    seen = []
    while not made:
        told = json.loads(engine.handle(*asked("DescribeTimeToLive"))[1])["TimeToLiveDescription"]
        seen.append(told["TimeToLiveStatus"] == "ENABLED")
    writer.join()
    assert made[0][0] == 200
    assert seen == sorted(seen)
    with engine._database.sessions()().reading() as catalog:
        noted = catalog.table("tab").expiry_store
        assert noted is not None
        assert noted.totals(catalog.execute)[0] == 4 * ROWS - 1  # a time of 0 is none
    engine.close()


REFUSED = (
    400,
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",'
    b'"message":"The conditional request failed"}',
)


def test_a_table_may_go_while_it_is_read() -> None:
    """A long read that gave way to who deletes the table finds that it does not exist."""
    engine = Engine()
    Database(engine).create("a:S b:N")
    fill(engine, ROWS)
    memory = engine._database
    session = memory.sessions()()
    with session.reading() as catalog:
        rows = catalog.rows(catalog.table("tab").store, b"", b"\xff" * 16)
        for _ in range(256):
            next(rows)
        deleter = threading.Thread(target=engine.handle, args=asked("DeleteTable"))
        deleter.start()
        while not memory.turn.waiting:  # type: ignore[attr-defined]
            pass
        with pytest.raises(Again):
            list(rows)
    deleter.join()
    assert engine.handle(*asked("Scan"))[0] == 400
    engine.close()


def test_a_hurried_session_raises_at_once(engine: Engine, database: Database) -> None:
    """A session that is hurried does not wait for the one that writes, and goes on afterwards."""
    writing = engine._database.sessions()()
    with writing.writing():
        errors: list[BaseException] = []

        def try_it() -> None:
            try:
                with engine._database.sessions()(hurried=True).writing():
                    pass
            except Later as error:
                errors.append(error)

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        assert len(errors) == 1
    assert engine.in_passing(*put("x")) == (200, b"{}")
