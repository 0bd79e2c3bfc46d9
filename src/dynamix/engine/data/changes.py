"""The log of a table's changes: each change of an item, in the order in which the changes were committed.

A table has a log while something needs to know its past: a stream, recovery to a point in time. It is written in the
transaction that changes the item, so it tells what happened, no more and no less. Changes are numbered from 1 without
a gap; only the oldest are ever removed, and never the newest, from whose number SQLite counts on. Times never
decrease, so the first change at or after a time is found by halving.

What does not change the values of an item leaves no entry.
"""

from collections.abc import Generator
from typing import NamedTuple

from dynamix.engine.data.rows import Execute, Row, decode_item
from dynamix.engine.data.values import equal

_TRIMMED_BY_APPEND = 2
"""How many old changes a new one may remove: more than come, so that a log without a sweeper does not grow for ever."""


class Change(NamedTuple):
    """One change of one item: its number, its time, the item's key, its row before and after.

    Times are in milliseconds since 1970. `expired` says that the item was removed because its time to live had ended.
    """

    number: int
    at: int
    key: bytes
    old: Row | None
    new: Row | None
    expired: bool


class NetChange(NamedTuple):
    """What changes of one item come to: its row before the first and after the last, and the time of the last."""

    key: bytes
    old: Row | None
    new: Row | None
    at: int


class ChangeLog:
    """The log of one table. All its SQL is made of its number; changes are kept for `kept` seconds."""

    __slots__ = ("_append", "_bounds", "_oldest", "_time", "_trim", "id", "kept", "name")

    def __init__(self, id_: int, kept: int) -> None:
        self.id = id_
        self.kept = kept
        self.name = name = f"l{id_:d}"
        self._append = (
            f"INSERT INTO {name} VALUES (NULL, "  # noqa: S608 - a number of our own
            f"MAX(?, COALESCE((SELECT at FROM {name} ORDER BY seq DESC LIMIT 1), 0)), ?, ?, ?, ?, ?, ?)"
        )
        self._trim = (
            f"DELETE FROM {name} WHERE at < ? AND seq IN (SELECT seq FROM {name} ORDER BY seq LIMIT ?) "  # noqa: S608
            f"AND seq < (SELECT MAX(seq) FROM {name})"
        )
        self._bounds = f"SELECT (SELECT MIN(seq) FROM {name}), (SELECT MAX(seq) FROM {name})"  # noqa: S608
        self._oldest = f"SELECT at FROM {name} ORDER BY seq LIMIT 2"  # noqa: S608
        self._time = f"SELECT at FROM {name} WHERE seq = ?"  # noqa: S608

    @classmethod
    def create(cls, execute: Execute, kept: int) -> "ChangeLog":
        """A new, empty log."""
        id_ = execute("INSERT INTO logs (live) VALUES (1)").lastrowid
        assert id_ is not None  # noqa: S101 - an INSERT has one
        execute(
            f"CREATE TABLE l{id_:d} (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, k BLOB NOT NULL, old_size INTEGER, "
            "old BLOB, new_size INTEGER, new BLOB, expired INTEGER NOT NULL)"
        )
        return cls(id_, kept)

    def end(self, execute: Execute) -> None:
        """Say that nothing more is appended. Who sweeps drops the log when no stream needs it."""
        execute("UPDATE logs SET live = 0 WHERE id = ?", (self.id,))

    def drop(self, execute: Execute) -> None:
        """Remove the log. One with many changes is better trimmed before, in pieces."""
        execute(f"DROP TABLE {self.name}")
        execute("DELETE FROM logs WHERE id = ?", (self.id,))

    def append(
        self, execute: Execute, at: int, key: bytes, old: Row | None, new: Row | None, *, expired: bool = False
    ) -> None:
        """Note a change, made at `at` milliseconds since 1970. Nothing is noted where the values are as before."""
        if old is not None and new is not None and _alike(old, new):
            return
        execute(self._append, (at, key, *(old or (None, None)), *(new or (None, None)), expired))
        before = at - self.kept * 1000
        if self.is_due(execute, before):
            self.trim(execute, before, _TRIMMED_BY_APPEND)

    def is_due(self, execute: Execute, before: int) -> bool:
        """Whether the oldest change, of several, was made before a time."""
        times = execute(self._oldest).fetchall()
        return len(times) > 1 and times[0][0] < before

    def trim(self, execute: Execute, before: int, most: int) -> int:
        """Remove up to `most` of the oldest changes, if they were made before a time. Returns how many."""
        return execute(self._trim, (before, most)).rowcount

    def bounds(self, execute: Execute) -> tuple[int, int]:
        """The numbers of the oldest and of the newest change; (1, 0) where there is none yet."""
        first, last = execute(self._bounds).fetchone()
        return (1, 0) if last is None else (first, last)

    def first_since(self, execute: Execute, at: int) -> int:
        """The number of the first change at or after a time; where there is none, that of the next one to come."""
        low, newest = self.bounds(execute)
        high = newest + 1
        while low < high:
            middle = (low + high) // 2
            (time,) = execute(self._time, (middle,)).fetchone()
            low, high = (middle + 1, high) if time < at else (low, middle)
        return low

    def between(
        self, execute: Execute, first: int, last: int, *, low: bytes = b"", high: bytes | None = None
    ) -> Generator[Change, None, None]:
        """The changes from number `first` to `last`, both included, of the keys from `low` to before `high`."""
        statement = (
            f"SELECT seq, at, k, old_size, old, new_size, new, expired FROM {self.name} "  # noqa: S608
            "WHERE seq BETWEEN ? AND ? AND k >= ? AND (?4 IS NULL OR k < ?4) ORDER BY seq"
        )
        for number, at, key, old_size, old, new_size, new, expired in execute(statement, (first, last, low, high)):
            yield Change(number, at, key, row_of(old_size, old), row_of(new_size, new), bool(expired))

    def net(self, execute: Execute, first: int, last: int) -> Generator[NetChange, None, None]:
        """What the changes from number `first` to `last`, both included, come to: one for each item that they touch.

        The rows `old` of all since a moment, put back, make the table what it was at that moment.
        """
        touched = f"SELECT MIN(seq) AS a, MAX(seq) AS b FROM {self.name} WHERE seq BETWEEN ? AND ? GROUP BY k"  # noqa: S608
        statement = (
            f"SELECT o.k, o.old_size, o.old, n.new_size, n.new, n.at FROM ({touched}) "  # noqa: S608
            f"JOIN {self.name} AS o ON o.seq = a JOIN {self.name} AS n ON n.seq = b"
        )
        for key, old_size, old, new_size, new, at in execute(statement, (first, last)):
            yield NetChange(key, row_of(old_size, old), row_of(new_size, new), at)


def row_of(size: int | None, item: bytes | None) -> Row | None:
    """A row of two columns; None where they are empty."""
    return None if size is None or item is None else (size, item)


def _alike(old: Row, new: Row) -> bool:
    """Whether two rows hold the same values, in whatever order."""
    if old[0] != new[0] or len(old[1]) != len(new[1]):
        return False
    if old[1] == new[1]:
        return True
    before, after = decode_item(old[1]), decode_item(new[1])
    return before.keys() == after.keys() and all(equal(before[name], after[name]) for name in before)
