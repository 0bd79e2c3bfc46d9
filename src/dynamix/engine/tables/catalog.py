"""The tables as the engine works with them, read from their records when they are first used.

A change of a record raises the database's revision, and every connection reads its tables anew when it meets another
revision than its own.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from dynamix.engine.buckets.bucket import NO_BUCKETS, Bucket
from dynamix.engine.data.rows import FIRST, LAST, Execute, KeyedRow, Store
from dynamix.engine.faults import Fault, unable
from dynamix.engine.tables.home import HOME, Home
from dynamix.engine.tables.phases import phase_of
from dynamix.engine.tables.realism import AT_ONCE, Realism
from dynamix.engine.tables.record import Record, decode_record, encode_record
from dynamix.engine.tables.table import Table, compile_table

LAYOUT = 2
"""Which tables of SQLite there are, and what their rows say; storage/layout.py makes them."""

_REVISION = f"SELECT revision FROM state WHERE layout = {LAYOUT:d}"  # noqa: S608 - a number of our own
PIECE_ROWS = 256
PIECE_BYTES = 1024 * 1024
"""After how many rows, or bytes of them, the work that reads them gives way to others."""

PASSING_ROWS = 1024
"""After how many rows what is read in passing is left to others: to begin again elsewhere costs more than a few."""


class Later(Exception):  # noqa: N818 - a signal, not an error
    """What was to be done in passing takes longer, or would have to wait: it must be done from the start elsewhere."""


class Again(Exception):  # noqa: N818 - a signal, not an error
    """Tables have changed while the work gave way to others: it must be begun again."""


def next_piece(rows: Iterator[KeyedRow], most: int | None = None) -> tuple[list[KeyedRow], bytes]:
    """The rows that make a piece, few or `most`, and the key before which they are all that there are."""
    most = min(most or PIECE_ROWS, PIECE_ROWS)
    taken: list[KeyedRow] = []
    size = 0
    for row in rows:
        taken.append(row)
        size += row[1] or 0
        if len(taken) == most or size > PIECE_BYTES:
            return taken, row[0] + b"\x00"
    return taken, LAST


class Catalog:
    """One connection, and the tables as the transaction that runs on it sees them.

    `execute` runs any statement; `once` runs one whose rows are taken before the next, which spares a cursor for each.
    `home` is the account and region of the tables. `moment` is None until a transaction asks for its time; who begins
    one sets it back. `seen` is called where a table comes to sight of which time alone removes something,
    `stream_shards` is how many a new stream has, `buckets` are those that tables go to; `delay`, `lag` and `meter` are
    what a `Realism` says, `at_once` that neither of the last two is in force. `give_way` lets others work for a moment,
    or raises Later where the work is to be done in passing; None where others do not wait for it. `at_first` is after
    how many rows it does so for the first time; `line` gives the rows that come later where several read beside each
    other. `changes` counts what changed of tables here.

    `thread`, `state` and `waits` are notes of the keeper of several: which thread works with this one now, 0 for none,
    what was known of the database when it was opened, and whether SQLite waits for other writers.
    """

    __slots__ = (
        "__weakref__",
        "_changed",
        "_revision",
        "_seen",
        "_tables",
        "at_first",
        "at_once",
        "buckets",
        "changes",
        "connection",
        "delay",
        "execute",
        "give_way",
        "home",
        "lag",
        "line",
        "meter",
        "moment",
        "now",
        "once",
        "state",
        "stream_shards",
        "thread",
        "waits",
    )

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Callable[[], float],
        home: Home = HOME,
        *,
        seen: Callable[[], None] | None = None,
        stream_shards: int = 1,
        realism: Realism = AT_ONCE,
        buckets: Mapping[str, Bucket] = NO_BUCKETS,
    ) -> None:
        self.connection = connection
        self.home = home
        self.now = clock
        self.execute: Execute = connection.execute
        self.once: Execute = connection.cursor().execute
        self._tables: dict[str, Table] = {}
        self._revision = 0
        self._changed = False
        self._seen = seen
        self.stream_shards = stream_shards
        self.delay = realism.delay
        self.lag = realism.lag
        self.meter = realism.meter
        self.at_once = not self.lag and self.meter is None
        self.buckets = buckets
        self.moment: int | None = None
        self.changes = 0
        self.thread = 0
        self.state: object = None
        self.waits = True
        self.give_way: Callable[[], None] | None = None
        self.at_first = PIECE_ROWS
        self.line: Callable[[Iterator[KeyedRow]], Iterator[KeyedRow]] | None = None

    def close(self) -> None:
        """Close the connection, and undo what is not committed. May be called at any moment, and again.

        SQLite keeps a closed connection open as long as a cursor of it has a statement, and somebody may keep this one.
        """
        with contextlib.suppress(sqlite3.Error):  # it is closed, or what failed has undone it
            if self.connection.in_transaction:
                self.once("ROLLBACK")
        self.once = self.execute
        self.connection.close()

    def __del__(self) -> None:
        """By itself a connection would wait for a collection of garbage."""
        self.close()

    def table(self, name: str) -> Table:
        """The table of this name or ARN; raises Fault where there is none."""
        return self._tables.get(name) or self._load_usable(name)

    def compiled(self, table: Table, record: Record) -> Table:
        """The table as a changed record describes it, before that is stored."""
        return compile_table(table.id, table.name, record)

    def find(self, name: str) -> Table | None:
        """The table of this name or ARN, if there is one."""
        return self._tables.get(name) or self._load(name)

    def named(self, name: str) -> Table:
        """The table of this name or ARN; the operations on tables name the one that does not exist."""
        table = self.find(name)
        if table is None:
            raise Fault("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
        return table

    def swept(self) -> list[str]:
        """The names of the tables of which time alone removes something."""
        return [name for (name,) in self.execute("SELECT name FROM tables WHERE swept ORDER BY name")]

    def ages(self) -> bool:
        """Whether there is anything that time alone removes."""
        (ages,) = self.execute(
            "SELECT EXISTS (SELECT 1 FROM tables WHERE swept) OR EXISTS (SELECT 1 FROM logs WHERE NOT live) "
            "OR EXISTS (SELECT 1 FROM backups WHERE expires IS NOT NULL) OR EXISTS (SELECT 1 FROM unfinished) "
            "OR EXISTS (SELECT 1 FROM discarded)"
        ).fetchone()
        return bool(ages)

    def milliseconds(self) -> int:
        """The time of the transaction that runs, since 1970: one for all that it does."""
        if self.moment is None or not self.connection.in_transaction:
            self.moment = int(self.now() * 1000)
        return self.moment

    def rows(self, store: Store, low: bytes, high: bytes, *, forward: bool = True) -> Iterator[KeyedRow]:
        """The rows (key, size, item) from `low` to before `high`, read as they are asked for.

        The work on them gives way to others after so many, who may then change what has not been read.
        """
        rows = store.between(self.execute, low, high, forward=forward)
        if self.give_way is not None:
            return chain(islice(rows, self.at_first), self._giving_way(rows, store, low, high, forward))
        return rows if self.line is None else chain(islice(rows, PIECE_ROWS), self.line(rows))

    def pieces(self, store: Store, most: int | None = None) -> Iterator[list[KeyedRow]]:
        """All rows of a store, by the piece: few rows, `most` if that is given, or few bytes. The work gives way to
        others between two pieces, who may then change what has not been read."""
        low = FIRST
        while low < LAST:
            with contextlib.closing(store.between(self.execute, low, LAST)) as rows:
                piece, low = next_piece(rows, most)
            yield piece
            if self.give_way is not None:
                self.give_way()

    def _giving_way(
        self, rows: sqlite3.Cursor, store: Store, low: bytes, high: bytes, forward: bool
    ) -> Iterator[KeyedRow]:
        while (row := rows.fetchone()) is not None:
            rows.close()
            assert self.give_way is not None  # noqa: S101 - else this is not called
            self.give_way()
            if forward:
                low = row[0]
            else:
                high = row[0] + b"\x00"
            rows = store.between(self.execute, low, high, forward=forward)
            yield from islice(rows, PIECE_ROWS)

    def refresh(self) -> None:
        """Notice what other connections changed. To be called as a transaction begins."""
        self.moment = None
        row = self.once(_REVISION).fetchone()
        if row is None:
            raise unable(
                "a newer dynamix has upgraded the database file while this engine had it open; upgrade dynamix here too"
            )
        (revision,) = row
        if revision != self._revision:
            self._tables.clear()
            self._revision = revision

    def forget(self) -> None:
        """Read every table anew when it is next used."""
        self._tables.clear()
        self._revision = 0

    def undone(self) -> None:
        """The transaction was undone, and with it what it may have changed of tables."""
        if self._changed:
            self._changed = False
            self.forget()

    def add(self, name: str, record: Record) -> Table:
        """Store a new table."""
        row = (name, encode_record(record), record.swept)
        self.execute("INSERT INTO tables (name, record, swept) VALUES (?, ?, ?)", row)
        self._raise_revision()
        return self._saved(name)

    def save(self, table: Table, record: Record) -> Table:
        """Store a changed record of a table."""
        row = (encode_record(record), record.swept, table.id)
        self.execute("UPDATE tables SET record = ?, swept = ? WHERE id = ?", row)
        self._raise_revision()
        return self._saved(table.name)

    def remove(self, table: Table, *, keep_items: bool = False) -> None:
        """Remove a table and its rows. Its items are kept for who has the number of their store."""
        self.execute("DELETE FROM tables WHERE id = ?", (table.id,))
        table.discard(self.execute, keep_items=keep_items)
        if table.log is not None:
            table.log.end(self.execute)
        self._raise_revision()

    def names(self, after: str, limit: int) -> list[str]:
        """The names of tables after `after`, in order."""
        rows = self.execute("SELECT name FROM tables WHERE name > ? ORDER BY name LIMIT ?", (after, limit))
        return [name for (name,) in rows]

    def _saved(self, name: str) -> Table:
        table = self._load(name)
        assert table is not None  # noqa: S101 - it was stored just now
        return table

    def _raise_revision(self) -> None:
        self.execute("UPDATE state SET revision = revision + 1")
        self._changed = True
        self.changes += 1
        self.forget()

    def _load_usable(self, name: str) -> Table:
        table = self._load(name)
        if table is None or (table.phase is not None and table.phase.status == "CREATING"):
            raise Fault("ResourceNotFoundException", "Requested resource not found")
        return table

    def _load(self, name: str) -> Table | None:
        if name.startswith("arn:"):
            name = name.partition(":table/")[2]
        row = self.execute("SELECT id, record FROM tables WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        record = decode_record(row[1])
        phase = phase_of(record.change, self.milliseconds()) if self.delay else None
        table = compile_table(row[0], name, record, phase)
        if phase is None:
            self._tables[name] = table
        if table.record.swept and self._seen is not None:
            self._seen()
        return table
