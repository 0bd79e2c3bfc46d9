"""Which tables have a log of their changes: those of which something needs the past.

What needs it says so in the table's record (`Record.log_kept`), and has the log settled whenever that changes.
"""

from dynamix.engine.data.changes import ChangeLog
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import Log, Record


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
