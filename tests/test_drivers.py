"""The drivers: what becomes of a flow whose driver is interrupted. Run by hand; no network, no clock."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dynamix.drivers import adrive, drive, run_together
from dynamix.wire import Effect, Flow, Pause, Together


def flow_with_a_guard(left: list[str]) -> Flow[None]:
    """Waits within a block that says when it is left."""
    try:
        yield Pause(1)
    finally:
        left.append("left")


def test_an_interrupted_driver_closes_its_flow() -> None:
    """What interrupts a driver passes through, and the blocks of the flow are left then, not when it is collected."""
    left: list[str] = []
    flow = flow_with_a_guard(left)

    def interrupted(effect: Effect) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(flow, interrupted)
    assert left == ["left"]
    assert flow.gi_frame is None  # type: ignore[attr-defined]


def test_a_cancelled_driver_closes_its_flow() -> None:
    """A cancelled task has left the blocks of its flow when it ends."""
    left: list[str] = []
    flow = flow_with_a_guard(left)

    async def main() -> None:
        async def waits_for_ever(effect: Effect) -> Any:
            await asyncio.Event().wait()

        task = asyncio.create_task(adrive(flow, waits_for_ever))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left == ["left"]

    asyncio.run(main())
    assert flow.gi_frame is None  # type: ignore[attr-defined]


def test_flows_run_one_after_another_where_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the interpreter starts no threads any more, what would run side by side is done all the same, in order."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    def flow(number: int) -> Flow[int]:
        yield Pause(0)
        return number

    monkeypatch.setattr(threading.Thread, "start", refuse)
    flows = Together([flow(number) for number in range(20)])
    assert run_together(flows, lambda effect, wait: None) == list(range(20))


def test_an_error_ends_the_pauses_of_the_others() -> None:
    """The first error is raised at once, however long the flows beside it want to wait."""
    waiting = threading.Barrier(2)

    def waits() -> Flow[None]:
        yield Pause(1e6)

    def fails() -> Flow[None]:
        yield Pause(0)
        waiting.wait()
        raise ValueError("mine")

    def perform(effect: Effect, wait: Callable[[float], object]) -> Any:
        assert isinstance(effect, Pause)
        if effect.seconds:
            waiting.wait()
            wait(effect.seconds)

    with pytest.raises(ValueError, match="mine"):
        run_together(Together([waits(), fails()]), perform)


def test_an_error_of_any_class_comes_out() -> None:
    """Whatever a flow fails with, also what the driver itself uses to see the end of its row, is raised."""

    def failing() -> Flow[None]:
        yield Pause(1)
        raise IndexError("of the flow's own")

    with pytest.raises(IndexError, match="own"):
        run_together(Together([failing(), failing()]), lambda *_: None)
