"""What blocks set for the operations within them: one frozen value in one context variable.

So each thread and task has its own, asyncio hands it on to the tasks and threads that it starts, and what a block sets
ends with the block. A further thing that blocks can set is one more member here.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import msgspec

from dynamix.transport.options import checked_seconds


class Context(msgspec.Struct, frozen=True):
    """What is in force. `deadline` is a time of `time.monotonic`.

    `connection` is the Connection of the innermost `use_connection` block; its class stands above this module.
    """

    connection: Any = None
    deadline: float = math.inf


_context = ContextVar("dynamix", default=Context())  # noqa: B039 - it is frozen
in_force = _context.get
"""What is in force here."""


def is_handed_on() -> bool:
    """Whether this thread got its context from another one; False where threads were started without one."""
    return _context.get(None) is not None


def begin() -> None:
    """Makes the present context one that threads can tell from having none."""
    if not is_handed_on():
        _context.set(Context())


@contextlib.contextmanager
def changed(**changes: Any) -> Iterator[None]:
    """Has other members in force in a block."""
    token = _context.set(msgspec.structs.replace(_context.get(), **changes))
    try:
        yield
    finally:
        _context.reset(token)


@contextlib.contextmanager
def timeout(seconds: float) -> Iterator[None]:
    """Gives all operations of a block so many seconds together, in this thread or task and those that asyncio starts.

    It counts everything: requests and their repeats, the pauses between, the wait for a free connection, all parts of a
    batch. Of several deadlines (an outer block's, the connection's `operation_timeout`) the nearest one counts. What is
    not done then raises DeadlineExceededError, a RequestTimeoutError. Raises WrongTypeError for other than a number
    above 0.
    """
    deadline = time.monotonic() + checked_seconds("seconds", seconds)
    with changed(deadline=min(deadline, _context.get().deadline)):
        yield
