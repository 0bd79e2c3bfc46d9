"""aioboto3's resource, over aiobotocore: boto3's resource for an event loop."""

from decimal import Decimal
from functools import cache
from typing import Any

import aioboto3
import sample
from aiobotocore.config import AioConfig
from boto3.dynamodb.conditions import Attr, Key

RESULT = "dicts of Python values"

resource: Any = None
table: Any = None
FIRST_KEY = {"forum_id": sample.FORUM, "thread_id": sample.thread_id(0)}


def as_item(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "score": Decimal(values["score"]), "created_at": values["created_at"].isoformat()}


POST = as_item(sample.post(0))


async def connect(url: str) -> None:
    global resource, table
    config = AioConfig(max_pool_connections=sample.IN_FLIGHT)
    context = aioboto3.Session().resource("dynamodb", endpoint_url=url, config=config)
    resource = await context.__aenter__()
    table = await resource.Table(sample.TABLE)


async def get() -> Any:
    return (await table.get_item(Key=FIRST_KEY))["Item"]


get_async = get


async def put() -> None:
    await table.put_item(Item=POST)


async def update() -> None:
    await table.update_item(
        Key=FIRST_KEY,
        UpdateExpression="SET title = :title ADD #views :one",
        ConditionExpression=Attr("author").eq(sample.AUTHOR),
        ExpressionAttributeNames={"#views": "views"},
        ExpressionAttributeValues={":title": "A new title", ":one": 1},
    )


async def query(forum_id: str) -> list[Any]:
    found: list[Any] = (await table.query(KeyConditionExpression=Key("forum_id").eq(forum_id)))["Items"]
    return found


@cache
def posts() -> list[Any]:
    return [as_item(values) for values in sample.posts()]


async def batch_write() -> None:
    async with table.batch_writer() as writer:
        for item in posts():
            await writer.put_item(Item=item)


async def batch_get() -> list[Any]:
    found: list[Any] = []
    for chunk in sample.chunks(sample.post_keys(), 100):
        keys = [{"forum_id": forum, "thread_id": thread} for forum, thread in chunk]
        answer = await resource.batch_get_item(RequestItems={sample.TABLE: {"Keys": keys}})
        found.extend(answer["Responses"][sample.TABLE])
    return found


async def scan() -> int:
    answer = await table.scan()
    count = len(answer["Items"])
    while "LastEvaluatedKey" in answer:
        answer = await table.scan(ExclusiveStartKey=answer["LastEvaluatedKey"])
        count += len(answer["Items"])
    return count


values = sample.dated
