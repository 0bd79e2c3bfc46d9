"""Keys that are computed from other fields, made of the values of these: `get(user_id="1")` for `get(pk="USER#1")`.

A part is given as a value of its field, by the name of its attribute. What is given as a key itself stays as it is.
"""

from collections.abc import Mapping
from typing import Any

from dynamix.errors import MissingKeyError, UnknownNameError
from dynamix.fields.computed import ComputedField
from dynamix.schema.index import AnyField, Index


def composed(model: str, table: Index, fields: Mapping[str, AnyField], given: Mapping[str, Any]) -> dict[str, Any]:
    """The key, by attribute, that names and values make. Raises MissingKeyError or FieldValidationException.

    Names that are neither a key nor a part that is used are refused by UnknownNameError.
    """
    keys = {field.attribute for field in table.keys}
    key = {name: value for name, value in given.items() if name in keys}  # names that carry a stored form stay so
    used = set(key)
    for field in table.keys:
        if isinstance(field, ComputedField) and field.attribute not in key:
            key[field.attribute] = made(field, fields, given)
            used.update(field.parts)
    for name in given:
        if name not in used:
            raise UnknownNameError(f"{model}.{name} is not part of the key; give {shown(table)} only")
    return key


def made(field: ComputedField[Any, Any], fields: Mapping[str, AnyField], given: Mapping[str, Any]) -> Any:
    """What the parts that were given make of a key. Raises MissingKeyError or FieldValidationException."""
    values = {part: checked(field, fields[part], given.get(part)) for part in field.parts}
    return field.computed(fields, values)


def checked(field: AnyField, part: AnyField, value: Any) -> Any:
    """The value of a part as an instance holds it. Raises MissingKeyError or FieldValidationException."""
    if value is None:
        raise MissingKeyError(
            f"{field}, a key, is made of {part}, which has no value; give {part.attribute}=... or "
            f"{field.attribute}=...",
            field=part.attribute,
            reason="a value is required",
        )
    value = part.taken(value)
    part.encode(value)
    return value


def shown(table: Index) -> str:
    """The names by which a key is given, as people read them."""
    names = []
    for field in table.keys:
        parts = [repr(part) for part in field.parts] if isinstance(field, ComputedField) else []
        names.append(f"{field.attribute!r} (or {', '.join(parts)})" if parts else repr(field.attribute))
    return " and ".join(names)
