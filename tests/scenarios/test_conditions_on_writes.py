"""Every write that DynamoDB conditions takes a condition, and a failed one brings the stored instance."""

import asyncio
from typing import Any

import pytest
from sample import Sample

import dynamix
from dynamix import CharField, ConditionalCheckFailedError, InvalidUpdateError, ItemExistsError, Model
from places import Place


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Sample)


def stored() -> Sample | None:
    return Sample.get(key="k", consistent=True)


def test_create_replaces_on_a_condition() -> None:
    """Where it is not met, the item is left alone."""
    Sample.create(key="k", number=1)
    with pytest.raises(ConditionalCheckFailedError, match=r"does not meet the condition Sample\.number") as failed:
        Sample.create(key="k", number=3, condition=Sample.number == 2)
    assert failed.value.item == stored()
    Sample.create(key="k", number=2, condition=Sample.number == 1)
    sample = stored()
    assert sample is not None
    assert sample.number == 2
    with pytest.raises(ItemExistsError):
        Sample.create(key="k", overwrite=False, condition=Sample.number.not_exists())


def test_delete_takes_a_condition() -> None:
    """Beside those that were set."""
    sample = Sample.create(key="k", number=1)
    with pytest.raises(ConditionalCheckFailedError) as failed:
        sample.delete(condition=Sample.number == 2)
    assert failed.value.item == sample
    sample.set_modify_conditions(Sample.text == "a")
    with pytest.raises(ConditionalCheckFailedError):
        sample.delete(condition=Sample.number == 1)
    sample.set_modify_conditions()
    sample.delete(condition=Sample.number.unchanged())
    assert stored() is None


def test_delete_by_key_takes_a_condition_and_gives_what_it_deleted() -> None:
    """Without reading first."""
    created = Sample.create(key="k", number=1, items=[1])
    with pytest.raises(ConditionalCheckFailedError, match="it was not deleted") as failed:
        Sample.delete_by_key(key="k", condition=Sample.number == 2)
    assert failed.value.item == created
    deleted = Sample.delete_by_key(key="k", condition=Sample.number == 1, returns="old")
    assert deleted == created
    assert Sample.delete_by_key(key="k", returns="old") is None
    with pytest.raises(ConditionalCheckFailedError, match="there is no such item"):
        Sample.delete_by_key(key="k", condition=Sample.number == 1)
    with pytest.raises(InvalidUpdateError, match="was not loaded"):
        Sample.delete_by_key(key="k", condition=Sample.number.unchanged())
    with pytest.raises(dynamix.WrongTypeError, match="neither 'old' nor None"):
        Sample.delete_by_key(key="k", returns="new")  # type: ignore[call-overload]


def test_what_was_deleted_by_its_key_is_new_again() -> None:
    """The instance that is returned has no item any more: it is stored whole, and not taken for one without changes."""
    Sample.create(key="k", items=[1], number=1)
    deleted = Sample.delete_by_key(key="k", returns="old")
    assert deleted is not None
    with pytest.raises(InvalidUpdateError, match="was deleted"):
        deleted.commit_changes()
    deleted.save()
    assert Sample.get_or_raise(key="k", consistent=True) == deleted


def test_commit_takes_a_condition() -> None:
    """For this commit only; the changes stay queued where it is not met."""
    sample = Sample.create(key="k", number=1)
    sample.add_to_field(Sample.number, 1)
    with pytest.raises(ConditionalCheckFailedError):
        sample.commit_changes(condition=Sample.number > 5)
    sample.commit_changes(condition=Sample.number.unchanged())
    assert stored() == sample


def test_what_is_no_condition_is_refused() -> None:
    """Before anything is sent."""
    sample = Sample(key="k")
    bad: Any = True
    for write in (sample.save, sample.delete, sample.commit_changes):
        with pytest.raises(dynamix.WrongTypeError, match="True is not a condition"):
            write(condition=bad)
    with pytest.raises(dynamix.WrongTypeError, match="True is not a condition"):
        Sample.create(key="k", condition=bad)
    assert stored() is None


class Conditional(Model):
    """Fields and keys with the names of options."""

    condition = CharField(hash_key=True)
    returns = CharField(range_key=True)
    save = CharField()
    refresh = CharField()
    get_or_create = CharField()


def test_fields_with_the_names_of_options_win() -> None:
    """A model of an earlier version keeps working."""
    dynamix.create_table(Conditional)
    made: Any = Conditional.create(condition="c", returns="r", save="s", refresh="f")  # type: ignore[arg-type]
    key: dict[str, Any] = {"condition": "c", "returns": "r"}
    assert Conditional.get(**key, consistent=True) == made
    assert (made.save, made.refresh) == ("s", "f")
    Conditional.delete_by_key(**key)
    assert Conditional.get(**key, consistent=True) is None


def test_the_async_twins_do_the_same() -> None:
    """Each of them once."""
    asyncio.run(twins())


async def twins() -> None:
    sample, created = await Sample.aget_or_create({"number": 1}, key="k")
    assert created
    sample.items = [1]
    await sample.asave(condition=Sample.number == 1)
    await sample.arefresh()
    assert sample.items == [1]
    assert (await Sample.aget_or_raise(key="k", consistent=True)) == sample
    sample.text = "a"
    await sample.acommit_changes(condition=Sample.number == 1)
    assert (await Sample.adelete_by_key(key="k", returns="old", condition=Sample.number == 1)) == sample
    await Sample.acreate(key="k", condition=Sample.key.not_exists())
    await sample.adelete(condition=Sample.key.exists())
    assert await Sample.aget(Sample.text, key="k", consistent=True) is None
