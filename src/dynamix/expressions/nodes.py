"""The nodes of DynamoDB's expressions: conditions, updates, projections.

Nodes are frozen and compare by value. They hold real attribute names and values; placeholders exist only in text. Each
reader of the tree (render, the engine's evaluation) lives outside the nodes.

A condition is combined with `&`, `|` and `~`. It has no truth value of its own: `if a == b and c == d` would silently
drop a part, so `bool()` of a condition raises.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions" and "Using update
expressions".
"""

from collections.abc import Sequence
from typing import Any, Literal, NoReturn, Self, TypeAlias

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


class Condition(Struct, frozen=True):
    """A condition: a field's comparison (`Page.views >= 3`), or several, combined by `&`, `|` and `~`."""

    def __and__(self, other: "Condition") -> "Condition":
        return And((*_parts(And, self), *_parts(And, other))) if isinstance(other, Condition) else NotImplemented

    def __or__(self, other: "Condition") -> "Condition":
        return Or((*_parts(Or, self), *_parts(Or, other))) if isinstance(other, Condition) else NotImplemented

    def __invert__(self) -> "Condition":
        return self.condition if isinstance(self, Not) else Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError("a condition has no truth value; combine conditions with &, | and ~, not with and, or, not")

    def __deepcopy__(self, memo: object) -> Self:
        return self


Comparator: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]


class Compare(Condition, frozen=True):
    """`left operator right`."""

    operator: Comparator
    left: Operand
    right: Operand


class Between(Condition, frozen=True):
    """`operand BETWEEN low AND high`, both ends included."""

    operand: Operand
    low: Operand
    high: Operand


class In(Condition, frozen=True):
    """`operand IN (options)`, 1 to 100 options."""

    operand: Operand
    options: tuple[Operand, ...]


class AttributeExists(Condition, frozen=True):
    """`attribute_exists(path)`."""

    path: Path


class AttributeNotExists(Condition, frozen=True):
    """`attribute_not_exists(path)`."""

    path: Path


class AttributeType(Condition, frozen=True):
    """`attribute_type(path, type)`; the type is a string value such as "S" or "NULL"."""

    path: Operand
    type: Operand


class BeginsWith(Condition, frozen=True):
    """`begins_with(operand, prefix)`."""

    operand: Operand
    prefix: Operand


class Contains(Condition, frozen=True):
    """`contains(operand, part)`: a substring, or an element of a set or list."""

    operand: Operand
    part: Operand


class Unchanged(Condition, frozen=True):
    """The attribute is what was loaded of it. The service knows no such condition; the mapper puts another in its place
    when it plans a change."""

    path: Path


class _Joint(Condition, frozen=True, eq=False):
    """A condition made of conditions. Such trees may be deep, so nothing here recurses."""

    def __eq__(self, other: object) -> bool:
        return _listed(self) == _listed(other) if isinstance(other, _Joint) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(_listed(self)))

    def __repr__(self) -> str:
        texts: list[str] = []
        ahead: list[object] = [self]
        while ahead:
            match ahead.pop():
                case And(conditions) | Or(conditions) as node:
                    ahead.append("))")
                    for part in reversed(conditions):
                        ahead += (part, ", ")
                    ahead[-1] = f"{type(node).__name__}(conditions=("
                case Not(condition):
                    ahead += (")", condition, "Not(condition=")
                case part:
                    texts.append(part if isinstance(part, str) else repr(part))
        return "".join(texts)


class And(_Joint, frozen=True, eq=False):
    """All of at least two conditions. `a AND b AND c` is one node; parentheses make nodes of their own."""

    conditions: tuple[Condition, ...]


class Or(_Joint, frozen=True, eq=False):
    """Any of at least two conditions."""

    conditions: tuple[Condition, ...]


class Not(_Joint, frozen=True, eq=False):
    """The opposite of a condition."""

    condition: Condition


JOINTS: frozenset[type[Condition]] = frozenset({And, Or, Not})
"""The conditions that are made of conditions."""


def _parts(kind: type[And] | type[Or], condition: Any) -> tuple[Condition, ...]:
    """What a condition brings to one of a kind: `(a & b) & c` is one node of three parts."""
    return condition.conditions if isinstance(condition, kind) else (condition,)


def _listed(condition: Any) -> list[Any]:
    """The tree as a list, from left to right: each joint by its kind and number of parts, then the parts."""
    listed: list[Any] = []
    ahead = [condition]
    while ahead:
        match ahead.pop():
            case And(conditions) | Or(conditions) as node:
                listed.append((type(node), len(conditions)))
                ahead += reversed(conditions)
            case Not(inner):
                listed.append(Not)
                ahead.append(inner)
            case part:
                listed.append(part)
    return listed


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
