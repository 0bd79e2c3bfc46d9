"""Lists. What they hold is free-form, see `dynamix.codec.values`."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import parse_list
from dynamix.conditions import deeper
from dynamix.fields.base import Field
from dynamix.fields.changeable import Element
from dynamix.fields.options import Defaulted, Options, Present
from dynamix.fields.refusals import checked_numbers, wrong_type
from dynamix.updates.list import ListDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


class ListField(Field[list[Any], T]):
    """A list. `ForumThread.user_reviews[0]` is its first element, for conditions."""

    form = Form(
        when="type(v) is list",
        write='{"L": encode_list(v, 0, float)}',
        names={"encode_list": values.encode_list},
        lazy=True,
        parse=parse_list,
    )
    draft = ListDraft

    @overload
    def __init__(
        self: ListField[list[Any]], *, numbers: values.Numbers = ..., **options: Unpack[Present[list[Any]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[Any]], *, numbers: values.Numbers = ..., **options: Unpack[Defaulted[list[Any]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[Any] | None], *, numbers: values.Numbers = ..., **options: Unpack[Options[list[Any]]]
    ) -> None: ...
    def __init__(self, *, numbers: values.Numbers = float, **options: Any) -> None:
        super().__init__(**options)
        self.numbers = checked_numbers(numbers)

    def __getitem__(self, index: int) -> Element:
        return Element(deeper(self._path(), index))

    def to_wire(self, value: list[Any]) -> AttributeValue:
        if not isinstance(value, list | tuple):
            raise wrong_type(value, "a list")
        return values.encode(value, 0, self.numbers)

    def part_to_wire(self, part: Any) -> AttributeValue:
        if type(self).to_wire is ListField.to_wire:
            return values.encode(part)
        element: AttributeValue = self.to_wire([part])["L"][0]
        return element

    def from_wire(self, wire: AttributeValue) -> list[Any]:
        return values.decode_list(wire, self.numbers)

    @property
    def constrained(self) -> bool:
        return self.numbers is not float or super().constrained
