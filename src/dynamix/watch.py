"""What callbacks are told: those of a connection of its requests, those of long writes of how far they came."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from dynamix.errors import DynamixError, WrongTypeError, from_response
from dynamix.interrupts import let_pass
from dynamix.wire import Call, RequestInfo, Response, ResponseInfo, is_coroutine_function

T = TypeVar("T")


class Watch(Struct, frozen=True):
    """The callbacks of a connection, at least one."""

    on_request: Callable[[RequestInfo], object] | None
    on_response: Callable[[ResponseInfo], object] | None

    def sent(self, call: "Call[object]") -> RequestInfo:
        """Called before a request is sent. Raises what the callback raises."""
        told = RequestInfo(call.target, call.table, call.attempt, len(call.body))
        if self.on_request is not None:
            self.on_request(told)
        return told

    def ended(self, request: RequestInfo, started: float, outcome: Response | DynamixError) -> None:
        """Called when a request has ended; `started` is a time of `time.perf_counter`."""
        if self.on_response is None:
            return
        seconds = time.perf_counter() - started
        if isinstance(outcome, DynamixError):
            told = ResponseInfo(request, seconds, error=type(outcome).__name__)
        else:
            failure = None if outcome.status == 200 else type(from_response(outcome)).__name__
            told = ResponseInfo(request, seconds, outcome.status, len(outcome.body), outcome.request_id, failure)
        try:
            self.on_response(told)
        except Exception as error:
            let_pass(error)
            sys.excepthook(type(error), error, error.__traceback__)  # told, but the request's outcome matters more


def checked_progress(
    progress: Callable[[T], object] | None, argument: str = "the number of writes made"
) -> Callable[[T], object] | None:
    """The same callback. Raises WrongTypeError for what is no plain function."""
    if progress is not None and (not callable(progress) or is_coroutine_function(progress)):
        raise WrongTypeError(
            f"progress={progress!r} is not a plain function of one argument, {argument}",
            field="progress",
            value=progress,
        )
    return progress
