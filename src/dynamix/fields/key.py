"""Keys made of other fields, as tables have them that hold several kinds of items."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
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
from dynamix.interrupts import let_pass

T = TypeVar("T")

_WIDTH = re.compile(r"0(?P<width>\d+)(?:(?P<fraction>\.\d+f)|d)?")
"""Formats of numbers whose texts sort as the numbers do, as long as these are not negative and fit."""

_YEAR = re.compile(r"(?<!%)((?:%%)*)%Y")
"""The year in a format, which not every system writes with four digits."""


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
        self.pieces: list[tuple[str, str | None, str]] = []
        """What stands before each part, the part, and its format; last what comes after all of them."""
        before = ""
        for literal, name, spec, _ in pieces:
            before += literal  # a brace that is written twice ends a literal
            if name is not None:
                self.pieces.append((before, name, spec or ""))
                before = ""
        if before:
            self.pieces.append((before, None, ""))
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
        """Refuse a format whose texts do not sort as the values do, or which is not for values of that kind."""
        tried = [texts for values in _tries(field) if (texts := _texts(field, values, spec))]
        sorts = all(texts == sorted(texts) for texts in tried)
        tells = any(texts[0] != texts[-1] or len(texts) == 1 for texts in tried)
        if sorts and (tells or (not tried and field.is_own)):  # which may hold none of the values that are tried
            return
        raise ModelDefinitionError(
            f"{self} has {field} in the format {spec!r}, which is not for its values, or whose texts do not sort as "
            "they do; give one such as 08d for an int, 010.2f for a Decimal, %Y-%m-%d for a date or %H%M%S for a time"
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


def _tries(field: Field[Any, Any]) -> list[list[Any]]:
    """Values in order, those of each kind by themselves, to be tried in a format."""
    members = getattr(field, "_known", None)  # of those that have a few values
    if members is not None:
        return [sorted(value for value in members.values() if isinstance(value, int))]
    moments = [datetime(1, 1, 1, tzinfo=UTC), datetime(999, 12, 31, tzinfo=UTC), *samples()]
    numbers = ("0", "0.5", "1", "1.25", "9", "10")
    return [
        [int(number) for number in numbers if "." not in number],
        list(map(float, numbers)),
        list(map(Decimal, numbers)),
        moments,
        sorted({moment.date() for moment in moments}),
        sorted({moment.time() for moment in moments}),
    ]


def _texts(field: Field[Any, Any], values: list[Any], spec: str) -> list[str]:
    """What a format makes of those of the values that the field has and the format is for."""
    texts = []
    for value in values:
        try:
            taken = field.taken(value)
            field.to_wire(taken)
            texts.append(_formatted(taken, spec))
        except Exception as error:
            let_pass(error)
    return texts


def _formatted(value: Any, spec: str) -> str:
    """A value in a format, exact and of its width where it is a number. Raises UnstorableError."""
    found = _WIDTH.fullmatch(spec)
    if found is None and isinstance(value, date | time):
        if isinstance(value, date):
            value = in_utc(value) if isinstance(value, datetime) else value
            spec = _YEAR.sub(rf"\g<1>{value.year:04}", spec)
        return format(value, spec)
    kinds = int if found is None or found["fraction"] is None else int | float | Decimal
    if found is None or not isinstance(value, kinds):
        raise UnstorableError(f"{value!r} is nothing that the format {spec!r} is for")
    text = format(value, spec)
    try:
        exact = Decimal(text) == Decimal(to_text(value))
    except NumberError as error:
        raise UnstorableError(str(error)) from error
    if not exact or value < 0 or len(text) != int(found["width"]):
        raise UnstorableError(f"{value!r} does not fit into the format {spec!r}: it is negative, too long or cut")
    return text
