"""The drivers: what becomes of a flow whose driver is interrupted. Run by hand; no network, no clock."""

import asyncio
from typing import Any

import pytest

from dynamix.drivers import adrive, drive
from dynamix.wire import Effect, Flow, Pause


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
