"""A table as it was after one of its changes, read in pieces while others go on writing.

Each piece is read as the table is at that time, and what was changed since the moment in question is put back: the row
before the first change of a key since then. These rows are noted, as the log tells them, in a database of their own
that SQLite keeps in memory while it is small.
"""

import sqlite3
from contextlib import closing
from types import TracebackType

from dynamix.engine.data.changes import Change, ChangeLog
from dynamix.engine.data.rows import FIRST, LAST, Execute, KeyedRow, Store
from dynamix.engine.tables.catalog import PIECE_BYTES, PIECE_ROWS, Catalog, next_piece

_SINCE = "SELECT k, size, item FROM noted WHERE k >= ? AND k < ? ORDER BY k"


class TrimmedError(Exception):
    """The log does not reach back to the moment any more."""


class Past:
    """The rows of `store` from key `low` to before `high` as they were after change `number` of `log`.

    To be left by `with`.
    """

    def __init__(self, store: Store, log: ChangeLog, number: int, low: bytes = FIRST, high: bytes = LAST) -> None:
        self._store = store
        self._log = log
        self._seen = number
        self._newest: int | None = None
        self._low = low
        self._high = high
        self._noted = scratch("CREATE TABLE noted (k BLOB PRIMARY KEY, size INTEGER, item BLOB) WITHOUT ROWID")

    def __enter__(self) -> "Past":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._noted.close()

    def piece(self, execute: Execute, most: int | None = None) -> list[KeyedRow] | None:
        """The next rows in the order of their keys, perhaps none, few or about `most`; None after the last.

        Each call sees one state of the database, and others may change it between two calls. Raises TrimmedError.
        """
        if self._low >= self._high:
            return None
        if not self._follow(execute):
            return []
        with closing(self._store.between(execute, self._low, self._high)) as cursor:
            now, now_to = next_piece(cursor, most)
        noted, noted_to = next_piece(self._noted.execute(_SINCE, (self._low, self._high)), most)
        self._low = high = min(now_to, noted_to)
        rows = {row[0]: row for row in now if row[0] < high}
        for row in noted:
            if row[0] >= high:
                break
            if row[1] is None:
                rows.pop(row[0], None)
            else:
                rows[row[0]] = row
        return [rows[key] for key in sorted(rows)]

    def _follow(self, execute: Execute) -> bool:
        """Note changes that were not seen yet: those that came since the last piece and some more, so that no number of
        writers is ahead for ever. Whether that were all."""
        oldest, newest = self._log.bounds(execute)
        if oldest > self._seen + 1:
            raise TrimmedError
        if self._seen < newest:
            changes = some_changes(self._log, execute, self._seen + 1, newest, least=newest - (self._newest or newest))
            rows = [(change.key, *(change.old or (None, None))) for change in changes]
            self._noted.executemany("INSERT OR IGNORE INTO noted VALUES (?, ?, ?)", rows)
            self._seen = changes[-1].number
        self._newest = newest
        return self._seen == newest


def some_changes(
    log: ChangeLog, execute: Execute, first: int, last: int, *, least: int = 0, most: int | None = None
) -> list[Change]:
    """The changes from number `first` on that make a piece, few or `most`, after `least` others; to `last` at most."""
    taken: list[Change] = []
    size = 0
    with closing(log.between(execute, first, last)) as changes:
        for change in changes:
            taken.append(change)
            if len(taken) > least:
                size += sum(row[0] for row in (change.old, change.new) if row is not None)
            if len(taken) - least >= min(most or PIECE_ROWS, PIECE_ROWS) or size > PIECE_BYTES:
                break
    return taken


def copy(catalog: Catalog, source: Store, target: Store) -> None:
    """Fill an empty store of which nobody knows yet with the rows of another. Others read meanwhile."""
    for piece in catalog.pieces(source):
        target.fill(catalog.execute, piece)


def scratch(table: str) -> sqlite3.Connection:
    """A database for notes with one table, which SQLite keeps in memory while it is small. To be closed."""
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute(table)
    connection.execute("BEGIN")
    return connection
