"""What a table may look like: the rules for keys, indexes, projections and throughput, in the service's words.

Source: Amazon DynamoDB API Reference, CreateTable and UpdateTable; DynamoDB Developer Guide, "Service, account, and
table quotas". The words are those of the service, as far as it is known what it says.
"""

from collections.abc import Iterable
from typing import Any

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.tables import billing
from dynamix.limits import (
    GLOBAL_INDEXES,
    LOCAL_INDEXES,
    NON_KEY_ATTRIBUTES_PER_TABLE,
    VECTOR_DIMENSIONS,
    VECTOR_FILTERS,
    VECTOR_INDEXES,
)

_MOST_KEY_ATTRIBUTES = 4
_INVALID = "One or more parameter values were invalid: "


def check_table(request: dict[str, Any]) -> None:
    """Refuse a CreateTable request that no table can have."""
    absent = [
        f"Value null at '{shown}' failed to satisfy constraint: Member must not be null"
        for member, shown in (("AttributeDefinitions", "attributeDefinitions"), ("KeySchema", "keySchema"))
        if member not in request
    ]
    if absent:
        raise invalid(f"{len(absent)} validation error{'s' * (len(absent) > 1)} detected: {'; '.join(absent)}")
    local = request.get("LocalSecondaryIndexes")
    global_ = request.get("GlobalSecondaryIndexes")
    vectors = request.get("VectorIndexes")
    billing.check_billing(request, global_ or ())
    if "StreamSpecification" in request:
        check_stream(request["StreamSpecification"])
    check_encryption(request.get("SSESpecification") or {})
    types = attribute_types(request["AttributeDefinitions"])
    schema = request["KeySchema"]
    _check_defined(schema, types, (local or []) + (global_ or []))
    _check_simple_schema(schema)
    if local is not None:
        _check_local(local, schema)
    if global_ is not None:
        if not global_:
            raise invalid(f"{_INVALID}List of GlobalSecondaryIndexes is empty")
        if len(global_) > GLOBAL_INDEXES:
            raise invalid(f"{_INVALID}GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES}")
        for index in global_:
            check_global(index)
    if vectors is not None:
        if not vectors:
            raise invalid(f"{_INVALID}List of VectorIndexes is empty")
        for index in vectors:
            check_vectors(index, types, request)
        check_vectors_together(vectors)
    indexes = (local or []) + (global_ or []) + (vectors or [])
    _check_distinct(index["IndexName"] for index in indexes)
    check_projections(indexes)
    _check_used(schema, types, indexes)


def attribute_types(definitions: Iterable[dict[str, str]]) -> dict[str, str]:
    """The type of each defined attribute."""
    types: dict[str, str] = {}
    for definition in definitions:
        name = definition["AttributeName"]
        if name in types:
            raise invalid(f"{_INVALID}Duplicate AttributeName in AttributeDefinitions: {name}")
        types[name] = definition["AttributeType"]
    return types


def check_encryption(encryption: dict[str, Any]) -> None:
    """A key and its type are named only where they are used."""
    for member in ("SSEType", "KMSMasterKeyId"):
        if member in encryption and not encryption.get("Enabled"):
            raise invalid(f"{_INVALID}{member} can be specified only when SSESpecification has Enabled set to true")


def check_redefined(types: dict[str, str], given: dict[str, str]) -> None:
    """Refuse another type of an attribute that is defined."""
    for attribute, type_ in given.items():
        if types.get(attribute, type_) != type_:
            raise invalid(
                "Attributes cannot be redefined. Please check that your attribute has the same type as previously "
                f"defined: {attribute} is {types[attribute]}, not {type_}"
            )


def indexes_of(description: dict[str, Any]) -> list[dict[str, Any]]:
    """The definitions of all indexes of a table, also those of vectors."""
    members = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes")
    return [index for member in members for index in description.get(member, ())]


def define(description: dict[str, Any], types: dict[str, str]) -> None:
    """Define the attributes that the table's keys and search schemas use, and no others."""
    used = {name for each in (description, *indexes_of(description)) for name in key_attributes(each)}
    description["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": type_} for name, type_ in types.items() if name in used
    ]


def check_stream(stream: dict[str, Any]) -> None:
    """A stream has a view type, and what is no stream has none."""
    if stream["StreamEnabled"] and "StreamViewType" not in stream:
        raise invalid("Invalid StreamViewType: Stream ViewType must not be null or empty when enabling streams.")
    if not stream["StreamEnabled"] and "StreamViewType" in stream:
        raise invalid("Invalid StreamViewType: Stream StreamEnabled was false but a StreamViewType was present.")


def check_global(index: dict[str, Any]) -> None:
    """Refuse a global index whose key no index can have: 1 to 4 HASH attributes, then up to 4 RANGE attributes."""
    schema = index["KeySchema"]
    kinds = [element["KeyType"] for element in schema]
    if kinds[0] != "HASH":
        raise invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if kinds != sorted(kinds):
        raise invalid("Invalid KeySchema: All HASH KeySchemaElements must precede the RANGE KeySchemaElements")
    if max(kinds.count("HASH"), kinds.count("RANGE")) > _MOST_KEY_ATTRIBUTES:
        raise invalid(
            f"{_INVALID}Index KeySchema can have at most {_MOST_KEY_ATTRIBUTES} HASH and {_MOST_KEY_ATTRIBUTES} RANGE "
            f"attributes for index: {index['IndexName']}"
        )
    _check_twice(schema)


def check_vectors(index: dict[str, Any], types: dict[str, str], description: dict[str, Any]) -> None:
    """Refuse a vector index that no index can be, of a table with these attributes, keys and billing."""
    if not billing.is_on_demand(description):
        raise invalid(f"{_INVALID}Vector indexes are only supported for PAY_PER_REQUEST tables")
    elements = index.get("SearchSchema") or ()
    names = [element["AttributeName"] for element in elements]
    kinds = [element["SearchSchemaElementType"] for element in elements]
    if any(name not in types for name in names):
        raise invalid(f"{_INVALID}One element in SearchSchema is not defined in attribute definitions")
    if len(set(names)) < len(names):
        raise invalid(f"{_INVALID}Duplicate attribute in SearchSchema for index: {index['IndexName']}")
    for kind, most in (("HASH", 1), ("INLINE_FILTER", VECTOR_FILTERS)):
        if kinds.count(kind) > most:
            raise invalid(
                f"{_INVALID}SearchSchema can have at most {most} {kind} elements for index: {index['IndexName']}"
            )
    attribute = index["VectorAttribute"]["AttributeName"]
    if attribute in types:
        raise invalid(
            f"{_INVALID}Conflicting attribute definition for '{attribute}'. A vector attribute is a list of numbers; "
            "it cannot be in AttributeDefinitions, a key or a SearchSchema."
        )
    if not 1 <= index["Dimensions"] <= VECTOR_DIMENSIONS:
        raise invalid(f"{_INVALID}Number of dimensions must be between 1 and {VECTOR_DIMENSIONS} inclusive.")


def check_vectors_together(indexes: list[dict[str, Any]]) -> None:
    """Refuse more vector indexes than a table can have, and such as contradict each other."""
    if len(indexes) > VECTOR_INDEXES:
        raise invalid(f"{_INVALID}VectorIndex count exceeds the per-table limit of {VECTOR_INDEXES}")
    dimensions: dict[str, int] = {}
    for index in indexes:
        attribute = index["VectorAttribute"]["AttributeName"]
        if dimensions.setdefault(attribute, index["Dimensions"]) != index["Dimensions"]:
            raise invalid(
                f"{_INVALID}Conflicting attribute definition for '{attribute}'. All VectorIndexes on the same vector "
                "attribute must use the same dimensions."
            )


def key_attributes(definition: dict[str, Any]) -> list[str]:
    """The attributes of the key of a table or index, or of the search schema of a vector index."""
    elements: Iterable[dict[str, str]] = definition.get("KeySchema") or definition.get("SearchSchema") or ()
    return [element["AttributeName"] for element in elements]


def check_projections(indexes: list[dict[str, Any]]) -> None:
    """Refuse projections that contradict themselves or hold too much."""
    total = 0
    for index in indexes:
        total += _check_projection(index.get("Projection") or {}, index["IndexName"])
    if total > NON_KEY_ATTRIBUTES_PER_TABLE:
        raise invalid(
            f"{_INVALID}Number of NonKeyAttributes exceeds the per-table limit of {NON_KEY_ATTRIBUTES_PER_TABLE}"
        )


def check_index_defined(index: dict[str, Any], types: dict[str, str]) -> None:
    """Refuse an index on attributes whose types are not defined."""
    names = [element["AttributeName"] for element in index["KeySchema"]]
    if any(name not in types for name in names):
        raise _undefined(names, types)


def _check_projection(projection: dict[str, Any], name: str) -> int:
    """Returns how many attributes the projection names."""
    kind = projection.get("ProjectionType")
    attributes = projection.get("NonKeyAttributes")
    if kind is None:
        raise invalid(f"{_INVALID}Unknown ProjectionType: null")
    if kind != "INCLUDE":
        if attributes is not None:
            raise invalid(f"{_INVALID}ProjectionType is {kind}, but NonKeyAttributes is specified")
        return 0
    if attributes is None:
        raise invalid(f"{_INVALID}ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    if len(set(attributes)) < len(attributes):
        raise invalid(f"{_INVALID}Duplicate attribute in NonKeyAttributes for index: {name}")
    return len(attributes)


def _check_defined(schema: list[dict[str, str]], types: dict[str, str], indexes: list[dict[str, Any]]) -> None:
    names = [element["AttributeName"] for element in schema]
    if len(set(names)) > len(types):
        raise invalid("Invalid KeySchema: Some index key attribute have no definition")
    if any(name not in types for name in names):
        raise _undefined(names, types)
    for index in indexes:
        check_index_defined(index, types)


def _undefined(names: list[str], types: dict[str, str]) -> Fault:
    return invalid(
        f"{_INVALID}Some index key attributes are not defined in AttributeDefinitions. "
        f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(types)}]"
    )


def _check_simple_schema(schema: list[dict[str, str]]) -> None:
    """A table and a local index have one HASH attribute and at most one RANGE attribute."""
    if len(schema) > 2:
        raise invalid("Invalid KeySchema: A table can have at most one HASH and one RANGE KeySchemaElement")
    if schema[0]["KeyType"] != "HASH":
        raise invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    _check_twice(schema)
    if len(schema) == 2 and schema[1]["KeyType"] != "RANGE":
        raise invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")


def _check_twice(schema: list[dict[str, str]]) -> None:
    names = [element["AttributeName"] for element in schema]
    if len(set(names)) < len(names):
        raise invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")


def _check_local(local: list[dict[str, Any]], schema: list[dict[str, str]]) -> None:
    if not local:
        raise invalid(f"{_INVALID}List of LocalSecondaryIndexes is empty")
    if len(schema) == 1:
        raise invalid(
            f"{_INVALID}Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )
    if len(local) > LOCAL_INDEXES:
        raise invalid(f"{_INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES}")
    table_hash = schema[0]["AttributeName"]
    for index in local:
        name, own = index["IndexName"], index["KeySchema"]
        _check_simple_schema(own)
        if own[0]["AttributeName"] != table_hash:
            raise invalid(
                f"{_INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{name}. index hash key: {own[0]['AttributeName']}, table hash key: {table_hash}"
            )
        if len(own) == 1:
            raise invalid(f"{_INVALID}Index KeySchema does not have a range key for index: {name}")


def _check_distinct(names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise invalid(f"{_INVALID}Duplicate index name: {name}")
        seen.add(name)


def _check_used(schema: list[dict[str, str]], types: dict[str, str], indexes: list[dict[str, Any]]) -> None:
    """Refuse definitions of attributes that are no keys."""
    used = [name for index in ({"KeySchema": schema}, *indexes) for name in key_attributes(index)]
    if set(used) == set(types):
        return
    if not indexes:
        raise invalid(
            f"{_INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions"
        )
    raise invalid(
        f"{_INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(types)}], "
        f"keys used: [{', '.join(dict.fromkeys(used))}]"
    )
