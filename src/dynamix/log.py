"""The logger `dynamix`: a line at DEBUG for each request, at INFO for each repeat, at WARNING for each throttled one.

Lines name operations, tables, errors' classes and request ids; never keys, values or secrets. The module `logging`
takes longer to import than most of this package, so that is left to the program: one that has not done it listens to
nothing.
"""

import sys
import time
from typing import TYPE_CHECKING

from dynamix.errors import DynamixError
from dynamix.wire import Call, Pause, Response

if TYPE_CHECKING:
    from logging import Logger
    from typing import Any

DEBUG, INFO, WARNING = 10, 20, 30
logger: "Logger | None" = None
"""The logger; None while the program has not imported `logging`."""


def find() -> "Logger | None":
    """The logger, as far as the program can listen to one."""
    global logger
    logging = sys.modules.get("logging")
    if logging is not None and hasattr(logging, "NullHandler"):  # another thread may be at importing it
        logger = logging.getLogger("dynamix")
        logger.addHandler(logging.NullHandler())  # lest warnings of a program without handlers go to stderr
    return logger


def tell_request(listener: "Logger", call: "Call[Any]", started: float, outcome: Response | DynamixError) -> None:
    """One line for a request that was sent, at DEBUG; `started` is a time of `time.perf_counter`."""
    if isinstance(outcome, Response):
        how, request_id = str(outcome.status), outcome.request_id or "-"
    else:
        how, request_id = type(outcome).__name__, "-"
    listener.debug(
        "%s %s: %s in %.1f ms, attempt %d, request id %s",
        call.target,
        call.table,
        how,
        (time.perf_counter() - started) * 1000,
        call.attempt,
        request_id,
    )


def tell_pause(pause: Pause) -> None:
    """One line for a pause before a repeat."""
    level = WARNING if pause.is_throttled else INFO
    if pause.why and (listener := logger or find()) is not None:
        listener.log(level, "%s; sent again in %.3f s", pause.why, pause.seconds)
