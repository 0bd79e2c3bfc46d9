"""Lengths of time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.values import UnstorableError
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class TimeDeltaField(Field[timedelta, T]):
    """A timedelta of whole seconds, stored as their number in a string.

    The stored texts do not sort as the values do, so this field is compared for equality only.
    """

    form = Form(Text, "timedelta(seconds=int(v.S))", names={"timedelta": timedelta}, frozen=True)
    key_type = "S"
    sorts = False

    @overload
    def __init__(self: TimeDeltaField[timedelta], **options: Unpack[HashKey[timedelta]]) -> None: ...
    @overload
    def __init__(self: TimeDeltaField[timedelta], **options: Unpack[RangeKey[timedelta]]) -> None: ...
    @overload
    def __init__(self: TimeDeltaField[timedelta], **options: Unpack[Present[timedelta]]) -> None: ...
    @overload
    def __init__(self: TimeDeltaField[timedelta], **options: Unpack[Defaulted[timedelta]]) -> None: ...
    @overload
    def __init__(self: TimeDeltaField[timedelta | None], **options: Unpack[Options[timedelta]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: timedelta) -> AttributeValue:
        if not isinstance(value, timedelta):
            raise wrong_type(value, "a timedelta")
        if value.microseconds:
            raise UnstorableError("it is stored in whole seconds, and would lose its fraction")
        return {"S": str(value.days * 86_400 + value.seconds)}

    def part_to_wire(self, part: Any) -> AttributeValue:
        own = type(self).to_wire is not TimeDeltaField.to_wire
        return self.to_wire(part) if own or not isinstance(part, str) else {"S": part}

    def from_wire(self, wire: AttributeValue) -> timedelta:
        return timedelta(seconds=int(wire["S"]))
