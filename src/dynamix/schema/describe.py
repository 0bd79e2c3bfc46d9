"""From a model class to the description of its table.

Names follow the first dynamix, so that its tables keep working: a field with `indexed=True` is a local index named
`{table}_ix_{field}`, by the field's stored name, or by its attribute where the stored name holds what the name of an
index cannot. Projections given mean INCLUDE, none mean KEYS_ONLY. `__secondary_indexes__` describes global indexes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from dynamix.errors import ModelDefinitionError, unknown
from dynamix.fields.base import Field
from dynamix.limits import (
    GLOBAL_INDEXES,
    LOCAL_INDEXES,
    NON_KEY_ATTRIBUTES_PER_INDEX,
)
from dynamix.schema.index import AnyField, Index
from dynamix.schema.table import Schema

M = TypeVar("M")


_INDEX_NAME = re.compile(r"[a-zA-Z0-9_.-]+")


_INDEX_OPTIONS = ("hash_key", "range_key", "read_capacity", "write_capacity", "projections")


def describe(model: type[M]) -> Schema[M]:
    """The schema of a model class. Raises ModelDefinitionError."""
    fields = _fields(model)
    table_name = model.__dict__.get("__table_name__") or getattr(model, "__table_name__", None) or model.__name__
    hash_keys = [field for field in fields.values() if field.hash_key]
    range_keys = [field for field in fields.values() if field.range_key]
    if len(hash_keys) != 1 or len(range_keys) > 1:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(hash_keys)} fields with hash_key=True and {len(range_keys)} with "
            "range_key=True; a table has exactly one partition key and at most one sort key"
        )
    table = Index(None, hash_keys[0], range_keys[0] if range_keys else None, True, "ALL")
    if len({field.name for field in fields.values()}) < len(fields):
        raise ModelDefinitionError(f"two fields of {model.__name__} are stored under one name")
    indexes = [*_local_indexes(model, table_name, fields, table), *_global_indexes(model, fields)]
    return Schema(
        model=model,
        table_name=table_name,
        fields=fields,
        table=table,
        indexes={str(index.name): index for index in indexes},
        read_capacity=getattr(model, "ReadCapacityUnits", None),
        write_capacity=getattr(model, "WriteCapacityUnits", None),
    )


def _fields(model: type) -> dict[str, AnyField]:
    fields: dict[str, AnyField] = {}
    for base in reversed(model.__mro__):
        for attribute, value in list(vars(base).items()):  # another thread may set what it has made on the class
            if isinstance(value, Field):
                if value.attribute != attribute:
                    raise ModelDefinitionError(
                        f"{model.__name__}.{attribute} is the same field as {value}; make a field of its own"
                    )
                fields[attribute] = value
            else:
                fields.pop(attribute, None)
    return fields


def _local_indexes(model: type, table_name: str, fields: Mapping[str, AnyField], table: Index) -> list[Index]:
    indexes = []
    for field in fields.values():
        if not field.indexed:
            if field.projections:
                raise ModelDefinitionError(f"{field} has projections but no index; give indexed=True as well")
            continue
        if table.range_key is None:
            raise ModelDefinitionError(
                f"{field} is indexed, but local indexes need a table with a sort key (range_key=True)"
            )
        projection, included = _projection(model, fields, field.projections)
        suffix = field.name if _INDEX_NAME.fullmatch(field.name) else field.attribute
        name = f"{table_name}_ix_{suffix}"
        indexes.append(Index(name, table.hash_key, field, True, projection, included))
    if len(indexes) > LOCAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(indexes)} local indexes; a table has at most {LOCAL_INDEXES}"
        )
    return indexes


def _global_indexes(model: type, fields: Mapping[str, AnyField]) -> list[Index]:
    described: Mapping[str, Mapping[str, Any]] = getattr(model, "__secondary_indexes__", {})
    if len(described) > GLOBAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(described)} global indexes; a table has at most {GLOBAL_INDEXES}"
        )
    indexes = []
    for name, options in described.items():
        for option in options:
            if option not in _INDEX_OPTIONS:
                raise unknown(option, f"the index {name!r} of {model.__name__} has no option", _INDEX_OPTIONS)
        if "hash_key" not in options:
            raise ModelDefinitionError(f"the index {name!r} of {model.__name__} has no hash_key")
        keys = [
            _named(model, fields, options[role]) for role in ("hash_key", "range_key") if options.get(role) is not None
        ]
        for key in keys:
            if key.key_type is None:
                raise ModelDefinitionError(
                    f"{key} cannot be a key of the index {name!r}: it is no string and no number"
                )
        projection, included = _projection(model, fields, options.get("projections", ()))
        read, write = options.get("read_capacity"), options.get("write_capacity")
        indexes.append(
            Index(name, keys[0], keys[1] if len(keys) > 1 else None, False, projection, included, read, write)
        )
    return indexes


def _projection(
    model: type, fields: Mapping[str, AnyField], names: Sequence[str] | Literal["ALL"] | None
) -> tuple[Literal["ALL", "KEYS_ONLY", "INCLUDE"], tuple[AnyField, ...]]:
    if names == "ALL":
        return "ALL", ()
    if not names:
        return "KEYS_ONLY", ()
    if len(names) > NON_KEY_ATTRIBUTES_PER_INDEX:
        raise ModelDefinitionError(
            f"an index of {model.__name__} projects {len(names)} attributes; the most is {NON_KEY_ATTRIBUTES_PER_INDEX}"
        )
    return "INCLUDE", tuple(_named(model, fields, name) for name in names)


def _named(model: type, fields: Mapping[str, AnyField], name: str | AnyField) -> AnyField:
    """The field of an attribute name, of a stored name, or the field itself."""
    if isinstance(name, Field):
        name = name.attribute
    if name in fields:
        return fields[name]
    for field in fields.values():
        if field.name == name:
            return field
    raise unknown(name, f"an index of {model.__name__} names a field that does not exist:", fields)
