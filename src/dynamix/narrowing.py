"""What a search of a shared table asks for beside its own conditions, so that it finds no other model's items.

Where the sort key of a model's items begins with a text of their own, the search reads those alone; else a filter on
the discriminator leaves out the others, after they were read.
"""

from typing import Any

from dynamix.errors import InvalidQueryError
from dynamix.expressions.nodes import (
    And,
    AttributeNotExists,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Not,
    Path,
    Value,
)
from dynamix.parted import LAST
from dynamix.schema.index import Index
from dynamix.schema.kinds import Kinds, Texts
from dynamix.schema.unique import OWNER_WITHIN
from dynamix.selection import Search, Selection


def narrowed(search: Search[Any], kinds: Kinds, selection: Selection) -> Selection:
    """The same, without items of other models. Raises InvalidQueryError where they could not be told."""
    if kinds.own is None:
        return _of_several(search, kinds, selection)
    index, key = search.index, selection.key
    if any(_is_own(condition, kinds) for condition in key):
        return selection
    within = search.keyed
    if within:
        key = _sorted_within(index, key, kinds)
        free = index.keys[len(key) :]
        within = all(
            _is_within(condition, kinds.texts(field)) for field, condition in zip(index.keys, key, strict=False)
        )
        within = within and not any(kinds.texts(field).start for field in free)
    if kinds.sure(index, within=within):
        return Selection(key, selection.filters)
    return Selection(key, (*selection.filters, _telling(search, kinds)))


def _is_own(condition: Condition, kinds: Kinds) -> bool:
    """Whether a key condition is one on the discriminator. Raises InvalidQueryError for the value of another model."""
    match condition:
        case Compare("=", Path((name,)), Value(value)) if name == kinds.field.name:
            if value != {"S": kinds.own}:
                raise InvalidQueryError(
                    f"{kinds.field} is {kinds.own!r} in all items of {kinds.model.__name__}, not {value['S']!r}"
                )
            return True
    return False


def _sorted_within(index: Index, given: tuple[Condition, ...], kinds: Kinds) -> tuple[Condition, ...]:
    """The key conditions, of which the last one on the sort key leaves out what lies before or behind all of a model's
    texts. They are in the order of the key's fields, and those that follow have none."""
    *before, last = given
    if _is_equal(last):
        before, rest = [*given], index.keys[len(given) :]
        if not rest or not kinds.texts(rest[0]).start:
            return given
        return (*before, kinds.texts(rest[0]).on(Path((rest[0].name,), rest[0])))
    field = index.keys[len(before)]
    texts, path = kinds.texts(field), Path((field.name,), field)
    match last:
        case Compare(">=", _, Value(low)) if texts.start and texts.holds(low["S"]):
            return (*before, Between(path, Value(low), Value({"S": texts.start + LAST})))
        case Compare("<=", _, Value(high)) if texts.start and texts.holds(high["S"]):
            return (*before, Between(path, Value({"S": texts.start}), Value(high)))
    return given


def _is_equal(condition: Condition) -> bool:
    """Whether a key condition is one of equality."""
    return isinstance(condition, Compare) and condition.operator == "="


def _is_within(condition: Condition, texts: Texts) -> bool:
    """Whether a key condition finds nothing but what has a model's texts."""
    if not texts.start:
        return True
    match condition:
        case Compare("=", _, Value(value)):
            return texts.holds(value["S"])
        case BeginsWith(_, Value(prefix)):
            return prefix["S"].startswith(texts.start) and not texts.whole
        case Between(_, Value(low), Value(high)):
            return texts.holds(low["S"]) and texts.holds(high["S"]) and not texts.whole
    return False


def _telling(search: Search[Any], kinds: Kinds) -> Condition:
    """The filter by which items are told from those of other models."""
    schema, index = search.schema, search.index
    own = index.keys if search.keyed else ()
    if schema.projection.telling(index) and not any(key is kinds.field for key in own):
        return kinds.condition
    keys = [key for key in (*schema.table.keys, *index.keys) if not any(key is mine for mine in own)]
    key = kinds.telling(keys)
    if key is None:
        place = "the table" if index.name is None else f"the index {index.name!r}"
        raise InvalidQueryError(
            f"these conditions may find items of other models than {schema.model_name}, and {place} does not tell them "
            f"apart; give a condition on {index.keys[-1]} that only items of {schema.model_name} meet"
        )
    return kinds.texts(key).on(Path((key.name,), key))


def _of_several(search: Search[Any], kinds: Kinds, selection: Selection) -> Selection:
    """The same where several models' items are read: without what is none of them, expired, or a guard."""
    filters = list(selection.filters)
    own = search.index.keys if search.keyed else ()
    if not kinds.is_whole and not any(key is kinds.field for key in own):
        if not search.schema.projection.telling(search.index):
            raise InvalidQueryError(
                f"the index {search.index.name!r} does not hold {kinds.field}, by which items of "
                f"{search.schema.model_name} are told; read the table, or add it to the projections"
            )
        filters.append(kinds.condition)
    for schema in kinds.schemas():
        if schema.hidden is not None:
            mine = Compare("=", kinds.path, Value({"S": str(schema.kinds and schema.kinds.own)}))
            filters.append(Not(And((mine, schema.existence.expired))))
    if any(schema.guards is not None and schema.guards.within for schema in kinds.schemas()):
        filters.append(AttributeNotExists(Path((OWNER_WITHIN,))))
    return Selection(selection.key, tuple(filters))
