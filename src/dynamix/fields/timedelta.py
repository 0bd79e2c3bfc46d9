"""Lengths of time."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar, Unpack, get_args, overload

from dynamix.codec.forms import Form, Text
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
from dynamix.wire import AttributeValue

T = TypeVar("T")


Stored: TypeAlias = Literal["text", "seconds", "iso"]

_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)


def _of_seconds(text: str) -> timedelta:
    """The length of so many seconds. Raises ValueError or ArithmeticError where there is none."""
    microseconds = Decimal(text).scaleb(6, EXACT)
    if microseconds != microseconds.to_integral_value(context=EXACT):
        raise UnstorableError("it has a part of a microsecond")
    return int(microseconds) * _MICROSECOND


def _of_iso(text: str) -> timedelta:
    """The length that an ISO 8601 duration without months and years stands for. Raises ValueError for another text."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        raise UnstorableError("it is no ISO 8601 duration of weeks, days, hours, minutes and seconds")
    whole = {name: int(found[name] or 0) for name in ("weeks", "days", "hours", "minutes")}
    length = timedelta(**whole) + _of_seconds(found["seconds"] or "0")
    return -length if found["sign"] == "-" else length


def _to_iso(length: timedelta) -> str:
    """The ISO 8601 duration in days, hours, minutes and seconds; one below zero begins with a minus."""
    positive = abs(length)
    hours, minutes, seconds = positive.seconds // 3600, positive.seconds // 60 % 60, positive.seconds % 60
    fraction = f".{positive.microseconds:06}".rstrip("0") if positive.microseconds else ""
    parts = [f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count]
    parts += [f"{seconds}{fraction}S"] if seconds or fraction else []
    day = f"{positive.days}D" if positive.days else ""
    clock = f"T{''.join(parts)}" if parts else "" if day else "T0S"
    return f"{'-' if length < timedelta(0) else ''}P{day}{clock}"


class TimeDeltaField(Bounded[timedelta, T]):
    """A timedelta of whole seconds, stored as their number in a string.

    The stored texts do not sort as the values do, so they are compared for equality only; so it is with `stored="iso"`,
    an ISO 8601 duration (`P1DT2H0.5S`). With `stored="seconds"` it is a number, which sorts. These two are exact to the
    microsecond.
    """

    form = Form(Text, "timedelta(seconds=int(v.S))", names={"timedelta": timedelta}, frozen=True)
    key_type = "S"
    sorts = False

    @overload
    def __init__(
        self: TimeDeltaField[timedelta], *, stored: Stored = ..., **options: Unpack[BoundedHashKey[timedelta]]
    ) -> None: ...
    @overload
    def __init__(
        self: TimeDeltaField[timedelta], *, stored: Stored = ..., **options: Unpack[BoundedRangeKey[timedelta]]
    ) -> None: ...
    @overload
    def __init__(
        self: TimeDeltaField[timedelta], *, stored: Stored = ..., **options: Unpack[BoundedPresent[timedelta]]
    ) -> None: ...
    @overload
    def __init__(
        self: TimeDeltaField[timedelta], *, stored: Stored = ..., **options: Unpack[BoundedDefaulted[timedelta]]
    ) -> None: ...
    @overload
    def __init__(
        self: TimeDeltaField[timedelta], *, stored: Stored = ..., **options: Unpack[BoundedDerived[timedelta]]
    ) -> None: ...
    @overload
    def __init__(
        self: TimeDeltaField[timedelta | None], *, stored: Stored = ..., **options: Unpack[BoundedOptions[timedelta]]
    ) -> None: ...
    def __init__(self, *, stored: Stored = "text", **options: Any) -> None:
        if stored not in get_args(Stored):
            raise ModelDefinitionError(f"stored={stored!r} is none of 'text', 'seconds' and 'iso'")
        self.stored = stored
        if stored == "seconds":
            self.key_type, self.sorts = "N", True
        if stored != "text" and self.form is TimeDeltaField.form:
            self.form = Form(frozen=True)
        super().__init__(**options)

    def to_wire(self, value: timedelta) -> AttributeValue:
        if not isinstance(value, timedelta):
            raise wrong_type(value, "a timedelta")
        if self.stored == "iso":
            return {"S": _to_iso(value)}
        if self.stored == "seconds":
            return {"N": to_text(Decimal(value // _MICROSECOND).scaleb(-6, EXACT))}
        if value.microseconds:
            raise UnstorableError("it is stored in whole seconds, and would lose its fraction")
        return {"S": str(value.days * 86_400 + value.seconds)}

    def part_to_wire(self, part: Any) -> AttributeValue:
        own = type(self).to_wire is not TimeDeltaField.to_wire
        return self.to_wire(part) if own or not isinstance(part, str) else {"S": part}

    def from_wire(self, wire: AttributeValue) -> timedelta:
        if self.stored == "iso":
            return _of_iso(wire["S"])
        if self.stored == "seconds":
            return _of_seconds(wire["N"])
        return timedelta(seconds=int(wire["S"]))

    def from_json(self, son: Any) -> timedelta:
        value: timedelta = son
        return value if isinstance(son, bool | list | tuple | dict) else _of_seconds(str(number_of(son)))

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}]}
