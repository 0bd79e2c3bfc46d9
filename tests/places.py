"""The places that a model runs on: the same scenarios must hold on each.

    dynamodb-local   Amazon's DynamoDB Local, over HTTP
    engine           the embedded engine, in this process
    engine-http      the embedded engine behind `dynamix serve`, over HTTP

Tests share the servers; each has table names of its own through a prefix.
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dynamix.connection import Connection
from dynamix.model import Model
from dynamix.wire import Call, Flow

NAMES = ("dynamodb-local", "engine", "engine-http")

_counter = itertools.count()


@dataclass(frozen=True)
class Place:
    """A place under test, and the connection to it that the test's models use."""

    name: str
    prefix: str
    connection: Connection

    def table_name(self, model: type[Model]) -> str:
        """The name of a model's table here."""
        return self.prefix + str(getattr(model, "__table_name__", model.__name__))

    def call(self, target: str, **body: Any) -> dict[str, Any]:
        """One request as the service takes it, past all of the mapper; its answer."""

        def flow() -> Flow[dict[str, Any]]:
            answer: dict[str, Any] = yield Call(target, json.dumps(body).encode(), json.loads)
            return answer

        return self.connection.run(flow())

    def stored_item(self, model: type[Model], **key: str | int) -> dict[str, Any] | None:
        """An item as it is stored, by its key's attribute names; None where there is none."""
        wire = {
            getattr(model, name).name: {"S": value} if isinstance(value, str) else {"N": str(value)}
            for name, value in key.items()
        }
        answer = self.call("GetItem", TableName=self.table_name(model), Key=wire, ConsistentRead=True)
        return answer.get("Item")


def fresh_prefix() -> str:
    """A prefix of table names that no other test of the run has."""
    return f"t{os.getpid()}-{next(_counter)}-"


def delete_expiring(address: tuple[str, int], prefix: str) -> None:
    """Deletes the tables of a test whose items expire.

    DynamoDB Local has ten threads for all that goes on in the background, and each such table has one of them for as
    long as it exists. When all are taken, no index is made any more, and whoever waits for one waits for ever.
    """
    with Connection(is_local_endpoint=address) as connection:
        names = connection.request("ListTables", {"ExclusiveStartTableName": prefix})["TableNames"]
        for name in names:
            if name.startswith(prefix):
                told = connection.request("DescribeTimeToLive", {"TableName": name})["TimeToLiveDescription"]
                if told["TimeToLiveStatus"] != "DISABLED":
                    connection.request("DeleteTable", {"TableName": name})


@contextlib.contextmanager
def served_engine(*arguments: str) -> Iterator[tuple[str, int]]:
    """`dynamix serve` in a process of its own, and its address; ended at the end of the block."""
    server = subprocess.Popen(
        [sys.executable, "-m", "dynamix", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        port = line.rpartition(":")[2].strip().rstrip("/")
        assert port.isdigit(), f"`dynamix serve` printed {line!r}"
        yield "127.0.0.1", int(port)
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
