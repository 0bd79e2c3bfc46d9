"""A table is brought to its model one change at a time; each is waited for, and none is made where one cannot be."""

from typing import Any, ClassVar

import pytest
from script import LONGEST, Reply, Script

import dynamix
from dynamix.model.running import schema_of
from dynamix.operations import tables
from dynamix.operations.definition import define
from dynamix.schema.table import Table

GONE = dynamix.TableNotFoundError("no such table")
IN_USE = dynamix.TableInUseError("being changed")
UNKNOWN = dynamix.OutcomeUnknownError("lost", sent=True)


class Note(dynamix.Model):
    """A table with two global indexes, paid by throughput, and protected."""

    ReadCapacityUnits = 5
    WriteCapacityUnits = 6
    DeletionProtectionEnabled = True
    __secondary_indexes__: ClassVar = {
        "by_text": {"hash_key": "text"},
        "by_stars": {"hash_key": "stars", "read_capacity": 7, "write_capacity": 8},
    }

    name = dynamix.CharField(hash_key=True)
    text = dynamix.CharField()
    stars = dynamix.IntegerField()


TABLE: Table[Note] = schema_of(Note).at("")
DEFINITION = define(TABLE)
OWN = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
STARS = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 8}
LIVE = {**DEFINITION, "TableStatus": "ACTIVE"}
TAKEN = {"TableDescription": {**LIVE, "TableStatus": "UPDATING"}}
"""The answer to an UpdateTable."""
BY_TEXT, BY_STARS = DEFINITION["GlobalSecondaryIndexes"]


def told(*indexes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What DescribeTable answers of the model's table with these global indexes and changes."""
    return {"Table": {**LIVE, "GlobalSecondaryIndexes": list(indexes), **changes}}


def index(name: str, key: str = "text", kind: str = "S", status: str = "ACTIVE") -> dict[str, Any]:
    """A global index that the model does not know."""
    return {
        **BY_TEXT,
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "IndexStatus": status,
    }


def run(*replies: Reply) -> tuple[list[dynamix.TableDifference], list[dict[str, Any]], Script]:
    """What an update found, the changes that it asked for without the table's name, and the script."""
    script = Script(*replies)
    found = script.run(tables.update(LONGEST, TABLE))
    changes = [body for target, body in script.requests if target == "UpdateTable"]
    assert [change.pop("TableName") for change in changes] == ["Note"] * len(changes)
    return found, changes, script


def test_a_table_that_is_as_the_model_is_left_alone() -> None:
    """Without a difference nothing is asked for."""
    assert run(told(BY_TEXT, BY_STARS))[:2] == ([], [])


def test_each_index_is_waited_for_before_the_next() -> None:
    """Indexes are made one at a time; the next is asked for when the one before is filled, and a late description of
    the table as it was is not taken for the end."""
    filling = {**BY_STARS, "IndexStatus": "CREATING", "Backfilling": True}
    found, changes, script = run(
        told(),
        TAKEN,
        told(),
        told(filling),
        told(filling, TableStatus="UPDATING"),
        told(BY_STARS),
        TAKEN,
        told(BY_STARS, BY_TEXT),
    )
    assert found == [dynamix.IndexMissing("by_stars", False), dynamix.IndexMissing("by_text", False)]
    assert changes == [
        {
            "AttributeDefinitions": [{"AttributeName": "stars", "AttributeType": "N"}],
            "GlobalSecondaryIndexUpdates": [{"Create": BY_STARS}],
        },
        {
            "AttributeDefinitions": [{"AttributeName": "text", "AttributeType": "S"}],
            "GlobalSecondaryIndexUpdates": [{"Create": BY_TEXT}],
        },
    ]
    assert len(script.pauses) == 3


def test_a_long_backfill_is_waited_for() -> None:
    """An index that takes hours is waited for all the same, with few looks."""
    looks = 2000
    filling = told(BY_TEXT, {**BY_STARS, "IndexStatus": "CREATING"})
    _, _, script = run(told(BY_TEXT), TAKEN, *[filling] * looks, told(BY_TEXT, BY_STARS))
    assert sum(script.pauses) > 9000
    assert max(script.pauses) <= 5


def test_new_indexes_come_before_old_ones_go() -> None:
    """An index is removed after the others were added, so that the programs that know it keep it as long as may be."""
    old, leaving = index("old"), index("old", status="DELETING")
    found, changes, _ = run(
        told(BY_TEXT, old),
        TAKEN,
        told(BY_TEXT, BY_STARS, old),
        TAKEN,
        told(BY_TEXT, BY_STARS, leaving),
        told(BY_TEXT, BY_STARS),
    )
    assert found == [dynamix.IndexMissing("by_stars", False), dynamix.IndexSurplus("old", False)]
    assert [list(change["GlobalSecondaryIndexUpdates"][0]) for change in changes] == [["Create"], ["Delete"]]
    assert changes[1] == {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "old"}}]}


@pytest.mark.parametrize("why", ["no room", "another type"])
def test_old_indexes_go_first_where_they_are_in_the_way(why: str) -> None:
    """A full table, or one whose old index has the new key's attribute under another type, is cleared first."""
    if why == "no room":
        old = [index(f"old{number:02}") for number in range(19)]
        types = DEFINITION["AttributeDefinitions"]
    else:
        old = [index("old", "stars")]
        types = [{**entry, "AttributeType": "S"} for entry in DEFINITION["AttributeDefinitions"]]
    left = [[BY_TEXT, *old[number + 1 :]] for number in range(len(old))]
    live = told(BY_TEXT, *old, AttributeDefinitions=types)
    if why == "no room":
        replies: list[Any] = [live, TAKEN, told(*left[0]), TAKEN, told(*left[0], BY_STARS)]
        for indexes in left[1:]:
            replies += [TAKEN, told(*indexes, BY_STARS)]
    else:
        replies = [live, TAKEN, told(BY_TEXT), TAKEN, told(BY_TEXT, BY_STARS)]
    _, changes, _ = run(*replies)
    kinds = [next(iter(change["GlobalSecondaryIndexUpdates"][0])) for change in changes]
    assert kinds == ["Delete", "Create", *["Delete"] * (len(old) - 1)]


def test_settings_are_changed_one_kind_at_a_time() -> None:
    """Protection first, then billing with a throughput for every index that there is, and then the indexes."""
    on_demand = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}, "DeletionProtectionEnabled": False}
    bare = [{**BY_TEXT, "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}}, index("old")]
    found, changes, _ = run(
        told(*bare, **on_demand),
        TAKEN,
        told(*bare, **{**on_demand, "DeletionProtectionEnabled": True}),
        TAKEN,
        told(BY_TEXT, index("old")),
        TAKEN,
        told(BY_TEXT, BY_STARS, index("old")),
        TAKEN,
        told(BY_TEXT, BY_STARS),
    )
    assert set(found) == {
        dynamix.BillingDiffers("PAY_PER_REQUEST", "PROVISIONED"),
        dynamix.DeletionProtectionDiffers(False, True),
        dynamix.IndexMissing("by_stars", False),
        dynamix.IndexSurplus("old", False),
    }
    assert changes[:2] == [
        {"DeletionProtectionEnabled": True},
        {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": OWN,
            "GlobalSecondaryIndexUpdates": [
                {"Update": {"IndexName": "by_text", "ProvisionedThroughput": OWN}},
                {"Update": {"IndexName": "old", "ProvisionedThroughput": OWN}},
            ],
        },
    ]


def test_throughput_is_changed_where_it_differs() -> None:
    """The table's own throughput and that of an index are changed apart, since equal ones are refused."""
    small = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1, "NumberOfDecreasesToday": 0}
    thin = {**BY_STARS, "ProvisionedThroughput": small}
    found, changes, _ = run(
        told(BY_TEXT, thin, ProvisionedThroughput=small), TAKEN, told(BY_TEXT, thin), TAKEN, told(BY_TEXT, BY_STARS)
    )
    assert found == [
        dynamix.ThroughputDiffers(None, (1, 1), (5, 6)),
        dynamix.ThroughputDiffers("by_stars", (1, 1), (7, 8)),
    ]
    assert [str(difference) for difference in found] == [
        "its throughput is 1 read and 1 write units, the model's 5 read and 6 write units",
        "the throughput of its index 'by_stars' is 1 read and 1 write units, the model's 7 read and 8 write units",
    ]
    assert changes == [
        {"ProvisionedThroughput": OWN},
        {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "by_stars", "ProvisionedThroughput": STARS}}]},
    ]


def test_what_cannot_be_changed_is_refused_before_anything_is() -> None:
    """A difference that no update can change refuses all of them, and is told alone."""
    local = [{**BY_TEXT, "IndexName": "ix"}]
    script = Script(told(BY_TEXT, LocalSecondaryIndexes=local, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}]))
    with pytest.raises(
        dynamix.TableDiffersError, match=r"'Note' of Note.* its key is id .*; it has the local index"
    ) as caught:
        script.run(tables.update(LONGEST, TABLE))
    assert script.targets == ["DescribeTable"]
    assert caught.value.differences == (
        dynamix.KeyDiffers((("id", "HASH"),), (("name", "HASH"),)),
        dynamix.IndexSurplus("ix", True),
    )
    assert not any(difference.updatable for difference in caught.value.differences)


@pytest.mark.parametrize("error", [IN_USE, UNKNOWN], ids=repr)
def test_two_may_update_at_once(error: Exception) -> None:
    """Where another program is changing the table, or where it is not known whether a change was made, the table is
    waited for and looked at anew; what is done by then is not asked for again."""
    made = told(BY_TEXT, {**BY_STARS, "IndexStatus": "CREATING"}, TableStatus="UPDATING")
    found, changes, script = run(told(BY_TEXT), error, made, told(BY_TEXT, BY_STARS))
    assert found == [dynamix.IndexMissing("by_stars", False)]
    assert len(changes) == 1
    assert len(script.pauses) == 2
    _, changes, _ = run(told(BY_TEXT), error, told(BY_TEXT), TAKEN, told(BY_TEXT, BY_STARS))
    assert len(changes) == 2


def test_a_table_that_stays_in_use_is_given_up() -> None:
    """After ten minutes of refusals the last one is raised."""
    script = Script(always=lambda target, body: told(BY_TEXT) if target == "DescribeTable" else IN_USE)
    with pytest.raises(dynamix.TableInUseError):
        script.run(tables.update(LONGEST, TABLE))
    assert 600 <= sum(script.pauses) <= 605


@pytest.mark.parametrize("replies", [[GONE], [told(TableStatus="DELETING"), GONE]], ids=["never", "no more"])
def test_a_table_must_exist(replies: list[Reply]) -> None:
    """A table that does not exist, or goes while it is waited for, is TableNotFoundError."""
    for flow in (tables.update, tables.compare)[: 3 - len(replies)]:
        with pytest.raises(dynamix.TableNotFoundError):
            Script(*replies).run(flow(LONGEST, TABLE))


def test_an_index_on_its_way_out_may_have_lost_its_attributes() -> None:
    """A description may tell of an index that is being removed after its attributes' types are gone."""
    types = DEFINITION["AttributeDefinitions"][:1]
    found = Script(told(BY_TEXT, BY_STARS, AttributeDefinitions=types)).run(tables.compare(LONGEST, TABLE))
    assert found == []
