"""A database in memory: one connection, which its sessions use by turns."""

import math
import sqlite3
import time
from functools import partial
from threading import get_ident
from types import TracebackType

from msgspec import Struct, field

from dynamix import forks
from dynamix.engine.faults import Fault
from dynamix.engine.storage.layout import connect, lay_out, set_page_size
from dynamix.engine.storage.settings import Settings
from dynamix.engine.storage.snapshots import Snapshot
from dynamix.engine.storage.transactions import finish, undo
from dynamix.engine.storage.turns import HELD, TooLateError, Turn, at_work_already
from dynamix.engine.storage.vectors import Kept
from dynamix.engine.tables.catalog import PIECE_ROWS, Again, Catalog, Later

_PAUSE_SECONDS = 0.002


class Memory:
    """A database in memory, shared by all threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        connection = connect(":memory:")
        set_page_size(connection)
        lay_out(connection)
        self.turn = Turn()
        self.vectors = Kept()
        self.holder = self.turn.holder
        self.catalog = settings.catalog(connection)
        self.resting: MemorySession | None = None
        self._forking: MemorySession | None = None
        forks.register_keeper(self)

    def sessions(self) -> "partial[MemorySession]":
        return partial(MemorySession, self)

    def give_way(self) -> None:
        """Let those work for a moment who wait for the session that holds the turn.

        One that writes lets others read only; what it has written so far must be nothing that they could see.
        Raises Later for one that is hurried, and Again where a reader finds other tables when it goes on.
        """
        session = self.holder[HELD]
        assert isinstance(session, MemorySession)  # noqa: S101 - nobody else takes this turn
        if session.hurried:
            raise Later
        if not self.turn.waiting:
            return
        catalog, changes, moment = self.catalog, self.catalog.changes, self.catalog.moment
        if session.writes:
            self.resting = session
        self.turn.leave(session)
        self.turn.take(session)
        if session.writes:
            self.resting = None
        catalog.give_way, catalog.moment = self.give_way, moment
        if catalog is not self.catalog or changes != catalog.changes:
            raise Again

    def snapshot(self) -> Snapshot:
        session = MemorySession(self)
        try:
            with session.alone() as catalog:
                return Snapshot(catalog.connection)
        except BaseException:
            session.abandon()
            raise

    def restore(self, snapshot: Snapshot) -> None:
        """The copy is made beside the rows that there are, and takes their place when it is complete."""
        connection = connect(":memory:")
        snapshot.restore(connection, self._settings)
        session = MemorySession(self)
        try:
            with session.alone() as old:
                self.catalog = self._settings.catalog(connection)
        except BaseException:
            session.abandon()
            raise
        old.connection.close()

    def check(self) -> None:
        """There is no file that could be damaged."""

    def close(self) -> None:
        session = MemorySession(self)
        try:
            with session.alone() as catalog:
                catalog.connection.close()
        except sqlite3.ProgrammingError:  # it was closed before
            return
        except BaseException:
            session.abandon()
            raise

    def _before_fork(self) -> None:
        """Let no other thread be inside. Where the thread that forks is inside itself, it goes on there, twice."""
        self._settings.background.pause()
        self._forking = MemorySession(self)
        try:
            self.turn.take(self._forking)
        except Fault:
            self._forking = None

    def _after_fork_in_parent(self) -> None:
        self.catalog.forget()  # so that work in the background begins again
        if self._forking is not None:
            self.turn.leave(self._forking)
            self._forking = None

    def _after_fork(self) -> None:
        """The child has a database of its own."""
        self.turn.forget_waiting()
        self.resting = None  # a thread that is not here
        self._after_fork_in_parent()


class MemorySession(Struct, eq=False, gc=False):
    """One request's use of a database in memory."""

    memory: Memory
    hurried: bool = False
    at_first: int = PIECE_ROWS
    thread: int = field(default_factory=get_ident)
    writes: bool = False
    deadline: float = math.inf
    excludes: bool = False
    """Whether nobody may have begun to write."""

    @property
    def vectors(self) -> Kept:
        return self.memory.vectors

    def reading(self) -> "MemorySession":
        self.writes = self.excludes = False
        return self

    def writing(self) -> "MemorySession":
        self.writes = self.excludes = True
        return self

    def alone(self) -> "MemorySession":
        """For what concerns the whole database."""
        self.writes, self.excludes = False, True
        return self

    def __enter__(self) -> Catalog:
        memory = self.memory
        if memory.holder.setdefault(HELD, self) is not self:
            if self.hurried and self.writes:
                raise Later
            memory.turn.take(self)
        try:
            catalog = memory.catalog
            if catalog.connection.in_transaction:
                catalog = self._settled()
            catalog.give_way = memory.give_way
            catalog.at_first = self.at_first
            catalog.moment = None
            if self.writes:
                catalog.once("BEGIN")
        except BaseException:
            self.abandon()
            raise
        return catalog

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        memory = self.memory
        if self.writes:
            finish(memory.catalog, failed=kind is not None)
        if memory.turn.waiting:
            memory.turn.leave(self)
        else:
            del memory.holder[HELD]

    def _settled(self) -> Catalog:
        """The catalog when the transaction that is open is no hindrance: one that gives way to readers, or is undone.

        It may also be that of a session that is gone.
        """
        memory = self.memory
        while (resting := memory.resting) is not None and resting.thread:
            if not self.excludes:
                return memory.catalog
            if resting.thread == self.thread:
                raise at_work_already()
            if self.hurried:
                raise Later
            memory.turn.leave(self)
            if time.monotonic() >= self.deadline:
                raise TooLateError
            time.sleep(_PAUSE_SECONDS)
            memory.turn.take(self)
        if memory.catalog.connection.in_transaction:
            undo(memory.catalog)
        return memory.catalog

    def abandon(self) -> None:
        """Give the turn back; who takes it next undoes what was not committed."""
        self.thread = 0
        self.memory.turn.pass_over(self)
