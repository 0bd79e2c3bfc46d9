"""Copies of a whole database."""

import secrets
import sqlite3
import threading

from dynamix.engine.storage.layout import connect
from dynamix.engine.storage.transactions import Deadline

_REVISION_BITS = 62  # of the 63 that SQLite counts with: there is room for changes to come
_PAUSE_SECONDS = 0.01


class Snapshot:
    """A copy of a whole database at one moment. It may be restored any number of times."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self._lock = threading.RLock()
        self._copy = connect(":memory:")
        source.backup(self._copy)

    def restore(self, target: sqlite3.Connection) -> None:
        """Make `target` equal to the copy, in one step and under a revision that nobody can know from elsewhere."""
        deadline = Deadline()
        with self._lock:
            self._copy.execute("UPDATE state SET revision = ?", (secrets.randbits(_REVISION_BITS),))
            self._copy.backup(target, progress=lambda *_: deadline.check(), sleep=_PAUSE_SECONDS)

    def close(self) -> None:
        """Give the copy's memory back."""
        self._copy.close()
