"""Runs a coroutine as a strict program would: in debug mode, with every complaint of the event loop as a failure."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol, TypeVar

import pytest

T = TypeVar("T")

NAMES = ("asyncio", "uvloop")
"""The event loops that a program may run."""


class Run(Protocol):
    """Runs a coroutine function to its result in an event loop of its own."""

    def __call__(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T: ...


def runner(name: str) -> Run:
    """What runs coroutines in this kind of event loop. Skips the test where it is not installed."""

    def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with strict(name) as runner:
            return runner.run(_to_the_end(main))

    return run


@contextlib.contextmanager
def strict(name: str) -> Iterator[asyncio.Runner]:
    """An event loop for the block, of which no complaint may be heard until all that it left is collected."""
    new_loop = pytest.importorskip("uvloop").new_event_loop if name == "uvloop" else asyncio.new_event_loop
    complaints: list[Any] = []
    with _logged(complaints), _older_things_left_alone():
        with asyncio.Runner(debug=True, loop_factory=new_loop) as runner:
            loop = runner.get_loop()
            loop.slow_callback_duration = float("inf")  # a slow machine is not a failure
            loop.set_exception_handler(lambda _, context: complaints.append(context))
            yield runner
        gc.collect()  # what was lost complains when it is collected
    assert complaints == [], complaints


async def _to_the_end(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a coroutine that leaves no task behind."""
    try:
        return await main()
    finally:
        ending = asyncio.all_tasks() - {asyncio.current_task()}
        left = (await asyncio.wait(ending, timeout=10))[1] if ending else ()
        assert not left, left


@contextlib.contextmanager
def _older_things_left_alone() -> Iterator[None]:
    """Makes collecting garbage quick: only what the block has made is looked at."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _logged(complaints: list[Any]) -> Iterator[None]:
    """Adds what asyncio logs as a warning or worse."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage())

    listener = Listener(logging.WARNING)
    logging.getLogger("asyncio").addHandler(listener)
    try:
        yield
    finally:
        logging.getLogger("asyncio").removeHandler(listener)
