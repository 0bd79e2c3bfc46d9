"""Sets. What they hold is free-form, see `dynamix.codec.values`."""

from typing import Any, TypeVar, Unpack, overload

from msgspec import Raw

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.fields.base import Defaulted, Field, Options, Present, wrong_type
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")


class SetField(Field[set[Any], T]):
    """A set of strings only, numbers only or bytes only.

    An empty set is not stored, so an item without the attribute reads as one where the field has a default, which is
    for new instances; else as None.
    """

    form = Form(
        Raw,
        "",
        "type(v) is set and set(map(type, v)) == ONLY_STR",
        '{"SS": sorted(v)}',
        {"ONLY_STR": {str}},
        empties=True,
    )
    draft = SetDraft

    @overload
    def __init__(self: "SetField[set[Any]]", **options: Unpack[Present[set[Any]]]) -> None: ...
    @overload
    def __init__(self: "SetField[set[Any]]", **options: Unpack[Defaulted[set[Any]]]) -> None: ...
    @overload
    def __init__(self: "SetField[set[Any] | None]", **options: Unpack[Options[set[Any]]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: set[Any]) -> AttributeValue:
        if not isinstance(value, set | frozenset):
            raise wrong_type(value, "a set")
        return values.encode_set(value)

    def when_absent(self) -> set[Any] | None:
        return None if self.default is None else set()

    def from_wire(self, wire: AttributeValue) -> set[Any]:
        elements = values.decode(wire)
        if not isinstance(elements, set):
            raise values.UnstorableError("it is not a set")
        return elements
