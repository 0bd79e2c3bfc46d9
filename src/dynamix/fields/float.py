"""Numbers with a fraction."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import isfinite, isnan
from typing import Any, TypeVar, Unpack, overload

import msgspec

from dynamix.codec.forms import Form, Number
from dynamix.codec.values import UnstorableError
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
from dynamix.updates.number import NumberDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")

_nearest: Callable[[str], float] = msgspec.json.Decoder(float).decode
"""The float that is nearest to a number's text; many times faster than `float`, and takes no NaN."""


def _equal(value: int | Decimal) -> float | None:
    """The float that holds a number exactly, or prints as it does; None where none does."""
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    if not isfinite(number):
        return number if isinstance(value, Decimal) and value.is_infinite() else None
    exact = Decimal(value)
    return number if exact in (Decimal.from_float(number), Decimal(repr(number))) else None


class FloatField(Bounded[float, T]):
    """A float, stored as a number: the shortest text that reads back as the same float.

    An int or Decimal is taken where a float holds it exactly. A stored number that has more digits than a float reads
    as the nearest float; a whole write gives back all its digits while nobody set another value.
    """

    form = Form(
        Number,
        "nearest(v.N)",
        "type(v) is float and (1e-130 <= abs(v) < 1e126 or v == 0)",
        '{"N": repr(v + 0.0)}',
        {"nearest": _nearest},
        frozen=True,
    )
    draft = NumberDraft
    key_type = "N"
    native = float

    @overload
    def __init__(self: FloatField[float], **options: Unpack[BoundedHashKey[float]]) -> None: ...
    @overload
    def __init__(self: FloatField[float], **options: Unpack[BoundedRangeKey[float]]) -> None: ...
    @overload
    def __init__(self: FloatField[float], **options: Unpack[BoundedPresent[float]]) -> None: ...
    @overload
    def __init__(self: FloatField[float], **options: Unpack[BoundedDefaulted[float]]) -> None: ...
    @overload
    def __init__(self: FloatField[float], **options: Unpack[BoundedDerived[float]]) -> None: ...
    @overload
    def __init__(self: FloatField[float | None], **options: Unpack[BoundedOptions[float]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return value
        number = _equal(value)
        return value if number is None else number

    def to_wire(self, value: float) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise wrong_type(value, "a float")
        number = value if isinstance(value, float) else _equal(value)
        if number is None and (isinstance(value, int) or value.is_finite()):
            raise UnstorableError("a float would not keep all its digits; give the float that is near enough")
        if number is None or isnan(number):
            raise UnstorableError("it is not a number that DynamoDB can hold")
        if number != 0 and not 1e-130 <= abs(number) < 1e126:
            raise UnstorableError("DynamoDB holds magnitudes from 1E-130 to 9.99...E+125")
        return {"N": float.__repr__(number + 0.0)}

    def from_wire(self, wire: AttributeValue) -> float:
        return _nearest(wire["N"])

    def from_json(self, son: Any) -> float:
        whole = isinstance(son, int) and not isinstance(son, bool) and abs(son) < 10**126
        return float(son) if whole and float(son) == son else son

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", **self._json_bounds()}
