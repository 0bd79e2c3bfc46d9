"""From a model class to the description of its table.

Names follow the first dynamix, so that its tables keep working: a field with `indexed=True` is a local index named
`{table}_ix_{field}`, by the field's stored name, or by its attribute where the stored name holds what the name of an
index cannot; in tables of other programs it has another name, given as `index_name`. Projections given mean INCLUDE,
none mean KEYS_ONLY. `__secondary_indexes__` describes global indexes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from dynamix.codec.evolving import UPGRADED
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.char import CharField
from dynamix.fields.computed import ComputedField
from dynamix.fields.declared import declared_fields
from dynamix.fields.ttl import TTLField
from dynamix.fields.version import VersionField
from dynamix.late import later
from dynamix.schema.index import AnyField, Index, Vectors
from dynamix.schema.indexes import declared_in, global_indexes, local_indexes, units_of, vector_indexes
from dynamix.schema.table import Schema

if TYPE_CHECKING:
    from dynamix.schema import evolution, unique, upgrades
    from dynamix.schema.kinds import Kinds
else:
    later(
        globals(),
        evolution="dynamix.schema.evolution",
        unique="dynamix.schema.unique",
        upgrades="dynamix.schema.upgrades",
    )

M = TypeVar("M")


_SCHEMA = "_dynamix_schema"


def schema_of(model: type[M]) -> Schema[M]:
    """The description of the model's table, made when it is first needed. Raises ModelDefinitionError."""
    schema: Schema[M] | None = getattr(model, _SCHEMA, None)
    if schema is None or schema.model is not model:  # that of a class it derives from, or is a copy of
        schema = describe(model)
        setattr(model, _SCHEMA, schema)
    return schema


def describe(model: type[M]) -> Schema[M]:
    """The schema of a model class. Raises ModelDefinitionError."""
    fields = declared_fields(model)
    table_name = _table_name(model, fields)
    hash_keys = [field for field in fields.values() if field.hash_key]
    range_keys = [field for field in fields.values() if field.range_key]
    if len(hash_keys) != 1 or len(range_keys) > 1:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(hash_keys)} fields with hash_key=True and {len(range_keys)} with "
            "range_key=True; a table has exactly one partition key and at most one sort key"
        )
    if hash_keys[0].range_key:
        raise ModelDefinitionError(f"{hash_keys[0]} cannot be both the partition key and the sort key of a table")
    table = Index(None, tuple(hash_keys), tuple(range_keys), True, "ALL")
    expiries = [str(field) for field in fields.values() if isinstance(field, TTLField)]
    if len(expiries) > 1:
        raise ModelDefinitionError(f"{' and '.join(expiries)} both say when an item expires; a table heeds one field")
    counters = [str(field) for field in fields.values() if isinstance(field, VersionField)]
    if len(counters) > 1:
        raise ModelDefinitionError(f"{' and '.join(counters)} are both versions; an item has one version")
    versions = None
    if getattr(model, "__schema_version__", None) is not None or hasattr(model, UPGRADED):
        versions = upgrades.versions_of(model, frozenset(field.name for field in fields.values()))
    declared = declared_in(model)
    indexes = [
        *local_indexes(model, table_name, fields, table, declared),
        *global_indexes(model, fields, declared),
    ]
    if versions is not None:
        indexes = [_with_mark(index, versions) for index in indexes]
    vectors = vector_indexes(model, fields, declared)
    names = [index.name for index in indexes] + [index.name for index in vectors]
    if len({*names}) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ModelDefinitionError(f"{model.__name__} has two indexes with the name {twice!r}; rename one of them")
    for index in (table, *indexes):
        _check_order(index)
    for field in fields.values():
        if isinstance(field, ComputedField):
            field.part_fields(fields)
            if any(field is key for index in (table, *indexes) for key in index.range_keys):
                field.check_order(fields)
    _check_hiding(fields, [*indexes, *vectors])
    kinds = _kinds(model, fields, table, indexes, vectors)
    if any(field.was is not None for field in fields.values()):
        evolution.check_renamed(model, fields, (table, *indexes))
    guards = unique.guards_of(model, fields, table, indexes) if _has_unique(model, fields) else None
    schema = Schema(
        model=model,
        table_name=table_name,
        fields=fields,
        table=table,
        indexes={str(index.name): index for index in indexes},
        declared=declared,
        vectors={index.name: index for index in vectors},
        read_capacity=_capacity(model, "ReadCapacityUnits"),
        write_capacity=_capacity(model, "WriteCapacityUnits"),
        deletion_protection=_protection(model),
        guards=guards,
        versions=versions,
        companion=None if guards is None or guards.within else _companion(model, table_name, guards.expiry),
        kinds=kinds,
    )
    schema.hooks.check()
    return schema


def _kinds(
    model: type, fields: Mapping[str, AnyField], table: Index, indexes: list[Index], vectors: list[Vectors]
) -> "Kinds | None":
    """Which items are the model's, None where its table has those of no other."""
    found: list[Any] = [field for field in fields.values() if field.is_discriminator]
    if not found:
        return None
    if len(found) > 1:
        raise ModelDefinitionError(f"{' and '.join(map(str, found))} are both discriminators; a table has one")
    from dynamix.schema.kinds import Kinds  # which programs without shared tables never need

    kinds = Kinds(model, found[0], schema_of)
    kinds.check_keys(table)
    for index in indexes:
        kinds.check_index(index, table)
    for near in vectors:
        if not any(key is kinds.field for key in near.keys):
            raise ModelDefinitionError(
                f"the vector index {near.name!r} of {model.__name__} needs {kinds.field} among its filters: by it a "
                "search tells the models apart that share the table"
            )
    return kinds


def _with_mark(index: Index, versions: "upgrades.Versions") -> Index:
    """The same index; one that holds some attributes holds that of the version too, without which none can be read."""
    return replace(index, included=(*index.included, versions.field)) if index.projection == "INCLUDE" else index


def _check_order(index: Index) -> None:
    """Refuse a sort key whose items would come in another order than its values."""
    for field in index.range_keys:
        if field.ordered and not field.sorts and not field.unsorted:
            place = "a sort key" if index.name is None else f"the sort key of the index {index.name!r}"
            raise ModelDefinitionError(
                f"{field} cannot be {place}: what it stores does not sort as its values do; choose a stored form that "
                "does, or give unsorted=True, if items may come in that order and are asked for by eq alone"
            )


def _has_unique(model: type, fields: Mapping[str, AnyField]) -> bool:
    """Whether a model says of anything that it is unique."""
    names = ("__unique__", "__unique_in_table__")
    return any(field.unique for field in fields.values()) or any(hasattr(model, name) for name in names)


def _companion(model: type, table_name: str, expiry: AnyField | None) -> Schema[Any]:
    """The schema of the table of a model's guards, which has the settings of the model's own table."""
    capacity = ("ReadCapacityUnits", "WriteCapacityUnits", "DeletionProtectionEnabled")
    body = {name: getattr(model, name) for name in capacity if not isinstance(getattr(model, name, None), Field | None)}
    body |= {"__table_name__": table_name + unique.COMPANION, "key": CharField(hash_key=True, name=unique.KEY)}
    if expiry is not None:
        body["expires"] = TTLField(name=unique.EXPIRES)
    return describe(type(model.__name__, (), body))


def _check_hiding(fields: Mapping[str, AnyField], indexes: Sequence[Index | Vectors]) -> None:
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


def _table_name(model: type, fields: Mapping[str, AnyField]) -> str:
    name = getattr(model, "__table_name__", None)
    if name is None:
        return next((field.owner.__name__ for field in fields.values() if field.is_discriminator), model.__name__)
    if not isinstance(name, str) or not name:
        raise ModelDefinitionError(f"{model.__name__}.__table_name__ is {name!r}; give a str, not empty")
    return name


def _capacity(model: type, name: str) -> int | None:
    """The capacity that a model sets by an attribute of this name, unless a field has that name."""
    units = getattr(model, name, None)
    return None if units is None or isinstance(units, Field) else units_of(units, f"{model.__name__}.{name}")


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
