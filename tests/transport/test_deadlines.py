"""An operation as a whole has a deadline: the connection's, or that of a block. Whatever it waits for ends then."""

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest
from black_holes import black_hole
from botocore.config import Config
from peer import SECONDS, Conversation, always, answer, peer, refusal
from sides import KEYS, Side, asked

import dynamix
from dynamix import Connection
from dynamix.engine import Engine
from dynamix.wire import Call, Flow, Together

SHORT = 0.1
ENOUGH = 2.0
"""The time in which a request is surely sent, on a busy machine as well."""
LONG: Any = {"read_timeout": SECONDS, "connect_timeout": SECONDS, "retry_delay": 0.001}
NOTES: Any = {
    "TableName": "Notes",
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
LONG_PAUSES: Any = {"retry_delay": 1e6, "throttle_delay": 1e6, "max_retry_delay": 1e6}


def silent(conversation: Conversation) -> None:
    """Takes requests and answers none."""
    conversation.wait_for_end()


def within(seconds: float, side: Side, connection: Connection, flow: Flow[Any], outer: float = SECONDS) -> Any:
    """The result of a flow in a block that has so many seconds, within another one."""
    if side.loop is None:
        with dynamix.timeout(outer), dynamix.timeout(seconds):
            return connection.run(flow)

    async def main() -> Any:
        with dynamix.timeout(outer), dynamix.timeout(seconds):
            return await connection.arun(flow)

    return side.run(main())


def get(connection: Connection) -> Flow[Any]:
    """A read."""
    return asked(connection, "GetItem", {}, repeatable=True)


def put(connection: Connection) -> Flow[Any]:
    """A write that may be repeated."""
    return asked(connection, "PutItem", {"TableName": "Notes"}, repeatable=True)


def update(connection: Connection) -> Flow[Any]:
    """A write that must not be repeated."""
    return asked(connection, "UpdateItem", {}, repeatable=False)


def test_the_deadline_of_a_connection(side: Side) -> None:
    """`operation_timeout` ends a read that is not answered, and a write, of which the error says what may have been."""
    with (
        peer(silent) as there,
        Connection(is_local_endpoint=there.address, operation_timeout=ENOUGH, **LONG) as connection,
    ):
        with pytest.raises(dynamix.DeadlineExceededError, match="not done in time") as caught:
            side.ask(connection)
        assert caught.value.sent
        assert "applied" not in str(caught.value)
        with pytest.raises(dynamix.DeadlineExceededError, match="UpdateItem may have been applied") as caught:
            side.write(connection)
        assert caught.value.sent
        assert caught.value.applied == "maybe"
        assert isinstance(caught.value, dynamix.RequestTimeoutError)
        assert there.connections == 2
        side.close(connection)


def test_the_deadline_of_a_block(side: Side) -> None:
    """`dynamix.timeout` does the same for a block, all of whose operations share the time."""
    with peer(silent) as there, Connection(is_local_endpoint=there.address, **LONG) as connection:
        with pytest.raises(dynamix.DeadlineExceededError, match="UpdateItem may have been applied"):
            within(ENOUGH, side, connection, update(connection))
        with dynamix.timeout(SHORT):
            with pytest.raises(dynamix.DeadlineExceededError):
                connection.run(get(connection))
            with pytest.raises(dynamix.DeadlineExceededError, match="none is left for another request") as caught:
                connection.run(update(connection))
            assert not caught.value.sent
        side.close(connection)


@pytest.mark.parametrize(
    ("of_connection", "outer", "inner"),
    [(SHORT, SECONDS, SECONDS), (SECONDS, SHORT, SECONDS), (SECONDS, SECONDS, SHORT)],
)
def test_the_nearest_deadline_counts(of_connection: float, outer: float, inner: float, side: Side) -> None:
    """Of the connection's deadline and those of blocks within each other, the nearest one ends an operation."""

    options: Any = {"operation_timeout": of_connection, **LONG}
    with peer(silent) as there, Connection(is_local_endpoint=there.address, **options) as connection:
        with pytest.raises(dynamix.DeadlineExceededError):
            within(inner, side, connection, update(connection), outer)
        side.close(connection)


def test_a_block_ends(side: Side) -> None:
    """After a block there is no deadline any more."""
    with peer(always(answer(b'{"n": 1}'))) as there, Connection(is_local_endpoint=there.address) as connection:
        assert within(SECONDS, side, connection, get(connection)) == {"n": 1}
        with pytest.raises(dynamix.DeadlineExceededError):
            within(1e-9, side, connection, get(connection))
        assert side.ask(connection) == {"n": 1}
        side.close(connection)


def test_pauses_count(side: Side) -> None:
    """A pause that would end after the deadline is not begun; the error has what it was for as its cause."""
    talk = always(refusal("ThrottlingException"))
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **LONG_PAUSES) as connection:
        with pytest.raises(dynamix.DeadlineExceededError) as caught:
            within(SECONDS, side, connection, update(connection))
        assert not caught.value.sent
        assert isinstance(caught.value.__cause__, dynamix.ThrottledError)
        assert len(there.requests) == 1
        side.close(connection)


def test_an_attempt_before_the_pause_is_not_forgotten(side: Side) -> None:
    """A write that was sent, and whose repeat comes too late, may have been applied, and the error says so."""

    def talk(conversation: Conversation) -> None:
        conversation.read()

    with peer(talk) as there, Connection(is_local_endpoint=there.address, **LONG_PAUSES) as connection:
        with pytest.raises(dynamix.DeadlineExceededError, match="PutItem may have been applied") as caught:
            within(SECONDS, side, connection, put(connection))
        assert caught.value.sent
        assert isinstance(caught.value.__cause__, dynamix.ConnectionLostError)
        side.close(connection)


def test_the_wait_for_a_connection_counts(side: Side) -> None:
    """Who waits for a free connection is told at the deadline that nothing was sent."""
    arrived = threading.Event()

    def talk(conversation: Conversation) -> None:
        conversation.read()
        arrived.set()
        conversation.wait_for_end()

    with peer(talk) as there:
        connection = Connection(is_local_endpoint=there.address, max_connections=1, max_attempts=1, **LONG)
        holder = side.start(connection)
        assert arrived.wait(SECONDS)
        with pytest.raises(dynamix.DeadlineExceededError) as caught:
            within(SHORT, side, connection, update(connection))
        assert not caught.value.sent
        there.close()
        with pytest.raises(dynamix.ConnectionException):
            holder.result(SECONDS)
        side.close(connection)


def test_making_a_connection_counts(side: Side) -> None:
    """The deadline also ends the making of a connection, which then is not blamed on the endpoint."""
    with black_hole() as address, Connection(is_local_endpoint=address, **LONG) as connection:
        with pytest.raises(dynamix.DeadlineExceededError) as caught:
            within(SHORT, side, connection, update(connection))
        assert not caught.value.sent
        side.close(connection)


def test_all_parts_of_a_batch_have_one_deadline(side: Side) -> None:
    """Flows that run beside each other end at the deadline of the whole, in their pauses too."""

    def flow() -> Flow[Any]:
        return (yield Together([asked(connection, "BatchGetItem", {}, repeatable=True) for _ in range(20)]))

    for talk, pauses in ((silent, {}), (always(refusal("ThrottlingException")), LONG_PAUSES)):
        with peer(talk) as there:
            connection = Connection(is_local_endpoint=there.address, **{**LONG, **pauses})
            with pytest.raises(dynamix.DeadlineExceededError):
                within(SHORT if talk is silent else SECONDS, side, connection, flow())
            side.close(connection)


def test_tasks_and_threads_of_asyncio_take_the_deadline_along() -> None:
    """A task that is started in a block, and a thread that asyncio starts there, have its deadline."""

    async def main() -> None:
        with dynamix.timeout(SHORT):
            task = asyncio.create_task(connection.arun(get(connection)))
            thread = asyncio.create_task(asyncio.to_thread(connection.run, get(connection)))
        for one in (task, thread):
            with pytest.raises(dynamix.DeadlineExceededError):
                await one
        await connection.aclose()

    with peer(silent) as there, Connection(is_local_endpoint=there.address, **LONG) as connection:
        asyncio.run(main())


def test_an_engine_on_a_file_that_another_program_holds(side: Side, tmp_path: Path) -> None:
    """The wait for a file ends at the deadline; the write may have been applied, for it goes on."""

    def create() -> Flow[Any]:
        return asked(connection, "CreateTable", NOTES, repeatable=True)

    path = tmp_path / "notes.db"
    with Connection(embedded=path) as connection:
        connection.request("ListTables", {})
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            with pytest.raises(dynamix.DeadlineExceededError, match="CreateTable may have been applied"):
                within(ENOUGH, side, connection, create())
        finally:
            other.execute("ROLLBACK")
            other.close()
        connection.run(call_until_there())


def test_an_engine_that_another_thread_uses(side: Side) -> None:
    """The wait for an engine in memory ends at the deadline, and nothing was done; later it works."""
    begun, freed = threading.Event(), threading.Event()

    def clock() -> float:  # asked for the time in the middle of the work
        begun.set()
        assert freed.wait(SECONDS)
        return 0.0

    with contextlib.closing(Engine(clock=clock)) as engine, Connection(engine=engine) as connection:
        other = threading.Thread(target=connection.request, args=("CreateTable", NOTES))
        other.start()
        try:
            assert begun.wait(SECONDS)
            with pytest.raises(dynamix.DeadlineExceededError) as caught:
                within(SHORT, side, connection, asked(connection, "DeleteTable", NOTES, repeatable=False))
        finally:
            freed.set()
            other.join()
        assert (caught.value.sent, caught.value.applied) == (False, "no")
        assert side.ask(connection, "ListTables") == {"TableNames": ["Notes"]}


def call_until_there() -> Flow[None]:
    """Returns when the table exists: what went on has come to its end."""
    while True:
        answer_: bytes = yield Call("ListTables", b"{}", bytes)
        if b"Notes" in answer_:
            return


def test_a_caller_s_own_client(side: Side) -> None:
    """The deadline ends the wait for a boto client, whose request goes on by itself."""
    with peer(silent) as there:
        config = Config(read_timeout=SECONDS, retries={"total_max_attempts": 1})
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", config=config, **KEYS)
        connection = Connection(boto_client=client)
        with pytest.raises(dynamix.DeadlineExceededError, match="DeleteTable may have been applied"):
            within(ENOUGH, side, connection, asked(connection, "DeleteTable", {"TableName": "Notes"}, repeatable=False))


def test_the_end_of_a_loop_does_not_wait_for_a_client() -> None:
    """A boto client's call that a deadline has ended holds up no event loop that comes to its end."""
    answering = threading.Event()

    def slow(conversation: Conversation) -> None:
        while conversation.read() is not None:
            assert answering.wait(SECONDS)
            conversation.send(answer(b"{}"))

    async def main() -> None:
        with dynamix.timeout(ENOUGH):
            await connection.arun(asked(connection, "ListTables", {}, repeatable=True))

    with peer(slow) as there:
        config = Config(read_timeout=SECONDS, retries={"total_max_attempts": 1})
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", config=config, **KEYS)
        connection = Connection(boto_client=client)
        with pytest.raises(dynamix.DeadlineExceededError):
            asyncio.run(main())
        answering.set()
        client.close()


def test_opening_a_file_that_another_program_holds(side: Side, tmp_path: Path) -> None:
    """The deadline ends the wait for a file that cannot be opened yet; nothing was sent, and later it can."""
    path = tmp_path / "notes.db"
    with Connection(embedded=path) as first:
        first.request("ListTables", {})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with Connection(embedded=path) as connection:
        try:
            with pytest.raises(dynamix.DeadlineExceededError) as caught:
                within(SHORT, side, connection, put(connection))
            assert (caught.value.sent, caught.value.applied) == (False, "no")
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert side.ask(connection, "ListTables") == {"TableNames": []}


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "5", True, None])
def test_a_timeout_is_a_number_of_seconds(seconds: Any) -> None:
    """What is no number above 0 is refused before the block begins."""
    with pytest.raises(dynamix.WrongTypeError, match="seconds must be a number of seconds above 0"):
        dynamix.timeout(seconds).__enter__()
    if seconds is not None:
        with pytest.raises(dynamix.WrongTypeError, match="operation_timeout must be a number of seconds above 0"):
            Connection(operation_timeout=seconds)
