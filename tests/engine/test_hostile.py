"""Requests that are made to cost much: each costs what its size and the page that it reads warrant.

Nothing is timed: what grew with the square of a size, or worse, would not end before the test is ended.
"""

import base64
from typing import Any

import pytest

from engine.database import Database, wire

KEY = wire({"a": "x"})
MANY = 3_000_000
SET = [str(number) for number in range(60_000)]
LARGE_SET = [str(number) for number in range(250_000)]
BASE64 = base64.b64encode(bytes(range(256)) * 20_000).decode().replace("+", "A").replace("/", "A")


@pytest.fixture
def database() -> Database:
    database = Database()
    database.create("a:S")
    return database


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"B": BASE64[:-8] + "_" + BASE64[-7:]}, "Invalid Base64 character: '_'"),
        ({"B": BASE64 + "\n"}, "Base64 encoded length is expected a multiple of 4 bytes"),
        ({"BS": [BASE64[:-8] + "-" + BASE64[-7:]]}, "Invalid Base64 character: '-'"),
        ({"N": "1" * MANY + "x"}, "The parameter cannot be converted to a numeric value"),
        ({"N": "1" * MANY}, "Number overflow"),
        ({"N": "0." + "0" * MANY + "1"}, "Number underflow"),
        ({"N": "1e" + "9" * MANY}, "Number overflow"),
        ({"N": "1." * (MANY // 2)}, "The parameter cannot be converted to a numeric value"),
    ],
    ids=["base64", "end of base64", "set of base64", "junk", "digits", "zeros", "exponent", "points"],
)
def test_a_long_value_that_is_wrong(database: Database, value: dict[str, Any], message: str) -> None:
    """A value of megabytes is looked at once, whatever is wrong with it and wherever."""
    assert message in database.refusal("PutItem", TableName="tab", Item={**KEY, "v": value})[1]


def update(expression: str, value: Any) -> dict[str, Any]:
    values = {} if value is None else {"ExpressionAttributeValues": {":v": value}}
    return {"TableName": "tab", "Key": KEY, "UpdateExpression": expression, **values}


def test_elements_are_taken_from_a_large_set(database: Database) -> None:
    """What DELETE takes costs as many steps as both sets have elements."""
    database.put(a="x", s={"NS": SET})
    database.call("UpdateItem", **update("DELETE s :v", {"NS": SET[:-1]}))
    assert database.get(a="x") == {**KEY, "s": {"NS": SET[-1:]}}


@pytest.mark.parametrize(
    ("clause", "action", "value"),
    [
        ("SET", "{} = l", None),
        ("SET", "{} = m", None),
        ("SET", "{} = list_append(l, l)", None),
        ("ADD", "{} :v", {"NS": LARGE_SET}),
    ],
    ids=["list", "map", "append", "union"],
)
def test_one_large_value_in_hundreds_of_places(database: Database, clause: str, action: str, value: Any) -> None:
    """An update that makes an item far too large is refused before it is made whole."""
    nested = {"L": [{"L": [{"NULL": True}] * 100_000}]} if clause == "SET" else {"NULL": True}
    flat = {"M": {str(number): {"NULL": True} for number in range(10_000)}} if clause == "SET" else {"NULL": True}
    sets = {f"z{number}": {"NS": ["-1"]} for number in range(150)} if clause == "ADD" else {}
    database.put(a="x", l=nested, m=flat, **sets)
    expression = f"{clause} " + ", ".join(action.format(f"z{number}") for number in range(150))
    assert "Item size to update has exceeded" in database.refusal("UpdateItem", **update(expression, value))[1]


def test_one_large_set_is_taken_from_hundreds(database: Database) -> None:
    """A set of the request is made ready once, however many actions use it."""
    database.put(a="x", **{f"z{number}": {"NS": ["1"]} for number in range(400)})
    database.call("UpdateItem", **update("DELETE " + ", ".join(f"z{n} :v" for n in range(400)), {"NS": LARGE_SET}))
    assert database.get(a="x") == KEY


def test_older_parameters_without_end(database: Database) -> None:
    """The older parameters have no limit on their number: neither names, options nor conditions cost by the square."""
    names = [f"n{number}" for number in range(60_000)]
    assert database.call("GetItem", TableName="tab", Key=KEY, AttributesToGet=names) == {}
    items = [{"PutRequest": {"Item": wire({"a": str(number)})}} for number in range(500)]
    for first in range(0, len(items), 25):
        database.call("BatchWriteItem", RequestItems={"tab": items[first : first + 25]})
    among = {"a": {"ComparisonOperator": "IN", "AttributeValueList": [{"S": name} for name in [*names, "7"]]}}
    assert database.call("Scan", TableName="tab", ScanFilter=among)["Items"] == [wire({"a": "7"})]
    absent = {name: {"ComparisonOperator": "NULL"} for name in names}
    page = database.call("Scan", TableName="tab", ScanFilter=absent)
    assert page["Count"] == page["ScannedCount"] > 0
    assert page["LastEvaluatedKey"] == page["Items"][-1]


def test_a_resource_name_of_colons(database: Database) -> None:
    """What is no ARN is found out in one pass."""
    for name in (":" * 1283, "arn:" + "a:" * 600, "arn:aws:dynamodb:" + ":1:table/" * 140 + "/"):
        code, _ = database.refusal("ListTagsOfResource", ResourceArn=name)
        assert code in ("AccessDeniedException", "ValidationException")


def test_tokens_are_found_by_their_end(database: Database) -> None:
    """A transaction with a client token does not look at those of others that still live."""
    (plan,) = [
        row[3]
        for row in database.engine._database.catalog.connection.execute(  # type: ignore[attr-defined]
            "EXPLAIN QUERY PLAN DELETE FROM tokens WHERE expires <= 1"
        )
    ]
    assert "tokens_by_expiry" in plan


HEAVY = {"L": [{"S": "none" * 60_000}] * 2}


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        (
            "Scan",
            {"TableName": "tab", "FilterExpression": "contains(:v, a)", "ExpressionAttributeValues": {":v": HEAVY}},
        ),
        (
            "Scan",
            {
                "TableName": "tab",
                "FilterExpression": " OR ".join([f"a IN ({', '.join([':v'] * 100)})"] * 9),
                "ExpressionAttributeValues": {":v": {"S": "none" * 50_000}},
            },
        ),
        ("ExecuteStatement", {"Statement": "SELECT * FROM tab WHERE contains(?, a)", "Parameters": [HEAVY]}),
    ],
    ids=["list", "options", "statement"],
)
def test_what_looks_at_much_looks_at_few_rows(database: Database, operation: str, request_: dict[str, Any]) -> None:
    """A page ends early where each of its rows takes long, and the next goes on behind it."""
    for number in range(150):
        database.put(a=str(number))
    pages = [database.call(operation, **request_, ReturnConsumedCapacity="TOTAL")]
    while len(pages) < 10 and "LastEvaluatedKey" in pages[-1]:
        token = {"NextToken": pages[-1].get("NextToken")} if operation == "ExecuteStatement" else {}
        start = token or {"ExclusiveStartKey": pages[-1]["LastEvaluatedKey"]}
        pages.append(database.call(operation, **request_, **start))
    assert 1 < len(pages) < 10
    assert [page["Items"] for page in pages] == [[]] * len(pages)
    if operation == "Scan":
        assert sum(page["ScannedCount"] for page in pages) == 150
