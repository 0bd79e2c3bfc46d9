"""The changes of one field, folded."""

from typing import Any, ClassVar, Protocol, Self

from dynamix.expressions.nodes import Path, Value
from dynamix.updates.plan import Picture, Plan
from dynamix.wire import AttributeValue


class Changed(Protocol):
    """A field, as its draft sees it."""

    attribute: str
    name: str
    null: bool

    def encode(self, value: Any) -> AttributeValue: ...

    def to_wire(self, value: Any) -> AttributeValue: ...

    def from_wire(self, wire: AttributeValue) -> Any: ...

    def refusal(self, value: object, reason: str) -> Exception: ...

    def _literal(self, value: Any) -> AttributeValue: ...

    def _path(self) -> Path: ...


class Draft:
    """The changes of one field, folded. This one is a whole value, set or removed."""

    noun: ClassVar[str] = "a value"
    """What the draft is for, in messages."""

    def __init__(self, field: Changed) -> None:
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
        if self.value == frozenset() or (self.value is None and not self.field.null):
            plan.remove.append(self.path)
        else:
            plan.set.append((self.path, Value(self.field.encode(self.value))))

    def _literal(self, value: Any) -> Value:
        """A value as the update says it; checked once more, for the caller may have changed it since it was queued."""
        return Value(self.field._literal(value))
