"""Single writes of items with unique values, each in a transaction with the guards.

Each has the result and the errors of the flow that it stands for (see `dynamix.operations.verbs`). The answer of a
transaction tells nothing of the item, so what is to be shown of it afterwards is read.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from dynamix.errors import DynamixError, ItemNotFoundError, StoredValueError
from dynamix.expressions.nodes import Condition
from dynamix.interrupts import let_pass
from dynamix.operations import items, parts, requests, transact, update
from dynamix.operations.failures import shown_key
from dynamix.operations.retry import RetryPolicy, request
from dynamix.operations.update import ByKey
from dynamix.schema.table import Table
from dynamix.updates.draft import Draft
from dynamix.updates.pending import Pending, Sender, pending_of
from dynamix.updates.unchanged import resolved
from dynamix.updates.version import Guards
from dynamix.wire import Call, Flow, Item

M = TypeVar("M")


def store(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    overwrite: bool | None,
    condition: Condition | None,
    times: Mapping[str, Any] | None,
) -> Flow[M]:
    """Store an instance whole."""
    replaces = table.schema.version is None if overwrite is None else overwrite
    part = parts.Put(table, instance, condition, dict(times or {}), absent=not replaces)
    yield from transact.write_one(policy, part, "create")
    part.settle()
    return instance


def delete_instance(policy: RetryPolicy, table: Table[Any], instance: Any, condition: Condition | None) -> Flow[None]:
    """Delete an instance's item."""
    part = parts.Delete(table, table.schema.key.of(vars(instance)), condition, instance)
    yield from transact.write_one(policy, part, "delete")


def delete_by_key(policy: RetryPolicy, table: Table[M], which: items.ByKey) -> Flow[M | None]:
    """Delete an item without an instance."""
    part = parts.Delete(table, which.key, which.condition)
    before = yield from transact.write_one(policy, part, "delete_by_key", whole=which.returns)
    try:
        old = _shown(table, before) if which.returns else None
    except StoredValueError as error:
        error.applied = "yes"
        raise
    if old is not None:
        pending_of(vars(old)).deleted(vars(old))
    return old


def change(policy: RetryPolicy, table: Table[M], asked: ByKey) -> Flow[M | None]:
    """Change an item that was not loaded."""
    terms = asked.terms
    part = parts.Update(table, asked.key, terms.conditions, asked.changes, upsert=terms.upsert)
    before = yield from transact.write_one(policy, part, "update_by_key", whole=terms.returns == "ALL_OLD")
    if terms.returns is None:
        return None
    try:
        shown = _shown(table, before if terms.returns == "ALL_OLD" else (yield from _read(policy, table, asked.key)))
        if shown is None and terms.returns == "ALL_NEW":
            raise ItemNotFoundError(
                f"{table.schema.model_name} with {shown_key(table, asked.key)} was changed, and is gone since"
            )
    except StoredValueError as error:
        raise update.unread(error) from error
    except DynamixError as error:
        error.applied = "yes"
        raise
    return shown


def commit(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    pending: Pending,
    condition: Condition | None,
    edits: Mapping[str, Draft] | None,
    guards: Guards,
) -> Flow[M]:
    """Send what is pending on an instance, and the edits."""
    values, schema, sender = vars(instance), table.schema, Sender()
    edits, guards = update.of_its_own(schema, values, pending, edits, guards)
    key, conditions = schema.key.of(values), resolved(values, condition)
    try:
        pending.begin(sender, edits, guards)
        part = parts.Update(table, key, conditions, pending, values=values)
        yield from transact.write_one(policy, part, "commit_changes")
        answer = None
        try:
            item = yield from _read(policy, table, key)
            answer = schema.codec.reader(table.name).plain_values(item) if item else None
        except StoredValueError as error:
            raise update.unread(error) from error
        except DynamixError as error:
            error.applied = "yes"
            raise
        except Exception as error:
            let_pass(error)
            raise update.unread(update.not_made(error)) from error
        finally:  # also where an interrupt came: what is stored is not pending any more
            part.settle(answer)
    finally:
        pending.end(sender)
    return instance


def _read(policy: RetryPolicy, table: Table[Any], key: Item) -> Flow[Item]:
    """What is stored now; empty where nothing is."""
    body = requests.get(table.name, key, consistent=True)
    call = Call("GetItem", msgspec.json.encode(body), requests.found, for_write=True)
    return (yield from request(policy, call)) or {}


def _shown(table: Table[M], item: Item) -> M | None:
    """The instance of an item, None of none and of one that is hidden, after the model's own `after_load`."""
    if not item or table.schema.existence.hides_item(item):
        return None
    instance = table.schema.codec.reader(table.name).instance(item)
    if table.schema.hooks.after_load is not None:
        table.schema.hooks.after_load(instance)
    return instance
