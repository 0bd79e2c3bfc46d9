"""Binary values."""

from base64 import b64decode
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from dynamix.codec.forms import Binary, Form
from dynamix.fields.base import Field
from dynamix.fields.checks import check_length
from dynamix.fields.options import Defaulted, HashKey, Options, Present, RangeKey
from dynamix.fields.refusals import wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class BinaryField(Field[bytes, T]):
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

    @overload
    def __init__(
        self: "BinaryField[bytes]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[HashKey[bytes]],
    ) -> None: ...
    @overload
    def __init__(
        self: "BinaryField[bytes]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[RangeKey[bytes]],
    ) -> None: ...
    @overload
    def __init__(
        self: "BinaryField[bytes]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[Present[bytes]],
    ) -> None: ...
    @overload
    def __init__(
        self: "BinaryField[bytes]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[Defaulted[bytes]],
    ) -> None: ...
    @overload
    def __init__(
        self: "BinaryField[bytes | None]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[Options[bytes]],
    ) -> None: ...
    def __init__(self, *, min_length: int = 0, max_length: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.min_length = min_length
        self.max_length = max_length

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | bytearray | memoryview) -> None: ...

    def taken(self, value: Any) -> Any:
        return bytes(value) if isinstance(value, bytearray | memoryview) else value

    def to_wire(self, value: bytes) -> AttributeValue:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise wrong_type(value, "bytes")
        return {"B": b2a_base64(value, newline=False).decode()}

    def from_wire(self, wire: AttributeValue) -> bytes:
        return b64decode(wire["B"], validate=True)

    def check(self, value: bytes) -> None:
        check_length(len(bytes(value)), "bytes", self.min_length, self.max_length)

    @property
    def constrained(self) -> bool:
        return self.min_length > 0 or self.max_length is not None or super().constrained
