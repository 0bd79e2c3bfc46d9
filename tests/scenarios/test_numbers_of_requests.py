"""Operations ask for no more than they need."""

from collections.abc import Callable

import pytest
from forum import Thread, key
from scripted import Counting, serving

import dynamix

CHANGES: dict[str, Callable[[Thread], object]] = {
    "set": lambda thread: thread.set_field(Thread.title, "new"),
    "append": lambda thread: thread.append_to_listfield(Thread.reviews, "c"),
    "replace": lambda thread: thread.replace_by_index_in_listfield(Thread.reviews, 1, "c"),
    "replace past the end": lambda thread: thread.replace_by_index_in_listfield(Thread.reviews, 9, "c"),
    "remove": lambda thread: thread.remove_by_index_from_listfield(Thread.reviews, 0),
    "remove and append": lambda thread: thread.remove_by_index_from_listfield(Thread.reviews, 0).append_to_listfield(
        Thread.reviews, "c"
    ),
    "append and remove": lambda thread: thread.append_to_listfield(Thread.reviews, "c").remove_by_index_from_listfield(
        Thread.reviews, 2
    ),
    "set keys": lambda thread: thread.update_to_dict_field(Thread.data, {"a": 1}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_commit_that_its_own_condition_refuses_is_sent_once(change: Callable[[Thread], object]) -> None:
    """Where what the update relied on is true of the stored item, it was the caller's condition that was not met: the
    update is not planned anew."""
    counting = Counting("UpdateItem", 1)
    with serving(counting):
        dynamix.create_table(Thread)
        thread = Thread.create(**key(1), title="old", reviews=["a", "b"], data={"b": 2})
        change(thread)
        thread.set_modify_conditions(Thread.title == "another")
        with pytest.raises(dynamix.ConditionalCheckFailedError):
            thread.commit_changes()
    assert counting.count == 1


@pytest.mark.usefixtures("place")
def test_a_limit_that_the_last_item_meets_is_the_end() -> None:
    """Where the last match is the last item of all, there is no cursor to a page that would be empty."""
    dynamix.create_table(Thread)
    for number, title in enumerate("abaa"):
        Thread.create(**key(number), title=title)
    query = Thread.query().where(Thread.forum_id == "science", Thread.title == "a")
    assert [query.limit(number).get_items()[1] is None for number in (1, 2, 3, 4)] == [False, False, True, True]
