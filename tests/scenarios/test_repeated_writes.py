"""`repeat_writes` says which writes are sent again after a lost answer: those that are the same twice, all, or none."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from forum import Thread, key
from unlucky import FAILED, lost, refusal, told, unlucky

import dynamix
from dynamix import Connection
from places import Place


class Page(dynamix.Model):
    """An item with a version."""

    key = dynamix.CharField(hash_key=True)
    title = dynamix.CharField()
    views = dynamix.IntegerField(default=0)
    tags = dynamix.SetField()
    data = dynamix.DictField()
    version = dynamix.VersionField()


def loaded(*steps: Callable[[Thread], object]) -> Thread:
    """The stored thread with changes queued, or edited."""
    thread = Thread.get_or_raise(**key(1))
    for step in steps:
        step(thread)
    return thread


def add(thread: Thread) -> Thread:
    """What must not be made twice."""
    return thread.add_to_field(Thread.updated_at, 1)


def both(thread: Thread) -> None:
    """Members come and go, for which a commit takes two requests otherwise."""
    thread.add_to_setfield(Thread.tags, {"c"})
    thread.delete_from_setfield(Thread.tags, {"a"})


def nothing(thread: Thread) -> None:
    """What changes nothing of what is stored."""
    thread.remove_from_dict_field(Thread.data, ["missing"])


def modified() -> object:
    """A thread that is read, changed and stored."""
    return Thread.modify(add, **key(1))


WRITES: dict[str, Callable[[], object]] = {
    "create": lambda: Thread.create(**key(2), title="new"),
    "create what must be new": lambda: Thread.create(**key(2), title="new", overwrite=False),
    "get_or_create": lambda: Thread.get_or_create({"title": "new"}, **key(2)),
    "save a new one": lambda: Thread(**key(2), title="new").save(),
    "save whole on a condition": lambda: loaded().save(overwrite=True, condition=Thread.title == "old"),
    "save if unchanged": lambda: loaded(lambda thread: setattr(thread, "title", "new")).save(if_unchanged=True),
    "save an edit": lambda: loaded(lambda thread: (thread.reviews or []).append("x")).save(),
    "commit": lambda: loaded(add).commit_changes(),
    "commit what comes and goes": lambda: loaded(both).commit_changes(),
    "commit nothing": lambda: loaded(nothing).commit_changes(condition=Thread.title == "old"),
    "delete on a condition": lambda: loaded().delete(condition=Thread.title == "old"),
    "delete_by_key": lambda: Thread.delete_by_key(**key(1), condition=Thread.title == "old"),
    "update_by_key": lambda: Thread.update_by_key(Thread.updated_at.add(1), **key(1)),
    "upsert": lambda: Thread.update_by_key(Thread.updated_at.add(1), **key(2), upsert=True),
    "make a map": lambda: Thread.update_by_key(Thread.data["a"]["b"].set(1), **key(1)),
    "modify": modified,
}


def store() -> None:
    """The thread that writes are about, and no other."""
    Thread.delete_by_key(**key(2))
    Thread.create(**key(1), title="old", updated_at=1, tags={"a", "b"}, reviews=["a"])


def told_of(write: Callable[[], object]) -> str:
    """What a write gives, or says."""
    try:
        return str(write())
    except dynamix.ConditionalCheckFailedError as error:
        return f"{type(error).__name__} {error} {error.item} {error.code} {error.status} {error.changed}"
    except dynamix.ItemTooLargeError as error:
        return f"{type(error).__name__} {error}"


def outcome(write: Callable[[], object]) -> tuple[str, str]:
    """What a write gives, and what is stored then."""
    store()
    said = told_of(write)
    return said, str(Thread.batch_get(key(1), key(2), consistent=True))


def late() -> Thread:
    """A thread whose list was edited, and changed by others since it was loaded."""
    thread = loaded(lambda thread: (thread.reviews or []).__setitem__(0, "x"))
    Thread.update_by_key(Thread.reviews.append("theirs"), Thread.updated_at.set(7), **key(1))
    return thread


FAILING: tuple[Callable[[], object], ...] = (
    lambda: late().save(),
    lambda: late().set_field(Thread.updated_at, 8).save(if_unchanged=True),
    lambda: late().delete(condition=Thread.updated_at == 1),
    lambda: late().save(overwrite=True, condition=Thread.updated_at.exists() & (Thread.title == "x")),
    lambda: Thread.create(**key(1), overwrite=False),
    lambda: Thread.create(**key(1), condition=Thread.title == "x"),
    lambda: Thread.update_by_key(Thread.title.set("x"), **key(3)),
    lambda: Thread.update_by_key(Thread.title.set("x"), condition=Thread.updated_at > 5, **key(1)),
    lambda: Thread.delete_by_key(condition=Thread.title == "x", **key(3)),
    lambda: loaded(nothing).commit_changes(condition=Thread.title == "x"),
    lambda: Thread.update_by_key(Thread.title.set("x" * 409_600), **key(1)),
)


def test_a_token_changes_nothing_of_what_is_stored_and_told(place: Place) -> None:
    """Whatever writes one item gives the same under a token, stores the same, and fails in the same words with the same
    stored item."""
    mode: Any
    for mode in ("safe", "token"):
        with dynamix.repeat_writes(mode), pytest.raises(dynamix.TableNotFoundError, match=r"create_table\(Thread\)"):
            Thread.create(**key(1))
    dynamix.create_table(Thread)
    for write in (*WRITES.values(), *FAILING):
        alone = outcome(write)
        assert alone[0].startswith(("ConditionalCheckFailedError", "Item")) is (write in FAILING), alone
        with dynamix.repeat_writes("token"):
            assert outcome(write) == alone


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_under_a_token_every_write_is_repeated_and_made_once(write: Callable[[], object]) -> None:
    """A lost answer is made up for by sending the same bytes again, which the service makes once."""
    with unlucky(repeat_writes="token") as server:
        dynamix.create_table(Thread)
        expected = outcome(write)
        store()
        server.targets.clear()
        server.steps = [told(FAILED), lost(), lost()]
        if write is WRITES["make a map"]:  # the first request brings the item along
            server.steps = [lambda make: make(), told(FAILED), lost(), lost()]
        assert (told_of(write), str(Thread.batch_get(key(1), key(2), consistent=True))) == expected
        assert server.targets == ["TransactWriteItems"] * (len(server.targets))
        assert len(server.targets) == (5 if write is WRITES["make a map"] else 4)


def test_versions_under_a_token() -> None:
    """A write at a version that was made unseen is told to be made, and others who were first are still a conflict."""
    with unlucky(repeat_writes="token") as server:
        dynamix.create_table(Page)
        page = Page.create(key="k", title="old")
        server.steps = [lost()]
        page.title = "new"
        page.save()
        server.steps = [lost()]
        page.add_to_field(Page.views, 1).commit_changes()
        assert page == Page.get_or_raise(key="k")
        Page.update_by_key(Page.views.add(1), key="k")
        for write in (page.add_to_field(Page.views, 1).save, page.delete):
            with pytest.raises(dynamix.VersionConflict) as caught:
                write()
            assert caught.value.item.views == 2
        server.steps = [told(FAILED), told(refusal("TransactionCanceledException"))]
        with pytest.raises(dynamix.OutcomeUnknownError):
            page.save()


def test_tasks_repeat_as_their_block_says() -> None:
    """The async verbs do as the blocking ones, and tasks have what the block that started them says."""

    async def main() -> None:
        with dynamix.repeat_writes("token"):
            await asyncio.gather(*(Thread.aupdate_by_key(Thread.updated_at.add(1), **key(1)) for _ in range(3)))
            thread = await Thread.aget_or_raise(**key(1))
            await add_and_commit(thread)
            await Thread.amodify(add, **key(1))
            await Thread.aget_or_create({}, **key(2))
            await Thread.acreate(**key(3), overwrite=False)
            await thread.adelete(condition=Thread.updated_at == 6)

    async def add_and_commit(thread: Thread) -> None:
        await add(thread).acommit_changes()
        assert thread.updated_at == 5

    with unlucky() as server:
        dynamix.create_table(Thread)
        store()
        server.targets.clear()
        server.steps = [lost()] * 2
        asyncio.run(main())
        assert server.targets == ["TransactWriteItems"] * 10
        assert [thread.thread_id for thread in Thread.scan()] == ["t0002", "t0003"]


ONCE: dict[str, Callable[[], object]] = {
    "create": lambda: Thread.create(**key(1), title="new"),
    "commit": lambda: loaded(lambda thread: thread.set_field(Thread.title, "new")).commit_changes(),
    "commit at a version": lambda: Page.create(key="k").add_to_field(Page.views, 1).commit_changes(),
    "delete": lambda: loaded().delete(),
    "delete_by_key": lambda: Thread.delete_by_key(**key(1)),
    "batch_write": lambda: Thread.batch_write([key(1)]),
    "transaction": lambda: in_a_transaction(),
}


def in_a_transaction() -> None:
    """A title set in a transaction."""
    with dynamix.transaction() as tx:
        tx.update(Thread, Thread.title.set("new"), **key(1))


@pytest.mark.parametrize("write", ONCE.values(), ids=ONCE)
def test_no_write_is_sent_twice_where_none_is_to_be(write: Callable[[], object]) -> None:
    """Under "never" an answer that was lost leaves the outcome unknown, whatever the write; a throttled one is sent
    again, since it was not made."""
    with unlucky(repeat_writes="never") as server:
        dynamix.create_table(Thread)
        dynamix.create_table(Page)
        store()
        is_late = write is ONCE["commit at a version"]  # what it changes is stored first
        first = [lambda make: make()] if is_late else []
        server.targets.clear()
        server.steps = [*first, told(refusal("ThrottlingException")), lost()]
        with pytest.raises(dynamix.OutcomeUnknownError, match="must not be repeated") as caught:
            write()
        assert (caught.value.applied, len(server.targets)) == ("maybe", 3 if is_late else 2)
        server.steps = [told(FAILED)]
        with dynamix.repeat_writes("safe"):
            Thread.create(**key(1))


def test_what_a_token_cannot_carry_is_refused() -> None:
    """What asks for the very item that a write found or made is refused before anything is sent, with what to do."""
    with unlucky(repeat_writes="token") as server:
        dynamix.create_table(Thread)
        store()
        server.targets.clear()
        new: Any = {"returns": "new"}
        old: Any = {"returns": "old"}
        for write, said in (
            (lambda: Thread.update_by_key(Thread.updated_at.add(1), **key(1), **new), "returns='new' asks"),
            (lambda: Thread.update_by_key(Thread.updated_at.add(1), **key(1), **old), "returns='old' asks"),
            (lambda: Thread.delete_by_key(**key(1), **old), r"in a block of dynamix\.repeat_writes\('safe'\)"),
        ):
            with pytest.raises(dynamix.InvalidUpdateError, match=said):
                write()
        assert server.targets == []
        with dynamix.repeat_writes("safe"):
            assert Thread.update_by_key(Thread.updated_at.add(1), **key(1), returns="new").updated_at == 2


def test_a_commit_that_cannot_be_read_afterwards() -> None:
    """It was made, so it does not fail: what only the service knows is not loaded, the rest shows."""
    item = {name: {"S": value} for name, value in key(1).items()}
    deletion = json.dumps({"TableName": "thread", "Key": item}).encode()
    with unlucky(repeat_writes="token") as server:
        dynamix.create_table(Thread)
        store()
        thread = loaded(add, lambda thread: thread.set_field(Thread.title, "new"))

        def gone(make: Callable[[], Any]) -> Any:
            answer = make()
            server.engine.handle("DeleteItem", deletion)
            return answer

        server.steps = [gone]
        thread.commit_changes()
        assert thread.title == "new"
        with pytest.raises(dynamix.FieldNotLoadedError, match=r"refresh\(\) the instance"):
            thread.updated_at  # noqa: B018 - reading is what fails
        store()
        thread = loaded(add)
        served = server.handle
        server.handle = lambda target, body: FAILED if target == "GetItem" else served(target, body)  # type: ignore[method-assign]
        thread.commit_changes()
        del server.handle  # type: ignore[method-assign]
        with pytest.raises(dynamix.FieldNotLoadedError):
            thread.updated_at  # noqa: B018 - reading is what fails
        assert thread.refresh().updated_at == 2


def test_a_boto_client_repeats_as_it_is_told() -> None:
    """The client's own repeats are those of a transaction under a token, and of nothing under "never"."""
    import boto3
    from botocore.config import Config

    with unlucky() as server:
        dynamix.create_table(Thread)
        store()
        at = dynamix.current.current()._options["is_local_endpoint"]
        assert isinstance(at, tuple)
        client = boto3.client(
            "dynamodb",
            endpoint_url=f"http://{at[0]}:{at[1]}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"max_attempts": 3}),
        )
        with dynamix.use_connection(Connection(boto_client=client, repeat_writes="token")):
            server.targets.clear()
            server.steps = [lost()]
            Thread.update_by_key(Thread.updated_at.add(1), **key(1))
            with pytest.raises(dynamix.ItemExistsError):
                Thread.create(**key(1), overwrite=False)
            assert server.targets == ["TransactWriteItems"] * 3
            with dynamix.repeat_writes("never"):
                server.targets.clear()
                server.steps = [lost()]
                with pytest.raises(dynamix.OutcomeUnknownError):
                    Thread.create(**key(1), updated_at=9)
                assert server.targets == ["PutItem"]


def test_what_blocks_and_connections_take() -> None:
    """The innermost block counts, then the connection; anything but the three choices is refused by name and value."""
    with Connection(embedded=True, repeat_writes="never") as connection, dynamix.use_connection(connection):
        assert connection.retry.repeats == "never"
        with dynamix.repeat_writes("token"), dynamix.timeout(30):
            assert connection.retry.repeats == "token"
            with dynamix.repeat_writes("safe"):
                assert connection.retry.repeats == "safe"
            assert connection.retry.repeats == "token"
        assert connection.retry.repeats == "never"
    wrong: Any
    for wrong in ("tokens", True, ["safe"]):
        with pytest.raises(dynamix.WrongTypeError, match=r"repeat_writes must be 'safe', 'token' or 'never', not "):
            Connection(embedded=True, repeat_writes=wrong)
        with pytest.raises(dynamix.WrongTypeError), dynamix.repeat_writes(wrong):
            pass
