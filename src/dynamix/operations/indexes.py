"""What an index really holds.

A model says what its indexes hold, and the table may have been made by another hand. An attribute that is missing in an
index's answer is missing in the item only if the index would hold it; else it was just not loaded. So where a model
claims more than the keys, the first read of the index over a connection looks at the service's own description of the
table, once. Where that may not be looked at, what an answer lacks counts as not loaded.
"""

from typing import Any, NamedTuple

from dynamix.errors import (
    ClientException,
    InvalidAnswerError,
    InvalidQueryError,
    ServiceUnavailableError,
    ThrottledError,
)
from dynamix.expressions.walk import paths
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.index import Index
from dynamix.schema.table import Schema, Table
from dynamix.selection import Search, Selection
from dynamix.wire import Flow


class Held(NamedTuple):
    """The attributes of a model that an index holds, None for all, and whether that is sure."""

    attributes: frozenset[str] | None
    sure: bool = True


Projections = dict[str, frozenset[str] | None]
"""The stored names that each index of a table holds beside the keys, None for all of them."""


class LiveIndexes:
    """What one connection knows of the indexes of its tables."""

    def __init__(self) -> None:
        self._tables: dict[str, Projections | None] = {}
        self._held: dict[tuple[str, Index], Held] = {}

    def held(self, policy: RetryPolicy, table: Table[Any], index: Index) -> Flow[Held]:
        """What an index of a table holds of the table's model."""
        known = self._held.get((table.name, index))
        if known is None:
            known = yield from self._find(policy, table, index)
        return known

    def forget(self, table_name: str) -> None:
        """The table may be another by now."""
        self._tables.pop(table_name, None)
        for key in list(self._held):
            if key[0] == table_name:
                self._held.pop(key, None)

    def _find(self, policy: RetryPolicy, table: Table[Any], index: Index) -> Flow[Held]:
        schema = table.schema
        declared = schema.projection.loaded_from(index)
        if index.name is None or declared == schema.projection.keys_of_index(index):
            return self._kept(table, index, Held(declared))
        projections = self._tables.get(table.name, {})
        if projections is not None and index.name not in projections:
            try:
                from dynamix.operations.tables import describe  # which many programs never need

                projections = _projections((yield from describe(policy, table)) or {})
            except (ThrottledError, ServiceUnavailableError):
                return Held(declared, sure=False)
            except (ClientException, InvalidAnswerError, LookupError):  # not to be asked, or told in another way
                projections = None
            self._tables[table.name] = projections
        if projections is None:
            return self._kept(table, index, Held(declared, sure=False))
        if index.name not in projections:  # the read itself will be refused
            return Held(declared, sure=False)
        return self._kept(table, index, Held(_common(schema, index, declared, projections[index.name])))

    def _kept(self, table: Table[Any], index: Index, held: Held) -> Held:
        self._held[table.name, index] = held
        return held


def _projections(description: dict[str, Any]) -> Projections:
    found: Projections = {}
    for group in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in description.get(group) or ():
            projection = index["Projection"]
            names = frozenset(projection.get("NonKeyAttributes") or ())
            found[index["IndexName"]] = None if projection["ProjectionType"] == "ALL" else names
    return found


def _common(
    schema: Schema[Any], index: Index, declared: frozenset[str] | None, live: frozenset[str] | None
) -> frozenset[str] | None:
    """The attributes that an index holds both in the model and in the table."""
    if live is None:
        return declared
    there = frozenset(name for name, field in schema.fields.items() if field.name in live)
    if schema.versions is not None and schema.versions.field.name in live:
        there |= {schema.versions.field.attribute}
    return (there if declared is None else there & declared) | schema.projection.keys_of_index(index)


def check_held(search: Search[Any], selection: Selection, held: Held) -> None:
    """Refuse to filter by, and to choose, what the table's index does not hold, whatever the model says."""
    if held.attributes is None or not held.sure:
        return
    index = search.index
    asked = [path.source for condition in selection.filters for path in paths(condition)]
    if not index.local:  # of a local one, the service reads what was chosen from the table
        asked += search.fields
        if search.fields and search.schema.versions is not None and index.projection == "INCLUDE":
            asked.append(search.schema.versions.field)
    for field in asked:
        if field is not None and field.attribute not in held.attributes:
            raise InvalidQueryError(
                f"the model says that the index {index.name!r} holds {field}, but that of the table does not; make the "
                "index anew, or change the model and read the table"
            )
