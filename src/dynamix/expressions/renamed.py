"""Conditions on attributes that may be stored under an older name."""

from collections.abc import Mapping
from typing import Any

from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    Condition,
    Or,
    Path,
    Size,
    Unchanged,
)
from dynamix.expressions.walk import paths, replaced


def under_both(condition: Condition, olds: Mapping[str, str]) -> Condition:
    """The same condition, met also where attributes are stored under an older name; `olds` are those by the new ones.

    The older one counts where the new one is missing.
    """
    return replaced(condition, lambda part: _either(part, olds))


def _either(condition: Condition, olds: Mapping[str, str]) -> Condition:
    """The same of a condition on one attribute."""
    if isinstance(condition, Unchanged):  # which speaks of what was loaded
        return condition
    name = str(paths(condition)[0].parts[0])
    if name not in olds:
        return condition
    older = _renamed(condition, olds[name])
    match condition:
        case AttributeExists(Path((_,))):
            return Or((condition, older))
        case AttributeNotExists(Path((_,))):
            return And((condition, older))
    new = Path((name,))
    return Or((And((AttributeExists(new), condition)), And((AttributeNotExists(new), older))))


def _renamed(condition: Condition, old: str) -> Condition:
    """The same condition on the attribute of this name."""
    return type(condition)(*(_under(getattr(condition, name), old) for name in condition.__struct_fields__))


def _under(operand: Any, old: str) -> Any:
    match operand:
        case Path((_, *parts), source):
            return Path((old, *parts), source)
        case Size(Path() as path):
            return Size(_under(path, old))
    return operand
