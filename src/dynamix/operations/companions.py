"""Flows on the tables of a model: its own, and beside it that of the guards of its unique values, where there is one.
A table that several models share is taken as all of them describe it.

Each is the flow of `dynamix.operations.tables` of the same name, on both.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from dynamix.differences import GuardTableDiffers, TableDifference
from dynamix.errors import TableNotFoundError
from dynamix.operations import tables
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.shared import whole
from dynamix.schema.table import Table
from dynamix.wire import Flow

Differences: TypeAlias = list[TableDifference]


def create(policy: RetryPolicy, table: Table[Any], force: bool) -> Flow[Differences]:
    """Create the tables that are not there; with `force` each is dropped first. Guards come before what they guard."""
    table = whole(table)
    guarding = table.guarding
    if guarding is None:
        return (yield from tables.create(policy, table, force))
    of_guards = yield from tables.create(policy, guarding, force)
    found = yield from tables.create(policy, table, force)
    return [*found, *_told(guarding, of_guards)]


def compare(policy: RetryPolicy, table: Table[Any]) -> Flow[Differences]:
    """How the tables differ from the model. Raises TableNotFoundError where there is none of the model's own."""
    table = whole(table)
    found = yield from tables.compare(policy, table)
    if table.guarding is None:
        return found
    return [*found, *(yield from _compare_guards(policy, table.guarding))]


def update(policy: RetryPolicy, table: Table[Any]) -> Flow[Differences]:
    """Make the tables as the model is; that of guards is created where it is missing."""
    table = whole(table)
    guarding = table.guarding
    if guarding is None:
        return (yield from tables.update(policy, table))
    of_guards = yield from _compare_guards(policy, guarding)
    tables.refuse(guarding, of_guards)
    found = yield from tables.update(policy, table)
    if any(one.difference is None for one in of_guards):
        yield from tables.create(policy, guarding, False)
    elif of_guards:
        yield from tables.update(policy, guarding)
    return [*found, *of_guards]


def drop(policy: RetryPolicy, table: Table[Any]) -> Flow[None]:
    """Delete the tables. Guards go last, so that none is missing while its item is there."""
    table = whole(table)
    yield from tables.drop(policy, table)
    if table.guarding is not None:
        yield from tables.drop(policy, table.guarding)


def _compare_guards(policy: RetryPolicy, guarding: Table[Any]) -> Flow[list[GuardTableDiffers]]:
    try:
        return _told(guarding, (yield from tables.compare(policy, guarding)))
    except TableNotFoundError:
        return [GuardTableDiffers(guarding.name, None)]


def _told(guarding: Table[Any], found: Sequence[TableDifference]) -> list[GuardTableDiffers]:
    return [GuardTableDiffers(guarding.name, difference) for difference in found]
