"""What values inside another field may be declared as: a Python type, an Enum, or a field."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.binary import BinaryField
from dynamix.fields.boolean import BooleanField
from dynamix.fields.char import CharField
from dynamix.fields.date import DateField
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.decimal import DecimalField
from dynamix.fields.enum import EnumField
from dynamix.fields.float import FloatField
from dynamix.fields.integer import IntegerField
from dynamix.fields.time import TimeField
from dynamix.fields.timedelta import TimeDeltaField
from dynamix.fields.uuid import UUIDField

_KINDS: dict[Any, Any] = {
    str: CharField,
    int: IntegerField,
    float: FloatField,
    bool: BooleanField,
    bytes: BinaryField,
    Decimal: DecimalField,
    datetime: DateTimeField,
    date: DateField,
    time: TimeField,
    timedelta: TimeDeltaField,
    UUID: UUIDField,
}


def element_field(of: Any) -> Field[Any, Any]:
    """The field that converts what is inside another. Raises ModelDefinitionError for what declares none."""
    if isinstance(of, Field):
        if of.hash_key or of.range_key or of.indexed or of.required or of.has_default:
            raise ModelDefinitionError(
                f"{of!r} is inside another field; there it is no key, not indexed or required, and has no default"
            )
        return of.placed("", type(of).__name__)
    if isinstance(of, type) and issubclass(of, Enum):
        return EnumField(of)
    if of in _KINDS:
        kind: Field[Any, Any] = _KINDS[of]()
        return kind
    names = ", ".join(kind.__name__ for kind in _KINDS)
    raise ModelDefinitionError(
        f"{of!r} is no kind of values; give one of {names}, an Enum, or a field such as IntegerField()"
    )
