"""Vectors as 32-bit floats: from a list of numbers to bytes, and back to text.

A number becomes the nearest 32-bit float; one that is too large for any makes its list no vector. The bytes are
little-endian, whatever the machine.
"""

import struct
import sys
from array import array
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

import msgspec

from dynamix.wire import AttributeValue

FLOAT_BYTES = 4
_ONE = struct.Struct("<f")
_SAFE_DIGITS, _MOST_DIGITS = 6, 9
"""A decimal of six digits survives as a 32-bit float, if that is not subnormal; nine digits tell all floats apart."""
_LEAST_NORMAL = 2.0**-126


class _Number(msgspec.Struct, gc=False):
    """A number as msgspec reads it from its text, in a third of the time that Python takes."""

    N: float


def packed(value: AttributeValue | None, dimensions: int) -> bytes | None:
    """The bytes of a vector; None where the value is none of so many dimensions."""
    content = value.get("L") if value else None
    if content is None or len(content) != dimensions:
        return None
    try:
        numbers = msgspec.convert(content, list[_Number], strict=False)
        return _struct(dimensions).pack(*[number.N for number in numbers])
    except (msgspec.ValidationError, OverflowError):
        return None


def is_float(value: AttributeValue) -> bool:
    """Whether a value is a number that a 32-bit float can stand for."""
    return packed({"L": [value]}, 1) is not None


def unpacked(floats: bytes) -> "array[float]":
    """The floats that bytes stand for."""
    found = array("f", floats)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def shown(floats: bytes) -> AttributeValue:
    """A vector as a list of numbers, each the shortest decimal that stands for its float."""
    return {"L": [{"N": _text(number)} for number in unpacked(floats)]}


def rounded(number: float) -> float:
    """The nearest 32-bit float; the number itself where it is too large for any."""
    try:
        nearest: float = _ONE.unpack(_ONE.pack(number))[0]
    except OverflowError:
        return number
    return nearest


@lru_cache(64)
def _struct(dimensions: int) -> struct.Struct:
    return struct.Struct(f"<{dimensions}f")


def _text(number: float) -> str:
    fewest = _SAFE_DIGITS if abs(number) >= _LEAST_NORMAL else 1
    texts: Iterable[str] = (f"{number:.{digits}g}" for digits in range(fewest, _MOST_DIGITS + 1))
    text = next(text for text in texts if rounded(float(text)) == number)
    plain = format(Decimal(text), "f") if "e" in text else text
    if "." not in plain:
        plain += ".0"
    return plain.removeprefix("-") if number == 0 else plain
