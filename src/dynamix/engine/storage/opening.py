"""How a database file is opened: made, checked, or read where nothing may be written.

SQLite cannot read a file in WAL mode where it can neither find nor make the two files beside it, as in a directory
that may not be written. If nobody else has the file open, which the lack of a log beside it shows, it can be read as
one that does not change; should it change after all, its state says so.

Source: https://www.sqlite.org/wal.html, "Read-Only Databases"
"""

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from dynamix.engine.faults import Fault, unable
from dynamix.engine.storage.failures import fault_of
from dynamix.engine.storage.layout import DatabaseConnection, connect, lay_out, layout_of, set_page_size
from dynamix.engine.storage.transactions import patiently
from dynamix.engine.tables.catalog import LAYOUT
from dynamix.errors import DatabaseFileError

BUSY_SECONDS = 5.0


class State(NamedTuple):
    """Which file lies at a path; of one that is read as unchanging, also when it was changed, and its log's size."""

    device: int
    inode: int
    changed: int | None = None
    log: int | None = None

    def is_file_of(self, other: "State") -> bool:
        """Whether both are of the same file."""
        return (self.device, self.inode) == (other.device, other.inode)


def open_file(path: str, *, make: bool) -> tuple[DatabaseConnection, bool]:
    """A connection to the engine's database at `path`, and whether it is read as unchanging.

    A file is made if there is none, where `make` says so. Raises DatabaseFileError.
    """
    address = Path(path).as_uri()
    try:
        return _checked(f"{address}?mode={'rwc' if make else 'rw'}", path), False
    except sqlite3.OperationalError as error:
        if log_bytes(path) or not os.path.isfile(path) or os.access(os.path.dirname(path), os.W_OK):
            raise _refusal(path, error) from error
    try:
        return _checked(f"{address}?immutable=1", path), True
    except sqlite3.OperationalError as error:
        raise _refusal(path, error) from error


def state_of(path: str, *, unchanging: bool = False) -> State:
    """The state of the file that lies there now. Raises Fault where there is none."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise moved(path) from error
    if unchanging:
        return State(found.st_dev, found.st_ino, found.st_mtime_ns, log_bytes(path))
    return State(found.st_dev, found.st_ino)


def moved(path: str) -> Fault:
    """The refusal of work on a file that is another one now, or none."""
    return unable(
        f"the database file {path!r} was removed or replaced while this engine had it open, so nobody would find what "
        "it writes; put the file back, or make a new engine"
    )


def log_bytes(path: str) -> int:
    """The size of the write-ahead log beside a file."""
    try:
        return os.stat(f"{path}-wal").st_size
    except OSError:
        return 0


def _checked(address: str, path: str) -> DatabaseConnection:
    """A connection to a file that is the engine's, or has become it. Raises DatabaseFileError or OperationalError."""
    connection = connect(address, BUSY_SECONDS)
    try:
        set_page_size(connection)
        _settle(connection, path)
        if "immutable" not in address:
            patiently(connection.execute, "PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.OperationalError:
        connection.close()
        raise
    except (sqlite3.DatabaseError, Fault) as error:
        connection.close()
        words = fault_of(error).message if isinstance(error, sqlite3.Error) else error
        raise DatabaseFileError(f"cannot open {path!r} as a database of dynamix: {words}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _settle(connection: DatabaseConnection, path: str) -> None:
    """Look whether the file is the engine's; lay it out if it is empty, and bring an older layout to the newest."""
    patiently(connection.execute, "BEGIN")
    patiently(connection.execute, "SELECT 1 FROM sqlite_master LIMIT 1")  # now others cannot change it
    layout = layout_of(connection, path)
    connection.execute("COMMIT")
    if layout == LAYOUT:
        return
    try:
        patiently(connection.execute, "BEGIN IMMEDIATE")
        lay_out(connection, layout_of(connection, path))
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if layout and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            raise DatabaseFileError(
                f"{path!r} was written by an older dynamix (layout {layout}) and has to be brought to layout {LAYOUT}, "
                "but there is no permission to write it; open it once where it may be written, or open a copy"
            ) from error
        raise


def _refusal(path: str, error: sqlite3.Error) -> DatabaseFileError:
    parent = os.path.dirname(path)
    if os.path.isdir(path):
        reason = "it is a directory; name a file in it"
    elif not os.path.isdir(parent):
        reason = f"there is no directory {parent!r}; make it first"
    elif not os.path.exists(path):
        reason = str(error) if os.access(parent, os.W_OK) else f"there is no permission to write in {parent!r}"
    elif not os.access(path, os.R_OK):
        reason = "there is no permission to read it"
    elif not os.access(path, os.W_OK) or not os.access(parent, os.W_OK):
        reason = f"there is no permission to write it, or in its directory, and it cannot be read alone: {error}"
    else:
        reason = fault_of(error).message
    return DatabaseFileError(f"cannot open the database {path!r}: {reason}")
