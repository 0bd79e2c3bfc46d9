"""Text."""

from __future__ import annotations

import re
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.values import UnstorableError, encode
from dynamix.errors import ModelDefinitionError
from dynamix.fields.options import SizedDefaulted, SizedDerived, SizedHashKey, SizedOptions, SizedPresent, SizedRangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.fields.sized import Sized
from dynamix.wire import AttributeValue

T = TypeVar("T")

_OWN = re.compile(r"\\[AZGNuU]|\(\?(?![:=!]|<[=!])|[*+?}]\+")
"""What JavaScript's regular expressions, in which JSON Schema has patterns, lack or read otherwise."""


def as_ecma(pattern: re.Pattern[str]) -> str | None:
    """The pattern as JSON Schema has it, where it means the same there; else None."""
    if pattern.flags & ~(re.UNICODE | re.ASCII) or _OWN.search(pattern.pattern):
        return None
    return f"^(?:{pattern.pattern})$"


class CharField(Sized[str, T]):
    """A str, stored as a string. `min_length` and `max_length` count characters; `pattern` is a regular expression that
    has to match the whole text.
    """

    form = Form(Text, "v.S", "type(v) is str", '{"S": v}', length="len(v)", exact=True, frozen=True)
    key_type = "S"
    unit = "characters"

    @overload
    def __init__(
        self: CharField[str],
        *,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[SizedHashKey[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[SizedRangeKey[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[SizedPresent[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[SizedDefaulted[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[SizedDerived[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str | None],
        *,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[SizedOptions[str]],
    ) -> None: ...
    def __init__(
        self,
        *,
        pattern: str | re.Pattern[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        try:
            self.pattern = None if pattern is None else re.compile(pattern)
            if self.pattern is not None:
                self.pattern.fullmatch("")  # which one of bytes refuses
        except (re.error, TypeError) as error:
            raise ModelDefinitionError(f"{pattern!r} is not a regular expression: {error}") from error

    def to_wire(self, value: str) -> AttributeValue:
        if type(value) is str:
            return {"S": value}
        if not isinstance(value, str):
            raise wrong_type(value, "a str")
        return encode(value)

    def from_wire(self, wire: AttributeValue) -> str:
        return str(wire["S"])

    def from_json(self, son: Any) -> str:
        value: str = son
        return value

    def json_schema(self) -> dict[str, Any]:
        least = 1 if self.hash_key or self.range_key else 0
        pattern = None if self.pattern is None else as_ecma(self.pattern)
        schema = {"type": "string", **self._json_lengths("Length", least)}
        return schema if pattern is None else {**schema, "pattern": pattern}

    def check(self, value: str) -> None:
        super().check(value)
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise UnstorableError(f"it does not match the pattern {self.pattern.pattern!r} as a whole")

    @property
    def constrained(self) -> bool:
        return self.pattern is not None or super().constrained
