"""Keys as they are stored.

A key is a dict of attributes and values. Where the stored form of a value is not the one that its field would give, as
other programs may spell it otherwise, the attribute's name in the dict carries that form: it is a `StoredName`. Names
survive what is done to keys, `Model.get(**key)`, copies and pickles among it, and a dict of them equals a plain one.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from dynamix.codec import numbers
from dynamix.codec.numbers import NumberError
from dynamix.fields.refusals import NO_TEXT
from dynamix.schema.index import AnyField
from dynamix.wire import AttributeValue


class StoredName(str):
    """The name of a key's attribute, with the stored form of the value that it was made for."""

    __slots__ = ("form",)
    form: AttributeValue

    def __new__(cls, name: str, form: AttributeValue) -> "StoredName":
        made = super().__new__(cls, name)
        made.form = form
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredName, (str(self), self.form)

    def says(self, field: AnyField, value: object) -> bool:
        """Whether the form is that of `value`, rather than of another that stood there when the name was made."""
        return field.decode(self.form) == value


def name_for(field: AnyField, form: AttributeValue | None) -> str:
    """The name under which a key has the value of a stored form, or of a value that has none yet."""
    if form is None or comparable(field.respelled(form)) == comparable(form):
        return field.attribute
    return StoredName(field.attribute, form)


def comparable(form: AttributeValue | None) -> AttributeValue | None:
    """A key's form, numbers as the service writes them: two are equal if they are the same key."""
    if form is None or "N" not in form:
        return form
    try:
        return {"N": numbers.normalize(form["N"])}
    except NumberError:  # of a field class of the user's own; the service says what is wrong
        return form


def address(forms: Iterable[AttributeValue | None]) -> bytes:
    """What the forms of two keys have in common that are the same key to the service: JSON."""
    return msgspec.json.encode([comparable(form) for form in forms])


def as_stored(field: AnyField, given: Any) -> AttributeValue | None:
    """The stored form that a text, a number or an AttributeValue stands for; None for what is a value of the field.

    Raises FieldValidationException for what no key of this field's type can be.
    """
    if isinstance(given, dict) and len(given) == 1:
        ((tag, given),) = given.items()
        if tag != field.key_type or not isinstance(given, str):
            raise field.refusal({tag: given}, f'a stored form of this key is {{"{field.key_type}": "..."}}')
    if field.key_type == "S":
        return {"S": str.__str__(given)} if isinstance(given, str) else None
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        return None
    try:
        return {"N": numbers.normalize(given) if isinstance(given, str) else numbers.to_text(given)}
    except NumberError as error:
        raise field.refusal(given, str(error)) from error


def check_key(field: AnyField, limit: int, value: object, form: AttributeValue) -> None:
    """Refuse the stored form of a key's value if it is empty or has more than `limit` bytes."""
    text = form.get("S")
    if text is None:
        return
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise field.refusal(value, NO_TEXT) from error
    if not size:
        raise field.refusal(value, "a key of a table or an index cannot be empty")
    if size > limit:
        raise field.refusal(value, f"it has {size} bytes, and a key may have at most {limit}")
