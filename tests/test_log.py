"""What the logger `dynamix` is told: each request, repeat and throttle; never what is stored, asked or secret."""

import asyncio
import logging
import re
import subprocess
import sys
from typing import Any

import pytest
from peer import Conversation, always, answer, peer, refusal

import dynamix
from dynamix import Connection

QUICK: Any = {"retry_delay": 0.001, "throttle_delay": 0.001}
UNPROCESSED = b'{"UnprocessedItems": {"Note": [{"PutRequest": {"Item": {"name": {"S": "hush"}}}}]}}'


class Note(dynamix.Model):
    """An item with things that no log may show."""

    name = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()


@pytest.fixture(params=[False, True], ids=["blocking", "asyncio"])
def is_async(request: pytest.FixtureRequest) -> bool:
    """Both drivers."""
    return bool(request.param)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, without its durations and waits; and nothing of it shows what no log may show."""
    assert "hush" not in caplog.text
    found = [f"{record.levelname} {record.getMessage()}" for record in caplog.records if record.name == "dynamix"]
    return [re.sub(r"\d+\.\d+ (m?s)", r"N \1", line) for line in found]


def write(connection: Connection, is_async: bool) -> None:
    """Stores an item."""
    with dynamix.use_connection(connection):
        if is_async:
            asyncio.run(Note.acreate(name="hush", text="hush"))
        else:
            Note.create(name="hush", text="hush")


def test_each_request_has_a_line(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG: operation, table, status, duration, attempt, and the id that the service gave the request."""
    caplog.set_level(logging.DEBUG, "dynamix")
    talk = always(answer(b"{}", "x-amzn-RequestId: R1"))
    with peer(talk) as there, Connection(is_local_endpoint=there.address, table_prefix="x-") as connection:
        write(connection, is_async)
    assert told(caplog) == ["DEBUG PutItem x-Note: 200 in N ms, attempt 1, request id R1"]


def test_repeats_have_a_line(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO: what failed how, and when it is sent again; at WARNING where the service asks to slow down."""

    def talk(conversation: Conversation) -> None:
        conversation.read()
        if conversation.number == 1:
            conversation.send(refusal("ThrottlingException", 400, "x-amzn-RequestId: R1"))
            conversation.read()
        if conversation.number > 0:
            conversation.send(answer())

    for level, expected in (
        (
            logging.DEBUG,
            [
                "DEBUG PutItem Note: ConnectionLostError in N ms, attempt 1, request id -",
                "INFO attempt 1 of PutItem Note failed with ConnectionLostError; sent again in N s",
                "DEBUG PutItem Note: 400 in N ms, attempt 2, request id R1",
                "WARNING attempt 2 of PutItem Note failed with ThrottledError; sent again in N s",
                "DEBUG PutItem Note: 200 in N ms, attempt 3, request id -",
            ],
        ),
        (logging.WARNING, ["WARNING attempt 2 of PutItem Note failed with ThrottledError; sent again in N s"]),
        (logging.ERROR, []),
    ):
        caplog.clear()
        caplog.set_level(level, "dynamix")
        with peer(talk) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
            write(connection, is_async)
        assert told(caplog) == expected


def test_what_a_batch_leaves_undone_is_a_throttle(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A batch that is taken in part has a line at WARNING."""
    caplog.set_level(logging.INFO, "dynamix")
    left = b'{"UnprocessedKeys": {"Note": {"Keys": [{"name": {"S": "hush"}}]}}, "Responses": {}}'
    talk = always(answer(UNPROCESSED), answer(b'{"UnprocessedItems": {}}'), answer(left), answer(b'{"Responses": {}}'))

    async def main() -> None:
        await Note.abatch_write([{"name": "hush"}])
        await Note.abatch_get({"name": "hush"})

    with peer(talk) as there, dynamix.set_connection(is_local_endpoint=there.address, **QUICK):
        if is_async:
            asyncio.run(main())
        else:
            Note.batch_write([{"name": "hush"}])
            Note.batch_get({"name": "hush"})
    assert told(caplog) == [
        "WARNING BatchWriteItem Note left 1 items undone; sent again in N s",
        "WARNING BatchGetItem Note left 1 keys undone; sent again in N s",
    ]


@pytest.mark.parametrize(
    ("operation", "body", "tables"),
    [
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "b"}}, {"Update": {"TableName": "a"}}]},
            "a, b",
        ),
        ("BatchGetItem", {"RequestItems": {"b": {}, "a": {}}}, "a, b"),
        ("ListTables", {}, "-"),
        ("Strange", {"TableName": 5, "TransactItems": "x"}, "-"),
    ],
)
def test_the_tables_of_a_request(operation: str, body: Any, tables: str, caplog: pytest.LogCaptureFixture) -> None:
    """All tables that a request names are told, whatever it looks like."""
    caplog.set_level(logging.DEBUG, "dynamix")
    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address) as connection:
        connection.request(operation, body)
    assert told(caplog) == [f"DEBUG {operation} {tables}: 200 in N ms, attempt 1, request id -"]


@pytest.mark.parametrize("imported", [False, True])
def test_nothing_is_printed_unless_asked(imported: bool) -> None:
    """A program that sets up no logging reads nothing of a throttle, and does not have `logging` imported for it."""
    program = (
        "import sys, dynamix\n"
        "dynamix.Connection(is_local_endpoint=('127.0.0.1', int(sys.argv[1])), throttle_delay=0.001).request('X', {})\n"
        f"assert {imported} == ('logging' in sys.modules)"
    )
    with peer(always(refusal("ThrottlingException"), answer())) as there:
        done = subprocess.run(
            [sys.executable, "-c", ("import logging\n" if imported else "") + program, str(there.port)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len(there.requests) == 2
