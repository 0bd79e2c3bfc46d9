"""The table on which the conformance tests run, and how they ask."""

import json
from typing import Any

from dynamix.engine import Engine

TABLE = "Thread"
DEFINITION = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "l", "AttributeType": "S"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "local",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "global",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]},
        }
    ],
}
KEY = {"pk": {"S": "x"}, "sk": {"N": "1"}}


def ask(engine: Engine, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """One request to the table, unless it names another."""
    if operation.startswith(("Get", "Put", "Update", "Delete", "Query", "Scan", "Describe")):
        request = {"TableName": TABLE, **request}
    status, body = engine.handle(operation, json.dumps(request).encode())
    return status, json.loads(body) if body else {}


def good(engine: Engine, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The answer, which must be no error."""
    status, answer = ask(engine, operation, request)
    assert status == 200, answer
    return answer


def error(engine: Engine, operation: str, request: dict[str, Any]) -> tuple[str, str]:
    """The code and the message of the error that the answer must be."""
    status, answer = ask(engine, operation, request)
    assert status == 400, answer
    return answer["__type"].rpartition("#")[2], answer.get("message", answer.get("Message", ""))


def thread_table() -> Engine:
    """An engine with the table and nothing in it."""
    engine = Engine()
    good(engine, "CreateTable", DEFINITION)
    return engine


def values(**named: Any) -> dict[str, Any]:
    """ExpressionAttributeValues, the names without their colon."""
    return {"ExpressionAttributeValues": {f":{name}": value for name, value in named.items()}}
