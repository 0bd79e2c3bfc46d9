"""Recovery to a point in time: which moments a table can be recovered to, and what it held then.

A table that can be recovered has the log of its changes (data/changes.py) for as long as its period says. What it held
at a moment is what it holds now, with what was changed after that moment put back.

Source: DynamoDB Developer Guide, "Point-in-time backups for DynamoDB".
"""

from dynamix.engine.tables import logs
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import DAY_SECONDS, Recovery
from dynamix.engine.tables.table import Table, fresh_record

MOST_DAYS = 35
_FARTHEST = 1e12
"""Seconds beyond which no time is told from another."""


def window(catalog: Catalog, recovery: Recovery) -> tuple[int, int]:
    """The first and the last moment that a table can be recovered to, in milliseconds since 1970."""
    now = catalog.milliseconds()
    return min(now, _earliest(recovery, now)), now


def within(moment: int, earliest: int, latest: int) -> int | None:
    """A moment, if a table can be recovered to it. Many clients tell whole seconds: one stands for the earliest."""
    if moment // 1000 == earliest // 1000:
        moment = max(moment, earliest)
    return moment if earliest <= moment <= latest else None


def milliseconds(seconds: float) -> int:
    """A time of a request in milliseconds since 1970."""
    return round(min(max(seconds, -_FARTHEST), _FARTHEST) * 1000)


def switch(catalog: Catalog, table: Table, days: int | None) -> Table:
    """Let a table be recovered to any moment of so many days from now on, or no more with None."""
    record = fresh_record(table)
    now = catalog.milliseconds()
    if days is None:
        record.recovery = None
    elif record.recovery is None:
        record.recovery = Recovery(now, days)
    else:  # what the old period has let go does not come back with a longer one
        record.recovery = Recovery(_earliest(record.recovery, now), days)
    logs.settle(catalog, record)
    return catalog.save(table, record)


def number_at(catalog: Catalog, table: Table, moment: int) -> int:
    """The number of the last change that was made until a moment, 0 if there is none."""
    assert table.log is not None  # noqa: S101 - a table that can be recovered has one
    return table.log.first_since(catalog.execute, moment + 1) - 1


def begin_anew(catalog: Catalog) -> None:
    """Let no table be recovered to a moment before now: what there is was put in place of what there was."""
    for name in catalog.swept():
        table = catalog.find(name)
        if table is not None and table.record.recovery is not None:
            record = fresh_record(table)
            record.recovery = Recovery(catalog.milliseconds(), table.record.recovery.days)
            catalog.save(table, record)


def _earliest(recovery: Recovery, now: int) -> int:
    return max(recovery.since, now - recovery.days * DAY_SECONDS * 1000)
