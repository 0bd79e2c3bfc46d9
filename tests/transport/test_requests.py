"""Any operation, past the mapper: sent, signed and repeated as all others, whatever the place."""

import asyncio
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from peer import always, answer, peer, refusal
from sides import KEYS, LOOPS, Side

import dynamix
from dynamix import Connection
from dynamix.transport.http.endpoint import of_region
from newest import against_botocore
from places import Place

QUICK: Any = {"retry_delay": 0.001, "throttle_delay": 0.001}


def table(name: str) -> dict[str, Any]:
    """What CreateTable takes."""
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "B"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def send(side: Side, connection: Connection, operation: str, body: Any) -> Any:
    """The answer to an operation."""
    return connection.request(operation, body) if side.loop is None else side.run(connection.arequest(operation, body))


def test_operations_of_a_place(place: Place) -> None:
    """Bytes become base64, the answer is a dict, an operation without an answer gives an empty one."""
    connection = place.connection
    name = place.prefix + "raw"
    made = connection.request("CreateTable", table(name))
    assert made["TableDescription"]["TableName"] == name
    assert connection.request("PutItem", {"TableName": name, "Item": {"k": {"B": b"\0\1"}, "n": {"N": "1"}}}) == {}
    found = asyncio.run(connection.arequest("GetItem", {"TableName": name, "Key": {"k": {"B": "AAE="}}}))
    assert found == {"Item": {"k": {"B": "AAE="}, "n": {"N": "1"}}}
    arn = made["TableDescription"]["TableArn"]
    if place.name != "dynamodb-local":  # it has no tags
        assert connection.request("TagResource", {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}) == {}
    with pytest.raises(dynamix.TableNotFoundError) as caught:
        connection.request("DescribeTable", {"TableName": place.prefix + "none"})
    assert caught.value.code == "ResourceNotFoundException"
    connection.request("DeleteTable", {"TableName": name})


@pytest.mark.parametrize("operation", ["", "getItem", "Get Item", "GetItem\r\nx: y", "Get.Item", 5, None])
def test_what_is_no_operation(operation: Any, side: Side) -> None:
    """A name that no operation could have is refused; nothing is sent."""
    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address) as connection:
        with pytest.raises(dynamix.ValidationException, match="is not the name of an operation"):
            send(side, connection, operation, {})
        assert there.requests == []


@pytest.mark.parametrize("body", [None, "{}", [], {"x": object()}, {"x": "\ud800"}])
def test_what_is_no_body(body: Any, side: Side) -> None:
    """A body that is no dict, or that JSON cannot hold, is refused; nothing is sent."""
    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address) as connection:
        with pytest.raises(dynamix.WrongTypeError, match="the body of GetItem"):
            send(side, connection, "GetItem", body)
        assert there.requests == []


@pytest.mark.parametrize(
    ("operation", "reads"),
    [
        ("GetItem", True),
        ("DescribeContinuousBackups", True),
        ("ListBackups", True),
        ("GetRecords", True),
        ("TransactGetItems", True),
        ("PutItem", False),
        ("TransactWriteItems", False),
        ("ExecuteStatement", False),
        ("BatchExecuteStatement", False),
        ("ExportTableToPointInTime", False),
        ("UpdateTable", False),
        ("SomethingNew", False),
    ],
)
def test_only_what_reads_is_repeated(operation: str, reads: bool, side: Side) -> None:
    """After an unknown outcome only an operation that is known to read is sent again; others have no known outcome."""
    talk = always(refusal("InternalServerError", 500), answer(b'{"n": 1}'))
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        if reads:
            assert send(side, connection, operation, {}) == {"n": 1}
        else:
            with pytest.raises(dynamix.OutcomeUnknownError, match=operation):
                send(side, connection, operation, {})
        assert len(there.requests) == 1 + reads
        side.close(connection)


def test_throttled_operations_are_repeated(side: Side) -> None:
    """What was surely not applied is sent again, whatever the operation."""
    talk = always(refusal("ThrottlingException"), answer(b'{"n": 1}'))
    with peer(talk) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        assert send(side, connection, "ExecuteStatement", {}) == {"n": 1}
        side.close(connection)


def test_an_answer_that_is_none(side: Side) -> None:
    """An answer that is no JSON object is not taken for one."""
    with peer(always(answer(b"[]"))) as there, Connection(is_local_endpoint=there.address, **QUICK) as connection:
        with pytest.raises(dynamix.InvalidAnswerError, match="ListTables"):
            send(side, connection, "ListTables", {})
        side.close(connection)


@pytest.mark.parametrize("operation", ["ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"])
def test_operations_of_streams_have_a_target_of_their_own(operation: str, side: Side) -> None:
    """They go to the endpoint that was given, under the name of their service."""
    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address) as connection:
        send(side, connection, operation, {})
        send(side, connection, "ListTables", {})
        targets = [request.headers["x-amz-target"] for request in there.requests]
        assert targets == [f"DynamoDBStreams_20120810.{operation}", "DynamoDB_20120810.ListTables"]
        side.close(connection)


def test_streams_may_have_an_endpoint_of_their_own(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_ENDPOINT_URL_DYNAMODB_STREAMS names it; tables stay where they are, and closing closes both."""
    with peer(always(answer())) as tables, peer(always(answer())) as streams:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{tables.port}")
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", f"http://127.0.0.1:{streams.port}")
        connection = Connection(**KEYS)
        for operation in ("ListStreams", "ListTables", "ListStreams"):
            send(side, connection, operation, {})
        assert ([r.target for r in tables.requests], [r.target for r in streams.requests]) == (
            ["ListTables"], ["ListStreams", "ListStreams"],
        )  # fmt: skip
        assert streams.connections == 1
        side.close(connection)
        with pytest.raises(dynamix.ConnectionException, match="was closed"):
            send(side, connection, "ListStreams", {})


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"])
@pytest.mark.parametrize("fips", [False, True])
def test_the_public_endpoint_of_streams(region: str, fips: bool) -> None:
    """It is that of the AWS SDKs."""
    config = Config(use_fips_endpoint=fips)
    client = botocore.session.Session().create_client(
        "dynamodbstreams", region, aws_access_key_id="x", aws_secret_access_key="x", config=config
    )
    assert of_region(region, fips=fips, part="streams").url == client.meta.endpoint_url + "/"
    connection = Connection(**{**KEYS, "region_name": region})
    transport: Any = connection._open()
    assert transport.endpoint.host == of_region(region).host
    assert transport._transport_of("ListStreams").endpoint.host == of_region(region, part="streams").host
    connection.close()


@against_botocore
@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"])
@pytest.mark.parametrize("fips", [False, True])
def test_the_public_endpoint_of_searches(region: str, fips: bool) -> None:
    """It is that of the AWS SDKs, and SearchVectors alone goes there."""
    config = Config(use_fips_endpoint=fips, account_id_endpoint_mode="disabled")
    session = botocore.session.Session()
    client = session.create_client("dynamodb", region, aws_access_key_id="x", aws_secret_access_key="x", config=config)
    urls = []

    def refuse(request: Any, **_: Any) -> None:
        urls.append(request.url)
        raise ConnectionError

    client.meta.events.register("before-send", refuse)
    with pytest.raises(ConnectionError):
        client.search_vectors(TableName="tab", IndexName="vix", SearchVector=[{"N": "1"}], TopK=1)
    assert urls == [of_region(region, fips=fips, part="search").url]
    with Connection(**{**KEYS, "region_name": region}) as connection:
        transport: Any = connection._open()
        assert transport._transport_of("SearchVectors").endpoint.host == of_region(region, part="search").host


def test_searches_go_where_all_else_goes_when_an_endpoint_is_given(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint of the options or of the environment is that of SearchVectors, too."""
    with peer(always(answer())) as there:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{there.port}")
        for options in ({}, {"endpoint_url": f"http://127.0.0.1:{there.port}"}):
            connection = Connection(**{**KEYS, **options})
            send(side, connection, "SearchVectors", {})
            side.close(connection)
        assert [request.headers["x-amz-target"] for request in there.requests] == 2 * [
            "DynamoDB_20120810.SearchVectors"
        ]


def test_a_client_sends_any_operation_that_it_has() -> None:
    """Over a boto client, its own operations work; others are refused in words that name the client for streams."""
    with peer(always(answer(b'{"TableNames": ["a"]}'))) as there:
        client = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{there.port}", **KEYS)
        connection = Connection(boto_client=client)
        assert connection.request("ListTables", {"Limit": 1}) == {"TableNames": ["a"]}
        with pytest.raises(dynamix.ValidationException, match=r"no operation 'GetRecords'.*dynamodbstreams"):
            connection.request("GetRecords", {"ShardIterator": "x"})
        client.close()


@pytest.mark.parametrize("side", LOOPS, indirect=True)
def test_a_twin(side: Side) -> None:
    """`arequest` is `request` with an await before it."""
    with Connection(embedded=True) as connection:
        assert side.run(connection.arequest("ListTables", {})) == connection.request("ListTables", {})
