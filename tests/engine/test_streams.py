"""DynamoDB Streams: what is told of a table's changes, and for how long."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dynamix import ValidationException
from dynamix.engine import Engine
from engine.database import Clock, Database, wire

NOW = 1_800_000_000
DAY = 24 * 3600
HOUR = 3600
FIRST = 10**20 + 1


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(params=["memory", "file"])
def database(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[Database]:
    path = None if request.param == "memory" else tmp_path / "file.db"
    database = Database(Engine(path, clock=clock, sweep_seconds=None))
    yield database
    database.engine.close()


def streamed(database: Database, view: str = "NEW_AND_OLD_IMAGES", *, name: str = "tab", **more: Any) -> str:
    """Makes a table with a stream, and gives the stream's ARN."""
    stream = {"StreamEnabled": True, "StreamViewType": view}
    described = database.create("a:S", name=name, StreamSpecification=stream, **more)["TableDescription"]
    arn: str = described["LatestStreamArn"]
    return arn


def switch(database: Database, view: str | None) -> str:
    """Enables a stream of this view, or disables the stream, and gives the latest ARN."""
    stream = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
    arn: str = database.call("UpdateTable", TableName="tab", StreamSpecification=stream)["TableDescription"][
        "LatestStreamArn"
    ]
    return arn


def describe(database: Database, arn: str, **more: Any) -> dict[str, Any]:
    described: dict[str, Any] = database.call("DescribeStream", StreamArn=arn, **more)["StreamDescription"]
    return described


def shards(database: Database, arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = describe(database, arn)["Shards"]
    return found


def place(database: Database, arn: str, kind: str = "TRIM_HORIZON", *, shard: int = -1, **more: Any) -> str:
    """An iterator on one of the stream's shards."""
    given = {"StreamArn": arn, "ShardId": shards(database, arn)[shard]["ShardId"], "ShardIteratorType": kind, **more}
    text: str = database.call("GetShardIterator", **given)["ShardIterator"]
    return text


def read(database: Database, arn: str, kind: str = "TRIM_HORIZON", *, shard: int = -1, **more: Any) -> list[Any]:
    """The records of one of the stream's shards."""
    records: list[Any] = database.call("GetRecords", ShardIterator=place(database, arn, kind, shard=shard, **more))[
        "Records"
    ]
    return records


def told(records: list[Any]) -> list[tuple[str, str]]:
    """Of each record its name and the key of its item."""
    return [(record["eventName"], record["dynamodb"]["Keys"]["a"]["S"]) for record in records]


def test_records_are_exact(database: Database, clock: Clock) -> None:
    """A record has the members of the service's, and the same ones at every read."""
    arn = streamed(database)
    database.put(a="x", n=1)
    clock.now += 1.75
    database.put(a="x", n="one")
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "x"}))
    records = read(database, arn)
    assert read(database, arn) == records
    identities = [record.pop("eventID") for record in records]
    assert len(set(identities)) == 3
    assert all(len(identity) == 32 and int(identity, 16) >= 0 for identity in identities)
    common = {"eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "us-east-1"}
    key, old, new = wire({"a": "x"}), wire({"a": "x", "n": 1}), wire({"a": "x", "n": "one"})
    view = {"StreamViewType": "NEW_AND_OLD_IMAGES", "Keys": key}
    assert records == [
        {
            "eventName": "INSERT",
            **common,
            "dynamodb": {
                **view,
                "ApproximateCreationDateTime": NOW,
                "NewImage": old,
                "SequenceNumber": str(FIRST),
                "SizeBytes": 2 + 5,
            },
        },
        {
            "eventName": "MODIFY",
            **common,
            "dynamodb": {
                **view,
                "ApproximateCreationDateTime": NOW + 1,
                "NewImage": new,
                "OldImage": old,
                "SequenceNumber": str(FIRST + 1),
                "SizeBytes": 2 + 5 + 6,
            },
        },
        {
            "eventName": "REMOVE",
            **common,
            "dynamodb": {
                **view,
                "ApproximateCreationDateTime": NOW + 1,
                "OldImage": new,
                "SequenceNumber": str(FIRST + 2),
                "SizeBytes": 2 + 6,
            },
        },
    ]


@pytest.mark.parametrize(
    ("view", "images", "size"),
    [
        ("KEYS_ONLY", set(), 2),
        ("NEW_IMAGE", {"NewImage"}, 7),
        ("OLD_IMAGE", {"OldImage"}, 7),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}, 12),
    ],
)
def test_a_view_shows_its_images(database: Database, view: str, images: set[str], size: int) -> None:
    """A record has the images of the stream's view, and counts what it has."""
    arn = streamed(database, view)
    assert describe(database, arn)["StreamViewType"] == view
    database.put(a="x", n=1)
    database.put(a="x", n=2)
    record = read(database, arn)[1]["dynamodb"]
    assert {name for name in record if name.endswith("Image")} == images
    assert (record["SizeBytes"], record["StreamViewType"]) == (size, view)


def test_what_changes_nothing_leaves_no_record(database: Database) -> None:
    """A write of the same values, in whatever order and however numbers are spelt, is no change."""
    arn = streamed(database)
    database.put(a="x", n=1, s={"SS": ["p", "q"]}, m={"M": {"k": {"N": "1"}, "l": {"L": [{"NS": ["1", "2"]}]}}})
    database.put(
        s={"SS": ["q", "p"]}, n={"N": "1.0"}, m={"M": {"l": {"L": [{"NS": ["2", "1"]}]}, "k": {"N": "1e0"}}}, a="x"
    )
    database.call("UpdateItem", TableName="tab", Key=wire({"a": "x"}))
    database.call(
        "UpdateItem",
        TableName="tab",
        Key=wire({"a": "x"}),
        UpdateExpression="SET n = :n ADD s :s",
        ExpressionAttributeValues={":n": {"N": "1"}, ":s": {"SS": ["p"]}},
    )
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "none"}))
    assert told(read(database, arn)) == [("INSERT", "x")]
    database.put(a="x", n=1, s={"SS": ["p", "r"]})
    assert told(read(database, arn)) == [("INSERT", "x"), ("MODIFY", "x")]


def test_every_way_to_write_leaves_records(database: Database) -> None:
    """Batches, transactions and PartiQL are told like single writes; a refused one is not told at all."""
    arn = streamed(database)
    batch = [{"PutRequest": {"Item": wire({"a": name})}} for name in "pq"]
    database.call("BatchWriteItem", RequestItems={"tab": batch})
    database.call("ExecuteStatement", Statement="INSERT INTO tab VALUE {'a': 'r'}")
    writes = [
        {"Put": {"TableName": "tab", "Item": wire({"a": "z"})}},
        {"Delete": {"TableName": "tab", "Key": wire({"a": "p"})}},
        {
            "Update": {
                "TableName": "tab",
                "Key": wire({"a": "b"}),
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": {":n": {"N": "1"}},
            }
        },
    ]
    database.call("TransactWriteItems", TransactItems=writes)
    refused = {
        "ConditionCheck": {"TableName": "tab", "Key": wire({"a": "q"}), "ConditionExpression": "attribute_exists(n)"}
    }
    database.refusal(
        "TransactWriteItems", TransactItems=[{"Put": {"TableName": "tab", "Item": wire({"a": "no"})}}, refused]
    )
    database.refusal("PutItem", TableName="tab", Item=wire({"a": "q"}), ConditionExpression="attribute_not_exists(a)")
    records = read(database, arn)
    assert sorted(told(records[:2])) == [("INSERT", "p"), ("INSERT", "q")]
    assert told(records[2:]) == [("INSERT", "r"), ("INSERT", "z"), ("REMOVE", "p"), ("INSERT", "b")]


class Ticking(Clock):
    """A clock that goes on by a second each time that somebody looks."""

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_transaction_has_one_time(tmp_path: Path) -> None:
    """The records of a transaction have the order of its actions and one time, however long it takes."""
    for path in (None, tmp_path / "file.db"):
        database = Database(Engine(path, clock=Ticking(NOW), sweep_seconds=None))
        arn = streamed(database)
        puts = [{"Put": {"TableName": "tab", "Item": wire({"a": name})}} for name in "zxy"]
        database.call("TransactWriteItems", TransactItems=puts)
        database.put(a="later")
        records = read(database, arn)
        assert told(records) == [("INSERT", "z"), ("INSERT", "x"), ("INSERT", "y"), ("INSERT", "later")]
        times = [record["dynamodb"]["ApproximateCreationDateTime"] for record in records]
        assert times[0] == times[1] == times[2] < times[3]
        database.engine.close()


def test_removal_by_time_to_live_says_so(database: Database, clock: Clock) -> None:
    """Only what the time to live removes is told as done by the service."""
    arn = streamed(database)
    wanted = {"AttributeName": "ttl", "Enabled": True}
    database.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=wanted)
    database.put(a="x", ttl=NOW + 10)
    database.put(a="y", ttl=NOW + 10)
    database.call("DeleteItem", TableName="tab", Key=wire({"a": "y"}))
    clock.now += 20
    assert database.engine.expire() == 1
    records = read(database, arn)
    assert told(records) == [("INSERT", "x"), ("INSERT", "y"), ("REMOVE", "y"), ("REMOVE", "x")]
    assert [record.get("userIdentity") for record in records] == [
        None,
        None,
        None,
        {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"},
    ]
    assert records[3]["dynamodb"]["OldImage"] == wire({"a": "x", "ttl": NOW + 10})


def test_iterators_begin_where_they_say(database: Database, clock: Clock) -> None:
    """All five types of iterators."""
    arn = streamed(database)
    for number in range(4):
        clock.now = NOW + 10 * number
        database.put(a=f"{number}")
    latest = place(database, arn, "LATEST")

    def names(kind: str, **more: Any) -> str:
        return "".join(name for _, name in told(read(database, arn, kind, **more)))

    assert names("TRIM_HORIZON") == "0123"
    assert names("LATEST") == ""
    assert names("AT_SEQUENCE_NUMBER", SequenceNumber=str(FIRST + 1)) == "123"
    assert names("AFTER_SEQUENCE_NUMBER", SequenceNumber=str(FIRST + 1)) == "23"
    assert names("AFTER_SEQUENCE_NUMBER", SequenceNumber=str(FIRST + 3)) == ""
    assert names("AT_TIMESTAMP", Timestamp=NOW + 10) == "123"
    assert names("AT_TIMESTAMP", Timestamp=NOW + 10.001) == "23"
    assert names("AT_TIMESTAMP", Timestamp=NOW - 100) == "0123"
    assert names("AT_TIMESTAMP", Timestamp=NOW - 2 * DAY) == "0123"
    assert names("AT_TIMESTAMP", Timestamp=-1e300) == "0123"
    assert names("AT_TIMESTAMP", Timestamp=NOW + 30) == "3"
    database.put(a="4")
    assert told(database.call("GetRecords", ShardIterator=latest)["Records"]) == [("INSERT", "4")]


def test_iterators_that_cannot_be_are_refused(database: Database, clock: Clock) -> None:
    """What no shard has, and what does not go together, is refused with a word on it."""
    arn = streamed(database)
    database.put(a="x")
    (shard,) = shards(database, arn)
    invalid = "One or more parameter values were invalid: "
    for kind, more, message in (
        (
            "LATEST",
            {"SequenceNumber": str(FIRST)},
            f"{invalid}SequenceNumber should not be passed for this iterator type",
        ),
        (
            "AT_TIMESTAMP",
            {"SequenceNumber": str(FIRST)},
            f"{invalid}SequenceNumber should not be passed for this iterator type",
        ),
        ("LATEST", {"Timestamp": NOW}, f"{invalid}Timestamp should not be passed for this iterator type"),
        ("AT_TIMESTAMP", {}, f"{invalid}Timestamp must be specified for this iterator type"),
        ("AT_TIMESTAMP", {"Timestamp": NOW + 1}, f"{invalid}Timestamp should not be in the future"),
        ("AT_TIMESTAMP", {"Timestamp": 1e300}, f"{invalid}Timestamp should not be in the future"),
        ("AT_SEQUENCE_NUMBER", {}, f"{invalid}Invalid SequenceNumber"),
        ("AT_SEQUENCE_NUMBER", {"SequenceNumber": "x" * 21}, f"{invalid}Invalid SequenceNumber"),
        ("AT_SEQUENCE_NUMBER", {"SequenceNumber": str(FIRST + 1)}, "Invalid SequenceNumber for the shard"),
        ("AFTER_SEQUENCE_NUMBER", {"SequenceNumber": str(FIRST - 1)}, "Invalid SequenceNumber for the shard"),
    ):
        given = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind, **more}
        assert database.refusal("GetShardIterator", **given) == ("ValidationException", message), given
    other = {"StreamArn": arn, "ShardId": shard["ShardId"][:-1] + "g", "ShardIteratorType": "LATEST"}
    assert database.refusal("GetShardIterator", **other) == ("ResourceNotFoundException", "Shard does not exist")
    code, message = database.refusal("GetShardIterator", **{**other, "StreamArn": arn + "0"})
    assert (code, message) == ("ResourceNotFoundException", f"Requested resource not found: Stream: {arn}0 not found")
    good = place(database, arn)
    for text in ("x", good[:-8], good.replace("|1|", "|2|"), good + "é", "|1|", arn + "|1|", f"{arn}|1|bnVsbA=="):
        assert database.refusal("GetRecords", ShardIterator=text) == ("ValidationException", "Invalid ShardIterator")
    code, message = database.refusal("GetRecords", ShardIterator=good, Limit=1001)
    assert message == f"{invalid}Limit should be less than or equal to 1000"


def test_an_iterator_expires(database: Database, clock: Clock) -> None:
    """An iterator lives 15 minutes from its issue, and each read gives a new one."""
    arn = streamed(database)
    first = place(database, arn)
    clock.now += 15 * 60
    following = database.call("GetRecords", ShardIterator=first)["NextShardIterator"]
    clock.now += 1
    code, _ = database.refusal("GetRecords", ShardIterator=first)
    assert code == "ExpiredIteratorException"
    assert database.call("GetRecords", ShardIterator=following)["Records"] == []


def test_pages_of_records(database: Database) -> None:
    """A page ends at its Limit, at 1,000 records and at 1 MB, and the next one goes on."""
    arn = streamed(database)
    for start in range(0, 1025, 25):
        puts = [{"PutRequest": {"Item": wire({"a": f"{number}"})}} for number in range(start, start + 25)]
        database.call("BatchWriteItem", RequestItems={"tab": puts})
    page = database.call("GetRecords", ShardIterator=place(database, arn), Limit=3)
    assert len(page["Records"]) == 3
    page = database.call("GetRecords", ShardIterator=page["NextShardIterator"])
    assert len(page["Records"]) == 1000
    page = database.call("GetRecords", ShardIterator=page["NextShardIterator"])
    assert len(page["Records"]) == 22
    for number in range(5):
        database.put(a=f"large {number}", text="x" * 300_000)
    counts = []
    while page["Records"]:
        page = database.call("GetRecords", ShardIterator=page["NextShardIterator"])
        counts.append(len(page["Records"]))
    assert counts == [3, 2, 0]


def test_streams_are_listed_in_pages(database: Database) -> None:
    """ListStreams gives the streams of all tables or of one, in pages."""
    arns = [streamed(database, name=name) for name in ("one", "tab", "two")]
    database.create("a:S", name="without")
    streams = database.call("ListStreams")["Streams"]
    assert [stream["StreamArn"] for stream in streams] == arns
    assert streams[0] == {"StreamArn": arns[0], "TableName": "one", "StreamLabel": arns[0].rpartition("/")[2]}
    page = database.call("ListStreams", Limit=2)
    assert page["LastEvaluatedStreamArn"] == arns[1]
    page = database.call("ListStreams", Limit=2, ExclusiveStartStreamArn=page["LastEvaluatedStreamArn"])
    assert [stream["StreamArn"] for stream in page["Streams"]] == arns[2:]
    assert "LastEvaluatedStreamArn" not in page
    assert len(database.call("ListStreams", TableName="tab")["Streams"]) == 1
    assert database.call("ListStreams", TableName="none")["Streams"] == []
    switch(database, None)
    switch(database, "KEYS_ONLY")
    assert len(database.call("ListStreams", TableName="tab")["Streams"]) == 2
    _, message = database.refusal("ListStreams", Limit=101)
    assert message.endswith("Limit cannot be greater than the maximum allowed size: 100")
    assert database.refusal("ListStreams", ExclusiveStartStreamArn="x" * 40) == (
        "ValidationException",
        "Invalid StreamArn",
    )


def test_a_stream_is_described(database: Database, clock: Clock) -> None:
    """DescribeStream tells what the stream is, from its beginning to a day after its end."""
    arn = streamed(database)
    described = describe(database, arn)
    (shard,) = described.pop("Shards")
    assert described == {
        "StreamArn": arn,
        "StreamLabel": "2027-01-15T08:00:00.000",
        "StreamStatus": "ENABLED",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "CreationRequestDateTime": NOW,
        "TableName": "tab",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    }
    assert arn.endswith("table/tab/stream/2027-01-15T08:00:00.000")
    assert shard.keys() == {"ShardId", "SequenceNumberRange"}
    assert 28 <= len(shard["ShardId"]) <= 65
    assert shard["SequenceNumberRange"] == {"StartingSequenceNumber": str(FIRST)}
    database.put(a="x")
    assert switch(database, None) == arn
    described = describe(database, arn)
    assert described["StreamStatus"] == "DISABLED"
    assert described["Shards"][0]["SequenceNumberRange"]["EndingSequenceNumber"] == str(FIRST)
    _, message = database.refusal("DescribeStream", StreamArn=arn, Limit=101)
    assert message.endswith("Limit cannot be greater than the maximum: 100")


def test_shards_close_and_have_children(database: Database, clock: Clock) -> None:
    """After four hours a shard is closed, and its child goes on; a closed one that is read to its end has no next."""
    arn = streamed(database)
    database.put(a="1")
    clock.now += 4 * HOUR - 1
    database.engine.expire()
    database.put(a="2")
    assert len(shards(database, arn)) == 1
    open_still = place(database, arn)
    clock.now += 1
    database.engine.expire()
    database.put(a="3")
    parent, child = shards(database, arn)
    assert child["ParentShardId"] == parent["ShardId"] < child["ShardId"]
    assert parent["SequenceNumberRange"] == {
        "StartingSequenceNumber": str(FIRST),
        "EndingSequenceNumber": str(FIRST + 1),
    }
    assert child["SequenceNumberRange"] == {"StartingSequenceNumber": str(FIRST + 2)}
    page = database.call("GetRecords", ShardIterator=open_still, Limit=1)
    assert told(page["Records"]) == [("INSERT", "1")]
    page = database.call("GetRecords", ShardIterator=page["NextShardIterator"], Limit=1)
    assert told(page["Records"]) == [("INSERT", "2")]
    assert "NextShardIterator" not in page
    assert told(read(database, arn)) == [("INSERT", "3")]
    ended = place(database, arn, "LATEST", shard=0)
    assert database.call("GetRecords", ShardIterator=ended) == {"Records": []}
    assert read(database, arn, "AFTER_SEQUENCE_NUMBER", shard=0, SequenceNumber=str(FIRST + 1)) == []
    for number in range(30):
        clock.now += 4 * HOUR
        database.put(a=f"more {number}")
        database.engine.expire()
    assert len(shards(database, arn)) == 7 + 1  # those that were closed within a day, and the open one
    first, second, third = [shard["ShardId"] for shard in shards(database, arn)[:3]]
    page = describe(database, arn, Limit=2)
    assert page["LastEvaluatedShardId"] == second
    assert describe(database, arn, ExclusiveStartShardId=second, Limit=1)["Shards"][0]["ShardId"] == third
    children = describe(database, arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": first})["Shards"]
    assert [shard["ShardId"] for shard in children] == [second]
    assert (
        describe(database, arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": "shardId-" + "0" * 20})["Shards"] == []
    )
    code, _ = database.refusal("DescribeStream", StreamArn=arn, ShardFilter={"Type": "CHILD_SHARDS"})
    assert code == "ValidationException"


def test_shards_are_rolled_on_demand(database: Database) -> None:
    """`roll_shards` closes every open shard at once, and the records of an item go on in the child."""
    arns = [streamed(database, name=name) for name in ("tab", "other")]
    database.put(a="x", n=1)
    assert database.engine.roll_shards() == 2
    database.put(a="x", n=2)
    for arn in arns:
        parent, child = shards(database, arn)
        assert child["ParentShardId"] == parent["ShardId"]
    assert [told(read(database, arns[0], shard=number)) for number in (0, 1)] == [[("INSERT", "x")], [("MODIFY", "x")]]
    switch(database, None)
    assert database.engine.roll_shards() == 1


def test_a_shard_may_close_without_a_record(database: Database, clock: Clock) -> None:
    """An idle shard ends as others do, with a range that its form allows."""
    arn = streamed(database)
    waiting = place(database, arn)
    clock.now += 4 * HOUR
    database.engine.expire()
    database.put(a="x")
    parent, child = shards(database, arn)
    assert int(parent["SequenceNumberRange"]["EndingSequenceNumber"]) >= FIRST
    assert read(database, arn, shard=0) == []
    assert told(read(database, arn, shard=1)) == [("INSERT", "x")]
    assert database.refusal("GetRecords", ShardIterator=waiting)[0] == "ExpiredIteratorException"
    assert child["ParentShardId"] == parent["ShardId"]


def test_records_are_kept_for_a_day(database: Database, clock: Clock) -> None:
    """What is older than a day is not shown, be it removed yet or not, and reading there is refused as trimmed."""
    arn = streamed(database)
    database.put(a="old")
    database.put(a="older than a day soon")
    clock.now += DAY - 600
    at_old = place(database, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=str(FIRST))
    horizon = place(database, arn)
    database.put(a="young")
    clock.now += 601
    trimmed = "TrimmedDataAccessException"
    for sweep in (False, True):
        if sweep:
            database.engine.expire()
        assert told(read(database, arn, shard=0)) == [("INSERT", "young")]
        assert told(database.call("GetRecords", ShardIterator=horizon)["Records"]) == [("INSERT", "young")]
        assert database.refusal("GetRecords", ShardIterator=at_old)[0] == trimmed
        number = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": str(FIRST)}
        name = shards(database, arn)[0]["ShardId"]
        assert database.refusal("GetShardIterator", StreamArn=arn, ShardId=name, **number)[0] == trimmed
    clock.now += DAY
    database.engine.expire()
    assert read(database, arn) == []
    database.put(a="new")
    (record,) = read(database, arn)
    assert record["dynamodb"]["SequenceNumber"] == str(FIRST + 3)


def test_an_old_stream_can_be_read_for_a_day(database: Database, clock: Clock) -> None:
    """A stream that was disabled, or whose table was deleted, can be read to its end for a day; a new one is apart."""
    first = streamed(database)
    database.put(a="1")
    switch(database, None)
    database.put(a="untold")
    clock.now += 10
    second = switch(database, "KEYS_ONLY")
    assert second != first
    database.put(a="2")
    database.call("DeleteTable", TableName="tab")
    third = streamed(database)
    assert len({first, second, third}) == 3
    database.put(a="3")
    for arn, name, status in ((first, "1", "DISABLED"), (second, "2", "DISABLED"), (third, "3", "ENABLED")):
        page = database.call("GetRecords", ShardIterator=place(database, arn))
        assert told(page["Records"]) == [("INSERT", name)]
        assert ("NextShardIterator" in page) is (status == "ENABLED")
        assert describe(database, arn)["StreamStatus"] == status
    clock.now += DAY - 5
    assert database.refusal("DescribeStream", StreamArn=first)[0] == "ResourceNotFoundException"
    assert told(read(database, second)) == [("INSERT", "2")]
    clock.now += 10
    assert [stream["StreamArn"] for stream in database.call("ListStreams")["Streams"]] == [third]
    database.engine.expire()
    with database.engine._session().reading() as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM logs").fetchone() == (1,)
        assert catalog.execute("SELECT COUNT(*) FROM sqlite_master WHERE name GLOB 'l[0-9]*'").fetchone() == (1,)
    assert told(read(database, third)) == []


def test_a_table_without_a_stream_has_no_log(database: Database) -> None:
    """Where nothing needs the past of a table, nothing is kept of it."""
    database.create("a:S")
    database.put(a="x")
    with database.engine._session().reading() as catalog:
        assert catalog.table("tab").log is None
        assert catalog.execute("SELECT COUNT(*) FROM logs").fetchone() == (0,)


def test_streams_begin_anew_where_tables_are_restored(database: Database, clock: Clock) -> None:
    """After `restore` a stream has another name, so that no reader takes new changes for those that were undone."""
    arn = streamed(database)
    database.put(a="kept")
    snapshot = database.engine.snapshot()
    before = place(database, arn, "LATEST")
    database.put(a="undone")
    for _ in range(2):
        clock.now += 1
        database.engine.restore(snapshot)
        described = database.call("DescribeTable", TableName="tab")["Table"]
        assert described["LatestStreamArn"] != arn
        arn = described["LatestStreamArn"]
        assert [stream["StreamArn"] for stream in database.call("ListStreams")["Streams"]] == [arn]
        assert database.refusal("GetRecords", ShardIterator=before)[0] == "ResourceNotFoundException"
        assert read(database, arn) == []
        before = place(database, arn)
        database.put(a="new")
        assert told(read(database, arn)) == [("INSERT", "new")]


def test_streams_are_told_by_other_engines_and_later(tmp_path: Path, clock: Clock) -> None:
    """Iterators and records of a file are valid in every engine on it, also after all have ended."""
    path = tmp_path / "file.db"
    writer, reader = (Database(Engine(path, clock=clock, sweep_seconds=None)) for _ in range(2))
    arn = streamed(writer)
    start = place(reader, arn)
    writer.put(a="1")
    reader.put(a="2")
    records = read(writer, arn)
    assert told(records) == [("INSERT", "1"), ("INSERT", "2")]
    writer.engine.close()
    reader.engine.close()
    later = Database(Engine(path, clock=clock, sweep_seconds=None))
    assert later.call("GetRecords", ShardIterator=start)["Records"] == records
    later.engine.close()


def test_a_clock_that_is_set_back_changes_no_order(database: Database, clock: Clock) -> None:
    """The times of records never decrease."""
    arn = streamed(database)
    database.put(a="1")
    clock.now -= 100
    database.put(a="2")
    records = read(database, arn)
    assert [record["dynamodb"]["ApproximateCreationDateTime"] for record in records] == [NOW, NOW]
    assert math.isclose(describe(database, arn)["CreationRequestDateTime"], NOW)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_stream_may_have_several_open_shards(kind: str, clock: Clock, tmp_path: Path) -> None:
    """Each item is told by one shard and its children, in the order of its changes; together they tell everything."""
    path = None if kind == "memory" else tmp_path / "file.db"
    database = Database(Engine(path, clock=clock, sweep_seconds=None, stream_shards=5))
    arn = streamed(database)
    for n in range(2):
        for number in range(40):
            database.put(a=f"{number}", n=n)
    assert database.engine.roll_shards() == 5
    for number in range(40):
        database.put(a=f"{number}", n=2)
    parents, children = shards(database, arn)[:5], shards(database, arn)[5:]
    assert [child["ParentShardId"] for child in children] == [parent["ShardId"] for parent in parents]
    assert sorted(shard["ShardId"] for shard in parents + children) == [s["ShardId"] for s in shards(database, arn)]
    seen: dict[str, list[str]] = {}
    owners: dict[str, set[int]] = {}
    for shard in range(10):
        page = {"Records": [None], "NextShardIterator": place(database, arn, shard=shard)}
        while page["Records"] and "NextShardIterator" in page:
            page = database.call("GetRecords", ShardIterator=page["NextShardIterator"], Limit=3)
            for record in page["Records"]:
                image = record["dynamodb"]["NewImage"]
                seen.setdefault(image["a"]["S"], []).append(image["n"]["N"])
                owners.setdefault(image["a"]["S"], set()).add(shard % 5)
    assert seen == {f"{number}": ["0", "1", "2"] for number in range(40)}
    assert all(len(shards_of_item) == 1 for shards_of_item in owners.values())
    assert len(set.union(*owners.values())) == 5
    database.engine.close()


@pytest.mark.parametrize("number", [0, -1, 1001])
def test_a_number_of_shards_that_cannot_be_is_refused(number: int) -> None:
    """A stream has at least one open shard."""
    with pytest.raises(ValidationException, match=f"stream_shards={number} cannot be; give one from 1 to 1000"):
        Engine(stream_shards=number)


@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_stream_is_of_the_account_and_region_of_its_table(place: str, tmp_path: Path) -> None:
    """ARNs and records name both, and go on doing so where the file is opened for others."""
    path = None if place == "memory" else tmp_path / "file.db"
    engine = Engine(path, sweep_seconds=None, account="123456789012", region="eu-west-1")
    database = Database(engine)
    arn = streamed(database)
    assert arn.startswith("arn:aws:dynamodb:eu-west-1:123456789012:table/tab/stream/")
    if path is not None:
        engine.close()
        database = Database(Engine(path, sweep_seconds=None))
    database.put(a="x")
    (stream,) = database.call("ListStreams")["Streams"]
    assert stream["StreamArn"] == arn == describe(database, arn)["StreamArn"]
    assert [record["awsRegion"] for record in read(database, arn)] == ["eu-west-1"]
    elsewhere = arn.replace("eu-west-1", "us-east-1")
    assert database.refusal("DescribeStream", StreamArn=elsewhere)[0] == "ResourceNotFoundException"
    assert database.call("ListStreams", ExclusiveStartStreamArn=arn)["Streams"] == []
    database.engine.close()
