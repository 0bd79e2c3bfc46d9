"""A server behind which stands an engine; the test says which answers are lost, and what others write meanwhile."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from dynamix import Connection, use_connection
from dynamix.engine import Engine
from dynamix.engine.http.server import Server

Answer = tuple[int, bytes]


def refusal(code: str, status: int = 400) -> Answer:
    """An answer that says what DynamoDB says."""
    return status, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "said here"}).encode()


FAILED = refusal("InternalServerError", 500)


class Unlucky:
    """An engine whose answers to the next writes are the test's own.

    Each step is called with the engine's own way to answer, and returns what the client is told instead. What it
    writes by models goes to the engine.
    """

    def __init__(self) -> None:
        self.engine = Engine()
        self.steps: list[Callable[[Callable[[], Answer]], Answer]] = []
        self.targets: list[str] = []
        self.reads: list[str] = []
        self._others = Connection(engine=self.engine)

    def handle(self, target: str, body: bytes) -> Answer:
        """Called by the server."""
        if target.startswith(("Get", "BatchGet", "Describe", "Scan", "Query")):
            self.reads.append(target)
            return self.engine.handle(target, body)
        self.targets.append(target)
        step = self.steps.pop(0) if self.steps else None
        if step is None:
            return self.engine.handle(target, body)
        with use_connection(self._others):
            return step(lambda: self.engine.handle(target, body))


def lost(then: Callable[[], object] = lambda: None) -> Callable[[Callable[[], Answer]], Answer]:
    """The write is made and its answer lost; then somebody else does something."""

    def step(make: Callable[[], Answer]) -> Answer:
        assert make()[0] == 200
        then()
        return FAILED

    return step


def told(answer: Answer) -> Callable[[Callable[[], Answer]], Answer]:
    """The write is not made."""
    return lambda make: answer


@contextlib.contextmanager
def unlucky(**options: Any) -> Iterator[Unlucky]:
    """The server, and a connection to it with these options, which the block uses."""
    handler = Unlucky()
    with contextlib.ExitStack() as stack:
        stack.callback(handler.engine.close)
        at = stack.enter_context(Server(handler, port=0))
        waits: Any = {"retry_delay": 0.001, "throttle_delay": 0.001}
        connection = stack.enter_context(Connection(is_local_endpoint=at.address, **waits, **options))
        stack.enter_context(use_connection(connection))
        yield handler
