"""The changes of one field, folded."""

from typing import Any, ClassVar, Protocol, Self

from dynamix.codec.forms import Form
from dynamix.errors import StoredValueError
from dynamix.expressions.nodes import Compare, Path, Value
from dynamix.updates.plan import MISSING, Picture, Plan
from dynamix.wire import AttributeValue


class Changed(Protocol):
    """A field, as its draft sees it."""

    attribute: str
    name: str
    null: bool
    was: str | None

    @property
    def own_form(self) -> Form: ...

    @property
    def draft(self) -> "type[Draft]": ...

    def encode(self, value: Any) -> AttributeValue: ...

    def decode(self, wire: AttributeValue) -> Any: ...

    def to_wire(self, value: Any) -> AttributeValue: ...

    def from_wire(self, wire: AttributeValue) -> Any: ...

    def refusal(self, value: object, reason: str) -> Exception: ...

    def _literal(self, value: Any) -> AttributeValue: ...

    def _form_of_amount(self, amount: Any) -> AttributeValue: ...

    def _path(self) -> Path: ...


_EMPTY: frozenset[Any] = frozenset()


class Draft:
    """The changes of one field, folded. This one is a whole value, set or removed.

    `base` is what changes start from where the attribute is missing; None: from nothing.
    """

    noun: ClassVar[str] = "a value"
    """What the draft is for, in messages."""

    unseen: ClassVar[frozenset[str]] = frozenset()
    """The types of stored values whose changes can be queued before anybody has read the value."""

    is_seen: ClassVar[bool] = False
    """Whether it was made of a value that was seen where it is stored."""

    assigned = False
    """Whether the whole value is known, which then is `value`."""

    value: Any = None

    def __init__(self, field: Changed, base: Any = None) -> None:
        self.field = field
        self.path = field._path()
        self.base = base

    def assign(self, value: Any) -> None:
        """Set the whole value; None removes it."""
        self.assigned, self.value = True, value

    def replay(self, draft: Self) -> None:
        """Make the same changes on another draft; this one has no whole value."""

    def plan(self, plan: Plan, picture: Picture) -> None:
        """Put the changes into `plan`; this one has no whole value."""
        raise NotImplementedError

    def form(self) -> AttributeValue | None:
        """The stored form of the whole value, None of what is removed."""
        field, value = self.field, self.value
        if value is None:
            return field.encode(None) if field.null else None
        return None if value == _EMPTY else field.encode(value)

    def shown_form(self, old: AttributeValue | None) -> AttributeValue | None:
        """The stored form of what an instance shows after the changes, where it showed the old one before."""
        return self.applied(old) or old

    @property
    def depends(self) -> bool:
        """Whether the update depends on the picture of what is stored."""
        return not self.assigned

    @property
    def parts(self) -> int:
        """How many parts of the value are named where it is not replaced whole."""
        return 0

    @property
    def fills(self) -> bool:
        """Whether the first change sets what is missing, whatever default shows for it."""
        return False

    def plan_whole(self, plan: Plan, picture: Picture) -> None:
        """Put the changes into `plan` as one new value, which takes the place of the one in the picture.

        Where that is not known it is taken to be missing; if it is not, the service brings it along. Raises
        StoredValueError where it is of another type.
        """
        old = picture.wire()
        if old is not None:
            self.field.decode(old)
        plan.facts.append(
            (picture if picture.missing else MISSING).fact(self.path)
            if old is None
            else Compare("=", self.path, Value(old))
        )
        if old is None and self.base is not None and self.base != frozenset():
            old = self._form(self.base)
        new = self.applied(old)
        if new is not None:
            plan.set.append((self.path, Value(new)))

    def applied(self, old: AttributeValue | None) -> AttributeValue | None:
        """The stored form after the changes of the old one, None where nothing need be stored."""
        raise NotImplementedError

    def _form(self, value: Any) -> AttributeValue:
        """A value as the update says it; checked once more, for the caller may have changed it since it was queued."""
        return self.field._literal(value)

    def _content(self, old: AttributeValue, tag: str) -> Any:
        """What is stored, where it is of the type that is changed. Raises StoredValueError."""
        if tag in old:
            return old[tag]
        self.field.decode(old)
        raise StoredValueError(
            f"{self.field} is stored as {next(iter(old))}, which is not {self.noun}; nothing was stored",
            field=self.field.attribute,
            value=old,
        )

    def _parts(self, value: Any, tag: str) -> Any:
        """The stored parts of a value, which a field class of the user's own may store otherwise."""
        form = self._form(value)
        if tag not in form:
            raise self.field.refusal(
                value, f"it is not stored as {self.noun}, so that no part of it can be changed; set the whole value"
            )
        return form[tag]

    def _literal(self, value: Any) -> Value:
        return Value(self._form(value))
