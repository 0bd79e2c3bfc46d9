"""Lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import FreeList, free_list, parse_list
from dynamix.codec.trees import list_tree
from dynamix.conditions import deeper
from dynamix.expressions.nodes import Path
from dynamix.fields.base import Field
from dynamix.fields.collection import Collection
from dynamix.fields.element import Element
from dynamix.fields.options import SizedDefaulted, SizedDerived, SizedOptions, SizedPresent
from dynamix.fields.refusals import wrong_type
from dynamix.updates.list import ListDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")
E = TypeVar("E")


class ListField(Collection[list[Any], T]):
    """A list. `ForumThread.user_reviews[0]` is its first element, for conditions and changes.

    With `of`, a type, an Enum or a field, each element is of that kind.
    """

    form = Form(
        FreeList,
        "free_list(v.L)",
        when="type(v) is list",
        write='{"L": encode_list(v, 0, float)}',
        names={"encode_list": values.encode_list, "list_tree": list_tree, "free_list": free_list},
        lazy=True,
        parse=parse_list,
        tree="list_tree(v, 0, float)",
    )
    draft = ListDraft
    native: ClassVar[type] = list
    shape = "L"

    @overload
    def __init__(
        self: ListField[list[E]], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedPresent[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E]], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedDefaulted[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E]], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedDerived[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E] | None], *, of: type[E], lazy: bool = ..., **options: Unpack[SizedOptions[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E]], *, of: Field[E, Any], lazy: bool = ..., **options: Unpack[SizedPresent[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E]], *, of: Field[E, Any], lazy: bool = ..., **options: Unpack[SizedDefaulted[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E]], *, of: Field[E, Any], lazy: bool = ..., **options: Unpack[SizedDerived[list[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[E] | None],
        *,
        of: Field[E, Any],
        lazy: bool = ...,
        **options: Unpack[SizedOptions[list[E]]],
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedPresent[list[Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedDefaulted[list[Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedDerived[list[Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: ListField[list[Any] | None],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedOptions[list[Any]]],
    ) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def __getitem__(self, index: int) -> Element:
        return Element(deeper(self._path(), index), self.of)

    def _element_at(self, path: Path, part: str | int) -> Element:
        return Element(deeper(path, part), self.of, self) if isinstance(part, int) else super()._element_at(path, part)

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return list(value) if isinstance(value, tuple) else value

    @property
    def takes(self) -> bool:
        return True

    def _each_taken(self, value: Any, taken: Callable[[Any], Any]) -> Any:
        return list(map(taken, value)) if isinstance(value, list | tuple) else value

    def to_wire(self, value: list[Any]) -> AttributeValue:
        if not isinstance(value, list | tuple):
            raise wrong_type(value, "a list")
        if self.of is None:
            return values.encode(value, 0, self.numbers)
        return {"L": [self._element_to_wire(index, element) for index, element in enumerate(value)]}

    def part_to_wire(self, part: Any) -> AttributeValue:
        if type(self).to_wire is ListField.to_wire:
            return values.encode(part) if self.of is None else self.of._literal(part)
        element: AttributeValue = self.to_wire([part])["L"][0]
        return element

    def from_wire(self, wire: AttributeValue) -> list[Any]:
        if self.of is None:
            return values.decode_list(wire, self.numbers)
        return [self._element_from_wire(index, element) for index, element in enumerate(wire["L"])]

    def to_json(self, value: list[Any]) -> Any:
        if self.of is None or not isinstance(value, list | tuple):
            return super().to_json(value)
        return [None if element is None else self.of.to_json(element) for element in value]

    def from_json(self, son: Any) -> list[Any]:
        value: list[Any] = son
        if self.of is None or not isinstance(son, list | tuple):
            return value
        return [self._element_from_json(index, element) for index, element in enumerate(son)]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", **self._json_elements("items"), **self._json_lengths("Items")}
