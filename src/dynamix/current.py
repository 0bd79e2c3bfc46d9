"""Which connection is in force.

It is, in this order: that of the innermost `use_connection` block of this thread or task, the one that
`set_connection` set for the process, and one that takes everything from the environment.
"""

import contextlib
import contextvars
import threading
from collections.abc import Iterator
from typing import Unpack

from dynamix.connection import Connection
from dynamix.transport.options import ConnectionOptions

_default: Connection | None = None
_default_lock = threading.Lock()
_in_block: contextvars.ContextVar[Connection] = contextvars.ContextVar("dynamix_connection")


def current() -> Connection:
    """The connection in force."""
    return _in_block.get(None) or _default or _from_environment()


def set_connection(**options: Unpack[ConnectionOptions]) -> Connection:
    """Sets the connection of the process, at any time; takes the arguments of `Connection` and returns it.

    A connection that was set before is left open for those who hold it.
    """
    global _default
    connection = Connection(**options)
    with _default_lock:
        _default = connection
    return connection


@contextlib.contextmanager
def use_connection(connection: Connection) -> Iterator[Connection]:
    """Uses another connection in a block, for this thread or task and those it starts by asyncio."""
    token = _in_block.set(connection)
    try:
        yield connection
    finally:
        _in_block.reset(token)


def _from_environment() -> Connection:
    global _default
    with _default_lock:
        if _default is None:
            _default = Connection()
        return _default
