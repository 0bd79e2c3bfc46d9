"""Making something in steps, each a transaction of its own."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeAlias, TypeVar

from dynamix.engine.actions import indexes, vectors
from dynamix.engine.data.rows import KeyedRow
from dynamix.engine.operations.clearing import clear
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.engine.tables.unfinished import Copying, Unfinished

T = TypeVar("T")

Step: TypeAlias = Callable[[Catalog], None]


def made(
    storage: Storage, unfinished: Unfinished | Copying, steps: Iterator[Step], finish: Callable[[Catalog], T]
) -> T:
    """Take the steps, each in a transaction, then finish. Where that fails, nothing is left.

    What leads from one step to the next keeps nobody waiting.
    """
    try:
        for step in steps:
            with storage.writing() as catalog:
                unfinished.step(catalog)
                step(catalog)
        with storage.writing() as catalog:
            return finish(catalog)
    except Exception:
        with suppress(Exception), storage.writing() as catalog:  # what cannot be removed now is removed by a sweep
            unfinished.give_up(catalog)
        with suppress(Exception):
            clear(storage)
        raise


def enter(catalog: Catalog, table: Table, rows: list[KeyedRow]) -> None:
    """Store rows that a new table has none of yet, and what its indexes have of them."""
    table.store.fill(catalog.execute, rows)
    for index in table.indexes:
        indexes.fill(catalog.execute, index, indexes.versions(rows))
    for vector_index in table.vectors:
        vectors.fill(catalog.execute, table, vector_index, indexes.versions(rows))
