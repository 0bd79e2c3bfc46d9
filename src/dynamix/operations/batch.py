"""Flows on many items: cut into the service's batches, resent until all is done, run beside each other."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

import msgspec

from dynamix.codec.compiled import Batch
from dynamix.codec.state import Stored
from dynamix.errors import BatchIncompleteError
from dynamix.limits import BATCH_GET_KEYS, BATCH_WRITE_ITEMS, ITEM_BYTES
from dynamix.operations.items import refuse_too_large
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.table import Table
from dynamix.unreadable import OnError, readable
from dynamix.updates.pending import pending_of
from dynamix.wire import Call, Flow, Item, Pause, Together

M = TypeVar("M")
_FRUITLESS_ROUNDS = 10

WriteRequest = dict[str, dict[str, Any]]
"""A put or a delete. An item to put is JSON already, since its size was looked at; the service's answers have items."""


def get(
    policy: RetryPolicy, table: Table[M], keys: Sequence[Item], consistent: bool, on_error: OnError = "raise"
) -> Flow[list[M]]:
    """The instances that exist, in the order of their keys' first mention."""
    wanted = {msgspec.json.encode(key): key for key in keys}
    distinct = list(wanted.values())
    chunks = [distinct[start : start + BATCH_GET_KEYS] for start in range(0, len(distinct), BATCH_GET_KEYS)]
    chunked = _together([_get_chunk(policy, table, chunk, consistent) for chunk in chunks])
    answers: list[tuple[list[Batch[M]], list[Item]]] = yield from chunked
    left = [key for _, undone in answers for key in undone]
    if left:
        raise _incomplete("BatchGetItem", left)
    found = {}
    for part in (part for parts, _ in answers for part in parts):
        for instance in readable(table, part.items, part.unread, on_error)[0]:
            found[msgspec.json.encode(table.schema.key_of(vars(instance)))] = instance
    return [found[key] for key in wanted if key in found]


def _get_chunk(
    policy: RetryPolicy, table: Table[M], keys: list[Item], consistent: bool
) -> Flow[tuple[list[Batch[M]], list[Item]]]:
    """Ask for up to 100 keys until all are answered; the result is the answers, and the keys that never were."""
    reader = table.schema.codec.reader()
    answers: list[Batch[M]] = []
    pauses = _pauses(policy)
    while True:
        body = {"RequestItems": {table.name: {"Keys": keys, "ConsistentRead": consistent}}}
        call = Call("BatchGetItem", msgspec.json.encode(body), reader.batch)
        answer = yield from request(policy, call)
        answers.append(answer)
        if not answer.unprocessed:
            return answers, []
        left = answer.unprocessed[table.name]["Keys"]
        if len(left) < len(keys):
            pauses = _pauses(policy)
        keys = left
        if (seconds := next(pauses, None)) is None:
            return answers, keys
        yield Pause(seconds)


def put(policy: RetryPolicy, table: Table[Any], items: Iterable[Item]) -> Flow[None]:
    """Store whole items. Of several with one key the last is stored."""
    names = [field.name for field in table.schema.table.keys]
    distinct = {}
    for item in items:
        encoded = msgspec.json.encode(item)
        if len(encoded) > ITEM_BYTES:
            refuse_too_large(table, item)
        distinct[msgspec.json.encode([item[name] for name in names])] = encoded
    return _write(policy, table, [{"PutRequest": {"Item": msgspec.Raw(item)}} for item in distinct.values()])


def write(policy: RetryPolicy, table: Table[M], instances: list[M]) -> Flow[list[M]]:
    """Store whole instances, and return them. They take no changes and commits of their own meanwhile."""
    schema = table.schema
    kept: list[Stored] = []

    def items() -> Iterator[Item]:  # in turn, lest many be held at once
        for instance in instances:
            item = schema.item_of(vars(instance))
            kept.append(schema.codec.stored(item))
            yield item

    with ExitStack() as under_way:
        for values in {id(instance): vars(instance) for instance in instances}.values():
            under_way.enter_context(pending_of(values))
        yield from put(policy, table, items())
        for instance, stored in zip(instances, kept, strict=True):
            schema.settle(vars(instance), stored)
    return instances


def delete(policy: RetryPolicy, table: Table[Any], keys: Sequence[Item]) -> Flow[None]:
    """Delete the items with these keys; those that do not exist are left at that."""
    distinct = {msgspec.json.encode(key): key for key in keys}
    return _write(policy, table, [{"DeleteRequest": {"Key": key}} for key in distinct.values()])


def _write(policy: RetryPolicy, table: Table[Any], requests: list[WriteRequest]) -> Flow[None]:
    chunks = [requests[start : start + BATCH_WRITE_ITEMS] for start in range(0, len(requests), BATCH_WRITE_ITEMS)]
    leftovers: list[list[WriteRequest]] = yield from _together([_write_chunk(policy, table, chunk) for chunk in chunks])
    left = [next(iter(entry.values())) for leftover in leftovers for entry in leftover]
    if left:
        raise _incomplete("BatchWriteItem", [next(iter(entry.values())) for entry in left])


def _write_chunk(policy: RetryPolicy, table: Table[Any], chunk: list[WriteRequest]) -> Flow[list[WriteRequest]]:
    """Send up to 25 requests until all are done; the result is what the service would not take."""
    pauses = _pauses(policy)
    while True:
        body = msgspec.json.encode({"RequestItems": {table.name: chunk}})
        left = yield from request(policy, Call("BatchWriteItem", body, _unprocessed_writes))
        if not left:
            return []
        if len(left) < len(chunk):
            pauses = _pauses(policy)
        chunk = left
        if (seconds := next(pauses, None)) is None:
            return chunk
        yield Pause(seconds)


def _unprocessed_writes(body: bytes) -> list[WriteRequest]:
    left = msgspec.json.decode(body).get("UnprocessedItems") or {}
    return [entry for entries in left.values() for entry in entries]


def _pauses(policy: RetryPolicy) -> Iterator[float]:
    """The waits in seconds between rounds that get nothing done; then the batch is given up."""
    return (policy.delay(repeat, throttled=False) for repeat in range(_FRUITLESS_ROUNDS))


def _together(flows: list[Flow[Any]]) -> Flow[list[Any]]:
    """The results of flows run beside each other; a single one is run as it is."""
    if len(flows) == 1:
        return [(yield from flows[0])]
    results: list[Any] = (yield Together(flows)) if flows else []
    return results


def _incomplete(target: str, left: list[Item]) -> BatchIncompleteError:
    error = BatchIncompleteError(
        f"{target} left {len(left)} items undone again and again, which is how the service says that it is asked "
        "too fast; they are in `unprocessed`, and all others are done",
        code="ThrottlingException",
    )
    error.unprocessed = tuple(left)
    return error
