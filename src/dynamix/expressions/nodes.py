"""The nodes of DynamoDB's expressions: conditions, updates, projections.

Nodes are frozen and compare by value. They hold real attribute names and values; placeholders exist only in text. Each
reader of the tree (render, the engine's evaluation) lives outside the nodes.

A condition is combined with `&`, `|` and `~`. It has no truth value of its own: `if a == b and c == d` would silently
drop a part, so `bool()` of a condition raises.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions" and "Using update
expressions".
"""

from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias

from dynamix.wire import AttributeValue


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: an attribute's stored name, then map keys (str) and list indexes (int).

    `source` is the field that the mapper made the path from; it takes no part in comparison.
    """

    parts: tuple[str | int, ...]
    source: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A literal in DynamoDB's JSON form."""

    value: AttributeValue


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A literal not known yet, such as `:v0`; `bind` replaces it by its Value."""

    name: str


@dataclass(frozen=True, slots=True)
class Size:
    """`size(path)`: characters, bytes or elements. The service also measures a literal."""

    path: Path | Value | Placeholder


Operand: TypeAlias = Path | Value | Placeholder | Size


class _Node:
    """What all conditions share: how they combine."""

    __slots__ = ()

    def __and__(self, other: "Condition") -> "And":
        return And((self, other))  # type: ignore[arg-type]

    def __or__(self, other: "Condition") -> "Or":
        return Or((self, other))  # type: ignore[arg-type]

    def __invert__(self) -> "Not":
        return Not(self)  # type: ignore[arg-type]

    def __bool__(self) -> NoReturn:
        raise TypeError("a condition has no truth value; combine conditions with &, | and ~, not with and, or, not")


Comparator: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare(_Node):
    """`left operator right`."""

    operator: Comparator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between(_Node):
    """`operand BETWEEN low AND high`, both ends included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In(_Node):
    """`operand IN (options)`, 1 to 100 options."""

    operand: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class AttributeExists(_Node):
    """`attribute_exists(path)`."""

    path: Path


@dataclass(frozen=True, slots=True)
class AttributeNotExists(_Node):
    """`attribute_not_exists(path)`."""

    path: Path


@dataclass(frozen=True, slots=True)
class AttributeType(_Node):
    """`attribute_type(path, type)`; the type is a string value such as "S" or "NULL"."""

    path: Operand
    type: Operand


@dataclass(frozen=True, slots=True)
class BeginsWith(_Node):
    """`begins_with(operand, prefix)`."""

    operand: Operand
    prefix: Operand


@dataclass(frozen=True, slots=True)
class Contains(_Node):
    """`contains(operand, part)`: a substring, or an element of a set or list."""

    operand: Operand
    part: Operand


@dataclass(frozen=True, slots=True)
class And(_Node):
    """All of at least two conditions. `a AND b AND c` is one node; parentheses make nodes of their own."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or(_Node):
    """Any of at least two conditions."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not(_Node):
    """The opposite of a condition."""

    condition: "Condition"


Condition: TypeAlias = (
    Compare
    | Between
    | In
    | AttributeExists
    | AttributeNotExists
    | AttributeType
    | BeginsWith
    | Contains
    | And
    | Or
    | Not
)


@dataclass(frozen=True, slots=True)
class IfNotExists:
    """`if_not_exists(path, fallback)` in a SET clause."""

    path: Path
    fallback: "SetOperand"


@dataclass(frozen=True, slots=True)
class ListAppend:
    """`list_append(first, second)` in a SET clause."""

    first: "SetOperand"
    second: "SetOperand"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` or `left - right` in a SET clause."""

    operator: Literal["+", "-"]
    left: "SetOperand"
    right: "SetOperand"


SetOperand: TypeAlias = Path | Value | Placeholder | IfNotExists | ListAppend | Arithmetic


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression: its clauses, each in the order written. An empty clause is not rendered."""

    set: tuple[tuple[Path, SetOperand], ...] = ()
    remove: tuple[Path, ...] = ()
    add: tuple[tuple[Path, Value | Placeholder], ...] = ()
    delete: tuple[tuple[Path, Value | Placeholder], ...] = ()


Projection: TypeAlias = tuple[Path, ...]
