"""While a commit of an instance is under way, its queue is left alone: nothing is sent twice, nothing is forgotten."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, ClassVar

import pytest
from forum import Thread, key
from loops import runner
from scripted import Holding, serving

import dynamix
from dynamix import CharField, Model, SetField

DISTURBANCES: dict[str, Callable[[Thread], None]] = {
    "another commit": lambda thread: thread.commit_changes(),
    "a change": lambda thread: thread.set_field(Thread.title, "late"),
    "a condition": lambda thread: thread.set_modify_conditions(Thread.title.exists()),
    "discarding": lambda thread: thread.discard_changes(),
}

DELETIONS: dict[str, Callable[[Thread], None]] = {
    "a deletion": lambda thread: thread.delete(),
    "a deletion in a batch": lambda thread: Thread.batch_delete([thread]),
}


@pytest.mark.parametrize("disturb", [*DISTURBANCES.values(), *DELETIONS.values()], ids=[*DISTURBANCES, *DELETIONS])
def test_the_queue_is_left_alone(disturb: Callable[[Thread], None]) -> None:
    """What would disturb a commit under way is refused; after its end everything is possible again."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), updated_at=1)
        thread.add_to_field(Thread.updated_at, 1)
        committing = pool.submit(copy_context().run, thread.commit_changes)
        request = held.next()
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            disturb(thread)
        request.answer()
        committing.result()
        assert (thread.updated_at, thread.title) == (2, None)
        disturb(thread)
        assert held.count == 1


@pytest.mark.parametrize("delete", DELETIONS.values(), ids=DELETIONS)
def test_a_deletion_is_left_alone(delete: Callable[[Thread], None]) -> None:
    """No commit runs beside a deletion, whose end would take the instance for a stored one; afterwards it is new."""
    held = Holding("DeleteItem", "BatchWriteItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), updated_at=1)
        deleting = pool.submit(copy_context().run, delete, thread)
        request = held.next()
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            thread.set_field(Thread.title, "late")
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            thread.save(overwrite=True)
        request.answer()
        deleting.result()
        thread.save()
        assert Thread.get(**key(1)) == thread


def _append_queued(thread: Thread) -> None:
    thread.append_to_listfield(Thread.reviews, "b")
    thread.commit_changes()


def _append_in_place(thread: Thread) -> None:
    assert thread.reviews is not None
    thread.reviews.append("b")
    thread.save()


@pytest.mark.parametrize("store", [_append_queued, _append_in_place])
def test_an_edit_in_place_stays(store: Callable[[Thread], None]) -> None:
    """What is edited while a commit is under way is there afterwards, and the next save stores it, once."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), reviews=["a"], tags={"x", "y"}, data={"n": 1})
        storing = pool.submit(copy_context().run, store, thread)
        request = held.next()
        assert thread.reviews is not None
        assert thread.tags is not None
        assert thread.data is not None
        thread.reviews.append("c")
        thread.tags.add("z")
        thread.data["n"] = 2
        request.answer()
        storing.result()
        held.release()
        _others_append(held, "theirs")
        assert (thread.reviews, thread.tags, thread.data) == (["a", "b", "c"], {"x", "y", "z"}, {"n": 2})
        thread.save()
        assert thread.reviews == ["a", "b", "theirs", "c"]
        assert Thread.get_or_raise(**key(1), consistent=True) == thread
        assert (thread.tags, thread.data) == ({"x", "y", "z"}, {"n": 2})


def _commit_by_token(thread: Thread) -> None:
    with dynamix.repeat_writes("token"):
        thread.commit_changes()


class Titled(Thread):
    """Threads of which no two have the same title, so that a commit is a transaction."""

    __table_name__ = Thread.__table_name__
    title = CharField(unique=True)


def _save_in_transaction(thread: Thread) -> None:
    with dynamix.transaction() as tx:
        tx.save(thread)


@pytest.mark.parametrize(
    ("model", "store"),
    [
        (Thread, Thread.commit_changes),
        (Thread, _commit_by_token),
        (Titled, Titled.commit_changes),
        (Thread, _save_in_transaction),
    ],
)
def test_an_edit_in_place_of_what_was_first_read_meanwhile(model: type[Thread], store: Callable[[Thread], Any]) -> None:
    """It stays as well, be it a value that the commit changes or another; the next save stores it, once."""
    held = Holding("UpdateItem", "TransactWriteItems")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(model)
        Thread.create(**key(1), reviews=["a"], tags={"x"}, data={"n": 1})
        thread = model.get_or_raise(**key(1))
        thread.update_to_dict_field(model.data, {"m": 1}).add_to_setfield(model.tags, {"y"})
        storing = pool.submit(copy_context().run, store, thread)
        request = held.next()
        assert (thread.reviews, thread.tags, thread.data) == (["a"], {"x", "y"}, {"n": 1, "m": 1})
        assert thread.reviews is not None
        assert thread.tags is not None
        assert thread.data is not None
        thread.reviews.append("b")
        thread.data["n"] = 2
        thread.tags.add("z")
        request.answer()
        held.release()
        storing.result()
        assert (thread.reviews, thread.tags, thread.data) == (["a", "b"], {"x", "y", "z"}, {"n": 2, "m": 1})
        thread.save()
        assert model.get_or_raise(**key(1), consistent=True) == thread
        assert (thread.reviews, thread.tags, thread.data) == (["a", "b"], {"x", "y", "z"}, {"n": 2, "m": 1})


class Moody(SetField[Any]):
    """A set whose conversion fails when it is told to."""

    fails: ClassVar[bool] = False

    def to_wire(self, value: Any) -> Any:
        if Moody.fails:
            raise LookupError("in no mood")
        return super().to_wire(value)


class Moods(Model):
    """An item with such a set."""

    __table_name__ = "moods"

    key = CharField(hash_key=True)
    members = Moody()


@pytest.mark.parametrize("store", [Moods.commit_changes, _commit_by_token, _save_in_transaction])
def test_what_was_first_read_meanwhile_and_cannot_be_looked_at(
    store: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored counts as stored, whatever conversions of the user's own raise after it."""
    held = Holding("UpdateItem", "TransactWriteItems")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Moods)
        Moods.create(key="k", members={"a"})
        moods = Moods.get_or_raise(key="k").add_to_setfield(Moods.members, {"b"})
        moods.set_modify_conditions(Moods.members.unchanged())
        storing = pool.submit(copy_context().run, store, moods)
        request = held.next()
        assert moods.members == {"a", "b"}
        monkeypatch.setattr(Moody, "fails", True)
        request.answer()
        storing.result()
        monkeypatch.setattr(Moody, "fails", False)
        moods.commit_changes()
        assert held.count == 1
        assert moods.refresh().members == {"a", "b"}


def test_an_edit_in_place_stays_after_a_transaction() -> None:
    """Of what the transaction stored whole or left alone; the next save stores it, once."""
    held = Holding("TransactWriteItems")

    def transact(thread: Thread) -> None:
        thread.set_field(Thread.tags, {"x"})
        with dynamix.transaction() as tx:
            tx.save(thread)

    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), reviews=["a"], data={"n": 1})
        storing = pool.submit(copy_context().run, transact, thread)
        request = held.next()
        assert thread.reviews is not None
        assert thread.tags is not None
        assert thread.data is not None
        thread.reviews.append("c")
        thread.tags.add("z")
        thread.data["n"] = 2
        request.answer()
        storing.result()
        held.release()
        assert (thread.reviews, thread.tags, thread.data) == (["a", "c"], {"x", "z"}, {"n": 2})
        thread.save()
        assert Thread.get_or_raise(**key(1), consistent=True) == thread
        assert (thread.reviews, thread.tags, thread.data) == (["a", "c"], {"x", "z"}, {"n": 2})


def test_an_edit_in_place_meanwhile_notices_others() -> None:
    """It is an edit of what was sent, not of what the service has answered."""
    held = Holding("UpdateItem")

    async def main() -> None:
        thread = await Thread.acreate(**key(1), reviews=["a", "b"])
        thread.set_field(Thread.title, "new")
        storing = asyncio.create_task(thread.asave())
        request = await held.anext()
        _others_append(held, "theirs")
        assert thread.reviews is not None
        thread.reviews[0] = "mine"
        request.answer()
        await storing
        held.release()
        with pytest.raises(dynamix.ConditionalCheckFailedError, match=r"Thread\.reviews"):
            await thread.asave()
        await thread.arefresh(discard=True)
        assert thread.reviews == ["a", "b", "theirs"]

    with serving(held):
        dynamix.create_table(Thread)
        runner("asyncio")(main)


def test_an_edit_in_place_is_not_sent_with_a_plan_made_anew() -> None:
    """A commit that meets another item than was loaded sends what it began with: an edit made meanwhile is stored by
    the next save, once."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1))
        thread.set_field(Thread.reviews, ["a"])
        thread.update_to_dict_field(Thread.data, {"mine": 1})
        storing = pool.submit(copy_context().run, thread.commit_changes)
        request = held.next()
        _damage(held, data={"M": {"theirs": {"N": "2"}}})
        assert thread.reviews is not None
        thread.reviews.append("b")
        request.answer()
        again = held.next()
        thread.reviews.append("c")
        again.answer()
        storing.result()
        held.release()
        assert Thread.get_or_raise(**key(1), consistent=True).reviews == ["a"]
        assert (thread.reviews, thread.data) == (["a", "b", "c"], {"mine": 1, "theirs": 2})
        thread.save()
        assert Thread.get_or_raise(**key(1), consistent=True) == thread
        assert thread.reviews == ["a", "b", "c"]


def test_an_edit_in_place_of_a_set_that_is_emptied() -> None:
    """What is put into a set while the commit that empties it is under way stays, too."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), tags={"a"})
        thread.delete_from_setfield(Thread.tags, {"a"})
        storing = pool.submit(copy_context().run, thread.commit_changes)
        request = held.next()
        assert thread.tags == set()
        thread.tags.add("b")
        request.answer()
        storing.result()
        held.release()
        assert thread.tags == {"b"}
        thread.save()
        assert Thread.get_or_raise(**key(1), consistent=True).tags == {"b"}


@pytest.mark.parametrize("edited_again", [False, True])
def test_an_edit_in_place_between_two_updates(edited_again: bool) -> None:
    """What is edited while the first of two updates is under way is there after the second."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), reviews=["a"], tags={"x", "y"})
        thread.add_to_setfield(Thread.tags, {"z"})
        thread.delete_from_setfield(Thread.tags, {"x"})
        storing = pool.submit(copy_context().run, thread.commit_changes)
        request = held.next()
        assert thread.reviews is not None
        assert thread.tags is not None
        thread.reviews.append("b")
        thread.tags.add("new")
        request.answer()
        second = held.next()
        if edited_again:
            thread.reviews.append("c")
        second.answer()
        storing.result()
        held.release()
        reviews = ["a", "b", "c"] if edited_again else ["a", "b"]
        assert (thread.reviews, thread.tags) == (reviews, {"y", "z", "new"})
        thread.save()
        assert (thread.reviews, thread.tags) == (reviews, {"y", "z", "new"})
        assert Thread.get_or_raise(**key(1), consistent=True) == thread


class Kept(dynamix.Model):
    """A list that shows a default where none is stored."""

    __table_name__ = "kept"

    key = dynamix.CharField(hash_key=True)
    words = dynamix.ListField(default=["a"])
    count = dynamix.IntegerField()


def test_an_edit_in_place_of_a_default() -> None:
    """A default that shows is no stored value, whose edit would be of one."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Kept)
        item = json.dumps({"TableName": "kept", "Item": {"key": {"S": "k"}}}).encode()
        assert held.engine.handle("PutItem", item)[0] == 200
        kept = Kept.get_or_raise(key="k", consistent=True)
        assert kept.words == ["a"]
        kept.set_field(Kept.count, 1)
        storing = pool.submit(copy_context().run, kept.commit_changes)
        request = held.next()
        kept.words.append("b")
        request.answer()
        storing.result()
        held.release()
        assert kept.words == ["a", "b"]
        kept.save()
        assert kept.words == ["a", "b"]
        assert Kept.get_or_raise(key="k", consistent=True) == kept


def _others_append(held: Holding, element: str) -> None:
    """Another program appends to the reviews."""
    body = {
        "TableName": "thread",
        "Key": {name: {"S": value} for name, value in key(1).items()},
        "UpdateExpression": "SET reviews = list_append(reviews, :new)",
        "ExpressionAttributeValues": {":new": {"L": [{"S": element}]}},
    }
    assert held.engine.handle("UpdateItem", json.dumps(body).encode())[0] == 200


def test_a_commit_that_failed_is_not_under_way() -> None:
    """After a failed or cancelled commit the instance can be changed and committed."""
    held = Holding("UpdateItem")

    async def main() -> None:
        thread = await Thread.acreate(**key(1), updated_at=1)
        thread.set_field(Thread.title, "first")
        failing = asyncio.create_task(thread.acommit_changes())
        (await held.anext()).refuse("ValidationException")
        with pytest.raises(dynamix.InvalidRequestError):
            await failing
        cancelled = asyncio.create_task(thread.acommit_changes())
        await held.anext()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        thread.set_field(Thread.title, "second")
        committing = asyncio.create_task(thread.acommit_changes())
        (await held.anext()).answer()
        await committing
        assert thread.title == "second"

    with serving(held):
        dynamix.create_table(Thread)
        runner("asyncio")(main)


def _first_done(thread: Thread, held: Holding, refusal: str) -> None:
    """Commits: the first request is done, the second one refused."""
    with ThreadPoolExecutor(1) as pool:
        committing = pool.submit(copy_context().run, thread.commit_changes)
        held.next().answer()
        held.next().refuse(refusal)
        with pytest.raises(dynamix.DynamixError):
            committing.result()


def test_a_second_request_that_failed() -> None:
    """What the first request stored shows and is done; what is left is sent by the next commit, or discarded."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        for discarded in (False, True):
            thread = Thread.create(**key(1), tags={"a", "b"}, reviews=["x"], data={"k": 1}, updated_at=1)
            thread.append_to_listfield(Thread.reviews, "y")
            thread.update_to_dict_field(Thread.data, {"l": 2})
            thread.add_to_field(Thread.updated_at, 1)
            thread.add_to_setfield(Thread.tags, {"c"})
            thread.delete_from_setfield(Thread.tags, {"a"})
            _first_done(thread, held, "AccessDeniedException")
            assert (thread.reviews, thread.data, thread.updated_at) == (["x", "y"], {"k": 1, "l": 2}, 2)
            assert thread.tags == {"b", "c"}
            if discarded:
                thread.discard_changes()
                assert thread.tags == {"a", "b", "c"}
            else:
                committing = pool.submit(copy_context().run, thread.commit_changes)
                held.next().answer()
                committing.result()
            assert Thread.get(**key(1)) == thread


def test_a_set_edited_after_the_first_request() -> None:
    """Between the two requests, too, an edit in place is refused by the next commit."""
    held = Holding("UpdateItem")
    with serving(held):
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), tags={"a", "b"})
        thread.add_to_setfield(Thread.tags, {"c"})
        thread.delete_from_setfield(Thread.tags, {"a"})
        _first_done(thread, held, "AccessDeniedException")
        assert thread.tags is not None
        thread.tags.add("z")
        with pytest.raises(dynamix.InvalidUpdateError, match=r"Thread\.tags was edited in place"):
            thread.commit_changes()


def _damage(held: Holding, **attributes: object) -> None:
    """Another program stores attributes that the model's fields cannot hold."""
    body = {
        "TableName": "thread",
        "Key": {name: {"S": value} for name, value in key(1).items()},
        "AttributeUpdates": {name: {"Value": value} for name, value in attributes.items()},
    }
    assert held.engine.handle("UpdateItem", json.dumps(body).encode())[0] == 200


@pytest.mark.parametrize("changes", [["add"], ["add", "set"]])
def test_an_answer_that_cannot_be_read(changes: list[str]) -> None:
    """Where the stored item has a value that its field cannot hold, the changes were stored all the same: the error
    says so, nothing stays queued to be stored twice, and the instance claims to know no more than its key."""
    held = Holding()
    with serving(held):
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), updated_at=1, tags={"a", "b"}, reviews=["x"])
        _damage(held, title={"N": "5"})
        thread.add_to_field(Thread.updated_at, 1)
        if "set" in changes:
            thread.add_to_setfield(Thread.tags, {"c"})
            thread.delete_from_setfield(Thread.tags, {"a"})
        with pytest.raises(dynamix.StoredValueError, match=r"were stored, .*Thread\.title") as caught:
            thread.commit_changes()
        assert (caught.value.field, caught.value.applied) == ("title", "yes")
        thread.commit_changes()
        with pytest.raises(dynamix.FieldNotLoadedError):
            thread.reviews  # noqa: B018 - read to be refused
        _damage(held, title={"S": "mended"})
        stored = Thread.get(**key(1))
        assert stored is not None
        assert (stored.updated_at, stored.title) == (2, "mended")
        assert stored.tags == ({"b", "c"} if "set" in changes else {"a", "b"})
        thread.add_to_field(Thread.updated_at, 1)
        thread.commit_changes()
        assert Thread.get(**key(1)) == thread


@pytest.mark.parametrize("disturb", DISTURBANCES.values(), ids=DISTURBANCES)
@pytest.mark.parametrize("fails", [False, True])
def test_a_batch_that_stores_an_instance(disturb: Callable[[Thread], None], fails: bool) -> None:
    """While a batch stores an instance whole, it is left alone too: a change queued meanwhile would be forgotten."""
    held = Holding("BatchWriteItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), updated_at=1)
        thread.add_to_field(Thread.updated_at, 1)
        writing = pool.submit(copy_context().run, Thread.batch_write, [thread, thread, key(2)])
        request = held.next()
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            disturb(thread)
        if fails:
            request.refuse("AccessDeniedException")
            assert writing.exception() is not None
            disturb(thread)
            return
        request.answer()
        assert writing.result() == [thread, thread, Thread(**key(2))]
        assert (thread.updated_at, thread.title) == (2, None)
        disturb(thread)
        thread.commit_changes()
        assert Thread.get(**key(1)) == thread


def test_a_commit_is_not_mixed_with_a_batch() -> None:
    """An instance whose commit is under way is not stored whole."""
    held = Holding("UpdateItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), updated_at=1)
        thread.add_to_field(Thread.updated_at, 1)
        committing = pool.submit(copy_context().run, thread.commit_changes)
        request = held.next()
        with pytest.raises(dynamix.InvalidUpdateError, match="under way"):
            Thread.batch_write([Thread(**key(2)), thread])
        assert not Thread.exists(**key(2))
        request.answer()
        committing.result()
        Thread.batch_write([Thread(**key(2)), thread])
