"""Tables of SQLite that had rows of the engine and are not needed any more.

To drop one takes as long as it has pages, and nobody else goes on meanwhile. So one that is large is noted, in the
transaction that takes it out of use, and loses its rows in many small ones. Who is cut off in between leaves it to the
next who looks.
"""

from collections.abc import Callable
from sqlite3 import Cursor
from typing import TypeAlias

Execute: TypeAlias = Callable[..., Cursor]
"""`execute` of the connection whose transaction is running."""

AT_ONCE_BYTES = 4 * 1024 * 1024
_ROW_BYTES = 100
"""What a row takes beside its item, about."""

PIECE_ROWS = 256
_PIECE_BYTES = 1024 * 1024
_LARGE = {"s": "item", "v": "floats"}
"""By the first letter of a name, the column that makes rows large."""


def discard(execute: Execute, name: str, items: int, size: int) -> None:
    """Remove a table with so many items of so many bytes together, or have it removed by `remove_some`."""
    if size + items * _ROW_BYTES <= AT_ONCE_BYTES:
        execute(f"DROP TABLE {name}")
    else:
        execute("INSERT INTO discarded (name) VALUES (?)", (name,))


def is_any(execute: Execute) -> bool:
    """Whether anything waits to be removed."""
    return execute("SELECT 1 FROM discarded LIMIT 1").fetchone() is not None


def remove_some(execute: Execute) -> bool:
    """Remove a piece of what waits to be removed. Whether there may be more."""
    row = execute("SELECT name FROM discarded LIMIT 1").fetchone()
    if row is None:
        return False
    (name,) = row
    last = None
    size = 0
    statement = f"SELECT k, length({_LARGE[name[0]]}) FROM {name} ORDER BY k LIMIT {PIECE_ROWS}"  # noqa: S608 - of ours
    for last, length in execute(statement).fetchall():  # noqa: B007 - the last one is needed
        size += length
        if size > _PIECE_BYTES:
            break
    if last is None:
        execute(f"DROP TABLE {name}")
        execute("DELETE FROM discarded WHERE name = ?", (name,))
    else:
        execute(f"DELETE FROM {name} WHERE k <= ?", (last,))  # noqa: S608
    return True
