"""Tables: made, described, listed, changed, deleted."""

# ruff: noqa: E501 - the messages of the service are long

import contextlib
from pathlib import Path
from typing import Any

import pytest

from dynamix import engine as engine_package
from dynamix.engine import Engine
from dynamix.engine.requests.shape_table import OPERATIONS, SHAPES, Structure
from engine.database import Database, index, keys_of

CODE = "".join(
    path.read_text()
    for path in Path(engine_package.__path__[0]).rglob("*.py")
    if path.name not in ("shape_table.py", "shapes.py")
)
"""The engine's, but for what only says which requests there are."""


@pytest.fixture
def database() -> Database:
    return Database()


def test_created_table_is_described(database: Database) -> None:
    """A table is CREATING in the answer to its creation and ACTIVE in the next."""
    created = database.create(
        "a:S b:N",
        GlobalSecondaryIndexes=[index("gsi", "c:S", "KEYS_ONLY")],
        LocalSecondaryIndexes=[index("lsi", "a:S c:S", "INCLUDE", "d")],
        TableClass="STANDARD_INFREQUENT_ACCESS",
        SSESpecification={"Enabled": True},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        OnDemandThroughput={"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20},
    )["TableDescription"]
    assert created["TableStatus"] == "CREATING"
    assert created["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    described = database.call("DescribeTable", TableName="tab")["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["TableArn"] == "arn:aws:dynamodb:us-east-1:000000000000:table/tab"
    assert described["TableId"] == created["TableId"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    assert described["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert described["SSEDescription"]["Status"] == "ENABLED"
    assert described["LatestStreamArn"] == f"{described['TableArn']}/stream/{described['LatestStreamLabel']}"
    assert described["OnDemandThroughput"] == {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}
    assert described["DeletionProtectionEnabled"] is False
    (global_,) = described["GlobalSecondaryIndexes"]
    assert global_["IndexStatus"] == "ACTIVE"
    assert global_["IndexArn"] == f"{described['TableArn']}/index/gsi"
    (local,) = described["LocalSecondaryIndexes"]
    assert local["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["d"]}
    assert "IndexStatus" not in local


def test_counts_and_sizes_follow_the_writes(database: Database) -> None:
    """ItemCount and sizes are exact, of the table and of each index."""
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S", "KEYS_ONLY")])
    database.put(a="one", c="x", d="yy")
    database.put(a="two")
    database.put(a="two", d="y")
    described = database.call("DescribeTable", TableName="tab")["Table"]
    assert (described["ItemCount"], described["TableSizeBytes"]) == (2, 4 + 2 + 3 + 4 + 2)
    (global_,) = described["GlobalSecondaryIndexes"]
    assert (global_["ItemCount"], global_["IndexSizeBytes"]) == (1, 4 + 2)
    database.call("DeleteItem", TableName="tab", Key={"a": {"S": "one"}})
    described = database.call("DescribeTable", TableName="tab")["Table"]
    assert (described["ItemCount"], described["TableSizeBytes"]) == (1, 4 + 2)
    assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == 0


def test_names_are_listed_in_pages(database: Database) -> None:
    """Tables are listed in the order of their names, with a name to go on after."""
    for name in ("ccc", "aaa", "bbb"):
        database.create("a:S", name=name)
    assert database.call("ListTables") == {"TableNames": ["aaa", "bbb", "ccc"]}
    page = database.call("ListTables", Limit=2)
    assert page == {"TableNames": ["aaa", "bbb"], "LastEvaluatedTableName": "bbb"}
    assert database.call("ListTables", ExclusiveStartTableName="bbb", Limit=2) == {"TableNames": ["ccc"]}


def test_missing_tables_are_named(database: Database) -> None:
    """The operations on tables say which table is not there; those on items do not."""
    ttl = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "t"}}
    for target, more in (
        ("DescribeTable", {}),
        ("DeleteTable", {}),
        ("UpdateTable", {"TableClass": "STANDARD"}),
        ("DescribeTimeToLive", {}),
        ("UpdateTimeToLive", ttl),
    ):
        code, message = database.refusal(target, TableName="nope", **more)
        assert code == "ResourceNotFoundException"
        assert message == "Requested resource not found: Table: nope not found"
    assert database.refusal("GetItem", TableName="nope", Key={"a": {"S": "x"}}) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )


def test_tables_answer_to_their_arn(database: Database) -> None:
    """Where the service takes a table's name it takes its ARN."""
    arn = database.create("a:S")["TableDescription"]["TableArn"]
    database.put(a="x", table=arn)
    assert database.get(a="x") == {"a": {"S": "x"}}


def test_a_name_is_taken_once(database: Database) -> None:
    """A second table of the same name is refused; after a deletion the name is free and the items are gone."""
    database.create("a:S")
    database.put(a="x")
    definitions, schema = keys_of("a:S")
    code, message = database.refusal(
        "CreateTable",
        TableName="tab",
        AttributeDefinitions=definitions,
        KeySchema=schema,
        BillingMode="PAY_PER_REQUEST",
    )
    assert (code, message) == ("ResourceInUseException", "Table already exists: tab")
    assert database.call("DeleteTable", TableName="tab")["TableDescription"]["TableStatus"] == "DELETING"
    database.create("a:S")
    assert database.get(a="x") is None


def test_protected_tables_stay(database: Database) -> None:
    """Deletion protection has to be lifted before a table can be deleted."""
    database.create("a:S", DeletionProtectionEnabled=True)
    code, message = database.refusal("DeleteTable", TableName="tab")
    assert code == "ValidationException"
    assert "protected against deletion" in message
    database.call("UpdateTable", TableName="tab", DeletionProtectionEnabled=False)
    database.call("DeleteTable", TableName="tab")


ALL = {"ProjectionType": "ALL"}
IN = "One or more parameter values were invalid: "


def _index(keys: str, **more: object) -> dict[str, object]:
    return {"IndexName": "idx", "KeySchema": keys_of(keys)[1], "Projection": ALL, **more}


@pytest.mark.parametrize(
    ("defined", "keys", "more", "message"),
    [
        ("a:S b:S", "a:S", {}, f"{IN}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"),
        ("b:S", "a:S", {}, f"{IN}Some index key attributes are not defined in AttributeDefinitions. Keys: [a], AttributeDefinitions: [b]"),
        ("a:S", "a:S a:S", {}, "Both the Hash Key and the Range Key element in the KeySchema have the same name"),
        ("a:S b:S", "a:S b:S!", {}, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"),
        ("a:S", "a:S", {"BillingMode": "PROVISIONED"}, f"{IN}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"),
        ("a:S", "a:S", {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}, f"{IN}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"),
        ("a:S", "a:S", {"GlobalSecondaryIndexes": []}, f"{IN}List of GlobalSecondaryIndexes is empty"),
        ("a:S b:S", "a:S", {"LocalSecondaryIndexes": [_index("a:S b:S")]}, f"{IN}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"),
        ("a:S b:S c:S", "a:S b:S", {"LocalSecondaryIndexes": [_index("c:S b:S")]}, f"{IN}Index KeySchema does not have the same leading hash key as table KeySchema for index: idx. index hash key: c, table hash key: a"),
        ("a:S b:S", "a:S b:S", {"LocalSecondaryIndexes": [_index("a:S")]}, f"{IN}Index KeySchema does not have a range key for index: idx"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S"), _index("b:S")]}, f"{IN}Duplicate index name: idx"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S", Projection={})]}, f"{IN}Unknown ProjectionType: null"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S", Projection={"ProjectionType": "ALL", "NonKeyAttributes": ["x"]})]}, f"{IN}ProjectionType is ALL, but NonKeyAttributes is specified"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S", Projection={"ProjectionType": "INCLUDE"})]}, f"{IN}ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
        ("a:S b:S c:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S")]}, f"{IN}Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c], keys used: [a, b]"),
    ],
)  # fmt: skip
def test_impossible_tables_are_refused(
    database: Database, defined: str, keys: str, more: dict[str, object], message: str
) -> None:
    """What no table can have is refused in the service's words, and no table is made."""
    request = {"BillingMode": "PAY_PER_REQUEST", **more}
    refused = database.refusal(
        "CreateTable", TableName="tab", AttributeDefinitions=keys_of(defined)[0], KeySchema=keys_of(keys)[1], **request
    )
    assert refused == ("ValidationException", message)
    assert database.call("ListTables")["TableNames"] == []


def test_throughput_is_changed(database: Database) -> None:
    """A new throughput is described with the time of the change; the same again is refused."""
    throughput = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    database.create("a:S", BillingMode="PROVISIONED", ProvisionedThroughput=throughput)
    code, message = database.refusal("UpdateTable", TableName="tab", ProvisionedThroughput=throughput)
    assert code == "ValidationException"
    assert message.startswith("The provisioned throughput for the table will not change.")
    changed = database.call(
        "UpdateTable", TableName="tab", ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 3}
    )["TableDescription"]
    assert changed["TableStatus"] == "UPDATING"
    told = changed["ProvisionedThroughput"]
    assert (told["ReadCapacityUnits"], told["WriteCapacityUnits"], told["NumberOfDecreasesToday"]) == (7, 3, 1)
    assert "LastIncreaseDateTime" in told
    assert "LastDecreaseDateTime" in told
    database.call("UpdateTable", TableName="tab", BillingMode="PAY_PER_REQUEST")
    described = database.call("DescribeTable", TableName="tab")["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 0


def _units(reads: int, writes: int) -> dict[str, int]:
    return {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}


def _updated_index(name: str, reads: int, writes: int) -> dict[str, object]:
    return {"Update": {"IndexName": name, "ProvisionedThroughput": _units(reads, writes)}}


def test_throughput_of_an_index_is_changed(database: Database) -> None:
    """As that of a table; the same again is refused, and so is what is not paid for."""
    gsi = index("gsi", "c:S", ProvisionedThroughput=_units(1, 5))
    database.create("a:S", BillingMode="PROVISIONED", ProvisionedThroughput=_units(2, 2), GlobalSecondaryIndexes=[gsi])

    def refusal(**updates: object) -> str:
        return database.refusal("UpdateTable", TableName="tab", **updates)[1]

    assert refusal(GlobalSecondaryIndexUpdates=[_updated_index("gsi", 1, 5)]) == (
        "The provisioned throughput for the index gsi will not change. The requested value equals the current value. "
        "Current ReadCapacityUnits provisioned for the index: 1. Requested ReadCapacityUnits: 1. "
        "Current WriteCapacityUnits provisioned for the index: 5. Requested WriteCapacityUnits: 5. "
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )
    assert refusal(GlobalSecondaryIndexUpdates=[_updated_index("gsi", 10**12 + 1, 5)]) == (
        f"Given value {10**12 + 1} for ReadCapacityUnits is out of bounds for index gsi"
    )
    changed = database.call("UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[_updated_index("gsi", 1, 4)])[
        "TableDescription"
    ]["GlobalSecondaryIndexes"][0]
    assert changed["IndexStatus"] == "UPDATING"
    told = changed["ProvisionedThroughput"]
    assert (told["WriteCapacityUnits"], told["NumberOfDecreasesToday"]) == (4, 1)
    assert "LastDecreaseDateTime" in told
    database.call("UpdateTable", TableName="tab", BillingMode="PAY_PER_REQUEST")
    assert refusal(GlobalSecondaryIndexUpdates=[_updated_index("gsi", 1, 6)]) == (
        f"{IN}ProvisionedThroughput should not be specified for index: gsi when BillingMode is PAY_PER_REQUEST"
    )


def test_throughput_goes_with_the_billing_mode(database: Database) -> None:
    """It is given, for the table and each index, when the table is to be paid by it, and never otherwise."""
    database.create("a:S", GlobalSecondaryIndexes=[index("one", "c:S"), index("two", "c:S")])

    def refusal(**updates: object) -> str:
        return database.refusal("UpdateTable", TableName="tab", **updates)[1]

    assert refusal(BillingMode="PROVISIONED") == (
        f"{IN}ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
    )
    neither = (
        f"{IN}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    )
    assert refusal(ProvisionedThroughput=_units(1, 1)) == neither
    assert refusal(ProvisionedThroughput=_units(1, 1), BillingMode="PAY_PER_REQUEST") == neither
    assert refusal(ProvisionedThroughput=_units(1, 10**12 + 1), BillingMode="PROVISIONED") == (
        f"Given value {10**12 + 1} for WriteCapacityUnits is out of bounds"
    )
    paid = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(1, 1)}
    assert refusal(**paid) == f"{IN}ProvisionedThroughput must be specified for index: one,two"
    updates = [_updated_index("one", 2, 2)]
    assert refusal(**paid, GlobalSecondaryIndexUpdates=updates) == (
        f"{IN}ProvisionedThroughput must be specified for index: two"
    )
    updates.append(_updated_index("two", 3, 3))
    changed = database.call("UpdateTable", TableName="tab", **paid, GlobalSecondaryIndexUpdates=updates)
    told = changed["TableDescription"]
    assert told["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert [each["ProvisionedThroughput"]["ReadCapacityUnits"] for each in told["GlobalSecondaryIndexes"]] == [2, 3]


def test_a_stream_has_a_view_type(database: Database) -> None:
    """A stream without one is refused, and a view type without a stream, of old and new tables."""
    without = "Invalid StreamViewType: Stream ViewType must not be null or empty when enabling streams."
    alone = "Invalid StreamViewType: Stream StreamEnabled was false but a StreamViewType was present."
    definitions, schema = keys_of("a:S")
    new = {"AttributeDefinitions": definitions, "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST"}
    database.create("a:S")
    for stream, message in (
        ({"StreamEnabled": True}, without),
        ({"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}, alone),
    ):
        for target, more in (("CreateTable", {**new, "TableName": "other"}), ("UpdateTable", {"TableName": "tab"})):
            assert database.refusal(target, StreamSpecification=stream, **more) == ("ValidationException", message)


def test_streams_are_switched(database: Database) -> None:
    """A stream's settings are described, and its last ARN stays known when it is switched off."""
    database.create("a:S")
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    on = database.call("UpdateTable", TableName="tab", StreamSpecification=stream)["TableDescription"]
    assert on["StreamSpecification"] == stream
    code, _ = database.refusal("UpdateTable", TableName="tab", StreamSpecification=stream)
    assert code == "ValidationException"
    off = database.call("UpdateTable", TableName="tab", StreamSpecification={"StreamEnabled": False})
    again = database.refusal("UpdateTable", TableName="tab", StreamSpecification={"StreamEnabled": False})
    assert again == ("ValidationException", "Table has no stream to disable: TableName: tab")
    assert "StreamSpecification" not in off["TableDescription"]
    assert off["TableDescription"]["LatestStreamArn"] == on["LatestStreamArn"]


def test_updates_must_say_something(database: Database) -> None:
    """An UpdateTable that changes nothing is refused."""
    database.create("a:S")
    code, message = database.refusal("UpdateTable", TableName="tab")
    assert code == "ValidationException"
    assert message.startswith("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled")
    for member in ("OnDemandThroughput", "WarmThroughput", "SSESpecification"):
        assert database.refusal("UpdateTable", TableName="tab", **{member: {}})[1] == message
    database.create("a:S", name="indexed", GlobalSecondaryIndexes=[index("gsi", "c:S")])
    updates = [{"Update": {"IndexName": "gsi"}}]
    assert database.refusal("UpdateTable", TableName="indexed", GlobalSecondaryIndexUpdates=updates)[1] == (
        f"{IN}One of ProvisionedThroughput, OnDemandThroughput and WarmThroughput must be specified for index: gsi"
    )


def test_no_key_where_nothing_is_encrypted(database: Database) -> None:
    """SSEType and KMSMasterKeyId are refused where SSESpecification does not enable encryption."""
    definitions, schema = keys_of("a:S")
    table = {"AttributeDefinitions": definitions, "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST"}
    database.create("a:S")
    for member, text in (("SSEType", "KMS"), ("KMSMasterKeyId", "alias/mine")):
        message = f"{IN}{member} can be specified only when SSESpecification has Enabled set to true"
        for encryption in ({member: text}, {member: text, "Enabled": False}):
            for target, request in (
                ("CreateTable", {**table, "TableName": "new"}),
                ("UpdateTable", {"TableName": "tab"}),
            ):
                assert database.refusal(target, **request, SSESpecification=encryption)[1] == message
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/mine"}
    told = database.call("UpdateTable", TableName="tab", SSESpecification=encryption)["TableDescription"]
    assert told["SSEDescription"] == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "alias/mine"}
    told = database.call("UpdateTable", TableName="tab", SSESpecification={"Enabled": False})["TableDescription"]
    assert "SSEDescription" not in told


def test_attributes_are_not_redefined(database: Database) -> None:
    """UpdateTable refuses another type of an attribute, and one that is defined twice, whatever it changes."""
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")])
    again, twice = keys_of("c:N")[0], keys_of("a:S")[0] * 2
    refused = database.refusal("UpdateTable", TableName="tab", AttributeDefinitions=again, TableClass="STANDARD")
    assert refused[1].startswith("Attributes cannot be redefined.")
    refused = database.refusal("UpdateTable", TableName="tab", AttributeDefinitions=twice, TableClass="STANDARD")
    assert refused[1] == f"{IN}Duplicate AttributeName in AttributeDefinitions: a"
    database.call("UpdateTable", TableName="tab", AttributeDefinitions=keys_of("a:S")[0], TableClass="STANDARD")


def _create(name: str, keys: str, projection: str = "ALL") -> dict[str, object]:
    made = index(name, keys, projection)
    del made["definitions"]
    return {"Create": made}


def test_indexes_are_made_and_removed(database: Database) -> None:
    """A new global index holds what the table holds; a removed one is gone, and its attributes are no longer defined."""
    database.create("a:S")
    database.put(a="1", c="x")
    database.put(a="2", c={"N": "5"})
    database.put(a="3", c="")
    database.put(a="4")
    made = database.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=keys_of("c:S")[0],
        GlobalSecondaryIndexUpdates=[_create("gsi", "c:S")],
    )["TableDescription"]
    assert made["TableStatus"] == "UPDATING"
    assert made["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    found = database.call("Scan", TableName="tab", IndexName="gsi")
    assert found["Items"] == [{"a": {"S": "1"}, "c": {"S": "x"}}]
    removed = database.call(
        "UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gsi"}}]
    )["TableDescription"]
    assert removed["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    described = database.call("DescribeTable", TableName="tab")["Table"]
    assert "GlobalSecondaryIndexes" not in described
    assert described["AttributeDefinitions"] == [{"AttributeName": "a", "AttributeType": "S"}]
    code, _ = database.refusal("Scan", TableName="tab", IndexName="gsi")
    assert code == "ValidationException"
    database.put(a="5", c={"N": "5"})


def test_indexes_change_one_at_a_time(database: Database) -> None:
    """Only one index can be made or removed by one UpdateTable."""
    database.create("a:S", GlobalSecondaryIndexes=[index("old", "c:S")])
    code, _ = database.refusal(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=keys_of("d:S")[0],
        GlobalSecondaryIndexUpdates=[_create("new", "d:S"), {"Delete": {"IndexName": "old"}}],
    )
    assert code == "LimitExceededException"
    code, message = database.refusal(
        "UpdateTable",
        TableName="tab",
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "old"}}, {"Delete": {"IndexName": "old"}}],
    )
    assert message.endswith("Only one global secondary index update per index is allowed simultaneously. Index: old")
    code, _ = database.refusal(
        "UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "nope"}}]
    )
    assert code == "ResourceNotFoundException"
    code, message = database.refusal(
        "UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[_create("old", "c:S")]
    )
    assert (code, message) == ("ValidationException", "Attempting to create an index which already exists")


FEW = f"{IN}Index KeySchema can have at most 4 HASH and 4 RANGE attributes for index: idx"


@pytest.mark.parametrize(
    ("defined", "keys", "more", "message"),
    [
        ("a:S b:S", "a:S c:S", {}, f"{IN}Some index key attributes are not defined in AttributeDefinitions. Keys: [a, c], AttributeDefinitions: [a, b]"),
        ("a:S", "a:S b:S", {}, "Invalid KeySchema: Some index key attribute have no definition"),
        ("a:S a:N", "a:S", {}, f"{IN}Duplicate AttributeName in AttributeDefinitions: a"),
        ("a:S b:S c:S", "a:S b:S c:S", {}, "Invalid KeySchema: A table can have at most one HASH and one RANGE KeySchemaElement"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [_index("c:S")]}, f"{IN}Some index key attributes are not defined in AttributeDefinitions. Keys: [c], AttributeDefinitions: [a, b]"),
        ("a:S b:S c:S", "a:S b:S", {"LocalSecondaryIndexes": [{**_index("a:S c:S"), "IndexName": f"idx{number}"} for number in range(6)]}, f"{IN}Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
        ("a:S", "a:S", {"GlobalSecondaryIndexes": [{**_index("a:S"), "IndexName": f"idx{number}"} for number in range(21)]}, f"{IN}GlobalSecondaryIndex count exceeds the per-table limit of 20"),
        ("a:S b:S", "a:S b:S", {"LocalSecondaryIndexes": []}, f"{IN}List of LocalSecondaryIndexes is empty"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "x"]})]}, f"{IN}Duplicate attribute in NonKeyAttributes for index: idx"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [{**_index("b:S", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": [f"{number}-{each}" for each in range(17)]}), "IndexName": f"idx{number}"} for number in range(6)]}, f"{IN}Number of NonKeyAttributes exceeds the per-table limit of 100"),
        ("a:S b:S", "a:S", {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(1, 1), "GlobalSecondaryIndexes": [_index("b:S")]}, f"{IN}ProvisionedThroughput must be specified for index: idx"),
        ("a:S b:S", "a:S", {"GlobalSecondaryIndexes": [{**_index("b:S"), "KeySchema": [{"AttributeName": "b", "KeyType": "RANGE"}]}]}, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
        ("a:S b:S c:S", "a:S", {"GlobalSecondaryIndexes": [_index("a:S b:S c:S!")]}, "Invalid KeySchema: All HASH KeySchemaElements must precede the RANGE KeySchemaElements"),
        ("a:S b:S c:S d:S e:S", "a:S", {"GlobalSecondaryIndexes": [_index("a:S b:S! c:S! d:S! e:S!")]}, FEW),
        ("a:S b:S c:S d:S e:S f:S", "a:S", {"GlobalSecondaryIndexes": [_index("a:S b:S c:S d:S e:S f:S")]}, FEW),
        ("a:S b:S c:S", "a:S", {"GlobalSecondaryIndexes": [_index("b:S c:S! b:S")]}, "Both the Hash Key and the Range Key element in the KeySchema have the same name"),
        ("a:S b:S c:S", "a:S b:S", {"LocalSecondaryIndexes": [_index("a:S b:S c:S")]}, "Invalid KeySchema: A table can have at most one HASH and one RANGE KeySchemaElement"),
    ],
)  # fmt: skip
def test_impossible_keys_and_indexes_are_refused(
    database: Database, defined: str, keys: str, more: dict[str, object], message: str
) -> None:
    """Undefined, repeated and misplaced key attributes, and too many of anything. Only global indexes have long keys."""
    test_impossible_tables_are_refused(database, defined, keys, more, message)


def test_a_table_needs_attributes_and_keys(database: Database) -> None:
    """What is missing of the two is told at once."""
    absent = "Value null at '{}' failed to satisfy constraint: Member must not be null"
    definitions, schema = keys_of("a:S")
    for more, message in (
        ({}, f"2 validation errors detected: {absent.format('attributeDefinitions')}; {absent.format('keySchema')}"),
        ({"KeySchema": schema}, f"1 validation error detected: {absent.format('attributeDefinitions')}"),
        ({"AttributeDefinitions": definitions}, f"1 validation error detected: {absent.format('keySchema')}"),
    ):
        refused = database.refusal("CreateTable", TableName="tab", BillingMode="PAY_PER_REQUEST", **more)
        assert refused == ("ValidationException", message)


def test_impossible_updates_of_indexes_are_refused(database: Database) -> None:
    """An update names one change, of an index that is there, and no type may change."""
    database.create("a:S", GlobalSecondaryIndexes=[index(f"idx{number}", "b:S") for number in range(20)])

    def refusal(*updates: object, **more: object) -> tuple[str, str]:
        return database.refusal("UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=updates, **more)

    kinds = "GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete"
    assert refusal({}) == ("ValidationException", f"{IN}One of {kinds} must not be null")
    both = {**_updated_index("idx0", 1, 1), "Delete": {"IndexName": "idx0"}}
    assert refusal(both) == ("ValidationException", f"{IN}Only one of {kinds} may be specified")
    missing = ("ResourceNotFoundException", "Requested resource not found")
    assert refusal({"Update": {"IndexName": "nope", "OnDemandThroughput": {"MaxReadRequestUnits": 5}}}) == missing
    assert refusal(_create("more", "b:S")) == (
        "ValidationException",
        f"{IN}GlobalSecondaryIndex count exceeds the per-table limit of 20",
    )
    database.call("UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "idx0"}}])
    assert refusal(_create("more", "a:N"), AttributeDefinitions=keys_of("a:N")[0]) == (
        "ValidationException",
        "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined: a is S, not N",
    )


def test_a_new_index_defines_its_attributes(database: Database) -> None:
    """AttributeDefinitions of the request have all key attributes of the index, though the table uses them already."""
    database.create("a:S b:S", LocalSecondaryIndexes=[index("lsi", "a:S c:S")])
    for keys, given, listed in (("c:S", "a:S", "c"), ("c:S", "", "c"), ("a:S", "b:S", "a"), ("c:S b:S", "c:S", "c, b")):
        refused = database.refusal(
            "UpdateTable",
            TableName="tab",
            AttributeDefinitions=keys_of(given)[0],
            GlobalSecondaryIndexUpdates=[_create("gsi", keys)],
        )
        assert refused == (
            "ValidationException",
            f"{IN}Some index key attributes are not defined in AttributeDefinitions. Keys: [{listed}], "
            f"AttributeDefinitions: [{given.partition(':')[0]}]",
        )
    database.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=keys_of("c:S b:S")[0],
        GlobalSecondaryIndexUpdates=[_create("gsi", "c:S b:S")],
    )


def test_limits_are_described_until_removed(database: Database) -> None:
    """On-demand limits and warm throughput stay described; -1 removes a limit, and throughput remembers its changes."""
    limits = {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 6}
    database.create("a:S", OnDemandThroughput=limits)

    def update(**settings: object) -> dict[str, object]:
        database.call("UpdateTable", TableName="tab", **settings)
        table: dict[str, object] = database.call("DescribeTable", TableName="tab")["Table"]
        return table

    assert update(TableClass="STANDARD")["OnDemandThroughput"] == limits
    removed = update(OnDemandThroughput={"MaxReadRequestUnits": -1})["OnDemandThroughput"]
    assert removed == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 6}
    assert "OnDemandThroughput" not in update(OnDemandThroughput={"MaxWriteRequestUnits": -1})
    warm = {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}
    assert update(WarmThroughput=warm)["WarmThroughput"] == {**warm, "Status": "ACTIVE"}
    update(BillingMode="PROVISIONED", ProvisionedThroughput=_units(5, 5))
    first = update(ProvisionedThroughput=_units(6, 5))["ProvisionedThroughput"]
    second = update(ProvisionedThroughput=_units(6, 4))["ProvisionedThroughput"]
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert second["LastIncreaseDateTime"] == first["LastIncreaseDateTime"]
    assert second["NumberOfDecreasesToday"] == first["NumberOfDecreasesToday"] + 1


def test_impossible_limits_are_refused(database: Database) -> None:
    """Limits of what is paid on demand go with such tables; a limit is -1, or at least one unit."""
    definitions, schema = keys_of("a:S")
    table = {"TableName": "new", "AttributeDefinitions": definitions, "KeySchema": schema}
    paid = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(1, 1)}
    limit = {"OnDemandThroughput": {"MaxReadRequestUnits": 5}}
    neither = (
        f"{IN}Neither MaxReadRequestUnits nor MaxWriteRequestUnits can be specified when BillingMode is PROVISIONED"
    )
    made = index("gsi", "a:S", ProvisionedThroughput=_units(1, 1), **limit)
    del made["definitions"]
    assert database.refusal("CreateTable", **table, **paid, **limit)[1] == neither
    assert database.refusal("CreateTable", **table, **paid, GlobalSecondaryIndexes=[made])[1] == (
        f"{neither} for index: gsi"
    )
    database.create(
        "a:S",
        name="paid",
        **paid,
        GlobalSecondaryIndexes=[index("gsi", "c:S", ProvisionedThroughput=_units(1, 1))],
    )
    assert database.refusal("UpdateTable", TableName="paid", **limit)[1] == neither
    updates = [{"Update": {"IndexName": "gsi", **limit}}]
    assert database.refusal("UpdateTable", TableName="paid", GlobalSecondaryIndexUpdates=updates)[1] == (
        f"{neither} for index: gsi"
    )
    database.create("a:S")
    for setting, name, units in (
        ("OnDemandThroughput", "MaxReadRequestUnits", 0),
        ("OnDemandThroughput", "MaxWriteRequestUnits", -2),
        ("WarmThroughput", "ReadUnitsPerSecond", -1),
    ):
        message = f"{IN}Given value {units} for {name} is out of bounds"
        assert database.refusal("UpdateTable", TableName="tab", **{setting: {name: units}})[1] == message
        demanded = {**table, "BillingMode": "PAY_PER_REQUEST", setting: {name: units}}
        assert database.refusal("CreateTable", **demanded)[1] == message
    demanded = {**table, "BillingMode": "PAY_PER_REQUEST", "OnDemandThroughput": {}}
    assert "or both must be specified" in database.refusal("CreateTable", **demanded)[1]


@pytest.mark.parametrize(
    ("target", "member", "value"),
    [
        ("CreateTable", "GlobalTableSourceArn", "arn:aws:dynamodb:us-east-1:000000000000:table/source"),
        ("CreateTable", "GlobalTableSettingsReplicationMode", "ENABLED"),
        ("UpdateTable", "ReplicaUpdates", [{"Create": {"RegionName": "eu-west-1"}}]),
        ("UpdateTable", "MultiRegionConsistency", "STRONG"),
        ("UpdateTable", "GlobalTableWitnessUpdates", [{"Create": {"RegionName": "eu-west-1"}}]),
        ("UpdateTable", "GlobalTableSettingsReplicationMode", "ENABLED"),
        ("UpdateTable", "DisassociationProtectionEnabled", True),
    ],
)
def test_what_cannot_be_honoured_is_refused(database: Database, target: str, member: str, value: object) -> None:
    """A part of a request that the engine has not is refused by its name, also beside parts that it has."""
    definitions, schema = keys_of("a:S")
    request = {"TableName": "tab", "BillingMode": "PAY_PER_REQUEST"}
    if target == "UpdateTable":
        database.create("a:S")
        request["DeletionProtectionEnabled"] = True
    else:
        request |= {"AttributeDefinitions": definitions, "KeySchema": schema}
    expected = f"{member} of {target} is not available in the embedded engine: leave it out"
    assert database.refusal(target, **request, **{member: value}) == ("ValidationException", expected)
    assert database.call("ListTables")["TableNames"] == (["tab"] if target == "UpdateTable" else [])
    if target == "UpdateTable":
        assert not database.call("DescribeTable", TableName="tab")["Table"]["DeletionProtectionEnabled"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_part_of_a_request_is_forgotten(operation: str) -> None:
    """Every member that the shape of a request lets pass is named by code that works with it or refuses it."""
    shape = SHAPES[OPERATIONS[operation]]
    assert isinstance(shape, Structure)
    assert [member.name for member in shape.members if f'"{member.name}"' not in CODE] == []


@pytest.mark.parametrize("path", [None, "notes.db"])
@pytest.mark.parametrize("swept", [False, True])
def test_a_large_table_is_removed_in_pieces(path: str | None, swept: bool, tmp_path: Path) -> None:
    """What is large goes in many transactions, between which others work, and who looks later ends what was begun."""
    engine = Engine(path and tmp_path / path)
    database = Database(engine)
    database.create("a:S", GlobalSecondaryIndexes=[index("other", "b:S")])
    for number in range(30):
        database.put(a=str(number), b="b", text="x" * 300_000)
    session_type = type(engine._session())
    begin, begun = session_type.writing, []

    def writing(self: Any) -> Any:
        begun.append(database.call("ListTables")["TableNames"] if begun else [])
        if swept and len(begun) == 4:
            raise KeyboardInterrupt
        return begin(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(session_type, "writing", writing)
        with pytest.raises(KeyboardInterrupt) if swept else contextlib.nullcontext():
            database.call("DeleteTable", TableName="tab")
    assert len(begun) > 3
    assert not any(begun)
    if swept:
        with engine._session().reading() as catalog:
            assert catalog.ages()
        engine.expire()
    with engine._session().reading() as catalog:
        left = catalog.execute("SELECT name FROM sqlite_master WHERE name LIKE 's_'").fetchall()
        assert (left, catalog.ages()) == ([], False)
    engine.close()
