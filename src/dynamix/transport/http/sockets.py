"""Waiting for sockets with a deadline.

Sockets never block here: a request is handed over in one system call where it fits, and every wait has the deadline
of the whole exchange, so that a server which drips bytes cannot stretch it. Works alike for plain sockets and TLS.
"""

import select
import time
from typing import ClassVar

from dynamix.transport.deadlines import TimeUpError


class Watch:
    """Tells whether a socket can be read or written, now or before a deadline."""

    __slots__ = ("_number", "_poll")

    wants_read: ClassVar[tuple[type[OSError], ...]] = (BlockingIOError,)
    """What a socket raises that has nothing to read yet."""

    wants_write: ClassVar[tuple[type[OSError], ...]] = (BlockingIOError,)
    """What one raises that has no room yet."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._poll = None
        if hasattr(select, "poll"):  # not on Windows; elsewhere select() knows only the first 1024 files
            self._poll = select.poll()
            self._poll.register(number, select.POLLIN)

    def is_readable(self) -> bool:
        """Whether something has arrived, the end of the connection included."""
        if self._poll is not None:
            return bool(self._poll.poll(0))
        return bool(select.select([self._number], (), (), 0)[0])

    def until_readable(self, deadline: float) -> None:
        """Waits for something to arrive. Raises TimeUpError at the deadline."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeUpError
        if self._poll is not None:
            ready = bool(self._poll.poll(seconds * 1000))
        else:
            ready = bool(select.select([self._number], (), (), seconds)[0])
        if not ready:
            raise TimeUpError

    def until_writable(self, deadline: float) -> None:
        """Waits for room to write. Raises TimeUpError at the deadline."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeUpError
        if self._poll is None:
            ready = bool(select.select((), [self._number], (), seconds)[1])
        else:
            self._poll.modify(self._number, select.POLLOUT)
            ready = bool(self._poll.poll(seconds * 1000))
            self._poll.modify(self._number, select.POLLIN)
        if not ready:
            raise TimeUpError
