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
from pynamodb.connection import Connection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

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


class Document(Model):
    class Meta:
        table_name = sample.DOCUMENT_TABLE
        region = "us-east-1"
        host: str

    document_id = UnicodeAttribute(hash_key=True)
    words: MapAttribute[str, Any] = MapAttribute()
    numbers: ListAttribute[Any] = ListAttribute()


FIRST = Post(**sample.post(0))
DOCUMENT = sample.document()
_, *OTHERS = [Post(**key) for key in sample.transaction_keys()]
POST = sample.post(0)


def connect(url: str) -> None:
    Post.Meta.host = Document.Meta.host = url


def get() -> Post:
    return Post.get(sample.FORUM, sample.thread_id(0))


def put() -> None:
    Post(**POST).save()


def update() -> None:
    FIRST.update([Post.title.set("A new title"), Post.views.add(1)], condition=Post.author == sample.AUTHOR)


def transact() -> None:
    updated, deleted, checked = OTHERS
    with TransactWrite(connection=connection()) as tx:
        tx.save(Post(**POST))
        tx.update(updated, [Post.title.set("A new title"), Post.views.add(1)])
        tx.delete(deleted)
        tx.condition_check(Post, checked.forum_id, checked.thread_id, condition=Post.author == sample.AUTHOR)


@cache
def connection() -> Connection:
    return Connection(region="us-east-1", host=Post.Meta.host)


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


def doc_read() -> dict[str, Any]:
    return doc_values(Document.get(sample.DOCUMENT_ID))


def doc_put() -> None:
    Document(**DOCUMENT).save()


@cache
def document() -> Document:
    return Document.get(sample.DOCUMENT_ID)


def doc_commit() -> Document:
    document().update([Document.words[sample.CHANGED_WORD].set(sample.CHANGED)])
    return document()


def doc_values(document: Any) -> dict[str, Any]:
    if not isinstance(document, Document):
        return document
    return {"document_id": document.document_id, "words": document.words.as_dict(), "numbers": document.numbers}
