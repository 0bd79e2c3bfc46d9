"""The engine as a transport."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import dynamix
from dynamix import Connection, use_connection
from dynamix.engine import Engine
from dynamix.transport.embedded import EmbeddedTransport
from dynamix.wire import Transport


class Note(dynamix.Model):
    """A small item."""

    name = dynamix.CharField(hash_key=True)


@pytest.mark.parametrize("name", [None, "file.db"])
def test_both_ways_of_sending_answer(name: str | None, tmp_path: Path) -> None:
    """send and asend give the engine's answers, in memory and on a file."""
    engine = Engine(tmp_path / name if name else None)
    transport: Transport = EmbeddedTransport(engine, own=False)
    assert transport.send("ListTables", b"{}").body == b'{"TableNames":[]}'
    answer = asyncio.run(transport.asend("DescribeTable", b'{"TableName": "nope"}'))
    assert answer.status == 400
    assert json.loads(answer.body)["__type"].endswith("#ResourceNotFoundException")
    transport.close()
    asyncio.run(transport.aclose())
    assert transport.send("ListTables", b"{}").status == 200
    engine.close()


def test_a_connection_uses_an_engine_of_the_caller() -> None:
    """Connections with different prefixes share the engine given, which closing them leaves open."""
    engine = Engine()
    first, second = (Connection(engine=engine, table_prefix=prefix) for prefix in ("a-", "b-"))
    with first, use_connection(first):
        dynamix.create_table(Note)
        Note.create(name="first")
    with second:
        assert second.request("ListTables", {}) == {"TableNames": ["a-Note"]}
        asyncio.run(second.arequest("ListTables", {}))
    assert engine.handle("ListTables", b"{}") == (200, b'{"TableNames":["a-Note"]}')
    engine.close()


def test_a_connection_closes_an_engine_of_its_own(tmp_path: Path) -> None:
    """The file of an embedded engine is free once its connection is closed, by either way of closing."""

    async def main() -> None:
        async with Connection(embedded=tmp_path / "notes.db") as connection:
            transport = connection._open()
            assert await connection.arequest("ListTables", {}) == {"TableNames": []}
        assert (await transport.asend("ListTables", b"{}")).status != 200

    asyncio.run(main())
    with Connection(embedded=tmp_path / "notes.db") as connection:
        assert connection.request("ListTables", {}) == {"TableNames": []}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": True}, "engine must be an Engine"),
        ({"engine": Engine}, "engine must be an Engine"),
        ({"engine": "notes.db"}, "engine must be an Engine"),
        ({"engine": Engine(), "embedded": True}, "embedded and engine contradict each other"),
        ({"engine": Engine(), "is_local_endpoint": True}, "contradict each other"),
        ({"engine": Engine(), "region_name": "x"}, "region_name would have no effect with engine"),
    ],
)
def test_an_engine_is_a_place(options: Any, said: str) -> None:
    """What is no engine, or an engine beside another place, is refused."""
    with pytest.raises(dynamix.ValidationException, match=said):
        Connection(**options)
