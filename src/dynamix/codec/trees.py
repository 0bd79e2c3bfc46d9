"""Free-form values on their way to JSON: what `dynamix.codec.values` makes of them, in fewer objects.

The JSON of a tree is that of the stored form, to the byte, and what has none is refused in the same words. A dict for
each element would take longer to make, and in a large value the garbage collector would look through all of them; it
does not look at these structs. What is rarer than text, integers, truth, maps and lists is left to `values`, where the
rules are.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from dynamix.codec.forms import Number, Text, Truth
from dynamix.codec.values import (
    DEEPEST,
    ENCODERS,
    NO_EMPTY_KEY,
    Numbers,
    UnstorableError,
    encoder_of_base,
    map_key,
    too_deep,
)
from dynamix.wire import AttributeValue


class _Map(Struct, gc=False):
    M: dict[str, Any]


class _List(Struct, gc=False):
    L: list[Any]


Tree: TypeAlias = Struct | Raw | AttributeValue
"""What is written as the JSON of a stored form."""

_NUMBERS = tuple(map(Number, map(str, range(1000))))
"""The trees of the integers that occur most."""

_TRUE, _FALSE = Truth(True), Truth(False)
_INTEGERS = {int}
_MANY = 5
"""How many integers it takes until they are written faster as one."""


def tree(value: object, depth: int = 0, numbers: Numbers | None = None) -> Tree:
    """The tree of a value `depth` levels inside another. Raises UnstorableError."""
    return (_TREES.get(type(value)) or encoder_of_base(value))(value, depth, numbers)


def map_tree(value: dict[str, Any], depth: int = 0, numbers: Numbers | None = None) -> Tree:
    """The tree of a map. Raises UnstorableError."""
    if depth > DEEPEST:
        raise too_deep()
    inside = depth + 1
    if "" in value:
        raise UnstorableError(NO_EMPTY_KEY)
    return _Map(
        {
            key if type(key) is str else map_key(key): Text(element)
            if (kind := type(element)) is str
            else _NUMBERS[element]
            if kind is int and 0 <= element < 1000
            else Number(str(element))
            if kind is int and -0x3FFFFFFF <= element <= 0x3FFFFFFF  # integers of one digit are compared fast
            else map_tree(element, inside, numbers)
            if kind is dict
            else (_TREES.get(kind) or encoder_of_base(element))(element, inside, numbers)
            for key, element in value.items()
        }
    )


def list_tree(value: list[Any] | tuple[Any, ...], depth: int = 0, numbers: Numbers | None = None) -> Tree:
    """The tree of a list. Raises UnstorableError."""
    if depth > DEEPEST:
        raise too_deep()
    inside = depth + 1
    if len(value) >= _MANY and type(value[0]) is int and {*map(type, value)} == _INTEGERS and _short(value):
        return Raw(b'{"L":[{"N":"' + msgspec.json.encode(value)[1:-1].replace(b",", b'"},{"N":"') + b'"}]}')
    return _List(
        [
            Text(element)
            if (kind := type(element)) is str
            else _NUMBERS[element]
            if kind is int and 0 <= element < 1000
            else Number(str(element))
            if kind is int and -0x3FFFFFFF <= element <= 0x3FFFFFFF
            else map_tree(element, inside, numbers)
            if kind is dict
            else (_TREES.get(kind) or encoder_of_base(element))(element, inside, numbers)
            for element in value
        ]
    )


def _short(integers: list[int] | tuple[int, ...]) -> bool:
    """Whether all of some integers are such as every version of msgspec writes."""
    return min(integers) >= -(2**63) and max(integers) < 2**63


_TREES: dict[type, Callable[[Any, int, Numbers | None], Tree]] = {
    **ENCODERS,
    bool: lambda value, depth, numbers: _TRUE if value else _FALSE,
    dict: map_tree,
    list: list_tree,
    tuple: list_tree,
}
