"""What lists, maps and sets have in common.

What they hold is free-form (see `dynamix.codec.values`), or with `of=` of one kind, which another field converts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from dynamix.codec import values
from dynamix.codec.elements import Shape, collected
from dynamix.codec.values import UnstorableError
from dynamix.errors import (
    FieldValidationException,
    ModelDefinitionError,
    StoredValueError,
    WrongTypeError,
    all_wrong,
)
from dynamix.fields.base import Field
from dynamix.fields.elements import element_field
from dynamix.fields.refusals import checked_numbers, shown
from dynamix.fields.sized import Sized
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")
E = TypeVar("E")
C = TypeVar("C")

Of: TypeAlias = type[E] | Field[E, Any]
"""What elements may be declared as."""


class Collection(Sized[V, T], Generic[V, T]):
    """A field of several elements. `of` converts each; None where they are free-form."""

    shape: ClassVar[Shape]
    sorts = False

    def __init__(
        self, *, of: Any = None, numbers: values.Numbers | None = None, lazy: bool = True, **options: Any
    ) -> None:
        super().__init__(**options)
        self.eager = not lazy
        if of is not None and numbers is not None:
            raise ModelDefinitionError("of= says what numbers read as; leave out numbers=")
        self.numbers = float if numbers is None else checked_numbers(numbers)
        self.of = None if of is None else element_field(of)
        if self.of is None:
            if numbers is Decimal:
                self.form = self.form._replace(struct=None, read="")
            return
        tag = self.of.key_type or ""
        if self.shape == "S" and not tag:
            raise ModelDefinitionError(
                f"of={of!r} is stored as what no set holds: give what is text, a number or binary"
            )
        self.form = collected(self.shape, tag, self.of.own_form, self.of.encode, constrained=self.of._lax)

    def __set_name__(self, owner: type, attribute: str) -> None:
        super().__set_name__(owner, attribute)
        if self.of is not None:
            self.of.place(attribute, f"{self}[...]")

    def place(self, attribute: str, shown_as: str) -> None:
        super().place(attribute, shown_as)
        if self.of is not None:
            self.of = self.of.placed(attribute, f"{shown_as}[...]")

    def _inside(self, part: str | int) -> Field[Any, Any] | None:
        return self.of

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        if self.of is None or not self.of.takes or self._native(value):
            return value
        return self._each_taken(value, self.of.taken)

    @cached_property
    def as_given(self) -> type | None:
        return self.native if self.transform is None and (self.of is None or not self.of.takes) else None

    def _native(self, value: Any) -> bool:
        """Whether all elements are such as an instance holds as they are given."""
        assert self.of is not None  # noqa: S101 - narrows the type; the caller has looked
        if self.of.as_given is None or not isinstance(value, Iterable):
            return False
        return set(map(type, value.values() if isinstance(value, dict) else value)) <= {self.of.as_given}

    def _each_taken(self, value: Any, taken: Callable[[Any], Any]) -> Any:
        """The same collection of what instances hold of its elements; what is none stays as it is."""
        raise NotImplementedError

    @property
    def takes(self) -> bool:
        return super().takes or (self.of is not None and self.of.takes)

    @property
    def respells(self) -> bool:
        return self.of is not None and (self.of.respells or not self.of.own_form.exact)

    @property
    def transforms_parts(self) -> bool:
        return self.of is not None and (self.of.transform is not None or self.of.transforms_parts)

    @property
    def _lax(self) -> bool:
        inside = self.numbers is not float if self.of is None else self.of._lax
        return inside or super().constrained

    @property
    def constrained(self) -> bool:
        inside = self.numbers is not float if self.of is None else self.of.constrained
        return inside or super().constrained

    def check(self, value: Any) -> None:
        super().check(value)
        if self.of is not None and self.of.constrained:
            for place, element in _places(value):
                self._converted_element(self.of.encode, place, element)

    def _element_to_wire(self, place: object, element: Any) -> AttributeValue:
        assert self.of is not None  # noqa: S101 - narrows the type; the caller has looked
        if element is None and not self.of.null:
            raise UnstorableError(f"element {place!r}: a value is required")
        return self._converted_element(self.of._literal, place, element)

    def _converted_element(self, convert: Callable[[Any], C], place: object, element: Any) -> C:
        try:
            return convert(element)
        except FieldValidationException as error:
            if error.field.startswith((f"{self.attribute}.", f"{self.attribute}[")):  # of a part, which names itself
                raise all_wrong([self._error_at(place, one) for one in (error, *error.others)]) from error
            of_type = isinstance(error, WrongTypeError)
            raise UnstorableError(f"element {place!r}: {error.reason}", of_type=of_type) from error

    def _error_at(self, place: object, error: FieldValidationException) -> FieldValidationException:
        """The error of a part of an element, with the element's place."""
        part = error.field.removeprefix(self.attribute)
        return type(error)(
            f"{self}[{place!r}]{part} cannot hold {shown(error.value)}: {error.reason}",
            field=f"{self.attribute}[{place!r}]{part}",
            value=error.value,
            reason=error.reason,
        )

    def _element_from_wire(self, place: object, wire: AttributeValue) -> Any:
        assert self.of is not None  # noqa: S101 - narrows the type; the caller has looked
        if "NULL" in wire and not self.of.null:
            raise UnstorableError(f"element {place!r} is NULL")
        try:
            return self.of.decode(wire)
        except StoredValueError as error:
            raise UnstorableError(f"element {place!r}: {error}") from error

    def _element_from_json(self, place: object, son: Any) -> Any:
        assert self.of is not None  # noqa: S101 - narrows the type; the caller has looked
        return self._converted_element(self.of.read_json, place, son)

    def _json_elements(self, word: str) -> dict[str, Any]:
        """What a JSON schema says of the elements, by its word for them."""
        return {} if self.of is None else {word: self.of.described(nullable=self.of.null)}


def _places(elements: Any) -> Iterable[tuple[object, Any]]:
    """The elements of a collection, each with where it is."""
    if isinstance(elements, dict):
        return elements.items()
    return enumerate(elements) if isinstance(elements, list | tuple) else zip(elements, elements, strict=True)
