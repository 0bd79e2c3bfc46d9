"""pydynox: a model class over a core in Rust. It has no batch write of models, so that one goes through its writer."""

import logging
from functools import cache
from typing import Any

import sample
from pydynox import DynamoDBClient, Model, ModelConfig, SyncBatchWriter, set_default_client
from pydynox.attributes import (
    BooleanAttribute,
    DatetimeAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    StringAttribute,
    StringSetAttribute,
)

RESULT = "model objects"


class Post(Model):
    model_config = ModelConfig(table=sample.TABLE)

    forum_id = StringAttribute(partition_key=True)
    thread_id = StringAttribute(sort_key=True)
    author = StringAttribute()
    title = StringAttribute()
    body = StringAttribute()
    views = NumberAttribute()
    likes = NumberAttribute()
    score = NumberAttribute()
    pinned = BooleanAttribute()
    created_at = DatetimeAttribute()
    tags = StringSetAttribute()
    reviews = ListAttribute()
    meta = MapAttribute()


# Otherwise it would write a line for each slow answer, and be measured writing it.
logging.getLogger("pydynox").setLevel(logging.ERROR)

client: Any = None
POST = sample.post(0)
FIRST = Post(**POST)


def connect(url: str) -> None:
    global client
    client = DynamoDBClient(endpoint_url=url)
    set_default_client(client)


def get() -> Any:
    return Post.sync_get(forum_id=sample.FORUM, thread_id=sample.thread_id(0))


async def get_async() -> Any:
    return await Post.get(forum_id=sample.FORUM, thread_id=sample.thread_id(0))


def put() -> None:
    Post(**POST).sync_save()


def update() -> None:
    FIRST.sync_update(atomic=[Post.title.set("A new title"), Post.views.add(1)], condition=Post.author == sample.AUTHOR)


def query(forum_id: str) -> list[Any]:
    return list(Post.sync_query(partition_key=forum_id))


@cache
def posts() -> list[Post]:
    return [Post(**values) for values in sample.posts()]


def batch_write() -> None:
    with SyncBatchWriter(client, sample.TABLE) as batch:
        for post in posts():
            batch.put(post.to_dict())


def batch_get() -> list[Any]:
    return Post.sync_batch_get([{"forum_id": forum, "thread_id": thread} for forum, thread in sample.post_keys()])


def scan() -> int:
    return sum(1 for _ in Post.sync_scan())


def values(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST}
