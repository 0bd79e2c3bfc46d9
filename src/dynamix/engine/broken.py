"""What is to go wrong on purpose, so that a program shows what it does then."""

import threading
from collections.abc import Sequence
from typing import Literal

import msgspec

from dynamix.engine.faults import Fault
from dynamix.errors import ValidationException

_THROTTLED = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning "
    "level with the UpdateTable API."
)
_MOST_SECONDS = 3600


class Broken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to go wrong: with the `nth` request from now on of an operation, or of any, and so many `times`, or with
    all that follow for None.

    `throttle` and `error` answer in place of the engine; `delay` waits for `seconds` first; `cut` ends the connection
    without an answer, before the request is carried out or, with `after`, when it has been.
    """

    kind: Literal["throttle", "delay", "error", "cut"]
    operation: str | None = None
    nth: int = 1
    times: int | None = 1
    seconds: float = 1.0
    after: bool = False

    def answer(self) -> Fault | None:
        """What is answered in place of the engine's answer, if anything."""
        if self.kind == "throttle":
            return Fault("ProvisionedThroughputExceededException", _THROTTLED)
        if self.kind == "error":
            return Fault("InternalServerError", "Internal server error", status=500)
        return None


class _Pending:
    """One of those that are to come, and how often still."""

    __slots__ = ("before", "broken", "times")

    def __init__(self, broken: Broken) -> None:
        self.broken = broken
        self.before = broken.nth - 1
        self.times = broken.times


class Breakage:
    """What is still to go wrong. `pending` is empty where that is nothing."""

    def __init__(self) -> None:
        self.pending: list[_Pending] = []
        self._lock = threading.Lock()

    def set(self, broken: Sequence[Broken]) -> None:
        """These in place of those before. Raises ValidationException for what cannot be."""
        for each in broken:
            if each.nth < 1 or (each.times is not None and each.times < 1) or not 0 <= each.seconds <= _MOST_SECONDS:
                raise ValidationException(
                    f"{each}: nth and times begin at 1, and seconds are from 0 to {_MOST_SECONDS}"
                )
        with self._lock:
            self.pending = [_Pending(each) for each in broken]

    def next(self, operation: str) -> Broken | None:
        """What is to go wrong with this request, if anything."""
        if not self.pending:
            return None
        with self._lock:
            due = None
            for each in self.pending:
                if each.broken.operation not in (None, operation):
                    continue
                if each.before:
                    each.before -= 1
                elif due is None:
                    due = each
            if due is None:
                return None
            if due.times is not None:
                due.times -= 1
                if not due.times:
                    self.pending.remove(due)
            return due.broken
