"""The forum of the README, as the typing files use it. Its fields show each way of ruling None out."""

import dynamix


class Sheet(dynamix.Model):
    """An item with a version."""

    name = dynamix.CharField(hash_key=True)
    title = dynamix.CharField(required=True)
    version = dynamix.VersionField(name="v")


class ForumThread(dynamix.Model):
    """One thread of a forum."""

    __table_name__ = "forum_thread"

    ReadCapacityUnits = 2
    WriteCapacityUnits = 2

    __secondary_indexes__ = {  # noqa: RUF012 - as users write it
        "user_threads_index": {
            "hash_key": "user_id",
            "range_key": "updated_at",
            "read_capacity": 2,
            "write_capacity": 2,
            "projections": ["title"],
        },
        "by_state": {"hash_key": "state", "projections": "ALL"},
    }

    forum_id = dynamix.CharField(hash_key=True)
    thread_id = dynamix.CharField(range_key=True)
    user_id = dynamix.CharField(name="user")
    title = dynamix.CharField(max_length=200)
    author = dynamix.CharField(required=True)
    state = dynamix.CharField(default="open")
    updated_at = dynamix.IntegerField(default=lambda: 0, indexed=True)
    votes = dynamix.IntegerField()
    score = dynamix.FloatField()
    closed = dynamix.BooleanField(default=False)
    created = dynamix.DateTimeField(auto_now_add=True)
    due = dynamix.DateField()
    opens = dynamix.TimeField()
    took = dynamix.TimeDeltaField()
    tags = dynamix.SetField()
    user_reviews = dynamix.ListField(default=[])
    key_value_data = dynamix.DictField()
