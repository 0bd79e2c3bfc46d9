"""Keys as bytes that sort as DynamoDB sorts them.

Every store of the engine, a table or an index, keeps its rows in the order of one byte string per row:

    hash of the partition key (8 bytes) · each partition attribute with its length · each sort attribute, ended
    (in an index) · the key of the item in its table

The hash spreads partitions as the service does (MD5 with its salt), so a scan is a walk over the bytes and a segment
is a range of hashes. A string is its UTF-8 bytes, binary is itself, a number is a sign-and-exponent byte followed by
pairs of decimal digits, each in a form whose bytes compare as the values do. A sort attribute is ended by two
zero bytes, a zero byte inside it is written as 00 FF; so a shorter value sorts before its continuations and what
follows never mixes with it.
"""

import hashlib
from binascii import a2b_base64
from collections.abc import Callable
from typing import TypeAlias

from dynamix.engine.faults import Kind, invalid
from dynamix.limits import PARTITION_KEY_BYTES, SORT_KEY_BYTES
from dynamix.wire import AttributeValue, Item

Attribute: TypeAlias = tuple[str, str]
"""The name of a key attribute and its type: S, N or B."""

HASH_BYTES = 8
_SALT = b"Outliers"
_END = b"\x00\x00"
_ESCAPED_ZERO = b"\x00\xff"
_ZERO = b"\x80"
_MOST_PAIRS = 20

# A byte of binary-coded decimal, such as 0x42 for the digits 42, to the byte that stands for the pair.
_POSITIVE = bytes(min((byte >> 4) * 10 + (byte & 15) + 1, 255) for byte in range(256))
_NEGATIVE = bytes(max(101 - (byte >> 4) * 10 - (byte & 15), 0) for byte in range(256))
_AFTER_NEGATIVE = b"\x66"


def number_bytes(text: str) -> bytes:
    """A normalised number as bytes that compare as numbers do."""
    if text == "0":
        return _ZERO
    negative = text[0] == "-"
    whole, _, fraction = (text[1:] if negative else text).partition(".")
    if whole == "0":
        digits = fraction.lstrip("0")
        exponent = len(digits) - len(fraction)
    else:
        digits = whole + fraction
        exponent = len(whole)
    digits = digits.rstrip("0")
    if exponent & 1:
        digits = "0" + digits
        exponent += 1
    if len(digits) & 1:
        digits += "0"
    pairs = bytes.fromhex(digits)
    lead = 0xC0 + (exponent >> 1)
    if not negative:
        return bytes((lead,)) + pairs.translate(_POSITIVE)
    ended = b"" if len(pairs) >= _MOST_PAIRS else _AFTER_NEGATIVE
    return bytes((255 - lead,)) + pairs.translate(_NEGATIVE) + ended


_RAW: dict[str, Callable[[str], bytes]] = {"S": str.encode, "N": number_bytes, "B": a2b_base64}


def partition_bytes(values: list[bytes]) -> bytes:
    """The bytes with which all rows of one partition begin."""
    digest = hashlib.md5(_SALT, usedforsecurity=False)
    prefix = b""
    for value in values:
        digest.update(value)
        prefix += len(value).to_bytes(2, "big") + value
    return digest.digest()[:HASH_BYTES] + prefix


def escape(value: bytes) -> bytes:
    """A sort attribute's bytes, not yet ended: what begins with `value` begins with these."""
    return value.replace(b"\x00", _ESCAPED_ZERO) if 0 in value else value


def sort_bytes(value: bytes) -> bytes:
    """A sort attribute's bytes, ended."""
    return escape(value) + _END


def raw_bytes(value: AttributeValue, type_: str) -> bytes:
    """One key value, normalised, as bytes."""
    return _RAW[type_](value[type_])


class KeySchema:
    """The key attributes of a table or index, in order, and how a key becomes bytes."""

    __slots__ = ("attributes", "names", "partition", "sort")

    def __init__(self, partition: tuple[Attribute, ...], sort: tuple[Attribute, ...]) -> None:
        self.partition = partition
        self.sort = sort
        self.attributes = partition + sort
        self.names = frozenset(name for name, _ in self.attributes)

    def key_of(self, item: Item) -> Item:
        """The key attributes of an item that has them all."""
        return {name: item[name] for name, _ in self.attributes}

    def held_by(self, item: Item) -> bool:
        """Whether the item has every key attribute, of its type and not empty."""
        return all(name in item and item[name].get(type_) for name, type_ in self.attributes)

    def partition_of(self, key: bytes) -> bytes:
        """The bytes with which all rows of the key's partition begin."""
        end = HASH_BYTES
        for _ in self.partition:
            end += 2 + int.from_bytes(key[end : end + 2], "big")
        return key[:end]

    def encode(self, item: Item) -> bytes:
        """The bytes of a key whose attributes are known to be there, of their types."""
        prefix = partition_bytes([_RAW[type_](item[name][type_]) for name, type_ in self.partition])
        for name, type_ in self.sort:
            prefix += sort_bytes(_RAW[type_](item[name][type_]))
        return prefix

    def encode_key(self, key: Item) -> bytes:
        """The bytes of a key given in a request: exactly the key attributes, of their types, within their sizes."""
        if len(key) != len(self.attributes):
            raise invalid("The provided key element does not match the schema")
        for name, type_ in self.attributes:
            value = key.get(name)
            if value is None or type_ not in value:
                raise invalid("The provided key element does not match the schema")
        return self._checked(key)

    def encode_item(self, item: Item) -> bytes:
        """The bytes of the key of an item to be put: the key attributes there, of their types, within their sizes."""
        for name, type_ in self.attributes:
            value = item.get(name)
            if value is None:
                raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
            if type_ not in value:
                raise invalid(
                    f"One or more parameter values were invalid: Type mismatch for key {name} "
                    f"expected: {type_} actual: {next(iter(value))}"
                )
        return self._checked(item)

    def _checked(self, item: Item) -> bytes:
        values = []
        for name, type_ in self.partition:
            value = _RAW[type_](item[name][type_])
            check_part(name, type_, value)
            if len(value) > PARTITION_KEY_BYTES:
                raise invalid(
                    "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
                    f"limit of{PARTITION_KEY_BYTES} bytes"
                )
            values.append(value)
        encoded = partition_bytes(values)
        for name, type_ in self.sort:
            value = _RAW[type_](item[name][type_])
            check_part(name, type_, value)
            if len(value) > SORT_KEY_BYTES:
                raise invalid(
                    "One or more parameter values were invalid: Aggregated size of all range keys has exceeded "
                    f"the size limit of {SORT_KEY_BYTES} bytes"
                )
            encoded += sort_bytes(value)
        return encoded


def check_part(name: str, type_: str, value: bytes) -> None:
    """Refuse an empty key value."""
    if not value:
        kind = "binary" if type_ == "B" else "string"
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {kind} value. Key: {name}",
            Kind.EMPTY_KEY,
        )
