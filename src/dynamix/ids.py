"""Ids that need nobody's counter, as text: for the defaults of fields, `CharField(default=dynamix.ids.uuid7)`.

    uuid4   random (RFC 9562)
    uuid7   sorts by the time at which it was made (RFC 9562)
    ulid    the same in 26 characters (https://github.com/ulid/spec)

The last two begin with the milliseconds since 1970, and what follows is random. Those that one process makes, in
whatever threads, sort in the order in which they were made: within one millisecond, and where the clock was set back,
each is the one before it plus a random number. The child of a fork begins anew.
"""

import os
import threading
import time

from dynamix import forks

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class _Rising:
    """Numbers that rise: milliseconds since 1970, and after them so many bits at random."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._last = 0
        self._after_fork()
        forks.register(self)

    def _after_fork(self) -> None:
        """Called in the child of a fork, which must not make what its parent makes."""
        self._lock = threading.RLock()  # a signal's handler may come here while its thread is here
        self._fresh = True

    def next(self) -> int:
        """The next number."""
        with self._lock:
            now = max(time.time_ns() // 1_000_000, (self._last >> self._bits) + self._fresh)
            if now > self._last >> self._bits:
                number = now << self._bits | _random(self._bits - 1)  # the upper half is room to rise
            else:
                number = self._last + 1 + _random(32)
            self._last, self._fresh = number, False
            return number


def _random(bits: int) -> int:
    """A number of so many bits from the operating system, which no fork and no seed repeats."""
    return int.from_bytes(os.urandom((bits + 7) // 8), "big") >> -bits % 8


_for_uuid7 = _Rising(74)
_for_ulid = _Rising(80)


def _uuid(version: int, number: int) -> str:
    """A UUID of 122 bits, the standard's version and its variant. All programs would have to import Python's module."""
    upper, middle, lower = number >> 74, number >> 62 & 0xFFF, number & (1 << 62) - 1
    whole = f"{upper << 80 | version << 76 | middle << 64 | 0b10 << 62 | lower:032x}"
    return f"{whole[:8]}-{whole[8:12]}-{whole[12:16]}-{whole[16:20]}-{whole[20:]}"


def uuid4() -> str:
    """A random UUID, such as "6f1c3b1e-8b7e-4c66-9d0b-0c6a2b8f3a55"."""
    return _uuid(4, _random(122))


def uuid7() -> str:
    """A UUID that sorts by time, such as "01932c07-209c-7a50-8f5e-3d1b7c2a9e64"."""
    return _uuid(7, _for_uuid7.next())


def ulid() -> str:
    """A ULID, which sorts by time, such as "01JCP0E84W9R2M5T7V3X6Y8Z1B"."""
    number = _for_ulid.next()
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
