"""The two drivers that run flows, one blocking and one for asyncio.

They know nothing of operations. They send, wait, run flows together, and hand the outcome to the flow: a result is
sent into it, an error is thrown into it. What is not an Exception (an interrupt from the keyboard, a cancelled task)
passes through untouched. A driver closes the flow that it ran: what an interrupted flow holds is given up at once.

asyncio and thread pools are imported by what needs them: a program that needs neither starts in half the time.
"""

import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dynamix.errors import DynamixError
from dynamix.wire import Effect, Flow, Pause, Together

T = TypeVar("T")


def drive(flow: Flow[T], perform: Callable[[Effect], Any]) -> T:
    """Runs a flow to its result; `perform` does what it asks for, blocking."""
    try:
        effect = flow.send(None)
        while True:
            try:
                outcome = perform(effect)
            except Exception as error:
                effect = flow.throw(error)
            else:
                effect = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


async def adrive(flow: Flow[T], perform: Callable[[Effect], Awaitable[Any]]) -> T:
    """Runs a flow to its result; `perform` does what it asks for, awaiting."""
    try:
        effect = flow.send(None)
        while True:
            try:
                outcome = await perform(effect)
            except Exception as error:
                effect = flow.throw(error)
            else:
                effect = flow.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


def run_together(together: Together, perform: Callable[[Effect], Any]) -> list[Any]:
    """Runs flows in threads, so that their requests overlap; the first error ends the others."""
    flows = together.flows
    if len(flows) < 2:
        return [drive(flow, perform) for flow in flows]
    from concurrent.futures import ThreadPoolExecutor

    results: list[Any] = [None] * len(flows)
    waiting = deque(enumerate(flows))
    errors: list[BaseException] = []
    ended = threading.Event()

    def perform_until_ended(effect: Effect) -> Any:
        if ended.wait(effect.seconds if isinstance(effect, Pause) else 0):
            raise _EndedError
        return None if isinstance(effect, Pause) else perform(effect)

    def work() -> None:
        try:
            while not ended.is_set():
                number, flow = waiting.popleft()
                results[number] = drive(flow, perform_until_ended)
        except IndexError:
            return
        except BaseException as error:
            errors.append(error)
            ended.set()

    others = min(together.limit, len(flows)) - 1  # this thread works too
    with ThreadPoolExecutor(max(others, 1), "dynamix") as threads:
        for _ in range(others):
            threads.submit(contextvars.copy_context().run, work)
        work()
    if errors:
        raise errors[0]
    return results


async def arun_together(together: Together, perform: Callable[[Effect], Awaitable[Any]]) -> list[Any]:
    """Runs flows in tasks; the first error cancels the others, or ends them once their requests are answered."""
    import asyncio

    flows = together.flows
    results: list[Any] = [None] * len(flows)
    waiting = deque(enumerate(flows))
    errors: list[BaseException] = []
    ended = asyncio.Event()

    async def perform_until_ended(effect: Effect) -> Any:
        if isinstance(effect, Pause):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(effect.seconds):
                    await ended.wait()
        if ended.is_set():
            raise _EndedError
        return None if isinstance(effect, Pause) else await perform(effect)

    async def work() -> None:
        while waiting and not ended.is_set():
            number, flow = waiting.popleft()
            try:
                results[number] = await adrive(flow, perform_until_ended)
            except Exception as error:
                errors.append(error)
                ended.set()
                if not together.lets_finish:
                    raise

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(together.limit, len(flows))):
                tasks.create_task(work())
    except BaseExceptionGroup as group:
        errors += group.exceptions
    if errors:
        raise errors[0]
    return results


class _EndedError(DynamixError):
    """Ends a flow that runs beside one that failed: thrown into it in place of sending or waiting, so it can say what
    it has done."""

    def __init__(self) -> None:
        super().__init__("not sent, since another request of the same batch failed")
