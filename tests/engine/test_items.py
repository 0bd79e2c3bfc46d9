"""Single items: put, got, updated, deleted, with what they return and take."""

import pytest

from dynamix.engine.operations import items
from engine.database import Database, index, wire


@pytest.fixture
def database() -> Database:
    database = Database()
    database.create("a:S b:N")
    return database


KEY = {"a": {"S": "x"}, "b": {"N": "1"}}


def test_items_are_stored_whole(database: Database) -> None:
    """A put replaces the whole item, and what is read is what was written, numbers normalised."""
    database.call("PutItem", TableName="tab", Item={**KEY, "n": {"N": "1.50"}, "old": {"BOOL": True}})
    database.call("PutItem", TableName="tab", Item={**KEY, "n": {"N": "0.10e2"}})
    assert database.get(a="x", b=1) == {**KEY, "n": {"N": "10"}}


def test_missing_items_are_absent(database: Database) -> None:
    """An answer without Item is how the service says that there is none."""
    assert database.call("GetItem", TableName="tab", Key=KEY) == {}
    assert database.call("DeleteItem", TableName="tab", Key=KEY, ReturnValues="ALL_OLD") == {}


def test_puts_and_deletes_return_the_old_item(database: Database) -> None:
    """ALL_OLD gives the item as it was before; nothing where there was none."""
    first, second = {**KEY, "c": {"S": "1"}}, {**KEY, "c": {"S": "2"}}
    assert database.call("PutItem", TableName="tab", Item=first, ReturnValues="ALL_OLD") == {}
    assert database.call("PutItem", TableName="tab", Item=second, ReturnValues="ALL_OLD") == {"Attributes": first}
    assert database.call("DeleteItem", TableName="tab", Key=KEY, ReturnValues="ALL_OLD") == {"Attributes": second}
    for target, request in (("PutItem", {"Item": first}), ("DeleteItem", {"Key": KEY})):
        refused = database.refusal(target, TableName="tab", ReturnValues="ALL_NEW", **request)
        assert refused == ("ValidationException", "ReturnValues can only be ALL_OLD or NONE")


def test_projections_show_a_part(database: Database) -> None:
    """A projection gives the named parts only."""
    database.call("PutItem", TableName="tab", Item={**KEY, "m": {"M": {"k": {"S": "v"}, "l": {"S": "w"}}}})
    answer = database.call("GetItem", TableName="tab", Key=KEY, ProjectionExpression="b, m.k")
    assert answer == {"Item": {"b": {"N": "1"}, "m": {"M": {"k": {"S": "v"}}}}}


def test_conditions_guard_every_change(database: Database) -> None:
    """A change whose condition fails changes nothing, and gives the item back where that was asked for."""
    item = {**KEY, "c": {"S": "1"}}
    database.call("PutItem", TableName="tab", Item=item, ConditionExpression="attribute_not_exists(a)")
    changes = [
        ("PutItem", {"Item": KEY}),
        ("DeleteItem", {"Key": KEY}),
        ("UpdateItem", {"Key": KEY, "UpdateExpression": "REMOVE c"}),
    ]
    for target, request in changes:
        request |= {"TableName": "tab", "ConditionExpression": "attribute_not_exists(a)"}
        error = database.error(target, **request)
        assert error["__type"].endswith("#ConditionalCheckFailedException")
        assert error["message"] == "The conditional request failed"
        assert "Item" not in error
        error = database.error(target, **request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        assert error["Item"] == item
    assert database.get(a="x", b=1) == item


def test_a_condition_on_a_missing_item_sees_nothing(database: Database) -> None:
    """Only what holds of no attributes at all holds of a missing item."""
    code, _ = database.refusal("DeleteItem", TableName="tab", Key=KEY, ConditionExpression="attribute_exists(a)")
    assert code == "ConditionalCheckFailedException"
    database.call("DeleteItem", TableName="tab", Key=KEY, ConditionExpression="attribute_not_exists(a)")


def _update(database: Database, expression: str, mode: str = "NONE", **values: dict[str, str]) -> dict[str, object]:
    request = {"ExpressionAttributeValues": {f":{name}": v for name, v in values.items()}} if values else {}
    answer: dict[str, object] = database.call(
        "UpdateItem", TableName="tab", Key=KEY, UpdateExpression=expression, ReturnValues=mode, **request
    )
    return answer


def test_updates_create_what_is_missing(database: Database) -> None:
    """SET creates a missing item with its key; REMOVE alone does not; an update without expression does."""
    _update(database, "REMOVE c")
    assert database.get(a="x", b=1) is None
    _update(database, "SET c = :c", c={"S": "1"})
    assert database.get(a="x", b=1) == {**KEY, "c": {"S": "1"}}
    database.call("UpdateItem", TableName="tab", Key={"a": {"S": "y"}, "b": {"N": "2"}})
    assert database.get(a="y", b=2) == {"a": {"S": "y"}, "b": {"N": "2"}}


def test_updates_return_what_was_asked(database: Database) -> None:
    """Each mode of ReturnValues gives its part of the item, and nothing of an item that was not there."""
    assert _update(database, "SET c = :c, d = :c", "ALL_OLD", c={"N": "1"}) == {}
    assert _update(database, "SET c = :c", "ALL_OLD", c={"N": "2"})["Attributes"] == {
        **KEY,
        "c": {"N": "1"},
        "d": {"N": "1"},
    }
    assert _update(database, "SET c = :c", "ALL_NEW", c={"N": "3"})["Attributes"] == {
        **KEY,
        "c": {"N": "3"},
        "d": {"N": "1"},
    }
    assert _update(database, "SET c = :c", "UPDATED_OLD", c={"N": "4"}) == {"Attributes": {"c": {"N": "3"}}}
    assert _update(database, "SET c = :c", "UPDATED_NEW", c={"N": "5"}) == {"Attributes": {"c": {"N": "5"}}}
    assert _update(database, "REMOVE c", "UPDATED_NEW") == {}


def test_keys_do_not_change(database: Database) -> None:
    """An update of a key attribute is refused."""
    refused = database.refusal(
        "UpdateItem",
        TableName="tab",
        Key=KEY,
        UpdateExpression="SET b = :b",
        ExpressionAttributeValues={":b": {"N": "2"}},
    )
    message = "One or more parameter values were invalid: Cannot update attribute b. This attribute is part of the key"
    assert refused == ("ValidationException", message)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"a": {"S": "x"}}, "Missing the key b in the item"),
        ({"a": {"S": "x"}, "b": {"S": "1"}}, "Type mismatch for key b expected: N actual: S"),
    ],
)
def test_items_without_their_keys_are_refused(
    database: Database, item: dict[str, dict[str, str]], message: str
) -> None:
    """An item needs every key attribute, of its type."""
    refused = database.refusal("PutItem", TableName="tab", Item=item)
    assert refused == ("ValidationException", f"One or more parameter values were invalid: {message}")


def test_items_are_at_most_400_kb(database: Database) -> None:
    """409,600 bytes of names and values fit, and not one more."""
    room = 400 * 1024 - len("axbd") - 2
    database.call("PutItem", TableName="tab", Item={**KEY, "d": {"S": "x" * room}})
    refused = database.refusal("PutItem", TableName="tab", Item={**KEY, "d": {"S": "x" * (room + 1)}})
    assert refused == ("ValidationException", "Item size has exceeded the maximum allowed size")
    refused = database.refusal(
        "UpdateItem",
        TableName="tab",
        Key=KEY,
        UpdateExpression="SET e = :e",
        ExpressionAttributeValues={":e": {"S": ""}},
    )
    assert refused == ("ValidationException", "Item size to update has exceeded the maximum allowed size")
    assert "e" not in (database.get(a="x", b=1) or {})


def test_capacity_is_counted(database: Database) -> None:
    """Reads count 4 KB, half when eventually consistent; writes 1 KB of the larger of old and new."""

    def units(target: str, **request: object) -> float:
        answer = database.call(target, TableName="tab", ReturnConsumedCapacity="TOTAL", **request)
        consumed: float = answer["ConsumedCapacity"]["CapacityUnits"]
        return consumed

    item = {**KEY, "d": {"S": "x" * 5000}}
    assert units("GetItem", Key=KEY) == 0.5
    assert units("DeleteItem", Key=KEY) == 1
    assert units("PutItem", Item=item) == 5
    assert units("PutItem", Item=KEY) == 5
    assert units("PutItem", Item=item) == 5
    assert units("GetItem", Key=KEY) == 1
    assert units("GetItem", Key=KEY, ConsistentRead=True) == 2
    assert units("UpdateItem", Key=KEY, UpdateExpression="REMOVE d") == 5
    assert units("DeleteItem", Key=KEY) == 1


def test_capacity_of_indexes_is_told() -> None:
    """INDEXES tells what the table and each index took; entries that do not change take nothing."""
    database = Database()
    database.create(
        "a:S b:N",
        GlobalSecondaryIndexes=[index("gsi", "c:S", "KEYS_ONLY")],
        LocalSecondaryIndexes=[index("lsi", "a:S c:S", "INCLUDE", "d")],
    )

    def consumed(**more: str) -> dict[str, object]:
        item = {**KEY, **{name: {"S": text} for name, text in more.items()}}
        answer = database.call("PutItem", TableName="tab", Item=item, ReturnConsumedCapacity="INDEXES")
        told: dict[str, object] = answer["ConsumedCapacity"]
        return told

    assert consumed(c="1") == {
        "TableName": "tab",
        "CapacityUnits": 3,
        "Table": {"CapacityUnits": 1},
        "LocalSecondaryIndexes": {"lsi": {"CapacityUnits": 1}},
        "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 1}},
    }
    assert consumed(c="1", e="new") == {"TableName": "tab", "CapacityUnits": 1, "Table": {"CapacityUnits": 1}}
    assert consumed(c="1", d="new")["LocalSecondaryIndexes"] == {"lsi": {"CapacityUnits": 1}}
    moved = consumed(c="2", d="new")
    assert moved["LocalSecondaryIndexes"] == {"lsi": {"CapacityUnits": 2}}
    assert moved["GlobalSecondaryIndexes"] == {"gsi": {"CapacityUnits": 2}}


def test_collections_are_measured() -> None:
    """A table with local indexes tells the size of the item's collection where asked."""
    database = Database()
    database.create("a:S b:N", LocalSecondaryIndexes=[index("lsi", "a:S c:S")])
    answer = database.call("PutItem", TableName="tab", Item=KEY, ReturnItemCollectionMetrics="SIZE")
    assert answer == {
        "ItemCollectionMetrics": {"ItemCollectionKey": {"a": {"S": "x"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
    }


def test_large_collections_are_measured_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of a gigabyte tells the sizes of single collections, not its own."""
    monkeypatch.setattr(items, "_GIGABYTE", 1000)
    database = Database()
    database.create("a:S b:N", LocalSecondaryIndexes=[index("lsi", "a:S c:S")])
    for a, size in (("large", 2500), ("small", 100)):
        answer = database.call(
            "PutItem",
            TableName="tab",
            Item=wire({"a": a, "b": 1, "d": "x" * size}),
            ReturnItemCollectionMetrics="SIZE",
        )
        low = float(size // 1000)
        assert answer["ItemCollectionMetrics"]["SizeEstimateRangeGB"] == [low, low + 1]


def test_an_update_of_nothing_touches_nothing(database: Database) -> None:
    """UpdateItem without an expression makes the item, and has no updated attributes."""
    for returns in ("UPDATED_OLD", "UPDATED_NEW"):
        assert database.call("UpdateItem", TableName="tab", Key=KEY, ReturnValues=returns) == {}
    assert database.call("UpdateItem", TableName="tab", Key=KEY, ReturnValues="ALL_NEW") == {"Attributes": KEY}


def test_sets_come_back_sorted(database: Database) -> None:
    """Whatever the order in which elements came, also where an update adds some to a set that is there."""
    database.create("a:S", name="plain")
    item = {"a": {"S": "x"}, "s": {"SS": ["c", "a"]}, "n": {"NS": ["10", "9"]}, "c": {"BS": ["gA==", "AA=="]}}
    database.call("PutItem", TableName="plain", Item=item)
    stored = {"a": {"S": "x"}, "s": {"SS": ["a", "c"]}, "n": {"NS": ["9", "10"]}, "c": {"BS": ["AA==", "gA=="]}}
    assert database.get(table="plain", a="x") == stored
    answer = database.call(
        "UpdateItem",
        TableName="plain",
        Key={"a": {"S": "x"}},
        UpdateExpression="ADD s :s, n :n, c :c SET t = :s",
        ExpressionAttributeValues={
            ":s": {"SS": ["d", "b"]},
            ":n": {"NS": ["-1", "9.5"]},
            ":c": {"BS": ["/w==", "AQ=="]},
        },
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"] == {
        "a": {"S": "x"},
        "s": {"SS": ["a", "b", "c", "d"]},
        "n": {"NS": ["-1", "9", "9.5", "10"]},
        "c": {"BS": ["AA==", "AQ==", "gA==", "/w=="]},
        "t": {"SS": ["b", "d"]},
    }
