"""Values as what `json.dumps` takes."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from dynamix.codec.numbers import EXACT

T = TypeVar("T")

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SECOND = timedelta(seconds=1)
_ITSELF = frozenset({str, int, float, bool, type(None)})


class UnprintableError(TypeError):
    """A value of a type that JSON does not know."""


def plain(value: Any) -> Any:
    """The JSON form of a value: see `Model.to_son`. Raises UnprintableError."""
    if type(value) in _ITSELF:
        return value
    match value:
        case set() | frozenset():
            return [plain(element) for element in in_order(value)]
        case list() | tuple():
            return [plain(element) for element in value]
        case dict():
            return {key: plain(element) for key, element in value.items()}
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return _seconds(value)
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case Decimal():
            return str(value)
        case str() | int() | float() | None if not isinstance(value, Enum):
            return value
    raise UnprintableError(f"JSON has no form for a {type(value).__name__}")


def in_order(elements: Iterable[Any]) -> list[Any]:
    """The elements of a set, sorted; those that have no order by what Python prints of them."""
    try:
        return sorted(elements)
    except TypeError:
        return sorted(elements, key=repr)


def number_of(son: float | str) -> Decimal:
    """The number that a JSON number, or text of one, stands for. Raises ValueError.

    A float is what it prints as, up to 15 digits: so many a float always keeps.
    """
    if isinstance(son, str):
        if not _NUMBER.fullmatch(son):
            raise ValueError("it is not the text of a number")
        return Decimal(son)
    number = Decimal(repr(son)) if isinstance(son, float) else Decimal(int(son))
    if isinstance(son, float) and len(number.normalize(EXACT).as_tuple().digits) > 15:
        raise ValueError("a JSON number of so many digits may have been rounded on the way; give it as text")
    return number


def of_text(read: Callable[[str], T], son: Any, what: str) -> T:
    """What a function reads of a text; anything else as it is. Raises ValueError, which says what the text is not."""
    if not isinstance(son, str):
        value: T = son
        return value
    try:
        return read(son)
    except ValueError as error:
        raise ValueError(f"it is not {what}") from error


def as_number(value: Any) -> int | float | None:
    """A number as one of JSON that stands for exactly it; None where there is none."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value(context=EXACT)
        return int(value) if whole else float(value) if Decimal(repr(float(value))) == value else None
    return value if isinstance(value, int | float) else None


def _seconds(length: timedelta) -> int | float | str:
    """The seconds of a timedelta as an int, as the float that reads back as the same, or else as text."""
    if not length.microseconds:
        return length.days * 86_400 + length.seconds
    exact = Decimal(length // timedelta(microseconds=1)).scaleb(-6, EXACT).normalize(EXACT)
    seconds = length / _SECOND
    few = len(exact.as_tuple().digits) <= 15
    return seconds if few and Decimal(repr(seconds)) == exact else str(exact)
