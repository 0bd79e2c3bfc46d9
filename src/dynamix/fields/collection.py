"""What lists, maps and sets have in common.

What they hold is free-form (see `dynamix.codec.values`), or with `of=` of one kind, which another field converts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from msgspec import Raw

from dynamix.codec import values
from dynamix.codec.elements import Shape, collected, reader
from dynamix.codec.values import UnstorableError
from dynamix.errors import FieldValidationException, ModelDefinitionError, StoredValueError, WrongTypeError
from dynamix.fields.base import Field
from dynamix.fields.elements import element_field
from dynamix.fields.refusals import checked_numbers
from dynamix.fields.sized import Sized
from dynamix.interrupts import let_pass
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")
E = TypeVar("E")

Of: TypeAlias = type[E] | Field[E, Any]
"""What elements may be declared as."""


class Collection(Sized[V, T], Generic[V, T]):
    """A field of several elements. `of` converts each; None where they are free-form."""

    shape: ClassVar[Shape]
    sorts = False

    def __init__(self, *, of: Any = None, numbers: values.Numbers | None = None, **options: Any) -> None:
        super().__init__(**options)
        if of is not None and numbers is not None:
            raise ModelDefinitionError("of= says what numbers read as; leave out numbers=")
        self.numbers = float if numbers is None else checked_numbers(numbers)
        self.of = None if of is None else element_field(of)
        self._read_fast = None
        if self.of is None:
            return
        tag = self.of.key_type or ""
        if self.shape == "S" and not tag:
            raise ModelDefinitionError(
                f"of={of!r} is stored as what no set holds: give what is text, a number or binary"
            )
        element = self.of.own_form
        self._read_fast = reader(self.shape, tag, element)
        self.form = collected(self.shape, tag, element, self.of.encode, constrained=self.of.constrained)

    def __set_name__(self, owner: type, attribute: str) -> None:
        super().__set_name__(owner, attribute)
        if self.of is not None:
            self.of.place(attribute, f"{self}[...]")

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return value if self.of is None or not self.of.takes else self._each_taken(value, self.of.taken)

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
    def constrained(self) -> bool:
        inside = self.numbers is not float if self.of is None else self.of.constrained
        return inside or super().constrained

    def check(self, value: Any) -> None:
        super().check(value)
        if self.of is not None and self.of.constrained:
            for place, element in _places(value):
                self._converted_element(self.of.encode, place, element)

    def read(self, form: Any) -> V | None:
        if self._read_fast is not None and isinstance(form, Raw) and form and not self._converts_otherwise:
            try:
                value: V = self._read_fast(form)
                return value
            except Exception as error:  # the plain way says what is wrong
                let_pass(error)
        return super().read(form)

    @property
    def _converts_otherwise(self) -> bool:
        """Whether a class of the user's own converts the whole in its own way."""
        return self.own_form.write != self.form.write

    def _element_to_wire(self, place: object, element: Any) -> AttributeValue:
        assert self.of is not None  # noqa: S101 - narrows the type; the caller has looked
        if element is None and not self.of.null:
            raise UnstorableError(f"element {place!r}: a value is required")
        return self._converted_element(self.of._literal, place, element)

    @staticmethod
    def _converted_element(convert: Callable[[Any], AttributeValue], place: object, element: Any) -> AttributeValue:
        try:
            return convert(element)
        except FieldValidationException as error:
            of_type = isinstance(error, WrongTypeError)
            raise UnstorableError(f"element {place!r}: {error.reason}", of_type=of_type) from error

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
        try:
            return self.of.read_json(son)
        except FieldValidationException as error:
            raise UnstorableError(f"element {place!r}: {error.reason}") from error

    def _json_elements(self, word: str) -> dict[str, Any]:
        """What a JSON schema says of the elements, by its word for them."""
        return {} if self.of is None else {word: self.of.described(nullable=self.of.null)}


def _places(elements: Any) -> Iterable[tuple[object, Any]]:
    """The elements of a collection, each with where it is."""
    if isinstance(elements, dict):
        return elements.items()
    return enumerate(elements) if isinstance(elements, list | tuple) else zip(elements, elements, strict=True)
