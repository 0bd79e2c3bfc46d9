"""Truth."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Truth
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class BooleanField(Field[bool, T]):
    """A bool."""

    sorts = False
    whole = True
    form = Form(Truth, "v.BOOL", "v is True or v is False", '{"BOOL": v}', exact=True, frozen=True)

    @overload
    def __init__(self: BooleanField[bool], **options: Unpack[Present[bool]]) -> None: ...
    @overload
    def __init__(self: BooleanField[bool], **options: Unpack[Defaulted[bool]]) -> None: ...
    @overload
    def __init__(self: BooleanField[bool], **options: Unpack[Derived[bool]]) -> None: ...
    @overload
    def __init__(self: BooleanField[bool | None], **options: Unpack[Options[bool]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: bool) -> AttributeValue:
        if not isinstance(value, bool):
            raise wrong_type(value, "a bool")
        return {"BOOL": value}

    def from_wire(self, wire: AttributeValue) -> bool:
        return bool(wire["BOOL"])

    def from_json(self, son: Any) -> bool:
        value: bool = son
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}
