"""RestoreTableFromBackup and RestoreTableToPointInTime: a new table with what there was.

The new table has items, keys, indexes, billing and encryption of its source, less what the request has otherwise, but
not its tags, stream, time to live, deletion protection or recovery. It is made in many small transactions, between
which others read and write, and is there when it is complete.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeAlias

from dynamix.engine.data.rows import FIRST, LAST, KeyedRow
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.operations.backups import found
from dynamix.engine.operations.making import enter, made
from dynamix.engine.operations.recovery import check_same, recoverable
from dynamix.engine.operations.tables import added, new_record
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import recovery
from dynamix.engine.tables.catalog import Catalog, next_piece
from dynamix.engine.tables.past import Past, TrimmedError
from dynamix.engine.tables.restored import definition
from dynamix.engine.tables.unfinished import Unfinished

Piece: TypeAlias = Callable[[Catalog], list[KeyedRow] | None]
"""Gives the next rows, perhaps none, and None after the last."""

_INVALID = "One or more parameter values were invalid: "


def restore_table_from_backup(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Make a table of what a backup holds. It can be used at once; only this answer calls it CREATING."""
    arn = request["BackupArn"]
    with storage.writing() as catalog:
        backup = found(catalog, arn)
        unfinished = _begun(catalog, backup.record.description, request)
    summary = {
        "SourceBackupArn": arn,
        "SourceTableArn": backup.record.description["TableArn"],
        "RestoreDateTime": backup.created / 1000,
    }
    low = FIRST

    def piece(catalog: Catalog) -> list[KeyedRow] | None:
        nonlocal low
        if low >= LAST:
            return None
        found(catalog, arn)
        with closing(backup.store.between(catalog.execute, low, LAST)) as rows:
            taken, low = next_piece(rows, unfinished.table.piece_rows)
        return taken

    return _filled(storage, unfinished, piece, summary)


def restore_table_to_point_in_time(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Make a table of what another one held at a moment. It can be used at once."""
    name = _source(request)
    wanted = _wanted(request)
    with storage.writing() as catalog:
        table, period = recoverable(catalog, name)
        earliest, latest = recovery.window(catalog, period)
        moment = latest if wanted is None else recovery.within(wanted, earliest, latest)
        if moment is None:
            raise _untimely()
        unfinished = _begun(catalog, table.record.description, request)
        assert table.log is not None  # noqa: S101 - a table that can be recovered has one
        if wanted is None:
            _, number = table.log.bounds(catalog.execute)
        else:
            number = recovery.number_at(catalog, table, moment)
    summary = {"SourceTableArn": table.record.description["TableArn"], "RestoreDateTime": moment / 1000}
    with Past(table.store, table.log, number) as past:

        def piece(catalog: Catalog) -> list[KeyedRow] | None:
            check_same(catalog, table)
            try:
                return past.piece(catalog.execute, unfinished.table.piece_rows)
            except TrimmedError:
                raise _untimely() from None

        return _filled(storage, unfinished, piece, summary)


def _source(request: dict[str, Any]) -> str:
    names = [request[member] for member in ("SourceTableArn", "SourceTableName") if member in request]
    if len(names) != 1:
        raise invalid(f"{_INVALID}One of SourceTableArn and SourceTableName must be specified, and not both")
    name: str = names[0]
    return name


def _wanted(request: dict[str, Any]) -> int | None:
    """The moment that is asked for in milliseconds since 1970, None for the latest."""
    latest, seconds = request.get("UseLatestRestorableTime", False), request.get("RestoreDateTime")
    if latest == (seconds is not None):
        raise invalid(f"{_INVALID}One of RestoreDateTime and UseLatestRestorableTime must be specified, and not both")
    return None if seconds is None else recovery.milliseconds(seconds)


def _untimely() -> Fault:
    return Fault(
        "InvalidRestoreTimeException",
        "RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime",
    )


def _begun(catalog: Catalog, source: dict[str, Any], request: dict[str, Any]) -> Unfinished:
    """The new table, without items; nobody knows of it yet."""
    name = request["TargetTableName"]
    if catalog.find(name) is not None:
        raise Fault("TableAlreadyExistsException", f"Table already exists: {name}")
    return Unfinished(catalog, new_record(catalog, definition(source, request)))


def _filled(storage: Storage, unfinished: Unfinished, piece: Piece, summary: dict[str, Any]) -> dict[str, Any]:
    """Fill the new table piece by piece, and let it be known."""

    more = True

    def step(catalog: Catalog) -> None:
        nonlocal more
        rows = piece(catalog)
        if rows:
            enter(catalog, unfinished.table, rows)
        more = rows is not None

    def finish(catalog: Catalog) -> dict[str, Any]:
        unfinished.record.description["RestoreSummary"] = {**summary, "RestoreInProgress": False}
        described = added(catalog, unfinished.finish(catalog))
        described["RestoreSummary"] = {**summary, "RestoreInProgress": True}
        return {"TableDescription": described}

    return made(storage, unfinished, iter(lambda: step if more else None, None), finish)
