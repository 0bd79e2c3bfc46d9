"""How a transaction of SQLite begins and ends."""

import sqlite3
import time
from types import TracebackType

from dynamix.engine.data.rows import Execute
from dynamix.engine.faults import unable
from dynamix.engine.storage.vectors import Kept
from dynamix.engine.tables.catalog import Catalog

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.002


def patiently(execute: Execute, statement: str) -> None:
    """Run a statement that may have to wait for other processes, beyond the patience of SQLite itself."""
    deadline = None
    while True:
        try:
            execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            deadline = deadline or Deadline()
            deadline.check()
            time.sleep(_PAUSE_SECONDS)


class Deadline:
    """Until when another process is waited for."""

    def __init__(self) -> None:
        self._at = time.monotonic() + _PATIENCE_SECONDS

    def check(self) -> None:
        """Raises Fault when it has passed."""
        if time.monotonic() > self._at:
            raise unable(f"another process has held the database for {_PATIENCE_SECONDS:.0f} seconds")


class Joined:
    """A request's share of a transaction that it has in common with others: where it fails, it is undone alone."""

    def __init__(self, catalog: Catalog, vectors: Kept) -> None:
        self._catalog = catalog
        self.vectors = vectors

    def reading(self) -> "Joined":
        return self

    def writing(self) -> "Joined":
        return self

    def __enter__(self) -> Catalog:
        self._catalog.once("SAVEPOINT request")
        return self._catalog

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._catalog.once("ROLLBACK TO request")
            self._catalog.undone()
        self._catalog.once("RELEASE request")


def finish(catalog: Catalog, *, failed: bool) -> None:
    """Commit, or undo everything when the work failed or its commit does."""
    if failed:
        undo(catalog)
        return
    try:
        catalog.once("COMMIT")
    except BaseException:
        undo(catalog)
        raise


def undo(catalog: Catalog) -> None:
    """Undo the transaction, which SQLite may have done already, as it does where the disk is full."""
    try:
        if catalog.connection.in_transaction:
            catalog.execute("ROLLBACK")
    except sqlite3.ProgrammingError:  # the connection is closed
        return
    catalog.undone()
