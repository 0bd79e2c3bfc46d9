"""A database in a file, which several processes may use at once.

There is a connection for each piece of work that runs at the same time (see connections.py); SQLite's write-ahead log
lets readers go on while one writer, of this or another process, writes. A writer begins with `BEGIN IMMEDIATE`, so
nothing that it read can change before it commits; the writers of this process go by turns. With `synchronous=NORMAL` a
committed write is in the operating system's hands: it survives the end of the process. With `synchronous=FULL` it is on
the disk.

SQLite empties the log when no reader needs it, which readers that overlap never let happen. So a writer that finds the
log long waits for those that read now, while new ones already read from the file.

A file that was removed or replaced would take writes that nobody finds again. So before each piece of work that does
not follow the last within a millisecond, the file is compared with the one that was opened.

Source: https://www.sqlite.org/wal.html, "Avoiding Excessively Large WAL Files"
"""

import math
import os
import sqlite3
from functools import partial
from threading import get_ident
from time import monotonic
from types import TracebackType

from msgspec import Struct, field

from dynamix import forks
from dynamix.engine.storage.connections import Connections
from dynamix.engine.storage.lines import Line
from dynamix.engine.storage.opening import BUSY_SECONDS, State, log_bytes, moved, open_file, state_of
from dynamix.engine.storage.settings import Settings
from dynamix.engine.storage.snapshots import Snapshot
from dynamix.engine.storage.transactions import finish, patiently
from dynamix.engine.storage.turns import HELD, Turn
from dynamix.engine.storage.vectors import Kept
from dynamix.engine.tables.catalog import PIECE_ROWS, Catalog, Later
from dynamix.errors import DatabaseFileError

_LOOK_SECONDS = 0.001
_LOG_BYTES = 16 * 1024 * 1024
_WRITES_BETWEEN = 16
"""After how many writes the length of the log is looked at."""

_READERS_SECONDS = 0.5
"""How long a writer waits for those who read now."""


class File:
    """The database in the file at `path`."""

    def __init__(self, path: str | os.PathLike[str], settings: Settings) -> None:
        self._path = os.path.abspath(os.fspath(path))
        self.settings = settings
        self._writes = 0
        self._longest_log = _LOG_BYTES
        self.log_is_long = False
        self.look_at = 0.0
        self.state: State | None = None
        self.turn = Turn()
        self.line = Line()
        self.vectors = Kept()
        self.connections = Connections(self._open)
        self.connections.give(self.connections.take(get_ident()))
        forks.register_keeper(self)

    def sessions(self) -> "partial[FileSession]":
        return partial(FileSession, self)

    def snapshot(self) -> Snapshot:
        session = FileSession(self)
        try:
            with session.reading() as catalog:
                return Snapshot(catalog.connection)
        except BaseException:
            session.abandon()
            raise

    def restore(self, snapshot: Snapshot) -> None:
        session = FileSession(self)
        try:
            with session.replacing() as catalog:
                snapshot.restore(catalog.connection, self.settings)
        except BaseException:
            session.abandon()
            raise

    def check(self) -> None:
        """Read the whole file. Raises DatabaseFileError where it is damaged."""
        session = FileSession(self)
        try:
            with session.reading() as catalog:
                (found,) = catalog.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            session.abandon()
            found = str(error)
        except BaseException:
            session.abandon()
            raise
        if found != "ok":
            raise DatabaseFileError(f"the database {self._path!r} is damaged; restore it from a copy: {found}")

    def close(self) -> None:
        self.connections.close()

    def look(self) -> None:
        """Notice that another file lies at the path. Raises Fault."""
        if self.state is not None:
            self._note(state_of(self._path, unchanging=self.state.changed is not None))
        self.look_at = monotonic() + _LOOK_SECONDS

    def watch_log(self) -> None:
        """Notice that the log has become long. To be called by a writer that has committed."""
        self._writes += 1
        if self._writes % _WRITES_BETWEEN == 0 and log_bytes(self._path) >= self._longest_log:
            self.log_is_long = True

    def shorten_log(self, connection: sqlite3.Connection) -> None:
        """Empty the log, as far as those who read now let it be done soon."""
        self.log_is_long = False
        try:
            connection.execute(f"PRAGMA busy_timeout = {_READERS_SECONDS * 1000:.0f}")
            (still_read, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        except sqlite3.Error:  # what was to be written is written
            still_read = True
        self._longest_log = 2 * log_bytes(self._path) if still_read else _LOG_BYTES

    def _open(self) -> Catalog:
        self.look()
        connection, unchanging = open_file(self._path, make=self.state is None)
        try:
            self._note(state_of(self._path, unchanging=unchanging))
        except BaseException:
            connection.close()
            raise
        if self.settings.durable and not unchanging:
            connection.execute("PRAGMA synchronous = FULL")
        catalog = self.settings.catalog(connection)
        catalog.state = self.state
        catalog.line = self.line.rows
        return catalog

    def _note(self, state: State) -> None:
        """Take what is known of the file now; connections of before are not used any more. Raises Fault."""
        if self.state is None or self.state.is_file_of(state):
            if state != self.state:
                self.state = state
            return
        raise moved(self._path)

    def _before_fork(self) -> None:
        self.settings.background.pause()
        self.connections.before_fork()

    def _after_fork_in_parent(self) -> None:
        self.connections.after_fork(child=False)

    def _after_fork(self) -> None:
        self.turn.forget_waiting()
        self.line.after_fork()
        self.connections.after_fork(child=True)


class FileSession(Struct, eq=False, gc=False):
    """One request's use of a database in a file. `begin` is how its transaction begins."""

    file: File
    hurried: bool = False
    at_first: int = PIECE_ROWS
    thread: int = field(default_factory=get_ident)
    writes: bool = False
    begin: str = ""
    catalog: Catalog | None = None
    deadline: float = math.inf

    @property
    def vectors(self) -> Kept:
        return self.file.vectors

    def reading(self) -> "FileSession":
        self.writes, self.begin = False, "BEGIN"
        return self

    def writing(self) -> "FileSession":
        self.writes, self.begin = True, "BEGIN IMMEDIATE"
        return self

    def replacing(self) -> "FileSession":
        """For what is its own transaction."""
        self.writes, self.begin = True, ""
        return self

    def __enter__(self) -> Catalog:
        file = self.file
        try:
            if monotonic() > file.look_at:
                file.look()
            catalog = self.catalog = file.connections.take(self.thread)
            while catalog.state is not file.state:  # the file was changed while it was read as unchanging
                file.connections.drop(catalog)
                catalog = self.catalog = file.connections.take(self.thread)
            if self.hurried:
                self._begin_at_once(catalog)
            else:
                catalog.give_way = None
                _let_wait(catalog, waits=True)
                if self.writes:
                    file.turn.take(self)
                if self.begin:
                    patiently(catalog.once, self.begin)
            if self.begin:
                catalog.refresh()
        except Later:
            self._give_back(catalog)
            raise
        except BaseException:
            self.abandon()
            raise
        return catalog

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, catalog = self.file, self.catalog
        assert catalog is not None  # noqa: S101 - as it was entered
        try:
            if self.begin:
                finish(catalog, failed=kind is not None)
            if self.writes:
                file.watch_log()
                if file.log_is_long and not self.hurried:
                    file.shorten_log(catalog.connection)
        finally:
            self._give_back(catalog)

    def _begin_at_once(self, catalog: Catalog) -> None:
        """Begin without waiting for anybody.

        Raises Later where another one writes, the log is to be shortened, or each commit waits for the disk.
        """
        file = self.file
        catalog.give_way = _no_time
        catalog.at_first = self.at_first
        if not self.writes:
            catalog.once(self.begin)
            return
        if file.log_is_long or file.settings.durable or file.turn.holder.setdefault(HELD, self) is not self:
            raise Later
        _let_wait(catalog, waits=False)
        try:
            catalog.once(self.begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise Later from error

    def _give_back(self, catalog: Catalog) -> None:
        if self.writes:
            self.file.turn.leave(self)
        catalog.thread = 0
        self.catalog = None  # from here on it is not to be dropped by this session
        self.file.connections.give(catalog)

    def abandon(self) -> None:
        self.thread = 0
        catalog = self.catalog
        if catalog is not None:
            self.file.connections.drop(catalog)
            self.catalog = None
        self.file.turn.pass_over(self)


def _let_wait(catalog: Catalog, *, waits: bool) -> None:
    """Say whether SQLite is to wait for other writers, if the last to use the connection said otherwise."""
    if catalog.waits is not waits:
        catalog.once(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000 if waits else 0:.0f}")
        catalog.waits = waits


def _no_time() -> None:
    raise Later
