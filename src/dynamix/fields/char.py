"""Text."""

from __future__ import annotations

import re
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Form, Text
from dynamix.codec.values import UnstorableError, encode
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class CharField(Field[str, T]):
    """A str, stored as a string. `min_length` and `max_length` count characters; `pattern` is a regular expression that
    has to match the whole text.
    """

    form = Form(Text, "v.S", "type(v) is str", '{"S": v}', length="len(v)", exact=True, frozen=True)
    key_type = "S"

    @overload
    def __init__(
        self: CharField[str],
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[HashKey[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[RangeKey[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[Present[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str],
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[Defaulted[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str | None],
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        pattern: str | re.Pattern[str] | None = ...,
        **options: Unpack[Options[str]],
    ) -> None: ...
    def __init__(
        self,
        *,
        min_length: int = 0,
        max_length: int | None = None,
        pattern: str | re.Pattern[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.min_length = min_length
        self.max_length = max_length
        try:
            self.pattern = None if pattern is None else re.compile(pattern)
            if self.pattern is not None:
                self.pattern.fullmatch("")  # which one of bytes refuses
        except (re.error, TypeError) as error:
            raise ModelDefinitionError(f"{pattern!r} is not a regular expression: {error}") from error

    def to_wire(self, value: str) -> AttributeValue:
        if not isinstance(value, str):
            raise wrong_type(value, "a str")
        return encode(value)

    def from_wire(self, wire: AttributeValue) -> str:
        return str(wire["S"])

    def check(self, value: str) -> None:
        if len(value) < self.min_length:
            raise UnstorableError(f"it has {len(value)} characters, fewer than {self.min_length}")
        if self.max_length is not None and len(value) > self.max_length:
            raise UnstorableError(f"it has {len(value)} characters, more than {self.max_length}")
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise UnstorableError(f"it does not match the pattern {self.pattern.pattern!r} as a whole")

    @property
    def constrained(self) -> bool:
        limited = self.min_length > 0 or self.max_length is not None or self.pattern is not None
        return limited or super().constrained
