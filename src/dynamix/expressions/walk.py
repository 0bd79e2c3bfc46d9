"""What a tree of nodes speaks of."""

from collections.abc import Iterable

from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Contains,
    In,
    Not,
    Operand,
    Or,
    Path,
    Size,
)


def paths(condition: Condition) -> Iterable[Path]:
    """All document paths in a condition."""
    match condition:
        case And(conditions) | Or(conditions):
            for part in conditions:
                yield from paths(part)
        case Not(inner):
            yield from paths(inner)
        case AttributeExists(path) | AttributeNotExists(path) | AttributeType(path):
            yield from _operand_paths(path)
        case Compare(_, left, right):
            yield from _operand_paths(left, right)
        case BeginsWith(left, right) | Contains(left, right):
            yield from _operand_paths(left, right)
        case Between(operand, low, high):
            yield from _operand_paths(operand, low, high)
        case In(operand, options):
            yield from _operand_paths(operand, *options)


def _operand_paths(*operands: Operand) -> Iterable[Path]:
    for operand in operands:
        match operand:
            case Path():
                yield operand
            case Size(Path() as path):
                yield path
