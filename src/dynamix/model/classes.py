"""Classes of other libraries, as what is stored of them: dataclasses, attrs classes, msgspec Structs, pydantic models.

Each attribute is stored by a field, which follows from its annotation or stands in it (`Annotated[str, CharField()]`).
What an item lacks is the class's own default, an empty set, or None. Where something else than None would show for what
is not stored, None is stored as NULL. None of these libraries is imported: a class is known by what it has.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Container, Mapping
from contextvars import ContextVar
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from dynamix.codec.forms import Form
from dynamix.codec.state import NULL
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.any import AnyField
from dynamix.fields.base import Field
from dynamix.fields.dict import DictField
from dynamix.fields.elements import element_field
from dynamix.fields.list import ListField
from dynamix.fields.literal import LiteralField
from dynamix.fields.refusals import wrong_type
from dynamix.fields.set import SetField
from dynamix.wire import AttributeValue


class _Nothing(Enum):
    """What stands for no default."""

    NOTHING = "no default"


_NOTHING = _Nothing.NOTHING
_under_way: ContextVar[tuple[type, ...]] = ContextVar("under_way", default=())
"""The classes that are looked at, so that one that has itself inside is noticed."""


class LackingError(KeyError):
    """An attribute without a default has no value."""


class TupleField(ListField[Any]):
    """A tuple, stored as a list."""

    def from_wire(self, wire: AttributeValue) -> Any:
        return tuple(super().from_wire(wire))


class FrozenSetField(SetField[Any]):
    """A frozenset, stored as a set."""

    def from_wire(self, wire: AttributeValue) -> Any:
        return frozenset(super().from_wire(wire))


_SEVERAL: dict[Any, Any] = {
    list: ListField,
    tuple: TupleField,
    set: SetField,
    frozenset: FrozenSetField,
    dict: DictField,
}


class Attribute(NamedTuple):
    """One attribute of a class: its field, whether it may be None, and whether the class has a default."""

    field: Field[Any, Any]
    optional: bool
    has_default: bool

    @property
    def empty(self) -> Any:
        """What stands for nothing stored, where that is an empty set."""
        if self.optional or not isinstance(self.field, SetField):
            return None
        return frozenset() if isinstance(self.field, FrozenSetField) else set()


class Stored(NamedTuple):
    """A class whose instances are stored: its attributes by name, and how an instance is made of their values."""

    of: type
    attributes: Mapping[str, Attribute]
    make: Callable[[dict[str, Any]], Any]

    def values(self, instance: Any) -> dict[str, Any]:
        """What is to be stored of an instance, by attribute. Raises FieldValidationException for an empty set that
        would be read back as None or as the class's default."""
        values: dict[str, Any] = {}
        for name, attribute in self.attributes.items():
            values[name] = value = getattr(instance, name)
            if value == frozenset() and isinstance(value, set | frozenset) and attribute.empty is None:
                raise attribute.field.refusal(
                    value, "an empty set is not stored, and would be read back as something else; give None"
                )
        return values

    def instance(self, found: Mapping[str, Any], nulls: Container[str]) -> Any:
        """The instance of what was read, and of what is stored as NULL. Raises LackingError for an attribute that
        has to have a value and has none, and whatever the class raises."""
        values = {}
        for name, attribute in self.attributes.items():
            value = found.get(name)
            if value is None and not (name in nulls and attribute.optional):
                value = attribute.empty
                if value is None and attribute.has_default:
                    continue
                if value is None and not attribute.optional:
                    raise LackingError(name)
            values[name] = value
        return self.make(values)


class NestedField(Field[Any, Any]):
    """An instance of such a class inside another one, stored as a map."""

    form = Form(lazy=True)
    sorts = False
    whole = True

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self._stored = stored

    def to_wire(self, value: Any) -> AttributeValue:
        if type(value) is not self._stored.of:
            raise wrong_type(value, f"a {self._stored.of.__name__}")
        item = {}
        for name, held in self._stored.values(value).items():
            field = self._stored.attributes[name].field
            if held is None and field.null:
                item[field.name] = NULL
            elif not (held is None or held == frozenset()) or field.required:
                item[field.name] = field.encode(held)
        return {"M": item}

    def from_wire(self, wire: AttributeValue) -> Any:
        fields = {name: attribute.field for name, attribute in self._stored.attributes.items()}
        forms = {name: wire["M"][field.name] for name, field in fields.items() if field.name in wire["M"]}
        nulls = [name for name, form in forms.items() if form == NULL]
        try:
            return self._stored.instance({name: fields[name].decode(form) for name, form in forms.items()}, nulls)
        except LackingError as error:
            raise UnstorableError(f"it has no {error}") from error


def stored_class(model: Any) -> Stored:
    """What is known of a class. Raises ModelDefinitionError for one that cannot be stored."""
    if model in _under_way.get():
        raise ModelDefinitionError(f"{model.__name__} has itself inside; what is nested without end is a dict")
    if isinstance(model, type):
        for name, of in _OF.items():
            if hasattr(model, name):
                token = _under_way.set((*_under_way.get(), model))
                try:
                    return of(model)
                finally:
                    _under_way.reset(token)
    raise ModelDefinitionError(
        f"{model!r} is no class that can be stored; give a dataclass, an attrs class, a msgspec Struct or a model of "
        "pydantic"
    )


def _is_class(model: Any) -> bool:
    """Whether a class is one of these."""
    return isinstance(model, type) and any(hasattr(model, name) for name in _OF)


def _of_dataclass(model: Any) -> Stored:
    hints, attributes = _hints(model), {}
    for each in dataclasses.fields(model):
        if each.init:
            default = each.default if each.default_factory is dataclasses.MISSING else each.default_factory
            attributes[each.name] = _attribute(
                model, each.name, hints[each.name], _NOTHING if default is dataclasses.MISSING else default
            )
    return _called(model, attributes, {})


def _of_struct(model: type[msgspec.Struct]) -> Stored:
    hints, attributes = _hints(model), {}
    for each in msgspec.structs.fields(model):
        default = each.default if each.default_factory is msgspec.NODEFAULT else each.default_factory
        attributes[each.name] = _attribute(
            model, each.name, hints[each.name], _NOTHING if default is msgspec.NODEFAULT else default
        )
    return _called(model, attributes, {})


def _of_attrs(model: Any) -> Stored:
    hints, attributes, aliases = _hints(model), {}, {}
    for each in model.__attrs_attrs__:
        if not each.init:
            continue
        if each.name not in hints:
            raise ModelDefinitionError(f"{model.__name__}.{each.name} has no annotation, from which its field follows")
        nothing = type(each.default).__name__ == "_Nothing"
        attributes[each.name] = _attribute(model, each.name, hints[each.name], _NOTHING if nothing else each.default)
        aliases[each.name] = each.alias
    return _called(model, attributes, aliases)


def _of_pydantic(model: Any) -> Stored:
    """A model of pydantic, which looks at the values itself whenever an instance is made."""
    if model.model_config.get("extra") == "allow":
        raise ModelDefinitionError(
            f"{model.__name__} allows values that it does not declare, which would not be stored; leave out "
            "extra='allow', or declare a dict"
        )
    if model.__pydantic_root_model__:
        raise ModelDefinitionError(f"{model.__name__} has a root in place of attributes; give a model that has some")
    attributes = {}
    for name, each in model.model_fields.items():
        hint = Annotated[(each.annotation, *each.metadata)] if each.metadata else each.annotation
        factory = each.default_factory
        default = _NOTHING if each.is_required() else each.default if factory is None else factory
        attributes[name] = _attribute(model, name, hint, default)
    return Stored(model, attributes, partial(model.model_validate, by_name=True, by_alias=False))


_OF: dict[str, Callable[[Any], Stored]] = {
    "__pydantic_root_model__": _of_pydantic,
    "__attrs_attrs__": _of_attrs,
    "__dataclass_fields__": _of_dataclass,
    "__struct_fields__": _of_struct,
}
"""What makes it known of the classes that have an attribute of this name; first those that also have one of a later."""


def _called(model: Any, attributes: dict[str, Attribute], aliases: Mapping[str, str]) -> Stored:
    """A class whose instances are made by a call, under the names that it takes. Raises ModelDefinitionError where it
    asks for more than is stored."""
    known = {aliases.get(name, name) for name in attributes}
    for name, parameter in inspect.signature(model).parameters.items():
        if name not in known and parameter.default is parameter.empty and not parameter.kind.name.startswith("VAR_"):
            raise ModelDefinitionError(
                f"{model.__name__} asks for {name} when it is made, which is none of its stored attributes; give it a "
                "default"
            )

    def make(values: dict[str, Any]) -> Any:
        return model(**{aliases.get(name, name): value for name, value in values.items()})

    return Stored(model, attributes, make)


def _hints(model: type) -> dict[str, Any]:
    """The annotations of a class, what they name put in. Raises ModelDefinitionError where something is not there."""
    try:
        return get_type_hints(model, include_extras=True)
    except (NameError, AttributeError) as error:
        raise ModelDefinitionError(
            f"the annotations of {model.__name__} name what is not there: {error}; declare it in the module, before"
        ) from error


def _attribute(model: type, name: str, hint: Any, default: Any) -> Attribute:
    """What is known of one attribute. Raises ModelDefinitionError for an annotation that no field stands for."""
    inner, optional = _without_none(hint)
    try:
        field = _field(inner)
        if field.default is not None or field.default_using_instance is not None:
            raise ModelDefinitionError("a default is the class's own; leave it out of the field")
    except ModelDefinitionError as error:
        raise ModelDefinitionError(f"{model.__name__}.{name}: {error}") from error
    field.__set_name__(model, name)
    field.required = not optional and not isinstance(field, SetField)
    field.null = optional and default is not None and default is not _NOTHING
    return Attribute(field, optional, default is not _NOTHING)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """An annotation without `| None`, and whether it had that."""
    hint = _meant(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        inner, optional = _without_none(args[0])
        return Annotated[(inner, *args[1:])], optional
    if origin in (Union, types.UnionType) and type(None) in args:
        return Union[tuple(arg for arg in args if arg is not type(None))], True  # noqa: UP007 - of any number
    if origin is Literal and None in args:
        return Literal[tuple(arg for arg in args if arg is not None)], True
    return hint, hint is Any or hint is object


def _meant(hint: Any) -> Any:
    """What an alias or a NewType stands for."""
    while (meant := getattr(hint, "__value__", getattr(hint, "__supertype__", None))) is not None:
        hint = meant
    return hint


def _field(hint: Any) -> Field[Any, Any]:
    """The field of an annotation. Raises ModelDefinitionError."""
    hint = _meant(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        given = [each for each in args[1:] if isinstance(each, Field)]
        return given[-1].placed("", "") if given else _field(args[0])
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
    if _is_class(hint):
        return NestedField(stored_class(hint))
    try:
        return element_field(None if isinstance(hint, Field) else hint)
    except (ModelDefinitionError, TypeError) as error:
        raise ModelDefinitionError(
            f"no field follows from {hint!r}; say how it is stored, as in Annotated[..., JSONField()]"
        ) from error


def _element(hint: Any) -> Field[Any, Any]:
    """The field of an element, which may be NULL where the annotation has None."""
    inner, optional = _without_none(hint)
    field = _field(inner)
    field.null = optional
    return field
