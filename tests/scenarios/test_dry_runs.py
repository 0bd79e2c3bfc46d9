"""Blocks whose writes are collected in place of being sent, and answer as if they were applied."""

import asyncio
from typing import Any

import pytest
from forum import Thread, create_threads, key

import dynamix
from dynamix import Connection, dry_run, use_connection
from places import Place

SCIENCE = Thread.query().where(Thread.forum_id == "science")


def test_writes_answer_as_if_they_were_applied(place: Place) -> None:
    """Each kind of write gives what it would, meets the writes before it in the block, and stores nothing; reads are
    sent."""
    create_threads(5)
    before = sorted(SCIENCE, key=lambda thread: thread.thread_id)
    with dry_run() as requests:
        thread = Thread.get_or_raise(**key(1))
        thread.add_to_field(Thread.updated_at, 10).commit_changes()
        assert (thread.updated_at, thread.title) == (11, "Title 1")
        assert Thread.update_by_key(Thread.updated_at.add(1), returns="new", **key(1)).updated_at == 12
        with pytest.raises(dynamix.ItemExistsError):
            Thread.create(**key(2), overwrite=False)
        assert Thread.delete_by_key(**key(2), returns="old") == before[2]
        assert Thread.create(**key(2), title="anew", overwrite=False).title == "anew"
        with pytest.raises(dynamix.ItemNotFoundError):
            Thread.update_by_key(Thread.title.set("x"), **key(9))
        Thread.batch_write([{**key(7), "title": "seven"}])
        assert Thread.update_by_key(Thread.title.set("x"), returns="old", **key(7)) == Thread(**key(7), title="seven")
        with dynamix.transaction() as tx:
            tx.update(Thread, Thread.updated_at.add(1), condition=Thread.updated_at == 12, **key(1))
        with pytest.raises(dynamix.TransactionCanceledError), dynamix.transaction() as tx:
            tx.delete(Thread, condition=Thread.title == "other", **key(3))
        assert SCIENCE.delete() == 5
        assert SCIENCE.count() == 5
    operations = [request.operation for request in requests]
    assert operations[:3] == ["UpdateItem", "UpdateItem", "PutItem"]
    assert operations.count("TransactWriteItems") == 2
    assert requests[0].table == place.table_name(Thread)
    assert requests[0].body["Key"] == {"forum_id": {"S": "science"}, "thread_id": {"S": "t0001"}}
    assert sorted(SCIENCE, key=lambda thread: thread.thread_id) == before


class Account(dynamix.Model):
    """One with a unique value, and a version."""

    name = dynamix.CharField(hash_key=True)
    mail = dynamix.CharField(unique=True)
    used = dynamix.IntegerField(default=0)
    version = dynamix.VersionField()


@pytest.mark.usefixtures("place")
def test_what_a_write_itself_reads_meets_the_writes_before_it() -> None:
    """An update of unique values shows what it made, and so do the second one of an item and a second modify()."""
    dynamix.create_table(Account)
    Account.create(name="ada", mail="a@x")
    with dry_run() as requests:
        for mail in ("b@x", "c@x"):
            assert Account.update_by_key(Account.mail.set(mail), returns="new", name="ada").mail == mail
        for number in (1, 2):
            assert Account.modify(lambda one: one.add_to_field(Account.used, 1), name="ada").used == number
        assert Account.create(name="bob", mail="a@x").mail == "a@x"
        found, made = Account.get_or_create({"mail": "e@x"}, name="eve")
        assert (found, made) == (Account.get_or_create({"mail": "e@x"}, name="eve")[0], True)
    assert [request.operation for request in requests] == [
        *["TransactWriteItems"] * 2,
        *["UpdateItem"] * 2,
        *["TransactWriteItems"] * 2,
    ]
    assert (Account.get_or_raise(name="ada").mail, Account.scan().count()) == ("a@x", 1)


@pytest.mark.usefixtures("place")
def test_tasks_are_dry_as_well() -> None:
    """The block holds for the tasks that start in it, and ends with it."""
    create_threads(3)

    async def change() -> None:
        await asyncio.gather(*[Thread.aupdate_by_key(Thread.title.set("x"), **key(n)) for n in range(3)])

    with dry_run() as requests:
        asyncio.run(change())
    assert len(requests) == 3
    assert {thread.title for thread in SCIENCE} == {"Title 0", "Title 1", "Title 2"}
    asyncio.run(change())
    assert {thread.title for thread in SCIENCE} == {"x"}


def test_nothing_at_all_is_sent_without_reads() -> None:
    """There is no server here: conditions count as met, an update answers with what it says, and reads are refused."""
    with (
        use_connection(Connection(is_local_endpoint=("127.0.0.1", 9), max_attempts=1)),
        dry_run(reads=False) as requests,
    ):
        Thread.create(**key(0), title="x", overwrite=False)
        thread = Thread(**key(1))
        thread.set_field(Thread.title, "new").add_to_field(Thread.updated_at, 5).commit_changes()
        assert (thread.title, thread.updated_at) == ("new", 5)
        Thread.batch_write([key(2), key(3)])
        Thread.delete_by_key(**key(2), condition=Thread.title == "x")
        with pytest.raises(dynamix.ValidationException, match=r"GetItem was not sent.*reads=False"):
            Thread.get(**key(0))
    assert [request.operation for request in requests] == ["PutItem", "UpdateItem", "BatchWriteItem", "DeleteItem"]


def test_what_writes_no_items_is_refused() -> None:
    """Tables and statements cannot be rehearsed: they are refused, and not sent."""
    with Connection(embedded=True) as connection, use_connection(connection):
        refused: list[Any] = [
            lambda: dynamix.create_table(Thread),
            lambda: connection.request("DeleteTable", {"TableName": "thread"}),
        ]
        for refuse in refused:
            with dry_run() as requests, pytest.raises(dynamix.ValidationException, match="dry_run"):
                refuse()
            assert requests == []
