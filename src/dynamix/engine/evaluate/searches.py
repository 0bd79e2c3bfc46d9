"""Search conditions to what a vector index is asked for: equality, joined by AND, on attributes of its search schema.

Source: Amazon DynamoDB API Reference, SearchVectors: SearchConditionExpression.
"""

from collections.abc import Sequence
from typing import TypeAlias

from dynamix.engine.faults import invalid
from dynamix.engine.tables.vector_index import VectorIndex
from dynamix.engine.vectors.rows import mark_number
from dynamix.expressions import nodes
from dynamix.expressions.walk import joined
from dynamix.wire import AttributeValue

SearchTest: TypeAlias = tuple[str, AttributeValue]
"""The name of an attribute, and what it must be."""

_INVALID = "Invalid SearchConditionExpression: "


def search_tests(condition: nodes.Condition) -> tuple[SearchTest, ...]:
    """What a condition asks of attributes; refuses what no search can be asked."""
    return tuple(_test(part) for part in joined([condition]))


def filters_of(index: VectorIndex, tests: Sequence[SearchTest]) -> tuple[tuple[int, int], ...]:
    """What the rows of an index must have, by the place of each attribute; refuses what the index cannot answer."""
    types = dict(index.schema)
    places = {name: place for place, name in enumerate(types)}
    if index.partition is not None and not tests:
        raise invalid("SearchConditionExpression must be provided when SearchSchema has a HASH key")
    for name, value in tests:
        if name not in types:
            raise invalid(
                "SearchConditionExpression must not contain any attributes that is not in SearchSchema. "
                f"Invalid attribute: {name}"
            )
        if types[name] not in value:
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
    if index.partition is not None and all(name != index.partition for name, _ in tests):
        raise invalid(f"SearchConditionExpression missed the HASH key of SearchSchema: {index.partition}")
    return tuple((places[name], mark_number(value)) for name, value in tests)


def _test(part: nodes.Condition) -> SearchTest:
    if not isinstance(part, nodes.Compare) or part.operator != "=":
        raise invalid(f"{_INVALID}Invalid comparator used in SearchConditionExpression")
    left, right = part.left, part.right
    if isinstance(right, nodes.Path):
        left, right = right, left
    if not isinstance(left, nodes.Path) or not isinstance(right, nodes.Value):
        raise invalid(f"{_INVALID}A condition compares an attribute with a value")
    if len(left.parts) > 1:
        raise invalid(f"{_INVALID}A condition names attributes of the SearchSchema, not what is in them")
    return str(left.parts[0]), right.value
