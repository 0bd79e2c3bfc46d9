"""Sets. What they hold is free-form, see `dynamix.codec.values`."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import parse_set
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, Options, Present
from dynamix.fields.refusals import checked_numbers, wrong_type
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


class SetField(Field[set[Any], T]):
    """A set of strings only, numbers only or bytes only.

    An empty set is not stored, so an item without the attribute reads as one where the field has a default, which is
    for new instances; else as None.
    """

    form = Form(
        when="type(v) is set and set(map(type, v)) == ONLY_STR",
        write='{"SS": sorted(v)}',
        names={"ONLY_STR": {str}},
        lazy=True,
        parse=parse_set,
        empties=True,
    )
    draft = SetDraft

    @overload
    def __init__(
        self: SetField[set[Any]], *, numbers: values.Numbers = ..., **options: Unpack[Present[set[Any]]]
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[Any]], *, numbers: values.Numbers = ..., **options: Unpack[Defaulted[set[Any]]]
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[Any] | None], *, numbers: values.Numbers = ..., **options: Unpack[Options[set[Any]]]
    ) -> None: ...
    def __init__(self, *, numbers: values.Numbers = float, **options: Any) -> None:
        super().__init__(**options)
        self.numbers = checked_numbers(numbers)

    def to_wire(self, value: set[Any]) -> AttributeValue:
        if not isinstance(value, set | frozenset):
            raise wrong_type(value, "a set")
        return values.encode_set(value, self.numbers)

    def part_to_wire(self, part: Any) -> AttributeValue:
        if type(self).to_wire is SetField.to_wire:
            return values.encode(part)
        ((tag, elements),) = self.to_wire({part}).items()
        return {tag[0]: elements[0]}

    def when_absent(self) -> set[Any] | None:
        return None if self.default is None else set()

    def from_wire(self, wire: AttributeValue) -> set[Any]:
        elements = values.decode(wire, self.numbers)
        if not isinstance(elements, set):
            raise values.UnstorableError("it is not a set")
        return elements

    @property
    def constrained(self) -> bool:
        return self.numbers is not float or super().constrained
