"""The actions of a transaction: how each becomes a part of the request, why it failed, what it leaves on an instance.

They are made at the end of the block of what callers asked for there (see `dynamix.operations.asked`).
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from dynamix.codec.state import state_of
from dynamix.errors import (
    CancellationReason,
    ClientException,
    ConditionalCheckFailedError,
    DynamixError,
    InvalidRequestError,
    ItemCollectionSizeLimitExceededError,
    ItemExistsError,
    ItemNotFoundError,
    ItemTooLargeError,
    StoredValueError,
    ThrottledError,
    TransactionConflictError,
)
from dynamix.expressions.nodes import Condition, all_of
from dynamix.limits import ITEM_BYTES
from dynamix.operations import requests
from dynamix.operations.failures import conflict, failed, refuse_foreign, unmet
from dynamix.operations.items import refuse_too_large
from dynamix.operations.unwritable import no_text
from dynamix.operations.update import TOO_LARGE
from dynamix.schema.table import Table
from dynamix.updates import untold
from dynamix.updates.changes import Changes
from dynamix.updates.draft import Draft
from dynamix.updates.edits import Sent, edits_of, first_read_since, keep_edits, values_sent
from dynamix.updates.outdated import brought_up
from dynamix.updates.pending import Pending, pending_of
from dynamix.updates.plan import Picture, Plan, all_null, holds
from dynamix.updates.unchanged import as_loaded, parts_unchanged, resolved
from dynamix.updates.version import Guards, raised, started, unchanged_or_gone
from dynamix.updates.written import write
from dynamix.wire import Item

STORED_NOTHING = "nothing was stored"


class Part:
    """One action on one item.

    `conditions` are those that the caller set with it, `checks` those of checks of the same item, `seen` those by which
    the item still is what it was planned for (see `dynamix.operations.guards`).
    """

    target: str

    def __init__(self, table: Table[Any], key: Item, conditions: tuple[Condition, ...] = ()) -> None:
        self.table = table
        self.key = key
        self.conditions = conditions
        self.checks: tuple[Condition, ...] = ()
        self.seen: tuple[Condition, ...] = ()

    @property
    def given(self) -> tuple[Condition, ...]:
        """All conditions of the caller's."""
        return (*self.conditions, *self.checks)

    @property
    def required(self) -> tuple[Condition, ...]:
        """The same as a hidden item meets them, and that the item still is what it was planned for."""
        return (*self.table.schema.existence.as_seen(self.given), *self.seen)

    def body(self) -> requests.Body:
        """The action as a request has it."""
        raise NotImplementedError

    def encoded(self) -> msgspec.Raw:
        """Its part of the request. Raises ValidationException for what no item or expression can hold."""
        try:
            body = self.body()
        except StoredValueError as error:  # it is planned for what is stored
            error.table = self.table.name
            raise
        try:
            return msgspec.Raw(msgspec.json.encode({self.target: body}))
        except UnicodeEncodeError as error:
            raise no_text(self.table.schema, error, body.get("Item", self.key), self.given) from error

    def renew(self, reason: CancellationReason) -> bool:
        """Whether it failed for no more than that the stored item is another than it was planned for; then it is
        planned for that one."""
        return False

    def guess(self) -> bool:
        """Whether it is now planned as if each value that it changes were NULL, at which the service refuses in general
        words; once."""
        return False

    missing: type[ConditionalCheckFailedError] = ConditionalCheckFailedError
    """What is raised where the stored item is of another model."""

    def strange(self, error: ConditionalCheckFailedError) -> ConditionalCheckFailedError | None:
        """The error for a stored item of another model, None for one of its own."""
        try:
            refuse_foreign(self.missing, self.table, self.key, error, STORED_NOTHING)
        except ConditionalCheckFailedError as strange:
            return strange
        return None

    def explain(self, error: ConditionalCheckFailedError) -> ConditionalCheckFailedError:
        """Why its condition was not met, in words that name the item."""
        stored = error.stored_item or {}
        if not self.given or not all(holds(condition, stored) for condition in self.seen):
            problem = f"is stored otherwise than this was planned for; {STORED_NOTHING}; get it and try again"
            return failed(ConditionalCheckFailedError, self.table, self.key, error, problem)
        return unmet(self.table, self.key, error, self.given, STORED_NOTHING)

    def settle(self) -> None:
        """It was stored: its instance shows that."""


class Put(Part):
    """Store an instance whole, with these `times` of the write; if none has its key, where `absent` is set."""

    target = "Put"
    missing = ItemExistsError

    def __init__(
        self, table: Table[Any], instance: Any, condition: Condition | None, times: dict[str, datetime], *, absent: bool
    ) -> None:
        values = vars(instance)
        super().__init__(table, table.schema.key.of(values), resolved(values, condition))
        self.values = values
        self.times = times
        self.absent = absent
        try:
            self.item, self.kept = table.schema.whole.kept(values, times)
        except UnicodeEncodeError as error:
            raise no_text(table.schema, error, instance) from error
        version = table.schema.version
        self.version = {}
        if version is not None:
            self.version = {version.attribute: started(version, values, self.item)}
            self.kept = table.schema.codec.kept(self.item)

    def body(self) -> requests.Body:
        schema = self.table.schema
        required = (
            *((schema.existence.absent(self.key),) if self.absent else schema.existence.replacing(self.key)),
            *self.required,
        )
        return requests.put(self.table.name, self.item, all_of(required) if required else None)

    def encoded(self) -> msgspec.Raw:
        encoded = super().encoded()
        if len(encoded) > ITEM_BYTES:
            refuse_too_large(self.table, self.item)
        return encoded

    def explain(self, error: ConditionalCheckFailedError) -> ConditionalCheckFailedError:
        occupied = error.stored_item is not None and not self.table.schema.existence.hides_item(error.stored_item)
        if self.absent and (occupied or not self.given):
            return failed(ItemExistsError, self.table, self.key, error, "exists already; it was left alone")
        return super().explain(error)

    def settle(self) -> None:
        self.values.update(self.times)
        self.table.schema.whole.settle(self.values, self.kept)
        self.values.update(self.version)


class Delete(Part):
    """Delete an item, perhaps that of an instance."""

    target = "Delete"

    def __init__(self, table: Table[Any], key: Item, condition: Condition | None, instance: Any = None) -> None:
        self.values = {} if instance is None else vars(instance)
        super().__init__(table, key, resolved(self.values, condition))
        version = None if instance is None else table.schema.version
        self.guard = None if version is None else unchanged_or_gone(version, self.values, table.schema.existence.gone)

    def body(self) -> requests.Body:
        guard = () if self.guard is None else (self.guard,)
        required = (*self.table.schema.existence.replacing(self.key), *self.required, *guard)
        return requests.delete(self.table.name, self.key, all_of(required) if required else None)

    def explain(self, error: ConditionalCheckFailedError) -> ConditionalCheckFailedError:
        stored = error.stored_item
        if self.guard is not None and stored is not None and not holds(self.guard, stored):
            return conflict(self.table, self.key, error, (str(self.table.schema.version),), STORED_NOTHING)
        return super().explain(error)

    def settle(self) -> None:
        if self.values:
            pending_of(self.values).deleted(self.values)


class Check(Part):
    """Only look whether conditions are met."""

    target = "ConditionCheck"

    def body(self) -> requests.Body:
        required = (*self.table.schema.existence.replacing(self.key), *self.required)
        return requests.check(self.table.name, self.key, all_of(required))


class Update(Part):
    """Change an item by what is pending on an instance, which has these `values`, or by what a call changes.

    A plan that changes nothing of what is stored is sent as a check.
    """

    missing = ItemNotFoundError

    def __init__(
        self,
        table: Table[Any],
        key: Item,
        conditions: tuple[Condition, ...],
        changes: Pending | Changes,
        *,
        upsert: bool = False,
        values: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(table, key, conditions)
        self.changes = changes
        self.upsert = upsert
        self.values = values
        self.sent: dict[str, Sent] = {}
        if isinstance(changes, Pending) and values is not None:
            self.sent = values_sent(values, table.schema.editable, changes)
        self.plan = Plan()
        self._pictured: Callable[[str], Picture] | None = None
        self._guessed = False

    @property
    def required(self) -> tuple[Condition, ...]:
        return (*self.given, *self.seen)  # no hidden item is changed

    def body(self) -> requests.Body:
        schema = self.table.schema
        required = (
            *(schema.existence.startable(self.key) if self.upsert else (schema.existence.there(self.key),)),
            *self.required,
        )
        self.plan, texts = write(self.changes, required, self._pictured, at_once=True)
        self.target = "Update" if texts.update else Check.target
        return requests.update(self.table.name, self.key, texts)

    def renew(self, reason: CancellationReason) -> bool:
        if reason.code == "ValidationError":
            return TOO_LARGE not in (reason.message or "") and self.guess()
        stored = reason.stored_item or {}
        if reason.stored_item is None and not self.upsert:
            return False
        if self._broken(stored) or all(holds(fact, stored) for fact in self.plan.facts):
            return False
        self._pictured = partial(Picture.stored, stored)
        return True

    def guess(self) -> bool:
        if self._guessed or not self.changes.depends:
            return False
        self._guessed, self._pictured = True, all_null
        return True

    def explain(self, error: ConditionalCheckFailedError) -> ConditionalCheckFailedError:
        gone = error.stored_item is None or self.table.schema.existence.hides_item(error.stored_item)
        if gone and not self.upsert:
            return failed(ItemNotFoundError, self.table, self.key, error, f"does not exist; {STORED_NOTHING}")
        if gone and error.stored_item is not None:
            problem = f"has expired and is not removed yet; delete it, or create it anew; {STORED_NOTHING}"
            return failed(ConditionalCheckFailedError, self.table, self.key, error, problem)
        stored = error.stored_item or {}
        if broken := self._broken(stored):
            return conflict(self.table, self.key, error, broken)
        if all(holds(fact, stored) for fact in self.plan.facts):
            return super().explain(error)
        problem = f"is stored otherwise than its update was planned for; {STORED_NOTHING}"
        return failed(ConditionalCheckFailedError, self.table, self.key, error, problem)

    def settle(self, answer: dict[str, Any] | None = None) -> None:
        """The instance shows what is stored, which is `answer` where that was read."""
        if isinstance(self.changes, Pending) and self.values is not None:
            schema = self.table.schema
            sent = first_read_since(self.sent, self.values, schema.editable, self.changes)
            if answer is None:
                untold.settle(self.changes, self.values, schema, self.plan, self.required)
            else:
                self.changes.settle(self.values, schema.fields, answer)
            keep_edits(self.values, sent)

    def _broken(self, stored: Item) -> list[str]:
        return list(dict.fromkeys(name for guard, name in self.plan.guards if not holds(guard, stored)))


def put(
    table: Table[Any], instance: Any, condition: Condition | None, absent: bool, renews: bool, now: datetime
) -> Part:
    """Store an instance whole; with `renews` it gets the automatic times of this write."""
    times = table.schema.times.whole(vars(instance), now) if renews else {}
    return Put(table, instance, condition, times, absent=absent)


def save(
    table: Table[Any], instance: Any, if_unchanged: bool, condition: Condition | None, now: datetime
) -> Part | None:
    """Store what an instance has become: a new one whole, of a loaded one what differs. Nothing is left to do where
    nothing does, unless a condition is to be met."""
    values, schema = vars(instance), table.schema
    state = state_of(values)
    if state.stored is None or state.new:
        return put(table, instance, condition, True, True, now)
    pending = pending_of(values)
    edits: dict[str, Draft] = edits_of(values, schema.editable, schema.encoder)
    conditions = resolved(values, condition)
    if not edits and not pending and not conditions and not state.outdated:
        return None
    changed = [field for name, field in schema.fields.items() if name in edits or pending.changes(name)]
    guards: Guards = [(as_loaded(values, field), str(field)) for field in changed] if if_unchanged else []
    guards = [*guards, *parts_unchanged(values, schema, pending)]
    if schema.evolving is not None:
        found, guards = brought_up(values, schema, edits, guards)
        edits = dict(found or {})
    for field in (
        schema.times.renewed if changed or state.outdated else ()
    ):  # as edits, so that nothing more is queued where this fails
        edits[field.attribute] = Draft(field)
        edits[field.attribute].assign(field.stamp(now))
    if schema.version is not None and (changed or state.outdated):
        edits, guards = raised(schema.version, values, edits, guards)
    pending.expect(edits, guards)
    return Update(table, schema.key.of(values), conditions, pending, values=values)


def shown_reason(part: Part, reason: CancellationReason, action: str) -> CancellationReason:
    """A reason with the model, the action and the stored instance, and in words that name the item."""
    named = msgspec.structs.replace(reason, model=part.table.schema.model, action=action)
    if reason.code is None:
        return named
    error = ConditionalCheckFailedError(reason.message or "", code=reason.code)
    error.stored_item = reason.stored_item
    if reason.code == "ConditionalCheckFailed":
        told = part.strange(error) or part.explain(error)
    else:
        told = failed(ConditionalCheckFailedError, part.table, part.key, error, f"{_said(reason)}; {STORED_NOTHING}")
    return msgspec.structs.replace(named, message=str(told), item=told.item, error=_alone(reason, told))


def _alone(reason: CancellationReason, told: ConditionalCheckFailedError) -> DynamixError:
    """What an action raises outside a transaction for what cancels one."""
    if TOO_LARGE in (reason.message or ""):
        return ItemTooLargeError(str(told))
    kind = _ALONE.get(reason.code or "", ClientException)
    return told if kind is ConditionalCheckFailedError else kind(str(told), code=reason.code or "")


_ALONE: dict[str, type[ClientException]] = {
    "ConditionalCheckFailed": ConditionalCheckFailedError,
    "TransactionConflict": TransactionConflictError,
    "ThrottlingError": ThrottledError,
    "ProvisionedThroughputExceeded": ThrottledError,
    "ItemCollectionSizeLimitExceeded": ItemCollectionSizeLimitExceededError,
    "ValidationError": InvalidRequestError,
}


def _said(reason: CancellationReason) -> str:
    if reason.code == "TransactionConflict":
        return "is being changed by another request"
    if TOO_LARGE in (reason.message or ""):
        return f"would have more than the {ITEM_BYTES} bytes of an item"
    return f"was refused ({reason.code}): {reason.message}"
