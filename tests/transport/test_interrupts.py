"""An exception that a signal's handler raises, at any moment, passes through and leaves nothing broken behind.

The suite tries some hundreds of moments; `DYNAMIX_INTERRUPTS=2000` tries so many.
"""

import asyncio
import gc
import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from peer import SECONDS, Conversation, answer, peer
from sides import asked

import dynamix
from dynamix import Connection
from dynamix.transport.http.http1 import AnswerReader

TRIALS = int(os.environ.get("DYNAMIX_INTERRUPTS", "300"))
SOURCE = str(Path(dynamix.__file__).parent)

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that send signals here"),
    # an interrupt may take a socket, or a coroutine, from who has just made it
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:coroutine .* was never awaited:RuntimeWarning"),
]


class SoftTimeLimitError(Exception):
    """What task queues raise from a signal's handler: not a BaseException only."""


class Interrupts:
    """Raises one exception in the main thread after a while of random length, in code of dynamix."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._armed: type[BaseException] | None = None

    @property
    def are_over(self) -> bool:
        """Whether the exception was raised."""
        return self._armed is None

    def arm(self, kind: type[BaseException]) -> None:
        """Has the exception raised soon."""
        self._armed = kind
        signal.setitimer(signal.ITIMER_REAL, self._random.uniform(1e-5, 2e-3))

    def disarm(self) -> None:
        """Raises nothing any more."""
        self._armed = None
        signal.setitimer(signal.ITIMER_REAL, 0)

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Called by the signal."""
        kind = self._armed
        if kind is None:
            return
        if frame is None or not frame.f_code.co_filename.startswith(SOURCE):
            signal.setitimer(signal.ITIMER_REAL, self._random.uniform(1e-6, 1e-4))
            return
        self._armed = None
        raise kind


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    """Interrupts by SIGALRM."""
    made = Interrupts()
    before = signal.signal(signal.SIGALRM, made.handle)
    try:
        yield made
    finally:
        made.disarm()
        signal.signal(signal.SIGALRM, before)
        gc.collect()  # while warnings of sockets are ignored


def echo(conversation: Conversation) -> None:
    """Answers each request with its own body."""
    while (request := conversation.read()) is not None:
        conversation.send(answer(request.body))


def ask(connection: Connection, n: int) -> None:
    """One request, which must get its own answer."""
    assert connection.run(asked(connection, "GetItem", {"n": n}, repeatable=True)) == {"n": n}


def ask_for_ever(connection: Connection, n: int) -> None:
    """Requests until something ends them."""
    while True:
        ask(connection, n)


@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SoftTimeLimitError, TimeoutError])
def test_a_blocking_operation_is_interrupted(limit: int, kind: type[BaseException], interrupts: Interrupts) -> None:
    """The exception itself comes out, the next operation of any thread works, and no connection is lost."""
    with (
        peer(echo) as there,
        Connection(is_local_endpoint=there.address, max_connections=limit, read_timeout=SECONDS) as connection,
        ThreadPoolExecutor(1) as threads,
    ):
        for n in range(TRIALS // 6):
            raised: BaseException | None = None
            interrupts.arm(kind)
            try:
                while not interrupts.are_over:
                    ask(connection, n)
            except kind as error:
                raised = error
            assert type(raised) is kind
            threads.submit(ask, connection, n).result(SECONDS)
            ask(connection, n)
        pool = connection._transport._pool  # type: ignore[union-attr]
        with pool._lock:
            pool._heal()
        assert not pool._out
        assert len(pool._open) == len(pool._idle) <= limit


def test_a_waiting_thread_gets_the_place_of_an_interrupted_one(interrupts: Interrupts) -> None:
    """A thread that waits for the only place goes on whatever became of the interrupted one, which asks no more."""
    stop = threading.Event()

    def work() -> int:
        n = 0
        while not stop.is_set():
            ask(connection, n)
            n += 1
        return n

    with (
        peer(echo) as there,
        Connection(is_local_endpoint=there.address, max_connections=1, read_timeout=4 * SECONDS) as connection,
        ThreadPoolExecutor(2) as threads,
    ):
        working = [threads.submit(work) for _ in range(2)]
        for n in range(TRIALS // 3):
            interrupts.arm(KeyboardInterrupt)
            with pytest.raises(KeyboardInterrupt):
                ask_for_ever(connection, n)
        stop.set()
        assert all(one.result(4 * SECONDS) for one in working)


@pytest.mark.parametrize("limit", [1, 4])
def test_an_event_loop_is_interrupted(limit: int, interrupts: Interrupts) -> None:
    """A loop that was interrupted amid operations, and whose tasks are cancelled as at its end, works on."""

    async def work(n: int) -> None:
        assert await connection.arun(asked(connection, "GetItem", {"n": n}, repeatable=True)) == {"n": n}

    async def hammer() -> None:
        while True:
            await asyncio.gather(*(work(n) for n in range(3)))

    async def settle() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    with (
        peer(echo) as there,
        Connection(is_local_endpoint=there.address, max_connections=limit, read_timeout=SECONDS) as connection,
        asyncio.Runner() as runner,
    ):
        runner.get_loop().set_exception_handler(lambda *_: None)
        for n in range(TRIALS // 3):
            interrupts.arm(KeyboardInterrupt)
            with pytest.raises(KeyboardInterrupt):
                runner.run(hammer())
            runner.run(settle())
            runner.run(work(n))
        transport: Any = connection._transport
        pool = transport._pools[runner.get_loop()]
        pool._heal()
        assert not pool._out
        assert len(pool._open) == len(pool._idle) <= limit
        runner.run(connection.aclose())


def test_nothing_of_python_runs_within_the_parser() -> None:
    """What httptools calls is built in: a handler that ran in there would have its exception taken for the parser's."""
    reader = AnswerReader()
    called = {name: getattr(reader, name) for name in AnswerReader.__slots__ if name.startswith("on_")}
    assert len(called) == 5
    for name, method in called.items():
        assert type(method).__name__ in ("method-wrapper", "builtin_function_or_method"), name
