"""Whole numbers."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Whole
from dynamix.codec.numbers import from_text
from dynamix.codec.values import UnstorableError, encode_number
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.updates.number import NumberDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


class IntegerField(Field[int, T]):
    """An int of at most 38 digits, stored as a number, exact. `minimum` and `maximum` are allowed values themselves."""

    form = Form(Whole, "v.N", "type(v) is int and -10**38 < v < 10**38", '{"N": str(v)}', exact=True, frozen=True)
    draft = NumberDraft
    key_type = "N"

    @overload
    def __init__(
        self: IntegerField[int],
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[HashKey[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int],
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[RangeKey[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int],
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[Present[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int],
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[Defaulted[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int | None],
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[Options[int]],
    ) -> None: ...
    def __init__(self, *, minimum: int | None = None, maximum: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.minimum = minimum
        self.maximum = maximum

    def to_wire(self, value: int) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, "an int")
        return {"N": encode_number(value)}

    def from_wire(self, wire: AttributeValue) -> int:
        number = from_text(wire["N"])
        if not isinstance(number, int):
            raise UnstorableError("it is not an integer")
        return number

    def check(self, value: int) -> None:
        if self.minimum is not None and value < self.minimum:
            raise UnstorableError(f"it is less than {self.minimum}")
        if self.maximum is not None and value > self.maximum:
            raise UnstorableError(f"it is more than {self.maximum}")

    @property
    def constrained(self) -> bool:
        return super().constrained or self.minimum is not None or self.maximum is not None
