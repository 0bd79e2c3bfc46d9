"""What a tree of nodes speaks of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NoReturn

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
    SetOperand,
    Size,
    Unchanged,
)


def paths(condition: Condition) -> list[Path]:
    """All document paths in a condition."""
    found = []
    for part in simple(condition):
        for operand in _OPERANDS.get(type(part), _refuse)(part):
            if type(operand) is Path:
                found.append(operand)
            elif type(operand) is Size and type(operand.path) is Path:
                found.append(operand.path)
    return found


def operators(condition: Condition) -> int:
    """How many operators and functions the service counts in a condition."""
    joints = 0
    ahead = [condition]
    while ahead:
        match ahead.pop():
            case And(conditions) | Or(conditions):
                joints += len(conditions) - 1
                ahead += conditions
            case Not(inner):
                joints += 1
                ahead.append(inner)
    parts = simple(condition)
    operands = (operand for part in parts for operand in _OPERANDS.get(type(part), _refuse)(part))
    return joints + len(parts) + sum(isinstance(operand, Size) for operand in operands)


def met_by_nothing(condition: Condition) -> bool:
    """Whether a condition is met where there is no item: each comparison with nothing fails, but `<>` holds."""
    match condition:
        case And(parts):
            return all(map(met_by_nothing, parts))
        case Or(parts):
            return any(map(met_by_nothing, parts))
        case Not(inner):
            return not met_by_nothing(inner)
    return isinstance(condition, AttributeNotExists) or (isinstance(condition, Compare) and condition.operator == "<>")


def simple(condition: Condition) -> list[Condition]:
    """The conditions that a condition is made of by AND, OR and NOT, from left to right. Deep trees do no harm."""
    found: list[Condition] = []
    if type(condition) not in JOINTS:
        return [condition]
    ahead = [condition]
    while ahead:
        match ahead.pop():
            case And(conditions) | Or(conditions):
                ahead += reversed(conditions)
            case Not(inner):
                ahead.append(inner)
            case part:
                found.append(part)
    return found


def replaced(condition: Condition, other: Callable[[Condition], Condition]) -> Condition:
    """The same condition with others in the place of those that AND, OR and NOT join. Deep trees do no harm."""
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
            case part:
                done.append(other(part))
    return done[0]


def joined(conditions: Iterable[Condition]) -> Iterable[Condition]:
    """The conditions that must all be met: of each AND its parts."""
    ahead = list(conditions)[::-1]
    while ahead:
        match ahead.pop():
            case And(parts):
                ahead += reversed(parts)
            case part:
                yield part


def _refuse(part: object) -> NoReturn:
    raise TypeError(f"{part!r} is no condition")


def _path(part: AttributeExists | AttributeNotExists | AttributeType | Unchanged) -> tuple[Operand, ...]:
    return (part.path,)


def _in(part: In) -> tuple[Operand, ...]:
    return part.operand, *part.options


_OPERANDS: Mapping[type, Callable[[Any], tuple[Operand, ...]]] = {
    Compare: attrgetter("left", "right"),
    Between: attrgetter("operand", "low", "high"),
    In: _in,
    AttributeExists: _path,
    AttributeNotExists: _path,
    AttributeType: _path,
    BeginsWith: attrgetter("operand", "prefix"),
    Contains: attrgetter("operand", "part"),
    Unchanged: _path,
}
"""What each simple condition speaks of. A table is quicker than `match`, and every condition of a write is walked."""


def update_operators(assignments: Sequence[tuple[Path, SetOperand]]) -> int:
    """How many operators and functions the service counts in an update with these SET clauses."""
    return sum(_set_operators(operand) for _, operand in assignments)


def _set_operators(operand: SetOperand) -> int:
    match operand:
        case IfNotExists(_, inner):
            return 1 + _set_operators(inner)
        case ListAppend(first, second) | Arithmetic(_, first, second):
            return 1 + _set_operators(first) + _set_operators(second)
    return 0
