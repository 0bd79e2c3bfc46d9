"""Requests are repeated where that is safe and may help, and never where it could apply a write twice."""

import json
from itertools import pairwise
from typing import Any

import pytest
from script import LONGEST, Script

from dynamix import errors
from dynamix.operations.retry import RetryPolicy, request
from dynamix.wire import Call, Flow

READ = Call("GetItem", b"{}", json.loads)
WRITE = Call("UpdateItem", b"{}", json.loads, repeatable=False)

NEVER_APPLIED = [
    errors.ThrottledError("slow down", code="ThrottlingException", status=400),
    errors.TransactionInProgressError("wait"),
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
]
FINAL = [
    errors.ConditionalCheckFailedError("no"),
    errors.InvalidRequestError("no"),
    errors.TableNotFoundError("no"),
    errors.AccessDeniedError("no"),
    errors.CredentialsError("no"),
    errors.NotConfiguredError("no"),
    errors.TransactionCanceledError("no"),
]


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


def test_an_unknown_outcome_stays_unknown() -> None:
    """Where a repeat of a repeatable request was refused, an earlier one may still have arrived; `sent` says so."""
    script = Script(errors.ConnectionLostError("midway", sent=True), *[errors.ConnectError("refused")] * 3)
    with pytest.raises(errors.ConnectError) as caught:
        script.run(flow(READ))
    assert caught.value.sent


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
