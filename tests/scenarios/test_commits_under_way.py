"""While a commit of an instance is under way, its queue is left alone: nothing is sent twice, nothing is forgotten."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from forum import Thread, key
from loops import runner
from scripted import Holding, serving

import dynamix

DISTURBANCES: dict[str, Callable[[Thread], None]] = {
    "another commit": lambda thread: thread.commit_changes(),
    "a change": lambda thread: thread.set_field(Thread.title, "late"),
    "a condition": lambda thread: thread.set_modify_conditions(Thread.title.exists()),
    "discarding": lambda thread: thread.discard_changes(),
}


@pytest.mark.parametrize("disturb", DISTURBANCES.values(), ids=DISTURBANCES)
def test_the_queue_is_left_alone(disturb: Callable[[Thread], None]) -> None:
    """What would disturb a commit under way is refused; after its end everything is possible again."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), updated_at=1)
        thread.add_to_field(Thread.updated_at, 1)
        committing = pool.submit(copy_context().run, thread.commit_changes)
        request = held.next()
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            disturb(thread)
        request.answer()
        committing.result()
        assert (thread.updated_at, thread.title) == (2, None)
        disturb(thread)
        assert held.count == 1


def test_a_commit_that_failed_is_not_under_way() -> None:
    """After a failed or cancelled commit the instance can be changed and committed."""
    held = Holding("UpdateItem")

    async def main() -> None:
        thread = await Thread.acreate(**key(1), updated_at=1)
        thread.set_field(Thread.title, "first")
        failing = asyncio.create_task(thread.acommit_changes())
        (await held.anext()).refuse("ValidationException")
        with pytest.raises(dynamix.InvalidRequestError):
            await failing
        cancelled = asyncio.create_task(thread.acommit_changes())
        await held.anext()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        thread.set_field(Thread.title, "second")
        committing = asyncio.create_task(thread.acommit_changes())
        (await held.anext()).answer()
        await committing
        assert thread.title == "second"

    with serving(held):
        dynamix.create_table(Thread)
        runner("asyncio")(main)
