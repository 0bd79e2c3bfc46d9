"""Transactions: all or nothing, with a reason for each action."""

from typing import Any

import pytest

from dynamix.engine import Engine
from engine.database import Clock, Database, index, wire


@pytest.fixture
def database() -> Database:
    database = Database()
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "c:S")])
    return database


def _put(a: str, **more: Any) -> dict[str, Any]:
    options = {name: more.pop(name) for name in list(more) if name[0].isupper()}
    return {"Put": {"TableName": "tab", "Item": wire({"a": a, **more}), **options}}


def _key(action: str, a: str, **options: Any) -> dict[str, Any]:
    return {action: {"TableName": "tab", "Key": wire({"a": a}), **options}}


def _update(a: str, expression: str, **values: Any) -> dict[str, Any]:
    given = {f":{name}": {"N": str(number)} for name, number in values.items()}
    return _key("Update", a, UpdateExpression=expression, ExpressionAttributeValues=given)


def test_all_four_actions_happen_together(database: Database) -> None:
    """Put, update, delete and check, in one go."""
    database.put(a="deleted")
    database.put(a="checked")
    answer = database.call(
        "TransactWriteItems",
        TransactItems=[
            _put("put", n=1),
            _update("updated", "SET n = :n", n=2),
            _key("Delete", "deleted"),
            _key("ConditionCheck", "checked", ConditionExpression="attribute_exists(a)"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    consumed = {"TableName": "tab", "CapacityUnits": 8, "WriteCapacityUnits": 8}
    assert answer == {"ConsumedCapacity": [consumed]}
    answer = database.call(
        "TransactGetItems",
        TransactItems=[
            _key("Get", "put"),
            _key("Get", "deleted"),
            _key("Get", "updated", ProjectionExpression="n"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer == {
        "Responses": [{"Item": wire({"a": "put", "n": 1})}, {}, {"Item": wire({"n": 2})}],
        "ConsumedCapacity": [{"TableName": "tab", "CapacityUnits": 6, "ReadCapacityUnits": 6}],
    }


def test_a_failed_transaction_changes_nothing(database: Database) -> None:
    """Every action has its reason, in the caller's order, and table and indexes stay as they were."""
    database.put(a="there", c="x")
    error = database.error(
        "TransactWriteItems",
        TransactItems=[
            _put("new", c="y"),
            _put(
                "there",
                ConditionExpression="attribute_not_exists(a)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            _update("other", "SET n = n + :n", n=1),
            _key("ConditionCheck", "missing", ConditionExpression="attribute_exists(a)"),
            _key("Delete", "there too"),
        ],
    )
    assert error["__type"].endswith("#TransactionCanceledException")
    assert error["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed, ValidationError, ConditionalCheckFailed, None]"
    )
    reasons = error["CancellationReasons"]
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert reasons[0] == reasons[4] == {"Code": "None"}
    assert reasons[1] == {**failed, "Item": wire({"a": "there", "c": "x"})}
    assert reasons[3] == failed
    assert reasons[2] == {
        "Code": "ValidationError",
        "Message": "The provided expression refers to an attribute that does not exist in the item",
    }
    assert database.call("Scan", TableName="tab")["Items"] == [wire({"a": "there", "c": "x"})]
    assert database.call("Scan", TableName="tab", IndexName="gsi")["Items"] == [wire({"a": "there", "c": "x"})]
    assert database.call("DescribeTable", TableName="tab")["Table"]["ItemCount"] == 1


def test_an_item_is_acted_on_once(database: Database) -> None:
    """Two actions on one item are refused; so is an action that is none or two."""
    message = "Transaction request cannot include multiple operations on one item"
    refused = database.refusal("TransactWriteItems", TransactItems=[_put("x"), _key("Delete", "x")])
    assert refused == ("ValidationException", message)
    refused = database.refusal("TransactGetItems", TransactItems=[_key("Get", "x"), _key("Get", "x")])
    assert refused == ("ValidationException", message)
    code, _ = database.refusal("TransactWriteItems", TransactItems=[{}])
    assert code == "ValidationException"
    code, _ = database.refusal("TransactWriteItems", TransactItems=[_put("x") | _key("Delete", "x")])
    assert code == "ValidationException"


def test_missing_tables_and_wrong_keys(database: Database) -> None:
    """A missing table is an answer of its own; a key that does not fit is the reason of its action."""
    action = {"Delete": {"TableName": "nope", "Key": wire({"a": "x"})}}
    code, _ = database.refusal("TransactWriteItems", TransactItems=[_put("x"), action])
    assert code == "ResourceNotFoundException"
    for target, kind in (("TransactWriteItems", "Delete"), ("TransactGetItems", "Get")):
        action = {kind: {"TableName": "tab", "Key": wire({"b": "x"})}}
        error = database.error(target, TransactItems=[_key(kind, "x"), action])
        assert [reason["Code"] for reason in error["CancellationReasons"]] == ["None", "ValidationError"]


def test_an_empty_key_is_refused_at_once(database: Database) -> None:
    """It is invalid by itself, also among actions that fail for reasons of their own, and nothing is cancelled."""
    wrong = {"Delete": {"TableName": "tab", "Key": wire({"b": "x"})}}
    message = "cannot contain an empty string value"
    for action in (
        _put(""),
        _put("x", c=""),
        _key("Delete", ""),
        _key("Update", "", UpdateExpression="REMOVE b"),
        _key("Update", "x", UpdateExpression="SET c = :c", ExpressionAttributeValues={":c": {"S": ""}}),
        _key("ConditionCheck", "", ConditionExpression="attribute_exists(a)"),
    ):
        for actions in ([action], [_put("y"), action]):
            code, said = database.refusal("TransactWriteItems", TransactItems=actions)
            assert (code, message in said) == ("ValidationException", True)
    code, said = database.refusal("TransactWriteItems", TransactItems=[wrong, _key("Delete", "")])
    assert (code, message in said) == ("ValidationException", True)
    code, said = database.refusal("TransactGetItems", TransactItems=[_key("Get", "x"), _key("Get", "")])
    assert (code, message in said) == ("ValidationException", True)
    assert database.call("Scan", TableName="tab")["Count"] == 0


def test_transactions_send_4_mb_at_most(database: Database) -> None:
    """What counts is what is sent: items or keys, expressions and their values, not the items that are stored."""
    big = "y" * 100_000
    too_large = ("ValidationException", "Collection size limit exceeded for a transaction")
    puts = [_put(f"{number}", d=big) for number in range(50)]
    value = {":d": {"S": big}}
    for actions in (
        puts,
        [_key("Update", f"{n}", UpdateExpression="SET d = :d", ExpressionAttributeValues=value) for n in range(50)],
        [_key("Delete", f"{n}", ConditionExpression="d <> :d", ExpressionAttributeValues=value) for n in range(50)],
    ):
        assert database.refusal("TransactWriteItems", TransactItems=actions) == too_large
    assert database.call("Scan", TableName="tab")["Count"] == 0
    for first in (0, 25):
        database.call("TransactWriteItems", TransactItems=puts[first : first + 25])
    for actions in (
        [_key("ConditionCheck", f"{number}", ConditionExpression="attribute_exists(d)") for number in range(50)],
        [_update(f"{number}", "SET n = :n", n=number) for number in range(50)],
        [_key("Delete", f"{number}") for number in range(50)],
    ):
        database.call("TransactWriteItems", TransactItems=actions)
    assert database.call("Scan", TableName="tab")["Count"] == 0


def test_transactions_read_4_mb_at_most(database: Database) -> None:
    """The items that a transaction reads are 4 MB in all at most."""
    for number in range(11):
        database.put(a=f"{number}", d="y" * 400_000)
    gets = [_key("Get", f"{number}") for number in range(11)]
    assert database.refusal("TransactGetItems", TransactItems=gets)[0] == "ValidationException"
    assert len(database.call("TransactGetItems", TransactItems=gets[:10])["Responses"]) == 10


def test_what_a_projection_does_not_find_is_no_item(database: Database) -> None:
    """An item of which nothing is wanted is answered as one that does not exist; GetItem alone tells the two apart."""
    database.put(a="x", n=1)
    gets = [_key("Get", "x", ProjectionExpression=path) for path in ("gone", "n", "n.gone")]
    for get, response in zip(gets, [{}, {"Item": wire({"n": 1})}, {}], strict=True):
        assert database.call("TransactGetItems", TransactItems=[get])["Responses"] == [response]
        answer = database.call("GetItem", **get["Get"])
        assert answer == {"Item": response.get("Item", {})}


def test_a_transaction_costs_the_table_twice(database: Database) -> None:
    """Indexes are charged for their entries as by any other write."""
    answer = database.call(
        "TransactWriteItems", TransactItems=[_put("x", c="y", d="z" * 1500)], ReturnConsumedCapacity="INDEXES"
    )
    (consumed,) = answer["ConsumedCapacity"]
    twice, once = ({"CapacityUnits": units, "WriteCapacityUnits": units} for units in (4.0, 2.0))
    assert consumed["Table"] == twice
    assert consumed["GlobalSecondaryIndexes"] == {"gsi": once}
    assert (consumed["CapacityUnits"], consumed["WriteCapacityUnits"]) == (6.0, 6.0)


def test_client_tokens_make_repeats_harmless() -> None:
    """A request sent again with its token is answered again but not done again, for ten minutes."""
    clock = Clock()
    database = Database(Engine(clock=clock))
    database.create("a:S")
    request: dict[str, Any] = {
        "TransactItems": [_update("x", "ADD n :n", n=1)],
        "ClientRequestToken": "token",
        "ReturnConsumedCapacity": "TOTAL",
    }
    first = database.call("TransactWriteItems", **request)
    assert first["ConsumedCapacity"] == [{"TableName": "tab", "CapacityUnits": 2, "WriteCapacityUnits": 2}]
    again = database.call("TransactWriteItems", **request)
    assert again["ConsumedCapacity"] == [{"TableName": "tab", "CapacityUnits": 2, "ReadCapacityUnits": 2}]
    assert database.get(a="x") == wire({"a": "x", "n": 1})
    code, _ = database.refusal(
        "TransactWriteItems", TransactItems=[_update("x", "ADD n :n", n=2)], ClientRequestToken="token"
    )
    assert code == "IdempotentParameterMismatchException"
    clock.now += 601
    database.call("TransactWriteItems", **request)
    assert database.get(a="x") == wire({"a": "x", "n": 2})


def test_the_token_of_a_failed_transaction_is_free(database: Database) -> None:
    """A transaction that was cancelled did not happen, so its token may be used again."""
    guarded = _put("x", ConditionExpression="attribute_exists(a)")
    database.error("TransactWriteItems", TransactItems=[guarded], ClientRequestToken="token")
    database.call("TransactWriteItems", TransactItems=[_put("y")], ClientRequestToken="token")
    assert database.get(a="y") is not None


def test_a_transaction_tells_its_collections(database: Database) -> None:
    """For each action on a table with local indexes, where asked, also when it is repeated under its token."""
    database.create("a:S b:N", name="third", LocalSecondaryIndexes=[index("lsi", "a:S c:S")])
    actions = [_put("x"), {"Put": {"TableName": "third", "Item": wire({"a": "x", "b": 1})}}]
    told = {"ItemCollectionKey": wire({"a": "x"}), "SizeEstimateRangeGB": [0.0, 1.0]}
    for _ in range(2):
        answer = database.call(
            "TransactWriteItems",
            TransactItems=actions,
            ReturnItemCollectionMetrics="SIZE",
            ClientRequestToken="token",
        )
        assert answer == {"ItemCollectionMetrics": {"third": [told]}}
