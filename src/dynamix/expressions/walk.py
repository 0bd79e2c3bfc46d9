"""What a tree of nodes speaks of."""

from collections.abc import Iterable

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
    SetOperand,
    Size,
    Unchanged,
    Update,
)


def paths(condition: Condition) -> Iterable[Path]:
    """All document paths in a condition."""
    for part in simple(condition):
        for operand in _operands(part):
            match operand:
                case Path():
                    yield operand
                case Size(Path() as path):
                    yield path


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
    sizes = (isinstance(operand, Size) for part in simple(condition) for operand in _operands(part))
    return joints + sum(1 for _ in simple(condition)) + sum(sizes)


def simple(condition: Condition) -> Iterable[Condition]:
    """The conditions that a condition is made of by AND, OR and NOT, from left to right. Deep trees do no harm."""
    ahead = [condition]
    while ahead:
        match ahead.pop():
            case And(conditions) | Or(conditions):
                ahead += reversed(conditions)
            case Not(inner):
                ahead.append(inner)
            case part:
                yield part


def joined(conditions: Iterable[Condition]) -> Iterable[Condition]:
    """The conditions that must all be met: of each AND its parts."""
    ahead = list(conditions)[::-1]
    while ahead:
        match ahead.pop():
            case And(parts):
                ahead += reversed(parts)
            case part:
                yield part


def _operands(part: Condition) -> tuple[Operand, ...]:
    match part:
        case AttributeExists(path) | AttributeNotExists(path) | AttributeType(path) | Unchanged(path):
            return (path,)
        case Compare(_, left, right):
            return left, right
        case BeginsWith(left, right) | Contains(left, right):
            return left, right
        case Between(operand, low, high):
            return operand, low, high
        case In(operand, options):
            return operand, *options
    raise TypeError(f"{part!r} is no condition")


def update_operators(update: Update) -> int:
    """How many operators and functions the service counts in an update."""
    return sum(_set_operators(operand) for _, operand in update.set)


def _set_operators(operand: SetOperand) -> int:
    match operand:
        case IfNotExists(_, inner):
            return 1 + _set_operators(inner)
        case ListAppend(first, second) | Arithmetic(_, first, second):
            return 1 + _set_operators(first) + _set_operators(second)
    return 0
