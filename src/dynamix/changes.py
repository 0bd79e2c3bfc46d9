"""The changes queued on an instance, shown there at once, and sent together by `commit_changes()`.

Every field that has changes has an `Entry` of two drafts (`dynamix.drafts`), through which each change goes: `draft`
becomes the update, `shown` starts from the value that the instance had and becomes the one it shows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from dynamix.drafts import DRAFTS, UNKNOWN, Draft, Picture, Plan, SetDraft
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.wire import Item

D = TypeVar("D", bound=Draft)
_MISSING = object()


class Entry(NamedTuple):
    """The changes of one field. `before` is what the instance showed, `shown` is None where the value is not loaded."""

    draft: Draft
    shown: Draft | None
    before: object
    picture: Picture


class Pending:
    """What waits on an instance for `commit_changes()`. `values` is the instance's own `__dict__`."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._entries: dict[str, Entry] = {}
        self.conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def fields(self) -> tuple[Field[Any, Any], ...]:
        """The fields that have changes."""
        return tuple(entry.draft.field for entry in self._entries.values())

    def change(self, field: Field[Any, Any], kind: type[D], step: Callable[[D], None]) -> None:
        """Queue one change, `step`, of a field whose drafts are of the class `kind`, and show it."""
        attribute = field.attribute
        entry = self._entries.get(attribute)
        if entry is None:
            entry = self._entries[attribute] = self._entry(field)
        for draft in (entry.draft, entry.shown):
            if isinstance(draft, kind):
                step(draft)
        if entry.shown is not None:
            self._values[attribute] = entry.shown.value
        elif entry.draft.assigned:
            self._values[attribute] = entry.draft.value

    def _entry(self, field: Field[Any, Any]) -> Entry:
        draft_class = DRAFTS.get(field.kind, Draft)
        if not field.read_in(self._values):
            return Entry(draft_class(field), None, _MISSING, UNKNOWN)
        before = self._values[field.attribute]
        shown = draft_class(field)
        shown.assign(before)
        return Entry(draft_class(field), shown, before, Picture.of(before))

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
                f"{names} has elements to add and elements to delete, which no single request can do; commit "
                "between the "
                "two, or without atomic=True"
            )

    def keep_second(self) -> None:
        """The first update is done: forget all but what the second is for."""
        self.conditions = ()
        for attribute, entry in list(self._entries.items()):
            draft = entry.draft
            if isinstance(draft, SetDraft) and not draft.assigned and draft.added and draft.deleted:
                draft.added = set()
            else:
                del self._entries[attribute]

    def discard(self) -> None:
        """Forget all changes and conditions, and show what was shown before."""
        for attribute, entry in self._entries.items():
            if entry.before is _MISSING:
                self._values.pop(attribute, None)
            else:
                self._values[attribute] = entry.before
        self.clear()

    def clear(self) -> None:
        """Forget all changes and conditions; what is shown stays."""
        self._entries.clear()
        self.conditions = ()
