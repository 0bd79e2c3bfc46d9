"""What surprises users of the service, and what emulators get wrong: one test for each trap."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dynamix.engine import Engine
from engine.conformance import DEFINITION, KEY, TABLE, ask, error, good, thread_table, values

N1 = {"N": "1"}


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = thread_table()
    yield engine
    engine.close()


def put(engine: Engine, **attributes: Any) -> None:
    good(engine, "PutItem", {"Item": {**KEY, **attributes}})


def get(engine: Engine, **key: Any) -> dict[str, Any] | None:
    """The item, without its key."""
    item = good(engine, "GetItem", {"Key": {**KEY, **key}}).get("Item")
    return item and {name: value for name, value in item.items() if name not in KEY}


def update(engine: Engine, expression: str, returns: str = "NONE", **more: Any) -> dict[str, Any] | None:
    """Updates the item and gives the attributes that come back."""
    request = {"Key": KEY, "UpdateExpression": expression, "ReturnValues": returns, **more}
    attributes: dict[str, Any] | None = good(engine, "UpdateItem", request).get("Attributes")
    return attributes


def texts(*words: str) -> dict[str, Any]:
    return {"L": [{"S": word} for word in words]}


@pytest.mark.parametrize("expression", ["REMOVE a", "REMOVE a.b", "REMOVE a[0]", "REMOVE b, a[0].b[1]", "DELETE a :v"])
def test_removing_from_a_missing_item_makes_none(engine: Engine, expression: str) -> None:
    """REMOVE or DELETE alone on a missing item succeeds and stores nothing."""
    named = values(v={"SS": ["x"]}) if ":v" in expression else {}
    assert update(engine, expression, "ALL_NEW", **named) is None
    assert get(engine) is None


def test_setting_on_a_missing_item_makes_it(engine: Engine) -> None:
    """SET and ADD create the item; so does an update without any action."""
    update(engine, "SET a = :v", **values(v=N1))
    assert get(engine) == {"a": N1}
    good(engine, "UpdateItem", {"Key": {**KEY, "sk": {"N": "2"}}})
    assert get(engine, sk={"N": "2"}) == {}


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("NONE", None),
        ("ALL_OLD", {**KEY, "m": {"M": {"x": {"S": "old"}, "y": N1}}, "l2": texts("a", "b"), "z": N1}),
        ("ALL_NEW", {**KEY, "m": {"M": {"x": {"S": "new"}, "y": N1}}, "l2": texts("a", "c"), "z": N1}),
        ("UPDATED_OLD", {"m": {"M": {"x": {"S": "old"}}}, "l2": texts("b")}),
        ("UPDATED_NEW", {"m": {"M": {"x": {"S": "new"}}}, "l2": texts("c")}),
    ],
)
def test_updated_values_are_the_touched_parts(engine: Engine, returns: str, expected: object) -> None:
    """UPDATED_OLD and UPDATED_NEW hold the nested parts that the expression names, not the whole attributes."""
    put(engine, m={"M": {"x": {"S": "old"}, "y": N1}}, l2=texts("a", "b"), z=N1)
    named = values(v={"S": "new"}, w={"S": "c"})
    assert update(engine, "SET m.x = :v, l2[1] = :w", returns, **named) == expected


def test_updated_values_leave_out_what_is_not_there(engine: Engine) -> None:
    """A new attribute has no old value, a removed one no new value."""
    put(engine, a=N1)
    assert update(engine, "SET b = :v REMOVE a", "UPDATED_OLD", **values(v=N1)) == {"a": N1}
    assert update(engine, "SET a = :v REMOVE b", "UPDATED_NEW", **values(v=N1)) == {"a": N1}


def test_a_failed_transaction_changes_nothing(engine: Engine) -> None:
    """Neither the actions before the failing one nor those after it leave a trace; the reasons are in order."""
    put(engine, a=N1)
    other = {**KEY, "sk": {"N": "2"}}
    status, answer = ask(
        engine,
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": TABLE, "Item": other}},
                {
                    "Update": {
                        "TableName": TABLE,
                        "Key": KEY,
                        "UpdateExpression": "SET a = :v",
                        "ConditionExpression": "attribute_not_exists(a)",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        **values(v={"N": "2"}),
                    }
                },
                {"Delete": {"TableName": TABLE, "Key": {**KEY, "sk": {"N": "3"}}}},
            ]
        },
    )
    assert status == 400
    assert answer["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": {**KEY, "a": N1}},
        {"Code": "None"},
    ]
    assert get(engine) == {"a": N1}
    assert get(engine, sk={"N": "2"}) is None


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("attribute_exists(pk)", False),
        ("attribute_not_exists(pk)", True),
        ("a = :v", False),
        ("a <> :v", True),
        ("NOT a = :v", True),
        ("a < :v", False),
        ("NOT a < :v", True),
        ("size(a) >= :v", False),
        ("a IN (:v)", False),
        ("contains(a, :v)", False),
    ],
)
def test_conditions_on_a_missing_item(engine: Engine, condition: str, holds: bool) -> None:
    """A missing item has no attributes: everything about them is false, but for "not exists" and "<>"."""
    named = values(v=N1) if ":v" in condition else {}
    status, _ = ask(engine, "DeleteItem", {"Key": KEY, "ConditionExpression": condition, **named})
    assert (status == 200) == holds


def test_a_failed_condition_hands_out_the_item_where_asked(engine: Engine) -> None:
    """ReturnValuesOnConditionCheckFailure=ALL_OLD brings the stored item; without an item there is no such member."""
    request = {
        "Key": KEY,
        "ConditionExpression": "a = :v",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **values(v=N1),
    }
    assert "Item" not in ask(engine, "DeleteItem", request)[1]
    put(engine, a={"N": "2"})
    assert ask(engine, "DeleteItem", request)[1]["Item"] == {**KEY, "a": {"N": "2"}}


def test_lists_grow_at_their_end(engine: Engine) -> None:
    """list_append joins in the order written; SET past the end appends, in the order of the indexes."""
    put(engine, l2=texts("a"))
    update(engine, "SET l2 = list_append(l2, :v)", **values(v=texts("b")))
    update(engine, "SET l2 = list_append(:v, l2)", **values(v=texts("0")))
    assert get(engine) == {"l2": texts("0", "a", "b")}
    update(engine, "SET l2[9] = :y, l2[7] = :x", **values(x={"S": "x"}, y={"S": "y"}))
    assert get(engine) == {"l2": texts("0", "a", "b", "x", "y")}


def test_list_elements_are_removed_by_their_old_indexes(engine: Engine) -> None:
    """REMOVE of several elements means the list as it was before the update; beyond the end is no error."""
    put(engine, l2=texts("a", "b", "c", "d"))
    update(engine, "REMOVE l2[0], l2[2], l2[9]")
    assert get(engine) == {"l2": texts("b", "d")}


def test_actions_see_the_item_as_it_was(engine: Engine) -> None:
    """All operands are read before anything is written: two attributes can be swapped."""
    put(engine, a=N1, b={"N": "2"})
    update(engine, "SET a = b, b = a")
    assert get(engine) == {"a": {"N": "2"}, "b": N1}


def test_add_starts_from_nothing(engine: Engine) -> None:
    """ADD on a missing number starts from 0, on a missing set from the empty set."""
    update(engine, "ADD n :n, s :s", **values(n={"N": "-2"}, s={"SS": ["x"]}))
    assert get(engine) == {"n": {"N": "-2"}, "s": {"SS": ["x"]}}
    update(engine, "ADD n :n, s :s", **values(n={"N": "0.50"}, s={"SS": ["x", "y"]}))
    found = get(engine)
    assert found is not None
    assert (found["n"], sorted(found["s"]["SS"])) == ({"N": "-1.5"}, ["x", "y"])


def test_an_empty_set_vanishes(engine: Engine) -> None:
    """An update that takes the last element of a set removes the attribute."""
    put(engine, s={"NS": ["1", "2.0"]})
    update(engine, "DELETE s :v", **values(v={"NS": ["1.0", "2", "3"]}))
    assert get(engine) == {}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1.0", "1"),
        ("-0", "0"),
        ("1e3", "1000"),
        ("0001", "1"),
        ("1E-130", "0." + "0" * 129 + "1"),
        ("+5", "5"),
        (".5", "0.5"),
        ("1" * 38 + "00", "1" * 38 + "00"),
    ],
)
def test_numbers_are_handed_back_in_plain_digits(engine: Engine, given: str, kept: str) -> None:
    """A number's text is normalised: no exponent, no leading or trailing zeros."""
    put(engine, a={"N": given})
    assert get(engine) == {"a": {"N": kept}}


def test_numbers_are_exact_to_38_digits(engine: Engine) -> None:
    """Arithmetic loses nothing within 38 digits and refuses what needs more."""
    put(engine, a={"N": "9" * 37})
    assert update(engine, "SET a = a + :v", "ALL_NEW", **values(v={"N": "0.1"})) == {**KEY, "a": {"N": "9" * 37 + ".1"}}
    code, _ = error(engine, "UpdateItem", {"Key": KEY, "UpdateExpression": "ADD a :v", **values(v={"N": "0.01"})})
    assert code == "ValidationException"


def test_keys_are_equal_where_their_numbers_are(engine: Engine) -> None:
    """1, 1.0 and 1e0 are one key."""
    put(engine, a=N1)
    assert get(engine, sk={"N": "1e0"}) == {"a": N1}
    good(engine, "PutItem", {"Item": {**KEY, "sk": {"N": "1.00"}}})
    assert good(engine, "Scan", {})["Items"] == [KEY]


def fill(engine: Engine, count: int, **attributes: Any) -> None:
    for number in range(count):
        good(engine, "PutItem", {"Item": {"pk": {"S": "x"}, "sk": {"N": str(number)}, **attributes}})


def query(engine: Engine, condition: str = "pk = :p", **request: Any) -> dict[str, Any]:
    named = {":p": {"S": "x"}, **request.pop("ExpressionAttributeValues", {})}
    return good(engine, "Query", {"KeyConditionExpression": condition, "ExpressionAttributeValues": named, **request})


def test_a_page_that_ends_at_the_last_item_has_a_key_to_go_on(engine: Engine) -> None:
    """Limit reached means LastEvaluatedKey, though nothing follows; the next page is empty and has none."""
    fill(engine, 2)
    page = query(engine, Limit=2)
    assert (page["Count"], page["LastEvaluatedKey"]) == (2, {**KEY, "sk": N1})
    rest = query(engine, Limit=2, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert (rest["Items"], rest["Count"], rest["ScannedCount"]) == ([], 0, 0)
    assert "LastEvaluatedKey" not in rest
    assert "LastEvaluatedKey" not in query(engine, Limit=3)


def test_a_filter_does_not_fill_the_limit(engine: Engine) -> None:
    """Limit counts what is read, not what passes the filter; so does the capacity."""
    fill(engine, 6, b={"S": "x" * 4000})
    named = {"ExpressionAttributeValues": {":v": N1}, "ReturnConsumedCapacity": "TOTAL"}
    page = query(engine, FilterExpression="a = :v", Limit=4, **named)
    assert (page["Count"], page["ScannedCount"], page["LastEvaluatedKey"]["sk"]) == (0, 4, {"N": "3"})
    assert page["ConsumedCapacity"]["CapacityUnits"] == 2


def test_a_filter_does_not_shrink_the_megabyte(engine: Engine) -> None:
    """A page ends after 1 MB of items read, however few of them are handed out."""
    fill(engine, 6, b={"S": "x" * 300_000})
    page = query(engine, FilterExpression="a = :v", ExpressionAttributeValues={":v": N1})
    assert (page["Count"], page["ScannedCount"]) == (0, 4)
    assert page["LastEvaluatedKey"]["sk"] == {"N": "3"}


def test_index_keys_of_a_wrong_type_or_empty_are_refused(engine: Engine) -> None:
    """A write with a key attribute of an index that the index cannot hold fails; without it the item is not indexed."""
    for wrong in (N1, {"S": ""}, {"NULL": True}):
        assert error(engine, "PutItem", {"Item": {**KEY, "g": wrong}})[0] == "ValidationException"
        request = {"Key": KEY, "UpdateExpression": "SET g = :v", **values(v=wrong)}
        assert error(engine, "UpdateItem", request)[0] == "ValidationException"
    put(engine, a=N1)
    assert good(engine, "Scan", {"IndexName": "global"})["Count"] == 0


def test_a_backfill_skips_what_an_index_cannot_hold(engine: Engine) -> None:
    """A new index takes the items whose keys fit and leaves out the others without an error."""
    for number, value in enumerate([{"S": "fits"}, N1, {"S": ""}, {"NULL": True}, {"S": "x" * 2049}, None]):
        attributes = {"late": value} if value else {}
        good(engine, "PutItem", {"Item": {**KEY, "sk": {"N": str(number)}, **attributes}})
    create = {
        "IndexName": "late",
        "KeySchema": [{"AttributeName": "late", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    definitions = [*DEFINITION["AttributeDefinitions"], {"AttributeName": "late", "AttributeType": "S"}]
    request = {"AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": [{"Create": create}]}
    good(engine, "UpdateTable", request)
    found = good(engine, "Scan", {"IndexName": "late"})["Items"]
    assert [item["late"] for item in found] == [{"S": "fits"}]


def test_an_index_hands_out_what_it_holds(engine: Engine) -> None:
    """A local index fetches what is asked for beyond its projection from the table; a global one cannot."""
    put(engine, l={"S": "l"}, g={"S": "g"}, a=N1, b=N1)
    local = {"IndexName": "local", "ProjectionExpression": "b"}
    assert query(engine, **local)["Items"] == [{"b": N1}]
    key_only = query(engine, IndexName="local")["Items"]
    assert key_only == [{**KEY, "l": {"S": "l"}}]
    assert query(engine, IndexName="local", Select="ALL_ATTRIBUTES")["Items"][0]["b"] == N1
    request = {
        "IndexName": "global",
        "KeyConditionExpression": "g = :g",
        **values(g={"S": "g"}),
    }
    assert good(engine, "Query", request)["Items"] == [{**KEY, "g": {"S": "g"}, "a": N1}]
    assert error(engine, "Query", {**request, "ProjectionExpression": "b"})[0] == "ValidationException"


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "aé"}, 2),
        ({"B": "AAEC"}, 3),
        ({"SS": ["a", "b"]}, 2),
        ({"NS": ["1"]}, 1),
        ({"BS": ["AA=="]}, 1),
        ({"L": []}, 0),
        ({"M": {"x": N1, "y": N1}}, 2),
        (N1, None),
        ({"BOOL": True}, None),
        ({"NULL": True}, None),
    ],
)
def test_size_of_every_type(engine: Engine, value: dict[str, Any], size: int | None) -> None:
    """size() counts characters, bytes or elements; other types have no size, so any comparison with it fails."""
    put(engine, a=value)
    for number in range(5):
        request = {"Key": KEY, "ConditionExpression": "size(a) = :n", **values(n={"N": str(number)})}
        request["UpdateExpression"] = "SET b = :n"
        assert (ask(engine, "UpdateItem", request)[0] == 200) == (number == size)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("s = :n", False),
        ("s <> :n", True),
        ("s < :n", False),
        ("s > :n", False),
        ("n BETWEEN :a AND :z", False),
        ("s IN (:n, :a)", True),
        ("begins_with(n, :a)", False),
        ("begins_with(s, :a)", True),
        ("contains(s, :a)", True),
        ("contains(s, :n)", False),
        ("contains(ss, :a)", True),
        ("contains(l2, :n)", True),
        ("contains(l2, :a)", False),
        ("n = :n2", True),
        ("ss = :ss", True),
        ("l2 = :l", True),
    ],
)
def test_comparing_values_of_different_types(engine: Engine, condition: str, holds: bool) -> None:
    """Values of different types are unequal and unordered; numbers and sets compare by value."""
    put(engine, s={"S": "a"}, n=N1, ss={"SS": ["a", "b"]}, l2={"L": [N1]})
    known = {
        "n": N1,
        "a": {"S": "a"},
        "z": {"S": "z"},
        "n2": {"N": "1.0"},
        "ss": {"SS": ["b", "a"]},
        "l": {"L": [{"N": "1e0"}]},
    }
    words = condition.replace("(", " ").replace(")", " ").replace(",", " ").split()
    used = {word[1:]: known[word[1:]] for word in words if word.startswith(":")}
    request = {"Key": KEY, "ConditionExpression": condition, "UpdateExpression": "REMOVE q", **values(**used)}
    assert (ask(engine, "UpdateItem", request)[0] == 200) == holds


def test_transactions_cost_twice(engine: Engine) -> None:
    """Transactional reads and writes are charged double; eventually consistent reads half."""
    item = {**KEY, "a": {"S": "x" * 5000}}
    charged = {"ReturnConsumedCapacity": "TOTAL"}
    written = good(engine, "PutItem", {"Item": item, **charged})["ConsumedCapacity"]
    assert written == {"TableName": TABLE, "CapacityUnits": 5}
    action = {"Put": {"TableName": TABLE, "Item": {**item, "sk": {"N": "2"}}}}
    answer = good(engine, "TransactWriteItems", {"TransactItems": [action], **charged})
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 10
    answer = good(engine, "TransactGetItems", {"TransactItems": [{"Get": {"TableName": TABLE, "Key": KEY}}], **charged})
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 4
    for consistent, units in ((True, 2), (False, 1)):
        answer = good(engine, "GetItem", {"Key": KEY, "ConsistentRead": consistent, **charged})
        assert answer["ConsumedCapacity"]["CapacityUnits"] == units


def test_a_client_token_makes_a_transaction_happen_once(engine: Engine) -> None:
    """The same token with the same actions is answered without repeating them; with other actions it is refused."""

    def add(amount: str, token: str) -> dict[str, Any]:
        update = {"TableName": TABLE, "Key": KEY, "UpdateExpression": "ADD n :n", **values(n={"N": amount})}
        return {"TransactItems": [{"Update": update}], "ClientRequestToken": token}

    for _ in range(3):
        good(engine, "TransactWriteItems", add("1", "token"))
    assert get(engine) == {"n": N1}
    assert error(engine, "TransactWriteItems", add("2", "token"))[0] == "IdempotentParameterMismatchException"
    good(engine, "TransactWriteItems", add("1", "another"))
    assert get(engine) == {"n": {"N": "2"}}


def test_batches_are_answered_for_what_exists(engine: Engine) -> None:
    """BatchGetItem leaves out missing items; BatchWriteItem deletes missing ones without an error."""
    put(engine, a=N1)
    missing = {**KEY, "sk": {"N": "7"}}
    answer = good(engine, "BatchGetItem", {"RequestItems": {TABLE: {"Keys": [KEY, missing]}}})
    assert answer == {"Responses": {TABLE: [{**KEY, "a": N1}]}, "UnprocessedKeys": {}}
    answer = good(engine, "BatchWriteItem", {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": missing}}]}})
    assert answer == {"UnprocessedItems": {}}


def test_a_large_batch_is_answered_in_part(engine: Engine) -> None:
    """BatchGetItem stops at 16 MB, here at 1 MB of one partition, and says what is left."""
    fill(engine, 50, b={"S": "x" * 390_000})
    keys = [{"pk": {"S": "x"}, "sk": {"N": str(number)}} for number in range(50)]
    got = 0
    while keys:
        answer = good(engine, "BatchGetItem", {"RequestItems": {TABLE: {"Keys": keys}}})
        found = answer["Responses"][TABLE]
        assert 0 < len(json.dumps(found)) <= 16 * 1024 * 1024
        got += len(found)
        keys = answer["UnprocessedKeys"].get(TABLE, {}).get("Keys", [])
    assert got == 50


def test_segments_share_the_table(engine: Engine) -> None:
    """Every item is in exactly one segment."""
    for number in range(40):
        good(engine, "PutItem", {"Item": {"pk": {"S": str(number)}, "sk": N1}})
    found = [
        item["pk"]["S"]
        for segment in range(7)
        for item in good(engine, "Scan", {"Segment": segment, "TotalSegments": 7})["Items"]
    ]
    assert sorted(found, key=int) == [str(number) for number in range(40)]


def test_strings_sort_by_their_bytes(engine: Engine) -> None:
    """Order is that of UTF-8: an astral character after every other."""
    words = ["", "a", "aa", "b", "é", "\uffff", "😀"]
    for word in words[1:]:
        good(
            engine,
            "PutItem",
            {"Item": {**KEY, "sk": {"N": str(len(word.encode()) * 100 + ord(word[0]))}, "l": {"S": word}}},
        )
    assert [item["l"]["S"] for item in query(engine, IndexName="local")["Items"]] == words[1:]


def test_a_binary_value_must_be_strict_base64(engine: Engine) -> None:
    """Neither a missing padding nor stray characters pass."""
    for wrong in ("AA", "AA=", "A A=", "AB==", "-_=="):
        assert error(engine, "PutItem", {"Item": {**KEY, "a": {"B": wrong}}})[0] == "SerializationException"


def test_deletion_protection_holds(engine: Engine) -> None:
    """A protected table is deleted only after the protection is taken off."""
    good(engine, "UpdateTable", {"DeletionProtectionEnabled": True})
    assert error(engine, "DeleteTable", {})[0] == "ValidationException"
    good(engine, "UpdateTable", {"DeletionProtectionEnabled": False})
    good(engine, "DeleteTable", {})
