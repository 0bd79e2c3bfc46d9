"""Strategies for attribute values, and for expressions that the service accepts."""

from base64 import b64decode, b64encode
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
    Or,
    Path,
    Projection,
    SetOperand,
    Size,
    Update,
    Value,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.sampled_from(["a", "b", "c", "size", "a b", "é", "#n0", ":v0", "name"]) | texts.filter(bool)
numbers = st.integers(-(10**38) + 1, 10**38 - 1).map(str) | st.sampled_from(["0.5", "-12.25", "0.001"])
binaries = st.binary(max_size=8).map(lambda data: b64encode(data).decode())


def _of(kind: str, contents: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return contents.map(lambda content: {kind: content})


strings, figures, blobs = _of("S", texts), _of("N", numbers), _of("B", binaries)
lists_of_strings = _of("L", st.lists(strings, max_size=3))
sets = (
    _of("SS", st.lists(texts, min_size=1, max_size=3, unique=True).map(sorted))
    | _of("NS", st.lists(numbers, min_size=1, max_size=3, unique=True).map(lambda texts: sorted(texts, key=Decimal)))
    | _of("BS", st.lists(binaries, min_size=1, max_size=3, unique=True).map(lambda texts: sorted(texts, key=b64decode)))
)
scalars = strings | figures | blobs | _of("BOOL", st.booleans()) | st.just({"NULL": True})
values = st.recursive(
    scalars | sets,
    lambda inner: _of("L", st.lists(inner, max_size=3)) | _of("M", st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
"""Attribute values of every type, canonical."""

items = st.dictionaries(names, values, max_size=5)
paths = st.builds(
    lambda first, rest: Path((first, *rest)), names, st.lists(names | st.integers(0, 2**31 - 1), max_size=3)
)
sizes = st.builds(Size, paths)


def literals(contents: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Value]:
    """Values as operands."""
    return contents.map(Value)


def _bounds(kinds: st.SearchStrategy[dict[str, Any]], key: Any) -> st.SearchStrategy[tuple[Value, Value]]:
    return st.tuples(kinds, kinds).map(lambda pair: tuple(Value(value) for value in sorted(pair, key=key)))


bounds = _bounds(strings, lambda value: value["S"]) | _bounds(
    _of("N", st.integers(-(10**30), 10**30).map(str)), lambda value: int(value["N"])
)


def _apart(first: Any, *others: Any) -> bool:
    return not isinstance(first, Path) or first not in others


comparisons: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, st.sampled_from(["=", "<>"]), paths | sizes, literals(values) | paths),
    st.builds(Compare, st.sampled_from(["<", "<=", ">", ">="]), paths | sizes, literals(strings | figures | blobs)),
    st.builds(Compare, st.sampled_from(["=", ">"]), literals(strings), paths | sizes),
).filter(lambda node: _apart(node.left, node.right))
ranges: st.SearchStrategy[Condition] = st.builds(
    lambda operand, pair: Between(operand, *pair), paths | sizes | literals(strings), bounds
)
choices: st.SearchStrategy[Condition] = st.builds(
    In, paths | sizes, st.lists(literals(values) | paths, min_size=1, max_size=4).map(tuple)
).filter(lambda node: _apart(node.operand, *node.options))
predicates: st.SearchStrategy[Condition] = st.one_of(
    st.builds(AttributeExists, paths),
    st.builds(AttributeNotExists, paths),
    st.builds(AttributeType, paths, st.sampled_from(["S", "NULL", "BS"]).map(lambda name: Value({"S": name}))),
    st.builds(BeginsWith, paths, literals(strings | blobs)),
    st.builds(Contains, paths, literals(values)),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    comparisons | ranges | choices | predicates,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=4).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=4).map(tuple)),
    ),
    max_leaves=8,
)
"""Conditions that the service accepts, none of them over its limits."""

_terms: st.SearchStrategy[SetOperand] = st.recursive(
    paths | literals(figures),
    lambda inner: st.builds(IfNotExists, paths, inner).filter(lambda node: _apart(node.path, node.fallback)),
    max_leaves=3,
)
_list_terms: st.SearchStrategy[SetOperand] = (
    paths
    | literals(lists_of_strings)
    | st.builds(
        IfNotExists,
        paths,
        literals(lists_of_strings),
    )
)
assigned: st.SearchStrategy[SetOperand] = st.one_of(
    _terms,
    literals(values),
    st.builds(Arithmetic, st.sampled_from(["+", "-"]), _terms, _terms),
    st.builds(ListAppend, _list_terms, _list_terms),
)


@st.composite
def updates(draw: st.DrawFn) -> Update:
    """Updates that the service accepts: no two of their paths touch."""
    heads = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    targets = [Path((head, *draw(paths).parts[1:])) for head in heads]
    clauses: dict[str, list[Any]] = {"set": [], "remove": [], "add": [], "delete": []}
    for target in targets:
        clause = draw(st.sampled_from(list(clauses)))
        if clause == "remove":
            clauses[clause].append(target)
        elif clause == "set":
            clauses[clause].append((target, draw(assigned)))
        else:
            clauses[clause].append((target, draw(literals(sets if clause == "delete" else sets | figures))))
    return Update(**{clause: tuple(actions) for clause, actions in clauses.items()})


projections: st.SearchStrategy[Projection] = st.lists(
    paths, min_size=1, max_size=5, unique_by=lambda path: path.parts[0]
).map(tuple)
