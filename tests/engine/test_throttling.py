"""Throughput: an engine that is told to throttle refuses what tables and indexes have not the units for."""

from typing import Any

import pytest

from dynamix.cli import main
from dynamix.engine import Engine
from engine.database import Clock, Database, index, wire

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
TAB = {"TableName": "tab"}
PROVISIONED = "ProvisionedThroughputExceededException"


def units(read: int, write: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


class Throttled(Database):
    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(Engine(clock=self.clock, throttle=True))

    def pay(self, read: int = 100, write: int = 100, **more: Any) -> None:
        self.create("a:S", BillingMode="PROVISIONED", **units(read, write), **more)

    def reasons(self, target: str, **request: Any) -> tuple[str, list[tuple[str, str]]]:
        error = self.error(target, **request)
        reasons = error.get("ThrottlingReasons", error.get("throttlingReasons", ()))
        return error["__type"].rpartition("#")[2], [(each["reason"], each["resource"]) for each in reasons]


@pytest.fixture
def database() -> Throttled:
    return Throttled()


def item(key: str = "x", **more: Any) -> dict[str, Any]:
    return {**TAB, "Item": wire({"a": key, **more})}


def test_units_come_with_time(database: Throttled) -> None:
    """A new table has those of a second; what is not used is there later, up to five minutes of it."""
    database.pay(write=1)
    database.put(a="x")
    too_many = PROVISIONED, [("TableWriteProvisionedThroughputExceeded", ARN)]
    assert database.reasons("PutItem", **item("y")) == too_many
    assert database.get(a="y") is None
    database.clock.now += 0.5
    assert database.reasons("PutItem", **item("y")) == too_many
    database.clock.now += 0.5
    database.put(a="y")
    database.clock.now += 1000
    for _ in range(300):
        database.put(a="y")
    assert database.reasons("PutItem", **item()) == too_many
    database.call("UpdateTable", **TAB, **units(100, 2))
    database.clock.now += 1
    database.put(a="x")
    database.put(a="x")


def test_what_takes_more_than_a_second_brings_is_owed(database: Throttled) -> None:
    """It is served, and nothing else until it is paid for."""
    database.pay(write=2)
    database.put(a="x", b="y" * 5000)
    database.clock.now += 2
    assert database.refusal("PutItem", **item())[0] == PROVISIONED
    database.clock.now += 0.5
    database.put(a="x")


def test_a_failed_condition_takes_what_the_item_would(database: Throttled) -> None:
    """The write is refused all the same, and the units are gone."""
    database.pay(write=3)
    database.put(a="x", b="y" * 1000)
    condition = {"ConditionExpression": "attribute_not_exists(a)"}
    assert database.refusal("PutItem", **item(), **condition)[0] == "ConditionalCheckFailedException"
    database.put(a="y")
    assert database.refusal("PutItem", **item(), **condition)[0] == PROVISIONED


def test_reads_are_counted_as_they_cost(database: Throttled) -> None:
    """A consistent read takes one unit, another a half; queries, scans and statements what they read."""
    database.pay(read=1)
    get = {**TAB, "Key": wire({"a": "x"})}
    too_many = PROVISIONED, [("TableReadProvisionedThroughputExceeded", ARN)]
    database.call("GetItem", **get)
    database.call("GetItem", **get)
    assert database.reasons("GetItem", **get) == too_many
    for target, request in (
        ("GetItem", {**get, "ConsistentRead": True}),
        ("Scan", TAB),
        ("ExecuteStatement", {"Statement": "SELECT * FROM tab"}),
    ):
        assert database.reasons(target, **request) == too_many
        database.clock.now += 1
        database.call(target, **request)
        if target != "GetItem":
            database.call("GetItem", **get)


def test_an_index_has_throughput_of_its_own(database: Throttled) -> None:
    """A write is refused where an index lacks it, and touches it; a local index shares that of its table."""
    paid = {**index("gsi", "b:S"), **units(1, 1)}
    database.create(
        "a:S c:S",
        BillingMode="PROVISIONED",
        **units(100, 3),
        GlobalSecondaryIndexes=[paid],
        LocalSecondaryIndexes=[index("lsi", "a:S d:S")],
    )
    database.put(a="x", c="x", b="y")
    of_index = PROVISIONED, [("IndexWriteProvisionedThroughputExceeded", f"{ARN}/index/gsi")]
    assert database.reasons("PutItem", **item(c="z", b="y")) == of_index
    database.put(a="x", c="z", d="y")
    assert database.refusal("PutItem", **item(c="z"))[0] == PROVISIONED
    scan = {**TAB, "IndexName": "gsi"}
    database.call("Scan", **scan)
    database.call("Scan", **scan)
    reasons = [("IndexReadProvisionedThroughputExceeded", f"{ARN}/index/gsi")]
    assert database.reasons("Scan", **scan) == (PROVISIONED, reasons)
    database.call("Scan", **TAB)


def test_a_table_on_demand_has_the_limits_that_it_was_given(database: Throttled) -> None:
    """They save nothing up; without them it has no limit, and -1 removes one."""
    database.create("a:S", OnDemandThroughput={"MaxWriteRequestUnits": 1})
    database.put(a="x")
    assert database.reasons("PutItem", **item()) == (
        "ThrottlingException",
        [("TableWriteMaxOnDemandThroughputExceeded", ARN)],
    )
    for _ in range(10):
        database.get(a="x")
    database.clock.now += 100
    database.put(a="x")
    assert database.refusal("PutItem", **item()) == (
        "ThrottlingException",
        "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
    )
    database.call("UpdateTable", **TAB, OnDemandThroughput={"MaxWriteRequestUnits": -1})
    for _ in range(10):
        database.put(a="x")


def test_batches_hand_back_what_is_throttled(database: Throttled) -> None:
    """What there are units for is done; only where that is nothing, the batch fails."""
    database.pay(read=1, write=2)
    puts = [{"PutRequest": {"Item": wire({"a": key})}} for key in "xyz"]
    assert database.call("BatchWriteItem", RequestItems={"tab": puts})["UnprocessedItems"] == {"tab": puts[2:]}
    assert database.refusal("BatchWriteItem", RequestItems={"tab": puts})[0] == PROVISIONED
    keys = {"Keys": [wire({"a": key}) for key in "xyz"]}
    answer = database.call("BatchGetItem", RequestItems={"tab": keys})
    assert answer["Responses"]["tab"] == keys["Keys"][:2]
    assert answer["UnprocessedKeys"] == {"tab": {"Keys": keys["Keys"][2:]}}
    assert database.refusal("BatchGetItem", RequestItems={"tab": keys})[0] == PROVISIONED
    database.clock.now += 1
    statements = [{"Statement": f"INSERT INTO tab VALUE {{'a': '{key}'}}"} for key in "uvw"]
    told = database.call("BatchExecuteStatement", Statements=statements)["Responses"]
    assert [each.get("Error", {}).get("Code") for each in told] == [None, None, "ProvisionedThroughputExceeded"]
    reads = [{"Statement": f"SELECT * FROM tab WHERE a = '{key}'"} for key in "uvw"]
    told = database.call("BatchExecuteStatement", Statements=reads)["Responses"]
    assert [each.get("Error", {}).get("Code") for each in told] == [None, None, "ProvisionedThroughputExceeded"]
    assert database.call("DescribeTable", **TAB)["Table"]["ItemCount"] == 4


def test_a_transaction_is_cancelled_where_units_lack(database: Throttled) -> None:
    """It takes twice as many, nothing of it is done, and the reason is that of its action."""
    database.pay(read=2, write=2)
    puts = [{"Put": {**TAB, "Item": wire({"a": key})}} for key in "xy"]
    error = database.error("TransactWriteItems", TransactItems=puts)
    assert [each["Code"] for each in error["CancellationReasons"]] == ["None", "ProvisionedThroughputExceeded"]
    assert all(set(each) <= {"Code", "Message"} for each in error["CancellationReasons"])
    assert database.get(a="x") is None
    database.clock.now += 1
    statements = [{"Statement": "INSERT INTO tab VALUE {'a': 'x'}"}]
    database.call("ExecuteTransaction", TransactStatements=statements)
    error = database.error("ExecuteTransaction", TransactStatements=statements)
    assert [each["Code"] for each in error["CancellationReasons"]] == ["DuplicateItem"]
    statements = [{"Statement": "INSERT INTO tab VALUE {'a': 'y'}"}]
    error = database.error("ExecuteTransaction", TransactStatements=statements)
    assert [each["Code"] for each in error["CancellationReasons"]] == ["ProvisionedThroughputExceeded"]
    gets = [{"Get": {**TAB, "Key": wire({"a": key})}} for key in "xy"]
    error = database.error("TransactGetItems", TransactItems=gets)
    assert [each["Code"] for each in error["CancellationReasons"]] == ["None", "ProvisionedThroughputExceeded"]


def test_one_process_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Several workers would each have the whole throughput."""
    assert main(["serve", "--throttle", "--workers", "2", "--db", "x"]) == 1
    assert "throughput is counted in one process" in capsys.readouterr().err
