"""Copies of a whole database."""

import secrets
import sqlite3
import threading
import time

from dynamix.engine.storage.layout import connect
from dynamix.engine.storage.settings import Settings
from dynamix.engine.storage.transactions import Deadline
from dynamix.engine.tables import logs, recovery, streams
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.vectors.rows import fresh_epoch

_REVISION_BITS = 62  # of the 63 that SQLite counts with: there is room for changes to come
_PAUSE_SECONDS = 0.01


class Snapshot:
    """A copy of a whole database at one moment. It may be restored any number of times."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self._lock = threading.RLock()
        self._copy = connect(":memory:")
        source.backup(self._copy)
        self._catalog = Catalog(self._copy, time.time)

    def restore(self, target: sqlite3.Connection, settings: Settings) -> None:
        """Make `target` equal to the copy, in one step, under a revision and epochs that are known nowhere else.

        Streams begin anew, as the settings say: what is told of them after this is not what was told before. So does
        the time to which tables can be recovered.
        """
        deadline = Deadline()
        with self._lock:
            self._begin_anew(settings)
            self._copy.backup(target, progress=lambda *_: deadline.check(), sleep=_PAUSE_SECONDS)

    def _begin_anew(self, settings: Settings) -> None:
        if self._copy.in_transaction:  # of one who was cut off
            self._copy.execute("ROLLBACK")
        self._catalog.forget()
        self._catalog.now, self._catalog.stream_shards = settings.clock, settings.stream_shards
        self._catalog.moment, self._catalog.lag = None, settings.realism.lag
        self._copy.execute("BEGIN")
        logs.settle_all(self._catalog)
        streams.relabel(self._catalog)
        recovery.begin_anew(self._catalog)
        self._copy.execute("UPDATE state SET revision = ?", (secrets.randbits(_REVISION_BITS),))
        self._copy.execute("UPDATE vectors SET epoch = ?", (fresh_epoch(),))
        self._copy.execute("COMMIT")

    def close(self) -> None:
        """Give the copy's memory back."""
        self._copy.close()
