"""SearchVectors: what it finds, what it shows, what it takes and what it refuses."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dynamix.engine import Engine
from dynamix.engine.storage.memory import Memory
from dynamix.engine.storage.vectors import Behind, Kept, Shape
from dynamix.engine.vectors import arrays, lists
from dynamix.engine.vectors.distances import Function, Wanted
from dynamix.engine.vectors.floats import unpacked
from engine.database import Database, wire
from engine.vector_tables import create, found, keys, search, search_request, vector, vectors

WRONG_VECTOR = (
    "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number "
    "attribute"
)


@pytest.fixture
def database() -> Database:
    return Database(Engine())


@pytest.mark.parametrize(
    ("function", "order", "scores"),
    [
        ("COSINE", "bcad", [0.0, 0.0, 1.0, 2.0]),
        ("EUCLIDEAN", "bacd", [0.0, 1.4142135381698608, 2.0, 2.0]),
        ("DOT_PRODUCT", "cbad", [3.0, 1.0, 0.0, -1.0]),
    ],
)
def test_the_nearest_come_first(database: Database, function: str, order: str, scores: list[float]) -> None:
    """Cosine and Euclidean distances rise, products fall; scores are 32-bit floats."""
    create(database, vectors("vix", 2, function))
    for key, numbers in (("a", (0, 1)), ("b", (1, 0)), ("c", (3, 0)), ("d", (-1, 0))):
        database.put(a=key, e=vector(*numbers))
    database.put(a="without")
    results = found(database, (1, 0))
    assert (keys(results), [result["Score"] for result in results]) == (list(order), scores)
    assert keys(found(database, (1, 0), most=2)) == list(order[:2])


def test_conditions_choose(database: Database) -> None:
    """A HASH attribute is always asked for, filters may be; items without the HASH attribute are in no result."""
    create(database, vectors("vix", 1, hash="t", filters="n f"), vectors("all", 1), others="t:S n:N f:S")
    for key, attributes in (
        ("a", {"t": "x", "n": 1, "f": ""}),
        ("b", {"t": "x", "n": "1.50"}),
        ("c", {"t": "y", "n": 1}),
        ("d", {"n": 1}),
    ):
        database.put(a=key, e=vector(1), **{n: {"N": str(v)} if n == "n" else v for n, v in attributes.items()})
    for tests, expected in (
        ({"t": "x"}, "ab"),
        ({"t": "x", "n": {"N": "1.0"}}, "a"),
        ({"n": {"N": "15e-1"}, "t": "x"}, "b"),
        ({"t": "x", "f": ""}, "a"),
        ({"t": "z"}, ""),
    ):
        assert sorted(keys(found(database, [1], **tests))) == list(expected), tests
    assert sorted(keys(found(database, [1], "all"))) == list("abcd")
    values = {":x": {"S": "x"}, ":one": {"N": "1"}}
    condition = "(:x = #t) AND (n = :one AND t = :x)"
    more: dict[str, Any] = {"ExpressionAttributeNames": {"#t": "t"}, "ExpressionAttributeValues": values}
    assert keys(found(database, [1], SearchConditionExpression=condition, **more)) == ["a"]


def test_what_is_shown_of_an_item(database: Database) -> None:
    """The projection, without the vector unless it is asked for: then as the shortest decimals of its 32-bit floats."""
    indexes = [vectors("vix", 2), vectors("inc", 2, "COSINE", "x"), vectors("key", 2, projection="KEYS_ONLY", hash="t")]
    create(database, *indexes, others="t:S")
    item = {"a": "1", "t": "T", "x": {"M": {"y": {"N": "1"}, "z": {"S": "s"}}}, "z": {"SS": ["p", "q"]}}
    database.put(e=vector("0.1", "16777217"), **item)
    assert found(database, (1, 0))[0]["Item"] == wire(item)
    assert found(database, (1, 0), "inc")[0]["Item"] == wire({"a": "1", "x": item["x"]})
    assert found(database, (1, 0), "key", t="T")[0]["Item"] == wire({"a": "1", "t": "T"})
    floats = vector("0.1", "16777216.0")
    assert found(database, (1, 0), ProjectionExpression="e, x.y, lacking")[0]["Item"] == {
        "e": floats,
        "x": {"M": {"y": {"N": "1"}}},
    }
    assert found(database, (1, 0), ProjectionExpression="e[1]")[0]["Item"] == {"e": {"L": floats["L"][1:]}}
    assert database.get(a="1") == wire({"e": vector("0.1", "16777217"), **item})
    refused = "One or more parameter values were invalid: Vector index inc does not project [t, z]"
    request = search_request((1, 0), "inc", ProjectionExpression="z, t.u, x, e, a")
    assert database.refusal("SearchVectors", **request) == ("ValidationException", refused)


def test_writes_of_every_kind_are_seen(database: Database) -> None:
    """Puts, updates, deletes, batches, transactions and statements change what the next search finds."""
    create(database, vectors("vix", 1, "EUCLIDEAN", filters="t"), others="t:S")

    def present() -> str:
        return "".join(keys(found(database, [0])))

    assert present() == ""
    database.put(a="b", e=vector(2))
    database.put(a="a", e=vector(1), t="x")
    assert present() == "ab"
    values = {":e": vector(3)}
    update = {"TableName": "tab", "Key": wire({"a": "a"})}
    database.call("UpdateItem", UpdateExpression="SET e = :e", ExpressionAttributeValues=values, **update)
    assert present() == "ba"
    assert keys(found(database, [0], t="x")) == ["a"]
    values = {":n": {"N": "0.5"}, ":y": {"S": "y"}}
    database.call("UpdateItem", UpdateExpression="SET e[0] = :n, t = :y", ExpressionAttributeValues=values, **update)
    assert present() == "ab"
    assert keys(found(database, [0], t="x")) == []
    assert keys(found(database, [0], t="y")) == ["a"]
    database.call("UpdateItem", UpdateExpression="REMOVE e", **update)
    assert present() == "b"
    requests = [
        {"PutRequest": {"Item": wire({"a": "c", "e": vector(1)})}},
        {"DeleteRequest": {"Key": wire({"a": "b"})}},
    ]
    database.call("BatchWriteItem", RequestItems={"tab": requests})
    assert present() == "c"
    items = [{"Put": {"TableName": "tab", "Item": wire({"a": key, "e": vector(2)})}} for key in "de"]
    database.call(
        "TransactWriteItems", TransactItems=[*items, {"Delete": {"TableName": "tab", "Key": wire({"a": "c"})}}]
    )
    assert sorted(present()) == ["d", "e"]
    database.call("ExecuteStatement", Statement="UPDATE tab SET e=[1] WHERE a='e'")
    database.call("ExecuteStatement", Statement="INSERT INTO tab VALUE {'a': 'f', 'e': [0.5]}")
    assert present() == "fed"
    condition = {"TableName": "tab", "Key": wire({"a": "z"}), "ConditionExpression": "attribute_exists(a)"}
    items[0]["Put"]["Item"]["e"] = vector(0)
    database.refusal("TransactWriteItems", TransactItems=[items[0], {"ConditionCheck": condition}])
    assert present() == "fed"
    assert database.call("DescribeTable", TableName="tab")["Table"]["VectorIndexes"][0]["ItemCount"] == 3


def test_removed_items_are_not_found() -> None:
    """What time to live has removed is in no result; until then it is seen."""
    from engine.database import Clock

    clock = Clock()
    engine = Engine(clock=clock, sweep_seconds=None)
    database = Database(engine)
    create(database, vectors("vix", 1))
    specification = {"Enabled": True, "AttributeName": "ttl"}
    database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=specification)
    database.put(a="a", e=vector(1), ttl=int(clock.now) + 10)
    database.put(a="b", e=vector(1))
    assert len(found(database, [1])) == 2
    clock.now += 20
    assert len(found(database, [1])) == 2
    engine.expire()
    assert keys(found(database, [1])) == ["b"]


def test_hundreds_of_deletes_and_puts_are_seen(database: Database) -> None:
    """However many items go and come between two searches, the results are those of a table made of what is left."""
    create(database, vectors("vix", 1, "EUCLIDEAN"))

    def write(*requests: dict[str, Any]) -> None:
        for start in range(0, len(requests), 25):
            database.call("BatchWriteItem", RequestItems={"tab": list(requests[start : start + 25])})

    def put(number: int, place: int) -> dict[str, Any]:
        return {"PutRequest": {"Item": wire({"a": str(number), "e": vector(place)})}}

    def delete(number: int) -> dict[str, Any]:
        return {"DeleteRequest": {"Key": wire({"a": str(number)})}}

    expected = {number: number for number in range(400)}
    write(*(put(*pair) for pair in expected.items()))
    for gone in (range(60), range(60, 70), range(100, 300, 2), range(395, 400)):
        assert keys(found(database, [0], most=100)) == [str(number) for number in sorted(expected)][:100]
        write(*(delete(number) for number in gone))
        for number in gone:
            del expected[number]
    moved = {number: 1000 - number for number in range(300, 320)} | {1000: -1}
    write(*(put(*pair) for pair in moved.items()))
    expected |= moved
    order = [str(n) for n in sorted(expected, key=lambda number: abs(expected[number]))]
    assert keys(found(database, [0], most=100)) == order[:100]
    assert (
        keys(found(database, [1000], most=100))
        == [str(n) for n in sorted(expected, key=lambda number: 1000 - expected[number])][:100]
    )


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            {"TopK": 101},
            "ValidationException",
            "Provided TopK value '101' is out of valid range. The value must be between 1 and 100 inclusive",
        ),
        (
            {"TopK": 0},
            "ValidationException",
            "1 validation error detected: Value '0' at 'topK' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1",
        ),
        ({"IndexName": "gsi"}, "ValidationException", "The table does not have the specified index: gsi"),
        ({"TableName": "none"}, "ResourceNotFoundException", "Requested resource not found"),
        (
            {"SearchVector": vector(1, 2)["L"]},
            "ValidationException",
            "Input search vector dimension 2 does not match vector index dimension 3",
        ),
        ({"SearchVector": vector(1, 2, "1e39")["L"]}, "ValidationException", WRONG_VECTOR),
        ({"SearchVector": vector(1, 2, "x")["L"]}, "ValidationException", WRONG_VECTOR),
        ({"SearchVector": [*vector(1, 2)["L"], {"S": "1"}]}, "ValidationException", WRONG_VECTOR),
        (
            {"SearchConditionExpression": None},
            "ValidationException",
            "SearchConditionExpression must be provided when SearchSchema has a HASH key",
        ),
        (
            {"SearchConditionExpression": "t = :t AND tenant = :t"},
            "ValidationException",
            "SearchConditionExpression must not contain any attributes that is not in SearchSchema. "
            "Invalid attribute: tenant",
        ),
        (
            {"SearchConditionExpression": "t > :t"},
            "ValidationException",
            "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression",
        ),
        (
            {"SearchConditionExpression": "t = :t OR t = :t"},
            "ValidationException",
            "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression",
        ),
        (
            {"SearchConditionExpression": "t = :t AND attribute_exists(f)"},
            "ValidationException",
            "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression",
        ),
        (
            {"SearchConditionExpression": "t = f AND :t = t"},
            "ValidationException",
            "Invalid SearchConditionExpression: A condition compares an attribute with a value",
        ),
        (
            {"SearchConditionExpression": "t.u = :t"},
            "ValidationException",
            "Invalid SearchConditionExpression: A condition names attributes of the SearchSchema, not what is in them",
        ),
        (
            {"SearchConditionExpression": "f = :t"},
            "ValidationException",
            "SearchConditionExpression missed the HASH key of SearchSchema: t",
        ),
        (
            {"ExpressionAttributeValues": {":t": {"N": "1"}}},
            "ValidationException",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            {"ExpressionAttributeValues": {}},
            "ValidationException",
            "ExpressionAttributeValues must not be empty",
        ),
        (
            {"ExpressionAttributeNames": {"#x": "x"}},
            "ValidationException",
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
    ],
)
def test_what_cannot_be_searched(database: Database, request_: dict[str, Any], code: str, message: str) -> None:
    """Each wrong part of a search is refused in words that name it."""
    create(database, vectors("vix", hash="t", filters="f"), others="t:S f:S")
    request = search_request((1, 2, 3), t="x") | request_
    if request_.get("SearchConditionExpression", "") is None:
        del request["SearchConditionExpression"], request["ExpressionAttributeValues"]
    assert database.refusal("SearchVectors", **request) == (code, message)


def test_a_vector_index_is_only_searched(database: Database) -> None:
    """Queries, scans and statements do not read it."""
    create(database, vectors("vix"))
    key = {"KeyConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}}
    for operation, request in (
        ("Scan", {"TableName": "tab", "IndexName": "vix"}),
        ("Query", {"TableName": "tab", "IndexName": "vix", **key}),
    ):
        refused = f"{operation} operation not supported on this index type"
        assert database.refusal(operation, **request) == ("ValidationException", refused)
    code, message = database.refusal("ExecuteStatement", Statement='SELECT * FROM "tab"."vix"')
    assert (code, message) == ("ValidationException", "Scan operation not supported on this index type")


def test_a_table_is_found_by_its_arn(database: Database) -> None:
    """TableName may be the ARN."""
    made = create(database, vectors("vix", 1))["TableDescription"]
    database.put(a="x", e=vector(1))
    assert keys(found(database, [1], TableName=made["TableArn"])) == ["x"]


def test_an_answer_ends_at_16_megabytes(database: Database) -> None:
    """Of results that are larger together, those that fit are given."""
    create(database, vectors("vix", 1, "EUCLIDEAN"))
    for number in range(50):
        database.put(a=f"{number:02d}", e=vector(number), x="x" * 390_000)
    results = found(database, [0], most=50)
    assert keys(results) == [f"{number:02d}" for number in range(len(results))]
    assert len(results) == 16 * 1024 * 1024 // 390_050
    assert len(found(database, [0], most=50, ProjectionExpression="a")) == 50


def test_what_a_search_takes_is_told(database: Database) -> None:
    """In bytes, for TOTAL and INDEXES alike, at least a kilobyte."""
    create(database, vectors("vix", 8))
    assert "ConsumedCapacity" not in search(database, [1] * 8)
    for number in range(40):
        for mode in ("TOTAL", "INDEXES"):
            taken = search(database, [1] * 8, ReturnConsumedCapacity=mode)["ConsumedCapacity"]
            assert taken == {"VectorSearchRequestBytes": float(max(1024, 32 * number))}
        database.put(a=str(number), e=vector(*[number] * 8))


def test_snapshots_keep_vectors_right(database: Database) -> None:
    """After a restored copy searches find what it has, also where versions of both have the same number."""
    create(database, vectors("vix", 1, "EUCLIDEAN"))
    database.put(a="old", e=vector(1))
    empty = database.engine.snapshot()
    database.put(a="new", e=vector(0))
    assert keys(found(database, [0])) == ["new", "old"]
    database.engine.restore(empty)
    database.put(a="other", e=vector(2))
    assert keys(found(database, [0])) == ["old", "other"]
    other = Database(Engine())
    other.engine.restore(empty)
    other.put(a="mine", e=vector(0))
    assert keys(found(other, [0])) == ["mine", "old"]


def test_a_file_keeps_vectors(tmp_path: Path) -> None:
    """A search after a new start finds what was stored, and the same file restored what the copy has."""
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    create(database, vectors("vix", 1, "EUCLIDEAN"))
    database.put(a="a", e=vector(1))
    database.engine.close()
    database = Database(Engine(path))
    assert keys(found(database, [0])) == ["a"]
    copy = database.engine.snapshot()
    database.put(a="b", e=vector(0))
    database.engine.restore(copy)
    database.put(a="c", e=vector(0))
    assert keys(found(database, [0])) == ["c", "a"]
    database.engine.close()


def test_a_file_of_an_older_layout_may_have_vectors(tmp_path: Path) -> None:
    """A table that was made before there were vector indexes gets one when its file is opened now."""
    path = tmp_path / "file.db"
    connection = sqlite3.connect(path)
    connection.executescript(Path(__file__).with_name("layout1.sql").read_text())
    connection.close()
    database = Database(Engine(path))
    database.call("UpdateTable", TableName="plain", BillingMode="PAY_PER_REQUEST")
    updates = [{"Create": vectors("vix", 2)}]
    database.call("UpdateTable", TableName="plain", VectorIndexUpdates=updates)
    database.put(table="plain", a="new", e=vector(1, 2))
    assert keys(found(database, [1, 2], TableName="plain")) == ["new"]
    database.engine.close()


def test_an_older_transaction_is_begun_again(tmp_path: Path) -> None:
    """What is kept of a later version answers no transaction that sees an older one."""
    database = Database(Engine(tmp_path / "file.db"))
    create(database, vectors("vix", 1, "EUCLIDEAN"))
    database.put(a="a", e=vector(1))
    older, kept = database.engine._session(), database.engine._session().vectors
    with older.reading() as catalog:
        rows = catalog.table("tab").vectors[0].rows
        arguments = (catalog, rows, Shape(1, 0), Wanted(Function.EUCLIDEAN, [0.0], 3))
        assert [score for score, _ in kept.nearest(*arguments)] == [1.0]
        database.put(a="b", e=vector(2))
        assert [score for score, _ in kept.nearest(*arguments)] == [1.0]
        assert keys(found(database, [0])) == ["a", "b"]
        with pytest.raises(Behind):
            kept.nearest(*arguments)
    with older.reading() as catalog:
        assert [score for score, _ in kept.nearest(catalog, *arguments[1:])] == [1.0, 2.0]
    database.engine.close()


def test_the_first_searches_may_come_together(tmp_path: Path) -> None:
    """Many threads that search at once before anything is kept find the same."""
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    create(database, vectors("vix", 2, "EUCLIDEAN"))
    for number in range(50):
        database.put(a=str(number), e=vector(number, 0))
    results: list[list[str]] = []
    ready = threading.Barrier(8)

    def first() -> None:
        ready.wait()
        results.append(keys(found(database, [0, 0], most=3)))

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [["0", "1", "2"]] * 8
    database.engine.close()


WRITER = """
import sys
from dynamix.engine import Engine
from engine.database import Database
from engine.vector_tables import vector
database = Database(Engine(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 100):
    database.put(a=str(number), e=vector(number))
    if number % 3 == 0:
        database.call("DeleteItem", TableName="tab", Key={"a": {"S": str(number)}})
    if number % 10 == 7:
        database.put(a=str(number), e=vector(-number))
"""


@pytest.mark.parametrize("loaded", [False, True], ids=["read", "compared"])
@pytest.mark.parametrize("kept_in", [arrays, lists])
def test_a_search_in_memory_keeps_nobody_waiting(
    kept_in: ModuleType, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write while vectors are read and compared; what they have changed by the end is seen."""
    monkeypatch.setattr("dynamix.engine.storage.vectors.library", lambda: kept_in)
    monkeypatch.setattr("dynamix.engine.vectors.rows._PIECE_ROWS", 3)
    monkeypatch.setattr("dynamix.engine.storage.vectors._LONG_SECONDS", 0.0)
    monkeypatch.setattr(kept_in, "BLOCK_BYTES", 5 * 8)
    database = Database(Engine())
    create(database, vectors("vix", 2, "EUCLIDEAN"))
    for number in range(20):
        database.put(a=str(number), e=vector(number, 0))
    if loaded:
        assert keys(found(database, (0, 0), most=2)) == ["0", "1"]
    give_way = Memory.give_way
    turns: list[int] = []
    writes = [{"DeleteRequest": {"Key": wire({"a": "0"})}}]
    writes += [
        {"PutRequest": {"Item": wire({"a": a, "e": vector(0, n)})}} for a, n in (("1", 9), ("19", 1), ("new", 0))
    ]

    def giving_way(memory: Memory) -> None:
        turns.append(1)
        if len(turns) == 3:
            other = threading.Thread(target=lambda: database.call("BatchWriteItem", RequestItems={"tab": writes}))
            other.start()
            while not memory.turn.waiting:
                time.sleep(0.001)
        give_way(memory)

    monkeypatch.setattr(Memory, "give_way", giving_way)
    assert keys(found(database, (0, 0), most=3)) == ["new", "19", "2"]
    assert len(turns) > 6
    database.engine.close()


def test_writes_of_other_processes_are_seen(tmp_path: Path) -> None:
    """Threads search while other processes write: each result is one that was stored, and at the end all are found."""
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    create(database, vectors("vix", 1, "EUCLIDEAN"))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(100 * number)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for number in range(2)
    ]
    wrong: list[Any] = []

    def watch() -> None:
        while any(writer.poll() is None for writer in writers):
            results = found(database, [0], most=100, ProjectionExpression="a, e")
            scores = [result["Score"] for result in results]
            stored = [abs(float(result["Item"]["e"]["L"][0]["N"])) for result in results]
            if scores != stored or scores != sorted(scores) or len(set(keys(results))) != len(results):
                wrong.append(results)

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ([writer.returncode for writer in writers], wrong) == ([0, 0], [])
    left = [number for number in range(200) if number % 3 or number % 10 == 7]
    assert keys(found(database, [0], most=100)) == list(map(str, left))[:100]
    assert keys(found(database, [-1000], most=20)) == [str(number) for number in reversed(range(7, 200, 10))]
    database.engine.close()


@pytest.mark.parametrize("place", ["memory", "file"])
def test_memory_is_bounded(place: str, tmp_path: Path) -> None:
    """An index that has no room is read anew by each search, and one that was not used for longest makes room."""
    database = Database(Engine() if place == "memory" else Engine(tmp_path / "file.db"))
    create(database, vectors("one", 4, "EUCLIDEAN"), vectors("two", 4, "EUCLIDEAN"))
    for number in range(300):
        database.put(a=str(number), e=vector(number, 0, 0, 0))
    session = database.engine._session()
    shape, wanted = Shape(4, 0), Wanted(Function.EUCLIDEAN, [0.0] * 4, 3)
    for most, kept_one, kept_two in ((0, False, False), (15_000, False, True), (1 << 20, True, True)):
        kept = Kept(most)
        with session.reading() as catalog:
            one, two = (index.rows for index in catalog.table("tab").vectors)
            for rows in (one, two):
                assert [score for score, _ in kept.nearest(catalog, rows, shape, wanted)] == [0.0, 1.0, 2.0]
        assert (one.id in kept._indexes, two.id in kept._indexes) == (kept_one, kept_two)
    database.engine.close()


PLAIN_PYTHON = """
import sys
sys.modules["numpy"] = None
from dynamix.engine import Engine
from engine.database import Database
from engine.vector_tables import create, found, keys, vector, vectors
database = Database(Engine(sys.argv[1]))
print(keys(found(database, [0, 0], most=7)))
database.put(a="0", e=vector(0, 0))
print(keys(found(database, [0, 0], most=7)))
"""


def test_numpy_is_not_needed(tmp_path: Path) -> None:
    """Without numpy the same is found; and numpy is not imported before the first search."""
    path = tmp_path / "file.db"
    database = Database(Engine(path))
    create(database, vectors("vix", 2, "EUCLIDEAN"))
    for number in range(1, 20):
        database.put(a=str(number), e=vector(number * 7 % 20, 1))
    expected = [keys(found(database, [0, 0], most=7))]
    expected.append(["0", *expected[0][:6]])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_PYTHON, path], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == list(map(str, expected))
    imported = "import sys, dynamix.engine; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", imported], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    database.engine.close()


def test_vectors_are_stored_as_floats(database: Database) -> None:
    """Four bytes a dimension, whatever the list of numbers takes."""
    create(database, vectors("vix", 3))
    database.put(a="a", e=vector("0.10000000000000000000001", 1, -2))
    session = database.engine._session()
    with session.reading() as catalog:
        (index,) = catalog.table("tab").vectors
        ((_, marks, floats),) = index.rows.all(catalog.execute)
    assert (marks, unpacked(floats).tolist()) == (b"", [0.10000000149011612, 1.0, -2.0])
