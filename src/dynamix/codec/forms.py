"""How one stored form is read and written by generated code (see compiled.py); each class of field has one."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from dynamix.codec import numbers
from dynamix.codec.numbers import NumberError
from dynamix.wire import AttributeValue


class Text(Struct, gc=False, frozen=True):
    """A string."""

    S: str


class Number(Struct, gc=False, frozen=True):
    """A number, in all its digits."""

    N: str


class Whole(Struct, gc=False, frozen=True):
    """An integer."""

    N: int


class Truth(Struct, gc=False, frozen=True):
    """A boolean."""

    BOOL: bool


class Binary(Struct, gc=False, frozen=True):
    """Bytes, read from their base64."""

    B: bytes


msgspec.json.Decoder(tuple[Text, Number, Whole, Truth, Binary])
"""msgspec prepares a class at its first use, and other threads see it half prepared. These are shared by the decoders
of all models, which are made when they are first needed, so they are prepared now."""


class Form(NamedTuple):
    """How the values of a class of field are stored, as far as generated code has to know.

    `struct` is what a stored form is parsed into by C code, and `read` an expression over `v`, that struct, which gives
    the value. `write` is an expression over `v`, the value, which gives the stored form; it is used where the condition
    `when` is met. `names` is what these expressions use beside builtins. Without `read`, values go through the field's
    `from_wire`; without `write`, and where `when` is not met, through its `to_wire`. `length` measures a value that is
    limited as a key. `tree` is `write` for what is to be JSON (see `dynamix.codec.trees`), where there is a faster way.

    `exact`: writing what was read gives the stored form again, whoever wrote it. `frozen`: values cannot be edited in
    place. `lazy`: values are read when somebody asks for them, by `parse` if there is one, which takes the JSON of the
    stored form and what a number with a fraction reads as. `empties`: an empty value is not stored.
    """

    struct: type[Struct] | None = None
    read: str = ""
    when: str = ""
    write: str = ""
    names: Mapping[str, Any] = {}
    length: str = ""
    exact: bool = False
    frozen: bool = False
    lazy: bool = False
    parse: Callable[[Raw, Any], Any] | None = None
    empties: bool = False
    tree: str = ""

    @property
    def parsed(self) -> type[Any]:
        """What a stored form is parsed into."""
        if self.lazy:
            return Raw
        return self.struct if self.struct is not None and self.read else dict[str, Any]


PLAIN = Form()
"""The form of what only the field's own `to_wire` and `from_wire` know."""


def comparable(form: AttributeValue | None) -> AttributeValue | None:
    """A stored form such that two are equal if they are the same to the service: numbers as it writes them, the
    elements of sets in order."""
    for tag, content in (form or {}).items():
        try:
            match tag:
                case "N":
                    return {tag: numbers.normalize(content)}
                case "NS":
                    return {tag: sorted(map(numbers.normalize, content))}
                case "SS" | "BS":
                    return {tag: sorted(content)}
        except NumberError:  # of a field class of the user's own; the service says what is wrong
            break
    return form
