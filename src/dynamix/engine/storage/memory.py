"""A database in memory: one connection, which its sessions use by turns."""

import math
import sqlite3
from collections.abc import Callable
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
from dynamix.engine.storage.turns import HELD, Turn
from dynamix.engine.storage.vectors import Kept
from dynamix.engine.tables.catalog import Catalog


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
        self._forking: MemorySession | None = None
        forks.register_keeper(self)

    def sessions(self) -> "Callable[[], MemorySession]":
        return partial(MemorySession, self)

    def snapshot(self) -> Snapshot:
        session = MemorySession(self)
        try:
            with session.reading() as catalog:
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
            with session.reading() as old:
                self.catalog = self._settings.catalog(connection)
        except BaseException:
            session.abandon()
            raise
        old.connection.close()

    def close(self) -> None:
        session = MemorySession(self)
        try:
            with session.reading() as catalog:
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
        self._after_fork_in_parent()


class MemorySession(Struct, eq=False, gc=False):
    """One request's use of a database in memory."""

    memory: Memory
    thread: int = field(default_factory=get_ident)
    writes: bool = False
    deadline: float = math.inf

    @property
    def vectors(self) -> Kept:
        return self.memory.vectors

    def reading(self) -> "MemorySession":
        self.writes = False
        return self

    def writing(self) -> "MemorySession":
        self.writes = True
        return self

    def __enter__(self) -> Catalog:
        memory = self.memory
        if memory.holder.setdefault(HELD, self) is not self:
            memory.turn.take(self)
        try:
            catalog = memory.catalog
            if catalog.connection.in_transaction:  # of a session that is gone
                undo(catalog)
            if self.writes:
                catalog.once("BEGIN")
                catalog.moment = None
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

    def abandon(self) -> None:
        """Give the turn back; who takes it next undoes what was not committed."""
        self.thread = 0
        self.memory.turn.pass_over(self)
