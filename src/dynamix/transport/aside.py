"""Blocking calls that know no deadline (of resolvers, of a caller's client), made in threads of their own.

Who waits for one goes on at the deadline; the call comes to its end by itself. The threads are daemons, so no program
waits for them at its end. Where no thread can be started, as at the end of the interpreter, the call is made here.
"""

import contextlib
import contextvars
import math
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from dynamix.transport.deadlines import TimeUpError, seconds_until

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


def call(work: Callable[[], T], deadline: float) -> T:
    """The result of a call, or its error. Raises TimeUpError at the deadline, a time of `time.monotonic`."""
    outcomes: SimpleQueue[tuple[list[T], BaseException | None]] = SimpleQueue()
    if not _start(work, lambda result, error: outcomes.put((result, error))):
        return work()
    try:
        result, error = outcomes.get(timeout=min(seconds_until(deadline), threading.TIMEOUT_MAX))
    except Empty:
        raise TimeUpError from None
    if error is not None:
        raise error
    return result[0]


async def acall(work: Callable[[], T], deadline: float) -> T:
    """The same under asyncio."""
    import asyncio

    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def end(result: list[T], error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(_settle, outcome, result, error)

    if not _start(work, end):
        return work()
    left = None if deadline == math.inf else seconds_until(deadline)
    try:
        async with asyncio.timeout(left) as limit:
            return await outcome
    except TimeoutError:
        if limit.expired():
            raise TimeUpError from None
        raise


async def in_pool(work: Callable[[], T]) -> T:
    """The result of a blocking call that one of the loop's own threads makes."""
    import asyncio

    try:
        outcome = asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, work)
    except RuntimeError:
        return work()
    return await outcome


def _settle(outcome: "asyncio.Future[T]", result: list[T], error: BaseException | None) -> None:
    if outcome.done():
        return
    if error is None:
        outcome.set_result(result[0])
    else:
        outcome.set_exception(error)


def _start(work: Callable[[], T], end: Callable[[list[T], BaseException | None], None]) -> bool:
    """Calls `end` with the result of a call, or its error, from a thread; whether the thread could be started."""

    def run() -> None:
        try:
            result = [work()]
        except BaseException as error:
            end([], error)
        else:
            end(result, None)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="dynamix-aside", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
