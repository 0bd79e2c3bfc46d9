"""Binary values."""

from base64 import b64decode
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Binary, Form
from dynamix.fields.options import SizedDefaulted, SizedHashKey, SizedOptions, SizedPresent, SizedRangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.fields.sized import Sized
from dynamix.wire import AttributeValue

T = TypeVar("T")


class BinaryField(Sized[bytes, T]):
    """Bytes, stored as binary. A bytearray or memoryview is taken as the bytes that it has. `min_length` and
    `max_length` count bytes.
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
    def __init__(self: "BinaryField[bytes]", **options: Unpack[SizedHashKey[bytes]]) -> None: ...
    @overload
    def __init__(self: "BinaryField[bytes]", **options: Unpack[SizedRangeKey[bytes]]) -> None: ...
    @overload
    def __init__(self: "BinaryField[bytes]", **options: Unpack[SizedPresent[bytes]]) -> None: ...
    @overload
    def __init__(self: "BinaryField[bytes]", **options: Unpack[SizedDefaulted[bytes]]) -> None: ...
    @overload
    def __init__(self: "BinaryField[bytes | None]", **options: Unpack[SizedOptions[bytes]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | bytearray | memoryview) -> None: ...

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        return bytes(value) if isinstance(value, bytearray | memoryview) else value

    def to_wire(self, value: bytes) -> AttributeValue:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise wrong_type(value, "bytes")
        return {"B": b2a_base64(value, newline=False).decode()}

    def from_wire(self, wire: AttributeValue) -> bytes:
        return b64decode(wire["B"], validate=True)
