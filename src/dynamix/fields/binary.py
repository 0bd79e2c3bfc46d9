"""Binary values."""

from __future__ import annotations

from base64 import b64decode
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, Unpack, get_args, overload

from dynamix.codec.forms import Binary, Form
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.options import SizedDefaulted, SizedDerived, SizedHashKey, SizedOptions, SizedPresent, SizedRangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.fields.sized import Sized
from dynamix.wire import AttributeValue

T = TypeVar("T")


def _inner(value: bytes) -> bytes:
    """The bytes of which bytes are the base64. Raises ValueError where they are that of none."""
    inner = b64decode(value, validate=True)
    if b2a_base64(inner, newline=False) != value:
        raise UnstorableError("it is not the base64 of anything")
    return inner


Stored: TypeAlias = Literal["bytes", "base64"]

_TWICE = Form(
    Binary,
    "inner(v.B)",
    "type(v) is bytes",
    '{"B": base64(base64(v, newline=False), newline=False).decode()}',
    {"base64": b2a_base64, "inner": _inner},
    exact=True,
    frozen=True,
)


class BinaryField(Sized[bytes, T]):
    """Bytes, stored as binary. A bytearray or memoryview is taken as the bytes that it has. `min_length` and
    `max_length` count bytes. With `stored="base64"` what is stored are the bytes of their base64, as some programs
    write it.
    """

    form = Form(
        Binary,
        "v.B",
        "type(v) is bytes",
        '{"B": base64(v, newline=False).decode()}',
        {"base64": b2a_base64},
        length="len(v)",
        exact=True,
        frozen=True,
    )
    key_type = "B"
    unit = "bytes"

    @overload
    def __init__(self: BinaryField[bytes], *, stored: Stored = ..., **options: Unpack[SizedHashKey[bytes]]) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes], *, stored: Stored = ..., **options: Unpack[SizedRangeKey[bytes]]
    ) -> None: ...
    @overload
    def __init__(self: BinaryField[bytes], *, stored: Stored = ..., **options: Unpack[SizedPresent[bytes]]) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes], *, stored: Stored = ..., **options: Unpack[SizedDefaulted[bytes]]
    ) -> None: ...
    @overload
    def __init__(self: BinaryField[bytes], *, stored: Stored = ..., **options: Unpack[SizedDerived[bytes]]) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes | None], *, stored: Stored = ..., **options: Unpack[SizedOptions[bytes]]
    ) -> None: ...
    def __init__(self, *, stored: Stored = "bytes", **options: Any) -> None:
        if stored not in get_args(Stored):
            raise ModelDefinitionError(f"stored={stored!r} is neither 'bytes' nor 'base64'")
        self.stored = stored
        if stored == "base64":
            self.sorts, self.whole = False, True
            self.form = _TWICE if self.form is BinaryField.form else self.form
        super().__init__(**options)

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | bytearray | memoryview) -> None: ...

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return bytes(value) if isinstance(value, bytearray | memoryview) else value

    def to_wire(self, value: bytes) -> AttributeValue:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise wrong_type(value, "bytes")
        form = b2a_base64(bytes(value), newline=False)
        return {"B": (form if self.stored == "bytes" else b2a_base64(form, newline=False)).decode()}

    def from_wire(self, wire: AttributeValue) -> bytes:
        value = b64decode(wire["B"], validate=True)
        return value if self.stored == "bytes" else _inner(value)

    def from_json(self, son: Any) -> bytes:
        value: bytes = b64decode(son, validate=True) if isinstance(son, str) else son
        return value

    def json_schema(self) -> dict[str, Any]:
        lengths = {name: 4 * -(-length // 3) for name, length in self._json_lengths("Length").items()}
        return {"type": "string", "contentEncoding": "base64", **lengths}
