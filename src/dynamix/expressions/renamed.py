"""Conditions on attributes that may be stored under an older name."""

from collections.abc import Mapping
from typing import Any

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
from dynamix.expressions.walk import paths


def under_both(condition: Condition, olds: Mapping[str, str]) -> Condition:
    """The same condition, met also where attributes are stored under an older name; `olds` are those by the new ones.

    The older one counts where the new one is missing. Trees may be deep, so nothing here recurses.
    """
    done: list[Condition] = []
    ahead: list[tuple[Condition, bool]] = [(condition, False)]
    while ahead:
        node, parts_done = ahead.pop()
        match node:
            case And(parts) | Or(parts) if parts_done:
                joint = type(node)(tuple(done[-len(parts) :]))
                done[-len(parts) :] = [joint]
            case And(parts) | Or(parts):
                ahead += [(node, True), *((part, False) for part in reversed(parts))]
            case Not() if parts_done:
                done.append(Not(done.pop()))
            case Not(inner):
                ahead += [(node, True), (inner, False)]
            case _:
                done.append(_either(node, olds))
    return done[0]


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
