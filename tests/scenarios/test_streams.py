"""Streams as an application reads them: through the connection of its models, on every place, and through boto3."""

import datetime
import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

import dynamix
from dynamix import CharField, IntegerField, Model
from dynamix.cli import main
from places import Place, served_engine

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class Score(Model):
    player = CharField(hash_key=True)
    points = IntegerField()


def _records(place: Place, arn: str) -> list[dict[str, Any]]:
    """What the connection reads of a stream of one shard."""
    request = place.connection.request
    (shard,) = request("DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    page = request("GetRecords", request("GetShardIterator", start))
    records: list[dict[str, Any]] = page["Records"]
    return records


def test_what_a_model_writes_is_told(place: Place) -> None:
    """Creating, changing and deleting by a model make records, which the model's connection reads by `request`."""
    dynamix.create_table(Score)
    name = place.table_name(Score)
    place.call("UpdateTable", TableName=name, StreamSpecification=STREAM)
    score = Score.create(player="me", points=1)
    score.add_to_field(Score.points, 2)
    score.commit_changes()
    score.delete()
    (stream,) = place.connection.request("ListStreams", {"TableName": name})["Streams"]
    records = _records(place, stream["StreamArn"])
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    one, three = ({"player": {"S": "me"}, "points": {"N": points}} for points in "13")
    images = [(record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage")) for record in records]
    assert images == [(None, one), (one, three), (three, None)]


@pytest.fixture
def clients() -> Iterator[tuple[Any, Any]]:
    """boto3's clients of tables and of streams, of one `dynamix serve`."""
    with served_engine() as (host, port):
        yield _clients(host, port)


def _clients(host: str, port: int) -> tuple[Any, Any]:
    tables, streams = (
        boto3.client(
            service,
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )
        for service in ("dynamodb", "dynamodbstreams")
    )
    return tables, streams


def _create(tables: Any) -> str:
    created = tables.create_table(
        TableName="scores",
        AttributeDefinitions=[{"AttributeName": "player", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "player", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=STREAM,
    )
    arn: str = created["TableDescription"]["LatestStreamArn"]
    return arn


def test_boto3_reads_a_stream_of_the_server(clients: tuple[Any, Any]) -> None:
    """boto3's client of streams lists, describes and reads what its client of tables has written."""
    tables, streams = clients
    arn = _create(tables)
    begun = datetime.datetime.now(datetime.UTC)
    tables.put_item(TableName="scores", Item={"player": {"S": "me"}, "raw": {"B": b"\x00\xff"}})
    assert [stream["StreamArn"] for stream in streams.list_streams()["Streams"]] == [arn]
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert abs(described["CreationRequestDateTime"] - begun) < datetime.timedelta(minutes=10)
    (shard,) = described["Shards"]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"]}
    for kind in ({"ShardIteratorType": "TRIM_HORIZON"}, {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 0}):
        place = streams.get_shard_iterator(**start, **kind)["ShardIterator"]
        page = streams.get_records(ShardIterator=place)
        (record,) = page["Records"]
        assert record["dynamodb"]["NewImage"] == {"player": {"S": "me"}, "raw": {"B": b"\x00\xff"}}
        assert record["dynamodb"]["ApproximateCreationDateTime"].tzinfo is not None
        assert streams.get_records(ShardIterator=page["NextShardIterator"])["Records"] == []
    with pytest.raises(streams.exceptions.ResourceNotFoundException):
        streams.describe_stream(StreamArn=arn + "0")
    with pytest.raises(botocore.exceptions.ClientError, match="Invalid ShardIterator"):
        streams.get_records(ShardIterator="none")
    for client in clients:
        client.close()


def test_each_service_has_its_own_operations() -> None:
    """An operation of streams asked for under the name of tables, or the other way round, is an unknown one."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "Authorization": "AWS4-HMAC-SHA256 x"}
    with served_engine() as (host, port):
        connection = http.client.HTTPConnection(host, port)
        for service, operation, status in (
            ("DynamoDB", "ListTables", 200),
            ("DynamoDBStreams", "ListStreams", 200),
            ("DynamoDB", "ListStreams", 400),
            ("DynamoDBStreams", "ListTables", 400),
        ):
            connection.request("POST", "/", "{}", {**headers, "X-Amz-Target": f"{service}_20120810.{operation}"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            assert answer.status == status, body
            assert ("UnknownOperationException" in body.get("__type", "")) is (status == 400)
        connection.close()


def test_the_server_gives_streams_as_many_shards_as_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """`--stream-shards` is the number of open shards of new streams; what is no number is refused with what to do."""
    with served_engine("--stream-shards", "3") as (host, port):
        tables, streams = _clients(host, port)
        described = streams.describe_stream(StreamArn=_create(tables))["StreamDescription"]
        assert len(described["Shards"]) == 3
        tables.close()
        streams.close()
    for text in ("0", "1001", "x"):
        with pytest.raises(SystemExit):
            main(["serve", "--stream-shards", text])
        assert f"{text!r} is no number of shards; give one from 1 to 1000" in capsys.readouterr().err


def test_a_reader_that_never_stops_misses_nothing(tmp_path: Path) -> None:
    """While processes write to a file, a reader that follows its stream gets each change once, in one order."""
    path = str(tmp_path / "file.db")
    with served_engine("--db", path) as first, served_engine("--db", path) as second:
        tables, streams = _clients(*first)
        arn = _create(tables)
        others = [tables, _clients(*second)[0]]
        writers = [threading.Thread(target=_count, args=(client, f"{number}")) for number, client in enumerate(others)]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        place = streams.get_shard_iterator(**start)["ShardIterator"]
        for writer in writers:
            writer.start()
        seen: dict[str, list[int]] = {"0": [], "1": []}
        numbers = []
        while not all(len(counts) == _WRITES for counts in seen.values()):
            page = streams.get_records(ShardIterator=place, Limit=7)
            place = page["NextShardIterator"]
            for record in page["Records"]:
                told = record["dynamodb"]
                numbers.append(int(told["SequenceNumber"]))
                seen[told["Keys"]["player"]["S"]].append(int(told["NewImage"]["points"]["N"]))
            time.sleep(0.001)
        for writer in writers:
            writer.join()
        assert seen == {"0": list(range(_WRITES)), "1": list(range(_WRITES))}
        assert numbers == sorted(set(numbers))
        for client in (*others, streams):
            client.close()


_WRITES = 30


def _count(client: Any, player: str) -> None:
    for points in range(_WRITES):
        client.put_item(TableName="scores", Item={"player": {"S": player}, "points": {"N": f"{points}"}})
