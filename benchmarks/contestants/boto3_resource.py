"""boto3's resource: items are dicts of Python values, numbers Decimal, dates text."""

from decimal import Decimal
from functools import cache
from typing import Any

import boto3
import sample
from boto3.dynamodb.conditions import Attr, Key

RESULT = "dicts of Python values"

resource: Any = None
table: Any = None
FIRST_KEY = {"forum_id": sample.FORUM, "thread_id": sample.thread_id(0)}


def as_item(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "score": Decimal(values["score"]), "created_at": values["created_at"].isoformat()}


POST = as_item(sample.post(0))


def connect(url: str) -> None:
    global resource, table
    resource = boto3.resource("dynamodb", endpoint_url=url)
    table = resource.Table(sample.TABLE)


def get() -> Any:
    return table.get_item(Key=FIRST_KEY)["Item"]


def put() -> None:
    table.put_item(Item=POST)


def update() -> None:
    table.update_item(
        Key=FIRST_KEY,
        UpdateExpression="SET title = :title ADD #views :one",
        ConditionExpression=Attr("author").eq(sample.AUTHOR),
        ExpressionAttributeNames={"#views": "views"},
        ExpressionAttributeValues={":title": "A new title", ":one": 1},
    )


def query(forum_id: str) -> list[Any]:
    found: list[Any] = table.query(KeyConditionExpression=Key("forum_id").eq(forum_id))["Items"]
    return found


@cache
def posts() -> list[Any]:
    return [as_item(values) for values in sample.posts()]


def batch_write() -> None:
    with table.batch_writer() as writer:
        for item in posts():
            writer.put_item(item)


def batch_get() -> list[Any]:
    found: list[Any] = []
    for chunk in sample.chunks(sample.post_keys(), 100):
        keys = [{"forum_id": forum, "thread_id": thread} for forum, thread in chunk]
        answer = resource.batch_get_item(RequestItems={sample.TABLE: {"Keys": keys}})
        found.extend(answer["Responses"][sample.TABLE])
    return found


def scan() -> int:
    answer = table.scan()
    count = len(answer["Items"])
    while "LastEvaluatedKey" in answer:
        answer = table.scan(ExclusiveStartKey=answer["LastEvaluatedKey"])
        count += len(answer["Items"])
    return count


values = sample.dated
