"""PynamoDB: a model class over botocore."""

from functools import cache
from typing import Any

import sample
from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

RESULT = "model objects"


class Post(Model):
    class Meta:
        table_name = sample.PYNAMODB_TABLE
        region = "us-east-1"
        host: str

    forum_id = UnicodeAttribute(hash_key=True)
    thread_id = UnicodeAttribute(range_key=True)
    author = UnicodeAttribute()
    title = UnicodeAttribute()
    body = UnicodeAttribute()
    views = NumberAttribute()
    likes = NumberAttribute()
    score = NumberAttribute()
    pinned = BooleanAttribute()
    created_at = UTCDateTimeAttribute()
    tags = UnicodeSetAttribute()
    reviews: ListAttribute[Any] = ListAttribute()
    meta: MapAttribute[str, Any] = MapAttribute()


FIRST = Post(**sample.post(0))
POST = sample.post(0)


def connect(url: str) -> None:
    Post.Meta.host = url


def get() -> Post:
    return Post.get(sample.FORUM, sample.thread_id(0))


def put() -> None:
    Post(**POST).save()


def update() -> None:
    FIRST.update([Post.title.set("A new title"), Post.views.add(1)], condition=Post.author == sample.AUTHOR)


def query(forum_id: str) -> list[Post]:
    return list(Post.query(forum_id))


@cache
def posts() -> list[Post]:
    return [Post(**values) for values in sample.posts()]


def batch_write() -> None:
    with Post.batch_write() as batch:
        for post in posts():
            batch.save(post)


def batch_get() -> list[Post]:
    return list(Post.batch_get(sample.post_keys()))


def scan() -> int:
    return sum(1 for _ in Post.scan())


def values(post: Post) -> dict[str, Any]:
    return {**{name: getattr(post, name) for name in POST}, "meta": post.meta.as_dict()}
