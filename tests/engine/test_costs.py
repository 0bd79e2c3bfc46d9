"""What requests cost, counted in steps, bytes and memory: the clock is left to the benchmarks."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from dynamix.engine import Engine
from dynamix.engine.requests import expressions
from dynamix.engine.storage.memory import Memory
from engine.database import Database, index, value, wire

PROCESS_READS = Path("/proc/self/io")
QUERY = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": value("x")}, "TableName": "tab"}


def filled(items: int, *, partition: str = "x", path: Path | None = None, size: int = 10) -> Database:
    """A table of so many items of about `size` bytes, in one partition."""
    database = Database(Engine(path))
    database.create("a:S b:N", GlobalSecondaryIndexes=[index("gsi", "c:S b:N")])
    for first in range(0, items, 25):
        puts = [
            {"PutRequest": {"Item": wire({"a": partition, "b": b, "c": partition, "d": "y" * size})}}
            for b in range(first, min(first + 25, items))
        ]
        database.call("BatchWriteItem", RequestItems={"tab": puts})
    return database


def steps(database: Database, target: str, request: dict[str, Any]) -> int:
    """How many instructions SQLite runs for a request."""
    storage = database.engine._database
    assert isinstance(storage, Memory)
    connection = storage.catalog.connection
    count = 0

    def counted() -> int:
        nonlocal count
        count += 1
        return 0

    database.call(target, **request)  # opens the table and prepares the statements
    connection.set_progress_handler(counted, 1)
    database.call(target, **request)
    connection.set_progress_handler(None, 1)
    return count


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        ("Query", {**QUERY, "Limit": 10}),
        ("Query", {**QUERY, "Limit": 10, "ScanIndexForward": False}),
        ("Query", {**QUERY, "Limit": 10, "ExclusiveStartKey": wire({"a": "x", "b": 50})}),
        ("Query", {**QUERY, "Limit": 10, "KeyConditionExpression": "c = :a", "IndexName": "gsi"}),
        ("Query", {**QUERY, "Limit": 10, "FilterExpression": "c = :a", "ProjectionExpression": "d"}),
        ("Scan", {"TableName": "tab", "Limit": 10}),
        ("Scan", {"TableName": "tab", "Limit": 10, "IndexName": "gsi"}),
        ("Scan", {"TableName": "tab", "Limit": 10, "Segment": 0, "TotalSegments": 1}),
        ("GetItem", {"TableName": "tab", "Key": wire({"a": "x", "b": 50})}),
        ("DescribeTable", {"TableName": "tab"}),
        ("PutItem", {"TableName": "tab", "Item": wire({"a": "x", "b": 50, "c": "z"})}),
    ],
)
def test_a_request_costs_what_it_reads(target: str, request_: dict[str, Any]) -> None:
    """A page, a look-up or a write takes as many steps in a large table as in a small one."""
    assert steps(filled(100), target, request_) == steps(filled(2000), target, request_)


def test_a_page_costs_what_it_holds() -> None:
    """Steps grow with the page: the measure above does measure."""
    database = filled(200)
    few, many = (steps(database, "Query", {**QUERY, "Limit": limit}) for limit in (10, 100))
    assert 5 * few < many < 20 * few


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of some 60 MB: 100 items in a table and an index."""
    path = tmp_path / "large.db"
    database = filled(100, path=path, size=300_000)
    database.engine.close()
    assert path.stat().st_size > 50_000_000
    return path


def bytes_read() -> int:
    """What this process has read from files so far."""
    counts = dict(line.split(": ") for line in PROCESS_READS.read_text().splitlines())
    return int(counts["rchar"])


@pytest.mark.skipif(not PROCESS_READS.exists(), reason="this system does not count what a process reads")
def test_a_large_file_opens_at_once(large: Path) -> None:
    """Opening and describing read some pages of the file, however many it has; a look-up reads a few items."""
    before = bytes_read()
    database = Database(Engine(large))
    assert database.call("DescribeTable", TableName="tab")["Table"]["ItemCount"] == 100
    assert bytes_read() - before < 200_000
    assert database.get(a="x", b=50) is not None
    assert bytes_read() - before < 5_000_000
    database.engine.close()


def test_memory_stays_flat_while_scanning(large: Path) -> None:
    """A scan holds one page at a time."""
    engine = Engine(large)
    request: dict[str, Any] = {"TableName": "tab"}
    seen = 0
    tracemalloc.start()
    try:
        while True:
            _, body = engine.handle("Scan", json.dumps(request).encode())
            answer = json.loads(body)
            seen += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        engine.close()
    assert seen == 100
    assert peak < 10_000_000


def test_what_is_kept_of_expressions_is_bounded() -> None:
    """A program that writes values into its expressions does not fill the memory."""
    for number in range(expressions._CACHED_TEXTS + 100):
        request = {"UpdateExpression": f"REMOVE a{number}"}
        update = expressions.read("UpdateItem", request).update
        assert update is not None
        assert update.attributes == {f"a{number}"}
    for kept in (expressions._unbound, expressions._compile):
        assert kept.cache_info().currsize <= expressions._CACHED_TEXTS
