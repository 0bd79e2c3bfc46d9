"""A line in which those stand who read many rows at the same time, each over a connection of its own.

SQLite lets other threads run Python while it looks for a row. Threads that read beside each other would change places
at nearly every row, which takes longer than what they do. So one of them reads while the others wait, and they change
places between two pieces.
"""

import math
from collections.abc import Iterator
from itertools import islice
from threading import get_ident

from msgspec import Struct

from dynamix.engine.data.rows import KeyedRow
from dynamix.engine.storage.turns import HELD, Turn
from dynamix.engine.tables.catalog import PIECE_ROWS


class _Place(Struct, eq=False):
    """The place of one who reads."""

    thread: int
    deadline: float = math.inf


class Line:
    """Those who read a database, one at a time."""

    def __init__(self) -> None:
        self._turn = Turn()

    def rows(self, rows: Iterator[KeyedRow]) -> Iterator[KeyedRow]:
        """The rows of one of them, read as they are asked for."""
        holder = self._turn.holder.get(HELD)
        if holder is not None and holder.thread == get_ident():  # this is done in the middle of its work
            yield from rows
            return
        place = _Place(get_ident())
        try:
            while True:
                self._turn.take(place)
                row = None
                for row in islice(rows, PIECE_ROWS):
                    yield row
                if row is None:
                    return
                if self._turn.waiting:
                    self._turn.leave(place)
        finally:
            self._turn.leave(place)

    def after_fork(self) -> None:
        """In the child nobody waits."""
        self._turn.forget_waiting()
