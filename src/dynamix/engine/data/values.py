"""Attribute values in their wire form: checked, normalised, measured and compared as the service does.

Values come from a request whose shape has been checked: JSON types and base64 are right. A checked value is canonical:
numbers are plain digits, base64 has one spelling, and sets are sorted: strings and binary bytewise, numbers by value.
So two values are equal when their JSON is, but for sets that an older engine stored unsorted.

Sources: DynamoDB Developer Guide, "Supported data types and naming rules" and "DynamoDB item sizes and formats";
the wording of refusals is the service's.
"""

import re
from binascii import a2b_base64
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from dynamix.codec import numbers
from dynamix.codec.sizes import CONTENT_SIZES, binary_size, text_size, value_size
from dynamix.engine.faults import Fault, Kind, invalid
from dynamix.limits import ITEM_BYTES, NESTING_LEVELS
from dynamix.wire import AttributeValue, Item

_plain_number = re.compile(
    r"-?[1-9]\d{0,37}|0|-?(?=[\d.]{3,38}$)(?:0|[1-9]\d*)\.\d*[1-9]",  # the look-ahead bounds the digits of a fraction
    re.ASCII,
).fullmatch
_padded_number = re.compile(r"-?(?=[\d.]{3,38}$)(?:0|[1-9]\d*)\.\d*0", re.ASCII).fullmatch
TOO_DEEP = "Nesting Levels have exceeded supported limits"
_LARGE = 64
_INVALID = "One or more parameter values were invalid: "
_NUMBER_FAULTS = {
    numbers.TOO_PRECISE: "Attempting to store more than 38 significant digits in a Number",
    numbers.TOO_LARGE: "Number overflow. Attempting to store a number with magnitude larger than supported range",
    numbers.TOO_SMALL: "Number underflow. Attempting to store a number with magnitude smaller than supported range",
}


def check_item(item: Item) -> Item:
    """The item with every value checked and canonical; the same object where nothing had to change."""
    return _check_members(item, NESTING_LEVELS)


def measured_item(item: Item) -> tuple[Item, int]:
    """What `check_item` and `item_size` give, in one pass over the attributes."""
    if "" in item:
        raise _empty_name()
    size = text_size("".join(item))
    changed = None
    for name, value in item.items():
        if len(value) != 1:
            raise _not_one_member(value)
        if "S" in value:  # most are
            content = value["S"]
            size += len(content) if content.isascii() else len(content.encode())
            continue
        (kind,) = value
        content = value[kind]
        check = _CHECKS.get(kind)
        if check is not None:
            checked = check(content, NESTING_LEVELS)
            if checked is not content:
                changed = changed or item.copy()
                changed[name] = {kind: checked}
                content = checked
        size += CONTENT_SIZES[kind](content)
    return changed or item, size


def check_value(value: AttributeValue, levels: int = NESTING_LEVELS) -> AttributeValue:
    """One value, checked and canonical; the same object where nothing had to change.

    `levels` is how deep it may nest, itself included.
    """
    if len(value) != 1:
        raise _not_one_member(value)
    (kind,) = value
    check = _CHECKS.get(kind)
    if check is not None:
        content = value[kind]
        checked = check(content, levels)
        if checked is not content:
            return {kind: checked}
    return value


def depth_of(value: AttributeValue, known: dict[int, int]) -> int:
    """How many levels a checked value has, itself included; what is in an empty list or map would be one more.

    `known` keeps the depths of large lists and maps, by their ids, as long as the values live.
    """
    ((kind, content),) = value.items()
    if kind not in ("L", "M"):
        return 1
    depth = known.get(id(content))
    if depth is None:
        depth = 1
        for inner in content if kind == "L" else content.values():
            depth = max(depth, depth_of(inner, known))
        depth += 1
        if len(content) > _LARGE:
            known[id(content)] = depth
    return depth


def in_order(kind: str, elements: list[str]) -> list[str]:
    """The elements of a set in the order in which the service gives them; the same object where they have it."""
    ordered = sorted(elements, key=_SET_ORDERS[kind])
    return elements if ordered == elements else ordered


def equal(a: AttributeValue, b: AttributeValue) -> bool:
    """Whether two checked values are the same: exact numbers, sets regardless of order."""
    if a == b:
        return True
    [(kind, left)] = a.items()
    if kind not in b:
        return False
    right = b[kind]
    if kind in ("SS", "NS", "BS"):
        return len(left) == len(right) and set(left) == set(right)
    if kind == "L":
        return len(left) == len(right) and all(map(equal, left, right))
    if kind == "M":
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return False


def compare(a: AttributeValue, b: AttributeValue) -> int | None:
    """Negative, zero or positive as a is before, equal to or after b; None where the service has no order.

    Strings are ordered by their UTF-8, which is the order of code points; numbers exactly; binary by unsigned bytes.
    """
    [(kind, left)] = a.items()
    if kind not in b:
        return None
    sortable = SORTABLE.get(kind)
    if sortable is None:
        return None
    low, high = sortable(left), sortable(b[kind])
    return int(low > high) - int(low < high)


def size(value: AttributeValue) -> int | None:
    """What the function `size` gives: characters as UTF-16 counts them, bytes, or elements. None for other types."""
    [(kind, content)] = value.items()
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode("utf-16-le")) // 2
    if kind == "B":
        return binary_size(content)
    return None if kind in ("N", "BOOL", "NULL") else len(content)


def resized(size: int, before: Item, after: Item, changed: Collection[str]) -> int:
    """The size of an item after a change of some attributes, by its size before.

    One value may stand in hundreds of attributes, so what is too large already is not measured to its end.
    """
    for name in changed:
        if name in before:
            size -= text_size(name) + value_size(before[name])
    for name in changed:
        if name in after and size <= ITEM_BYTES:
            size += text_size(name) + value_size(after[name])
    return size


def number_fault(error: numbers.NumberError, text: str) -> Fault:
    """The service's refusal of a number."""
    message = _NUMBER_FAULTS.get(error.reason)
    if message is None:
        message = "The parameter cannot be converted to a numeric value" + (f": {text}" if text else "")
    return invalid(message, Kind.NUMBER)


def _not_one_member(value: AttributeValue) -> Fault:
    if value:
        return invalid(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def _empty_name() -> Fault:
    return invalid("Empty attribute name")


def _too_deep() -> Fault:
    return invalid(f"{TOO_DEEP}: Attributes in the item have nested levels beyond supported limit")


def _check_number(text: str, _levels: int) -> str:
    if _plain_number(text):
        return text
    if _padded_number(text):  # as other programs write whole numbers: 4.0
        stripped = text.rstrip("0").rstrip(".")
        return stripped if stripped != "-0" else "0"
    try:
        canonical = numbers.normalize(text)
    except numbers.NumberError as error:
        raise number_fault(error, text) from error
    return text if canonical == text else canonical


def _check_null(content: bool, _levels: int) -> bool:
    if not content:
        raise invalid(_INVALID + "Null attribute value types must have the value of true")
    return True


def _check_list(content: list[AttributeValue], levels: int) -> list[AttributeValue]:
    if levels <= 1:
        raise _too_deep()
    changed = None
    for index, value in enumerate(content):
        checked = check_value(value, levels - 1)
        if checked is not value:
            changed = changed or content.copy()
            changed[index] = checked
    return changed or content


def _check_map(content: dict[str, AttributeValue], levels: int) -> dict[str, AttributeValue]:
    if levels <= 1:
        raise _too_deep()
    return _check_members(content, levels - 1)


def _check_members(members: dict[str, AttributeValue], levels: int) -> dict[str, AttributeValue]:
    if "" in members:
        raise _empty_name()
    changed = None
    for name, value in members.items():
        if "S" in value and len(value) == 1:
            continue
        checked = check_value(value, levels)
        if checked is not value:
            changed = changed or members.copy()
            changed[name] = checked
    return changed or members


def _check_strings(content: list[str], _levels: int) -> list[str]:
    if not content:
        raise invalid(_INVALID + "An string set  may not be empty")
    if len(set(content)) != len(content):
        raise _repeated(f"[{', '.join(content)}] ")
    return in_order("SS", content)


def _check_numbers(content: list[str], _levels: int) -> list[str]:
    if not content:
        raise invalid(_INVALID + "An number set  may not be empty", Kind.NUMBER_SET)
    checked = [_check_number(text, 0) for text in content]
    if len(set(checked)) != len(checked):
        raise invalid("Input collection contains duplicates", Kind.DUPLICATES)
    ordered = in_order("NS", checked)
    return content if ordered == content else ordered


def _check_binaries(content: list[str], _levels: int) -> list[str]:
    if not content:
        raise invalid(_INVALID + "Binary sets should not be empty")
    if len(set(content)) != len(content):
        raise _repeated(f"[{', '.join(content)}]of type BS ")
    return in_order("BS", content)


def _repeated(elements: str) -> Fault:
    return invalid(f"{_INVALID}Input collection {elements}contains duplicates.", Kind.DUPLICATES)


SORTABLE: dict[str, Callable[[str], Any]] = {"S": str, "N": Decimal, "B": a2b_base64}
_SET_ORDERS: dict[str, Callable[[str], Any] | None] = {"SS": None, "NS": Decimal, "BS": a2b_base64}
"""Text in the order of code points is in the order of its UTF-8."""

_CHECKS: dict[str, Callable[[Any, int], Any]] = {
    "N": _check_number,
    "NULL": _check_null,
    "L": _check_list,
    "M": _check_map,
    "SS": _check_strings,
    "NS": _check_numbers,
    "BS": _check_binaries,
}
"""The types of which a shape that is right is not all there is to check."""
