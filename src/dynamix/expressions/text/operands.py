"""What the operands of each operator and function may be, as far as an expression alone can tell.

An operand whose value is not known yet passes; it is checked again when it is.
"""

from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from dynamix.expressions.nodes import Operand, Path, Placeholder, SetOperand, Size, Value
from dynamix.expressions.text.tokens import ExpressionError
from dynamix.limits import IN_OPERANDS
from dynamix.wire import AttributeValue

_OPERAND_COUNTS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
    "if_not_exists": 2,
    "list_append": 2,
}
_ORDERED = frozenset({"S", "N", "B"})
_TYPES = {
    "<": _ORDERED,
    "<=": _ORDERED,
    ">": _ORDERED,
    ">=": _ORDERED,
    "BETWEEN": _ORDERED,
    "begins_with": frozenset({"S", "B"}),
    "size": frozenset({"S", "B", "SS", "NS", "BS", "L", "M"}),
    "list_append": frozenset({"L"}),
    "+": frozenset({"N"}),
    "-": frozenset({"N"}),
}
VALUE_DEPENDENT = frozenset(_TYPES) | {"attribute_type"}
"""The operators and functions that take some values and refuse others."""

_PATH_FIRST = frozenset({"attribute_exists", "attribute_not_exists", "if_not_exists"})
_ALIKE_ALLOWED = frozenset({"+", "-", "list_append", "size", "attribute_type"})
_CLAUSE_TYPES = {"ADD": frozenset({"N", "SS", "NS", "BS"}), "DELETE": frozenset({"SS", "NS", "BS"})}
_LONG_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
}
_ANY_TYPE = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
_TYPE_NAMES = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"

Values: TypeAlias = Mapping[str, AttributeValue]
"""The values of one request by placeholder; they have been found valid."""


def check_operands(operator: str, operands: Sequence[SetOperand | Operand], values: Values) -> None:
    """Refuse operands that the operator or function cannot have. Raises ExpressionError."""
    count = _OPERAND_COUNTS.get(operator, len(operands))
    if len(operands) != count:
        raise _wrong("number of operands", operator, f"number of operands: {len(operands)}")
    if operator in _PATH_FIRST and not isinstance(operands[0], Path):
        message = f"Operator or function requires a document path; operator or function: {operator}"
        raise ExpressionError(message)
    if operator == "attribute_type":
        _check_type_name(operands[1], values)
    _check_types(operator, operands, values)
    _check_distinct(operator, operands)
    if operator == "IN" and len(operands) > IN_OPERANDS + 1:
        message = f"The IN operator is provided with too many operands; number of operands: {len(operands) - 1}"
        raise ExpressionError(message)
    if operator == "BETWEEN":
        _check_bounds(_literal(operands[1], values), _literal(operands[2], values))


def check_clause(clause: str, operand: SetOperand, values: Values) -> None:
    """Refuse an operand that ADD or DELETE cannot have. Raises ExpressionError."""
    type_ = _type(operand, values)
    if type_ is not None and type_ not in _CLAUSE_TYPES[clause]:
        raise ExpressionError(
            f"Incorrect operand type for operator or function; operator: {clause}, "
            f"operand type: {_LONG_NAMES[type_]}, typeSet: ALLOWED_FOR_{clause}_OPERAND"
        )


def show_path(path: Path) -> str:
    """A path as the service's messages show it: [a, [0], b]."""
    return f"[{', '.join(f'[{part}]' if isinstance(part, int) else part for part in path.parts)}]"


def _check_types(operator: str, operands: Sequence[SetOperand | Operand], values: Values) -> None:
    allowed = _TYPES.get(operator)
    if allowed is None:
        return
    for operand in operands:
        type_ = _type(operand, values)
        if type_ is not None and type_ not in allowed:
            raise _wrong("operand type", operator, f"operand type: {type_}")


def _check_type_name(operand: SetOperand | Operand, values: Values) -> None:
    """The second operand of attribute_type is a literal that names a type."""
    if isinstance(operand, Path):
        raise _wrong("operand type", "attribute_type", f"operand type: {_ANY_TYPE}")
    type_ = _type(operand, values)
    if type_ not in ("S", None):
        raise _wrong("operand type", "attribute_type", f"operand type: {type_}")
    literal = _literal(operand, values)
    if literal is not None and literal["S"] not in _LONG_NAMES:
        message = f"Invalid attribute type name found; type: {literal['S']}, valid types: {_TYPE_NAMES}"
        raise ExpressionError(message)


def _check_distinct(operator: str, operands: Sequence[SetOperand | Operand]) -> None:
    first = operands[0]
    if isinstance(first, Path) and first in operands[1:] and operator not in _ALIKE_ALLOWED:
        raise ExpressionError(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {operator}, first operand: {show_path(first)}"
        )


def _check_bounds(low: AttributeValue | None, high: AttributeValue | None) -> None:
    if low is None or high is None:
        return
    bounds = f"lower bound operand: {_show(low)}, upper bound operand: {_show(high)}"
    if low.keys() != high.keys():
        message = f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}"
        raise ExpressionError(message)
    if _sortable(low) > _sortable(high):
        raise ExpressionError(
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}"
        )


def _wrong(what: str, operator: str, evidence: str) -> ExpressionError:
    return ExpressionError(f"Incorrect {what} for operator or function; operator or function: {operator}, {evidence}")


def _literal(operand: SetOperand | Operand, values: Values) -> AttributeValue | None:
    if isinstance(operand, Placeholder):
        return values.get(operand.name)
    return operand.value if isinstance(operand, Value) else None


def _type(operand: SetOperand | Operand, values: Values) -> str | None:
    """The type of an operand, where it does not depend on an item."""
    if isinstance(operand, Size):
        return "N"
    literal = _literal(operand, values)
    return None if literal is None else next(iter(literal))


def _sortable(value: AttributeValue) -> Any:
    [(type_, content)] = value.items()
    if type_ == "N":
        return Decimal(content)
    return a2b_base64(content) if type_ == "B" else content


def _show(value: AttributeValue) -> str:
    [(type_, content)] = value.items()
    if type_ == "B":
        size = len(a2b_base64(content))
        content = f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
    return f"AttributeValue: {{{type_}:{content}}}"
