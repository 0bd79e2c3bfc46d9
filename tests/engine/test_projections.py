"""Projections: parts of items, in the order of the item."""

from typing import Any

import pytest
from hypothesis import given

from dynamix.engine.evaluate.paths import reader
from dynamix.engine.evaluate.projections import compile_projection
from dynamix.expressions.nodes import Path, Projection
from dynamix.expressions.text.parse import parse_projection
from expressions import strategies

ITEM: dict[str, Any] = {
    "s": {"S": "text"},
    "l": {"L": [{"N": "0"}, {"N": "1"}, {"M": {"a": {"N": "2"}, "b": {"N": "3"}}}, {"L": [{"N": "4"}, {"N": "5"}]}]},
    "m": {"M": {"a": {"N": "1"}, "e": {"M": {}}, "b": {"M": {"c": {"N": "2"}, "d": {"N": "3"}}}}},
}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("s, gone", {"s": ITEM["s"]}),
        ("gone", {}),
        ("m", {"m": ITEM["m"]}),
        ("m.a", {"m": {"M": {"a": {"N": "1"}}}}),
        ("m.a, m.b.c", {"m": {"M": {"a": {"N": "1"}, "b": {"M": {"c": {"N": "2"}}}}}}),
        ("m.gone", {}),
        ("m.gone, m.e", {"m": {"M": {"e": {"M": {}}}}}),
        ("m.e.gone", {}),
        ("m.b.gone, s", {"s": ITEM["s"]}),
        ("l[1]", {"l": {"L": [{"N": "1"}]}}),
        ("l[1], l[0]", {"l": {"L": [{"N": "0"}, {"N": "1"}]}}),
        ("l[9]", {}),
        ("l[9], l[1]", {"l": {"L": [{"N": "1"}]}}),
        ("l[3][1], l[2].b", {"l": {"L": [{"M": {"b": {"N": "3"}}}, {"L": [{"N": "5"}]}]}}),
        ("l[2].gone, l[0]", {"l": {"L": [{"N": "0"}]}}),
        ("s.a", {}),
        ("s[0]", {}),
        ("l.a", {}),
        ("m[0]", {}),
    ],
)
def test_projections(text: str, parts: dict[str, Any]) -> None:
    """What is missing, or of another type, is left out; elements of lists move together."""
    assert compile_projection(parse_projection(text, {}).node)(ITEM) == parts


class Looked(dict[str, Any]):
    """An item that may only be looked at as a whole."""

    def __contains__(self, key: object) -> bool:
        raise AssertionError(f"looked for {key!r}")

    def get(self, key: str, default: Any = None) -> Any:
        if key not in list(self):
            raise AssertionError(f"looked for {key!r}")
        return self[key]


@pytest.mark.parametrize("beyond", ["", ".a", "[1]"])
def test_many_paths_of_a_small_item(beyond: str) -> None:
    """What an item lacks is not looked for, so that a page of small items costs what they hold, not what is asked."""
    paths = parse_projection(", ".join([f"n{number}{beyond}" for number in range(200)] + ["m.a, l[1]"]), {}).node
    assert compile_projection(paths)(Looked(ITEM)) == {
        "m": {"M": {"a": {"N": "1"}}},
        "l": {"L": [{"N": "1"}]},
    }
    elements = parse_projection(", ".join(f"l[{number}]" for number in range(1, 200)), {}).node
    assert compile_projection(elements)(ITEM) == {"l": {"L": ITEM["l"]["L"][1:]}}


@given(strategies.items, strategies.projections)
def test_a_projection_of_everything_is_the_item(item: Any, projection: Projection) -> None:
    """And what a projection keeps is what stands at its paths."""
    assert compile_projection([Path((name,)) for name in item])(item) == item
    found = [path for path in projection if reader(path)(item) is not None]
    kept = compile_projection(projection)(item)
    assert kept.keys() == {path.parts[0] for path in found}
    for path in found:
        if all(isinstance(part, str) for part in path.parts):
            assert reader(path)(kept) == reader(path)(item)
