"""What an instance shows after its changes were stored by a transaction, whose answer tells nothing of the item.

Of a value that was set whole the new form is known, and of any other change where the transaction was conditioned on
the old one. What is not known counts as not loaded.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

from dynamix.codec.slot import forms_kept
from dynamix.codec.state import LACKING, STATE, State, Stored, state_of
from dynamix.expressions.nodes import And, AttributeNotExists, AttributeType, Compare, Condition, Or, Path, Value
from dynamix.interrupts import let_pass
from dynamix.schema.table import Schema
from dynamix.updates.at_once import AtOnce
from dynamix.updates.chain import Chain
from dynamix.updates.draft import Draft
from dynamix.updates.edits import EditDraft
from dynamix.updates.list import ListDraft
from dynamix.updates.map import MapDraft
from dynamix.updates.pending import Pending
from dynamix.updates.plan import Plan, alike
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue


def settle(
    pending: Pending, values: dict[str, Any], schema: Schema[Any], plan: Plan, conditions: Iterable[Condition]
) -> None:
    """What is pending on the instance with this `__dict__` was stored as planned, where these conditions were met."""
    before, told, sent = state_of(values), dict(_told((*plan.conditions, *conditions))), dict(_sent(plan))
    forms = {
        name: sent[draft.field.name] if draft.field.name in sent else _after(draft, told.get(draft.field.name, LACKING))
        for name, draft, _ in pending.sent()
        if name in schema.fields
    }
    lacking = {attribute for attribute, form in forms.items() if form is LACKING}
    slots = [slot for slot in schema.codec.slots if slot.attribute in forms.keys() - lacking]
    item = {slot.name: form for slot in slots if (form := forms[slot.attribute]) is not None}
    defaults = {name: default for name, default in (before.defaults or {}).items() if name not in forms}
    shown: dict[str, Any] = {}
    gone = set(lacking)
    for slot in slots:
        name = slot.attribute
        missing = "NULL" in item.get(slot.name, {"NULL": True})
        if missing and name in (before.defaults or {}) and schema.fields[name].draft is not SetDraft:
            defaults[name] = (before.defaults or {})[name]
        if slot.form.lazy:  # to be read of the form
            gone.add(name)
            continue
        try:
            value = slot.value(item.get(slot.name))
            if value is None and slot.absent is not None:
                default = defaults[name] = defaults[name] if name in defaults else slot.absent()
                value = default if slot.form.frozen else deepcopy(default)
        except Exception as error:  # a field of the user's own does not read what it wrote, or a default fails
            let_pass(error)
            gone.add(name)
            continue
        if value is None and slot.required:
            gone.add(name)
        else:
            shown[name] = value
    kept: Stored = {name: form for name, form in (before.stored or {}).items() if name not in forms}
    held = before.held
    if lacking:
        held = frozenset(schema.fields if held is None else held) - lacking
    if held is not None:
        held |= forms.keys() - lacking
    shown[STATE] = State(
        kept | forms_kept(slots, item), held, before.table, None, defaults or None, others=before.others
    )
    pending.settle_untold(values, shown, gone)


def _sent(plan: Plan) -> Iterator[tuple[str, AttributeValue | None]]:
    """The new forms of attributes that were set or removed whole, by stored name. A field may write one value otherwise
    each time, so they are those that were sent."""
    for path, operand in plan.set:
        match path, operand:
            case Path((str() as name,)), Value(form):
                yield name, form
    for path in plan.remove:
        match path:
            case Path((str() as name,)):
                yield name, None


def _told(conditions: Iterable[Condition]) -> Iterator[tuple[str, AttributeValue | None]]:
    """What conditions that are met say of whole attributes, by stored name; None of one that is missing or NULL."""
    ahead = list(conditions)
    while ahead:
        match ahead.pop():
            case And(parts):
                ahead += parts
            case Compare("=", Path((str() as name,)), Value(form)):
                yield name, None if "NULL" in form else form
            case AttributeNotExists(Path((str() as name,))):
                yield name, None
            case AttributeType(Path((str() as name,)), Value({"S": "NULL"})):
                yield name, None
            case Or((AttributeNotExists(Path((str() as name,)) as path), AttributeType(other, Value({"S": "NULL"})))):
                if path == other:
                    yield name, None


def _after(draft: Draft, old: Any) -> Any:
    """The stored form after a change of an old one, None for none; LACKING where it is not known."""
    if old is LACKING:
        return LACKING
    if isinstance(draft, EditDraft):
        was = None if draft.old is None or "NULL" in draft.old else draft.old
        known = old is was if old is None or was is None else alike(old, was)
        return draft.result if known else LACKING
    try:
        if isinstance(draft, Chain | AtOnce):
            return draft.applied(old)
        if old is None and draft.base is not None and draft.base != frozenset():
            old = draft.field.to_wire(draft.base)
        new = draft.applied(old)
    except Exception as error:  # only the service computes it, or conversions of the user's own raise whatever
        let_pass(error)
        return LACKING
    return old if new is None and isinstance(draft, MapDraft | ListDraft) else new
