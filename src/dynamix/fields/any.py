"""Values of any type, see `dynamix.codec.values`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.parsed import Free, free_value
from dynamix.codec.trees import tree
from dynamix.conditions import deeper
from dynamix.fields.base import Field
from dynamix.fields.element import Element
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.fields.refusals import checked_numbers
from dynamix.wire import AttributeValue

T = TypeVar("T")


class AnyField(Field[Any, T]):
    """Whatever DynamoDB can hold: str, int, float, Decimal, bytes, bool, dict, list or set.

    `Page.data["a"]` and `Page.data[0]` are elements, for conditions and changes, where it holds a map or a list.
    """

    form = Form(
        Free,
        "v.S if v.S is not None else free_value(v)",
        when="v is not None",
        write="encode_free(v, 0, float)",
        names={"encode_free": values.encode, "tree": tree, "free_value": free_value},
        lazy=True,
        empties=True,
        tree="tree(v, 0, float)",
    )

    free = True

    @overload
    def __init__(self: AnyField[Any], *, numbers: values.Numbers = ..., **options: Unpack[Present[Any]]) -> None: ...
    @overload
    def __init__(self: AnyField[Any], *, numbers: values.Numbers = ..., **options: Unpack[Derived[Any]]) -> None: ...
    @overload
    def __init__(
        self: AnyField[Any | None], *, numbers: values.Numbers = ..., **options: Unpack[Options[Any]]
    ) -> None: ...
    @overload
    def __init__(self: AnyField[Any], *, numbers: values.Numbers = ..., **options: Unpack[Defaulted[Any]]) -> None: ...
    def __init__(self, *, numbers: values.Numbers = float, **options: Any) -> None:
        super().__init__(**options)
        self.numbers = checked_numbers(numbers)
        if numbers is Decimal:
            self.form = self.form._replace(struct=None, read="")

    def __getitem__(self, part: str | int) -> Element:
        return Element(deeper(self._path(), part))

    def to_wire(self, value: Any) -> AttributeValue:
        return values.encode(value, 0, self.numbers)

    def from_wire(self, wire: AttributeValue) -> Any:
        return values.decode(wire, self.numbers)

    def from_json(self, son: Any) -> Any:
        return son

    @property
    def constrained(self) -> bool:
        return self.numbers is not float or super().constrained
