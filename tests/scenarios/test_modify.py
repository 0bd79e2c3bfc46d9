"""`modify` reads an item, has a function change it, and stores that, again where others were first."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import dynamix
from dynamix import (
    CharField,
    ConditionalCheckFailedError,
    IntegerField,
    ItemNotFoundError,
    ListField,
    Model,
    VersionConflict,
    VersionField,
    WrongTypeError,
)


class Plain(Model):
    """An item without a version."""

    key = CharField(hash_key=True)
    title = CharField()
    number = IntegerField()
    items = ListField()


class Versioned(Model):
    """The same with one."""

    key = CharField(hash_key=True)
    title = CharField()
    number = IntegerField()
    items = ListField()
    version = VersionField()


AnyModel = type[Plain] | type[Versioned]
EITHER = pytest.mark.parametrize("model", [Plain, Versioned])
pytestmark = pytest.mark.usefixtures("place")


def made(model: AnyModel) -> None:
    dynamix.create_table(model)
    model.create(key="k", title="old", number=0, items=[1])


def stored(model: AnyModel) -> Any:
    return model.get_or_raise(key="k", consistent=True)


class Late:
    """Adds one to the number, but lets others write before, as often as it is told."""

    def __init__(self, model: AnyModel, times: int, other: Callable[[Any], object]) -> None:
        self.model, self.times, self.other = model, times, other
        self.seen: list[Any] = []

    def __call__(self, item: Any) -> None:
        self.seen.append(item)
        if len(self.seen) <= self.times:
            handle = self.model(key="k")
            self.other(handle)
            handle.commit_changes()
        item.number += 1

    async def later(self, item: Any) -> Any:
        """The same as an async function that returns the instance."""
        await asyncio.sleep(0)
        self(item)
        return item


def add_ten(handle: Any) -> None:
    handle.add_to_field(type(handle).number, 10)


def rename(handle: Any) -> None:
    handle.set_field(type(handle).title, "new")


@EITHER
def test_what_the_function_does_is_stored(model: Any) -> None:
    """Fields set, changes queued and edits in place; the result is the instance that the function was given."""
    made(model)
    given = []

    def change(item: Any) -> None:
        given.append(item)
        item.title = "new"
        item.items.append(2)
        item.add_to_field(model.number, 5)

    result = model.modify(change, key="k")
    assert [result] == given
    assert result is given[0]
    assert stored(model) == result
    assert (result.title, result.items, result.number) == ("new", [1, 2], 5)


@EITHER
def test_it_begins_anew_where_others_were_first(model: Any) -> None:
    """Then the function is called with another instance, which has what the others stored; nothing is lost."""
    made(model)
    late = Late(model, 2, add_ten)
    assert model.modify(late, key="k").number == 21 == stored(model).number
    assert len({id(item) for item in late.seen}) == 3
    again = Late(model, 1, add_ten)
    assert asyncio.run(closing(model.amodify(again.later, key="k"))).number == 32 == stored(model).number
    assert asyncio.run(closing(model.amodify(Late(model, 1, add_ten), key="k"))).number == 43


async def closing(modified: Any) -> Any:
    """The result, before the loop ends."""
    return await modified


def test_what_others_wrote_elsewhere() -> None:
    """A version sees whatever others write; without one, only what the function changes is looked at."""
    for model, calls in ((Plain, 1), (Versioned, 2)):
        made(model)
        late = Late(model, 1, rename)
        model.modify(late, key="k")
        assert (len(late.seen), stored(model).number, stored(model).title) == (calls, 1, "new")


@EITHER
def test_it_gives_up_after_some_attempts(model: Any) -> None:
    """The last conflict is raised, with the stored instance, and nothing of the function's is stored."""
    made(model)
    late = Late(model, 100, add_ten)
    with pytest.raises(ConditionalCheckFailedError, match="was changed by others") as caught:
        model.modify(late, key="k", attempts=3)
    assert (len(late.seen), stored(model).number) == (3, 30)
    assert caught.value.item == stored(model)
    assert isinstance(caught.value, VersionConflict) is (model is Versioned)


@EITHER
def test_what_a_function_may_return(model: Any) -> None:
    """Anything but the instance and None is refused, and nothing is stored: it may be what was meant to be."""
    made(model)
    before = stored(model)

    async def change(item: Any) -> None:
        item.title = "new"

    strange: list[Callable[[Any], Any]] = [
        lambda item: item.items.pop(),
        lambda item: model(key="k", title="x"),
        lambda item: rename(item) or True,  # type: ignore[func-returns-value]
    ]
    for function in strange:
        with pytest.raises(WrongTypeError, match="nothing was stored"):
            model.modify(function, key="k")
        with pytest.raises(WrongTypeError, match="nothing was stored"):
            asyncio.run(closing(model.amodify(function, key="k")))
    with pytest.raises(WrongTypeError, match="an async function is for amodify"):
        model.modify(change, key="k")
    for bad in ({"attempts": 0}, {"attempts": "3"}, {"attempts": True}):
        with pytest.raises(WrongTypeError, match="attempts="):
            model.modify(rename, key="k", **bad)
    with pytest.raises(WrongTypeError, match="is no function"):
        model.modify("rename", key="k")
    assert stored(model) == before


@EITHER
def test_what_ends_it_at_once(model: Any) -> None:
    """An item that does not exist, an error of the function's, a condition that is not met: nothing is tried again."""
    made(model)
    calls: list[Any] = []

    def condition(item: Any) -> None:
        calls.append(item)
        item.set_field(model.title, "x").set_modify_conditions(model.number == 5)

    def fails(item: Any) -> None:
        calls.append(item)
        item.title = "x"
        raise KeyError("mine")

    with pytest.raises(ItemNotFoundError):
        model.modify(calls.append, key="other")
    with pytest.raises(ConditionalCheckFailedError, match="does not meet"):
        model.modify(condition, key="k")
    with pytest.raises(KeyError, match="mine"):
        model.modify(fails, key="k")
    assert len(calls) == 2
    assert stored(model).title == "old"


@EITHER
def test_a_function_that_changes_nothing_or_deletes(model: Any) -> None:
    """Then nothing is stored, and a deleted item is not brought back."""
    made(model)
    before = stored(model)
    assert model.modify(lambda item: None, key="k") == before == stored(model)
    model.modify(lambda item: item.delete(), key="k")
    assert not model.exists(key="k", consistent=True)


def test_many_tasks() -> None:
    """Tasks that modify one item at once lose nothing."""
    made(Versioned)

    async def change(item: Versioned) -> Versioned:
        await asyncio.sleep(0)
        return item.set_field(Versioned.number, (item.number or 0) + 1)

    async def work() -> None:
        await asyncio.gather(*[Versioned.amodify(change, attempts=1000, key="k") for _ in range(8)])

    asyncio.run(work())
    assert stored(Versioned).number == 8


def test_a_key_called_attempts() -> None:
    """Such a key wins over the option."""

    class Job(Model):
        attempts = IntegerField(hash_key=True)
        title = CharField()

    dynamix.create_table(Job)
    Job.create(attempts=3)
    assert Job.modify(lambda job: job.set_field(Job.title, "x"), attempts=3).title == "x"
    with pytest.raises(dynamix.MissingKeyError):
        Job.modify(lambda job: None)
