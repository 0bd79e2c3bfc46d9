"""UpdateTable: a table's settings, and its indexes made and removed, one at a time."""

from typing import Any

from dynamix.engine.actions import indexes, vectors
from dynamix.engine.data.rows import Store
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.operations import vector_indexes
from dynamix.engine.operations.clearing import clear
from dynamix.engine.operations.copying import IndexSteps, is_large
from dynamix.engine.operations.making import made
from dynamix.engine.operations.tables import changing, check_available, switch_stream
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import billing, definitions, descriptions, unfinished
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.changing import note
from dynamix.engine.tables.phases import Phase, check_updatable
from dynamix.engine.tables.record import Record
from dynamix.engine.tables.table import Table, fresh_record
from dynamix.engine.tables.unfinished import Copying
from dynamix.engine.vectors.rows import VectorRows
from dynamix.limits import GLOBAL_INDEXES

_STATUSES = {"Create": "CREATING", "Update": "UPDATING", "Delete": "DELETING"}
_NOT_UPDATED = (
    "ReplicaUpdates",
    "MultiRegionConsistency",
    "GlobalTableWitnessUpdates",
    "GlobalTableSettingsReplicationMode",
    "DisassociationProtectionEnabled",
)
"""What the engine has not; taken without a word, it would be missed later."""
_UPDATES = (
    "ProvisionedThroughput",
    "BillingMode",
    "StreamSpecification",
    "GlobalSecondaryIndexUpdates",
    "VectorIndexUpdates",
    "SSESpecification",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
)


def update_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Change a table's settings, or make or remove one index."""
    check_available("UpdateTable", request, _NOT_UPDATED)
    updates = request.get("GlobalSecondaryIndexUpdates") or []
    vector_updates = vector_indexes.read_updates(request)
    if not any(request.get(member) not in (None, [], {}) for member in _UPDATES):
        raise invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
            "SSESpecification or ReplicaUpdates is required"
        )
    billing.check_throughput(request)
    _check_updates(updates)
    definitions.check_encryption(request.get("SSESpecification") or {})
    given = definitions.attribute_types(request.get("AttributeDefinitions") or ())
    if len(vector_updates) + sum("Update" not in update for update in updates) > 1:
        raise Fault(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )
    update = _Update(request, updates, vector_updates, given)
    with storage.writing() as catalog:
        unfinished.remove_stale(catalog)
        table = catalog.named(request["TableName"])
        record = update.changed(catalog, table, fresh_record(table))
        job = None
        if not update.made:
            described = update.saved(storage, catalog, table, record)
        elif not is_large(catalog, table):
            _fill(catalog, catalog.compiled(table, record), update.made)
            described = update.saved(storage, catalog, table, record)
        else:
            job = Copying(catalog, _of_index(record, update.made), "index")
    if job is not None:
        described = _made_in_steps(storage, job, update)
    if "DELETING" in update.statuses.values():
        clear(storage)
    return {"TableDescription": described}


class _Update:
    """What a request wants of a table. `made` is the name of the index that it makes, empty for none."""

    def __init__(
        self,
        request: dict[str, Any],
        updates: list[dict[str, Any]],
        vector_updates: list[tuple[str, dict[str, Any]]],
        given: dict[str, str],
    ) -> None:
        self._request = request
        self._updates = [pair for update in updates for pair in update.items()]
        self._vector_updates = vector_updates
        self._given = given
        self.statuses = {index["IndexName"]: _STATUSES[kind] for kind, index in [*self._updates, *vector_updates]}
        created = [index["IndexName"] for kind, index in [*self._updates, *vector_updates] if kind == "Create"]
        self.made = created[0] if created else ""

    def changed(self, catalog: Catalog, table: Table, record: Record, filled: int | None = None) -> Record:
        """The record of the table, changed; a new index has no rows, or those of the store `filled`. Raises Fault."""
        request, given = self._request, self._given
        self._check_phase(table, record)
        definitions.check_redefined(definitions.attribute_types(record.description["AttributeDefinitions"]), given)
        _check_stream(record.description, request)
        billing.update_billing(record.description, request, catalog.now())
        descriptions.set_settings(record.description, request)
        for kind, index in self._updates:
            if kind == "Create":
                _add_index(record, given, index)
                record.index_stores[index["IndexName"]] = filled or Store.create(catalog.execute).id
            elif kind == "Update":
                _update_index(record.description, index, catalog.now())
            else:
                _check_present(table, index["IndexName"])
        for kind, index in self._vector_updates:
            if kind == "Create":
                vector_indexes.add(record, given, index)
                record.index_stores[index["IndexName"]] = filled or VectorRows.create(catalog.execute).id
            else:
                vector_indexes.check_present(table, index["IndexName"])
        return record

    def saved(self, storage: Storage, catalog: Catalog, table: Table, record: Record) -> dict[str, Any]:
        """Store the changed record, and remove the index that is to go. Returns the description in the answer."""
        switch_stream(catalog, record, self._request.get("StreamSpecification"))
        changed = catalog.save(table, record)
        phase = Phase("UPDATING", self.statuses)
        described = descriptions.told(catalog, changed, phase)
        for kind, index in self._updates:
            if kind == "Delete":
                _remove_index(catalog, changed, index["IndexName"])
        for kind, index in self._vector_updates:
            if kind == "Delete":
                storage.vectors.forget(changed.vector_index(index["IndexName"]).rows)
                vector_indexes.remove(catalog, changed, index["IndexName"])
        note(catalog, changed.name, phase, described)
        return described

    def _check_phase(self, table: Table, record: Record) -> None:
        """Refuse to update a table while something else of it is changing."""
        phase = changing(table, record)
        if phase is not None:
            changes = [*self._updates, *self._vector_updates]
            created, deleted = (
                {index["IndexName"] for each, index in changes if each == kind} for kind in ("Create", "Delete")
            )
            check_updatable(table.name, phase, created, deleted)


def _fill(catalog: Catalog, prepared: Table, name: str) -> None:
    """Fill the new index of a table that is not stored yet, before anything is: others read meanwhile."""
    for index in prepared.indexes:
        if index.name == name:
            indexes.backfill(catalog, prepared, index)
    for vector_index in prepared.vectors:
        if vector_index.name == name:
            vectors.backfill(catalog, prepared, vector_index)


def _of_index(record: Record, name: str) -> Record:
    """What a record says of one of its indexes."""
    described = {member: record.description[member] for member in ("TableName", "KeySchema", "AttributeDefinitions")}
    for member in ("GlobalSecondaryIndexes", "VectorIndexes"):
        described[member] = [entry for entry in record.description.get(member, ()) if entry["IndexName"] == name]
    return Record(described, 0, {name: record.index_stores[name]})


def _made_in_steps(storage: Storage, job: Copying, update: _Update) -> dict[str, Any]:
    """Fill the new index of a large table while others write to that, and let it be known."""
    steps = IndexSteps(job)

    def finish(catalog: Catalog) -> dict[str, Any]:
        record = job.finish(catalog)
        steps.end(catalog)
        table = catalog.named(job.source.name)
        update.changed(catalog, table, record, job.record.index_stores[update.made])
        return update.saved(storage, catalog, table, record)

    return made(storage, job, steps.all(), finish)


def _check_updates(updates: list[dict[str, Any]]) -> None:
    """Refuse more than one change of an index."""
    names = set()
    for update in updates:
        if not update:
            raise invalid(
                "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, "
                "GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        if len(update) > 1:
            raise invalid(
                "One or more parameter values were invalid: Only one of GlobalSecondaryIndexUpdate.Update, "
                "GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete may be specified"
            )
        (index,) = update.values()
        name = index["IndexName"]
        if name in names:
            raise invalid(
                "One or more parameter values were invalid: Only one global secondary index update per index is "
                f"allowed simultaneously. Index: {name}"
            )
        names.add(name)


def _check_stream(description: dict[str, Any], request: dict[str, Any]) -> None:
    stream = request.get("StreamSpecification")
    if stream is None:
        return
    definitions.check_stream(stream)
    enabled = "StreamSpecification" in description
    if stream["StreamEnabled"] and enabled:
        raise invalid(f"Table already has an enabled stream: TableName: {description['TableName']}")
    if not stream["StreamEnabled"] and not enabled:
        raise invalid(f"Table has no stream to disable: TableName: {description['TableName']}")


def _add_index(record: Record, given: dict[str, str], index: dict[str, Any]) -> None:
    """Add a global index to a record, which is to get a store."""
    description = record.description
    existing = description.setdefault("GlobalSecondaryIndexes", [])
    name = index["IndexName"]
    if name in record.index_stores:
        raise invalid("Attempting to create an index which already exists")
    if len(existing) >= GLOBAL_INDEXES:
        raise invalid(
            "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of "
            f"{GLOBAL_INDEXES}"
        )
    types = definitions.attribute_types(description["AttributeDefinitions"]) | given
    definitions.check_global(index)
    definitions.check_index_defined(index, given)
    billing.check_billing(billing.billing_of(description), (index,))
    definitions.check_projections([*definitions.indexes_of(description), index])
    existing.append(descriptions.new_global(description, index))
    definitions.define(description, types)
    for existing_vectors in description.get("VectorIndexes", ()):
        definitions.check_vectors(existing_vectors, types, description)


def _update_index(description: dict[str, Any], index: dict[str, Any], now: float) -> None:
    name, throughput = index["IndexName"], index.get("ProvisionedThroughput")
    if len(index) == 1:
        raise invalid(
            "One or more parameter values were invalid: One of ProvisionedThroughput, OnDemandThroughput and "
            f"WarmThroughput must be specified for index: {name}"
        )
    for existing in description.get("GlobalSecondaryIndexes", ()):
        if existing["IndexName"] != name:
            continue
        billing.check_limits(index, billing.mode_of(description), name)
        if throughput is not None:
            billing.check_billing(billing.billing_of(description), (index,))
            billing.check_different("index", existing, throughput)
            descriptions.set_throughput(existing, throughput, now)
        descriptions.set_limits(existing, index)
        return
    raise Fault("ResourceNotFoundException", "Requested resource not found")


def _check_present(table: Table, name: str) -> None:
    """Refuse to remove an index that there is not."""
    if not any(index.name == name and index.is_global for index in table.indexes):
        raise Fault("ResourceNotFoundException", "Requested resource not found")


def _remove_index(catalog: Catalog, table: Table, name: str) -> None:
    record = fresh_record(table)
    description = record.description
    kept = [index for index in description["GlobalSecondaryIndexes"] if index["IndexName"] != name]
    description["GlobalSecondaryIndexes"] = kept
    if not kept:
        del description["GlobalSecondaryIndexes"]
    Store(record.index_stores.pop(name)).discard(catalog.execute)
    record.insights.pop(name, None)
    definitions.define(description, definitions.attribute_types(description["AttributeDefinitions"]))
    catalog.save(table, record)
