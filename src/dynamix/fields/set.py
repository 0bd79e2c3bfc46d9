"""Sets. What they hold is free-form, see `dynamix.codec.values`."""

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.fields.base import Defaulted, Field, Options, Present, wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class SetField(Field[set[Any], T]):
    """A set of strings only, numbers only or bytes only. An empty set is not stored: it reads back as missing."""

    kind = "set"

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

    def from_wire(self, wire: AttributeValue) -> set[Any]:
        elements = values.decode(wire)
        if not isinstance(elements, set):
            raise values.UnstorableError("it is not a set")
        return elements
