"""Maps. What they hold is free-form, see `dynamix.codec.values`."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import parse_map
from dynamix.conditions import deeper
from dynamix.fields.base import Field
from dynamix.fields.changeable import Element
from dynamix.fields.options import Defaulted, Options, Present
from dynamix.fields.refusals import checked_numbers, wrong_type
from dynamix.updates.map import MapDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


class DictField(Field[dict[str, Any], T]):
    """A map with str keys. `ForumThread.key_value_data["a"]` is one element, for conditions."""

    form = Form(
        when="type(v) is dict",
        write='{"M": encode_map(v, 0, float)}',
        names={"encode_map": values.encode_map},
        lazy=True,
        parse=parse_map,
    )
    draft = MapDraft

    @overload
    def __init__(
        self: DictField[dict[str, Any]], *, numbers: values.Numbers = ..., **options: Unpack[Present[dict[str, Any]]]
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, Any]],
        *,
        numbers: values.Numbers = ...,
        **options: Unpack[Defaulted[dict[str, Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, Any] | None],
        *,
        numbers: values.Numbers = ...,
        **options: Unpack[Options[dict[str, Any]]],
    ) -> None: ...
    def __init__(self, *, numbers: values.Numbers = float, **options: Any) -> None:
        super().__init__(**options)
        self.numbers = checked_numbers(numbers)

    def __getitem__(self, key: str) -> Element:
        return Element(deeper(self._path(), key))

    def to_wire(self, value: dict[str, Any]) -> AttributeValue:
        if not isinstance(value, dict):
            raise wrong_type(value, "a dict")
        return values.encode(value, 0, self.numbers)

    def part_to_wire(self, part: Any) -> AttributeValue:
        return values.encode(part)

    def from_wire(self, wire: AttributeValue) -> dict[str, Any]:
        return values.decode_map(wire, self.numbers)

    @property
    def constrained(self) -> bool:
        return self.numbers is not float or super().constrained
