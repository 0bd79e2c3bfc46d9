"""Dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.plain import of_text
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


class DateField(Bounded[date, T]):
    """A date, stored as ISO 8601 text."""

    form = Form(Text, "date.fromisoformat(v.S)", "type(v) is date", '{"S": v.isoformat()}', {"date": date}, frozen=True)
    key_type = "S"

    @overload
    def __init__(self: DateField[date], **options: Unpack[BoundedHashKey[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[BoundedRangeKey[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[BoundedPresent[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[BoundedDefaulted[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date], **options: Unpack[BoundedDerived[date]]) -> None: ...
    @overload
    def __init__(self: DateField[date | None], **options: Unpack[BoundedOptions[date]]) -> None: ...
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

    def from_json(self, son: Any) -> date:
        return of_text(date.fromisoformat, son, "a date, such as '2026-03-01'")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}
