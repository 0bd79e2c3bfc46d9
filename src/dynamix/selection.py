"""What a search reads, and which of its conditions choose by key and which filter.

That follows from the index. What DynamoDB cannot do is refused here, with the reason and what would work, before
anything is sent. Source: DynamoDB Developer Guide, "Key condition expressions for the Query operation" and "Filter
expressions".
"""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from dynamix.cursor import Cursor
from dynamix.errors import InvalidQueryError, UnknownNameError, WrongTypeError
from dynamix.expressions.nodes import (
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Contains,
    In,
    Path,
)
from dynamix.expressions.walk import joined, paths
from dynamix.fields.base import Field
from dynamix.fields.changeable import Element
from dynamix.schema.index import AnyField, Index
from dynamix.schema.table import Schema
from dynamix.unreadable import OnError

M = TypeVar("M")


class Bounds(Struct, frozen=True):
    """How much one read may take: requests, read units, seconds; None: any number."""

    pages: int | None = None
    units: float | None = None
    seconds: float | None = None


class Search(Struct, Generic[M], frozen=True, eq=False):
    """What to read: a query (`keyed`) or a scan of a table or index.

    `fields` are those to read, none meaning all that the index holds. `conditions` choose by key where they can,
    `filters` never do. `limit` is the most matches to return, `page_size` the most items that one request looks at.
    `on_error` says what becomes of items that cannot be read.
    """

    schema: Schema[M]
    keyed: bool
    index: Index
    fields: tuple[AnyField, ...] = ()
    conditions: tuple[Condition, ...] = ()
    filters: tuple[Condition, ...] = ()
    ascending: bool = True
    consistent: bool | None = None
    limit: int | None = None
    page_size: int | None = None
    bounds: Bounds | None = None
    start: Cursor | None = None
    on_error: OnError = "raise"


class Selection(NamedTuple):
    """The conditions of a search: those on the key, and those that filter what the key finds."""

    key: tuple[Condition, ...]
    filters: tuple[Condition, ...]


def select(search: Search[Any]) -> Selection:
    """The key conditions and the filters of a search. Raises InvalidQueryError for what DynamoDB cannot do."""
    schema, index = search.schema, search.index
    check_fields(schema, index, search.fields)
    conditions, own = list(joined(search.conditions)), tuple(joined(search.filters))
    held = schema.loaded_from(index)
    if held is not None:
        _check_held(schema, index, held, (*conditions, *own))
    if search.consistent and not index.local:
        raise InvalidQueryError(
            f"a global index such as {index.name!r} has no consistent reads; read the table instead"
        )
    if not search.keyed:
        return Selection((), (*conditions, *own))
    on_partition = [c for c in conditions if _is_on(c, index.hash_key)]
    on_sort = [c for c in conditions if index.range_key is not None and _is_on(c, index.range_key)]
    filters = (*(c for c in conditions if not any(c is k for k in (*on_partition, *on_sort))), *own)
    for condition in filters:
        for path in paths(condition):
            if any(path.parts[0] == key.name for key in index.keys):
                raise InvalidQueryError(
                    f"{path.source or path.parts[0]} is a key of {_where(schema, index)}; a condition on it must stand "
                    "alone, in where(), not in filter() or inside |, ~ or size()"
                )
    return Selection((_partition(schema, index, on_partition, conditions), *_sort(index, on_sort)), filters)


def _is_on(condition: Condition, key: AnyField) -> bool:
    """Whether a condition is a plain one on a key."""
    match condition:
        case Compare(_, Path(parts)) | Between(Path(parts)) | BeginsWith(Path(parts)) | In(Path(parts)):
            return parts == (key.name,)
        case Contains(Path(parts)) | AttributeExists(Path(parts)) | AttributeNotExists(Path(parts)):
            return parts == (key.name,)
        case AttributeType(Path(parts)):
            return parts == (key.name,)
    return False


def _partition(schema: Schema[Any], index: Index, found: list[Condition], conditions: list[Condition]) -> Condition:
    match found:
        case [Compare("=") as condition]:
            return condition
        case []:
            raise InvalidQueryError(
                f"a query of {_where(schema, index)} needs {index.hash_key}.eq(...), its partition key; "
                f"{_advice(schema, conditions)}"
            )
        case [_]:
            raise InvalidQueryError(
                f"{index.hash_key} is the partition key of {_where(schema, index)}; DynamoDB takes only eq on it, "
                f"or use {schema.model_name}.scan()"
            )
    raise InvalidQueryError(
        f"{index.hash_key}, the partition key of {_where(schema, index)}, has more than one condition"
    )


def _advice(schema: Schema[Any], conditions: list[Condition]) -> str:
    """What would work for conditions that lack the partition key."""
    for candidate in (schema.table, *schema.indexes.values()):
        if any(isinstance(c, Compare) and c.operator == "=" and _is_on(c, candidate.hash_key) for c in conditions):
            if candidate.name is None:
                return "leave out use_index() to query the table itself"
            return f"use_index({candidate.name!r}) has the key for these conditions"
    return f"or use {schema.model_name}.scan(), which reads the whole table"


def _sort(index: Index, found: list[Condition]) -> tuple[Condition, ...]:
    for condition in found:
        if not isinstance(condition, Compare | Between | BeginsWith) or (
            isinstance(condition, Compare) and condition.operator == "<>"
        ):
            raise InvalidQueryError(
                f"{index.range_key} is the sort key; DynamoDB takes eq, lt, lte, gt, gte, between or begins_with on "
                f"it, not {_verb(condition)}"
            )
    match found:
        case [] | [_]:
            return tuple(found)
        case [Compare(">=", path, low), Compare("<=", _, high)] | [Compare("<=", path, high), Compare(">=", _, low)]:
            return (Between(path, low, high),)
    raise InvalidQueryError(
        f"{index.range_key}, the sort key, has {len(found)} conditions and DynamoDB takes one; between(low, high), "
        "or gte and lte together, make a range"
    )


def _verb(condition: Condition) -> str:
    match condition:
        case Compare():
            return "ne"
        case In():
            return "is_in"
        case Contains():
            return "contains"
        case AttributeExists():
            return "exists"
        case AttributeNotExists():
            return "not_exists"
    return "attribute_type"


def check_owned(schema: Schema[Any], condition: Condition) -> None:
    """Refuse a condition on another model's field."""
    for path in paths(condition):
        if path.source is not None and not schema.owns(path.source):
            raise InvalidQueryError(f"{path.source} is not a field of {schema.model_name}")


def _check_held(schema: Schema[Any], index: Index, held: frozenset[str], conditions: tuple[Condition, ...]) -> None:
    """Refuse conditions on what the index does not hold."""
    for condition in conditions:
        for path in paths(condition):
            field: AnyField | None = path.source
            if field is not None and field.attribute not in held:
                raise InvalidQueryError(
                    f"{_where(schema, index)} does not hold {field}, so it cannot filter by it; add it to the index's "
                    "projections, or query the table"
                )


def check_fields(schema: Schema[Any], index: Index, fields: Sequence[AnyField]) -> None:
    """Refuse to read fields of another model, or fields that the index does not hold."""
    held = schema.loaded_from(index)
    for field in fields:
        if isinstance(field, Element):
            raise WrongTypeError(
                f"{field} is an element of a field; reads are of whole fields, such as {field._path().source}",
                field=str(field),
                value=field,
            )
        if not isinstance(field, Field):
            raise WrongTypeError(
                f"{field!r} is not a field; give {schema.model_name}.<name>", field=str(field), value=field
            )
        if not schema.owns(field):
            raise UnknownNameError(f"{field} is not a field of {schema.model_name}")
        if held is not None and field.attribute not in held:
            raise InvalidQueryError(
                f"{_where(schema, index)} does not hold {field}; leave out the fields and use "
                "get_items(requery_for_all_projections=True)"
            )


def _where(schema: Schema[Any], index: Index) -> str:
    return f"the table of {schema.model_name}" if index.name is None else f"the index {index.name!r}"
