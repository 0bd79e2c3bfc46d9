"""What conditions mean: every operator and function, on every type, on what is missing."""

from typing import Any

import pytest
from hypothesis import given

from dynamix.engine.evaluate.conditions import compile_condition
from dynamix.expressions.nodes import Condition
from dynamix.expressions.render import Placeholders, render_condition
from dynamix.expressions.text.parse import bind, parse_condition
from expressions import strategies

ITEM: dict[str, Any] = {
    "s": {"S": "hello"},
    "n": {"N": "5"},
    "b": {"B": "aGVsbG8="},
    "t": {"BOOL": True},
    "u": {"NULL": True},
    "l": {"L": [{"N": "1"}, {"S": "x"}, {"SS": ["p", "q"]}]},
    "m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"S": "deep"}}}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": ["YQ=="]},
}
VALUES: dict[str, Any] = {
    ":zero": {"N": "0"},
    ":one": {"N": "1"},
    ":five": {"N": "5"},
    ":nine": {"N": "9"},
    ":hello": {"S": "hello"},
    ":ell": {"S": "ell"},
    ":he": {"S": "he"},
    ":a": {"S": "a"},
    ":z": {"S": "z"},
    ":he64": {"B": "aGU="},
    ":ll64": {"B": "bGw="},
    ":a64": {"B": "YQ=="},
    ":ba": {"SS": ["b", "a"]},
    ":qp": {"SS": ["q", "p"]},
    ":five_text": {"S": "5"},
    ":true": {"BOOL": True},
    ":null": {"NULL": True},
    ":S": {"S": "S"},
    ":N": {"S": "N"},
    ":SS": {"S": "SS"},
    ":NULL": {"S": "NULL"},
}
TRUE = [
    "s = :hello",
    "n = :five",
    ":five = n",
    "t = :true",
    "u = :null",
    "ss = :ba",
    "l[2] = :qp",
    "m.a = l[0]",
    "s <> n",
    "n <> :five_text",
    "gone <> :a",
    "gone <> lost",
    "size(n) <> :zero",
    "n > :one",
    "n >= :five",
    "n <= :five",
    "n < :nine",
    "s < :z",
    "b > :a64",
    "n BETWEEN :one AND :nine",
    "n BETWEEN :five AND :five",
    ":five BETWEEN m.a AND :nine",
    "n IN (:one, s, gone, :five)",
    "ss IN (:ba)",
    "attribute_exists(m.b.c)",
    "attribute_exists(l[2])",
    "attribute_not_exists(gone)",
    "attribute_not_exists(m.b.d)",
    "attribute_not_exists(l[3])",
    "attribute_not_exists(s.a)",
    "attribute_not_exists(ss[0])",
    "attribute_not_exists(m[0])",
    "attribute_not_exists(l.a)",
    "attribute_type(s, :S)",
    "attribute_type(u, :NULL)",
    "attribute_type(size(s), :N)",
    "begins_with(s, :he)",
    "begins_with(b, :he64)",
    "contains(s, :ell)",
    "contains(b, :ll64)",
    "contains(ss, :a)",
    "contains(ns, :one)",
    "contains(bs, :a64)",
    "contains(l, :one)",
    "contains(l, :qp)",
    "size(s) = :five",
    "size(b) = :five",
    "size(m) > :one",
    "size(l) > size(ss)",
    "size(:hello) = n",
    "NOT s = n",
    "NOT gone < :one",
    "s = n OR n = :five",
    "n = :five AND s = :hello AND NOT t = u",
    "NOT (n = :five AND s = n)",
]
FALSE = [
    "s = n",
    "n = :five_text",
    "gone = lost",
    "gone = :a",
    "n <> :five",
    "gone < :one",
    "gone > :one",
    "n < :a",
    "n >= :five_text",
    "n > :five",
    "n BETWEEN :zero AND :one",
    "s BETWEEN :zero AND :nine",
    "gone BETWEEN :zero AND :nine",
    "n BETWEEN gone AND :nine",
    "gone IN (lost)",
    "n IN (:five_text)",
    "attribute_exists(gone)",
    "attribute_not_exists(m.b)",
    "attribute_type(n, :S)",
    "attribute_type(ss, :S)",
    "attribute_type(gone, :S)",
    "begins_with(s, :ell)",
    "begins_with(n, :five_text)",
    "begins_with(s, :he64)",
    "begins_with(gone, :he)",
    "contains(gone, :a)",
    "contains(n, :five)",
    "contains(s, :five)",
    "contains(s, :ll64)",
    "contains(b, :ell)",
    "contains(ss, :one)",
    "contains(ns, :a)",
    "contains(ss, :ba)",
    "contains(m, :a)",
    "contains(t, :true)",
    "size(n) = :one",
    "size(t) < :nine",
    "size(gone) = :zero",
    "size(gone) = size(lost)",
    "s = n OR n = s",
    "n = :five AND s = n",
]


def holds(text: str, item: dict[str, Any]) -> bool:
    return compile_condition(parse_condition(text, {}, VALUES).node)(VALUES)(item)


@pytest.mark.parametrize("text", TRUE)
def test_conditions_that_hold(text: str) -> None:
    """Of the item above."""
    assert holds(text, ITEM)
    assert not holds(f"NOT ({text})", ITEM)


@pytest.mark.parametrize("text", FALSE)
def test_conditions_that_do_not_hold(text: str) -> None:
    """Of the item above."""
    assert not holds(text, ITEM)
    assert holds(f"NOT ({text})", ITEM)


def test_conditions_on_a_missing_item() -> None:
    """It is asked as an item without attributes."""
    assert holds("attribute_not_exists(s)", {})
    assert holds("s <> :a", {})
    assert not holds("s = :a", {})


@given(strategies.conditions, strategies.items)
def test_values_may_be_bound_before_or_after(condition: Condition, item: Any) -> None:
    """A compiled text with values does what the compiled nodes with the same values do; neither ever fails."""
    placeholders = Placeholders()
    parsed = parse_condition(render_condition(condition, placeholders), placeholders.names).node
    outcome = compile_condition(parsed)(placeholders.values)(item)
    assert outcome == compile_condition(bind(parsed, placeholders.values))({})(item)
    assert outcome == compile_condition(condition)({})(item)


def test_deep_conditions_run() -> None:
    """As deep as operators may be many."""
    assert holds("NOT " * 298 + "s = :hello", ITEM)
    assert holds("(n = :five AND " * 149 + "s = :hello" + ")" * 149, ITEM)
