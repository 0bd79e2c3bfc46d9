"""Flows on tables: create, compare, update, drop, count. They wait by pausing between descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import msgspec

from dynamix.differences import TableDifference
from dynamix.errors import (
    DynamixError,
    OutcomeUnknownError,
    TableDiffersError,
    TableInUseError,
    TableNotFoundError,
)
from dynamix.operations import difference, lifetime
from dynamix.operations.definition import define
from dynamix.operations.difference import differences
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.table import Table
from dynamix.wire import Call, Flow, Pause

T = TypeVar("T")
Description = dict[str, Any]

_MOST_WAIT = 600.0  # seconds; the service takes a few for a table, minutes for many indexes
_MOST_BACKFILL = 86400.0  # seconds; an index of a large table takes hours to be filled


def create(policy: RetryPolicy, table: Table[Any], force: bool) -> Flow[list[TableDifference]]:
    """Create the model's table and wait until it is active. The result is how an existing table differs from the model.

    An existing table is left alone, or with `force` dropped first.
    """
    definition = define(table)
    existing = yield from describe(policy, table)
    if existing is not None and existing["TableStatus"] == "DELETING":
        yield from _wait(policy, table, _gone, "gone")
        existing = None
    if existing is not None and force:
        yield from _drop(policy, table, existing)
        existing = None
    if existing is None:
        yield from _create(policy, table, definition, force)
    active = yield from _wait(policy, table, _active, "active")
    if existing is None:
        yield from lifetime.enable(policy, table)
    return [*differences(definition, active or {}), *(yield from lifetime.differs(policy, table))]


def _create(policy: RetryPolicy, table: Table[Any], definition: dict[str, Any], force: bool) -> Flow[None]:
    """Ask for the table. Where no answer comes, whether it exists tells what became of the request.

    Raises TableInUseError where somebody else made it first, and `force` wants a fresh one.
    """
    lost: OutcomeUnknownError | None = None
    for seconds in islice(_waits(_MOST_WAIT), policy.attempts):
        try:
            yield from request(policy, _call("CreateTable", definition, "TableDescription"))
            return
        except TableInUseError:
            if force and lost is None:
                raise
            return
        except OutcomeUnknownError as error:
            lost = error
        if (yield from describe(policy, table)) is not None:
            return
        yield Pause(seconds)
    assert lost is not None  # noqa: S101 - the loop ends otherwise by return or raise
    raise lost


def compare(policy: RetryPolicy, table: Table[Any]) -> Flow[list[TableDifference]]:
    """How the table differs from the model. Raises TableNotFoundError."""
    found = differences(define(table), (yield from _existing(policy, table)))
    return [*found, *(yield from lifetime.differs(policy, table))]


def update(policy: RetryPolicy, table: Table[Any]) -> Flow[list[TableDifference]]:
    """Make the table as the model is, one change after another, and wait for each. The result is how it differed.

    Raises TableDiffersError, before anything is changed, where it differs in what no update can change, and
    TableNotFoundError. The table is looked at anew after each change, and also after one that was refused because
    another program is changing the table, or whose outcome is unknown.
    """
    definition = define(table)
    live = yield from _settle(policy, table, _active)
    before = found = differences(definition, live)
    expiry = yield from lifetime.differs(policy, table)
    refuse(table, [*found, *expiry])
    waits = _waits(_MOST_WAIT)
    while found:
        refuse(table, found)
        ready: Callable[[Description], bool] = partial(_changed, definition, found)
        try:
            yield from request(
                policy, _call("UpdateTable", difference.update(definition, live, found), "TableDescription")
            )
        except (TableInUseError, OutcomeUnknownError):
            seconds = next(waits, None)
            if seconds is None:
                raise
            yield Pause(seconds)
            ready = _active
        live = yield from _settle(policy, table, ready)
        found = differences(definition, live)
    if expiry:
        yield from lifetime.enable(policy, table)
    return [*before, *expiry]


def refuse(table: Table[Any], found: Sequence[TableDifference]) -> None:
    """Raises TableDiffersError where a difference cannot be updated."""
    lasting = tuple(difference for difference in found if not difference.updatable)
    if lasting:
        error = TableDiffersError(
            f"the table {table.name!r} of {table.schema.model_name} differs from the model in what no update can "
            f"change: {'; '.join(map(str, lasting))}; make a new table, or give another name to a global index that "
            "should change"
        )
        error.differences = lasting
        raise error


def drop(policy: RetryPolicy, table: Table[Any]) -> Flow[None]:
    """Delete the table and wait until it is gone. A table that does not exist is no error."""
    existing = yield from describe(policy, table)
    if existing is not None:
        yield from _drop(policy, table, existing)


def _drop(policy: RetryPolicy, table: Table[Any], before: Description) -> Flow[None]:
    """Delete the table that has this description, and wait until it is gone. One that is gone already is no error.

    Where no answer comes, the table tells what became of the request: it is gone, or going, or another than before.
    """
    failures = 0
    waits = _waits(_MOST_WAIT)
    while True:
        try:
            yield from request(policy, _call("DeleteTable", {"TableName": table.name}, "TableDescription"))
            break
        except TableNotFoundError:
            return
        except TableInUseError:
            seconds = next(waits, None)
            if seconds is None:
                raise
            yield Pause(seconds)
        except OutcomeUnknownError:
            failures += 1
            now = yield from describe(policy, table)
            if now is None or now.get("TableId") != before.get("TableId"):
                return
            if now["TableStatus"] == "DELETING":
                break
            seconds = next(waits, None)
            if seconds is None or failures == policy.attempts:
                raise
            yield Pause(seconds)
    yield from _wait(policy, table, _gone, "gone")


def describe(policy: RetryPolicy, table: Table[Any]) -> Flow[Description | None]:
    """The service's description of the table, or None where it does not exist."""
    try:
        return (yield from _existing(policy, table))
    except TableNotFoundError:
        return None


def _existing(policy: RetryPolicy, table: Table[Any]) -> Flow[Description]:
    """The service's description of the table. Raises TableNotFoundError."""
    return (yield from request(policy, _call("DescribeTable", {"TableName": table.name}, "Table")))


def count(policy: RetryPolicy, table: Table[Any]) -> Flow[int]:
    """The number of items as the service's description has it, which it updates about every six hours."""
    return int((yield from _existing(policy, table)).get("ItemCount", 0))


def _settle(policy: RetryPolicy, table: Table[Any], ready: Callable[[Description], bool]) -> Flow[Description]:
    """Wait until the description of a table that exists is as asked for. Raises TableNotFoundError."""
    live = yield from _wait(policy, table, lambda live: live is None or ready(live), "active", _MOST_BACKFILL)
    if live is None:
        raise TableNotFoundError(f"the table {table.name!r} does not exist")
    return live


def _wait(
    policy: RetryPolicy,
    table: Table[Any],
    ready: Callable[[Description | None], bool],
    state: str,
    most: float = _MOST_WAIT,
) -> Flow[Description | None]:
    """Wait until the table's description, or that there is none, is as asked for."""
    for seconds in _waits(most):
        description = yield from describe(policy, table)
        if ready(description):
            return description
        yield Pause(seconds)
    late = DynamixError(f"the table {table.name!r} is not {state} after {most:.0f} seconds; ask again later")
    late.applied = "maybe"
    raise late


def _gone(description: Description | None) -> bool:
    return description is None


def _active(description: Description | None) -> bool:
    """Whether there is a table and it is active with all its indexes. One that was just made may not be told of yet."""
    if description is None or description["TableStatus"] != "ACTIVE":
        return False
    indexes = (*description.get("GlobalSecondaryIndexes", ()), *description.get("VectorIndexes", ()))
    return all(index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes)


def _changed(definition: Description, before: Sequence[TableDifference], description: Description) -> bool:
    """Whether a change has taken place: descriptions come late, and may still be what was before."""
    return _active(description) and differences(definition, description) != before


def _waits(most: float) -> Iterator[float]:
    """The seconds to wait between two looks, `most` in all: short at first, for places that are quick."""
    seconds, waited = 0.02, 0.0
    while waited < most:
        yield seconds
        waited += seconds
        seconds = min(seconds * 1.5, 5.0)


def _call(target: str, body: dict[str, Any], member: str) -> Call[Description]:
    """A request whose answer has a table's description as this member."""

    def described(answer: bytes) -> Description:
        description = _decode(answer).get(member)
        if description is None or not {"TableName", "TableStatus"} <= description.keys():
            raise msgspec.DecodeError(f"it has no {member} with a name and a status")
        return description

    return Call(target, msgspec.json.encode(body), described, repeatable=target == "DescribeTable")


_decode = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
