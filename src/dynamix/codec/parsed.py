"""Free-form values straight from the JSON that is kept of them.

C code parses each value into a struct with a member for each type, of which one is set. Python code makes values of
that in less time than of dicts. What is not of the right type at the outside, such as a NULL, is refused here, and what
a server should never send as well: `dynamix.codec.values` then says what it is.
"""

from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from dynamix.codec.numbers import exact_from_text, from_text
from dynamix.codec.values import Numbers


class Free(Struct, gc=False):
    """A stored form of any type."""

    S: str | None = None
    N: str | None = None
    M: "dict[str, Free] | None" = None
    L: "list[Free] | None" = None
    BOOL: bool | None = None
    NULL: bool | None = None
    B: str | None = None
    SS: list[str] | None = None
    NS: list[str] | None = None
    BS: list[str] | None = None


class FreeMap(Struct, gc=False):
    """The stored form of a map."""

    M: dict[str, Free]


class FreeList(Struct, gc=False):
    """The stored form of a list."""

    L: list[Free]


_decode: Callable[[Raw], Free] = msgspec.json.Decoder(Free).decode


class _Reader:
    """Makes values of forms, numbers by `number`. What there is most of is told in the loops, since calls take time."""

    def __init__(self, number: Callable[[str], Any]) -> None:
        self.number = number

    def map(self, content: "dict[str, Free]") -> dict[str, Any]:
        return {
            key: form.S
            if form.S is not None
            else int(number)
            if (number := form.N) is not None and number.isdecimal()
            else self.map(inner)
            if (inner := form.M) is not None
            else self.list(elements)
            if (elements := form.L) is not None
            else self.value(form)
            for key, form in content.items()
        }

    def list(self, content: "list[Free]") -> "list[Any]":
        return [
            form.S
            if form.S is not None
            else int(number)
            if (number := form.N) is not None and number.isdecimal()
            else self.map(inner)
            if (inner := form.M) is not None
            else self.list(elements)
            if (elements := form.L) is not None
            else self.value(form)
            for form in content
        ]

    def value(self, form: Free) -> Any:
        """The value of a form of any type. Raises ValueError or ArithmeticError for one without a type."""
        if form.BOOL is not None:
            return form.BOOL
        if form.S is not None:
            return form.S
        if form.N is not None:
            return self.number(form.N)
        if form.M is not None:
            return self.map(form.M)
        if form.L is not None:
            return self.list(form.L)
        if form.NULL is not None:
            return None
        if form.B is not None:
            return b64decode(form.B)
        return self.set(form)

    def set(self, form: Free) -> "set[Any]":
        if form.SS is not None:
            return set(form.SS)
        if form.NS is not None:
            return set(map(self.number, form.NS))
        if form.BS is not None:
            return set(map(b64decode, form.BS))
        raise ValueError("a value without a type")


_READERS = {float: _Reader(from_text), Decimal: _Reader(exact_from_text)}


def parse_map(form: Raw, numbers: Numbers) -> dict[str, Any]:
    """The dict of a map. Raises ValueError, ArithmeticError or AttributeError for what is none."""
    content: Any = _decode(form).M
    return _READERS[numbers].map(content)


def parse_list(form: Raw, numbers: Numbers) -> list[Any]:
    """The list of a list. Raises ValueError, ArithmeticError or TypeError for what is none."""
    content: Any = _decode(form).L
    return _READERS[numbers].list(content)


def parse_set(form: Raw, numbers: Numbers) -> set[Any]:
    """The set of a set. Raises ValueError or ArithmeticError for what is none."""
    return _READERS[numbers].set(_decode(form))


free_map = _READERS[float].map
free_list = _READERS[float].list
free_set = _READERS[float].set
free_value = _READERS[float].value
