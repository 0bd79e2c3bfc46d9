"""One write has one body, whether it stands alone, in a batch or in a transaction."""

from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest

from dynamix import InvalidQueryError
from dynamix.expressions.nodes import Arithmetic, AttributeExists, Compare, Path, Update, Value, all_of
from dynamix.expressions.texts import written
from dynamix.operations import requests
from dynamix.operations.requests import Body

MODEL = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("dynamodb", "service-2"))
VALIDATOR = botocore.validate.ParamValidator()

KEY: Any = {"id": {"S": "a"}}
ITEM: Any = {"id": {"S": "a"}, "views": {"N": "1"}}
EXISTS = AttributeExists(Path(("id",)))
FEW = Compare("<", Path(("views",)), Value({"N": "9"}))
COUNTED = Update(set=((Path(("views",)), Arithmetic("+", Path(("views",)), Value({"N": "1"}))),))

CONDITION: Body = {
    "ConditionExpression": "#0 < :0",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    "ExpressionAttributeNames": {"#0": "views"},
    "ExpressionAttributeValues": {":0": {"N": "9"}},
}
WRITES = {
    "Put": requests.put("T", ITEM, FEW),
    "Delete": requests.delete("T", KEY, FEW),
    "ConditionCheck": requests.check("T", KEY, FEW),
    "Update": requests.update("T", KEY, written(COUNTED, FEW)),
}


def objections(operation: str, body: Body) -> str:
    """What the service's own model has against a request."""
    report: str = VALIDATOR.validate(body, MODEL.operation_model(operation).input_shape).generate_report()
    return report


def test_bodies_hold_table_key_or_item_and_expressions() -> None:
    """A body has the members that the service asks for, and none of those that do not apply."""
    assert requests.get("T", KEY) == {"TableName": "T", "Key": KEY}
    assert requests.get("T", KEY, consistent=True, only=["id", "views"]) == {
        "TableName": "T",
        "Key": KEY,
        "ProjectionExpression": "#0, #1",
        "ExpressionAttributeNames": {"#0": "id", "#1": "views"},
        "ConsistentRead": True,
    }
    assert requests.put("T", ITEM) == {"TableName": "T", "Item": ITEM}
    assert requests.put("T", ITEM, FEW) == {"TableName": "T", "Item": ITEM, **CONDITION}
    assert requests.delete("T", KEY, returns="ALL_OLD") == {"TableName": "T", "Key": KEY, "ReturnValues": "ALL_OLD"}
    assert (
        requests.delete("T", KEY, FEW) == requests.check("T", KEY, FEW) == {"TableName": "T", "Key": KEY, **CONDITION}
    )
    assert requests.delete("T", KEY, EXISTS) == {
        "TableName": "T",
        "Key": KEY,
        "ConditionExpression": "attribute_exists(#0)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        "ExpressionAttributeNames": {"#0": "id"},
    }
    assert requests.update("T", KEY, written(COUNTED, FEW), returns="ALL_NEW") == {
        "TableName": "T",
        "Key": KEY,
        "UpdateExpression": "SET #0=#0+:0",
        **CONDITION,
        "ConditionExpression": "#0 < :1",
        "ExpressionAttributeValues": {":0": {"N": "1"}, ":1": {"N": "9"}},
        "ReturnValues": "ALL_NEW",
    }
    assert requests.update("T", KEY, written(COUNTED, None)) == {
        "TableName": "T",
        "Key": KEY,
        "UpdateExpression": "SET #0=#0+:0",
        "ExpressionAttributeNames": {"#0": "views"},
        "ExpressionAttributeValues": {":0": {"N": "1"}},
    }


@pytest.mark.parametrize("name", WRITES)
def test_a_body_stands_alone_and_in_a_transaction(name: str) -> None:
    """The service's model takes the body of a write as a request, and unchanged as an action of a transaction."""
    assert objections("TransactWriteItems", {"TransactItems": [{name: WRITES[name]}]}) == ""
    if name != "ConditionCheck":
        assert objections(f"{name}Item", WRITES[name]) == ""


def test_a_get_stands_alone_and_in_a_transaction() -> None:
    """The body of a get is a part of a TransactGetItems as it is."""
    body = requests.get("T", KEY, only=["views"])
    assert objections("GetItem", body) == objections("TransactGetItems", {"TransactItems": [{"Get": body}]}) == ""


def test_batches_name_their_tables() -> None:
    """A batch holds keys or writes of any number of tables."""
    read = requests.batch_get({"T": [KEY], "U": [KEY, KEY]}, consistent=True)
    assert {table: len(asked["Keys"]) for table, asked in read["RequestItems"].items()} == {"T": 1, "U": 2}
    assert all(asked["ConsistentRead"] for asked in read["RequestItems"].values())
    written = requests.batch_write({"T": [requests.batch_put(ITEM)], "U": [requests.batch_delete(KEY)]})
    assert written == {"RequestItems": {"T": [{"PutRequest": {"Item": ITEM}}], "U": [{"DeleteRequest": {"Key": KEY}}]}}
    assert objections("BatchGetItem", read) == objections("BatchWriteItem", written) == ""


def test_a_condition_that_is_too_large_is_refused() -> None:
    """A condition of more than 300 operators becomes no body."""
    with pytest.raises(InvalidQueryError, match="have 301 operators"):
        requests.put("T", ITEM, all_of([EXISTS] * 151))
    assert requests.put("T", ITEM, all_of([EXISTS] * 150))["ConditionExpression"].count("AND") == 149
