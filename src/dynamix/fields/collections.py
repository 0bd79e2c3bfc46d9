"""Fields of many values: lists, maps, sets. What they hold is free-form, see `dynamix.codec.values`."""

from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.conditions import Element, deeper
from dynamix.fields.base import Defaulted, Field, Options, Present, wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class ListField(Field[list[Any], T]):
    """A list. `ForumThread.user_reviews[0]` is its first element, for conditions."""

    kind = "list"

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


class DictField(Field[dict[str, Any], T]):
    """A map with str keys. `ForumThread.key_value_data["a"]` is one element, for conditions."""

    kind = "map"

    @overload
    def __init__(self: "DictField[dict[str, Any]]", **options: Unpack[Present[dict[str, Any]]]) -> None: ...
    @overload
    def __init__(self: "DictField[dict[str, Any]]", **options: Unpack[Defaulted[dict[str, Any]]]) -> None: ...
    @overload
    def __init__(self: "DictField[dict[str, Any] | None]", **options: Unpack[Options[dict[str, Any]]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def __getitem__(self, key: str) -> Element:
        return Element(deeper(self._path(), key))

    def to_wire(self, value: dict[str, Any]) -> AttributeValue:
        if not isinstance(value, dict):
            raise wrong_type(value, "a dict")
        return values.encode(value)

    def from_wire(self, wire: AttributeValue) -> dict[str, Any]:
        return values.decode_map(wire["M"])


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
