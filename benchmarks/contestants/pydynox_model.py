"""pydynox: a model class over a core in Rust. It has no batch write of models, so that one goes through its writer."""

import logging
from functools import cache
from typing import Any

import sample
from pydynox import DynamoDBClient, Model, ModelConfig, SyncBatchWriter, SyncTransaction, set_default_client
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


class Document(Model):
    model_config = ModelConfig(table=sample.DOCUMENT_TABLE)

    document_id = StringAttribute(partition_key=True)
    words = MapAttribute()
    numbers = ListAttribute()


# Otherwise it would write a line for each slow answer, and be measured writing it.
logging.getLogger("pydynox").setLevel(logging.ERROR)

client: Any = None
POST = sample.post(0)
FIRST = Post(**POST)
DOCUMENT = sample.document()
_, UPDATED, DELETED, CHECKED = sample.transaction_keys()


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


def transact() -> None:
    with SyncTransaction(client) as tx:
        tx.save_model(Post(**POST))
        tx.update(
            sample.TABLE,
            UPDATED,
            update_expression="SET title = :title ADD #views :one",
            expression_attribute_names={"#views": "views"},
            expression_attribute_values={":title": "A new title", ":one": 1},
        )
        tx.delete(sample.TABLE, DELETED)
        tx.condition_check(
            sample.TABLE,
            CHECKED,
            condition_expression="author = :author",
            expression_attribute_values={":author": sample.AUTHOR},
        )


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


def doc_read() -> dict[str, Any]:
    return doc_values(Document.sync_get(document_id=sample.DOCUMENT_ID))


def doc_put() -> None:
    Document(**DOCUMENT).sync_save()


@cache
def document() -> Document:
    return Document(**sample.document())


def doc_commit() -> Document:
    # Its models set no key of a map alone, so the map is sent; the answer tells nothing.
    document().words[sample.CHANGED_WORD] = sample.CHANGED
    document().sync_update(words=document().words)
    return document()


def doc_values(document: Any) -> dict[str, Any]:
    return {name: getattr(document, name) for name in DOCUMENT} if isinstance(document, Document) else document
