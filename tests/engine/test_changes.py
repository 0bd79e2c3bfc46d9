"""The log of a table's changes, and what can be made of it: the table as it is, and as it was."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamix.engine import Engine
from dynamix.engine.data.changes import ChangeLog
from dynamix.engine.data.rows import FIRST, LAST, Row
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.net_changes import NetChanges
from dynamix.engine.tables.past import Past, TrimmedError
from engine.database import Clock, Database, index, wire

NOW = 1_800_000_000
MANY = 10
"""Changes: enough for each new one to remove two."""

_NAMES = st.sampled_from("abcd")
_WRITES = st.one_of(
    st.tuples(st.just("put"), _NAMES, st.integers(0, 3)),
    st.tuples(st.just("add"), _NAMES, st.integers(0, 3)),
    st.tuples(st.just("delete"), _NAMES, st.just(0)),
    st.tuples(st.just("refused"), _NAMES, st.just(0)),
    st.tuples(st.just("transaction"), _NAMES, st.integers(0, 3)),
    st.tuples(st.just("wait"), _NAMES, st.integers(1, 30)),
)


def _database(clock: Clock, **more: Any) -> Database:
    database = Database(Engine(clock=clock, sweep_seconds=None))
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    indexes = [index("by_n", "n:N")]
    database.create("a:S", StreamSpecification=stream, GlobalSecondaryIndexes=indexes, **more)
    wanted = {"AttributeName": "ttl", "Enabled": True}
    database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=wanted)
    return database


def _write(database: Database, clock: Clock, kind: str, name: str, n: int) -> None:
    key = wire({"a": name})
    match kind:
        case "put":
            database.put(a=name, n=n, ttl=int(clock.now) + 20)
        case "add":
            added = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": str(n)}}}
            database.call("UpdateItem", TableName="tab", Key=key, **added)
        case "delete":
            database.call("DeleteItem", TableName="tab", Key=key)
        case "refused":
            database.refusal("PutItem", TableName="tab", Item=key, ConditionExpression="attribute_exists(none)")
        case "transaction":
            writes = [{"Put": {"TableName": "tab", "Item": wire({"a": each, "n": n})}} for each in (name, "e")]
            database.call("TransactWriteItems", TransactItems=writes)
        case "wait":
            clock.now += n
            database.engine.expire()


def _rows(catalog: Catalog) -> dict[bytes, Row]:
    table = catalog.table("tab")
    return {key: (size, item) for key, size, item in table.store.between(catalog.execute, FIRST, LAST)}


def _log(catalog: Catalog) -> ChangeLog:
    log = catalog.table("tab").log
    assert log is not None
    return log


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(_WRITES, max_size=25))
def test_the_images_of_a_stream_replayed_give_the_table(program: list[tuple[str, str, int]]) -> None:
    """Applied one after the other, the records of a stream make the table, and each begins where the last one ended."""
    clock = Clock(NOW)
    database = _database(clock)
    for write in program:
        _write(database, clock, *write)
    arn = database.call("ListStreams")["Streams"][0]["StreamArn"]
    (shard,) = database.call("DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    place = database.call("GetShardIterator", **start)
    items: dict[str, Any] = {}
    last = ""
    for record in database.call("GetRecords", **place)["Records"]:
        told = record["dynamodb"]
        name = told["Keys"]["a"]["S"]
        assert items.get(name) == told.get("OldImage")
        assert told.get("OldImage") != told.get("NewImage")
        assert told["SequenceNumber"] > last
        last = told["SequenceNumber"]
        items[name] = told.get("NewImage")
    table = {item["a"]["S"]: item for item in database.call("Scan", TableName="tab")["Items"]}
    assert {name: item for name, item in items.items() if item} == table
    database.engine.close()


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(_WRITES, max_size=15), st.lists(_WRITES, max_size=15))
def test_net_changes_taken_back_give_the_past(
    before: list[tuple[str, str, int]], after: list[tuple[str, str, int]]
) -> None:
    """The old rows of all changes since a moment, put back, make the table what it was; the new ones make it anew."""
    clock = Clock(NOW)
    database = _database(clock)
    session = database.engine._session()
    for write in before:
        _write(database, clock, *write)
    with session.reading() as catalog:
        past = _rows(catalog)
    clock.now += 1
    moment = int(clock.now * 1000)
    for write in after:
        _write(database, clock, *write)
    with session.reading() as catalog:
        present = _rows(catalog)
        log = _log(catalog)
        first, (_, last) = log.first_since(catalog.execute, moment), log.bounds(catalog.execute)
        undone, redone = dict(present), dict(past)
        with NetChanges(log, first, last) as changes:
            while changes.read(catalog.execute):
                pass
            for change in changes.all():
                assert change.at >= moment
                for rows, row in ((undone, change.old), (redone, change.new)):
                    rows.pop(change.key, None)
                    if row is not None:
                        rows[change.key] = row
    assert undone == past
    assert redone == present
    database.engine.close()


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    st.lists(_WRITES, max_size=10), st.lists(_WRITES, max_size=10), st.lists(_WRITES, max_size=20), st.integers(0, 4)
)
def test_the_past_is_read_while_others_write(
    before: list[tuple[str, str, int]],
    after: list[tuple[str, str, int]],
    meanwhile: list[tuple[str, str, int]],
    number: int,
) -> None:
    """Read in pieces between which others write, the past of a table is what it held after the change asked for."""
    clock = Clock(NOW)
    database = _database(clock)
    session = database.engine._session()
    for write in before:
        _write(database, clock, *write)
    with session.reading() as catalog:
        expected = _rows(catalog)
        log = _log(catalog)
        _, last = log.bounds(catalog.execute)
        store = catalog.table("tab").store
    for write in after:
        _write(database, clock, *write)
    found: dict[bytes, Row] = {}
    keys: list[bytes] = []
    with pytest.MonkeyPatch.context() as patched, Past(store, log, last) as past:
        for module in ("catalog", "past"):
            patched.setattr(f"dynamix.engine.tables.{module}.PIECE_ROWS", 1 + number)
        while True:
            with session.reading() as catalog:
                piece = past.piece(catalog.execute)
            if piece is None:
                break
            found |= {key: (size, item) for key, size, item in piece}
            keys += [key for key, _, _ in piece]
            if meanwhile:
                _write(database, clock, *meanwhile.pop())
    assert found == expected
    assert keys == sorted(found)
    database.engine.close()


def test_a_past_that_was_trimmed_is_not_made_up() -> None:
    """Where the log does not reach back to the moment any more, nothing else is told."""
    clock = Clock(NOW)
    database = _database(clock)
    for number in range(10):
        database.put(a="x", n=number)
    with database.engine._session().writing() as catalog:
        log = _log(catalog)
        log.trim(catalog.execute, NOW * 1000 + 10**9, 5)
        with Past(catalog.table("tab").store, log, 4) as past, pytest.raises(TrimmedError):
            past.piece(catalog.execute)
        with NetChanges(log, 5, 9) as changes, pytest.raises(TrimmedError):
            changes.read(catalog.execute)
        with Past(catalog.table("tab").store, log, 5) as past:
            assert len(past.piece(catalog.execute) or ()) == 1
    database.engine.close()


def test_a_time_is_found_in_the_log() -> None:
    """The first change at or after a time, wherever that lies, also of a log of which much is gone."""
    clock = Clock(NOW)
    database = _database(clock)
    for number in range(20):
        clock.now = NOW + 10 * number
        database.put(a="x", n=number)
    with database.engine._session().writing() as catalog:
        log = _log(catalog)
        start = NOW * 1000
        for removed in (0, 7):
            log.trim(catalog.execute, start + 10**9, removed)
            assert log.bounds(catalog.execute) == (1 + removed, 20)
            for at, number in (
                (start, 1),
                (start + 1, 2),
                (start + 50_000, 6),
                (start + 190_000, 20),
                (start + 190_001, 21),
            ):
                assert log.first_since(catalog.execute, at) == max(number, 1 + removed)
        assert log.trim(catalog.execute, start + 10**9, 1000) == 12
        assert log.bounds(catalog.execute) == (20, 20)
    database.put(a="x", n=100)
    with database.engine._session().reading() as catalog:
        assert _log(catalog).bounds(catalog.execute) == (20, 21)
    database.engine.close()


def test_a_log_without_a_sweeper_does_not_grow_for_ever() -> None:
    """Each change removes more old ones than it adds, so a program that ends before any sweep leaves no heap."""
    clock = Clock(NOW)
    database = _database(clock)
    for number in range(2 * MANY):
        database.put(a="x", n=number)
    clock.now += 25 * 3600
    for number in range(MANY):
        database.put(a="y", n=number)
    with database.engine._session().reading() as catalog:
        assert _log(catalog).bounds(catalog.execute) == (2 * MANY + 1, 3 * MANY)
    database.engine.close()


def test_pieces_are_few_rows_or_few_bytes() -> None:
    """Work on a whole table gives way after some rows, or after one when they are large, and sees each row once."""
    database = Database(Engine())
    database.create("a:S")
    for number in range(300):
        database.put(a=str(number), text="x" * (300_000 if number < 8 else 10))
    with database.engine._session().writing() as catalog:
        pieces = list(catalog.pieces(catalog.table("tab").store))
        assert [row for piece in pieces for row in piece] == list(
            catalog.table("tab").store.between(catalog.execute, FIRST, LAST)
        )
    assert len(pieces) > 2
    for piece in pieces:
        assert len(piece) <= 256
        assert sum(size for _, size, _ in piece[:-1]) <= 1024 * 1024
    database.engine.close()
