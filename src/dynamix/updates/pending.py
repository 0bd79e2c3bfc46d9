"""The changes queued on an instance, shown there at once, and sent together by `commit_changes()`.

Every field that has changes has an `Entry` of two drafts (`dynamix.updates.draft`), through which each change goes:
`draft` becomes the update, `shown` starts from the value that the instance had and becomes the one it shows.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from operator import methodcaller
from typing import Any, NamedTuple, Self, TypeVar

from dynamix.codec.state import state_of, stored_of
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.updates.draft import Draft
from dynamix.updates.plan import UNKNOWN, Picture, Plan
from dynamix.updates.set import SetDraft
from dynamix.wire import Item

D = TypeVar("D", bound=Draft)


class _Lack(Enum):
    """The value of a field that was not loaded; an enum's member stays itself when it is copied or pickled."""

    LACKING = "not loaded"


_LACKING = _Lack.LACKING


class Entry(NamedTuple):
    """The changes of one field. `before` is what the instance showed, `shown` is None where the value is not loaded."""

    draft: Draft
    shown: Draft | None
    before: object
    picture: Picture

    def shows(self) -> dict[str, Any]:
        """What the instance shows of the field, by attribute."""
        draft = self.draft if self.shown is None else self.shown
        return {} if self.shown is None and not draft.assigned else {draft.field.attribute: draft.value}


class Pending:
    """What waits on an instance for `commit_changes()`. `values` is always the instance's own `__dict__`.

    As a context manager it is being sent: what was queued meanwhile would be taken for sent, and what is sent twice is
    added twice, so both are refused.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._conditions: tuple[Condition, ...] = ()
        self._under_way = False

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __enter__(self) -> None:
        self._refuse_under_way()
        self._under_way = True

    def __exit__(self, *error: object) -> None:
        self._under_way = False

    def _refuse_under_way(self) -> None:
        if self._under_way:
            raise InvalidUpdateError(
                "a commit of this instance, or a batch that stores it, is under way; wait for its end, or get another "
                "instance"
            )

    def copy(self) -> Self:
        """The same changes, for an instance of their own."""
        twin = type(self)()
        twin._entries, twin._conditions = copy.deepcopy((self._entries, self._conditions))
        return twin

    def shows(self) -> dict[str, Any]:
        """What the instance shows of the fields that have changes, by attribute."""
        return {name: value for entry in self._entries.values() for name, value in entry.shows().items()}

    def changes(self, attribute: str) -> bool:
        """Whether a change of this attribute is queued."""
        return attribute in self._entries

    def was_edited(self, values: dict[str, Any], field: Field[Any, Any]) -> bool:
        """Whether a list, map, set, or value of the user's own was edited in place: it is another than was loaded and
        then changed.

        An edit of what was set whole, or of an element that was queued, is sent, and therefore no such edit.
        """
        if field.own_form.frozen:
            return False
        stored = stored_of(values)
        entry = self._entries.get(field.attribute)
        if field.attribute not in values or field.attribute not in stored or (entry and entry.draft.assigned):
            return False
        expected = field.read(stored[field.attribute])
        if entry is not None:
            draft = type(entry.draft)(field)
            draft.assign(expected)
            entry.draft.replay(draft)
            expected = draft.value
        return field.differs(values[field.attribute], expected)

    def refuse_edits(self, values: dict[str, Any], fields: Iterable[Field[Any, Any]]) -> None:
        """Raise InvalidUpdateError where a value was edited in place, which is no change that a commit would send."""
        for field in fields:
            if self.was_edited(values, field):
                raise InvalidUpdateError(
                    f"{field} was edited in place, which is not sent; queue what is to be stored by "
                    f"set_field({field}, value) or by the methods for lists, maps and sets, or drop it by "
                    "discard_changes()"
                )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold for the changes to be stored."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: tuple[Condition, ...]) -> None:
        self._refuse_under_way()
        self._conditions = conditions

    def change(self, values: dict[str, Any], field: Field[Any, Any], kind: type[D], step: Callable[[D], None]) -> None:
        """Queue one change, `step`, of a field whose drafts are of the class `kind`, and show it.

        A step that the draft refuses changes nothing.
        """
        self._refuse_under_way()
        attribute = field.attribute
        entry = self._entries.get(attribute)
        if entry is None:
            if kind is not Draft:  # whatever is there, a whole value takes its place
                self.refuse_edits(values, [field])
            entry = self._entry(values, field)
        self._step(values, entry, kind, step)

    def _step(self, values: dict[str, Any], entry: Entry, kind: type[D], step: Callable[[D], None]) -> None:
        draft, shown = entry.draft, entry.shown
        if isinstance(draft, kind):
            step(draft)
        if shown is not None and draft.assigned:
            shown.assign(draft.value)  # the very value, so that what is edited in it is sent
        elif isinstance(shown, kind):
            step(shown)
        self._entries[draft.field.attribute] = entry
        values.update(entry.shows())

    @staticmethod
    def _entry(values: dict[str, Any], field: Field[Any, Any]) -> Entry:
        if not field.read_in(values):
            return Entry(field.draft(field), None, _LACKING, UNKNOWN)
        before = values[field.attribute]
        shown = field.draft(field)
        shown.assign(before)
        return Entry(field.draft(field), shown, before, Picture.of(before))

    def plan(self, stored: Item | None = None) -> Plan:
        """The update that has the effect of all changes. `stored` is the item where it is known, in place of what the
        instance shows."""
        plan = Plan()
        for entry in self._entries.values():
            field = entry.draft.field
            entry.draft.plan(plan, entry.picture if stored is None else Picture.stored(stored, field.name))
        return plan

    def refuse_second(self, plan: Plan) -> None:
        """Raise InvalidUpdateError where the changes do not fit in one request."""
        if plan.then_delete:
            names = ", ".join(str(path.source) for path, _ in plan.then_delete)
            raise InvalidUpdateError(
                f"{names} has elements to add and elements to delete, which no single request can do; commit between "
                "the two, or without atomic=True"
            )

    def settle(self, values: dict[str, Any], fields: Iterable[str], stored: dict[str, Any]) -> None:
        """The changes were stored: forget them, and show what is stored now."""
        self.clear()
        values.update(stored)
        state_of(values).pending = self
        for name in fields:
            if name not in stored:
                values.pop(name, None)

    def settle_first(
        self, values: dict[str, Any], fields: Mapping[str, Field[Any, Any]], stored: dict[str, Any]
    ) -> None:
        """The same of the first of two updates: what the second is for stays queued."""
        drafts = [entry.draft for entry in self._entries.values()]
        self.settle(values, fields, stored)
        for draft in drafts:
            if isinstance(draft, SetDraft) and not draft.assigned and draft.added and draft.deleted:
                self._step(
                    values,
                    self._entry(values, fields[draft.field.attribute]),
                    SetDraft,
                    methodcaller("delete", draft.deleted),
                )

    def discard(self, values: dict[str, Any]) -> None:
        """Forget all changes and conditions, and show what was shown before."""
        self._refuse_under_way()
        for attribute, entry in self._entries.items():
            if entry.before is _LACKING:
                values.pop(attribute, None)
            else:
                values[attribute] = entry.before
        self.clear()

    def clear(self) -> None:
        """Forget all changes and conditions; what is shown stays."""
        self._entries.clear()
        self._conditions = ()


def pending_of(values: dict[str, Any]) -> Pending:
    """What is pending on the instance with this `__dict__`, made where nothing is."""
    state = state_of(values)
    if state.pending is None:
        state.pending = Pending()
    pending: Pending = state.pending
    return pending


def conditions_of(values: dict[str, Any]) -> tuple[Condition, ...]:
    """The conditions that were set on the instance with this `__dict__`."""
    pending: Pending | None = state_of(values).pending
    return pending.conditions if pending is not None else ()
