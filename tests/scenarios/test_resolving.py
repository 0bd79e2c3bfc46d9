"""`resolve()` of an error says what became of a write, where a look at the table proves it, and never on a guess."""

import asyncio
import copy
import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unlucky import FAILED, Answer, Unlucky, lost, refusal, told, unlucky

import dynamix
from dynamix import CharField, IntegerField, ListField, Model, SetField, VersionField

Step = Callable[[Callable[[], Answer]], Answer]

NO_ANSWER = (502, b"<html>bad gateway</html>")
"""What a server on the way says; the request may still be going on behind it."""


class Page(Model):
    """An item with a version."""

    key = CharField(hash_key=True)
    title = CharField()
    body = CharField()
    views = IntegerField(default=0)
    lines = ListField(default=[])
    tags = SetField()
    version = VersionField(name="v")


class Job(Model):
    """An item without one, with an id of its own, and an owner that is another for each worker."""

    id = CharField(hash_key=True, default=dynamix.ids.uuid7)
    owner = CharField(name="held_by")
    state = CharField()
    log = ListField()
    numbers = SetField()


@pytest.fixture
def server() -> Iterator[Unlucky]:
    """The server, set as the connection of the test, with both tables."""
    with unlucky() as server:
        dynamix.create_table(Page)
        dynamix.create_table(Job)
        yield server


def failure(server: Unlucky, write: Callable[[], object], *steps: Step) -> dynamix.DynamixError:
    """The error of a write that goes like this."""
    server.steps = list(steps)
    with pytest.raises(dynamix.DynamixError) as caught:
        write()
    assert caught.value.applied == "maybe"
    server.steps = []
    return caught.value


def page() -> Page:
    """A page, stored."""
    Page.delete_by_key(key="k")
    return Page.create(key="k", title="old", body="old")


def theirs() -> None:
    """What others write of it."""
    found = Page.get_or_raise(key="k")
    found.title, found.body = "new", "theirs"
    found.save()


def again() -> None:
    """Others store it anew."""
    Page.delete_by_key(key="k")
    Page.create(key="k", title="new")


def raise_it() -> None:
    """Others raise its version."""
    Page.update_by_key(Page.views.add(1), key="k")


not_made, unanswered = told(FAILED), told(NO_ANSWER)


def late(then: Callable[[], object] = lambda: None) -> Step:
    """The write is not made; others do something, and then it is refused."""

    def step(make: Callable[[], Answer]) -> Answer:
        then()
        return FAILED

    return step


def save(found: Page) -> Callable[[], object]:
    """A field of it set."""
    found.title = "new"
    return found.save


def remove(found: Page) -> Callable[[], object]:
    """A field of it removed, and one set."""
    found.title, found.body = "new", None
    return found.save


def count(found: Page) -> Callable[[], object]:
    """Something whose result only the service knows."""
    return found.add_to_field(Page.views, 1).commit_changes


def append(found: Page) -> Callable[[], object]:
    """An element appended."""
    return found.append_to_listfield(Page.lines, "x").commit_changes


def join(found: Page) -> Callable[[], object]:
    """A member added to a set."""
    return found.add_to_setfield(Page.tags, {"x", "z"}).commit_changes


def join_too() -> None:
    """Others add it as well."""
    join(Page.get_or_raise(key="k"))()


CASES: dict[str, tuple[Callable[[Page], Callable[[], object]], list[Step], str]] = {
    # what begins a version
    "create": (lambda _: lambda: Page.create(key="n"), [lost()], "applied"),
    "create that others have changed": (
        lambda _: lambda: Page.create(key="n"),
        [lost(lambda: Page.update_by_key(Page.views.add(1), key="n"))],
        "applied",
    ),
    "create that was not made": (lambda _: lambda: Page.create(key="n"), [not_made], "undecidable"),
    "create where others came first": (
        lambda _: lambda: Page.create(key="n"),
        [late(lambda: Page.create(key="n"))],
        "undecidable",
    ),
    "create that others have deleted": (
        lambda _: lambda: Page.create(key="n"),
        [lost(lambda: Page.delete_by_key(key="n"))],
        "undecidable",
    ),
    "replace": (lambda found: lambda: found.save(overwrite=True), [lost()] + [not_made] * 3, "applied"),
    "save a new one": (lambda _: Page(key="n", title="x").save, [lost()], "applied"),
    # what is made at a version
    "save": (save, [lost()], "undecidable"),  # others may have stored the same
    "save that was not made": (save, [not_made] * 4, "not applied"),
    "save that may still come": (save, [unanswered] * 4, "undecidable"),
    "save where others came first": (remove, [late(theirs)], "not applied"),
    "save where others came first and it may still come": (remove, [late(theirs), unanswered], "not applied"),
    "save where others stored the same": (save, [late(theirs)], "undecidable"),
    "save before others": (save, [lost(theirs)], "undecidable"),
    "append": (append, [lost()], "undecidable"),
    "append where others came first": (append, [late(theirs)], "not applied"),
    "members where others came first": (join, [late(theirs)], "not applied"),
    "members where others stored the same": (join, [late(join_too)], "undecidable"),
    "count": (count, [lost()], "undecidable"),
    "count that was not made": (count, [not_made] * 4, "not applied"),
    "delete": (lambda found: found.delete, [lost()] + [not_made] * 3, "undecidable"),
    "delete that was not made": (lambda found: found.delete, [not_made] * 4, "not applied"),
    "delete that may still come": (lambda found: found.delete, [unanswered] * 4, "undecidable"),
    "delete where others came first": (lambda found: found.delete, [late(raise_it)], "not applied"),
    "delete before others": (lambda found: found.delete, [lost(again)], "undecidable"),
    # what looks at no version
    "update without loading": (
        lambda _: lambda: Page.update_by_key(Page.title.set("new"), key="k"),
        [lost()],
        "undecidable",
    ),
    "delete without loading": (lambda _: lambda: Page.delete_by_key(key="k"), [lost()] + [not_made] * 3, "undecidable"),
    "batch": (lambda _: lambda: Page.batch_write([{"key": "n"}], unchecked=True), [lost()] + [not_made] * 3,
              "undecidable"),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "steps", "said"), CASES.values(), ids=CASES)
def test_what_the_version_proves(
    server: Unlucky, prepare: Callable[[Page], Callable[[], object]], steps: list[Step], said: str
) -> None:
    """Only a version that this write alone can have made proves something; an equal item does not."""
    error = failure(server, prepare(page()), *steps)
    assert error.resolve() == said


def test_how_it_reads(server: Unlucky) -> None:
    """It reads consistently, once, where that may prove something; its async twin says the same."""
    error = failure(server, save(page()), *[not_made] * 4)
    server.reads.clear()
    bodies = []
    served = server.handle

    def handle(target: str, body: bytes) -> Answer:
        bodies.append(json.loads(body))
        return served(target, body)

    server.handle = handle  # type: ignore[method-assign]
    assert asyncio.run(error.aresolve()) == "not applied"
    assert bodies == [{"TableName": "Page", "Key": {"key": {"S": "k"}}, "ConsistentRead": True}]
    assert failure(server, Job(state="x").save, lost()).resolve() == "undecidable"
    assert len(bodies) == 2  # that of the save, and no read
    del server.handle  # type: ignore[method-assign]
    assert failure(server, save(page()), *[not_made] * 4).resolve() == "not applied"


def test_a_value_that_is_unique(server: Unlucky) -> None:
    """Where the caller names a field that only this write sets to its value, that value proves the write."""
    job = Job(state="new")
    error = failure(server, job.save, lost())
    assert error.resolve() == "undecidable"
    assert error.resolve(unique=Job.id) == "applied"
    assert failure(server, Job(state="new").save, not_made).resolve(unique=Job.id) == "undecidable"
    take = Job.owner.not_exists()
    error = failure(server, lambda: Job.update_by_key(Job.owner.set("me"), condition=take, id=job.id), lost())
    assert asyncio.run(error.aresolve(unique=Job.owner)) == "applied"
    error = failure(
        server,
        lambda: Job.update_by_key(Job.owner.set("me too"), condition=Job.owner == "me", id=job.id),
        late(lambda: Job.update_by_key(Job.owner.set("other"), id=job.id)),
    )
    assert error.resolve(unique=Job.owner) == "undecidable"
    log = lambda *steps: failure(  # noqa: E731
        server, lambda: Job.update_by_key(Job.log.prepend("a"), Job.numbers.add({1, 2}), id=job.id), *steps
    )
    assert [log(lost()).resolve(unique=field) for field in (Job.log, Job.numbers)] == ["applied"] * 2
    Job.update_by_key(Job.log.set(["b"]), Job.numbers.set({2, 3}), id=job.id)
    assert [log(not_made).resolve(unique=field) for field in (Job.log, Job.numbers)] == ["undecidable"] * 2
    for field in (Job.state, Page.title):
        with pytest.raises(dynamix.InvalidUpdateError, match=rf"unique={field} is no field that this UpdateItem sets"):
            error.resolve(unique=field)


def test_transactions(server: Unlucky) -> None:
    """One item that proves something proves it of all; so does a refusal under the token, where no attempt is on its
    way."""

    def both(found: Page, job: str = "j") -> Callable[[], None]:
        found.title, found.body = "new", "mine"

        def write() -> None:
            with dynamix.transaction() as tx:
                tx.update(Job, Job.state.set("x"), upsert=True, id=job)
                tx.save(found)

        return write

    cancelled = told(
        (400, json.dumps({"__type": "x#TransactionCanceledException", "CancellationReasons": [{"Code": "None"},
         {"Code": "ConditionalCheckFailed"}]}).encode())
    )  # fmt: skip
    assert failure(server, both(page()), *[not_made] * 4).resolve() == "not applied"
    assert failure(server, both(page()), lost(), *[unanswered] * 3).resolve() == "undecidable"
    assert failure(server, both(page()), late(theirs), *[unanswered] * 3).resolve() == "not applied"
    assert failure(server, both(page()), not_made, cancelled).resolve() == "not applied"
    assert failure(server, both(page()), unanswered, cancelled).resolve() == "undecidable"
    with dynamix.repeat_writes("token"):
        add = lambda: Job.update_by_key(Job.state.set("y"), condition=Job.state == "x", id="none")  # noqa: E731
        assert failure(server, add, not_made).resolve() == "not applied"
        assert failure(server, add, unanswered).resolve() == "undecidable"

        def create() -> None:
            with dynamix.transaction() as tx:
                tx.create(Page, key="n")
                tx.update(Job, Job.state.set("x"), upsert=True, id="j")

        assert failure(server, create, lost(), *[unanswered] * 3).resolve() == "applied"


def test_errors_of_what_a_function_writes_inside_modify(server: Unlucky) -> None:
    """What fails inside `modify`, or in a hook, tells of its own table, not of the one that is modified."""
    Job.create(id="j")
    inside = lambda job: Page.create(key="n") and None  # noqa: E731
    assert failure(server, lambda: Job.modify(inside, id="j"), lost()).resolve() == "applied"
    body: Any = {"TableName": "Page", "Item": {"key": {"S": "bad"}, "v": {"S": "x"}}}
    dynamix.current.current().request("PutItem", body)
    with pytest.raises(dynamix.StoredValueError, match="table 'Page'"):
        Job.modify(lambda job: Page.get_or_raise(key="bad") and None, id="j")


def test_pickles_and_copies(server: Unlucky) -> None:
    """A copy knows where it was made; a pickle is told, or says that it has to be."""
    error = failure(server, lambda: Page.create(key="n"), lost())
    twin = pickle.loads(pickle.dumps(error))
    with pytest.raises(dynamix.NotConfiguredError, match=r"resolve\(connection=\.\.\.\)"):
        twin.resolve()
    assert twin.resolve(connection=dynamix.current.current()) == "applied"
    with dynamix.use_connection(dynamix.Connection(embedded=True)):  # an empty place, which says nothing of the write
        for same in (error, copy.copy(error), copy.deepcopy(error)):
            assert same.resolve() == "applied"


def test_errors_of_which_all_is_known(server: Unlucky) -> None:
    """Where `applied` says what became of it, nothing is read; nor of what was made by hand, or knows no model."""
    server.steps = [told(refusal("AccessDeniedException"))]
    with pytest.raises(dynamix.AccessDeniedError) as refused:
        Page.create(key="n")
    stored = dynamix.StoredValueError("x", field="f")
    stored.applied = "yes"
    partly = dynamix.PartlyAppliedError("x")
    by_hand = dynamix.OutcomeUnknownError("x")
    said = [error.resolve() for error in (refused.value, stored, partly, by_hand)]
    assert said == ["not applied", "applied", "undecidable", "undecidable"]
    body: Any = {"TableName": "Page", "Item": {"key": {"S": "k"}}}
    error = failure(server, lambda: dynamix.current.current().request("PutItem", body), lost())
    assert error.resolve() == "undecidable"
    assert asyncio.run(by_hand.aresolve()) == "undecidable"
