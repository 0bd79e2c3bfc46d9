"""UUIDs."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload
from uuid import UUID

from dynamix.codec.forms import Form, Text
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, Derived, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class UUIDField(Field[UUID, T]):
    """A UUID, stored as text of 36 small letters, digits and hyphens, which sorts as UUIDs do.

    Other spellings, as other programs store them, are read as well, and written back while nobody sets another value.
    """

    form = Form(Text, "UUID(v.S)", "type(v) is UUID", '{"S": str(v)}', {"UUID": UUID}, frozen=True)
    key_type = "S"
    whole = True

    @overload
    def __init__(self: UUIDField[UUID], **options: Unpack[HashKey[UUID]]) -> None: ...
    @overload
    def __init__(self: UUIDField[UUID], **options: Unpack[RangeKey[UUID]]) -> None: ...
    @overload
    def __init__(self: UUIDField[UUID], **options: Unpack[Present[UUID]]) -> None: ...
    @overload
    def __init__(self: UUIDField[UUID], **options: Unpack[Defaulted[UUID]]) -> None: ...
    @overload
    def __init__(self: UUIDField[UUID], **options: Unpack[Derived[UUID]]) -> None: ...
    @overload
    def __init__(self: UUIDField[UUID | None], **options: Unpack[Options[UUID]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: UUID) -> AttributeValue:
        if not isinstance(value, UUID):
            raise wrong_type(value, "a UUID")
        return {"S": str(value)}

    def from_wire(self, wire: AttributeValue) -> UUID:
        return UUID(wire["S"])

    def from_json(self, son: Any) -> UUID:
        value: UUID = UUID(son) if isinstance(son, str) else son
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}
