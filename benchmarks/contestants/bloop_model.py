"""bloop: a model class over boto3's client. It has neither PutItem nor BatchWriteItem: it saves by UpdateItem only."""

from decimal import Decimal
from typing import Any

import boto3
import sample
from bloop import BaseModel, Boolean, Column, DateTime, DynamicList, DynamicMap, Engine, Integer, Number, Set, String

RESULT = "model objects"


class Post(BaseModel):
    class Meta:
        table_name = sample.TABLE

    forum_id = Column(String, hash_key=True)
    thread_id = Column(String, range_key=True)
    author = Column(String)
    title = Column(String)
    body = Column(String)
    views = Column(Integer)
    likes = Column(Integer)
    score = Column(Number)
    pinned = Column(Boolean)
    created_at = Column(DateTime)
    tags = Column(Set(String))
    reviews = Column(DynamicList)
    meta = Column(DynamicMap)


engine: Any = None
POST = {**sample.post(0), "score": Decimal(sample.post(0)["score"])}
FIRST = Post(**POST)


def connect(url: str) -> None:
    global engine
    engine = Engine(
        dynamodb=boto3.client("dynamodb", endpoint_url=url), dynamodbstreams=boto3.client("dynamodbstreams")
    )
    engine.bind(Post, skip_table_setup=True)


def get() -> Post:
    post = Post(forum_id=sample.FORUM, thread_id=sample.thread_id(0))
    engine.load(post)
    return post


def update() -> None:
    # It sends what was assigned since the last save, and has no counters.
    FIRST.title = "A new title"
    FIRST.views += 1
    engine.save(FIRST, condition=Post.author == sample.AUTHOR)


def query(forum_id: str) -> list[Post]:
    return list(engine.query(Post, key=Post.forum_id == forum_id))


def batch_get() -> list[Post]:
    posts = [Post(forum_id=forum, thread_id=thread) for forum, thread in sample.post_keys()]
    engine.load(*posts)
    return posts


def scan() -> int:
    return sum(1 for _ in engine.scan(Post))


def values(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST}
