"""Connections: which place, whose credentials.

A `Connection` is cheap to make: configuration is looked up and the network touched at its first operation.
asyncio is imported by what needs it: a program that does not starts in half the time.
"""

import os
import threading
import time
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import msgspec

from dynamix import forks
from dynamix.drivers import adrive, arun_together, drive, run_together
from dynamix.errors import ConnectionException, InvalidAnswerError, from_response
from dynamix.operations.indexes import LiveIndexes
from dynamix.operations.retry import RetryPolicy
from dynamix.transport.options import SECRETS, ConnectionOptions, check
from dynamix.wire import Call, Effect, Flow, Pause, Response, Transport

T = TypeVar("T")


class Connection:
    """One place where tables live. Serves all threads and event loops of the process.

    Takes the arguments of `ConnectionOptions`; an unknown one raises UnknownNameError. As a context manager, with
    `with` or `async with`, it is closed at the end of the block.
    """

    def __init__(self, **options: Unpack[ConnectionOptions]) -> None:
        self._options = check(options)
        self._transport: Transport | None = None
        self._closed = False
        self._after_fork()
        forks.register(self)
        self.table_prefix = self._options.get("table_prefix", "")
        """What stands before the name of every table."""
        self.retry = _retry_policy(self._options)
        """How often and when a request is repeated."""
        self.indexes = LiveIndexes()
        """What the indexes of the tables here hold."""

    def _after_fork(self) -> None:
        """Called in the child of a fork, which waits for no thread of its parent."""
        self._lock = threading.RLock()  # a signal handler may come in the middle

    def run(self, flow: Flow[T]) -> T:
        """Runs a flow, blocking, and returns its result."""
        return drive(flow, self._perform)

    async def arun(self, flow: Flow[T]) -> T:
        """Runs a flow under asyncio and returns its result."""
        return await adrive(flow, self._aperform)

    def close(self) -> None:
        """Gives up what the connection holds. Operations under way come to their end; further ones are refused."""
        with self._lock:
            transport, self._transport, self._closed = self._transport, None, True
        if transport is not None:
            transport.close()

    async def aclose(self) -> None:
        """Gives up what the connection holds. Operations under way come to their end; further ones are refused."""
        with self._lock:
            transport, self._transport, self._closed = self._transport, None, True
        if transport is not None:
            await transport.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        given = (f"{name}={'...' if name in SECRETS else repr(value)}" for name, value in self._options.items())
        return f"Connection({', '.join(given)})"

    def _open(self) -> Transport:
        """The transport, made at the first call. Raises NotConfiguredError."""
        with self._lock:
            if self._closed:
                raise ConnectionException("the connection was closed; make a new one")
            if self._transport is None:
                made = _transport(self._options)
                if self._transport is None:
                    self._transport = made
                else:  # a signal handler was first
                    made.close()
            return self._transport

    async def _aopen(self) -> Transport:
        """The same; in a thread where it may have to read files."""
        if "embedded" in self._options:
            return self._open()
        import asyncio

        return await asyncio.to_thread(self._open)

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Call):
            transport = self._transport or self._open()
            return _answer(effect, transport.send(effect.target, effect.body, effect.repeatable))
        if isinstance(effect, Pause):
            return time.sleep(effect.seconds)
        if {"embedded", "boto_client"} & self._options.keys():
            return [drive(flow, self._perform) for flow in effect.flows]
        return run_together(effect, self._perform)

    async def _aperform(self, effect: Effect) -> Any:
        if isinstance(effect, Call):
            transport = self._transport or await self._aopen()
            return _answer(effect, await transport.asend(effect.target, effect.body, effect.repeatable))
        if isinstance(effect, Pause):
            import asyncio

            return await asyncio.sleep(effect.seconds)
        return await arun_together(effect, self._aperform)


def _answer(call: Call[T], response: Response) -> T:
    """What an answer holds. Raises the error that it stands for."""
    if response.status != 200:
        raise from_response(response)
    try:
        return call.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidAnswerError(f"the answer to {call.target} is not DynamoDB's: {error}", sent=True) from error


def _retry_policy(options: ConnectionOptions) -> RetryPolicy:
    """The policy that options ask for. A caller's boto client repeats by its own settings, so here nothing is added."""
    repeats_itself = "boto_client" in options or "aboto_client" in options
    policy = RetryPolicy(attempts=options.get("max_attempts", 1 if repeats_itself else 4))
    return msgspec.structs.replace(
        policy,
        base=options.get("retry_delay", policy.base),
        throttle_base=options.get("throttle_delay", policy.throttle_base),
        cap=options.get("max_retry_delay", policy.cap),
    )


def _transport(options: ConnectionOptions) -> Transport:
    """The transport to the place that options name. What only one place needs is imported for that place."""
    if "embedded" in options:
        from dynamix.transport.place import open_engine

        return open_engine(options["embedded"])
    if "boto_client" in options or "aboto_client" in options:
        from dynamix.transport.boto import BotoTransport

        return BotoTransport(options.get("boto_client"), options.get("aboto_client"))
    from dynamix.transport.place import open_http

    return open_http(options, os.environ)
