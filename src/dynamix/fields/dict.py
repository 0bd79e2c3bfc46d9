"""Maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import FreeMap, free_map, parse_map
from dynamix.codec.trees import map_tree
from dynamix.codec.values import UnstorableError
from dynamix.conditions import deeper
from dynamix.expressions.nodes import Path
from dynamix.fields.base import Field
from dynamix.fields.collection import Collection
from dynamix.fields.element import Element
from dynamix.fields.options import SizedDefaulted, SizedDerived, SizedOptions, SizedPresent
from dynamix.fields.refusals import wrong_type
from dynamix.updates.map import MapDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")
E = TypeVar("E")


class DictField(Collection[dict[str, Any], T]):
    """A map with str keys. `ForumThread.key_value_data["a"]` is one element, for conditions and changes.

    With `of`, a type, an Enum or a field, each value is of that kind.
    """

    form = Form(
        FreeMap,
        "free_map(v.M)",
        when="type(v) is dict",
        write='{"M": encode_map(v, 0, float)}',
        names={"encode_map": values.encode_map, "map_tree": map_tree, "free_map": free_map},
        lazy=True,
        parse=parse_map,
        tree="map_tree(v, 0, float)",
    )
    draft = MapDraft
    shape = "M"

    @overload
    def __init__(
        self: DictField[dict[str, E]], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedPresent[dict[str, E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E]], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedDefaulted[dict[str, E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E]], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedDerived[dict[str, E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E] | None],
        *,
        of: type[E],
        lazy: bool = ...,
        **options: Unpack[SizedOptions[dict[str, E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E]],
        *,
        of: Field[E, Any],
        lazy: bool = ...,
        **options: Unpack[SizedPresent[dict[str, E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E]],
        *,
        of: Field[E, Any],
        lazy: bool = ...,
        **options: Unpack[SizedDefaulted[dict[str, E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E]],
        *,
        of: Field[E, Any],
        lazy: bool = ...,
        **options: Unpack[SizedDerived[dict[str, E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, E] | None],
        *,
        of: Field[E, Any],
        lazy: bool = ...,
        **options: Unpack[SizedOptions[dict[str, E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedPresent[dict[str, Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedDefaulted[dict[str, Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedDerived[dict[str, Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: DictField[dict[str, Any] | None],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedOptions[dict[str, Any]]],
    ) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def __getitem__(self, key: str) -> Element:
        return Element(deeper(self._path(), key), self.of)

    def _element_at(self, path: Path, part: str | int) -> Element:
        return Element(deeper(path, part), self.of, self) if isinstance(part, str) else super()._element_at(path, part)

    def _each_taken(self, value: Any, taken: Callable[[Any], Any]) -> Any:
        return {key: taken(element) for key, element in value.items()} if isinstance(value, dict) else value

    def to_wire(self, value: dict[str, Any]) -> AttributeValue:
        if not isinstance(value, dict):
            raise wrong_type(value, "a dict")
        if self.of is None:
            return values.encode(value, 0, self.numbers)
        keys = values.encode_map(dict.fromkeys(value, ""))
        if len(keys) < len(value):
            raise UnstorableError("two of its keys are the same text")
        return {
            "M": {key: self._element_to_wire(key, element) for key, element in zip(keys, value.values(), strict=True)}
        }

    def part_to_wire(self, part: Any) -> AttributeValue:
        return values.encode(part)

    def from_wire(self, wire: AttributeValue) -> dict[str, Any]:
        if self.of is None:
            return values.decode_map(wire, self.numbers)
        return {key: self._element_from_wire(key, element) for key, element in wire["M"].items()}

    def to_json(self, value: dict[str, Any]) -> Any:
        if self.of is None or not isinstance(value, dict):
            return super().to_json(value)
        return {key: None if element is None else self.of.to_json(element) for key, element in value.items()}

    def from_json(self, son: Any) -> dict[str, Any]:
        value: dict[str, Any] = son
        if self.of is None or not isinstance(son, dict):
            return value
        return {key: self._element_from_json(key, element) for key, element in son.items()}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", **self._json_elements("additionalProperties"), **self._json_lengths("Properties")}
