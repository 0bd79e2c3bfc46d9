"""ListStreams, DescribeStream, GetShardIterator, GetRecords: what has changed in a table, in order.

Source: Amazon DynamoDB Streams API Reference; the words are those of DynamoDB Local where the reference has none.
"""

import hashlib
from typing import Any

import msgspec

from dynamix.codec.sizes import item_size
from dynamix.engine.data.changes import Change
from dynamix.engine.data.keys import KeySchema
from dynamix.engine.data.rows import decode_item
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.requests.iterators import Position, iterator, position
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables import streams
from dynamix.engine.tables.catalog import PIECE_ROWS, Catalog
from dynamix.engine.tables.record import STREAM_SECONDS
from dynamix.engine.tables.streams import Shard, Stream

_MOST_LISTED = 100
_MOST_RECORDS = 1000
_MOST_BYTES = 1024 * 1024
_INVALID = "One or more parameter values were invalid: "
_BY_NUMBER = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
_FIRST_NUMBER = 10**20
"""Added to the number of a change, so that a sequence number has 21 digits and sorts as text, too."""

_FARTHEST = 1e12
"""Seconds beyond which no time is told from another."""

_TIME_TO_LIVE = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
"""Who removes items whose time to live has ended."""


def list_streams(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The streams that can be read, of one table or of all."""
    limit = request.get("Limit", _MOST_LISTED)
    if limit > _MOST_LISTED:
        raise invalid(f"{_INVALID}Limit cannot be greater than the maximum allowed size: {_MOST_LISTED}")
    after = ("", "")
    if "ExclusiveStartStreamArn" in request:
        after = streams.named_by(request["ExclusiveStartStreamArn"])
        if not any(after):
            raise invalid("Invalid StreamArn")
    told: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"Streams": told}
    with storage.reading() as catalog:
        for stream in streams.streams(catalog, request.get("TableName"), after):
            if len(told) == limit:
                answer["LastEvaluatedStreamArn"] = told[-1]["StreamArn"]
                break
            told.append({"StreamArn": stream.arn, "TableName": stream.table, "StreamLabel": stream.label})
    return answer


def describe_stream(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """What a stream is like, and its shards."""
    limit = request.get("Limit", _MOST_LISTED)
    if limit > _MOST_LISTED:
        raise invalid(f"{_INVALID}Limit cannot be greater than the maximum: {_MOST_LISTED}")
    parent = _filtered_parent(request)
    with storage.reading() as catalog:
        stream = _found(catalog, request["StreamArn"])
        shards = [
            shard
            for shard in streams.shards(catalog, stream)
            if shard.name > request.get("ExclusiveStartShardId", "") and parent in (None, shard.parent)
        ]
    described: dict[str, Any] = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.label,
        "StreamStatus": "ENABLED" if stream.ended is None else "DISABLED",
        "StreamViewType": stream.view,
        "CreationRequestDateTime": stream.created / 1000,
        "TableName": stream.table,
        "KeySchema": stream.described["KeySchema"],
        "Shards": [_described(shard) for shard in shards[:limit]],
    }
    if len(shards) > limit:
        described["LastEvaluatedShardId"] = shards[limit - 1].name
    return {"StreamDescription": described}


def get_shard_iterator(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """A place in a shard from which records can be read for 15 minutes."""
    kind = request["ShardIteratorType"]
    number = _given_number(kind, request)
    moment = _given_moment(kind, request)
    with storage.reading() as catalog:
        now = catalog.milliseconds()
        stream = _found(catalog, request["StreamArn"])
        shard = _shard(catalog, stream, request["ShardId"])
        place: int | None = None
        if number is not None:
            place = _at_number(catalog, stream, shard, number) + (kind == "AFTER_SEQUENCE_NUMBER")
        elif kind == "LATEST":
            place = _last(catalog, stream, shard) + 1
        elif moment is not None:
            if moment > now:
                raise invalid(f"{_INVALID}Timestamp should not be in the future")
            if moment > now - STREAM_SECONDS * 1000:
                place = max(stream.log.first_since(catalog.execute, moment), shard.first)
    return {"ShardIterator": iterator(Position(stream.arn, shard.name, place, now))}


def get_records(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The records from an iterator on, and an iterator for those that follow; none where a closed shard has ended."""
    limit = request.get("Limit", _MOST_RECORDS)
    if limit > _MOST_RECORDS:
        raise invalid(f"{_INVALID}Limit should be less than or equal to {_MOST_RECORDS}")
    records: list[dict[str, Any]] = []
    size = 0
    with storage.reading() as catalog:
        now = catalog.milliseconds()
        asked = position(request["ShardIterator"], now)
        stream, shard, first, last = _run(catalog, asked)
        if last - first >= PIECE_ROWS and catalog.give_way is not None:
            catalog.give_way()
            stream, shard, first, last = _run(catalog, asked)
        following = last + 1
        keys = stream.key_schema
        for change in stream.log.between(catalog.execute, first, last, low=shard.low, high=shard.high):
            record = _record(stream, keys, change)
            size += record["dynamodb"]["SizeBytes"]
            if len(records) == limit or (records and size > _MOST_BYTES):
                following = change.number
                break
            records.append(record)
    answer: dict[str, Any] = {"Records": records}
    if shard.last is None or following <= shard.last:
        answer["NextShardIterator"] = iterator(Position(stream.arn, shard.name, max(first, following), now))
    return answer


def _found(catalog: Catalog, arn: str) -> Stream:
    stream = streams.find(catalog, arn)
    if stream is None:
        raise Fault("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
    return stream


def _shard(catalog: Catalog, stream: Stream, name: str) -> Shard:
    for shard in streams.shards(catalog, stream):
        if shard.name == name:
            return shard
    raise Fault("ResourceNotFoundException", "Shard does not exist")


def _filtered_parent(request: dict[str, Any]) -> str | None:
    """The shard whose children alone are asked for."""
    wanted = request.get("ShardFilter")
    if not wanted:
        return None
    if "Type" not in wanted or "ShardId" not in wanted:
        raise invalid(f"{_INVALID}Type and ShardId must both be specified in ShardFilter")
    name: str = wanted["ShardId"]
    return name


def _given_number(kind: str, request: dict[str, Any]) -> int | None:
    """The number of the change that a request names."""
    text = request.get("SequenceNumber")
    if kind not in _BY_NUMBER:
        if text is not None:
            raise invalid(f"{_INVALID}SequenceNumber should not be passed for this iterator type")
        return None
    if text is None or not (text.isascii() and text.isdigit()):
        raise invalid(f"{_INVALID}Invalid SequenceNumber")
    return int(text) - _FIRST_NUMBER


def _given_moment(kind: str, request: dict[str, Any]) -> int | None:
    """The time that a request names, in milliseconds."""
    seconds = request.get("Timestamp")
    if kind != "AT_TIMESTAMP":
        if seconds is not None:
            raise invalid(f"{_INVALID}Timestamp should not be passed for this iterator type")
        return None
    if seconds is None:
        raise invalid(f"{_INVALID}Timestamp must be specified for this iterator type")
    return int(min(max(seconds, -_FARTHEST), _FARTHEST) * 1000)


def _last(catalog: Catalog, stream: Stream, shard: Shard) -> int:
    """The number of the shard's last change, or of the newest there is while it is open."""
    return stream.log.bounds(catalog.execute)[1] if shard.last is None else shard.last


def _at_number(catalog: Catalog, stream: Stream, shard: Shard, number: int) -> int:
    """Refuse the number of no change of the shard, or of one that is gone."""
    if not shard.first <= number <= _last(catalog, stream, shard):
        raise invalid("Invalid SequenceNumber for the shard")
    if number < streams.horizon(catalog, stream):
        raise _trimmed()
    return number


def _first(catalog: Catalog, stream: Stream, shard: Shard, number: int | None, last: int) -> int:
    """The number of the change to be read first. Raises Fault where it is gone."""
    oldest = streams.horizon(catalog, stream)
    if number is None:
        return max(shard.first, oldest)
    if number < oldest and number <= last:
        raise _trimmed()
    return number


def _run(catalog: Catalog, asked: Position) -> tuple[Stream, Shard, int, int]:
    """Where to read for an iterator: the stream, the shard, the numbers of the first and of the last change."""
    stream = _found(catalog, asked.stream)
    shard = _shard(catalog, stream, asked.shard)
    last = _last(catalog, stream, shard)
    return stream, shard, _first(catalog, stream, shard, asked.number, last), last


def _trimmed() -> Fault:
    return Fault(
        "TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard."
    )


def _described(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": _sequence_number(shard.first)}
    if shard.last is not None:
        numbers["EndingSequenceNumber"] = _sequence_number(max(shard.first, shard.last))
    described: dict[str, Any] = {"ShardId": shard.name, "SequenceNumberRange": numbers}
    if shard.parent is not None:
        described["ParentShardId"] = shard.parent
    return described


def _sequence_number(number: int) -> str:
    return str(_FIRST_NUMBER + number)


def _record(stream: Stream, keys: KeySchema, change: Change) -> dict[str, Any]:
    """A change as a record: of the images those that the view of the stream has."""
    old, new = change.old, change.new
    present = new if new is not None else old
    assert present is not None  # noqa: S101 - a change has a row before it or after it
    key = keys.key_of(decode_item(present[1]))
    number = _sequence_number(change.number)
    told: dict[str, Any] = {"ApproximateCreationDateTime": change.at // 1000, "Keys": key}
    size = item_size(key)
    for member, row, views in (
        ("NewImage", new, ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")),
        ("OldImage", old, ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")),
    ):
        if row is not None and stream.view in views:
            told[member] = msgspec.Raw(row[1])
            size += row[0]
    record: dict[str, Any] = {
        "eventID": hashlib.md5(f"{stream.arn} {number}".encode(), usedforsecurity=False).hexdigest(),
        "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": stream.region,
        "dynamodb": {**told, "SequenceNumber": number, "SizeBytes": size, "StreamViewType": stream.view},
    }
    if change.expired:
        record["userIdentity"] = _TIME_TO_LIVE
    return record
