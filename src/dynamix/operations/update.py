"""Flows that change items: what is pending on an instance, and what is changed without loading.

Both are planned on a picture of the stored item. Where the item differs, the failed request brings it along, and the
plan is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

import msgspec

from dynamix.codec.state import STATE, State, stored_of
from dynamix.errors import (
    ConditionalCheckFailedError,
    DynamixError,
    InvalidRequestError,
    ItemNotFoundError,
    ItemTooLargeError,
    PartlyAppliedError,
    StoredValueError,
)
from dynamix.expressions.nodes import Condition
from dynamix.expressions.texts import Texts
from dynamix.interrupts import let_pass
from dynamix.limits import ITEM_BYTES
from dynamix.operations import items, requests, single
from dynamix.operations.failures import conflict, failed, refuse_foreign, shown_key, unmet
from dynamix.operations.items import nothing
from dynamix.operations.retry import RetryPolicy
from dynamix.operations.single import UntoldError
from dynamix.schema.table import Schema, Table
from dynamix.updates import untold
from dynamix.updates.changes import Changes
from dynamix.updates.draft import Draft
from dynamix.updates.edits import first_read_since, keep_edits, values_sent
from dynamix.updates.pending import Pending, Sender
from dynamix.updates.plan import Picture, Plan, all_null, holds
from dynamix.updates.unchanged import parts_unchanged, resolved
from dynamix.updates.version import Guards, raised
from dynamix.updates.written import write
from dynamix.wire import DAMAGED, Call, Flow, Item

M = TypeVar("M")
R = TypeVar("R")

_MOST_PICTURES = 10
TOO_LARGE = "Item size to update has exceeded"
"""How the service says that an update makes an item too large, for which it has no code of its own."""


class Terms(msgspec.Struct, frozen=True):
    """On which terms an update is made: on which conditions, and whether it makes an item that does not exist.

    With `atomic` it is one request or none. `returns` is what the answer tells.
    """

    conditions: tuple[Condition, ...] = ()
    upsert: bool = False
    atomic: bool = False
    returns: requests.Returns | None = None


class ByKey(NamedTuple):
    """What is to be changed without loading: of which item, and on which terms."""

    key: Item
    changes: Changes
    terms: Terms


def update(policy: RetryPolicy, table: Table[M], asked: ByKey) -> Flow[M | None]:
    """Change an item that was not loaded: one UpdateItem, or one more where the item differs from what is mostly so.

    The result is the instance that `terms.returns` names, or None. Raises ItemNotFoundError where the item does not
    exist, ConditionalCheckFailedError where a condition is not met; then nothing was stored. Raises StoredValueError
    where all was stored and the item cannot be read.
    """
    decode: Callable[[bytes], M | None] = nothing
    if asked.terms.returns is not None:
        single.refuse_returns(policy, asked.terms.returns)
        decode = table.schema.codec.reader(table.name).changed
    answer, _ = yield from _send(policy, table, asked.key, asked.changes, asked.terms, decode)
    if isinstance(answer, StoredValueError):
        raise unread(answer) from answer
    assert not isinstance(answer, UntoldError)  # noqa: S101 - it was refused to ask for the item
    if answer is not None and table.schema.hooks.after_load is not None:
        table.schema.hooks.after_load(answer)
    return answer


def commit(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    pending: Pending | None,
    atomic: bool = False,
    condition: Condition | None = None,
    edits: Mapping[str, Draft] | None = None,
    guards: Guards = (),
) -> Flow[M]:
    """Send what is pending on an instance: one UpdateItem, or a second one where a set has both additions and
    deletions. Then the instance, which is the result, shows what the service answered.

    `edits` and `guards` are those of `Pending.begin`. The time of the last write goes with them.
    Raises ItemNotFoundError where the item does not exist, ConditionalCheckFailedError where a condition is not met;
    then nothing was stored and all is still pending. Raises PartlyAppliedError where the first of two updates was
    stored and the second was not; then what the second is for is still pending. Raises StoredValueError where all was
    stored and an attribute of the stored item cannot be read; then nothing is pending, and only the key is shown.
    """
    if pending is None:
        return instance
    values, schema = vars(instance), table.schema
    key, sender, reader = schema.key.of(values), Sender(), schema.codec.reader(table.name)
    edits, guards = of_its_own(schema, values, pending, edits, guards)
    try:
        terms = Terms(resolved(values, condition), atomic=atomic, returns="ALL_NEW")
        pending.begin(sender, edits, guards)
        sent = values_sent(values, schema.editable, pending)
        answer, plan = yield from _send(policy, table, key, pending, terms, reader.attributes)
        if plan.then_delete:
            sent = first_read_since(sent, values, schema.editable, pending)
            pending.settle_first(values, schema.fields, _known(table, values, answer))
            kept = keep_edits(values, sent)
            sent = {**values_sent(values, schema.editable, pending), **kept}
            try:
                if schema.version is not None:
                    pending.expect(*raised(schema.version, values))
                terms = Terms(atomic=atomic, returns="ALL_NEW")
                answer, _ = yield from _send(policy, table, key, pending, terms, reader.attributes)
            except DynamixError as error:
                raise _partly(table, key, error) from error
        sent = first_read_since(sent, values, schema.editable, pending)
        if isinstance(answer, UntoldError):
            untold.settle(pending, values, schema, plan, terms.conditions)
        else:
            pending.settle(values, schema.fields, _known(table, values, answer))
        keep_edits(values, sent)
    finally:
        pending.end(sender)
    if isinstance(answer, StoredValueError):
        raise unread(answer) from answer
    return instance


def of_its_own(
    schema: Schema[Any],
    values: dict[str, Any],
    pending: Pending,
    edits: Mapping[str, Draft] | None,
    guards: Guards,
) -> tuple[Mapping[str, Draft] | None, Guards]:
    """The edits and guards of a commit, with those of the model's own: of what is computed, of the version, and of the
    times of writes.

    Raises InvalidUpdateError where the instance was loaded without what they look at.
    """
    if schema.computed:
        guards = [*guards, *parts_unchanged(values, schema, pending)]
    if schema.version is not None:
        edits, guards = raised(schema.version, values, edits, guards)
    return ({**(edits or {}), **_renewals(schema)} if schema.times.renewed else edits), guards


def _renewals(schema: Schema[Any]) -> dict[str, Draft]:
    """The changes that set the fields which hold the time of the last write, by attribute."""
    drafts: dict[str, Draft] = {}
    for attribute, now in schema.times.now().items():
        drafts[attribute] = Draft(schema.fields[attribute])
        drafts[attribute].assign(now)
    return drafts


def unread(error: StoredValueError) -> StoredValueError:
    """The error for changes that were stored, to an item that cannot be read."""
    unread = StoredValueError(
        f"the changes were stored, but what is stored now cannot be read: {error.args[0]}",
        field=error.field,
        value=error.value,
    )
    unread.key, unread.applied = error.key, "yes"
    return unread


def not_made(error: Exception) -> StoredValueError:
    """The error for what could not be made of an answer, since something of the user's own failed."""
    made = StoredValueError(f"{type(error).__name__}: {error}", field="")
    made.__cause__ = error
    return made


def _partly(table: Table[Any], key: Item, error: DynamixError) -> PartlyAppliedError:
    """The error for a commit whose second update failed."""
    return PartlyAppliedError(
        f"the first of two updates of {table.schema.model_name} with {shown_key(table, key)} was stored; the second, "
        f"which deletes from sets, {'may have been' if error.applied == 'maybe' else 'was not'}, and is still queued: "
        f"{error}"
    )


def _known(
    table: Table[Any], values: dict[str, Any], answer: dict[str, Any] | StoredValueError | UntoldError
) -> dict[str, Any]:
    """What an instance holds after a commit: what is stored, or where that is not known its key alone."""
    if isinstance(answer, dict):
        return answer
    stored = stored_of(values)
    keys = [field.attribute for field in table.schema.table.keys]
    state = State({key: stored[key] for key in keys if key in stored}, frozenset(keys), table.name)
    return {key: values[key] for key in keys} | {STATE: state}


def _send(
    policy: RetryPolicy,
    table: Table[Any],
    key: Item,
    changes: Pending | Changes,
    terms: Terms,
    decode: Callable[[bytes], R],
) -> Flow[tuple[R | StoredValueError | UntoldError, Plan]]:
    """Send one plan, and where the stored item differs from the picture it was made for, the plan made anew.

    The result is the answer, or why it cannot be read, and the plan that was carried out.
    """
    schema = table.schema
    required = (
        *(schema.existence.startable(key) if terms.upsert else (schema.existence.there(key),)),
        *terms.conditions,
    )
    (plan, texts), guessed = _planned(policy, changes, required), False
    for _ in range(_MOST_PICTURES):
        if terms.atomic:
            changes.refuse_second(plan)
        try:
            return (yield from single.send(policy, _call(table, key, texts, plan, terms, decode))), plan
        except UntoldError as error:
            return error, plan
        except ConditionalCheckFailedError as error:
            refuse_foreign(ItemNotFoundError, table, key, error, "nothing was stored")
            gone = error.stored_item is None or table.schema.existence.hides_item(error.stored_item)
            if gone and not terms.upsert:
                raise failed(ItemNotFoundError, table, key, error, "does not exist; nothing was stored") from error
            stored = error.stored_item or {}
            expired = gone and bool(stored)
            if expired:
                yield from _remove_expired(policy, table, key)
                stored = {}
            broken = dict.fromkeys(name for guard, name in plan.guards if not holds(guard, stored))
            if broken:
                raise conflict(table, key, error, broken) from error
            if not expired and all(holds(fact, stored) for fact in plan.facts):
                raise unmet(table, key, error, terms.conditions, "nothing was stored") from error
            failure = error
            plan, texts = _planned(policy, changes, required, partial(Picture.stored, stored))
        except InvalidRequestError as error:
            if TOO_LARGE in str(error):
                raise ItemTooLargeError(
                    f"{table.schema.model_name} with {shown_key(table, key)} would have more than the {ITEM_BYTES} "
                    "bytes of an item; nothing was stored"
                ) from error
            if guessed or not changes.depends:
                raise
            guessed = True
            plan, texts = _planned(policy, changes, required, all_null)
    problem = f"was changed by others before each of {_MOST_PICTURES} attempts; nothing was stored; try again"
    late = failed(ConditionalCheckFailedError, table, key, failure, problem)
    late.changed = tuple(changes.fields)
    raise late from failure


def _remove_expired(policy: RetryPolicy, table: Table[Any], key: Item) -> Flow[None]:
    """Delete an item that has expired, so that an upsert begins a new one; one that another has begun stays."""
    with suppress(ConditionalCheckFailedError):
        yield from items.delete(policy, table, key, guard=table.schema.existence.absent(key))


def _planned(
    policy: RetryPolicy,
    changes: Pending | Changes,
    required: Sequence[Condition],
    pictured: Callable[[str], Picture] | None = None,
) -> tuple[Plan, Texts]:
    """A plan as it is sent. A transaction takes one update of an item, so under a token nothing is left for another."""
    plan, texts = write(changes, required, pictured)
    if plan.then_delete and policy.repeats == "token":
        return write(changes, required, pictured, at_once=True)
    return plan, texts


def _is_checked(table: Table[Any], plan: Plan) -> bool:
    """Whether a plan is carried out at one version only, so that no repeat of it is carried out twice."""
    version = table.schema.version
    return version is not None and any(name == str(version) for _, name in plan.guards)


def _call(
    table: Table[Any], key: Item, texts: Texts, plan: Plan, terms: Terms, decode: Callable[[bytes], R]
) -> Call[R | StoredValueError]:
    """The request of a plan. A repeat of it would tell its own effect as what was there before."""

    def answer(body: bytes) -> R | StoredValueError:
        try:
            return decode(body)
        except StoredValueError as error:
            return error
        except DAMAGED:
            raise
        except Exception as error:  # defaults of the user's own may raise whatever
            let_pass(error)
            return not_made(error)

    body = requests.update(table.name, key, texts, returns=terms.returns)
    unconditional = plan.repeatable and not terms.conditions
    repeatable = (unconditional or _is_checked(table, plan)) and terms.returns != "ALL_OLD"
    return Call("UpdateItem", msgspec.json.encode(body), answer, repeatable)
