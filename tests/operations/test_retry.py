"""Requests are repeated where that is safe and may help, and never where it could apply a write twice."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from script import LONGEST, Script

from dynamix import errors
from dynamix.operations.retry import RetryPolicy, request, send_write, transaction
from dynamix.wire import Call, Flow

READ = Call("GetItem", b"{}", json.loads)
SAME = Call("PutItem", b"{}", json.loads)
WRITE = Call("UpdateItem", b"{}", json.loads, repeatable=False)


def cancelled(*codes: str | None, message: str = "passing") -> errors.TransactionCanceledError:
    """A transaction that was cancelled for these reasons."""
    error = errors.TransactionCanceledError(message)
    error.reasons = tuple(map(errors.CancellationReason, codes))
    return error


NEVER_APPLIED = [
    errors.ThrottledError("slow down", code="ThrottlingException", status=400),
    errors.TransactionConflictError("held by a transaction"),
    cancelled("TransactionConflict", None),
    cancelled(None, "ThrottlingError"),
    errors.LimitExceededError("too many tables"),
    errors.ConnectError("refused"),
    errors.ConnectionLostError("closed before the request was sent"),
    errors.ServiceUnavailableError("busy", code="ServiceUnavailable", status=503),
    errors.ServiceUnavailableError("elsewhere", code="ReplicatedWriteConflictException", status=400),
]
MAYBE_APPLIED = [
    errors.ServiceUnavailableError("failed", code="InternalServerError", status=500),
    errors.ServiceUnavailableError("perhaps of a proxy on the way", status=503),
    errors.ConnectionLostError("closed midway", sent=True),
    errors.RequestTimeoutError("no answer", sent=True),
    errors.InvalidAnswerError("damaged", sent=True),
    errors.TransactionInProgressError("wait"),
]
FINAL = [
    errors.ConditionalCheckFailedError("no"),
    errors.InvalidRequestError("no"),
    errors.TableNotFoundError("no"),
    errors.AccessDeniedError("no"),
    errors.CredentialsError("no"),
    errors.NotConfiguredError("no"),
    errors.TransactionCanceledError("no"),
    cancelled("TransactionConflict", "ConditionalCheckFailed", message="no"),
]


REFUSALS = (errors.TransactionCanceledError, errors.TransactionConflictError)
"""What says that nothing was stored, and is repeated all the same."""


@pytest.fixture(autouse=True)
def _errors_as_they_were() -> Iterator[None]:
    """What an error learns in one test, another does not know."""
    known = {error: dict(vars(error)) for error in (*NEVER_APPLIED, *MAYBE_APPLIED, *FINAL)}
    yield
    for error, was in known.items():
        vars(error).clear()
        vars(error).update(was)


def flow(call: Call[Any]) -> Flow[Any]:
    """One request under the policy without chance."""
    return request(LONGEST, call)


@pytest.mark.parametrize("error", NEVER_APPLIED, ids=repr)
@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
def test_what_was_not_applied_is_repeated(call: Call[Any], error: Exception) -> None:
    """A request that surely did nothing is sent again, a write too."""
    script = Script(error, error, {"done": True})
    assert script.run(flow(call)) == {"done": True}
    assert len(script.requests) == 3


@pytest.mark.parametrize("error", MAYBE_APPLIED, ids=repr)
def test_what_may_have_been_applied_is_repeated_if_harmless(error: Exception) -> None:
    """A read, or a write with the same effect twice, is sent again after an unknown outcome."""
    script = Script(error, {"done": True})
    assert script.run(flow(READ)) == {"done": True}


@pytest.mark.parametrize("error", MAYBE_APPLIED, ids=repr)
def test_an_unknown_outcome_is_said(error: Exception) -> None:
    """A write that could be applied twice is not sent again; the caller is told that its outcome is unknown."""
    script = Script(error)
    with pytest.raises(errors.OutcomeUnknownError, match="UpdateItem may or may not have been applied") as caught:
        script.run(flow(WRITE))
    assert caught.value.sent
    assert caught.value.__cause__ is error
    assert script.pauses == []


@pytest.mark.parametrize("last", [error for error in NEVER_APPLIED if not isinstance(error, REFUSALS)], ids=repr)
def test_an_unknown_outcome_stays_unknown(last: Exception) -> None:
    """Where a repeat was not applied, an earlier attempt may still have been: a write says so, whatever ends it."""
    lost = errors.ConnectionLostError("midway", sent=True)
    for call, applied in ((READ, "no"), (SAME, "maybe")):
        script = Script(lost, *[last] * 3)
        with pytest.raises(type(last)) as caught:
            script.run(flow(call))
        assert isinstance(caught.value, errors.DynamixError)
        assert caught.value.applied == applied
        if isinstance(caught.value, errors.ConnectionException):
            assert caught.value.sent


@pytest.mark.parametrize("last", MAYBE_APPLIED, ids=repr)
def test_a_write_that_may_have_been_applied_says_so(last: Exception) -> None:
    """Where only the last of the attempts may have been applied, it counts like any other."""
    script = Script(*[errors.ConnectError("refused")] * 3, last)
    with pytest.raises(type(last)) as caught:
        script.run(flow(SAME))
    assert isinstance(caught.value, errors.DynamixError)
    assert caught.value.applied == "maybe"


@pytest.mark.parametrize("refusal", [error for error in NEVER_APPLIED if isinstance(error, REFUSALS)], ids=repr)
def test_a_repeat_that_was_cancelled_leaves_the_outcome_unknown(refusal: Exception) -> None:
    """A conflict of the last attempt means that this one stored nothing; the first one may have."""
    script = Script(errors.ConnectionLostError("midway", sent=True), *[refusal] * 3)
    with pytest.raises(errors.OutcomeUnknownError, match="its repeat was refused") as caught:
        script.run(flow(SAME))
    assert caught.value.__cause__ is refusal


@pytest.mark.parametrize("refusal", [error for error in FINAL if isinstance(error, errors.ClientException)], ids=repr)
def test_a_refused_repeat_says_nothing_of_the_first_attempt(refusal: Exception) -> None:
    """A refusal means that nothing was stored; of a repeat it may come too late, so the outcome is unknown instead."""
    script = Script(errors.ConnectionLostError("midway", sent=True), refusal)
    with pytest.raises(errors.OutcomeUnknownError, match="its repeat was refused: no; read what is stored") as caught:
        script.run(flow(SAME))
    assert (caught.value.applied, caught.value.__cause__) == ("maybe", refusal)
    script = Script(errors.ConnectionLostError("midway", sent=True), refusal)
    with pytest.raises(type(refusal)):
        script.run(flow(READ))


@pytest.mark.parametrize("error", [*NEVER_APPLIED, *FINAL], ids=repr)
@pytest.mark.parametrize("once", [True, False])
def test_what_was_surely_not_applied_says_so(error: Exception, once: bool) -> None:
    """A write of which no attempt was applied says that, in its last error."""
    script = Script(always=lambda target, body: error)
    with pytest.raises(type(error)) as caught:
        script.run(flow(WRITE if once else SAME))
    assert isinstance(caught.value, errors.DynamixError)
    assert caught.value.applied == "no"


def test_an_error_that_ends_a_wait() -> None:
    """An error in place of the wait before a repeat does not hide what an earlier attempt may have done."""
    effects = flow(SAME)
    effects.send(None)
    effects.throw(errors.ConnectionLostError("midway", sent=True))
    late = errors.RequestTimeoutError("no time is left")
    with pytest.raises(errors.RequestTimeoutError) as caught:
        effects.throw(late)
    assert (caught.value, caught.value.applied) == (late, "maybe")


def test_a_transport_that_repeats_by_itself() -> None:
    """What a caller's own client may have applied before its last attempt counts like an attempt of ours."""
    refused = errors.ConditionalCheckFailedError("no")
    refused.applied = "maybe"
    with pytest.raises(errors.OutcomeUnknownError):
        Script(refused).run(flow(SAME))


@pytest.mark.parametrize(
    ("target", "writes"),
    [("GetItem", False), ("BatchGetItem", False), ("Query", False), ("DescribeTable", False), ("PutItem", True),
     ("BatchWriteItem", True), ("CreateTable", True), ("ExecuteStatement", True)],
)  # fmt: skip
def test_which_calls_write(target: str, writes: bool) -> None:
    """A call that is not known to read is taken for a write."""
    assert Call(target, b"", bytes).writes is writes


@pytest.mark.parametrize("error", FINAL, ids=repr)
def test_what_cannot_be_helped_is_raised_at_once(error: Exception) -> None:
    """Where repeating cannot help, the error comes at once."""
    script = Script(error)
    with pytest.raises(type(error)) as caught:
        script.run(flow(READ))
    assert caught.value is error


def test_attempts_and_waits_are_bounded() -> None:
    """After the last attempt the last error is raised; waits double, start longer when throttled, and have a cap."""
    for error, expected in (
        (errors.ConnectError("refused"), [0.025, 0.05, 0.1]),
        (errors.ThrottledError("slow down"), [1.0, 2.0, 4.0]),
    ):
        script = Script(*[error] * 4)
        with pytest.raises(type(error)):
            script.run(flow(READ))
        assert script.pauses == expected
    policy = RetryPolicy(attempts=100, cap=3.0, jitter=lambda: 1.0)
    assert policy.delay(99, throttled=False) == 3.0


def test_waits_are_cut_by_chance() -> None:
    """Clients who failed together do not come back together: a wait is anything from none to the longest."""
    waits = [RetryPolicy().delay(3, throttled=False) for _ in range(100)]
    assert all(0 <= wait <= 0.2 for wait in waits)
    assert any(one != other for one, other in pairwise(waits))


def test_no_write_is_repeated_where_the_policy_says_never() -> None:
    """What may have been applied is sent once, whatever it is; what surely was not, and what reads, is repeated."""
    never = msgspec.structs.replace(LONGEST, repeat_writes="never")
    lost = errors.ConnectionLostError("midway", sent=True)
    for call in (SAME, WRITE, Call("TransactWriteItems", b"{}", json.loads), Call("BatchWriteItem", b"{}", json.loads)):
        with pytest.raises(errors.OutcomeUnknownError, match="must not be repeated"):
            Script(lost).run(send_write(never, call))
        assert Script(errors.ThrottledError("slow down"), {"done": True}).run(send_write(never, call)) == {"done": True}
    assert Script(lost, {"done": True}).run(request(never, READ)) == {"done": True}


@pytest.mark.parametrize(("lost_after", "attempts"), [(0.0, 3), (250.0, 3), (530.0, 2), (700.0, 1)])
def test_a_token_is_not_used_longer_than_the_service_knows_it(lost_after: float, attempts: int) -> None:
    """A transaction that may have been applied is not sent again once the service may have forgotten its token, since
    it would be made twice. One that surely was not applied is."""
    now = 0.0
    policy = RetryPolicy(attempts=3, jitter=lambda: 1.0, clock=lambda: now, base=8.0)

    def lose(target: str, body: dict[str, Any]) -> Exception:
        nonlocal now
        now += lost_after
        return errors.RequestTimeoutError("no answer", sent=True)

    script = Script(always=lose)
    with pytest.raises(errors.RequestTimeoutError) as caught:
        script.run(request(policy, transaction(policy, b"{}", json.loads)))
    assert (caught.value.applied, len(script.requests)) == ("maybe", attempts)
    script = Script(*[errors.ThrottledError("slow down")] * 2, {"done": True})
    now = 0.0
    call = transaction(policy, b"{}", json.loads)
    now = 1000.0
    assert script.run(request(policy, call)) == {"done": True}
