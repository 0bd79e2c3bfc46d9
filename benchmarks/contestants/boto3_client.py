"""boto3's client: items come and go as dicts of typed values, such as {"views": {"N": "1000"}}."""

from functools import cache
from typing import Any

import boto3
import sample

RESULT = "dicts of typed values"

client: Any = None
FIRST_KEY = sample.item_to_wire({"forum_id": sample.FORUM, "thread_id": sample.thread_id(0)})
POST = sample.item_to_wire(sample.post(0))
DOCUMENT = sample.item_to_wire(sample.document())
DOCUMENT_KEY = sample.item_to_wire({"document_id": sample.DOCUMENT_ID})
CHANGED = sample.to_wire(sample.CHANGED)
_, UPDATED, DELETED, CHECKED = map(sample.item_to_wire, sample.transaction_keys())


def connect(url: str) -> None:
    global client
    client = boto3.client("dynamodb", endpoint_url=url)


def get() -> Any:
    return client.get_item(TableName=sample.TABLE, Key=FIRST_KEY)["Item"]


def put() -> None:
    client.put_item(TableName=sample.TABLE, Item=POST)


def update() -> None:
    client.update_item(
        TableName=sample.TABLE,
        Key=FIRST_KEY,
        UpdateExpression="SET title = :title ADD #views :one",
        ConditionExpression="author = :author",
        ExpressionAttributeNames={"#views": "views"},
        ExpressionAttributeValues={
            ":title": {"S": "A new title"},
            ":one": {"N": "1"},
            ":author": {"S": sample.AUTHOR},
        },
    )


def transact() -> None:
    title = {":title": {"S": "A new title"}, ":one": {"N": "1"}}
    update = {
        "TableName": sample.TABLE,
        "Key": UPDATED,
        "UpdateExpression": "SET title = :title ADD #views :one",
        "ExpressionAttributeNames": {"#views": "views"},
        "ExpressionAttributeValues": title,
    }
    check = {
        "TableName": sample.TABLE,
        "Key": CHECKED,
        "ConditionExpression": "author = :author",
        "ExpressionAttributeValues": {":author": {"S": sample.AUTHOR}},
    }
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": sample.TABLE, "Item": POST}},
            {"Update": update},
            {"Delete": {"TableName": sample.TABLE, "Key": DELETED}},
            {"ConditionCheck": check},
        ]
    )


def query(forum_id: str) -> list[Any]:
    answer = client.query(
        TableName=sample.TABLE,
        KeyConditionExpression="forum_id = :forum",
        ExpressionAttributeValues={":forum": {"S": forum_id}},
    )
    found: list[Any] = answer["Items"]
    return found


@cache
def writes() -> list[Any]:
    return [{"PutRequest": {"Item": sample.item_to_wire(values)}} for values in sample.posts()]


def batch_write() -> None:
    for chunk in sample.chunks(writes(), 25):
        client.batch_write_item(RequestItems={sample.TABLE: chunk})


def batch_get() -> list[Any]:
    found: list[Any] = []
    for chunk in sample.chunks(sample.post_keys(), 100):
        keys = [sample.item_to_wire({"forum_id": forum, "thread_id": thread}) for forum, thread in chunk]
        answer = client.batch_get_item(RequestItems={sample.TABLE: {"Keys": keys}})
        found.extend(answer["Responses"][sample.TABLE])
    return found


def scan() -> int:
    pages = client.get_paginator("scan").paginate(TableName=sample.TABLE)
    return sum(1 for page in pages for _ in page["Items"])


def values(post: Any) -> dict[str, Any]:
    return sample.dated({name: sample.from_wire(value) for name, value in post.items()})


def doc_read() -> Any:
    return client.get_item(TableName=sample.DOCUMENT_TABLE, Key=DOCUMENT_KEY)["Item"]


def doc_put() -> None:
    client.put_item(TableName=sample.DOCUMENT_TABLE, Item=DOCUMENT)


def update_document(**options: Any) -> Any:
    return client.update_item(
        TableName=sample.DOCUMENT_TABLE,
        Key=DOCUMENT_KEY,
        UpdateExpression="SET words.#word = :value",
        ExpressionAttributeNames={"#word": sample.CHANGED_WORD},
        ExpressionAttributeValues={":value": CHANGED},
        **options,
    )


def doc_commit() -> Any:
    return update_document(ReturnValues="ALL_NEW")["Attributes"]


def doc_update() -> None:
    update_document()


def doc_values(document: Any) -> dict[str, Any]:
    return {name: sample.from_wire(value) for name, value in document.items()}
