"""Query and Scan: ranges, order, pages, filters, segments, and what they count."""

from typing import Any

import pytest

from engine.database import Database, index, value, wire


@pytest.fixture
def database() -> Database:
    """Ten items in the partition "x", numbered by their sort key, and one in "y"."""
    database = Database()
    database.create("a:S b:N")
    for b in range(10):
        database.put(a="x", b=b, even=int(b % 2 == 0))
    database.put(a="y", b=1)
    return database


def _query(database: Database, condition: str, values: dict[str, Any], **request: Any) -> Any:
    return database.call(
        "Query",
        TableName="tab",
        KeyConditionExpression=condition,
        ExpressionAttributeValues={f":{name}": value(given) for name, given in values.items()},
        **request,
    )


def _numbers(answer: dict[str, Any]) -> list[int]:
    return [int(item["b"]["N"]) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("a = :a", {}, range(10)),
        (":a = a", {}, range(10)),
        ("a = :a AND b = :b", {"b": 3}, [3]),
        ("b = :b AND a = :a", {"b": 3}, [3]),
        ("a = :a AND b < :b", {"b": 3}, [0, 1, 2]),
        ("a = :a AND b <= :b", {"b": 3}, [0, 1, 2, 3]),
        ("a = :a AND b > :b", {"b": 7}, [8, 9]),
        ("a = :a AND :b > b", {"b": 2}, [0, 1]),
        ("a = :a AND b >= :b", {"b": 7}, [7, 8, 9]),
        ("a = :a AND b BETWEEN :b AND :c", {"b": 2, "c": 4}, [2, 3, 4]),
        ("(a = :a) AND (b BETWEEN :b AND :b)", {"b": 5}, [5]),
    ],
)
def test_key_conditions_select_a_range(
    database: Database, condition: str, values: dict[str, Any], found: list[int]
) -> None:
    """Each operator selects its range, in order, both ways."""
    assert _numbers(_query(database, condition, {"a": "x", **values})) == list(found)
    backward = _query(database, condition, {"a": "x", **values}, ScanIndexForward=False)
    assert _numbers(backward) == list(reversed(found))


def test_strings_begin_with() -> None:
    """begins_with is a range of its own, also where the prefix ends in the last character."""
    database = Database()
    database.create("a:S s:S")
    for s in ("a", "ab", "abc", "ac", "b", "\U0010ffff", "\U0010ffffx"):
        database.put(a="x", s=s)
    for prefix, found in (("ab", ["ab", "abc"]), ("\U0010ffff", ["\U0010ffff", "\U0010ffffx"]), ("z", [])):
        answer = _query(database, "a = :a AND begins_with(s, :p)", {"a": "x", "p": prefix})
        assert [item["s"]["S"] for item in answer["Items"]] == found


@pytest.mark.parametrize(
    ("condition", "values", "message"),
    [
        ("b = :a", {"a": 1}, "Query condition missed key schema element: a"),
        ("a = :a AND c = :b", {"b": 1}, "Query condition missed key schema element: b"),
        ("a > :a", {}, "Query key condition not supported"),
        ("a = :a AND b <> :b", {"b": 1}, "Invalid operator used in KeyConditionExpression: <>"),
        ("a = :a OR b = :b", {"b": 1}, "Invalid operator used in KeyConditionExpression: OR"),
        ("NOT a = :a", {}, "Invalid operator used in KeyConditionExpression: NOT"),
        ("a = :a AND b IN (:b)", {"b": 1}, "Invalid operator used in KeyConditionExpression: IN"),
        (
            "a = :a AND attribute_exists(b)",
            {},
            "Invalid operator used in KeyConditionExpression: attribute_exists",
        ),
        ("a = :a AND a = :b", {"b": "x"}, "KeyConditionExpressions must only contain one condition per key"),
        ("a = :a AND size(b) > :b", {"b": 1}, "KeyConditionExpressions cannot contain nested operations"),
        (":a = :a", {}, "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "a = :a AND b = :b",
            {"b": "x"},
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ],
)
def test_other_key_conditions_are_refused(
    database: Database, condition: str, values: dict[str, Any], message: str
) -> None:
    """What is no range of one partition is refused in the service's words."""
    refused = database.refusal(
        "Query",
        TableName="tab",
        KeyConditionExpression=condition,
        ExpressionAttributeValues={f":{name}": value(given) for name, given in ({"a": "x"} | values).items()},
    )
    assert refused == ("ValidationException", message)


def test_the_older_key_conditions(database: Database) -> None:
    """KeyConditions of the older API select the same ranges."""
    answer = database.call(
        "Query",
        TableName="tab",
        KeyConditions={
            "a": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x"}]},
            "b": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "8"}]},
        },
    )
    assert _numbers(answer) == [8, 9]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 5, 10, 11])
def test_pages_join_without_gaps(database: Database, limit: int, forward: bool) -> None:
    """Following the start keys gives every item once, in order; a full page always has one, even the last."""
    found: list[int] = []
    start: dict[str, Any] = {}
    pages = 0
    while True:
        page = _query(database, "a = :a", {"a": "x"}, Limit=limit, ScanIndexForward=forward, **start)
        pages += 1
        found += _numbers(page)
        assert ("LastEvaluatedKey" in page) == (len(page["Items"]) == limit)
        if "LastEvaluatedKey" not in page:
            break
        assert page["LastEvaluatedKey"] == wire({"a": "x", "b": found[-1]})
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == (list(range(10)) if forward else list(range(9, -1, -1)))
    assert pages == 10 // limit + 1


def test_filters_do_not_change_the_counting(database: Database) -> None:
    """Limit and capacity count what was read, not what the filter left; ScannedCount tells how much that was."""
    answer = _query(database, "a = :a", {"a": "x", "e": 1}, FilterExpression="even = :e", Limit=4)
    assert _numbers(answer) == [0, 2]
    assert (answer["Count"], answer["ScannedCount"]) == (2, 4)
    assert answer["LastEvaluatedKey"] == wire({"a": "x", "b": 3})


def test_pages_end_at_a_megabyte() -> None:
    """A page ends with the item that takes it past 1 MB, filter or not, Select or not."""
    database = Database()
    database.create("a:S b:N")
    for b in range(12):
        database.put(a="x", b=b, d="y" * 100_000)
    for request in ({}, {"Select": "COUNT"}, {"ProjectionExpression": "b"}):
        answer = _query(database, "a = :a", {"a": "x"}, ReturnConsumedCapacity="TOTAL", **request)
        assert answer["Count"] == 11
        assert answer["LastEvaluatedKey"] == wire({"a": "x", "b": 10})
        assert answer["ConsumedCapacity"]["CapacityUnits"] == 134.5
    filtered = _query(database, "a = :a", {"a": "x"}, FilterExpression="attribute_not_exists(d)")
    assert (filtered["Count"], filtered["ScannedCount"]) == (0, 11)


def test_select(database: Database) -> None:
    """COUNT gives no items; the other forms are checked against what else is asked."""
    answer = _query(database, "a = :a", {"a": "x"}, Select="COUNT")
    assert answer == {"Count": 10, "ScannedCount": 10}
    for request, message in (
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Select": "COUNT", "ProjectionExpression": "b"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "b"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        ),
    ):
        assert database.refusal("Scan", TableName="tab", **request) == ("ValidationException", message)


def test_keys_are_not_filtered(database: Database) -> None:
    """A filter of a query cannot name key attributes; one of a scan can."""
    refused = database.refusal(
        "Query",
        TableName="tab",
        KeyConditionExpression="a = :a",
        FilterExpression="b > :b",
        ExpressionAttributeValues={":a": {"S": "x"}, ":b": {"N": "1"}},
    )
    message = "Filter Expression can only contain non-primary key attributes: Primary key attribute: b"
    assert refused == ("ValidationException", message)
    answer = database.call(
        "Scan", TableName="tab", FilterExpression="b > :b", ExpressionAttributeValues={":b": {"N": "7"}}
    )
    assert sorted(_numbers(answer)) == [8, 9]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (wire({"a": "x"}), "The provided starting key is invalid"),
        (wire({"a": "x", "c": 1}), "The provided starting key is invalid"),
        (wire({"a": "x", "b": "1"}), "The provided key element does not match the schema"),
        (wire({"a": "z", "b": 5}), "The query can return at most one row and cannot be restarted"),
        (wire({"a": "z", "b": 1}), "The provided starting key does not match the range key predicate"),
        (wire({"a": "x", "b": 1}), "The provided starting key does not match the range key predicate"),
    ],
)
def test_start_keys_lie_within_the_query(database: Database, start: dict[str, Any], message: str) -> None:
    """A page begins after a key that the query could have given."""
    refused = database.refusal(
        "Query",
        TableName="tab",
        KeyConditionExpression="a = :a AND b > :b",
        ExpressionAttributeValues={":a": {"S": "x"}, ":b": {"N": "3"}},
        ExclusiveStartKey=start,
    )
    assert refused == ("ValidationException", message)


def test_start_keys_need_not_exist(database: Database) -> None:
    """An item deleted between two pages does no harm."""
    answer = _query(database, "a = :a", {"a": "x"}, ExclusiveStartKey=wire({"a": "x", "b": 4.5}))
    assert _numbers(answer) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("total", [1, 2, 3, 7, 1_000_000])
def test_segments_part_the_table(total: int) -> None:
    """Every item is in exactly one segment, and one segment is the whole."""
    database = Database()
    database.create("a:S")
    for number in range(40):
        database.put(a=f"key {number}")
    found = []
    for segment in range(min(total, 7)) if total < 10 else ():
        answer = database.call("Scan", TableName="tab", Segment=segment, TotalSegments=total)
        found += [item["a"]["S"] for item in answer["Items"]]
    if total < 10:
        assert sorted(found) == sorted(f"key {number}" for number in range(40))
    else:
        database.call("Scan", TableName="tab", Segment=total - 1, TotalSegments=total)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"Segment": 1},
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
            "present",
        ),
        (
            {"TotalSegments": 1},
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
            "present",
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not "
            "less than TotalSegments: 2",
        ),
    ],
)
def test_segments_are_checked(database: Database, request_: dict[str, int], message: str) -> None:
    """A segment is one of a number of segments."""
    assert database.refusal("Scan", TableName="tab", **request_) == ("ValidationException", message)


def test_segments_have_pages(database: Database) -> None:
    """A start key of another segment is refused, one of the same goes on."""
    pages = [database.call("Scan", TableName="tab", Segment=number, TotalSegments=2, Limit=1) for number in (0, 1)]
    filled = [number for number in (0, 1) if pages[number]["Items"]]
    for number in filled:
        start = pages[number]["LastEvaluatedKey"]
        database.call("Scan", TableName="tab", Segment=number, TotalSegments=2, ExclusiveStartKey=start)
        code, message = database.refusal(
            "Scan", TableName="tab", Segment=1 - number, TotalSegments=2, ExclusiveStartKey=start
        )
        assert code == "ValidationException"
        assert "correct Segment" in message


def test_scans_give_whole_partitions_in_order(database: Database) -> None:
    """A scan goes partition by partition, each in the order of its sort key."""
    answer = database.call("Scan", TableName="tab")
    numbers = [int(item["b"]["N"]) for item in answer["Items"] if item["a"]["S"] == "x"]
    assert numbers == list(range(10))
    assert answer["Count"] == 11


@pytest.mark.parametrize("name", ["gsi", "lsi"])
def test_a_scan_filters_by_what_its_index_holds(name: str) -> None:
    """What the index does not hold counts as absent; a query that filters by it is refused."""
    database = Database()
    database.create(
        "a:S b:N",
        GlobalSecondaryIndexes=[index("gsi", "c:S", "KEYS_ONLY")],
        LocalSecondaryIndexes=[index("lsi", "a:S c:S", "INCLUDE", "e")],
    )
    database.put(a="x", b=1, c="y", d="z", e="z")
    held = wire({"a": "x", "b": 1, "c": "y"} | ({"e": "z"} if name == "lsi" else {}))
    scan = {"TableName": "tab", "IndexName": name}
    absent, present = {"FilterExpression": "attribute_not_exists(d)"}, {"FilterExpression": "attribute_exists(d)"}
    old = {"ScanFilter": {"d": {"ComparisonOperator": "EQ", "AttributeValueList": [value("z")]}}}
    assert database.call("Scan", **scan, **absent) == {"Count": 1, "ScannedCount": 1, "Items": [held]}
    for request in (present, old):
        assert database.call("Scan", **scan, **request) == {"Count": 0, "ScannedCount": 1, "Items": []}
    condition, values = ("c = :c", {"c": "y"}) if name == "gsi" else ("a = :a", {"a": "x"})
    with pytest.raises(AssertionError, match=r"does not project one or more filter attributes: \[d\]"):
        database.query(condition, values, IndexName=name, **present)


def test_a_scan_that_reads_the_items_filters_by_them() -> None:
    """A local index that is asked for all attributes reads each item, and the filter sees it too."""
    database = Database()
    database.create("a:S b:N", LocalSecondaryIndexes=[index("lsi", "a:S c:S", "KEYS_ONLY")])
    item = {"a": "x", "b": 1, "c": "y", "d": "z"}
    database.put(**item)
    request = {"TableName": "tab", "IndexName": "lsi", "FilterExpression": "attribute_exists(d)"}
    assert database.call("Scan", **request, Select="ALL_ATTRIBUTES")["Items"] == [wire(item)]
    assert database.call("Scan", **request, ProjectionExpression="d")["Items"] == [wire({"d": "z"})]


@pytest.mark.parametrize("name", ["with blank", "__class__", "total", "ä\u2028\"'\\", "n" * 5000])
def test_filters_and_projections_read_attributes_of_any_name(name: str) -> None:
    """They read no others of a row, and these whole, whatever their types are."""
    database = Database()
    database.create("a:S")
    held = {"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]}
    database.call("PutItem", TableName="tab", Item={"a": {"S": "x"}, name: held, "other": {"S": "not shown"}})
    database.put(a="y", other="z")
    request = {"TableName": "tab", "ExpressionAttributeNames": {"#n": name}}
    found = database.call("Scan", FilterExpression="attribute_exists(#n)", **request)
    assert found["Items"] == [{"a": {"S": "x"}, name: held, "other": {"S": "not shown"}}]
    shown = database.call("Scan", ProjectionExpression="#n[1].x", **request)
    assert sorted(shown["Items"], key=len) == [{}, {name: {"L": [{"M": {"x": {"S": "y"}}}]}}]
    values = {":one": {"N": "1"}}
    both = {"FilterExpression": "#n[0] = :one", "ProjectionExpression": "#n", "ExpressionAttributeValues": values}
    assert database.call("Scan", **both, **request)["Items"] == [{name: held}]
