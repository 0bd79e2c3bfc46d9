"""The two sides of a transport under one face, so that each rule is stated once and held by both."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from loops import NAMES as LOOPS
from loops import strict
from peer import SECONDS

from dynamix.connection import Connection
from dynamix.operations.retry import request
from dynamix.wire import Call, Flow

NAMES = ("blocking", *LOOPS)
"""Blocking, and asyncio in each kind of event loop."""

KEYS: Any = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "verySecretKey", "region_name": "eu-west-1"}
"""What a connection to a place that is not local needs."""


def asked(connection: Connection, target: str, body: Any, *, repeatable: bool) -> Flow[Any]:
    """One request of an operation, by the connection's retry settings."""
    return request(connection.retry, Call(target, msgspec.json.encode(body), msgspec.json.decode, repeatable))


class Side:
    """Asks by blocking calls in threads, or by asyncio in a loop that runs in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.loop = loop
        self._threads = ThreadPoolExecutor(64)

    def start(
        self, connection: Connection, target: str = "GetItem", body: Any = None, *, repeatable: bool = True
    ) -> "Future[Any]":
        """The answer to one request, when it comes."""
        flow = asked(connection, target, body or {}, repeatable=repeatable)
        if self.loop is None:
            return self._threads.submit(connection.run, flow)
        return asyncio.run_coroutine_threadsafe(connection.arun(flow), self.loop)

    def ask(self, connection: Connection, target: str = "GetItem", body: Any = None, *, repeatable: bool = True) -> Any:
        """The answer to one request."""
        return self.start(connection, target, body, repeatable=repeatable).result(SECONDS)

    def write(self, connection: Connection) -> Any:
        """The answer to a write that must not be applied twice."""
        return self.ask(connection, "UpdateItem", repeatable=False)

    def close(self, connection: Connection) -> None:
        """Closes a connection."""
        if self.loop is None:
            connection.close()
        else:
            self.run(connection.aclose())

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine in the loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    def wait_for_waiters(self, connection: Connection, count: int) -> None:
        """Returns when so many wait for a connection to be free."""
        transport: Any = connection._transport
        pool = transport._pool if self.loop is None else transport._pools[self.loop]
        until = time.monotonic() + SECONDS
        while len(pool._waiters) < count:
            assert time.monotonic() < until
            time.sleep(0.001)

    def end(self) -> None:
        """Ends its threads."""
        self._threads.shutdown()


@contextlib.contextmanager
def one_side(name: str) -> Iterator[Side]:
    """A side by its name, for the block."""
    if name == "blocking":
        side = Side(None)
        try:
            yield side
        finally:
            side.end()
        return
    loops: Future[asyncio.AbstractEventLoop] = Future()
    ended = asyncio.Event()

    async def main() -> None:
        loops.set_result(asyncio.get_running_loop())
        await ended.wait()

    def run() -> None:
        try:
            with strict(name) as runner:
                runner.run(main())
        except BaseException as error:
            errors.append(error)

    errors: list[BaseException] = []
    if name == "uvloop":
        pytest.importorskip("uvloop")
    thread = threading.Thread(target=run)
    thread.start()
    side = Side(loops.result(SECONDS))
    try:
        yield side
    finally:
        side.end()
        loops.result().call_soon_threadsafe(ended.set)
        thread.join()
    if errors:
        raise errors[0]
