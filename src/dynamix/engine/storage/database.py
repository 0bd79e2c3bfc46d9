"""The database under the engine: one SQLite database, in memory or in a file.

What is stored
    tables   one row per DynamoDB table: its name and its record (see tables/catalog.py)
    stores   one row per row store, with the number of its rows and the sum of their sizes
    s1, s2.. the row stores: the items of one table, or the entries of one index, by key bytes (see data/keys.py)
    tokens   the client tokens of transactions of the last ten minutes
    meta     the revision, raised by every change of a table's description

The names of the row stores come from numbers that are never used again, so a statement of this program holds no text of
a request.

In memory there is one connection, and one lock around each piece of work. On a file there is a connection for each
piece of work that runs at the same time; SQLite's write-ahead log lets readers go on while one writer, of this or
another process, writes. A writer begins with `BEGIN IMMEDIATE`, so nothing that it read can change before it commits.
With `synchronous=NORMAL` a committed write is in the operating system's hands: it survives the end of the process.

SQLite keeps account of the locks of its process, and a child of a fork would inherit the account but not the locks. So
no file is open while a process is copied: the work in progress is waited for, and both sides open connections anew.

Sources: https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html
"""

import contextlib
import os
import secrets
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from dynamix.engine.faults import Fault
from dynamix.engine.tables.catalog import Catalog
from dynamix.errors import ConnectError

_APPLICATION_ID = 0x64796E78  # "dynx"
_LAYOUT = 1
_PATIENCE_SECONDS = 60.0
_BUSY_SECONDS = 5.0
_REVISION_BITS = 62  # of the 63 that SQLite counts with: there is room for changes to come

_PAGE_BYTES = 8192
"""Of a page of SQLite: a row of up to a quarter of it lies within its page, and most items are smaller than 2 KB."""

_NO_FILES = ("", ":memory:")
"""What SQLite takes for a database of one connection alone, which would be another one for each of ours."""

_TABLES = (
    "CREATE TABLE meta (revision INTEGER NOT NULL)",
    "INSERT INTO meta VALUES (1)",
    "CREATE TABLE tables (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, record BLOB NOT NULL)",
    "CREATE TABLE stores (id INTEGER PRIMARY KEY AUTOINCREMENT, items INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "CREATE TABLE tokens (token TEXT PRIMARY KEY, digest BLOB NOT NULL, expires REAL NOT NULL)",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_LAYOUT}",
)


class Work(Protocol):
    """A piece of work on the database: entered, it is the catalog to work with; an error undoes what it wrote."""

    def __enter__(self) -> Catalog: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Storage(Protocol):
    """Where the rows are."""

    def reading(self) -> Work: ...

    def writing(self) -> Work: ...

    def snapshot(self) -> "Snapshot": ...

    def restore(self, snapshot: "Snapshot") -> None: ...

    def close(self) -> None: ...


class Snapshot:
    """A copy of a whole database at one moment. It may be restored any number of times."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self._lock = threading.Lock()
        self._copy = _connect(":memory:")
        source.backup(self._copy)

    def restore(self, target: sqlite3.Connection) -> None:
        """Make `target` equal to the copy, in one step and under a revision that nobody can know from elsewhere."""
        with self._lock:
            self._copy.execute("UPDATE meta SET revision = ?", (secrets.randbits(_REVISION_BITS),))
            self._copy.backup(target)

    def close(self) -> None:
        """Give the copy's memory back."""
        self._copy.close()


def open_storage(path: str | os.PathLike[str] | None, clock: Callable[[], float]) -> Storage:
    """The storage in the file at `path`, made if it does not exist; in memory for None."""
    if path is None:
        return Memory(clock)
    if os.fspath(path) in _NO_FILES:
        raise ConnectError(f"{path!r} names no file; for an engine in memory give no path (embedded=True)")
    return File(path, clock)


class Memory:
    """A database in memory, shared by all threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        connection = _connect(":memory:")
        connection.execute("PRAGMA journal_mode = MEMORY")
        for statement in _TABLES:
            connection.execute(statement)
        self._connection = connection
        catalog = Catalog(connection, clock)
        self._reading = _MemoryReading(self._lock, catalog)
        self._writing = _MemoryWriting(self._lock, catalog)
        self._catalog = catalog
        _forkable.add(self)

    def reading(self) -> Work:
        return self._reading

    def writing(self) -> Work:
        return self._writing

    def snapshot(self) -> Snapshot:
        with self._lock:
            return Snapshot(self._connection)

    def restore(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._catalog.execute("PRAGMA journal_mode = OFF")  # a copy of what is replaced would cost most of the time
            try:
                snapshot.restore(self._connection)
            finally:
                self._catalog.execute("PRAGMA journal_mode = MEMORY")
                self._catalog.forget()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def before_fork(self) -> None:
        """Let no other thread be inside while the process is copied."""
        self._lock.acquire()

    def after_fork(self, *, child: bool) -> None:
        """Go on; the child has a database of its own."""
        self._lock.release()


class _MemoryReading:
    __slots__ = ("_acquire", "_catalog", "_release")

    def __init__(self, lock: threading.Lock, catalog: Catalog) -> None:
        self._acquire = lock.acquire
        self._release = lock.release
        self._catalog = catalog

    def __enter__(self) -> Catalog:
        self._acquire()
        return self._catalog

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()


class _MemoryWriting(_MemoryReading):
    __slots__ = ()

    def __enter__(self) -> Catalog:
        self._acquire()
        try:
            self._catalog.once("BEGIN")
        except BaseException:
            self._release()
            raise
        return self._catalog

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _finish(self._catalog, failed=kind is not None)
        finally:
            self._release()


class File:
    """A database in a file, which several processes may use at once."""

    def __init__(self, path: str | os.PathLike[str], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._path = os.fspath(path)
        self._free: deque[Catalog] = deque()
        self._write_lock = threading.Lock()
        self._gate = threading.Condition(threading.Lock())
        self._out = 0  # connections that are in use or being opened
        self._forking = False
        self._closed = False
        self.give(self.take())
        _forkable.add(self)

    def reading(self) -> Work:
        return _FileWork(self, "BEGIN", None)

    def writing(self) -> Work:
        return _FileWork(self, "BEGIN IMMEDIATE", self._write_lock)

    def snapshot(self) -> Snapshot:
        catalog = self.take()
        try:
            return Snapshot(catalog.connection)
        finally:
            self.give(catalog)

    def restore(self, snapshot: Snapshot) -> None:
        catalog = self.take()
        try:
            with self._write_lock:
                snapshot.restore(catalog.connection)
        finally:
            self.give(catalog)

    def close(self) -> None:
        with self._gate:
            self._closed = True
            self._close_free()

    def take(self) -> Catalog:
        """A free connection, or a new one."""
        with self._gate:
            while self._forking:
                self._gate.wait()
            if self._closed:
                raise sqlite3.ProgrammingError("the engine is closed")
            self._out += 1
            if self._free:
                return self._free.pop()
        try:
            return self._open()
        except BaseException:
            with self._gate:
                self._one_less()
            raise

    def give(self, catalog: Catalog) -> None:
        """Take a connection back."""
        with self._gate:
            if self._closed:
                catalog.connection.close()
            else:
                self._free.append(catalog)
            self._one_less()

    def before_fork(self) -> None:
        """Let no connection be open while the process is copied."""
        self._gate.acquire()
        self._forking = True
        while self._out:
            self._gate.wait()
        self._close_free()

    def after_fork(self, *, child: bool) -> None:
        """Go on, with new connections. In the child nobody waits any more."""
        self._forking = False
        if child:
            self._gate = threading.Condition(threading.Lock())
        else:
            self._gate.notify_all()
            self._gate.release()

    def _close_free(self) -> None:
        while self._free:
            self._free.pop().connection.close()

    def _one_less(self) -> None:
        self._out -= 1
        if self._forking:
            self._gate.notify_all()

    def _open(self) -> Catalog:
        try:
            connection = _connect(self._path)
        except sqlite3.OperationalError as error:
            raise ConnectError(f"cannot open the database {self._path!r}: {error}") from error
        try:
            _patiently(connection, "BEGIN IMMEDIATE")
            _prepare(connection, self._path)
            connection.execute("COMMIT")
            _patiently(connection, "PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.DatabaseError as error:
            connection.close()
            raise ConnectError(f"cannot open {self._path!r} as a database of dynamix: {error}") from error
        except BaseException:
            connection.close()
            raise
        return Catalog(connection, self._clock)


class _FileWork:
    __slots__ = ("_begin", "_catalog", "_file", "_lock")

    def __init__(self, file: File, begin: str, lock: "threading.Lock | None") -> None:
        self._file = file
        self._begin = begin
        self._lock = lock

    def __enter__(self) -> Catalog:
        self._catalog = self._file.take()
        if self._lock is not None:
            self._lock.acquire()
        try:
            _patiently(self._catalog.connection, self._begin)
            self._catalog.refresh()
        except BaseException:
            self._leave(failed=True)
            raise
        return self._catalog

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(failed=kind is not None)

    def _leave(self, *, failed: bool) -> None:
        try:
            _finish(self._catalog, failed=failed)
        finally:
            if self._lock is not None:
                self._lock.release()
            self._file.give(self._catalog)


def _finish(catalog: Catalog, *, failed: bool) -> None:
    """Commit, or undo everything when the work failed or its commit does."""
    if failed:
        _undo(catalog)
        return
    try:
        catalog.once("COMMIT")
    except BaseException:
        _undo(catalog)
        raise


def _undo(catalog: Catalog) -> None:
    """Undo the transaction, which SQLite may have done already, as it does where the disk is full."""
    if catalog.connection.in_transaction:
        catalog.execute("ROLLBACK")
    catalog.undone()


class _Connection(sqlite3.Connection):
    """A connection that may be dropped without being closed: nothing waits to be written."""

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
        cached_statements=512,
    )
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    return connection


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement that may have to wait for other processes, beyond the patience of SQLite itself."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                message = f"another process has held the database for {_PATIENCE_SECONDS:.0f} seconds"
                raise Fault("InternalServerError", message, status=500) from error
            time.sleep(0.002)


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Lay out a new file; refuse one that is not the engine's, or of a newer layout."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application == _APPLICATION_ID:
        if layout > _LAYOUT:
            raise ConnectError(
                f"{path!r} was written by a newer dynamix (layout {layout}, this one knows {_LAYOUT}); upgrade dynamix"
            )
        return
    if application or layout or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise ConnectError(f"{path!r} is a database of another program; give the path of a new file")
    for statement in _TABLES:
        connection.execute(statement)


_forkable: weakref.WeakSet[Memory | File] = weakref.WeakSet()
_forking: list[Memory | File] = []
_fork_lock = threading.Lock()


def _before_fork() -> None:
    _fork_lock.acquire()
    for storage in list(_forkable):
        storage.before_fork()
        _forking.append(storage)


def _after_fork(*, child: bool) -> None:
    while _forking:
        _forking.pop().after_fork(child=child)
    _fork_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(child=False),
        after_in_child=lambda: _after_fork(child=True),
    )
