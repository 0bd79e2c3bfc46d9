"""Keys made of other fields, as tables have them that hold several kinds of items."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from string import Formatter
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.numbers import NumberError, to_text
from dynamix.codec.values import UnstorableError
from dynamix.errors import FieldValidationException, ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.computed import ComputedField
from dynamix.fields.moments import in_utc, samples
from dynamix.fields.options import HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import shown

T = TypeVar("T")

_WIDTH = re.compile(r"0(?P<width>\d+)(?:\.(?P<places>\d+)f|d)?")
"""Formats of numbers whose texts sort as the numbers do, as long as these are not negative and fit."""


class KeyField(ComputedField[str, T]):
    """Text made of other fields by a template: `KeyField("USER#{user_id}", hash_key=True)`.

    What separates the parts, which is every character of the template's own that is no letter or digit, is refused
    inside a part. A part may have a format (`{number:08d}`, `{day:%Y-%m-%d}`) whose texts have to sort as the values
    do; in a sort key, numbers need one. Without a format a part is as its field stores it. A template without parts is
    the same text in each item (`KeyField("PROFILE", range_key=True)`).
    """

    constant = True

    @overload
    def __init__(self: KeyField[str], template: str, **options: Unpack[HashKey[str]]) -> None: ...
    @overload
    def __init__(self: KeyField[str], template: str, **options: Unpack[RangeKey[str]]) -> None: ...
    @overload
    def __init__(self: KeyField[str], template: str, **options: Unpack[Present[str]]) -> None: ...
    @overload
    def __init__(self: KeyField[str | None], template: str, **options: Unpack[Options[str]]) -> None: ...
    def __init__(self, template: str, **options: Any) -> None:
        try:
            pieces = list(Formatter().parse(template))
        except (ValueError, TypeError) as error:
            raise ModelDefinitionError(f"{template!r} is no template such as 'USER#{{user_id}}': {error}") from error
        self.template = template
        self.pieces = [(literal, name, spec or "") for literal, name, spec, _ in pieces]
        parts = [name for _, name, _ in self.pieces if name is not None]
        between = [literal for literal, name, _ in self.pieces[1:] if name is not None]
        if any(conversion for *_, conversion in pieces) or not template or not all(map(str.isidentifier, parts)):
            raise ModelDefinitionError(f"{template!r} is no template such as 'USER#{{user_id}}', of names of fields")
        if not all(between):
            raise ModelDefinitionError(f"{template!r} has two parts with nothing between them")
        self.start: str = self.pieces[0][0]
        """The text with which all begin."""
        literals = [literal for literal, _, _ in self.pieces]
        signs = {sign for literal in literals for sign in literal if not sign.isalnum()}
        words = {literal for literal in between if literal.isalnum()}
        self.separators = sorted(signs | words)
        super().__init__(str, str, *parts, **options)

    def part_fields(self, fields: Any) -> list[Field[Any, Any]]:
        found = super().part_fields(fields)
        forgotten = [name for name in re.findall(r"\w+", self.template) if name in fields and not self.parts]
        if forgotten:
            raise ModelDefinitionError(
                f"{self} has no parts, and {forgotten[0]!r} in it is the name of a field; write {{{forgotten[0]}}}"
            )
        for field, spec in zip(found, self._specs, strict=True):
            if spec:
                self._check_format(field, spec)
        return found

    def check_order(self, fields: Any) -> None:
        for part, spec in zip(self.parts, self._specs, strict=True):
            if fields[part].key_type == "N" and not spec:
                raise ModelDefinitionError(
                    f"{self} is a sort key with the numbers of {fields[part]}, which do not sort as text; give them a "
                    f"format of fixed width, such as {{{part}:08d}}"
                )

    @property
    def _specs(self) -> list[str]:
        return [spec for _, name, spec in self.pieces if name is not None]

    def _check_format(self, field: Field[Any, Any], spec: str) -> None:
        """Refuse a format whose texts do not sort as the values do."""
        if "%" in spec:
            moments = samples() if field.key_type else []
            texts = [format(moment, spec) for moment in moments]
            if texts == sorted(texts):
                return
        elif _WIDTH.fullmatch(spec):
            return
        raise ModelDefinitionError(
            f"{self} has {field} in the format {spec!r}, whose texts do not sort as the values do; give one such as "
            "08d, 010.2f or %Y-%m-%d"
        )

    def text_of(self, field: Field[Any, Any], value: Any, spec: str) -> str:
        """The text of one part. Raises FieldValidationException for a value that cannot stand in the template."""
        try:
            return self._part(field, value, spec)
        except (ValueError, TypeError) as error:
            if isinstance(error, FieldValidationException):
                raise
            raise FieldValidationException(
                f"{self} cannot be computed from {shown(value)}: {error}", field=self.attribute, reason=str(error)
            ) from error

    def _made(self, fields: list[Field[Any, Any]], given: list[Any]) -> str:
        values, text = iter(zip(fields, given, strict=True)), ""
        for literal, name, spec in self.pieces:
            text += literal
            if name is not None:
                text += self._part(*next(values), spec)
        return text

    def _part(self, field: Field[Any, Any], value: Any, spec: str) -> str:
        """The text of one part. Raises UnstorableError for one that cannot stand in the template."""
        wire = field._literal(value)
        text = str(next(iter(wire.values()))) if not spec else _formatted(value, spec)
        for separator in self.separators:
            if separator in text:
                raise UnstorableError(
                    f"{field.attribute} is {text!r} there, in which {separator!r} would be taken for a separator of "
                    f"{self.template!r}"
                )
        if not text:
            raise UnstorableError(f"{field.attribute} is empty")
        return text


def _formatted(value: Any, spec: str) -> str:
    """A value in a format, exact and of its width where it is a number. Raises UnstorableError."""
    if isinstance(value, date):
        return format(in_utc(value) if isinstance(value, datetime) else value, spec)
    text, found = format(value, spec), _WIDTH.fullmatch(spec)
    if found is None:
        return text
    try:
        exact = Decimal(text) == Decimal(to_text(value))
    except NumberError as error:
        raise UnstorableError(str(error)) from error
    if not exact or value < 0 or len(text) != int(found["width"]):
        raise UnstorableError(f"{value!r} does not fit into the format {spec!r}: it is negative, too long or cut")
    return text
