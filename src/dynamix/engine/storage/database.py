"""The database under the engine: one SQLite database, in memory or in a file.

What is stored
    tables   one row per DynamoDB table: its name and its record (see tables/record.py)
    stores   one row per row store, with the number of its rows and the sum of their sizes
    s1, s2.. the row stores: the items of one table, or the entries of one index, by key bytes (see data/keys.py)
    logs     one row per log of a table's changes, and whether changes still come
    l1, l2.. the logs (see data/changes.py)
    streams  one row per stream: of which table and log, and what it shows
    shards   the shards of the streams: from which change to which
    leaving  what is still told of tables that are gone (see tables/phases.py)
    tokens   the client tokens of transactions of the last ten minutes
    backups  one row per backup of a table, which has a row store of its own (see tables/backups.py)
    unfinished one row per table, index or backup that is being made in steps (see tables/unfinished.py)
    discarded one row per table of SQLite that is to be removed (see data/discarded.py)
    transfers one row per export or import of a table (see tables/transfers.py)
    state    the layout, and the revision, raised by every change of a table's description
    vectors  one row per vector index: its version, counts and sums (see vectors/rows.py)
    v1, v2.. the rows of the vector indexes

The names of the row stores come from numbers that are never used again, so a statement of this program holds no text of
a request.

An exception may come at any moment: Ctrl-C, or a time limit that a signal handler enforces, comes between any two steps
of Python. So each request has a session, which knows what it holds, and what it holds is recorded in the very step
that takes it (see turns.py and connections.py). Whoever began a session and meets an exception ends it by `abandon`,
which may be called at any moment, and again.
"""

import os
from types import TracebackType
from typing import Protocol

from dynamix.engine.storage.file import File
from dynamix.engine.storage.memory import Memory
from dynamix.engine.storage.settings import Settings
from dynamix.engine.storage.snapshots import Snapshot
from dynamix.engine.storage.vectors import Kept
from dynamix.engine.tables.catalog import PIECE_ROWS, Catalog
from dynamix.errors import DatabaseFileError

_NO_FILES = ("", ":memory:")
"""What SQLite takes for a database of one connection alone, which would be another one for each of ours."""


class Work(Protocol):
    """A piece of work on the database: entered, it is the catalog to work with; an error undoes what it wrote."""

    def __enter__(self) -> Catalog: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Storage(Protocol):
    """Where the rows are, for one request: one piece of work after the other. `vectors` are those in memory."""

    @property
    def vectors(self) -> Kept: ...

    def reading(self) -> Work: ...

    def writing(self) -> Work: ...


class Session(Storage, Protocol):
    """One request's use of the database. `thread` is the one that it is at work in, 0 when it has ended; `deadline` is
    how long it waits for its turn, a time of `time.monotonic`.

    One that is `hurried` raises Later rather than read more than `at_first` rows, or wait for another that writes.
    """

    thread: int
    deadline: float

    def abandon(self) -> None:
        """Undo what is not committed and give back what is held. May be called at any moment, and again."""


class Sessions(Protocol):
    """Makes the sessions of a database."""

    def __call__(self, *, hurried: bool = False, at_first: int = PIECE_ROWS) -> Session: ...


class Database(Protocol):
    """A whole database, used by all threads."""

    def sessions(self) -> "Sessions":
        """What makes sessions, one for each request."""

    def snapshot(self) -> Snapshot: ...

    def restore(self, snapshot: Snapshot) -> None: ...

    def check(self) -> None: ...

    def close(self) -> None: ...


def open_database(path: str | os.PathLike[str] | None, settings: Settings) -> Database:
    """The database in the file at `path`, made if it does not exist; in memory for None. Raises DatabaseFileError."""
    if path is None:
        return Memory(settings)
    if os.fspath(path) in _NO_FILES:
        raise DatabaseFileError(f"{path!r} names no file; for an engine in memory give no path (embedded=True)")
    return File(path, settings)
