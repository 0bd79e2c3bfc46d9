"""Key conditions to ranges of key bytes.

A key condition gives equality on every partition attribute, then equality on sort attributes from the left, the last of
which may have a range operator instead. As keys are stored in their order, that is one range of bytes: from `low` to
before `high`.

Source: DynamoDB Developer Guide, "Key condition expressions for the Query operation".
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from dynamix.engine.data.keys import KeySchema, escape, partition_bytes, raw_bytes, sort_bytes
from dynamix.engine.data.rows import after
from dynamix.engine.faults import Fault, invalid
from dynamix.expressions import nodes
from dynamix.expressions.walk import joined
from dynamix.wire import AttributeValue

_OPERATORS = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_WORDS: dict[type[Any], str] = {
    nodes.Or: "OR",
    nodes.Not: "NOT",
    nodes.In: "IN",
    nodes.AttributeExists: "attribute_exists",
    nodes.AttributeNotExists: "attribute_not_exists",
    nodes.AttributeType: "attribute_type",
    nodes.Contains: "contains",
}


class KeyTest(Struct, frozen=True):
    """What a key condition asks of one attribute.

    `operator` is a comparator, "BETWEEN", "begins_with", or the name of an older one that no key condition can have.
    """

    name: str
    operator: str
    operands: tuple[AttributeValue, ...]


def key_tests(condition: nodes.Condition) -> dict[str, KeyTest]:
    """What a key condition asks of each attribute; refuses what no key condition can say."""
    tests: dict[str, KeyTest] = {}
    for part in joined([condition]):
        test = _test(part)
        if test.name in tests:
            raise invalid("KeyConditionExpressions must only contain one condition per key")
        tests[test.name] = test
    return tests


def key_range(schema: KeySchema, tests: Mapping[str, KeyTest]) -> tuple[bytes, bytes]:
    """The range of key bytes that a key condition selects; refuses what the schema cannot answer."""
    _check_fit(schema, tests)
    prefix = partition_bytes([raw_bytes(tests[name].operands[0], type_) for name, type_ in schema.partition])
    for name, type_ in schema.sort:
        test = tests.get(name)
        if test is None:
            break
        values = [raw_bytes(operand, type_) for operand in test.operands]
        if test.operator != "=":
            return _sort_range(prefix, test.operator, values)
        prefix += sort_bytes(values[0])
    return prefix, after(prefix)


def _sort_range(prefix: bytes, operator: str, values: list[bytes]) -> tuple[bytes, bytes]:
    first = prefix + sort_bytes(values[0])
    match operator:
        case "<":
            return prefix, first
        case "<=":
            return prefix, after(first)
        case ">":
            return after(first), after(prefix)
        case ">=":
            return first, after(prefix)
        case "BETWEEN":
            return first, after(prefix + sort_bytes(values[1]))
        case _:
            stem = prefix + escape(values[0])
            return stem, after(stem)


def _check_fit(schema: KeySchema, tests: Mapping[str, KeyTest]) -> None:
    """Refuse tests of other attributes, of other types, or that leave a gap."""
    if len(tests) > max(len(schema.attributes), 2):
        raise invalid("Conditions can be of length 1 or 2 only")
    if len(tests) > len(schema.attributes):
        raise invalid("Query key condition not supported")
    ended = False
    for position, (name, type_) in enumerate(schema.attributes):
        test = tests.get(name)
        if test is None:
            if position < len(schema.partition) or position < len(tests):
                raise invalid(f"Query condition missed key schema element: {name}")
            return
        _check_test(test, type_)
        if ended or (position < len(schema.partition) and test.operator != "="):
            raise invalid("Query key condition not supported")
        ended = test.operator != "="


def _check_test(test: KeyTest, type_: str) -> None:
    if test.operator not in _OPERATORS:
        raise invalid("Attempted conditional constraint is not an indexable operation")
    for operand in test.operands:
        if type_ not in operand:
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
        if not operand[type_]:
            kind = "binary" if type_ == "B" else "string"
            raise invalid(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                f"an empty {kind} value. Key: {test.name}"
            )


def _test(part: nodes.Condition) -> KeyTest:
    match part:
        case nodes.Compare(operator="<>"):
            raise _bad_operator("<>")
        case nodes.Compare(operator, left, right):
            if isinstance(right, nodes.Path) and not isinstance(left, nodes.Path):
                left, right, operator = right, left, _MIRRORED[operator]  # type: ignore[assignment]
            return KeyTest(_name(left, right), operator, (_literal(right),))
        case nodes.Between(operand, low, high):
            _check_first("BETWEEN", operand)
            return KeyTest(_name(operand, low, high), "BETWEEN", (_literal(low), _literal(high)))
        case nodes.BeginsWith(operand, prefix):
            _check_first("begins_with", operand)
            return KeyTest(_name(operand, prefix), "begins_with", (_literal(prefix),))
    raise _bad_operator(_WORDS[type(part)])


def _bad_operator(word: str) -> Fault:
    return invalid(f"Invalid operator used in KeyConditionExpression: {word}")


def _check_first(operator: str, operand: nodes.Operand) -> None:
    if isinstance(operand, nodes.Value):
        raise invalid(
            f"Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its "
            "first operand"
        )


def _name(operand: nodes.Operand, *others: nodes.Operand) -> str:
    """The attribute that a condition is about."""
    operands = (operand, *others)
    if any(isinstance(each, nodes.Size) for each in operands):
        raise invalid("KeyConditionExpressions cannot contain nested operations")
    paths = [each for each in operands if isinstance(each, nodes.Path)]
    if not paths:
        raise invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
    if len(paths) > 1:
        raise invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    [path] = paths
    if len(path.parts) > 1:
        raise invalid("KeyConditionExpressions cannot have conditions on nested attributes")
    return str(path.parts[0])


def _literal(operand: nodes.Operand) -> AttributeValue:
    assert isinstance(operand, nodes.Value)  # noqa: S101 - _name has refused the others
    return operand.value
