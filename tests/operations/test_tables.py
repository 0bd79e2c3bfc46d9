"""Tables are waited for; what is in the way is waited out or said."""

import re
from typing import Any, ClassVar

import pytest
from script import LONGEST, Script

import dynamix
from dynamix.model.running import schema_of
from dynamix.operations import tables
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
    definition = tables.define(TABLE)
    indexes = [{**index, "IndexStatus": index_status} for index in definition["GlobalSecondaryIndexes"]]
    return {"Table": {**definition, "TableStatus": status, "GlobalSecondaryIndexes": indexes, **changes}}


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
    script = Script(IN_USE, IN_USE, DELETING, description("DELETING"), GONE)
    script.run(tables.drop(LONGEST, TABLE, description()["Table"]))
    assert script.targets == ["DeleteTable", "DeleteTable", "DeleteTable", "DescribeTable", "DescribeTable"]
    Script(GONE).run(tables.drop(LONGEST, TABLE, description()["Table"]))


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
    script = Script(LOST, *(states[state] if isinstance(state, str) else state for state in found))
    script.run(tables.drop(LONGEST, TABLE, description(TableId="1")["Table"]))
    assert script.targets.count("DeleteTable") == times


def test_a_deletion_that_is_never_answered() -> None:
    """Where no deletion is ever answered, and the table stays, that is said."""
    script = Script(*[LOST, description()] * 4)
    with pytest.raises(dynamix.OutcomeUnknownError, match="DeleteTable"):
        script.run(tables.drop(LONGEST, TABLE, description()["Table"]))


def test_waiting_ends() -> None:
    """After ten minutes the wait is given up with an error that names the table."""
    script = Script(always=lambda target, body: description("CREATING"))
    with pytest.raises(dynamix.DynamixError, match="'my-Note' is not active after 600 seconds") as caught:
        script.run(tables.create(LONGEST, TABLE, False))
    assert caught.value.applied == "maybe"
    assert 600 <= sum(script.pauses) <= 605


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}, r"its key is id \(HASH\)"),
        ({"AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "N"}]}, "'name' has the type N"),
        ({"GlobalSecondaryIndexes": []}, "lacks the index 'by_text'"),
        (
            {
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by_text",
                        "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    },
                    {"IndexName": "other", "KeySchema": [], "Projection": {"ProjectionType": "ALL"}},
                ]
            },
            "the index 'by_text' has another projection; the index 'by_text' has other keys",
        ),
    ],
)
def test_differences_are_told(changes: dict[str, Any], said: str) -> None:
    """Each way in which a live table differs from the model is a sentence of its own."""
    script = Script(description(**changes), description(**changes))
    text = "; ".join(script.run(tables.create(LONGEST, TABLE, False)))
    assert re.search(said, text), text


def test_projected_keys_are_not_named_twice() -> None:
    """DynamoDB refuses a key among the projected attributes, so it is left out; with nothing else it is KEYS_ONLY."""
    (index,) = tables.define(TABLE)["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["stars"]}

    class Keyed(dynamix.Model):
        __secondary_indexes__: ClassVar = {"by_text": {"hash_key": "text", "projections": ["name"]}}
        name = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()

    (index,) = tables.define(schema_of(Keyed).at(""))["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_half_a_capacity_is_refused() -> None:
    """Read capacity without write capacity is a mistake in the model, told before anything is sent."""

    class Half(dynamix.Model):
        ReadCapacityUnits = 1
        key = dynamix.CharField(hash_key=True)

    with pytest.raises(dynamix.ModelDefinitionError, match="give both"):
        Script().run(tables.create(LONGEST, schema_of(Half).at(""), False))
