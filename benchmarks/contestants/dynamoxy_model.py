"""dynamoxy: a model class over a core in Rust, for event loops only; it needs Python 3.12."""

from datetime import datetime
from functools import cache
from typing import Any

import dynamoxy
import sample
from dynamoxy import Attr, partition_key, sort_key

RESULT = "model objects"


class Post(dynamoxy.Model, table=sample.TABLE):
    forum_id: Attr[str] = partition_key()
    thread_id: Attr[str] = sort_key()
    author: Attr[str]
    title: Attr[str]
    body: Attr[str]
    views: Attr[int]
    likes: Attr[int]
    score: Attr[float]
    pinned: Attr[bool]
    created_at: Attr[datetime]
    tags: Attr[set[str]]
    reviews: Attr[list[Any]]
    meta: Attr[dict[str, Any]]


class Document(dynamoxy.Model, table=sample.DOCUMENT_TABLE):
    document_id: Attr[str] = partition_key()
    words: Attr[dict[str, Any]]
    numbers: Attr[list[int]]


client: Any = None
repository: Any = None
documents: Any = None
POST = sample.post(0)
FIRST = Post(**POST)
DOCUMENT = sample.document()
_, UPDATED, DELETED, CHECKED = sample.transaction_keys()


async def connect(url: str) -> None:
    global client, repository, documents
    client = dynamoxy.Client(endpoint_url=url)
    repository, documents = client.repository(Post), client.repository(Document)


async def get() -> Any:
    return await repository.get(sample.FORUM, sample.thread_id(0))


get_async = get


async def put() -> None:
    await repository.put(Post(**POST))


async def update() -> None:
    await repository.update(
        FIRST, Post.title.set("A new title"), Post.views.add(1), condition=Post.author == sample.AUTHOR
    )


async def transact() -> None:
    async with client.transaction() as tx:
        tx.put(Post(**POST))
        tx.update(Post.key(**UPDATED), Post.title.set("A new title"), Post.views.add(1))
        tx.delete(Post.key(**DELETED), model=Post)
        tx.check(Post, Post.key(**CHECKED), Post.author == sample.AUTHOR)


async def query(forum_id: str) -> Any:
    return await repository.query(forum_id=forum_id).all()


@cache
def posts() -> list[Post]:
    return [Post(**values) for values in sample.posts()]


async def batch_write() -> None:
    await repository.batch_put(posts())


async def batch_get() -> Any:
    return await repository.batch_get(sample.post_keys())


async def scan() -> int:
    count = 0
    async for _ in repository.scan():
        count += 1
    return count


def values(post: Post) -> dict[str, Any]:
    return {name: getattr(post, name) for name in POST}


async def doc_read() -> dict[str, Any]:
    return doc_values(await documents.get(sample.DOCUMENT_ID))


async def doc_put() -> None:
    await documents.put(Document(**DOCUMENT))


@cache
def document() -> Document:
    return Document(**DOCUMENT)


async def doc_commit() -> Document:
    # It always asks for the whole item, so there is no update that does not.
    return await documents.update(document(), Document.words[sample.CHANGED_WORD].set(sample.CHANGED))


def doc_values(document: Any) -> dict[str, Any]:
    return {name: getattr(document, name) for name in DOCUMENT} if isinstance(document, Document) else document
