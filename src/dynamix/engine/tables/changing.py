"""What an engine that delays statuses notes of the changes of its tables. Others note nothing, and find nothing."""

from typing import Any

import msgspec

from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.phases import Phase
from dynamix.engine.tables.record import Change
from dynamix.engine.tables.table import fresh_record


def begun(catalog: Catalog, phase: Phase) -> Change | None:
    """The change that begins with a phase. An index that UpdateTable makes is filled for as long again."""
    if not catalog.delay:
        return None
    allocated = catalog.milliseconds() + catalog.delay
    fills = phase.status == "UPDATING" and "CREATING" in phase.indexes.values()
    until = allocated + catalog.delay if fills else allocated
    return Change(phase.status, allocated, until, phase.indexes, phase.gone)


def note(catalog: Catalog, name: str, phase: Phase, described: dict[str, Any]) -> None:
    """Note that a table has begun a phase, which was described so; of an index that is gone this is told meanwhile."""
    if not catalog.delay:
        return
    for member in ("GlobalSecondaryIndexes", "VectorIndexes"):
        for entry in described.get(member, ()):
            if entry["IndexStatus"] == "DELETING":
                phase = msgspec.structs.replace(phase, gone=(member, entry))
    table = catalog.named(name)
    record = fresh_record(table)
    record.change = begun(catalog, phase)
    catalog.save(table, record)


def leave(catalog: Catalog, described: dict[str, Any]) -> None:
    """Note what is told of a table that is gone."""
    if catalog.delay:
        now = catalog.milliseconds()
        catalog.execute("DELETE FROM leaving WHERE until <= ?", (now,))
        row = (described["TableName"], msgspec.json.encode(described), now + catalog.delay)
        catalog.execute("INSERT OR REPLACE INTO leaving VALUES (?, ?, ?)", row)


def leaving(catalog: Catalog, name: str) -> dict[str, Any] | None:
    """What is still told of the table of this name or ARN, which is gone."""
    if not catalog.delay:
        return None
    key = (name.rpartition(":table/")[2], catalog.milliseconds())
    row = catalog.execute("SELECT description FROM leaving WHERE name = ? AND until > ?", key).fetchone()
    return None if row is None else msgspec.json.decode(row[0])


def leaving_names(catalog: Catalog, after: str) -> list[str]:
    """The names after `after` of tables that are gone and still told of."""
    if not catalog.delay:
        return []
    key = (after, catalog.milliseconds())
    return [name for (name,) in catalog.execute("SELECT name FROM leaving WHERE name > ? AND until > ?", key)]
