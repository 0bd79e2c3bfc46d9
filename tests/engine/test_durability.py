"""What the engine has answered is in its file, whatever happens to the process; processes share a file without loss."""

import json
import multiprocessing
import random
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from dynamix.engine import Engine
from dynamix.engine.operations import copying

KILLS = 10
WRITERS = 4
ROUNDS = 100
ACCOUNTS = 4
processes = multiprocessing.get_context("spawn")


def ask(engine: Engine, operation: str, request: dict[str, Any], *, may_cancel: bool = False) -> dict[str, Any]:
    """The answer, which must be good, or a cancelled transaction where that may be."""
    status, body = engine.handle(operation, json.dumps(request).encode())
    answer: dict[str, Any] = json.loads(body)
    assert status == 200 or (may_cancel and answer["__type"].endswith("#TransactionCanceledException")), answer
    return answer


def opened(path: str) -> Engine:
    """The file as an engine, with its table if it is new."""
    engine = Engine(path)
    if not ask(engine, "ListTables", {})["TableNames"]:
        definition = {
            "TableName": "Kept",
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "N"} for n in ("id", "other")],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-other",
                    "KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        }
        ask(engine, "CreateTable", definition)
    return engine


def item(number: int) -> dict[str, Any]:
    text = {"S": str(number) * 500}
    return {"id": {"N": str(number)}, "other": {"N": str(number % 7)}, "first": text, "second": text}


def get(engine: Engine, number: int) -> dict[str, Any] | None:
    found: dict[str, Any] | None = ask(engine, "GetItem", {"TableName": "Kept", "Key": {"id": {"N": str(number)}}}).get(
        "Item"
    )
    return found


def put_singly(engine: Engine, number: int) -> None:
    for id_ in (2 * number, 2 * number + 1):
        ask(engine, "PutItem", {"TableName": "Kept", "Item": item(id_)})


def put_in_a_transaction(engine: Engine, number: int) -> None:
    actions = [{"Put": {"TableName": "Kept", "Item": item(id_)}} for id_ in (2 * number, 2 * number + 1)]
    ask(engine, "TransactWriteItems", {"TransactItems": actions})


def write_and_tell(path: str, write: Callable[[Engine, int], None], first: int, told: Connection) -> None:
    """Writes without end and tells each number once its writes are answered."""
    engine = opened(path)
    number = first
    while True:
        write(engine, number)
        told.send(number)
        number += 1


def inserted(engine: Engine) -> list[dict[str, Any]]:
    """The items that the stream tells to have come into being, in their order; it must tell nothing else."""
    arn = ask(engine, "ListStreams", {})["Streams"][0]["StreamArn"]
    (shard,) = ask(engine, "DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    page = {"NextShardIterator": ask(engine, "GetShardIterator", start)["ShardIterator"], "Records": [None]}
    items = []
    while page["Records"]:
        page = ask(engine, "GetRecords", {"ShardIterator": page["NextShardIterator"]})
        assert {record["eventName"] for record in page["Records"]} <= {"INSERT"}
        items += [record["dynamodb"]["NewImage"] for record in page["Records"]]
    return items


@pytest.mark.parametrize("write", [put_singly, put_in_a_transaction])
def test_answered_writes_survive_a_kill(tmp_path: Path, write: Callable[[Engine, int], None]) -> None:
    """A process is killed at any moment, again and again: every answered write is there, and no partial one."""
    path = str(tmp_path / "kept.db")
    opened(path).close()
    rng = random.Random(7)
    answered = -1
    for _ in range(KILLS):
        told, tell = processes.Pipe(duplex=False)
        writer = processes.Process(target=write_and_tell, args=(path, write, answered + 1, tell))
        writer.start()
        tell.close()
        answered = told.recv()
        time.sleep(rng.random() * 0.05)
        writer.kill()
        writer.join()
        while True:
            try:
                answered = told.recv()
            except EOFError:
                break
    engine = opened(path)
    for id_ in range(2 * answered + 2):
        assert get(engine, id_) == item(id_)
    unanswered = [get(engine, 2 * answered + 2), get(engine, 2 * answered + 3)]
    assert unanswered[0] in (None, item(2 * answered + 2))
    assert unanswered[1] in (None, item(2 * answered + 3))
    more = [item(2 * answered + 2 + number) for number, found in enumerate(unanswered) if found]
    assert inserted(engine) == [item(id_) for id_ in range(2 * answered + 2)] + more
    if write is put_in_a_transaction:
        assert (unanswered[0] is None) == (unanswered[1] is None)
    stored = {"table": count(engine, {}), "index": count(engine, {"IndexName": "by-other"})}
    assert stored["table"] == stored["index"] == 2 * answered + 2 + sum(found is not None for found in unanswered)
    engine.close()


def count(engine: Engine, options: dict[str, str], table: str = "Kept") -> int:
    """How many items a scan finds."""
    total, start = 0, {}
    while True:
        page = ask(engine, "Scan", {"TableName": table, "Select": "COUNT", **options, **start})
        total += page["Count"]
        if "LastEvaluatedKey" not in page:
            return total
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def back_up_and_tell(path: str, first: int, told: Connection) -> None:
    """Backs up and restores without end, and tells each name once the table is there; makes and deletes what it can."""
    copying.LARGE_ROWS = 100
    engine = opened(path)
    ask(engine, "UpdateContinuousBackups", {"TableName": "Kept", "PointInTimeRecoverySpecification": RECOVERED})
    number = first
    while True:
        put_in_a_transaction(engine, number)
        made = ask(engine, "CreateBackup", {"TableName": "Kept", "BackupName": f"backup-{number}"})["BackupDetails"]
        target = {"TargetTableName": f"table-{number}"}
        if number % 2:
            ask(engine, "RestoreTableFromBackup", {"BackupArn": made["BackupArn"], **target})
        else:
            latest = {"SourceTableName": "Kept", "UseLatestRestorableTime": True}
            ask(engine, "RestoreTableToPointInTime", latest | target)
        told.send(number)
        number += 1


RECOVERED = {"PointInTimeRecoveryEnabled": True}


def test_backups_survive_a_kill(tmp_path: Path) -> None:
    """A process is killed amid backups and restores: those that were answered are whole, and nothing else is left."""
    path = str(tmp_path / "kept.db")
    engine = opened(path)
    for id_ in range(2000, 2200):
        ask(engine, "PutItem", {"TableName": "Kept", "Item": item(id_)})
    engine.close()
    rng = random.Random(7)
    answered = -1
    for _ in range(KILLS // 3):
        told, tell = processes.Pipe(duplex=False)
        worker = processes.Process(target=back_up_and_tell, args=(path, answered + 2, tell))
        worker.start()
        tell.close()
        answered = told.recv()
        time.sleep(rng.random() * 0.05)
        worker.kill()
        worker.join()
        while True:
            try:
                answered = told.recv()
            except EOFError:
                break
    engine = opened(path)
    with engine._session().writing() as catalog:
        catalog.execute("UPDATE unfinished SET beat = 0")  # as after a minute
    engine.expire()
    tables = [name for name in ask(engine, "ListTables", {})["TableNames"] if name != "Kept"]
    backups = ask(engine, "ListBackups", {})["BackupSummaries"]
    assert f"table-{answered}" in tables
    assert f"backup-{answered}" in [backup["BackupName"] for backup in backups]
    for name in tables:
        described = ask(engine, "DescribeTable", {"TableName": name})["Table"]
        held = count(engine, {}, name)
        assert held == count(engine, {"IndexName": "by-other"}, name) == described["ItemCount"] >= 202
        assert held % 2 == 0  # both items of a transaction, or none
    engine.check()
    with engine._session().reading() as catalog:
        assert catalog.named("Kept").record.copying == {}
        stores = catalog.execute("SELECT COUNT(*) FROM stores").fetchone()[0]
        names = catalog.execute("SELECT name FROM sqlite_master WHERE name GLOB 's[0-9]*'").fetchall()
    assert stores == len(names) == 2 * (len(tables) + 1) + len(backups)
    engine.close()


def add_ones(path: str) -> None:
    engine = opened(path)
    for _ in range(ROUNDS):
        request = {
            "TableName": "Kept",
            "Key": {"id": {"N": "1"}},
            "UpdateExpression": "ADD counted :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        ask(engine, "UpdateItem", request)
    engine.close()


def move_money(path: str, seed: int) -> None:
    """Moves one from an account to another, if there is one, and looks that the sum is the same."""
    engine = opened(path)
    rng = random.Random(seed)
    for _ in range(ROUNDS):
        source, sink = rng.sample(range(ACCOUNTS), 2)
        actions: list[dict[str, Any]] = []
        for account, sign in ((source, "-"), (sink, "+")):
            update: dict[str, Any] = {
                "TableName": "Kept",
                "Key": {"id": {"N": str(account)}},
                "UpdateExpression": f"SET money = money {sign} :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
            if sign == "-":
                update["ConditionExpression"] = "money >= :one"
            actions.append({"Update": update})
        ask(engine, "TransactWriteItems", {"TransactItems": actions}, may_cancel=True)
        assert money(engine) == 10 * ACCOUNTS
    engine.close()


def money(engine: Engine) -> int:
    """The sum of all accounts, read at one moment."""
    gets = [{"Get": {"TableName": "Kept", "Key": {"id": {"N": str(account)}}}} for account in range(ACCOUNTS)]
    answer = ask(engine, "TransactGetItems", {"TransactItems": gets})
    return sum(int(found["Item"]["money"]["N"]) for found in answer["Responses"])


def run_all(target: Callable[..., None], arguments: list[tuple[Any, ...]]) -> None:
    """Runs the function in processes at once; each must end well."""
    running = [processes.Process(target=target, args=each) for each in arguments]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0] * len(running)


def test_processes_lose_no_update(tmp_path: Path) -> None:
    """Counters incremented by several processes at once have every increment; no lock is seen."""
    path = str(tmp_path / "kept.db")
    opened(path).close()
    run_all(add_ones, [(path,)] * WRITERS)
    engine = opened(path)
    assert get(engine, 1) == {"id": {"N": "1"}, "counted": {"N": str(WRITERS * ROUNDS)}}
    engine.close()


def test_processes_see_whole_transactions(tmp_path: Path) -> None:
    """Transactions of several processes keep a sum, and nobody reads the middle of one."""
    path = str(tmp_path / "kept.db")
    engine = opened(path)
    for account in range(ACCOUNTS):
        accounts = {"id": {"N": str(account)}, "money": {"N": "10"}}
        ask(engine, "PutItem", {"TableName": "Kept", "Item": accounts})
    run_all(move_money, [(path, seed) for seed in range(WRITERS)])
    assert money(engine) == 10 * ACCOUNTS
    engine.close()


def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """The first use of a file is safe too."""
    run_all(_open_and_list, [(str(tmp_path / "new.db"),)] * WRITERS)


def _open_and_list(path: str) -> None:
    engine = Engine(path)
    ask(engine, "ListTables", {})
    engine.close()
