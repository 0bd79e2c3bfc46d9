"""CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable."""

from collections.abc import Iterable
from typing import Any

from dynamix.engine.actions.indexes import backfill
from dynamix.engine.data.rows import Store
from dynamix.engine.faults import Fault, invalid, unavailable
from dynamix.engine.operations import vector_indexes
from dynamix.engine.operations.clearing import clear
from dynamix.engine.operations.policies import check_policy, new_policy
from dynamix.engine.operations.tags import check_tags
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import backups, billing, definitions, descriptions, logs, streams
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.changing import begun, leave, leaving, leaving_names, note
from dynamix.engine.tables.phases import SETTLED, Phase, check_deletable, check_updatable, in_use
from dynamix.engine.tables.record import Record
from dynamix.engine.tables.table import Table, fresh_record
from dynamix.engine.vectors.rows import VectorRows
from dynamix.limits import GLOBAL_INDEXES

_LIST_LIMIT = 100
_NOT_CREATED = ("GlobalTableSourceArn", "GlobalTableSettingsReplicationMode")
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


def create_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Make a table. It can be used at once; only this answer calls it CREATING."""
    _check_available("CreateTable", request, _NOT_CREATED)
    definitions.check_table(request)
    tags = check_tags({}, request.get("Tags") or ())
    if "ResourcePolicy" in request:
        check_policy(request["ResourcePolicy"])
    name = request["TableName"]
    with storage.writing() as catalog:
        if catalog.find(name) is not None:
            raise Fault("ResourceInUseException", f"Table already exists: {name}")
        if leaving(catalog, name) is not None:
            raise in_use(name, "DELETING")
        record = new_record(catalog, request)
        record.tags = tags
        if "ResourcePolicy" in request:
            record.policies[""] = new_policy(catalog, request["ResourcePolicy"])
        _switch_stream(catalog, record, request.get("StreamSpecification"))
        return {"TableDescription": added(catalog, record)}


def new_record(catalog: Catalog, request: dict[str, Any]) -> Record:
    """The record of a table that a checked request defines, with empty stores. It is to be added to the catalog."""
    description = descriptions.new_description(request, catalog.home.table_arn(request["TableName"]), catalog.now())
    indexes = [
        index["IndexName"]
        for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        for index in description.get(member, ())
    ]
    stores = {index: Store.create(catalog.execute).id for index in indexes}
    vectors = [index["IndexName"] for index in description.get("VectorIndexes", ())]
    stores |= {index: VectorRows.create(catalog.execute).id for index in vectors}
    return Record(description, Store.create(catalog.execute).id, stores)


def added(catalog: Catalog, record: Record) -> dict[str, Any]:
    """Let a new table be known. Returns its description in the answer to what made it."""
    if catalog.lag:
        record.lag = logs.wanted_lag(catalog)
        logs.settle(catalog, record)
    phase = Phase("CREATING", dict.fromkeys(record.index_stores, "CREATING"))
    record.change = begun(catalog, phase)
    return descriptions.told(catalog, catalog.add(record.description["TableName"], record), phase)


def describe_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """What a table is like, and how much it holds."""
    name = request["TableName"]
    with storage.reading() as catalog:
        description = None if catalog.find(name) else leaving(catalog, name)
        if description is None:
            table = catalog.named(name)
            description = descriptions.told(catalog, table, table.phase or SETTLED)
    return {"Table": description}


def list_tables(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The names of tables, in order."""
    limit = request.get("Limit", _LIST_LIMIT)
    with storage.reading() as catalog:
        after = request.get("ExclusiveStartTableName", "")
        names = sorted({*catalog.names(after, limit + 1), *leaving_names(catalog, after)})
    answer: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return answer


def delete_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a table and its items."""
    with storage.writing() as catalog:
        described = None if catalog.find(request["TableName"]) else leaving(catalog, request["TableName"])
        if described is not None:
            return _shown_deleted(described)
        table = catalog.named(request["TableName"])
        check_deletable(table.name, table.phase)
        if table.record.description["DeletionProtectionEnabled"]:
            raise invalid(
                "Resource cannot be deleted as it is currently protected against deletion. "
                "Disable deletion protection first."
            )
        described = descriptions.told(catalog, table, Phase("DELETING"))
        if "StreamSpecification" in table.record.description:
            streams.end(catalog, fresh_record(table))
        recoverable = table.record.recovery is not None
        if recoverable:
            backups.add_of_deleted(catalog, table.record)
        catalog.remove(table, keep_items=recoverable)
        leave(catalog, described)
    for index in table.vectors:
        storage.vectors.forget(index.rows)
    clear(storage)
    return _shown_deleted(described)


def _shown_deleted(described: dict[str, Any]) -> dict[str, Any]:
    """What is told of a table that is deleted to who has that done."""
    shown = (
        "TableName",
        "TableStatus",
        "ProvisionedThroughput",
        "TableSizeBytes",
        "ItemCount",
        "TableArn",
        "TableId",
        "BillingModeSummary",
        "DeletionProtectionEnabled",
    )
    return {"TableDescription": {member: described[member] for member in shown if member in described}}


def update_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Change a table's settings, or make or remove one index."""
    _check_available("UpdateTable", request, _NOT_UPDATED)
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
    with storage.writing() as catalog:
        table = catalog.named(request["TableName"])
        _check_phase(table, updates, vector_updates)
        record = fresh_record(table)
        definitions.check_redefined(definitions.attribute_types(record.description["AttributeDefinitions"]), given)
        _check_stream(record.description, request)
        billing.update_billing(record.description, request, catalog.now())
        descriptions.set_settings(record.description, request)
        statuses: dict[str, str] = {}
        dropped: Store | None = None
        for update in updates:
            (kind, index), *_ = update.items()
            name = index["IndexName"]
            statuses[name] = {"Create": "CREATING", "Update": "UPDATING", "Delete": "DELETING"}[kind]
            if kind == "Create":
                _add_index(catalog, record, given, index)
            elif kind == "Update":
                _update_index(record.description, index, catalog.now())
            else:
                dropped = _existing_index(table, name)
        for kind, index in vector_updates:
            statuses[index["IndexName"]] = vector_indexes.STATUSES[kind]
            if kind == "Create":
                vector_indexes.add(catalog, record, given, index)
            else:
                vector_indexes.check_present(table, index["IndexName"])
        _fill(catalog, catalog.compiled(table, record), updates, vector_updates)
        _switch_stream(catalog, record, request.get("StreamSpecification"))
        changed = catalog.save(table, record)
        phase = Phase("UPDATING", statuses)
        described = descriptions.told(catalog, changed, phase)
        if dropped is not None:
            _remove_index(catalog, changed, next(name for name in statuses if statuses[name] == "DELETING"))
        for kind, index in vector_updates:
            if kind == "Delete":
                storage.vectors.forget(changed.vector_index(index["IndexName"]).rows)
                vector_indexes.remove(catalog, changed, index["IndexName"])
        note(catalog, changed.name, phase, described)
    if "DELETING" in statuses.values():
        clear(storage)
    return {"TableDescription": described}


def _check_phase(table: Table, updates: list[dict[str, Any]], vector_updates: list[tuple[str, dict[str, Any]]]) -> None:
    """Refuse to update a table while something else of it is changing."""
    if table.phase is None:
        return
    changes = [pair for update in updates for pair in update.items()] + vector_updates
    named = {kind: {index["IndexName"] for each, index in changes if each == kind} for kind in ("Create", "Delete")}
    check_updatable(table.name, table.phase, named["Create"], named["Delete"])


def _fill(
    catalog: Catalog, prepared: Table, updates: list[dict[str, Any]], vector_updates: list[tuple[str, dict[str, Any]]]
) -> None:
    """Fill the new indexes of a table that is not stored yet, before anything is: others read meanwhile."""
    for update in updates:
        if "Create" in update:
            backfill(catalog, prepared, prepared.index(update["Create"]["IndexName"]))
    for kind, index in vector_updates:
        if kind == "Create":
            vector_indexes.fill(catalog, prepared, index["IndexName"])


def _check_available(operation: str, request: dict[str, Any], members: Iterable[str]) -> None:
    for member in members:
        if member in request:
            raise unavailable(operation, member)


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


def _switch_stream(catalog: Catalog, record: Record, specification: dict[str, Any] | None) -> None:
    """Enable or disable the stream of a table, as a request says that was found in order."""
    if specification is None:
        return
    if specification["StreamEnabled"]:
        streams.begin(catalog, record, specification)
    elif "StreamSpecification" in record.description:
        streams.end(catalog, record)


def _add_index(catalog: Catalog, record: Record, given: dict[str, str], index: dict[str, Any]) -> None:
    """Add a global index to a record, with an empty store."""
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
    record.index_stores[name] = Store.create(catalog.execute).id
    definitions.define(description, types)
    for vectors in description.get("VectorIndexes", ()):
        definitions.check_vectors(vectors, types, description)


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


def _existing_index(table: Table, name: str) -> Store:
    for index in table.indexes:
        if index.name == name and index.is_global:
            return index.store
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
