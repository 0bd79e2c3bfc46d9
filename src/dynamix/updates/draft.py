"""The changes of one field, folded."""

from typing import Any, Self

from dynamix.expressions.nodes import (
    Value,
)
from dynamix.fields.base import Field
from dynamix.updates.plan import Picture, Plan


class Draft:
    """The changes of one field, folded. This one is a whole value, set or removed."""

    def __init__(self, field: Field[Any, Any]) -> None:
        self.field = field
        self.path = field._path()
        self.assigned = False
        self.value: Any = None

    def assign(self, value: Any) -> None:
        """Set the whole value; None removes it."""
        self.assigned, self.value = True, value

    def replay(self, draft: Self) -> None:
        """Make the same changes on another draft; this one has no whole value."""

    def plan(self, plan: Plan, picture: Picture) -> None:
        """Put the changes into `plan`."""
        if self.value is None or self.value == frozenset():
            plan.remove.append(self.path)
        else:
            plan.set.append((self.path, Value(self.field.encode(self.value))))

    def _literal(self, value: Any) -> Value:
        """A value as the update says it; checked once more, for the caller may have changed it since it was queued."""
        return Value(self.field._literal(value))
