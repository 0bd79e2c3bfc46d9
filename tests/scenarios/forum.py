"""The forum that most scenarios use, and a few threads in it."""

from typing import Any, ClassVar

import dynamix


class Thread(dynamix.Model):
    """One thread of a forum, with two local indexes and two global ones."""

    __table_name__ = "thread"
    __secondary_indexes__: ClassVar = {
        "by_user": {"hash_key": "user_id", "range_key": "updated_at", "projections": ["title"]},
        "by_state": {"hash_key": "state"},
    }

    forum_id = dynamix.CharField(hash_key=True)
    thread_id = dynamix.CharField(range_key=True)
    user_id = dynamix.CharField(name="user")
    title = dynamix.CharField()
    state = dynamix.CharField()
    updated_at = dynamix.IntegerField(default=0, indexed=True)
    expires_at = dynamix.IntegerField(indexed=True, projections=["updated_at"])
    tags = dynamix.SetField()
    reviews = dynamix.ListField(default=[])
    data = dynamix.DictField()


def key(number: int, forum_id: str = "science") -> dict[str, Any]:
    """The key of a thread."""
    return {"forum_id": forum_id, "thread_id": f"t{number:04}"}


def create_threads(count: int, forum_id: str = "science") -> list[Thread]:
    """A table with threads t0000, t0001, ...; thread n is updated at n and was written by user n modulo 3."""
    dynamix.create_table(Thread)
    threads = [
        Thread(**key(n, forum_id), user_id=f"user{n % 3}", title=f"Title {n}", updated_at=n, expires_at=1000 - n)
        for n in range(count)
    ]
    Thread.batch_write(threads)
    return threads
