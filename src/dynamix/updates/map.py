"""Changes of a map."""

from collections.abc import Mapping
from typing import Any, Self

from dynamix.expressions.nodes import (
    AttributeExists,
    AttributeType,
    Path,
    Value,
)
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.plan import Picture, Plan
from dynamix.wire import AttributeValue


class MapDraft(Draft):
    """Changes of a map: its keys set or removed."""

    noun = "a map"
    unseen = frozenset({"M"})

    def __init__(self, field: Changed, base: Any = None) -> None:
        super().__init__(field, base)
        self.changed: dict[str, Any] = {}
        self.removed: set[str] = set()
        self.creates = False

    def update(self, elements: Mapping[str, Any]) -> None:
        """Set keys; a missing map is created."""
        if self.assigned:
            self.value = {**(self.value or {}), **elements}
            return
        self.creates = True
        self.changed.update(elements)
        self.removed -= elements.keys()

    def discard(self, keys: list[str]) -> None:
        """Remove keys; those that are not there are left at that."""
        if self.assigned:
            self.value = self.value and {key: value for key, value in self.value.items() if key not in keys}
            return
        self.removed.update(keys)
        for key in keys:
            self.changed.pop(key, None)

    def replay(self, draft: Self) -> None:
        if self.creates:
            draft.update(self.changed)
        draft.discard(list(self.removed))

    def plan(self, plan: Plan, picture: Picture) -> None:
        if picture.missing:
            return self.plan_whole(plan, picture)
        # where no key is named, nothing else would tell a map from a NULL
        plan.facts.append(AttributeExists(self.path) if self.parts else AttributeType(self.path, Value({"S": "M"})))
        for key, wire in self._parts(self.changed, "M").items():
            plan.set.append((Path((*self.path.parts, key)), Value(wire)))
        for key in sorted(self.removed):
            plan.remove.append(Path((*self.path.parts, key)))
        return None

    @property
    def parts(self) -> int:
        return len(self.changed) + len(self.removed)

    def applied(self, old: AttributeValue | None) -> AttributeValue | None:
        kept = {} if old is None else self._content(old, "M")
        if not self.creates and not self.removed & kept.keys():
            return None
        kept = {key: wire for key, wire in kept.items() if key not in self.removed}
        return {"M": kept | self._parts(self.changed, "M")}
