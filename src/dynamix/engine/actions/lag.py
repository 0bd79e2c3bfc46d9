"""What a read sees that may see the past, where the engine is told to let such reads lag behind.

The past is what is there now, with the older rows of the log of changes in place of what has changed since. Reads of a
table or a local index that are not to be consistent see it, and all reads of a global index. A read sees one moment,
so it does not give way to others.
"""

from collections.abc import Iterator, Mapping
from heapq import merge
from operator import itemgetter
from typing import Any

from dynamix.engine.actions.indexes import entry_of
from dynamix.engine.data.changes import ChangeLog
from dynamix.engine.data.rows import Execute, KeyedRow, Row
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Index, Table

_NEWEST = (1 << 63) - 1
"""No change has a greater number."""


class LaggingView:
    """What one read sees of a table; `first` is the number of the first change that it does not see."""

    __slots__ = ("_execute", "_first", "_log", "_table")

    def __init__(self, execute: Execute, table: Table, log: ChangeLog, first: int) -> None:
        self._execute = execute
        self._table = table
        self._log = log
        self._first = first

    def row(self, key: bytes, now: Row | None) -> Row | None:
        """The row of a key, which is another one `now` if it has changed since."""
        changes = self._log.between(self._execute, self._first, _NEWEST, low=key, high=key + b"\x00")
        change = next(changes, None)
        return now if change is None else change.old

    def rows(self, index: Index | None, low: bytes, high: bytes, *, forward: bool) -> Iterator[KeyedRow]:
        """The rows of the table or of an index from `low` to before `high`."""
        hidden: set[bytes] = set()
        shown: list[KeyedRow] = []
        for change in self._log.net(self._execute, self._first, _NEWEST):
            new, old = _row(index, change.key, change.new), _row(index, change.key, change.old)
            if new is not None:
                hidden.add(new[0])
            if old is not None and low <= old[0] < high:
                shown.append(old)
        store = self._table.store if index is None else index.store
        rows = store.between(self._execute, low, high, forward=forward)
        unchanged = (row for row in rows if row[0] not in hidden)
        shown.sort(key=itemgetter(0), reverse=not forward)
        return merge(unchanged, shown, key=itemgetter(0), reverse=not forward)


def past_of(catalog: Catalog, table: Table, index: Index | None, request: Mapping[str, Any]) -> LaggingView | None:
    """What a read of a table or an index sees; None where that is what is there now."""
    if not catalog.lag or table.log is None:
        return None
    if request.get("ConsistentRead") and (index is None or not index.is_global):
        return None
    since = catalog.milliseconds() - catalog.lag + 1
    return LaggingView(catalog.execute, table, table.log, table.log.first_since(catalog.execute, since))


def _row(index: Index | None, key: bytes, row: Row | None) -> KeyedRow | None:
    """What a table or an index has of a row."""
    if row is None:
        return None
    return (key, *row) if index is None else entry_of(index, key, row)
