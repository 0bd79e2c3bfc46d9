"""The other floor: `json.loads` of the same answers, received before. Its objects are dicts of typed values."""

import json
from typing import Any

import sample
from contestants import raw_socket

RESULT = "dicts of typed values"

ITEM = DOCUMENT = b""
QUERIES: dict[str, bytes] = {}
BATCHES: list[bytes] = []


def connect(url: str) -> None:
    global ITEM, DOCUMENT
    raw_socket.connect(url)
    ITEM = bytes(raw_socket.get())
    DOCUMENT = bytes(raw_socket.doc_read())
    QUERIES.update({forum: bytes(raw_socket.query(forum)) for forum in sample.FORUM_SIZES})
    BATCHES.extend(bytes(raw_socket.exchange(request)) for request in raw_socket.batch_gets())


def get() -> Any:
    return json.loads(ITEM)["Item"]


def query(forum_id: str) -> list[Any]:
    found: list[Any] = json.loads(QUERIES[forum_id])["Items"]
    return found


def doc_read() -> Any:
    return json.loads(DOCUMENT)["Item"]


def batch_get() -> list[Any]:
    return [item for body in BATCHES for item in json.loads(body)["Responses"][sample.TABLE]]


def values(post: Any) -> dict[str, Any]:
    return sample.dated({name: sample.from_wire(value) for name, value in post.items()})


def doc_values(document: Any) -> dict[str, Any]:
    return {name: sample.from_wire(value) for name, value in document.items()}
