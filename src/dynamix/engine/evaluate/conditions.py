"""Conditions, compiled to functions of an item and the request's values.

A condition is compiled once per text; the values of each request are handed in, so nothing is bound or copied. An
operand gives None where the item has nothing at its path, or where `size` measures what has no size. Every comparison
with nothing fails, but `<>` holds: it is the opposite of `=`.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions".
"""

from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, assert_never

from dynamix.engine.data.values import compare, equal, size
from dynamix.engine.evaluate.paths import reader
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
    Placeholder,
    Size,
    Unchanged,
    Value,
)
from dynamix.wire import AttributeValue, Item

Values: TypeAlias = Mapping[str, AttributeValue]
Test: TypeAlias = Callable[[Item, Values], bool]
Term: TypeAlias = Callable[[Item, Values], AttributeValue | None]

_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}
_SCALARS = frozenset({"S", "N", "B"})
_ELEMENT_KINDS = {"SS": "S", "NS": "N", "BS": "B"}


def compile_condition(condition: Condition) -> Test:
    """The function that says whether an item meets the condition."""
    match condition:
        case Compare("=", left, right):
            return _equal(compile_operand(left), compile_operand(right))
        case Compare("<>", left, right):
            return _not(_equal(compile_operand(left), compile_operand(right)))
        case Compare(operator, left, right):
            return _ordered(_ORDERS[operator], compile_operand(left), compile_operand(right))
        case Between(operand, low, high):
            return _between(compile_operand(operand), compile_operand(low), compile_operand(high))
        case In(operand, options) if all(map(_is_known, options)):
            known = frozenset(pair for option in options for pair in option.value.items())  # type: ignore[union-attr]
            return _among(compile_operand(operand), known)
        case In(operand, options):
            return _in(compile_operand(operand), [compile_operand(option) for option in options])
        case AttributeExists(path):
            return _exists(compile_operand(path))
        case AttributeNotExists(path):
            return _not(_exists(compile_operand(path)))
        case AttributeType(operand, type_):
            return _has_type(compile_operand(operand), compile_operand(type_))
        case BeginsWith(operand, prefix):
            return _pair(_begins_with, compile_operand(operand), compile_operand(prefix))
        case Contains(operand, part):
            return _pair(_contains, compile_operand(operand), compile_operand(part))
        case And(conditions):
            return _all(_compile_each(conditions))
        case Or(conditions):
            return _any(_compile_each(conditions))
        case Not(inner):
            return _not(compile_condition(inner))
        case Unchanged(path):
            raise TypeError(f"no text says that {path} is unchanged")
    raise TypeError(f"{condition!r} is no condition")


def compile_operand(operand: Operand) -> Term:
    """The function that gives an operand's value, None where there is none."""
    match operand:
        case Path():
            read = reader(operand)
            return lambda item, values: read(item)
        case Placeholder(name):
            return lambda item, values: values[name]
        case Value(value):
            return lambda item, values: value
        case Size(measured):
            return _size(compile_operand(measured))
    assert_never(operand)


def _compile_each(conditions: Sequence[Condition]) -> list[Test]:
    tests = []
    for condition in conditions:
        tests.append(compile_condition(condition))
    return tests


def _equal(left: Term, right: Term) -> Test:
    def test(item: Item, values: Values) -> bool:
        a = left(item, values)
        b = right(item, values)
        return a is not None and b is not None and equal(a, b)

    return test


def _ordered(fits: Callable[[int], bool], left: Term, right: Term) -> Test:
    def test(item: Item, values: Values) -> bool:
        order = _order(left(item, values), right(item, values))
        return order is not None and fits(order)

    return test


def _between(operand: Term, low: Term, high: Term) -> Test:
    def test(item: Item, values: Values) -> bool:
        value = operand(item, values)
        above = _order(value, low(item, values))
        below = _order(value, high(item, values))
        return above is not None and below is not None and above >= 0 >= below

    return test


def _order(a: AttributeValue | None, b: AttributeValue | None) -> int | None:
    return None if a is None or b is None else compare(a, b)


def _in(operand: Term, options: list[Term]) -> Test:
    def test(item: Item, values: Values) -> bool:
        value = operand(item, values)
        if value is None:
            return False
        for option in options:
            candidate = option(item, values)
            if candidate is not None and equal(value, candidate):
                return True
        return False

    return test


def _is_known(option: Operand) -> bool:
    """Whether an option is a scalar that does not depend on the request's values or the item."""
    return isinstance(option, Value) and not _SCALARS.isdisjoint(option.value)


def _among(operand: Term, known: frozenset[tuple[str, str]]) -> Test:
    """IN, where the options are known: an older request may have any number of them."""

    def test(item: Item, values: Values) -> bool:
        value = operand(item, values)
        return value is not None and not _SCALARS.isdisjoint(value) and not known.isdisjoint(value.items())

    return test


def _exists(operand: Term) -> Test:
    return lambda item, values: operand(item, values) is not None


def _has_type(operand: Term, type_: Term) -> Test:
    def test(item: Item, values: Values) -> bool:
        value = operand(item, values)
        wanted = type_(item, values)
        return value is not None and wanted is not None and wanted["S"] in value

    return test


def _pair(holds: Callable[[AttributeValue, AttributeValue], bool], left: Term, right: Term) -> Test:
    def test(item: Item, values: Values) -> bool:
        a = left(item, values)
        b = right(item, values)
        return a is not None and b is not None and holds(a, b)

    return test


def _begins_with(value: AttributeValue, prefix: AttributeValue) -> bool:
    if "S" in value and "S" in prefix:
        return bool(value["S"].startswith(prefix["S"]))
    return "B" in value and "B" in prefix and a2b_base64(value["B"]).startswith(a2b_base64(prefix["B"]))


def _contains(value: AttributeValue, part: AttributeValue) -> bool:
    [(kind, content)] = value.items()
    if kind == "L":
        return any(equal(element, part) for element in content)
    if kind == "S":
        return "S" in part and part["S"] in content
    if kind == "B":
        return "B" in part and a2b_base64(part["B"]) in a2b_base64(content)
    return part.get(_ELEMENT_KINDS.get(kind, "")) in content if kind in _ELEMENT_KINDS else False


def _all(tests: list[Test]) -> Test:
    def test(item: Item, values: Values) -> bool:
        for each in tests:  # noqa: SIM110 - a generator would take a second stack frame per level
            if not each(item, values):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    def test(item: Item, values: Values) -> bool:
        for each in tests:  # noqa: SIM110 - a generator would take a second stack frame per level
            if each(item, values):
                return True
        return False

    return test


def _not(test: Test) -> Test:
    return lambda item, values: not test(item, values)


def _size(operand: Term) -> Term:
    def measure(item: Item, values: Values) -> AttributeValue | None:
        value = operand(item, values)
        length = None if value is None else size(value)
        return None if length is None else {"N": str(length)}

    return measure
