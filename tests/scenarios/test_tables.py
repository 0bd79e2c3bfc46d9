"""create_table: keys, indexes, capacity, and what happens to a table that exists."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from typing import ClassVar

import pytest
from forum import Thread, key

import dynamix
from places import Place


def test_the_table_is_as_the_model_says(place: Place) -> None:
    """Keys, key types, all indexes with their projections, and on-demand billing without capacity units."""
    dynamix.create_table(Thread)
    table = place.call("DescribeTable", TableName=place.table_name(Thread))["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["KeySchema"] == [
        {"AttributeName": "forum_id", "KeyType": "HASH"},
        {"AttributeName": "thread_id", "KeyType": "RANGE"},
    ]
    assert {row["AttributeName"]: row["AttributeType"] for row in table["AttributeDefinitions"]} == {
        "forum_id": "S", "thread_id": "S", "user": "S", "state": "S", "updated_at": "N", "expires_at": "N",
    }  # fmt: skip
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    local = {row["IndexName"]: row for row in table["LocalSecondaryIndexes"]}
    assert local["thread_ix_updated_at"]["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert local["thread_ix_expires_at"]["Projection"] == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["updated_at"],
    }
    world = {row["IndexName"]: row for row in table["GlobalSecondaryIndexes"]}
    assert world["by_user"]["KeySchema"] == [
        {"AttributeName": "user", "KeyType": "HASH"},
        {"AttributeName": "updated_at", "KeyType": "RANGE"},
    ]
    assert world["by_user"]["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title"]}
    assert world["by_state"]["KeySchema"] == [{"AttributeName": "state", "KeyType": "HASH"}]
    assert world["by_state"]["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_capacity_where_it_is_given(place: Place) -> None:
    """Capacity units of table and index are those of the model."""

    class Metered(dynamix.Model):
        ReadCapacityUnits = 3
        WriteCapacityUnits = 2
        __secondary_indexes__: ClassVar = {
            "by_user": {"hash_key": "user", "read_capacity": 5, "write_capacity": 4},
            "by_state": {"hash_key": "state"},
        }
        key = dynamix.CharField(hash_key=True)
        user = dynamix.CharField()
        state = dynamix.CharField()

    dynamix.create_table(Metered)
    table = place.call("DescribeTable", TableName=place.table_name(Metered))["Table"]

    def units(row: dict[str, dict[str, int]]) -> tuple[int, int]:
        throughput = row["ProvisionedThroughput"]
        return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]

    indexes = {row["IndexName"]: row for row in table["GlobalSecondaryIndexes"]}
    assert units(table) == (3, 2)
    assert units(indexes["by_user"]) == (5, 4)
    assert units(indexes["by_state"]) == (3, 2)


@pytest.mark.usefixtures("place")
def test_an_existing_table_is_left_alone() -> None:
    """A second create_table changes nothing, and is silent when the table is the model's."""
    dynamix.create_table(Thread)
    thread = Thread.create(**key(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dynamix.create_table(Thread)
    assert Thread.get(**key(1)) == thread


@pytest.mark.usefixtures("place")
def test_force_drops_the_table_first() -> None:
    """force=True gives an empty table."""
    dynamix.create_table(Thread, force=True)
    Thread.create(**key(1))
    dynamix.create_table(Thread, force=True)
    assert list(Thread.scan()) == []


@pytest.mark.usefixtures("place")
def test_many_may_create_a_table_at_once() -> None:
    """Whoever comes second waits for the table of the first; all go on with the same table."""
    meeting = Barrier(4)

    def create(number: int) -> Thread:
        meeting.wait(30)
        dynamix.create_table(Thread)
        return Thread.create(**key(number))

    with ThreadPoolExecutor(4) as pool:
        creating = [pool.submit(copy_context().run, create, number) for number in range(4)]
        threads = [future.result() for future in creating]
    assert Thread.batch_get(*map(key, range(4))) == threads


@pytest.mark.usefixtures("place")
def test_a_table_that_differs_is_told() -> None:
    """create_table warns, and names what differs, when an existing table has other keys or indexes."""
    dynamix.create_table(Thread)

    class Other(dynamix.Model):
        __table_name__ = "thread"
        __secondary_indexes__: ClassVar = {"by_mood": {"hash_key": "mood"}}
        forum_id = dynamix.CharField(hash_key=True)
        thread_id = dynamix.CharField(range_key=True)
        mood = dynamix.CharField()

    with pytest.warns(UserWarning, match="by_mood"):
        dynamix.create_table(Other)


@pytest.mark.usefixtures("place")
def test_table_names() -> None:
    """A model without __table_name__ has its class name's table; a model without a sort key works."""

    class Plain(dynamix.Model):
        number = dynamix.IntegerField(hash_key=True)

    dynamix.create_table(Plain)
    Plain.create(number=-5)
    assert Plain.get(number=-5) == Plain(number=-5)
    assert [row.number for row in Plain.query().where(Plain.number == -5)] == [-5]


def test_a_table_that_does_not_exist(place: Place) -> None:
    """Every operation on a missing table says which table is missing and how to make it."""

    class Nowhere(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        text = dynamix.CharField()

    there = Nowhere(key="k")
    there.set_field(Nowhere.text, "x")
    for operation in (
        lambda: Nowhere.get(key="k"),
        lambda: Nowhere.create(key="k"),
        lambda: Nowhere.batch_get({"key": "k"}),
        lambda: Nowhere.batch_write([{"key": "k"}]),
        lambda: Nowhere.query().where(Nowhere.key == "k").get_items(),
        lambda: list(Nowhere.scan()),
        lambda: Nowhere.delete_by_key(key="k"),
        lambda: Nowhere.item_count(),
        there.commit_changes,
    ):
        with pytest.raises(dynamix.TableNotFoundError, match="create_table") as caught:
            operation()
        assert place.table_name(Nowhere) in str(caught.value)


@pytest.mark.parametrize("name", ["T", "no", "has space", "Größe", "a/b", "x" * 250])
def test_a_name_that_no_table_can_have_is_refused(place: Place, name: str) -> None:
    """It is refused before anything is sent, prefix and all, by each verb; a prefix may make it long enough."""
    model = type(name, (dynamix.Model,), {"__module__": __name__, "key": dynamix.CharField(hash_key=True)})
    if len(name) == 2 or name == "T":
        dynamix.create_table(model)
        model.create(key="k")
        assert model.query().where(model.key == "k").count() == 1  # type: ignore[attr-defined]
    with dynamix.Connection(embedded=True, table_prefix="" if len(name) < 200 else "p" * 20) as connection:
        verbs = (
            lambda: dynamix.create_table(model),
            lambda: model.create(key="k"),
            lambda: model.get(key="k"),
            lambda: model.scan().get_items(),
            lambda: model.batch_write([{"key": "k"}]),
        )
        with dynamix.use_connection(connection):
            for verb in verbs:
                with pytest.raises(dynamix.ModelDefinitionError, match=r"cannot be called .*3 to 255 .*__table_name__"):
                    verb()
