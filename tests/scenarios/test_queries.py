"""Queries and scans: indexes, conditions, order, pages, cursors."""

from typing import ClassVar

import pytest
from forum import Thread, create_threads, key
from sample import Sample

import dynamix
from places import Place

pytestmark = pytest.mark.usefixtures("place")


def numbers(threads: object) -> list[int]:
    """The numbers in the ids of threads."""
    return [int(thread.thread_id[1:]) for thread in threads]  # type: ignore[attr-defined]


def test_conditions_on_the_sort_key() -> None:
    """Each condition that DynamoDB has for a sort key selects what it says, by method and by operator."""
    create_threads(10)
    field, low, high = Thread.thread_id, "t0003", "t0006"
    cases = [
        (field.eq(low), [3]),
        (field == low, [3]),
        (field.lt(low), [0, 1, 2]),
        (field < low, [0, 1, 2]),
        (field.lte(low), [0, 1, 2, 3]),
        (field <= low, [0, 1, 2, 3]),
        (field.gt(high), [7, 8, 9]),
        (field > high, [7, 8, 9]),
        (field.gte(high), [6, 7, 8, 9]),
        (field >= high, [6, 7, 8, 9]),
        (field.between(low, high), [3, 4, 5, 6]),
        (field.begins_with("t000"), list(range(10))),
        (field.begins_with("t0004"), [4]),
    ]
    for condition, expected in cases:
        found, cursor = Thread.query().where(Thread.forum_id.eq("science"), condition).get_items()
        assert (numbers(found), cursor) == (expected, None), condition


def test_filters() -> None:
    """Conditions on other fields become filters, of every kind, and combine with &, | and ~."""
    dynamix.create_table(Thread)
    Thread.batch_write(
        [
            {**key(0), "title": "red", "tags": {"a"}, "data": {"n": 1}, "reviews": ["x"]},
            {**key(1), "title": "green", "tags": {"a", "b"}, "data": {"n": 2}, "reviews": ["x", "y"]},
            {**key(2), "title": "blue"},
            {**key(3)},
        ]
    )
    cases = [
        (Thread.title.eq("red"), [0]),
        (Thread.title != "red", [1, 2, 3]),
        (Thread.title.ne("red"), [1, 2, 3]),
        (Thread.title.is_in(["red", "blue"]), [0, 2]),
        (Thread.title.contains("re"), [0, 1]),
        (Thread.title.begins_with("b"), [2]),
        (Thread.title.exists(), [0, 1, 2]),
        (Thread.title.not_exists(), [3]),
        (Thread.title.size() >= 4, [1, 2]),
        (Thread.title.attribute_type("S"), [0, 1, 2]),
        (Thread.title.between("green", "red"), [0, 1]),
        (Thread.tags.contains("b"), [1]),
        (Thread.tags.size().eq(1), [0]),
        (Thread.data["n"].gt(1), [1]),
        (Thread.reviews[1].eq("y"), [1]),
        (Thread.reviews.contains("x"), [0, 1]),
        ((Thread.title == "red") | (Thread.title == "blue"), [0, 2]),
        (~(Thread.title == "red") & Thread.title.exists(), [1, 2]),
        (~((Thread.title == "red") | (Thread.data["n"] == 2)), [2, 3]),
    ]
    for condition, expected in cases:
        found, _ = Thread.query().where(Thread.forum_id == "science", condition).get_items()
        assert numbers(found) == expected, condition
        assert sorted(numbers(Thread.scan().where(condition))) == expected, condition


def test_a_filter_beside_both_keys() -> None:
    """Key conditions and filters are told apart, joined by & or given one by one."""
    threads = create_threads(10)
    condition = (Thread.forum_id == "science") & (Thread.thread_id >= "t0004") & (Thread.user_id == "user0")
    assert Thread.query().where(condition).get_items()[0] == [threads[6], threads[9]]
    query = Thread.query().where(Thread.user_id == "user0").where(Thread.thread_id >= "t0004")
    assert query.where(Thread.forum_id == "science").get_items()[0] == [threads[6], threads[9]]


def test_order() -> None:
    """Items come in the sort key's order, or in reverse with asc=False."""
    create_threads(5)
    query = Thread.query().where(Thread.forum_id == "science")
    assert numbers(query.get_items()[0]) == [0, 1, 2, 3, 4]
    found, _ = query.use_index(Thread.expires_at, asc=True).get_items()
    assert numbers(found) == [4, 3, 2, 1, 0]
    found, _ = query.use_index(Thread.expires_at, asc=False).get_items()
    assert numbers(found) == [0, 1, 2, 3, 4]


def test_pages_by_cursor() -> None:
    """Following the cursor gives each item once, in order; at the end the cursor is None."""
    create_threads(7)
    seen, cursor, pages = [], None, 0
    while True:
        query = Thread.query().start_key(cursor).where(Thread.forum_id == "science").limit(3)
        found, cursor = query.get_items()
        seen += numbers(found)
        pages += 1
        if cursor is None:
            break
    assert seen == list(range(7))
    assert pages == 3


@pytest.mark.parametrize("index", [Thread.updated_at, "thread_ix_updated_at", "by_user"])
def test_pages_of_an_index(index: object) -> None:
    """Cursors of local and global indexes work the same way."""
    create_threads(9)
    seen, cursor, by_user = [], None, "by_user"
    while True:
        partition = Thread.user_id.eq("user1") if index is by_user else Thread.forum_id.eq("science")
        found, cursor = Thread.query().start_key(cursor).use_index(index).where(partition).limit(2).get_items()  # type: ignore[arg-type]
        seen += numbers(found)
        if cursor is None:
            break
    assert seen == ([1, 4, 7] if index is by_user else list(range(9)))


def test_iteration_goes_over_all_pages() -> None:
    """Iterating a query gives everything, over page borders of 1 MB."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(n), "title": "x" * 100_000} for n in range(25)])
    query = Thread.query().where(Thread.forum_id == "science")
    first, cursor = query.get_items()
    assert 0 < len(first) < 25
    assert cursor is not None
    assert numbers(query) == list(range(25))
    assert query.count() == 25
    assert sorted(numbers(Thread.scan())) == list(range(25))


def test_first_and_count() -> None:
    """first gives the first match or None, looking past filtered pages; count counts all matches."""
    threads = create_threads(10)
    query = Thread.query().where(Thread.forum_id == "science")
    assert query.first() == threads[0]
    assert query.where(Thread.title == "Title 7").first() == threads[7]
    assert query.where(Thread.title == "none").first() is None
    assert query.count() == 10
    assert query.where(Thread.user_id == "user0").count() == 4
    assert Thread.query().where(Thread.forum_id == "nowhere").count() == 0


def test_consistent_reads() -> None:
    """A consistent query sees every earlier write; a global index cannot be read so, and says why."""
    create_threads(2)
    assert numbers(Thread.query().where(Thread.forum_id == "science").consistent().get_items()[0]) == [0, 1]
    with pytest.raises(dynamix.InvalidQueryError, match="by_user"):
        Thread.query().use_index("by_user").where(Thread.user_id == "user0").consistent().get_items()


def test_an_index_shows_what_it_holds() -> None:
    """Without the second round, an index gives keys and projected fields; reading another field raises."""
    create_threads(3)
    found, _ = Thread.query().use_index("by_user").where(Thread.user_id == "user1").get_items()
    (thread,) = found
    assert (thread.forum_id, thread.thread_id, thread.user_id, thread.updated_at, thread.title) == (
        "science", "t0001", "user1", 1, "Title 1",
    )  # fmt: skip
    with pytest.raises(dynamix.FieldNotLoadedError, match="requery_for_all_projections"):
        _ = thread.state
    with pytest.raises(AttributeError):
        _ = thread.reviews


def test_requery_for_all_projections() -> None:
    """The second round completes the items, in the index's order."""
    threads = create_threads(8)
    query = Thread.query().use_index(Thread.expires_at, asc=True).where(Thread.forum_id == "science")
    found, _ = query.get_items(requery_for_all_projections=True)
    assert found == threads[::-1]
    found, _ = (
        Thread.query()
        .use_index("by_user", asc=False)
        .where(Thread.user_id == "user0")
        .get_items(requery_for_all_projections=True)
    )
    assert found == [threads[6], threads[3], threads[0]]


def test_chosen_fields() -> None:
    """query(*fields) loads these fields and the key; another field raises when it is read."""
    create_threads(2)
    found, _ = Thread.query(Thread.title, Thread.user_id).where(Thread.forum_id == "science").get_items()
    assert [(thread.thread_id, thread.title, thread.user_id) for thread in found] == [
        ("t0000", "Title 0", "user0"),
        ("t0001", "Title 1", "user1"),
    ]
    with pytest.raises(dynamix.FieldNotLoadedError):
        _ = found[0].updated_at


def test_a_partly_loaded_object_never_wipes_the_rest() -> None:
    """Changing an item that was loaded from an index leaves what was not loaded in the table."""
    create_threads(2)
    (thread,), _ = Thread.query().use_index("by_user").where(Thread.user_id == "user1").get_items()
    thread.set_field(Thread.title, "changed")
    thread.commit_changes()
    stored = Thread.get(**key(1))
    assert stored is not None
    assert (stored.title, stored.expires_at, stored.reviews) == ("changed", 999, [])


def test_a_global_index_by_partition_key_alone() -> None:
    """An index without a sort key is queried by its partition key; items that lack it are not in it."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(0), "state": "open"}, {**key(1)}, {**key(2), "state": "shut"}])
    found, _ = Thread.query().use_index("by_state").where(Thread.state == "open").get_items()
    assert numbers(found) == [0]
    assert found[0].get_primary_key_dict() == key(0)


def test_queries_are_values() -> None:
    """A query can be kept and extended in two ways; neither changes the other."""
    create_threads(4)
    base = Thread.query().where(Thread.forum_id == "science")
    late, early = base.where(Thread.thread_id >= "t0002"), base.where(Thread.thread_id < "t0002")
    assert (numbers(late), numbers(early), numbers(base)) == ([2, 3], [0, 1], [0, 1, 2, 3])


def test_a_cursor_survives_text() -> None:
    """A cursor goes into a URL and back as text."""
    create_threads(5)
    query = Thread.query().where(Thread.forum_id == "science").limit(2)
    found, cursor = query.get_items()
    assert cursor is not None
    found, _ = query.start_key(str(cursor)).get_items()
    assert numbers(found) == [2, 3]


REFUSED = {
    "no equality on the partition key": lambda: Thread.query().where(Thread.thread_id == "x"),
    "a range on the partition key": lambda: Thread.query().where(Thread.forum_id > "x"),
    "no condition at all": lambda: Thread.query(),
    "two conditions on the partition key": lambda: Thread.query().where(
        Thread.forum_id == "x", Thread.forum_id.begins_with("x")
    ),
    "contains on the sort key": lambda: Thread.query().where(Thread.forum_id == "x", Thread.thread_id.contains("y")),
    "exists on the sort key": lambda: Thread.query().where(Thread.forum_id == "x", Thread.thread_id.exists()),
    "not_exists on the sort key": lambda: Thread.query().where(Thread.forum_id == "x", Thread.thread_id.not_exists()),
    "a type on the sort key": lambda: Thread.query().where(
        Thread.forum_id == "x", Thread.thread_id.attribute_type("S")
    ),
    "a filter by what the index lacks": lambda: (
        Thread.query().use_index("by_user").where(Thread.user_id == "x", Thread.data["a"] == 1)
    ),
    "fields that the index lacks": lambda: Thread.query(Thread.data).use_index("by_user").where(Thread.user_id == "x"),
    "another model's fields": lambda: Thread.query(Sample.text).where(Thread.forum_id == "x"),
    "the size of a key": lambda: Thread.query().where(Thread.forum_id == "x", Thread.thread_id.size() > 3),
    "a prefix of a number": lambda: (
        Thread.query().use_index(Thread.updated_at).where(Thread.forum_id == "x", Thread.updated_at.begins_with("1"))
    ),
    "another model's index": lambda: Thread.query().use_index(Sample.text).where(Thread.forum_id == "x"),
    "ne on the sort key": lambda: Thread.query().where(Thread.forum_id == "x", Thread.thread_id != "y"),
    "is_in on the sort key": lambda: Thread.query().where(Thread.forum_id == "x", Thread.thread_id.is_in(["y"])),
    "two conditions on the sort key": lambda: Thread.query().where(
        Thread.forum_id == "x", Thread.thread_id > "a", Thread.thread_id.begins_with("b")
    ),
    "a range that ends before it begins": lambda: Thread.query().where(
        Thread.forum_id == "x", Thread.thread_id.between("b", "a")
    ),
    "two conditions that make such a range": lambda: (
        Thread.query()
        .use_index(Thread.updated_at)
        .where(Thread.forum_id == "x", Thread.updated_at >= 10, Thread.updated_at <= 9)
    ),
    "a filter by such a range": lambda: Thread.query().where(Thread.forum_id == "x", Thread.title.size().between(2, 1)),
    "alternatives on the partition key": lambda: Thread.query().where(
        (Thread.forum_id == "x") | (Thread.forum_id == "y")
    ),
    "an index without its partition key": lambda: (
        Thread.query().use_index("by_user").where(Thread.forum_id == "science")
    ),
    "a field without an index": lambda: Thread.query().use_index(Thread.title).where(Thread.forum_id == "x"),
    "an unknown index": lambda: Thread.query().use_index("by_usr").where(Thread.user_id == "x"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_dynamodb_cannot_do_is_refused(reason: str) -> None:
    """A query that DynamoDB cannot run is refused before anything is sent: here there is not even a table."""
    with pytest.raises(dynamix.ValidationException) as caught:
        REFUSED[reason]().get_items()
    assert not isinstance(caught.value, dynamix.ClientException)


def test_refusals_say_what_would_work() -> None:
    """The message names the way out."""
    with pytest.raises(dynamix.InvalidQueryError, match=r"leave out use_index"):
        Thread.query().use_index("by_user").where(Thread.forum_id == "x").get_items()
    with pytest.raises(dynamix.InvalidQueryError, match=r"use_index\('by_state'\) can serve"):
        Thread.query().use_index(None).where(Thread.state == "x").get_items()
    with pytest.raises(dynamix.InvalidQueryError, match=r"forum_id"):
        Thread.query().where(Thread.thread_id == "x").get_items()
    with pytest.raises(dynamix.ValidationException, match=r"by_user"):
        Thread.query().use_index("by_usr").where(Thread.user_id == "x").get_items()
    with pytest.raises(dynamix.UnknownNameError, match=r"no indexes; give the index by its name: .*'by_user'"):
        Thread.query().use_index(Thread.title)
    with pytest.raises(dynamix.InvalidQueryError, match=r"updated_at.*number.*between"):
        REFUSED["a prefix of a number"]().get_items()


@pytest.mark.usefixtures("place")
def test_an_index_is_taken_where_the_table_cannot_serve() -> None:
    """Where the conditions do not say which partition of the table, the only index that can serve them is read, with
    its order and cursors; what the table can serve, it serves."""
    threads = create_threads(9)
    Thread.batch_write([{**key(20), "state": "open"}])
    mine = Thread.query().where(Thread.user_id == "user1")
    assert numbers(mine) == [1, 4, 7]
    assert numbers(mine.where(Thread.updated_at > 1, Thread.forum_id.begins_with("sc")).order(asc=False)) == [7, 4]
    found, cursor = mine.limit(2).get_items()
    assert cursor is not None
    assert (numbers(found), cursor.index) == ([1, 4], "by_user")
    assert numbers(mine.start_key(cursor)) == [7]
    assert mine.all(requery_for_all_projections=True) == [threads[1], threads[4], threads[7]]
    assert numbers(Thread.query().where(Thread.state == "open")) == [20]
    assert numbers(Thread.query().use_index(Thread.state).where(Thread.state == "open")) == [20]
    assert Thread.query().where(Thread.forum_id == "science", Thread.user_id == "user1").first() == threads[1]
    assert mine.where(Thread.title == "Title 7").count() == 1
    assert mine.delete() == 3


def test_no_index_is_guessed() -> None:
    """Where several indexes can serve, or none, the query is refused with those that would and why others cannot."""
    both = Thread.query().where(Thread.user_id == "u", Thread.state == "s")
    with pytest.raises(
        dynamix.InvalidQueryError, match=r"use_index\('by_user'\) cannot serve: .*does not hold Thread.state"
    ):
        both.get_items()
    with pytest.raises(dynamix.InvalidQueryError, match=r"by_user.*no consistent reads"):
        Thread.query().where(Thread.user_id == "u").consistent().get_items()
    with pytest.raises(dynamix.InvalidQueryError, match=r"does not hold Thread\.data"):
        Thread.query(Thread.data).where(Thread.user_id == "u").get_items()
    with pytest.raises(dynamix.InvalidQueryError, match=r"needs Thread\.forum_id.*Thread\.scan\(\)"):
        Thread.query().filter(Thread.user_id == "u").get_items()
    with pytest.raises(
        dynamix.InvalidQueryError, match=r"'by_user'\) or use_index\('user_rank'\) can serve.*say which"
    ):
        Twice.query().where(Twice.user == "u").get_items()


class Twice(dynamix.Model):
    """Two global indexes, and a local one, sort by one field; two more by another."""

    __secondary_indexes__: ClassVar = {
        "by_user": {"hash_key": "user", "range_key": "at"},
        "by_state": {"hash_key": "state", "range_key": "at"},
        "user_rank": {"hash_key": "user", "range_key": "rank"},
        "state_rank": {"hash_key": "state", "range_key": "rank"},
    }
    key = dynamix.CharField(hash_key=True)
    sort = dynamix.IntegerField(range_key=True)
    at = dynamix.IntegerField(indexed=True)
    rank = dynamix.IntegerField()
    user = dynamix.CharField()
    state = dynamix.CharField()


def test_a_field_of_several_indexes() -> None:
    """Of several indexes that sort by a field the local one is meant; among global ones the name has to be said."""
    dynamix.create_table(Twice)
    twice = Twice.create(key="k", sort=1, at=2, rank=3, user="u", state="s")
    found, _ = Twice.query().use_index(Twice.at).where(Twice.key == "k").get_items(requery_for_all_projections=True)
    assert found == [twice]
    with pytest.raises(dynamix.UnknownNameError, match=r"2 indexes; .*: 'user_rank', 'state_rank'$"):
        Twice.query().use_index(Twice.rank)


def test_a_key_of_the_table_filters_an_index() -> None:
    """In an index the table's own keys are plain attributes, by which a filter may choose."""
    create_threads(6)
    late = Thread.thread_id > "t0002"
    by_user = Thread.query().use_index("by_user").where(Thread.user_id == "user0", late)
    assert numbers(by_user.get_items()[0]) == [3]
    by_update = Thread.query().use_index(Thread.updated_at).where(Thread.forum_id == "science", late)
    assert numbers(by_update.get_items()[0]) == [3, 4, 5]


def test_writing_while_iterating() -> None:
    """Changing and deleting what an iteration gave does not disturb it, over page borders."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(n), "title": "x" * 200_000} for n in range(12)])
    seen = []
    for thread in Thread.query().where(Thread.forum_id == "science"):
        seen.append(thread)
        thread.set_field(Thread.title, "short")
        thread.commit_changes()
    assert numbers(seen) == list(range(12))
    for thread in Thread.scan():
        thread.delete()
    assert Thread.scan().count() == 0


def test_an_item_deleted_before_the_second_round(place: Place) -> None:
    """The second round leaves out an item that the index still showed but that is gone from the table."""
    threads = create_threads(4)
    query = Thread.query().use_index(Thread.updated_at).where(Thread.forum_id == "science")
    assert len(query.get_items()[0]) == 4
    threads[1].delete()
    found, _ = query.get_items(requery_for_all_projections=True)
    assert numbers(found) == [0, 2, 3]


def test_a_limit_is_of_matches() -> None:
    """limit bounds what is returned, filters or not, and the cursor goes on right behind the last match."""
    create_threads(20)
    query = Thread.query().where(Thread.forum_id == "science", Thread.user_id == "user0")
    found, cursor = query.limit(2).get_items()
    assert numbers(found) == [0, 3]
    found, cursor = query.limit(3).start_key(cursor).get_items()
    assert numbers(found) == [6, 9, 12]
    found, cursor = query.limit(100).start_key(cursor).get_items()
    assert (numbers(found), cursor) == ([15, 18], None)
    assert numbers(query.limit(4)) == [0, 3, 6, 9]
    assert query.limit(4).count() == 4
    for limit in (0, -1, 1.5, "3"):
        with pytest.raises(dynamix.ValidationException):
            Thread.query().where(Thread.forum_id == "science").limit(limit).get_items()  # type: ignore[arg-type]


def test_two_ends_make_a_range() -> None:
    """gte and lte on the sort key together are one range, in either order."""
    create_threads(6)
    low, high = Thread.thread_id >= "t0001", Thread.thread_id <= "t0003"
    for conditions in ((low, high), (high, low)):
        assert numbers(Thread.query().where(Thread.forum_id == "science", *conditions)) == [1, 2, 3]


def test_a_page_of_matches_ends_exactly() -> None:
    """Where a filter lets through more than wanted, the next page begins right behind the last one returned."""
    dynamix.create_table(Thread)
    Thread.batch_write(
        [{**key(n), "title": "x" if n in (0, 4, 5, 6, 7, 8) else "y", "updated_at": n} for n in range(9)]
    )
    for index in (None, Thread.updated_at):
        query = Thread.query().use_index(index).where(Thread.forum_id == "science")
        if index is None:
            query = query.where(Thread.title == "x")
            expected = [[0, 4], [5, 6], [7, 8]]
        else:
            query = query.where(Thread.updated_at >= 4)
            expected = [[4, 5], [6, 7], [8]]
        pages: list[list[int]] = []
        cursor = None
        while not pages or cursor is not None:
            found, cursor = query.limit(2).start_key(cursor).get_items()
            pages.append(numbers(found))
        assert [page for page in pages if page] == expected


def test_scans_of_an_index() -> None:
    """A scan of an index shows what the index holds; only items with its key are in it."""
    dynamix.create_table(Thread)
    Thread.batch_write([{**key(0), "state": "open"}, {**key(1)}, {**key(2), "state": "shut"}])
    assert sorted(numbers(Thread.scan().use_index("by_state"))) == [0, 2]
    assert Thread.scan().use_index("by_state").where(Thread.state == "shut").count() == 1
    found, cursor = Thread.scan().limit(2).get_items()
    rest, cursor = Thread.scan().limit(2).start_key(cursor).get_items()
    assert sorted(numbers([*found, *rest])) == [0, 1, 2]
    assert cursor is None


def test_a_query_shows_itself() -> None:
    """repr says what is read."""
    assert repr(Thread.query().use_index("by_user").where(Thread.user_id == "x")) == (
        "<Thread.query().use_index('by_user') with 1 conditions>"
    )
    assert repr(Thread.scan()) == "<Thread.scan() with 0 conditions>"
