"""Making something of all items of a table while others go on writing to it.

The table is read as it was when the work began, in pieces, and then what was changed since is followed. What remains of
that in the end is little, and done together with the end.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from dynamix.engine.actions import indexes, vectors
from dynamix.engine.actions.capacity import Charge
from dynamix.engine.actions.indexes import Version
from dynamix.engine.data.changes import Change
from dynamix.engine.data.rows import KeyedRow, Row, decode_item
from dynamix.engine.operations.making import Step
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.past import Past, some_changes
from dynamix.engine.tables.table import Table
from dynamix.engine.tables.unfinished import Copying

Enter: TypeAlias = Callable[[Catalog, list[KeyedRow]], None]
"""Takes some rows."""

LARGE_ROWS = 1000
_LARGE_BYTES = 4 * 1024 * 1024


def is_large(catalog: Catalog, table: Table) -> bool:
    """Whether work on all items of a table would keep others waiting."""
    items, size = table.store.totals(catalog.execute)
    return items > LARGE_ROWS or size > _LARGE_BYTES


def copied(job: Copying, enter: Enter) -> Iterator[Step]:
    """Steps that enter all rows as they were when the work began."""
    with Past(job.source.store, job.log, job.number) as past:
        more = True

        def step(catalog: Catalog) -> None:
            nonlocal more
            rows = past.piece(catalog.execute, job.table.piece_rows)
            more = rows is not None
            if rows:
                enter(catalog, rows)

        while more:
            yield step


class IndexSteps:
    """The steps that fill a new index, one of vectors, or the store that has items by their expiry."""

    def __init__(self, job: Copying) -> None:
        self._job = job
        self._seen = job.number
        self._newest = job.number

    def all(self) -> Iterator[Step]:
        """All steps but the last."""
        yield from copied(self._job, self._enter)
        more = True

        def step(catalog: Catalog) -> None:
            nonlocal more
            more = self._follow(catalog)

        while more:
            yield step

    def end(self, catalog: Catalog) -> None:
        """The last step: now the index has what the table has."""
        while self._follow(catalog):
            pass

    def _enter(self, catalog: Catalog, rows: list[KeyedRow]) -> None:
        table = self._job.table
        for index in table.indexes:
            indexes.fill(catalog.execute, index, indexes.versions(rows))
        for vector_index in table.vectors:
            vectors.fill(catalog.execute, table, vector_index, indexes.versions(rows))
        indexes.fill_expiry(catalog.execute, table, indexes.versions(rows))

    def _follow(self, catalog: Catalog) -> bool:
        """Take in changes that came since: as many as came since the last step, and some more. Whether there are
        more."""
        _, newest = self._job.log.bounds(catalog.execute)
        if self._seen >= newest:
            return False
        changes = some_changes(
            self._job.log, catalog.execute, self._seen + 1, newest, least=newest - self._newest, most=_FOLLOWED
        )
        for change in changes:
            self._take_in(catalog, change)
            self._seen = change.number
        self._newest = newest
        return self._seen < newest

    def _take_in(self, catalog: Catalog, change: Change) -> None:
        table, old, new = self._job.table, _version(change.old), _version(change.new)
        if table.indexes:
            indexes.replace(catalog.execute, table, change.key, old, new)
        if table.vectors:
            vectors.replace(catalog.execute, table, change.key, old, new, Charge())
        indexes.replace_expiry(catalog.execute, table, change.key, old and old.item, new and new.item)


_FOLLOWED = 64
"""How many changes are taken in by a step, beside those that came since the last one."""


def _version(row: Row | None) -> Version | None:
    return None if row is None else Version(decode_item(row[1]), row)
