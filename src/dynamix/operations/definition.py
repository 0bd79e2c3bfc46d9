"""The definition of a model's table, as CreateTable takes it."""

from typing import Any

from dynamix.errors import ModelDefinitionError
from dynamix.schema.index import Index
from dynamix.schema.table import Schema, Table


def define(table: Table[Any]) -> dict[str, Any]:
    """The CreateTable request of a model. Raises ModelDefinitionError."""
    schema = table.schema
    indexes = list(schema.indexes.values())
    keys = {field.name: field.key_type for index in (schema.table, *indexes) for field in index.keys}
    definition: dict[str, Any] = {
        "TableName": table.name,
        "KeySchema": _key_schema(schema.table),
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],
        **_billing(schema),
    }
    if schema.deletion_protection is not None:
        definition["DeletionProtectionEnabled"] = schema.deletion_protection
    local = [_index(schema, index) for index in indexes if index.local]
    if local:
        definition["LocalSecondaryIndexes"] = local
    other = [{**_index(schema, index), **_index_capacity(schema, index)} for index in indexes if not index.local]
    if other:
        definition["GlobalSecondaryIndexes"] = other
    return definition


def _key_schema(index: Index) -> list[dict[str, str]]:
    roles = ((index.hash_keys, "HASH"), (index.range_keys, "RANGE"))
    return [{"AttributeName": field.name, "KeyType": role} for fields, role in roles for field in fields]


def _billing(schema: Schema[Any]) -> dict[str, Any]:
    read, write = schema.read_capacity, schema.write_capacity
    if read is None and write is None:
        return {"BillingMode": "PAY_PER_REQUEST"}
    if read is None or write is None:
        raise ModelDefinitionError(
            f"{schema.model_name} gives only one of ReadCapacityUnits and WriteCapacityUnits; give both, or none for "
            "on-demand billing"
        )
    return {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write},
    }


def _index_capacity(schema: Schema[Any], index: Index) -> dict[str, Any]:
    """The capacity of a global index: its own, else the table's; on demand with the table."""
    if schema.read_capacity is None:
        return {}
    read = schema.read_capacity if index.read_capacity is None else index.read_capacity
    write = schema.write_capacity if index.write_capacity is None else index.write_capacity
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def _index(schema: Schema[Any], index: Index) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if index.projection == "INCLUDE":
        keys = {field.name for field in (*schema.table.keys, *index.keys)}
        names = [field.name for field in index.included if field.name not in keys]
        projection = (
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": names} if names else {"ProjectionType": "KEYS_ONLY"}
        )
    return {"IndexName": index.name, "KeySchema": _key_schema(index), "Projection": projection}
