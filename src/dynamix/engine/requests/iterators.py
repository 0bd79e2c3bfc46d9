"""Shard iterators: where in a stream a reader is, as text that the reader keeps.

An iterator says all that it stands for, so any process that has the database's file can go on with it. Its form is the
service's: the stream's ARN, a version, and text in base64, here a shard, a position and the time of issue.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

import msgspec

from dynamix.engine.faults import Fault, invalid

_SECONDS = 15 * 60
_VERSION = "1"


class Position(NamedTuple):
    """A place in a shard: the number of the change to be read next, None for the oldest there is.

    `issued` is in milliseconds since 1970.
    """

    stream: str
    shard: str
    number: int | None
    issued: int


class _Place(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    shard: str
    number: int | None
    issued: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Place).decode


def iterator(position: Position) -> str:
    """A position as text."""
    place = _encode(_Place(position.shard, position.number, position.issued))
    return f"{position.stream}|{_VERSION}|{urlsafe_b64encode(place).decode()}"


def position(text: str, now: int) -> Position:
    """The position that an iterator stands for, `now` in milliseconds. Raises Fault for one that is none, or old."""
    stream, _, rest = text.rpartition(f"|{_VERSION}|")
    try:
        place = _decode(urlsafe_b64decode(rest))
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise invalid("Invalid ShardIterator") from error
    if not stream or not 0 <= place.issued < 1 << 63 or not 0 < (place.number or 1) < 1 << 62:
        raise invalid("Invalid ShardIterator")
    if now - place.issued > _SECONDS * 1000:
        raise Fault(
            "ExpiredIteratorException",
            "The shard iterator has expired and can no longer be used to retrieve stream records. A shard iterator "
            "expires 15 minutes after it is retrieved using the GetShardIterator action.",
        )
    return Position(stream, place.shard, place.number, place.issued)
