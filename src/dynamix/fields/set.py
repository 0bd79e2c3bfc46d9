"""Sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import Free, free_set, parse_set
from dynamix.codec.plain import in_order
from dynamix.fields.collection import Collection, Of
from dynamix.fields.options import SizedDefaulted, SizedDerived, SizedOptions, SizedPresent
from dynamix.fields.refusals import wrong_type
from dynamix.updates.set import SetDraft
from dynamix.wire import AttributeValue

T = TypeVar("T")
E = TypeVar("E")


class SetField(Collection[set[Any], T]):
    """A set of strings only, numbers only or bytes only.

    With `of`, a type, an Enum or a field that is stored as one of these, each element is of that kind. An empty set is
    not stored, so an item without the attribute reads as one where the field has a default, which is for new instances;
    else as None.
    """

    form = Form(
        Free,
        "free_set(v)",
        when="type(v) is set and set(map(type, v)) == ONLY_STR",
        write='{"SS": sorted(v)}',
        names={"ONLY_STR": {str}, "free_set": free_set},
        lazy=True,
        parse=parse_set,
        empties=True,
    )
    draft = SetDraft
    native: ClassVar[type] = set
    shape = "S"

    @overload
    def __init__(
        self: SetField[set[E]], *, of: Of[E], lazy: bool = ..., **options: Unpack[SizedPresent[set[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[E]], *, of: Of[E], lazy: bool = ..., **options: Unpack[SizedDefaulted[set[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[E]], *, of: Of[E], lazy: bool = ..., **options: Unpack[SizedDerived[set[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[E] | None], *, of: Of[E], lazy: bool = ..., **options: Unpack[SizedOptions[set[E]]]
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedPresent[set[Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedDefaulted[set[Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[Any]],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedDerived[set[Any]]],
    ) -> None: ...
    @overload
    def __init__(
        self: SetField[set[Any] | None],
        *,
        numbers: values.Numbers = ...,
        lazy: bool = ...,
        **options: Unpack[SizedOptions[set[Any]]],
    ) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return set(value) if isinstance(value, frozenset) else value

    @property
    def takes(self) -> bool:
        return True

    def _each_taken(self, value: Any, taken: Callable[[Any], Any]) -> Any:
        return set(map(taken, value)) if isinstance(value, set | frozenset) else value

    def to_wire(self, value: set[Any]) -> AttributeValue:
        if not isinstance(value, set | frozenset):
            raise wrong_type(value, "a set")
        if self.of is None:
            return values.encode_set(value, self.numbers)
        if not value:
            raise values.UnstorableError("DynamoDB has no empty set")
        tag = self.of.key_type or ""
        return {f"{tag}S": sorted({self._element_to_wire(element, element)[tag] for element in value})}

    def part_to_wire(self, part: Any) -> AttributeValue:
        if type(self).to_wire is SetField.to_wire:
            return values.encode(part) if self.of is None else self.of._literal(part)
        ((tag, elements),) = self.to_wire({part}).items()
        return {tag[0]: elements[0]}

    def when_absent(self) -> set[Any] | None:
        return None if self.default is None else set()

    def from_wire(self, wire: AttributeValue) -> set[Any]:
        if self.of is not None:
            tag = self.of.key_type or ""
            return {self._element_from_wire(element, {tag: element}) for element in wire[f"{tag}S"]}
        elements = values.decode(wire, self.numbers)
        if not isinstance(elements, set):
            raise values.UnstorableError("it is not a set")
        return elements

    def to_json(self, value: set[Any]) -> Any:
        if self.of is None or not isinstance(value, set | frozenset):
            return super().to_json(value)
        return [self.of.to_json(element) for element in in_order(value)]

    def from_json(self, son: Any) -> set[Any]:
        value: set[Any] = son
        if not isinstance(son, list | tuple):
            return value
        return set(son) if self.of is None else {self._element_from_json(element, element) for element in son}

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "uniqueItems": True, **self._json_elements("items"), **self._json_lengths("Items")}
