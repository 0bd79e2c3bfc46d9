"""Edits in place, as the smallest update that stores them.

What was loaded and what is shown are compared part by part. A part that differs is set or removed by its path; members
of a set are added or deleted, what follows the old end of a list is appended. Where others may have changed what a path
means, the update has a *guard*: a condition without which it would be refused or hit something else. A guard that is
not met is a conflict, never a reason to plan anew.

    map   SET m.k, REMOVE m.k, while m is a map
    list  appended to, while it is a list; edited or cut by index, or set whole, while it equals the loaded one
    set   ADD or DELETE; set whole, while it equals the loaded one, where members both came and went, and inside others
    else  SET
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from dynamix.codec.slot import as_json
from dynamix.codec.state import LACKING, State, as_wire, state_of
from dynamix.codec.state import NULL as NULL_FORM
from dynamix.codec.values import Numbers, decode
from dynamix.codec.versions import Versions, as_stored
from dynamix.errors import InvalidUpdateError, StoredValueError
from dynamix.expressions.nodes import AttributeType, Compare, Condition, ListAppend, Path, Value
from dynamix.fields.base import Field
from dynamix.interrupts import let_pass
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.image import Image, image_of, look_alike, value_of
from dynamix.updates.pending import Pending
from dynamix.updates.plan import MISSING, NULL, Picture, Plan
from dynamix.wire import AttributeValue

Encoder = Callable[[Any], AttributeValue]
_SETS = frozenset({"SS", "NS", "BS"})
_OPAQUE = frozenset({"S", "N", "B", "BOOL", "NULL"})
"""What is only ever replaced as one."""


def edits_of(
    values: dict[str, Any], fields: Iterable[Field[Any, Any]], encoder: Callable[[Field[Any, Any]], Encoder]
) -> dict[str, Draft]:
    """What was edited in place in the instance with this `__dict__`, by attribute; `fields` are those that can be.

    Raises FieldValidationException for a value that its field cannot hold, InvalidUpdateError for an edited key.
    """
    state = state_of(values)
    edits: dict[str, Draft] = {}
    if state.new or state.stored is None:
        return edits
    for field in fields:
        if values.get(field.attribute) is not None and field.attribute in state.stored:
            edit = _edit_of(values, state, field, encoder(field))
            if edit is not None and (field.hash_key or field.range_key):
                raise InvalidUpdateError(
                    f"{field}, which is part of the key, was edited in place, and no update can change a key; create "
                    "an item with the new key and delete this one"
                )
            if edit is not None and field.read_only:
                raise field.unchangeable()
            if edit is not None:
                edits[field.attribute] = edit
    return edits


class Sent(NamedTuple):
    """A value as it was when a commit began: what tells it then, which is its image, or else its form.

    `loaded` is the form that the state of the instance kept of a value that the commit does not change, else LACKING.
    """

    field: Field[Any, Any]
    value: Any
    image: Image | None
    form: AttributeValue | None
    loaded: Any

    @property
    def may_be_edited(self) -> bool:
        """Whether it may be another by now. An image is made much faster than a form, so it is compared first."""
        return self.image is None or image_of(self.value) != self.image

    def form_then(self) -> AttributeValue | None:
        """The form that it had, None of what is not stored. Raises whatever its field does."""
        if self.image is None:
            return self.form
        form: AttributeValue | None = self.field._form(value_of(self.image))
        return form


def values_sent(values: dict[str, Any], fields: Iterable[Field[Any, Any]], pending: Pending) -> dict[str, Sent]:
    """The values that may be edited in place while a commit of what is pending is under way, by attribute."""
    sent = {}
    for field in fields:
        value = values.get(field.attribute)
        if value is not None:
            made = _sent(values, field, pending, value, value)
            if made is not None:
                sent[field.attribute] = made
    return sent


def first_read_since(
    sent: dict[str, Sent], values: dict[str, Any], fields: Iterable[Field[Any, Any]], pending: Pending
) -> dict[str, Sent]:
    """The same before the instance shows what is stored, with those that were first read while the commit was under
    way: as they were before any edit in place."""
    since = [field for field in fields if field.attribute not in sent and values.get(field.attribute) is not None]
    known = dict(sent) if since else sent
    for field in since:
        try:
            then = pending.unedited(values, field)
        except Exception as error:  # only the service knows the result, or conversions of the user's own raise whatever
            let_pass(error)
            continue
        made = None if then is LACKING else _sent(values, field, pending, values[field.attribute], then)
        if made is not None:
            known[field.attribute] = made
    return known


def _sent(values: dict[str, Any], field: Field[Any, Any], pending: Pending, value: Any, then: Any) -> Sent | None:
    """A value as it was `then`; None for one that cannot be stored, which whoever saves it is told."""
    try:
        image = image_of(then)
        form = field._form(then) if image is None else None
    except Exception as error:  # conversions of the user's own may raise whatever
        let_pass(error)
        return None
    stored = state_of(values).stored or {}
    loaded = LACKING if pending.sends(field.attribute) else stored.get(field.attribute, LACKING)
    return Sent(field, value, image, form, loaded)


def keep_edits(values: dict[str, Any], sent: Mapping[str, Sent]) -> dict[str, Sent]:
    """Keep showing what was edited in place while a commit was under way, as an edit of what was sent; by then the
    instance shows what is stored, as far as that is known. Returns what of `sent` was edited."""
    state = state_of(values)
    stored = state.stored
    kept: dict[str, Sent] = {}
    if stored is None:
        return kept
    for attribute, then in sent.items():
        if not then.may_be_edited:
            continue
        try:
            form = then.form_then()
            edited = then.field.differs(then.value, None if form is None else then.field.decode(form))
        except Exception as error:  # conversions of the user's own may raise whatever
            let_pass(error)
            continue
        if edited:
            values[attribute] = then.value
            stored[attribute] = as_json(form) if then.loaded is LACKING else then.loaded
            if state.held is not None:
                state.held |= {attribute}
            kept[attribute] = then
    return kept


def _edit_of(values: dict[str, Any], state: State, field: Field[Any, Any], encode: Encoder) -> Draft | None:
    """The edit in place of one field, None for none."""
    pending: Pending | None = state.pending
    draft = None if pending is None else pending.draft(field.attribute)
    if draft is not None and draft.assigned:
        return None
    own, value = not field.own_form.write, values[field.attribute]
    waiting = Pending() if pending is None else pending
    respells = field.respells or field.whole or field.transform is not None  # what was loaded, if it were stored again
    slow, spelled = own or respells, waiting.is_as_loaded(values, field)
    unedited: Any = LACKING
    if spelled is None or slow:
        with suppress(StoredValueError):  # of a change whose result only the service knows
            unedited = waiting.unedited(values, field)
    if spelled or look_alike(value, unedited) or (slow and not waiting.was_edited(values, field)):
        return None
    form = (state.stored or {})[field.attribute]
    old: AttributeValue | None = as_wire(form)
    new = None if value == frozenset() else encode(value)
    numbers = field.numbers
    if own:
        if old is not None and not old.keys() & _OPAQUE and field.respelled(form) != old:
            whole = Draft(field)
            whole.assign(value)
            return whole
        return EditDraft(field, old, new, numbers)
    if field.respells:
        unchanged = None if old is None or old == NULL_FORM else field.as_read(form)
        return EditDraft(field, old, new, numbers, unchanged)
    expected = old
    if old is None or old == NULL_FORM:
        default = (state.defaults or {}).get(field.attribute)
        expected = None if default is None or default == frozenset() else field.to_wire(default)
    if draft is not None:
        expected = draft.shown_form(expected)
    return EditDraft(field, old, new, numbers) if EditDraft(field, expected, new, numbers).differs() else None


class EditDraft(Draft):
    """The edits of one value: from its stored form to another; None for what is not stored, and for an emptied set.

    Numbers that `numbers` reads as equal are not edited. `unedited` is how the field would store the old value, where
    that may be another form: parts that are the same in it are not edited, however they are stored, and parts of maps
    that it lacks are none that the field knows.
    """

    noun = "a value edited in place"
    is_seen = True

    def __init__(
        self,
        field: Changed,
        old: AttributeValue | None,
        new: AttributeValue | None,
        numbers: Numbers = float,
        unedited: AttributeValue | None = None,
    ) -> None:
        super().__init__(field)
        self.old = old
        self.new = new
        self._unedited = old if unedited is None else unedited
        self._numbers = numbers

    @cached_property
    def result(self) -> AttributeValue | None:
        """The stored form after the edits; None for what is not stored."""
        if self.old is None or self._unedited is None or self.new is None:
            return self.new
        return Versions(self.old, self._unedited, self.new).merged()

    def plan(self, plan: Plan, picture: Picture) -> None:
        if self.old is None or "NULL" in self.old or (self.new is None and not self.old.keys() & _SETS):
            return self.plan_whole(plan, picture)
        if self.new is None:
            plan.delete.append((self.path, Value(self.old)))
            return None
        before = len(plan.set)
        self._value(plan, self.path, Versions(self.old, self._unedited or self.old, self.new), exact=False)
        plan.repeatable &= not any(isinstance(operand, ListAppend) for _, operand in plan.set[before:])
        return None

    @property
    def parts(self) -> int:
        plan = Plan()
        self.plan(plan, MISSING)
        return len(plan.set) + len(plan.remove)

    def plan_whole(self, plan: Plan, picture: Picture) -> None:
        if self.old is None:
            self._guard(plan, MISSING.fact(self.path))
        else:
            self._guard(plan, NULL.fact(self.path) if "NULL" in self.old else Compare("=", self.path, Value(self.old)))
        plan.repeatable = False
        if self.new is None:
            plan.remove.append(self.path)
        else:
            plan.set.append((self.path, Value(self.result or self.new)))

    @property
    def depends(self) -> bool:
        return False

    def differs(self) -> bool:
        """Whether there is any edit."""
        if self.old is None or self.new is None or "NULL" in self.old:
            return self.old != self.new
        return not self._same(self.old, self.new)

    def _value(self, plan: Plan, path: Path, part: Versions, *, exact: bool) -> None:
        """The edits of one part. `exact`: a guard says already that all around it is as it was loaded."""
        if part.untouched:
            return
        tags = part.tags
        if tags == {"M"}:
            self._map(plan, path, part, exact=exact)
        elif tags == {"L"}:
            self._list(plan, path, part, exact=exact)
        elif len(tags) == 1 and tags <= _SETS:
            self._set(plan, path, part.old, part.new, exact=exact)
        elif not self._same(part.old, part.new):
            if not exact and path == self.path:  # others may have changed another part of what one text or binary holds
                self._guard(plan, Compare("=", path, Value(part.old)))
                plan.repeatable = False
            plan.set.append((path, Value(part.new)))

    def _map(self, plan: Plan, path: Path, part: Versions, *, exact: bool) -> None:
        old, unedited, new = (form["M"] for form in part)
        before = len(plan.set) + len(plan.remove)
        plan.remove.extend(_inside(path, key) for key in old if key in unedited and key not in new)
        added = [key for key, value in new.items() if key not in old and unedited.get(key) != value]
        plan.set.extend((_inside(path, key), Value(new[key])) for key in added)
        inner = {key: Versions(old[key], unedited.get(key, old[key]), new[key]) for key in new if key in old}
        for key, version in inner.items():
            if not (version.untouched or _nests(version.old, version.new) or self._same(version.old, version.new)):
                plan.set.append((_inside(path, key), Value(version.new)))
        if not exact and len(plan.set) + len(plan.remove) > before:
            self._guard(plan, AttributeType(path, Value({"S": "M"})))
        for key, version in inner.items():
            if _nests(version.old, version.new):
                self._value(plan, _inside(path, key), version, exact=exact)

    def _list(self, plan: Plan, path: Path, part: Versions, *, exact: bool) -> None:
        old, unedited, new = (form["L"] for form in part)
        if self._same({"L": unedited}, {"L": new}):
            return
        kept = min(len(old), len(new))
        begins_alike = self._same({"L": unedited[:kept]}, {"L": new[:kept]})
        if begins_alike and len(new) > len(old):
            if not exact:
                self._guard(plan, AttributeType(path, Value({"S": "L"})))
            plan.set.append((path, ListAppend(path, Value({"L": new[kept:]}))))
            return
        if not exact:
            self._guard(plan, Compare("=", path, Value(part.old)))
            plan.repeatable = False
        if begins_alike:
            plan.remove.extend(_inside(path, index) for index in range(kept, len(old)))
        elif len(old) == len(unedited) == len(new):
            for index, version in enumerate(zip(old, unedited, new, strict=True)):
                self._value(plan, _inside(path, index), Versions(*version), exact=True)
        else:
            plan.set.append((path, Value({"L": [as_stored(element, unedited, old) for element in new]})))

    def _set(self, plan: Plan, path: Path, old: AttributeValue, new: AttributeValue, *, exact: bool) -> None:
        ((tag, members),) = new.items()
        was, now = self._members(old), self._members(new)
        added = [member for member in members if self._member(tag, member) not in was]
        gone = [member for member in old[tag] if self._member(tag, member) not in now]
        if len(path.parts) > 1 or (added and gone):
            if (added or gone) and not exact:
                self._guard(plan, Compare("=", path, Value(old)))
                plan.repeatable = False
            if added or gone:
                plan.set.append((path, Value(new)))
        elif added:
            plan.add.append((path, Value({tag: added})))
        elif gone:
            plan.delete.append((path, Value({tag: gone})))

    def _members(self, form: AttributeValue) -> set[Any]:
        ((tag, members),) = form.items()
        return {self._member(tag, member) for member in members}

    def _member(self, tag: str, member: str) -> Any:
        return decode({"N": member}, self._numbers) if tag == "NS" else member

    def _same(self, old: AttributeValue, new: AttributeValue) -> bool:
        """Whether two forms read as equal."""
        if old == new:
            return True
        ((old_tag, was),), ((new_tag, now),) = old.items(), new.items()
        if old_tag != new_tag:
            return False
        if old_tag == "N":
            return bool(decode(old, self._numbers) == decode(new, self._numbers))
        if old_tag == "M":
            return was.keys() == now.keys() and all(self._same(was[key], now[key]) for key in was)
        if old_tag == "L":
            return len(was) == len(now) and all(map(self._same, was, now))
        return old_tag in _SETS and self._members(old) == self._members(new)

    def _guard(self, plan: Plan, condition: Condition) -> None:
        plan.guards.append((condition, str(self.field)))


def _inside(path: Path, part: str | int) -> Path:
    return Path((*path.parts, part))


def _nests(old: AttributeValue, new: AttributeValue) -> bool:
    """Whether both are maps, or both lists, or both sets: what is compared part by part."""
    return any(tag in old and tag in new for tag in ("M", "L", *_SETS))
