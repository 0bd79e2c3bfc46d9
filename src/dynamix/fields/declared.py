"""The fields that a class declares, itself and by what it inherits."""

from typing import Any

from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field


def declared_fields(model: type) -> dict[str, Field[Any, Any]]:
    """The fields of a class by attribute, inherited ones first. Raises ModelDefinitionError."""
    fields: dict[str, Field[Any, Any]] = {}
    for base in reversed(model.__mro__):
        for attribute, value in list(vars(base).items()):  # another thread may set what it has made on the class
            if isinstance(value, Field):
                if value.attribute != attribute:
                    raise ModelDefinitionError(
                        f"{model.__name__}.{attribute} is the same field as {value}; make a field of its own"
                    )
                fields[attribute] = value
            else:
                fields.pop(attribute, None)
    if len({field.name for field in fields.values()}) < len(fields):
        raise ModelDefinitionError(f"two fields of {model.__name__} are stored under one name")
    return fields
