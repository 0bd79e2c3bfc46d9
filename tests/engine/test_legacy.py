"""The older parameters: what they mean, and what they are refused for."""

from typing import Any

import pytest

from dynamix.engine.evaluate.conditions import compile_condition
from dynamix.engine.faults import Fault
from dynamix.engine.requests import legacy
from dynamix.engine.requests.expressions import read
from dynamix.expressions.nodes import And, AttributeNotExists, Compare, Or, Path, Value

INVALID = "One or more parameter values were invalid: "
ITEM: dict[str, Any] = {
    "s": {"S": "hello"},
    "n": {"N": "5"},
    "b": {"B": "YWI="},
    "t": {"BOOL": True},
    "l": {"L": [{"N": "1"}, {"S": "x"}]},
    "m": {"M": {"a": {"N": "1"}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1"]},
}
S, N, B = {"S": "a"}, {"N": "1"}, {"B": "YQ=="}
OTHERS = [{"BOOL": True}, {"NULL": True}, {"L": []}, {"M": {}}, {"SS": ["a"]}, {"NS": ["1"]}, {"BS": ["YQ=="]}]


def entry(operator: str, *values: dict[str, Any]) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(values)}


def message(of: Any, *arguments: Any) -> str:
    """The words of a refusal."""
    with pytest.raises(Fault) as caught:
        of(*arguments)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "condition", "holds"),
    [
        ("s", entry("EQ", {"S": "hello"}), True),
        ("ss", entry("EQ", {"SS": ["b", "a"]}), True),
        ("m", entry("EQ", ITEM["m"]), True),
        ("n", entry("EQ", {"N": "5.0"}), True),
        ("s", entry("NE", {"S": "hello"}), False),
        ("s", entry("NE", N), True),
        ("gone", entry("NE", S), True),
        ("n", entry("LE", {"N": "5"}), True),
        ("n", entry("LT", {"N": "5"}), False),
        ("n", entry("GE", {"N": "5"}), True),
        ("n", entry("GT", {"N": "5"}), False),
        ("s", entry("LT", N), False),
        ("gone", entry("LT", N), False),
        ("n", entry("BETWEEN", {"N": "5"}, {"N": "9"}), True),
        ("n", entry("BETWEEN", {"N": "6"}, {"N": "9"}), False),
        ("n", entry("IN", {"N": "1"}, {"N": "5"}), True),
        ("n", entry("IN", {"N": "1"}), False),
        ("gone", entry("NULL"), True),
        ("s", entry("NULL"), False),
        ("s", {"ComparisonOperator": "NOT_NULL"}, True),
        ("gone", {"ComparisonOperator": "NOT_NULL"}, False),
        ("s", entry("CONTAINS", {"S": "ell"}), True),
        ("ss", entry("CONTAINS", S), True),
        ("l", entry("CONTAINS", N), True),
        ("s", entry("CONTAINS", N), False),
        ("s", entry("NOT_CONTAINS", {"S": "ell"}), False),
        ("s", entry("NOT_CONTAINS", {"S": "x"}), True),
        ("n", entry("NOT_CONTAINS", {"S": "x"}), True),
        ("gone", entry("NOT_CONTAINS", {"S": "x"}), False),
        ("s", entry("BEGINS_WITH", {"S": "he"}), True),
        ("b", entry("BEGINS_WITH", B), True),
        ("s", entry("BEGINS_WITH", {"S": "lo"}), False),
    ],
)
def test_operators(name: str, condition: dict[str, Any], holds: bool) -> None:
    """The thirteen operators, as Expected and as a filter."""
    for condition_of in (legacy.read_expected, legacy.read_filter):
        node = condition_of({name: condition}, None)
        assert node is not None
        assert compile_condition(node)({})(ITEM) is holds


@pytest.mark.parametrize("operator", ["EQ", "NE", "LE", "LT", "GE", "GT", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"])
@pytest.mark.parametrize("count", [0, 2])
def test_one_argument(operator: str, count: int) -> None:
    """Most operators take exactly one."""
    refused = message(legacy.read_filter, {"a": entry(operator, *[S] * count)}, None)
    assert refused == f"{INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator"


@pytest.mark.parametrize(
    ("operator", "count"), [("NULL", 1), ("NOT_NULL", 1), ("IN", 0), ("BETWEEN", 1), ("BETWEEN", 3)]
)
def test_other_numbers_of_arguments(operator: str, count: int) -> None:
    """None for the tests of existence, one or more for IN, two for BETWEEN."""
    for refused in (
        message(legacy.read_expected, {"a": entry(operator, *[S] * count)}, None),
        message(legacy.read_key_conditions, {"a": entry(operator, *[S] * count)}),
    ):
        assert refused == f"{INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator"


@pytest.mark.parametrize(
    ("operators", "allowed"),
    [
        (("EQ", "NE"), [S, N, B, *OTHERS]),
        (("LE", "LT", "GE", "GT", "IN", "BETWEEN"), [S, N, B]),
        (("CONTAINS", "NOT_CONTAINS"), [S, N, B, {"BOOL": True}, {"NULL": True}]),
        (("BEGINS_WITH",), [S, B]),
    ],
)
def test_types_of_arguments(operators: tuple[str, ...], allowed: list[dict[str, Any]]) -> None:
    """What an operator cannot compare is refused by its type."""
    for operator in operators:
        for value in [S, N, B, *OTHERS]:
            condition = {"a": entry(operator, *[value] * (2 if operator == "BETWEEN" else 1))}
            if value in allowed:
                legacy.read_filter(condition, None)
            else:
                [kind] = value
                assert message(legacy.read_filter, condition, None) == (
                    f"{INVALID}ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
                )


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (entry("IN", S, N), INVALID + "AttributeValues inside AttributeValueList must be of same type"),
        (entry("BETWEEN", S, N), INVALID + "AttributeValues inside AttributeValueList must be of same type"),
        (
            entry("BETWEEN", {"N": "10"}, {"N": "9"}),
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ),
        (entry("EQ", {"N": "x"}), "The parameter cannot be converted to a numeric value: x"),
    ],
)
def test_refused_arguments(condition: dict[str, Any], words: str) -> None:
    """Lists of values must make sense together."""
    assert message(legacy.read_filter, {"a": condition}, None) == words


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({}, "Value must be provided when Exists is null for Attribute: a"),
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
        ({"Exists": False, "Value": S}, "Value cannot be used when Exists is false for Attribute: a"),
        (
            {"Value": S, "AttributeValueList": [S]},
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            {"Exists": True, **entry("EQ", S)},
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        ({"AttributeValueList": [S]}, "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"),
        (
            {"ComparisonOperator": "GT"},
            "Value or AttributeValueList must be used with ComparisonOperator: GT for Attribute: a",
        ),
    ],
)
def test_refused_expectations(expected: dict[str, Any], words: str) -> None:
    """Exists, Value, ComparisonOperator and AttributeValueList in combinations without a meaning."""
    assert message(legacy.read_expected, {"a": expected}, None) == INVALID + words


def test_expectations_by_value() -> None:
    """The oldest form: Exists and Value."""
    a, b = Path(("a",)), Path(("b.c",))
    expected = {"a": {"Exists": False}, "b.c": {"Value": N}}
    parts = (AttributeNotExists(a), Compare("=", b, Value(N)))
    assert legacy.read_expected(expected, None) == And(parts)
    assert legacy.read_expected(expected, "AND") == And(parts)
    assert legacy.read_expected(expected, "OR") == Or(parts)
    assert legacy.read_expected({"b.c": {"Exists": True, "Value": N}}, None) == parts[1]
    assert legacy.read_expected({"b.c": {"Value": N, "ComparisonOperator": "EQ"}}, None) == parts[1]
    assert legacy.read_expected({}, None) is None


def test_conditional_operator_needs_two_conditions() -> None:
    """It joins conditions; with fewer it is refused."""
    alone = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
    none = "ConditionalOperator cannot be used without Filter or Expected"
    assert message(legacy.read_expected, {"a": {"Exists": False}}, "OR") == alone
    for target in ("PutItem", "DeleteItem", "UpdateItem", "Scan"):
        assert message(read, target, {"ConditionalOperator": "AND"}) == none
    assert message(read, "Scan", {"ConditionalOperator": "AND", "ScanFilter": {}}) == none


def apply(updates: dict[str, Any], item: dict[str, Any] | None = None) -> dict[str, Any]:
    """The attributes that AttributeUpdates change, None for those that they remove."""
    old = ITEM if item is None else item
    update = read("UpdateItem", {"AttributeUpdates": updates}).update
    assert update is not None
    new = update.apply(old)
    return {name: new.get(name) for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


@pytest.mark.parametrize(
    ("name", "update", "after"),
    [
        ("s", {"Value": S}, S),
        ("s", {"Action": "PUT", "Value": {"N": "1.0"}}, N),
        ("a.b", {"Value": S}, S),
        ("s", {"Action": "DELETE"}, None),
        ("ss", {"Action": "DELETE", "Value": {"SS": ["a", "z"]}}, {"SS": ["b"]}),
        ("ss", {"Action": "DELETE", "Value": {"SS": ["a", "b"]}}, None),
        ("n", {"Action": "ADD", "Value": N}, {"N": "6"}),
        ("new", {"Action": "ADD", "Value": N}, N),
        ("ss", {"Action": "ADD", "Value": {"SS": ["z", "a"]}}, {"SS": ["a", "b", "z"]}),
        ("l", {"Action": "ADD", "Value": {"L": [N]}}, {"L": [*ITEM["l"]["L"], N]}),
        ("new", {"Action": "ADD", "Value": {"L": [N]}}, {"L": [N]}),
    ],
)
def test_attribute_updates(name: str, update: dict[str, Any], after: dict[str, Any] | None) -> None:
    """PUT, ADD and DELETE; names are names, never paths."""
    assert apply({name: update}) == {name: after}


def test_updates_without_effect() -> None:
    """Removing what is not there."""
    assert apply({"gone": {"Action": "DELETE"}}) == {}
    assert apply({"gone": {"Action": "DELETE", "Value": {"SS": ["a"]}}}) == {}
    assert read("UpdateItem", {"AttributeUpdates": {}}).update is None


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({}, INVALID + "Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "ADD"}, INVALID + "Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "ADD", "Value": S}, INVALID + "ADD action is not supported for the type STRING"),
        ({"Action": "ADD", "Value": {"M": {}}}, INVALID + "ADD action is not supported for the type MAP"),
        ({"Action": "DELETE", "Value": N}, INVALID + "DELETE action with value is not supported for the type NUMBER"),
        (
            {"Action": "DELETE", "Value": {"L": []}},
            INVALID + "DELETE action with value is not supported for the type LIST",
        ),
        ({"Value": {"N": "x"}}, "The parameter cannot be converted to a numeric value: x"),
        ({"Action": "ADD", "Value": N}, "Type mismatch for attribute to update"),
        ({"Action": "ADD", "Value": {"L": []}}, "Type mismatch for attribute to update"),
        ({"Action": "ADD", "Value": {"SS": ["a"]}}, "Type mismatch for attribute to update"),
        ({"Action": "DELETE", "Value": {"SS": ["a"]}}, "Type mismatch for attribute to update"),
    ],
)
def test_refused_attribute_updates(update: dict[str, Any], words: str) -> None:
    """Of an attribute that is a string."""
    assert message(apply, {"s": update}) == words


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        ("PutItem", {"Expected": {"": {"Exists": False}}}),
        ("Scan", {"ScanFilter": {"": entry("NULL")}}),
        ("Query", {"KeyConditions": {"": entry("EQ", S)}}),
        ("UpdateItem", {"AttributeUpdates": {"": {"Value": S}}}),
        ("GetItem", {"AttributesToGet": [""]}),
    ],
)
def test_attributes_have_names(target: str, request_: dict[str, Any]) -> None:
    """An empty name is refused wherever it is given."""
    assert message(read, target, request_) == "Empty attribute name"
