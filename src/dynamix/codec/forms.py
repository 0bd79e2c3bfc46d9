"""How one stored form is read and written by generated code (see compiled.py); each class of field has one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct


class Text(Struct, gc=False):
    """A string."""

    S: str


class Whole(Struct, gc=False):
    """An integer."""

    N: int


class Real(Struct, gc=False):
    """A number."""

    N: float


class Truth(Struct, gc=False):
    """A boolean."""

    BOOL: bool


msgspec.json.Decoder(tuple[Text, Whole, Real, Truth])
"""msgspec prepares a class at its first use, and other threads see it half prepared. These are shared by the decoders
of all models, which are made when they are first needed, so they are prepared now."""


class Form(NamedTuple):
    """How one stored form is read and written.

    `read` and `write` are expressions over `v`: the parsed `struct`, and the Python value. `when` is the condition
    under which `write` is right; other values go through the field's `encode`. `names` is what these expressions use
    beside builtins. `length` measures a value that is limited as a key. With `spelled`, several stored texts read as
    one value. With `empties`, an empty value is not stored. What is Raw is read by its field, later; what is a dict,
    at once.
    """

    struct: type[Struct | Raw | dict[str, Any]]
    read: str = ""
    when: str = ""
    write: str = ""
    names: Mapping[str, Any] = {}
    length: str = ""
    spelled: bool = False
    empties: bool = False

    @property
    def lazy(self) -> bool:
        """Whether values are read when somebody asks for them."""
        return self.struct is Raw


PLAIN = Form(dict[str, Any])
"""The form of what only the field's own `encode` and `decode` know."""
