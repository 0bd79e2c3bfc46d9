"""From a model class to the description of its table.

Names follow the first dynamix, so that its tables keep working: a field with `indexed=True` is a local index named
`{table}_ix_{field}`, by the field's stored name, or by its attribute where the stored name holds what the name of an
index cannot. Projections given mean INCLUDE, none mean KEYS_ONLY. `__secondary_indexes__` describes global indexes.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeVar

from dynamix.errors import ModelDefinitionError, unknown
from dynamix.fields.base import Field
from dynamix.fields.char import CharField
from dynamix.fields.computed import ComputedField
from dynamix.fields.declared import declared_fields
from dynamix.fields.discriminator import DiscriminatorField, discriminator_of
from dynamix.fields.ttl import TTLField
from dynamix.fields.version import VersionField
from dynamix.limits import (
    GLOBAL_INDEXES,
    LOCAL_INDEXES,
    NON_KEY_ATTRIBUTES_PER_INDEX,
    TABLE_NAME,
)
from dynamix.schema.index import AnyField, Index, IndexOptions
from dynamix.schema.kinds import Kinds
from dynamix.schema.table import Schema
from dynamix.schema.unique import COMPANION, EXPIRES, KEY, guards_of

M = TypeVar("M")


_INDEX_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_SCHEMA = "_dynamix_schema"


def schema_of(model: type[M]) -> Schema[M]:
    """The description of the model's table, made when it is first needed. Raises ModelDefinitionError."""
    schema: Schema[M] | None = model.__dict__.get(_SCHEMA)
    if schema is None:
        schema = describe(model)
        setattr(model, _SCHEMA, schema)
    return schema


def forget_schema(model: type[Any]) -> None:
    """Drop a description that came along with the attributes of another class, as class decorators copy them."""
    if _SCHEMA in vars(model):
        delattr(model, _SCHEMA)


def describe(model: type[M]) -> Schema[M]:
    """The schema of a model class. Raises ModelDefinitionError."""
    fields = declared_fields(model)
    table_name = _table_name(model)
    hash_keys = [field for field in fields.values() if field.hash_key]
    range_keys = [field for field in fields.values() if field.range_key]
    if len(hash_keys) != 1 or len(range_keys) > 1:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(hash_keys)} fields with hash_key=True and {len(range_keys)} with "
            "range_key=True; a table has exactly one partition key and at most one sort key"
        )
    table = Index(None, hash_keys[0], range_keys[0] if range_keys else None, True, "ALL")
    expiries = [str(field) for field in fields.values() if isinstance(field, TTLField)]
    if len(expiries) > 1:
        raise ModelDefinitionError(f"{' and '.join(expiries)} both say when an item expires; a table heeds one field")
    versions = [str(field) for field in fields.values() if isinstance(field, VersionField)]
    if len(versions) > 1:
        raise ModelDefinitionError(f"{' and '.join(versions)} are both versions; an item has one version")
    indexes = [*_local_indexes(model, table_name, fields, table), *_global_indexes(model, fields)]
    for index in (table, *indexes):
        _check_order(index)
    for field in fields.values():
        if isinstance(field, ComputedField):
            field.part_fields(fields)
            if any(index.range_key is field for index in (table, *indexes)):
                field.check_order(fields)
    _check_hiding(fields, indexes)
    kinds = _kinds(model, fields, table, indexes)
    guards = guards_of(model, fields, table, indexes)
    schema = Schema(
        model=model,
        table_name=table_name,
        fields=fields,
        table=table,
        indexes={str(index.name): index for index in indexes},
        read_capacity=_capacity(model, "ReadCapacityUnits"),
        write_capacity=_capacity(model, "WriteCapacityUnits"),
        deletion_protection=_protection(model),
        guards=guards,
        companion=None if guards is None or guards.within else _companion(model, table_name, guards.expiry),
        kinds=kinds,
    )
    schema.check_hooks()
    return schema


def _kinds(model: type, fields: Mapping[str, AnyField], table: Index, indexes: list[Index]) -> Kinds | None:
    """Which items are the model's, None where its table has those of no other."""
    found = [field for field in fields.values() if isinstance(field, DiscriminatorField)]
    if not found:
        return None
    if len(found) > 1:
        raise ModelDefinitionError(f"{' and '.join(map(str, found))} are both discriminators; a table has one")
    kinds = Kinds(model, found[0], schema_of)
    kinds.check_keys(table)
    for index in indexes:
        kinds.check_index(index, table)
    return kinds


def _check_order(index: Index) -> None:
    """Refuse a sort key whose items would come in another order than its values."""
    field = index.range_key
    if field is not None and field.ordered and not field.sorts and not field.unsorted:
        place = "a sort key" if index.name is None else f"the sort key of the index {index.name!r}"
        raise ModelDefinitionError(
            f"{field} cannot be {place}: what it stores does not sort as its values do; choose a stored form that "
            "does, or give unsorted=True, if items may come in that order and are asked for by eq alone"
        )


def _companion(model: type, table_name: str, expiry: AnyField | None) -> Schema[Any]:
    """The schema of the table of a model's guards, which has the settings of the model's own table."""
    capacity = ("ReadCapacityUnits", "WriteCapacityUnits", "DeletionProtectionEnabled")
    body = {name: getattr(model, name) for name in capacity if not isinstance(getattr(model, name, None), Field | None)}
    body |= {"__table_name__": table_name + COMPANION, "key": CharField(hash_key=True, name=KEY)}
    if expiry is not None:
        body["expires"] = TTLField(name=EXPIRES)
    return describe(type(model.__name__, (), body))


def _check_hiding(fields: Mapping[str, AnyField], indexes: list[Index]) -> None:
    """Refuse an index by which expired items could not be hidden."""
    for field in fields.values():
        if not (isinstance(field, TTLField) and field.hide_expired):
            continue
        for index in indexes:
            if any(field is key for key in index.keys):
                raise ModelDefinitionError(
                    f"{field} hides expired items, and a query cannot filter by a key: it cannot be one of the index "
                    f"{index.name!r}"
                )
            if index.projection != "ALL" and not any(field is included for included in index.included):
                raise ModelDefinitionError(
                    f"{field} hides expired items, but the index {index.name!r} does not hold it; add it to the "
                    "projections"
                )


def _table_name(model: type) -> str:
    name = getattr(model, "__table_name__", None)
    if name is None:
        shared = discriminator_of(model)
        return model.__name__ if shared is None else shared.root.__name__
    if not isinstance(name, str) or not name:
        raise ModelDefinitionError(f"{model.__name__}.__table_name__ is {name!r}; give a str, not empty")
    return name


def _capacity(model: type, name: str) -> int | None:
    """The capacity that a model sets by an attribute of this name, unless a field has that name."""
    units = getattr(model, name, None)
    return None if units is None or isinstance(units, Field) else _units(units, f"{model.__name__}.{name}")


def _units(units: object, what: str) -> int:
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise ModelDefinitionError(f"{what} is {units!r}; give an int of 1 or more")
    return units


def _protection(model: type) -> bool | None:
    """Whether a model says that its table is protected, unless a field has the name of that setting."""
    protected = getattr(model, "DeletionProtectionEnabled", None)
    if protected is None or isinstance(protected, Field):
        return None
    if not isinstance(protected, bool):
        raise ModelDefinitionError(
            f"{model.__name__}.DeletionProtectionEnabled is {protected!r}; give True or False, or leave it out"
        )
    return protected


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
        projection, included = _projection(model, fields, field.projections, f"{field}.projections")
        suffix = field.name if _INDEX_NAME.fullmatch(field.name) else field.attribute
        name = _index_name(model, f"{table_name}_ix_{suffix}")
        indexes.append(Index(name, table.hash_key, field, True, projection, included))
    if len(indexes) > LOCAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(indexes)} local indexes; a table has at most {LOCAL_INDEXES}"
        )
    return indexes


def _global_indexes(model: type, fields: Mapping[str, AnyField]) -> list[Index]:
    described: object = getattr(model, "__secondary_indexes__", {})
    if not isinstance(described, Mapping):
        raise ModelDefinitionError(
            f"{model.__name__}.__secondary_indexes__ is {described!r}; give a dict of the indexes by name"
        )
    if len(described) > GLOBAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(described)} global indexes; a table has at most {GLOBAL_INDEXES}"
        )
    return [_global_index(model, fields, _index_name(model, name), options) for name, options in described.items()]


def _global_index(model: type, fields: Mapping[str, AnyField], name: str, options: object) -> Index:
    what = f"the index {name!r} of {model.__name__}"
    if not isinstance(options, Mapping):
        raise ModelDefinitionError(f"{what} is described by {options!r}; give a dict such as {{'hash_key': ...}}")
    for option in options:
        if option not in IndexOptions.__annotations__:
            raise unknown(str(option), f"{what} has no option", IndexOptions.__annotations__)
    if "hash_key" not in options:
        raise ModelDefinitionError(f"{what} has no hash_key")
    hash_key = _key(model, fields, what, "hash_key", options["hash_key"])
    range_key = options.get("range_key")
    projection, included = _projection(model, fields, options.get("projections", ()), f"projections of {what}")
    read, write = (
        None if options.get(option) is None else _units(options[option], f"{option} of {what}")
        for option in ("read_capacity", "write_capacity")
    )
    return Index(
        name,
        hash_key,
        None if range_key is None else _key(model, fields, what, "range_key", range_key),
        False,
        projection,
        included,
        read,
        write,
    )


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
        name = name.attribute
    if name in fields:
        return fields[name]
    for field in fields.values():
        if field.name == name:
            return field
    raise unknown(name, f"an index of {model.__name__} names a field that does not exist:", fields)
