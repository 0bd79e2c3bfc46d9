"""Queries and scans of chosen fields, and the second round that completes what an index gave."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from forum import Thread, create_threads
from scripted import Holding, serving


@pytest.mark.usefixtures("place")
def test_counting_reads_no_fields() -> None:
    """count works on a query of chosen fields as on any other."""
    create_threads(5)
    assert Thread.query(Thread.title).where(Thread.forum_id == "science").count() == 5
    assert Thread.scan(Thread.title).where(Thread.user_id == "user1").count() == 2


@pytest.mark.usefixtures("place")
def test_pages_of_chosen_fields_of_an_index() -> None:
    """Pages of filtered matches go on in an index, also where its keys are not among the chosen fields."""
    create_threads(30)
    query = (
        Thread.query(Thread.title)
        .use_index("by_user")
        .where(Thread.user_id == "user0", Thread.title.contains("8") | Thread.title.contains("1"))
    )
    pages, cursor = [], None
    while not pages or cursor is not None:
        found, cursor = query.limit(3).start_key(cursor).get_items()
        pages.append([thread.title for thread in found])
    assert [title for page in pages for title in page] == ["Title 12", "Title 15", "Title 18", "Title 21"]
    assert len(pages[0]) == 3
    assert [thread.title for thread in query.limit(2)] == ["Title 12", "Title 15"]


def test_an_item_deleted_between_the_rounds() -> None:
    """The second round keeps the order and leaves out what was deleted after the index was read."""
    held = Holding("BatchGetItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        threads = create_threads(4)
        query = Thread.query().use_index(Thread.expires_at).where(Thread.forum_id == "science")
        asking = pool.submit(copy_context().run, query.get_items, requery_for_all_projections=True)
        request = held.next()
        threads[1].delete()
        request.answer()
        assert asking.result() == ([threads[3], threads[2], threads[0]], None)


@pytest.mark.usefixtures("place")
def test_the_second_round_completes_chosen_fields() -> None:
    """The second round completes what was read in part, also where the table itself was read."""
    threads = create_threads(3)
    query = Thread.query(Thread.title).where(Thread.forum_id == "science")
    for found in (query, query.limit(5), Thread.scan(Thread.title).use_index("by_user"), Thread.scan(Thread.title)):
        complete, _ = found.get_items(requery_for_all_projections=True)
        assert sorted(complete, key=lambda thread: thread.thread_id) == threads


@pytest.mark.parametrize("consistent", [False, True])
def test_the_second_round_is_as_consistent_as_the_first(consistent: bool) -> None:
    """What the second round reads from the table is read consistently where the query is."""
    held = Holding("BatchGetItem")
    with serving(held), ThreadPoolExecutor(1) as pool:
        threads = create_threads(2)
        query = Thread.query().use_index(Thread.expires_at).where(Thread.forum_id == "science").consistent(consistent)
        asking = pool.submit(copy_context().run, query.get_items, requery_for_all_projections=True)
        request = held.next()
        (asked,) = request.body["RequestItems"].values()
        request.answer()
        assert asked.get("ConsistentRead", False) is consistent
        assert asking.result() == (threads[::-1], None)
