"""Lag: an engine that is told to lets reads see the past, where the service may."""

import contextlib
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dynamix.engine import Engine
from engine.database import Clock, Database, index, wire

LAG = 2
TAB = {"TableName": "tab"}


class Lagging(Database):
    def __init__(self, path: Path | None = None) -> None:
        self.clock = Clock()
        super().__init__(Engine(path, clock=self.clock, lag=LAG))

    def keys(self, target: str, **request: Any) -> list[str]:
        return [each["a"]["S"] for each in self.call(target, **TAB, **request)["Items"]]


@pytest.fixture
def database() -> Lagging:
    database = Lagging()
    database.create(
        "a:S b:N",
        GlobalSecondaryIndexes=[index("gsi", "c:S b:N", "KEYS_ONLY")],
        LocalSecondaryIndexes=[index("lsi", "a:S d:N", "KEYS_ONLY")],
    )
    return database


def key(a: str, b: int = 1) -> dict[str, Any]:
    return {"Key": wire({"a": a, "b": b})}


def test_reads_that_need_not_be_consistent_see_the_past(database: Lagging) -> None:
    """By key, in batches, scans, queries and statements; consistent ones and transactions see what is there."""
    where = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": wire({":a": "x"})}
    one = "SELECT * FROM tab WHERE a = 'x' AND b = 1"
    reads: list[tuple[str, dict[str, Any]]] = [
        ("GetItem", {**TAB, **key("x")}),
        ("Query", {**TAB, **where}),
        ("Scan", TAB),
        ("ExecuteStatement", {"Statement": "SELECT * FROM tab"}),
    ]
    database.put(a="x", b=1)
    for target, request in reads:
        assert "'x'" not in str(database.call(target, **request))
        assert "'x'" in str(database.call(target, **request, ConsistentRead=True))
    part = {"Keys": [wire({"a": "x", "b": 1})]}
    for consistent in (False, True):
        found = database.call("BatchGetItem", RequestItems={"tab": {**part, "ConsistentRead": consistent}})
        assert len(found["Responses"]["tab"]) == consistent
        found = database.call("BatchExecuteStatement", Statements=[{"Statement": one, "ConsistentRead": consistent}])
        assert ("Item" in found["Responses"][0]) is consistent
    assert database.call("TransactGetItems", TransactItems=[{"Get": {**TAB, **key("x")}}])["Responses"][0]
    assert database.call("ExecuteTransaction", TransactStatements=[{"Statement": one}])["Responses"][0]
    database.clock.now += LAG
    for target, request in reads:
        assert "'x'" in str(database.call(target, **request))
    database.call("DeleteItem", **TAB, **key("x"))
    for target, request in reads:
        assert "'x'" in str(database.call(target, **request))
    database.clock.now += LAG
    for target, request in reads:
        assert "'x'" not in str(database.call(target, **request))


def test_an_index_lags_behind(database: Lagging) -> None:
    """A global one always, a local one unless it is read consistently, together with the items that it leads to."""
    query = {
        "IndexName": "lsi",
        "KeyConditionExpression": "a = :a",
        "ExpressionAttributeValues": wire({":a": "x"}),
        "Select": "ALL_ATTRIBUTES",
    }
    statement = {"Statement": """SELECT e FROM "tab"."lsi" WHERE a = 'x'"""}
    database.put(a="x", b=1, c="y", d=1, e="old")
    assert database.keys("Scan", IndexName="gsi") == []
    assert database.keys("Scan", IndexName="lsi") == []
    assert database.keys("Scan", IndexName="lsi", ConsistentRead=True) == ["x"]
    database.clock.now += LAG
    assert database.keys("Scan", IndexName="gsi") == ["x"]
    database.call("DeleteItem", **TAB, **key("x"))
    assert database.keys("Scan", IndexName="gsi") == ["x"]
    (found,) = database.call("Query", **TAB, **query)["Items"]
    assert found["e"] == {"S": "old"}
    assert database.call("ExecuteStatement", **statement)["Items"] == [wire({"e": "old"})]
    assert database.call("Query", **TAB, **query, ConsistentRead=True)["Items"] == []


def test_the_past_is_what_was_there(database: Lagging) -> None:
    """Whatever is written, a read sees what a consistent one saw so long ago, forwards and backwards, in pages."""
    rng = random.Random(5)
    seen: list[tuple[float, list[Any], list[Any]]] = []
    for _ in range(60):
        for _ in range(rng.randrange(4)):
            at = {"a": rng.choice("uvwx"), "b": rng.randrange(3)}
            if rng.random() < 0.3:
                database.call("DeleteItem", **TAB, Key=wire(at))
            else:
                database.put(**at, c=rng.choice("yz"), d=rng.randrange(3))
        items = database.call("Scan", **TAB, ConsistentRead=True)["Items"]
        entries = database.call("Scan", **TAB, ConsistentRead=True, IndexName="lsi")["Items"]
        seen.append((database.clock.now, items, entries))
        database.clock.now += rng.choice((0.5, 1))
        then = database.clock.now - LAG
        _, items, entries = max(
            (each for each in seen if each[0] <= then), key=lambda each: each[0], default=(0, [], [])
        )
        assert database.call("Scan", **TAB)["Items"] == items
        assert database.call("Scan", **TAB, IndexName="lsi")["Items"] == entries
        backwards = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": wire({":a": "x"})}
        found = database.call("Query", **TAB, **backwards, ScanIndexForward=False)["Items"]
        assert found == [item for item in reversed(items) if item["a"] == {"S": "x"}]
        paged: list[Any] = []
        page: dict[str, Any] = {"LastEvaluatedKey": None}
        while "LastEvaluatedKey" in page:
            start = {} if page["LastEvaluatedKey"] is None else {"ExclusiveStartKey": page["LastEvaluatedKey"]}
            page = database.call("Scan", **TAB, Limit=2, **start)
            paged += page["Items"]
        assert paged == items


def test_tables_keep_their_past_only_while_it_is_wanted(tmp_path: Path) -> None:
    """A file's tables have it from the moment that an engine with the option opens it, until one without does."""
    path = tmp_path / "x.db"
    plain = Database(Engine(path))
    plain.create("a:S")
    plain.engine.close()
    lagging = Lagging(path)
    lagging.put(a="x")
    assert lagging.get(a="x") is None
    lagging.engine.close()
    plain = Database(Engine(path))
    assert plain.get(a="x") == wire({"a": "x"})
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM logs WHERE live").fetchall() == []
    snapshot = plain.engine.snapshot()
    plain.engine.close()
    restored = Lagging()
    restored.engine.restore(snapshot)
    restored.put(a="y")
    assert (restored.get(a="x"), restored.get(a="y")) == (wire({"a": "x"}), None)
