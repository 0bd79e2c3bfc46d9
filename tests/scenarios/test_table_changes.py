"""compare_table, update_table and delete_table: a table follows its model, and goes, without a lost item."""

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from loops import runner

import dynamix
from dynamix.model import Model
from places import Place


class Note(Model):
    """A model as it was at first."""

    __table_name__ = "notes"
    __secondary_indexes__: ClassVar = {"by_author": {"hash_key": "author"}, "by_year": {"hash_key": "year"}}

    topic = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField(range_key=True)
    author = dynamix.CharField()
    year = dynamix.IntegerField()
    text = dynamix.CharField(indexed=True)


class Later(Model):
    """The same table as a later release of the program has it."""

    __table_name__ = "notes"
    ReadCapacityUnits = 3
    WriteCapacityUnits = 2
    DeletionProtectionEnabled = True
    __secondary_indexes__: ClassVar = {
        "by_author": {"hash_key": "author", "read_capacity": 4, "write_capacity": 5},
        "authors_texts": {"hash_key": "author", "range_key": "text", "projections": ["year"]},
        "years": {"hash_key": "year", "projections": "ALL"},
    }

    topic = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField(range_key=True)
    author = dynamix.CharField()
    year = dynamix.IntegerField()
    text = dynamix.CharField(indexed=True)


class Unprotected(Later):
    """The later model without protection, paid on demand again."""

    __table_name__ = "notes"
    ReadCapacityUnits = None
    WriteCapacityUnits = None
    DeletionProtectionEnabled = False


CHANGES = {
    dynamix.BillingDiffers("PAY_PER_REQUEST", "PROVISIONED"),
    dynamix.DeletionProtectionDiffers(False, True),
    dynamix.IndexMissing("authors_texts", False),
    dynamix.IndexMissing("years", False),
    dynamix.IndexSurplus("by_year", False),
}


def described(place: Place, model: type[Model]) -> dict[str, Any]:
    """The description of a model's table."""
    return dict(place.call("DescribeTable", TableName=place.table_name(model))["Table"])


def units(described: dict[str, Any]) -> tuple[int, int]:
    """The throughput of a table or an index."""
    throughput = described["ProvisionedThroughput"]
    return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]


def test_a_table_follows_its_model(place: Place) -> None:
    """update_table adds and removes global indexes, and sets billing, throughput and protection; no item is lost, and
    what is stored is found by the new indexes when it returns."""
    dynamix.create_table(Note)
    assert dynamix.compare_table(Note) == []
    Note.batch_write([{"topic": "t", "number": n, "author": "me", "year": 2000 + n, "text": f"{n}"} for n in range(60)])
    assert set(dynamix.compare_table(Later)) == CHANGES
    assert set(dynamix.update_table(Later)) == CHANGES
    assert dynamix.compare_table(Later) == dynamix.update_table(Later) == []
    assert Later.scan().count() == 60
    assert Later.query().use_index("authors_texts").where(Later.author == "me").count() == 60
    assert [later.text for later in Later.query().use_index("years").where(Later.year == 2007)] == ["7"]
    table = described(place, Later)
    assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert table["DeletionProtectionEnabled"] is True
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert {name: units(index) for name, index in indexes.items()} == {
        "by_author": (4, 5),
        "authors_texts": (3, 2),
        "years": (3, 2),
    }
    assert units(table) == (3, 2)


@pytest.mark.usefixtures("place")
def test_a_table_follows_its_model_back() -> None:
    """Throughput alone is changed, also that of one index, and a table goes back to on-demand billing."""
    dynamix.create_table(Later)

    class Wider(Later):
        __table_name__ = "notes"
        ReadCapacityUnits = 6
        __secondary_indexes__: ClassVar = {
            **Later.__secondary_indexes__,
            "by_author": {"hash_key": "author", "read_capacity": 4, "write_capacity": 9},
        }

    assert set(dynamix.update_table(Wider)) == {
        dynamix.ThroughputDiffers(None, (3, 2), (6, 2)),
        dynamix.ThroughputDiffers("by_author", (4, 5), (4, 9)),
        dynamix.ThroughputDiffers("authors_texts", (3, 2), (6, 2)),
        dynamix.ThroughputDiffers("years", (3, 2), (6, 2)),
    }
    assert set(dynamix.update_table(Unprotected)) == {
        dynamix.BillingDiffers("PROVISIONED", "PAY_PER_REQUEST"),
        dynamix.DeletionProtectionDiffers(True, False),
    }
    assert dynamix.compare_table(Unprotected) == []


def test_what_no_update_can_change_is_refused(place: Place) -> None:
    """Another key, another type of a key, local indexes, and another key or projection of an index refuse the whole
    update with the list of them, and nothing is changed, not even what could be."""
    dynamix.create_table(Note)
    before = described(place, Note)

    class Other(Model):
        __table_name__ = "notes"
        DeletionProtectionEnabled = True
        __secondary_indexes__: ClassVar = {
            "by_author": {"hash_key": "topic"},
            "by_year": {"hash_key": "year", "projections": ["text"]},
            "new": {"hash_key": "author"},
        }
        topic = dynamix.CharField(hash_key=True)
        number = dynamix.CharField(range_key=True)
        author = dynamix.CharField(indexed=True)
        year = dynamix.IntegerField()
        text = dynamix.CharField()

    with pytest.raises(dynamix.TableDiffersError, match="'number' has the type N, the model's S") as caught:
        dynamix.update_table(Other)
    assert set(caught.value.differences) == {
        dynamix.KeyTypeDiffers("number", "N", "S"),
        dynamix.IndexMissing("notes_ix_author", True),
        dynamix.IndexSurplus("notes_ix_text", True),
        dynamix.IndexKeyDiffers("by_author", (("author", "HASH"),), (("topic", "HASH"),)),
        dynamix.IndexProjectionDiffers("by_year", "KEYS_ONLY", frozenset({"text"})),
    }
    assert described(place, Note) == before


@pytest.mark.usefixtures("place")
def test_an_index_may_change_the_type_of_its_key() -> None:
    """Where only an index that goes knew an attribute, a new index has it under another type."""
    dynamix.create_table(Note)

    class Texts(Model):
        __table_name__ = "notes"
        __secondary_indexes__: ClassVar = {"by_author": {"hash_key": "author"}, "years": {"hash_key": "year"}}
        topic = dynamix.CharField(hash_key=True)
        number = dynamix.IntegerField(range_key=True)
        author = dynamix.CharField()
        year = dynamix.CharField()
        text = dynamix.CharField(indexed=True)

    assert dynamix.update_table(Texts) == [dynamix.IndexMissing("years", False), dynamix.IndexSurplus("by_year", False)]
    Texts.create(topic="t", number=1, year="MMXX")
    assert Texts.query().use_index("years").where(Texts.year == "MMXX").count() == 1


def test_create_table_warns_of_settings(place: Place) -> None:
    """An existing table whose billing or protection is not the model's is told of; a model that says nothing of
    protection takes it as it is."""
    dynamix.create_table(Later)
    assert described(place, Later)["DeletionProtectionEnabled"] is True
    with pytest.warns(UserWarning, match="its billing mode is PROVISIONED.*; its deletion protection is on"):
        dynamix.create_table(Unprotected)

    class Silent(Later):
        __table_name__ = "notes"
        DeletionProtectionEnabled = None

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dynamix.create_table(Silent)


@pytest.mark.usefixtures("place")
def test_a_table_is_deleted() -> None:
    """delete_table returns when the table is gone; one that does not exist is no error; a protected one stays."""
    dynamix.create_table(Note)
    Note.create(topic="t", number=1)
    Note.delete_table()
    with pytest.raises(dynamix.TableNotFoundError):
        Note.get(topic="t", number=1)
    Note.delete_table()
    dynamix.create_table(Note)
    assert list(Note.scan()) == []
    Note.delete_table()
    dynamix.create_table(Later)
    with pytest.raises(dynamix.InvalidRequestError, match="protected"):
        Later.delete_table()
    dynamix.update_table(Unprotected)
    Later.delete_table()


class Other(Model):
    """A model with another key than the table's."""

    __table_name__ = "notes"
    topic = dynamix.CharField(hash_key=True)


@pytest.mark.usefixtures("place")
def test_the_twins_do_the_same() -> None:
    """acompare_table, aupdate_table and adelete_table do what the blocking ones do."""

    async def main() -> None:
        await dynamix.acreate_table(Note)
        await Note.acreate(topic="t", number=1, author="me", text="x")
        assert set(await dynamix.acompare_table(Later)) == CHANGES
        assert set(await dynamix.aupdate_table(Later)) == CHANGES
        assert await Later.query().use_index("authors_texts").where(Later.author == "me").acount() == 1
        with pytest.raises(dynamix.TableDiffersError):
            await dynamix.aupdate_table(Other)
        await dynamix.aupdate_table(Unprotected)
        await Later.adelete_table()
        await Later.adelete_table()
        with pytest.raises(dynamix.TableNotFoundError):
            await Later.aget(topic="t", number=1)

    runner("asyncio")(main)


@pytest.mark.usefixtures("place")
def test_a_missing_table_is_told() -> None:
    """A table that does not exist can neither be compared nor updated; the error says how to make it."""
    flows: list[Callable[[type[Model]], Any]] = [dynamix.compare_table, dynamix.update_table]
    for flow in flows:
        with pytest.raises(dynamix.TableNotFoundError, match=r"create it with dynamix.create_table\(Note\)"):
            flow(Note)


@pytest.mark.usefixtures("place")
def test_fields_win_over_the_newer_names() -> None:
    """A field may be called delete_table, adelete_table or as a setting of the table; nothing of dynamix needs them."""

    class Plan(Model):
        key = dynamix.CharField(hash_key=True)
        delete_table = dynamix.BooleanField()
        adelete_table = dynamix.CharField()
        DeletionProtectionEnabled = dynamix.BooleanField()
        ReadCapacityUnits = dynamix.IntegerField()
        WriteCapacityUnits = dynamix.IntegerField()

    dynamix.create_table(Plan, force=True)
    dynamix.create_table(Plan, force=True)
    made = Plan.create(
        key="k", delete_table=True, adelete_table="x", DeletionProtectionEnabled=True, ReadCapacityUnits=1
    )
    assert Plan.get(key="k") == made
    assert dynamix.update_table(Plan) == []


def test_protection_is_a_truth() -> None:
    """Another value than True or False is a mistake in the model, told before anything is sent."""

    class Wrong(Model):
        DeletionProtectionEnabled = "no"
        key = dynamix.CharField(hash_key=True)

    with pytest.raises(dynamix.ModelDefinitionError, match="DeletionProtectionEnabled is 'no'; give True or False"):
        Wrong(key="k")
