"""What one read may take, and has taken: its bounds, its rate, and who is told how far it came.

The requests of a scan in segments share one budget, so it is counted under a lock.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from dynamix.cursor import Cursor
from dynamix.errors import DeadlineExceededError, InvalidAnswerError, ReadLimitError
from dynamix.selection import Bounds
from dynamix.wire import ReadProgress

_SLICE = 0.2
"""The longest wait in seconds before it is looked again whether the rate allows a request."""
_PAGE_UNITS = 128.0
"""The units of a page of 1 MB; what a request is thought to consume while none was answered."""


class Rate:
    """At most so many units a second. A request may be sent once what was consumed before is paid off by time; until it
    is answered, it counts as one like the last."""

    def __init__(self, units: float, clock: Callable[[], float]) -> None:
        self._units = units
        self._clock = clock
        self._free_at = -math.inf
        self._usual = _PAGE_UNITS

    def reserve(self) -> tuple[float, float]:
        """The seconds to wait before it is asked again, and, where these are 0, the units that are set aside."""
        now = self._clock()
        if now < self._free_at:
            return min(self._free_at - now, _SLICE), 0.0
        self._free_at = now + self._usual / self._units
        return 0.0, self._usual

    def settle(self, reserved: float, units: float | None) -> None:
        """The request for which units were set aside consumed so many; None: it was not answered."""
        self._free_at += ((units or 0.0) - reserved) / self._units
        self._usual = self._usual if units is None else units


class Told(Struct):
    """What an answer tells beside its items."""

    consumed: "_Consumed | None" = msgspec.field(name="ConsumedCapacity", default=None)
    found: int = msgspec.field(name="Count", default=0)
    looked_at: int = msgspec.field(name="ScannedCount", default=0)
    last_key: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


class _Consumed(Struct):
    units: float = msgspec.field(name="CapacityUnits", default=0.0)


told_by = msgspec.json.Decoder(Told).decode


class Budget:
    """What one read has used of its bounds. `deadline` is a time of `time.monotonic`, which the driver heeds.

    `spent` says which bound ended the read, None while none did. `segments` is the number of those that it reads.
    """

    def __init__(
        self, bounds: Bounds, clock: Callable[[], float], deadline: float = math.inf, segments: int = 1
    ) -> None:
        self.deadline = deadline
        self.spent: str | None = None
        self._bounds = bounds
        self._rate = None if bounds.rate is None else Rate(bounds.rate, clock)
        self._lock = threading.RLock()  # a signal's handler may come here while its thread is here
        self._asked = 0
        self._units = 0.0
        self._told = ReadProgress(0, 0, 0, 0.0, 0, segments)

    @property
    def counts_units(self) -> bool:
        """Whether answers have to tell what they consumed."""
        return self._bounds.units is not None or self._rate is not None or self.progress is not None

    @property
    def progress(self) -> Callable[[ReadProgress], object] | None:
        """What is called after each request."""
        return self._bounds.progress

    def reserve(self) -> tuple[float, float]:
        """The seconds to wait before the next request, and, where these are 0, the units that are set aside for it."""
        with self._lock:
            return (0.0, 0.0) if self._rate is None else self._rate.reserve()

    def allows(self) -> bool:
        """Whether one more request is within the bounds; it counts as sent."""
        pages, units = self._bounds.pages, self._bounds.units
        with self._lock:
            if pages is not None and self._asked >= pages:
                self.spent = f"max_pages({pages})"
            elif units is not None and self._units >= units:
                self.spent = f"max_units({units}), {self._units:g} units,"
            self._asked += self.spent is None
            return self.spent is None

    def used(self, reserved: float, told: Told | None) -> None:
        """A request was answered, or was not. Raises InvalidAnswerError where the answer does not tell its units."""
        units = None if told is None or told.consumed is None else told.consumed.units
        with self._lock:
            self._units += units or 0.0
            if self._rate is not None:
                self._rate.settle(reserved, units)
        if told is None or units is not None:
            return
        method = "max_units()" if self._bounds.units is not None else "rate=" if self._rate is not None else None
        if method is not None:
            raise InvalidAnswerError(f"{method} cannot be heeded: the answer does not tell the units that it consumed")

    def tell(self, told: Told) -> Any:
        """Tells the callback of an answer; in threads one after another."""
        assert self.progress is not None  # noqa: S101 - the caller has looked
        with self._lock:
            before = self._told
            self._told = ReadProgress(
                before.requests + 1,
                before.looked_at + told.looked_at,
                before.found + told.found,
                before.units + (0.0 if told.consumed is None else told.consumed.units),
                before.ended + (told.last_key is None),
                before.segments,
            )
            return self.progress(self._told)

    def ended(self, error: DeadlineExceededError) -> None:
        """Time was up. Raises the error where the deadline is not the read's own."""
        if self.deadline == math.inf:
            raise error
        self.spent = f"max_seconds({self._bounds.seconds})"


def spent(budget: Budget | None) -> str | None:
    """Which bound ended a read, if one did."""
    return None if budget is None else budget.spent


def ran_out(bound: str | None, found: list[Any], cursor: Cursor | None, count: int | None = None) -> ReadLimitError:
    """The error for a read that came to a bound before it had looked at everything."""
    error = ReadLimitError(
        f"the read was ended by {bound} before it had looked at everything; start_key(error.cursor) goes on"
    )
    error.items, error.cursor = tuple(found), cursor
    error.count = len(found) if count is None else count
    return error
