"""The two drivers that run flows, one blocking and one for asyncio.

They know nothing of operations. They send, wait, run flows together, and hand the outcome to the flow: a result is
sent into it, an error is thrown into it. What is not an Exception (an interrupt from the keyboard, a cancelled task)
passes through untouched. A driver closes the flow that it ran: what an interrupted flow holds is given up at once.

asyncio is imported by what needs it: a program that does not starts in half the time.
"""

from __future__ import annotations

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


def run_together(together: Together, perform: Callable[[Effect, Callable[[float], object]], Any]) -> list[Any]:
    """Runs flows in threads, so that their requests overlap; the first error ends the others.

    `perform` gets what to wait by, beside the effect. Where no thread can be started, as at the end of the interpreter,
    flows run one after another.
    """
    results: list[Any] = [None] * len(together.flows)
    waiting = deque(enumerate(together.flows))
    errors: list[BaseException] = []
    end = End()

    def perform_until_ended(effect: Effect) -> Any:
        if end.has_come:
            raise EndedError
        outcome = perform(effect, end.wait)
        if end.has_come and isinstance(effect, Pause):
            raise EndedError
        return outcome

    def work() -> None:
        try:
            while not end.has_come:
                try:
                    number, flow = waiting.popleft()
                except IndexError:
                    return
                results[number] = drive(flow, perform_until_ended)
        except BaseException as error:
            errors.append(error)
            end.come()

    try:
        threads = _started(work, min(together.limit, len(together.flows)) - 1)  # this thread works too
        work()
        for thread in threads:
            thread.join()
    except BaseException:
        end.come()
        raise
    if errors:
        raise errors[0]
    return results


def _started(work: Callable[[], None], count: int) -> list[threading.Thread]:
    """So many threads at work in this context, or as many as can be started."""
    threads = []
    for _ in range(count):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="dynamix")
        try:
            thread.start()
        except RuntimeError:
            break
        threads.append(thread)
    return threads


async def arun_together(
    together: Together, perform: Callable[[Effect, Callable[[float], Awaitable[object]]], Awaitable[Any]]
) -> list[Any]:
    """Runs flows in tasks; the first error cancels the others, or ends them once their requests are answered.

    `perform` gets what to wait by, beside the effect.
    """
    import asyncio

    flows = together.flows
    results: list[Any] = [None] * len(flows)
    waiting = deque(enumerate(flows))
    errors: list[BaseException] = []
    ended = asyncio.Event()

    async def wait(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await ended.wait()

    async def perform_until_ended(effect: Effect) -> Any:
        if ended.is_set():
            raise EndedError
        outcome = await perform(effect, wait)
        if ended.is_set() and isinstance(effect, Pause):
            raise EndedError
        return outcome

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


class End:
    """Comes once, and ends the waits of all threads. Made of one lock, so that no interrupt can leave it half done."""

    def __init__(self) -> None:
        self.has_come = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def come(self) -> None:
        """Ends what waits."""
        self.has_come = True
        with contextlib.suppress(RuntimeError):  # it is released already
            self._lock.release()

    def wait(self, seconds: float) -> None:
        """Waits so long, or until the end."""
        if self._lock.acquire(timeout=seconds):
            self.come()

    def check(self) -> None:
        """Raises EndedError once it has come."""
        if self.has_come:
            raise EndedError

    def pause(self, seconds: float) -> None:
        """Waits so long. Raises EndedError once it has come."""
        self.wait(seconds)
        self.check()


class EndedError(DynamixError):
    """Ends a flow that runs beside one that failed: thrown into it in place of sending or waiting, so it can say what
    it has done."""

    def __init__(self) -> None:
        super().__init__("not sent, since another request of the same batch failed")
