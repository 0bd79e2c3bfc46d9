"""An engine under test, asked in Python instead of in bytes."""

import json
from typing import Any

from dynamix.engine import Engine


class Clock:
    """The time, as a test sets it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Database:
    """`call` gives the answer of a request that must succeed, `refusal` the code and message of one that must not."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or Engine()

    def call(self, target: str, **request: Any) -> Any:
        status, body = self.engine.handle(target, json.dumps(request).encode())
        assert status == 200, body
        return json.loads(body) if body else None

    def error(self, target: str, **request: Any) -> dict[str, Any]:
        status, body = self.engine.handle(target, json.dumps(request).encode())
        assert status != 200, body
        error: dict[str, Any] = json.loads(body)
        return error

    def refusal(self, target: str, **request: Any) -> tuple[str, str]:
        error = self.error(target, **request)
        return error["__type"].rpartition("#")[2], error.get("message", error.get("Message"))

    def create(self, keys: str, *, name: str = "tab", **more: Any) -> Any:
        """Make a table; `keys` such as "a:S b:N"."""
        definitions, schema = keys_of(keys)
        for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            for index in more.get(member, ()):
                definitions += [entry for entry in index.pop("definitions") if entry not in definitions]
        more.setdefault("BillingMode", "PAY_PER_REQUEST")
        return self.call("CreateTable", TableName=name, AttributeDefinitions=definitions, KeySchema=schema, **more)

    def put(self, *, table: str = "tab", **item: Any) -> None:
        self.call("PutItem", TableName=table, Item=wire(item))

    def get(self, *, table: str = "tab", **key: Any) -> dict[str, Any] | None:
        item: dict[str, Any] | None = self.call("GetItem", TableName=table, Key=wire(key)).get("Item")
        return item

    def query(self, condition: str, values: dict[str, Any] | None = None, **request: Any) -> Any:
        if values:
            request["ExpressionAttributeValues"] = {f":{name}": value(v) for name, v in values.items()}
        return self.call("Query", TableName="tab", KeyConditionExpression=condition, **request)


def keys_of(keys: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Attribute definitions and key schema of "a:S b:N"; a ! after the type says HASH, and the first is always one."""
    definitions, schema = [], []
    for number, part in enumerate(keys.split()):
        name, type_ = part.split(":")
        kind = "HASH" if number == 0 or type_.endswith("!") else "RANGE"
        definitions.append({"AttributeName": name, "AttributeType": type_.rstrip("!")})
        schema.append({"AttributeName": name, "KeyType": kind})
    return definitions, schema


def index(name: str, keys: str, projection: str = "ALL", *included: str, **more: Any) -> dict[str, Any]:
    """The definition of an index for `Database.create`."""
    definitions, schema = keys_of(keys)
    described: dict[str, Any] = {"ProjectionType": projection}
    if included:
        described["NonKeyAttributes"] = list(included)
    return {"IndexName": name, "KeySchema": schema, "Projection": described, "definitions": definitions, **more}


def value(given: Any) -> dict[str, Any]:
    """A str as S, a number as N, a dict as it is."""
    if isinstance(given, dict):
        return given
    return {"S": given} if isinstance(given, str) else {"N": str(given)}


def wire(item: dict[str, Any]) -> dict[str, Any]:
    """An item in DynamoDB's JSON."""
    return {name: value(given) for name, given in item.items()}
