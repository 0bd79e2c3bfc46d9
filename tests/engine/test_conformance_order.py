"""In which order the service looks at a request with several mistakes."""

from collections.abc import Iterator
from typing import Any

import pytest

from dynamix.engine import Engine
from engine.conformance import KEY, TABLE, error, good, thread_table, values
from engine.database import Database

MIXED = "Can not use both expression and non-expression parameters in the same request"
UNUSABLE = "ExpressionAttributeNames can only be specified when using expressions"
BAD_VALUE = "ExpressionAttributeValues contains invalid value"
EMPTY = "Supplied AttributeValue is empty"
SYNTAX = "Invalid ConditionExpression: Syntax error"
RETURNS = "ReturnValues can only be ALL_OLD or NONE"
BAD = {**KEY, "a": {}}
NAMES = {"ExpressionAttributeNames": {"#a": "a"}}


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = thread_table()
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("operation", "request_", "first"),
    [
        ("PutItem", {"Item": BAD, "Expected": {}, "ConditionExpression": "a"}, MIXED),
        ("PutItem", {"Item": BAD, **NAMES}, UNUSABLE),
        ("PutItem", {"Item": BAD, "ReturnValues": "ALL_NEW", "ConditionExpression": "a"}, EMPTY),
        ("PutItem", {"Item": KEY, "ReturnValues": "ALL_NEW", "ConditionExpression": "a"}, RETURNS),
        ("PutItem", {"Item": {"a": {"S": "x" * 410_000}}, "ConditionExpression": "a"}, "Item size has exceeded"),
        ("PutItem", {"Item": {"a": {"S": "x"}}, "ConditionExpression": "a"}, SYNTAX),
        ("GetItem", {"Key": BAD, "AttributesToGet": ["a"], "ProjectionExpression": ","}, MIXED),
        ("GetItem", {"Key": BAD, "ProjectionExpression": ","}, EMPTY),
        ("GetItem", {"Key": {"a": {"S": "x"}}, "ProjectionExpression": ","}, "Invalid ProjectionExpression"),
        ("DeleteItem", {"Key": BAD, "Expected": {}, "ConditionExpression": "a"}, MIXED),
        ("DeleteItem", {"Key": BAD, "ConditionExpression": "a"}, EMPTY),
        ("UpdateItem", {"Key": BAD, "UpdateExpression": "SET", "AttributeUpdates": {}}, MIXED),
        ("UpdateItem", {"Key": BAD, "UpdateExpression": "SET"}, EMPTY),
        ("UpdateItem", {"Key": {"a": {"S": "x"}}, "UpdateExpression": "SET"}, "Invalid UpdateExpression"),
        ("Query", {"ExclusiveStartKey": BAD, "FilterExpression": "a", "QueryFilter": {}}, MIXED),
        ("Query", {"ExclusiveStartKey": BAD}, f"The provided starting key is invalid: {EMPTY}"),
        ("Query", {"FilterExpression": "a"}, "Either the KeyConditions or KeyConditionExpression parameter must be"),
        (
            "Query",
            {"KeyConditionExpression": "NOT pk = :a", **values(a={}, b={})},
            BAD_VALUE,
        ),
        (
            "Query",
            {"KeyConditionExpression": "NOT pk = :a", **values(a={"S": "x"}, b={"S": "x"})},
            "Value provided in ExpressionAttributeValues unused in expressions",
        ),
        ("Scan", {"ExclusiveStartKey": BAD, "Segment": 2, "TotalSegments": 1}, "The provided starting key is invalid"),
        ("Scan", {"FilterExpression": "a", "Segment": 2, "TotalSegments": 1}, "The Segment parameter is zero-based"),
        ("Scan", {"FilterExpression": "a", "Select": "ALL_PROJECTED_ATTRIBUTES"}, "Invalid FilterExpression"),
    ],
)
def test_the_first_mistake_is_reported(engine: Engine, operation: str, request_: dict[str, Any], first: str) -> None:
    """Parameters that do not go together, then keys and items, then expressions, all before the table."""
    code, message = error(engine, operation, {"TableName": "nowhere", **request_})
    assert code == "ValidationException"
    assert message.startswith(first)


def test_a_batch_is_looked_at_table_by_table(engine: Engine) -> None:
    """The parameters, keys and expressions of one table come before those of the next."""
    parts = {"AttributesToGet": ["a"], "ProjectionExpression": "a"}
    request = {"RequestItems": {"one": {"Keys": [BAD]}, TABLE: {"Keys": [KEY], **parts}}}
    assert error(engine, "BatchGetItem", request)[1].startswith(EMPTY)
    request = {"RequestItems": {TABLE: {"Keys": [BAD], **parts}}}
    assert error(engine, "BatchGetItem", request)[1].startswith(MIXED)


def test_older_arguments_have_one_type_before_they_have_the_right_one(engine: Engine) -> None:
    """Of values of two types, neither of which the operator takes, it is said that they differ."""
    listed = [{"BOOL": True}, {"NULL": True}]
    request = {"ScanFilter": {"a": {"ComparisonOperator": "IN", "AttributeValueList": listed}}}
    assert error(engine, "Scan", request)[1] == (
        "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type"
    )


@pytest.mark.parametrize("operation", ["CreateTable", "DescribeTable", "UpdateTable", "DeleteTable"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ({}, "The parameter 'TableName' is required but was not present in the request"),
        ({"TableName": ""}, "TableName must be at least 3 characters long and at most 255 characters long"),
        ({"TableName": "ab"}, "TableName must be at least 3 characters long and at most 255 characters long"),
        ({"TableName": "x" * 256}, "TableName must be at least 3 characters long and at most 255 characters long"),
        (
            {"TableName": "a\u0000;é"},
            "1 validation error detected: Value 'a\u0000;é' at 'tableName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
    ],
)
def test_the_name_of_a_table_comes_first(operation: str, name: dict[str, str], message: str) -> None:
    """The operations on tables look at the name before all else, also before the shapes of other members."""
    database = Database()
    assert database.refusal(operation, **name) == ("ValidationException", message)
    assert database.refusal(operation, **name, KeySchema=[], BillingMode="x") == ("ValidationException", message)


def test_no_table_is_named_by_an_arn() -> None:
    """An ARN names a table that is there; a new one is named by its name."""
    database = Database()
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Thread"
    code, message = database.refusal("CreateTable", TableName=arn)
    assert (code, message.partition("constraint: ")[2]) == (
        "ValidationException",
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    )
    assert database.refusal("DescribeTable", TableName=arn)[0] == "ResourceNotFoundException"


def test_substitutions_have_a_size(engine: Engine) -> None:
    """Names, and values, are 2 MB together at most, whatever the request's own size."""
    large = {f":v{number}": {"L": [{"S": "x" * 104_900}]} for number in range(20)}
    request = {"Key": KEY, "ConditionExpression": f"a IN ({', '.join(large)})", "ExpressionAttributeValues": large}
    assert error(engine, "DeleteItem", request) == (
        "ValidationException",
        "ExpressionAttributeValues exceeds max size",
    )
    request["ExpressionAttributeValues"] = dict(list(large.items())[:19])
    request["ConditionExpression"] = f"a IN ({', '.join(request['ExpressionAttributeValues'])})"
    assert error(engine, "DeleteItem", request)[0] == "ConditionalCheckFailedException"
    names = {f"#n{number}": f"{number:065000}" for number in range(33)}
    request = {"Key": KEY, "ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    assert error(engine, "GetItem", request) == ("ValidationException", "ExpressionAttributeNames exceeds max size")


def test_maps_nest_as_deep_as_lists(engine: Engine) -> None:
    """32 levels of maps, the item's own included; a value of an expression has no more by itself."""
    too_deep = (
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )
    value: dict[str, Any] = {"S": "x"}
    for _ in range(31):
        value = {"M": {"a": value}}
    good(engine, "PutItem", {"Item": {**KEY, "a": value}})
    good(engine, "UpdateItem", {"Key": KEY, "UpdateExpression": "SET b = :v", **values(v=value)})
    deeper = {"M": {"a": value}}
    assert error(engine, "PutItem", {"Item": {**KEY, "a": deeper}})[1] == too_deep
    said = f"ExpressionAttributeValues contains invalid value: {too_deep} for key :v"
    for request in ({"UpdateExpression": "SET b = :v"}, {"ConditionExpression": "a = :v"}):
        assert error(engine, "UpdateItem", {"Key": KEY, **request, **values(v=deeper)})[1] == said
    nested = {"Key": KEY, "UpdateExpression": "SET a.a = :v", **values(v=value)}
    assert error(engine, "UpdateItem", nested)[1] == "Nesting Levels have exceeded supported limits"
