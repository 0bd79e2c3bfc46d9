"""Conditions, compiled to functions of the request's values, which give functions of an item.

A condition is compiled once per text, and gets the values of each request once: what depends on them alone is not
worked out anew for each item of a page. An operand gives None where the item has nothing at its path, or where `size`
measures what has no size. Every comparison with nothing fails, but `<>` holds: it is the opposite of `=`.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions".
"""

import operator
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, assert_never

from dynamix.engine.data.values import SORTABLE, compare, equal, size
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
Test: TypeAlias = Callable[[Item], bool]
Term: TypeAlias = Callable[[Item], AttributeValue | None]
Bind: TypeAlias = Callable[[Values], Test]
"""What makes a test of the values of a request."""

_OfTwo: TypeAlias = Callable[[AttributeValue, AttributeValue], bool]
_OfKnown: TypeAlias = Callable[[Term, AttributeValue], Test]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SCALARS = frozenset({"S", "N", "B"})
_PLAIN = frozenset({"S", "N", "B", "BOOL", "NULL"})
"""The types whose values are the same only where their JSON is."""

_ELEMENT_KINDS = {"SS": "S", "NS": "N", "BS": "B"}


class _Operand(NamedTuple):
    """An operand: what gives its value for an item, or what gives it for all items alike."""

    term: Callable[[Values], Term]
    known: Callable[[Values], AttributeValue] | None = None


def compile_condition(condition: Condition) -> Bind:
    """The function that gives, for the values of a request, the one that says whether an item meets the condition."""
    match condition:
        case Compare("=", left, right):
            return _compared(equal, _equals, left, right)
        case Compare("<>", left, right):
            return _not(_compared(equal, _equals, left, right))
        case Compare(sign, left, right):
            return _ordered(_ORDERS[sign], left, right)
        case Between(operand, low, high):
            return _all([_ordered(operator.ge, operand, low), _ordered(operator.le, operand, high)])
        case In(operand, options):
            return _in(_compile_operand(operand), [_compile_operand(option) for option in options])
        case AttributeExists(path):
            return _exists(_compile_operand(path))
        case AttributeNotExists(path):
            return _not(_exists(_compile_operand(path)))
        case AttributeType(operand, type_):
            return _compared(_has_type, None, operand, type_)
        case BeginsWith(operand, prefix):
            return _compared(_begins_with, _begins, operand, prefix)
        case Contains(operand, part):
            return _compared(_contains, None, operand, part)
        case And(conditions):
            return _all(_compile_each(conditions))
        case Or(conditions):
            return _any(_compile_each(conditions))
        case Not(inner):
            return _not(compile_condition(inner))
        case Unchanged(path):
            raise TypeError(f"no text says that {path} is unchanged")
    raise TypeError(f"{condition!r} is no condition")


def _compile_operand(operand: Operand) -> _Operand:
    match operand:
        case Path():
            read = reader(operand)
            return _Operand(lambda values: read)
        case Placeholder(name):
            return _Operand(lambda values: lambda item, value=values[name]: value, lambda values: values[name])  # type: ignore[misc]
        case Value(value):
            return _Operand(lambda values: lambda item: value, lambda values: value)
        case Size(measured):
            return _size(_compile_operand(measured))
    assert_never(operand)


def _compile_each(conditions: Sequence[Condition]) -> list[Bind]:
    binds = []
    for condition in conditions:
        binds.append(compile_condition(condition))
    return binds


def _compared(holds: _OfTwo, with_known: _OfKnown | None, left: Operand, right: Operand) -> Bind:
    """What holds of the values of two operands. `with_known` makes the test where the second one is known."""
    first, second = _compile_operand(left), _compile_operand(right)
    if with_known is not None and second.known is not None:
        term, known = first.term, second.known
        return lambda values: with_known(term(values), known(values))

    def bind(values: Values) -> Test:
        read, read_other = first.term(values), second.term(values)

        def test(item: Item) -> bool:
            a = read(item)
            b = read_other(item)
            return a is not None and b is not None and holds(a, b)

        return test

    return bind


def _equals(read: Term, known: AttributeValue) -> Test:
    if not _PLAIN.isdisjoint(known):
        return lambda item: read(item) == known

    def test(item: Item) -> bool:
        value = read(item)
        return value is not None and equal(value, known)

    return test


def _ordered(fits: Callable[[Any, Any], bool], left: Operand, right: Operand) -> Bind:
    def holds(a: AttributeValue, b: AttributeValue) -> bool:
        order = compare(a, b)
        return order is not None and fits(order, 0)

    def with_known(read: Term, known: AttributeValue) -> Test:
        [(kind, content)] = known.items()
        sortable = SORTABLE.get(kind)
        if sortable is None:
            return _never
        bound = sortable(content)

        def test(item: Item) -> bool:
            value = read(item)
            return value is not None and kind in value and fits(sortable(value[kind]), bound)

        return test

    return _compared(holds, with_known, left, right)


def _never(item: Item) -> bool:
    return False


def _in(operand: _Operand, options: list[_Operand]) -> Bind:
    """IN: an older request may have any number of options."""
    known = [option.known for option in options if option.known is not None]
    others = [option.term for option in options if option.known is None]

    def bind(values: Values) -> Test:
        read = operand.term(values)
        given = [option(values) for option in known]
        pairs = frozenset(pair for value in given if not _SCALARS.isdisjoint(value) for pair in value.items())
        rest = [_equals(read, value) for value in given if _SCALARS.isdisjoint(value)]
        terms = [other(values) for other in others]

        def test(item: Item) -> bool:
            value = read(item)
            if value is None:
                return False
            if not _SCALARS.isdisjoint(value):
                if not pairs.isdisjoint(value.items()):
                    return True
            elif any(each(item) for each in rest):
                return True
            candidates = (term(item) for term in terms)
            return any(candidate is not None and equal(value, candidate) for candidate in candidates)

        return test

    return bind


def _exists(operand: _Operand) -> Bind:
    def bind(values: Values) -> Test:
        read = operand.term(values)
        return lambda item: read(item) is not None

    return bind


def _has_type(value: AttributeValue, wanted: AttributeValue) -> bool:
    return wanted["S"] in value


def _begins(read: Term, prefix: AttributeValue) -> Test:
    """Whether a value begins with a known one."""
    if "S" not in prefix:
        return lambda item: (value := read(item)) is not None and _begins_with(value, prefix)
    text = prefix["S"]

    def test(item: Item) -> bool:
        value = read(item)
        return value is not None and "S" in value and value["S"].startswith(text)

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


def _all(binds: list[Bind]) -> Bind:
    def bind(values: Values) -> Test:
        tests = []
        for each in binds:
            tests.append(each(values))
        if len(tests) == 2:
            first, second = tests
            return lambda item: first(item) and second(item)

        def test(item: Item) -> bool:
            for each in tests:  # noqa: SIM110 - a generator would take a second stack frame per level
                if not each(item):
                    return False
            return True

        return test

    return bind


def _any(binds: list[Bind]) -> Bind:
    def bind(values: Values) -> Test:
        tests = []
        for each in binds:
            tests.append(each(values))

        def test(item: Item) -> bool:
            for each in tests:  # noqa: SIM110 - a generator would take a second stack frame per level
                if each(item):
                    return True
            return False

        return test

    return bind


def _not(inner: Bind) -> Bind:
    def bind(values: Values) -> Test:
        test = inner(values)
        return lambda item: not test(item)

    return bind


def _size(operand: _Operand) -> _Operand:
    def bind(values: Values) -> Term:
        read = operand.term(values)

        def measure(item: Item) -> AttributeValue | None:
            value = read(item)
            length = None if value is None else size(value)
            return None if length is None else {"N": str(length)}

        return measure

    return _Operand(bind)
