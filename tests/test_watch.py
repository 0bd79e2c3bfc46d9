"""The callbacks of a connection are told of each request, and of nothing that is secret or stored."""

import asyncio
import contextlib
import sys
from typing import Any

import pytest
from peer import Conversation, answer, peer, refusal

import dynamix
from dynamix import CharField, Connection, Model, RequestInfo, ResponseInfo, WrongTypeError
from dynamix.engine import Engine

QUICK: Any = {"retry_delay": 0.001, "throttle_delay": 0.001}


class Note(Model):
    """An item with things that no callback may see."""

    name = CharField(hash_key=True)


class Told:
    """What both callbacks are told."""

    def __init__(self) -> None:
        self.requests: list[RequestInfo] = []
        self.responses: list[ResponseInfo] = []

    @property
    def options(self) -> Any:
        return {"on_request": self.requests.append, "on_response": self.responses.append}


@pytest.fixture(params=[False, True], ids=["blocking", "asyncio"])
def is_async(request: pytest.FixtureRequest) -> bool:
    """Both drivers."""
    return bool(request.param)


def write(connection: Connection, is_async: bool) -> None:
    """Stores an item."""
    with dynamix.use_connection(connection):
        if is_async:
            asyncio.run(Note.acreate(name="hush"))
        else:
            Note.create(name="hush")


def test_each_attempt_is_told(is_async: bool) -> None:
    """Operation, table, attempt and sizes before; status, id and the class of the error afterwards."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        if conversation.number == 1:
            conversation.send(refusal("ThrottlingException", 400, "x-amzn-RequestId: R1"))
            conversation.read()
        if conversation.number > 0:
            conversation.send(answer())

    told = Told()
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **QUICK, **told.options) as connection:
        write(connection, is_async)
    assert [(r.operation, r.table, r.attempt) for r in told.requests] == [("PutItem", "Note", n) for n in (1, 2, 3)]
    assert all(request.size > 20 for request in told.requests)
    assert [response.request for response in told.responses] == told.requests
    assert all(response.seconds > 0 for response in told.responses)
    assert [(r.status, r.request_id, r.error) for r in told.responses] == [
        (None, None, "ConnectionLostError"),
        (400, "R1", "ThrottledError"),
        (200, None, None),
    ]
    assert told.responses[0].size is None
    assert "hush" not in f"{told.requests} {told.responses}"


def test_no_secret_is_told(is_async: bool) -> None:
    """Neither keys nor signatures are in what the callbacks get."""
    told = Told()
    keys: Any = {"aws_access_key_id": "AKHUSH", "aws_secret_access_key": "SECRETHUSH", "aws_session_token": "TOKENHUSH"}

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(refusal("UnrecognizedClientException", 400))

    with (
        peer(talk) as there,
        Connection(is_local_endpoint=there.address, **keys, **told.options) as connection,
        pytest.raises(dynamix.AccessDeniedError),
    ):
        write(connection, is_async)
    assert [response.error for response in told.responses] == ["AccessDeniedError"]
    assert "HUSH" not in f"{told.requests} {told.responses}"


def test_what_a_callback_raises(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a request it comes out of the call and nothing is sent; afterwards the outcome matters more."""
    unraised: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: unraised.append(error))

    def refuse(told: object) -> None:
        raise LookupError(type(told).__name__)

    with contextlib.closing(Engine()) as engine:
        with Connection(engine=engine) as plain, dynamix.use_connection(plain):
            dynamix.create_table(Note)
        with (
            Connection(engine=engine, on_request=refuse) as connection,
            pytest.raises(LookupError, match="RequestInfo"),
        ):
            write(connection, is_async)
        with Connection(engine=engine) as plain, dynamix.use_connection(plain):
            assert Note.scan().count() == 0
        with Connection(engine=engine, on_response=refuse) as connection:
            write(connection, is_async)
        with Connection(engine=engine) as plain, dynamix.use_connection(plain):
            assert Note.scan().count() == 1
    assert [str(error) for error in unraised] == ["ResponseInfo"]


def test_what_is_no_callback() -> None:
    """An async function, which nobody would await, and what cannot be called are refused, naming the option."""

    async def later(told: object) -> None: ...

    for option in ("on_request", "on_response"):
        for value in (5, later):
            with pytest.raises(WrongTypeError, match=option):
                Connection(embedded=True, **{option: value})  # type: ignore[arg-type]
