"""Conditions as trees: how they combine, compare and show themselves, and that deep ones do no harm."""

import copy
from functools import reduce
from operator import and_, or_

import pytest
from hypothesis import given

from dynamix.expressions import nodes
from dynamix.expressions.nodes import And, AttributeExists, Compare, Condition, Not, Or, Path, Size, Value
from dynamix.expressions.render import Placeholders, render_condition
from dynamix.expressions.text.parse import ExpressionError, parse_condition
from dynamix.expressions.walk import joined, operators, paths, simple
from expressions import strategies

A, B, C = (AttributeExists(Path((name,))) for name in "abc")


def nested(depth: int) -> Condition:
    """a & ~(b | ~(a & ...)): each level is a node of its own."""
    node: Condition = A
    for level in range(depth):
        node = A & ~node if level % 2 else B | ~node
    return node


TREES = {
    "or": lambda: reduce(or_, [A, B] * 5000),
    "and": lambda: reduce(and_, [A, B] * 5000),
    "not": lambda: reduce(lambda node, _: Not(node), range(10_000), A),
    "mixed": lambda: nested(10_000),
}


def test_the_same_joint_makes_one_node() -> None:
    """`a & b & c` is one node however it is put together, and two negations are none."""
    assert A & B & C == A & (B & C) == And((A, B, C))
    assert A | B | C == A | (B | C) == Or((A, B, C))
    assert And((A, Or((B, C)))) == A & (B | C)
    assert ~~A is A
    assert Not(And((A, B))) == ~(A & B)


@pytest.mark.parametrize("kind", TREES)
def test_large_trees_can_be_used_in_every_way(kind: str) -> None:
    """A condition of ten thousand terms or levels is built, compared, hashed, shown, copied, walked and rendered."""
    tree, twin = TREES[kind](), TREES[kind]()
    assert tree == twin
    assert tree != (tree & C)
    assert hash(tree) == hash(twin)
    assert repr(tree) == repr(twin)
    assert copy.deepcopy(tree) == tree
    assert len(list(paths(tree))) == len(list(simple(tree)))
    assert list(joined([tree]))
    assert operators(tree) >= 10_000
    assert render_condition(tree, Placeholders()).count("attribute_exists") == len(list(simple(tree)))


@given(strategies.conditions)
def test_a_condition_shows_itself_as_it_is_written(condition: Condition) -> None:
    """repr is the Python text of the same condition."""
    names = {name: kind for name, kind in vars(nodes).items() if isinstance(kind, type)}
    assert eval(repr(condition), names) == condition


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        (A, 1),
        (A & B, 3),
        (~A, 2),
        (Compare("=", Size(Path(("a",))), Value({"N": "1"})), 2),
        (A & ~(B | C), 6),
    ],
)
def test_operators_are_counted_as_the_service_does(condition: Condition, number: int) -> None:
    """Each comparison, function and joining word counts; the engine takes 300 of them."""
    assert operators(condition) == number
    for extra in (300 - number, 301 - number):
        node: Condition = reduce(lambda inner, _: Not(inner), range(extra), condition)
        placeholders = Placeholders()
        text = render_condition(node, placeholders)
        if operators(node) > 300:
            with pytest.raises(ExpressionError, match="too many operators"):
                parse_condition(text, placeholders.names)
        else:
            parse_condition(text, placeholders.names)
