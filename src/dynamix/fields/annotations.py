"""From annotations to fields: what the attributes of dataclasses and of other libraries' classes are stored as."""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from dynamix.errors import ModelDefinitionError
from dynamix.fields.any import AnyField
from dynamix.fields.base import Field
from dynamix.fields.dict import DictField
from dynamix.fields.elements import element_field
from dynamix.fields.list import ListField
from dynamix.fields.literal import LiteralField
from dynamix.fields.set import SetField
from dynamix.wire import AttributeValue


class _Missing(Enum):
    """What stands for no default; an enum's member stays itself."""

    MISSING = "no default"


MISSING = _Missing.MISSING


class TupleField(ListField[Any]):
    """A tuple, stored as a list."""

    native = tuple

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return tuple(value) if isinstance(value, list) else value

    def from_wire(self, wire: AttributeValue) -> Any:
        return tuple(super().from_wire(wire))

    def from_json(self, son: Any) -> Any:
        return self.taken(super().from_json(son))

    def json_schema(self) -> dict[str, Any]:
        return super().json_schema()  # the same, though what is read is of another type


class FrozenSetField(SetField[Any]):
    """A frozenset, stored as a set."""

    native = frozenset

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return frozenset(value) if isinstance(value, set) else value

    def from_wire(self, wire: AttributeValue) -> Any:
        return frozenset(super().from_wire(wire))

    def from_json(self, son: Any) -> Any:
        return self.taken(super().from_json(son))

    def json_schema(self) -> dict[str, Any]:
        return super().json_schema()  # the same, though what is read is of another type

    def when_absent(self) -> Any:
        empty = super().when_absent()
        return None if empty is None else frozenset(empty)


_SEVERAL: dict[Any, Any] = {
    list: ListField,
    tuple: TupleField,
    set: SetField,
    frozenset: FrozenSetField,
    dict: DictField,
}


def annotations_of(model: type) -> dict[str, Any]:
    """The annotations of a class, what they name put in. Raises ModelDefinitionError where something is not there."""
    try:
        return get_type_hints(model, include_extras=True)
    except (NameError, AttributeError) as error:
        raise ModelDefinitionError(
            f"the annotations of {model.__name__} name what is not there: {error}; declare it before, in the module"
        ) from error


def declared(model: type, name: str, hint: Any, default: Any, *, item: bool = False) -> Field[Any, Any]:
    """The field of an attribute with this annotation. None is what is not stored, or where something else shows for
    that, a NULL. A field that stands in the annotation of an attribute of a whole `item` may be indexed, and hold times
    of its own. Raises ModelDefinitionError for what no field holds."""
    inner, optional = _without_none(hint)
    given = _given(inner) if item else None
    try:
        field = _field(inner) if given is None else given.placed("", "")
        if field.default is not None or field.default_using_instance is not None:
            raise ModelDefinitionError("a default is the class's own; leave it out of the field")
    except ModelDefinitionError as error:
        raise ModelDefinitionError(
            f"{model.__name__}.{name}: {error}; or annotate it with a field, Annotated[..., IntegerField()]"
        ) from error
    if default is MISSING and isinstance(field, SetField) and not optional:
        default = set  # an empty set is not stored
    shows = None if default is MISSING else default
    field.default = shows
    field.required = not optional and not field.own_form.empties
    field.null = optional and shows is not None
    field.__set_name__(model, name)
    return field


def _without_none(hint: Any) -> tuple[Any, bool]:
    """An annotation without `| None`, and whether it had that."""
    hint = _meant(hint)
    if get_origin(hint) is Literal and None in get_args(hint):
        return Literal[tuple(arg for arg in get_args(hint) if arg is not None)], True
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        inner, optional = _without_none(inner)
        return Annotated[(inner, *metadata)], optional
    if get_origin(hint) in (Union, types.UnionType):
        kept = tuple(arg for arg in get_args(hint) if arg is not type(None))
        if len(kept) < len(get_args(hint)):
            return Union[kept], True  # noqa: UP007 - of any number of types
    return hint, hint is Any or hint is object


def _meant(hint: Any) -> Any:
    """What an alias or a NewType stands for."""
    while (meant := getattr(hint, "__value__", getattr(hint, "__supertype__", None))) is not None:
        hint = meant
    return hint


def _given(hint: Any) -> Field[Any, Any] | None:
    """The field that stands in an annotation, if one does."""
    given = [each for each in get_args(hint)[1:] if isinstance(each, Field)] if get_origin(hint) is Annotated else []
    return given[-1] if given else None


def _field(hint: Any) -> Field[Any, Any]:
    """The field of an annotation. Raises ModelDefinitionError."""
    hint = _meant(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        given = _given(hint)
        return _field(args[0]) if given is None else element_field(given)
    if hint is Any or hint is object:
        return AnyField()
    if origin is Literal:
        return LiteralField(*args)
    if origin is dict and _meant(args[0]) is str:
        args = args[1:]
    elif origin is tuple and args[1:] == (...,):
        args = args[:1]
    if (origin or hint) in _SEVERAL and len(args) < 2:
        kind = _SEVERAL[origin or hint]
        several: Field[Any, Any] = kind() if args in ((), (Any,)) else kind(of=_element(*args))
        return several
    if origin in (Union, types.UnionType):
        raise ModelDefinitionError(f"{hint} is of several types; say how it is stored: Annotated[..., AnyField()]")
    if isinstance(hint, Field):
        raise ModelDefinitionError(f"{hint!r} is no annotation")
    return element_field(hint)


def _element(hint: Any) -> Field[Any, Any]:
    """The field of an element, which may be NULL where the annotation has None."""
    inner, optional = _without_none(hint)
    field = _field(inner)
    field.null = optional
    return field
