"""What a read sees that may see the past, where the engine is told to let such reads lag behind.

The past is what is there now, with the older rows of the log of changes in place of what has changed since. Reads of a
table or a local index that are not to be consistent see it, and all reads of a global index.
"""

from collections.abc import Iterator, Mapping
from heapq import merge
from operator import itemgetter
from typing import Any

from dynamix.engine.actions.indexes import entry_of
from dynamix.engine.data.rows import KeyedRow, Row
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Index, Table


def lags(catalog: Catalog, index: Index | None, request: Mapping[str, Any]) -> bool:
    """Whether a read of a table or an index sees the past."""
    return bool(catalog.lag) and (not request.get("ConsistentRead") or (index is not None and index.is_global))


def past_row(catalog: Catalog, table: Table, key: bytes, row: Row | None) -> Row | None:
    """The row of a key as it was, which is `row` now."""
    if table.log is None:
        return row
    changes = table.log.between(catalog.execute, *_younger(catalog, table), low=key, high=key + b"\x00")
    first = next(changes, None)
    return row if first is None else first.old


def past_rows(
    catalog: Catalog, table: Table, index: Index | None, low: bytes, high: bytes, *, forward: bool
) -> Iterator[KeyedRow]:
    """The rows of a table or an index from `low` to before `high` as they were."""
    hidden: set[bytes] = set()
    shown: list[KeyedRow] = []
    if table.log is not None:
        for change in table.log.net(catalog.execute, *_younger(catalog, table)):
            new, old = _row(index, change.key, change.new), _row(index, change.key, change.old)
            if new is not None:
                hidden.add(new[0])
            if old is not None and low <= old[0] < high:
                shown.append(old)
    store = table.store if index is None else index.store
    rows = catalog.rows(store, low, high, forward=forward)
    unchanged = (row for row in rows if row[0] not in hidden)
    shown.sort(key=itemgetter(0), reverse=not forward)
    return merge(unchanged, shown, key=itemgetter(0), reverse=not forward)


def _younger(catalog: Catalog, table: Table) -> tuple[int, int]:
    """The numbers of the first and the last change that is not seen yet."""
    assert table.log is not None  # noqa: S101 - who calls this has looked
    since = catalog.milliseconds() - catalog.lag + 1
    return table.log.first_since(catalog.execute, since), table.log.bounds(catalog.execute)[1]


def _row(index: Index | None, key: bytes, row: Row | None) -> KeyedRow | None:
    """What a table or an index has of a row."""
    if row is None:
        return None
    return (key, *row) if index is None else entry_of(index, key, row)
