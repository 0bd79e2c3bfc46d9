"""The connections to a database file: one for each piece of work that is done at the same time.

A connection that is free lies in a list, and one that is used in the hands of a session. A session that is cut off by
an exception may drop its connection at any moment: a connection that nobody holds is closed, and SQLite undoes what it
did not commit. So nothing is counted; those that are in use are the living ones that are not free.

SQLite keeps account of the locks of its process, and a child of a fork would inherit the account but not the locks. So
no file is open while a process is copied: the work in progress is waited for, and both sides open connections anew.

Sources: https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html
"""

import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable

from dynamix.engine.tables.catalog import Catalog

_LOST_SECONDS = 5.0
"""After which a connection that no thread works with, and that is not free either, was dropped half-way."""


class Connections:
    """Opens connections by `open_one`, and keeps those that are free."""

    def __init__(self, open_one: Callable[[], Catalog]) -> None:
        self._open_one = open_one
        self._free: deque[Catalog] = deque()
        self._living: weakref.WeakSet[Catalog] = weakref.WeakSet()
        self._opening = threading.RLock()
        self._closed = False
        self._forking = False

    def take(self, thread: int) -> Catalog:
        """A free connection, or a new one, for the work of a thread."""
        if self._closed or self._forking:
            return self._take_later(thread)
        try:
            catalog = self._free.pop()
        except IndexError:
            catalog = self._open()
        catalog.thread = thread
        return catalog

    def give(self, catalog: Catalog) -> None:
        """Take a connection back. One whose transaction could not be ended ends it by being closed."""
        if catalog.connection.in_transaction:
            self.drop(catalog)
            return
        catalog.thread = 0
        self._free.append(catalog)
        if self._closed:
            self.close_free()

    def drop(self, catalog: Catalog) -> None:
        """Close a connection, which undoes what it did not commit."""
        catalog.thread = 0
        catalog.close()
        self._living.discard(catalog)

    def close(self) -> None:
        """Close those that are free; the others are closed when they are given back."""
        self._closed = True
        self.close_free()

    def close_free(self) -> None:
        """Close those that are free."""
        while True:
            try:
                self.drop(self._free.pop())
            except IndexError:
                return

    def before_fork(self) -> None:
        """Let no connection be open while the process is copied, but for those of the thread that forks."""
        self._forking = True
        self._opening.acquire()
        begun = time.monotonic()
        while self._in_use(lost=time.monotonic() - begun > _LOST_SECONDS):
            time.sleep(0.001)
        self.close_free()

    def after_fork(self, *, child: bool) -> None:
        """Go on, with new connections. In the child nobody waits any more."""
        self._forking = False
        if child:
            self._opening = threading.RLock()
        else:
            self._opening.release()

    def _take_later(self, thread: int) -> Catalog:
        with self._opening:  # until the process is copied
            if self._closed:
                raise sqlite3.ProgrammingError("the engine is closed")
            catalog = self._open()
            catalog.thread = thread
            return catalog

    def _open(self) -> Catalog:
        with self._opening:
            catalog = self._open_one()
            self._living.add(catalog)
            return catalog

    def _in_use(self, *, lost: bool) -> bool:
        free = set(map(id, list(self._free)))
        mine = threading.get_ident()
        return any(
            id(catalog) not in free and catalog.thread != mine and (catalog.thread or not lost)
            for catalog in self._living
        )
