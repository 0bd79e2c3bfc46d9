"""Fields whose values another field stores, in a form that only this one reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NoReturn, TypeVar, cast

from dynamix.codec.forms import Form
from dynamix.errors import InvalidQueryError
from dynamix.expressions.nodes import Comparator, Condition
from dynamix.fields.base import Field
from dynamix.fields.elements import element_field
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")


class Wrapped(Field[V, T], Generic[V, T]):
    """A field around another, which has the values and the checks. Nothing of what is stored can be compared."""

    form = Form(lazy=True)  # that of an instance knows whether values can be edited in place
    sorts = False
    whole = True

    def __init__(self, inner: Any, **options: Any) -> None:
        self.inner = element_field(inner)
        self.form = Form(lazy=True, frozen=self.inner.own_form.frozen, empties=self.inner.own_form.empties)
        super().__init__(**options)

    def __set_name__(self, owner: type, attribute: str) -> None:
        super().__set_name__(owner, attribute)
        self.inner.place(attribute, str(self))

    def taken(self, value: Any) -> Any:
        return self.inner.taken(super().taken(value))

    @property
    def takes(self) -> bool:
        return self.inner.takes or super().takes

    def check(self, value: V) -> None:
        self.inner.encode(value)

    def to_wire(self, value: V) -> AttributeValue:
        return self._wrap(self.inner._literal(value))

    def from_wire(self, wire: AttributeValue) -> V:
        value: V = self.inner.from_wire(self._unwrap(wire))
        return value

    def _wrap(self, wire: AttributeValue) -> AttributeValue:
        """What is stored for the stored form of the field inside."""
        raise NotImplementedError

    def _unwrap(self, wire: AttributeValue) -> AttributeValue:
        """The stored form of the field inside. Raises ValueError (or whatever else) for what is none."""
        raise NotImplementedError

    def to_json(self, value: V) -> Any:
        return self.inner.to_json(value)

    def from_json(self, son: Any) -> V:
        return cast(V, self.inner.read_json(son))

    def json_schema(self) -> dict[str, Any]:
        return self.inner.described(nullable=False)

    def _compare(self, operator: Comparator, value: V) -> NoReturn:
        raise self._incomparable()

    def is_in(self, options: Iterable[V]) -> Condition:
        raise self._incomparable()

    def _incomparable(self) -> InvalidQueryError:
        return InvalidQueryError(
            f"{self} is a {type(self).__name__}, of whose values DynamoDB sees nothing; compare in the program, or "
            "ask for exists() or not_exists()"
        )
