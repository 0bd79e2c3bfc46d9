"""What is asked of global tables: the answers for an account in one region, whose tables have no replicas."""

from typing import Any, NoReturn

from dynamix.engine.faults import Fault
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.phases import SETTLED


def list_global_tables(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """There are none, whatever "ExclusiveStartGlobalTableName", "RegionName" and "Limit" would leave out."""
    return {"GlobalTables": []}


def describe_global_table(storage: Storage, request: dict[str, Any]) -> NoReturn:
    """There is none, nor are there settings of one or anything to update."""
    name = request["GlobalTableName"]
    raise Fault("GlobalTableNotFoundException", f"Global table with name: {name} does not exist.")


def describe_table_replica_auto_scaling(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """A table without replicas."""
    with storage.reading() as catalog:
        table = catalog.named(request["TableName"])
    status = (table.phase or SETTLED).status
    return {"TableAutoScalingDescription": {"TableName": table.name, "TableStatus": status, "Replicas": []}}
