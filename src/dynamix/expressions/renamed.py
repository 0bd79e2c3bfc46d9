"""Conditions on attributes that may be stored under an older name."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    Condition,
    Not,
    Or,
    Path,
    Size,
    Unchanged,
)
from dynamix.expressions.walk import paths, replaced

OldName: TypeAlias = tuple[str, Condition | None]
"""An older name of an attribute, and the condition that an item is one of those that may have it; None: all may."""


def under_both(condition: Condition, olds: Mapping[str, Sequence[OldName]]) -> Condition:
    """The same condition, met also where attributes are stored under an older name; `olds` are those by the new ones.

    The older one counts where the new one is missing.
    """
    return replaced(condition, lambda part: _either(part, olds))


def _either(condition: Condition, olds: Mapping[str, Sequence[OldName]]) -> Condition:
    """The same of a condition on one attribute."""
    if isinstance(condition, Unchanged):  # which speaks of what was loaded
        return condition
    name = str(paths(condition)[0].parts[0])
    if name not in olds:
        return condition
    if isinstance(condition, AttributeNotExists) and len(condition.path.parts) == 1:
        missing = [
            _renamed(condition, old) if only is None else Or((Not(only), _renamed(condition, old)))
            for old, only in olds[name]
        ]
        return And((condition, *missing))
    found = [
        _renamed(condition, old) if only is None else And((only, _renamed(condition, old))) for old, only in olds[name]
    ]
    if isinstance(condition, AttributeExists) and len(condition.path.parts) == 1:
        return Or((condition, *found))
    new, older = Path((name,)), found[0] if len(found) == 1 else Or(tuple(found))
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
