"""One of a few values."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, Unpack, overload

from dynamix.codec.forms import Form
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.members import Members
from dynamix.fields.options import Defaulted, Derived, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

L = TypeVar("L", bound=str | int)
T = TypeVar("T")


class LiteralField(Field[L, T], Generic[L, T]):
    """One of a few str or a few int: `LiteralField("draft", "published")`, stored as it is.

    With an annotation a type checker knows them: `state: LiteralField[State, State] = LiteralField("draft", ...)`,
    where State is a Literal. A stored value that is none of them is a StoredValueError, or reads as the one that
    `unknown` names, and is written back as it was stored while nobody sets another value.
    """

    form = Form(frozen=True)  # that of an instance knows its values
    whole = True

    @overload
    def __init__(
        self: LiteralField[L, L], *values: L, unknown: L | None = ..., **options: Unpack[HashKey[L]]
    ) -> None: ...
    @overload
    def __init__(
        self: LiteralField[L, L], *values: L, unknown: L | None = ..., **options: Unpack[RangeKey[L]]
    ) -> None: ...
    @overload
    def __init__(
        self: LiteralField[L, L], *values: L, unknown: L | None = ..., **options: Unpack[Present[L]]
    ) -> None: ...
    @overload
    def __init__(
        self: LiteralField[L, L], *values: L, unknown: L | None = ..., **options: Unpack[Defaulted[L]]
    ) -> None: ...
    @overload
    def __init__(
        self: LiteralField[L, L], *values: L, unknown: L | None = ..., **options: Unpack[Derived[L]]
    ) -> None: ...
    @overload
    def __init__(
        self: LiteralField[L, L | None], *values: L, unknown: L | None = ..., **options: Unpack[Options[L]]
    ) -> None: ...
    def __init__(self, *values: Any, unknown: Any = None, **options: Any) -> None:
        if any(type(value) not in (str, int) for value in values):
            raise ModelDefinitionError(f"a LiteralField takes str or int, not {values!r}")
        self.values = values
        self._known = Members("a LiteralField", {value: value for value in values}, unknown)
        kind = type(values[0]).__name__
        self.form = self._known.form(f"type(v) is {kind}", {})
        self.key_type = self._known.tag
        super().__init__(**options)

    def to_wire(self, value: L) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, type(self.values[0])):
            raise wrong_type(value, f"one of {', '.join(map(repr, self.values))}")
        return self._known.write(value)

    def from_wire(self, wire: AttributeValue) -> L:
        value: L = self._known.read(wire)
        return value

    def from_json(self, son: Any) -> L:
        value: L = self._known.of_json(son)
        return value

    def json_schema(self) -> dict[str, Any]:
        return self._known.json_schema()
