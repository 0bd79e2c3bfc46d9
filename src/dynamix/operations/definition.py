"""The definition of a model's table, as CreateTable takes it."""

from collections.abc import Iterable
from typing import Any

from dynamix.errors import ModelDefinitionError
from dynamix.schema.index import AnyField, Index, Vectors
from dynamix.schema.table import Schema, Table


def define(table: Table[Any]) -> dict[str, Any]:
    """The CreateTable request of a model. Raises ModelDefinitionError."""
    schema = table.schema
    indexes = list(schema.indexes.values())
    used = [field for index in (schema.table, *indexes) for field in index.keys]
    used += [field for vectors in schema.vectors.values() for field in vectors.keys]
    keys = {field.name: field.key_type for field in used}
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
    if schema.vectors:
        definition["VectorIndexes"] = [_vectors(schema, vectors) for vectors in schema.vectors.values()]
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
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index),
        "Projection": _projection(index, (*schema.table.keys, *index.keys)),
    }


def _vectors(schema: Schema[Any], vectors: Vectors) -> dict[str, Any]:
    """A vector index."""
    elements = [(field, "INLINE_FILTER") for field in vectors.filters]
    if vectors.hash_key is not None:
        elements.insert(0, (vectors.hash_key, "HASH"))
    found = {
        "IndexName": vectors.name,
        "VectorAttribute": {"AttributeName": vectors.field.name},
        "Projection": _projection(vectors, (*schema.table.keys, *vectors.keys, vectors.field)),
        "Dimensions": vectors.field.dimensions,
        "DistanceFunction": vectors.distance.upper(),
    }
    if elements:
        found["SearchSchema"] = [
            {"AttributeName": field.name, "SearchSchemaElementType": kind} for field, kind in elements
        ]
    return found


def _projection(index: Index | Vectors, keys: Iterable[AnyField]) -> dict[str, Any]:
    """What an index holds beside what it holds anyway."""
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if index.projection == "INCLUDE":
        held = {field.name for field in keys}
        names = [field.name for field in index.included if field.name not in held]
        projection = (
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": names} if names else {"ProjectionType": "KEYS_ONLY"}
        )
    return projection
