"""Flows on many items: cut into the service's batches, resent until all is done, run beside each other."""

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import msgspec

from dynamix.codec.reader import Batch
from dynamix.codec.state import Stored
from dynamix.errors import (
    BatchIncompleteError,
    DynamixError,
    InvalidRequestError,
    ItemCollectionSizeLimitExceededError,
    ValidationException,
)
from dynamix.limits import BATCH_GET_KEYS, ITEM_BYTES
from dynamix.operations import requests
from dynamix.operations.items import refuse_too_large
from dynamix.operations.retry import RetryPolicy, request
from dynamix.operations.unwritable import no_text
from dynamix.operations.writes import Writes, locate
from dynamix.schema.key import address
from dynamix.schema.table import Table
from dynamix.unreadable import OnError, readable
from dynamix.updates.pending import pending_of
from dynamix.updates.version import started
from dynamix.wire import Call, Flow, Item, Pause, Together

M = TypeVar("M")
_FRUITLESS_ROUNDS = 10


def get(
    policy: RetryPolicy, table: Table[M], keys: Sequence[Item], consistent: bool | None, on_error: OnError = "raise"
) -> Flow[list[M]]:
    """The instances that exist, in the order of their keys' first mention."""
    wanted = {address(key.values()): key for key in keys}
    distinct = list(wanted.values())
    chunks = [distinct[start : start + BATCH_GET_KEYS] for start in range(0, len(distinct), BATCH_GET_KEYS)]
    consistent = policy.consistent if consistent is None else consistent
    chunked = _together([_get_chunk(policy, table, chunk, consistent) for chunk in chunks])
    answers: list[tuple[list[Batch[M]], list[Item]]] = yield from chunked
    left = [key for _, undone in answers for key in undone]
    if left:
        raise _incomplete("BatchGetItem", left)
    found = {}
    for part in (part for parts, _ in answers for part in parts):
        for instance in readable(table, part.items, part.unread, on_error)[0]:
            if not table.schema.hides(vars(instance)):
                found[address(table.schema.key_of(vars(instance)).values())] = instance
    instances = [found[key] for key in wanted if key in found]
    if table.schema.after_load is not None:
        for instance in instances:
            table.schema.after_load(instance)
    return instances


def _get_chunk(
    policy: RetryPolicy, table: Table[M], keys: list[Item], consistent: bool
) -> Flow[tuple[list[Batch[M]], list[Item]]]:
    """Ask for up to 100 keys until all are answered; the result is the answers, and the keys that never were."""
    reader = table.schema.codec.reader(table.name)
    answers: list[Batch[M]] = []
    pauses = _pauses(policy)
    while True:
        body = requests.batch_get({table.name: keys}, consistent=consistent)
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
        yield Pause(seconds, f"BatchGetItem {table.name} left {len(keys)} keys undone", is_throttled=True)


def write(policy: RetryPolicy, table: Table[M], given: tuple[list[M], Container[int]]) -> Flow[list[M]]:
    """Store whole instances, and return them. They take no changes and commits of their own meanwhile.

    Those at the positions given beside them get the time of this write. Of several with one key the last is stored.
    Those that were stored are settled, also where others were not.
    """
    schema, (instances, renewed) = table.schema, given
    kept: list[Stored] = []
    marks: list[dict[str, Any]] = []
    now = datetime.now(UTC)
    writes = Writes(table, instances)
    pendings = {id(instance): pending_of(vars(instance)) for instance in instances}.values()
    sender = object()
    try:
        for pending in pendings:
            pending.begin(sender)
        for position, instance in enumerate(instances):  # in turn, lest many items be held at once
            try:
                times = schema.times_whole(vars(instance), now) if position in renewed else {}
                item, encoded, version = _encoded(table, vars(instance), times)
            except ValidationException as error:
                locate(schema, error, position, vars(instance))
                raise
            kept.append(schema.codec.stored(item))
            marks.append({**times, **version})
            writes.add(position, item, msgspec.Raw(encoded))
        try:
            yield from _write(policy, writes)
        finally:
            for position in writes.positions("yes"):
                schema.settle(vars(instances[position]), kept[position])
                vars(instances[position]).update(marks[position])
    finally:
        for pending in pendings:
            pending.end(sender)
    return instances


def _encoded(table: Table[Any], values: dict[str, Any], times: dict[str, Any]) -> tuple[Item, bytes, dict[str, int]]:
    """An item of at most 400 KB, the JSON of its write, and the version that it gets, by attribute. `times` as for
    `item_of`.

    Raises ValidationException.
    """
    item, version = table.schema.item_of(values, times), table.schema.version
    first = _NO_VERSION if version is None else {version.attribute: started(version, values, item)}
    try:
        encoded = msgspec.json.encode(requests.batch_put(item))
    except UnicodeEncodeError as error:
        raise no_text(table.schema, error, item) from error
    if len(encoded) > ITEM_BYTES:
        refuse_too_large(table, item)
    return item, encoded, first


_NO_VERSION: dict[str, int] = {}


def delete(policy: RetryPolicy, table: Table[Any], keys: Sequence[Item], given: Sequence[Any]) -> Flow[None]:
    """Delete the items with these keys; those that do not exist are left at that. `given` is what the caller gave for
    each, by which an error tells them; instances whose items were deleted are new ones."""
    writes = Writes(table, given)
    for position, key in enumerate(keys):
        writes.add(position, key, requests.batch_delete(key))
    try:
        yield from _write(policy, writes)
    finally:
        for instance in writes.given("yes"):
            if isinstance(instance, table.schema.model):
                pending_of(vars(instance)).deleted(vars(instance))


def _write(policy: RetryPolicy, writes: Writes) -> Flow[None]:
    """Make all writes. Where they fare differently, the error says which fared how."""
    flows = [_write_chunk(policy, writes, chunk) for chunk in writes.chunks()]
    try:
        leftovers: list[list[bytes]] = yield from _together(flows, lets_finish=True)
    except DynamixError as error:
        if set(writes.fates.values()) == {error.applied}:  # the error says it of all
            raise
        raise writes.partly(error) from error
    left = [key for keys in leftovers for key in keys]
    if left:
        incomplete = _incomplete("BatchWriteItem", writes.items(left))
        incomplete.stored, incomplete.not_stored = writes.given("yes"), writes.given("no")
        incomplete.applied = "partly" if incomplete.stored else "no"
        raise incomplete


def _write_chunk(policy: RetryPolicy, writes: Writes, keys: list[bytes]) -> Flow[list[bytes]]:
    """Make up to 25 writes; the result is those that the service would not take.

    It refuses a request as a whole for one bad item, so then each half is tried: at the end the bad one stands alone.
    """
    pauses = _pauses(policy)
    while True:
        writes.mark(keys, "maybe")
        try:
            left = yield from request(policy, Call("BatchWriteItem", writes.body(keys), partial(writes.left, keys)))
        except DynamixError as error:
            if error.applied == "no" and not isinstance(error, ItemCollectionSizeLimitExceededError):
                writes.mark(keys, "no")
            if not isinstance(error, InvalidRequestError):
                raise
            if len(keys) == 1:
                writes.locate(error, keys[0])
                raise
            middle = len(keys) // 2
            first = yield from _write_chunk(policy, writes, keys[:middle])
            return first + (yield from _write_chunk(policy, writes, keys[middle:]))
        writes.mark(keys, "yes")
        writes.mark(left, "no")
        if not left:
            return []
        if len(left) < len(keys):
            pauses = _pauses(policy)
        keys = left
        if (seconds := next(pauses, None)) is None:
            return keys
        yield Pause(seconds, f"BatchWriteItem {writes.table.name} left {len(keys)} items undone", is_throttled=True)


def _pauses(policy: RetryPolicy) -> Iterator[float]:
    """The waits in seconds between rounds that get nothing done; then the batch is given up."""
    return (policy.delay(repeat, throttled=False) for repeat in range(_FRUITLESS_ROUNDS))


def _together(flows: list[Flow[Any]], *, lets_finish: bool = False) -> Flow[list[Any]]:
    """The results of flows run beside each other; a single one is run as it is."""
    if len(flows) == 1:
        return [(yield from flows[0])]
    results: list[Any] = (yield Together(flows, lets_finish=lets_finish)) if flows else []
    return results


def _incomplete(target: str, left: Sequence[Item]) -> BatchIncompleteError:
    error = BatchIncompleteError(
        f"{target} left {len(left)} items undone again and again, which is how the service says that it is asked "
        "too fast; they are in `unprocessed`, and all others are done",
        code="ThrottlingException",
    )
    error.unprocessed = tuple(left)
    return error
