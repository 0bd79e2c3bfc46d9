"""One instance used by several threads: each change is either queued, and then stored, or refused."""

import contextlib
import copy
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import FrameType
from typing import Any

import pytest

import dynamix
from dynamix.fields.base import Field

THREADS = 8
TIMES = 200


class Shared(dynamix.Model):
    """What the threads change."""

    key = dynamix.CharField(hash_key=True)
    number = dynamix.IntegerField()
    total = dynamix.IntegerField(default=1000)
    items = dynamix.ListField(default=[])
    mapping = dynamix.DictField()
    many = dynamix.SetField()
    varying = dynamix.ListField(default=lambda: [object.__hash__(object())])


@pytest.fixture(autouse=True)
def _often(place: object) -> Iterator[None]:
    """Threads are switched as often as Python can."""
    dynamix.create_table(Shared)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def side_by_side(*work: Callable[[], Any]) -> list[Any]:
    """The results of functions that threads run at once."""
    start = threading.Barrier(len(work))

    def run(function: Callable[[], Any]) -> Any:
        start.wait()
        return function()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(copy_context().run, run, function) for function in work]]


@contextlib.contextmanager
def unless_under_way() -> Iterator[None]:
    """Lets a refusal pass that says that a commit or a batch is under way, and no other."""
    try:
        yield
    except dynamix.InvalidUpdateError as error:
        if "is under way" not in str(error):
            raise


def counting(step: Callable[[int], object]) -> Callable[[], int]:
    """A function that takes a step many times, and says how often it was accepted."""

    def count() -> int:
        accepted = 0
        for n in range(TIMES):
            with unless_under_way():
                step(n)
                accepted += 1
        return accepted

    return count


def test_no_accepted_change_is_lost_or_doubled() -> None:
    """While some threads queue and others commit, read and copy, what was accepted is what is stored in the end."""
    shared = Shared.create(key="k", number=0)

    def commit(n: int) -> None:
        if n % 40 == 0:
            shared.commit_changes()

    def look(n: int) -> None:
        assert repr(shared)
        assert shared.to_son()["key"] == "k"
        assert copy.copy(shared).items is not None
        assert pickle.loads(pickle.dumps(shared)).number is not None

    adders = [counting(lambda n: shared.add_to_field(Shared.number, 1)) for _ in range(THREADS)]
    totals = [counting(lambda n: shared.add_to_field(Shared.total, 1)) for _ in range(2)]
    appenders = [
        counting(lambda n, mine=mine: shared.append_to_listfield(Shared.items, f"{mine} {n}"))  # type: ignore[misc]
        for mine in range(2)
    ]
    accepted = side_by_side(*adders, *totals, *appenders, *[counting(commit)] * 2, *[counting(look)] * 2)
    shared.commit_changes()
    stored = Shared.get(key="k", consistent=True)
    assert stored is not None
    assert stored == shared
    assert stored.number == sum(accepted[:THREADS])
    assert stored.total == 1000 + sum(accepted[THREADS : THREADS + 2])
    assert len(stored.items) == len(set(stored.items)) == sum(accepted[THREADS + 2 : THREADS + 4])


def test_a_value_read_beside_commits_is_no_edit() -> None:
    """Commits fall between all steps of a first read: none takes what was read before it for an edit in place."""
    shared = Shared.create(key="k", items=[])
    shared.append_to_listfield(Shared.items, "first").commit_changes()  # which leaves the list unread
    outcomes: list[Any] = []

    def commit() -> None:
        try:
            outcomes.append(shared.append_to_listfield(Shared.items, len(outcomes)).commit_changes())
        except dynamix.InvalidUpdateError as error:
            outcomes.append(error)

    def traced(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code is not Field.value_in.__code__ or len(outcomes) > 15:
            return None
        if event == "line":
            committing = threading.Thread(target=copy_context().run, args=(commit,))
            committing.start()
            committing.join()
        return traced

    def read() -> None:
        before = sys.gettrace()
        sys.settrace(traced)
        try:
            assert shared.items[0] == "first"
        finally:
            sys.settrace(before)

    side_by_side(read)
    assert len(outcomes) > 15
    assert not [outcome for outcome in outcomes if outcome is not shared]
    assert shared.items == ["first", *range(len(outcomes))]


def test_the_first_changes_of_an_instance() -> None:
    """Threads that queue the first change at once all find their change stored."""
    for _ in range(20):
        shared = Shared.create(key="k", number=0)
        side_by_side(*[lambda: shared.add_to_field(Shared.number, 1)] * THREADS)  # noqa: B023 - run at once
        shared.commit_changes()
        assert shared.number == THREADS


def test_one_commit_of_many_sends_the_changes() -> None:
    """Of threads that commit at once one sends what is queued; the others are refused, or find nothing to send."""
    shared = Shared.create(key="k", number=0)
    for n in range(20):
        shared.add_to_field(Shared.number, 1)
        side_by_side(*[counting(lambda _: shared.commit_changes())] * 4)
        assert shared.number == n + 1
    assert Shared.get(key="k", consistent=True) == shared


def test_a_batch_and_changes() -> None:
    """What is queued beside a batch that stores the instance whole is refused, stored by it, or stays queued."""
    shared = Shared.create(key="k", number=0)
    write = counting(lambda n: n % 40 == 0 and Shared.batch_write([shared]))
    accepted, *_ = side_by_side(counting(lambda n: shared.add_to_field(Shared.number, 1)), write)
    shared.commit_changes()
    stored = Shared.get(key="k", consistent=True)
    assert stored is not None
    assert stored.number == shared.number == accepted


def test_conditions_are_not_lost() -> None:
    """Threads that add a condition each all have theirs looked at."""
    shared = Shared.create(key="k", number=0)
    guards = [lambda n=n: shared.add_modify_conditions(Shared.number != n) for n in range(1, THREADS + 1)]
    for n in range(1, THREADS + 1):
        side_by_side(*guards)
        Shared(key="k").set_field(Shared.number, n).commit_changes()
        shared.set_field(Shared.total, 5)
        with pytest.raises(dynamix.ConditionalCheckFailedError):
            shared.commit_changes()
        shared.discard_changes()


def test_a_default_that_several_threads_read_first() -> None:
    """They are shown one and the same, which is taken for no edit."""
    Shared(key="k").set_field(Shared.number, 1)
    Shared.create(key="k", number=0).set_field(Shared.varying, None).commit_changes()
    for _ in range(20):
        shared = Shared.get(key="k", consistent=True)
        assert shared is not None
        seen = side_by_side(*[lambda: shared.varying] * THREADS)  # noqa: B023 - run at once
        assert all(value is seen[0] for value in seen)
        shared.add_to_field(Shared.number, 1).commit_changes()


class Interrupted(dynamix.DictField[Any]):
    """A map while which is read, something happens."""

    def from_wire(self, wire: dict[str, Any]) -> dict[str, Any]:
        value = super().from_wire(wire)
        while meanwhile:
            meanwhile.pop()()
        return value


meanwhile: list[Callable[[], object]] = []


class Slow(dynamix.Model):
    """What takes time to read."""

    key = dynamix.CharField(hash_key=True)
    mapping = Interrupted()


def test_a_value_that_is_set_whole_while_another_reads() -> None:
    """The reader is shown what was set, without the changes queued before it; what is discarded is gone."""
    dynamix.create_table(Slow)
    Slow.create(key="k", mapping={"a": 1})
    slow = Slow.get_or_raise(key="k", consistent=True)
    meanwhile.append(lambda: slow.update_to_dict_field(Slow.mapping, {"b": 2}).set_field(Slow.mapping, {"c": 3}))
    assert slow.mapping == {"c": 3}
    assert slow.discard_changes().mapping == {"a": 1}
