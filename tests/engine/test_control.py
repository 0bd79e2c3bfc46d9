"""Controlling a server that a test started: tables, clock and faults."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from dynamix.cli import main
from dynamix.engine import Engine
from dynamix.engine.http.control import Clock, Control
from dynamix.engine.http.server import Server
from engine.database import index, wire
from engine.served import CONTENT, post, served
from engine.vector_tables import vectors

OF_STREAMS = {"X-Amz-Target": "DynamoDBStreams_20120810.DescribeStream"}


@pytest.fixture
def server() -> Iterator[Server]:
    clock = Clock()
    engine = Engine(clock=clock)
    with Server(engine, control=Control(engine, clock, Engine().snapshot())) as server:
        yield server
    engine.close()


@pytest.fixture
def http_(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(*server.address)
    yield connection
    connection.close()


def control(connection: http.client.HTTPConnection, verb: str, **given: Any) -> Any:
    connection.request("POST", f"/_control/{verb}", json.dumps(given), CONTENT)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def ask(connection: http.client.HTTPConnection, operation: str, **members: Any) -> Any:
    return json.loads(post(connection, operation, json.dumps(members).encode())[2])


def create(connection: http.client.HTTPConnection, name: str = "tab", **more: Any) -> None:
    definitions = [{"AttributeName": "a", "AttributeType": "S"}]
    for each in more.get("GlobalSecondaryIndexes", ()):
        definitions += each.pop("definitions")
    told = ask(
        connection,
        "CreateTable",
        TableName=name,
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        AttributeDefinitions=definitions,
        **{"BillingMode": "PAY_PER_REQUEST", **more},
    )
    assert "TableDescription" in told, told


def test_a_reset_leaves_nothing(http_: http.client.HTTPConnection) -> None:
    """All tables are gone, and the clock and the faults are as at the start."""
    create(http_)
    control(http_, "clock", now=1000)
    control(http_, "faults", faults=[{"kind": "error", "times": None}])
    assert control(http_, "reset") == (200, {})
    assert ask(http_, "ListTables") == {"TableNames": []}
    assert control(http_, "clock")[1]["now"] > 1_000_000


def test_a_snapshot_is_gone_back_to(http_: http.client.HTTPConnection) -> None:
    """Snapshots have names; one that does not exist is said."""
    create(http_)
    assert control(http_, "snapshot", name="one") == (200, {"snapshots": ["one"]})
    ask(http_, "PutItem", TableName="tab", Item=wire({"a": "x"}))
    assert control(http_, "snapshot") == (200, {"snapshots": ["default", "one"]})
    assert control(http_, "restore", name="one") == (200, {})
    assert ask(http_, "Scan", TableName="tab")["Count"] == 0
    assert control(http_, "restore") == (200, {})
    assert ask(http_, "Scan", TableName="tab")["Count"] == 1
    status, told = control(http_, "restore", name="two")
    assert (status, told["message"]) == (400, "there is no snapshot 'two'; those there are: ['default', 'one']")


def test_items_expire_by_the_clock_that_is_set(http_: http.client.HTTPConnection) -> None:
    """The clock stands still at a time, or is ahead; what has expired by it is deleted when that is asked for."""
    create(http_)
    ttl = {"AttributeName": "until", "Enabled": True}
    ask(http_, "UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=ttl)
    control(http_, "clock", now=1_900_000_000)
    ask(http_, "PutItem", TableName="tab", Item=wire({"a": "x", "until": 1_900_000_100}))
    assert control(http_, "expire") == (200, {})
    assert ask(http_, "Scan", TableName="tab")["Count"] == 1
    assert control(http_, "clock", now=1_900_000_200) == (200, {"now": 1_900_000_200.0})
    assert control(http_, "expire") == (200, {})
    assert ask(http_, "DescribeTable", TableName="tab")["Table"]["ItemCount"] == 0
    here = control(http_, "clock")[1]["now"]
    assert control(http_, "clock", ahead=1000)[1]["now"] >= here + 1000
    assert control(http_, "clock", now=1, ahead=1)[0] == 400


def test_shards_are_closed_as_asked(http_: http.client.HTTPConnection) -> None:
    """The open shards of all streams are closed at once, and each has a child."""
    create(http_, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    assert control(http_, "roll") == (200, {"closed": 1})
    arn = ask(http_, "DescribeTable", TableName="tab")["Table"]["LatestStreamArn"]
    told = post(http_, "DescribeStream", json.dumps({"StreamArn": arn}).encode(), **OF_STREAMS)[2]
    first, second = json.loads(told)["StreamDescription"]["Shards"]
    assert "EndingSequenceNumber" in first["SequenceNumberRange"]
    assert second["ParentShardId"] == first["ShardId"]


def test_requests_are_throttled_and_fail_as_asked(http_: http.client.HTTPConnection) -> None:
    """By operation, or on the nth request; so many times, and nothing of them is carried out."""
    create(http_)
    put = {"TableName": "tab", "Item": wire({"a": "x"})}
    faults = [
        {"kind": "throttle", "operation": "PutItem", "nth": 2},
        {"kind": "error", "operation": "Scan", "times": 2},
    ]
    assert control(http_, "faults", faults=faults) == (200, {})
    told = [ask(http_, "PutItem", **put).get("__type", "").rpartition("#")[2] for _ in range(3)]
    assert told == ["", "ProvisionedThroughputExceededException", ""]
    assert [post(http_, "Scan", b'{"TableName": "tab"}')[0] for _ in range(3)] == [500, 500, 200]


def test_connections_are_cut_and_answers_delayed(server: Server) -> None:
    """A request is cut off before it is carried out, or after; a delayed one has its answer in the end."""
    connection = http.client.HTTPConnection(*server.address)
    create(connection)
    for key, after in (("before", False), ("after", True)):
        control(connection, "faults", faults=[{"kind": "cut", "operation": "PutItem", "after": after}])
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(connection, "PutItem", TableName="tab", Item=wire({"a": key}))
        connection.close()
    assert ask(connection, "Scan", TableName="tab")["Items"] == [wire({"a": "after"})]
    control(connection, "faults", faults=[{"kind": "delay", "seconds": 0.01}])
    assert ask(connection, "Scan", TableName="tab")["Count"] == 1
    connection.close()


def test_tables_and_items_are_seeded(http_: http.client.HTTPConnection) -> None:
    """What DescribeTable told makes the same table again, and items are stored in it; refusals are told."""
    create(
        http_,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 3},
        GlobalSecondaryIndexes=[
            {**index("gsi", "g:S"), "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
        ],
    )
    create(http_, "paid")
    described = [ask(http_, "DescribeTable", TableName=name) for name in ("tab", "paid")]
    control(http_, "reset")
    items = [wire({"a": str(number)}) for number in range(60)]
    assert control(http_, "seed", tables=described, items={"tab": items}) == (200, {"tables": 2, "items": 60})
    again = [ask(http_, "DescribeTable", TableName=name)["Table"] for name in ("tab", "paid")]
    for new, old in zip(again, (told["Table"] for told in described), strict=True):
        for member in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes"):
            assert [{**part, "ItemCount": 0, "IndexSizeBytes": 0} for part in new.get(member, ())] == [
                {**part, "ItemCount": 0, "IndexSizeBytes": 0} for part in old.get(member, ())
            ]
        assert new["ProvisionedThroughput"] == old["ProvisionedThroughput"]
    assert again[0]["ItemCount"] == 60
    status, told = control(http_, "seed", tables=[described[0]["Table"]])
    assert (status, told["message"]) == (400, "CreateTable: Table already exists: tab")


def test_streams_and_vector_indexes_are_seeded(http_: http.client.HTTPConnection) -> None:
    """A table that is made again as it was told of has a stream anew, and its vector indexes."""
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    create(http_, StreamSpecification=stream, VectorIndexes=[vectors("near", 2)])
    described = ask(http_, "DescribeTable", TableName="tab")
    control(http_, "reset")
    assert control(http_, "seed", tables=[described]) == (200, {"tables": 1, "items": 0})
    again = ask(http_, "DescribeTable", TableName="tab")["Table"]
    assert again["StreamSpecification"] == stream
    assert again["VectorIndexes"] == described["Table"]["VectorIndexes"]


@pytest.mark.parametrize(
    ("verb", "body", "status", "said"),
    [
        ("nothing", "{}", 404, "there is no 'nothing': reset, snapshot"),
        ("reset", "{", 400, "truncated"),
        ("reset", '{"all": true}', 400, "unknown field `all`"),
        ("faults", '{"faults": [{"kind": "rain"}]}', 400, "Invalid enum value 'rain'"),
        ("faults", '{"faults": [{"kind": "cut", "nth": 0}]}', 400, "nth and times begin at 1"),
    ],
)
def test_what_cannot_be_done_is_said(
    http_: http.client.HTTPConnection, verb: str, body: str, status: int, said: str
) -> None:
    """A wrong verb or body changes nothing and has a message."""
    http_.request("POST", f"/_control/{verb}", body)
    answer = http_.getresponse()
    assert answer.status == status
    assert said in json.loads(answer.read())["message"]


def test_control_is_off_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the option there is nothing of it; with it the command serves it, for one engine only."""
    with served() as (_, connection):
        connection.request("POST", "/_control/reset", "{}", CONTENT)
        assert connection.getresponse().read().startswith(b'{"__type":"com.amazon.coral.service#Unknown')
    with served("--control") as (_, connection):
        create(connection)
        assert control(connection, "reset") == (200, {})
        assert ask(connection, "ListTables") == {"TableNames": []}
    assert main(["serve", "--port", "0", "--control", "--accounts"]) == 1
    assert "one engine is controlled" in capsys.readouterr().err


def test_control_asks_for_a_signature_where_keys_are_known() -> None:
    """A server with keys is controlled by who has one."""
    clock = Clock()
    engine = Engine(clock=clock)
    with Server(engine, control=Control(engine, clock, Engine().snapshot()), keys={"a": "b"}) as server:
        connection = http.client.HTTPConnection(*server.address)
        status, told = control(connection, "reset")
        assert (status, told["message"]) == (400, "Request is missing Authentication Token")
        connection.close()
    engine.close()
