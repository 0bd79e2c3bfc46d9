"""A lock that knows who holds it.

An exception raised by a signal may come right after a lock was taken and before that is noted anywhere: then the lock
is held for ever, by nobody. Here the note is the lock: the holder is put into a dict by `setdefault`, one step in C,
so that at each moment either it holds the turn and can be asked, or it does not hold it. A holder that has ended, or to
which nothing else refers any more, was cut off before it could leave, and the next taker passes over it.

Those who wait stand in a row. A thread that comes again and again may do so for a short while, as going from one thread
to another takes longer than most work does; then who leaves makes the first in the row the holder and wakes it. That
too can be cut off by an exception, so nobody sleeps for long.
"""

import contextlib
import sys
import threading
from collections import deque
from time import monotonic
from typing import Protocol

from dynamix.engine.faults import Fault, unable

HELD = 0
_SHARE_SECONDS = 0.001
"""How long the turn need not be handed over."""

_LONGEST_SLEEP = 0.016
_OWN_REFERENCES = 3
"""Those to a holder that `_is_held_from` sees if nobody else has one: the dict's, its own, and that of the question."""


class Taker(Protocol):
    """Who may take a turn, and in which thread; 0 for one that has ended and does not want it any more. `deadline` is
    until when it waits, a time of `time.monotonic`."""

    @property
    def thread(self) -> int: ...

    @property
    def deadline(self) -> float: ...


class TooLateError(Exception):
    """A taker's deadline passed while others had the turn; nothing was done."""


class Turn:
    """What one at a time may hold.

    Who takes it often does the first step of `take` and of `leave` by itself: `holder` and `waiting` are for them.
    """

    __slots__ = ("_handed_over", "_mending", "holder", "waiting")

    def __init__(self) -> None:
        self._handed_over = 0.0
        self.holder: dict[int, Taker] = {}
        self.forget_waiting()

    def take(self, taker: Taker) -> None:
        """Wait for the turn. Raises TooLateError at the taker's deadline, and Fault where this thread holds the turn,
        as nobody else could end that."""
        if self.holder.setdefault(HELD, taker) is taker:
            return
        call = threading.Lock()
        call.acquire()
        place = (taker, call)
        sleep = _SHARE_SECONDS
        try:
            while True:
                if place not in self.waiting:
                    self.waiting.append(place)
                if self.holder.setdefault(HELD, taker) is taker:
                    return
                if self._is_held_from(taker):
                    left = taker.deadline - monotonic()
                    if left <= 0:
                        raise TooLateError
                    call.acquire(timeout=min(sleep, left))
                    sleep = min(2 * sleep, _LONGEST_SLEEP)
        finally:
            with contextlib.suppress(ValueError):
                self.waiting.remove(place)

    def leave(self, taker: Taker) -> None:
        """Let others have the turn that the taker holds; it has not ended yet."""
        if self.holder.get(HELD) is not taker:
            return
        now = monotonic()
        while self.waiting and now - self._handed_over > _SHARE_SECONDS:
            try:
                following, call = self.waiting.popleft()
            except IndexError:  # it has gone away
                break
            if following.thread:
                self._handed_over = now
                self.holder[HELD] = following
                _wake(call)
                return
        del self.holder[HELD]

    def pass_over(self, gone: Taker) -> None:
        """Take the turn from a holder that has ended, if it has it. Who takes it next does so by itself."""
        holder = self.holder
        with self._mending:  # others may do the same, and else could take the turn of the one that comes after
            if HELD in holder and holder[HELD] is gone:  # nothing is called here, so no signal's handler comes between
                del holder[HELD]
        with contextlib.suppress(IndexError):  # nobody waits
            _wake(self.waiting[0][1])

    def forget_waiting(self) -> None:
        """For the child of a fork, which has none of the threads that wait."""
        self.waiting: deque[tuple[Taker, threading.Lock]] = deque()
        self._mending = threading.RLock()

    def _is_held_from(self, taker: Taker) -> bool:
        """Whether there is another holder, who will leave. One that is gone is passed over.

        Raises Fault for one in this thread.
        """
        holder = self.holder.get(HELD)
        if holder is None or holder is taker:
            return False
        if holder.thread and sys.getrefcount(holder) > _OWN_REFERENCES:
            if holder.thread == taker.thread:
                raise at_work_already()
            return True
        self.pass_over(holder)
        return False


def _wake(call: threading.Lock) -> None:
    """Let a waiting thread go on and look whether it holds the turn."""
    with contextlib.suppress(RuntimeError):  # it was woken before, and has not gone on yet
        call.release()


def at_work_already() -> Fault:
    """The refusal of a request that begins in the middle of another one of its thread."""
    return unable(
        "the engine is at work in this thread already: a signal handler or a finalizer cannot use it in the middle of "
        "another request; let it only note what is to be done, and do that afterwards"
    )
