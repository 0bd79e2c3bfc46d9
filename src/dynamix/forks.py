"""What the child of a fork does not take over: locks that a thread of its parent may hold, and sockets of the parent.

Of the parent's threads only the one that forked lives on in the child. A lock that another one held would stay locked
for ever, and a request that both processes send on one connection would get the other's answer.
"""

import os
import weakref
from typing import Protocol


class Heir(Protocol):
    """Something that a child gets as a copy."""

    def _after_fork(self) -> None:
        """Called in the child, before anything else runs there."""


_heirs: "weakref.WeakSet[Heir]" = weakref.WeakSet()


def register(heir: Heir) -> None:
    """Has its `_after_fork` called in each child of a fork, for as long as it lives."""
    _heirs.add(heir)


def _in_child() -> None:
    for heir in list(_heirs):
        heir._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
