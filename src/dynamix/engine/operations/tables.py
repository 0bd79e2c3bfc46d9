"""CreateTable, DescribeTable, ListTables, DeleteTable."""

from collections.abc import Iterable
from typing import Any

from dynamix.engine.data.rows import Store
from dynamix.engine.faults import Fault, invalid, unavailable
from dynamix.engine.operations.clearing import clear
from dynamix.engine.operations.policies import check_policy, new_policy
from dynamix.engine.operations.tags import check_tags
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import backups, definitions, descriptions, logs, streams
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.changing import begun, leave, leaving, leaving_names
from dynamix.engine.tables.phases import SETTLED, Phase, check_deletable, in_use
from dynamix.engine.tables.record import Record
from dynamix.engine.tables.table import Table, fresh_record
from dynamix.engine.vectors.rows import VectorRows

_LIST_LIMIT = 100
_NOT_CREATED = ("GlobalTableSourceArn", "GlobalTableSettingsReplicationMode")
"""What the engine has not; taken without a word, it would be missed later."""


def create_table(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Make a table. It can be used at once; only this answer calls it CREATING."""
    check_available("CreateTable", request, _NOT_CREATED)
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
        switch_stream(catalog, record, request.get("StreamSpecification"))
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
        check_deletable(table.name, changing(table, table.record))
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


def changing(table: Table, record: Record) -> Phase | None:
    """The phase of a table: while an index is made of it, it is as if it were updated."""
    return Phase("UPDATING") if "index" in record.copying.values() else table.phase


def check_available(operation: str, request: dict[str, Any], members: Iterable[str]) -> None:
    for member in members:
        if member in request:
            raise unavailable(operation, member)


def switch_stream(catalog: Catalog, record: Record, specification: dict[str, Any] | None) -> None:
    """Enable or disable the stream of a table, as a request says that was found in order."""
    if specification is None:
        return
    if specification["StreamEnabled"]:
        streams.begin(catalog, record, specification)
    elif "StreamSpecification" in record.description:
        streams.end(catalog, record)
