"""Blocks whose writes are not sent: `with dynamix.dry_run() as requests:`.

A write is answered by an engine in memory, into which the items that it is about are read first. So conditions,
transactions and computed values come out as they would, and a second write of an item meets the first one; so does
what a write itself reads. Without reads nothing is known of the items: conditions count as met, and an update answers
with what it says itself.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from dynamix import context
from dynamix.errors import ValidationException
from dynamix.operations.retry import RetryPolicy, request
from dynamix.wire import Call, Flow, Response

if TYPE_CHECKING:
    pass

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class DryRequest(Struct, frozen=True):
    """A write that was not sent: `operation` such as "PutItem", the names of its `table`s, and its `body`."""

    operation: str
    table: str
    body: dict[str, Any]


class DryRun:
    """The writes of one block. `requests` are those so far."""

    def __init__(self, *, reads: bool) -> None:
        self.requests: list[DryRequest] = []
        self._reads = reads
        self._stages: dict[object, _Stage] = {}
        self._lock = threading.RLock()

    def takes(self, call: Call[Any]) -> bool:
        """Whether a request is not to be sent: a write, and a read that is a part of one.

        Raises ValidationException for what has no answer then.
        """
        if not call.writes:
            if self._reads:
                return call.for_write
            raise ValidationException(f"{call.target} was not sent: the block is dry_run(reads=False), and it reads")
        if call.target not in _WRITES:
            raise ValidationException(
                f"{call.target} was not sent, and a dry_run() block cannot answer it: it knows {', '.join(_WRITES)}"
            )
        return True

    def answer(self, place: object, policy: RetryPolicy, call: Call[Any]) -> Flow[Response]:
        """The answer to a write as if it were applied at a place."""
        body = _decode(call.body)
        with self._lock:
            if call.writes:
                self.requests.append(DryRequest(call.target, call.table, body))
            stage = self._stages.get(place)
            if stage is None:
                stage = self._stages[place] = _Stage()
        if not self._reads:
            return stage.unread(call.target, body)
        yield from stage.prepare(policy, call.target, body)
        return Response(*stage.engine.handle(call.target, call.body))

    def end(self) -> None:
        """Give up what the block held."""
        for stage in self._stages.values():
            stage.engine.close()


class _Stage:
    """The engine that answers for one place, and what was read into it."""

    def __init__(self) -> None:
        from dynamix.transport.embedded import Engine  # which few programs need

        self.engine: Engine = Engine(None)
        self._tables: dict[str, list[str]] = {}  # the names of their key attributes
        self._known: set[bytes] = set()
        self._lock = threading.RLock()

    def prepare(self, policy: RetryPolicy, target: str, body: Mapping[str, Any]) -> Flow[None]:
        """Read the tables and items that a write is about, where they are not known."""
        for table, part in _parts(target, body):
            if table not in self._tables:
                answer = yield from _asked(policy, "DescribeTable", {"TableName": table})
                self._create(table, answer["Table"])
            key = part.get("Key") or {name: part["Item"].get(name) for name in self._tables[table]}
            place = msgspec.json.encode((table, sorted(key.items())))
            if place in self._known:
                continue
            answer = yield from _asked(policy, "GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
            with self._lock:
                if place not in self._known and "Item" in answer:
                    self._handle("PutItem", {"TableName": table, "Item": answer["Item"]})
                self._known.add(place)

    def unread(self, target: str, body: dict[str, Any]) -> Response:
        """The answer to a write of which nothing is known."""
        if target == "BatchWriteItem":
            return Response(200, b'{"UnprocessedItems":{}}')
        if target != "UpdateItem" or body.get("ReturnValues", "NONE") in ("NONE", "ALL_OLD", "UPDATED_OLD"):
            return Response(200, b"{}")
        table, key = body["TableName"], body["Key"]
        if table not in self._tables:
            kinds = [(name, next(iter(value))) for name, value in key.items()]
            description = {
                "KeySchema": [
                    {"AttributeName": name, "KeyType": kind}
                    for (name, _), kind in zip(kinds, ("HASH", "RANGE"), strict=False)
                ],
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": tag} for name, tag in kinds],
            }
            self._create(table, description)
        return Response(*self.engine.handle(target, msgspec.json.encode(_unconditional(body))))

    def _create(self, table: str, description: Mapping[str, Any]) -> None:
        with self._lock:
            if table in self._tables:
                return
            made: dict[str, Any] = {"TableName": table, "BillingMode": "PAY_PER_REQUEST"}
            made["KeySchema"] = description["KeySchema"]
            for group in _GROUPS:
                if description.get(group):
                    made[group] = [{name: index[name] for name in _OF_INDEXES} for index in description[group]]
            schemas = [made["KeySchema"], *(i["KeySchema"] for group in _GROUPS for i in made.get(group, ()))]
            used = {key["AttributeName"] for schema in schemas for key in schema}
            defined = description["AttributeDefinitions"]
            made["AttributeDefinitions"] = [field for field in defined if field["AttributeName"] in used]
            self._handle("CreateTable", made)
            self._tables[table] = [key["AttributeName"] for key in description["KeySchema"]]

    def _handle(self, target: str, body: Mapping[str, Any]) -> None:
        status, answer = self.engine.handle(target, msgspec.json.encode(body))
        if status != 200:
            raise ValidationException(f"a dry_run() block cannot do {target}: {answer.decode()}")


_GROUPS = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
_OF_INDEXES = ("IndexName", "KeySchema", "Projection")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


def _parts(target: str, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The table, and the key or item, of each action of a write."""
    if target == "BatchWriteItem":
        for table, writes in body["RequestItems"].items():
            for write in writes:
                for part in write.values():
                    yield table, part
    elif target == "TransactWriteItems":
        for action in body["TransactItems"]:
            for part in action.values():
                yield part["TableName"], part
    else:
        yield body["TableName"], dict(body)


def _asked(policy: RetryPolicy, target: str, body: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    return request(policy, Call(target, msgspec.json.encode(body), _decode))


def _unconditional(body: dict[str, Any]) -> dict[str, Any]:
    """An update without its condition, and without the names and values that only the condition has."""
    kept = {name: value for name, value in body.items() if name != "ConditionExpression"}
    update = body.get("UpdateExpression", "")
    for group, sign in (("ExpressionAttributeNames", "#"), ("ExpressionAttributeValues", ":")):
        used = {word for word in _words(update) if word.startswith(sign)}
        kept[group] = {name: value for name, value in body.get(group, {}).items() if name in used}
        if not kept[group]:
            del kept[group]
    return kept


def _words(text: str) -> list[str]:
    """The words of an expression, placeholders among them."""
    return "".join(letter if letter.isalnum() or letter in "#:_" else " " for letter in text).split()


@contextlib.contextmanager
def dry_run(*, reads: bool = True) -> Iterator[list[DryRequest]]:
    """Collects the writes of a block in place of sending them, in this thread or task and those that asyncio starts.

    They answer as if they were applied: what they are about is read first, and conditions are tried. Reads are sent,
    and see nothing of it. With `reads=False` nothing at all is sent: conditions count as met, and a read raises
    ValidationException, as does, in either case, what is no write of items.
    """
    run = DryRun(reads=reads)
    try:
        with context.changed(dry=run):
            yield run.requests
    finally:
        run.end()
