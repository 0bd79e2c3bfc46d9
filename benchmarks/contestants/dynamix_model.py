"""dynamix, as its README uses it."""

from functools import cache
from typing import Any

import sample

import dynamix
from dynamix import (
    BooleanField,
    CharField,
    DateTimeField,
    DictField,
    FloatField,
    IntegerField,
    ListField,
    Model,
    SetField,
)

RESULT = "model objects"


class Post(Model):
    __table_name__ = sample.TABLE

    forum_id = CharField(hash_key=True)
    thread_id = CharField(range_key=True)
    author = CharField()
    title = CharField()
    body = CharField()
    views = IntegerField()
    likes = IntegerField()
    score = FloatField()
    pinned = BooleanField()
    created_at = DateTimeField()
    tags = SetField()
    reviews = ListField()
    meta = DictField()


class Document(Model):
    __table_name__ = sample.DOCUMENT_TABLE

    document_id = CharField(hash_key=True)
    words = DictField(required=True)
    numbers = ListField(required=True)


POST = sample.post(0)
DOCUMENT = sample.document()
PUT, UPDATED, DELETED, CHECKED = sample.transaction_keys()


def connect(url: str) -> None:
    dynamix.set_connection(endpoint_url=url, max_connections=sample.IN_FLIGHT)


def get() -> Post | None:
    return Post.get(forum_id=sample.FORUM, thread_id=sample.thread_id(0))


async def get_async() -> Post | None:
    return await Post.aget(forum_id=sample.FORUM, thread_id=sample.thread_id(0))


def put() -> None:
    Post.create(**POST)


@cache
def first() -> Post:
    return Post.create(**POST)


def update() -> None:
    post = first()
    post.set_field(Post.title, "A new title")
    post.add_to_field(Post.views, 1)
    post.set_modify_conditions(Post.author.eq(sample.AUTHOR))
    post.commit_changes()


def transact() -> None:
    with dynamix.transaction() as tx:
        tx.put(Post(**POST))
        tx.update(Post, Post.title.set("A new title"), Post.views.add(1), **UPDATED)
        tx.delete(Post, **DELETED)
        tx.check(Post, Post.author == sample.AUTHOR, **CHECKED)


@cache
def loaded() -> Post:
    return Post.get_or_raise(**PUT)


def save_unchanged() -> None:
    loaded().save()


def query(forum_id: str) -> list[Post]:
    return Post.query().where(Post.forum_id.eq(forum_id)).get_items()[0]


def query_declared(forum_id: str) -> list[Any]:
    from declared import Declared  # here, since no other work and no start needs it

    return Declared.query().where(Declared.forum_id.eq(forum_id)).get_items()[0]


def declared_values(post: Any) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST}


def declared_as_sent(post: Any) -> dict[str, Any]:
    """The values with dicts in the place of models, to be compared with what was meant."""
    meta, source = post.meta, post.meta.source
    inner = {"edited": source.edited, "client": source.client}
    return {**declared_values(post), "meta": {"language": meta.language, "revision": meta.revision, "source": inner}}


@cache
def posts() -> list[Post]:
    return [Post(**values) for values in sample.posts()]


def batch_write() -> None:
    Post.batch_write(posts())


def batch_get() -> list[Post]:
    return Post.batch_get(*({"forum_id": forum, "thread_id": thread} for forum, thread in sample.post_keys()))


def scan() -> int:
    return sum(1 for _ in Post.scan())


def values(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST}


def doc_read() -> dict[str, Any]:
    document = Document.get_or_raise(document_id=sample.DOCUMENT_ID)
    return {"document_id": document.document_id, "words": document.words, "numbers": document.numbers}


def doc_put() -> None:
    Document.create(**DOCUMENT)


@cache
def document() -> Document:
    return Document.get_or_raise(document_id=sample.DOCUMENT_ID)


def doc_commit() -> Document:
    return document().update_to_dict_field(Document.words, {sample.CHANGED_WORD: sample.CHANGED}).commit_changes()


def doc_update() -> None:
    Document.update_by_key(Document.words[sample.CHANGED_WORD].set(sample.CHANGED), document_id=sample.DOCUMENT_ID)


def doc_values(document: Any) -> dict[str, Any]:
    return {name: getattr(document, name) for name in DOCUMENT} if isinstance(document, Document) else document
