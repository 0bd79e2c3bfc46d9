"""Lists. What they hold is free-form, see `dynamix.codec.values`."""

from typing import Any, TypeVar, Unpack, overload

from msgspec import Raw

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.conditions import Element, deeper
from dynamix.fields.base import Defaulted, Field, Options, Present, wrong_type
from dynamix.updates.list import ListDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


class ListField(Field[list[Any], T]):
    """A list. `ForumThread.user_reviews[0]` is its first element, for conditions."""

    form = Form(Raw, "", "type(v) is list", '{"L": encode_list(v)}', {"encode_list": values.encode_list})
    draft = ListDraft

    @overload
    def __init__(self: "ListField[list[Any]]", **options: Unpack[Present[list[Any]]]) -> None: ...
    @overload
    def __init__(self: "ListField[list[Any]]", **options: Unpack[Defaulted[list[Any]]]) -> None: ...
    @overload
    def __init__(self: "ListField[list[Any] | None]", **options: Unpack[Options[list[Any]]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def __getitem__(self, index: int) -> Element:
        return Element(deeper(self._path(), index))

    def to_wire(self, value: list[Any]) -> AttributeValue:
        if not isinstance(value, list | tuple):
            raise wrong_type(value, "a list")
        return values.encode(value)

    def from_wire(self, wire: AttributeValue) -> list[Any]:
        return values.decode_list(wire["L"])
