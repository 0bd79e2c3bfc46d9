"""Flows on many items: cut into the service's batches, resent until all is done, run beside each other."""

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import msgspec

from dynamix.codec.reader import Batch
from dynamix.errors import (
    BatchIncompleteError,
    DynamixError,
    InvalidRequestError,
    ItemCollectionSizeLimitExceededError,
    PartlyAppliedError,
    TableNotFoundError,
    ValidationException,
)
from dynamix.limits import BATCH_GET_KEYS
from dynamix.operations import requests
from dynamix.operations.explained import explained, explaining
from dynamix.operations.gathered import Gathered
from dynamix.operations.pace import Pace
from dynamix.operations.retry import RetryPolicy, request, send_write
from dynamix.operations.writes import Writes, locate
from dynamix.schema.key import address
from dynamix.schema.table import Table
from dynamix.unreadable import OnError, readable
from dynamix.wire import Call, Flow, Item, Pause, Together

M = TypeVar("M")
_FRUITLESS_ROUNDS = 10


def get(
    policy: RetryPolicy, table: Table[M], keys: Sequence[Item], consistent: bool | None, on_error: OnError = "raise"
) -> Flow[list[M]]:
    """The instances that exist, in the order of their keys' first mention."""
    wanted = {address(key.values()): key for key in keys}
    answers = yield from _get(policy, table, list(wanted.values()), consistent)
    found = _found(table, answers, on_error)
    return [found[key] for key in wanted if key in found]


def get_any(
    policy: RetryPolicy, keys: Sequence[tuple[Table[Any], Item]], consistent: bool | None, on_error: OnError
) -> Flow[list[Any]]:
    """The same over any tables. Those of each model are asked for on their own, for two may share a table."""
    wanted: dict[Table[Any], dict[bytes, Item]] = {}
    order: dict[tuple[Table[Any], bytes], None] = {}
    for table, key in keys:
        place = address(key.values())
        wanted.setdefault(table, {})[place] = key
        order[table, place] = None
    answers: list[list[Batch[Any]]] = yield from _together(
        [explaining(_get, policy, table, list(those.values()), consistent) for table, those in wanted.items()]
    )
    found = {table: _found(table, answer, on_error) for table, answer in zip(wanted, answers, strict=True)}
    return [found[table][place] for table, place in order if place in found[table]]


def _get(policy: RetryPolicy, table: Table[M], keys: list[Item], consistent: bool | None) -> Flow[list[Batch[M]]]:
    """The answers that have the items with these keys, of which there is one each."""
    chunks = [keys[start : start + BATCH_GET_KEYS] for start in range(0, len(keys), BATCH_GET_KEYS)]
    consistent = policy.consistent if consistent is None else consistent
    chunked = _together([_get_chunk(policy, table, chunk, consistent) for chunk in chunks])
    answers: list[tuple[list[Batch[M]], list[Item]]] = yield from chunked
    left = [key for _, undone in answers for key in undone]
    if left:
        raise _incomplete("BatchGetItem", left)
    return [part for parts, _ in answers for part in parts]


def _found(table: Table[M], answers: list[Batch[M]], on_error: OnError) -> dict[bytes, M]:
    """The instances in answers that are not hidden, by what stands for their keys."""
    schema = table.schema
    found = {
        address(schema.key.of(vars(instance)).values()): instance
        for part in answers
        for instance in readable(table, part.items, part.unread, on_error)[0]
    }
    if schema.existence.may_hide:
        found = {key: instance for key, instance in found.items() if not schema.existence.hides(vars(instance))}
    if schema.hooks.after_load is not None:
        for instance in found.values():
            schema.hooks.after_load(instance)
    return found


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
    (instances, renewed), now = given, datetime.now(UTC)
    gathered = Gathered()
    try:
        for position, instance in enumerate(instances):
            try:
                times = table.schema.times.whole(vars(instance), now) if position in renewed else {}
                gathered.put(table, instance, times)
            except ValidationException as error:
                locate(table.schema, error, position, vars(instance))
                raise
        yield from _write(policy, gathered, Pace())
    finally:
        gathered.end()
    return instances


def delete(policy: RetryPolicy, table: Table[Any], keys: Sequence[Item], given: Sequence[Any]) -> Flow[None]:
    """Delete the items with these keys; those that do not exist are left at that. `given` is what the caller gave for
    each, by which an error tells them; instances whose items were deleted are new ones."""
    gathered = Gathered()
    try:
        for key, what in zip(keys, given, strict=True):
            gathered.delete(table, key, what)
        yield from _write(policy, gathered, Pace())
    finally:
        gathered.end()


def write_round(policy: RetryPolicy, gathered: Gathered, pace: Pace, before: int) -> Flow[None]:
    """Make the writes of one round of a block, in whose earlier rounds so many were made.

    Whatever ends it, the caller holds nothing of what it was given, so the error always says how each write fared.
    """
    try:
        yield from _write(policy, gathered, pace)
    except (PartlyAppliedError, BatchIncompleteError) as error:
        if before:
            error.applied = "partly"
        raise
    except DynamixError as error:
        told = gathered.writes.partly(error, before)
        told.applied = "partly" if before else error.applied
        raise told from error
    finally:
        pace.adapt()


def _write(policy: RetryPolicy, gathered: Gathered, pace: Pace) -> Flow[None]:
    """Make all writes, and settle the instances. Where they fare differently, the error says which fared how."""
    writes = gathered.writes
    flows = [pace.watch(_write_chunk(policy, writes, chunk)) for chunk in writes.chunks()]
    try:
        leftovers: list[list[bytes]] = yield from _together(flows, limit=pace.limit, lets_finish=True)
    except DynamixError as error:
        if writes.fates() == {error.applied}:  # the error says it of all
            raise
        raise writes.partly(error) from error
    finally:
        gathered.settle()
    left = [key for keys in leftovers for key in keys]
    if left:
        incomplete = _incomplete("BatchWriteItem", writes.items(left))
        stored, unknown = writes.given("yes"), writes.given("maybe")
        incomplete.stored, incomplete.not_stored, incomplete.unknown = stored, writes.given("no"), unknown
        incomplete.applied = "partly" if stored else "maybe" if unknown else "no"
        raise incomplete


def _write_chunk(policy: RetryPolicy, writes: Writes, keys: list[bytes]) -> Flow[list[bytes]]:
    """Make up to 25 writes; the result is those that the service would not take.

    It refuses a request as a whole for one bad item, so then each half is tried: at the end the bad one stands alone.
    """
    pauses = _pauses(policy)
    while True:
        writes.mark(keys, "maybe")
        try:
            call = Call("BatchWriteItem", writes.body(keys), partial(writes.left, keys))
            left = yield from send_write(policy, call, partial(writes.doubt, keys))
        except DynamixError as error:
            if error.applied == "no" and not isinstance(error, ItemCollectionSizeLimitExceededError):
                writes.mark(keys, "no")
            if isinstance(error, TableNotFoundError):
                raise explained(writes.tables(keys), error) from error
            if not isinstance(error, InvalidRequestError):
                raise
            if len(keys) == 1:
                writes.locate(error, keys[0])
                raise
            middle = len(keys) // 2
            first = yield from _write_chunk(policy, writes, keys[:middle])
            return first + (yield from _write_chunk(policy, writes, keys[middle:]))
        writes.mark(left, "no")
        writes.mark(set(keys).difference(left), "yes")
        if not left:
            return []
        if len(left) < len(keys):
            pauses = _pauses(policy)
        keys = left
        if (seconds := next(pauses, None)) is None:
            return keys
        names = ", ".join(table.name for table in writes.tables(keys))
        yield Pause(seconds, f"BatchWriteItem {names} left {len(keys)} items undone", is_throttled=True)


def _pauses(policy: RetryPolicy) -> Iterator[float]:
    """The waits in seconds between rounds that get nothing done; then the batch is given up."""
    return (policy.delay(repeat, throttled=False) for repeat in range(_FRUITLESS_ROUNDS))


def _together(flows: list[Flow[Any]], *, limit: int = 8, lets_finish: bool = False) -> Flow[list[Any]]:
    """The results of flows run beside each other; a single one is run as it is."""
    if len(flows) == 1:
        return [(yield from flows[0])]
    results: list[Any] = (yield Together(flows, limit, lets_finish)) if flows else []
    return results


def _incomplete(target: str, left: Sequence[Item]) -> BatchIncompleteError:
    error = BatchIncompleteError(
        f"{target} left {len(left)} items undone again and again, which is how the service says that it is asked "
        "too fast; they are in `unprocessed`, and all others are done",
        code="ThrottlingException",
    )
    error.unprocessed = tuple(left)
    return error
