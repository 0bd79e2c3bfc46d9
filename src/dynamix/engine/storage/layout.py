"""What the engine's database looks like, and what says that a file is one."""

import contextlib
import sqlite3

from dynamix.errors import ConnectError

_APPLICATION_ID = 0x64796E78  # "dynx"
_LAYOUT = 1
_PAGE_BYTES = 8192
"""Of a page of SQLite: a row of up to a quarter of it lies within its page, and most items are smaller than 2 KB."""

_TABLES = (
    "CREATE TABLE meta (revision INTEGER NOT NULL)",
    "INSERT INTO meta VALUES (1)",
    "CREATE TABLE tables (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, record BLOB NOT NULL)",
    "CREATE TABLE stores (id INTEGER PRIMARY KEY AUTOINCREMENT, items INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "CREATE TABLE tokens (token TEXT PRIMARY KEY, digest BLOB NOT NULL, expires REAL NOT NULL)",
    "CREATE INDEX tokens_by_expiry ON tokens (expires)",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_LAYOUT}",
)


class Connection(sqlite3.Connection):
    """A connection that may be dropped without being closed: nothing waits to be written."""

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


def connect(address: str, busy_seconds: float = 0.0) -> Connection:
    """A connection to a path or, where it begins with "file:", to a URI."""
    return sqlite3.connect(
        address,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
        cached_statements=512,
        uri=address.startswith("file:"),
    )


def is_laid_out(connection: sqlite3.Connection, path: str) -> bool:
    """Whether the database has the engine's layout; False for an empty one. Raises ConnectError for all others."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application == _APPLICATION_ID:
        if layout > _LAYOUT:
            raise ConnectError(
                f"{path!r} was written by a newer dynamix (layout {layout}, this one knows {_LAYOUT}); upgrade dynamix"
            )
        return True
    if application or layout or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise ConnectError(f"{path!r} is a database of another program; give the path of a new file")
    return False


def lay_out(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty database."""
    for statement in _TABLES:
        connection.execute(statement)


def set_page_size(connection: sqlite3.Connection) -> None:
    """To be called before anything is written; it is without effect on a database that has pages."""
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
