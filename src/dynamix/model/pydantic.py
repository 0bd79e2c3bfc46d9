"""Models as pydantic has them: fields of its models, and the bodies and responses of FastAPI.

Nothing here is imported before pydantic asks a model, or a `ValuesOf`, how it is validated. Values are read and
checked by the fields themselves, as `from_son` does it, and what they refuse becomes an error of pydantic with the
field's name. Source: pydantic's documentation, "Custom types".
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from dynamix.errors import FieldValidationException, WrongTypeError
from dynamix.fields.objects import needed
from dynamix.model import sons
from dynamix.model.running import schema_of
from dynamix.schema.index import AnyField
from dynamix.schema.table import Schema

_PARTS = re.compile(r"""\[(\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]|([^.\[\]]+)""")
"""The parts of the name of what is inside a field."""


def of_model(model: type[Any]) -> CoreSchema:
    """How instances of a model are validated and serialized: they are taken as they are, and made of dicts."""
    schema = schema_of(model)
    fields = schema.fields
    made = core_schema.no_info_after_validator_function(partial(_instance, schema), of_values(fields, partly=False))

    def instance(value: Any, make: Any) -> Any:
        return value if isinstance(value, model) else make(value)

    return core_schema.no_info_wrap_validator_function(
        instance,
        made,
        ref=f"{model.__module__}.{model.__qualname__}:{id(model)}",
        serialization=core_schema.wrap_serializer_function_ser_schema(
            lambda instance, serialize: serialize(_shown(schema, instance)),
            schema=core_schema.typed_dict_schema(_serialized(fields), total=False),
        ),
    )


def of_values(fields: Mapping[str, AnyField], *, partly: bool) -> CoreSchema:
    """How a dict of values of these fields is validated and serialized; `partly`: none of them has to be there."""
    return core_schema.typed_dict_schema(
        {
            name: core_schema.typed_dict_field(
                core_schema.no_info_plain_validator_function(partial(_read, field), serialization=_printing(field)),
                required=needed(field) and not partly,
            )
            for name, field in fields.items()
        },
        extra_behavior="forbid",
    )


def _serialized(fields: Mapping[str, AnyField]) -> dict[str, core_schema.TypedDictField]:
    return {
        name: core_schema.typed_dict_field(core_schema.any_schema(serialization=_printing(field)))
        for name, field in fields.items()
    }


def _printing(field: AnyField) -> core_schema.SerSchema:
    """How a value is serialized: as `to_son` shows it in JSON, as it is in Python."""
    return core_schema.plain_serializer_function_ser_schema(partial(sons.printed, field), when_used="json")


def _read(field: AnyField, son: Any) -> Any:
    """The value that stands for this. Raises PydanticCustomError, and ValidationError where parts of it are wrong."""
    try:
        value = sons.read(field, son)
        if value is None and needed(field):
            field.encode(value)
    except FieldValidationException as error:
        if error.field == field.attribute and not error.others:
            raise _told(error) from error
        _raise(str(field), error, lambda one: _place(one.field)[1:])
    return value


def _instance(schema: Schema[Any], values: dict[str, Any]) -> Any:
    """The instance with these values, as it could be stored. Raises ValidationError."""
    try:
        instance = schema.model(**values)
        schema.whole.item(schema.read_all(vars(instance)))
    except FieldValidationException as error:
        _raise(schema.model_name, error, lambda one: _place(one.field))
    return instance


def _raise(
    title: str, error: FieldValidationException, place: Callable[[FieldValidationException], tuple[int | str, ...]]
) -> NoReturn:
    """Raise a ValidationError of all that an error tells, each with its place."""
    lines = [InitErrorDetails(type=_told(one), loc=place(one), input=one.value) for one in (error, *error.others)]
    raise ValidationError.from_exception_data(title, lines) from error


def _place(field: str) -> tuple[int | str, ...]:
    """The place of a field by its name, such as `ways[0].number` or `homes['first'].city`."""
    return tuple(name or literal_eval(part) for part, name in _PARTS.findall(field))


def _told(error: FieldValidationException) -> PydanticCustomError:
    kind = "wrong_type" if isinstance(error, WrongTypeError) else "invalid_value"
    return PydanticCustomError(kind, error.reason)


def _shown(schema: Schema[Any], instance: Any) -> dict[str, Any]:
    """The values of an instance, but for hidden fields. Raises StoredValueError."""
    return schema.shown(schema.read_all(vars(instance)), hidden=False)
