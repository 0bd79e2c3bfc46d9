"""Nodes to text: every name and every value becomes a placeholder, so no user text is ever part of an expression.

One `Placeholders` serves all expressions of one request, which share the names and the values.
"""

from collections.abc import Sequence
from itertools import product
from typing import assert_never

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
_NUMERALS = (*_DIGITS, *map("".join, product(_DIGITS, repeat=2)))
_NAMES = tuple([f"#{numeral}" for numeral in _NUMERALS])
_VALUES = tuple([f":{numeral}" for numeral in _NUMERALS])
_PREPARED = len(_NUMERALS)  # more than what one expression has room for


_JOINTS = (And, Or, Not)


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
            placeholder = f"#_{number}" if number >= _PREPARED else _NAMES[number]
            self._by_name[name] = placeholder
            self.names[placeholder] = name
        return placeholder

    def value(self, value: AttributeValue) -> str:
        """A new placeholder for a value."""
        number = len(self.values)
        placeholder = f":_{number}" if number >= _PREPARED else _VALUES[number]
        self.values[placeholder] = value
        return placeholder

    def path(self, path: Path) -> str:
        """A document path as text: `#0.#1[2]`."""
        text = self.name(str(path.parts[0]))
        for part in path.parts[1:]:
            if isinstance(part, int):
                text += f"[{part}]"
            else:
                text += f".{self.name(part)}"
        return text


def render_condition(condition: Condition, placeholders: Placeholders) -> str:
    """The text of a condition, filter or key condition. Deep trees do no harm."""
    if isinstance(condition, And) and not any(isinstance(part, _JOINTS) for part in condition.conditions):
        return " AND ".join([_simple(part, placeholders) for part in condition.conditions])
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
                texts.append(_simple(part, placeholders))
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


def _simple(condition: Condition, placeholders: Placeholders) -> str:
    match condition:
        case Compare(operator, left, right):
            return f"{_operand(left, placeholders)} {operator} {_operand(right, placeholders)}"
        case Between(operand, low, high):
            text = _operand(operand, placeholders)
            return f"{text} BETWEEN {_operand(low, placeholders)} AND {_operand(high, placeholders)}"
        case In(operand, options):
            text = _operand(operand, placeholders)
            return f"{text} IN ({', '.join(_operand(option, placeholders) for option in options)})"
        case AttributeExists(path):
            return f"attribute_exists({placeholders.path(path)})"
        case AttributeNotExists(path):
            return f"attribute_not_exists({placeholders.path(path)})"
        case AttributeType(path, type_):
            return f"attribute_type({_operand(path, placeholders)}, {_operand(type_, placeholders)})"
        case BeginsWith(operand, prefix):
            return f"begins_with({_operand(operand, placeholders)}, {_operand(prefix, placeholders)})"
        case Contains(operand, part):
            return f"contains({_operand(operand, placeholders)}, {_operand(part, placeholders)})"
        case Unchanged(path):
            raise InvalidQueryError(
                f"{path.source}.unchanged() compares with what an instance has loaded, so it is for changes and "
                "deletes; compare with a value"
            )
    raise TypeError(f"{condition!r} is no condition")


def render_update(update: Update, placeholders: Placeholders) -> str:
    """The text of an update expression."""
    clauses = []
    if update.set:
        assignments = (
            f"{placeholders.path(path)}={_set_operand(operand, placeholders)}" for path, operand in update.set
        )
        clauses.append("SET " + ",".join(assignments))
    if update.remove:
        clauses.append("REMOVE " + ",".join(map(placeholders.path, update.remove)))
    for keyword, pairs in (("ADD", update.add), ("DELETE", update.delete)):
        if pairs:
            texts = (f"{placeholders.path(path)} {_operand(v, placeholders)}" for path, v in pairs)
            clauses.append(f"{keyword} {','.join(texts)}")
    return " ".join(clauses)


def render_projection(projection: Projection, placeholders: Placeholders) -> str:
    """The text of a projection expression."""
    return ", ".join(map(placeholders.path, projection))


def _operand(operand: Operand, placeholders: Placeholders) -> str:
    match operand:
        case Path():
            return placeholders.path(operand)
        case Value(value):
            return placeholders.value(value)
        case Placeholder(name):
            return name
        case Size(path):
            return f"size({_operand(path, placeholders)})"
    assert_never(operand)


def _set_operand(operand: SetOperand, placeholders: Placeholders) -> str:
    match operand:
        case IfNotExists(path, fallback):
            return f"if_not_exists({placeholders.path(path)},{_set_operand(fallback, placeholders)})"
        case ListAppend(first, second):
            texts = _set_operand(first, placeholders), _set_operand(second, placeholders)
            return f"list_append({texts[0]},{texts[1]})"
        case Arithmetic(operator, left, right):
            return f"{_set_operand(left, placeholders)}{operator}{_set_operand(right, placeholders)}"
        case _:
            return _operand(operand, placeholders)
