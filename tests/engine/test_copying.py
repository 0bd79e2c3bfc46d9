"""Indexes and backups of large tables are made in steps, while others go on writing."""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dynamix.engine import Engine
from dynamix.engine.actions.indexes import EXPIRY_BYTES
from dynamix.engine.data.rows import FIRST, LAST
from engine.database import Database, index, wire
from engine.restored import held
from engine.vector_tables import found, keys, vector, vectors

ITEMS = 40
NO_EXPIRY = {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
INDEX = index("other", "b:S")
DEFINITIONS = INDEX.pop("definitions")
MAKE: dict[str, tuple[str, dict[str, Any]]] = {
    "index": (
        "UpdateTable",
        {"AttributeDefinitions": DEFINITIONS, "GlobalSecondaryIndexUpdates": [{"Create": INDEX}]},
    ),
    "vectors": ("UpdateTable", {"VectorIndexUpdates": [{"Create": vectors("vix", 2, "EUCLIDEAN")}]}),
    "expiry": ("UpdateTimeToLive", {"TimeToLiveSpecification": {"AttributeName": "c", "Enabled": True}}),
    "backup": ("CreateBackup", {"BackupName": "kept"}),
}


@pytest.fixture(params=["memory", "file"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A table that counts as large, of which little is read at a time."""
    monkeypatch.setattr("dynamix.engine.operations.copying.LARGE_ROWS", 10)
    monkeypatch.setattr("dynamix.engine.tables.table.PIECE_ROWS", 7)
    database = Database(Engine(tmp_path / "large.db" if request.param == "file" else None))
    database.create("a:S")
    for number in range(ITEMS):
        database.put(**drawn(random.Random(number), number))
    yield database
    database.engine.close()


def drawn(rng: random.Random, number: int) -> dict[str, Any]:
    """An item, perhaps without what an index asks for."""
    item: dict[str, Any] = {"a": str(number), "c": rng.randrange(1000)}
    if rng.random() < 0.8:
        item["b"] = f"b{rng.randrange(5)}" if rng.random() < 0.8 else 7
    if rng.random() < 0.8:
        item["e"] = vector(rng.randrange(9), rng.randrange(9))
    return item


def make(database: Database, what: str) -> Any:
    operation, request = MAKE[what]
    return database.call(operation, TableName="tab", **request)


def between_steps(database: Database, patched: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Have something done before each transaction but the first; returns the list of those there were."""
    session_type = type(database.engine._session())
    begin, begun = session_type.writing, [0]

    def writing(session: Any) -> Any:
        patched.setattr(session_type, "writing", begin)
        if begun[-1]:
            act(begun[-1])
        begun.append(begun[-1] + 1)
        patched.setattr(session_type, "writing", writing)
        return begin(session)

    patched.setattr(session_type, "writing", writing)
    return begun


@pytest.mark.parametrize("what", MAKE)
def test_others_write_while_it_is_made(database: Database, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index has in the end what the table has, a backup what it had in the beginning; nothing else is left."""
    rng = random.Random(5)
    before = held(database, "tab")

    def change(_: int) -> None:
        for _ in range(3):
            number = rng.randrange(ITEMS + 10)
            if rng.random() < 0.4:
                database.call("DeleteItem", TableName="tab", Key=wire({"a": str(number)}))
            else:
                database.put(**drawn(rng, number))

    with monkeypatch.context() as patched:
        begun = between_steps(database, patched, change)
        answer = make(database, what)
    assert begun[-1] > ITEMS // 7
    items = [json.loads(text) for text in held(database, "tab")]
    assert held(database, "tab") != before
    described = database.call("DescribeTable", TableName="tab")["Table"]
    if what == "index":
        having = sorted(json.dumps(item, sort_keys=True) for item in items if "S" in item.get("b", {}))
        assert held(database, "tab", IndexName="other") == having
        assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == len(having)
    elif what == "vectors":
        having = sorted(item["a"]["S"] for item in items if "e" in item)
        assert sorted(keys(found(database, (0, 0), most=100))) == having
        assert described["VectorIndexes"][0]["ItemCount"] == len(having)
    elif what == "expiry":
        seconds = sorted(int(item["c"]["N"]) for item in items)
        assert noted(database) == [second for second in seconds if second]
    else:
        arn = answer["BackupDetails"]["BackupArn"]
        database.call("RestoreTableFromBackup", BackupArn=arn, TargetTableName="new")
        assert held(database, "new") == before
    check_nothing_is_left(database)


@pytest.mark.parametrize("what", MAKE)
def test_what_is_left_half_way_is_removed(database: Database, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is cut off leaves the table as it was; after a minute it can be done again, and nothing else is left."""

    def cut(step: int) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        between_steps(database, patched, cut)
        with pytest.raises(KeyboardInterrupt):
            make(database, what)
    database.put(a="new", b="b", e=vector(1, 1))
    described = database.call("DescribeTable", TableName="tab")["Table"]
    assert not {"GlobalSecondaryIndexes", "VectorIndexes"} & described.keys()
    assert database.call("ListBackups")["BackupSummaries"] == []
    if what == "expiry":
        assert database.call("DescribeTimeToLive", TableName="tab") == NO_EXPIRY
        refusal = database.refusal("UpdateTimeToLive", TableName="tab", **MAKE[what][1])
        assert refusal == ("ValidationException", "TimeToLive is already enabled")
    elif what != "backup":
        in_use = "Attempt to change a resource which is still in use: Table is being updated: tab"
        assert database.refusal("DeleteTable", TableName="tab") == ("ResourceInUseException", in_use)
        refusal = database.refusal("UpdateTable", TableName="tab", **MAKE[what][1])
        assert refusal[0] == "LimitExceededException"
    left = time.time() + 61
    monkeypatch.setattr("dynamix.engine.tables.unfinished.time.time", lambda: left)
    make(database, what)
    check_nothing_is_left(database)


def noted(database: Database) -> list[int]:
    """The seconds that are noted of the items that expire."""
    with database.engine._session().reading() as catalog:
        store = catalog.named("tab").expiry_store
        assert store is not None
        keys = [key for key, _, _ in catalog.rows(store, FIRST, LAST)]
        assert store.totals(catalog.execute) == (len(keys), 0)
        return [int.from_bytes(key[:EXPIRY_BYTES], "big") for key in keys]


def check_nothing_is_left(database: Database) -> None:
    """No work is noted, and the log of changes is gone."""
    database.engine.expire()
    with database.engine._session().reading() as catalog:
        record = catalog.named("tab").record
        assert (record.copying, record.log) == ({}, None)
        for table in ("unfinished", "logs", "discarded"):
            assert catalog.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)
