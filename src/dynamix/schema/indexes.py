"""From what a model says of its indexes to these: fields with `indexed=True`, `__secondary_indexes__`, attributes."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from dynamix.errors import ModelDefinitionError, unknown
from dynamix.fields.base import Field
from dynamix.late import later
from dynamix.limits import (
    GLOBAL_INDEXES,
    KEY_ATTRIBUTES,
    LOCAL_INDEXES,
    NON_KEY_ATTRIBUTES_PER_INDEX,
    TABLE_NAME,
    VECTOR_FILTERS,
    VECTOR_INDEXES,
)
from dynamix.schema.declared import Declared, GlobalIndex, LocalIndex, VectorIndex
from dynamix.schema.index import AnyField, Index, IndexOptions, Vectors

if TYPE_CHECKING:
    from dynamix.fields import vector
else:
    later(globals(), vector="dynamix.fields.vector")

_INDEX_NAME = re.compile(r"[a-zA-Z0-9_.-]+")


def units_of(units: object, what: str) -> int:
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise ModelDefinitionError(f"{what} is {units!r}; give an int of 1 or more")
    return units


def declared_in(model: type) -> dict[str, Declared]:
    """The indexes declared as attributes, by these, inherited ones first."""
    declared: dict[str, Declared] = {}
    for base in reversed(model.__mro__):
        for attribute, value in list(vars(base).items()):
            declared.pop(attribute, None)
            if isinstance(value, GlobalIndex | LocalIndex | VectorIndex):
                if value.attribute != attribute:
                    raise ModelDefinitionError(
                        f"{model.__name__}.{attribute} is the same index as {value}; declare one of its own"
                    )
                declared[attribute] = value
    return declared


def local_indexes(
    model: type, table_name: str, fields: Mapping[str, AnyField], table: Index, declared: Mapping[str, Declared]
) -> list[Index]:
    indexes = []
    for found in declared.values():
        if isinstance(found, LocalIndex):
            name = _index_name(model, found.name)
            what = f"the index {name!r} of {model.__name__}"
            if table.range_key is None:
                raise ModelDefinitionError(f"{what} is local, and local indexes need a table with a sort key")
            key = _key(model, fields, what, "range_key", found.range_key)
            projected = _projection(model, fields, found.projections, f"projections of {what}")
            indexes.append(Index(name, table.hash_keys, (key,), True, *projected))
    for field in fields.values():
        if not field.indexed:
            if field.projections:
                raise ModelDefinitionError(f"{field} has projections but no index; give indexed=True as well")
            if field.index_name is not None:
                raise ModelDefinitionError(f"{field} has an index_name but no index; give indexed=True as well")
            continue
        if table.range_key is None:
            raise ModelDefinitionError(
                f"{field} is indexed, but local indexes need a table with a sort key (range_key=True)"
            )
        projection, included = _projection(model, fields, field.projections, f"{field}.projections")
        suffix = field.name if _INDEX_NAME.fullmatch(field.name) else field.attribute
        given = field.index_name
        name = _index_name(model, f"{table_name}_ix_{suffix}" if given is None else given)
        indexes.append(Index(name, table.hash_keys, (field,), True, projection, included))
    if len(indexes) > LOCAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(indexes)} local indexes; a table has at most {LOCAL_INDEXES}"
        )
    return indexes


def global_indexes(model: type, fields: Mapping[str, AnyField], declared: Mapping[str, Declared]) -> list[Index]:
    described: object = getattr(model, "__secondary_indexes__", {})
    if not isinstance(described, Mapping):
        raise ModelDefinitionError(
            f"{model.__name__}.__secondary_indexes__ is {described!r}; give a dict of the indexes by name"
        )
    found = [(index.name, index.options) for index in declared.values() if isinstance(index, GlobalIndex)]
    found += described.items()
    if len(found) > GLOBAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(found)} global indexes; a table has at most {GLOBAL_INDEXES}"
        )
    return [_global_index(model, fields, _index_name(model, name), options) for name, options in found]


def _global_index(model: type, fields: Mapping[str, AnyField], name: str, options: object) -> Index:
    what = f"the index {name!r} of {model.__name__}"
    if not isinstance(options, Mapping):
        raise ModelDefinitionError(f"{what} is described by {options!r}; give a dict such as {{'hash_key': ...}}")
    for option in options:
        if option not in IndexOptions.__annotations__:
            raise unknown(str(option), f"{what} has no option", IndexOptions.__annotations__)
    if "hash_key" not in options:
        raise ModelDefinitionError(f"{what} has no hash_key")
    hash_keys = _keys(model, fields, what, "hash_key", options["hash_key"])
    range_key = options.get("range_key")
    range_keys = () if range_key is None else _keys(model, fields, what, "range_key", range_key)
    names = [key.name for key in (*hash_keys, *range_keys)]
    if len({*names}) < len(names):
        raise ModelDefinitionError(f"{what} has a field twice in its key, {', '.join(names)}; it has one place there")
    projection, included = _projection(model, fields, options.get("projections", ()), f"projections of {what}")
    read, write = (
        None if options.get(option) is None else units_of(options[option], f"{option} of {what}")
        for option in ("read_capacity", "write_capacity")
    )
    return Index(
        name,
        hash_keys,
        range_keys,
        False,
        projection,
        included,
        read,
        write,
    )


def vector_indexes(model: type, fields: Mapping[str, AnyField], declared: Mapping[str, Declared]) -> list[Vectors]:
    """The vector indexes of a model."""
    found = [_vectors(model, fields, index) for index in declared.values() if isinstance(index, VectorIndex)]
    if len(found) > VECTOR_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(found)} vector indexes; a table has at most {VECTOR_INDEXES}"
        )
    if found and isinstance(getattr(model, "ReadCapacityUnits", None), int):
        raise ModelDefinitionError(
            f"{model.__name__} has vector indexes, which only tables have that are billed on demand; leave out "
            "ReadCapacityUnits and WriteCapacityUnits"
        )
    return found


def _vectors(model: type, fields: Mapping[str, AnyField], declared: VectorIndex) -> Vectors:
    name = _index_name(model, declared.name)
    what = f"the index {name!r} of {model.__name__}"
    field = _named(model, fields, declared.field)
    if not isinstance(field, vector.VectorField):
        raise ModelDefinitionError(f"{what} is of {field}, which is no VectorField")
    hash_key = None if declared.hash_key is None else _key(model, fields, what, "hash_key", declared.hash_key)
    if hash_key is not None and not hash_key.required:
        raise ModelDefinitionError(
            f"{hash_key} is the hash_key of {what}, in which no item is found that lacks it; give the field "
            "required=True"
        )
    if isinstance(declared.filters, str) or len(declared.filters) > VECTOR_FILTERS:
        raise ModelDefinitionError(f"filters of {what} is {declared.filters!r}; give a list of up to {VECTOR_FILTERS}")
    filters = tuple(_key(model, fields, what, "filters", name) for name in declared.filters)
    names = [key.name for key in (*filters, *([] if hash_key is None else [hash_key]))]
    if len({*names}) < len(names):
        raise ModelDefinitionError(f"{what} has a field twice, {', '.join(names)}; it is its hash_key or one filter")
    distance = field.distance if declared.distance is None else vector.checked_distance(declared.distance)
    projected = _projection(model, fields, declared.projections, f"projections of {what}")
    return Vectors(name, field, hash_key, filters, distance, *projected)


def _keys(model: type, fields: Mapping[str, AnyField], what: str, role: str, names: object) -> tuple[AnyField, ...]:
    """The fields of one half of a key of an index: one, or up to four in order."""
    if isinstance(names, str | Field):
        return (_key(model, fields, what, role, names),)
    if not isinstance(names, Sequence) or isinstance(names, bytes) or not 1 <= len(names) <= KEY_ATTRIBUTES:
        raise ModelDefinitionError(
            f"{role} of {what} is {names!r}; give one field, by its name or itself, or a list of up to {KEY_ATTRIBUTES}"
        )
    return tuple(_key(model, fields, what, role, name) for name in names)


def _key(model: type, fields: Mapping[str, AnyField], what: str, role: str, name: object) -> AnyField:
    if not isinstance(name, str | Field):
        raise ModelDefinitionError(f"{role} of {what} is {name!r}; give one field, by its name or itself")
    key = _named(model, fields, name)
    if key.key_type is None:
        raise ModelDefinitionError(f"{key} cannot be a key of {what}: it is no string, no number and no binary")
    return key


def _index_name(model: type, name: object) -> str:
    if not isinstance(name, str) or not TABLE_NAME.fullmatch(name):
        raise ModelDefinitionError(
            f"an index of {model.__name__} cannot be called {name!r}; its name has 3 to 255 of the characters a-z, "
            "A-Z, 0-9, '_', '-' and '.'"
        )
    return name


def _projection(
    model: type, fields: Mapping[str, AnyField], names: object, what: str
) -> tuple[Literal["ALL", "KEYS_ONLY", "INCLUDE"], tuple[AnyField, ...]]:
    if names == "ALL":
        return "ALL", ()
    if names is None or names == "KEYS_ONLY":
        return "KEYS_ONLY", ()
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Collection):
        raise ModelDefinitionError(f"{what} is {names!r}; give a list of fields, 'ALL' or 'KEYS_ONLY'")
    for name in names:
        if not isinstance(name, str | Field):
            raise ModelDefinitionError(f"{what} has {name!r}; give fields, by their names or themselves")
    if len(names) > NON_KEY_ATTRIBUTES_PER_INDEX:
        raise ModelDefinitionError(
            f"an index of {model.__name__} projects {len(names)} attributes; the most is {NON_KEY_ATTRIBUTES_PER_INDEX}"
        )
    return ("INCLUDE", tuple(_named(model, fields, name) for name in names)) if names else ("KEYS_ONLY", ())


def _named(model: type, fields: Mapping[str, AnyField], name: str | AnyField) -> AnyField:
    """The field of an attribute name, of a stored name, or the field itself."""
    if isinstance(name, Field):
        name = getattr(name, "attribute", type(name).__name__)
    if name in fields:
        return fields[name]
    for field in fields.values():
        if field.name == name:
            return field
    raise unknown(name, f"an index of {model.__name__} names a field that does not exist:", fields)
