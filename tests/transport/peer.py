"""A server of raw bytes: what is sent, and when the connection ends, is the test's own.

Each connection has a thread, in which `talk` is called with what there is to do on it. What a peer has read is kept.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

SECONDS = 30
"""How long a peer waits for what must come."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived; names of headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """The operation."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]


class Conversation:
    """The peer's end of one connection. `number` counts the connections from 0."""

    def __init__(self, number: int, connected: socket.socket, requests: list[Request]) -> None:
        self.number = number
        self.connected = connected
        self._requests = requests
        self._received = b""

    def read(self) -> Request | None:
        """The next request, or None where the client has ended the connection."""
        while b"\r\n\r\n" not in self._received:
            if not self._read_more():
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._received) < length:
            if not self._read_more():
                return None
        body, self._received = self._received[:length], self._received[length:]
        request = Request(line, headers, body)
        self._requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Sends bytes; a client that is gone does not matter."""
        with contextlib.suppress(OSError):
            self.connected.sendall(data)

    def answer_all(self, *answers: bytes) -> None:
        """Answers each request by the next of these, the last one for ever."""
        left = list(answers)
        while self.read() is not None:
            self.send(left.pop(0) if len(left) > 1 else left[0])

    def wait_for_end(self) -> None:
        """Returns when the client has ended the connection."""
        while self._read_more():
            pass

    def reset(self) -> None:
        """Ends the connection with an RST."""
        self.connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connected.close()

    def _read_more(self) -> bool:
        try:
            data = self.connected.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return False
        self._received += data
        return bool(data)


Talk = Callable[[Conversation], None]


class Peer:
    """Listens on a port of its own; with `tls` as a server of TLS."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.errors: list[BaseException] = []
        self._talk = talk
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ended = False
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return "127.0.0.1", self.port

    def close(self) -> None:
        """Ends the peer and its connections."""
        self._ended = True
        with contextlib.suppress(OSError):
            socket.create_connection(self.address, SECONDS).close()
        self._threads[0].join()
        self._listener.close()
        for connected in self._open:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            connected, _ = self._listener.accept()
            if self._ended:
                connected.close()
                return
            self._open.append(connected)
            self._threads.append(threading.Thread(target=self._serve, args=(connected, self.connections)))
            self.connections += 1
            self._threads[-1].start()

    def _serve(self, connected: socket.socket, number: int) -> None:
        try:
            with connected:
                connected.settimeout(SECONDS)
                if self._tls is None:
                    self._talk(Conversation(number, connected, self.requests))
                    return
                with contextlib.suppress(OSError), self._tls.wrap_socket(connected, server_side=True) as secured:
                    self._open.append(secured)
                    self._talk(Conversation(number, secured, self.requests))
        except BaseException as error:
            self.errors.append(error)


@contextlib.contextmanager
def peer(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A peer for the block; what went wrong on its side is raised at the end."""
    there = Peer(talk, tls)
    try:
        yield there
    finally:
        there.close()
    for error in there.errors:
        raise error


def answer(body: bytes = b"{}", *headers: str, status: int = 200) -> bytes:
    """A whole answer with its checksum."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"x-amz-crc32: {crc32(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refusal(code: str, status: int = 400, *headers: str, **more: Any) -> bytes:
    """An answer that says what DynamoDB says."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "said by the peer", **more}
    return answer(json.dumps(body).encode(), *headers, status=status)


def always(*answers: bytes) -> Talk:
    """Answers the requests of each connection by these in turn, the last one for ever."""
    return lambda conversation: conversation.answer_all(*answers)


def forwarding_to(there: Peer) -> Talk:
    """A proxy that opens tunnels, all of them to the same peer."""

    def talk(conversation: Conversation) -> None:
        if conversation.read() is None:
            return
        with socket.create_connection(there.address, SECONDS) as onward:
            conversation.send(b"HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\n")
            back = threading.Thread(target=pass_on, args=(onward, conversation.connected))
            back.start()
            pass_on(conversation.connected, onward)
            back.join()

    return talk


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Sends what comes from one side to the other, until the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
