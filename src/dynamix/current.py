"""Which connection is in force.

It is, in this order: that of the innermost `use_connection` block of this thread or task, the one that
`set_connection` set for the process, and one that takes everything from the environment.

A block does not reach the threads that are started within it. Those of a program under test would then reach the place
that the block was meant to replace, so they are refused: a thread that was started while the main thread was in a block
does not get the process's connection of that time. Blocks of other threads and of tasks, as a server opens them for
each request, say nothing about the process and refuse nobody.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any, Unpack
from weakref import WeakKeyDictionary, WeakSet

import msgspec

from dynamix import context
from dynamix.connection import Connection
from dynamix.context import in_force
from dynamix.errors import NotConfiguredError
from dynamix.transport.options import ConnectionOptions


class _Block(msgspec.Struct, frozen=True, eq=False):
    """A block of the main thread: the process's connection that it replaces, and the threads that are older."""

    replaced: Connection | None
    older: "WeakSet[threading.Thread]"


_default: Connection | None = None
_of_environment: Connection | None = None
_lock = threading.RLock()  # a signal's handler may come here while its thread is here
_is_guarded = False  # whether there ever was a block of the main thread
_blocks: list[_Block] = []
_refused: "WeakKeyDictionary[threading.Thread, list[Connection | None]]" = WeakKeyDictionary()
"""Threads that were started in blocks which have ended, with the connections that they do not get."""


def current() -> Connection:
    """The connection in force. Raises NotConfiguredError in a thread that a block does not reach."""
    chosen: Connection | None = in_force().connection
    if chosen is not None:
        return chosen
    if _is_guarded:
        _refuse_what_is_replaced()
    return _default or _from_environment()


def set_connection(**options: Unpack[ConnectionOptions]) -> Connection:
    """Sets the connection of the process, at any time; takes the arguments of `Connection` and returns it.

    A connection that was set before is left open for those who hold it. As a context manager, what is returned is
    closed at the end of the block, and what was set before is in force again, in all threads.
    """
    global _default
    given: Any = options
    try:
        connection = Connection(**options)
    finally:
        given.clear()  # lest a traceback show secrets
    with _lock:
        if _default is not None and not _default._is_entered:
            _default._at_exit = None  # lest each keep the one before
        connection._at_exit = partial(_restore, connection, _default)
        _default = connection
    return connection


def _restore(connection: Connection, before: Connection | None) -> None:
    global _default
    with _lock:
        if _default is connection:
            _default = before


@contextlib.contextmanager
def use_connection(connection: Connection) -> Iterator[Connection]:
    """Uses another connection in a block, for this thread or task and those it starts by asyncio."""
    in_main_thread = threading.current_thread() is threading.main_thread() and not _in_event_loop()
    guard = _block_of_main_thread() if in_main_thread else contextlib.nullcontext()
    with guard, context.changed(connection=connection):  # no ExitStack: it keeps what an exception cuts off
        yield connection


@contextlib.contextmanager
def _block_of_main_thread() -> Iterator[None]:
    """Remembers which threads are started in a block."""
    global _is_guarded
    _is_guarded = True
    context.begin()
    block = _Block(_default, WeakSet(threading.enumerate()))
    _blocks.append(block)
    try:
        yield
    finally:
        _blocks.remove(block)
        for thread in threading.enumerate():
            if thread not in block.older:
                _refused.setdefault(thread, []).append(block.replaced)


def _in_event_loop() -> bool:
    """Whether a task runs here; asyncio need not be imported for that."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def _refuse_what_is_replaced() -> None:
    """Refuses the process's connection to a thread that was started in a block which replaces it."""
    if context.is_handed_on():
        return
    thread = threading.current_thread()
    replaced = [*_refused.get(thread, ()), *(block.replaced for block in tuple(_blocks) if thread not in block.older)]
    if any(connection is _default for connection in replaced):
        raise NotConfiguredError(
            f"the thread {thread.name!r} was started in a use_connection block of the main thread, which does not "
            "reach it, and would use the connection that the block replaces; open a block in the thread, start it by "
            "contextvars.copy_context().run, or set a connection for all threads: with dynamix.set_connection(...)"
        )


def _from_environment() -> Connection:
    global _of_environment
    with _lock:
        if _of_environment is None:
            _of_environment = Connection()
        return _of_environment
