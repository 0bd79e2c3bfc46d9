"""Tables that are being made by many small transactions, so that nobody waits long for one of them.

Their stores are filled before the catalog knows of the table. Each step of that is counted, with its time: who made a
table that is left half-way, as when a process is killed, takes no further step, and after a minute the stores are
removed. The time is that of the machine, whatever the engine's clock says.
"""

import secrets
import time
from typing import NamedTuple

from dynamix.engine.faults import Fault, unable
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Record, decode_record, encode_record
from dynamix.engine.tables.table import Table, compile_table

_LEFT_SECONDS = 60.0


class Stale(NamedTuple):
    """A table that was left half-way."""

    job: str
    record: Record


class Unfinished:
    """A table that is being made. Each step is a transaction of its own that begins with `step`.

    `refusal` is the code of the error where another one is made under its name, None for those of restores.
    """

    def __init__(self, catalog: Catalog, record: Record, *, refusal: str | None = None) -> None:
        name = record.description["TableName"]
        while (left := stale(catalog)) is not None:
            remove(catalog, left)
        if catalog.execute("SELECT 1 FROM unfinished WHERE table_name = ?", (name,)).fetchone() is not None:
            raise Fault(refusal or "TableInUseException", f"Table is being created: {name}")
        self._refusal = refusal or "TableAlreadyExistsException"
        self.record = record
        self.table: Table = compile_table(0, name, record)
        self._job = secrets.token_hex(16)
        self._steps = 0
        catalog.execute(
            "INSERT INTO unfinished (job, table_name, record, steps, beat) VALUES (?, ?, ?, 0, ?)",
            (self._job, name, encode_record(record), time.time()),
        )

    def step(self, catalog: Catalog) -> None:
        """Begin a step. Raises Fault where the last one is not there any more, as after all tables were put back."""
        changed = catalog.execute(
            "UPDATE unfinished SET steps = steps + 1, beat = ? WHERE job = ? AND steps = ?",
            (time.time(), self._job, self._steps),
        ).rowcount
        if not changed:
            raise unable(f"the table {self.table.name!r} could not be completed, as others removed what was made of it")
        self._steps += 1

    def finish(self, catalog: Catalog) -> Record:
        """The record of the table, which is now to be added. Raises Fault where another one has its name by now."""
        self.step(catalog)
        if catalog.find(self.table.name) is not None:
            raise Fault(self._refusal, f"Table already exists: {self.table.name}")
        catalog.execute("DELETE FROM unfinished WHERE job = ?", (self._job,))
        return self.record

    def give_up(self, catalog: Catalog) -> None:
        """Remove what was made."""
        row = catalog.execute("SELECT 1 FROM unfinished WHERE job = ?", (self._job,)).fetchone()
        if row is not None:
            remove(catalog, Stale(self._job, self.record))


def stale(catalog: Catalog) -> Stale | None:
    """A table that was left half-way."""
    row = catalog.execute(
        "SELECT job, record FROM unfinished WHERE beat < ? LIMIT 1", (time.time() - _LEFT_SECONDS,)
    ).fetchone()
    return None if row is None else Stale(row[0], decode_record(row[1]))


def remove(catalog: Catalog, left: Stale) -> None:
    """Remove what was made of a table."""
    compile_table(0, "", left.record).discard(catalog.execute)
    catalog.execute("DELETE FROM unfinished WHERE job = ?", (left.job,))
