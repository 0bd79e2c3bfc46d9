"""Fields that are computed from others of the same item, and stay in step with them.

Nobody sets them. A new instance has what its parts make; whoever sets a part of a stored item sets what is computed
from it in the same update, which is made only while the other parts are as they were loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar, Unpack, cast, overload

from dynamix.errors import FieldValidationException, InvalidUpdateError, ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.collection import Of
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.elements import element_field
from dynamix.fields.options import HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import shown
from dynamix.fields.version import VersionField
from dynamix.interrupts import let_pass
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")


Function: TypeAlias = Callable[[Any], V] | Callable[[Any, Any], V] | Callable[[Any, Any, Any], V] | Callable[..., V]
"""What is called with the values of parts. The first three let a type checker know of a lambda's arguments."""


class ComputedField(Field[V, T], Generic[V, T]):
    """What a function makes of other fields, as in `ComputedField(str, lambda a, b: f"{a} {b}", "first", "last")`.

    The function is called with their values, in order, and makes a value of `inner`; it must make the same of the same.
    Where one of them is missing, so is this field. It can be a key.
    """

    constant = False
    """Whether it may be computed from nothing, and always be the same."""

    @overload
    def __init__(
        self: ComputedField[V, V],
        inner: Of[V],
        function: Function[V | None],
        *parts: str,
        **options: Unpack[HashKey[V]],
    ) -> None: ...
    @overload
    def __init__(
        self: ComputedField[V, V],
        inner: Of[V],
        function: Function[V | None],
        *parts: str,
        **options: Unpack[RangeKey[V]],
    ) -> None: ...
    @overload
    def __init__(
        self: ComputedField[V, V],
        inner: Of[V],
        function: Function[V | None],
        *parts: str,
        **options: Unpack[Present[V]],
    ) -> None: ...
    @overload
    def __init__(
        self: ComputedField[V, V | None],
        inner: Of[V],
        function: Function[V | None],
        *parts: str,
        **options: Unpack[Options[V]],
    ) -> None: ...
    def __init__(self, inner: Any, function: Callable[..., Any], *parts: str, **options: Any) -> None:
        self.inner = element_field(inner)
        self.function = function
        self.parts = parts
        named = all(isinstance(part, str) and part for part in parts) and (parts or self.constant)
        if not callable(function) or not named:
            raise ModelDefinitionError(
                f"a {type(self).__name__} takes a function and the names of one or more fields, not {function!r} and "
                f"{parts!r}"
            )
        if options.get("default") is not None or options.get("default_using_instance") is not None:
            raise ModelDefinitionError(f"a {type(self).__name__} has no default: it is computed")
        self.key_type, self.sorts, self.ordered = self.inner.key_type, self.inner.sorts, self.inner.ordered
        self.whole, self.draft = self.inner.whole, self.inner.draft  # type: ignore[misc]
        super().__init__(**options)
        self.form = self.inner.own_form

    def __set_name__(self, owner: type, attribute: str) -> None:
        super().__set_name__(owner, attribute)
        self.inner.place(attribute, str(self))

    def to_wire(self, value: V) -> AttributeValue:
        return self.inner._literal(value)

    def from_wire(self, wire: AttributeValue) -> V:
        value: V = self.inner.from_wire(wire)
        return value

    def part_to_wire(self, part: Any) -> AttributeValue:
        return self.inner.part_to_wire(part)

    def check(self, value: V) -> None:
        self.inner.encode(value)

    def to_json(self, value: V) -> Any:
        return self.inner.to_json(value)

    def from_json(self, son: Any) -> V:
        return cast(V, self.inner.read_json(son))

    def json_schema(self) -> dict[str, Any]:
        return {**self.inner.described(nullable=False), "readOnly": True}

    @property
    def constrained(self) -> bool:
        return self.inner.constrained or super().constrained

    @property
    def has_default(self) -> bool:
        return True

    def default_for(self, instance: object) -> Any:
        fields = {part: getattr(type(instance), part) for part in self.parts}
        return self.computed(fields, vars(instance))

    def part_fields(self, fields: Mapping[str, Any]) -> list[Field[Any, Any]]:
        """The fields that it is computed from, of those of a model. Raises ModelDefinitionError."""
        found = []
        for part in self.parts:
            field = fields.get(part)
            if field is None:
                raise ModelDefinitionError(f"{self} is computed from {part!r}, which is no field of the model")
            if field.is_own and not field.own_form.frozen:
                raise ModelDefinitionError(
                    f"{self} is computed from {field}, whose values may be edited in place for all that is known; if "
                    f"they cannot be, give {type(field).__name__} a form = Form(frozen=True)"
                )
            fit = field.own_form.frozen and not isinstance(field, VersionField | ComputedField)
            if not fit or (isinstance(field, DateTimeField) and field.auto_now):
                raise ModelDefinitionError(
                    f"{self} is computed from {field}, a {type(field).__name__} that is changed otherwise than set"
                )
            found.append(field)
        return found

    def check_order(self, fields: Mapping[str, Any]) -> None:
        """Refuse, by ModelDefinitionError, parts by which a sort key would not sort."""

    def computed(self, fields: Mapping[str, Any], values: Mapping[str, Any]) -> V | None:
        """What the values of the parts make; None where one is missing. Raises FieldValidationException."""
        given = [values.get(part) for part in self.parts]
        if any(value is None for value in given):
            return None
        try:
            return self._made([fields[part] for part in self.parts], given)
        except FieldValidationException:
            raise
        except Exception as error:
            let_pass(error)
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            raise FieldValidationException(
                f"{self} cannot be computed from {', '.join(map(shown, given))}: {reason}",
                field=self.attribute,
                reason=reason,
            ) from error

    def _made(self, fields: list[Field[Any, Any]], given: list[Any]) -> V | None:
        made: V | None = self.function(*map(_as_read, fields, given))
        return made if made is None else cast("V | None", _as_read(self.inner, made))

    def unsettable(self) -> InvalidUpdateError:
        """The error for a change of what is computed."""
        return InvalidUpdateError(f"{self} is computed from {', '.join(self.parts)}; set these instead")

    def check_in_step(self, fields: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Refuse an item whose value is not what its parts make. Raises FieldValidationException."""
        value, made = values.get(self.attribute), self.computed(fields, values)
        if value != made:
            lacking = [part for part in self.parts if values.get(part) is None]
            reason = f"{lacking[0]} has no value" if lacking else f"its parts make {shown(made)}"
            raise self.refusal(value, f"it is computed from {', '.join(self.parts)}, and {reason}")


def _as_read(field: Field[Any, Any], value: Any) -> Any:
    """A value as it is read back, of which the same is computed as of that one: a time in UTC, a number as its field
    reads it. What cannot be stored is left to the checks of its field."""
    try:
        return field.decode(field._literal(value))
    except FieldValidationException:
        return value
