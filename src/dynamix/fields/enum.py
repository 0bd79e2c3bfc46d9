"""Members of an enumeration."""

from __future__ import annotations

from enum import Enum
from typing import Any, Generic, Literal, TypeVar, Unpack, overload

from dynamix.codec.forms import Form
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.members import Members
from dynamix.fields.options import Defaulted, Derived, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

E = TypeVar("E", bound=Enum)
T = TypeVar("T")


class EnumField(Field[E, T], Generic[E, T]):
    """A member of an enumeration, stored by its value (all str or all numbers), or with `by="name"` by its
    name.

    A stored value that is none of them is a StoredValueError, or with `unknown=Colour.OTHER` reads as that member, and
    is written back as it was stored while nobody sets another value.
    """

    form = Form(frozen=True)  # that of an instance knows its values
    whole = True

    @overload
    def __init__(
        self: EnumField[E, E],
        kind: type[E],
        *,
        by: Literal["value", "name"] = ...,
        unknown: E | None = ...,
        **options: Unpack[HashKey[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: EnumField[E, E],
        kind: type[E],
        *,
        by: Literal["value", "name"] = ...,
        unknown: E | None = ...,
        **options: Unpack[RangeKey[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: EnumField[E, E],
        kind: type[E],
        *,
        by: Literal["value", "name"] = ...,
        unknown: E | None = ...,
        **options: Unpack[Present[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: EnumField[E, E],
        kind: type[E],
        *,
        by: Literal["value", "name"] = ...,
        unknown: E | None = ...,
        **options: Unpack[Defaulted[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: EnumField[E, E],
        kind: type[E],
        *,
        by: Literal["value", "name"] = ...,
        unknown: E | None = ...,
        **options: Unpack[Derived[E]],
    ) -> None: ...
    @overload
    def __init__(
        self: EnumField[E, E | None],
        kind: type[E],
        *,
        by: Literal["value", "name"] = ...,
        unknown: E | None = ...,
        **options: Unpack[Options[E]],
    ) -> None: ...
    def __init__(
        self, kind: type[Any], *, by: Literal["value", "name"] = "value", unknown: Any = None, **options: Any
    ) -> None:
        if not (isinstance(kind, type) and issubclass(kind, Enum)):
            raise ModelDefinitionError(f"an EnumField takes an Enum class, not {kind!r}")
        if by not in ("value", "name"):
            raise ModelDefinitionError(f"by={by!r} is neither 'value' nor 'name'")
        self.kind = kind
        self.by = by
        self._known = Members(
            f"EnumField({kind.__name__}, by={by!r})", {member: getattr(member, by) for member in kind}, unknown
        )
        self.form = self._known.form(f"type(v) is kind_{id(kind)}", {f"kind_{id(kind)}": kind})
        self.key_type = self._known.tag
        self.ordered = issubclass(kind, str | int | float)
        self.sorts = self.ordered and by == "value"
        super().__init__(**options)

    def to_wire(self, value: E) -> AttributeValue:
        if not isinstance(value, self.kind):
            raise wrong_type(value, f"a {self.kind.__name__}")
        return self._known.write(value)

    def from_wire(self, wire: AttributeValue) -> E:
        member: E = self._known.read(wire)
        return member

    def from_json(self, son: Any) -> E:
        member: Any = son if isinstance(son, self.kind) else self._known.of_json(son)
        return member  # type: ignore[no-any-return]

    def json_schema(self) -> dict[str, Any]:
        return self._known.json_schema()
