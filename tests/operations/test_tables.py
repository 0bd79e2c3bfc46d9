"""Tables are waited for; what is in the way is waited out or said."""

from typing import Any, ClassVar

import pytest
from script import LONGEST, Script

import dynamix
from dynamix.model.running import schema_of
from dynamix.operations import tables
from dynamix.operations.definition import define
from dynamix.schema.table import Table


class Note(dynamix.Model):
    """A table with a global index."""

    __secondary_indexes__: ClassVar = {"by_text": {"hash_key": "text", "projections": ["name", "stars"]}}

    name = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
    stars = dynamix.IntegerField()


TABLE: Table[Note] = schema_of(Note).at("my-")
GONE = dynamix.TableNotFoundError("no such table")
IN_USE = dynamix.TableInUseError("being changed")
LOST = dynamix.ConnectionLostError("closed midway", sent=True)
CREATING = {"TableDescription": {"TableName": "my-Note", "TableStatus": "CREATING"}}
DELETING = {"TableDescription": {"TableName": "my-Note", "TableStatus": "DELETING"}}


def description(status: str = "ACTIVE", index_status: str = "ACTIVE", **changes: Any) -> dict[str, Any]:
    """What DescribeTable answers about the table."""
    definition = define(TABLE)
    indexes = [{**index, "IndexStatus": index_status} for index in definition["GlobalSecondaryIndexes"]]
    live = {"TableStatus": status, "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    return {"Table": {**definition, **live, "GlobalSecondaryIndexes": indexes, **changes}}


def test_creation_waits_for_table_and_indexes() -> None:
    """create is done when the table and its indexes are active, not before."""
    script = Script(
        GONE, CREATING, GONE, description("CREATING"), description("ACTIVE", "CREATING"), description("ACTIVE")
    )
    assert script.run(tables.create(LONGEST, TABLE, False)) == []
    assert script.targets == ["DescribeTable", "CreateTable", *["DescribeTable"] * 4]
    assert script.requests[1][1]["TableName"] == "my-Note"
    assert len(script.pauses) == 3


def test_a_table_that_is_being_deleted_is_waited_for() -> None:
    """A table on its way out is let go, and then made."""
    script = Script(description("DELETING"), description("DELETING"), GONE, CREATING, description())
    assert script.run(tables.create(LONGEST, TABLE, False)) == []
    assert script.targets.count("CreateTable") == 1


def test_two_may_create_at_once() -> None:
    """When another program created the table meanwhile, it is waited for like one's own."""
    script = Script(GONE, IN_USE, description())
    assert script.run(tables.create(LONGEST, TABLE, False)) == []


def test_force_does_not_take_over_anothers_table() -> None:
    """With force, a table that appears between is not taken for the fresh one."""
    script = Script(description(), DELETING, GONE, IN_USE)
    with pytest.raises(dynamix.TableInUseError):
        script.run(tables.create(LONGEST, TABLE, True))


def test_dropping_waits_for_a_table_in_use() -> None:
    """A table that is being changed is dropped when it can be; one that does not exist is no error."""
    script = Script(description(), IN_USE, IN_USE, DELETING, description("DELETING"), GONE)
    script.run(tables.drop(LONGEST, TABLE))
    assert script.targets == [
        "DescribeTable",
        "DeleteTable",
        "DeleteTable",
        "DeleteTable",
        "DescribeTable",
        "DescribeTable",
    ]
    Script(GONE).run(tables.drop(LONGEST, TABLE))
    Script(description(), GONE).run(tables.drop(LONGEST, TABLE))


def test_a_lost_answer_to_the_creation() -> None:
    """Where the answer to CreateTable is lost, the table itself tells what became of it; one that is not there is asked
    for again."""
    script = Script(GONE, LOST, description("CREATING"), description())
    assert script.run(tables.create(LONGEST, TABLE, False)) == []
    assert script.targets == ["DescribeTable", "CreateTable", "DescribeTable", "DescribeTable"]
    script = Script(GONE, LOST, GONE, CREATING, description())
    assert script.run(tables.create(LONGEST, TABLE, False)) == []
    assert script.targets.count("CreateTable") == 2
    script = Script(description(), DELETING, GONE, LOST, GONE, IN_USE, description())
    assert script.run(tables.create(LONGEST, TABLE, True)) == []  # made by the request whose answer was lost


def test_a_creation_that_is_never_answered() -> None:
    """Where no request for the table is ever answered, and it never exists, that is said."""
    script = Script(GONE, *[LOST, GONE] * 4)
    with pytest.raises(dynamix.OutcomeUnknownError, match="CreateTable") as caught:
        script.run(tables.create(LONGEST, TABLE, False))
    assert caught.value.applied == "maybe"


@pytest.mark.parametrize(
    ("found", "times"),
    [([GONE], 1), (["DELETING", GONE], 1), (["another"], 1), (["ACTIVE", DELETING, GONE], 2)],
    ids=["gone", "going", "another's", "still there"],
)
def test_a_lost_answer_to_the_deletion(found: list[Any], times: int) -> None:
    """Where the answer to DeleteTable is lost, it is repeated only if the same table is still there: one that somebody
    made in its place is not dropped."""
    states = {"DELETING": description("DELETING", TableId="1"), "ACTIVE": description(TableId="1")}
    states["another"] = description(TableId="2")
    before = description(TableId="1")
    script = Script(before, LOST, *(states[state] if isinstance(state, str) else state for state in found))
    script.run(tables.drop(LONGEST, TABLE))
    assert script.targets.count("DeleteTable") == times


def test_a_deletion_that_is_never_answered() -> None:
    """Where no deletion is ever answered, and the table stays, that is said."""
    script = Script(description(), *[LOST, description()] * 4)
    with pytest.raises(dynamix.OutcomeUnknownError, match="DeleteTable"):
        script.run(tables.drop(LONGEST, TABLE))


def test_waiting_ends() -> None:
    """After ten minutes the wait is given up with an error that names the table."""
    script = Script(always=lambda target, body: description("CREATING"))
    with pytest.raises(dynamix.DynamixError, match="'my-Note' is not active after 600 seconds") as caught:
        script.run(tables.create(LONGEST, TABLE, False))
    assert caught.value.applied == "maybe"
    assert 600 <= sum(script.pauses) <= 605


def test_a_table_that_stays_in_use_is_not_dropped() -> None:
    """After ten minutes of refusals the last one is raised, and the table is not waited for any longer."""
    script = Script(always=lambda target, body: description() if target == "DescribeTable" else IN_USE)
    with pytest.raises(dynamix.TableInUseError):
        script.run(tables.drop(LONGEST, TABLE))
    assert set(script.targets[1:]) == {"DeleteTable"}
    assert 600 <= sum(script.pauses) <= 605


BY_TEXT = {"IndexName": "by_text", "KeySchema": [{"AttributeName": "text", "KeyType": "HASH"}]}
ALL = {"Projection": {"ProjectionType": "ALL"}}
OTHER_KEY = {"KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}]}
KEYS_OF_TEXT: Any = (("text", "HASH"),)
KEYS_OF_NAME: Any = (("name", "HASH"),)


@pytest.mark.parametrize(
    ("changes", "found", "said"),
    [
        (
            {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]},
            [dynamix.KeyDiffers((("id", "HASH"),), KEYS_OF_NAME)],
            "its key is id (HASH), the model's name (HASH)",
        ),
        (
            {"AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "N"}]},
            [dynamix.KeyTypeDiffers("name", "N", "S")],
            "its key attribute 'name' has the type N, the model's S",
        ),
        (
            {"GlobalSecondaryIndexes": []},
            [dynamix.IndexMissing("by_text", False)],
            "it lacks the global index 'by_text'",
        ),
        (
            {"LocalSecondaryIndexes": [{**BY_TEXT, "IndexName": "ix", **ALL}]},
            [dynamix.IndexSurplus("ix", True)],
            "it has the local index 'ix', the model not",
        ),
        (
            {"GlobalSecondaryIndexes": [{**BY_TEXT, **OTHER_KEY, "Projection": {"ProjectionType": "KEYS_ONLY"}}]},
            [
                dynamix.IndexKeyDiffers("by_text", KEYS_OF_NAME, KEYS_OF_TEXT),
                dynamix.IndexProjectionDiffers("by_text", "KEYS_ONLY", frozenset({"stars"})),
            ],
            "the key of its index 'by_text' is name (HASH), the model's text (HASH); "
            "its index 'by_text' projects KEYS_ONLY, the model's 'stars'",
        ),
        (
            {"BillingModeSummary": {}, "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            [dynamix.BillingDiffers("PROVISIONED", "PAY_PER_REQUEST")],
            "its billing mode is PROVISIONED, the model's PAY_PER_REQUEST",
        ),
    ],
)  # fmt: skip
def test_differences_are_told(changes: dict[str, Any], found: list[dynamix.TableDifference], said: str) -> None:
    """Each way in which a live table differs from the model is a value of its own, and its text a clause."""
    script = Script(description(**changes), description(**changes))
    assert script.run(tables.create(LONGEST, TABLE, False)) == found
    assert "; ".join(map(str, found)) == said
    assert Script(description(**changes)).run(tables.compare(LONGEST, TABLE)) == found


def test_projected_keys_are_not_named_twice() -> None:
    """DynamoDB refuses a key among the projected attributes, so it is left out; with nothing else it is KEYS_ONLY."""
    (index,) = define(TABLE)["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["stars"]}

    class Keyed(dynamix.Model):
        __secondary_indexes__: ClassVar = {"by_text": {"hash_key": "text", "projections": ["name"]}}
        name = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()

    (index,) = define(schema_of(Keyed).at(""))["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_half_a_capacity_is_refused() -> None:
    """Read capacity without write capacity is a mistake in the model, told before anything is sent."""

    class Half(dynamix.Model):
        ReadCapacityUnits = 1
        key = dynamix.CharField(hash_key=True)

    with pytest.raises(dynamix.ModelDefinitionError, match="give both"):
        Script().run(tables.create(LONGEST, schema_of(Half).at(""), False))
