"""dyntastic: a pydantic model over boto3's resource."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import sample
from dyntastic import A, Dyntastic

RESULT = "model objects"


class Post(Dyntastic):
    __table_name__ = sample.TABLE
    __table_region__ = "us-east-1"
    __hash_key__ = "forum_id"
    __range_key__ = "thread_id"

    forum_id: str
    thread_id: str
    author: str
    title: str
    body: str
    views: int
    likes: int
    score: Decimal
    pinned: bool
    created_at: datetime
    tags: set[str]
    reviews: list[Any]
    meta: dict[str, Any]


POST = sample.post(0)
FIRST = Post(**POST)


def connect(url: str) -> None:
    Post.__table_host__ = url


def get() -> Post:
    return Post.get(sample.FORUM, sample.thread_id(0))


def put() -> None:
    Post(**POST).save()


def update() -> None:
    # With refresh it would send a GetItem after each update.
    FIRST.update(A.title.set("A new title"), A.views.add(1), condition=A.author == sample.AUTHOR, refresh=False)
    FIRST.ignore_unrefreshed()


def query(forum_id: str) -> list[Post]:
    return list(Post.query(forum_id))


@cache
def posts() -> list[Post]:
    return [Post(**values) for values in sample.posts()]


def batch_write() -> None:
    with Post.batch_writer():
        for post in posts():
            post.save()


def batch_get() -> list[Post]:
    found: list[Post] = []
    for chunk in sample.chunks(sample.post_keys(), 100):
        found.extend(Post.batch_get(chunk))
    return found


def scan() -> int:
    return sum(1 for _ in Post.scan())


def values(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST}
