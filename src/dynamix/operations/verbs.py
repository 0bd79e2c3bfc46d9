"""The single writes of models: one request each, or where items have unique values, a transaction with their guards.

What makes those transactions is imported where there are unique values: most programs need none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dynamix.expressions.nodes import Condition
from dynamix.late import later
from dynamix.operations import items
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.wire import Flow

if TYPE_CHECKING:
    from dynamix.operations import update
    from dynamix.updates import outdated
    from dynamix.updates import pending as pendings
    from dynamix.updates.draft import Draft
    from dynamix.updates.pending import Pending
else:
    later(
        globals(),
        update="dynamix.operations.update",
        outdated="dynamix.updates.outdated",
        pendings="dynamix.updates.pending",
    )

M = TypeVar("M")


def create(
    policy: RetryPolicy, table: Table[M], instance: M, overwrite: bool | None, condition: Condition | None = None
) -> Flow[M]:
    """Store a new instance whole, after the model's own `before_save`, if its conditions and this one are met, and
    return it.

    Without a word about `overwrite` an item is replaced, unless items have versions.
    """
    if table.schema.hooks.before_save is not None:
        table.schema.hooks.before_save(instance)
    return store(policy, table, instance, overwrite, condition)


def store(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    overwrite: bool | None,
    condition: Condition | None,
    times: Mapping[str, Any] | None = None,
) -> Flow[M]:
    """The same without the hook. `times` are those of the write."""
    if table.schema.guards is None:
        return items.store(policy, table, instance, overwrite, condition, times)
    from dynamix.operations import guarded

    return guarded.store(policy, table, instance, overwrite, condition, times)


def delete_instance(
    policy: RetryPolicy, table: Table[Any], instance: Any, condition: Condition | None = None
) -> Flow[None]:
    """Delete an instance's item, after the model's own `before_delete`, if its conditions and this one are met; then it
    is a new one. Changes and commits of it are refused meanwhile: one that ended later would take it for stored."""
    if table.schema.hooks.before_delete is not None:
        table.schema.hooks.before_delete(instance)
    pending, sender = pendings.pending_of(vars(instance)), pendings.Sender()
    try:
        pending.begin(sender)
        if table.schema.guards is None:
            yield from items.delete_instance(policy, table, instance, condition)
        else:
            from dynamix.operations import guarded

            yield from guarded.delete_instance(policy, table, instance, condition)
        pending.deleted(vars(instance))
    finally:
        pending.end(sender)


def delete_by_key(policy: RetryPolicy, table: Table[M], which: items.ByKey) -> Flow[M | None]:
    """Delete an item without an instance; the result is the deleted one where it is asked for, which is a new one."""
    if table.schema.guards is None:
        return items.delete_by_key(policy, table, which)
    from dynamix.operations import guarded

    return guarded.delete_by_key(policy, table, which)


def change(policy: RetryPolicy, table: Table[M], asked: update.ByKey) -> Flow[M | None]:
    """Change an item that was not loaded."""
    guards = table.schema.guards
    if guards is None or not guards.touched(asked.changes.fields):
        return update.update(policy, table, asked)
    from dynamix.operations import guarded

    return guarded.change(policy, table, asked)


def commit(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    pending: Pending | None,
    atomic: bool = False,
    condition: Condition | None = None,
    edits: Mapping[str, Draft] | None = None,
    unchanged: Sequence[tuple[Condition, str]] = (),
) -> Flow[M]:
    """Send what is pending on an instance, and the edits; `unchanged` are the guards of a Plan."""
    guards = table.schema.guards
    if pending is not None and table.schema.evolving is not None:
        edits, unchanged = outdated.brought_up(vars(instance), table.schema, edits, unchanged)
        condition = table.schema.if_present(vars(instance), condition)
    if guards is None or pending is None:
        return update.commit(policy, table, instance, pending, atomic, condition, edits, unchanged)
    if not guards.touched((*pending.fields, *(str(draft.field) for draft in (edits or {}).values()))):
        return update.commit(policy, table, instance, pending, atomic, condition, edits, unchanged)
    from dynamix.operations import guarded

    return guarded.commit(policy, table, instance, pending, condition, edits, unchanged)
