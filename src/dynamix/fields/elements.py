"""What values inside another field may be declared as: a Python type, an Enum, a class of models, or a field."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any
from uuid import UUID

from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field

_KINDS: dict[Any, str] = {
    str: "CharField",
    int: "IntegerField",
    float: "FloatField",
    bool: "BooleanField",
    bytes: "BinaryField",
    Decimal: "DecimalField",
    datetime: "DateTimeField",
    date: "DateField",
    time: "TimeField",
    timedelta: "TimeDeltaField",
    UUID: "UUIDField",
}


def element_field(of: Any) -> Field[Any, Any]:
    """The field that converts what is inside another. Raises ModelDefinitionError for what declares none."""
    if isinstance(of, Field):
        if of.hash_key or of.range_key or of.indexed or of.required or of.has_default or of.unique or of.was:
            raise ModelDefinitionError(
                f"{of!r} is inside another field; there it is no key, not indexed, required, unique or renamed (was=), "
                "and has no default"
            )
        return of.placed("", type(of).__name__)
    if isinstance(of, type) and issubclass(of, Enum):
        return _field("EnumField", of)
    if isinstance(of, Hashable) and of in _KINDS:
        return _field(_KINDS[of])
    if isinstance(of, type) and import_module("dynamix.fields.kinds").is_kind(of):
        return _field("ModelField", of)
    names = ", ".join(kind.__name__ for kind in _KINDS)
    raise ModelDefinitionError(
        f"{of!r} is no kind of values; give one of {names}, an Enum, a NestedModel, a dataclass, an attrs class, "
        "a pydantic model, a msgspec Struct, or a field such as IntegerField()"
    )


def _field(kind: str, *arguments: Any) -> Field[Any, Any]:
    """A field of a kind, of which most programs need few; so each is imported when one is made."""
    made: Field[Any, Any] = getattr(import_module("dynamix.fields"), kind)(*arguments)
    return made
