"""A server under test, and what is said to it: over HTTP as SDKs do, or byte by byte."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from dynamix.engine.http.server import Server

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/b/c/dynamodb/aws4_request, SignedHeaders=host, Signature=x"}
CONTENT = {"Content-Type": "application/x-amz-json-1.0"}
LIST = {"X-Amz-Target": "DynamoDB_20120810.ListTables", **SIGNED, **CONTENT}


class Echo:
    """Answers with what it was asked; "Fail" fails, "Wait" waits for `go`."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go = threading.Event()

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        if target == "Fail":
            raise RuntimeError("no")
        if target == "Wait":
            self.asked.set()
            self.go.wait()
        return 200, json.dumps([target, len(body), body[:100].decode()]).encode()


def post(connection: http.client.HTTPConnection, target: str, body: bytes = b"{}", **headers: str) -> Any:
    connection.request(
        "POST", "/", body, {"X-Amz-Target": f"DynamoDB_20120810.{target}", **SIGNED, **CONTENT, **headers}
    )
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def talk(server: Server, *parts: bytes) -> bytes:
    """Sends the parts one by one and reads until the server closes."""
    with socket.create_connection(server.address) as client:
        for part in parts:
            client.sendall(part)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def request(target: str, body: bytes, *headers: str) -> bytes:
    lines = [f"X-Amz-Target: DynamoDB_20120810.{target}", "Authorization: AWS4-x", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *headers]
    return b"POST / HTTP/1.1\r\nHost: localhost\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def bodies(answers: bytes) -> list[Any]:
    """The JSON bodies of a stream of answers."""
    return [json.loads(part.partition(b"\r\n\r\n")[2]) for part in answers.split(b"HTTP/1.1 ")[1:]]


@contextlib.contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], http.client.HTTPConnection]]:
    """The command in a process of its own, and a connection to the address that it printed."""
    command = [sys.executable, "-m", "dynamix", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        connection = http.client.HTTPConnection(process.stdout.readline().strip().rpartition("//")[2])
        try:
            yield process, connection
        finally:
            connection.close()
            process.kill()
