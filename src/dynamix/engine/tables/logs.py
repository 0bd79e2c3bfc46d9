"""Which tables have a log of their changes: those of which something needs the past.

What needs it says so in the table's record (`Record.log_kept`), and has the log settled whenever that changes.
"""

from dynamix.engine.data.changes import ChangeLog
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Log, Record
from dynamix.engine.tables.table import Table, fresh_record


def settle(catalog: Catalog, record: Record) -> None:
    """Begin or end the log of a table, or change how long it keeps changes, as what needs it wants.

    The record is to be stored afterwards, if the table is not removed.
    """
    kept = record.log_kept
    if record.log is None:
        if kept:
            record.log = Log(ChangeLog.create(catalog.execute, kept).id, kept)
    elif kept:
        record.log.kept = kept
    else:
        ChangeLog(record.log.id, 0).end(catalog.execute)
        record.log = None


def wanted_lag(catalog: Catalog) -> int:
    """For how many seconds the engine's reads need to know the past."""
    return -(-catalog.lag // 1000)


def unsettled(catalog: Catalog) -> list[Table]:
    """The tables whose logs go by another lag than the engine's."""
    names = catalog.names("", -1) if catalog.lag else catalog.swept()
    tables = [catalog.named(name) for name in names]
    return [table for table in tables if table.record.lag != wanted_lag(catalog)]


def settle_all(catalog: Catalog) -> None:
    """Let the logs of all tables go by the engine's lag."""
    for table in unsettled(catalog):
        record = fresh_record(table)
        record.lag = wanted_lag(catalog)
        settle(catalog, record)
        catalog.save(table, record)
