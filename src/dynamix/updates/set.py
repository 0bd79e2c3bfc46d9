"""Changes of a set."""

from contextlib import suppress
from typing import Any, Self

from dynamix.codec.values import UnstorableError
from dynamix.expressions.nodes import AttributeExists
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.plan import Picture, Plan
from dynamix.wire import AttributeValue


class SetDraft(Draft):
    """Changes of a set: elements added and deleted, as they read back.

    Two numbers of other types, such as 0.1 and Decimal("0.1"), can be one element to DynamoDB, not to Python.
    """

    noun = "a set"
    unseen = frozenset({"SS", "NS", "BS"})

    def __init__(self, field: Changed, base: Any = None) -> None:
        super().__init__(field, base)
        self.added: set[Any] = set()
        self.deleted: set[Any] = set()

    def add(self, elements: set[Any]) -> None:
        """Add elements."""
        if self.assigned:
            self.value = self._read_back() | elements
            return
        self._check(elements)
        self.added |= elements
        self.deleted -= elements

    def delete(self, elements: set[Any]) -> None:
        """Delete elements; those that are not there are left at that."""
        if self.assigned:
            self.value = self.value and self._read_back() - elements
            return
        self._check(elements)
        self.deleted |= elements
        self.added -= elements

    def _read_back(self) -> set[Any]:
        with suppress(UnstorableError):  # an edit in place; the commit says what is wrong
            elements: set[Any] = self.field.from_wire(self.field.to_wire(self.value)) if self.value else set()
            return elements
        return set(self.value)

    def _check(self, elements: set[Any]) -> None:
        """Refuse elements of another type than those queued: of two updates the second would fail."""
        self.field._literal(self.added | self.deleted | elements)

    def replay(self, draft: Self) -> None:
        draft.add(self.added)
        draft.delete(self.deleted)

    def shown_form(self, old: AttributeValue | None) -> AttributeValue | None:
        return self.applied(old)  # none of a set that lost all its elements

    def plan(self, plan: Plan, picture: Picture) -> None:
        if picture.null or (self.base and picture.missing):
            return self.plan_whole(plan, picture)
        if self.base:
            plan.facts.append(AttributeExists(self.path))
        if self.added:
            plan.add.append((self.path, self._literal(self.added)))
        if self.deleted:
            later = plan.then_delete if self.added else plan.delete
            later.append((self.path, self._literal(self.deleted)))
        return None

    def applied(self, old: AttributeValue | None) -> AttributeValue | None:
        elements: set[Any] = set() if old is None else self.field.decode(old) or set()
        elements = (elements | self.added) - self.deleted
        return self._form(elements) if elements else None
