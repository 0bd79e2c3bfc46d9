"""A caller's own client repeats by its own settings, but never a write that could be applied twice."""

import asyncio
import contextlib
import json
import signal
import threading
from types import FrameType
from typing import Any

import aiobotocore.session
import boto3
import pytest
from botocore.config import Config
from peer import SECONDS, Conversation, Talk, answer, peer, refusal

import dynamix
from dynamix import Connection
from dynamix.operations.retry import RetryPolicy, request
from dynamix.transport import boto
from dynamix.wire import Call, Flow

AWS: Any = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
MODES: dict[str, dict[str, Any]] = {
    "nothing configured": {},
    "legacy": {"mode": "legacy"},
    "standard": {"mode": "standard"},
    "adaptive": {"mode": "adaptive"},
}
DAMAGED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-crc32: 1\r\n\r\n{}"


class SoftTimeLimitError(Exception):
    """What task queues raise from a signal's handler: not a BaseException only."""


def in_turn(*steps: bytes | None) -> Talk:
    """Answers requests by these steps in turn, over all connections, and the last for ever; None closes."""
    left = list(steps)

    def talk(conversation: Conversation) -> None:
        while conversation.read() is not None:
            step = left.pop(0) if len(left) > 1 else left[0]
            if step is None:
                return
            conversation.send(step)

    return talk


def config(retries: dict[str, Any]) -> Config:
    """A client's settings."""
    return Config(read_timeout=SECONDS, **({"retries": retries} if retries else {}))


def put(*, repeatable: bool) -> Flow[Any]:
    """One write, sent once by the mapper; repeats are the client's."""
    body = b'{"TableName": "note", "Item": {"name": {"S": "a"}}}'
    return request(RetryPolicy(attempts=1), Call("PutItem", body, json.loads, repeatable))


def run(by: str, port: int, retries: dict[str, Any], *, repeatable: bool) -> Any:
    """The answer to a write over boto3 or aiobotocore."""
    if by == "boto3":
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}", config=config(retries), **AWS)
        with contextlib.closing(client):
            return Connection(boto_client=client).run(put(repeatable=repeatable))

    async def main() -> Any:
        options = {"endpoint_url": f"http://127.0.0.1:{port}", "config": config(retries), **AWS}
        async with aiobotocore.session.get_session().create_client("dynamodb", **options) as client:
            return await Connection(aboto_client=client).arun(put(repeatable=repeatable))

    return asyncio.run(main())


DOUBTFUL = {
    "fails": refusal("InternalServerError", 500),
    "of a proxy": answer(b"<html>gateway</html>", status=502),
    "closes": None,
}


@pytest.mark.parametrize("step", DOUBTFUL.values(), ids=DOUBTFUL)
@pytest.mark.parametrize("retries", MODES.values(), ids=MODES)
@pytest.mark.parametrize("by", ["boto3", "aiobotocore"])
def test_a_write_that_may_have_been_applied_is_sent_once(by: str, retries: dict[str, Any], step: bytes | None) -> None:
    """In each retry mode the client is kept from a second attempt, and the outcome is told to be unknown."""
    with peer(in_turn(step, answer(b"{}"))) as there:
        with pytest.raises(dynamix.OutcomeUnknownError) as caught:
            run(by, there.port, retries, repeatable=False)
        assert (caught.value.applied, len(there.requests)) == ("maybe", 1)
    with peer(in_turn(step, answer(b"{}"))) as there:
        assert run(by, there.port, retries, repeatable=True) == {}
        assert len(there.requests) == 2


def test_an_answer_that_the_client_takes_for_damaged() -> None:
    """In legacy mode the client repeats a request whose answer does not fit its checksum; a write may be applied."""
    with peer(in_turn(DAMAGED, answer(b"{}"))) as there:
        with pytest.raises(dynamix.OutcomeUnknownError, match="took the answer for damaged"):
            run("boto3", there.port, {"mode": "legacy"}, repeatable=False)
        assert len(there.requests) == 1


@pytest.mark.parametrize("retries", MODES.values(), ids=MODES)
@pytest.mark.parametrize("by", ["boto3", "aiobotocore"])
def test_a_write_that_was_not_applied_is_repeated(by: str, retries: dict[str, Any]) -> None:
    """What the service throttled it has not done: the client may send any write again."""
    with peer(in_turn(refusal("ThrottlingException"), answer(b"{}"))) as there:
        assert run(by, there.port, retries, repeatable=False) == {}
        assert len(there.requests) == 2


@pytest.mark.parametrize("by", ["boto3", "aiobotocore"])
def test_an_attempt_of_the_clients_own_is_not_forgotten(by: str) -> None:
    """Where the client has repeated a write of the same effect, its last failure does not hide the first."""
    for last, kind in (
        (refusal("AccessDeniedException"), dynamix.OutcomeUnknownError),
        (refusal("ConditionalCheckFailedException"), dynamix.OutcomeUnknownError),
        (refusal("ThrottlingException"), dynamix.ThrottledError),
    ):
        with peer(in_turn(refusal("InternalServerError", 500), last)) as there:
            with pytest.raises(kind) as caught:
                run(by, there.port, {"mode": "standard", "total_max_attempts": 2}, repeatable=True)
            assert (caught.value.applied, len(there.requests)) == ("maybe", 2)


def test_calls_at_once_are_told_apart() -> None:
    """Threads that share a client each have attempts of their own, as do several connections over it."""
    with peer(in_turn(refusal("ThrottlingException"), refusal("ThrottlingException"), answer(b"{}"))) as there:
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", config=config({}), **AWS)
        connections = [Connection(boto_client=client) for _ in range(3)]
        answers: list[Any] = []

        def work(number: int) -> None:
            answers.append(connections[number % 3].run(put(repeatable=False)))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [{}] * 9
        assert len(there.requests) == 11
        client.close()


def test_the_callers_own_calls_are_left_alone() -> None:
    """What the caller does with the client itself is repeated as the client likes."""
    with peer(in_turn(answer(b"{}"), refusal("InternalServerError", 500), answer(b"{}"))) as there:
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", config=config({}), **AWS)
        Connection(boto_client=client).run(put(repeatable=False))
        client.put_item(TableName="note", Item={"name": {"S": "a"}})
        assert len(there.requests) == 3
        client.close()


def test_a_checksum_that_is_none() -> None:
    """Whatever the client's own retries stumble over, an answer came, and the write may have been applied."""
    strange = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amz-crc32: \r\n\r\n{}"
    with (
        peer(in_turn(strange)) as there,
        pytest.raises(dynamix.OutcomeUnknownError, match="client failed over an answer"),
    ):
        run("boto3", there.port, {"mode": "legacy"}, repeatable=False)


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"", b"[]", b'"ok"'])
@pytest.mark.parametrize("by", ["boto3", "aiobotocore"])
def test_an_answer_that_the_client_takes_for_success(by: str, body: bytes) -> None:
    """botocore takes what is no JSON for an empty answer: a write would seem stored, an item not to exist."""
    with peer(in_turn(answer(body))) as there:
        with pytest.raises(dynamix.InvalidAnswerError, match=r"is not DynamoDB's|client failed over") as caught:
            run(by, there.port, {}, repeatable=True)
        assert caught.value.applied == "maybe"
        with pytest.raises(dynamix.OutcomeUnknownError):
            run(by, there.port, {}, repeatable=False)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="there are no such signals here")
@pytest.mark.parametrize("kind", [SoftTimeLimitError, TimeoutError, ConnectionResetError])
@pytest.mark.parametrize("retries", MODES.values(), ids=MODES)
def test_an_interrupt_of_a_call_passes_through(retries: dict[str, Any], kind: type[Exception]) -> None:
    """What a signal's handler raises while the client waits is no failure of the request, and nothing is sent again."""

    def interrupt(conversation: Conversation) -> None:
        while conversation.read() is not None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            while not came.wait(0.2):  # one that comes just before the main thread waits does not wake it
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    came = threading.Event()

    def handler(number: int, frame: FrameType | None) -> None:
        if not came.is_set():
            came.set()
            raise kind("of a signal")

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with peer(interrupt) as there:
            try:
                raise LookupError("that the caller handles meanwhile")
            except LookupError:
                with pytest.raises(kind, match="of a signal") as caught:
                    run("boto3", there.port, retries, repeatable=True)
            assert type(caught.value) is kind
            assert len(there.requests) == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("event", ["before-send", "before-parse", "response-received", "needs-retry"])
@pytest.mark.parametrize("by", ["boto3", "aiobotocore"])
def test_an_interrupt_anywhere_in_a_client_passes_through(by: str, event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after an attempt, and in whatever step of the client it falls."""

    def handler(number: int, frame: FrameType | None) -> None:
        raise SoftTimeLimitError("of a signal")

    def hooked(given: Any) -> None:
        listen(given)
        given.meta.events.register_last(f"{event}.dynamodb", lambda **_: signal.raise_signal(signal.SIGUSR1))

    listen = boto._listen
    monkeypatch.setattr(boto, "_listen", hooked)
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with peer(in_turn(answer(b"{}"))) as there, pytest.raises(SoftTimeLimitError, match="of a signal"):
            run(by, there.port, {}, repeatable=False)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_client_without_events_is_warned_of() -> None:
    """Of a client that does not tell what it repeats, nothing can be promised, and a warning says so."""

    class Client:
        def get_item(self, **_: Any) -> dict[str, Any]:
            return {}

        batch_get_item = get_item

    with pytest.warns(RuntimeWarning, match="may add or append twice"):
        assert Connection(boto_client=Client()).run(request_one()) == {}


def request_one() -> Flow[Any]:
    """One read."""
    answer: Any = yield Call("GetItem", b"{}", json.loads)
    return answer
