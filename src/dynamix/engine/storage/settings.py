"""What a database is told by its engine."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from dynamix.engine.buckets.bucket import NO_BUCKETS, Bucket
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.home import Home
from dynamix.engine.tables.realism import Realism


class Background(Protocol):
    """What works on a database of its own accord."""

    def seen(self) -> None:
        """There is a table that needs it. Called within a transaction, and again and again."""

    def pause(self) -> None:
        """Do nothing until it is needed the next time: the process is going to be copied."""


class Settings(NamedTuple):
    """The time, what works in the background, how many open shards a new stream has, where tables are, what the engine
    takes its time for, and the buckets.

    With `durable` each commit to a file waits until the disk has it.
    """

    clock: Callable[[], float]
    background: Background
    stream_shards: int
    home: Home
    durable: bool
    realism: Realism
    buckets: Mapping[str, Bucket] = NO_BUCKETS

    def catalog(self, connection: sqlite3.Connection) -> Catalog:
        """The tables as a connection sees them, which goes by these settings."""
        seen = self.background.seen
        return Catalog(
            connection,
            self.clock,
            self.home,
            seen=seen,
            stream_shards=self.stream_shards,
            realism=self.realism,
            buckets=self.buckets,
        )
