"""The rows of a vector index: what is needed to find the nearest vectors, beside the items.

A row has a number, the key of its item, the vector's 32-bit floats, and one mark for each attribute of the search
schema. The index has a version, raised by each change; a row has the version that changed it last. So whoever holds
the rows of a version in memory reads only the newer ones. What was removed has no row any more; the index's count of
rows tells that some are gone.

The epoch of an index is chosen at random when its rows come into being, by creation or by a restored copy: versions of
different epochs say nothing about each other.
"""

import secrets
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from dynamix.engine.data.discarded import discard
from dynamix.engine.data.rows import Execute
from dynamix.engine.vectors.floats import FLOAT_BYTES
from dynamix.wire import AttributeValue

MARK_BYTES = 8
ABSENT = 0
_EPOCH_BITS = 62  # of the 63 that SQLite counts with

Row: TypeAlias = tuple[int, bytes, bytes]
"""The number of a row, its marks, and its floats."""


_PIECE_ROWS = 256
_PIECE_BYTES = 1024 * 1024


class State(NamedTuple):
    """An index as it is now: its epoch and version, how many rows it has and the sum of their sizes.

    `packing` is by how much the lists of numbers in the table's items are larger than their floats.
    """

    epoch: int
    version: int
    items: int
    bytes: int
    packing: int


def mark(value: AttributeValue | None) -> bytes:
    """What a row holds of a key value: enough to tell whether it equals another one."""
    if value is None:
        return ABSENT.to_bytes(MARK_BYTES, "little")
    ((kind, text),) = value.items()
    return blake2b(f"{kind}{text}".encode(), digest_size=MARK_BYTES).digest()


def mark_number(value: AttributeValue) -> int:
    """The same as a number."""
    return int.from_bytes(mark(value), "little", signed=True)


class VectorRows:
    """The rows of one vector index. All its SQL is made of its number."""

    __slots__ = ("_all", "_count", "_delete", "_key", "_newer", "_put", "_rows", "_state", "id")

    def __init__(self, id_: int) -> None:
        self.id = id_
        name = f"v{id_:d}"
        version = f"(SELECT version FROM vectors WHERE id = {id_:d})"  # noqa: S608 - a number of our own
        self._state = f"SELECT epoch, version, items, bytes, packing FROM vectors WHERE id = {id_:d}"  # noqa: S608
        self._count = (
            "UPDATE vectors SET version = version + ?, items = items + ?, bytes = bytes + ?, packing = packing + ? "  # noqa: S608
            f"WHERE id = {id_:d}"
        )
        self._put = (
            f"INSERT INTO {name} (k, version, marks, floats) VALUES (?, {version}, ?, ?) ON CONFLICT (k) "  # noqa: S608
            "DO UPDATE SET version = excluded.version, marks = excluded.marks, floats = excluded.floats"
        )
        self._delete = f"DELETE FROM {name} WHERE k = ?"  # noqa: S608
        self._key = f"SELECT k FROM {name} WHERE id = ?"  # noqa: S608
        self._all = f"SELECT id, marks, floats FROM {name} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        self._newer = f"SELECT id, marks, floats FROM {name} WHERE version > ?"  # noqa: S608
        self._rows = f"SELECT id FROM {name} INDEXED BY {name}_versions"  # noqa: S608

    @classmethod
    def create(cls, execute: Execute) -> "VectorRows":
        """The rows of a new index, of which there are none yet."""
        id_ = execute(
            "INSERT INTO vectors (epoch, version, items, bytes, packing) VALUES (?, 0, 0, 0, 0)", (fresh_epoch(),)
        ).lastrowid
        assert id_ is not None  # noqa: S101 - an INSERT has one
        execute(
            f"CREATE TABLE v{id_:d} (id INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, version INTEGER NOT NULL, "
            "marks BLOB NOT NULL, floats BLOB NOT NULL)"
        )
        execute(f"CREATE INDEX v{id_:d}_versions ON v{id_:d} (version)")
        return cls(id_)

    def discard(self, execute: Execute) -> None:
        """Take the rows out of use; they are removed now or soon."""
        state = self.state(execute)
        execute("DELETE FROM vectors WHERE id = ?", (self.id,))
        discard(execute, f"v{self.id:d}", state.items, state.bytes)

    def state(self, execute: Execute) -> State:
        """How the index is in the transaction that runs."""
        return State(*execute(self._state).fetchone())

    def put(self, execute: Execute, key: bytes, marks: bytes, floats: bytes) -> None:
        """Store the row of an item in place of the one that there may be. In an index in use, to be counted before."""
        execute(self._put, (key, marks, floats))

    def delete(self, execute: Execute, key: bytes) -> None:
        """Remove the row of an item. To be counted before."""
        execute(self._delete, (key,))

    def count(self, execute: Execute, items: int, size: int, packing: int, *, changed: bool) -> None:
        """Count what comes and goes; `changed` says that a row does, which makes a new version."""
        execute(self._count, (int(changed), items, size, packing))

    def all(self, execute: Execute) -> Iterator[Row]:
        """All rows by their numbers, read as they are asked for."""
        return execute(self._all, (-1, -1))

    def some(self, execute: Execute, after: int, most: int) -> list[Row]:
        """The next rows by their numbers, after this one."""
        return execute(self._all, (after, most)).fetchall()

    def newer(self, execute: Execute, version: int) -> Iterator[Row]:
        """The rows that changed after a version and are still there."""
        return execute(self._newer, (version,))

    def numbers(self, execute: Execute) -> Iterator[int]:
        """The numbers of all rows."""
        return (number for (number,) in execute(self._rows))

    def key(self, execute: Execute, number: int) -> bytes | None:
        """The key of a row's item; None where the row is gone."""
        row: tuple[bytes] | None = execute(self._key, (number,)).fetchone()
        return None if row is None else row[0]


def piece_rows(dimensions: int) -> int:
    """How many rows are read before others may go on."""
    return min(max(_PIECE_BYTES // (FLOAT_BYTES * dimensions), 1), _PIECE_ROWS)


def fresh_epoch() -> int:
    """An epoch that no index had before."""
    return secrets.randbits(_EPOCH_BITS)
