"""Vector indexes: how they are made and removed, what they refuse to hold, and what writes cost."""

import json
from typing import Any

import pytest

from dynamix.engine import Engine
from engine.database import Database, index, keys_of, wire
from engine.vector_tables import create, found, keys, search_request, vector, vectors

FLOAT = "Expected: 32-bit floating point number"
INVALID = "One or more parameter values were invalid: "
WRONG = "One or more parameter values were invalid. "


@pytest.fixture
def database() -> Database:
    return Database(Engine())


def described(database: Database) -> dict[str, Any]:
    """The description of the table."""
    table: dict[str, Any] = database.call("DescribeTable", TableName="tab")["Table"]
    return table


def update(database: Database, *updates: dict[str, Any], **request: Any) -> dict[str, Any]:
    """The answer to an UpdateTable."""
    answer = database.call("UpdateTable", TableName="tab", VectorIndexUpdates=list(updates), **request)
    table: dict[str, Any] = answer["TableDescription"]
    return table


def test_indexes_are_made_with_their_table(database: Database) -> None:
    """The answer calls them CREATING, then they are ACTIVE; Backfilling is never told."""
    one, two = vectors("one", 3, "EUCLIDEAN", "x", hash="t", filters="n"), vectors("two", 3)
    made = create(database, one, two, others="t:S n:N")["TableDescription"]
    arn = made["TableArn"]
    counts = {"ItemCount": 0, "IndexSizeBytes": 0}
    expected = [{**each, "IndexArn": f"{arn}/index/{each['IndexName']}", **counts} for each in (one, two)]
    assert made["VectorIndexes"] == [{**each, "IndexStatus": "CREATING"} for each in expected]
    assert described(database)["VectorIndexes"] == [{**each, "IndexStatus": "ACTIVE"} for each in expected]
    assert made["AttributeDefinitions"] == keys_of("a:S t:S n:N")[0]
    database.call("DeleteTable", TableName="tab")
    create(database, vectors("one", 1))
    assert found(database, [1], "one") == []


def test_an_index_is_added_and_removed(database: Database) -> None:
    """UpdateTable answers with the phase that begins; the next request finds it done, and the items that were there."""
    database.create("a:S")
    assert "VectorIndexes" not in described(database)
    items: dict[str, dict[str, Any]] = {
        "a": {"e": vector(1, 2, 3), "t": "x"},
        "b": {"e": vector(3, 2, 1)},
        "c": {"t": "x"},
        "d": {"e": vector(1, 2), "t": "x"},
        "f": {"e": {"S": "no vector"}, "t": "x"},
        "g": {"e": vector(1, 2, "1e39"), "t": "x"},
        "h": {"e": {"L": [{"N": "1"}, {"S": "2"}, {"N": "3"}]}, "t": "x"},
        "i": {"e": vector(1, 2, 3), "t": 5},
        "j": {"e": vector(1, 2, 3), "t": ""},
        "k": {"e": vector(1, 2, 3), "t": "x" * 2049},
    }
    for key, item in items.items():
        database.put(a=key, **item)
    definitions = keys_of("t:S")[0]
    changed = update(database, {"Create": vectors("vix", hash="t")}, AttributeDefinitions=definitions)
    assert (changed["TableStatus"], changed["VectorIndexes"][0]["IndexStatus"]) == ("UPDATING", "CREATING")
    assert changed["VectorIndexes"][0]["Backfilling"] is False
    table = described(database)
    (told,) = table["VectorIndexes"]
    assert (table["TableStatus"], told["IndexStatus"], told["ItemCount"]) == ("ACTIVE", "ACTIVE", 1)
    assert "Backfilling" not in told
    assert table["AttributeDefinitions"] == keys_of("a:S t:S")[0]
    assert keys(found(database, [1, 2, 3], t="x")) == ["a"]
    assert update(database, {"Create": vectors("two")})["VectorIndexes"][1]["IndexStatus"] == "CREATING"
    assert sorted(keys(found(database, [1, 2, 3], "two"))) == ["a", "b", "i", "j", "k"]
    gone = update(database, {"Delete": {"IndexName": "vix"}})
    assert [each["IndexStatus"] for each in gone["VectorIndexes"]] == ["DELETING", "ACTIVE"]
    assert [each["IndexName"] for each in described(database)["VectorIndexes"]] == ["two"]
    assert described(database)["AttributeDefinitions"] == keys_of("a:S")[0]
    refused = ("ValidationException", "The table does not have the specified index: vix")
    assert database.refusal("SearchVectors", **search_request((1, 2, 3), t="x")) == refused
    update(database, {"Delete": {"IndexName": "two"}})
    assert "VectorIndexes" not in described(database)
    database.put(a="l", e=vector(1))


CREATIONS = [
    (
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
        [vectors("vix")],
        "Vector indexes are only supported for PAY_PER_REQUEST tables",
    ),
    ({}, [vectors("vix", hash="u")], "One element in SearchSchema is not defined in attribute definitions"),
    ({}, [vectors("vix", 4097)], "Number of dimensions must be between 1 and 4096 inclusive."),
    (
        {},
        [vectors(f"vix{number}", attribute=f"e{number}") for number in range(6)],
        "VectorIndex count exceeds the per-table limit of 5",
    ),
    (
        {},
        [vectors("vix", 3), vectors("other", 4)],
        "Conflicting attribute definition for 'e'. All VectorIndexes on the same vector attribute must use the same "
        "dimensions.",
    ),
    ({}, [], "List of VectorIndexes is empty"),
    ({}, [vectors("vix"), vectors("vix")], "Duplicate index name: vix"),
    ({}, [vectors("vix", hash="t", filters="t")], "Duplicate attribute in SearchSchema for index: vix"),
    (
        {},
        [vectors("vix", attribute="t")],
        "Conflicting attribute definition for 't'. A vector attribute is a list of numbers; it cannot be in "
        "AttributeDefinitions, a key or a SearchSchema.",
    ),
    (
        {},
        [vectors("vix", projection="INCLUDE")],
        "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
    ),
    (
        {"AttributeDefinitions": keys_of("a:S t:S u:S")[0]},
        [vectors("vix", filters="t")],
        "Some AttributeDefinitions are not used. AttributeDefinitions: [a, t, u], keys used: [a, t]",
    ),
]


@pytest.mark.parametrize(("members", "indexes", "message"), CREATIONS)
def test_what_no_table_can_have(
    database: Database, members: dict[str, Any], indexes: list[dict[str, Any]], message: str
) -> None:
    """CreateTable refuses vector indexes that cannot be, in the service's words where they are known."""
    request = {
        "TableName": "tab",
        "AttributeDefinitions": keys_of("a:S t:S")[0],
        "KeySchema": keys_of("a:S")[1],
        "BillingMode": "PAY_PER_REQUEST",
        "VectorIndexes": indexes,
    }
    assert database.refusal("CreateTable", **(request | members)) == ("ValidationException", INVALID + message)
    assert database.call("ListTables")["TableNames"] == []


def test_a_search_schema_has_its_limits(database: Database) -> None:
    """One HASH attribute and 18 filters at most."""
    names = [f"f{number}" for number in range(19)]
    request = {
        "TableName": "tab",
        "KeySchema": keys_of("a:S")[1],
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": keys_of(" ".join(["a:S", *(f"{name}:S" for name in names)]))[0],
    }
    two = vectors("vix", hash="f0", filters=" ".join(names[1:]))
    two["SearchSchema"][1]["SearchSchemaElementType"] = "HASH"
    for wrong, most in ((two, "1 HASH"), (vectors("vix", filters=" ".join(names)), "18 INLINE_FILTER")):
        refused = f"{INVALID}SearchSchema can have at most {most} elements for index: vix"
        assert database.refusal("CreateTable", VectorIndexes=[wrong], **request) == ("ValidationException", refused)
    database.call("CreateTable", VectorIndexes=[vectors("vix", hash="f0", filters=" ".join(names[1:]))], **request)
    attributes = {name: name for name in names}
    database.put(a="x", e=vector(1, 2, 3), **attributes)
    assert keys(found(database, [1, 2, 3], **attributes)) == ["x"]
    assert keys(found(database, [1, 2, 3], **{**attributes, "f18": "other"})) == []


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            {"VectorIndexUpdates": [{"Create": vectors("one")}, {"Delete": {"IndexName": "vix"}}]},
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ),
        (
            {
                "VectorIndexUpdates": [{"Create": vectors("one")}],
                "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "gsi"}}],
            },
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ),
        (
            {"VectorIndexUpdates": [{}]},
            "ValidationException",
            INVALID + "One of VectorIndexUpdate.Create, VectorIndexUpdate.Delete must not be null",
        ),
        (
            {"VectorIndexUpdates": [{"Create": vectors("one"), "Delete": {"IndexName": "vix"}}]},
            "ValidationException",
            INVALID + "Only one of VectorIndexUpdate.Create, VectorIndexUpdate.Delete may be specified",
        ),
        (
            {"VectorIndexUpdates": [{"Create": vectors("vix")}]},
            "ValidationException",
            "Attempting to create an index which already exists",
        ),
        (
            {"VectorIndexUpdates": [{"Create": vectors("gsi")}]},
            "ValidationException",
            "Attempting to create an index which already exists",
        ),
        (
            {"VectorIndexUpdates": [{"Delete": {"IndexName": "gsi"}}]},
            "ResourceNotFoundException",
            "Requested resource not found",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "vix"}}]},
            "ResourceNotFoundException",
            "Requested resource not found",
        ),
        (
            {"VectorIndexUpdates": [{"Create": vectors("one", 4)}]},
            "ValidationException",
            f"{INVALID}Conflicting attribute definition for 'e'. All VectorIndexes on the same vector attribute must "
            "use the same dimensions.",
        ),
        (
            {"VectorIndexUpdates": [{"Create": vectors("one", attribute="c")}]},
            "ValidationException",
            f"{INVALID}Conflicting attribute definition for 'c'. A vector attribute is a list of numbers; it cannot be "
            "in AttributeDefinitions, a key or a SearchSchema.",
        ),
        (
            {
                "AttributeDefinitions": [{"AttributeName": "e", "AttributeType": "S"}],
                "GlobalSecondaryIndexUpdates": [
                    {
                        "Create": {
                            "IndexName": "new",
                            "KeySchema": keys_of("e:S")[1],
                            "Projection": {"ProjectionType": "ALL"},
                        }
                    }
                ],
            },
            "ValidationException",
            f"{INVALID}Conflicting attribute definition for 'e'. A vector attribute is a list of numbers; it cannot be "
            "in AttributeDefinitions, a key or a SearchSchema.",
        ),
        (
            {"VectorIndexUpdates": [{"Create": vectors("one", hash="u")}]},
            "ValidationException",
            INVALID + "One element in SearchSchema is not defined in attribute definitions",
        ),
        (
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                "GlobalSecondaryIndexUpdates": [
                    {
                        "Update": {
                            "IndexName": "gsi",
                            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                        }
                    }
                ],
            },
            "ValidationException",
            INVALID + "Vector indexes are only supported for PAY_PER_REQUEST tables",
        ),
    ],
)
def test_what_no_update_can_do(database: Database, request_: dict[str, Any], code: str, message: str) -> None:
    """UpdateTable makes or removes one index at a time, and none that the table cannot have."""
    gsi = index("gsi", "c:S")
    definitions = [*keys_of("a:S")[0], *gsi.pop("definitions")]
    database.call(
        "CreateTable",
        TableName="tab",
        AttributeDefinitions=definitions,
        KeySchema=keys_of("a:S")[1],
        BillingMode="PAY_PER_REQUEST",
        VectorIndexes=[vectors("vix")],
        GlobalSecondaryIndexes=[gsi],
    )
    before = described(database)
    assert database.refusal("UpdateTable", TableName="tab", **request_) == (code, message)
    assert described(database) == before


def test_search_schema_attributes_outlive_other_indexes(database: Database) -> None:
    """An attribute that a search schema uses stays defined when a global index that used it goes."""
    create(database, vectors("vix", hash="t"), others="t:S")
    made = index("gsi", "t:S")
    definitions = made.pop("definitions")
    updates = {"GlobalSecondaryIndexUpdates": [{"Create": made}], "AttributeDefinitions": definitions}
    database.call("UpdateTable", TableName="tab", **updates)
    database.call("UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gsi"}}])
    assert described(database)["AttributeDefinitions"] == keys_of("a:S t:S")[0]


WRITES = [
    (
        {"e": vector(1, 2)},
        WRONG + "Invalid size for parameter e, Expected: 3, Actual: 2 IndexName: vix",
    ),
    (
        {"e": vector()},
        WRONG + "Invalid size for parameter e, Expected: 3, Actual: 0 IndexName: vix",
    ),
    (
        {"e": {"L": [{"N": "1"}, {"S": "x"}, {"N": "1"}]}},
        f"{WRONG}Invalid type for parameter e[1], {FLOAT}, Actual: S. IndexName: vix",
    ),
    (
        {"e": vector(1, 2, "-1e39")},
        f"{WRONG}Invalid type for parameter e[2], {FLOAT}, Actual: N. IndexName: vix",
    ),
    (
        {"e": {"NS": ["1", "2", "3"]}},
        f"{WRONG}Invalid type for parameter e, {FLOAT} list IndexName: vix",
    ),
    (
        {"t": 5},
        INVALID + "Type mismatch for Index Key t Expected: S Actual: N IndexName: vix",
    ),
    (
        {"n": "5"},
        INVALID + "Type mismatch for Index Key n Expected: N Actual: S IndexName: vix",
    ),
    (
        {"t": ""},
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: vix, IndexKey: t",
    ),
    (
        {"t": "x" * 2049},
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of 2048 bytes. "
        "IndexName: vix, IndexKey: t",
    ),
]


@pytest.mark.parametrize(("attributes", "message"), WRITES)
def test_what_cannot_be_written(database: Database, attributes: dict[str, Any], message: str) -> None:
    """Every kind of write refuses what an index cannot hold, and nothing is stored."""
    create(database, vectors("vix", hash="t", filters="n"), others="t:S n:N")
    database.put(a="there", e=vector(1, 2, 3), t="x", n=1)
    item = wire({"a": "there", **attributes})
    ((name, value),) = ((name, value) for name, value in item.items() if name != "a")
    change = {"UpdateExpression": f"SET {name} = :v", "ExpressionAttributeValues": {":v": value}}
    for operation, request in (
        ("PutItem", {"TableName": "tab", "Item": item}),
        ("UpdateItem", {"TableName": "tab", "Key": wire({"a": "there"}), **change}),
        ("UpdateItem", {"TableName": "tab", "Key": wire({"a": "new"}), **change}),
        ("BatchWriteItem", {"RequestItems": {"tab": [{"PutRequest": {"Item": item}}]}}),
    ):
        assert database.refusal(operation, **request) == ("ValidationException", message)
    put = {"Put": {"TableName": "tab", "Item": item}}
    error = database.error("TransactWriteItems", TransactItems=[put])
    if value != {"S": ""}:  # of empty keys the service does not speak item by item
        assert error["CancellationReasons"] == [{"Code": "ValidationError", "Message": message}]
    assert database.get(a="there") == wire({"a": "there", "e": vector(1, 2, 3), "t": "x", "n": 1})
    assert database.get(a="new") is None


def test_changes_that_touch_no_vector_are_free_of_checks(database: Database) -> None:
    """An item from before the index, that it cannot hold, may be changed elsewhere."""
    database.create("a:S")
    database.put(a="old", e=vector(1), n=1)
    update(database, {"Create": vectors("vix")})
    change = {"UpdateExpression": "SET n = n + n", "ReturnValues": "ALL_NEW"}
    answer = database.call("UpdateItem", TableName="tab", Key=wire({"a": "old"}), **change)
    assert answer["Attributes"] == wire({"a": "old", "e": vector(1), "n": 2})
    assert found(database, [1, 2, 3]) == []
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "old"}))
    assert described(database)["VectorIndexes"][0]["ItemCount"] == 0


def test_what_writes_cost_an_index(database: Database) -> None:
    """Bytes under INDEXES only, at least a kilobyte, and only where the change shows in the index."""
    indexes = [
        vectors("all", 300), vectors("few", 300, "COSINE", "x"), vectors("own", 300, projection="KEYS_ONLY", hash="t"),
    ]  # fmt: skip
    create(database, *indexes, others="t:S")
    one, two = vector(*[0.5] * 300), vector(*[0.25] * 300)

    def cost(operation: str, **request: Any) -> dict[str, float]:
        answer = database.call(operation, TableName="tab", ReturnConsumedCapacity="INDEXES", **request)
        told = answer["ConsumedCapacity"].get("VectorIndexes", {})
        return {name: entry["VectorWriteRequestBytes"] for name, entry in told.items()}

    def change(expression: str, **values: Any) -> dict[str, float]:
        given = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
        return cost("UpdateItem", Key=wire({"a": "k"}), UpdateExpression=expression, **given)

    assert cost("PutItem", Item=wire({"a": "k", "y": "yy"})) == {}
    least = 1200 + 1 + 2  # the floats, the name of the vector, the key
    assert change("SET e = :e", e=one) == {"all": least + 3, "few": least}
    assert change("SET e = :e", e=one) == {}
    assert change("SET y = :y", y={"S": "yyyyy"}) == {"all": least + 6}
    assert change("SET x = :x", x={"S": "x"}) == {"all": least + 8, "few": least + 2}
    assert change("SET t = :t", t={"S": "t"}) == {"all": least + 10, "own": least + 2}
    assert change("SET e = :e", e=two) == {"all": least + 10, "few": least + 2, "own": least + 2}
    assert change("SET z = :z, q = :z", z={"S": ""}) == {"all": least + 12}
    almost = vector(*[0.25] * 299, "0.2500000000001")
    assert change("SET e = :e", e=almost) == {}
    assert change("REMOVE t") == {"all": least + 12, "own": least + 2}
    assert cost("DeleteItem", Key=wire({"a": "k"})) == {"all": least + 10, "few": least + 2}
    total = database.call("PutItem", TableName="tab", ReturnConsumedCapacity="TOTAL", Item=wire({"a": "k", "e": one}))
    assert "VectorIndexes" not in total["ConsumedCapacity"]
    request = [{"PutRequest": {"Item": wire({"a": key, "e": one})}} for key in "bc"]
    answer = database.call("BatchWriteItem", RequestItems={"tab": request}, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"][0]["VectorIndexes"] == {
        name: {"VectorWriteRequestBytes": 2.0 * least} for name in ("all", "few")
    }


def test_tables_and_writes_count_floats(database: Database) -> None:
    """An indexed vector counts four bytes a dimension in the table's size and in writes; in reads, its list counts."""
    create(database, vectors("vix", 500), vectors("own", 500, hash="t"), others="t:S")
    digits = "0.1234567890123456789012345678901234567"
    item = wire({"a": "k", "e": vector(*[digits] * 500)})
    consumed = {"TableName": "tab", "ReturnConsumedCapacity": "TOTAL"}
    put = database.call("PutItem", Item=item, **consumed)
    assert put["ConsumedCapacity"]["CapacityUnits"] == 2.0  # 2 KB of floats
    get = database.call("GetItem", Key=wire({"a": "k"}), ConsistentRead=True, **consumed)
    assert get["ConsumedCapacity"]["CapacityUnits"] == 3.0  # over 10 KB of digits
    table = described(database)
    assert table["TableSizeBytes"] == 2 + 1 + 2000
    assert [each["ItemCount"] for each in table["VectorIndexes"]] == [1, 0]
    change = {"UpdateExpression": "SET e[0] = :n", "ExpressionAttributeValues": {":n": {"N": "7"}}}
    changed = database.call("UpdateItem", Key=wire({"a": "k"}), **change, **consumed)
    assert changed["ConsumedCapacity"]["CapacityUnits"] == 2.0
    assert described(database)["TableSizeBytes"] == 2 + 1 + 2000
    update(database, {"Delete": {"IndexName": "vix"}})
    assert described(database)["TableSizeBytes"] == 2 + 1 + 2000
    update(database, {"Delete": {"IndexName": "own"}})
    assert described(database)["TableSizeBytes"] > 10_000
    update(database, {"Create": vectors("new", 500)})
    assert described(database)["TableSizeBytes"] == 2 + 1 + 2000
    removed = database.call("DeleteItem", Key=wire({"a": "k"}), **consumed)
    assert removed["ConsumedCapacity"]["CapacityUnits"] == 2.0
    assert described(database)["TableSizeBytes"] == 0


def test_a_table_without_vectors_says_nothing_of_them(database: Database) -> None:
    """Neither descriptions nor costs have the member."""
    database.create("a:S")
    item = {"TableName": "tab", "Item": wire({"a": "k"}), "ReturnConsumedCapacity": "INDEXES"}
    assert "Vector" not in json.dumps([described(database), database.call("PutItem", **item)])
