"""The nodes of DynamoDB's expressions: conditions, updates, projections.

Nodes are frozen and compare by value. They hold real attribute names and values; placeholders exist only in text. Each
reader of the tree (render, the engine's evaluation) lives outside the nodes.

A condition is combined with `&`, `|` and `~`. It has no truth value of its own: `if a == b and c == d` would silently
drop a part, so `bool()` of a condition raises.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions" and "Using update
expressions".
"""

from collections.abc import Sequence
from typing import Any, Literal, NoReturn, TypeAlias

from msgspec import Struct

from dynamix.wire import AttributeValue


class Path(Struct, frozen=True, eq=False):
    """A document path: an attribute's stored name, then map keys (str) and list indexes (int).

    `source` is the field that the mapper made the path from; it takes no part in comparison.
    """

    parts: tuple[str | int, ...]
    source: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return f"Path({self.parts!r})"


class Value(Struct, frozen=True):
    """A literal in DynamoDB's JSON form."""

    value: AttributeValue


class Placeholder(Struct, frozen=True):
    """A literal not known yet, such as `:v0`; `bind` replaces it by its Value."""

    name: str


class Size(Struct, frozen=True):
    """`size(path)`: characters, bytes or elements. The service also measures a literal."""

    path: Path | Value | Placeholder


Operand: TypeAlias = Path | Value | Placeholder | Size


class _Node(Struct, frozen=True):
    """What all conditions share: how they combine."""

    def __and__(self, other: "Condition") -> "And":
        return And((self, other)) if isinstance(other, _Node) else NotImplemented  # type: ignore[arg-type]

    def __or__(self, other: "Condition") -> "Or":
        return Or((self, other)) if isinstance(other, _Node) else NotImplemented  # type: ignore[arg-type]

    def __invert__(self) -> "Not":
        return Not(self)  # type: ignore[arg-type]

    def __bool__(self) -> NoReturn:
        raise TypeError("a condition has no truth value; combine conditions with &, | and ~, not with and, or, not")


Comparator: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]


class Compare(_Node, frozen=True):
    """`left operator right`."""

    operator: Comparator
    left: Operand
    right: Operand


class Between(_Node, frozen=True):
    """`operand BETWEEN low AND high`, both ends included."""

    operand: Operand
    low: Operand
    high: Operand


class In(_Node, frozen=True):
    """`operand IN (options)`, 1 to 100 options."""

    operand: Operand
    options: tuple[Operand, ...]


class AttributeExists(_Node, frozen=True):
    """`attribute_exists(path)`."""

    path: Path


class AttributeNotExists(_Node, frozen=True):
    """`attribute_not_exists(path)`."""

    path: Path


class AttributeType(_Node, frozen=True):
    """`attribute_type(path, type)`; the type is a string value such as "S" or "NULL"."""

    path: Operand
    type: Operand


class BeginsWith(_Node, frozen=True):
    """`begins_with(operand, prefix)`."""

    operand: Operand
    prefix: Operand


class Contains(_Node, frozen=True):
    """`contains(operand, part)`: a substring, or an element of a set or list."""

    operand: Operand
    part: Operand


class And(_Node, frozen=True):
    """All of at least two conditions. `a AND b AND c` is one node; parentheses make nodes of their own."""

    conditions: tuple["Condition", ...]


class Or(_Node, frozen=True):
    """Any of at least two conditions."""

    conditions: tuple["Condition", ...]


class Not(_Node, frozen=True):
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


def all_of(conditions: Sequence[Condition]) -> Condition:
    """One condition that is met where all of these are; there is at least one."""
    return conditions[0] if len(conditions) == 1 else And(tuple(conditions))


class IfNotExists(Struct, frozen=True):
    """`if_not_exists(path, fallback)` in a SET clause."""

    path: Path
    fallback: "SetOperand"


class ListAppend(Struct, frozen=True):
    """`list_append(first, second)` in a SET clause."""

    first: "SetOperand"
    second: "SetOperand"


class Arithmetic(Struct, frozen=True):
    """`left + right` or `left - right` in a SET clause."""

    operator: Literal["+", "-"]
    left: "SetOperand"
    right: "SetOperand"


SetOperand: TypeAlias = Path | Value | Placeholder | IfNotExists | ListAppend | Arithmetic


class Update(Struct, frozen=True):
    """An update expression: its clauses, each in the order written. An empty clause is not rendered."""

    set: tuple[tuple[Path, SetOperand], ...] = ()
    remove: tuple[Path, ...] = ()
    add: tuple[tuple[Path, Value | Placeholder], ...] = ()
    delete: tuple[tuple[Path, Value | Placeholder], ...] = ()


Projection: TypeAlias = tuple[Path, ...]
