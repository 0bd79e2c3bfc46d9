"""Keys as they are stored: what they have in common, what stands for one, and which are refused."""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from dynamix.codec import numbers
from dynamix.codec.forms import comparable
from dynamix.codec.numbers import NumberError
from dynamix.fields.refusals import NO_TEXT
from dynamix.schema.index import AnyField
from dynamix.wire import AttributeValue


def address(forms: Iterable[AttributeValue | None]) -> bytes:
    """What the forms of two keys have in common that are the same key to the service: JSON."""
    return msgspec.json.encode([form if form is not None and "S" in form else comparable(form) for form in forms])


def as_stored(field: AnyField, given: Any) -> AttributeValue | None:
    """The stored form that a text, a number or an AttributeValue stands for; None for what is a value of the field.

    Raises FieldValidationException for what no key of this field's type can be.
    """
    if isinstance(given, dict) and len(given) == 1:
        ((tag, given),) = given.items()
        if tag != field.key_type or not isinstance(given, str):
            raise field.refusal({tag: given}, f'a stored form of this key is {{"{field.key_type}": "..."}}')
        if tag == "B":
            return {"B": given}
    if field.key_type == "S":
        return {"S": str.__str__(given)} if isinstance(given, str) else None
    if field.key_type == "B":
        return None
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        return None
    try:
        return {"N": numbers.normalize(given) if isinstance(given, str) else numbers.to_text(given)}
    except NumberError as error:
        raise field.refusal(given, str(error)) from error


def check_key(field: AnyField, limit: int, value: object, form: AttributeValue) -> None:
    """Refuse the stored form of a key's value if it is empty or has more than `limit` bytes."""
    ((tag, content),) = form.items()
    if tag == "N":
        return
    try:
        size = len(content.encode() if tag == "S" else b64decode(content, validate=True))
    except UnicodeEncodeError as error:
        raise field.refusal(value, NO_TEXT) from error
    except binascii.Error as error:
        raise field.refusal(value, f"it is no base64: {error}") from error
    if not size:
        raise field.refusal(value, "a key of a table or an index cannot be empty")
    if size > limit:
        raise field.refusal(value, f"it has {size} bytes, and a key may have at most {limit}")


def encode_key(field: AnyField, limit: int, value: Any) -> AttributeValue:
    """The stored form of a key's value: not empty, and at most `limit` bytes."""
    wire = field.encode(value)
    check_key(field, limit, value, wire)
    return wire


def encode_shared_key(field: AnyField, limit: int, value: Any) -> AttributeValue:
    """The same where guards stand beside the items."""
    wire = encode_key(field, limit, value)
    refuse_reserved(field, value, wire)
    return wire


def refuse_reserved(field: AnyField, value: object, form: AttributeValue) -> None:
    from dynamix.schema.unique import WITHIN

    if form["S"].startswith(WITHIN):
        raise field.refusal(value, f"keys that begin with {WITHIN!r} are those of guards of unique values")
