"""Tables and items that other mappers wrote, and models for them."""

import json
from pathlib import Path
from typing import Any

from dynamix import Connection, Model

ITEMS = Path(__file__).parent / "items"


def load(mapper: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The table as CreateTable takes it, but for its billing, and its items in DynamoDB's JSON."""
    recorded = json.loads((ITEMS / f"{mapper}.json").read_text())
    return recorded["table"], recorded["items"]


def fill(connection: Connection, mapper: str) -> list[dict[str, Any]]:
    """Makes the table with its items, past all of the mapper; the items."""
    table, items = load(mapper)
    connection.request("CreateTable", {**table, "BillingMode": "PAY_PER_REQUEST"})
    for item in items:
        connection.request("PutItem", {"TableName": table["TableName"], "Item": item})
    return items


def stored(connection: Connection, model: type[Model], instance: Model) -> dict[str, Any]:
    """What is stored of an instance's item."""
    names = {getattr(model, name).name: value for name, value in instance.get_primary_key_dict().items()}
    item = instance.to_item()
    key = {name: item[name] for name in names}
    table = getattr(model, "__table_name__", model.__name__)
    answer = connection.request("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
    found: dict[str, Any] = answer["Item"]
    return found
