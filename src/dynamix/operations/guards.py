"""The guards of unique values, written in the transaction that writes their items.

What an action does to guards follows from the values that its item had before and has after:

    before and after differ    the old value's guard is deleted, the new one's is stored
    the same                   nothing, but where the item's expiry changes, or the item is stored whole: the guard is
                               stored anew

A guard is deleted or replaced on the condition that its owner is an item that gives it up in the same transaction, or
the one that takes it; so items may swap their values. Where it is another's, the item that takes it is not stored.

What was before is what the instance was loaded with, or else is read first; a put takes it that there is no item. The
action has a condition that it is still so. Where that is not met, the cancelled transaction brings the item along, and
all is planned anew.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from dynamix.codec.names import Key
from dynamix.codec.state import as_wire, state_of
from dynamix.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    DynamixError,
    InvalidUpdateError,
    NotUniqueError,
)
from dynamix.expressions.nodes import (
    AttributeExists,
    AttributeNotExists,
    Compare,
    Condition,
    Or,
    Path,
    Value,
    all_of,
)
from dynamix.operations import requests
from dynamix.operations.failures import failed, shown_key
from dynamix.operations.parts import STORED_NOTHING, Check, Delete, Part, Put, Update
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Table
from dynamix.schema.unique import Guards, Unique
from dynamix.updates.pending import pending_of
from dynamix.updates.plan import alike
from dynamix.updates.result import result
from dynamix.updates.unchanged import loaded, stored_as
from dynamix.wire import AttributeValue, Call, Flow, Item


class Holder:
    """An action on an item with unique values, and what is believed of the item before it.

    With `whole` all that the model knows of the item is believed, not only what matters to guards.
    """

    def __init__(self, part: Part, guards: Guards, uniques: tuple[Unique, ...], *, whole: bool) -> None:
        self.part = part
        self.guards = guards
        self.uniques = uniques
        self.whole = whole
        self.others: set[str] = set()  # the keys of guards that turned out to be of other items
        schema = part.table.schema
        fields: Iterable[AnyField] = schema.fields.values()
        if not whole:
            fields = dict.fromkeys(field for unique in uniques for field in unique.fields)
            fields = fields if guards.expiry is None else (*fields, guards.expiry)
        self.fields = [field for field in fields if not any(field is key for key in schema.table.keys)]
        self.before: Item | None = None if whole else self._loaded()
        self._believe()

    @classmethod
    def of(cls, part: Part, *, whole: bool) -> "Holder | None":
        """That of an action, None where it changes no guards."""
        guards = part.table.schema.guards
        if guards is None or isinstance(part, Check):
            return None
        uniques = guards.touched(part.changes.fields) if isinstance(part, Update) else guards.uniques
        return cls(part, guards, uniques, whole=whole) if uniques else None

    def _loaded(self) -> Item | None:
        """What the instance was loaded with, None where it is to be read."""
        if isinstance(self.part, Put):
            return {}
        values = self.part.values if isinstance(self.part, Delete | Update) else None
        if not values or state_of(values).stored is None:
            return None
        try:
            forms = {field.name: loaded(field, values, pending_of(values)) for field in self.fields}
        except InvalidUpdateError:
            return None
        return {name: form for name, form in forms.items() if form is not None}

    @property
    def _is_new(self) -> bool:
        """Whether the action is made where there is no item, and nowhere else."""
        return isinstance(self.part, Put) and self.part.absent

    def read(self, policy: RetryPolicy, table: Table[Any]) -> Flow[None]:
        """Read what the item is now."""
        names = () if self.whole else [field.name for field in (*table.schema.table.keys, *self.fields)]
        body = requests.get(table.name, self.part.key, consistent=True, only=names)
        call = Call("GetItem", msgspec.json.encode(body), requests.found, for_write=True)
        self.before = (yield from request(policy, call)) or {}
        self._believe()

    def look(self, reason: CancellationReason) -> bool:
        """Whether the stored item is another than was believed; then it is believed from now on."""
        if self.before is None or self._is_new or reason.code != "ConditionalCheckFailed":
            return False
        before, now = self.before, reason.stored_item or {}
        names = [field.name for field in self.fields]
        same = all(_same(before.get(name), now.get(name)) for name in names)
        if same and not (self.whole and bool(before) != bool(now)):
            return False
        self.before = now
        self._believe()
        return True

    def _believe(self) -> None:
        """Has the action depend on what is believed."""
        if self.before is None or self._is_new:
            return
        required: list[Condition] = [stored_as(field._path(), self.before.get(field.name)) for field in self.fields]
        schema = self.part.table.schema
        if self.whole:
            key = Path((schema.table.hash_key.name,))
            required.append(AttributeExists(key) if self.before else schema.existence.gone)
        elif isinstance(self.part, Delete) and any(self.before.get(field.name) for field in self.fields):
            required = [Or((schema.existence.gone, all_of(required)))]  # one that is gone is no error
        self.part.seen = tuple(required)

    @property
    def after(self) -> Item:
        """What the item is afterwards, as far as guards go."""
        match self.part:
            case Put(item=item, key=key):
                held = [field.name for field in self.fields if field.name in item]
                return {**key, **{name: as_wire(item[name]) for name in held}}
            case Update(plan=plan, key=key):
                before = self.before or {}
                changed = {field.name: result(plan, field, before.get(field.name)) for field in self.fields}
                return {**key, **{name: form for name, form in changed.items() if form is not None}}
        return {}

    def wishes(self) -> "list[_Wish]":
        """What it does to guards."""
        before, after, expiry = {**(self.before or {}), **self.part.key}, self.after, self.guards.expiry
        renewed = isinstance(self.part, Put)
        if expiry is not None and isinstance(self.part, Update):
            renewed = before.get(expiry.name) != after.get(expiry.name)
        wishes = []
        for unique in self.uniques:
            old, new = unique.text(before), unique.text(after)
            if old is not None and old != new and self.guards.holds(old) and old not in self.others:
                wishes.append(_Wish(self, unique, old))
            if new is not None and (old != new or renewed):
                self.guards.check(unique, new, after)
                wishes.append(_Wish(self, unique, new, after))
        return wishes


class _Wish(NamedTuple):
    """What an action does to one guard: it is stored for the item that is `after`, or deleted."""

    holder: Holder
    unique: Unique
    text: str
    after: Item | None = None

    @property
    def owner(self) -> AttributeValue:
        """What a guard of the item records."""
        return self.holder.guards.owner(self.holder.part.key)


class Guard(Part):
    """The action on one guard, on behalf of an item that takes it, or else of one that gives it up."""

    def __init__(self, wishes: Sequence[_Wish]) -> None:
        taking = [wish for wish in wishes if wish.after is not None]
        if len(taking) > 1:
            raise _both(taking)
        self.wish = (taking or wishes)[0]
        super().__init__(self.wish.holder.part.table, self.wish.holder.part.key)
        self.owners = [wish.owner for wish in wishes]
        self.target = Put.target if taking else Delete.target

    def body(self) -> requests.Body:
        (holder, _, text, after), guards = self.wish, self.wish.holder.guards
        key = guards.key(text)
        table = (self.table.guarding or self.table).name
        owned = [Compare("=", Path((guards.owner_name,)), Value(owner)) for owner in self.owners]
        free: list[Condition] = [AttributeNotExists(Path((guards.key_name,)))]
        if after is None:
            return requests.delete(table, key, Or((*free, *owned)))
        if self.table.schema.hidden is not None:
            free.append(Compare("<=", Path((guards.expires_name,)), Value(_now())))
        expires = None if guards.expiry is None else after.get(guards.expiry.name)
        return requests.put(table, guards.item(key, guards.owner(holder.part.key), expires), Or((*free, *owned)))

    def given_up(self, reason: CancellationReason) -> bool:
        """Whether it failed for no more than that it is another item's, and not the guard of one that gives it up."""
        return self.wish.after is None and reason.code == "ConditionalCheckFailed"

    def renew(self, reason: CancellationReason) -> bool:
        """Whether it is left alone from now on, since it is another item's that is not taken."""
        if not self.given_up(reason):
            return False
        self.wish.holder.others.add(self.wish.text)
        return True

    def strange(self, error: ConditionalCheckFailedError) -> None:
        """What is stored there is a guard, and no model's item."""

    def explain(self, error: ConditionalCheckFailedError) -> ConditionalCheckFailedError:
        """Which value is another item's, and which item's."""
        guard, error.stored_item = error.stored_item or {}, None  # which is no item of the model's
        unique, after = self.wish.unique, self.wish.after
        owner = _owner(self.table, guard.get(self.wish.holder.guards.owner_name))
        by = "another item" if owner is None else f"{self.table.schema.model_name} with {_shown(owner)}"
        if after is None:
            problem = f"gives up {unique}, and the guard of its value is that of {by}; {STORED_NOTHING}"
            return failed(ConditionalCheckFailedError, self.table, self.key, error, problem)
        values = unique.values(after)
        problem = f"cannot have {unique.shown(after)}, which is unique and taken by {by}; {STORED_NOTHING}"
        told = failed(NotUniqueError, self.table, self.key, error, problem)
        assert isinstance(told, NotUniqueError)  # noqa: S101 - narrows the type
        told.field = ", ".join(field.attribute for field in unique.fields)
        told.value = values[0] if len(values) == 1 else values
        told.owner = owner
        return told


def actions(holders: Sequence[Holder]) -> list[Guard]:
    """One action for each guard that some of these change. Raises InvalidUpdateError where two take one."""
    wishes: dict[tuple[str, str], list[_Wish]] = {}
    for holder in holders:
        for wish in holder.wishes():
            wishes.setdefault((holder.part.table.name, wish.text), []).append(wish)
    return [Guard(found) for found in wishes.values()]


def _same(one: AttributeValue | None, other: AttributeValue | None) -> bool:
    return one is other if one is None or other is None else alike(one, other)


def _both(taking: Sequence[_Wish]) -> InvalidUpdateError:
    """Why a transaction cannot be made that gives one value to two items."""
    first, second = (f"{wish.holder.part.table.schema.model_name} with {_item(wish)}" for wish in taking[:2])
    shown = taking[0].unique.shown(taking[0].after or {})
    return InvalidUpdateError(f"{first} and {second} would both have {shown}, which is unique")


def _item(wish: _Wish) -> str:
    return shown_key(wish.holder.part.table, wish.holder.part.key)


def _owner(table: Table[Any], recorded: AttributeValue | None) -> Key[Any] | None:
    """The key that a guard records; None where it is no key of the model."""
    schema = table.schema
    try:
        forms = (recorded or {})["M"]
        return Key(
            schema.model, schema.key.from_stored({field.attribute: forms[field.name] for field in schema.table.keys})
        )
    except (KeyError, TypeError, DynamixError):
        return None


def _shown(key: Key[Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in key.items())


def _now() -> AttributeValue:
    return {"N": str(int(datetime.now(UTC).timestamp()))}
