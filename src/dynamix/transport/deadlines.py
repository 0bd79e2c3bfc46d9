"""Times of `time.monotonic` by which something must be done, and what is raised when it is not."""

import time

from dynamix.errors import DeadlineExceededError, RequestTimeoutError


class TimeUpError(Exception):
    """A wait came to its deadline. It never leaves the transports.

    It is no TimeoutError, for that may be what a signal's handler raises, which must pass through.
    """


def seconds_until(deadline: float) -> float:
    """The seconds left, at least 0."""
    return max(deadline - time.monotonic(), 0.0)


def timed_out(message: str, *, sent: bool, until: float, deadline: float) -> RequestTimeoutError:
    """The error for a wait that ended with the operation's deadline, or before it, of which the message tells."""
    return RequestTimeoutError(message, sent=sent) if until < deadline else late(sent=sent)


def late(*, sent: bool) -> DeadlineExceededError:
    """The error for an operation whose deadline has passed."""
    what = "the answer had not arrived" if sent else "the request had not been sent"
    return DeadlineExceededError(f"the operation was not done in time: {what}", sent=sent)
