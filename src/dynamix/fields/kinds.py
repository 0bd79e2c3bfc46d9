"""The classes whose instances are stored: nested models, dataclasses, attrs classes, msgspec Structs, pydantic models.

What other libraries made is known by what it has, so that none of them is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Struct

from dynamix.codec.forms import Form
from dynamix.codec.generated import dict_setter
from dynamix.codec.records import Making, record
from dynamix.codec.slot import Slot
from dynamix.errors import ModelDefinitionError
from dynamix.fields.annotations import MISSING, annotations_of, declared
from dynamix.fields.base import Field
from dynamix.fields.literal import LiteralField
from dynamix.fields.nested import NestedModel, nested_fields

Fields = Mapping[str, Field[Any, Any]]


class Kind(NamedTuple):
    """One class: its fields by attribute, and how instances are made of values by attribute.

    `look` is the function that makes them where the class checks its values; `checks` is whether it may refuse some.
    `mark` is how the class itself is told from others, None where it does not say.
    """

    of: type
    fields: Fields
    making: Making
    look: Callable[[dict[str, Any]], Any] | None = None
    checks: bool = False
    mark: str | None = None

    def make(self, values: dict[str, Any]) -> Any:
        """The instance of values by attribute. Raises whatever the class does."""
        match self.making:
            case "dict":
                instance: Any = object.__new__(self.of)
                dict_setter(self.of)(instance, values)
                return instance
            case "look":
                assert self.look is not None  # noqa: S101 - there is one with this way
                return self.look(values)
        return self.of(**values)

    def form(self) -> Form:
        """How generated code reads and writes instances."""
        return record(self.of, tuple(map(_slot, self.fields, self.fields.values())), self.making, self.look, self.check)

    @property
    def check(self) -> Callable[[Any], object] | None:
        """What refuses an instance that could not be made of its values, where there are such."""
        if not self.checks:
            return None
        return lambda instance: self.make({name: getattr(instance, name) for name in self.fields})

    def tag(self, attribute: str) -> str:
        """What stands for the class among others in an attribute of this name. Raises ModelDefinitionError."""
        field = self.fields.get(attribute)
        if field is None:
            return self.mark or self.of.__name__
        if not isinstance(field, LiteralField) or len(field.values) != 1 or not isinstance(field.values[0], str):
            raise ModelDefinitionError(
                f"{self.of.__name__}.{attribute} is to tell the class, so it has to have one value; declare it as "
                f"LiteralField({self.of.__name__.lower()!r}), or as Literal[{self.of.__name__.lower()!r}]"
            )
        return field.values[0]


def is_kind(model: Any) -> bool:
    """Whether a class is one of these."""
    if not isinstance(model, type) or model is NestedModel:
        return False
    return issubclass(model, NestedModel | Struct) or _is_dataclass(model) or _is_attrs(model) or _is_pydantic(model)


def _is_dataclass(model: type) -> bool:
    return hasattr(model, "__dataclass_fields__")


def _is_attrs(model: type) -> bool:
    return hasattr(model, "__attrs_attrs__")


def _is_pydantic(model: type) -> bool:
    return hasattr(model, "__pydantic_validator__") and hasattr(model, "model_fields")


def kind_of(model: type, *, item: bool = False) -> Kind:
    """What is known of such a class; of that of whole items, with `item`. Raises ModelDefinitionError for one that
    cannot be stored."""
    if issubclass(model, NestedModel):
        return Kind(model, nested_fields(model), "dict", mark=_mark(model))
    if _is_dataclass(model):
        return _called(model, _of_dataclass(model, item), mark=_mark(model))
    if issubclass(model, Struct):
        tag = model.__struct_config__.tag
        return _called(model, _of_struct(model, item), mark=tag if isinstance(tag, str) else _mark(model))
    if _is_attrs(model):
        return _of_attrs(model, item)
    return _of_pydantic(model, item)


def _mark(model: type) -> str | None:
    mark = vars(model).get("__tag__")
    if mark is not None and (not isinstance(mark, str) or not mark):
        raise ModelDefinitionError(f"{model.__name__}.__tag__ is {mark!r}; give a str, not empty")
    return mark


def _called(model: type, fields: Fields, mark: str | None) -> Kind:
    """A class whose instances are made by a call with all of its fields. Raises ModelDefinitionError where that is not
    enough."""
    import inspect  # which takes long, and few programs need here

    for name, parameter in inspect.signature(model).parameters.items():
        asked = parameter.default is parameter.empty and not parameter.kind.name.startswith("VAR_")
        if asked and name not in fields:
            raise ModelDefinitionError(
                f"{model.__name__} asks for {name} when it is made, which is none of its stored attributes; give it a "
                "default"
            )
    return Kind(model, fields, "call", checks=hasattr(model, "__post_init__"), mark=mark)


def _of_dataclass(model: Any, item: bool) -> Fields:
    import dataclasses  # as above: whoever has such a class has it already

    hints = annotations_of(model)
    fields = {}
    for each in dataclasses.fields(model):
        if each.init:
            default = each.default if each.default_factory is dataclasses.MISSING else each.default_factory
            given = default is not dataclasses.MISSING
            fields[each.name] = declared(model, each.name, hints[each.name], default if given else MISSING, item=item)
    return fields


def _of_struct(model: type[Struct], item: bool) -> Fields:
    hints, fields = annotations_of(model), {}
    for each in msgspec.structs.fields(model):
        default = each.default if each.default_factory is msgspec.NODEFAULT else each.default_factory
        given = default is not msgspec.NODEFAULT
        fields[each.name] = declared(model, each.name, hints[each.name], default if given else MISSING, item=item)
    return fields


def _of_attrs(model: Any, item: bool) -> Kind:
    """An attrs class, whose constructor may take values by other names."""
    hints, fields, aliases = annotations_of(model), {}, {}
    for each in model.__attrs_attrs__:
        if not each.init:
            continue
        if each.name not in hints:
            raise ModelDefinitionError(f"{model.__name__}.{each.name} has no annotation, from which its field follows")
        nothing = type(each.default).__name__ == "_Nothing"
        default = MISSING if nothing else getattr(each.default, "factory", each.default)
        fields[each.name] = declared(model, each.name, hints[each.name], default, item=item)
        aliases[each.name] = each.alias

    def look(values: dict[str, Any]) -> Any:
        return model(**{aliases[name]: value for name, value in values.items()})

    kind = _called(model, {aliases[name]: field for name, field in fields.items()}, _mark(model))
    return kind._replace(fields=fields, making="look", look=look, checks=True)


def _of_pydantic(model: Any, item: bool) -> Kind:
    """A pydantic model, which looks at the values itself, under the names by which it takes them."""
    if model.model_config.get("extra") == "allow":
        raise ModelDefinitionError(
            f"{model.__name__} allows values that it does not declare, which would not be stored; leave out "
            "extra='allow', or declare a DictField"
        )
    if model.__pydantic_root_model__:
        raise ModelDefinitionError(f"{model.__name__} has a root in place of attributes; give a model that has some")
    if not model.__pydantic_complete__:
        annotations_of(model)
    fields, aliases = {}, {}
    for name, each in model.model_fields.items():
        default = MISSING if each.is_required() else each.default_factory or each.default
        if each.default_factory is not None and getattr(each, "default_factory_takes_validated_data", False):
            default = None
        hint = Annotated[(each.annotation, *each.metadata)] if each.metadata else each.annotation
        fields[name] = declared(model, name, hint, default, item=item)
        if isinstance(each.validation_alias or each.alias, str):
            aliases[name] = each.validation_alias or each.alias
    validate = model.model_validate

    def look(values: dict[str, Any]) -> Any:
        return validate({aliases.get(name, name): value for name, value in values.items()})

    return Kind(model, fields, "look", look if aliases else validate, True, _mark(model))


def _slot(name: str, field: Field[Any, Any]) -> Slot:
    return Slot(
        attribute=name,
        name=field.name,
        form=field.own_form,
        encode=field.encode,
        decode=field.decode,
        respelled=field.respelled,
        constrained=field._lax,
        absent=field.when_absent if field.default is not None else None,
        required=field.required,
        null=field.null,
    )
