"""Bodies in gzip and deflate, in both directions.

Sources: RFC 9110, 8.4 and 12.5.3; RFC 1952, by which a gzip file may have several members.
"""

import zlib
from functools import lru_cache

from dynamix.engine.faults import Fault
from dynamix.limits import BATCH_BYTES

WORTH_BYTES = 4096
"""Answers of up to so many bytes go out as they are."""

_LEVEL = 1  # of nine: most of the gain for a quarter of the time
_ZLIB, _RAW, _GZIP = zlib.MAX_WBITS, -zlib.MAX_WBITS, zlib.MAX_WBITS | 16


def decoded(body: bytes, encoding: bytes) -> bytes:
    """The body that a request sends in an encoding.

    Raises Fault as the service does: an InternalServerError for what cannot be decoded, and what is too large in the
    end is refused as if it had been sent so.
    """
    name = encoding.strip().lower()
    if name == b"identity":
        return body
    try:
        if name in (b"gzip", b"x-gzip"):
            return _inflated(body, _GZIP)
        if name == b"deflate":
            try:
                return _inflated(body, _ZLIB)
            except zlib.error:  # many clients send no header
                return _inflated(body, _RAW)
    except zlib.error:
        pass
    raise Fault("InternalServerError", "", status=500)


def _inflated(body: bytes, window: int) -> bytes:
    parts: list[bytes] = []
    room = BATCH_BYTES
    while True:
        stream = zlib.decompressobj(window)
        part = stream.decompress(body, room + 1)
        room -= len(part)
        if room < 0:
            raise too_large()
        if not stream.eof:
            raise zlib.error("a body that is cut off")
        parts.append(part)
        body = stream.unused_data
        if window != _GZIP or not body:
            return b"".join(parts)


def too_large() -> Fault:
    """The refusal of a body over the limit of all requests."""
    return Fault("RequestEntityTooLargeException", "Request exceeds the limit of 16 MB", status=413)


@lru_cache(64)
def preferred(accepted: bytes) -> bytes | None:
    """The encoding that an Accept-Encoding header likes best of those that there are; None for none."""
    weights: dict[str, float] = {}
    for part in accepted.decode("latin-1").lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        weights["gzip" if name == "x-gzip" else name] = weight
    rest = weights.get("*", 0.0)
    gzip = weights.get("gzip", rest)
    deflate = weights.get("deflate", 0.0)
    best = max(gzip, deflate)
    if best <= 0 or best < weights.get("identity", 0.0):
        return None
    return b"gzip" if gzip == best else b"deflate"


def encoded(body: bytes, encoding: bytes) -> bytes:
    """A body in gzip or deflate."""
    return zlib.compress(body, _LEVEL, _GZIP if encoding == b"gzip" else _ZLIB)
