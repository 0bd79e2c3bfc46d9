"""Actions: one change of an attribute, or of a part inside it, as a value.

Fields and elements make them (`Page.views.add(1)`, `Page.words["the"].set(3)`; see `dynamix.fields.changeable`),
checked and in DynamoDB's form at once. What makes an update of them is elsewhere: `dynamix.updates.changes` where they
are made at once, `dynamix.updates.pending` where they are queued on an instance.
"""

from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

from dynamix.expressions.nodes import IfNotExists, Path, Value

V_co = TypeVar("V_co", covariant=True)


class Computed(Struct, Generic[V_co], frozen=True):
    """`Page.price + Page.tax`: what the service computes of two operands, of which at least one is stored."""

    operator: Literal["+", "-"]
    left: Path | Value
    right: Path | Value

    @property
    def operands(self) -> tuple[Path | Value, Path | Value]:
        """Both, the left one first."""
        return self.left, self.right


Operand: TypeAlias = Path | Value | IfNotExists | Computed[object]


class Action(Struct, frozen=True):
    """One change: what a field or an element makes by `set`, `add`, `append` and the like.

    `path` is what changes. Actions are values: they can be kept, compared and used again.
    """

    path: Path
    verb: ClassVar[str] = "change"

    @property
    def inside(self) -> bool:
        """Whether it changes a part of an attribute."""
        return len(self.path.parts) > 1

    @property
    def reads(self) -> tuple[Path, ...]:
        """The paths that its new value is computed from."""
        return ()

    def __str__(self) -> str:
        return f"{shown_path(self.path)}.{self.verb}(...)"


class Set(Action, frozen=True):
    """A new value: one that is given, another attribute's, or one that the service computes."""

    operand: Operand
    verb = "set"

    @property
    def reads(self) -> tuple[Path, ...]:
        match self.operand:
            case Value():
                return ()
            case Path() as path:
                return (path,)
            case Computed() as computed:
                return tuple(operand for operand in computed.operands if isinstance(operand, Path))
        return ()


class SetIfMissing(Action, frozen=True):
    """A new value where there is none."""

    value: Value
    verb = "set_if_missing"


class Remove(Action, frozen=True):
    """No value any more."""

    verb = "remove"


class Add(Action, frozen=True):
    """A number added to a number, or members added to a set."""

    value: Value
    verb = "add"


class Delete(Action, frozen=True):
    """Members deleted from a set."""

    value: Value
    verb = "delete"


class Append(Action, frozen=True):
    """Elements put behind those of a list."""

    value: Value
    verb = "append"


class Prepend(Action, frozen=True):
    """Elements put before those of a list."""

    value: Value
    verb = "prepend"


def field_at(path: Path) -> Any:
    """The field that converts what stands at a path; None of what is free-form."""
    field = path.source
    for part in path.parts[1:]:
        field = None if field is None else field._inside(part)
    return field


def shown_path(path: Path) -> str:
    """A path as users write it: `Page.words['the']`."""
    first, *parts = path.parts
    return f"{path.source or first}{''.join(f'[{part!r}]' for part in parts)}"
