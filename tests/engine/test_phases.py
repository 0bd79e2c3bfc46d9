"""Statuses that last: an engine that is told to delay them tells and refuses what the service does meanwhile."""

from typing import Any, ClassVar

import pytest

import dynamix
from dynamix import CharField, Connection, Model, ValidationException, use_connection
from dynamix.engine import Engine
from engine.database import Clock, Database, index, wire
from engine.vector_tables import vector, vectors

DELAY = 10
IN_USE = "Attempt to change a resource which is still in use: "
ONE = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
TAB = {"TableName": "tab"}
TTL = {"AttributeName": "until", "Enabled": True}
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/tab"


class Delayed(Database):
    def __init__(self, path: Any = None) -> None:
        self.clock = Clock()
        super().__init__(Engine(path, clock=self.clock, delay_statuses=DELAY))

    def told(self) -> dict[str, Any]:
        table: dict[str, Any] = self.call("DescribeTable", **TAB)["Table"]
        return table

    def update(self, **change: Any) -> dict[str, Any]:
        described: dict[str, Any] = self.call("UpdateTable", **TAB, **change)["TableDescription"]
        return described

    def refused(self, target: str, **request: Any) -> str:
        return ": ".join(self.refusal(target, **TAB, **request))


@pytest.fixture
def database() -> Delayed:
    return Delayed()


@pytest.fixture
def made(database: Delayed) -> Delayed:
    """With a table that is ACTIVE."""
    database.create("a:S")
    database.clock.now += DELAY
    return database


def created(name: str, keys: str) -> dict[str, Any]:
    """What makes an index."""
    definition = index(name, keys)
    return {
        "AttributeDefinitions": definition.pop("definitions"),
        "GlobalSecondaryIndexUpdates": [{"Create": definition}],
    }


def deleted(name: str) -> dict[str, Any]:
    return {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}


def test_a_table_is_creating_for_a_while(database: Delayed) -> None:
    """Meanwhile it holds no items, cannot be changed or deleted, and no other can have its name."""
    database.create("a:S", GlobalSecondaryIndexes=[index("gsi", "b:S")])
    table = database.told()
    assert (table["TableStatus"], table["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("CREATING", "CREATING")
    assert "Backfilling" not in table["GlobalSecondaryIndexes"][0]
    missing = "ResourceNotFoundException: Requested resource not found"
    key = wire({"a": "x"})
    assert database.refused("PutItem", Item=key) == missing
    assert database.refused("GetItem", Key=key) == missing
    assert database.refused("Scan") == missing
    statement = {"Statement": "SELECT * FROM tab"}
    assert database.refusal("ExecuteStatement", **statement)[0] == "ResourceNotFoundException"
    being_made = f"ResourceInUseException: {IN_USE}Table is being created: tab"
    for target, request in (
        ("UpdateTable", {"DeletionProtectionEnabled": True}),
        ("UpdateTable", created("new", "c:S")),
        ("DeleteTable", {}),
        ("UpdateTimeToLive", {"TimeToLiveSpecification": TTL}),
    ):
        assert database.refused(target, **request) == being_made
    tags = {"ResourceArn": ARN, "Tags": [{"Key": "k", "Value": "v"}]}
    assert ": ".join(database.refusal("TagResource", **tags)) == being_made
    assert database.call("ListTables")["TableNames"] == ["tab"]
    database.clock.now += DELAY
    table = database.told()
    assert (table["TableStatus"], table["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("ACTIVE", "ACTIVE")
    database.put(a="x")
    assert database.get(a="x") == key


def test_a_table_is_updating_for_a_while(made: Delayed) -> None:
    """Meanwhile it is read and written, and cannot be changed or deleted."""
    assert made.update(TableClass="STANDARD_INFREQUENT_ACCESS")["TableStatus"] == "UPDATING"
    assert made.told()["TableStatus"] == "UPDATING"
    made.put(a="x")
    assert made.get(a="x") == wire({"a": "x"})
    updated = f"ResourceInUseException: {IN_USE}Table is being updated: tab"
    assert made.refused("UpdateTable", TableClass="STANDARD") == updated
    assert made.refused("DeleteTable") == updated
    made.clock.now += DELAY
    assert made.told()["TableStatus"] == "ACTIVE"
    made.call("UpdateTimeToLive", **TAB, TimeToLiveSpecification=TTL)


def test_a_new_index_is_allocated_then_filled(made: Delayed) -> None:
    """Only then it is read; it can be removed while it is filled, not before, and the table not at all."""
    made.put(a="x", b="y")
    (told,) = made.update(**created("gsi", "b:S"))["GlobalSecondaryIndexes"]
    assert (told["IndexStatus"], told["Backfilling"]) == ("CREATING", False)
    assert made.told()["GlobalSecondaryIndexes"][0]["Backfilling"] is False
    query = {"IndexName": "gsi", "KeyConditionExpression": "b = :b", "ExpressionAttributeValues": wire({":b": "y"})}
    early = "ValidationException: The table does not have the specified index: gsi"
    assert made.refused("Query", **query) == early
    assert made.refused("UpdateTable", **created("two", "c:S")) == f"LimitExceededException: {ONE}"
    assert made.refused("UpdateTable", **deleted("gsi")) == (
        f"ResourceInUseException: {IN_USE}Index creation is in resource allocation phase. Retry deletion during "
        "backfilling phase or when the index is active. Table: tab Index: gsi"
    )
    made.clock.now += DELAY
    table = made.told()
    assert (table["TableStatus"], table["GlobalSecondaryIndexes"][0]["Backfilling"]) == ("ACTIVE", True)
    filling = "ValidationException: Cannot read from backfilling global secondary index: gsi"
    assert made.refused("Query", **query) == filling
    statement = {"Statement": 'SELECT * FROM "tab"."gsi"'}
    assert made.refusal("ExecuteStatement", **statement)[1] == filling.partition(": ")[2]
    assert made.refused("UpdateTable", **created("two", "c:S")) == f"LimitExceededException: {ONE}"
    assert made.refused("DeleteTable") == (
        f"ResourceInUseException: {IN_USE}Cannot delete table while indexes are being created, updated, or deleted."
    )
    made.clock.now += DELAY
    (told,) = made.told()["GlobalSecondaryIndexes"]
    assert told["IndexStatus"] == "ACTIVE"
    assert "Backfilling" not in told
    assert made.call("Query", **TAB, **query)["Count"] == 1


def test_an_index_that_is_removed_is_told_for_a_while(made: Delayed) -> None:
    """It cannot be read any more; what ends the filling of one removes it, too."""
    made.update(**created("gsi", "b:S"))
    made.clock.now += DELAY
    (told,) = made.update(**deleted("gsi"))["GlobalSecondaryIndexes"]
    assert told["IndexStatus"] == "DELETING"
    table = made.told()
    assert (table["TableStatus"], table["GlobalSecondaryIndexes"][0]["IndexStatus"]) == ("UPDATING", "DELETING")
    assert made.refused("Scan", IndexName="gsi") == (
        "ValidationException: The table does not have the specified index: gsi"
    )
    made.clock.now += DELAY
    assert "GlobalSecondaryIndexes" not in made.told()


def test_a_vector_index_has_the_same_phases(made: Delayed) -> None:
    """It is not found, then not searched, then searched."""
    made.update(VectorIndexUpdates=[{"Create": vectors("near", 2)}])
    search = {"IndexName": "near", "SearchVector": vector(1, 2)["L"], "TopK": 1}
    assert made.refused("SearchVectors", **search) == (
        "ValidationException: The table does not have the specified index: near"
    )
    made.clock.now += DELAY
    assert made.refused("SearchVectors", **search) == (
        "ValidationException: Cannot search backfilling vector index: near"
    )
    assert made.told()["VectorIndexes"][0]["Backfilling"] is True
    made.clock.now += DELAY
    assert made.call("SearchVectors", **TAB, **search)["SearchResults"] == []


def test_a_table_is_deleting_for_a_while(made: Delayed) -> None:
    """It is told and listed, deleted again without an error, and its name is taken; its items are gone."""
    made.put(a="x")
    assert made.call("DeleteTable", **TAB)["TableDescription"]["TableStatus"] == "DELETING"
    assert made.told()["TableStatus"] == "DELETING"
    assert made.call("DescribeTable", TableName=ARN)["Table"]["ItemCount"] == 1
    assert made.call("DeleteTable", **TAB)["TableDescription"]["TableStatus"] == "DELETING"
    assert made.call("ListTables") == {"TableNames": ["tab"]}
    assert made.refused("Scan") == "ResourceNotFoundException: Requested resource not found"
    keys = {
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    }
    assert made.refused("CreateTable", **keys, BillingMode="PAY_PER_REQUEST") == (
        f"ResourceInUseException: {IN_USE}Table is being deleted: tab"
    )
    made.clock.now += DELAY
    assert made.refusal("DescribeTable", **TAB)[0] == "ResourceNotFoundException"
    assert made.call("ListTables") == {"TableNames": []}
    made.create("a:S")
    assert made.told()["TableStatus"] == "CREATING"


def test_phases_are_those_of_all_engines_on_a_file(tmp_path: Any) -> None:
    """Another engine with the option tells the same; one without it sees what is stored, which is done."""
    first = Delayed(tmp_path / "x.db")
    first.create("a:S")
    second = Delayed(tmp_path / "x.db")
    assert second.told()["TableStatus"] == "CREATING"
    plain = Database(Engine(tmp_path / "x.db"))
    assert plain.call("DescribeTable", **TAB)["Table"]["TableStatus"] == "ACTIVE"
    second.clock.now += DELAY
    assert second.told()["TableStatus"] == "ACTIVE"
    for database in (first, second, plain):
        database.engine.close()


class Old(Model):
    __table_name__ = "books"
    __secondary_indexes__: ClassVar = {"by_author": {"hash_key": "author"}}

    isbn = CharField(hash_key=True)
    author = CharField()


class Book(Model):
    __table_name__ = "books"
    __secondary_indexes__: ClassVar = {"by_title": {"hash_key": "title"}}

    isbn = CharField(hash_key=True)
    author = CharField()
    title = CharField()


def test_the_mapper_waits_for_what_is_under_way() -> None:
    """A table is made and changed, one index after the other, and read when it is ready."""
    engine = Engine(delay_statuses=0.02)
    with Connection(engine=engine) as connection, use_connection(connection):
        dynamix.create_table(Old)
        Old.create(isbn="1", author="a")
        dynamix.update_table(Book)
        assert list(Book.query().use_index("by_title").where(Book.title == "t")) == []
        assert dynamix.compare_table(Book) == []
    engine.close()


def test_a_delay_that_cannot_be_is_refused() -> None:
    """Seconds are from 0 to an hour."""
    for seconds in (-1, 3601, float("nan")):
        with pytest.raises(ValidationException, match="delay_statuses"):
            Engine(delay_statuses=seconds)
