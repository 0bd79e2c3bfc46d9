"""Flows that store an instance by what became of it since it was loaded, and that load it again."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from dynamix.codec.state import state_of
from dynamix.errors import InvalidUpdateError, ItemExistsError, ItemNotFoundError
from dynamix.expressions.nodes import Condition
from dynamix.operations import items, verbs
from dynamix.operations.failures import shown_key
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.updates.edits import edits_of
from dynamix.updates.pending import Sender, pending_of
from dynamix.updates.unchanged import as_loaded
from dynamix.wire import Flow, Item

M = TypeVar("M")


def save(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    overwrite: bool,
    if_unchanged: bool,
    condition: Condition | None,
) -> Flow[M]:
    """Store a new instance whole, of a loaded one what is queued and what was edited in place; nothing for nothing.

    `overwrite` stores any instance whole, whatever is there. `if_unchanged` has every field that is changed be stored
    as it was loaded.
    """
    values, schema = vars(instance), table.schema
    if schema.hooks.before_save is not None:
        schema.hooks.before_save(instance)
    state = state_of(values)
    if state.stored is None or state.new or overwrite:
        return (yield from _store(policy, table, instance, overwrite, condition))
    edits = edits_of(values, schema.editable, schema.encoder)
    if not edits and not state.pending and not state.outdated:
        return instance
    pending = pending_of(values)
    changed = [schema.fields[name] for name in schema.fields if name in edits or pending.changes(name)]
    guards = [(as_loaded(values, field), str(field)) for field in changed] if if_unchanged else []
    return (yield from verbs.commit(policy, table, instance, pending, False, condition, edits, guards))


def _store(policy: RetryPolicy, table: Table[M], instance: M, overwrite: bool, condition: Condition | None) -> Flow[M]:
    """Store an instance whole. Further changes of it are refused meanwhile."""
    values, sender = vars(instance), Sender()
    pending = pending_of(values)
    try:
        pending.begin(sender)
        times = table.schema.times.whole(values, datetime.now(UTC))
        return (yield from verbs.store(policy, table, instance, overwrite, condition, times))
    finally:
        pending.end(sender)


def refresh(policy: RetryPolicy, table: Table[M], instance: M, discard: bool) -> Flow[M]:
    """Load an instance again, in place, by a consistent read. Raises ItemNotFoundError where its item is gone, and
    InvalidUpdateError where changes would be lost and `discard` is False; then the instance is as before."""
    values, schema = vars(instance), table.schema
    pending = pending_of(values)
    if not discard:
        edits = edits_of(values, schema.editable, schema.encoder)
        changed = [*pending.fields, *(str(edit.field) for edit in edits.values())]
        if changed:
            raise InvalidUpdateError(
                f"{', '.join(dict.fromkeys(changed))} has changes that are not stored; save() them, or drop them by "
                "refresh(discard=True)"
            )
    key = schema.key.of(values)
    found = yield from items.get(policy, table, key, True, calls_hook=False)
    if found is None:
        raise _missing(table, key)
    pending.reloaded(values, vars(found), schema.fields)
    if schema.hooks.after_load is not None:  # of this instance, for what it changes is queued there
        schema.hooks.after_load(instance)
    return instance


def get_or_raise(
    policy: RetryPolicy, table: Table[M], key: Item, consistent: bool | None, *, for_write: bool = False
) -> Flow[M]:
    """The instance with this key. Raises ItemNotFoundError where there is none."""
    found = yield from items.get(policy, table, key, consistent, for_write=for_write)
    if found is None:
        raise _missing(table, key)
    return found


def _missing(table: Table[Any], key: Item) -> ItemNotFoundError:
    return ItemNotFoundError(f"{table.schema.model_name} with {shown_key(table, key)} does not exist")


def get_or_create(
    policy: RetryPolicy, table: Table[M], wanted: tuple[Item, M], consistent: bool | None
) -> Flow[tuple[M, bool]]:
    """The instance with the key that is wanted and False; where there is none, the one that is wanted, which is stored,
    and True.

    Where another caller creates the item meanwhile, it is theirs that is returned, without a second read.
    """
    key, instance = wanted
    found = yield from items.get(policy, table, key, consistent, for_write=True)
    if found is not None:
        return found, False
    try:
        return (yield from verbs.create(policy, table, instance, False)), True
    except ItemExistsError as error:
        if error.item is None:
            raise
        return error.item, False
