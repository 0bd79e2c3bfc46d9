"""The program of the first dynamix's README, statement by statement, on every place.

It is as it stands there, but for `updated_at` where it says `updated`, two stray parentheses, and `str(num)` where it
adds an int to a str.
"""

import json
import time
from collections.abc import Iterator

import pytest

import dynamix
from dynamix.fields import CharField, DictField, IntegerField, ListField, SetField
from dynamix.model import Model


class ForumThread(Model):
    __table_name__ = "forum_thread"

    ReadCapacityUnits = 2
    WriteCapacityUnits = 2

    __secondary_indexes__ = {
        "user_threads_index": dict(
            hash_key="user_id", range_key="updated_at", read_capacity=2, write_capacity=2, projections=["title"]
        ),  # secondary index with additional projections
    }

    forum_id = CharField(name="forum_id", hash_key=True)  # hash key
    thread_id = CharField(name="thread_id", range_key=True)  # range key
    user_id = CharField(name="user_id")
    title = CharField(name="title")
    description = CharField(name="description")
    updated_at = IntegerField(name="updated_at", default=lambda: int(time.time() * 1000), indexed=True)  # local index
    expiry_timestamp = IntegerField(
        name="expiry_timestamp", indexed=True, projections=["updated_at"]
    )  # local index with selected attributes projected to index
    tags = SetField(name="tags")
    user_reviews = ListField(name="user_reviews", default=[])
    key_value_data = DictField(name="key_value_data")


def run_the_program() -> None:
    """Every statement of the program, and what each leads a reader to expect."""
    dynamix.create_table(ForumThread, force=True)

    # Create new entry
    forum_thread = ForumThread.create(
        forum_id="science",
        thread_id="physics_1",
        title="gravitational field of a blackhole",
        description="equations and more",
        tags=set(["physics", "gravity"]),
        user_id="me",
        key_value_data={"a": 1, "b": 2},
    )
    assert forum_thread.title == "gravitational field of a blackhole"
    # don't overwrite with overwrite=False
    with pytest.raises(dynamix.ItemExistsError):
        forum_thread = ForumThread.create(
            forum_id="science",
            thread_id="physics_1",
            title="another title",
            description="equations and more",
            tags=set(["physics", "gravity"]),
            user_id="me",
            key_value_data={"a": 1, "b": 2},
            overwrite=False,
        )

    # By primary key
    found = ForumThread.get(forum_id="science", thread_id="physics_1")
    assert found is not None
    assert found == forum_thread
    forum_thread = found
    assert forum_thread.tags == {"physics", "gravity"}
    assert forum_thread.key_value_data == {"a": 1, "b": 2}
    assert forum_thread.user_reviews == []

    # By using a query
    threads, cursor = (
        ForumThread.query()
        .where(ForumThread.forum_id.eq("science"), ForumThread.thread_id.begins_with("physics_"))
        .get_items()
    )
    assert threads == [forum_thread]
    assert cursor is None

    # Get next page using cursor
    threads, cursor = (
        ForumThread.query()
        .start_key(cursor)
        .where(ForumThread.forum_id.eq("science"), ForumThread.thread_id.begins_with("physics_"))
        .get_items()
    )
    assert threads == [forum_thread]

    # Query on a local index
    threads, cursor = (
        ForumThread.query()
        .start_key(cursor)
        .use_index(ForumThread.updated_at, asc=True)
        .where(ForumThread.forum_id.eq("science"), ForumThread.updated_at.lte(int(time.time() * 1000)))
        .get_items(requery_for_all_projections=True)
    )
    assert threads == [forum_thread]

    # Query on a secondary index using index name
    ForumThread.create(forum_id="science", thread_id="chemistry_1", title="rust", user_id="some_new_user_id")
    user_recent_threads, cursor = (
        ForumThread.query()
        .start_key(cursor)
        .use_index("user_threads_index", asc=True)
        .where(ForumThread.user_id.eq("some_new_user_id"), ForumThread.updated_at.lte(int(time.time() * 1000)))
        .get_items()
    )
    assert [(thread.thread_id, thread.title) for thread in user_recent_threads] == [("chemistry_1", "rust")]

    # Batch get, delete, write
    forum_threads = ForumThread.batch_get(
        *[{"forum_id": "science", "thread_id": "physics_" + str(num)} for num in range(100)]
    )
    assert forum_threads == [forum_thread]
    ForumThread.batch_delete(
        keys=[{"forum_id": "science", "thread_id": "physics_" + str(num)} for num in range(100)]
    )  # can also pass items directly
    assert [thread.thread_id for thread in ForumThread.scan()] == ["chemistry_1"]

    # write multiple items / python objects in one go
    ForumThread.batch_write(
        [
            {
                "forum_id": "science",
                "thread_id": "physics_" + str(num),
                "title": "Physics",
                "description": "some description ....",
            }
            for num in range(100)
        ]
    )
    forum_threads = ForumThread.batch_get(
        *[{"forum_id": "science", "thread_id": "physics_" + str(num)} for num in range(100)]
    )
    assert [thread.thread_id for thread in forum_threads] == [f"physics_{num}" for num in range(100)]
    ForumThread.batch_delete(forum_threads)
    assert [thread.thread_id for thread in ForumThread.scan()] == ["chemistry_1"]

    forum_thread = ForumThread.create(
        forum_id="science",
        thread_id="physics_1",
        title="gravitational field of a blackhole",
        tags=set(["physics", "gravity"]),
        key_value_data={"a": 1, "b": 2},
    )

    # set a field value
    now = int(time.time() * 1000)
    forum_thread.set_field(ForumThread.updated_at, now)
    # add a value to a field
    forum_thread.add_to_field(ForumThread.updated_at, 1000)  # will add thousand to the current value atomically
    # Dict Field
    forum_thread.update_to_dict_field(ForumThread.key_value_data, {"c": 100, "b": 5})  # new and replaced keys
    forum_thread.remove_from_dict_field(ForumThread.key_value_data, ["a", "b"])
    # List Field
    forum_thread.append_to_listfield(ForumThread.user_reviews, "100")
    forum_thread.append_to_listfield(ForumThread.user_reviews, ["100", "101"])
    forum_thread.replace_by_index_in_listfield(ForumThread.user_reviews, 1, "1000")  # index, value
    forum_thread.remove_by_index_from_listfield(ForumThread.user_reviews, 1)
    # Set Field
    forum_thread.add_to_setfield(ForumThread.tags, set(["black_hole", "white_hole"]))
    forum_thread.delete_from_setfield(ForumThread.tags, set(["black_hole"]))
    # Finally commit all pending updates at once
    forum_thread.commit_changes()

    assert forum_thread.updated_at == now + 1000
    assert forum_thread.key_value_data == {"c": 100}
    assert forum_thread.user_reviews == ["100", "101"]
    assert forum_thread.tags == {"physics", "gravity", "white_hole"}
    assert ForumThread.get(forum_id="science", thread_id="physics_1") == forum_thread

    # Conditions on other fields when updating
    forum_thread.set_field(ForumThread.title, "black holes")
    forum_thread.set_modify_conditions(ForumThread.updated_at.ne(int(time.time() * 1000) + 5000))
    forum_thread.commit_changes()
    forum_thread.set_field(ForumThread.title, "white holes")
    forum_thread.set_modify_conditions(ForumThread.updated_at.ne(now + 1000))
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        forum_thread.commit_changes()
    stored = ForumThread.get(forum_id="science", thread_id="physics_1")
    assert stored is not None
    assert stored.title == "black holes"

    # .to_son()
    assert json.loads(json.dumps(stored.to_son()))["key_value_data"] == {"c": 100}

    # Scan all data
    assert sorted(thread.thread_id for thread in ForumThread.scan()) == ["chemistry_1", "physics_1"]


@pytest.mark.usefixtures("place")
def test_the_program_runs() -> None:
    """Every statement of the program does what it says."""
    run_the_program()


@pytest.fixture
def _no_connection_afterwards() -> Iterator[None]:
    """Takes back the connection that a test sets for the whole process."""
    before = dynamix.current._default
    yield
    dynamix.current._default = before


@pytest.mark.usefixtures("_no_connection_afterwards")
@pytest.mark.parametrize("server", ["dynamodb_local", "engine_http"])
def test_the_programs_own_connection_line(server: str, request: pytest.FixtureRequest) -> None:
    """The program's line works as written: a port in a string, and "*" for both keys, which the server would refuse."""
    host, port = request.getfixturevalue(server)
    dynamix.set_connection(
        is_local_endpoint=(host, str(port)),
        aws_access_key_id="*",
        aws_secret_access_key="*",
        region_name="ap-south-1",
    )
    run_the_program()
