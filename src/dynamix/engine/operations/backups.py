"""CreateBackup, DescribeBackup, ListBackups, DeleteBackup.

A backup holds the items as they were when its making began, and others go on writing meanwhile. It can be restored when
its making is answered.
"""

import math
from typing import Any

from dynamix.engine.data.rows import Store
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.operations.clearing import clear
from dynamix.engine.operations.copying import copied, is_large
from dynamix.engine.operations.making import made
from dynamix.engine.operations.recovery import sought
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import backups, billing
from dynamix.engine.tables.backups import Backup
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.past import copy
from dynamix.engine.tables.record import Record
from dynamix.engine.tables.recovery import milliseconds
from dynamix.engine.tables.table import Table
from dynamix.engine.tables.unfinished import Copying

_MOST_LISTED = 100
_KEYS = ("TableName", "AttributeDefinitions", "KeySchema")


def create_backup(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Keep what a table is now. Only this answer calls the backup CREATING."""
    name = request["BackupName"]
    with storage.writing() as catalog:
        table = sought(catalog, request["TableName"])
        store = Store.create(catalog.execute)
        if not is_large(catalog, table):
            copy(catalog, table.store, store)
            return _made(catalog, table, store, name)
        told = {member: table.record.description[member] for member in _KEYS}
        job = Copying(catalog, Record(told, store.id, {}), "backup")

    def finish(catalog: Catalog) -> dict[str, Any]:
        catalog.save(job.source, job.finish(catalog))
        return _made(catalog, table, store, name)

    return made(storage, job, copied(job, lambda catalog, rows: store.fill(catalog.execute, rows)), finish)


def _made(catalog: Catalog, table: Table, store: Store, name: str) -> dict[str, Any]:
    backup = backups.add(catalog, table.record, store, name, "USER")
    return {"BackupDetails": _details(catalog, backup, "CREATING")}


def describe_backup(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """What a backup is like, and what its table was like."""
    with storage.reading() as catalog:
        return _described(catalog, found(catalog, request["BackupArn"]), "AVAILABLE")


def delete_backup(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a backup."""
    with storage.writing() as catalog:
        backup = found(catalog, request["BackupArn"])
        described = _described(catalog, backup, "DELETED")
        backups.remove(catalog, backup)
    clear(storage)
    return described


def list_backups(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The backups of one table or of all, the oldest first."""
    limit = request.get("Limit", _MOST_LISTED)
    kind = request.get("BackupType", "USER")
    low = milliseconds(request.get("TimeRangeLowerBound", -math.inf))
    high = milliseconds(request.get("TimeRangeUpperBound", math.inf))
    if low > high:
        raise invalid(
            "One or more parameter values were invalid: TimeRangeLowerBound must not be later than TimeRangeUpperBound"
        )
    after = ""
    if "ExclusiveStartBackupArn" in request:
        after = backups.label_of(request["ExclusiveStartBackupArn"])
        if not after:
            raise invalid("Invalid ExclusiveStartBackupArn: it is not the ARN of a backup")
    name = request.get("TableName")
    summaries: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"BackupSummaries": summaries}
    with storage.reading() as catalog:
        for backup in backups.listed(catalog, name and name.rpartition(":table/")[2], after):
            if kind not in ("ALL", backup.kind) or backup.created < low:
                continue
            if backup.created >= high:
                break
            if len(summaries) == limit:
                answer["LastEvaluatedBackupArn"] = summaries[-1]["BackupArn"]
                break
            summaries.append(_summary(catalog, backup))
    return answer


def found(catalog: Catalog, arn: str) -> Backup:
    """The backup of this ARN. Raises Fault."""
    backup = backups.find(catalog, arn)
    if backup is None:
        raise Fault("BackupNotFoundException", f"Backup not found: {arn}")
    return backup


def _details(catalog: Catalog, backup: Backup, status: str) -> dict[str, Any]:
    _, size = backup.store.totals(catalog.execute)
    details = {
        "BackupArn": backup.arn,
        "BackupName": backup.name,
        "BackupSizeBytes": size,
        "BackupStatus": status,
        "BackupType": backup.kind,
        "BackupCreationDateTime": backup.created / 1000,
    }
    if backup.expires is not None:
        details["BackupExpiryDateTime"] = backup.expires / 1000
    return details


def _summary(catalog: Catalog, backup: Backup) -> dict[str, Any]:
    described = backup.record.description
    of_table = {member: described[member] for member in ("TableName", "TableId", "TableArn")}
    return of_table | _details(catalog, backup, "AVAILABLE")


def _described(catalog: Catalog, backup: Backup, status: str) -> dict[str, Any]:
    record = backup.record
    table = record.description
    items, size = backup.store.totals(catalog.execute)
    source = {member: table[member] for member in ("TableName", "TableId", "TableArn", "KeySchema")}
    source |= {
        "TableSizeBytes": size,
        "TableCreationDateTime": table["CreationDateTime"],
        "ProvisionedThroughput": _units(table),
        "ItemCount": items,
        "BillingMode": billing.mode_of(table),
    }
    if "OnDemandThroughput" in table:
        source["OnDemandThroughput"] = table["OnDemandThroughput"]
    features: dict[str, Any] = {}
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"):
        if member in table:
            features[member] = [_index(index) for index in table[member]]
    if "StreamSpecification" in table:
        features["StreamDescription"] = table["StreamSpecification"]
    if record.expiry is not None:
        features["TimeToLiveDescription"] = {
            "TimeToLiveStatus": "ENABLED",
            "AttributeName": record.expiry.attribute,
        }
    if "SSEDescription" in table:
        features["SSEDescription"] = table["SSEDescription"]
    return {
        "BackupDescription": {
            "BackupDetails": _details(catalog, backup, status),
            "SourceTableDetails": source,
            "SourceTableFeatureDetails": features,
        }
    }


def _index(described: dict[str, Any]) -> dict[str, Any]:
    told = {member: value for member, value in described.items() if member not in ("IndexArn", "WarmThroughput")}
    if "ProvisionedThroughput" in told:
        told["ProvisionedThroughput"] = _units(described)
    return told


def _units(described: dict[str, Any]) -> dict[str, int]:
    throughput = described["ProvisionedThroughput"]
    return {member: throughput[member] for member in ("ReadCapacityUnits", "WriteCapacityUnits")}
