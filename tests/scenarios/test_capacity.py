"""What the operations of a block consume, and blocks that may consume no more."""

import asyncio
from typing import Any

import pytest
from forum import Thread, create_threads, key
from scripted import Holding, serving

import dynamix
from dynamix import CapacityExceededError, capacity
from places import Place

SCIENCE = Thread.query().where(Thread.forum_id == "science")


def test_units_are_summed_by_table_and_index(place: Place) -> None:
    """Every operation in the block counts, each part of a batch too, and nothing outside; blocks may be nested."""
    create_threads(30)
    table = place.table_name(Thread)
    with capacity() as used:
        Thread.get(**key(0))
        with capacity() as inner:
            assert Thread.query().where(Thread.user_id == "user1").count() == 10
        assert (inner.units, inner.indexes) == (0.5, {(table, "by_user"): 0.5})
        Thread.batch_get(*[key(n) for n in range(4)], consistent=True)
    assert used.tables == {table: 5.0}
    assert used.indexes == {(table, None): 4.5, (table, "by_user"): 0.5}
    assert (used.units, used.requests, used.untold) == (5.0, 3, 0)
    Thread.get(**key(0))
    assert used.units == 5.0
    with capacity() as used:
        Thread.create(**key(50), title="new")
        with dynamix.transaction() as tx:
            tx.update(Thread, Thread.title.set("x"), **key(51), upsert=True)
    assert used.units > 2
    assert set(used.tables) == {table}
    assert repr(used).startswith(f"{used.units:g} units in 2 requests\n  {table}: ")


class Guest(dynamix.Model):
    """One with a unique value, who may be hidden."""

    name = dynamix.CharField(hash_key=True)
    mail = dynamix.CharField(unique=True)
    leaves = dynamix.TTLField(hide_expired=True)


@pytest.mark.usefixtures("place")
def test_what_a_verb_reads_for_itself_counts() -> None:
    """The reads within guarded writes and of exists() tell their units too, and what else their answers say."""
    dynamix.create_table(Guest)
    with capacity() as used:
        Guest.create(name="ada", mail="a@x")
        assert Guest.update_by_key(Guest.mail.set("b@x"), returns="new", name="ada").mail == "b@x"
        ada = Guest.get_or_raise(name="ada")
        assert ada.set_field(Guest.mail, "c@x").commit_changes().mail == "c@x"
        assert Guest.exists(name="ada")
        Guest.delete_by_key(name="ada")
    assert used.untold == 0


@pytest.mark.usefixtures("place")
def test_tasks_and_threads_count() -> None:
    """What runs beside each other, in tasks or in threads of a batch, is counted as well."""
    create_threads(10)

    async def read() -> None:
        await asyncio.gather(*[Thread.aget(**key(n)) for n in range(10)])

    with capacity() as used:
        asyncio.run(read())
        Thread.batch_get(*[key(n) for n in range(250)])
    assert used.requests == 13
    assert used.units >= 10


@pytest.mark.usefixtures("place")
def test_a_block_consumes_no_more_than_it_may() -> None:
    """Once it has, the next request is refused and not sent; where none follows, the end of the block raises."""
    create_threads(4)
    with pytest.raises(CapacityExceededError, match=r"more than the 1 units it may: 1\.5 units") as caught, capacity(1):
        [Thread.get(**key(number)) for number in range(4)]
    assert (caught.value.units, caught.value.applied) == (1.5, "no")
    told: list[Any] = []
    with pytest.raises(CapacityExceededError), capacity(at_most=0.3):
        told.append(Thread.get(**key(0)))
    assert told == [Thread.get(**key(0))]
    with capacity(at_most=0.5):
        Thread.get(**key(0))
    for wrong in (0, -1, True, "5"):
        with pytest.raises(dynamix.ValidationException), capacity(at_most=wrong):  # type: ignore[arg-type]
            pass


def test_repeats_count_and_silence_is_told() -> None:
    """Each answered attempt counts once; an answer that does not tell its units is counted as such; a raw request keeps
    what it asks for itself."""
    held = Holding("GetItem")
    with serving(held, retry_delay=0.001) as connection:
        create_threads(1)

        async def read() -> None:
            reading = asyncio.ensure_future(Thread.aget(**key(0)))
            (await held.anext()).refuse("InternalServerError", 500)
            request = await held.anext()
            assert request.body["ReturnConsumedCapacity"] == "INDEXES"
            request.answer()
            await reading
            reading = asyncio.ensure_future(Thread.aget(**key(0)))
            (await held.anext()).answer({})
            await reading

        with capacity() as used:
            asyncio.run(read())
            body = {"TableName": "thread", "KeyConditionExpression": "forum_id = :a"}
            body |= {"ExpressionAttributeValues": {":a": {"S": "science"}}, "ReturnConsumedCapacity": "TOTAL"}
            assert "Table" not in connection.request("Query", body)["ConsumedCapacity"]
            assert SCIENCE.max_units(5).count() == 1
        assert (used.requests, used.untold, used.units) == (4, 1, 1.5)
        assert used.indexes == {("thread", None): 1.5}
