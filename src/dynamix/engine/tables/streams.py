"""The streams of tables: which there are, and their shards.

A stream shows the log of its table's changes from the moment it was enabled until it was disabled, or the table
deleted; it can be read for a day after that. A shard is a run of the log's numbers, of the keys whose hash lies in its
range, so records of one item follow each other from shard to shard. A shard that has been open for four hours is
closed, and a child goes on.

Streams of a database that is restored begin anew, under new labels, since the numbers of changes are given once more.

Source: DynamoDB Developer Guide, "Change data capture for DynamoDB Streams".
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from dynamix.engine.data.changes import ChangeLog
from dynamix.engine.data.keys import KeySchema
from dynamix.engine.data.rows import hash_range
from dynamix.engine.tables import logs
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import STREAM_SECONDS, Record
from dynamix.engine.tables.table import fresh_record, key_schema

_SHARD_SECONDS = 4 * 3600
_COLUMNS = "id, table_name, label, log, view, keys, created, ended"
_SHARD_COLUMNS = "id, stream, name, parent, low, high, first, last, opened, closed"
_DROPPED_AT_ONCE = 256


class Stream(NamedTuple):
    """One stream. Times are in milliseconds since 1970; `ended` is None while it is enabled.

    `described` is what is needed of the description of its table, which may be gone.
    """

    id: int
    table: str
    label: str
    log: ChangeLog
    view: str
    described: dict[str, Any]
    created: int
    ended: int | None

    @property
    def arn(self) -> str:
        """Its name for everybody."""
        return f"{self.described['TableArn']}/stream/{self.label}"

    @property
    def region(self) -> str:
        """Where it is."""
        region: str = self.described["TableArn"].split(":")[3]
        return region

    @property
    def key_schema(self) -> KeySchema:
        """The keys of its items."""
        types = {entry["AttributeName"]: entry["AttributeType"] for entry in self.described["AttributeDefinitions"]}
        return key_schema(self.described["KeySchema"], types)


class Shard(NamedTuple):
    """A run of a stream: the numbers of its first and last change, and its range of keys.

    `last` and `closed` are None while it is open. One that was closed without a change has a `last` before its `first`.
    """

    id: int
    stream: int
    name: str
    parent: str | None
    low: bytes
    high: bytes
    first: int
    last: int | None
    opened: int
    closed: int | None


def find(catalog: Catalog, arn: str) -> Stream | None:
    """The stream of this ARN, unless it ended more than a day ago."""
    name, label = named_by(arn)
    row = catalog.execute(
        f"SELECT {_COLUMNS} FROM streams WHERE table_name = ? AND label = ?",  # noqa: S608 - columns of our own
        (name, label),
    ).fetchone()
    stream = None if row is None else _stream(row)
    return stream if stream is not None and stream.arn == arn and _is_told(catalog, stream.ended) else None


def named_by(arn: str) -> tuple[str, str]:
    """The table's name and the label that the ARN of a stream has, both empty where it is none."""
    of_table, _, label = arn.partition("/stream/")
    _, _, name = of_table.partition(":table/")
    return (name, label) if name and label else ("", "")


def streams(catalog: Catalog, table: str | None = None, after: tuple[str, str] = ("", "")) -> Iterator[Stream]:
    """The streams, of one table or of all, that come after a table's name and a label, in their order."""
    rows = catalog.execute(
        f"SELECT {_COLUMNS} FROM streams WHERE (table_name, label) > (?, ?) AND table_name = COALESCE(?, table_name) "  # noqa: S608
        "ORDER BY table_name, label",
        (*after, table),
    )
    for row in rows:
        stream = _stream(row)
        if _is_told(catalog, stream.ended):
            yield stream


def shards(catalog: Catalog, stream: Stream) -> list[Shard]:
    """The shards of a stream in their order, but for those whose records are all gone."""
    rows = catalog.execute(
        f"SELECT {_SHARD_COLUMNS} FROM shards WHERE stream = ? ORDER BY id",  # noqa: S608
        (stream.id,),
    )
    found = [Shard(*row) for row in rows]
    return [shard for shard in found if _is_told(catalog, shard.closed)]


def horizon(catalog: Catalog, stream: Stream) -> int:
    """The number of the oldest change that is still to be read."""
    return stream.log.first_since(catalog.execute, catalog.milliseconds() - STREAM_SECONDS * 1000)


def begin(catalog: Catalog, record: Record, specification: dict[str, Any]) -> None:
    """Enable a stream for the table of a record, which is to be stored afterwards."""
    description = record.description
    description["StreamSpecification"] = specification
    logs.settle(catalog, record)
    assert record.log is not None  # noqa: S101 - there is one now
    now = catalog.milliseconds()
    name = description["TableName"]
    label = _new_label(catalog, name, now)
    description["LatestStreamLabel"] = label
    description["LatestStreamArn"] = f"{description['TableArn']}/stream/{label}"
    described = {member: description[member] for member in ("TableArn", "KeySchema", "AttributeDefinitions")}
    view = specification["StreamViewType"]
    stream = catalog.execute(
        "INSERT INTO streams (table_name, label, log, view, keys, created) VALUES (?, ?, ?, ?, ?, ?)",
        (name, label, record.log.id, view, msgspec.json.encode(described), now),
    ).lastrowid
    assert stream is not None  # noqa: S101 - an INSERT has one
    _, last = ChangeLog(record.log.id, 0).bounds(catalog.execute)
    for number in range(catalog.stream_shards):
        _open_shard(catalog, stream, None, *hash_range(number, catalog.stream_shards), last + 1)


def end(catalog: Catalog, record: Record) -> None:
    """Disable the stream of a table, whose record is to be stored afterwards, if it is not removed."""
    del record.description["StreamSpecification"]
    row = catalog.execute(
        f"SELECT {_COLUMNS} FROM streams WHERE table_name = ? AND ended IS NULL",  # noqa: S608
        (record.description["TableName"],),
    ).fetchone()
    stream = _stream(row)
    catalog.execute("UPDATE streams SET ended = ? WHERE id = ?", (catalog.milliseconds(), stream.id))
    for shard in _open_shards(catalog, stream):
        _close(catalog, stream, shard)
    logs.settle(catalog, record)


def roll(catalog: Catalog, stream: Stream, shard: Shard) -> None:
    """Close an open shard, and let a child go on."""
    last = _close(catalog, stream, shard)
    _open_shard(catalog, stream.id, shard.name, shard.low, shard.high, last + 1)


def roll_all(catalog: Catalog, opened_before: int | None = None) -> int:
    """Roll the open shards of all streams, or those that were opened at or before a time. Returns how many."""
    rolled = 0
    for stream in list(streams(catalog)):
        for shard in _open_shards(catalog, stream):
            if opened_before is None or shard.opened <= opened_before:
                roll(catalog, stream, shard)
                rolled += 1
    return rolled


def relabel(catalog: Catalog) -> None:
    """End all streams, leaving nothing of them, and begin anew those that were enabled."""
    catalog.execute("DELETE FROM shards")
    catalog.execute("DELETE FROM streams")
    for name in catalog.swept():
        table = catalog.find(name)
        if table is not None and "StreamSpecification" in table.record.description:
            record = fresh_record(table)
            begin(catalog, record, record.description["StreamSpecification"])
            catalog.save(table, record)


def is_due(catalog: Catalog) -> bool:
    """Whether time has closed a shard, or ended what is kept of a stream."""
    now = catalog.milliseconds()
    gone = now - STREAM_SECONDS * 1000
    (due,) = catalog.execute(
        "SELECT EXISTS (SELECT 1 FROM shards WHERE opened <= ? AND closed IS NULL) "
        "OR EXISTS (SELECT 1 FROM shards WHERE closed < ?) OR EXISTS (SELECT 1 FROM streams WHERE ended < ?) "
        "OR EXISTS (SELECT 1 FROM logs WHERE NOT live AND id NOT IN (SELECT log FROM streams))",
        (now - _SHARD_SECONDS * 1000, gone, gone),
    ).fetchone()
    return bool(due)


def sweep(catalog: Catalog) -> None:
    """Close the shards that have been open for long enough, and remove some of what is kept no more."""
    now = catalog.milliseconds()
    gone = now - STREAM_SECONDS * 1000
    roll_all(catalog, now - _SHARD_SECONDS * 1000)
    catalog.execute("DELETE FROM shards WHERE closed < ?", (gone,))
    catalog.execute("DELETE FROM shards WHERE stream IN (SELECT id FROM streams WHERE ended < ?)", (gone,))
    catalog.execute("DELETE FROM streams WHERE ended < ?", (gone,))
    row = catalog.execute(
        "SELECT id FROM logs WHERE NOT live AND id NOT IN (SELECT log FROM streams) ORDER BY id LIMIT 1"
    ).fetchone()
    if row is not None:
        log = ChangeLog(row[0], 0)
        if log.trim(catalog.execute, now + 1, _DROPPED_AT_ONCE) < _DROPPED_AT_ONCE:
            log.drop(catalog.execute)


def _stream(row: tuple[Any, ...]) -> Stream:
    id_, table, label, log, view, described, created, ended = row
    log = ChangeLog(log, STREAM_SECONDS)
    return Stream(id_, table, label, log, view, msgspec.json.decode(described), created, ended)


def _is_told(catalog: Catalog, ended: int | None) -> bool:
    return ended is None or ended >= catalog.milliseconds() - STREAM_SECONDS * 1000


def _new_label(catalog: Catalog, table: str, now: int) -> str:
    """The time as a label, or the next one that no stream of the table has."""
    while True:
        moment = datetime.fromtimestamp(now / 1000, UTC)
        label = moment.isoformat(timespec="milliseconds").removesuffix("+00:00")
        taken = catalog.execute("SELECT 1 FROM streams WHERE table_name = ? AND label = ?", (table, label)).fetchone()
        if taken is None:
            return label
        now += 1


def _open_shard(catalog: Catalog, stream: int, parent: str | None, low: bytes, high: bytes, first: int) -> None:
    """A new shard. Its name is made of its time, or of the first one after that no shard of the stream has."""
    now = catalog.milliseconds()
    (newest,) = catalog.execute("SELECT MAX(name) FROM shards WHERE stream = ?", (stream,)).fetchone()
    number = now if newest is None else max(now, int(newest.split("-")[1]) + 1)
    name = f"shardId-{number:020d}-{secrets.token_hex(4)}"
    catalog.execute(
        "INSERT INTO shards (stream, name, parent, low, high, first, opened) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (stream, name, parent, low, high, first, now),
    )


def _open_shards(catalog: Catalog, stream: Stream) -> list[Shard]:
    return [shard for shard in shards(catalog, stream) if shard.closed is None]


def _close(catalog: Catalog, stream: Stream, shard: Shard) -> int:
    """Returns the number of the last change that the shard has."""
    _, last = stream.log.bounds(catalog.execute)
    catalog.execute(
        "UPDATE shards SET last = ?, closed = ? WHERE id = ?",
        (last, catalog.milliseconds(), shard.id),
    )
    return last
