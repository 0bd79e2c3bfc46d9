"""What an error says of a write is true: whether it was applied, and of a batch, which parts were.

Behind a server stands an engine; the test says which answers are lost, and what others write meanwhile.
"""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from forum import Thread, key
from unlucky import FAILED, Answer, Unlucky, lost, refusal, told, unlucky

import dynamix


@pytest.fixture
def server() -> Iterator[Unlucky]:
    """A server with a table and a thread in it, set as the connection of the test."""
    with unlucky() as server:
        dynamix.create_table(Thread)
        Thread.create(**key(1), title="old", updated_at=1, tags={"a", "b"})
        server.targets.clear()
        yield server


def changed(*steps: Callable[[Thread], object], **values: Any) -> Thread:
    """The stored thread with changes queued."""
    thread = Thread.get(**key(1))
    assert thread is not None
    for step in steps:
        step(thread)
    for name, value in values.items():
        setattr(thread, name, value)
    return thread


def create() -> None:
    """A whole item."""
    Thread.create(**key(1), title="new")


def set_title() -> None:
    """A field set."""
    changed(title="new").commit_changes()


def delete() -> None:
    """An item deleted."""
    Thread.delete_by_key(**key(1))


def update_title() -> None:
    """A field set without loading."""
    Thread.update_by_key(Thread.title.set("new"), Thread.tags.add({"c"}), returns="new", **key(1))


SAME_TWICE = [create, set_title, update_title, delete]


@pytest.mark.parametrize("write", SAME_TWICE)
@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (refusal("ProvisionedThroughputExceededException"), dynamix.ThrottledError),
        (refusal("ServiceUnavailable", 503), dynamix.ServiceUnavailableError),
        (refusal("AccessDeniedException"), dynamix.OutcomeUnknownError),
        (refusal("ExpiredTokenException"), dynamix.OutcomeUnknownError),
        (refusal("ConditionalCheckFailedException"), dynamix.OutcomeUnknownError),
    ],
)
def test_a_later_failure_does_not_hide_what_was_stored(
    server: Unlucky, write: Callable[[], None], last: Answer, kind: type[dynamix.DynamixError]
) -> None:
    """After an attempt that was applied unseen, whatever ends the write says that it may have been."""
    server.steps = [lost(), *[told(last)] * 3]
    with pytest.raises(kind) as caught:
        write()
    assert caught.value.applied == "maybe"
    stored = Thread.get(**key(1))
    assert stored is None if write is delete else stored is not None and stored.title == "new"


@pytest.mark.parametrize("write", SAME_TWICE)
def test_a_write_that_was_never_made_says_so(server: Unlucky, write: Callable[[], None]) -> None:
    """Where every attempt was refused, nothing was stored, and the error says that."""
    server.steps = [told(refusal("ThrottlingException"))] * 4
    with pytest.raises(dynamix.ThrottledError) as caught:
        write()
    assert caught.value.applied == "no"


def test_an_item_that_was_deleted_before_the_repeat(server: Unlucky) -> None:
    """A set that was stored before somebody deleted the item is not told to have stored nothing."""
    item = {name: {"S": value} for name, value in key(1).items()}
    deletion = json.dumps({"TableName": "thread", "Key": item}).encode()
    server.steps = [lost(lambda: server.engine.handle("DeleteItem", deletion))]
    with pytest.raises(dynamix.OutcomeUnknownError, match="its repeat was refused") as caught:
        set_title()
    assert caught.value.applied == "maybe"
    assert server.targets == ["UpdateItem", "UpdateItem"]


def conditional(thread: Thread) -> None:
    """A condition that is met."""
    thread.set_modify_conditions(Thread.title == "old")


def many_elements(thread: Thread) -> None:
    """More changes of elements than an update can name."""
    thread.replace_by_index_in_listfield(Thread.reviews, 0, "z")
    for number in range(400):
        thread.append_to_listfield(Thread.reviews, f"{number}")


ONCE: dict[str, Callable[[], object]] = {
    "add": lambda: changed(lambda thread: thread.add_to_field(Thread.updated_at, 1)).commit_changes(),
    "append": lambda: changed(lambda thread: thread.append_to_listfield(Thread.reviews, "x")).commit_changes(),
    "append to a list that is sent whole": lambda: changed(many_elements).commit_changes(),
    "remove by index": lambda: changed(
        lambda thread: thread.remove_by_index_from_listfield(Thread.reviews, 0)
    ).commit_changes(),
    "commit on a condition": lambda: changed(conditional, title="new").commit_changes(),
    "add without loading": lambda: Thread.update_by_key(Thread.updated_at.add(1), **key(1)),
    "append without loading": lambda: Thread.update_by_key(Thread.reviews.append("x"), **key(1)),
    "prepend without loading": lambda: Thread.update_by_key(Thread.reviews.prepend("x"), **key(1)),
    "remove an element without loading": lambda: Thread.update_by_key(Thread.reviews[0].remove(), **key(1)),
    "set an element without loading": lambda: Thread.update_by_key(Thread.reviews[5].set("x"), **key(1)),
    "add inside a map without loading": lambda: Thread.update_by_key(Thread.data["n"].add(1), **key(1)),
    "copy without loading": lambda: Thread.update_by_key(Thread.state.set(Thread.title), **key(1)),
    "compute without loading": lambda: Thread.update_by_key(Thread.expires_at.set(Thread.updated_at + 1), **key(1)),
    "update on a condition": lambda: Thread.update_by_key(
        Thread.title.set("new"), condition=Thread.title == "old", **key(1)
    ),
    "update that tells the old item": lambda: Thread.update_by_key(Thread.title.set("new"), returns="old", **key(1)),
    "several changes of one list": lambda: changed(
        lambda thread: thread.change(Thread.reviews.prepend("x"), Thread.reviews.append("y"))
    ).commit_changes(),
    "delete on a condition": lambda: changed(conditional).delete(),
    "create what must be new": lambda: Thread.create(**key(2), overwrite=False),
}


@pytest.mark.parametrize("write", ONCE.values(), ids=ONCE)
def test_what_must_not_be_repeated_is_sent_once(server: Unlucky, write: Callable[[], object]) -> None:
    """What adds, appends, or depends on what is stored is not sent again once it may have been applied."""
    Thread.create(**key(1), title="old", reviews=["a", "b"], data={"a": 1})
    server.targets.clear()
    server.steps = [lost()]
    with pytest.raises(dynamix.OutcomeUnknownError, match="must not be repeated") as caught:
        write()
    assert (caught.value.applied, len(server.targets)) == ("maybe", 1)


def test_the_second_update_of_a_commit(server: Unlucky) -> None:
    """Where a commit takes two requests and the second is not made, the first is told to be stored, and what is left
    stays queued."""
    for answer, applied in ((refusal("AccessDeniedException"), "was not"), (FAILED, "may have been")):
        Thread.create(**key(1), tags={"a", "b"})
        thread = changed()
        thread.add_to_setfield(Thread.tags, {"c"})
        thread.delete_from_setfield(Thread.tags, {"a"})
        server.steps = [lambda make: make(), *[told(answer)] * 4]
        with pytest.raises(
            dynamix.PartlyAppliedError, match=f"the second, .*, {applied}, and is still queued"
        ) as caught:
            thread.commit_changes()
        assert caught.value.applied == "partly"
        assert changed().tags == {"a", "b", "c"}
        server.steps = []
        thread.commit_changes()
        assert changed().tags == {"b", "c"}


# Saving

DATA: dict[str, Any] = {"n": 1, "inner": {"a": 1, "s": {"p", "q"}}, "l": [1, 2, 3]}


def both(thread: Thread) -> None:
    """Members come and go."""
    thread.tags.add("z")
    thread.tags.remove("a")


def keys_of_maps(thread: Thread) -> None:
    """Keys of a map and of one inside it."""
    thread.data["inner"]["b"] = 2
    del thread.data["inner"]["a"]
    del thread.data["n"]


def queued_too(thread: Thread) -> None:
    """Something queued beside an edit."""
    thread.add_to_field(Thread.updated_at, 1)
    thread.data["n"] = 2


REPEATED: dict[str, Callable[[Thread], object]] = {
    "keys of maps": keys_of_maps,
    "a map inside becomes a text": lambda thread: thread.data.update(inner="text"),
    "members added": lambda thread: thread.tags.update({"y", "z"}),
    "members deleted": lambda thread: thread.tags.discard("a"),
    "a set emptied": lambda thread: thread.tags.clear(),
}
NOT_REPEATED: dict[str, Callable[[Thread], object]] = {
    "appended": lambda thread: thread.reviews.append("c"),
    "appended inside": lambda thread: thread.data["l"].append(4),
    "an element": lambda thread: thread.reviews.__setitem__(0, "z"),
    "an element inside": lambda thread: thread.data["l"].__setitem__(0, 9),
    "the last cut off": lambda thread: thread.data["l"].pop(),
    "inserted": lambda thread: thread.reviews.insert(0, "z"),
    "members come and go": both,
    "a set inside": lambda thread: thread.data["inner"]["s"].add("r"),
    "queued too": queued_too,
}


def content(thread: Thread) -> dict[str, Any]:
    """What a thread shows, but for what is empty."""
    return {name: value for name, value in thread.to_son().items() if value}


def thread_to_edit() -> Thread:
    """A thread with something in each collection, as it is stored."""
    Thread.create(**key(1), title="old", updated_at=1, tags={"a", "b"}, reviews=["a", "b"], data=DATA)
    return Thread.get_or_raise(**key(1))


@pytest.mark.parametrize("edit", REPEATED.values(), ids=REPEATED)
def test_edits_that_are_the_same_twice_are_repeated(server: Unlucky, edit: Callable[[Thread], object]) -> None:
    """A lost answer is made up for by a repeat, after which what was edited is stored."""
    thread = thread_to_edit()
    edit(thread)
    server.targets.clear()
    server.steps = [lost()]
    shown = content(thread)
    thread.save()
    assert len(server.targets) == 2
    assert content(Thread.get_or_raise(**key(1))) == content(thread) == shown


@pytest.mark.parametrize("edit", NOT_REPEATED.values(), ids=NOT_REPEATED)
def test_edits_whose_repeat_would_meet_themselves_are_sent_once(
    server: Unlucky, edit: Callable[[Thread], object]
) -> None:
    """After a lost answer it is told that they may have been stored, never that others changed something."""
    thread = thread_to_edit()
    edit(thread)
    server.targets.clear()
    server.steps = [lost()]
    shown = content(thread)
    with pytest.raises(dynamix.OutcomeUnknownError, match="must not be repeated") as caught:
        thread.save()
    assert (caught.value.applied, len(server.targets)) == ("maybe", 1)
    assert content(Thread.get_or_raise(**key(1))) == shown


@pytest.mark.parametrize("edit", {**REPEATED, **NOT_REPEATED}.values(), ids={**REPEATED, **NOT_REPEATED})
def test_edits_that_were_refused_before_they_were_made(server: Unlucky, edit: Callable[[Thread], object]) -> None:
    """A throttled request was not made, so whatever it was for is sent again."""
    thread = thread_to_edit()
    edit(thread)
    server.steps = [told(refusal("ThrottlingException"))]
    shown = content(thread)
    thread.save()
    assert content(Thread.get_or_raise(**key(1))) == shown


SAVED_ON_A_CONDITION: dict[str, Callable[[Thread], object]] = {
    "if unchanged": lambda thread: thread.save(if_unchanged=True),
    "on a condition": lambda thread: thread.save(condition=Thread.title == "old"),
    "whole on a condition": lambda thread: thread.save(overwrite=True, condition=Thread.title == "old"),
}


@pytest.mark.parametrize("save", SAVED_ON_A_CONDITION.values(), ids=SAVED_ON_A_CONDITION)
def test_what_is_saved_on_a_condition_is_sent_once(server: Unlucky, save: Callable[[Thread], object]) -> None:
    """Others may have made the condition true again, and a repeat would undo what they did."""
    thread = thread_to_edit()
    thread.title = "new"
    server.targets.clear()
    server.steps = [lost()]
    with pytest.raises(dynamix.OutcomeUnknownError, match="must not be repeated") as caught:
        save(thread)
    assert (caught.value.applied, len(server.targets)) == ("maybe", 1)


def test_a_new_instance_whose_answer_was_lost(server: Unlucky) -> None:
    """That it is there after all must not be told as another's item."""
    server.steps = [lost()]
    thread = Thread(**key(2), title="new")
    with pytest.raises(dynamix.OutcomeUnknownError, match="must not be repeated"):
        thread.save()
    with pytest.raises(dynamix.ItemExistsError):
        thread.save()


# Batches


def batch_of(count: int) -> list[Thread]:
    """Threads that are not stored."""
    return [Thread(**key(n), title=str(n)) for n in range(count)]


def numbers(threads: Any) -> list[int]:
    """The numbers of threads, or of their keys."""
    return sorted(int((t["thread_id"] if isinstance(t, dict) else t.thread_id)[1:]) for t in threads)


def stored_numbers() -> list[int]:
    """The numbers of the threads stored."""
    return numbers(Thread.scan())


def one_bad(server: Unlucky, bad: int) -> None:
    """The server refuses each batch with this thread in it, as the service does for an item that it cannot take."""
    engine = server.engine.handle

    def handle(target: str, body: bytes) -> Answer:
        if target == "BatchWriteItem" and f"t{bad:04}" in body.decode():
            return refusal("ValidationException")
        return engine(target, body)

    server.engine.handle = handle  # type: ignore[method-assign]


@pytest.mark.parametrize("as_dicts", [False, True])
def test_a_batch_with_one_bad_element(server: Unlucky, as_dicts: bool) -> None:
    """Where the service refuses one element, it is named by its position and key, and the error has what was stored and
    what was not, as it was given."""
    Thread.delete_by_key(**key(1))
    one_bad(server, 37)
    threads = batch_of(60)
    given: list[Any] = [{**key(n)} for n in range(60)] if as_dicts else threads
    with pytest.raises(dynamix.PartlyAppliedError) as caught:
        Thread.batch_write(given)
    error, cause = caught.value, caught.value.__cause__
    assert isinstance(cause, dynamix.InvalidRequestError)
    assert (cause.index, cause.applied, error.applied) == (37, "no", "partly")
    assert "element 37 of the batch (forum_id='science', thread_id='t0037'): said here" in str(error)
    assert numbers(error.stored) == stored_numbers()
    assert 37 in numbers(error.not_stored)
    assert error.unknown == ()
    assert numbers(error.stored + error.not_stored) == list(range(60))
    if not as_dicts:
        assert {id(thread) for thread in (*error.stored, *error.not_stored)} == set(map(id, threads))
    del server.engine.handle  # type: ignore[method-assign]
    Thread.batch_write(error.not_stored)
    assert stored_numbers() == list(range(60))


def test_what_was_stored_of_a_batch_is_not_pending_any_more(server: Unlucky) -> None:
    """The instances that were stored have nothing queued, the others keep what was queued on them."""
    one_bad(server, 1)
    good, bad = Thread(**key(2), updated_at=1), Thread(**key(1), updated_at=1)
    for thread in (good, bad):
        thread.add_to_field(Thread.updated_at, 1)
    with pytest.raises(dynamix.PartlyAppliedError) as caught:
        Thread.batch_write([good, bad])
    assert (caught.value.stored, caught.value.not_stored) == ((good,), (bad,))
    good.commit_changes()  # would add a second time what the batch has stored
    assert Thread.get(**key(2)) == Thread(**key(2), updated_at=2)
    bad.discard_changes()
    assert bad.updated_at == 1


def test_a_batch_of_deletes_with_one_bad_element(server: Unlucky) -> None:
    """A batch of deletes has the keys and instances as they were given."""
    Thread.batch_write(batch_of(3))
    one_bad(server, 1)
    given = [Thread(**key(0)), key(1), key(2)]
    with pytest.raises(dynamix.PartlyAppliedError, match="element 1 of the batch") as caught:
        Thread.batch_delete(given)
    assert set(map(str, (*caught.value.stored, *caught.value.not_stored))) == set(map(str, given))
    assert key(1) in caught.value.not_stored
    assert numbers(caught.value.not_stored) == stored_numbers()


def test_a_batch_of_which_nothing_was_stored(server: Unlucky) -> None:
    """Where all elements fare alike, the error is that of the request: nothing was stored, or nothing is known."""
    server.steps = [told(refusal("AccessDeniedException"))]
    with pytest.raises(dynamix.AccessDeniedError) as refused:
        Thread.batch_write(batch_of(3))
    assert refused.value.applied == "no"
    server.steps = [lost(), *[told(refusal("ThrottlingException"))] * 3]
    with pytest.raises(dynamix.ThrottledError) as throttled:
        Thread.batch_write(batch_of(3))
    assert throttled.value.applied == "maybe"
    server.steps = [lost(), told(refusal("AccessDeniedException"))]
    with pytest.raises(dynamix.OutcomeUnknownError):
        Thread.batch_delete(batch_of(3))


def test_a_batch_of_which_some_is_unknown(server: Unlucky) -> None:
    """What may have been stored is told apart from what surely was and what surely was not."""
    served = server.engine.handle
    answers = [FAILED, refusal("AccessDeniedException")]

    def handle(target: str, body: bytes) -> Answer:
        if target != "BatchWriteItem" or "t0030" not in body.decode():
            return served(target, body)
        served(target, body)
        return answers.pop(0)

    Thread.delete_by_key(**key(1))
    server.engine.handle = handle  # type: ignore[method-assign]
    with pytest.raises(
        dynamix.PartlyAppliedError, match=r"of 75 items, .* 25 may have been \(in `unknown`\)"
    ) as caught:
        Thread.batch_write(batch_of(75))
    error = caught.value
    assert isinstance(error.__cause__, dynamix.OutcomeUnknownError)
    assert numbers(error.unknown) == list(range(25, 50))
    assert numbers(error.stored + error.unknown) == stored_numbers()
    assert numbers(error.stored + error.unknown + error.not_stored) == list(range(75))


def test_a_batch_of_which_nothing_surely_was_stored(server: Unlucky) -> None:
    """Where some may have been stored and the rest surely was not, the error does not say that some was."""
    served = server.engine.handle
    answers = [FAILED, refusal("AccessDeniedException")]

    arrived = threading.Event()

    def handle(target: str, body: bytes) -> Answer:
        if target != "BatchWriteItem":
            return served(target, body)
        if "t0030" not in body.decode():
            assert arrived.wait(30)
            return refusal("AccessDeniedException")
        arrived.set()
        return answers.pop(0)

    server.engine.handle = handle  # type: ignore[method-assign]
    with pytest.raises(dynamix.PartlyAppliedError, match=r"of 50 items, 0 were written") as caught:
        Thread.batch_write(batch_of(50))
    error = caught.value
    assert (error.applied, error.stored) == ("maybe", ())
    assert numbers(error.unknown) == list(range(25, 50))
    assert numbers(error.not_stored) == list(range(25))


def test_what_is_left_undone_after_a_lost_answer_is_unknown() -> None:
    """Items that a batch left undone were perhaps stored by an earlier request that was not answered."""

    def undone(make: Callable[[], Answer]) -> Answer:
        left = [{"PutRequest": {"Item": batch_of(1)[0].to_item()}}]
        return 200, json.dumps({"UnprocessedItems": {"thread": left}}).encode()

    with unlucky(max_retry_delay=0.001) as server:
        dynamix.create_table(Thread)
        for first, unknown in (undone, []), (lost(), [0]):
            server.steps = [first, *[undone] * 20]
            with pytest.raises(dynamix.BatchIncompleteError) as caught:
                Thread.batch_write(batch_of(1))
            assert stored_numbers() == unknown
            assert caught.value.applied == ("maybe" if unknown else "no")
            assert numbers(caught.value.unknown) == unknown
            assert numbers(caught.value.not_stored) == ([] if unknown else [0])


def test_elements_that_are_refused_before_anything_is_sent(server: Unlucky) -> None:
    """An element that cannot be stored is named by its position and key, whatever is wrong with it."""
    good = Thread(**key(0))
    bad = Thread(**key(1))
    vars(bad)["title"] = 5
    for given, said in (
        ([good, bad], r"element 1 of the batch \(forum_id='science', thread_id='t0001'\): Thread\.title cannot hold 5"),
        ([good, {**key(1), "titel": "x"}], r"element 1 of the batch \(.*'t0001'\): Thread has no field 'titel'"),
        ([good, {"forum_id": "x"}], r"element 1 of the batch \(forum_id='x', thread_id=None\): Thread\.thread_id, the"),
        ([good, 5], r"element 1 of the batch .*: 5 is neither a dict nor a Thread"),
        (
            [good, {**key(1), "title": "x" * 410_000}],
            r"element 1 of the batch \(.*\): Thread with .*'t0001' has 41\d+ bytes",
        ),
        ([good, {**key(1), "title": "\ud800"}], r"element 1 of the batch \(.*'t0001'\): Thread\.title cannot hold"),
    ):
        with pytest.raises(dynamix.ValidationException, match=said) as caught:
            Thread.batch_write(given)  # type: ignore[arg-type]
        assert caught.value.index == 1
    for method in (lambda keys: Thread.batch_get(*keys), Thread.batch_delete):
        for wrong, said in (({"forum_id": "x"}, "thread_id, the sort key"), (5, "neither a key")):
            with pytest.raises(dynamix.ValidationException, match=rf"element 1 of the batch .*{said}") as caught:
                method([key(0), wrong])
            assert caught.value.index == 1
    assert server.targets == []


class Versioned(dynamix.Model):
    """An item with a version."""

    key = dynamix.CharField(hash_key=True)
    title = dynamix.CharField()
    views = dynamix.IntegerField()
    version = dynamix.VersionField()


AT_A_VERSION: dict[str, Callable[[Versioned], object]] = {
    "save": lambda page: page.set_field(Versioned.title, "new").save(),
    "add": lambda page: page.add_to_field(Versioned.views, 1).commit_changes(),
    "on a condition": lambda page: page.set_field(Versioned.title, "new").save(condition=Versioned.title == "old"),
}


def versioned() -> Versioned:
    """A versioned item, stored."""
    dynamix.create_table(Versioned)
    return Versioned.create(key="k", title="old", views=1)


@pytest.mark.parametrize("write", AT_A_VERSION.values(), ids=AT_A_VERSION)
def test_a_version_that_may_be_our_own(server: Unlucky, write: Callable[[Versioned], object]) -> None:
    """After an attempt that was stored unseen, the version that the repeat finds is no conflict: the outcome is
    unknown, and nothing was stored twice."""
    page = versioned()
    server.steps = [lost()]
    with pytest.raises(dynamix.OutcomeUnknownError) as caught:
        write(page)
    assert caught.value.applied == "maybe"
    stored = Versioned.get_or_raise(key="k")
    assert page.version is not None
    assert stored.version == page.version + 1
    assert (stored.title, stored.views) in (("new", 1), ("old", 2))


@pytest.mark.parametrize("write", AT_A_VERSION.values(), ids=AT_A_VERSION)
def test_a_version_lets_a_write_be_repeated(server: Unlucky, write: Callable[[Versioned], object]) -> None:
    """What was not stored is sent again, even an addition: at one version it is made once at most."""
    page = versioned()
    before, server.steps = page.version, [told(FAILED), told(FAILED)]
    write(page)
    assert before is not None
    assert page == Versioned.get_or_raise(key="k")
    assert page.version == before + 1


def test_a_delete_at_a_version_is_repeated(server: Unlucky) -> None:
    """The repeat of a delete that was made is content; where the item was made anew meanwhile, nobody knows."""
    page = versioned()
    server.steps = [lost()]
    page.delete()
    assert Versioned.get(key="k") is None
    page.save()
    again = json.dumps({"TableName": "Versioned", "Item": {"key": {"S": "k"}, "version": {"N": "1"}}}).encode()
    server.steps = [lost(lambda: server.engine.handle("PutItem", again))]
    with pytest.raises(dynamix.OutcomeUnknownError):
        page.delete()
    assert Versioned.get_or_raise(key="k").version == 1
