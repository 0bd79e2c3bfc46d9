"""Statements whose answers are lost, throttled or failures."""

import msgspec
import pytest
from script import LONGEST, Script

import dynamix
from dynamix.operations import statements
from dynamix.operations.indexes import LiveIndexes
from dynamix.operations.statement import Plan, plan

READ = plan("SELECT * FROM t WHERE a = 1 AND b = 1", (), None, True, None)
WRITE = plan("DELETE FROM t WHERE a = 1", (), None, False, None)
LOST = dynamix.ConnectionLostError("lost", sent=True)


def failure(code: str) -> dict[str, dict[str, str]]:
    """One response of a batch."""
    return {"Error": {"Code": code, "Message": "m"}}


def test_a_lost_answer() -> None:
    """A SELECT is sent again; a write is not, and its outcome is unknown."""
    script = Script(LOST, {"Items": [{"a": {"N": "1"}}]})
    assert script.run(statements.execute(LONGEST, LiveIndexes(), READ, None, None)) == [{"a": 1}]
    with pytest.raises(dynamix.OutcomeUnknownError):
        Script(LOST).run(statements.execute(LONGEST, LiveIndexes(), WRITE, None, None))
    never = Script(always=lambda target, body: LOST)
    with pytest.raises(dynamix.ConnectionLostError) as caught:
        never.run(statements.execute(LONGEST, LiveIndexes(), READ, None, None))
    assert caught.value.applied == "no"


def test_a_transaction_is_sent_again_under_its_token() -> None:
    """With the very same body, so that it is carried out once."""
    script = Script(LOST, {"Responses": [{}, {}]})
    assert script.run(statements.transaction(LONGEST, [WRITE, WRITE], None)) == [None, None]
    assert script.requests[0] == script.requests[1]
    assert script.requests[0][1]["ClientRequestToken"]


def test_a_transaction_that_is_not_to_be_sent_again() -> None:
    """Neither where the policy says so, unless it only reads, nor once the service may have forgotten its token."""
    never = msgspec.structs.replace(LONGEST, repeat_writes="never")
    with pytest.raises(dynamix.OutcomeUnknownError):
        Script(LOST).run(statements.transaction(never, [WRITE], None))
    assert Script(LOST, {"Responses": [{}]}).run(statements.transaction(never, [READ], None)) == [None]
    times = iter([0.0, 1000.0])
    late = msgspec.structs.replace(LONGEST, clock=lambda: next(times))
    with pytest.raises(dynamix.ConnectionLostError):
        Script(LOST).run(statements.transaction(late, [WRITE], None))


def test_throttled_statements_of_a_batch() -> None:
    """They alone are sent again, after a pause; what is throttled to the end is told."""
    script = Script(
        {"Responses": [{"Item": {"a": {"N": "1"}}}, failure("ThrottlingError"), failure("RequestLimitExceeded")]},
        {"Responses": [{"Item": {"a": {"N": "2"}}}, {}]},
    )
    assert script.run(statements.batch(LONGEST, [READ] * 3)) == [{"a": 1}, {"a": 2}, None]
    assert [len(body["Statements"]) for _, body in script.requests] == [3, 2]
    assert script.pauses == [1.0]
    always = Script(always=lambda target, body: {"Responses": [failure("ThrottlingError")] * len(body["Statements"])})
    with pytest.raises(dynamix.StatementsFailedError, match="1 of 1 statements failed") as caught:
        always.run(statements.batch(LONGEST, [WRITE]))
    assert isinstance(caught.value.errors[0], dynamix.ThrottledError)
    assert (len(always.requests), caught.value.applied) == (4, "no")


@pytest.mark.parametrize(
    ("responses", "applied"),
    [
        ([failure("ValidationError"), failure("ConditionalCheckFailed")], "no"),
        ([failure("ValidationError"), {}], "partly"),
        ([{}, failure("InternalServerError")], "maybe"),
    ],
)
def test_what_a_failed_batch_has_stored(responses: list[dict[str, dict[str, str]]], applied: str) -> None:
    """The error says whether its writes were applied."""
    with pytest.raises(dynamix.StatementsFailedError) as caught:
        Script({"Responses": responses}).run(statements.batch(LONGEST, [WRITE, WRITE]))
    assert caught.value.applied == applied


def test_a_batch_without_an_answer() -> None:
    """The writes of that request may have been applied, and the reads of another stand."""
    answers = {True: {"Responses": [{"Item": {"a": {"N": "1"}}}]}, False: LOST}

    def answer(target: str, body: dict[str, object]) -> object:
        return answers["SELECT" in str(body)]

    script = Script(always=answer)  # type: ignore[arg-type]
    with pytest.raises(dynamix.StatementsFailedError) as caught:
        script.run(statements.batch(LONGEST, [WRITE, READ]))
    assert (caught.value.applied, caught.value.results) == ("maybe", (None, {"a": 1}))
    assert isinstance(caught.value.errors[0], dynamix.OutcomeUnknownError)


def test_a_batch_that_answers_too_little() -> None:
    """An answer of another length than the question is none."""
    with pytest.raises(msgspec.DecodeError, match="0 responses to 1"):
        Script(always=lambda target, body: {"Responses": []}).run(statements.batch(LONGEST, [READ]))


def test_plans_know_what_they_are() -> None:
    """By the first word alone."""
    assert isinstance(READ, Plan)
    assert (READ.reads, WRITE.reads, plan("", (), None, False, None).reads) == (True, False, False)
