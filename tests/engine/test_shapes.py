"""Requests are held to the service's model, and refused in the service's words."""

import json
from typing import Any

import botocore.loaders
import pytest

from dynamix.engine.faults import Fault
from dynamix.engine.requests import shapes
from dynamix.engine.requests.shape_table import (
    OPERATIONS,
    SHAPES,
    Blob,
    Boolean,
    Enum,
    Integer,
    List,
    Long,
    Map,
    Shape,
    String,
    Timestamp,
)
from engine.database import Database
from newest import against_botocore

TABLES = botocore.loaders.Loader().load_service_model("dynamodb", "service-2")
STREAMS = botocore.loaders.Loader().load_service_model("dynamodbstreams", "service-2")
MODEL = {part: {**STREAMS[part], **TABLES[part]} for part in ("shapes", "operations")}
PLAIN = {
    "string": String(),
    "boolean": Boolean(),
    "blob": Blob(),
    "integer": Integer(),
    "long": Long(),
    "timestamp": Timestamp(),
}


def from_model(name: str) -> Any:
    """A shape of botocore's model as our table would hold it; enums and structures as what can be compared."""
    shape = MODEL["shapes"][name]
    limits = {"min": shape.get("min"), "max": shape.get("max")}
    match shape["type"]:
        case "structure":
            required = shape.get("required", ())
            return [(member, reduced(value["shape"]), member in required) for member, value in shape["members"].items()]
        case "list":
            return List(reduced(shape["member"]["shape"]), **limits)
        case "map":
            return Map(reduced(shape["key"]["shape"]), reduced(shape["value"]["shape"]), **limits)
        case "string" if "enum" in shape:
            return set(shape["enum"])
        case "string":
            return String(pattern=shape.get("pattern"), **limits)
        case "integer":
            return Integer(**limits)
        case "long":
            return Long(**limits)
        case kind:
            return PLAIN[kind]


def reduced(name: str) -> str:
    """The name under which our table has a shape: unconstrained simple shapes go by their type."""
    plain = PLAIN.get(MODEL["shapes"][name]["type"])
    return type(plain).__name__ if plain and from_model(name) == plain else name


def ours(shape: Shape) -> Any:
    if isinstance(shape, Enum):
        return set(shape.values)
    return [(m.name, m.shape, m.required) for m in shape.members] if hasattr(shape, "members") else shape


@against_botocore
def test_every_shape_is_that_of_the_service_model() -> None:
    """Members, types, required members and constraints of the table equal those of botocore's model."""
    for name, shape in SHAPES.items():
        if shape not in PLAIN.values():
            assert ours(shape) == from_model(name), name
    for operation, name in OPERATIONS.items():
        assert MODEL["operations"][operation]["input"]["shape"] == name


def test_the_table_holds_no_shape_that_no_operation_uses() -> None:
    """Every shape is reached from a request."""
    reached = {"Integer"}
    waiting = list(OPERATIONS.values())
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            shape = SHAPES[name]
            waiting += [m.shape for m in getattr(shape, "members", ())]
            waiting += [getattr(shape, part) for part in ("of", "keys") if hasattr(shape, part)]
    assert reached == set(SHAPES)


def test_the_written_out_attribute_value_is_that_of_the_table() -> None:
    """AttributeValue, which is a class because it contains itself, has the members of its shape."""
    assert list(shapes.AttributeValue.__annotations__) == [m.name for m in SHAPES["AttributeValue"].members]  # type: ignore[union-attr]


def refused(target: str, request: object) -> tuple[str, str]:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    with pytest.raises(Fault) as caught:
        shapes.decode(target, body)
    return caught.value.code, caught.value.message


def test_a_valid_request_is_its_json() -> None:
    """What the model allows is handed on as it is."""
    request = {
        "TableName": "Forum",
        "Item": {"a": {"M": {"b": {"L": [{"N": "1"}, {"B": "aGk="}, {"SS": ["x"]}, {"NULL": True}, {"BOOL": False}]}}}},
        "ExpressionAttributeValues": {":v": {"BS": ["aGk="]}},
        "ReturnValues": "ALL_OLD",
    }
    assert shapes.decode("PutItem", json.dumps(request).encode()) == request


@pytest.mark.parametrize(
    ("target", "request_", "expected"),
    [
        ("DescribeTable", {"TableName": "Forum", "Nonsense": 1}, {"TableName": "Forum"}),
        ("DescribeTable", {"TableName": "Forum", "Nonsense": None}, {"TableName": "Forum"}),
        ("Scan", {"TableName": "Forum", "Limit": None, "Select": None}, {"TableName": "Forum"}),
        ("Scan", {"TableName": "Forum", "Limit": 2.9}, {"TableName": "Forum", "Limit": 2}),
        ("Scan", {"TableName": "Forum", "Limit": 10**30}, {"TableName": "Forum", "Limit": 2**31 - 1}),
        (
            "PutItem",
            {"TableName": "Forum", "Item": {"a": {"S": "x", "N": None}, "b": {"M": {"c": None}}, "d": {"X": 1}}},
            {"TableName": "Forum", "Item": {"a": {"S": "x"}, "b": {"M": {"c": {}}}, "d": {}}},
        ),
        ("DescribeLimits", None, {}),
        *(
            ("Scan", {"TableName": "Forum", "ConsistentRead": word}, {"TableName": "Forum", "ConsistentRead": meant})
            for word, meant in (
                ("true", True),
                ("YES", True),
                ("1", True),
                ("False", False),
                ("no", False),
                ("0", False),
            )
        ),
    ],
)
def test_what_the_service_overlooks_is_overlooked(target: str, request_: object, expected: object) -> None:
    """A null is an absent member, unknown ones are dropped, numbers are cut to integers, words may be booleans."""
    assert shapes.decode(target, json.dumps(request_).encode()) == expected


TYPE_CAST = (
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class "
    "(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of "
    "loader 'bootstrap')"
)
MAP_OF_VALUES = "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"


@pytest.mark.parametrize(
    ("target", "request_", "message"),
    [
        ("GetItem", {"TableName": True}, "TRUE_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": False}, "FALSE_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": 23}, "NUMBER_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": 34.56}, "DECIMAL_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": []}, "Unrecognized collection type class java.lang.String"),
        ("GetItem", {"TableName": {}}, "Start of structure or map found where not expected"),
        ("GetItem", {"Key": {"a": {"N": 5}}}, "NUMBER_VALUE cannot be converted to String"),
        ("GetItem", {"Key": {"a": 5}}, "Unexpected value type in payload"),
        (
            "GetItem",
            {"Key": {"a": []}},
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
        ),
        ("GetItem", {"Key": "a"}, "Unexpected field type"),
        ("GetItem", {"Key": []}, f"Unrecognized collection type {MAP_OF_VALUES}"),
        ("GetItem", {"AttributesToGet": "a"}, "Unexpected field type"),
        ("GetItem", {"AttributesToGet": {}}, "Start of structure or map found where not expected"),
        ("GetItem", {"AttributesToGet": [None]}, "NULL_VALUE cannot be converted to String"),
        ("GetItem", {"ConsistentRead": "maybe"}, "Unexpected token received from parser"),
        ("GetItem", {"ConsistentRead": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ("GetItem", {"ConsistentRead": []}, "Unrecognized collection type class java.lang.Boolean"),
        ("Query", {"Limit": "1"}, "STRING_VALUE cannot be converted to Integer"),
        ("Query", {"Limit": True}, "TRUE_VALUE cannot be converted to Integer"),
        ("Query", {"Limit": []}, "Unrecognized collection type class java.lang.Integer"),
        ("CreateTable", {"ProvisionedThroughput": 1}, "Unexpected field type"),
        (
            "CreateTable",
            {"ProvisionedThroughput": {"ReadCapacityUnits": "1"}},
            "STRING_VALUE cannot be converted to Long",
        ),
        ("CreateTable", {"KeySchema": [1]}, "Unexpected value type in payload"),
        ("BatchWriteItem", {"RequestItems": "x"}, "Unexpected field type"),
        ("BatchWriteItem", {"RequestItems": {"tab": "x"}}, TYPE_CAST),
        ("BatchGetItem", {"RequestItems": {"tab": {"Keys": "x"}}}, "Unexpected field type"),
        ("BatchGetItem", {"RequestItems": {"tab": {"Keys": ["x"]}}}, TYPE_CAST),
        ("PutItem", {"Item": {"a": {"B": 1}}}, "only base-64-encoded strings are convertible to bytes"),
        ("PutItem", {"Item": {"a": {"B": []}}}, "Unrecognized collection type class java.nio.ByteBuffer"),
        (
            "PutItem",
            {"Item": {"a": {"B": "23456"}}},
            "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
        ),
        ("PutItem", {"Item": {"a": {"B": "a$b="}}}, "Invalid Base64 character: '$'"),
        ("PutItem", {"Item": {"a": {"B": "=+/="}}}, "Invalid last non-pad Base64 character dectected"),
        ("PutItem", {"Item": {"a": {"BS": ["aGl="]}}}, "Invalid last non-pad Base64 character dectected"),
        ("PutItem", [], "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.PutItemInput"),
        ("PutItem", "x", "Unexpected value type in payload"),
        ("PutItem", b"{", ""),
        ("PutItem", b"", ""),
        ("PutItem", b"[", ""),
        ("PutItem", b'{"Item": 1, "TableName"', ""),
        ("PutItem", b'{"TableName": "\xff"}', ""),
        ("PutItem", b"[" * 100_000, ""),
        ("PutItem", b'{"Item":{"a":' + b'{"L":[' * 50_000, ""),
    ],
)
def test_a_wrong_json_type_is_a_serialization_exception(target: str, request_: object, message: str) -> None:
    """The first value of a wrong type is reported before any constraint."""
    assert refused(target, request_) == ("SerializationException", message)


KEY = {"a": {"S": "x"}}
NOT_NULL = "failed to satisfy constraint: Member must not be null"
NAME_RULES = (
    "[Member must have length less than or equal to 255, Member must have length greater than or equal to 3, "
    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"
)


@pytest.mark.parametrize(
    ("target", "request_", "messages"),
    [
        ("GetItem", {}, [f"Value null at 'tableName' {NOT_NULL}", f"Value null at 'key' {NOT_NULL}"]),
        (
            "PutItem",
            {"TableName": "abc", "Item": KEY, "ReturnValues": "x", "ReturnConsumedCapacity": "y"},
            [
                "Value 'x' at 'returnValues' failed to satisfy constraint: "
                "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
                "Value 'y' at 'returnConsumedCapacity' failed to satisfy constraint: "
                "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
            ],
        ),
        (
            "Query",
            {"TableName": "abc", "IndexName": "a;", "Select": "x", "Limit": -1, "AttributesToGet": []},
            [
                "Value 'a;' at 'indexName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
                "Value 'a;' at 'indexName' failed to satisfy constraint: "
                "Member must have length greater than or equal to 3",
                "Value 'x' at 'select' failed to satisfy constraint: Member must satisfy enum value set: "
                "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
                "Value '[]' at 'attributesToGet' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1",
                "Value '-1' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
            ],
        ),
        (
            "CreateTable",
            {
                "TableName": "abc",
                "KeySchema": [{"KeyType": "x"}],
                "SSESpecification": {"SSEType": "x"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 1},
            },
            [
                f"Value null at 'keySchema.1.member.attributeName' {NOT_NULL}",
                "Value 'x' at 'keySchema.1.member.keyType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [HASH, RANGE]",
                "Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1",
                "Value 'x' at 'sSESpecification.sSEType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [AES256, KMS]",
            ],
        ),
        (
            "UpdateItem",
            {"TableName": "abc", "Key": KEY, "AttributeUpdates": {"b": {"Action": "x"}}},
            [
                "Value 'x' at 'attributeUpdates.b.member.action' failed to satisfy constraint: "
                "Member must satisfy enum value set: [ADD, DELETE, PUT]"
            ],
        ),
        (
            "Scan",
            {"TableName": "abc", "Segment": 1_000_000, "TotalSegments": 1_000_001, "ScanFilter": {"a": {}}},
            [
                f"Value null at 'scanFilter.a.member.comparisonOperator' {NOT_NULL}",
                "Value '1000001' at 'totalSegments' failed to satisfy constraint: "
                "Member must have value less than or equal to 1000000",
                "Value '1000000' at 'segment' failed to satisfy constraint: "
                "Member must have value less than or equal to 999999",
            ],
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {}},
            [
                "Value '{}' at 'requestItems' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ],
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"abc": []}},
            [
                "Value '{abc=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
                "[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
            ],
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"": [{"PutRequest": {}}]}},
            [
                "Value '{=[com.amazonaws.dynamodb.v20120810.WriteRequest@5d040e83]}' at 'requestItems' failed to "
                f"satisfy constraint: Map keys must satisfy constraint: {NAME_RULES}",
                f"Value null at 'requestItems..member.1.member.putRequest.item' {NOT_NULL}",
            ],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"abc": {"Keys": []}}},
            [
                "Value '[]' at 'requestItems.abc.member.keys' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ],
        ),
        (
            "UntagResource",
            {"ResourceArn": "abc", "TagKeys": ["ok", ""]},
            [
                "Value '[ok, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: "
                "[Member must have length less than or equal to 128, "
                "Member must have length greater than or equal to 1]"
            ],
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Update": {"TableName": "abc"}}, {"Put": None}], "ClientRequestToken": "x" * 37},
            [
                f"Value null at 'transactItems.1.member.update.key' {NOT_NULL}",
                f"Value null at 'transactItems.1.member.update.updateExpression' {NOT_NULL}",
                f"Value '{'x' * 37}' at 'clientRequestToken' failed to satisfy constraint: "
                "Member must have length less than or equal to 36",
            ],
        ),
    ],
)
def test_violated_constraints_are_collected(target: str, request_: object, messages: list[str]) -> None:
    """All violations come in one message, each with the value and the path as the service writes them."""
    plural = "s" if len(messages) > 1 else ""
    expected = f"{len(messages)} validation error{plural} detected: {'; '.join(messages)}"
    assert refused(target, request_) == ("ValidationException", expected)


def test_at_most_ten_violations_are_listed() -> None:
    """The eleventh violation is not looked for."""
    _, message = refused("CreateTable", {"TableName": "abc", "KeySchema": [{}] * 6})
    assert message.startswith("10 validation errors detected: ")
    assert message.count("Member must not be null") == 10


def test_structures_are_shown_by_class_and_hash() -> None:
    """The service prints a structure as Java does by default."""
    _, message = refused("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "abc", "Key": KEY}}] * 101})
    assert message.startswith("1 validation error detected: Value '[com.amazonaws.dynamodb.v20120810.TransactGetItem@")
    assert message.endswith(
        "]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"
    )


@pytest.mark.parametrize("target", ["Nonsense", "", *sorted(MODEL["operations"].keys() - OPERATIONS.keys())])
def test_an_unknown_operation_is_refused(target: str) -> None:
    """A target that is no operation of the engine, or none at all, is named in the service's own error."""
    code, message = refused(target, {})
    assert code == "UnknownOperationException"
    assert message.startswith(f"'{target}' is not available in the embedded engine")


_PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
_BAD_NAMES = [
    ("x!", _PATTERN),
    ("tab/le", _PATTERN),
    ("Übung", _PATTERN),
    ("tab\n", _PATTERN),
    ("n" * 256, "Member must have length less than or equal to 255"),
    ("ab", "Member must have length greater than or equal to 3"),
]


@pytest.mark.parametrize(("name", "constraint"), _BAD_NAMES)
@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"])
def test_a_name_that_no_table_can_have_is_refused(operation: str, name: str, constraint: str) -> None:
    """It is a violation of the shape, told before all other mistakes, where the table would only be missing."""
    database = Database()
    mistaken = {"Key": {}, "Item": {}, "KeyConditionExpression": "", "FilterExpression": ""}
    expected = f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}"
    assert database.refusal(operation, TableName=name, **mistaken) == ("ValidationException", expected)


@pytest.mark.parametrize(("name", "constraint"), _BAD_NAMES)
@pytest.mark.parametrize(
    ("operation", "action"),
    [
        *(("TransactWriteItems", action) for action in ("Put", "Update", "Delete", "ConditionCheck")),
        ("TransactGetItems", "Get"),
    ],
)
def test_a_name_that_no_table_can_have_is_refused_in_transactions(
    operation: str, action: str, name: str, constraint: str
) -> None:
    """It is told with its path."""
    database = Database()
    members = {"Key": KEY, "Item": KEY, "UpdateExpression": "REMOVE x", "ConditionExpression": "attribute_exists(x)"}
    actions = [{action: {"TableName": table, **members}} for table in ("missing", name)]
    path = f"transactItems.2.member.{action[0].lower()}{action[1:]}.tableName"
    expected = f"1 validation error detected: Value '{name}' at '{path}' failed to satisfy constraint: {constraint}"
    assert database.refusal(operation, TransactItems=actions) == ("ValidationException", expected)


@pytest.mark.parametrize("name", [name for name, _ in _BAD_NAMES])
@pytest.mark.parametrize(
    ("operation", "part"), [("BatchGetItem", {"Keys": [KEY]}), ("BatchWriteItem", [{"PutRequest": {"Item": KEY}}])]
)
def test_a_name_that_no_table_can_have_is_refused_in_batches(operation: str, part: object, name: str) -> None:
    """All constraints of the names are told."""
    code, message = Database().refusal(operation, RequestItems={"missing": part, name: part})
    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value '{missing=")
    assert message.endswith(
        f"at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: {NAME_RULES}"
    )


def test_a_wrong_name_is_told_with_other_violations() -> None:
    """As any other constraint of the shape."""
    _, message = refused("GetItem", {"TableName": "x!", "ReturnConsumedCapacity": "ALL"})
    assert message == (
        f"3 validation errors detected: Value 'x!' at 'tableName' failed to satisfy constraint: {_PATTERN}; "
        "Value null at 'key' failed to satisfy constraint: Member must not be null; "
        "Value 'ALL' at 'returnConsumedCapacity' failed to satisfy constraint: "
        "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
    )
