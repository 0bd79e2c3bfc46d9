"""What is answered where SQLite fails: what happened, in words, and what to do."""

import sqlite3

from dynamix.engine.faults import Fault, unable

_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was stored. Make room, then try again",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; nothing was stored. Look at its space and its health",
    sqlite3.SQLITE_READONLY: "there is no permission to write the database file or its directory; nothing was stored",
    sqlite3.SQLITE_PERM: "there is no permission to use the database file",
    sqlite3.SQLITE_CANTOPEN: "there is no permission to write in the database file's directory, or it is gone",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged; restore it from a copy",
    sqlite3.SQLITE_NOTADB: "the file is no database, or is damaged; give another path, or restore it from a copy",
}


def fault_of(error: sqlite3.Error) -> Fault:
    """The answer to a request on which SQLite failed."""
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return unable("the engine is closed; make a new one")
    words = _WORDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return unable(f"{words} ({error})" if words else f"the database failed: {error}")
