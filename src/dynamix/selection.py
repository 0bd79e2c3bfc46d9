"""What a search reads, and which of its conditions choose by key and which filter.

That follows from the index. What DynamoDB cannot do is refused here, with the reason and what would work, before
anything is sent. Source: DynamoDB Developer Guide, "Key condition expressions for the Query operation" and "Filter
expressions".
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dynamix.conditions import between
from dynamix.cursor import Cursor, Start
from dynamix.errors import InvalidQueryError, UnknownNameError, WrongTypeError
from dynamix.expressions.nodes import (
    And,
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
    Value,
)
from dynamix.expressions.walk import joined, paths
from dynamix.fields.base import Field
from dynamix.fields.element import Element
from dynamix.late import later
from dynamix.schema.index import AnyField, Index
from dynamix.schema.table import Schema
from dynamix.unreadable import OnError
from dynamix.wire import ReadProgress

if TYPE_CHECKING:
    from dynamix.expressions import renamed
else:
    later(globals(), renamed="dynamix.expressions.renamed")

M = TypeVar("M")


class Bounds(Struct, frozen=True):
    """How much one read may take: requests, read units, seconds; None: any number. `rate` is in units per second;
    `progress` is called after each request."""

    pages: int | None = None
    units: float | None = None
    seconds: float | None = None
    rate: float | None = None
    progress: Callable[[ReadProgress], object] | None = None


class Search(Struct, Generic[M], frozen=True, eq=False):
    """What to read: a query (`keyed`) or a scan of a table or index.

    `fields` are those to read, none meaning all that the index holds. `conditions` choose by key where they can,
    `filters` never do. `limit` is the most matches to return, `page_size` the most items that one request looks at.
    `on_error` says what becomes of items that cannot be read. `begin` is where it begins as the caller said it, `start`
    the cursor that was made of it. `chosen` says whether the caller chose the index. `convert` makes what the caller is
    given of an instance, one of `kind`; None: itself. A scan may be of one `segment` (of so many), or of all `segments`
    side by side.
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
    begin: Start | None = None
    start: Cursor | None = None
    on_error: OnError = "raise"
    chosen: bool = False
    convert: Callable[[Any], Any] | None = None
    kind: type[Any] | None = None
    segment: tuple[int, int] | None = None
    segments: int | None = None


class Selection(NamedTuple):
    """The conditions of a search: those on the key, and those that filter what the key finds."""

    key: tuple[Condition, ...]
    filters: tuple[Condition, ...]


class _NoPartitionError(InvalidQueryError):
    """The conditions do not say which partition to read."""


class _PartOfPartitionError(_NoPartitionError):
    """They say it in part, of a key of several fields."""


def select(search: Search[M]) -> tuple[Search[M], Selection]:
    """A search with its index, the key conditions and the filters.

    A query that names no index and does not say which partition of the table to read takes the index that can serve it.
    Raises InvalidQueryError for what DynamoDB cannot do, and where no index can serve, or several can.
    """
    try:
        return search, _select(search)
    except _NoPartitionError as error:
        refusal = str(error)
    able = _able(search)
    if len(able) == 1 and not search.chosen:
        return able[0]
    raise InvalidQueryError(f"{refusal}; {_advice(search, [found.index for found, _ in able])}")


def _able(search: Search[M]) -> list[tuple[Search[M], Selection]]:
    """The same on the table and each index that can serve the conditions."""
    able = []
    for index in (search.schema.table, *search.schema.indexes.values()):
        other = replace(search, index=index)
        with suppress(InvalidQueryError):
            able.append((other, _select(other)))
    return able


def _advice(search: Search[Any], able: list[Index]) -> str:
    """What would work for conditions that lack the partition key."""
    if not able:
        others = (index for index in search.schema.indexes.values() if index is not search.index)
        reasons = [_reason(replace(search, index=index)) for index in others]
        return "; ".join([*filter(None, reasons), f"{search.schema.model_name}.scan() reads the whole table"])
    if able[0].name is None:
        return "leave out use_index() to query the table itself"
    names = " or ".join(f"use_index({index.name!r})" for index in able)
    return f"{names} can serve these conditions" + ("; say which" if len(able) > 1 else "")


def _reason(search: Search[Any]) -> str | None:
    """Why an index cannot serve that has the conditions' partition key, None for another one."""
    try:
        _select(search)
    except _NoPartitionError as error:
        return f"use_index({search.index.name!r}): {error}" if isinstance(error, _PartOfPartitionError) else None
    except InvalidQueryError as error:
        return f"use_index({search.index.name!r}) cannot serve: {error}"
    return None


def _select(search: Search[Any]) -> Selection:
    """The key conditions and the filters on the index that the search has."""
    schema, index = search.schema, search.index
    conditions = list(search.conditions)
    if And in map(type, conditions):
        conditions = list(joined(conditions))
    if schema.computed and search.keyed:
        from dynamix.parted import on_keys  # which programs without computed keys never need

        conditions = on_keys(schema, index, conditions)
    own = tuple(joined(search.filters)) if search.filters else ()
    placed: dict[str, list[Condition]] = {key.name: [] for key in index.keys} if search.keyed else {}
    filters: list[Condition] = []
    for condition in conditions:
        placed.get(_plainly_on(condition), filters).append(condition)
    kinds = schema.kinds
    if search.chosen and kinds is not None and any(key is kinds.field for key in index.hash_keys):
        told = placed.get(kinds.field.name, [])
        told += () if told else (kinds.condition,)
    partition = _partition(schema, index, placed) if search.keyed else ()
    if search.fields:
        check_fields(schema, index, search.fields)
    held = schema.projection.loaded_from(index)
    if held is not None:
        _check_held(schema, index, held, (*conditions, *own))
    if search.consistent and not index.local:
        raise InvalidQueryError(
            f"a global index such as {index.name!r} has no consistent reads; read the table instead"
        )
    filters += own
    if not search.keyed:
        return Selection((), _under_both(schema, filters, ()))
    for condition in filters:
        for path in paths(condition):
            if path.parts[0] in placed:
                raise InvalidQueryError(
                    f"{path.source or path.parts[0]} is a key of {_where(schema, index)}; a condition on it must stand "
                    "alone, in where(), not in filter() or inside |, ~ or size()"
                )
    key = (*partition, *_sort(index, placed))
    return Selection(key, _under_both(schema, filters, key))


def _under_both(schema: Schema[Any], filters: list[Condition], key: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """The same filters, met also where fields that had another name are stored under that.

    A key condition that says of which model the items are leaves the names of that one.
    """
    olds = schema.projection.old_names
    if not olds:
        return tuple(filters)
    if schema.kinds is not None and any(_plainly_on(condition) == schema.kinds.field.name for condition in key):
        none: Condition | None = None
        told = ((n, [(old, none) for old, only in found if only is None or only in key]) for n, found in olds.items())
        olds = {name: found for name, found in told if found}
    return tuple(renamed.under_both(condition, olds) for condition in filters)


def _plainly_on(condition: Condition) -> str:
    """The stored name of the attribute that a condition is about and nothing else; nothing for another condition."""
    if type(condition) is Compare and type(condition.left) is Path and len(condition.left.parts) == 1:
        return condition.left.parts[0]  # type: ignore[return-value]  # by far the most
    match condition:
        case Between(Path((str(name),))) | BeginsWith(Path((str(name),))) | In(Path((str(name),))):
            return name
        case Contains(Path((str(name),))) | AttributeType(Path((str(name),))):
            return name
        case AttributeExists(Path((str(name),))) | AttributeNotExists(Path((str(name),))):
            return name
    return ""


def _partition(schema: Schema[Any], index: Index, placed: Mapping[str, Sequence[Condition]]) -> tuple[Condition, ...]:
    """The conditions that say which partition to read: equality on each field of the partition key."""
    taken = []
    for key in index.hash_keys:
        found = placed[key.name]
        if len(found) != 1 or not (isinstance(found[0], Compare) and found[0].operator == "="):
            raise _no_partition(schema, index, key, placed)
        taken.append(found[0])
    return tuple(taken)


def _no_partition(
    schema: Schema[Any], index: Index, key: AnyField, placed: Mapping[str, Sequence[Condition]]
) -> InvalidQueryError:
    """Why conditions do not say which partition to read: what there is of this part of its key."""
    where, role = _where(schema, index), "partition key" if len(index.hash_keys) == 1 else "part of the partition key"
    if len(placed[key.name]) > 1:
        return InvalidQueryError(f"{key}, the partition key of {where}, has more than one condition")
    if placed[key.name]:
        return _NoPartitionError(f"{key} is the partition key of {where}; DynamoDB takes only eq on it")
    if any(placed[other.name] for other in index.hash_keys):
        return _PartOfPartitionError(f"a query of {where} needs {key}.eq(...) as well, {role}")
    return _NoPartitionError(f"a query of {where} needs {key}.eq(...), its partition key")


def _sort(index: Index, placed: Mapping[str, Sequence[Condition]]) -> tuple[Condition, ...]:
    """The conditions on the sort key: of several fields equality from the first on, and any on the last with one."""
    taken: list[Condition] = []
    open_at: AnyField | None = None
    for key in index.range_keys:
        if not placed[key.name]:
            open_at = key if open_at is None else open_at
            continue
        condition = _on_sort(key, placed[key.name])
        if open_at is not None:
            raise InvalidQueryError(
                f"{key} is a part of the sort key behind {open_at}, which has no eq condition; DynamoDB takes the "
                "parts from the first on without a gap, and only the last of them need not be eq"
            )
        taken.append(condition)
        if not (isinstance(condition, Compare) and condition.operator == "="):
            open_at = key
    return tuple(taken)


def _on_sort(key: AnyField, found: Sequence[Condition]) -> Condition:
    """The condition on one field of the sort key."""
    for condition in found:
        if not isinstance(condition, Compare | Between | BeginsWith) or (
            isinstance(condition, Compare) and condition.operator == "<>"
        ):
            raise InvalidQueryError(
                f"{key} is the sort key; DynamoDB takes eq, lt, lte, gt, gte, between or begins_with on "
                f"it, not {_verb(condition)}"
            )
    match found:
        case [condition]:
            return condition
        case [Compare(">=", path, low), Compare("<=", _, high)] | [Compare("<=", path, high), Compare(">=", _, low)]:
            return between(path, low, high)  # type: ignore[arg-type]  # of a condition on a sort key
    raise InvalidQueryError(
        f"{key}, the sort key, has {len(found)} conditions and DynamoDB takes one; between(low, high), "
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
    if type(condition) is Compare and type(condition.left) is Path and type(condition.right) is Value:
        source = condition.left.source
        if source is None or schema.owns(source):
            return  # by far the most
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
            if field is not None and field.was is not None:
                raise InvalidQueryError(
                    f"{field} may still be stored as {field.was!r}, which {_where(schema, index)} does not hold; query "
                    "the table, or an index of all attributes"
                )


def check_fields(schema: Schema[Any], index: Index, fields: Sequence[AnyField]) -> None:
    """Refuse to read fields of another model, or fields that the index does not hold."""
    held = schema.projection.loaded_from(index)
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
