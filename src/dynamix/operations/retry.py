"""When a request is sent again, after how long, and when that would be wrong.

Failures fall into three kinds:

    surely not applied     throttled, refused, never sent, a conflict that the service reports: repeat always
    possibly applied       the connection died after sending, a 500, a damaged answer, a transaction with this token
                           that is still running: repeat only a call that is `repeatable`, else the outcome is unknown
                           and the caller is told so
    repeating cannot help  everything else: a failed condition, an invalid request, missing credentials

Once an attempt of a write may have been applied, no later failure takes that back: a throttled repeat is still raised
as that, with `applied` "maybe". A refusal of the repeat becomes OutcomeUnknownError, for refusals say that nothing was
stored. (An item that another caller deleted after the first attempt makes the repeat's condition fail.)
What is known of such a write goes with the error (`dynamix.operations.doubts`).

`repeat_writes` of the policy changes that for writes: "never" repeats none that may have been applied, and "token" has
single writes sent in a way that makes every repeat safe (`dynamix.operations.single`).

The wait before repeat n is drawn evenly from 0 to base * 2**n ("full jitter"), so that clients who failed together do
not return together. Sources: Amazon DynamoDB Developer Guide, "Error retries and exponential backoff"; "Exponential
backoff and jitter", AWS Architecture Blog; the standard retry mode of the AWS SDKs.
"""

import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from dynamix.errors import (
    ConnectError,
    ConnectionException,
    ConnectionLostError,
    DeadlineExceededError,
    DynamixError,
    InvalidAnswerError,
    LimitExceededError,
    OutcomeUnknownError,
    RequestTimeoutError,
    ServiceUnavailableError,
    StorageError,
    ThrottledError,
    TransactionCanceledError,
    TransactionConflictError,
    TransactionInProgressError,
)
from dynamix.limits import TOKEN_SECONDS
from dynamix.wire import Call, Flow, Pause

if TYPE_CHECKING:
    from dynamix.seal import Seal

T = TypeVar("T")

RepeatWrites: TypeAlias = Literal["safe", "token", "never"]
"""Which writes are repeated that may have been applied: those that have the same effect twice, all single ones under a
token, or none."""

_REFUSED_CODES = ("ServiceUnavailable", "ServiceUnavailableException", "ReplicatedWriteConflictException")
"""Codes by which the service says that it did nothing. A bare 503 may be a proxy's, which had passed the request on."""

_THROTTLED_REASONS = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
PASSING_REASONS = _THROTTLED_REASONS | {"TransactionConflict"}
"""Why actions of a transaction fail that may succeed a moment later."""


def _chance() -> float:
    """A number from 0 to 1."""
    import random  # which takes a while, and most programs never wait

    return random.random()  # noqa: S311 - it is for waits


class Block(Protocol):
    """What a block says."""

    @property
    def repeat_writes(self) -> RepeatWrites | None: ...


class _NoBlock(msgspec.Struct, frozen=True):
    """Where there is none."""

    repeat_writes: RepeatWrites | None = None


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often a request is sent, and how long to wait between.

    `attempts` counts the first one. `base` and `throttle_base` are the longest first wait in seconds after a failure
    and after a throttled request; each further wait may be twice as long, up to `cap`. `jitter` draws from 0 to 1.
    `consistent` says whether reads are consistent for which nothing else was said, `repeat_writes` which writes are
    repeated that may have been applied; `block` gives what a block says of that here. `seal` is by what cursors are
    signed.
    """

    attempts: int = 4
    base: float = 0.025
    throttle_base: float = 1.0
    cap: float = 20.0
    jitter: Callable[[], float] = _chance
    clock: Callable[[], float] = time.monotonic
    consistent: bool = False
    repeat_writes: RepeatWrites = "safe"
    block: Callable[[], Block] = _NoBlock
    seal: "Seal | None" = None

    @property
    def repeats(self) -> RepeatWrites:
        """Which writes are repeated here that may have been applied."""
        return self.block().repeat_writes or self.repeat_writes

    def delay(self, repeat: int, *, throttled: bool) -> float:
        """The wait in seconds before a repeat, counted from 0."""
        longest = (self.throttle_base if throttled else self.base) * 2.0 ** min(repeat, 64)
        return self.jitter() * min(longest, self.cap)


class Verdict(Enum):
    """What a failure says about the request."""

    NOT_APPLIED = "surely not applied"
    MAYBE_APPLIED = "possibly applied"
    FINAL = "repeating cannot help"


def judge(error: DynamixError) -> Verdict:
    """What a failure says about the request."""
    match error:
        case StorageError():  # also where a file cannot be opened, which is a ConnectError
            return Verdict.FINAL
        case ThrottledError() | LimitExceededError() | ConnectError() | TransactionConflictError():
            return Verdict.NOT_APPLIED
        case TransactionCanceledError() if _reasons(error) <= PASSING_REASONS and error.reasons:
            return Verdict.NOT_APPLIED
        case TransactionInProgressError():
            return Verdict.MAYBE_APPLIED
        case ServiceUnavailableError():
            refused = error.code in _REFUSED_CODES
            return Verdict.NOT_APPLIED if refused else Verdict.MAYBE_APPLIED
        case ConnectionLostError(sent=False):
            return Verdict.NOT_APPLIED
        case ConnectionLostError() | RequestTimeoutError(sent=True) | InvalidAnswerError(sent=True):
            return Verdict.MAYBE_APPLIED
    return Verdict.FINAL


def _reasons(error: TransactionCanceledError) -> set[str]:
    return {reason.code for reason in error.reasons if reason.code is not None}


def request(policy: RetryPolicy, call: Call[T], doubted: Callable[[], object] | None = None) -> Flow[T]:
    """Sends a call, again where its failure allows, and returns the decoded answer. `doubted` is called whenever an
    attempt may have been applied, which the answer to a later one does not tell.

    Raises the last failure, whose `applied` says whether an attempt may have been applied. Raises OutcomeUnknownError
    in its place where one may have been, and the call must not be repeated or the repeat was refused.
    """
    try:
        answer: T = yield call
        return answer
    except DynamixError as error:
        failure = error
    maybe_applied = under_way = False
    for repeat in range(policy.attempts):
        if judge(failure) is Verdict.MAYBE_APPLIED or failure.applied == "maybe":
            maybe_applied, under_way = True, under_way or not _has_ended(failure)
            if doubted is not None:
                doubted()
        if (
            judge(failure) is Verdict.FINAL
            or isinstance(failure, DeadlineExceededError)
            or (maybe_applied and not call.repeatable)
            or repeat == policy.attempts - 1  # that was the last attempt
        ):
            break
        pause = _pause(policy, repeat, call, failure)
        if maybe_applied and policy.clock() + pause.seconds > call.until:
            break
        try:
            yield pause
            answer = yield msgspec.structs.replace(call, attempt=repeat + 2)
            return answer
        except DeadlineExceededError as error:
            error.__cause__ = error.__cause__ or failure
            failure = error
        except DynamixError as error:  # also one that ended the pause: earlier attempts are not forgotten
            failure = error
    last = _last(failure, call, maybe_applied)
    if last.applied == "maybe":
        from dynamix.operations.doubts import Doubt  # only who is in doubt needs it

        last._doubt = Doubt(call.target, call.body, under_way, isinstance(failure, TransactionCanceledError))
    raise last


def send_write(policy: RetryPolicy, call: Call[T], doubted: Callable[[], object] | None = None) -> Flow[T]:
    """The same for what writes items: under "never" it is not repeated where it may have been applied."""
    if policy.repeats == "never":
        call = msgspec.structs.replace(call, repeatable=False)
    return request(policy, call, doubted)


def transaction(
    policy: RetryPolicy, body: bytes, decode: Callable[[bytes], T], target: str = "TransactWriteItems"
) -> Call[T]:
    """The request of a transaction. By the token in its body the service knows a repeat for what it is, until it
    forgets the token; a minute of that is left for the way there."""
    return Call(target, body, decode, until=policy.clock() + TOKEN_SECONDS - 60)


def _has_ended(failure: DynamixError) -> bool:
    """Whether an attempt that may have been applied is surely not on its way any more: the service has answered it, and
    not a server before it."""
    return isinstance(failure, ServiceUnavailableError) and failure.code != "" and failure.applied != "maybe"


def _pause(policy: RetryPolicy, repeat: int, call: Call[T], failure: DynamixError) -> Pause:
    """The wait before a repeat, counted from 0."""
    throttled = isinstance(failure, ThrottledError | TransactionInProgressError) or (
        isinstance(failure, TransactionCanceledError) and not _reasons(failure).isdisjoint(_THROTTLED_REASONS)
    )
    why = f"attempt {repeat + 1} of {call.target} {call.table} failed with {type(failure).__name__}"
    return Pause(policy.delay(repeat, throttled=throttled), why, throttled)


def _last(failure: DynamixError, call: Call[T], maybe_applied: bool) -> DynamixError:
    """The error to raise when no further attempt is made."""
    if maybe_applied and isinstance(failure, ConnectionException):
        failure.sent = True  # an earlier attempt may have been received, though the last was not
    failure.applied = "maybe" if maybe_applied and call.writes else "no"
    if failure.applied == "no":
        return failure
    if isinstance(failure, DeadlineExceededError):
        return _late(failure, call)
    cancelled = isinstance(failure, TransactionCanceledError | TransactionConflictError)
    refused = cancelled or (judge(failure) is Verdict.FINAL and not isinstance(failure, ConnectionException))
    if call.repeatable and not refused:
        return failure
    why = "its repeat was refused" if call.repeatable else "it must not be repeated"
    unknown = OutcomeUnknownError(
        f"{call.target} may or may not have been applied, and {why}: {failure}; read what is stored to learn "
        "which, or call resolve() of this error",
        sent=True,
    )
    unknown.__cause__ = failure
    return unknown


def _late(failure: DeadlineExceededError, call: Call[T]) -> DeadlineExceededError:
    """The same error, which says that a write may have been applied."""
    error = DeadlineExceededError(f"{failure}; {call.target} may have been applied", sent=True)
    error.applied = "maybe"
    error.__cause__ = failure.__cause__
    return error
