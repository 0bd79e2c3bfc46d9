"""What time alone removes or ends: expired items and backups, changes that nothing needs any more, shards that were
open for long, tables that were left half-way when they were made, and rows that were left when they were removed.

Nothing is written before a look has found something to do, so a database at rest is only read. What is to be done is
done in many small transactions, between which others work.
"""

from collections.abc import Callable
from typing import Any

from dynamix.engine.operations import lifetime
from dynamix.engine.operations.clearing import clear
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import backups, streams, unfinished
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table


def sweep(storage: Storage, stopped: Callable[[], bool]) -> int:
    """Remove and end what is due, until nothing is, or until `stopped` says so. Returns how many items expired."""
    removed = 0
    with storage.reading() as catalog:
        names = catalog.swept()
    for name in names:
        while not stopped():
            with storage.reading() as catalog:
                if not _is_due(catalog, catalog.find(name)):
                    break
            with storage.writing() as catalog:
                table = catalog.find(name)
                if table is None:
                    break
                expired, trimmed = lifetime.expire_some(catalog, table), _trim_some(catalog, table)
                removed += expired
                if not expired + trimmed:
                    break
    while not stopped():
        with storage.reading() as catalog:
            if not streams.is_due(catalog):
                break
        with storage.writing() as catalog:
            before = catalog.connection.total_changes
            streams.sweep(catalog)
            if catalog.connection.total_changes == before:
                break
    for find, remove in _LEFT:
        while not stopped() and _remove_one(storage, find, remove):
            pass
    clear(storage, stopped)
    return removed


_LEFT: tuple[tuple[Callable[[Catalog], Any], Callable[[Catalog, Any], None]], ...] = (
    (backups.expired, backups.remove),
    (unfinished.stale, unfinished.remove),
)
"""What finds something that is not needed any more, and what removes it."""


def _remove_one(storage: Storage, find: Callable[[Catalog], Any], remove: Callable[[Catalog, Any], None]) -> bool:
    """Remove what is found. Whether there was anything."""
    with storage.reading() as catalog:
        if find(catalog) is None:
            return False
    with storage.writing() as catalog:
        found = find(catalog)
        if found is not None:
            remove(catalog, found)
    return True


def _is_due(catalog: Catalog, table: Table | None) -> bool:
    if table is None:
        return False
    if lifetime.due(catalog, table):
        return True
    return table.log is not None and table.log.is_due(catalog.execute, _kept_since(catalog, table.log.kept))


def _trim_some(catalog: Catalog, table: Table) -> int:
    if table.log is None:
        return 0
    return table.log.trim(catalog.execute, _kept_since(catalog, table.log.kept), lifetime.AT_ONCE)


def _kept_since(catalog: Catalog, kept: int) -> int:
    return catalog.milliseconds() - kept * 1000
