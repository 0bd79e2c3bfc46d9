"""From annotations to fields: what the attributes of dataclasses, pydantic models and msgspec Structs are stored as."""

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


class _Missing(Enum):
    """What stands for no default; an enum's member stays itself."""

    MISSING = "no default"


MISSING = _Missing.MISSING
_BARE: dict[Any, type[Field[Any, Any]]] = {list: ListField, dict: DictField, set: SetField}


def annotations_of(model: type) -> dict[str, Any]:
    """The annotations of a class, what they name put in. Raises ModelDefinitionError where something is not there."""
    try:
        return get_type_hints(model, include_extras=True)
    except (NameError, AttributeError) as error:
        raise ModelDefinitionError(
            f"the annotations of {model.__name__} name what is not there: {error}; declare it before, in the module"
        ) from error


def declared(model: type, name: str, hint: Any, default: Any, metadata: tuple[Any, ...] = ()) -> Field[Any, Any]:
    """The field of an attribute with this annotation. None is what is not stored, or where something else shows for
    that, a NULL. Raises ModelDefinitionError for what no field holds."""
    inner, optional = _without_none(hint)
    given = [each for each in metadata if isinstance(each, Field)]
    try:
        field = element_field(given[-1]) if given else _field(inner)
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
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        inner, optional = _without_none(inner)
        return Annotated[(inner, *metadata)], optional
    if get_origin(hint) in (Union, types.UnionType):
        kept = tuple(arg for arg in get_args(hint) if arg is not type(None))
        if len(kept) < len(get_args(hint)):
            return Union[kept], True  # noqa: UP007 - of any number of types
    return hint, hint is Any or hint is object


def _field(hint: Any) -> Field[Any, Any]:
    """The field of an annotation. Raises ModelDefinitionError."""
    hint = getattr(hint, "__value__", getattr(hint, "__supertype__", hint))
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        given = [each for each in args[1:] if isinstance(each, Field)]
        return element_field(given[-1]) if given else _field(args[0])
    if hint is Any or hint is object:
        return AnyField()
    if origin is Literal:
        return LiteralField(*args)
    if hint in _BARE:
        return _BARE[hint]()
    if origin is list:
        return ListField(of=_element(args[0])) if args[0] is not Any else ListField()
    if origin is set:
        return SetField(of=_element(args[0])) if args[0] is not Any else SetField()
    if origin is dict and args[0] is str:
        return DictField(of=_element(args[1])) if args[1] is not Any else DictField()
    if isinstance(hint, Field):
        raise ModelDefinitionError(f"{hint!r} is no annotation")
    return element_field(hint)


def _element(hint: Any) -> Field[Any, Any]:
    """The field of an element, which may be NULL where the annotation has None."""
    inner, optional = _without_none(hint)
    field = _field(inner)
    field.null = optional
    return field
