"""`refresh`, `get_or_raise`, `get_or_create`, `get` of chosen fields, and reads that are consistent by default."""

import threading
from typing import Any, ClassVar

import pytest
from sample import Sample

import dynamix
from dynamix import FieldNotLoadedError, FieldValidationException, InvalidUpdateError, ItemNotFoundError
from places import Place


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Sample)


def test_refresh_shows_what_is_stored_now() -> None:
    """In place: whoever holds the instance sees it; it can be changed as any loaded one."""
    sample = Sample.create(key="k", text="a", items=[1])
    Sample.create(key="k", number=2, items=[1, 2])
    assert sample.refresh() is sample
    assert (sample.text, sample.number, sample.items) == (None, 2, [1, 2])
    sample.add_to_field(Sample.number, 1).commit_changes()
    assert Sample.get_or_raise(key="k", consistent=True).number == 3


def test_refresh_drops_no_change_unasked() -> None:
    """Queued changes and edits in place are named; `discard=True` drops them."""
    sample = Sample.create(key="k", text="a", items=[1])
    sample.text = "b"
    with pytest.raises(InvalidUpdateError, match=r"Sample\.text has changes that are not stored; save\(\) them"):
        sample.refresh()
    sample.discard_changes()
    sample.items.append(2)  # type: ignore[union-attr]
    with pytest.raises(InvalidUpdateError, match=r"Sample\.items has changes"):
        sample.refresh()
    assert sample.items == [1, 2]
    sample.refresh(discard=True)
    assert (sample.text, sample.items) == ("a", [1])


def test_refresh_of_what_is_gone_leaves_the_instance() -> None:
    """The error names the key."""
    sample = Sample.create(key="k", text="a")
    Sample.delete_by_key(key="k")
    with pytest.raises(ItemNotFoundError, match="Sample with key='k' does not exist"):
        sample.refresh()
    assert sample.text == "a"


def test_refresh_completes_a_partly_loaded_instance() -> None:
    """It then has everything."""
    Sample.create(key="k", text="a", number=1)
    part = Sample.get(Sample.text, key="k", consistent=True)
    assert part is not None
    with pytest.raises(FieldNotLoadedError, match=r"Sample\.number was not loaded"):
        _ = part.number
    assert part.refresh().number == 1


def test_an_instance_of_a_key_alone_is_loaded_by_refresh() -> None:
    """A handle becomes an instance."""
    Sample.create(key="k", text="a")
    assert Sample(key="k").refresh().text == "a"


def test_get_of_chosen_fields_reads_no_others(place: Place) -> None:
    """The key is always read; a field of another model is refused."""
    Sample.create(key="k", text="a", number=1, items=[1])
    part = Sample.get(Sample.number, Sample.items, key="k", consistent=True)
    assert part is not None
    assert (part.key, part.number, part.items) == ("k", 1, [1])
    assert Sample.get(Sample.number, key="none", consistent=True) is None
    with pytest.raises(dynamix.UnknownNameError):
        Sample.get(dynamix.CharField(), key="k")
    with pytest.raises(dynamix.WrongTypeError):
        Sample.get("number", key="k")  # type: ignore[arg-type]


def test_get_or_raise_names_the_key() -> None:
    """What is not there is an error."""
    with pytest.raises(ItemNotFoundError, match="Sample with key='k' does not exist"):
        Sample.get_or_raise(key="k")
    Sample.create(key="k", text="a")
    assert Sample.get_or_raise(key="k", consistent=True).text == "a"


def test_get_or_create_stores_defaults_where_there_is_nothing() -> None:
    """And says which of the two it was."""
    sample, created = Sample.get_or_create({"text": "a"}, key="k")
    assert (sample.text, created) == ("a", True)
    sample, created = Sample.get_or_create({"text": "b"}, key="k", consistent=True)
    assert (sample.text, created) == ("a", False)
    _, created = Sample.get_or_create(key="other")
    assert created


def test_get_or_create_checks_its_defaults_first() -> None:
    """Also where there is an item."""
    Sample.create(key="k")
    with pytest.raises(FieldValidationException, match=r"Sample\.number cannot hold 'x'"):
        Sample.get_or_create({"number": "x"}, key="k")
    with pytest.raises(dynamix.UnknownNameError, match="'key' is part of the key"):
        Sample.get_or_create({"key": "other"}, key="k")


def test_one_of_many_callers_creates(place: Place) -> None:
    """The others get its instance, without a second read."""
    results: list[tuple[Sample, bool]] = []
    barrier = threading.Barrier(8)

    def race(number: int) -> None:
        with dynamix.use_connection(place.connection):
            barrier.wait()
            results.append(Sample.get_or_create({"number": number}, key="k"))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [sample for sample, created in results if created]
    assert {sample.number for sample, _ in results} == {winner.number}


def test_a_connection_may_read_consistently_by_default() -> None:
    """Get, batch, query, scan and exists ask for it then, unless told otherwise; global indexes never do."""

    class Wire(dynamix.engine.Engine):  # type: ignore[name-defined,misc]
        asked: list[tuple[str, bool]]

        def handle(self, target: str, body: bytes) -> Any:
            self.asked.append((target, b'"ConsistentRead":true' in body))
            return super().handle(target, body)

    class Indexed(dynamix.Model):
        key = dynamix.CharField(hash_key=True)
        other = dynamix.CharField()
        __secondary_indexes__: ClassVar[Any] = {"by_other": {"hash_key": other, "projections": "ALL"}}

    engine = Wire()
    engine.asked = []
    with dynamix.use_connection(dynamix.Connection(engine=engine, consistent_reads=True)):
        dynamix.create_table(Indexed)
        Indexed.create(key="k", other="o")
        engine.asked.clear()
        Indexed.get(key="k")
        Indexed.exists(key="k")
        Indexed.batch_get({"key": "k"})
        Indexed.query().where(Indexed.key == "k").get_items()
        Indexed.scan().count()
        reads = ("GetItem", "GetItem", "BatchGetItem", "Query", "Scan")
        assert engine.asked == [(name, True) for name in reads]
        engine.asked.clear()
        Indexed.get(key="k", consistent=False)
        Indexed.query().where(Indexed.key == "k").consistent(False).get_items()
        Indexed.query().use_index("by_other").where(Indexed.other == "o").get_items()
        assert [entry for entry in engine.asked if entry[0] != "DescribeTable"] == [
            ("GetItem", False),
            ("Query", False),
            ("Query", False),
        ]
    with pytest.raises(dynamix.WrongTypeError, match="consistent_reads must be True or False"):
        dynamix.Connection(embedded=True, consistent_reads="yes")  # type: ignore[arg-type]
