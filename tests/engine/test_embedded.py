"""The engine as a transport."""

import asyncio
import json
from pathlib import Path

import pytest

from dynamix.engine import Engine
from dynamix.transport.embedded import EmbeddedTransport
from dynamix.wire import Transport


@pytest.mark.parametrize("name", [None, "file.db"])
def test_both_ways_of_sending_answer(name: str | None, tmp_path: Path) -> None:
    """send and asend give the engine's answers, in memory and on a file."""
    engine = Engine(tmp_path / name if name else None)
    transport: Transport = EmbeddedTransport(engine)
    assert transport.send("ListTables", b"{}").body == b'{"TableNames":[]}'
    answer = asyncio.run(transport.asend("DescribeTable", b'{"TableName": "nope"}'))
    assert answer.status == 400
    assert json.loads(answer.body)["__type"].endswith("#ResourceNotFoundException")
    transport.close()
    asyncio.run(transport.aclose())
    assert transport.send("ListTables", b"{}").status == 200
    engine.close()
