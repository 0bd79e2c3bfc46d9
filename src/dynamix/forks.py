"""What happens to the things of a process when it forks.

Of the parent's threads only the one that forked lives on in the child. A lock that another one held would stay locked
for ever, and a request that both processes send on one connection would get the other's answer. So an heir makes
anew, in the child, what it must not take over. A keeper has files or rows that may be copied between two pieces of
work only: it holds all work up while the process is copied.
"""

import os
import threading
import weakref
from typing import Protocol


class Heir(Protocol):
    """Something that a child gets as a copy."""

    def _after_fork(self) -> None:
        """Called in the child, before anything else runs there."""


class Keeper(Heir, Protocol):
    """Something whose work is held up while the process is copied."""

    def _before_fork(self) -> None:
        """Called in the parent; returns when no thread is at work, and lets none begin."""

    def _after_fork_in_parent(self) -> None:
        """Called in the parent when the child is there: work goes on."""


_heirs: "weakref.WeakSet[Heir]" = weakref.WeakSet()
_keepers: "weakref.WeakSet[Keeper]" = weakref.WeakSet()
_held: list[Keeper] = []
_lock = threading.RLock()


def register(heir: Heir) -> None:
    """Has its `_after_fork` called in each child of a fork, for as long as it lives."""
    _heirs.add(heir)


def register_keeper(keeper: Keeper) -> None:
    """Has all three of its methods called at each fork, for as long as it lives."""
    _keepers.add(keeper)


def _before() -> None:
    _lock.acquire()
    for keeper in list(_keepers):
        keeper._before_fork()
        _held.append(keeper)


def _in_parent() -> None:
    while _held:
        _held.pop()._after_fork_in_parent()
    _lock.release()


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()
    while _held:
        _held.pop()._after_fork()
    for heir in list(_heirs):
        heir._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
