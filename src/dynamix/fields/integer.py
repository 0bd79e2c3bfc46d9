"""Whole numbers."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Whole
from dynamix.codec.numbers import from_text
from dynamix.codec.values import UnstorableError, encode_number
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


class IntegerField(Bounded[int, T]):
    """An int of at most 38 digits, stored as a number, exact. `minimum` and `maximum` are allowed values themselves."""

    form = Form(Whole, "v.N", "type(v) is int and -10**38 < v < 10**38", '{"N": str(v)}', exact=True, frozen=True)
    draft = NumberDraft
    key_type = "N"

    @overload
    def __init__(self: IntegerField[int], **options: Unpack[BoundedHashKey[int]]) -> None: ...
    @overload
    def __init__(self: IntegerField[int], **options: Unpack[BoundedRangeKey[int]]) -> None: ...
    @overload
    def __init__(self: IntegerField[int], **options: Unpack[BoundedPresent[int]]) -> None: ...
    @overload
    def __init__(self: IntegerField[int], **options: Unpack[BoundedDefaulted[int]]) -> None: ...
    @overload
    def __init__(self: IntegerField[int], **options: Unpack[BoundedDerived[int]]) -> None: ...
    @overload
    def __init__(self: IntegerField[int | None], **options: Unpack[BoundedOptions[int]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: int) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, "an int")
        return {"N": encode_number(value)}

    def from_wire(self, wire: AttributeValue) -> int:
        number = from_text(wire["N"])
        if not isinstance(number, int):
            raise UnstorableError("it is not an integer")
        return number

    def from_json(self, son: Any) -> int:
        return int(son) if isinstance(son, float) and son.is_integer() else son

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", **self._json_bounds()}
