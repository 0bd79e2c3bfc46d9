"""What blocks set for the operations within them: one value in one context variable.

So each thread and task has its own, asyncio hands it on to the tasks and threads that it starts, and what a block sets
ends with the block. A further thing that blocks can set is one more member here.

A block in a generator may end in another context than it began in, or before a block that began later (a fixture, a
dependency of a web framework). So a block does not go back to what it found, but takes away what it set, where that is
still in force; what ends too early is passed over by those that end after it.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import msgspec

from dynamix.operations.retry import RepeatWrites
from dynamix.transport.options import checked_repeats, checked_seconds


class Context(msgspec.Struct, eq=False):
    """What is in force. `deadline` is a time of `time.monotonic`.

    `connection` is the Connection of the innermost `use_connection` block, `transaction` a weak reference to the
    Transaction whose block this is; their classes stand above this module. `repeat_writes` is None where the
    connection says it. `meters` are the Capacity of each `capacity` block, `dry` is the DryRun of the innermost
    `dry_run` block. `end` ends what runs here before its time, once it has come. `outer` is what was in force
    around the block. `is_over` says that the block ended while another one was in force.
    """

    connection: Any = None
    transaction: Any = None
    deadline: float = math.inf
    repeat_writes: RepeatWrites | None = None
    meters: tuple[Any, ...] = ()
    dry: Any = None
    end: Any = None
    outer: "Context | None" = None
    is_over: bool = False


_context = ContextVar("dynamix", default=Context())  # noqa: B039 - it is of no block, so nobody changes it
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
    outer = _context.get()
    mine = msgspec.structs.replace(outer, outer=outer, is_over=False, **changes)
    try:
        _context.set(mine)
        yield
    finally:
        try:
            _leave(mine)
        except BaseException:  # that of a signal's handler, which may have come before anything was done
            _leave(mine)
            raise


def _leave(ended: Context) -> None:
    """Takes away what a block set."""
    present = _context.get()
    if present is not ended:
        ended.is_over = True
        return
    following = ended.outer
    while following is not None and following.is_over:
        following = following.outer
    _context.set(following or Context())


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


@contextlib.contextmanager
def repeat_writes(which: RepeatWrites) -> Iterator[None]:
    """Says for all writes of a block which of them are sent again after an answer was lost, whatever their connection
    says; in this thread or task and those that asyncio starts.

    "safe" repeats what has the same effect twice, "token" repeats every write of one item and has the service make it
    once, "never" repeats none. Raises WrongTypeError for anything else.
    """
    with changed(repeat_writes=checked_repeats(which)):
        yield
