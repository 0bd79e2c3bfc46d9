"""Times of day."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar, Unpack, get_args, overload

from dynamix.codec.forms import Form, Number, Text
from dynamix.codec.numbers import EXACT, plain
from dynamix.codec.plain import of_text
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
from dynamix.wire import AttributeValue

T = TypeVar("T")


def _clock(text: str) -> time:
    """The time of day at so many seconds after midnight. Raises ValueError or ArithmeticError where there is none."""
    microseconds = Decimal(text).scaleb(6, EXACT)
    if not 0 <= microseconds < 86_400_000_000 or microseconds != microseconds.to_integral_value(context=EXACT):
        raise UnstorableError("it is not a time of day in seconds")
    seconds, microsecond = divmod(int(microseconds), 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, microsecond)


def _of_iso(text: str) -> time:
    """The time of day of an ISO 8601 text. Raises ValueError where there is none."""
    clock = time.fromisoformat(text)
    if clock.tzinfo is not None:
        raise UnstorableError("it has an offset")
    return clock


Stored: TypeAlias = Literal["seconds", "iso"]

_ISO = Form(
    Text,
    "iso_time(v.S)",
    "type(v) is time and v.tzinfo is None",
    '{"S": v.isoformat()}',
    {"iso_time": _of_iso, "time": time},
    frozen=True,
)


class TimeField(Bounded[time, T]):
    """A time of day without an offset, stored as the number of seconds since midnight, exact to the microsecond,
    or with `stored="iso"` as ISO 8601 text (`12:30:15.250000`)."""

    form = Form(Number, "clock(v.N)", names={"clock": _clock}, frozen=True)
    key_type = "N"

    @overload
    def __init__(self: TimeField[time], *, stored: Stored = ..., **options: Unpack[BoundedHashKey[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], *, stored: Stored = ..., **options: Unpack[BoundedRangeKey[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], *, stored: Stored = ..., **options: Unpack[BoundedPresent[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], *, stored: Stored = ..., **options: Unpack[BoundedDefaulted[time]]) -> None: ...
    @overload
    def __init__(self: TimeField[time], *, stored: Stored = ..., **options: Unpack[BoundedDerived[time]]) -> None: ...
    @overload
    def __init__(
        self: TimeField[time | None], *, stored: Stored = ..., **options: Unpack[BoundedOptions[time]]
    ) -> None: ...
    def __init__(self, *, stored: Stored = "seconds", **options: Any) -> None:
        if stored not in get_args(Stored):
            raise ModelDefinitionError(f"stored={stored!r} is neither 'seconds' nor 'iso'")
        self.stored = stored
        if stored == "iso":
            self.key_type = "S"
            self.form = _ISO if self.form is TimeField.form else self.form
        super().__init__(**options)

    def to_wire(self, value: time) -> AttributeValue:
        if not isinstance(value, time):
            raise wrong_type(value, "a time")
        if value.tzinfo is not None:
            raise UnstorableError("no offset is stored; give a time without one")
        if self.stored == "iso":
            return {"S": value.isoformat()}
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return {"N": plain(Decimal(whole * 1_000_000 + value.microsecond).scaleb(-6, EXACT).normalize(EXACT))}

    def part_to_wire(self, part: Any) -> AttributeValue:
        own = type(self).to_wire is not TimeField.to_wire
        return self.to_wire(part) if own or not isinstance(part, str) else {"S": part}

    def from_wire(self, wire: AttributeValue) -> time:
        return _clock(wire["N"]) if self.stored == "seconds" else _of_iso(wire["S"])

    def from_json(self, son: Any) -> time:
        return of_text(time.fromisoformat, son, "a time of day, such as '12:30:00'")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "time"}
