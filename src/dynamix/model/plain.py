"""Values as what `json.dumps` takes."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any


class UnprintableError(TypeError):
    """A value of a type that JSON does not know."""


def plain(value: Any) -> Any:
    """The JSON form of a value: see `Model.to_son`. Raises UnprintableError."""
    match value:
        case set() | frozenset():
            return [plain(element) for element in sorted(value)]
        case list() | tuple():
            return [plain(element) for element in value]
        case dict():
            return {key: plain(element) for key, element in value.items()}
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case Decimal():
            return str(value)
        case str() | int() | float() | None if not isinstance(value, Enum):
            return value
    raise UnprintableError(f"JSON has no form for a {type(value).__name__}")
