"""Servers that do as a test says: hold requests, count them, answer what it wants. Behind each is an engine.

A server has one thread for each connection, so the thread that handles a request stands for its connection.
"""

import asyncio
import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dynamix import Connection, use_connection
from dynamix.engine import Engine
from dynamix.engine.http.server import Server

SECONDS = 30
"""How long a test waits for what must come."""

Answer = tuple[int, bytes]


class Request:
    """One request that a server holds until the test answers it."""

    def __init__(self, engine: Engine, target: str, raw: bytes) -> None:
        self.target = target
        self.body: dict[str, Any] = json.loads(raw)
        self.connection = threading.current_thread()
        self._engine = engine
        self._raw = raw
        self._answer: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()

    def answer(self, body: dict[str, Any] | None = None, status: int = 200) -> None:
        """Answers with this body; without one, with what the engine says."""
        self._answer.put(None if body is None else (status, json.dumps(body).encode()))

    def refuse(self, code: str, status: int = 400) -> None:
        """Answers with an error."""
        self.answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}, status)

    def wait(self) -> Answer:
        """The answer, once the test has given it."""
        return self._answer.get() or self._engine.handle(self.target, self._raw)


class Holding:
    """Holds requests of these targets; others are answered at once."""

    def __init__(self, *targets: str) -> None:
        self.engine = Engine()
        self._targets = targets
        self._arrived: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._all: list[Request] = []
        self._lock = threading.Lock()

    def handle(self, target: str, body: bytes) -> Answer:
        """Called by the server."""
        with self._lock:  # lest a request be held after what is held was released
            request = Request(self.engine, target, body) if target in self._targets else None
            if request is not None:
                self._all.append(request)
        if request is None:
            return self.engine.handle(target, body)
        self._arrived.put(request)
        return request.wait()

    @property
    def count(self) -> int:
        """How many requests were held so far."""
        return len(self._all)

    def next(self) -> Request:
        """The next request that arrives."""
        return self._arrived.get(timeout=SECONDS)

    async def anext(self) -> Request:
        """The next request that arrives."""
        return await asyncio.to_thread(self.next)

    def hold(self, *targets: str) -> None:
        """Holds requests of these targets from now on."""
        self._targets = targets

    def release(self) -> None:
        """Answers whatever is still held, and holds no more."""
        with self._lock:
            self._targets = ()
            for request in self._all:
                request.answer()


class Counting:
    """Counts requests of a target, and how many are in hand at once: each waits until `meeting` have met."""

    def __init__(self, target: str, meeting: int) -> None:
        self.engine = Engine()
        self.most = 0
        self.count = 0
        self.connections: set[threading.Thread] = set()
        self._target = target
        self._now = 0
        self._lock = threading.Lock()
        self._meeting = threading.Barrier(meeting)

    def handle(self, target: str, body: bytes) -> Answer:
        """Called by the server."""
        if target != self._target:
            return self.engine.handle(target, body)
        with self._lock:
            self.count += 1
            self._now += 1
            self.most = max(self.most, self._now)
            self.connections.add(threading.current_thread())
        self._meeting.wait(SECONDS)
        answer = self.engine.handle(target, body)
        with self._lock:
            self._now -= 1
        return answer

    def release(self) -> None:
        """Lets go whoever waits."""
        self._meeting.abort()


class Reluctant:
    """Answers batches in part: `takes` picks from the entries of a request (items or keys) those that it does now."""

    def __init__(self, takes: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        self.engine = Engine()
        self.taken: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self._takes = takes
        self._lock = threading.Lock()

    def handle(self, target: str, body: bytes) -> Answer:
        """Called by the server."""
        if target not in ("BatchWriteItem", "BatchGetItem"):
            return self.engine.handle(target, body)
        with self._lock:
            ((table, asked),) = json.loads(body)["RequestItems"].items()
            is_get = target == "BatchGetItem"
            entries = asked["Keys"] if is_get else asked
            done = self._takes(entries)
            left = [entry for entry in entries if entry not in done]
            self.asked += entries
            self.taken += done
            answer: dict[str, Any] = {}
            if done:
                request = {"RequestItems": {table: {**asked, "Keys": done} if is_get else done}}
                answer = json.loads(self.engine.handle(target, json.dumps(request).encode())[1])
            if is_get:
                answer["UnprocessedKeys"] = {table: {**asked, "Keys": left}} if left else {}
                answer.setdefault("Responses", {table: []})
            else:
                answer["UnprocessedItems"] = {table: left} if left else {}
        return 200, json.dumps(answer).encode()

    def release(self) -> None:
        """Nothing waits."""


@contextlib.contextmanager
def serving(handler: Holding | Counting | Reluctant, **options: Any) -> Iterator[Connection]:
    """A server with this handler, and the connection to it that the block uses; all is released at the end."""
    with contextlib.ExitStack() as stack:
        stack.callback(handler.engine.close)
        server = stack.enter_context(Server(handler, port=0))
        stack.callback(handler.release)
        connection = stack.enter_context(Connection(is_local_endpoint=server.address, **options))
        stack.enter_context(use_connection(connection))
        yield connection
