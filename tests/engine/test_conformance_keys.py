"""What the service says of key attributes: in paths, in key conditions, in starting keys and of indexes."""

from collections.abc import Iterator
from typing import Any

import pytest

from dynamix.engine import Engine
from engine.conformance import KEY, TABLE, error, good, thread_table, values

S, N = {"S": "x"}, {"N": "1"}
NO_SCALAR = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
BAD_START = "The provided starting key is invalid"
OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"
NO_RANGE = "The provided starting key does not match the range key predicate"
ONE_ROW = "The query can return at most one row and cannot be restarted"
EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
NO_MATCH = "The provided key element does not match the schema"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = thread_table()
    yield engine
    engine.close()


def refusal(engine: Engine, operation: str, request: dict[str, Any]) -> str:
    """The message of the ValidationException that the answer must be."""
    code, message = error(engine, operation, request)
    assert code == "ValidationException"
    return message


@pytest.mark.parametrize(
    ("path", "what"), [("pk.a", "Key: pk"), ("sk[0]", "Key: sk"), ("l.a", "IndexKey: l"), ("g[0].b", "IndexKey: g")]
)
@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("GetItem", {"Key": KEY, "ProjectionExpression": "a, PATH"}),
        ("Scan", {"ProjectionExpression": "PATH"}),
        ("Scan", {"FilterExpression": "attribute_exists(PATH)"}),
        ("PutItem", {"Item": KEY, "ConditionExpression": "attribute_not_exists(PATH)"}),
        ("DeleteItem", {"Key": KEY, "ConditionExpression": "attribute_not_exists(PATH)"}),
        ("UpdateItem", {"Key": KEY, "UpdateExpression": "SET a = PATH"}),
        ("UpdateItem", {"Key": KEY, "UpdateExpression": "REMOVE a", "ConditionExpression": "attribute_exists(PATH)"}),
        ("Query", {"KeyConditionExpression": "pk = :v", "ProjectionExpression": "PATH", **values(v=S)}),
        ("BatchGetItem", {"RequestItems": {TABLE: {"Keys": [KEY], "ProjectionExpression": "PATH"}}}),
    ],
)
def test_nothing_lies_inside_a_key_attribute(
    engine: Engine, operation: str, request_: dict[str, Any], path: str, what: str
) -> None:
    """No expression may look into a key attribute of the table or of an index, not even where no item is."""
    assert refusal(engine, operation, _with_path(request_, path)) == NO_SCALAR + what


def _with_path(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return {name: _with_path(inner, path) for name, inner in value.items()}
    return value.replace("PATH", path) if isinstance(value, str) else value


def test_a_transaction_looks_into_no_key_attribute(engine: Engine) -> None:
    """An action that looks into one is the reason of the transaction's failure."""
    for operation, action in (
        ("TransactGetItems", {"Get": {"TableName": TABLE, "Key": KEY, "ProjectionExpression": "pk.a"}}),
        (
            "TransactWriteItems",
            {"Delete": {"TableName": TABLE, "Key": KEY, "ConditionExpression": "attribute_exists(pk.a)"}},
        ),
    ):
        code, message = error(engine, operation, {"TransactItems": [action]})
        assert code == "TransactionCanceledException"
        assert message.endswith("[ValidationError]")


def test_a_filter_on_a_key_is_refused_before_one_into_it(engine: Engine) -> None:
    """A query's filter has no key attribute at all; that is said first."""
    request = {"KeyConditionExpression": "pk = :v", "FilterExpression": "sk.a = :v", **values(v=S)}
    assert refusal(engine, "Query", request).startswith("Filter Expression can only contain non-primary key attributes")


@pytest.mark.parametrize("operator", ["NE", "IN", "CONTAINS", "NOT_CONTAINS", "NULL", "NOT_NULL"])
@pytest.mark.parametrize("attribute", ["pk", "sk"])
def test_older_operators_that_no_index_answers(engine: Engine, operator: str, attribute: str) -> None:
    """KeyConditions may name them, and is then told that they are no key conditions."""
    given = {} if "NULL" in operator else {"AttributeValueList": [S if attribute == "pk" else N]}
    conditions = {
        "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [S]},
        attribute: {"ComparisonOperator": operator, **given},
    }
    assert refusal(engine, "Query", {"KeyConditions": conditions}) == (
        "Attempted conditional constraint is not an indexable operation"
    )


def test_older_key_conditions_of_other_attributes(engine: Engine) -> None:
    """The key attribute that is missing is named before anything is said of the other's operator."""
    conditions = {
        "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [S]},
        "a": {"ComparisonOperator": "NE", "AttributeValueList": [S]},
    }
    assert refusal(engine, "Query", {"KeyConditions": conditions}) == "Query condition missed key schema element: sk"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (":v BETWEEN pk AND :v", "BETWEEN operator must have the key attribute as its first operand"),
        ("pk = :v AND :v BETWEEN :v AND :v", "BETWEEN operator must have the key attribute as its first operand"),
        ("begins_with(:v, pk)", "begins_with operator must have the key attribute as its first operand"),
        (":v = :v", "No key attribute specified"),
        ("pk = sk AND pk = :v", "Multiple attribute names used in one condition"),
    ],
)
def test_key_conditions_have_the_key_attribute_first(engine: Engine, condition: str, message: str) -> None:
    """BETWEEN and begins_with are about their first operand, which is the attribute."""
    refused = refusal(engine, "Query", {"KeyConditionExpression": condition, **values(v=S)})
    assert refused == f"Invalid condition in KeyConditionExpression: {message}"


def test_key_conditions_are_checked_key_by_key(engine: Engine) -> None:
    """What is wrong with the partition key is said before the sort key is missed."""
    request = {"KeyConditionExpression": "pk > :v AND a = :v", **values(v=S)}
    assert refusal(engine, "Query", request) == "Query key condition not supported"


def test_no_key_begins_with_nothing(engine: Engine) -> None:
    """An empty prefix is an empty value of a key attribute."""
    request = {"IndexName": "local", "KeyConditionExpression": "pk = :v AND begins_with(l, :p)"}
    assert refusal(engine, "Query", {**request, **values(v=S, p={"S": ""})}) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        "string value. Key: l"
    )


WHOLE = {"KeyConditionExpression": "pk = :v", **values(v=S)}
PART = {"KeyConditionExpression": "pk = :v AND sk > :n", **values(v=S, n={"N": "5"})}
ONE = {"KeyConditionExpression": "pk = :v AND sk = :n", **values(v=S, n={"N": "5"})}
GLOBAL = {"IndexName": "global", "KeyConditionExpression": "g = :v", **values(v=S)}


@pytest.mark.parametrize(
    ("operation", "request_", "start", "message"),
    [
        ("Query", WHOLE, {"pk": S}, BAD_START),
        ("Query", WHOLE, {"pk": S, "a": N}, BAD_START),
        ("Query", WHOLE, {"pk": S, "sk": S}, NO_MATCH),
        ("Query", WHOLE, {"pk": {"S": "y"}, "sk": N}, OUTSIDE),
        ("Query", PART, {"pk": S, "sk": N}, NO_RANGE),
        ("Query", PART, {"pk": {"S": "y"}, "sk": N}, NO_RANGE),
        ("Query", PART, {"pk": {"S": "y"}, "sk": {"N": "6"}}, ONE_ROW),
        ("Query", ONE, {"pk": {"S": "y"}, "sk": {"N": "5"}}, ONE_ROW),
        ("Query", GLOBAL, {"pk": S, "sk": N}, BAD_START),
        ("Query", GLOBAL, {"pk": S, "sk": N, "a": S}, BAD_START),
        ("Query", GLOBAL, {"pk": S, "a": N, "g": S}, BAD_START),
        ("Query", GLOBAL, {"pk": S, "sk": N, "g": N}, NO_MATCH),
        ("Query", GLOBAL, {"pk": N, "sk": N, "g": S}, f"{BAD_START}: {NO_MATCH}"),
        ("Scan", {}, {"pk": S}, f"{BAD_START}: {NO_MATCH}"),
        ("Scan", {}, {"pk": S, "a": N}, f"{BAD_START}: {NO_MATCH}"),
        ("Scan", {}, {"pk": S, "sk": S}, f"{BAD_START}: {NO_MATCH}"),
        ("Scan", {"IndexName": "global"}, {"pk": S, "sk": N}, BAD_START),
        ("Scan", {"IndexName": "global"}, {"pk": S, "sk": N, "g": N}, NO_MATCH),
        ("Scan", {"IndexName": "global"}, {"pk": N, "sk": N, "g": S}, f"{BAD_START}: {NO_MATCH}"),
        ("Scan", {}, {"pk": S, "sk": {"N": "x"}}, "The parameter cannot be converted to a numeric value: x"),
        ("Scan", {}, {"pk": S, "sk": {}}, f"{BAD_START}: {EMPTY}"),
    ],
)
def test_starting_keys(
    engine: Engine, operation: str, request_: dict[str, Any], start: dict[str, Any], message: str
) -> None:
    """A query looks at the keys that it searches by, then at the table's; a scan of the table only at these."""
    assert refusal(engine, operation, {**request_, "ExclusiveStartKey": start}) == message


def test_a_query_of_one_item_may_go_on_after_it(engine: Engine) -> None:
    """Nothing is behind the only item that the condition selects."""
    good(engine, "PutItem", {"Item": {"pk": S, "sk": {"N": "5"}}})
    answer = good(engine, "Query", {**ONE, "ExclusiveStartKey": {"pk": S, "sk": {"N": "5"}}})
    assert (answer["Items"], "LastEvaluatedKey" in answer) == ([], False)


MISMATCH = "One or more parameter values were invalid: Type mismatch for Index Key "


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"UpdateExpression": "SET g = :n"}, "g Expected: S Actual: N IndexName: global"),
        ({"UpdateExpression": "SET l = if_not_exists(l, :n)"}, "l Expected: S Actual: N IndexName: local"),
        ({"UpdateExpression": "SET l = a + :n"}, "l Expected: S Actual: N IndexName: local"),
        ({"UpdateExpression": "SET l = list_append(a, a), b = :n"}, "l Expected: S Actual: L IndexName: local"),
        ({"UpdateExpression": "ADD g :n"}, "g Expected: S Actual: N IndexName: global"),
        ({"AttributeUpdates": {"g": {"Value": N}}}, "g Expected: S Actual: N IndexName: global"),
    ],
)
def test_a_type_that_no_index_key_has_is_refused_at_once(engine: Engine, update: dict[str, Any], message: str) -> None:
    """Where the update itself shows the type, it is refused before its condition is tried."""
    extra = values(n=N) if "UpdateExpression" in update else {}
    refused = refusal(engine, "UpdateItem", {"Key": KEY, **update, **extra})
    assert refused == MISMATCH + message


def test_a_type_that_the_item_decides_is_refused_after_the_condition(engine: Engine) -> None:
    """Another attribute's value shows its type only when the item is there."""
    good(engine, "PutItem", {"Item": {**KEY, "a": N}})
    update = {"Key": KEY, "UpdateExpression": "SET g = a"}
    assert error(engine, "UpdateItem", {**update, "ConditionExpression": "attribute_exists(b)"})[0] == (
        "ConditionalCheckFailedException"
    )
    assert refusal(engine, "UpdateItem", update) == (
        "The update expression attempted to update the secondary index key to unsupported type"
    )


@pytest.mark.parametrize("item", [{"pk": S}, {"pk": S, "sk": S}, {"a": S}])
def test_a_batch_says_less_of_keys(engine: Engine, item: dict[str, Any]) -> None:
    """A key that is missing or of another type is only said not to match."""
    request = {"RequestItems": {TABLE: [{"PutRequest": {"Item": item}}]}}
    assert refusal(engine, "BatchWriteItem", request) == NO_MATCH


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("pk = :v AND sk = :v AND a = :v", "Conditions can be of length 1 or 2 only"),
        ("pk.a = :v", "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("pk = :v AND size(l) = :v", "KeyConditionExpressions cannot contain nested operations"),
    ],
)
def test_key_conditions_are_few_and_flat(engine: Engine, condition: str, message: str) -> None:
    """One condition on each of two whole attributes at most."""
    assert refusal(engine, "Query", {"KeyConditionExpression": condition, **values(v=S)}) == message


def test_a_table_without_sort_key_takes_one_condition(engine: Engine) -> None:
    """A second condition is not supported, whatever it is about."""
    good(
        engine,
        "CreateTable",
        {
            "TableName": "Flat",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        },
    )
    request = {"TableName": "Flat", "KeyConditionExpression": "pk = :v AND a = :v", **values(v=S)}
    assert refusal(engine, "Query", request) == "Query key condition not supported"


def test_an_older_filter_leaves_keys_alone(engine: Engine) -> None:
    """QueryFilter is refused on a key attribute as a filter expression is."""
    equals = {"ComparisonOperator": "EQ", "AttributeValueList": [S]}
    assert refusal(engine, "Query", {"KeyConditions": {"pk": equals}, "QueryFilter": {"pk": equals}}) == (
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: pk"
    )
