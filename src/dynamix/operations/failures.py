"""Failed conditions, in words that name the item and with the instance that is stored."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from dynamix.errors import ConditionalCheckFailedError, ItemExistsError, StoredValueError, VersionConflict
from dynamix.expressions.nodes import Condition, all_of
from dynamix.schema.table import Table
from dynamix.wire import Item


def shown_key(table: Table[Any], item: Item) -> str:
    """The key of an item, as people read it."""
    return table.schema.key.shown(item)


def conflict(
    table: Table[Any],
    key: Item,
    error: ConditionalCheckFailedError,
    fields: Iterable[str],
    then: str = "nothing was stored",
) -> ConditionalCheckFailedError:
    """The error for what others changed since it was loaded."""
    changed = tuple(fields)
    problem = (
        f"was changed by others since it was loaded: {', '.join(changed)}; {then}; look at .item, or "
        "refresh(discard=True) and change it again"
    )
    kind = VersionConflict if str(table.schema.version) in changed else ConditionalCheckFailedError
    told = failed(kind, table, key, error, problem)
    told.changed = changed
    return told


def unmet(
    table: Table[Any], key: Item, error: ConditionalCheckFailedError, conditions: tuple[Condition, ...], then: str
) -> ConditionalCheckFailedError:
    """The error for conditions of the caller's that were not met."""
    from dynamix.expressions.shown import shown_condition

    gone = error.stored_item is None or table.schema.existence.hides_item(error.stored_item)
    where = ", as there is no such item" if gone else ""
    problem = f"does not meet the condition {shown_condition(all_of(conditions))}{where}; {then}"
    return failed(ConditionalCheckFailedError, table, key, error, problem)


def refuse_foreign(
    kind: type[ConditionalCheckFailedError],
    table: Table[Any],
    key: Item,
    error: ConditionalCheckFailedError,
    then: str,
) -> None:
    """Raise an error of a kind where the stored item is of another model."""
    found = None if error.stored_item is None else table.schema.existence.foreign(error.stored_item)
    if found is not None:
        what = "is not stored" if kind is ItemExistsError else "does not exist"
        raise failed(kind, table, key, error, f"{what}: the item with this key is one {found}; {then}") from error


def failed(
    kind: type[ConditionalCheckFailedError],
    table: Table[Any],
    key: Item,
    error: ConditionalCheckFailedError,
    problem: str,
) -> ConditionalCheckFailedError:
    """The same error in words that name the item, with the instance that is stored."""
    told = kind(
        f"{table.schema.model_name} with {shown_key(table, key)} {problem}",
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
    told.stored_item = error.stored_item
    if error.stored_item is not None:
        with suppress(StoredValueError):
            told.item = table.schema.codec.reader(table.name).instance(error.stored_item)
        if told.item is not None and table.schema.hooks.after_load is not None:
            table.schema.hooks.after_load(told.item)
    return told
