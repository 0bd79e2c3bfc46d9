"""The floor: the bytes of the same requests sent on a socket, the bytes of the answers received, and nothing else done.

No request is built, nothing is signed and no answer is looked at, except for the Content-Length in its head.
"""

import asyncio
import json
import socket
from functools import cache
from typing import Any

import sample

RESULT = "bytes"

connection: socket.socket
address: tuple[str, int]
idle: list["Exchange"] = []
BUFFER = bytearray(2**21)
VIEW = memoryview(BUFFER)


def request(operation: str, body: dict[str, Any], table: str = sample.TABLE) -> bytes:
    """A request as long as a signed one."""
    encoded = json.dumps({"TableName": table, **body}, separators=(",", ":")).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: DynamoDB_20120810.{operation}\r\nX-Amz-Date: 20260517T083015Z\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260517/us-east-1/dynamodb/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={'0' * 64}\r\n"
        f"Content-Length: {len(encoded)}\r\n\r\n"
    )
    return head.encode() + encoded


FIRST_KEY = sample.item_to_wire({"forum_id": sample.FORUM, "thread_id": sample.thread_id(0)})
GET = request("GetItem", {"Key": FIRST_KEY})
PUT = request("PutItem", {"Item": sample.item_to_wire(sample.post(0))})
UPDATE = request(
    "UpdateItem",
    {
        "Key": FIRST_KEY,
        "UpdateExpression": "SET #0 = :0 ADD #1 :1",
        "ConditionExpression": "#2 = :2",
        "ExpressionAttributeNames": {"#0": "title", "#1": "views", "#2": "author"},
        "ExpressionAttributeValues": {":0": {"S": "A new title"}, ":1": {"N": "1"}, ":2": {"S": sample.AUTHOR}},
    },
)


DOCUMENT_KEY = sample.item_to_wire({"document_id": sample.DOCUMENT_ID})
DOC_GET = request("GetItem", {"Key": DOCUMENT_KEY}, sample.DOCUMENT_TABLE)
DOC_PUT = request("PutItem", {"Item": sample.item_to_wire(sample.document())}, sample.DOCUMENT_TABLE)


def connect(url: str) -> None:
    global connection, address
    host, port = url.removeprefix("http://").split(":")
    address = host, int(port)
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def answer_length(received: bytes | bytearray) -> int:
    """How long the whole answer is, of which the head has arrived."""
    at = received.find(b"Content-Length: ") + len(b"Content-Length: ")
    return received.find(b"\r\n\r\n") + 4 + int(received[at : received.find(b"\r", at)])


def exchange(request: bytes) -> memoryview:
    connection.sendall(request)
    received = connection.recv_into(BUFFER)
    length = answer_length(BUFFER)
    while received < length:
        received += connection.recv_into(VIEW[received:])
    return VIEW[BUFFER.find(b"\r\n\r\n") + 4 : length]


def get() -> memoryview:
    return exchange(GET)


def put() -> None:
    exchange(PUT)


def update() -> None:
    exchange(UPDATE)


def doc_read() -> memoryview:
    return exchange(DOC_GET)


def doc_put() -> None:
    exchange(DOC_PUT)


@cache
def query_request(forum_id: str) -> bytes:
    return request(
        "Query",
        {
            "KeyConditionExpression": "#0 = :0",
            "ExpressionAttributeNames": {"#0": "forum_id"},
            "ExpressionAttributeValues": {":0": {"S": forum_id}},
        },
    )


def query(forum_id: str) -> memoryview:
    return exchange(query_request(forum_id))


@cache
def batch_writes() -> list[bytes]:
    puts = [{"PutRequest": {"Item": sample.item_to_wire(values)}} for values in sample.posts()]
    return [request("BatchWriteItem", {"RequestItems": {sample.TABLE: chunk}}) for chunk in sample.chunks(puts, 25)]


def batch_write() -> None:
    for encoded in batch_writes():
        exchange(encoded)


@cache
def batch_gets() -> list[bytes]:
    keys = [sample.item_to_wire({"forum_id": forum, "thread_id": thread}) for forum, thread in sample.post_keys()]
    return [
        request("BatchGetItem", {"RequestItems": {sample.TABLE: {"Keys": chunk}}}) for chunk in sample.chunks(keys, 100)
    ]


def batch_get() -> None:
    for encoded in batch_gets():
        exchange(encoded)


class Exchange(asyncio.Protocol):
    """One connection of the event loop: sends the bytes of a request and waits for as many as the answer has."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def send(self) -> asyncio.Future[bytes]:
        self._received = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(GET)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) == answer_length(self._received):
            self._answer.set_result(self._received)


async def connect_async(url: str) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(sample.IN_FLIGHT):
        _, protocol = await loop.create_connection(Exchange, *address)
        idle.append(protocol)


async def get_async() -> None:
    protocol = idle.pop()
    await protocol.send()
    idle.append(protocol)
