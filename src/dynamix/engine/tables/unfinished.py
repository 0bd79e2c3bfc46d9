"""What is being made by many small transactions, so that nobody waits long for one of them: tables, indexes, backups.

Its stores are filled before anybody knows of it. Each step of that is counted, with its time: who made what is left
half-way, as when a process is killed, takes no further step, and after a minute the stores are removed. The time is
that of the machine, whatever the engine's clock says.

An index or a backup is made of a table that others go on writing to. So that table has a log of its changes meanwhile.
"""

import secrets
import time
from typing import NamedTuple

from dynamix.engine.faults import Fault, unable
from dynamix.engine.tables import logs
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Record, decode_record, encode_record
from dynamix.engine.tables.table import Table, compile_table, fresh_record

_LEFT_SECONDS = 60.0


class Stale(NamedTuple):
    """What was left half-way."""

    job: str
    record: Record


class _Job:
    """Something that is being made. Each step is a transaction of its own that begins with `step`."""

    def __init__(self, catalog: Catalog, name: str, record: Record) -> None:
        remove_stale(catalog)
        self.record = record
        self.table: Table = compile_table(0, record.description["TableName"], record)
        self.job = secrets.token_hex(16)
        self._steps = 0
        catalog.execute(
            "INSERT INTO unfinished (job, table_name, record, steps, beat) VALUES (?, ?, ?, 0, ?)",
            (self.job, name, encode_record(record), time.time()),
        )

    def step(self, catalog: Catalog) -> None:
        """Begin a step. Raises Fault where the last one is not there any more, as after all tables were put back."""
        changed = catalog.execute(
            "UPDATE unfinished SET steps = steps + 1, beat = ? WHERE job = ? AND steps = ?",
            (time.time(), self.job, self._steps),
        ).rowcount
        if not changed:
            raise unable(f"what was made of {self.table.name!r} could not be completed, as others removed it")
        self._steps += 1

    def give_up(self, catalog: Catalog) -> None:
        """Remove what was made."""
        row = catalog.execute("SELECT 1 FROM unfinished WHERE job = ?", (self.job,)).fetchone()
        if row is not None:
            remove(catalog, Stale(self.job, self.record))


class Unfinished(_Job):
    """A table that is being made.

    `refusal` is the code of the error where another one is made under its name, None for those of restores.
    """

    def __init__(self, catalog: Catalog, record: Record, *, refusal: str | None = None) -> None:
        name = record.description["TableName"]
        remove_stale(catalog)
        if catalog.execute("SELECT 1 FROM unfinished WHERE table_name = ?", (name,)).fetchone() is not None:
            raise Fault(refusal or "TableInUseException", f"Table is being created: {name}")
        super().__init__(catalog, name, record)
        self._refusal = refusal or "TableAlreadyExistsException"

    def finish(self, catalog: Catalog) -> Record:
        """The record of the table, which is now to be added. Raises Fault where another one has its name by now."""
        self.step(catalog)
        if catalog.find(self.table.name) is not None:
            raise Fault(self._refusal, f"Table already exists: {self.table.name}")
        catalog.execute("DELETE FROM unfinished WHERE job = ?", (self.job,))
        return self.record


class Copying(_Job):
    """Something that is being made of a table to which others write: `kind` is "index", "expiry" or "backup".

    `record` has what is made in its stores, under the name of the table. `source` is that table, `number` that of the
    last change before the work on it began.
    """

    def __init__(self, catalog: Catalog, record: Record, kind: str) -> None:
        super().__init__(catalog, "", record)
        source = catalog.named(self.table.name)
        noted = fresh_record(source)
        noted.copying[self.job] = kind
        logs.settle(catalog, noted)
        self.source = catalog.save(source, noted)
        assert self.source.log is not None  # noqa: S101 - it was settled
        self.log = self.source.log
        _, self.number = self.log.bounds(catalog.execute)

    def step(self, catalog: Catalog) -> None:
        """Begin a step. Raises Fault where the table is gone, or what was made so far."""
        now = catalog.find(self.source.name)
        if now is None or now.id != self.source.id:
            raise Fault("TableNotFoundException", f"Table not found: {self.source.name}")
        super().step(catalog)

    def finish(self, catalog: Catalog) -> Record:
        """The record of the table as it is now, less what was noted of this work; it is to be saved."""
        self.step(catalog)
        catalog.execute("DELETE FROM unfinished WHERE job = ?", (self.job,))
        return _released(catalog, catalog.named(self.source.name), self.job)


def stale(catalog: Catalog) -> Stale | None:
    """Something that was left half-way."""
    row = catalog.execute(
        "SELECT job, record FROM unfinished WHERE beat < ? LIMIT 1", (time.time() - _LEFT_SECONDS,)
    ).fetchone()
    return None if row is None else Stale(row[0], decode_record(row[1]))


def remove_stale(catalog: Catalog) -> None:
    """Remove all that was left half-way."""
    while (left := stale(catalog)) is not None:
        remove(catalog, left)


def remove(catalog: Catalog, left: Stale) -> None:
    """Remove what was made, and let go the table that it was made of."""
    record = left.record
    compile_table(0, "", record).discard(catalog.execute, keep_items=not record.store)
    catalog.execute("DELETE FROM unfinished WHERE job = ?", (left.job,))
    source = catalog.find(record.description["TableName"])
    if source is not None and left.job in source.record.copying:
        catalog.save(source, _released(catalog, source, left.job))


def _released(catalog: Catalog, source: Table, job: str) -> Record:
    record = fresh_record(source)
    record.copying.pop(job, None)
    logs.settle(catalog, record)
    return record
