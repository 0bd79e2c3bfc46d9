"""What the service would refuse in words of its own requests is refused before, in words of the model."""

from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import Any

import pytest
from forum import Thread, create_threads, key

import dynamix
from dynamix.expressions.nodes import Condition

pytestmark = pytest.mark.usefixtures("place")

SCIENCE = Thread.forum_id == "science"


def terms(count: int, join: Callable[[Any, Any], Any]) -> Condition:
    """So many comparisons, joined."""
    condition: Condition = reduce(join, (Thread.state != f"s{number}" for number in range(count)))
    return condition


@pytest.mark.parametrize("join", [and_, or_])
def test_conditions_as_large_as_the_service_takes_work(join: Callable[[Any, Any], Any]) -> None:
    """150 comparisons have 299 operators, the most that fits; they filter, and guard commits and deletes."""
    create_threads(3)
    condition = terms(150, join)
    assert Thread.query().where(SCIENCE, condition).count() == 3
    assert len(list(Thread.scan().where(condition))) == 3
    thread = Thread(**key(1))
    thread.set_field(Thread.title, "x").set_modify_conditions(terms(149, join)).commit_changes()
    thread.set_modify_conditions(condition)
    thread.delete()
    assert Thread.scan().count() == 2


@pytest.mark.parametrize("join", [and_, or_])
def test_larger_conditions_are_refused(join: Callable[[Any, Any], Any]) -> None:
    """More than 300 operators, or 4 KB of expression, are refused with what DynamoDB takes; nothing is stored."""
    create_threads(1)
    for count in (151, 300, 5000):
        condition = terms(count, join)
        thread = Thread(**key(0)).set_field(Thread.title, "changed").set_modify_conditions(condition)
        for refused in (
            Thread.query().where(SCIENCE, condition).get_items,
            Thread.query().where(SCIENCE, condition).limit(1).get_items,
            Thread.query().where(SCIENCE, condition).count,
            Thread.scan().where(condition).first,
            thread.commit_changes,
            thread.delete,
        ):
            with pytest.raises(dynamix.InvalidQueryError, match=r"have \d+ operators and .*DynamoDB takes 300; is_in"):
                refused()
    stored = Thread.get(**key(0))
    assert stored is not None
    assert stored.title == "Title 0"


def test_long_conditions_are_refused() -> None:
    """An expression of more than 4 KB is refused as well, with its size."""
    create_threads(1)
    condition = reduce(or_, (Thread.state.is_in([f"s{n}-{m}" for m in range(100)]) for n in range(9)))
    with pytest.raises(dynamix.InvalidQueryError, match=r"expression of \d+ bytes, and DynamoDB takes 4096"):
        Thread.query().where(SCIENCE, condition).get_items()


def test_deep_conditions() -> None:
    """A condition of many levels is judged by its operators, and never ends in a RecursionError."""
    create_threads(2)
    small: Condition = Thread.state.exists()
    for level in range(80):
        small = ~(small & Thread.title.exists()) if level % 2 else ~(small | Thread.user_id.exists())
    assert Thread.query().where(SCIENCE, small).count() in (0, 2)
    large = small
    for _ in range(2000):
        large = ~(large & Thread.title.exists()) | Thread.title.not_exists()
    with pytest.raises(dynamix.InvalidQueryError, match="operators"):
        Thread.query().where(SCIENCE, large).count()
    thread = Thread(**key(0)).set_modify_conditions(large)
    assert "Thread" in repr(thread)


def test_an_empty_map_key_is_refused() -> None:
    """A key of a map has at least one character: however it is given, and however deep it lies."""
    create_threads(1)
    thread = Thread(**key(0))
    for attempt in (
        lambda: Thread.create(**key(1), data={"": 1}),
        lambda: Thread.create(**key(1), data={"a": {"b": [{"": 1}]}}),
        lambda: Thread.create(**key(1), reviews=[{"": 1}]),
        lambda: Thread.batch_write([{**key(1), "data": {"": 1}}]),
        lambda: thread.set_field(Thread.data, {"": 1}),
        lambda: thread.update_to_dict_field(Thread.data, {"": 1}),
        lambda: thread.remove_from_dict_field(Thread.data, [""]),
        lambda: Thread.data.eq({"": 1}),
    ):
        with pytest.raises(dynamix.FieldValidationException, match=r"Thread\.(data|reviews).*key '' is empty"):
            attempt()
    with pytest.raises(dynamix.InvalidQueryError, match="'' is no key of a map"):
        _ = Thread.data["a"][""]
    assert Thread.scan().count() == 1


def test_an_element_is_no_field() -> None:
    """Where a field belongs, an element of one is refused by its name, with what would work."""
    thread = Thread(**key(0))
    elements = {r"Thread\.data\['a'\]\[0\]": Thread.data["a"][0], r"Thread\.reviews\[1\]": Thread.reviews[1]}
    for shown, element in elements.items():
        for search in (Thread.query, Thread.scan):
            with pytest.raises(dynamix.WrongTypeError, match=rf"{shown} is an element of a field; .*Thread\.\w+$"):
                search(element).where(SCIENCE).get_items()  # type: ignore[arg-type]
            with pytest.raises(dynamix.WrongTypeError, match=rf"{shown} is an element of a field, and an index"):
                search().use_index(element)  # type: ignore[arg-type]
        with pytest.raises(dynamix.WrongTypeError, match=rf"{shown} is an element, and this change takes a field"):
            thread.set_field(element, 1)  # type: ignore[type-var]
