"""Free-form Python values to DynamoDB's JSON form and back.

    str S · int, float, Decimal N · bytes, bytearray, memoryview B · bool BOOL · None NULL
    dict M · list, tuple L · set, frozenset of one of str, numbers, bytes: SS, NS, BS

Read back, an integer is an int; another number is a float where the float prints back to the same digits, else a
Decimal, or with `numbers=Decimal` always a Decimal; binary is bytes; a set is a set. Nothing is ever lost: what
DynamoDB cannot hold exactly is refused by UnstorableError, and so is, where `numbers` is given, what would read back as
a number that is not equal.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from dynamix.codec.numbers import NumberError, exact_from_text, from_text, to_text
from dynamix.limits import NESTING_LEVELS
from dynamix.wire import AttributeValue

Numbers = type[float] | type[Decimal]
"""What a number with a fraction reads as in a free-form place."""

_EXACT_FLOATS = 1e38
_EXACT_INTEGERS = 10**38

DEEPEST = NESTING_LEVELS - 2
"""How many levels the deepest maps and lists are inside another value; the item is a level itself."""

NO_EMPTY_KEY = "the key '' is empty; a key of a map has at least one character"


class UnstorableError(ValueError):
    """A value that DynamoDB cannot hold. `of_type` says whether no value of its type can be held."""

    def __init__(self, message: str, *, of_type: bool = False) -> None:
        super().__init__(message)
        self.of_type = of_type


def encode(value: object, depth: int = 0, numbers: Numbers | None = None) -> AttributeValue:
    """The JSON form of a value `depth` levels inside another. Raises UnstorableError."""
    encoder = ENCODERS.get(type(value)) or encoder_of_base(value)
    return encoder(value, depth, numbers)


def encode_map(value: dict[str, Any], depth: int = 0, numbers: Numbers | None = None) -> dict[str, AttributeValue]:
    """The elements of a map in JSON form. Raises UnstorableError."""
    if depth > DEEPEST:
        raise too_deep()
    inside = depth + 1
    if "" in value:
        raise UnstorableError(NO_EMPTY_KEY)
    return {
        key if type(key) is str else map_key(key): {"S": element}
        if (kind := type(element)) is str
        else {"N": str(element)}
        if kind is int and -0x3FFFFFFF <= element <= 0x3FFFFFFF  # integers of one digit are compared fast
        else {"M": encode_map(element, inside, numbers)}
        if kind is dict
        else (ENCODERS.get(kind) or encoder_of_base(element))(element, inside, numbers)
        for key, element in value.items()
    }


def encode_list(
    value: list[Any] | tuple[Any, ...], depth: int = 0, numbers: Numbers | None = None
) -> list[AttributeValue]:
    """The elements of a list in JSON form. Raises UnstorableError."""
    if depth > DEEPEST:
        raise too_deep()
    inside = depth + 1
    return [
        {"S": element}
        if (kind := type(element)) is str
        else {"N": str(element)}
        if kind is int and -0x3FFFFFFF <= element <= 0x3FFFFFFF
        else {"M": encode_map(element, inside, numbers)}
        if kind is dict
        else (ENCODERS.get(kind) or encoder_of_base(element))(element, inside, numbers)
        for element in value
    ]


def too_deep() -> UnstorableError:
    """The refusal of a map or list that is deeper than the deepest."""
    return UnstorableError(f"it is nested too deep; an item has at most {NESTING_LEVELS} levels, itself included")


def encoder_of_base(value: object) -> Callable[[Any, int, Numbers | None], AttributeValue]:
    """The encoder for an instance of a subclass. Raises UnstorableError for a value of no type."""
    for kind, encoder in ENCODERS.items():
        if isinstance(value, kind):
            return encoder
    raise UnstorableError(
        f"DynamoDB has no type for a {type(value).__name__} such as {value!r}; "
        "give a str, number, bytes, bool, None, dict, list or set",
        of_type=True,
    )


def encode_number(value: int | float | Decimal) -> str:
    """The text of a number, exact. Raises UnstorableError.

    A float without a fraction goes as the integer that it equals, since an integer reads back as an int.
    """
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= _EXACT_FLOATS:
            raise UnstorableError(
                f"the float {value!r} has more than 38 digits when written in full; give an int or a Decimal"
            )
        value = int(value)
    try:
        return to_text(value)
    except NumberError as error:
        raise UnstorableError(str(error)) from error


def encode_set(value: set[Any] | frozenset[Any], numbers: Numbers | None = None) -> AttributeValue:
    """The JSON form of a set: all strings, all numbers, or all bytes; not empty; equal for equal sets.

    Raises UnstorableError.
    """
    tags = {_set_tag(element) for element in value}
    if not tags:
        raise UnstorableError("DynamoDB has no empty set")
    if len(tags) > 1:
        raise UnstorableError(f"the set {value!r} mixes types; a set holds strings only, numbers only or bytes only")
    match tags.pop():
        case "SS":
            return {"SS": sorted(map(_plain_text, value))}
        case "NS":
            for number in value:
                _check_number(number, numbers)
            return {"NS": sorted({encode_number(number) for number in value})}
        case _:
            return {"BS": sorted(b64encode(element).decode() for element in value)}


def _set_tag(element: object) -> str:
    match element:
        case str():
            return "SS"
        case int() | float() | Decimal() if not isinstance(element, bool):
            return "NS"
        case bytes() | bytearray() | memoryview():
            return "BS"
    raise UnstorableError(
        f"a set cannot hold {element!r}; it holds strings only, numbers only or bytes only", of_type=True
    )


def map_key(key: object) -> str:
    """A key of a map as a plain str. Raises UnstorableError for what is none."""
    if isinstance(key, str):
        return _plain_text(key)
    raise UnstorableError(f"the map key {key!r} is not a str", of_type=True)


def _plain_text(text: str) -> str:
    """The same text as a plain str, which is all that the JSON encoder takes."""
    return text if type(text) is str else str.__str__(text)


def _check_number(value: Any, numbers: Numbers | None) -> None:
    """Refuse a number that would read back as one that is not equal."""
    if numbers is float and isinstance(value, Decimal):
        if from_text(encode_number(value)) != value:
            raise UnstorableError(
                f"{value!r} would read back as a float, which is not equal; make the field with numbers=Decimal, or "
                "give a float"
            )
    elif numbers is Decimal and isinstance(value, float) and exact_from_text(encode_number(value)) != value:
        raise UnstorableError(
            f"{value!r} would read back as a Decimal, which is not equal; give a Decimal, or make the field with "
            "numbers=float"
        )


def _encode_number(value: int | float | Decimal, depth: int, numbers: Numbers | None) -> AttributeValue:
    if numbers is not None:
        _check_number(value, numbers)
    return {"N": encode_number(value)}


def _encode_int(value: int, depth: int, numbers: Numbers | None) -> AttributeValue:
    return {"N": int.__repr__(value) if -_EXACT_INTEGERS < value < _EXACT_INTEGERS else encode_number(value)}


def _encode_binary(value: bytes | bytearray | memoryview, depth: int, numbers: Numbers | None) -> AttributeValue:
    return {"B": b64encode(value).decode()}


ENCODERS: dict[type, Callable[[Any, int, Numbers | None], AttributeValue]] = {
    type(None): lambda value, depth, numbers: {"NULL": True},
    bool: lambda value, depth, numbers: {"BOOL": value},
    str: lambda value, depth, numbers: {"S": _plain_text(value)},
    int: _encode_int,
    float: _encode_number,
    Decimal: _encode_number,
    bytes: _encode_binary,
    bytearray: _encode_binary,
    memoryview: _encode_binary,
    dict: lambda value, depth, numbers: {"M": encode_map(value, depth, numbers)},
    list: lambda value, depth, numbers: {"L": encode_list(value, depth, numbers)},
    tuple: lambda value, depth, numbers: {"L": encode_list(value, depth, numbers)},
    set: lambda value, depth, numbers: encode_set(value, numbers),
    frozenset: lambda value, depth, numbers: encode_set(value, numbers),
}
"""What encodes the values of a type."""


def _same(content: Any) -> Any:
    return content


def _decode_map(decoders: "_Decoders", content: dict[str, AttributeValue]) -> dict[str, Any]:
    return {
        key: value[tag] if tag == "S" else decoders[tag](value[tag]) for key, value in content.items() for tag in value
    }


def _decode_list(decoders: "_Decoders", content: list[AttributeValue]) -> list[Any]:
    return [value[tag] if tag == "S" else decoders[tag](value[tag]) for value in content for tag in value]


_Decoders = dict[str, Callable[[Any], Any]]


def _decoders(number: Callable[[str], int | float | Decimal]) -> _Decoders:
    """What reads the content of each type, numbers by `number`."""
    decoders: _Decoders = {
        "S": _same,
        "N": number,
        "BOOL": _same,
        "B": b64decode,
        "NULL": lambda _: None,
        "SS": set,
        "NS": lambda texts: {number(text) for text in texts},
        "BS": lambda texts: {b64decode(text) for text in texts},
    }
    decoders["M"] = partial(_decode_map, decoders)
    decoders["L"] = partial(_decode_list, decoders)
    return decoders


_DECODERS = {float: _decoders(from_text), Decimal: _decoders(exact_from_text)}


def decode_map(value: AttributeValue, numbers: Numbers) -> dict[str, Any]:
    """The dict of a map. Raises KeyError for another type."""
    elements: dict[str, Any] = _DECODERS[numbers]["M"](value["M"])
    return elements


def decode_list(value: AttributeValue, numbers: Numbers) -> list[Any]:
    """The list of a list. Raises KeyError for another type."""
    elements: list[Any] = _DECODERS[numbers]["L"](value["L"])
    return elements


def decode(value: AttributeValue, numbers: Numbers = float) -> Any:
    """The Python value of a JSON form."""
    for tag, content in value.items():
        return _DECODERS[numbers][tag](content)
    raise UnstorableError("a value without a type")
