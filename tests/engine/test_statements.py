"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction, as the engine answers them."""

from typing import Any

import pytest

from engine.database import Database, index, value, wire


@pytest.fixture
def database() -> Database:
    """Two partitions of four items each, with a global and a local index that hold keys only."""
    database = Database()
    database.create(
        "p:S s:N",
        GlobalSecondaryIndexes=[index("by-group", "g:S", "KEYS_ONLY")],
        LocalSecondaryIndexes=[index("by-label", "p:S l:S", "KEYS_ONLY")],
    )
    for p in "ab":
        for s in range(4):
            database.put(p=p, s=s, g="G", l=f"L{s}", n=s * 10, tags={"SS": ["u", "v"]}, m={"M": {"x": value("deep")}})
    return database


def run(database: Database, statement: str, *parameters: Any, **request: Any) -> Any:
    """The answer to a statement."""
    if parameters:
        request["Parameters"] = list(map(value, parameters))
    return database.call("ExecuteStatement", Statement=statement, **request)


def refusal(database: Database, statement: str, **request: Any) -> tuple[str, str]:
    """Code and message of a statement that is refused."""
    return database.refusal("ExecuteStatement", Statement=statement, **request)


def units(database: Database, statement: str, **request: Any) -> float:
    """What a statement takes."""
    consumed: float = run(database, statement, ReturnConsumedCapacity="TOTAL", **request)["ConsumedCapacity"][
        "CapacityUnits"
    ]
    return consumed


def sorts(database: Database, statement: str, *parameters: Any, **request: Any) -> list[str]:
    """The sort keys of what a SELECT finds, in order."""
    return [item["s"]["N"] for item in run(database, statement, *parameters, **request)["Items"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("p = 'a'", "0123"),
        ("p = 'a' AND s >= 2", "23"),
        ("p = 'a' AND s > 0 AND s < 3", "12"),
        ("p = 'a' AND s BETWEEN 1 AND 2", "12"),
        ("p = 'a' AND s IN [3, 1]", "13"),
        ("p = 'a' AND 2 > s", "01"),
        ("p = 'a' AND NOT s = 1", "023"),
        ("p = 'a' AND n = 20", "2"),
        ("p = 'a' AND (s = 1 OR s = 3)", "13"),
        ("p = 'a' AND p = 'b'", ""),
        ("p IN ['a'] AND begins_with(l, 'L1')", "1"),
        ("(p = 'a' AND s = 1) OR (p = 'b' AND s = 2)", "21"),
        ("(p = 'a' OR p = 'b') AND s = 3", "33"),
        ("p = 'a' AND m.x = 'deep' AND contains(tags, 'u') AND s = 0", "0"),
        ("p = 'a' AND zz IS NULL", ""),
        ("p = 'a' AND zz IS MISSING AND s = 2", "2"),
        ("n = 30", "33"),
    ],
)
def test_what_a_where_finds(database: Database, condition: str, expected: str) -> None:
    """A SELECT finds what its WHERE says, in the order of the keys."""
    assert "".join(sorts(database, f"SELECT s FROM tab WHERE {condition}")) == expected


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("p = 'a' AND s = 1", 1),
        ("p = 'a' AND s > 1", 2),
        ("p = 'a'", 4),
        ("p IN ['a', 'b'] AND s = 1", 2),
        ("(p = 'a' AND s = 1) OR (p = 'b' AND s < 2)", 3),
        ("p = 'a' OR n = 1", 8),
        ("p <> 'a'", 8),
        ("NOT p = 'a'", 8),
        ("n = 1", 8),
    ],
)
def test_a_where_on_the_key_reads_what_it_names(condition: str, rows: int) -> None:
    """A WHERE that gives the partition key reads as a query; what it costs follows the rows that it names."""
    database = Database()
    database.create("p:S s:N")
    for p in "ab":
        for s in range(4):
            database.put(p=p, s=s, n=1, filler="x" * 4000)
    text = f"SELECT s FROM tab WHERE {condition}"
    size = rows * (len("p" + "a" + "s" + "n" + "filler") + 2 + 2 + 4000)  # a number of one digit counts 2 bytes
    assert units(database, text, ConsistentRead=True) == -(-size // 4096)


def test_what_a_select_shows(database: Database) -> None:
    """A path is answered under its last name; what an item lacks is left out."""
    shown = run(database, "SELECT n, m.x, zz FROM tab WHERE p = 'a' AND s = 1")["Items"]
    assert shown == [{"n": {"N": "10"}, "x": {"S": "deep"}}]


def test_order(database: Database) -> None:
    """ORDER BY takes key attributes, where the WHERE gives the partition key."""
    assert sorts(database, "SELECT s FROM tab WHERE p = 'a' ORDER BY s DESC") == ["3", "2", "1", "0"]
    assert sorts(database, "SELECT s FROM tab WHERE p = 'a' ORDER BY p, s") == ["0", "1", "2", "3"]
    assert refusal(database, "SELECT s FROM tab WHERE p = 'a' ORDER BY n")[1] == (
        "Variable reference n in ORDER BY clause must be part of the primary key"
    )
    assert refusal(database, "SELECT s FROM tab ORDER BY s")[1] == (
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
    )


@pytest.mark.parametrize("statement", ["SELECT p, s FROM tab", "SELECT p, s FROM tab WHERE p IN ['a', 'b'] AND s > 0"])
@pytest.mark.parametrize("order", ["", " ORDER BY s DESC"])
def test_pages_add_up(database: Database, statement: str, order: str) -> None:
    """Pages of any size give what one page gives, in the same order, without gaps or repeats."""
    if order and "WHERE" not in statement:
        order = ""
    whole = run(database, statement + order)["Items"]
    for limit in (1, 2, 3, 5):
        found, token = [], None
        while True:
            following = {} if token is None else {"NextToken": token}
            page = run(database, statement + order, Limit=limit, **following)
            found += page["Items"]
            token = page.get("NextToken")
            if token is None:
                break
        assert found == whole


def test_a_statement_on_several_partitions_pages_at_ten_items() -> None:
    """With several values of the partition key, a page has at most ten items."""
    database = Database()
    database.create("p:S")
    for number in range(30):
        database.put(p=str(number))
    text = f"SELECT p FROM tab WHERE p IN [{', '.join(repr(str(n)) for n in range(30))}]"
    page = run(database, text)
    assert len(page["Items"]) == 10
    assert len(run(database, text, NextToken=page["NextToken"])["Items"]) == 10
    too_many = ", ".join(repr(str(n)) for n in range(51))
    assert "50 values" in refusal(database, f"SELECT p FROM tab WHERE p IN [{too_many}]")[1]


def test_a_token_belongs_to_its_statement(database: Database) -> None:
    """A token continues the statement and parameters that it came from, and no other."""
    page = run(database, "SELECT s FROM tab WHERE p = ?", "a", Limit=2)
    assert page["LastEvaluatedKey"] == wire({"p": "a", "s": 1})
    assert sorts(database, "SELECT s FROM tab WHERE p = ?", "a", NextToken=page["NextToken"]) == ["2", "3"]
    for statement, parameters in (
        ("SELECT s FROM tab WHERE p = ?", ["b"]),
        ("SELECT s, n FROM tab WHERE p = ?", ["a"]),
    ):
        request = {"Parameters": list(map(value, parameters)), "NextToken": page["NextToken"]}
        assert refusal(database, statement, **request) == ("ValidationException", "Invalid NextToken")
    assert refusal(database, "SELECT s FROM tab", NextToken="no token") == ("ValidationException", "Invalid NextToken")


def test_indexes(database: Database) -> None:
    """An index answers with what it holds; a local one fetches the rest, a global one read by its key refuses it."""
    assert sorted(sorts(database, "SELECT * FROM tab.\"by-group\" WHERE g = 'G' AND p = 'a'")) == ["0", "1", "2", "3"]
    assert sorts(database, "SELECT s, n FROM \"tab\".\"by-label\" WHERE p = 'a' AND l > 'L1'") == ["2", "3"]
    assert run(database, "SELECT n FROM \"tab\".\"by-label\" WHERE p = 'a' AND l = 'L1'")["Items"] == [
        {"n": {"N": "10"}}
    ]
    assert sorts(database, 'SELECT s FROM "tab"."by-label" WHERE p = \'a\' AND n = 20') == ["2"]
    assert (
        "does not project one or more filter attributes: [n]"
        in refusal(database, 'SELECT s FROM "tab"."by-group" WHERE g = \'G\' AND n = 20')[1]
    )
    assert "does not project [n]" in refusal(database, 'SELECT n FROM "tab"."by-group" WHERE g = \'G\'')[1]
    assert sorts(database, 'SELECT s FROM "tab"."by-group" WHERE n = 20') == []
    assert "does not project [n]" in refusal(database, 'SELECT n FROM "tab"."by-group"')[1]
    assert "Consistent reads" in refusal(database, 'SELECT s FROM "tab"."by-group"', ConsistentRead=True)[1]
    assert refusal(database, 'SELECT s FROM "tab"."nothing"')[1] == (
        "The table does not have the specified index: nothing"
    )


def test_no_index_of_several_attributes() -> None:
    """Statements do not read an index whose key has several attributes of one kind."""
    database = Database()
    database.create("p:S", GlobalSecondaryIndexes=[index("two", "g:S", "ALL")])
    database.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in "gh"],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "both",
                    "KeySchema": [{"AttributeName": name, "KeyType": "HASH"} for name in "gh"],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    for where in ("", " WHERE g = 'G' AND h = 'H'"):
        assert "does not support multi-attribute keys" in refusal(database, f"SELECT * FROM tab.both{where}")[1]


def test_many_values_of_a_key(database: Database) -> None:
    """IN takes 50 values of the partition key; more conditions than are told apart still read only the partitions."""
    fifty = ", ".join(f"'{number}'" for number in range(49))
    assert sorts(database, f"SELECT s FROM tab WHERE p IN ('a', {fifty})") == ["0", "1", "2", "3"]
    assert "at most 50 values" in refusal(database, f"SELECT s FROM tab WHERE p IN ('a', 'b', {fifty})")[1]
    either = " OR ".join(f"p = '{number}'" for number in range(60))
    assert sorts(database, f"SELECT s FROM tab WHERE p = 'a' OR {either}") == ["0", "1", "2", "3"]
    hundred = ", ".join(map(str, range(100)))
    many = f"SELECT s FROM tab WHERE s IN ({hundred}) AND p IN ('a', 'none', 'x', 'y', 'z', 'u', 'v') AND s = 1"
    for _ in range(40):
        database.put(p="far", s=len(many), big="x" * 40000)
    assert sorts(database, many) == ["1"]
    assert units(database, many) == 0.5


def test_key_types(database: Database) -> None:
    """A key condition of another type than the key's is refused, as is an empty value."""
    assert refusal(database, "SELECT s FROM tab WHERE p = 1")[1] == (
        "Key attribute's data type should match its data type in table's schema: Key p"
    )
    assert "empty string value. Key: p" in refusal(database, "SELECT s FROM tab WHERE p = ''")[1]


def test_insert(database: Database) -> None:
    """INSERT stores an item whose key is free."""
    assert run(database, "INSERT INTO tab VALUE {'p': 'z', 's': ?, 'list': [1, {'k': null}]}", 1)["Items"] == []
    stored = database.get(p="z", s=1)
    assert stored == {**wire({"p": "z", "s": 1}), "list": {"L": [{"N": "1"}, {"M": {"k": {"NULL": True}}}]}}
    assert refusal(database, "INSERT INTO tab VALUE {'p': 'z', 's': 1}") == (
        "DuplicateItemException",
        "Duplicate primary key exists in table",
    )
    assert database.get(p="z", s=1) == stored
    assert refusal(database, "INSERT INTO tab VALUE {'p': 'z'}")[1] == (
        "Key attribute should be present in the item: Key s"
    )
    assert refusal(database, "INSERT INTO tab VALUE {'p': 1, 's': 1}")[1] == (
        "Key attribute's data type should match its data type in table's schema: Key p"
    )


def test_update(database: Database) -> None:
    """UPDATE changes one item that exists, and RETURNING gives what it says."""
    text = "UPDATE tab SET n = n + 1, m.y = 'new' SET tags = set_add(tags, <<'w'>>) REMOVE l WHERE p = 'a' AND s = 1"
    assert run(database, text)["Items"] == []
    item = database.get(p="a", s=1)
    assert item is not None
    assert (item["n"], item["tags"], item["m"]["M"]["y"], "l" in item) == (
        {"N": "11"},
        {"SS": ["u", "v", "w"]},
        {"S": "new"},
        False,
    )
    for mode, expected in (("MODIFIED OLD", "11"), ("MODIFIED NEW", "13"), ("ALL OLD", "13"), ("ALL NEW", "15")):
        [shown] = run(database, f"UPDATE tab SET n = n + 1 WHERE p = 'a' AND s = 1 RETURNING {mode} *")["Items"]
        assert shown["n"]["N"] == expected
        assert ("p" in shown) == mode.startswith("ALL")


@pytest.mark.parametrize("condition", ["p = 'none' AND s = 1", "p = 'a' AND s = 1 AND n = 99"])
def test_an_update_of_nothing_fails(database: Database, condition: str) -> None:
    """UPDATE makes no item, and changes none that its WHERE does not hold for."""
    before = database.call("Scan", TableName="tab")
    assert refusal(database, f"UPDATE tab SET n = 1 WHERE {condition}") == (
        "ConditionalCheckFailedException",
        "The conditional request failed",
    )
    assert database.call("Scan", TableName="tab") == before


def test_a_failed_condition_shows_the_item_where_asked(database: Database) -> None:
    """ReturnValuesOnConditionCheckFailure is heeded."""
    error = database.error(
        "ExecuteStatement",
        Statement="UPDATE tab SET n = 1 WHERE p = 'a' AND s = 1 AND n = 99",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert error["Item"]["n"] == {"N": "10"}


def test_delete(database: Database) -> None:
    """DELETE removes one item; one that is not there is no error, unless the WHERE says more."""
    [shown] = run(database, "DELETE FROM tab WHERE p = 'a' AND s = 1 RETURNING ALL OLD *")["Items"]
    assert shown["n"] == {"N": "10"}
    assert database.get(p="a", s=1) is None
    assert run(database, "DELETE FROM tab WHERE p = 'a' AND s = 1")["Items"] == []
    assert refusal(database, "DELETE FROM tab WHERE p = 'a' AND s = 1 AND n = 10")[0] == (
        "ConditionalCheckFailedException"
    )


@pytest.mark.parametrize("condition", ["p = 'a'", "p = 'a' AND s > 1", "p = 'a' OR s = 1", "p IN ['a'] AND s = 1"])
def test_writes_name_one_item(database: Database, condition: str) -> None:
    """UPDATE and DELETE need equality on the whole key, and no two that contradict each other."""
    assert run(database, "UPDATE tab SET n = 1 WHERE p = 'a' AND s = 1 AND s = 1")["Items"] == []
    for statement in ("UPDATE tab SET n = 1", "DELETE FROM tab"):
        assert refusal(database, f"{statement} WHERE {condition}") == (
            "ValidationException",
            "Where clause does not contain a mandatory equality on all key attributes",
        )


def test_batches(database: Database) -> None:
    """Each statement of a batch stands alone, and its error stands in its place."""
    answer = database.call(
        "BatchExecuteStatement",
        Statements=[
            {"Statement": "INSERT INTO tab VALUE {'p': 'a', 's': 1}"},
            {"Statement": "UPDATE tab SET n = 7 WHERE p = 'none' AND s = 1"},
            {"Statement": "DELETE FROM tab WHERE p = 'a' AND s = 0 RETURNING ALL OLD *"},
            {"Statement": "UPDATE tab SET"},
            {"Statement": "UPDATE tab SET n = 7 WHERE p = 'a' AND s = 2"},
        ],
    )["Responses"]
    assert [response.get("Error", {}).get("Code") for response in answer] == [
        "DuplicateItem",
        "ConditionalCheckFailed",
        None,
        "ValidationError",
        None,
    ]
    assert [response.get("TableName") for response in answer] == ["tab", "tab", "tab", None, "tab"]
    assert answer[2]["Item"]["n"] == {"N": "0"}
    assert database.get(p="a", s=0) is None
    item = database.get(p="a", s=2)
    assert item is not None
    assert item["n"] == {"N": "7"}


def test_batches_of_reads(database: Database) -> None:
    """A batch reads single items; one that is missing has no Item, one that may be several is refused."""
    answer = database.call(
        "BatchExecuteStatement",
        Statements=[
            {"Statement": "SELECT n FROM tab WHERE p = 'a' AND s = 1"},
            {"Statement": "SELECT n FROM tab WHERE p = 'none' AND s = 1"},
            {"Statement": "SELECT n FROM tab WHERE p = 'a'"},
            {"Statement": "SELECT n FROM tab WHERE p = 'a' AND s = 2 AND n = 20"},
            {"Statement": "EXISTS(SELECT * FROM tab WHERE p = 'a' AND s = 2 AND n = 20)"},
        ],
    )["Responses"]
    several = {"Error": {"Code": "ValidationError", "Message": "Only single item select is supported"}}
    assert answer[:4] == [
        {"TableName": "tab", "Item": {"n": {"N": "10"}}},
        {"TableName": "tab"},
        several,
        several,
    ]
    assert answer[4]["Error"]["Message"] == "EXISTS can only be used in ExecuteTransaction write requests."


def test_what_no_batch_may_hold(database: Database) -> None:
    """Reads beside writes, and two statements on one item, are refused whole."""
    read, write = "SELECT n FROM tab WHERE p = 'a' AND s = 1", "UPDATE tab SET n = 1 WHERE p = 'a' AND s = 1"
    mixed = [{"Statement": read}, {"Statement": write}]
    twice = [{"Statement": write}, {"Statement": write}]
    assert database.refusal("BatchExecuteStatement", Statements=mixed)[1] == (
        "Read and write requests together in the same batch is not supported."
    )
    assert database.refusal("BatchExecuteStatement", Statements=twice)[1] == (
        "Provided list of item keys contains duplicates"
    )
    assert database.refusal("BatchExecuteStatement", Statements=[{"Statement": read}] * 2)[1] == (
        "Provided list of item keys contains duplicates"
    )
    assert database.refusal("ExecuteTransaction", TransactStatements=mixed)[1] == (
        "ExecuteTransaction API does not support both read and write operations in the same request."
    )
    assert database.refusal("ExecuteTransaction", TransactStatements=twice)[1] == (
        "Transaction request cannot include multiple operations on one item"
    )


def transact(*statements: str, **request: Any) -> dict[str, Any]:
    """An ExecuteTransaction request."""
    return {"TransactStatements": [{"Statement": statement} for statement in statements], **request}


def test_transactions(database: Database) -> None:
    """All statements of a transaction are done, or none, and each has its reason."""
    update, free = "UPDATE tab SET n = 7 WHERE p = 'a' AND s = 1", "INSERT INTO tab VALUE {'p': 'z', 's': 1}"
    exists = "EXISTS(SELECT * FROM tab WHERE p = 'a' AND s = 2 AND n = 20)"
    taken = "INSERT INTO tab VALUE {'p': 'a', 's': 3}"
    error = database.error("ExecuteTransaction", **transact(update, exists, taken, free))
    assert [reason["Code"] for reason in error["CancellationReasons"]] == ["None", "None", "DuplicateItem", "None"]
    assert database.get(p="z", s=1) is None
    assert database.call("ExecuteTransaction", **transact(update, exists, free))["Responses"] == []
    assert database.get(p="z", s=1) is not None
    failing = exists.replace("20", "21")
    error = database.error("ExecuteTransaction", **transact("DELETE FROM tab WHERE p = 'z' AND s = 1", failing))
    assert [reason["Code"] for reason in error["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert database.get(p="z", s=1) is not None


def test_exists_needs_an_item(database: Database) -> None:
    """EXISTS does not hold where there is no item, whatever its WHERE says that the item lacks."""
    update = "UPDATE tab SET n = 7 WHERE p = 'a' AND s = 1"
    missing = "EXISTS(SELECT * FROM tab WHERE p = '{}' AND s = 2 AND zzz IS MISSING)"
    error = database.error("ExecuteTransaction", **transact(update, missing.format("none")))
    assert [reason["Code"] for reason in error["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert database.call("ExecuteTransaction", **transact(update, missing.format("a")))["Responses"] == []


def test_reading_transactions(database: Database) -> None:
    """A transaction reads single items as of one moment."""
    one, none = "SELECT n FROM tab WHERE p = 'a' AND s = 1", "SELECT n FROM tab WHERE p = 'none' AND s = 1"
    assert database.call("ExecuteTransaction", **transact(one, none))["Responses"] == [{"Item": {"n": {"N": "10"}}}, {}]


def test_what_no_transaction_may_hold(database: Database) -> None:
    """RETURNING, an EXISTS without a condition, and what is malformed are refused, naming the statement."""
    update, said = "UPDATE tab SET n = 7 WHERE p = 'a' AND s = 1", "Validation failed in TransactStatements[1]: "
    for statement, message in (
        ("UPDATE tab SET n = 7 WHERE p = 'a' AND s = 2 RETURNING ALL NEW *", "RETURNING clause is not supported"),
        ("EXISTS(SELECT * FROM tab WHERE p = 'a' AND s = 2)", "EXISTS() must contain a single item read with"),
        ("UPDATE tab SET", "Statement wasn't well formed"),
    ):
        refused = database.refusal("ExecuteTransaction", **transact(update, statement))[1]
        assert refused.startswith(said + message)
    for statement, message in (
        ("SELECT * FROM tab WHERE p = 'a'", "must specify the primary key in the where clause."),
        ("SELECT * FROM tab WHERE p = 'a' AND s = 1 AND n = 1", "must specify the primary key in the where clause."),
        ("SELECT * FROM tab.\"by-label\" WHERE p = 'a'", "Reads on indices are not supported within transactions."),
        (
            "EXISTS(SELECT * FROM tab.\"by-label\" WHERE p = 'a' AND l = 'x')",
            "Operations on indices are not supported in transactions",
        ),
        (
            "EXISTS(SELECT * FROM tab WHERE p = 'a' AND n = 1)",
            "EXISTS() must contain a single item read with additional condition",
        ),
    ):
        assert database.refusal("ExecuteTransaction", **transact(statement))[1].endswith(message)
    assert refusal(database, "EXISTS(SELECT * FROM tab WHERE p = 'a' AND s = 2 AND n = 20)")[1] == (
        "EXISTS can only be used in ExecuteTransaction write requests."
    )


def test_a_repeated_transaction_is_done_once(database: Database) -> None:
    """A client token makes a repetition answer as the first did, and another use of it is refused."""
    add = transact(
        "UPDATE tab SET n = n + 1 WHERE p = 'a' AND s = 1", ClientRequestToken="t", ReturnConsumedCapacity="TOTAL"
    )
    first = database.call("ExecuteTransaction", **add)
    again = database.call("ExecuteTransaction", **add)
    item = database.get(p="a", s=1)
    assert item is not None
    assert item["n"] == {"N": "11"}
    assert "WriteCapacityUnits" in first["ConsumedCapacity"][0]
    assert "ReadCapacityUnits" in again["ConsumedCapacity"][0]
    other = {**add, **transact("UPDATE tab SET n = n + 2 WHERE p = 'a' AND s = 1")}
    assert database.refusal("ExecuteTransaction", **other)[0] == "IdempotentParameterMismatchException"


def test_missing_tables(database: Database) -> None:
    """A statement on a table that does not exist says so, in a batch in its place."""
    assert refusal(database, "SELECT * FROM nowhere")[0] == "ResourceNotFoundException"
    [response] = database.call(
        "BatchExecuteStatement", Statements=[{"Statement": "DELETE FROM nowhere WHERE p = 'a' AND s = 1"}]
    )["Responses"]
    assert response["Error"]["Code"] == "ResourceNotFound"
