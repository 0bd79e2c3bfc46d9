"""Deleting and changing everything that a query or scan finds."""

import asyncio
from typing import Any

import pytest
from forum import Thread, create_threads, key
from scripted import Holding, serving

import dynamix
from dynamix import PartlyAppliedError, ReadLimitError
from places import Place

SCIENCE = Thread.query().where(Thread.forum_id == "science")
MINE = SCIENCE.filter(Thread.user_id == "user1")


@pytest.mark.usefixtures("place")
def test_all_matches_are_changed_and_deleted() -> None:
    """The number of items written is returned and told on the way; what does not match is left alone; a limit holds."""
    create_threads(10)
    told: list[int] = []
    assert MINE.page_size(4).update(Thread.title.set("mine"), Thread.updated_at.add(5), progress=told.append) == 3
    assert told == [1, 3]
    assert [(t.title, t.updated_at) for t in MINE] == [("mine", 6), ("mine", 9), ("mine", 12)]
    assert SCIENCE.filter(Thread.title == "mine").count() == 3
    assert MINE.limit(2).delete() == 2
    assert MINE.delete() == 1
    assert MINE.delete() == 0
    assert Thread.query().use_index("by_user").where(Thread.user_id == "user0", Thread.updated_at > 3).delete() == 2
    assert Thread.scan().filter(Thread.user_id == "user2").update(Thread.title.remove()) == 3
    assert Thread.scan().delete() == 5
    assert Thread.scan().count() == 0


@pytest.mark.usefixtures("place")
def test_a_change_of_what_the_index_sorts_by_is_made_once() -> None:
    """An item that a change moves behind the place of reading is not met again."""
    create_threads(9)
    by_update = SCIENCE.use_index(Thread.updated_at).page_size(2)
    assert by_update.update(Thread.updated_at.add(100)) == 9
    assert [t.updated_at for t in by_update] == [100 + n for n in range(9)]


def test_what_others_change_meanwhile_is_left_alone() -> None:
    """Each write requires that the item still matches: one that no longer does is neither written nor counted."""
    held = Holding("UpdateItem")
    with serving(held):
        create_threads(6)

        async def change() -> int:
            changing = asyncio.ensure_future(MINE.aupdate(Thread.title.set("mine")))
            requests = [await held.anext(), await held.anext()]
            await Thread.adelete_by_key(**key(1))
            await Thread.abatch_write([{**key(4), "user_id": "user2", "title": "theirs"}])
            for request in requests:
                request.answer()
            return await changing

        assert asyncio.run(change()) == 0
        assert [t.title for t in SCIENCE.filter(Thread.title.is_in(["mine", "theirs"]))] == ["theirs"]
        assert SCIENCE.count() == 5


@pytest.mark.usefixtures("place")
def test_what_stops_a_sweep_is_told_with_its_place() -> None:
    """The error has the number written and the cursor, before which all was done with; going on there writes the others
    once. An item that cannot be changed as asked is such a stop."""
    threads = create_threads(6)
    threads[3].set_field(Thread.data, {"n": "no number"}).commit_changes()
    for number in (0, 1, 2, 4, 5):
        Thread.update_by_key(Thread.data["n"].set(1), **key(number))
    with pytest.raises(PartlyAppliedError, match=r"start_key\(error\.cursor\)") as caught:
        SCIENCE.page_size(2).update(Thread.data["n"].add(1))
    error = caught.value
    assert error.cursor is not None
    assert error.cursor.key["thread_id"] == {"S": "t0002"}
    assert error.count == 3
    assert error.applied == "partly"
    assert error.not_stored == (Thread.key_of(**key(3)),)
    Thread.update_by_key(Thread.data["n"].set(1), **key(3))
    assert SCIENCE.start_key(error.cursor).update(Thread.data["n"].add(1)) == 3
    assert [t.data for t in SCIENCE] == [{"n": 2}] * 6
    with pytest.raises(ReadLimitError) as bounded:
        SCIENCE.page_size(2).max_pages(2).delete()
    assert (bounded.value.count, bounded.value.applied) == (4, "partly")
    assert SCIENCE.start_key(bounded.value.cursor).delete() == 2


@pytest.mark.parametrize("scan", [Thread.scan(), Thread.scan(segments=2)])
def test_a_read_that_fails_between_writes_tells_of_them(place: Place, scan: Any) -> None:
    """The error has the number written and the cursor, as that of a write has; before the first write it is itself."""
    create_threads(6)

    def end(_: int) -> None:
        place.call("DeleteTable", TableName=place.table_name(Thread))

    with pytest.raises(
        PartlyAppliedError, match=r"2 matching items were written; start_key\(error\.cursor\)"
    ) as caught:
        scan.page_size(2).update(Thread.title.set("x"), progress=end)
    error = caught.value
    assert (error.count, error.applied, error.cursor is None) == (2, "partly", False)
    assert isinstance(error.__cause__, dynamix.TableNotFoundError)
    with pytest.raises(dynamix.TableNotFoundError):
        scan.delete()


def test_an_unknown_outcome_is_told() -> None:
    """A write whose answer says nothing ends the sweep: the item may have been written, and the error names it."""
    held = Holding("DeleteItem")
    with serving(held, max_attempts=1):
        create_threads(3)

        async def sweep() -> None:
            deleting = asyncio.ensure_future(MINE.adelete())
            (await held.anext()).answer({"__type": "InternalServerError"}, status=500)
            await deleting

        with pytest.raises(PartlyAppliedError) as caught:
            asyncio.run(sweep())
        error = caught.value
        assert (error.applied, error.count, error.unknown) == ("maybe", 0, (Thread.key_of(**key(1)),))
        assert error.cursor is None


REFUSED: dict[str, Any] = {
    "no actions": lambda: SCIENCE.update(),
    "two changes of one field": lambda: SCIENCE.update(Thread.title.set("a"), Thread.title.remove()),
    "progress that is no function": lambda: SCIENCE.delete(progress=5),  # type: ignore[arg-type]
    "no key condition": lambda: Thread.query().where(Thread.title == "x").delete(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_refused_first(what: str) -> None:
    """Before anything is sent; here there is no table."""
    with pytest.raises(dynamix.ValidationException) as caught:
        REFUSED[what]()
    assert not isinstance(caught.value, dynamix.ClientException)
