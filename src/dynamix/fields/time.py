"""Times of day."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Number
from dynamix.codec.numbers import plain
from dynamix.codec.values import UnstorableError
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


def _clock(text: str) -> time:
    """The time of day at so many seconds after midnight. Raises ValueError or ArithmeticError where there is none."""
    microseconds = Decimal(text).scaleb(6)
    if not 0 <= microseconds < 86_400_000_000 or microseconds != microseconds.to_integral_value():
        raise UnstorableError("it is not a time of day in seconds")
    seconds, microsecond = divmod(int(microseconds), 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, microsecond)


class TimeField(Field[time, T]):
    """A time of day without an offset, stored as the number of seconds since midnight, exact to the microsecond."""

    form = Form(Number, "clock(v.N)", names={"clock": _clock}, frozen=True)
    key_type = "N"

    @overload
    def __init__(self: TimeField[time], **options: Unpack[HashKey[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], **options: Unpack[RangeKey[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], **options: Unpack[Present[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], **options: Unpack[Defaulted[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time | None], **options: Unpack[Options[time]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: time) -> AttributeValue:
        if not isinstance(value, time):
            raise wrong_type(value, "a time")
        if value.tzinfo is not None:
            raise UnstorableError("a number of seconds keeps no offset; give a time without one")
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return {"N": plain((Decimal(whole) + Decimal(value.microsecond).scaleb(-6)).normalize())}

    def from_wire(self, wire: AttributeValue) -> time:
        return _clock(wire["N"])
