"""Connections: which place, whose credentials; and the two drivers that run flows.

A `Connection` is cheap to make: configuration is looked up and the network touched at its first operation. The
connection in force is, in this order: that of the innermost `use_connection` block of this thread or task, the one
that `set_connection` set for the process, and one that takes everything from the environment.

The drivers know nothing of operations. They send, wait, run flows together, and hand the outcome to the flow: a result
is sent into it, an error is thrown into it. What is not an Exception (an interrupt from the keyboard, a cancelled
task) passes through untouched.

asyncio and thread pools are imported by what needs them: a program that needs neither starts in half the time.
"""

import contextlib
import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import msgspec

from dynamix import forks
from dynamix.errors import ConnectionException, InvalidAnswerError, from_response
from dynamix.operations.retry import RetryPolicy
from dynamix.transport.options import SECRETS, ConnectionOptions, check
from dynamix.wire import Call, Effect, Flow, Pause, Response, Together, Transport

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

    def _after_fork(self) -> None:
        """Called in the child of a fork, which waits for no thread of its parent."""
        self._lock = threading.Lock()

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
                self._transport = _transport(self._options)
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
            return _answer(effect, transport.send(effect.target, effect.body))
        if isinstance(effect, Pause):
            return time.sleep(effect.seconds)
        return self._run_together(effect)

    async def _aperform(self, effect: Effect) -> Any:
        if isinstance(effect, Call):
            transport = self._transport or await self._aopen()
            return _answer(effect, await transport.asend(effect.target, effect.body))
        if isinstance(effect, Pause):
            import asyncio

            return await asyncio.sleep(effect.seconds)
        return await self._arun_together(effect)

    def _run_together(self, together: Together) -> list[Any]:
        """Runs flows in threads where requests travel, so that they overlap; else one after another."""
        flows = together.flows
        if len(flows) < 2 or {"embedded", "boto_client"} & self._options.keys():
            return [drive(flow, self._perform) for flow in flows]
        from concurrent.futures import ThreadPoolExecutor

        results: list[Any] = [None] * len(flows)
        waiting = deque(enumerate(flows))
        errors: list[BaseException] = []
        ended = threading.Event()

        def perform(effect: Effect) -> Any:
            if ended.wait(effect.seconds if isinstance(effect, Pause) else 0):
                raise _Ended
            return None if isinstance(effect, Pause) else self._perform(effect)

        def work() -> None:
            try:
                while not ended.is_set():
                    number, flow = waiting.popleft()
                    results[number] = drive(flow, perform)
            except (IndexError, _Ended):
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

    async def _arun_together(self, together: Together) -> list[Any]:
        """Runs flows in tasks; the first error cancels the others."""
        import asyncio

        flows = together.flows
        results: list[Any] = [None] * len(flows)
        waiting = deque(enumerate(flows))

        async def work() -> None:
            while waiting:
                number, flow = waiting.popleft()
                results[number] = await adrive(flow, self._aperform)

        errors: tuple[BaseException, ...] = ()
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(together.limit, len(flows))):
                    tasks.create_task(work())
        except BaseExceptionGroup as group:
            errors = group.exceptions
        if errors:
            raise errors[0]
        return results


class _Ended(BaseException):
    """Ends a flow that runs beside one that failed."""


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


def _answer(call: Call[T], response: Response) -> T:
    """What an answer holds. Raises the error that it stands for."""
    if response.status != 200:
        raise from_response(response)
    try:
        return call.decode(response.body)
    except msgspec.DecodeError as error:
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


_default: Connection | None = None
_default_lock = threading.Lock()
_in_block: contextvars.ContextVar[Connection] = contextvars.ContextVar("dynamix_connection")


def current() -> Connection:
    """The connection in force."""
    return _in_block.get(None) or _default or _from_environment()


def set_connection(**options: Unpack[ConnectionOptions]) -> Connection:
    """Sets the connection of the process, at any time; takes the arguments of `Connection` and returns it.

    A connection that was set before is left open for those who hold it.
    """
    global _default
    connection = Connection(**options)
    with _default_lock:
        _default = connection
    return connection


@contextlib.contextmanager
def use_connection(connection: Connection) -> Iterator[Connection]:
    """Uses another connection in a block, for this thread or task and those it starts by asyncio."""
    token = _in_block.set(connection)
    try:
        yield connection
    finally:
        _in_block.reset(token)


def _from_environment() -> Connection:
    global _default
    with _default_lock:
        if _default is None:
            _default = Connection()
        return _default
