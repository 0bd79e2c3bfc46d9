"""A forum on DynamoDB, step by step. Run it with `make demo`: it needs no server and no account."""

import json
import textwrap
import time

import dynamix
from dynamix import CharField, DictField, IntegerField, ListField, Model, SetField


class ForumThread(Model):
    """One thread of a forum."""

    __table_name__ = "forum_thread"

    ReadCapacityUnits = 2
    WriteCapacityUnits = 2

    __secondary_indexes__ = {
        "user_threads_index": {
            "hash_key": "user_id",
            "range_key": "updated_at",
            "read_capacity": 2,
            "write_capacity": 2,
            "projections": ["title"],
        },
    }

    forum_id = CharField(hash_key=True)
    thread_id = CharField(range_key=True)
    user_id = CharField()
    title = CharField()
    description = CharField()
    updated_at = IntegerField(default=lambda: int(time.time() * 1000), indexed=True)
    expiry_timestamp = IntegerField(indexed=True, projections=["updated_at"])
    tags = SetField()
    user_reviews = ListField(default=[])
    key_value_data = DictField()


def step(title: str) -> None:
    """Print a heading."""
    print(f"\n{title}")


def show(label: str, value: object) -> None:
    """Print one result under its heading."""
    print(f"  {label:<28} {value}")


def main() -> None:
    """The whole program."""
    step("Connect to the engine in this process and create the table")
    dynamix.set_connection(embedded=True)
    dynamix.create_table(ForumThread, force=True)
    show("table", ForumThread.__table_name__)
    show("local indexes", "updated_at, expiry_timestamp")
    show("global index", "user_threads_index")

    step("Create a thread")
    thread = ForumThread.create(
        forum_id="science",
        thread_id="physics_1",
        title="gravitational field of a black hole",
        description="equations and more",
        tags={"physics", "gravity"},
        user_id="me",
        key_value_data={"a": 1, "b": 2},
    )
    show("created", thread.get_primary_key_dict())
    show("tags", sorted(thread.tags or ()))

    step("Create it again with overwrite=False")
    try:
        ForumThread.create(forum_id="science", thread_id="physics_1", title="another", overwrite=False)
    except dynamix.ItemExistsError as error:
        show("refused", type(error).__name__)

    step("Queue changes of every kind and commit them at once")
    thread.add_to_field(ForumThread.updated_at, 1000)
    thread.update_to_dict_field(ForumThread.key_value_data, {"c": 100, "b": 5})
    thread.remove_from_dict_field(ForumThread.key_value_data, ["a"])
    thread.append_to_listfield(ForumThread.user_reviews, ["100", "101"])
    thread.replace_by_index_in_listfield(ForumThread.user_reviews, 1, "1000")
    thread.add_to_setfield(ForumThread.tags, {"black_hole"})
    thread.commit_changes()
    show("key_value_data", thread.key_value_data)
    show("user_reviews", thread.user_reviews)
    show("tags", sorted(thread.tags or ()))

    step("Commit under a condition that does not hold")
    thread.set_field(ForumThread.title, "lost")
    thread.set_modify_conditions(ForumThread.user_id.eq("somebody else"))
    try:
        thread.commit_changes()
    except dynamix.ConditionalCheckFailedError:
        thread.discard_changes()
        show("refused; the title is still", thread.title)

    step("Write a hundred threads in one go, and read some of them")
    ForumThread.batch_write(
        [
            {
                "forum_id": "science",
                "thread_id": f"chemistry_{n:02}",
                "title": f"Element {n}",
                "user_id": f"user{n % 3}",
            }
            for n in range(100)
        ]
    )
    found = ForumThread.batch_get(*[{"forum_id": "science", "thread_id": f"chemistry_{n:02}"} for n in (7, 3, 99)])
    show("in the order asked for", [thread.title for thread in found])
    show("threads in the table", sum(1 for _ in ForumThread.scan()))

    step("Query by the table's key, page by page")
    query = ForumThread.query().where(
        ForumThread.forum_id.eq("science"), ForumThread.thread_id.begins_with("chemistry_")
    )
    cursor = None
    for number in (1, 2, 3):
        page, cursor = query.limit(40).start_key(cursor).get_items()
        show(f"page {number}", f"{len(page)} threads, from {page[0].thread_id} to {page[-1].thread_id}")

    step("Query the local index, newest first, with all attributes")
    newest, _ = (
        ForumThread.query()
        .use_index(ForumThread.updated_at, asc=False)
        .where(ForumThread.forum_id == "science", ForumThread.updated_at <= int(time.time() * 1000) + 2000)
        .limit(2)
        .get_items(requery_for_all_projections=True)
    )
    show("newest", [thread.title for thread in newest])

    step("Query the global index by user, with a filter")
    mine = ForumThread.query().use_index("user_threads_index").where(ForumThread.user_id == "user1")
    show("threads of user1", mine.count())
    show("with a 9 in the title", [thread.title for thread in mine.where(ForumThread.title.contains("9"))])

    step("Mistakes are told before anything is sent")
    for mistake in (
        lambda: ForumThread.create(forum_id="science", thread_id="x", titel="misspelt"),
        lambda: ForumThread.create(forum_id="science", thread_id="x", title=5),
        lambda: ForumThread.query().where(ForumThread.title == "x").get_items(),
    ):
        try:
            mistake()
        except dynamix.ValidationException as error:
            print(f"  {error}")

    step("An item as JSON")
    print(textwrap.indent(json.dumps(thread.to_son(), indent=2), "  "))

    step("Delete what was written")
    ForumThread.batch_delete(list(ForumThread.scan()))
    show("threads in the table", sum(1 for _ in ForumThread.scan()))


if __name__ == "__main__":
    main()
