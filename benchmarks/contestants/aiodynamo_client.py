"""aiodynamo: a client for event loops, here over aiohttp. It has no models: items are dicts, all numbers float."""

from functools import cache
from typing import Any

import aiohttp
import sample
from aiodynamo.client import Client
from aiodynamo.credentials import Credentials
from aiodynamo.expressions import F, HashKey
from aiodynamo.http.aiohttp import AIOHTTP
from aiodynamo.models import BatchGetRequest, BatchWriteRequest, ReturnValues
from yarl import URL

RESULT = "dicts of Python values"

client: Any = None
table: Any = None
documents: Any = None
FIRST_KEY = {"forum_id": sample.FORUM, "thread_id": sample.thread_id(0)}


def as_item(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "created_at": values["created_at"].isoformat()}


POST = as_item(sample.post(0))
DOCUMENT = sample.document()
DOCUMENT_KEY = {"document_id": sample.DOCUMENT_ID}


async def connect(url: str) -> None:
    global client, table, documents
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=sample.IN_FLIGHT))
    client = Client(AIOHTTP(session), Credentials.auto(), "us-east-1", endpoint=URL(url))
    table, documents = client.table(sample.TABLE), client.table(sample.DOCUMENT_TABLE)


async def get() -> Any:
    return await table.get_item(FIRST_KEY)


get_async = get


async def put() -> None:
    await table.put_item(POST)


async def update() -> None:
    await table.update_item(
        FIRST_KEY, F("title").set("A new title") & F("views").add(1), condition=F("author").equals(sample.AUTHOR)
    )


async def query(forum_id: str) -> list[Any]:
    return [item async for item in table.query(HashKey("forum_id", forum_id))]


@cache
def posts() -> list[Any]:
    return [as_item(values) for values in sample.posts()]


async def batch_write() -> None:
    for chunk in sample.chunks(posts(), 25):
        await client.batch_write({sample.TABLE: BatchWriteRequest(items_to_put=chunk)})


async def batch_get() -> list[Any]:
    found: list[Any] = []
    for chunk in sample.chunks(sample.post_keys(), 100):
        keys = [{"forum_id": forum, "thread_id": thread} for forum, thread in chunk]
        answer = await client.batch_get({sample.TABLE: BatchGetRequest(keys=keys)})
        found.extend(answer.items[sample.TABLE])
    return found


async def scan() -> int:
    count = 0
    async for _ in table.scan():
        count += 1
    return count


values = sample.dated


async def doc_read() -> Any:
    return await documents.get_item(DOCUMENT_KEY)


async def doc_put() -> None:
    await documents.put_item(DOCUMENT)


def change() -> Any:
    return F("words", sample.CHANGED_WORD).set(sample.CHANGED)


async def doc_commit() -> Any:
    return await documents.update_item(DOCUMENT_KEY, change(), return_values=ReturnValues.all_new)


async def doc_update() -> None:
    await documents.update_item(DOCUMENT_KEY, change())
