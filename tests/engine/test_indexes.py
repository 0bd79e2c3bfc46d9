"""Local and global indexes: what they hold, in which order, and what they refuse."""

from typing import Any

import pytest

from engine.database import Database, index, value, wire


@pytest.fixture
def database() -> Database:
    database = Database()
    database.create(
        "a:S b:N",
        GlobalSecondaryIndexes=[index("gsi", "c:S d:N", "KEYS_ONLY"), index("whole", "d:N")],
        LocalSecondaryIndexes=[index("lsi", "a:S c:S", "INCLUDE", "e")],
    )
    return database


def _held(database: Database, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = database.call("Scan", TableName="tab", IndexName=name)["Items"]
    return items


def test_indexes_hold_their_projection(database: Database) -> None:
    """Keys only, keys and the named attributes, or everything; the table's key always."""
    item = {"a": "x", "b": 1, "c": "y", "d": 2, "e": "z", "f": "w"}
    database.put(**item)
    assert _held(database, "gsi") == [wire({name: item[name] for name in "abcd"})]
    assert _held(database, "lsi") == [wire({name: item[name] for name in "abce"})]
    assert _held(database, "whole") == [wire(item)]


def test_indexes_are_sparse(database: Database) -> None:
    """An item that lacks a key attribute of an index is not in it, and leaves it when it loses one."""
    database.put(a="x", b=1, c="y")
    assert _held(database, "gsi") == []
    assert len(_held(database, "lsi")) == 1
    database.call(
        "UpdateItem",
        TableName="tab",
        Key=wire({"a": "x", "b": 1}),
        UpdateExpression="SET d = :d REMOVE c",
        ExpressionAttributeValues={":d": {"N": "1"}},
    )
    assert _held(database, "lsi") == []
    assert len(_held(database, "whole")) == 1
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "x", "b": 1}))
    assert _held(database, "whole") == []


def test_entries_follow_their_items(database: Database) -> None:
    """A changed index key moves the entry, a changed attribute changes it in place."""
    for c, e in (("1", "old"), ("2", "old"), ("2", "new")):
        database.put(a="x", b=1, c=c, e=e)
        assert _held(database, "lsi") == [wire({"a": "x", "b": 1, "c": c, "e": e})]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"c": {"N": "1"}},
            "One or more parameter values were invalid: Type mismatch for Index Key c Expected: S Actual: N "
            "IndexName: gsi",
        ),
        (
            {"c": {"S": ""}},
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: gsi, IndexKey: c",
        ),
    ],
)
def test_keys_of_indexes_are_checked(database: Database, item: dict[str, Any], message: str) -> None:
    """A write is refused where an index's key attribute has another type or is empty."""
    refused = database.refusal("PutItem", TableName="tab", Item={**wire({"a": "x", "b": 1}), **item})
    assert refused == ("ValidationException", message)
    assert database.get(a="x", b=1) is None


@pytest.mark.parametrize(
    ("c", "message"),
    [
        (
            {"N": "1"},
            "One or more parameter values were invalid: Type mismatch for Index Key c Expected: S Actual: N "
            "IndexName: gsi",
        ),
        (
            {"S": ""},
            "One or more parameter values are not valid. The update expression attempted to update a secondary index "
            "key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty "
            "string value.",
        ),
    ],
)
def test_updates_check_keys_of_indexes(database: Database, c: dict[str, str], message: str) -> None:
    """UpdateItem has words of its own for an attribute that cannot be an index's key."""
    refused = database.refusal(
        "UpdateItem",
        TableName="tab",
        Key=wire({"a": "x", "b": 1}),
        UpdateExpression="SET c = :c",
        ExpressionAttributeValues={":c": c},
    )
    assert refused == ("ValidationException", message)


def test_long_keys_of_indexes_are_refused(database: Database) -> None:
    """An index's keys have the size limits of a table's."""
    code, message = database.refusal("PutItem", TableName="tab", Item=wire({"a": "x", "b": 1, "c": "y" * 1025}))
    assert code == "ValidationException"
    assert "exceeded the maximum size limit" in message


def _query(database: Database, name: str, condition: str, **values: Any) -> list[str]:
    answer = database.call(
        "Query",
        TableName="tab",
        IndexName=name,
        KeyConditionExpression=condition,
        ExpressionAttributeValues={f":{key}": value(given) for key, given in values.items()},
    )
    return [item["b"]["N"] for item in answer["Items"]]


@pytest.mark.parametrize("size", [2049, 70_000])
@pytest.mark.parametrize("keys", ["c:S", "d:S c:S"])
def test_long_keys_stay_outside_a_later_index(keys: str, size: int) -> None:
    """An item from before an index, with a key too long for it, has no entry in it, whatever happens to the item."""
    database = Database()
    database.create("a:S")
    for key in ("changed", "replaced", "deleted"):
        database.put(a=key, c="c" * size, d="d")
    created = index("gsi", keys)
    definitions = created.pop("definitions")
    database.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=definitions,
        GlobalSecondaryIndexUpdates=[{"Create": created}],
    )
    database.call(
        "UpdateItem",
        TableName="tab",
        Key=wire({"a": "changed"}),
        UpdateExpression="SET e = :e",
        ExpressionAttributeValues=wire({":e": "e"}),
    )
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "deleted"}))
    assert _held(database, "gsi") == []
    database.put(a="replaced", c="c", d="d")
    assert _held(database, "gsi") == [wire({"a": "replaced", "c": "c", "d": "d"})]
    [described] = database.call("DescribeTable", TableName="tab")["Table"]["GlobalSecondaryIndexes"]
    assert (described["ItemCount"], described["IndexSizeBytes"]) == (1, len("areplacedccdd"))


def test_indexes_are_ordered_by_their_sort_key(database: Database) -> None:
    """A query of an index goes by the index's own order; equal keys are all there."""
    for b, c in ((1, "z"), (2, "a"), (3, "m"), (4, "m")):
        database.put(a="x", b=b, c=c, d=1)
    assert _query(database, "lsi", "a = :a", a="x") == ["2", "3", "4", "1"]
    assert _query(database, "lsi", "a = :a AND c >= :c", a="x", c="m") == ["3", "4", "1"]
    assert sorted(_query(database, "whole", "d = :d", d=1)) == ["1", "2", "3", "4"]


def test_global_indexes_answer_only_what_they_hold(database: Database) -> None:
    """What a global index does not hold cannot be asked of it, nor can consistency."""
    request = {
        "TableName": "tab",
        "IndexName": "gsi",
        "KeyConditionExpression": "c = :c",
        "ExpressionAttributeValues": {":c": {"S": "y"}},
    }
    for more, message in (
        ({"ConsistentRead": True}, "Consistent reads are not supported on global secondary indexes"),
        (
            {"Select": "ALL_ATTRIBUTES"},
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
            "secondary index gsi because its projection type is not ALL",
        ),
        (
            {"ProjectionExpression": "f, a"},
            "One or more parameter values were invalid: Global secondary index gsi does not project [f]",
        ),
    ):
        assert database.refusal("Query", **request, **more) == ("ValidationException", message)
    assert database.refusal("Query", **{**request, "IndexName": "nope"}) == (
        "ValidationException",
        "The table does not have the specified index: nope",
    )


def test_local_indexes_fetch_what_they_lack(database: Database) -> None:
    """A local index gives any attribute of its items, for the price of reading each from the table."""
    item = {"a": "x", "b": 1, "c": "y", "f": "w" * 5000}
    database.put(**item)
    condition = {
        "TableName": "tab",
        "IndexName": "lsi",
        "KeyConditionExpression": "a = :a",
        "ExpressionAttributeValues": {":a": {"S": "x"}},
        "ReturnConsumedCapacity": "INDEXES",
    }
    answer = database.call("Query", Select="ALL_ATTRIBUTES", **condition)
    assert answer["Items"] == [wire(item)]
    assert answer["ConsumedCapacity"] == {
        "TableName": "tab",
        "CapacityUnits": 1.5,
        "Table": {"CapacityUnits": 1.0},
        "LocalSecondaryIndexes": {"lsi": {"CapacityUnits": 0.5}},
    }
    answer = database.call("Query", ProjectionExpression="f", **condition)
    assert answer["Items"] == [wire({"f": item["f"]})]
    answer = database.call("Query", **condition)
    assert answer["Items"] == [wire({"a": "x", "b": 1, "c": "y"})]
    assert answer["ConsumedCapacity"]["Table"] == {"CapacityUnits": 0.0}


@pytest.fixture
def wide() -> Database:
    """A table whose index has two partition attributes and three sort attributes."""
    database = Database()
    database.create("a:S", GlobalSecondaryIndexes=[index("multi", "p:S q:N! r:S s:N t:B", "KEYS_ONLY")])
    for a, r, s in (("1", "x", 1), ("2", "x", 2), ("3", "x", 10), ("4", "y", 1), ("5", "xa", 1)):
        database.put(a=a, p="p", q=7, r=r, s=s, t={"B": "AA=="})
    database.put(a="6", p="p", q=7, r="x", s=1)
    database.put(a="7", p="p", q=8, r="x", s=1, t={"B": "AA=="})
    return database


def _multi(database: Database, condition: str, **values: Any) -> list[str]:
    answer = database.call(
        "Query",
        TableName="tab",
        IndexName="multi",
        KeyConditionExpression=condition,
        ExpressionAttributeValues={f":{key}": value(given) for key, given in values.items()},
    )
    return [item["a"]["S"] for item in answer["Items"]]


def test_multi_attribute_keys_are_used_from_the_left(wide: Database) -> None:
    """All partition attributes, then sort attributes without a gap, a range only on the last."""
    assert _multi(wide, "p = :p AND q = :q", p="p", q=7) == ["1", "2", "3", "5", "4"]
    assert _multi(wide, "p = :p AND q = :q AND r = :r", p="p", q=7, r="x") == ["1", "2", "3"]
    assert _multi(wide, "p = :p AND q = :q AND begins_with(r, :r)", p="p", q=7, r="x") == ["1", "2", "3", "5"]
    assert _multi(wide, "p = :p AND q = :q AND r = :r AND s > :s", p="p", q=7, r="x", s=1) == ["2", "3"]
    assert _multi(wide, "p = :p AND q = :q AND r = :r AND s BETWEEN :s AND :u", p="p", q=7, r="x", s=2, u=3) == ["2"]
    assert _multi(wide, "p = :p AND q = :q", p="p", q=8) == ["7"]


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("p = :p", {"p": "p"}),
        ("p = :p AND q > :q", {"p": "p", "q": 1}),
        ("p = :p AND q = :q AND s = :s", {"p": "p", "q": 7, "s": 1}),
        ("p = :p AND q = :q AND r > :r AND s = :s", {"p": "p", "q": 7, "r": "x", "s": 1}),
    ],
)
def test_multi_attribute_keys_leave_no_gap(wide: Database, condition: str, values: dict[str, Any]) -> None:
    """A condition that misses a partition attribute, or leaves out a sort attribute before another, is refused."""
    code, _ = wide.refusal(
        "Query",
        TableName="tab",
        IndexName="multi",
        KeyConditionExpression=condition,
        ExpressionAttributeValues={f":{key}": value(given) for key, given in values.items()},
    )
    assert code == "ValidationException"


def test_multi_attribute_indexes_page(wide: Database) -> None:
    """The start key of a multi-attribute index has all its attributes and the table's key."""
    found: list[str] = []
    start: dict[str, Any] = {}
    while True:
        page = wide.call("Scan", TableName="tab", IndexName="multi", Limit=2, **start)
        found += [item["a"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        assert sorted(page["LastEvaluatedKey"]) == ["a", "p", "q", "r", "s", "t"]
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(found) == ["1", "2", "3", "4", "5", "7"]


def test_an_entry_that_moves_is_counted_once() -> None:
    """An index counts an item once, whatever its key in the index was before, and forgets one that leaves."""
    database = Database()
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S"), index("keys", "c:S", "KEYS_ONLY")])

    def counted() -> list[tuple[int, int]]:
        indexes = database.call("DescribeTable", TableName="tab")["Table"]["GlobalSecondaryIndexes"]
        return [(each["ItemCount"], each["IndexSizeBytes"]) for each in indexes]

    for c in ("x", "yy", "z"):
        database.put(a="k", c=c, d="dd")
    assert counted() == [(1, 7), (1, 4)]
    database.call("UpdateItem", TableName="tab", Key=wire({"a": "k"}), UpdateExpression="REMOVE c")
    assert counted() == [(0, 0), (0, 0)]
