"""The table that several models share: the keys and indexes of all of them together."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar

from msgspec.structs import replace

from dynamix.errors import ModelDefinitionError
from dynamix.limits import GLOBAL_INDEXES, LOCAL_INDEXES, NON_KEY_ATTRIBUTES_PER_INDEX
from dynamix.schema.index import AnyField, Index, Vectors
from dynamix.schema.table import Schema, Table

T = TypeVar("T")


def whole(table: Table[Any]) -> Table[Any]:
    """A table as all models together describe it that share it; one that is not shared is as it is.

    Raises ModelDefinitionError where they contradict each other.
    """
    kinds = table.schema.kinds
    if kinds is None:
        return table
    base: Schema[Any] = kinds.schema_of(kinds.field.owner)
    family: list[Schema[Any]] = [base, *map(kinds.schema_of, list(kinds.field.members.values()))]
    found: dict[str, Index] = {}
    for schema in family:
        for name, index in schema.indexes.items():
            found[name] = index if name not in found else _merged(base, found[name], index)
    _check_number(base, found.values())
    _check_types(base, found.values())
    expiry = _agreed(family, "when items expire", lambda schema: schema.expiry, lambda field: field.name)
    companions = [schema.companion for schema in family if schema.companion is not None]
    merged = replace(
        base,
        fields=base.fields if expiry is None else {**base.fields, expiry.attribute: expiry},
        indexes=found,
        vectors=_vectors(family),
        read_capacity=_agreed(family, "ReadCapacityUnits", lambda schema: schema.read_capacity),
        write_capacity=_agreed(family, "WriteCapacityUnits", lambda schema: schema.write_capacity),
        deletion_protection=_agreed(family, "DeletionProtectionEnabled", lambda schema: schema.deletion_protection),
        companion=max(companions, key=lambda companion: companion.expiry is not None, default=None),
    )
    return Table(merged, table.name)


def _same(value: Any) -> Any:
    return value


def _agreed(
    family: Iterable[Schema[Any]],
    what: str,
    get: Callable[[Schema[Any]], T | None],
    key: Callable[[T], object] = _same,
) -> T | None:
    """What all models say that say anything."""
    said = [(schema, value) for schema in family if (value := get(schema)) is not None]
    for schema, value in said:
        if key(value) != key(said[0][1]):
            raise ModelDefinitionError(
                f"{said[0][0].model_name} and {schema.model_name} share a table, and say differently of {what}: "
                f"{said[0][1]!r} and {value!r}"
            )
    return said[0][1] if said else None


def _merged(base: Schema[Any], one: Index, other: Index) -> Index:
    """An index that holds what two models say that it holds."""
    if one.local != other.local or _names(one) != _names(other):
        raise ModelDefinitionError(
            f"the models that share the table of {base.model_name} have different keys for the index {one.name!r}: "
            f"{', '.join(map(str, one.keys))} and {', '.join(map(str, other.keys))}"
        )
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "KEYS_ONLY"
    if "ALL" in (one.projection, other.projection):
        projection = "ALL"
    elif "INCLUDE" in (one.projection, other.projection):
        projection = "INCLUDE"
    included: tuple[AnyField, ...] = ()
    if projection == "INCLUDE":
        included = tuple({field.name: field for field in (*one.included, *other.included)}.values())
    if len(included) > NON_KEY_ATTRIBUTES_PER_INDEX:
        raise ModelDefinitionError(
            f"the index {one.name!r} of the table of {base.model_name} projects {len(included)} attributes of all its "
            f"models; the most is {NON_KEY_ATTRIBUTES_PER_INDEX}"
        )
    read = one.read_capacity if one.read_capacity is not None else other.read_capacity
    write = one.write_capacity if one.write_capacity is not None else other.write_capacity
    return replace(one, projection=projection, included=included, read_capacity=read, write_capacity=write)


def _names(index: Index) -> tuple[list[str], list[str]]:
    return [key.name for key in index.hash_keys], [key.name for key in index.range_keys]


def _vectors(family: Iterable[Schema[Any]]) -> dict[str, Vectors]:
    """The vector indexes of all models."""
    found: dict[str, Vectors] = {}
    for schema in family:
        for name, index in schema.vectors.items():
            other = found.setdefault(name, index)
            if _described(other) != _described(index):
                raise ModelDefinitionError(
                    f"{schema.model_name} shares a table with models that describe the vector index {name!r} "
                    "otherwise; describe it alike"
                )
    return found


def _described(index: Vectors) -> tuple[object, ...]:
    names = [[field.name for field in fields] for fields in (index.keys, index.filters, index.included)]
    return index.field.name, index.field.dimensions, index.distance, index.projection, *names


def _check_number(base: Schema[Any], indexes: Iterable[Index]) -> None:
    local = sum(index.local for index in indexes)
    for number, most, kind in ((local, LOCAL_INDEXES, "local"), (len(list(indexes)) - local, GLOBAL_INDEXES, "global")):
        if number > most:
            raise ModelDefinitionError(
                f"the models that share the table of {base.model_name} have {number} {kind} indexes; a table has at "
                f"most {most}"
            )


def _check_types(base: Schema[Any], indexes: Iterable[Index]) -> None:
    """Refuse an attribute that is a key by two types."""
    types: dict[str, AnyField] = {}
    for field in _keys(base, indexes):
        other = types.setdefault(field.name, field)
        if other.key_type != field.key_type:
            raise ModelDefinitionError(
                f"{other} and {field} are keys of one table by the stored name {field.name!r}, and of different types"
            )


def _keys(base: Schema[Any], indexes: Iterable[Index]) -> Iterator[AnyField]:
    for index in (base.table, *indexes):
        yield from index.keys
