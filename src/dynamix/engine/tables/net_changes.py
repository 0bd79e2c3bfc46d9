"""What changes of a table come to: for each item that they touch, its row before the first and after the last.

The log is read in pieces, while others go on writing; what was read is noted in a database of its own that SQLite keeps
in memory while it is small.
"""

from collections.abc import Iterator
from types import TracebackType

from dynamix.engine.data.changes import ChangeLog, NetChange, row_of
from dynamix.engine.data.rows import Execute
from dynamix.engine.tables.past import TrimmedError, scratch, some_changes

_NOTE = (
    "INSERT INTO noted VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (k) DO UPDATE SET "
    "new_size = excluded.new_size, new = excluded.new, at = excluded.at"
)


class NetChanges:
    """What the changes of a log from number `first` to `last`, both included, come to. To be left by `with`."""

    def __init__(self, log: ChangeLog, first: int, last: int) -> None:
        self._log = log
        self._next = first
        self._last = last
        self._noted = scratch(
            "CREATE TABLE noted (k BLOB PRIMARY KEY, old_size INTEGER, old BLOB, new_size INTEGER, new BLOB, "
            "at INTEGER) WITHOUT ROWID"
        )

    def __enter__(self) -> "NetChanges":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._noted.close()

    def read(self, execute: Execute) -> bool:
        """Read some of the log. Whether there is more of it. Raises TrimmedError."""
        if self._next > self._last:
            return False
        if self._log.bounds(execute)[0] > self._next:
            raise TrimmedError
        none = (None, None)
        changes = some_changes(self._log, execute, self._next, self._last)
        noted = [(each.key, *(each.old or none), *(each.new or none), each.at) for each in changes]
        self._noted.executemany(_NOTE, noted)
        self._next = changes[-1].number + 1
        return self._next <= self._last

    def all(self) -> Iterator[NetChange]:
        """One for each item, when the log has been read."""
        for key, old_size, old, new_size, new, at in self._noted.execute("SELECT * FROM noted ORDER BY k"):
            yield NetChange(key, row_of(old_size, old), row_of(new_size, new), at)
