"""How a field says that it does not take a value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dynamix.codec.values import Numbers, UnstorableError
from dynamix.errors import ModelDefinitionError

NO_TEXT = "it has a surrogate without its partner, so it is no Unicode text; decode it with errors='replace'"


def shown(value: object) -> str:
    """A value's repr, cut where it is long."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a value of type {type(value).__name__}, nested too deeply to be shown,"
    except ValueError:  # Python prints no integer of over 4300 digits
        return f"a value of type {type(value).__name__}, too long to be shown,"
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text)} characters)"


def wrong_type(value: object, wanted: str) -> UnstorableError:
    """The refusal of a value of a wrong type."""
    return UnstorableError(f"it takes {wanted}, not {type(value).__name__}", of_type=True)


def checked_numbers(numbers: Any) -> Numbers:
    """The `numbers` option of a free-form field. Raises ModelDefinitionError for what is neither of the two."""
    if numbers is not float and numbers is not Decimal:
        raise ModelDefinitionError(f"numbers={numbers!r} is neither float nor Decimal")
    return numbers
