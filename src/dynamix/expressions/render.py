"""Nodes to text: every name and every value becomes a placeholder, so no user text is ever part of an expression.

One `Placeholders` serves all expressions of one request, which share the names and the values.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from msgspec import Struct

from dynamix.errors import InvalidQueryError
from dynamix.expressions.nodes import (
    JOINTS,
    And,
    Arithmetic,
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Contains,
    IfNotExists,
    In,
    ListAppend,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Projection,
    SetOperand,
    Size,
    Unchanged,
    Value,
)
from dynamix.wire import AttributeValue

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FEW = len(_DIGITS)


class _Numbered(dict[int, str]):
    """Placeholders by number; those of one digit are made beforehand."""

    __slots__ = ("_mark",)

    def __init__(self, mark: str) -> None:
        super().__init__(enumerate([mark + digit for digit in _DIGITS]))
        self._mark = mark

    def __missing__(self, number: int) -> str:
        """One of at least two digits, as short as may be. One expression has no room for a third digit, and a number of
        more begins with an underscore."""
        first, second = divmod(number - _FEW, _FEW)
        return self._mark + (f"{_DIGITS[first]}{_DIGITS[second]}" if first < _FEW else f"_{number}")


_NAMES, _VALUES = _Numbered("#"), _Numbered(":")


class Placeholders(Struct):
    """Hands out the placeholders of one request: `#0`, `#1`, ... for names and `:0`, `:1`, ... for values.

    They are short, since an expression may have 4 KB. `values` maps placeholder to value, as the request wants them.
    """

    values: dict[str, AttributeValue] = {}
    _by_name: dict[str, str] = {}

    @property
    def names(self) -> dict[str, str]:
        """The names by placeholder."""
        return {placeholder: name for name, placeholder in self._by_name.items()}

    def name(self, name: str) -> str:
        """The placeholder of an attribute name or map key; equal names share one."""
        return self._by_name.setdefault(name, _NAMES[len(self._by_name)])

    def path(self, path: Path) -> str:
        """A document path as text: `#0.#1[2]`."""
        parts = path.parts
        text = self.name(parts[0])  # type: ignore[arg-type]
        if len(parts) > 1:
            text += "".join([f"[{part}]" if isinstance(part, int) else f".{self.name(part)}" for part in parts[1:]])
        return text

    def operand(self, operand: Operand | SetOperand) -> str:
        """What stands for an operand; each value has a placeholder of its own."""
        kind = type(operand)
        if kind is Value:
            placeholder = _VALUES[len(self.values)]
            self.values[placeholder] = operand.value  # type: ignore[union-attr]
            return placeholder
        return self.path(operand) if kind is Path else _OPERANDS[kind](operand, self)  # type: ignore[arg-type]


def render_condition(condition: Condition, placeholders: Placeholders) -> str:
    """The text of a condition, filter or key condition. Deep trees do no harm."""
    kind = type(condition)
    if kind not in JOINTS:
        return _CONDITIONS.get(kind, _refuse)(condition, placeholders)
    if isinstance(condition, And) and JOINTS.isdisjoint(map(type, condition.conditions)):
        return " AND ".join([_CONDITIONS.get(type(part), _refuse)(part, placeholders) for part in condition.conditions])
    texts: list[str] = []
    ahead: list[Condition | str] = [condition]
    while ahead:
        match ahead.pop():
            case str() as text:
                texts.append(text)
            case And(conditions):
                ahead += _separated(conditions, " AND ", (And, Or))
            case Or(conditions):
                ahead += _separated(conditions, " OR ", (Or,))
            case Not(inner):
                ahead += (*_grouped(inner, (And, Or)), "NOT ")
            case part:
                texts.append(_CONDITIONS.get(type(part), _refuse)(part, placeholders))
    return "".join(texts)


def _separated(
    conditions: Sequence[Condition], separator: str, loose: tuple[type[Condition], ...]
) -> list[Condition | str]:
    """Conditions with a word between them, the last first."""
    parts: list[Condition | str] = []
    for condition in reversed(conditions):
        parts += (*_grouped(condition, loose), separator)
    return parts[:-1]


def _grouped(condition: Condition, loose: tuple[type[Condition], ...]) -> tuple[Condition | str, ...]:
    """A part of a larger condition, in parentheses where it binds more loosely than, or like, its surroundings."""
    return (")", condition, "(") if isinstance(condition, loose) else (condition,)


def _refuse(node: object, placeholders: Placeholders) -> NoReturn:
    raise TypeError(f"{node!r} is no condition")


def _compare(node: Compare, placeholders: Placeholders) -> str:
    return f"{placeholders.operand(node.left)} {node.operator} {placeholders.operand(node.right)}"


def _between(node: Between, placeholders: Placeholders) -> str:
    text = placeholders.operand(node.operand)
    return f"{text} BETWEEN {placeholders.operand(node.low)} AND {placeholders.operand(node.high)}"


def _in(node: In, placeholders: Placeholders) -> str:
    text = placeholders.operand(node.operand)
    return f"{text} IN ({', '.join([placeholders.operand(option) for option in node.options])})"


def _attribute_exists(node: AttributeExists, placeholders: Placeholders) -> str:
    return f"attribute_exists({placeholders.path(node.path)})"


def _attribute_not_exists(node: AttributeNotExists, placeholders: Placeholders) -> str:
    return f"attribute_not_exists({placeholders.path(node.path)})"


def _attribute_type(node: AttributeType, placeholders: Placeholders) -> str:
    return f"attribute_type({placeholders.operand(node.path)}, {placeholders.operand(node.type)})"


def _begins_with(node: BeginsWith, placeholders: Placeholders) -> str:
    return f"begins_with({placeholders.operand(node.operand)}, {placeholders.operand(node.prefix)})"


def _contains(node: Contains, placeholders: Placeholders) -> str:
    return f"contains({placeholders.operand(node.operand)}, {placeholders.operand(node.part)})"


def _unchanged(node: Unchanged, placeholders: Placeholders) -> str:
    raise InvalidQueryError(
        f"{node.path.source}.unchanged() compares with what an instance has loaded, so it is for changes and deletes; "
        "compare with a value"
    )


_CONDITIONS: Mapping[type, Callable[[Any, Placeholders], str]] = {
    Compare: _compare,
    Between: _between,
    In: _in,
    AttributeExists: _attribute_exists,
    AttributeNotExists: _attribute_not_exists,
    AttributeType: _attribute_type,
    BeginsWith: _begins_with,
    Contains: _contains,
    Unchanged: _unchanged,
}
"""How each simple condition is written. A table is quicker than `match`, and most of a write's own work is here."""


class Clauses(Protocol):
    """What an update changes: the clauses of an `Update`, or of what becomes one."""

    @property
    def set(self) -> Sequence[tuple[Path, SetOperand]]: ...
    @property
    def remove(self) -> Sequence[Path]: ...
    @property
    def add(self) -> Sequence[tuple[Path, Value | Placeholder]]: ...
    @property
    def delete(self) -> Sequence[tuple[Path, Value | Placeholder]]: ...


def render_update(update: Clauses, placeholders: Placeholders) -> str:
    """The text of an update expression."""
    clauses = []
    if update.set:
        assignments = [f"{placeholders.path(path)}={placeholders.operand(operand)}" for path, operand in update.set]
        clauses.append("SET " + ",".join(assignments))
    if update.remove:
        clauses.append("REMOVE " + ",".join(map(placeholders.path, update.remove)))
    if update.add:
        clauses.append("ADD " + _pairs(update.add, placeholders))
    if update.delete:
        clauses.append("DELETE " + _pairs(update.delete, placeholders))
    return " ".join(clauses)


def _pairs(pairs: Sequence[tuple[Path, Value | Placeholder]], placeholders: Placeholders) -> str:
    return ",".join([f"{placeholders.path(path)} {placeholders.operand(operand)}" for path, operand in pairs])


def render_projection(projection: Projection, placeholders: Placeholders) -> str:
    """The text of a projection expression."""
    return ", ".join(map(placeholders.path, projection))


def _placeholder(operand: Placeholder, placeholders: Placeholders) -> str:
    return operand.name


def _size(operand: Size, placeholders: Placeholders) -> str:
    return f"size({placeholders.operand(operand.path)})"


def _if_not_exists(operand: IfNotExists, placeholders: Placeholders) -> str:
    return f"if_not_exists({placeholders.path(operand.path)},{placeholders.operand(operand.fallback)})"


def _list_append(operand: ListAppend, placeholders: Placeholders) -> str:
    return f"list_append({placeholders.operand(operand.first)},{placeholders.operand(operand.second)})"


def _arithmetic(operand: Arithmetic, placeholders: Placeholders) -> str:
    left, right = placeholders.operand(operand.left), placeholders.operand(operand.right)
    return f"{left}{operand.operator}{right}"


_OPERANDS: Mapping[type, Callable[[Any, Placeholders], str]] = {
    Placeholder: _placeholder,
    Size: _size,
    IfNotExists: _if_not_exists,
    ListAppend: _list_append,
    Arithmetic: _arithmetic,
}
