"""Dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class DateField(Field[date, T]):
    """A date, stored as ISO 8601 text."""

    form = Form(Text, "date.fromisoformat(v.S)", "type(v) is date", '{"S": v.isoformat()}', {"date": date}, frozen=True)
    key_type = "S"

    @overload
    def __init__(self: DateField[date], **options: Unpack[HashKey[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[RangeKey[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[Present[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[Defaulted[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date | None], **options: Unpack[Options[date]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: date) -> AttributeValue:
        if isinstance(value, datetime) or not isinstance(value, date):
            raise wrong_type(value, "a date")
        return {"S": value.isoformat()}

    def part_to_wire(self, part: Any) -> AttributeValue:
        own = type(self).to_wire is not DateField.to_wire
        return self.to_wire(part) if own or not isinstance(part, str) else {"S": part}

    def from_wire(self, wire: AttributeValue) -> date:
        return date.fromisoformat(wire["S"])
