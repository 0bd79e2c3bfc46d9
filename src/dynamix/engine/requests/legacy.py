"""The parameters that expressions have replaced, read into the same nodes: Expected, QueryFilter, ScanFilter,
KeyConditions and AttributeUpdates.

Where an old operator differs from the new one, the nodes say so: NOT_CONTAINS holds only where the attribute
exists, and ADD also appends to lists.

Source: DynamoDB Developer Guide, "Legacy conditional parameters"; the wording of refusals is the service's.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dynamix.engine.data.values import check_value, compare
from dynamix.engine.evaluate.ranges import KeyTest
from dynamix.engine.faults import Fault, invalid
from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    BeginsWith,
    Between,
    Compare,
    Condition,
    Contains,
    IfNotExists,
    In,
    ListAppend,
    Not,
    Or,
    Path,
    SetOperand,
    Update,
    Value,
)
from dynamix.wire import AttributeValue

MISMATCH = "Type mismatch for attribute to update"
_INVALID = "One or more parameter values were invalid: "
_SCALARS = frozenset({"S", "N", "B"})
_ELEMENTS = _SCALARS | {"BOOL", "NULL"}
_ALL = _ELEMENTS | {"SS", "NS", "BS", "L", "M"}

_Builder = Callable[..., Condition]
_OPERATORS: dict[str, tuple[int, frozenset[str], _Builder]] = {
    "EQ": (1, _ALL, lambda path, value: Compare("=", path, value)),
    "NE": (1, _ALL, lambda path, value: Compare("<>", path, value)),
    "LE": (1, _SCALARS, lambda path, value: Compare("<=", path, value)),
    "LT": (1, _SCALARS, lambda path, value: Compare("<", path, value)),
    "GE": (1, _SCALARS, lambda path, value: Compare(">=", path, value)),
    "GT": (1, _SCALARS, lambda path, value: Compare(">", path, value)),
    "IN": (-1, _SCALARS, lambda path, *values: In(path, values)),
    "BETWEEN": (2, _SCALARS, Between),
    "NULL": (0, _ALL, AttributeNotExists),
    "NOT_NULL": (0, _ALL, AttributeExists),
    "CONTAINS": (1, _ELEMENTS, Contains),
    "NOT_CONTAINS": (1, _ELEMENTS, lambda path, value: And((AttributeExists(path), Not(Contains(path, value))))),
    "BEGINS_WITH": (1, frozenset({"S", "B"}), BeginsWith),
}
"""Operator: how many arguments (-1: one or more), of which types, and the node that it means."""

_KEY_OPERATORS = {"EQ": "=", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">", "BEGINS_WITH": "begins_with"}
_SUMMABLE = frozenset({"N", "SS", "NS", "BS", "L"})
_SUBTRACTABLE = frozenset({"SS", "NS", "BS"})
_LONG_NAMES = {"S": "STRING", "N": "NUMBER", "B": "BINARY", "BOOL": "BOOLEAN", "NULL": "NULL", "L": "LIST", "M": "MAP"}


def read_expected(expected: Mapping[str, dict[str, Any]], operator: str | None) -> Condition | None:
    """The condition that Expected means, None if it is empty. Raises Fault."""
    values = {name: _expected_values(entry) for name, entry in _named(expected)}
    parts = [_expectation(name, entry, values[name]) for name, entry in expected.items()]
    return _combined(parts, operator)


def read_filter(conditions: Mapping[str, dict[str, Any]], operator: str | None) -> Condition | None:
    """The condition that QueryFilter or ScanFilter means, None if it is empty. Raises Fault."""
    return _combined(_conditions(conditions), operator)


def read_key_conditions(conditions: Mapping[str, dict[str, Any]]) -> dict[str, KeyTest]:
    """What KeyConditions asks of each attribute. Raises Fault."""
    values = _condition_values(conditions)
    tests = {}
    for name, entry in conditions.items():
        operator = entry["ComparisonOperator"]
        _check_arguments(operator, values[name])
        operands = tuple(value.value for value in values[name])
        tests[name] = KeyTest(name, _KEY_OPERATORS.get(operator, operator), operands)
    if not tests:
        raise invalid("Conditions can be of length 1 or 2 only")
    return tests


def read_attribute_updates(updates: Mapping[str, dict[str, Any]]) -> Update | None:
    """The update that AttributeUpdates means, None if it is empty. Raises Fault."""
    values = {
        name: Value(check_value(entry["Value"])) if entry.get("Value") is not None else None
        for name, entry in _named(updates)
    }
    assigned: list[tuple[Path, SetOperand]] = []
    removed, added, deleted = [], [], []
    for name, entry in updates.items():
        path, value, action = Path((name,)), values[name], entry.get("Action") or "PUT"
        if value is None:
            if action != "DELETE":
                raise invalid(_INVALID + "Only DELETE action is allowed when no attribute value is specified")
            removed.append(path)
        elif action == "PUT":
            assigned.append((path, value))
        elif action == "DELETE":
            _check_action("DELETE action with value", value.value, _SUBTRACTABLE)
            deleted.append((path, value))
        else:
            _check_action("ADD action", value.value, _SUMMABLE)
            if "L" in value.value:
                assigned.append((path, ListAppend(IfNotExists(path, Value({"L": []})), value)))
            else:
                added.append((path, value))
    return Update(tuple(assigned), tuple(removed), tuple(added), tuple(deleted)) if updates else None


def _named(entries: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    if "" in entries:
        raise invalid("Empty attribute name")
    return list(entries.items())


def _expected_values(entry: dict[str, Any]) -> list[Value]:
    listed = entry.get("AttributeValueList") or []
    single = [entry["Value"]] if entry.get("Value") is not None else []
    return [Value(check_value(value)) for value in (*single, *listed)]


def _expectation(name: str, entry: dict[str, Any], values: list[Value]) -> Condition:
    value, listed = entry.get("Value"), entry.get("AttributeValueList")
    exists, operator = entry.get("Exists"), entry.get("ComparisonOperator")
    if value is not None and listed is not None:
        raise _misused("Value and AttributeValueList cannot be used together", name)
    if operator is not None:
        if exists is not None:
            raise _misused("Exists and ComparisonOperator cannot be used together", name)
        if value is None and listed is None and operator not in ("NULL", "NOT_NULL"):
            raise _misused(f"Value or AttributeValueList must be used with ComparisonOperator: {operator}", name)
        return _condition(name, operator, values)
    if listed is not None:
        raise _misused("AttributeValueList can only be used with a ComparisonOperator", name)
    if exists is False:
        if value is not None:
            raise _misused("Value cannot be used when Exists is false", name)
        return AttributeNotExists(Path((name,)))
    if value is None:
        raise _misused(f"Value must be provided when Exists is {'true' if exists else 'null'}", name)
    return Compare("=", Path((name,)), values[0])


def _misused(how: str, name: str) -> Fault:
    return invalid(f"{_INVALID}{how} for Attribute: {name}")


def _conditions(conditions: Mapping[str, dict[str, Any]]) -> list[Condition]:
    values = _condition_values(conditions)
    return [_condition(name, entry["ComparisonOperator"], values[name]) for name, entry in conditions.items()]


def _condition_values(conditions: Mapping[str, dict[str, Any]]) -> dict[str, list[Value]]:
    return {
        name: [Value(check_value(value)) for value in entry.get("AttributeValueList") or []]
        for name, entry in _named(conditions)
    }


def _condition(name: str, operator: str, values: list[Value]) -> Condition:
    _check_arguments(operator, values)
    _, _, build = _OPERATORS[operator]
    return build(Path((name,)), *values)


def _check_arguments(operator: str, values: list[Value]) -> None:
    count, types, _ = _OPERATORS[operator]
    if len(values) != count and (count >= 0 or not values):
        raise invalid(f"{_INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = [next(iter(value.value)) for value in values]
    if len(set(kinds)) > 1:
        raise invalid(_INVALID + "AttributeValues inside AttributeValueList must be of same type")
    for kind in kinds:
        if kind not in types:
            message = f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
            raise invalid(_INVALID + message)
    if operator == "BETWEEN" and (compare(values[0].value, values[1].value) or 0) > 0:
        raise invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def _combined(parts: list[Condition], operator: str | None) -> Condition | None:
    if operator is not None and len(parts) < 2:
        if parts:
            raise invalid("ConditionalOperator can only be used when Filter or Expected has two or more elements")
        raise invalid("ConditionalOperator cannot be used without Filter or Expected")
    if len(parts) < 2:
        return parts[0] if parts else None
    return Or(tuple(parts)) if operator == "OR" else And(tuple(parts))


def _check_action(what: str, value: AttributeValue, types: frozenset[str]) -> None:
    kind = next(iter(value))
    if kind not in types:
        raise invalid(f"{_INVALID}{what} is not supported for the type {_LONG_NAMES[kind]}")
