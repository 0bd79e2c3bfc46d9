"""The JSON schema of an object that stands for an instance, made of those of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

from dynamix.errors import ValidationException
from dynamix.fields.base import Field
from dynamix.interrupts import let_pass

Mode: TypeAlias = Literal["validation", "serialization"]
"""What a JSON schema describes: what is taken, or what is given."""


def object_schema(
    model: type[Any], fields: Mapping[str, Field[Any, Any]], mode: Mode, *, partial: bool = False
) -> dict[str, Any]:
    """The JSON schema of objects with these fields of a class, by attribute; in `partial` ones, all may be missing."""
    if mode not in get_args(Mode):
        raise ValidationException(f"mode={mode!r} is neither 'validation' nor 'serialization'")
    described: dict[str, Any] = {"title": model.__name__, "type": "object"}
    document = vars(model).get("__doc__")
    if isinstance(document, str) and document and not document.startswith(f"{model.__name__}("):  # as dataclasses do
        from inspect import cleandoc  # which most programs never need

        described["description"] = cleandoc(document)
    described["properties"] = {name: _property(field, mode, partial) for name, field in fields.items()}
    required = [name for name, field in fields.items() if mode == "serialization" or needed(field)]
    if required and not partial:
        described["required"] = required
    return {**described, "additionalProperties": False}


def needed(field: Field[Any, Any]) -> bool:
    """Whether a new instance has to be given a value."""
    return field.required and not field.has_default


def _property(field: Field[Any, Any], mode: Mode, partial: bool) -> dict[str, Any]:
    described = field.described(nullable=not field.required and (partial or field.null or field.default is None))
    if field.hidden and mode == "validation":
        described["writeOnly"] = True
    if field.default is not None and not (callable(field.default) or field.hidden or partial):
        try:
            described["default"] = field.to_json(field.fresh_default())
        except Exception as error:  # a default that no item could hold is refused where an instance is made of it
            let_pass(error)
    return described
