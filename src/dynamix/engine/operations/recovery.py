"""DescribeContinuousBackups and UpdateContinuousBackups: whether a table can be recovered to a point in time.

The service keeps backups of all tables; what can be switched is recovery to any moment. The engine can recover a table
to the present moment, where the service is some minutes behind.
"""

from typing import Any

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import recovery
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Recovery
from dynamix.engine.tables.table import Table


def describe_continuous_backups(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Whether a table can be recovered, and to which moments."""
    with storage.reading() as catalog:
        return _told(catalog, sought(catalog, request["TableName"]))


def update_continuous_backups(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Begin or end that a table can be recovered, or change for how many days."""
    wanted = request["PointInTimeRecoverySpecification"]
    days = wanted.get("RecoveryPeriodInDays")
    if not wanted["PointInTimeRecoveryEnabled"] and days is not None:
        raise invalid(
            "One or more parameter values were invalid: RecoveryPeriodInDays can be specified only when "
            "PointInTimeRecoveryEnabled is true"
        )
    with storage.writing() as catalog:
        table = sought(catalog, request["TableName"])
        if wanted["PointInTimeRecoveryEnabled"]:
            table = recovery.switch(catalog, table, days or recovery.MOST_DAYS)
        elif table.record.recovery is not None:
            table = recovery.switch(catalog, table, None)
        return _told(catalog, table)


def sought(catalog: Catalog, name: str) -> Table:
    """The table of this name or ARN. The operations on backups have an error of their own where there is none."""
    table = catalog.find(name)
    if table is None:
        raise Fault("TableNotFoundException", f"Table not found: {name}")
    return table


def recoverable(catalog: Catalog, name: str) -> tuple[Table, Recovery]:
    """A table that can be recovered, and since when. Raises Fault."""
    table = sought(catalog, name)
    if table.record.recovery is None:
        raise Fault(
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{table.name}'",
        )
    return table, table.record.recovery


def check_same(catalog: Catalog, table: Table) -> None:
    """Refuse to go on reading a table that is gone, or that could not be recovered for a while."""
    now, _ = recoverable(catalog, table.name)
    if now.id != table.id or now.log is None or table.log is None or now.log.id != table.log.id:
        raise Fault("TableNotFoundException", f"Table not found: {table.name}")


def _told(catalog: Catalog, table: Table) -> dict[str, Any]:
    found = table.record.recovery
    described: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    if found is not None:
        earliest, latest = recovery.window(catalog, found)
        described = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": found.days,
            "EarliestRestorableDateTime": earliest / 1000,
            "LatestRestorableDateTime": latest / 1000,
        }
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": described,
        }
    }
