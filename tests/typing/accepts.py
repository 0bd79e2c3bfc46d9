"""What a type checker must infer."""

import datetime
from typing import Any, assert_type

from forum import ForumThread

import dynamix
from dynamix import Cursor

thread = ForumThread(forum_id="science", thread_id="physics_1", author="me")

# A field that may be missing reads as its type or None.
assert_type(thread.title, str | None)
assert_type(thread.user_id, str | None)
assert_type(thread.votes, int | None)
assert_type(thread.score, float | None)
assert_type(thread.due, datetime.date | None)
assert_type(thread.opens, datetime.time | None)
assert_type(thread.took, datetime.timedelta | None)
assert_type(thread.tags, set[Any] | None)
assert_type(thread.key_value_data, dict[str, Any] | None)

# A key, a required field and a field with a default read as their type.
assert_type(thread.forum_id, str)
assert_type(thread.thread_id, str)
assert_type(thread.author, str)
assert_type(thread.state, str)
assert_type(thread.updated_at, int)
assert_type(thread.closed, bool)
assert_type(thread.user_reviews, list[Any])

# On the class the name is the field, and makes conditions.
field: dynamix.CharField[Any] = ForumThread.title
condition = ForumThread.title.eq("x") & (ForumThread.votes >= 3) | ~ForumThread.tags.contains("y")

# Changes take the values of their fields.
thread.set_field(ForumThread.title, "x")
thread.set_field(ForumThread.title, None)
thread.set_field(ForumThread.updated_at, 5)
thread.set_field(ForumThread.tags, {"a", "b"})
thread.append_to_listfield(ForumThread.user_reviews, ["100", 5])
thread.set_modify_conditions(condition)

# What is found is of the model's own type.
assert_type(ForumThread.get(forum_id="science", thread_id="physics_1"), ForumThread | None)
assert_type(ForumThread.create(forum_id="science", thread_id="physics_1"), ForumThread)
assert_type(ForumThread.batch_get({"forum_id": "science", "thread_id": "physics_1"}), list[ForumThread])
assert_type(
    ForumThread.query().where(ForumThread.forum_id.eq("science")).get_items(), tuple[list[ForumThread], Cursor | None]
)
assert_type(ForumThread.query().where(ForumThread.forum_id == "science").first(), ForumThread | None)
assert_type(ForumThread.query().where(ForumThread.forum_id == "science").count(), int)
for found in ForumThread.query().where(ForumThread.forum_id.eq("science")):
    assert_type(found, ForumThread)
for found in ForumThread.scan():
    assert_type(found, ForumThread)


class Pinned(ForumThread):
    """A model that inherits its fields."""

    rank = dynamix.IntegerField(required=True)


pinned = Pinned.get(forum_id="science", thread_id="physics_1")
assert_type(pinned, Pinned | None)
if pinned is not None:
    assert_type(pinned.rank, int)
    assert_type(pinned.title, str | None)
