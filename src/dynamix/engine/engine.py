"""The engine's face: a request's bytes in, an answer's status and bytes out.

A request passes four floors: its shape is checked (requests/shapes.py), its expressions are read
(requests/expressions.py), the operation does its work within one transaction of the storage, and the answer, a dict in
which stored items are still raw JSON, is encoded.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Any

import msgspec

from dynamix.engine.faults import Fault
from dynamix.engine.operations import account, batch, items, lifetime, search, statements, tables, tags, transact
from dynamix.engine.requests import shapes
from dynamix.engine.storage.database import Snapshot, Storage, open_storage
from dynamix.engine.tables.catalog import ItemsDue

_OPERATIONS: dict[str, Callable[[Storage, dict[str, Any]], dict[str, Any] | None]] = {
    "GetItem": items.get_item,
    "PutItem": items.put_item,
    "UpdateItem": items.update_item,
    "DeleteItem": items.delete_item,
    "Query": search.query,
    "Scan": search.scan,
    "BatchGetItem": batch.batch_get_item,
    "BatchWriteItem": batch.batch_write_item,
    "TransactGetItems": transact.transact_get_items,
    "TransactWriteItems": transact.transact_write_items,
    "ExecuteStatement": statements.execute_statement,
    "BatchExecuteStatement": statements.batch_execute_statement,
    "ExecuteTransaction": statements.execute_transaction,
    "CreateTable": tables.create_table,
    "DescribeTable": tables.describe_table,
    "ListTables": tables.list_tables,
    "UpdateTable": tables.update_table,
    "DeleteTable": tables.delete_table,
    "UpdateTimeToLive": lifetime.update_time_to_live,
    "DescribeTimeToLive": lifetime.describe_time_to_live,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsOfResource": tags.list_tags_of_resource,
    "DescribeLimits": account.describe_limits,
    "DescribeEndpoints": account.describe_endpoints,
}

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class Engine:
    """DynamoDB in this process: in memory, or in the file at `path`.

    All methods may be called from any thread. A file may be used by several processes at once. `clock` gives the time
    in seconds since 1970; items expire by it.

    Raises `dynamix.errors.ConnectError` if the file cannot be opened, is not an engine's, or is of a newer dynamix.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._storage = open_storage(path, clock)
        self.in_memory = path is None

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer one request: HTTP status and JSON. Any bytes have an answer; nothing is raised."""
        request: dict[str, Any] = {}
        try:
            request = shapes.decode(target, body)
            operation = _OPERATIONS[target]
            while True:
                try:
                    answer = operation(self._storage, request)
                except ItemsDue as due:
                    lifetime.sweep(self._storage, due.name)
                else:
                    return 200, _encode(answer) if answer is not None else b""
        except Fault as fault:
            first = shapes.misnamed(target, request) or fault
            return first.status, first.body()
        except Exception as error:
            _log.exception("the engine failed on a %s request", target)
            return 500, Fault("InternalServerError", f"the engine failed: {error!r}").body()

    def snapshot(self) -> Snapshot:
        """A copy of all tables as they are now, kept in memory."""
        return self._storage.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Make all tables what they were when the snapshot was taken, by this engine or another."""
        self._storage.restore(snapshot)

    def close(self) -> None:
        """End the use of the database. What is in memory only is lost."""
        self._storage.close()
