"""What a database is told by its engine."""

import sqlite3
from collections.abc import Callable
from typing import NamedTuple, Protocol

from dynamix.engine.tables.catalog import Catalog


class Background(Protocol):
    """What works on a database of its own accord."""

    def seen(self) -> None:
        """There is a table that needs it. Called within a transaction, and again and again."""

    def pause(self) -> None:
        """Do nothing until it is needed the next time: the process is going to be copied."""


class Settings(NamedTuple):
    """The time, what works in the background, and how many open shards a new stream has."""

    clock: Callable[[], float]
    background: Background
    stream_shards: int

    def catalog(self, connection: sqlite3.Connection) -> Catalog:
        """The tables as a connection sees them, which goes by these settings."""
        return Catalog(connection, self.clock, seen=self.background.seen, stream_shards=self.stream_shards)
