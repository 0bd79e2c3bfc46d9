"""Flows that change items: what is pending on an instance.

An update is planned on a picture of the stored item. Where the item differs, the failed request brings it along, and
the plan is made anew.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

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
from dynamix.limits import ITEM_BYTES
from dynamix.operations import requests
from dynamix.operations.failures import conflict, failed, shown_key, unmet
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.table import Table
from dynamix.updates.draft import Draft
from dynamix.updates.pending import Pending
from dynamix.updates.plan import NULL, Picture, Plan, holds
from dynamix.updates.unchanged import resolved
from dynamix.updates.written import write
from dynamix.wire import Call, Flow, Item

M = TypeVar("M")

_MOST_PICTURES = 10
_TOO_LARGE = "Item size to update has exceeded"
"""How the service says that an update makes an item too large, for which it has no code of its own."""


def commit(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    pending: Pending | None,
    atomic: bool = False,
    condition: Condition | None = None,
    edits: Mapping[str, Draft] | None = None,
    guards: Sequence[tuple[Condition, str]] = (),
) -> Flow[M]:
    """Send what is pending on an instance: one UpdateItem, or a second one where a set has both additions and
    deletions. Then the instance, which is the result, shows what the service answered.

    `edits` and `guards` are those of `Pending.begin`.
    Raises ItemNotFoundError where the item does not exist, ConditionalCheckFailedError where a condition is not met;
    then nothing was stored and all is still pending. Raises PartlyAppliedError where the first of two updates was
    stored and the second was not; then what the second is for is still pending. Raises StoredValueError where all was
    stored and an attribute of the stored item cannot be read; then nothing is pending, and only the key is shown.
    """
    if pending is None:
        return instance
    values, schema = vars(instance), table.schema
    key, sender = schema.key_of(values), object()
    try:
        required = (schema.there, *resolved(values, condition))
        pending.begin(sender, edits, guards)
        answer, plan = yield from _update(policy, table, key, pending, required, atomic)
        if plan.then_delete:
            pending.settle_first(values, schema.fields, _known(table, values, answer))
            try:
                answer, _ = yield from _update(policy, table, key, pending, (schema.there,), atomic)
            except DynamixError as error:
                raise _partly(table, key, error) from error
        pending.settle(values, schema.fields, _known(table, values, answer))
    finally:
        pending.end(sender)
    if isinstance(answer, StoredValueError):
        unread = StoredValueError(
            f"the changes were stored, but what is stored now cannot be read: {answer.args[0]}",
            field=answer.field,
            value=answer.value,
        )
        unread.key, unread.applied = answer.key, "yes"
        raise unread from answer
    return instance


def _partly(table: Table[Any], key: Item, error: DynamixError) -> PartlyAppliedError:
    """The error for a commit whose second update failed."""
    return PartlyAppliedError(
        f"the first of two updates of {table.schema.model_name} with {shown_key(table, key)} was stored; the second, "
        f"which deletes from sets, {'may have been' if error.applied == 'maybe' else 'was not'}, and is still queued: "
        f"{error}"
    )


_Answer = dict[str, Any] | StoredValueError
"""What is stored now, by attribute, or why that cannot be read."""


def _known(table: Table[Any], values: dict[str, Any], answer: _Answer) -> dict[str, Any]:
    """What an instance holds after a commit: what is stored, or where that is not known its key alone."""
    if isinstance(answer, dict):
        return answer
    stored = stored_of(values)
    keys = [field.attribute for field in table.schema.table.keys]
    state = State({key: stored[key] for key in keys if key in stored}, frozenset(keys), table.name)
    return {key: values[key] for key in keys} | {STATE: state}


def _update(
    policy: RetryPolicy,
    table: Table[Any],
    key: Item,
    pending: Pending,
    required: tuple[Condition, ...],
    atomic: bool,
) -> Flow[tuple[_Answer, Plan]]:
    """Send one plan, and where the stored item differs from the picture it was made for, the plan made anew.

    The result is the answer, and the plan that was carried out. What is required beside its facts is that the item
    exists, and more where conditions were set.
    """
    (plan, texts), guessed = write(pending, required), False
    for _ in range(_MOST_PICTURES):
        if atomic:
            pending.refuse_second(plan)
        try:
            repeatable = plan.repeatable and len(required) == 1
            return (yield from request(policy, _update_call(table, key, texts, repeatable))), plan
        except ConditionalCheckFailedError as error:
            if error.stored_item is None:
                raise failed(ItemNotFoundError, table, key, error, "does not exist; nothing was stored") from error
            broken = dict.fromkeys(name for guard, name in plan.guards if not holds(guard, error.stored_item))
            if broken:
                raise conflict(table, key, error, broken) from error
            if all(holds(fact, error.stored_item) for fact in plan.facts):
                raise unmet(table, key, error, required[1:], "nothing was stored") from error
            failure = error
            plan, texts = write(pending, required, partial(Picture.stored, error.stored_item))
        except InvalidRequestError as error:
            if _TOO_LARGE in str(error):
                raise ItemTooLargeError(
                    f"{table.schema.model_name} with {shown_key(table, key)} would have more than the {ITEM_BYTES} "
                    "bytes of an item; nothing was stored"
                ) from error
            if guessed or not pending.depends:
                raise
            guessed = True
            plan, texts = write(pending, required, lambda name: NULL)
    raise failed(
        ConditionalCheckFailedError,
        table,
        key,
        failure,
        f"was changed by others before each of {_MOST_PICTURES} attempts; nothing was stored; commit again",
    ) from failure


def _update_call(table: Table[Any], key: Item, texts: Texts, repeatable: bool) -> Call[_Answer]:
    body = requests.update(table.name, key, texts, returns="ALL_NEW")
    reader = table.schema.codec.reader(table.name)

    def answer(body: bytes) -> _Answer:
        try:
            return reader.attributes(body)
        except StoredValueError as error:
            return error

    return Call("UpdateItem", msgspec.json.encode(body), answer, repeatable)
