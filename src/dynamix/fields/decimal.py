"""Decimal numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Number
from dynamix.codec.numbers import EXACT, to_text
from dynamix.codec.plain import number_of
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.bounded import Bounded
from dynamix.fields.options import (
    BoundedDefaulted,
    BoundedDerived,
    BoundedHashKey,
    BoundedOptions,
    BoundedPresent,
    BoundedRangeKey,
)
from dynamix.fields.refusals import wrong_type
from dynamix.limits import NUMBER_DIGITS
from dynamix.updates.number import NumberDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


def _exact(text: str) -> Decimal:
    """The number of a stored text. Raises ValueError or ArithmeticError for what is none."""
    number = Decimal(text)
    if not number.is_finite():
        raise UnstorableError("it is not a number")
    return number


def _text(number: Decimal) -> str:
    """The text that is stored of a number. Raises NumberError where none is exact."""
    text = EXACT.to_sci_string(number)
    if "." not in text or "E" in text or len(text) > NUMBER_DIGITS:
        return to_text(number)
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _filled(number: Decimal, last: Decimal) -> Decimal:
    """The number with all its places, where it has no more of them."""
    filled = number.quantize(last, context=EXACT)
    return filled if filled == number else number


@cache
def _placing(places: int) -> Callable[[str], Decimal]:
    """What reads a stored text as a number with so many places."""
    last = Decimal(1).scaleb(-places, EXACT)
    return lambda text: _filled(_exact(text), last)


@cache
def _within(places: int) -> Callable[[Decimal], str]:
    """What writes a number that has no more than so many places. Raises UnstorableError for another."""

    def write(number: Decimal) -> str:
        text = _text(number)
        point = text.find(".")
        if 0 <= point < len(text) - places - 1:
            raise UnstorableError(f"it has more than {places} digits behind the point")
        return text

    return write


class DecimalField(Bounded[Decimal, T]):
    """A Decimal of at most 38 digits, stored as a number, exact. An int is taken as the Decimal that equals it.

    With `places`, more digits behind the point are refused, never rounded, and what is read has so many of them:
    `Decimal("12.50")`. A stored number that has more, as another program may write it, reads as it is.
    """

    form = Form(
        Number,
        "exact(v.N)",
        "type(v) is Decimal",
        '{"N": decimal_text(v)}',
        {"exact": _exact, "Decimal": Decimal, "decimal_text": _text},
        exact=True,
        frozen=True,
    )
    draft = NumberDraft
    key_type = "N"

    @overload
    def __init__(
        self: DecimalField[Decimal], *, places: int | None = ..., **options: Unpack[BoundedHashKey[Decimal]]
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal], *, places: int | None = ..., **options: Unpack[BoundedRangeKey[Decimal]]
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal], *, places: int | None = ..., **options: Unpack[BoundedPresent[Decimal]]
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal], *, places: int | None = ..., **options: Unpack[BoundedDefaulted[Decimal]]
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal], *, places: int | None = ..., **options: Unpack[BoundedDerived[Decimal]]
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal | None], *, places: int | None = ..., **options: Unpack[BoundedOptions[Decimal]]
    ) -> None: ...
    def __init__(self, *, places: int | None = None, **options: Any) -> None:
        if places is not None and (type(places) is not int or not 0 <= places <= NUMBER_DIGITS):
            raise ModelDefinitionError(f"places={places!r} is no number of digits from 0 to {NUMBER_DIGITS}")
        self.places = places
        self._last = None if places is None else Decimal(1).scaleb(-places, EXACT)
        super().__init__(**options)
        if places is not None and self.form is DecimalField.form:
            read, write = f"placed{places}", f"within{places}"
            names = {"Decimal": Decimal, read: _placing(places), write: _within(places)}
            self.form = self.form._replace(read=f"{read}(v.N)", write=f'{{"N": {write}(v)}}', names=names)

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | int) -> None: ...

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return value
        value = Decimal(value)
        return value if self._last is None or not value.is_finite() else _filled(value, self._last)

    def to_wire(self, value: Decimal) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise wrong_type(value, "a Decimal")
        if isinstance(value, int):
            return {"N": to_text(value)}
        return {"N": _text(value) if self.places is None else _within(self.places)(value)}

    def from_wire(self, wire: AttributeValue) -> Decimal:
        number = _exact(wire["N"])
        return number if self._last is None else _filled(number, self._last)

    def from_json(self, son: Any) -> Decimal:
        value: Decimal = son
        return value if isinstance(son, bool | list | tuple | dict) else number_of(son)

    def json_schema(self) -> dict[str, Any]:
        text = {"type": "string", "pattern": r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"}
        return {"anyOf": [{"type": "number", **self._json_bounds()}, text]}
