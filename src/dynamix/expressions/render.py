"""Nodes to text: every name and every value becomes a placeholder, so no user text is ever part of an expression.

One `Placeholders` serves all expressions of one request, which share the names and the values.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynamix.errors import InvalidQueryError
from dynamix.expressions.nodes import (
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
    Update,
    Value,
)
from dynamix.wire import AttributeValue

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAMES = tuple([f"#{digit}" for digit in _DIGITS])
_VALUES = tuple([f":{digit}" for digit in _DIGITS])
_FEW = len(_DIGITS)


class Placeholders:
    """Hands out the placeholders of one request: `#0`, `#1`, ... for names and `:0`, `:1`, ... for values.

    They are short, since an expression may have 4 KB. `names` maps placeholder to name and `values` placeholder to
    value, as the request wants them.
    """

    __slots__ = ("_by_name", "names", "values")

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, AttributeValue] = {}
        self._by_name: dict[str, str] = {}

    def name(self, name: str) -> str:
        """The placeholder of an attribute name or map key; equal names share one."""
        placeholder = self._by_name.get(name)
        if placeholder is None:
            number = len(self.names)
            placeholder = _NAMES[number] if number < _FEW else f"#{_numeral(number)}"
            self._by_name[name] = placeholder
            self.names[placeholder] = name
        return placeholder

    def value(self, value: AttributeValue) -> str:
        """A new placeholder for a value."""
        number = len(self.values)
        placeholder = _VALUES[number] if number < _FEW else f":{_numeral(number)}"
        self.values[placeholder] = value
        return placeholder

    def path(self, path: Path) -> str:
        """A document path as text: `#0.#1[2]`."""
        parts = path.parts
        text = self._by_name.get(parts[0]) or self.name(parts[0])  # type: ignore[arg-type]
        if len(parts) == 1:
            return text
        for part in parts[1:]:
            if isinstance(part, int):
                text += f"[{part}]"
            else:
                text += f".{self.name(part)}"
        return text


def _numeral(number: int) -> str:
    """A number of at least two digits, as short as names may be. One expression has no room for a third digit, and a
    number of more begins with an underscore."""
    first, second = divmod(number - _FEW, _FEW)
    return f"{_DIGITS[first]}{_DIGITS[second]}" if first < _FEW else f"_{number}"


def render_condition(condition: Condition, placeholders: Placeholders) -> str:
    """The text of a condition, filter or key condition. Deep trees do no harm."""
    alone = _CONDITIONS.get(type(condition))
    if alone is not None:
        return alone(condition, placeholders)
    if type(condition) is And and _CONDITIONS.keys() >= set(map(type, condition.conditions)):
        return " AND ".join([_CONDITIONS[type(part)](part, placeholders) for part in condition.conditions])
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
            case part if type(part) in _CONDITIONS:
                texts.append(_CONDITIONS[type(part)](part, placeholders))
            case part:
                raise TypeError(f"{part!r} is no condition")
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


def _compare(node: Compare, placeholders: Placeholders) -> str:
    return f"{_operand(node.left, placeholders)} {node.operator} {_operand(node.right, placeholders)}"


def _between(node: Between, placeholders: Placeholders) -> str:
    text = _operand(node.operand, placeholders)
    return f"{text} BETWEEN {_operand(node.low, placeholders)} AND {_operand(node.high, placeholders)}"


def _in(node: In, placeholders: Placeholders) -> str:
    text = _operand(node.operand, placeholders)
    return f"{text} IN ({', '.join([_operand(option, placeholders) for option in node.options])})"


def _attribute_exists(node: AttributeExists, placeholders: Placeholders) -> str:
    return f"attribute_exists({placeholders.path(node.path)})"


def _attribute_not_exists(node: AttributeNotExists, placeholders: Placeholders) -> str:
    return f"attribute_not_exists({placeholders.path(node.path)})"


def _attribute_type(node: AttributeType, placeholders: Placeholders) -> str:
    return f"attribute_type({_operand(node.path, placeholders)}, {_operand(node.type, placeholders)})"


def _begins_with(node: BeginsWith, placeholders: Placeholders) -> str:
    return f"begins_with({_operand(node.operand, placeholders)}, {_operand(node.prefix, placeholders)})"


def _contains(node: Contains, placeholders: Placeholders) -> str:
    return f"contains({_operand(node.operand, placeholders)}, {_operand(node.part, placeholders)})"


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


def render_update(update: Update, placeholders: Placeholders) -> str:
    """The text of an update expression."""
    clauses = []
    if update.set:
        assignments = [f"{placeholders.path(path)}={_operand(operand, placeholders)}" for path, operand in update.set]
        clauses.append("SET " + ",".join(assignments))
    if update.remove:
        clauses.append("REMOVE " + ",".join(map(placeholders.path, update.remove)))
    if update.add:
        clauses.append("ADD " + _pairs(update.add, placeholders))
    if update.delete:
        clauses.append("DELETE " + _pairs(update.delete, placeholders))
    return " ".join(clauses)


def _pairs(pairs: Sequence[tuple[Path, Value | Placeholder]], placeholders: Placeholders) -> str:
    return ",".join([f"{placeholders.path(path)} {_operand(operand, placeholders)}" for path, operand in pairs])


def render_projection(projection: Projection, placeholders: Placeholders) -> str:
    """The text of a projection expression."""
    return ", ".join(map(placeholders.path, projection))


def _operand(operand: Operand | SetOperand, placeholders: Placeholders) -> str:
    kind = type(operand)
    if kind is Value:
        return placeholders.value(operand.value)  # type: ignore[union-attr]
    return placeholders.path(operand) if kind is Path else _OPERANDS[kind](operand, placeholders)  # type: ignore[arg-type]


def _placeholder(operand: Placeholder, placeholders: Placeholders) -> str:
    return operand.name


def _size(operand: Size, placeholders: Placeholders) -> str:
    return f"size({_operand(operand.path, placeholders)})"


def _if_not_exists(operand: IfNotExists, placeholders: Placeholders) -> str:
    return f"if_not_exists({placeholders.path(operand.path)},{_operand(operand.fallback, placeholders)})"


def _list_append(operand: ListAppend, placeholders: Placeholders) -> str:
    return f"list_append({_operand(operand.first, placeholders)},{_operand(operand.second, placeholders)})"


def _arithmetic(operand: Arithmetic, placeholders: Placeholders) -> str:
    left, right = _operand(operand.left, placeholders), _operand(operand.right, placeholders)
    return f"{left}{operand.operator}{right}"


_OPERANDS: Mapping[type, Callable[[Any, Placeholders], str]] = {
    Placeholder: _placeholder,
    Size: _size,
    IfNotExists: _if_not_exists,
    ListAppend: _list_append,
    Arithmetic: _arithmetic,
}
