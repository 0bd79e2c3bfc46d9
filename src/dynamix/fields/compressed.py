"""Compressed values.

Stored is a frame of gzip or Zstandard, as binary: of the text, where the field inside stores text, else of the JSON of
its stored form. What is no shorter so is stored as the field inside would store it, and whatever is stored so is read.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from typing import Any, Generic, Literal, TypeAlias, TypeVar, Unpack, get_args, overload

import msgspec

from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.collection import Of
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.fields.wrapped import Wrapped
from dynamix.wire import AttributeValue

V = TypeVar("V")
T = TypeVar("T")

Algorithm: TypeAlias = Literal["gzip", "zstd"]

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How frames begin."""

_GZIP = 31  # what tells zlib of gzip's header
_MOST = 1 << 28  # bytes; an item of 400 KB may stand for far more, which would fill the memory


def _zstd() -> Any:
    """Python's module of it. Raises ModelDefinitionError where there is none."""
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise ModelDefinitionError(
                "Zstandard comes with Python 3.14; for earlier ones install dynamix-orm[zstd], or give algorithm='gzip'"
            ) from error
    return zstd


def _compress(data: bytes, algorithm: str) -> bytes:
    if algorithm == "zstd":
        frame: bytes = _zstd().compress(data)
        return frame
    compressor = zlib.compressobj(wbits=_GZIP)
    return compressor.compress(data) + compressor.flush()


def _decompress(frame: bytes, algorithm: str) -> bytes:
    """The bytes of a frame. Raises UnstorableError, or whatever the library raises for what is none."""
    decompressor: Any = _zstd().ZstdDecompressor() if algorithm == "zstd" else zlib.decompressobj(_GZIP)
    data: bytes = decompressor.decompress(frame, _MOST)
    if not decompressor.eof or decompressor.unused_data:
        raise UnstorableError(f"it is not one whole frame of {algorithm}, or one of more than {_MOST} bytes")
    return data


def _algorithm_of(frame: bytes) -> str | None:
    return next((name for magic, name in _MAGIC.items() if frame.startswith(magic)), None)


class CompressedField(Wrapped[V, T], Generic[V, T]):
    """The values of another field, compressed by gzip or Zstandard: `CompressedField(JSONField(), algorithm="zstd")`.

    Values that are stored plainly are read as well, and so are those of the other algorithm.
    """

    @overload
    def __init__(
        self: CompressedField[V, V], inner: Of[V], *, algorithm: Algorithm = ..., **options: Unpack[Present[V]]
    ) -> None: ...
    @overload
    def __init__(
        self: CompressedField[V, V | None], inner: Of[V], *, algorithm: Algorithm = ..., **options: Unpack[Options[V]]
    ) -> None: ...
    @overload
    def __init__(
        self: CompressedField[V, V], inner: Of[V], *, algorithm: Algorithm = ..., **options: Unpack[Defaulted[V]]
    ) -> None: ...
    @overload
    def __init__(
        self: CompressedField[V, V], inner: Of[V], *, algorithm: Algorithm = ..., **options: Unpack[Derived[V]]
    ) -> None: ...
    def __init__(self, inner: Any, *, algorithm: Algorithm = "gzip", **options: Any) -> None:
        if algorithm not in get_args(Algorithm):
            raise ModelDefinitionError(f"algorithm={algorithm!r} is neither 'gzip' nor 'zstd'")
        if algorithm == "zstd":
            _zstd()
        self.algorithm = algorithm
        super().__init__(inner, **options)
        self._text = self.inner.key_type == "S" or getattr(self.inner, "stored", "") == "text"

    def _wrap(self, wire: AttributeValue) -> AttributeValue:
        data = wire["S"].encode() if self._text else msgspec.json.encode(wire)
        frame = _compress(data, self.algorithm)
        if len(frame) >= len(data) and not ("B" in wire and _algorithm_of(b64decode(wire["B"]))):
            return wire
        return {"B": b64encode(frame).decode()}

    def _unwrap(self, wire: AttributeValue) -> AttributeValue:
        stored = b64decode(wire["B"], validate=True) if "B" in wire else b""
        algorithm = _algorithm_of(stored)
        if algorithm is None:
            return wire
        try:
            data = _decompress(stored, algorithm)
            return {"S": data.decode()} if self._text else msgspec.json.decode(data, type=dict[str, Any])
        except (ValueError, zlib.error, UnstorableError):
            if self.inner.key_type == "B":  # a value that begins as a frame does
                return wire
            raise
