"""A cursor: where a page of a query or scan begins.

It belongs to one table, index and direction, and to one value of the partition key; what else the conditions say may
change from page to page. As text it is short: of what it belongs to, it has a digest, and of the key only the values.

    older text   base64 of the JSON [table, index, key]
    text         base64 of: kind and whether it is of an earlier page, digest, values, signature

The values are in the order of their attributes' names. A connection's `cursor_key` signs or encrypts them (seal.py).

That of a scan in segments has the place of each of them.
"""

from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from dynamix.codec.numbers import parse
from dynamix.errors import InvalidCursorError
from dynamix.seal import PLAIN, Seal
from dynamix.wire import AttributeValue, Item

Order: TypeAlias = Literal["asc", "desc", "scan"]
"""In which direction a query reads; a scan has none."""


class Cursor(msgspec.Struct, frozen=True, eq=False):
    """Where a page begins: after `key`, in `index` (None: the table itself) of `table`; without a key at the edge.

    `str(cursor)` is text that can be kept in a URL or a cookie; `start_key` takes it back. Unless the connection has a
    `cursor_key`, the text is not signed: who can change it can start elsewhere within the same query.

    `order` is the direction of the query that made it ("asc", "desc", or "scan"), None where that is not known. `back`
    says that the page ends there. `text` is what a connection with a `cursor_key` made of it.

    `segment` is the segment that it belongs to, and of how many, None for no segment. That of all segments of a scan
    has the `places` of each: the key after which it goes on, {} at its beginning, None at its end.
    """

    table: str
    index: str | None
    key: Item
    order: Order | None = None
    back: bool = False
    text: str | None = None
    segment: tuple[int, int] | None = None
    places: tuple[Item | None, ...] | None = None

    def __str__(self) -> str:
        return self.text or sealed(self, None)

    def __repr__(self) -> str:
        if self.text is not None:  # whose values may be secret
            return f"<Cursor {self.text}>"
        place = self.key if self.places is None else self.places
        return f"Cursor({self.table!r}, {self.index!r}, {place!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cursor) and self._place == other._place and self.key == other.key

    __hash__ = None  # type: ignore[assignment]

    @property
    def _place(self) -> tuple[object, ...]:
        return self.table, self.index, self.order, self.back, self.segment, self.places

    def refused(self, message: str) -> InvalidCursorError | None:
        """The error for what the service said of a request that began here, if it is about where it began."""
        if any(words in message for words in _REFUSALS):
            return InvalidCursorError(f"the cursor cannot continue this query; {_ADVICE}: {message}")
        return None


class Place(msgspec.Struct, frozen=True):
    """What a cursor has to belong to: table, index, direction, the names of the keys, the values of the partition's,
    and the segment and of how many, or the number of segments."""

    table: str
    index: str | None
    order: Order
    keys: tuple[str, ...]
    partition: Mapping[str, AttributeValue]
    segment: tuple[int, int] | None = None
    segments: int | None = None

    def __str__(self) -> str:
        place = f"table {self.table!r}" if self.index is None else f"index {self.index!r} of table {self.table!r}"
        if self.segment is not None:
            return f"segment {self.segment[0]} of {self.segment[1]} of {place}"
        return place if self.segments is None else f"{place} in {self.segments} segments"

    def opened(self, start: "Start", seal: Seal | None) -> Cursor:
        """The cursor that was given as one, as its text, or as a key of the service. Raises InvalidCursorError where it
        is damaged or belongs elsewhere."""
        if isinstance(start, str):
            start = self._read(start, seal)
        elif not isinstance(start, Cursor):
            if seal is not None:
                raise InvalidCursorError(
                    "the connection has a cursor_key, lest others make cursors: give a cursor or its text, not a key"
                )
            start = Cursor(self.table, self.index, dict(start), segment=self.segment)
        self._require(start)
        return start

    def _read(self, text: str, seal: Seal | None) -> Cursor:
        content = decoded(text)
        if content[0] == _OLDER:
            if seal is not None:
                raise InvalidCursorError("the cursor's text is not signed, and the connection has a cursor_key")
            return _older(text, content)
        head, rest = content[:_HEAD], content[_HEAD:]
        opened = (Seal.none() if seal is None else seal).opened(head, rest)
        division = _division(self.segment, self.segments)
        if head[1:] not in (_digest(self.table, self.index, order, division) for order in (self.order, None)):
            raise InvalidCursorError(
                "the cursor belongs to another table, index, direction or segment, but the query reads "
                f"{self}; {_ADVICE}"
            )
        places: tuple[Item | None, ...] | None = None
        try:
            if self.segments is None:
                key = self._key(msgspec.msgpack.decode(opened, type=list[str]))
            else:
                values = msgspec.msgpack.decode(opened, type=list[list[str] | None])
                key, places = {}, tuple(None if each is None else self._key(each) for each in values)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _damaged(text) from error
        back = bool(head[0] & _BACK)
        return Cursor(self.table, self.index, key, self.order, back, text if seal else None, self.segment, places)

    def _key(self, values: list[str]) -> Item:
        if values and len(values) != len(self.keys):
            raise self._no_key()
        return {name: {value[:1]: value[1:]} for name, value in zip(sorted(self.keys), values, strict=False)}

    def _no_key(self) -> InvalidCursorError:
        return InvalidCursorError(f"the cursor's key is none of {self}; {_ADVICE}")

    def _require(self, cursor: Cursor) -> None:
        if (cursor.table, cursor.index) != (self.table, self.index):
            other = msgspec.structs.replace(self, table=cursor.table, index=cursor.index)
            raise InvalidCursorError(f"the cursor belongs to {other}, but the query reads {self}; {_ADVICE}")
        if cursor.order not in (None, self.order):
            raise InvalidCursorError(f"the cursor belongs to a query in another direction; {_ADVICE}")
        number = None if cursor.places is None else len(cursor.places)
        if (cursor.segment, number) != (self.segment, self.segments):
            other = msgspec.structs.replace(self, segment=cursor.segment, segments=number)
            raise InvalidCursorError(f"the cursor belongs to {other}, but the scan reads {self}; {_ADVICE}")
        if cursor.places is not None:
            for key in filter(None, cursor.places):
                self._require_key(key)
        elif cursor.key or cursor.order is None:
            self._require_key(cursor.key)

    def _require_key(self, key: Item) -> None:
        if key.keys() != set(self.keys) or not all(map(_is_key, key.values())):
            raise self._no_key()
        for name, value in self.partition.items():
            if not _same(key[name], value):
                raise InvalidCursorError(
                    f"the cursor belongs to another value of the partition key {name!r}; {_ADVICE}"
                )


Start: TypeAlias = Cursor | str | Mapping[str, Any]
"""Where a page begins, as callers say it: a cursor, its text, or the key that the service gave (LastEvaluatedKey)."""

_ADVICE = "pass a cursor only to the query that gave it"
_REFUSALS = ("starting key", "StartKey", "Start Key", "cannot be restarted", "Type mismatch for attribute")
"""What the service says of where a page begins, in parts of its words."""

_OLDER = ord("[")
_BACK = 0x10
_HEAD = 7
"""The bytes of kind and digest."""


def sealed(cursor: Cursor, seal: Seal | None) -> str:
    """The text of a cursor."""
    number = None
    if cursor.places is None:
        values = msgspec.msgpack.encode(_values(cursor.key))
    else:
        number = len(cursor.places)
        values = msgspec.msgpack.encode([None if key is None else _values(key) for key in cursor.places])
    kind = PLAIN if seal is None else seal.kind
    division = _division(cursor.segment, number)
    head = bytes([kind | (_BACK if cursor.back else 0)]) + _digest(cursor.table, cursor.index, cursor.order, division)
    content = head + (values if seal is None else seal.closed(head, values))
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _values(key: Item) -> list[str]:
    """The values of a key, each after its type, in the order of their names."""
    return [tag + value for _, form in sorted(key.items()) for tag, value in form.items()]


def _division(segment: tuple[int, int] | None, segments: int | None) -> tuple[int, ...]:
    """What the digest has of segments."""
    return segment or (() if segments is None else (segments,))


def decoded(text: str) -> bytes:
    """The bytes of a cursor's text. Raises InvalidCursorError for what is none."""
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise _damaged(text) from error
    if not content or (content[0] != _OLDER and (len(content) <= _HEAD or not Seal.knows(content[0] & ~_BACK))):
        raise _damaged(text)
    if content[0] == _OLDER:
        _older(text, content)
    return content


def _older(text: str, content: bytes) -> Cursor:
    """The cursor of a text of an older version."""
    try:
        return Cursor(*msgspec.json.decode(content, type=tuple[str, str | None, dict[str, dict[str, str]]]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(text) from error


def _damaged(text: str) -> InvalidCursorError:
    return InvalidCursorError(f"{text!r} is not the text of a cursor; pass on str(cursor) unchanged")


def _digest(table: str, index: str | None, order: Order | None, division: tuple[int, ...]) -> bytes:
    """What a cursor belongs to, in six bytes."""
    from hashlib import blake2b  # which loads OpenSSL, and few programs make texts

    return blake2b(msgspec.json.encode((table, index, order, *division)), digest_size=_HEAD - 1).digest()


def _same(one: AttributeValue, other: AttributeValue) -> bool:
    """Whether two key values are equal; numbers may be spelled differently."""
    return one == other or ("N" in one and "N" in other and parse(one["N"]) == parse(other["N"]))


def _is_key(value: object) -> bool:
    """Whether a value is of the types that keys have, and well formed."""
    try:
        match value:
            case {"S": str(text), **others}:
                return text != "" and not others
            case {"B": str(text), **others}:
                return b64decode(text, validate=True) != b"" and not others
            case {"N": str(text), **others}:
                return parse(text).is_finite() and not others
    except ValueError:
        return False
    return False
