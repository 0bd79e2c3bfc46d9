"""Refusals in the words of the service.

Each message here is one that the service is known to give: from its documentation, from reports of its users, or from
the tests of dynalite, whose expectations were taken from the service (https://github.com/architect/dynalite).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from dynamix.engine import Engine
from engine.conformance import DEFINITION, KEY, TABLE, error, thread_table, values

INVALID = "One or more parameter values were invalid: "
S, N = {"S": "s"}, {"N": "1"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = thread_table()
    yield engine
    engine.close()


def put(**attributes: Any) -> dict[str, Any]:
    return {"Item": {**KEY, **attributes}}


def update(expression: str, **more: Any) -> dict[str, Any]:
    return {"Key": KEY, "UpdateExpression": expression, **more}


def delete_if(condition: str, **more: Any) -> dict[str, Any]:
    return {"Key": KEY, "ConditionExpression": condition, **more}


def query(condition: str, **more: Any) -> dict[str, Any]:
    return {"KeyConditionExpression": condition, **more}


VALUES: list[tuple[dict[str, Any], str]] = [
    ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    (
        {"S": "a", "N": "1"},
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    ),
    ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
    ({"SS": []}, INVALID + "An string set  may not be empty"),
    ({"NS": []}, INVALID + "An number set  may not be empty"),
    ({"BS": []}, INVALID + "Binary sets should not be empty"),
    ({"SS": ["a", "b", "a"]}, INVALID + "Input collection [a, b, a] contains duplicates."),
    ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
    ({"N": ""}, "The parameter cannot be converted to a numeric value"),
    ({"N": "b"}, "The parameter cannot be converted to a numeric value: b"),
    ({"NS": ["1", "b"]}, "The parameter cannot be converted to a numeric value: b"),
    ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
    ({"N": "1e126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({"N": "-1e126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({"N": "1e-131"}, "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
    ({"N": "0e126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({"N": "0e-131"}, "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
]


@pytest.mark.parametrize(("value", "message"), VALUES)
@pytest.mark.parametrize("nested", [False, True])
def test_values(engine: Engine, value: dict[str, Any], message: str, nested: bool) -> None:
    """Malformed values, in an item and inside its lists and maps."""
    item = put(a={"M": {"b": {"L": [value]}}} if nested else value)
    assert error(engine, "PutItem", item) == ("ValidationException", message)


@pytest.mark.parametrize(("value", "message"), VALUES)
def test_values_of_expressions(engine: Engine, value: dict[str, Any], message: str) -> None:
    """Malformed values in a request's placeholders are named."""
    expected = f"ExpressionAttributeValues contains invalid value: {message} for key :v"
    assert error(engine, "UpdateItem", update("SET a = :v", **values(v=value))) == ("ValidationException", expected)


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = S
    for _ in range(levels):
        value = {"L": [value]}
    return value


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("PutItem", {"Item": {"pk": S}}, INVALID + "Missing the key sk in the item"),
        ("PutItem", {"Item": {"sk": N}}, INVALID + "Missing the key pk in the item"),
        ("PutItem", put(pk=N), INVALID + "Type mismatch for key pk expected: S actual: N"),
        (
            "PutItem",
            put(pk={"S": ""}),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
        (
            "PutItem",
            put(pk={"S": "x" * 2049}),
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        ("PutItem", put(g=N), INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: global"),
        ("PutItem", put(l=N), INVALID + "Type mismatch for Index Key l Expected: S Actual: N IndexName: local"),
        (
            "PutItem",
            put(g={"S": ""}),
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. "
            "IndexName: global, IndexKey: g",
        ),
        ("PutItem", put(a={"S": "x" * 409_600}), "Item size has exceeded the maximum allowed size"),
        (
            "PutItem",
            put(a=deep(32)),
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported "
            "limit",
        ),
        ("GetItem", {"Key": {"pk": S}}, "The provided key element does not match the schema"),
        ("GetItem", {"Key": {**KEY, "a": S}}, "The provided key element does not match the schema"),
        ("GetItem", {"Key": {"pk": N, "sk": N}}, "The provided key element does not match the schema"),
        ("GetItem", {"Key": {"pk": S, "s": N}}, "The provided key element does not match the schema"),
        ("DeleteItem", {"Key": {"pk": S}}, "The provided key element does not match the schema"),
        ("UpdateItem", {"Key": {"pk": S}}, "The provided key element does not match the schema"),
        (
            "GetItem",
            {"Key": {"pk": {"S": ""}, "sk": N}},
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
        ("PutItem", {**put(), "ReturnValues": "ALL_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
        ("DeleteItem", {"Key": KEY, "ReturnValues": "UPDATED_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
    ],
)
def test_items_and_keys(engine: Engine, operation: str, request_: dict[str, Any], message: str) -> None:
    """Keys and items that the table cannot hold."""
    assert error(engine, operation, request_) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("expression", "more", "message"),
    [
        ("", {}, "The expression can not be empty;"),
        ("SET", {}, 'Syntax error; token: "<EOF>", near: "SET"'),
        ("SET a b = :v", values(v=S), 'Syntax error; token: "b", near: "a b ="'),
        ("SET a = :v SET b = :v", values(v=S), 'The "SET" section can only be used once in an update expression;'),
        (
            "SET a = :v",
            {},
            "An expression attribute value used in expression is not defined; attribute value: :v",
        ),
        (
            "SET #a = :v",
            values(v=S),
            "An expression attribute name used in the document path is not defined; attribute name: #a",
        ),
        ("SET status = :v", values(v=S), "Attribute name is a reserved keyword; reserved keyword: status"),
        (
            "SET a = :v REMOVE a",
            values(v=S),
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [a], path two: [a]",
        ),
        (
            "SET a = :v REMOVE a.b",
            values(v=S),
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [a], path two: [a, b]",
        ),
        (
            "SET a[0] = :v REMOVE a.b",
            values(v=S),
            "Two document paths conflict with each other; must remove or rewrite one of these paths; "
            "path one: [a, [0]], path two: [a, b]",
        ),
        ("SET a = foo(b)", {}, "Invalid function name; function: foo"),
        (
            "SET a = attribute_exists(b)",
            {},
            "The function is not allowed in an update expression; function: attribute_exists",
        ),
        (
            "SET a = list_append(b, :v)",
            values(v=S),
            "Incorrect operand type for operator or function; operator or function: list_append, operand type: S",
        ),
        (
            "SET a = b + :v",
            values(v=S),
            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
        ),
        (
            "ADD a :v",
            values(v=S),
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE a :v",
            values(v=N),
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, "
            "typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
        (
            "SET a = if_not_exists(b)",
            {},
            "Incorrect number of operands for operator or function; "
            "operator or function: if_not_exists, number of operands: 1",
        ),
    ],
)
def test_update_expressions(engine: Engine, expression: str, more: dict[str, Any], message: str) -> None:
    """Update expressions that are wrong in themselves."""
    found = error(engine, "UpdateItem", update(expression, **more))
    assert found == ("ValidationException", f"Invalid UpdateExpression: {message}")


@pytest.mark.parametrize(
    ("condition", "more", "message"),
    [
        ("", {}, "The expression can not be empty;"),
        ("a = ", {}, 'Syntax error; token: "<EOF>", near: "= "'),
        ("a = :v)", values(v=S), 'Syntax error; token: ")", near: ":v)"'),
        ("a == :v", values(v=S), 'Syntax error; token: "=", near: "== :v"'),
        ("((a = :v))", values(v=S), "The expression has redundant parentheses;"),
        ("foo(a)", {}, "Invalid function name; function: foo"),
        (
            "size(a)",
            {},
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "size(a, b) = :v",
            values(v=N),
            "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
        ),
        (
            "a = a",
            {},
            "The first operand must be distinct from the remaining operands for this operator or function; "
            "operator: =, first operand: [a]",
        ),
        (
            "begins_with(a, :v)",
            values(v=N),
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "a < :v",
            values(v={"BOOL": True}),
            "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "a BETWEEN :v AND :w",
            values(v={"S": "b"}, w={"S": "a"}),
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}",
        ),
        (
            "a BETWEEN :v AND :w",
            values(v={"S": "b"}, w={"N": "1"}),
            "The BETWEEN operator requires same data type for lower and upper bounds; "
            "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:1}",
        ),
        (
            "attribute_type(a, :v)",
            values(v={"S": "X"}),
            "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
    ],
)
def test_condition_expressions(engine: Engine, condition: str, more: dict[str, Any], message: str) -> None:
    """Condition expressions that are wrong in themselves."""
    found = error(engine, "DeleteItem", delete_if(condition, **more))
    assert found == ("ValidationException", f"Invalid ConditionExpression: {message}")


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "DeleteItem",
            delete_if("attribute_exists(a)", **values(v=S, w=S)),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v, :w}",
        ),
        (
            "DeleteItem",
            delete_if("attribute_exists(a)", ExpressionAttributeNames={"#a": "a"}),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            "DeleteItem",
            {"Key": KEY, **values(v=S)},
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
        ),
        (
            "UpdateItem",
            {"Key": KEY, **values(v=S)},
            "ExpressionAttributeValues can only be specified when using expressions: "
            "UpdateExpression and ConditionExpression are null",
        ),
        (
            "DeleteItem",
            delete_if("a = :v", ExpressionAttributeValues={}),
            "ExpressionAttributeValues must not be empty",
        ),
        ("DeleteItem", delete_if("a = b", ExpressionAttributeNames={}), "ExpressionAttributeNames must not be empty"),
        (
            "DeleteItem",
            delete_if("a = :v", ExpressionAttributeValues={"v": S}),
            'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
        ),
        (
            "DeleteItem",
            delete_if("a = b", ExpressionAttributeNames={"a": "x"}),
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        ),
        (
            "DeleteItem",
            delete_if("attribute_exists(a)", Expected={"a": {"Value": S}}),
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
        (
            "UpdateItem",
            update("REMOVE a", AttributeUpdates={"a": {"Action": "DELETE"}}),
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}",
        ),
        (
            "GetItem",
            {"Key": KEY, "AttributesToGet": ["a"], "ProjectionExpression": "a"},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}",
        ),
        (
            "UpdateItem",
            update("SET pk = :v", **values(v=S)),
            INVALID + "Cannot update attribute pk. This attribute is part of the key",
        ),
        ("UpdateItem", update("REMOVE sk"), INVALID + "Cannot update attribute sk. This attribute is part of the key"),
        (
            "UpdateItem",
            update("SET a = b"),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "UpdateItem",
            update("SET a.b = :v", **values(v=S)),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "UpdateItem",
            update("SET a = if_not_exists(b, :v) + :w", **values(v=S, w=N)),
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "ConditionalOperator": "OR"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "ConditionalOperator": "OR", "Expected": {"a": {"Value": S}}},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"a": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [S]}}},
            INVALID + "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"a": {"ComparisonOperator": "LT", "AttributeValueList": [{"SS": ["a"]}]}}},
            INVALID + "ComparisonOperator LT is not valid for SS AttributeValue type",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"a": {"Exists": False, "Value": S}}},
            INVALID + "Value cannot be used when Exists is false for Attribute: a",
        ),
        (
            "DeleteItem",
            {"Key": KEY, "Expected": {"a": {"Exists": True}}},
            INVALID + "Value must be provided when Exists is true for Attribute: a",
        ),
    ],
)
def test_expressions_and_their_surroundings(
    engine: Engine, operation: str, request_: dict[str, Any], message: str
) -> None:
    """Placeholders, mixtures of the old and the new, and expressions that the item cannot take."""
    assert error(engine, operation, request_) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("Query", {}, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
        ("Query", query("sk = :v", **values(v=N)), "Query condition missed key schema element: pk"),
        ("Query", query("pk = :v AND a = :v", **values(v=S)), "Query condition missed key schema element: sk"),
        ("Query", query("pk < :v", **values(v=S)), "Query key condition not supported"),
        (
            "Query",
            query("pk = :v", **values(v=N)),
            INVALID + "Condition parameter type does not match schema type",
        ),
        (
            "Query",
            query("pk = :v OR sk = :w", **values(v=S, w=N)),
            "Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "Query",
            query("pk = :v", FilterExpression="pk = :v", **values(v=S)),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: pk",
        ),
        (
            "Query",
            query("pk = :v", IndexName="none", **values(v=S)),
            "The table does not have the specified index: none",
        ),
        ("Scan", {"IndexName": "none"}, "The table does not have the specified index: none"),
        (
            "Query",
            query("g = :v", IndexName="global", ConsistentRead=True, **values(v=S)),
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            "Scan",
            {"IndexName": "global", "ConsistentRead": True},
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            "Query",
            query("g = :v", IndexName="global", Select="ALL_ATTRIBUTES", **values(v=S)),
            INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index global because its "
            "projection type is not ALL",
        ),
        (
            "Scan",
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            "Scan",
            {"Select": "ALL_ATTRIBUTES", "AttributesToGet": ["a"]},
            "Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES",
        ),
        (
            "Scan",
            {"Select": "COUNT", "ProjectionExpression": "a"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            "Scan",
            {"Segment": 0},
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
            "present",
        ),
        (
            "Scan",
            {"TotalSegments": 2},
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
            "present",
        ),
        (
            "Scan",
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            "Segment: 2 is not less than TotalSegments: 2",
        ),
        (
            "BatchGetItem",
            {"RequestItems": {TABLE: {"Keys": [KEY, KEY]}}},
            "Provided list of item keys contains duplicates",
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {TABLE: [{"PutRequest": put()}, {"DeleteRequest": {"Key": KEY}}]}},
            "Provided list of item keys contains duplicates",
        ),
        (
            "BatchGetItem",
            {
                "RequestItems": {
                    TABLE: {"Keys": [{"pk": {"S": str(n)}, "sk": N} for n in range(60)]},
                    "Other": {"Keys": [{"pk": {"S": str(n)}, "sk": N} for n in range(60)]},
                }
            },
            "Too many items requested for the BatchGetItem call",
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Delete": {"TableName": TABLE, "Key": KEY}}] * 2},
            "Transaction request cannot include multiple operations on one item",
        ),
    ],
)
def test_searches_batches_and_transactions(
    engine: Engine, operation: str, request_: dict[str, Any], message: str
) -> None:
    """Requests that read or write many items."""
    assert error(engine, operation, request_) == ("ValidationException", message)


def created(**changes: Any) -> dict[str, Any]:
    """A definition of a new table, with some parts replaced, or left out where None."""
    definition = {**DEFINITION, "TableName": "Other", **changes}
    return {name: value for name, value in definition.items() if value is not None}


PK = [{"AttributeName": "pk", "KeyType": "HASH"}]
PK_S = [{"AttributeName": "pk", "AttributeType": "S"}]
PLAIN: dict[str, Any] = {
    "KeySchema": PK,
    "AttributeDefinitions": PK_S,
    "LocalSecondaryIndexes": None,
    "GlobalSecondaryIndexes": None,
}
INDEX = {"IndexName": "index", "KeySchema": PK, "Projection": {"ProjectionType": "ALL"}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {**PLAIN, "KeySchema": [{"AttributeName": "pk", "KeyType": "RANGE"}]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {**PLAIN, "KeySchema": [*PK, {"AttributeName": "pk", "KeyType": "RANGE"}]},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            {**PLAIN, "AttributeDefinitions": [{"AttributeName": "x", "AttributeType": "S"}]},
            INVALID + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [pk], AttributeDefinitions: [x]",
        ),
        (
            {**PLAIN, "AttributeDefinitions": [*PK_S, {"AttributeName": "x", "AttributeType": "S"}]},
            INVALID + "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions",
        ),
        (
            {**PLAIN, "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST",
        ),
        (
            {**PLAIN, "BillingMode": None},
            INVALID + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            {**PLAIN, "LocalSecondaryIndexes": [INDEX]},
            INVALID + "Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex",
        ),
        ({**PLAIN, "GlobalSecondaryIndexes": [INDEX, INDEX]}, INVALID + "Duplicate index name: index"),
        ({**PLAIN, "GlobalSecondaryIndexes": [{**INDEX, "Projection": {}}]}, INVALID + "Unknown ProjectionType: null"),
        (
            {
                **PLAIN,
                "GlobalSecondaryIndexes": [
                    {**INDEX, "Projection": {"ProjectionType": "ALL", "NonKeyAttributes": ["a"]}}
                ],
            },
            INVALID + "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            {**PLAIN, "GlobalSecondaryIndexes": [{**INDEX, "Projection": {"ProjectionType": "INCLUDE"}}]},
            INVALID + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            {**PLAIN, "GlobalSecondaryIndexes": [{**INDEX, "IndexName": f"index{n}"} for n in range(21)]},
            INVALID + "GlobalSecondaryIndex count exceeds the per-table limit of 20",
        ),
        ({**PLAIN, "GlobalSecondaryIndexes": []}, INVALID + "List of GlobalSecondaryIndexes is empty"),
        ({**PLAIN, "LocalSecondaryIndexes": []}, INVALID + "List of LocalSecondaryIndexes is empty"),
    ],
)
def test_table_definitions(engine: Engine, changes: dict[str, Any], message: str) -> None:
    """Definitions that no table can have."""
    assert error(engine, "CreateTable", created(**changes)) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("GetItem", {"TableName": "None", "Key": KEY}, "ResourceNotFoundException", "Requested resource not found"),
        ("Scan", {"TableName": "None"}, "ResourceNotFoundException", "Requested resource not found"),
        (
            "DescribeTable",
            {"TableName": "None"},
            "ResourceNotFoundException",
            "Requested resource not found: Table: None not found",
        ),
        (
            "DeleteTable",
            {"TableName": "None"},
            "ResourceNotFoundException",
            "Requested resource not found: Table: None not found",
        ),
        ("CreateTable", DEFINITION, "ResourceInUseException", f"Table already exists: {TABLE}"),
        (
            "DeleteItem",
            delete_if("attribute_exists(pk)"),
            "ConditionalCheckFailedException",
            "The conditional request failed",
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": TABLE, "Item": {**KEY, "sk": {"N": "2"}}}},
                    {"Delete": {"TableName": TABLE, **delete_if("attribute_exists(pk)")}},
                ]
            },
            "TransactionCanceledException",
            "Transaction cancelled, please refer cancellation reasons for specific reasons "
            "[None, ConditionalCheckFailed]",
        ),
    ],
)
def test_other_errors(engine: Engine, operation: str, request_: dict[str, Any], code: str, message: str) -> None:
    """Errors that are no ValidationException."""
    assert error(engine, operation, request_) == (code, message)
