"""Connections: which place, whose credentials.

A `Connection` is cheap to make: configuration is looked up and the network touched at its first operation.
asyncio is imported by what needs it: a program that does not starts in half the time.
"""

import contextlib
import math
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import msgspec

from dynamix import forks, log
from dynamix.context import in_force
from dynamix.drivers import End, adrive, arun_together, drive, run_together
from dynamix.errors import (
    ConnectionException,
    DeadlineExceededError,
    DynamixError,
    InvalidAnswerError,
    from_response,
)
from dynamix.late import later
from dynamix.operations.retry import RetryPolicy
from dynamix.transport.deadlines import TimeUpError, late
from dynamix.transport.hidden import Environment
from dynamix.transport.options import HIDDEN, ConnectionOptions, check, cursor_keys
from dynamix.watch import Watch
from dynamix.wire import DAMAGED, Apply, Call, Effect, Flow, Pause, RequestInfo, Response, Transport

if TYPE_CHECKING:
    from dynamix import seal
    from dynamix.meters import Capacity
    from dynamix.operations import indexes as live
    from dynamix.operations import raw
    from dynamix.rehearsal import DryRun
else:
    later(globals(), live="dynamix.operations.indexes", raw="dynamix.operations.raw", seal="dynamix.seal")

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
        self._is_entered = False
        self._at_exit: Callable[[], None] | None = None  # takes back what making this connection the process's replaced
        self._operation_timeout = self._options.get("operation_timeout")
        self._watch = _watch(self._options)
        self._after_fork()
        forks.register(self)
        self.table_prefix = self._options.get("table_prefix", "")
        """What stands before the name of every table."""
        self.retry = _retry_policy(self._options)
        """How often and when a request is repeated, and whether reads are consistent."""

    @cached_property
    def indexes(self) -> "live.LiveIndexes":
        """What the indexes of the tables here hold."""
        return live.LiveIndexes()

    def _after_fork(self) -> None:
        """Called in the child of a fork, which waits for no thread of its parent."""
        self._lock = threading.RLock()  # a signal's handler may come here while its thread is here

    def run(self, flow: Flow[T]) -> T:
        """Runs a flow, blocking, and returns its result."""
        terms = self._terms()
        try:
            return drive(flow, self._perform if terms is None else partial(self._perform, terms=terms))
        except DynamixError as error:
            error._made_at(self)
            raise

    async def arun(self, flow: Flow[T]) -> T:
        """Runs a flow under asyncio and returns its result."""
        terms = self._terms()
        try:
            return await adrive(flow, self._aperform if terms is None else partial(self._aperform, terms=terms))
        except DynamixError as error:
            error._made_at(self)
            raise

    def request(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Sends any operation of DynamoDB or DynamoDB Streams, such as "DescribeTable", and returns its answer.

        `body` and answer are as the service's reference has them, with binary values in base64; bytes in the body
        become that. The request is signed and repeated as all others are; after an unknown outcome only if the
        operation reads. Tables are named as they are: `table_prefix` is not put before them. Raises the same errors.
        """
        return self.run(raw.send(self.retry, operation, body))

    async def arequest(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See `request`."""
        return await self.arun(raw.send(self.retry, operation, body))

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
        self._is_entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._at_exit is not None:
            self._at_exit()
        self.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._at_exit is not None:
            self._at_exit()
        await self.aclose()

    def __repr__(self) -> str:
        options = vars(self).get("_options", {})  # none, where they were refused
        given = (f"{name}={'...' if name in HIDDEN else repr(value)}" for name, value in options.items())
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

    def _open_by(self, deadline: float) -> Transport:
        """The same. Raises DeadlineExceededError at the deadline: a file may be locked, and a profile slow to read."""
        if deadline == math.inf or self._opens_at_once:
            return self._open()
        from dynamix.transport import aside

        try:
            return aside.call(self._open, deadline)
        except TimeUpError as error:
            raise late(sent=False) from error

    async def _aopen_by(self, deadline: float) -> Transport:
        """The same; in a thread where it may have to read files."""
        if self._opens_at_once:
            return self._open()
        from dynamix.transport import aside

        if deadline == math.inf:
            return await aside.in_pool(self._open)
        try:
            return await aside.acall(self._open, deadline)
        except TimeUpError as error:
            raise late(sent=False) from error

    @property
    def _overlaps(self) -> bool:
        """Whether requests of several threads overlap here."""
        return not {"embedded", "engine", "boto_client"} & self._options.keys()

    @property
    def _opens_at_once(self) -> bool:
        """Whether no file is read to open the transport."""
        return "engine" in self._options or self._options.get("embedded") is True

    def _terms(self) -> "_Terms | None":
        """What an operation that begins now must heed; None where it is nothing."""
        set_by_blocks = in_force()
        deadline, meters = set_by_blocks.deadline, set_by_blocks.meters
        if self._operation_timeout is not None:
            deadline = min(deadline, time.monotonic() + self._operation_timeout)
        listener = log.logger or log.find()
        if listener is not None and not listener.isEnabledFor(log.DEBUG):
            listener = None
        dry: DryRun | None = set_by_blocks.dry
        end: End | None = set_by_blocks.end
        if (
            listener is None
            and self._watch is None
            and not meters
            and dry is None
            and end is None
            and deadline == math.inf
        ):
            return None
        return _Terms(deadline, listener, self._watch, meters, dry, end)

    def _perform(
        self, effect: Effect, wait: Callable[[float], object] = time.sleep, terms: "_Terms | None" = None
    ) -> Any:
        if isinstance(effect, Call):
            transport = self._transport or self._open_by(math.inf if terms is None else terms.deadline)
            if terms is None:
                return _answer(effect, transport.send(effect.target, effect.body, effect.repeatable))
            terms.check()
            if terms.dry is not None and terms.dry.takes(effect):
                wet = partial(self._perform, terms=msgspec.structs.replace(terms, dry=None))
                return _answer(effect, drive(terms.dry.answer(self, self.retry, effect), wet))
            with terms.telling(effect) as told:
                body = terms.body(effect)
                told.append(transport.send(effect.target, body, effect.repeatable, deadline=terms.deadline))
            terms.meter(effect, told[0])
            return _answer(effect, told[0])
        if isinstance(effect, Pause):
            if terms is not None:
                terms.check(effect.seconds)
            log.tell_pause(effect)
            if terms is not None and terms.end is not None:
                return terms.end.pause(effect.seconds)
            return wait(effect.seconds)
        if isinstance(effect, Apply):
            return effect.function(effect.argument)
        perform = partial(self._perform, terms=terms)
        if not self._overlaps:
            return [drive(flow, perform) for flow in effect.flows]
        return run_together(effect, perform)

    async def _aperform(
        self,
        effect: Effect,
        wait: Callable[[float], Awaitable[object]] | None = None,
        terms: "_Terms | None" = None,
    ) -> Any:
        if isinstance(effect, Call):
            transport = self._transport or await self._aopen_by(math.inf if terms is None else terms.deadline)
            if terms is None:
                return _answer(effect, await transport.asend(effect.target, effect.body, effect.repeatable))
            terms.check()
            if terms.dry is not None and terms.dry.takes(effect):
                wet = partial(self._aperform, terms=msgspec.structs.replace(terms, dry=None))
                return _answer(effect, await adrive(terms.dry.answer(self, self.retry, effect), wet))
            with terms.telling(effect) as told:
                body = terms.body(effect)
                told.append(await transport.asend(effect.target, body, effect.repeatable, deadline=terms.deadline))
            terms.meter(effect, told[0])
            return _answer(effect, told[0])
        if isinstance(effect, Pause):
            import asyncio

            if terms is not None:
                terms.check(effect.seconds)
            log.tell_pause(effect)
            return await (wait or asyncio.sleep)(effect.seconds)
        if isinstance(effect, Apply):
            answer = effect.function(effect.argument)
            return await answer if isinstance(answer, Awaitable) else answer
        return await arun_together(effect, partial(self._aperform, terms=terms))


class _Terms(msgspec.Struct, frozen=True):
    """What an operation must heed: a deadline, a time of `time.monotonic`, who is told of its requests, and who counts
    what they consume, by whom writes are answered that are not to be sent, and what ends them before their time."""

    deadline: float
    listener: Any
    watch: Watch | None
    meters: "tuple[Capacity, ...]" = ()
    dry: "DryRun | None" = None
    end: End | None = None

    def body(self, call: Call[Any]) -> bytes:
        """What is sent of a request."""
        if not self.meters:
            return call.body
        from dynamix.meters import asking  # which few programs need

        return asking(call.target, call.body)

    def meter(self, call: Call[Any], response: Response) -> None:
        """Has counted what a request consumed."""
        if self.meters and response.status == 200:
            from dynamix.meters import tell

            tell(self.meters, call.target, response.body)

    def check(self, seconds: float = 0.0) -> None:
        """Raises DeadlineExceededError where so many seconds are not left for what comes next, and
        CapacityExceededError where a block has consumed more than it may."""
        if self.end is not None:
            self.end.check()
        for meter in self.meters:
            meter.check()
        if time.monotonic() + seconds >= self.deadline:
            raise DeadlineExceededError("the operation was not done in time, and none is left for another request")

    @contextlib.contextmanager
    def telling(self, call: Call[Any]) -> Iterator[list[Response]]:
        """Tells of the request that is sent in the block, which puts the answer into the list."""
        if self.listener is None and self.watch is None:
            yield []
            return
        sent = None if self.watch is None else self.watch.sent(call)
        started = time.perf_counter()
        told: list[Response] = []
        try:
            yield told
        except ConnectionException as error:
            self._tell(call, sent, started, error)
            raise
        self._tell(call, sent, started, told[0])

    def _tell(
        self, call: Call[Any], sent: RequestInfo | None, started: float, outcome: Response | DynamixError
    ) -> None:
        """Tells how a request has ended."""
        if self.listener is not None:
            log.tell_request(self.listener, call, started, outcome)
        if self.watch is not None and sent is not None:
            self.watch.ended(sent, started, outcome)


def _watch(options: ConnectionOptions) -> Watch | None:
    """The callbacks that options name, None for none."""
    watch = Watch(options.get("on_request"), options.get("on_response"))
    return None if watch.on_request is None and watch.on_response is None else watch


def _answer(call: Call[T], response: Response) -> T:
    """What an answer holds. Raises the error that it stands for."""
    if response.status != 200:
        raise from_response(response)
    try:
        return call.decode(response.body)
    except DAMAGED as error:
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
        consistent=options.get("consistent_reads", False),
        repeat_writes=options.get("repeat_writes", policy.repeat_writes),
        block=in_force,
        seal=_seal(options),
    )


def _seal(options: ConnectionOptions) -> "seal.Seal | None":
    """What signs the texts of cursors, if anything does."""
    key: Any = options.get("cursor_key")  # held as a Secret
    return None if key is None else seal.Seal(cursor_keys(key.value), encrypts=options.get("encrypt_cursors", False))


def _transport(options: ConnectionOptions) -> Transport:
    """The transport to the place that options name. What only one place needs is imported for that place."""
    if "engine" in options or "embedded" in options:
        from dynamix.transport.embedded import EmbeddedTransport, Engine

        if "engine" in options:
            return EmbeddedTransport(options["engine"], own=False)
        path = options["embedded"]
        return EmbeddedTransport(Engine(None if isinstance(path, bool) else path), own=True)
    if "boto_client" in options or "aboto_client" in options:
        from dynamix.transport.boto import BotoTransport

        return BotoTransport(options.get("boto_client"), options.get("aboto_client"))
    from dynamix.transport.place import open_http

    return open_http(options, Environment())
