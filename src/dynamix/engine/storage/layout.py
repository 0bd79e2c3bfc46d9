"""What the engine's database looks like, and what says that a file is one.

A layout is what the steps up to its number have made of an empty database. A file of an older layout goes through the
steps that it lacks. So a step is never changed once it is released, and works on what the steps before it made, not on
what the rest of the program thinks of it: a change of the layout is a new step.

An older dynamix that has a file open while it goes through a step must not go on writing to it as before. Each
transaction begins with a look at `state`, which names the layout.
"""

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from dynamix.engine.tables.catalog import LAYOUT
from dynamix.errors import DatabaseFileError

_APPLICATION_ID = 0x64796E78  # "dynx"
_PAGE_BYTES = 8192
"""Of a page of SQLite: a row of up to a quarter of it lies within its page, and most items are smaller than 2 KB."""


class DatabaseConnection(sqlite3.Connection):
    """A connection that may be dropped without being closed: nothing waits to be written."""

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


Step: TypeAlias = str | Callable[[DatabaseConnection], None]


def connect(address: str, busy_seconds: float = 0.0) -> DatabaseConnection:
    """A connection to a path or, where it begins with "file:", to a URI."""
    return sqlite3.connect(
        address,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        factory=DatabaseConnection,
        cached_statements=512,
        uri=address.startswith("file:"),
    )


def layout_of(connection: sqlite3.Connection, path: str) -> int:
    """The number of the database's layout, 0 for an empty one. Raises DatabaseFileError for a foreign one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application == _APPLICATION_ID:
        if layout > LAYOUT:
            raise DatabaseFileError(
                f"{path!r} was written by a newer dynamix (layout {layout}, this one knows {LAYOUT}); upgrade dynamix"
            )
        return int(layout)
    if application or layout or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise DatabaseFileError(f"{path!r} is a database of another program; give the path of a new file")
    return 0


def lay_out(connection: DatabaseConnection, layout: int = 0) -> None:
    """Bring a database of this layout to the newest one, which it may have. To be called within a transaction."""
    for steps in _STEPS[layout:]:
        for step in steps:
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(connection)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")


def set_page_size(connection: sqlite3.Connection) -> None:
    """To be called before anything is written; it is without effect on a database that has pages."""
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")


def _begin_streams(connection: DatabaseConnection) -> None:
    """Layout 1 kept the settings of streams, but no records. The streams begin here, with nothing in them."""
    for table, name, stored in connection.execute("SELECT id, name, record FROM tables ORDER BY id").fetchall():
        record = msgspec.json.decode(stored)
        description = record["description"]
        if "StreamSpecification" in description:
            record["log"] = {"id": _begin_stream(connection, name, description), "kept": 24 * 3600}
        swept = record.get("log") is not None or record.get("expiry") is not None
        changed = (msgspec.json.encode(record), swept, table)
        connection.execute("UPDATE tables SET record = ?, swept = ? WHERE id = ?", changed)


def _begin_stream(connection: DatabaseConnection, name: str, description: dict[str, Any]) -> int:
    """Returns the number of its log."""
    now = int(time.time() * 1000)
    log = connection.execute("INSERT INTO logs (live) VALUES (1)").lastrowid
    assert log is not None  # noqa: S101 - an INSERT has one
    connection.execute(
        f"CREATE TABLE l{log:d} (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, k BLOB NOT NULL, old_size INTEGER, "
        "old BLOB, new_size INTEGER, new BLOB, expired INTEGER NOT NULL)"
    )
    described = {
        "TableArn": description["TableArn"],
        "KeySchema": description["KeySchema"],
        "AttributeDefinitions": description["AttributeDefinitions"],
    }
    stream = connection.execute(
        "INSERT INTO streams (table_name, label, log, view, keys, created) VALUES (?, ?, ?, ?, ?, ?)",
        (
            name,
            description["LatestStreamLabel"],
            log,
            description["StreamSpecification"]["StreamViewType"],
            msgspec.json.encode(described),
            now,
        ),
    ).lastrowid
    connection.execute(
        "INSERT INTO shards (stream, name, low, high, first, opened) VALUES (?, ?, x'', ?, 1, ?)",
        (stream, f"shardId-{now:020d}-{secrets.token_hex(4)}", b"\xff" * 16, now),
    )
    return log


_STEPS: tuple[tuple[Step, ...], ...] = (
    (
        "CREATE TABLE meta (revision INTEGER NOT NULL)",
        "INSERT INTO meta VALUES (1)",
        "CREATE TABLE tables (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, record BLOB NOT NULL)",
        "CREATE TABLE stores (id INTEGER PRIMARY KEY AUTOINCREMENT, items INTEGER NOT NULL, bytes INTEGER NOT NULL)",
        "CREATE TABLE tokens (token TEXT PRIMARY KEY, digest BLOB NOT NULL, expires REAL NOT NULL)",
        "CREATE INDEX tokens_by_expiry ON tokens (expires)",
    ),
    (
        "CREATE TABLE state (layout INTEGER NOT NULL, revision INTEGER NOT NULL)",
        "INSERT INTO state SELECT 2, revision + 1 FROM meta",
        "DROP TABLE meta",
        "ALTER TABLE tables ADD COLUMN swept INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX tables_swept ON tables (name) WHERE swept",
        "CREATE TABLE logs (id INTEGER PRIMARY KEY AUTOINCREMENT, live INTEGER NOT NULL)",
        "CREATE TABLE streams (id INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT NOT NULL, label TEXT NOT NULL, "
        "log INTEGER NOT NULL, view TEXT NOT NULL, keys BLOB NOT NULL, created INTEGER NOT NULL, ended INTEGER, "
        "UNIQUE (table_name, label))",
        "CREATE TABLE shards (id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, name TEXT NOT NULL, "
        "parent TEXT, low BLOB NOT NULL, high BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER, "
        "opened INTEGER NOT NULL, closed INTEGER)",
        "CREATE INDEX shards_of_stream ON shards (stream)",
        _begin_streams,
        "CREATE TABLE vectors (id INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, version INTEGER NOT NULL, "
        "items INTEGER NOT NULL, bytes INTEGER NOT NULL, packing INTEGER NOT NULL)",
        "CREATE TABLE leaving (name TEXT PRIMARY KEY, description BLOB NOT NULL, until INTEGER NOT NULL)",
        "CREATE TABLE backups (label TEXT PRIMARY KEY, table_name TEXT NOT NULL, name TEXT NOT NULL, "
        "kind TEXT NOT NULL, record BLOB NOT NULL, expires INTEGER)",
        "CREATE INDEX backups_expiring ON backups (expires) WHERE expires IS NOT NULL",
        "CREATE TABLE unfinished (job TEXT PRIMARY KEY, table_name TEXT NOT NULL, record BLOB NOT NULL, "
        "steps INTEGER NOT NULL, beat REAL NOT NULL)",
        "CREATE TABLE transfers (label TEXT PRIMARY KEY, kind TEXT NOT NULL, table_arn TEXT NOT NULL, token TEXT, "
        "digest BLOB NOT NULL, description BLOB NOT NULL)",
        "CREATE TABLE discarded (name TEXT PRIMARY KEY)",
    ),
)
"""What each layout adds to the one before it. Side tables of what comes next belong at the end of the newest one, as
long as that is not released."""
