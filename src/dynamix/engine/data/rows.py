"""Row stores: the items of one table, or the entries of one index, in the order of their key bytes.

A row is its key, the size that the service counts for it, and the item as JSON, handed out as it lies there. A range
of keys is given by its first key and the key just after its last.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from sqlite3 import Cursor
from typing import Any, TypeAlias, TypedDict

import msgspec

from dynamix.engine.data.discarded import Execute as Execute
from dynamix.engine.data.discarded import discard
from dynamix.engine.data.keys import HASH_BYTES
from dynamix.wire import AttributeValue, Item

Row: TypeAlias = tuple[int, bytes]
"""The size of an item, and the item as JSON."""

KeyedRow: TypeAlias = tuple[bytes, int, bytes]
"""A row after its key."""

encode_item = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(dict[str, AttributeValue]).decode

_NAMES, _NAMED_CHARACTERS = 16, 4096
"""For how many names, and how long ones in all, a decoder is made and kept. It looks for each name in turn."""

FIRST = b""
LAST = b"\xff" * 16
"""Before and after every key: a key begins with eight bytes of hash and a length that is far below FF FF."""

_TOGETHER = 32


def decoder_of(names: frozenset[str]) -> Callable[[bytes], Item]:
    """The function that reads the attributes of these names: what else an item has is passed over where that is sure.

    msgspec finds no member of a TypedDict whose name is not ASCII, unless the same string was encoded before.
    """
    text = "".join(names)
    is_suited = len(names) <= _NAMES and len(text) <= _NAMED_CHARACTERS and text.isascii()
    return _decoder_of(names) if is_suited else decode_item


@lru_cache(256)
def _decoder_of(names: frozenset[str]) -> Callable[[bytes], Item]:
    attributes = dict.fromkeys(names, AttributeValue)
    some: Any = TypedDict("some", attributes, total=False)  # type: ignore[misc]
    decoder: msgspec.json.Decoder[Item] = msgspec.json.Decoder(some)
    return decoder.decode


class Store:
    """One row store. All its SQL is made of its number."""

    __slots__ = ("_count", "_delete", "_get", "_put", "backward", "forward", "id")

    def __init__(self, id_: int) -> None:
        self.id = id_
        name = f"s{id_:d}"
        self._get = f"SELECT size, item FROM {name} WHERE k = ?"  # noqa: S608 - a number of our own
        self._put = f"INSERT OR REPLACE INTO {name} VALUES (?, ?, ?)"  # noqa: S608
        self._delete = f"DELETE FROM {name} WHERE k = ?"  # noqa: S608
        self._count = f"UPDATE stores SET items = items + ?, bytes = bytes + ? WHERE id = {id_:d}"  # noqa: S608
        self.forward = f"SELECT k, size, item FROM {name} WHERE k >= ? AND k < ? ORDER BY k"  # noqa: S608
        self.backward = f"{self.forward} DESC"

    @classmethod
    def create(cls, execute: Execute) -> "Store":
        """A new, empty store."""
        id_ = execute("INSERT INTO stores (items, bytes) VALUES (0, 0)").lastrowid
        assert id_ is not None  # noqa: S101 - an INSERT has one
        execute(f"CREATE TABLE s{id_:d} (k BLOB PRIMARY KEY, size INTEGER NOT NULL, item BLOB NOT NULL) WITHOUT ROWID")
        return cls(id_)

    def discard(self, execute: Execute) -> None:
        """Take the store out of use; its rows are removed now or soon."""
        items, size = self.totals(execute)
        execute("DELETE FROM stores WHERE id = ?", (self.id,))
        discard(execute, f"s{self.id:d}", items, size)

    def get(self, execute: Execute, key: bytes) -> Row | None:
        """The row of a key."""
        row: Row | None = execute(self._get, (key,)).fetchone()
        return row

    def put(self, execute: Execute, key: bytes, size: int, item: bytes, old_size: int | None) -> None:
        """Store a row in place of the one of `old_size`; None says that there was none."""
        execute(self._put, (key, size, item))
        if old_size is None:
            execute(self._count, (1, size))
        elif size != old_size:
            execute(self._count, (0, size - old_size))

    def fill(self, execute: Execute, rows: list[KeyedRow]) -> None:
        """Store rows of keys that are not there yet, many in a statement: between two, other threads may go on."""
        for first in range(0, len(rows), _TOGETHER):
            part = rows[first : first + _TOGETHER]
            places = ", ".join(["(?, ?, ?)"] * len(part))
            execute(f"INSERT INTO s{self.id:d} VALUES {places}", [*chain.from_iterable(part)])  # noqa: S608
        execute(self._count, (len(rows), sum(size for _, size, _ in rows)))

    def delete(self, execute: Execute, key: bytes, old_size: int) -> None:
        """Remove the row of a key, which is there."""
        execute(self._delete, (key,))
        execute(self._count, (-1, -old_size))

    def between(self, execute: Execute, low: bytes, high: bytes, *, forward: bool = True) -> Cursor:
        """The rows (key, size, item) from `low` to before `high`, read as they are asked for."""
        return execute(self.forward if forward else self.backward, (low, high))

    def totals(self, execute: Execute) -> tuple[int, int]:
        """How many rows there are, and the sum of their sizes."""
        totals: tuple[int, int] = execute("SELECT items, bytes FROM stores WHERE id = ?", (self.id,)).fetchone()
        return totals

    def bytes_between(self, execute: Execute, low: bytes, high: bytes) -> int:
        """The sum of the sizes of the rows from `low` to before `high`."""
        statement = f"SELECT COALESCE(SUM(size), 0) FROM s{self.id:d} WHERE k >= ? AND k < ?"  # noqa: S608
        total: int = execute(statement, (low, high)).fetchone()[0]
        return total


def hash_range(number: int, total: int) -> tuple[bytes, bytes]:
    """The first key of a part of all keys, by the hash of their partition, and the key just after its last."""
    return _hash_bound(number, total), _hash_bound(number + 1, total)


def _hash_bound(number: int, total: int) -> bytes:
    if number == total:
        return LAST
    return ((number << 8 * HASH_BYTES) // total).to_bytes(HASH_BYTES, "big")


def after(prefix: bytes) -> bytes:
    """The first key after all that begin with `prefix`."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else LAST
