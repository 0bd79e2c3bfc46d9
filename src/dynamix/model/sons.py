"""Models in JSON: what of one is chosen, what is shown and read of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from dynamix.errors import FieldValidationException, WrongTypeError, all_wrong
from dynamix.fields.base import Field
from dynamix.schema.index import AnyField
from dynamix.schema.table import Schema

Fields: TypeAlias = Iterable[Field[Any, Any] | str]
"""Fields, or the names of their attributes."""


def chosen(
    schema: Schema[Any], include: Fields | None, exclude: Fields, *, hidden: bool = False
) -> dict[str, AnyField]:
    """The fields that are named, by attribute, in the order of declaration; without `include`, all, but hidden ones
    only where `hidden` says so.

    Raises UnknownNameError for one that the model does not have.
    """
    if include is None and isinstance(exclude, tuple) and not exclude:
        return {name: field for name, field in schema.fields.items() if hidden or not field.hidden}
    left_out = {_attribute(schema, field) for field in exclude}
    if include is None:
        wanted = {name for name, field in schema.fields.items() if hidden or not field.hidden}
    else:
        wanted = {_attribute(schema, field) for field in include}
    return {name: field for name, field in schema.fields.items() if name in wanted - left_out}


def _attribute(schema: Schema[Any], field: Field[Any, Any] | str) -> str:
    return schema.field(field.attribute if isinstance(field, Field) else field).attribute


def printed(field: AnyField, value: Any) -> Any:
    """The JSON form of a value. Raises FieldValidationException."""
    if value is None:
        return None
    try:
        return field.to_json(value)
    except RecursionError as error:
        raise field.refusal(value, "it is nested too deep to be printed") from error


def read(field: AnyField, son: Any) -> Any:
    """The value that stands for this in JSON, looked at as if it were to be stored; None for null.

    Raises FieldValidationException.
    """
    try:
        value = field.taken(field.read_json(son))
        if value is not None and value != frozenset():
            field.encode(value)
    except RecursionError as error:
        raise field.refusal(son, "it is nested too deep to be read") from error
    return value


def read_all(schema: Schema[Any], son: object) -> dict[str, Any]:
    """The values of a JSON object, by attribute. Raises FieldValidationException, which tells of all that is wrong with
    it, and UnknownNameError."""
    if not isinstance(son, Mapping):
        raise WrongTypeError(
            f"a {schema.model_name} is made of a dict, as json.loads gives it, not of a {type(son).__name__}",
            field="",
            value=son,
        )
    values: dict[str, Any] = {}
    errors: list[FieldValidationException] = []
    for name, value in son.items():
        field = schema.field(name)
        try:
            values[name] = read(field, value)
        except FieldValidationException as error:
            errors.append(error)
    if errors:
        raise all_wrong(errors)
    return values
