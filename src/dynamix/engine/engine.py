"""The engine's face: a request's bytes in, an answer's status and bytes out.

A request passes four floors: its shape is checked (requests/shapes.py), its expressions are read
(requests/expressions.py), the operation does its work within one transaction of the storage, and the answer, a dict in
which stored items are still raw JSON, is encoded.
"""

import contextlib
import logging
import math
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, TypeAlias

import msgspec

from dynamix.engine.broken import Breakage, Broken
from dynamix.engine.buckets.bucket import Bucket
from dynamix.engine.faults import Fault, unable
from dynamix.engine.operations import batch, items, search, tables, transact
from dynamix.engine.requests import shapes
from dynamix.engine.storage.database import Session, Storage, open_database
from dynamix.engine.storage.failures import fault_of
from dynamix.engine.storage.settings import Settings
from dynamix.engine.storage.snapshots import Snapshot
from dynamix.engine.storage.transactions import Joined
from dynamix.engine.storage.turns import TooLateError
from dynamix.engine.sweeper import Sweeper
from dynamix.engine.tables import logs
from dynamix.engine.tables.catalog import PIECE_ROWS, Again, Later
from dynamix.engine.tables.home import ACCOUNT, REGION, Home
from dynamix.engine.tables.meter import Meter
from dynamix.engine.tables.realism import Realism
from dynamix.engine.tables.streams import roll_all
from dynamix.errors import StorageError, ValidationException

_Operation: TypeAlias = Callable[[Storage, dict[str, Any]], dict[str, Any] | None]

_OPERATIONS: dict[str, _Operation] = {
    "GetItem": items.get_item,
    "PutItem": items.put_item,
    "UpdateItem": items.update_item,
    "DeleteItem": items.delete_item,
    "Query": search.query,
    "Scan": search.scan,
    "BatchGetItem": batch.batch_get_item,
    "BatchWriteItem": batch.batch_write_item,
    "TransactGetItems": transact.transact_get_items,
    "TransactWriteItems": transact.transact_write_items,
    "CreateTable": tables.create_table,
    "DescribeTable": tables.describe_table,
    "ListTables": tables.list_tables,
    "DeleteTable": tables.delete_table,
}
_LATER = {
    "SearchVectors": ("vectors", "search_vectors"),
    "ExecuteStatement": ("statements", "execute_statement"),
    "BatchExecuteStatement": ("statements", "batch_execute_statement"),
    "ExecuteTransaction": ("statements", "execute_transaction"),
    "UpdateTable": ("updating", "update_table"),
    "UpdateTimeToLive": ("lifetime", "update_time_to_live"),
    "DescribeTimeToLive": ("lifetime", "describe_time_to_live"),
    "TagResource": ("tags", "tag_resource"),
    "UntagResource": ("tags", "untag_resource"),
    "ListTagsOfResource": ("tags", "list_tags_of_resource"),
    "ListStreams": ("streams", "list_streams"),
    "DescribeStream": ("streams", "describe_stream"),
    "GetShardIterator": ("streams", "get_shard_iterator"),
    "GetRecords": ("streams", "get_records"),
    "PutResourcePolicy": ("policies", "put_resource_policy"),
    "GetResourcePolicy": ("policies", "get_resource_policy"),
    "DeleteResourcePolicy": ("policies", "delete_resource_policy"),
    "DescribeContributorInsights": ("insights", "describe_contributor_insights"),
    "UpdateContributorInsights": ("insights", "update_contributor_insights"),
    "ListContributorInsights": ("insights", "list_contributor_insights"),
    "EnableKinesisStreamingDestination": ("destinations", "enable_kinesis_streaming_destination"),
    "DisableKinesisStreamingDestination": ("destinations", "disable_kinesis_streaming_destination"),
    "UpdateKinesisStreamingDestination": ("destinations", "update_kinesis_streaming_destination"),
    "DescribeKinesisStreamingDestination": ("destinations", "describe_kinesis_streaming_destination"),
    "ListGlobalTables": ("replicas", "list_global_tables"),
    "DescribeGlobalTable": ("replicas", "describe_global_table"),
    "DescribeGlobalTableSettings": ("replicas", "describe_global_table"),
    "UpdateGlobalTable": ("replicas", "describe_global_table"),
    "DescribeTableReplicaAutoScaling": ("replicas", "describe_table_replica_auto_scaling"),
    "CreateBackup": ("backups", "create_backup"),
    "DescribeBackup": ("backups", "describe_backup"),
    "ListBackups": ("backups", "list_backups"),
    "DeleteBackup": ("backups", "delete_backup"),
    "RestoreTableFromBackup": ("restore", "restore_table_from_backup"),
    "RestoreTableToPointInTime": ("restore", "restore_table_to_point_in_time"),
    "DescribeContinuousBackups": ("recovery", "describe_continuous_backups"),
    "UpdateContinuousBackups": ("recovery", "update_continuous_backups"),
    "ExportTableToPointInTime": ("exports", "export_table_to_point_in_time"),
    "DescribeExport": ("exports", "describe_export"),
    "ListExports": ("exports", "list_exports"),
    "ImportTable": ("imports", "import_table"),
    "DescribeImport": ("imports", "describe_import"),
    "ListImports": ("imports", "list_imports"),
    "DescribeLimits": ("account", "describe_limits"),
    "DescribeEndpoints": ("account", "describe_endpoints"),
}
"""What many programs do not ask for, by module and function: it is loaded when it is first asked for."""

NO_FOLDERS: Mapping[str, str] = {}
MOST_SHARDS = 1000
"""How many open shards a stream may have."""

MOST_SECONDS = 3600
"""How long at most what an engine is told to take its time for can take."""

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class Engine:
    """DynamoDB in this process: in memory, or in the file at `path`.

    All methods may be called from any thread. A file may be used by several processes at once. `clock` gives the time
    in seconds since 1970; items expire by it, and records of streams grow old. With `durability="full"` an answered
    write in a file survives that the machine goes off, with "process" only the end of the process. `account` and
    `region` are those of ARNs.

    Once in `sweep_seconds` a thread removes what has expired, as soon as there is a table with a time to live or a
    stream; with None nothing is removed but by `expire()`. A new stream has `stream_shards` open shards, each for the
    items whose partition keys have their hash in its range.

    A change of a table is done when it is answered. With `delay_statuses` it is told as being under way for so many
    seconds (CREATING, UPDATING, DELETING, and as long again Backfilling), and what the service refuses meanwhile is
    refused. With `throttle` requests are refused for which a table or an index has not the throughput. With `lag` reads
    that need not be consistent, and those of global indexes, see what was there so many seconds ago.

    `buckets` has the folders that stand for buckets, by name: tables are exported to them and imported from them.

    Raises `dynamix.ValidationException` for a number of shards or seconds or a folder that cannot be, and
    `dynamix.DatabaseFileError` if the file cannot be opened, is not an engine's, or is of a newer dynamix.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sweep_seconds: float | None = 1.0,
        stream_shards: int = 1,
        durability: Literal["process", "full"] = "process",
        account: str = ACCOUNT,
        region: str = REGION,
        delay_statuses: float = 0.0,
        throttle: bool = False,
        lag: float = 0.0,
        buckets: Mapping[str, str | os.PathLike[str]] = NO_FOLDERS,
    ) -> None:
        if not 1 <= stream_shards <= MOST_SHARDS:
            raise ValidationException(f"stream_shards={stream_shards!r} cannot be; give one from 1 to {MOST_SHARDS}")
        self._sweeper = Sweeper(self, sweep_seconds)
        settings = Settings(
            clock,
            self._sweeper,
            stream_shards,
            Home(account, region),
            durable=durability == "full",
            realism=Realism(
                _milliseconds(delay_statuses=delay_statuses), _milliseconds(lag=lag), Meter(clock) if throttle else None
            ),
            buckets={name: _bucket(name, folder) for name, folder in buckets.items()},
        )
        self._throttles = throttle
        self._breakage = Breakage()
        self._database = open_database(path, settings)
        self._session = self._database.sessions()
        self.in_memory = path is None
        if path is not None:
            self._look()

    def handle(self, target: str, body: bytes, deadline: float = math.inf) -> tuple[int, bytes]:
        """Answer one request: HTTP status and JSON. Any bytes have an answer.

        Nothing is raised but what a signal handler raises meanwhile: then the request was carried out as a whole or
        not at all, and the engine goes on. With a deadline, a time of `time.monotonic`, TooLateError is raised where
        other threads use the engine until then: the request was not carried out.
        """
        if self._breakage.pending and (broken := self._breakage.next(target)) is not None:
            fault = broken.answer()
            if fault is not None:
                return fault.status, fault.body()
            _wait(broken.seconds, deadline)
        session = self._session()
        session.deadline = deadline
        return _handled(session, target, body)

    def in_passing(self, target: str, body: bytes, rows: int = PIECE_ROWS) -> tuple[int, bytes] | None:
        """As `handle`, where that takes a moment only. None, and nothing done, where it would read more than so many
        rows, or would have to wait for another one that writes."""
        if self._throttles or self._breakage.pending:  # what is begun and left to others would count twice
            return None
        try:
            return _handled(self._session(hurried=True, at_first=rows), target, body)
        except Later:
            return None

    def together(self, requests: Sequence[tuple[str, bytes]], *, in_passing: bool) -> list[tuple[int, bytes]] | None:
        """Carry out requests that write in one transaction, each as if it were alone, and give their answers.

        None where they cannot be carried out in this way, or, if it is to be done `in_passing`, not at once: then
        nothing is done.
        """
        if self._throttles or self._breakage.pending:
            return None
        session = self._session(hurried=in_passing)
        try:
            if len(requests) == 1:
                return [_answer(session, *requests[0])]
            with session.writing() as catalog:
                return [_answer(Joined(catalog, session.vectors), target, body) for target, body in requests]
        except Later:
            return None
        except Exception as error:
            _log.debug("requests are carried out one by one, as they could not be together: %s", error)
            session.abandon()
            return None
        except BaseException:
            session.abandon()
            raise

    def fail_with(self, *broken: Broken) -> None:
        """Let go wrong what is given, in place of what was given before; without arguments nothing goes wrong any more.

        Raises `dynamix.ValidationException` for what cannot be, such as to cut off a connection that there is not.
        """
        if any(each.kind == "cut" for each in broken):
            raise ValidationException("only a server has connections to cut; see --control of `dynamix serve`")
        self._breakage.set(broken)

    def expire(self) -> int:
        """Remove now what has expired: items whose time to live has ended. Returns how many items that were.

        Records of streams that are older than a day go as well, and shards that have been open for four hours are
        closed.
        """
        return self._sweep(lambda: False)

    def roll_shards(self) -> int:
        """Close the open shards of all streams now, as time does after four hours, and open their children.

        Returns how many were closed.
        """
        session = self._session()
        try:
            with session.writing() as catalog:
                return roll_all(catalog)
        except BaseException:
            session.abandon()
            raise

    def snapshot(self) -> Snapshot:
        """A copy of all tables as they are now, kept in memory."""
        return self._database.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Make all tables what they were when the snapshot was taken, by this engine or another."""
        self._database.restore(snapshot)

    def check(self) -> None:
        """Read the whole file and look whether it is sound; raises `dynamix.DatabaseFileError` where it is not."""
        self._database.check()

    def close(self) -> None:
        """End the use of the database, and the thread that sweeps. What is in memory only is lost."""
        self._sweeper.end()
        self._database.close()

    def _look(self) -> None:
        """Begin to sweep where there is something to sweep, and to log changes or not, as the lag wants it.

        What does not work is told to who asks for something.
        """
        session = self._session()
        try:
            with session.reading() as catalog:
                if catalog.ages():
                    self._sweeper.seen()
                settled = not logs.unsettled(catalog)
            if not settled:
                with session.writing() as catalog:
                    logs.settle_all(catalog)
        except (sqlite3.Error, Fault):
            session.abandon()

    def _sweep(self, stopped: Callable[[], bool]) -> int:
        session = self._session()
        try:
            from dynamix.engine.operations import sweeping

            return sweeping.sweep(session, stopped)
        except BaseException:
            session.abandon()
            raise


def _milliseconds(**given: float) -> int:
    """Seconds, by the name of their option, as milliseconds. Raises ValidationException."""
    ((name, seconds),) = given.items()
    if not 0 <= seconds <= MOST_SECONDS:
        raise ValidationException(f"{name}={seconds!r} cannot be; give seconds from 0 to {MOST_SECONDS}")
    return round(seconds * 1000)


def _wait(seconds: float, deadline: float) -> None:
    """Raises TooLateError at the deadline, where that is sooner."""
    left = deadline - time.monotonic()
    time.sleep(max(min(seconds, left), 0.0))
    if left < seconds:
        raise TooLateError


def _bucket(name: str, folder: str | os.PathLike[str]) -> Bucket:
    try:
        return Bucket(folder)
    except ValueError as error:
        raise ValidationException(f"buckets={{{name!r}: ...}} cannot be: {error}") from error


def _handled(session: Session, target: str, body: bytes) -> tuple[int, bytes]:
    """The answer to one request. Raises Later in a session that is hurried."""
    try:
        return _answer(session, target, body)
    except Later:
        raise
    except StorageError as error:  # another connection to the file could not be opened
        return _failed(unable(str(error)))
    except sqlite3.Error as error:
        session.abandon()
        return _failed(fault_of(error))
    except BaseException as error:
        session.thread = 0  # there is no call before this, so nothing else can come before it
        try:
            session.abandon()
        finally:  # what came once may come again
            session.abandon()
            _clear(error)
        raise


def _answer(storage: Storage, target: str, body: bytes) -> tuple[int, bytes]:
    """The answer to a request that is carried out or refused."""
    request: dict[str, Any] = {}
    try:
        request = shapes.decode(target, body)
        operation = _OPERATIONS.get(target) or _loaded(target)
        while True:
            try:
                answer = operation(storage, request)
            except Again:
                continue
            else:
                return 200, _encode(answer) if answer is not None else b""
    except Fault as fault:
        misnamed = shapes.misnamed(target, request)  # `fault` gets no other name, which would keep all its frames
        return (fault.status, fault.body()) if misnamed is None else (misnamed.status, misnamed.body())


def _loaded(target: str) -> _Operation:
    module, name = _LATER[target]
    operation: _Operation = getattr(import_module(f"dynamix.engine.operations.{module}"), name)
    _OPERATIONS[target] = operation
    return operation


def _failed(fault: Fault) -> tuple[int, bytes]:
    _log.error("the engine could not work: %s", fault.message)
    return fault.status, fault.body()


def _clear(error: BaseException) -> None:
    """Let go what the frames hold that an exception has ended, such as cursors: who keeps it keeps them as well."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals["__name__"].startswith(__package__):
        with contextlib.suppress(RuntimeError):  # of the frame that runs
            frames.tb_frame.clear()
        frames = frames.tb_next
