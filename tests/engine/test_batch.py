"""Batches: many items at once, each for itself."""

import pytest

from engine.database import Database, index, wire


@pytest.fixture
def database() -> Database:
    database = Database()
    database.create("a:S b:N")
    database.create("a:S", name="other")
    return database


def test_batches_write_and_read_several_tables(database: Database) -> None:
    """Puts and deletes take effect, and the items that exist come back by table."""
    database.put(a="x", b=1)
    answer = database.call(
        "BatchWriteItem",
        RequestItems={
            "tab": [
                {"DeleteRequest": {"Key": wire({"a": "x", "b": 1})}},
                {"PutRequest": {"Item": wire({"a": "x", "b": 2, "c": 3})}},
            ],
            "other": [{"PutRequest": {"Item": wire({"a": "x"})}}],
        },
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer == {
        "UnprocessedItems": {},
        "ConsumedCapacity": [{"TableName": "tab", "CapacityUnits": 2}, {"TableName": "other", "CapacityUnits": 1}],
    }
    answer = database.call(
        "BatchGetItem",
        RequestItems={
            "tab": {"Keys": [wire({"a": "x", "b": number}) for number in (1, 2)], "ProjectionExpression": "c"},
            "other": {"Keys": [wire({"a": "x"})], "ConsistentRead": True},
        },
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer == {
        "Responses": {"tab": [wire({"c": 3})], "other": [wire({"a": "x"})]},
        "UnprocessedKeys": {},
        "ConsumedCapacity": [{"TableName": "tab", "CapacityUnits": 1}, {"TableName": "other", "CapacityUnits": 1}],
    }


def test_duplicates_are_refused(database: Database) -> None:
    """Two requests for one item are an error, also where the number is written differently."""
    keys = [{"a": {"S": "x"}, "b": {"N": number}} for number in ("1", "1.0")]
    expected = ("ValidationException", "Provided list of item keys contains duplicates")
    assert database.refusal("BatchGetItem", RequestItems={"tab": {"Keys": keys}}) == expected
    writes = [{"PutRequest": {"Item": keys[0]}}, {"DeleteRequest": {"Key": keys[1]}}]
    assert database.refusal("BatchWriteItem", RequestItems={"tab": writes}) == expected


def test_a_batch_write_is_checked_before_it_begins(database: Database) -> None:
    """An invalid request changes nothing, even where others of the batch were fine."""
    writes = [{"PutRequest": {"Item": wire({"a": "x", "b": 1})}}, {"PutRequest": {"Item": wire({"a": "x"})}}]
    code, _ = database.refusal("BatchWriteItem", RequestItems={"tab": writes})
    assert code == "ValidationException"
    code, _ = database.refusal(
        "BatchWriteItem", RequestItems={"tab": writes[:1], "nope": [{"PutRequest": {"Item": wire({"a": "x"})}}]}
    )
    assert code == "ResourceNotFoundException"
    assert database.get(a="x", b=1) is None


@pytest.mark.parametrize("part", [{}, {"PutRequest": {"Item": {"a": {"S": "x"}}}, "DeleteRequest": {"Key": {}}}])
def test_a_write_is_a_put_or_a_delete(database: Database, part: dict[str, object]) -> None:
    """Each part of a batch write is one of the two."""
    code, message = database.refusal("BatchWriteItem", RequestItems={"other": [part]})
    assert code == "ValidationException"
    assert message.startswith("Supplied AttributeValue has more than one datatypes set")


def test_what_just_fits_into_an_answer_is_in_it(database: Database) -> None:
    """Items of one partition that have 1 MB to the byte are all answered; with one byte more the last is left."""
    name_bytes = len("a" + "x" + "b" + "d") + 2  # a number of one digit has two bytes
    sizes = [400_000, 400_000, 1024 * 1024 - 800_000]
    for number, size in enumerate(sizes, start=1):
        database.put(a="x", b=number, d="y" * (size - name_bytes))
    asked = {"tab": {"Keys": [wire({"a": "x", "b": number}) for number in (1, 2, 3)]}}
    assert database.call("BatchGetItem", RequestItems=asked)["UnprocessedKeys"] == {}
    database.put(a="x", b=1, d="y" * (sizes[0] - name_bytes + 1))
    left = database.call("BatchGetItem", RequestItems=asked)["UnprocessedKeys"]
    assert left["tab"]["Keys"] == [wire({"a": "x", "b": 3})]


def test_large_answers_leave_keys_unprocessed(database: Database) -> None:
    """What would pass 16 MB in all, or 1 MB of one partition, is left to be asked again; nothing is lost."""
    for number in range(60):
        database.put(table="other", a=f"{number}", d="y" * 390_000)
    left = {"Keys": [wire({"a": f"{number}"}) for number in range(60)], "ProjectionExpression": "a"}
    found = []
    rounds = 0
    while left:
        answer = database.call("BatchGetItem", RequestItems={"other": left})
        found += [item["a"]["S"] for item in answer["Responses"]["other"]]
        left = answer["UnprocessedKeys"].get("other")
        rounds += 1
        assert left is None or left["ProjectionExpression"] == "a"
    assert (sorted(found), rounds) == (sorted(str(number) for number in range(60)), 2)
    for number in range(4):
        database.put(a="x", b=number, d="y" * 390_000)
    answer = database.call(
        "BatchGetItem", RequestItems={"tab": {"Keys": [wire({"a": "x", "b": number}) for number in range(4)]}}
    )
    assert len(answer["Responses"]["tab"]) == 2
    assert answer["UnprocessedKeys"]["tab"]["Keys"] == [wire({"a": "x", "b": number}) for number in (2, 3)]


def test_a_batch_has_limits_over_all_its_tables(database: Database) -> None:
    """25 writes and 100 keys, wherever they go."""
    writes = {
        name: [{"PutRequest": {"Item": wire({"a": f"{number}", "b": 1})}} for number in range(13)]
        for name in ("tab", "other")
    }
    assert database.refusal("BatchWriteItem", RequestItems=writes) == (
        "ValidationException",
        "Too many items requested for the BatchWriteItem call",
    )
    keys = {name: {"Keys": [wire({"a": f"{number}"}) for number in range(51)]} for name in ("tab", "other")}
    assert database.refusal("BatchGetItem", RequestItems=keys) == (
        "ValidationException",
        "Too many items requested for the BatchGetItem call",
    )


def test_a_batch_tells_its_collections(database: Database) -> None:
    """For each write to a table with local indexes, where asked; tables without have none."""
    database.create("a:S b:N", name="third", LocalSecondaryIndexes=[index("lsi", "a:S c:S")])
    put, delete = (
        {"PutRequest": {"Item": wire({"a": "x", "b": 1})}},
        {"DeleteRequest": {"Key": wire({"a": "y", "b": 1})}},
    )
    requests = {"tab": [put], "third": [put, delete]}
    answer = database.call("BatchWriteItem", RequestItems=requests, ReturnItemCollectionMetrics="SIZE")
    told = [{"ItemCollectionKey": wire({"a": a}), "SizeEstimateRangeGB": [0.0, 1.0]} for a in ("x", "y")]
    assert answer == {"UnprocessedItems": {}, "ItemCollectionMetrics": {"third": told}}
