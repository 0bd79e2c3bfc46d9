"""The bytes that the service counts for values and items: names and strings in UTF-8, a number about half a byte a
digit, 3 bytes for a map or list plus one for each element.

Values are in their wire form, numbers as plain digits.

Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats".
"""

from collections.abc import Callable
from typing import Any

from dynamix.wire import AttributeValue, Item


def item_size(item: Item) -> int:
    """The bytes that the service counts for an item, attribute names included."""
    total = text_size("".join(item))
    for value in item.values():
        (kind,) = value
        total += CONTENT_SIZES[kind](value[kind])
    return total


def value_size(value: AttributeValue) -> int:
    """The bytes that the service counts for a value."""
    (kind,) = value
    return CONTENT_SIZES[kind](value[kind])


def text_size(text: str) -> int:
    """The bytes of a string or name."""
    return len(text) if text.isascii() else len(text.encode())


def binary_size(text: str) -> int:
    """The bytes that base64 stands for."""
    return len(text) // 4 * 3 - text.endswith("=") - text.endswith("==")


def _number_size(text: str) -> int:
    """One byte, one per two digits (in pairs that start at the decimal point, outer zeros left out), one for a sign."""
    if text.isdigit():
        return 2 + (len(text) % 2 + len(text.rstrip("0")) - 1) // 2 if text != "0" else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = "0" * (len(whole) % 2) + whole + fraction
    end = len(digits.rstrip("0"))
    if not end:
        return 1
    start = len(digits) - len(digits.lstrip("0"))
    return 2 + (text[0] == "-") + (end - 1) // 2 - start // 2


def _list_size(elements: list[AttributeValue]) -> int:
    total = 3 + len(elements)
    for value in elements:
        (kind,) = value
        total += CONTENT_SIZES[kind](value[kind])
    return total


def _flat_size(_content: bool) -> int:
    return 1


CONTENT_SIZES: dict[str, Callable[[Any], int]] = {
    "S": text_size,
    "N": _number_size,
    "B": binary_size,
    "BOOL": _flat_size,
    "NULL": _flat_size,
    "SS": lambda content: text_size("".join(content)),
    "NS": lambda content: sum(map(_number_size, content)),
    "BS": lambda content: sum(map(binary_size, content)),
    "L": _list_size,
    "M": lambda content: 3 + len(content) + item_size(content),
}
"""Of each type, the function that measures what is under it."""
