"""The vector indexes that UpdateTable makes and removes, one at a time."""

from typing import Any

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.tables import definitions, descriptions
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Record
from dynamix.engine.tables.table import Table, fresh_record
from dynamix.engine.vectors.rows import VectorRows

_ACTIONS = "VectorIndexUpdate.Create, VectorIndexUpdate.Delete"


def read_updates(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What is to become of which index: pairs of "Create" or "Delete" and what that says. Raises Fault."""
    updates: list[dict[str, Any]] = request.get("VectorIndexUpdates") or []
    for update in updates:
        if len(update) != 1:
            problem = f"Only one of {_ACTIONS} may be specified" if update else f"One of {_ACTIONS} must not be null"
            raise invalid(f"One or more parameter values were invalid: {problem}")
    return [pair for update in updates for pair in update.items()]


def add(record: Record, given: dict[str, str], index: dict[str, Any]) -> None:
    """Add a vector index to a record, which is to get its rows. `given` are the types that the request defines."""
    description = record.description
    existing = description.setdefault("VectorIndexes", [])
    name = index["IndexName"]
    if name in record.index_stores:
        raise invalid("Attempting to create an index which already exists")
    types = definitions.attribute_types(description["AttributeDefinitions"]) | given
    definitions.check_vectors(index, types, description)
    definitions.check_vectors_together([*existing, index])
    existing.append(descriptions.new_vectors(description, index))
    definitions.check_projections(definitions.indexes_of(description))
    definitions.define(description, types)


def check_present(table: Table, name: str) -> None:
    """Refuse to remove an index that there is not."""
    if all(index.name != name for index in table.vectors):
        raise Fault("ResourceNotFoundException", "Requested resource not found")


def remove(catalog: Catalog, table: Table, name: str) -> None:
    """Remove a vector index and its rows."""
    record = fresh_record(table)
    description = record.description
    kept = [index for index in description["VectorIndexes"] if index["IndexName"] != name]
    description["VectorIndexes"] = kept
    if not kept:
        del description["VectorIndexes"]
    VectorRows(record.index_stores.pop(name)).discard(catalog.execute)
    definitions.define(description, definitions.attribute_types(description["AttributeDefinitions"]))
    catalog.save(table, record)
