"""The HTTP server: framing, the service's status codes and headers, and the command that runs it."""

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from dynamix.cli import main, serve
from dynamix.engine import Engine
from dynamix.engine.http import server as server_module
from dynamix.engine.http.names import Names
from dynamix.engine.http.server import Server
from engine.served import CONTENT, LIST, SIGNED, Echo, bodies, post, request, served, talk
from engine.vector_tables import vector, vectors


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[Server]:
    with Server(echo, port=0) as server:
        yield server


@pytest.fixture
def http_(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(*server.address)
    yield connection
    connection.close()


def test_an_answer_has_the_headers_of_the_service(http_: http.client.HTTPConnection) -> None:
    """Content type, checksum and request id are those that SDKs look at."""
    status, headers, body = post(http_, "GetItem", b'{"a": 1}')
    assert (status, json.loads(body)) == (200, ["GetItem", 8, '{"a": 1}'])
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    assert len(headers["x-amzn-requestid"]) == 52
    assert headers["x-amzn-requestid"].isalnum()
    assert headers["Date"].endswith(" GMT")


def test_a_connection_serves_many_requests(http_: http.client.HTTPConnection) -> None:
    """Connections stay open, also after errors."""
    post(http_, "GetItem")
    before = http_.sock.getsockname()
    for target in ("GetItem", "Fail", "PutItem"):
        post(http_, target)
    http_.request("GET", "/")
    http_.getresponse().read()
    assert http_.sock.getsockname() == before


def test_requests_sent_together_are_answered_in_order(server: Server) -> None:
    """Pipelined requests have their answers one after the other."""
    asked = b"".join(request(f"Op{number}", b"x" * number) for number in range(20))
    assert bodies(talk(server, asked)) == [[f"Op{n}", n, "x" * n] for n in range(20)]


def test_a_request_may_arrive_in_pieces(server: Server) -> None:
    """Where the network cuts the bytes does not matter."""
    whole = request("GetItem", b"hello") + request("PutItem", b"you")
    pieces = [whole[i : i + 1] for i in range(len(whole))]
    assert bodies(talk(server, *pieces)) == [["GetItem", 5, "hello"], ["PutItem", 3, "you"]]


def test_a_chunked_body_is_put_together(server: Server) -> None:
    """Transfer-Encoding: chunked is understood."""
    head = request("GetItem", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    assert bodies(talk(server, head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")) == [["GetItem", 5, "abcde"]]


def test_a_client_may_wait_for_leave_to_send_the_body(server: Server) -> None:
    """Expect: 100-continue is granted."""
    with socket.create_connection(server.address) as client:
        client.sendall(request("GetItem", b"abc", "Expect: 100-continue")[:-3])
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert b'["GetItem", 3, "abc"]' in client.recv(65536)


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
def test_the_connection_is_closed_where_the_client_asks_for_it(server: Server, version: bytes) -> None:
    """Connection: close and HTTP/1.0 end the connection after the answer; later requests are not served."""
    asked = request("GetItem", b"", "Connection: close").replace(b"HTTP/1.1", version) + request("PutItem", b"")
    answer = talk(server, asked)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"name: value\r\n" * 10_000,
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(server: Server, garbage: bytes) -> None:
    """Bytes that are no request of ours have a 400 as their last answer, and the connection is closed."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = talk(server, garbage)
    assert b"HTTP/1.1 400 Bad Request" in answer or b"healthy" in answer
    assert bodies(talk(server, request("GetItem", b""))) == [["GetItem", 0, ""]]


OFFER = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")


def test_an_offer_of_another_protocol_is_left_alone(server: Server) -> None:
    """Clients that would rather speak HTTP/2, as Java's does, are served in HTTP/1.1, with their bodies."""
    offering = request("GetItem", b"hello", *OFFER, "Expect: 100-continue")
    whole = (offering + request("PutItem", b"you")) * 2
    expected = [["GetItem", 5, "hello"], ["PutItem", 3, "you"]] * 2
    for pieces in ([whole], [whole[i : i + 1] for i in range(len(whole))]):
        told = talk(server, *pieces).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        assert bodies(told) == expected
    closing = request("GetItem", b"hello", "Upgrade: h2c", "Connection: close, Upgrade") + request("PutItem", b"you")
    assert bodies(talk(server, closing)) == expected[:1]


def test_the_head_of_an_answer_has_no_body(server: Server) -> None:
    """HEAD is answered as other methods are, but for the body: the next answer follows the head at once."""
    told = talk(server, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" + request("GetItem", b"hello"))
    head, _, rest = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert bodies(rest) == [["GetItem", 5, "hello"]]


def test_a_request_that_says_to_be_too_large_is_refused_at_once(server: Server) -> None:
    """Its body is not waited for, and no leave is given to send it."""
    head = request("PutItem", b"", "Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 16777217")
    with socket.create_connection(server.address) as client:
        client.sendall(head)
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_request_over_16_megabytes_is_refused(http_: http.client.HTTPConnection) -> None:
    """The limit of the service's requests; one byte less is served."""
    limit = 16 * 1024 * 1024
    assert json.loads(post(http_, "PutItem", b"x" * limit)[2])[:2] == ["PutItem", limit]
    status, headers, body = post(http_, "PutItem", b"x" * (limit + 1))
    assert (status, headers["Connection"]) == (413, "close")
    assert json.loads(body)["__type"].endswith("#RequestEntityTooLargeException")


@pytest.mark.parametrize(
    "endless",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nname: ",
        b"POST /",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nname: ",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    ],
    ids=["header", "address", "trailer", "chunk"],
)
def test_a_line_without_end_is_refused(server: Server, endless: bytes) -> None:
    """A header, or what else stands around a body, is not kept beyond a bound."""
    with socket.create_connection(server.address) as client:
        client.sendall(endless)
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                client.sendall(b"x" * 10_000)
            client.shutdown(socket.SHUT_WR)
            assert b" 400 Bad Request\r\n" in client.recv(65536)
    assert bodies(talk(server, request("GetItem", b""))) == [["GetItem", 0, ""]]


def drip(client: socket.socket) -> None:
    """Sends a byte now and then, as long as the other side takes it."""
    while True:
        client.sendall(b"x")
        time.sleep(0.05)


def test_a_half_request_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that does not go on is given up, also one that comes drop by drop; who asks nothing may wait."""
    monkeypatch.setattr(server_module, "_REQUEST_SECONDS", 0.3)
    with Server(Echo()) as server, contextlib.ExitStack() as clients:
        idle = clients.enter_context(socket.create_connection(server.address))
        for half in (b"POST / HT", request("GetItem", b"xx")[:-1]):
            client = clients.enter_context(socket.create_connection(server.address))
            client.sendall(half)
            assert client.recv(1) == b""
        slow = clients.enter_context(socket.create_connection(server.address))
        slow.sendall(b"POST / HTTP/1.1\r\nname: ")
        with pytest.raises(ConnectionError):
            drip(slow)
        idle.sendall(request("GetItem", b""))
        assert b" 200 OK" in idle.recv(65536)


def test_half_bodies_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would pass the bound is ended; what had come before is answered when it is whole, and makes room then."""
    monkeypatch.setattr("dynamix.engine.http.connection._UNFINISHED_BYTES", 1_000_000)
    whole = request("GetItem", b"x" * 600_000)
    with Server(Echo()) as server, socket.create_connection(server.address) as first:
        first.sendall(whole[:-1])
        await_bytes(server, 590_000)
        with socket.create_connection(server.address) as second, contextlib.suppress(ConnectionError):
            second.sendall(whole[:-1])
            assert second.recv(1) == b""
        await_bytes(server, 590_000)
        first.sendall(whole[-1:])
        assert b" 200 OK" in first.recv(65536)
        assert server.unfinished == 0
        assert b" 200 OK" in talk(server, whole)


def await_bytes(server: Server, least: int) -> None:
    """Wait until so much of half bodies has arrived, and no more than one of them."""
    while not least <= server.unfinished <= 600_000:
        time.sleep(0.01)


def test_what_follows_a_refusal_is_read_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes on sending after the last answer, a byte now and then, is ended all the same."""
    monkeypatch.setattr(server_module, "_GRACE_SECONDS", 0.3)
    with Server(Echo()) as server, socket.create_connection(server.address) as client:
        client.sendall(b"nonsense\r\n\r\n")
        while client.recv(4096):
            pass
        with pytest.raises(ConnectionError):
            drip(client)


def test_connections_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are too many, the one that has waited longest for a request makes room; half requests time out."""
    monkeypatch.setattr(server_module, "_MOST_CONNECTIONS", 8)
    monkeypatch.setattr(server_module, "_REQUEST_SECONDS", 1.0)
    with Server(Echo()) as server, contextlib.ExitStack() as clients:
        idle = [clients.enter_context(socket.create_connection(server.address)) for _ in range(8)]
        assert bodies(talk(server, request("GetItem", b""))) == [["GetItem", 0, ""]]
        assert idle[0].recv(1) == b""
        for _ in range(30):
            clients.enter_context(socket.create_connection(server.address)).sendall(b"POST")
        assert len(server._connections) <= 8
        assert bodies(talk(server, request("GetItem", b""))) == [["GetItem", 0, ""]]


@pytest.mark.parametrize(
    ("header", "served"),
    [
        ("Host: localhost:8000", True),
        ("Host: 127.0.0.1", True),
        ("Host: [::1]:8000", True),
        ("Host: LOCALHOST.:1", True),
        ("Host: app.localhost", True),
        ("Host: friend.example:8000", True),
        ("Host: evil.example", False),
        ("Host: localhost.evil.example:8000", False),
        ("Host: 192.168.1.5", False),
        ("Host: [", False),
        ("Host: localhost\r\nOrigin: http://localhost:3000", True),
        ("Host: localhost\r\nOrigin: https://friend.example", True),
        ("Host: localhost\r\nOrigin: http://evil.example", False),
        ("Host: localhost\r\nOrigin: null", False),
    ],
)
def test_pages_of_others_are_refused(header: str, served: bool) -> None:
    """A web page of another machine cannot use the server, not even by a name that it lets resolve to this machine."""
    with Server(Echo(), allowed=["Friend.example"]) as server:
        asked = request("GetItem", b"").replace(b"Host: localhost", header.encode())
        told = talk(server, asked)
    assert told.startswith(b"HTTP/1.1 200 " if served else b"HTTP/1.1 403 ")
    if not served:
        assert b"--allow-host" in told
        assert b"AccessDeniedException" in told


def test_a_server_for_others_looks_at_origins_only() -> None:
    """In a container clients come by the name of its service, whatever it is; pages are refused as before."""
    names = Names((), any_host=True)
    assert names.refusal("database", None) is None
    assert "'http://database' are refused" in (names.refusal("database", "http://database") or "")


def test_a_request_over_16_megabytes_in_chunks_is_refused(server: Server) -> None:
    """A body that does not say how large it is may not grow beyond the limit either."""
    head = request("PutItem", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    limit = (b"100000\r\n" + bytes(1024 * 1024) + b"\r\n") * 16
    assert bodies(talk(server, head, limit, b"0\r\n\r\n"))[0][:2] == ["PutItem", 16 * 1024 * 1024]
    assert talk(server, head, limit, b"1\r\nx\r\n", b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


def test_get_answers_that_all_is_well(http_: http.client.HTTPConnection) -> None:
    """Load balancers and SDK tests ask by GET; what they asked for is named, and nothing else is there."""
    http_.request("GET", "/", headers={"Host": "localhost:1234"})
    answer = http_.getresponse()
    assert (answer.status, answer.read()) == (200, b"healthy: localhost:1234 ")
    http_.request("GET", "/other")
    answer = http_.getresponse()
    assert (answer.status, answer.read()) == (404, b"<UnknownOperationException/>\n")


@pytest.mark.parametrize(
    ("method", "headers"),
    [("PUT", LIST), ("DELETE", LIST), ("POST", {}), ("POST", {**LIST, "Content-Type": "text/plain"})],
)
def test_another_method_or_content_type_is_no_operation(
    http_: http.client.HTTPConnection, method: str, headers: dict[str, str]
) -> None:
    """What is not a POST of JSON is answered in XML, as the service does."""
    http_.request(method, "/", b"{}", headers)
    answer = http_.getresponse()
    assert (answer.status, answer.read()) == (404, b"<UnknownOperationException/>\n")


@pytest.mark.parametrize("target", [None, "", "ListTables", "DynamoDB_20111205.ListTables"])
def test_a_missing_target_is_an_unknown_operation(http_: http.client.HTTPConnection, target: str | None) -> None:
    """The service's error has no message; the engine's names a target that it does not know."""
    http_.request("POST", "/", b"{}", {**CONTENT, **SIGNED, **({} if target is None else {"X-Amz-Target": target})})
    answer = http_.getresponse()
    assert answer.status == 400
    said = {"Message": f"'{target}' is not available in the embedded engine"} if target else {}
    assert json.loads(answer.read()) == {"__type": "com.amazon.coral.service#UnknownOperationException", **said}


@pytest.mark.parametrize("authorization", [None, "", "Basic eDp5"])
def test_a_request_without_credentials_is_refused(http_: http.client.HTTPConnection, authorization: str | None) -> None:
    """Signatures are not checked, but one must be there."""
    headers = {**LIST, "Authorization": authorization or ""}
    if authorization is None:
        del headers["Authorization"]
    http_.request("POST", "/", b"{}", headers)
    answer = http_.getresponse()
    assert answer.status == 400
    assert json.loads(answer.read()) == {
        "__type": "com.amazon.coral.service#MissingAuthenticationTokenException",
        "message": "Request is missing Authentication Token",
    }


def test_a_presigned_request_is_served(http_: http.client.HTTPConnection) -> None:
    """Credentials may stand in the address."""
    headers = {name: value for name, value in LIST.items() if name != "Authorization"}
    http_.request("POST", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x", b"{}", headers)
    assert http_.getresponse().status == 200


def test_a_failure_of_the_engine_is_a_500(http_: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture) -> None:
    """The traceback is logged, the client is told, the server goes on."""
    status, _, body = post(http_, "Fail")
    assert status == 500
    assert json.loads(body)["__type"] == "com.amazonaws.dynamodb.v20120810#InternalServerError"
    assert "RuntimeError: no" in caplog.text
    assert post(http_, "GetItem")[0] == 200


def test_closing_gives_the_answer_that_is_owed(echo: Echo, server: Server, http_: http.client.HTTPConnection) -> None:
    """A request that the engine is working on is answered before the server ends; idle connections are ended."""
    with socket.create_connection(server.address) as idle:
        http_.request("POST", "/", b"{}", {**LIST, "X-Amz-Target": "DynamoDB_20120810.Wait"})
        echo.asked.wait()
        closing = threading.Thread(target=server.close)
        closing.start()
        assert idle.recv(1) == b""
        echo.go.set()
        assert http_.getresponse().status == 200
        closing.join()


def test_closing_waits_for_who_reads_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that has not read its answer when the server is closed still gets all of it."""
    monkeypatch.setattr(server_module, "_GRACE_SECONDS", 30)
    asked = threading.Event()

    class Large:
        def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
            asked.set()
            return 200, bytes(16 * 1024 * 1024)

    server = Server(Large())
    with socket.create_connection(server.address) as client:
        client.sendall(request("Large", b"{}"))
        asked.wait()
        closing = threading.Thread(target=server.close)
        closing.start()
        with contextlib.suppress(OSError):
            while True:  # until the server does not listen any more
                socket.create_connection(server.address).close()
        received = 0
        while data := client.recv(65536):
            received += len(data)
        assert received > 16 * 1024 * 1024
        closing.join()


@pytest.mark.timeout(120)  # forty times of grace are more
def test_closing_waits_once_for_all_who_do_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that do not read their answers have one time of grace together, not one after the other."""
    monkeypatch.setattr(server_module, "_GRACE_SECONDS", 4)

    class Large:
        asked = threading.Semaphore(0)

        def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
            self.asked.release()
            return 200, bytes(8 * 1024 * 1024)

    with contextlib.ExitStack() as clients, Server(Large()) as server:
        for _ in range(40):
            client = clients.enter_context(socket.create_connection(server.address))
            client.sendall(request("Large", b"{}"))
            Large.asked.acquire()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    engine = Engine()
    with Server(engine, port=0) as server:
        client = boto3.client(
            "dynamodb",
            endpoint_url="http://{}:{}".format(*server.address),
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )
        yield client
        client.close()
    engine.close()


def test_boto3_finds_a_table_service(client: Any) -> None:
    """A boto3 client creates a table, writes, reads, queries, meets errors, and deletes it."""
    client.create_table(
        TableName="Thread",
        AttributeDefinitions=[
            {"AttributeName": "forum", "AttributeType": "S"},
            {"AttributeName": "subject", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "forum", "KeyType": "HASH"}, {"AttributeName": "subject", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName="Thread", WaiterConfig={"Delay": 0})
    for number in range(3):
        item = {"forum": {"S": "é"}, "subject": {"S": str(number)}, "data": {"B": b"\x00\xff"}, "n": {"N": "1.50"}}
        client.put_item(TableName="Thread", Item=item)
    found = client.get_item(TableName="Thread", Key={"forum": {"S": "é"}, "subject": {"S": "1"}})["Item"]
    assert found == {"forum": {"S": "é"}, "subject": {"S": "1"}, "data": {"B": b"\x00\xff"}, "n": {"N": "1.5"}}
    pages = client.get_paginator("query").paginate(
        TableName="Thread",
        KeyConditionExpression="forum = :f",
        ExpressionAttributeValues={":f": {"S": "é"}},
        PaginationConfig={"PageSize": 2},
    )
    assert [item["subject"]["S"] for page in pages for item in page["Items"]] == ["0", "1", "2"]
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName="Thread", Item=item, ConditionExpression="attribute_not_exists(forum)")
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "Thread", "Item": item, "ConditionExpression": "attribute_not_exists(forum)"}}
            ]
        )
    assert [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]] == ["ConditionalCheckFailed"]
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationException"):
        client.query(TableName="Thread", KeyConditionExpression="nonsense")
    client.delete_table(TableName="Thread")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_table(TableName="Thread")


def test_boto3_searches_vectors(client: Any) -> None:
    """A boto3 client makes a vector index, and finds what is near."""
    client.create_table(
        TableName="Picture",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        VectorIndexes=[vectors("near", 2)],
    )
    for name, numbers in (("a", (1, 0)), ("b", (1, 1))):
        client.put_item(TableName="Picture", Item={"name": {"S": name}, "e": vector(*numbers)})
    wanted = {"TableName": "Picture", "IndexName": "near", "SearchVector": vector(1, 2)["L"], "TopK": 1}
    assert client.search_vectors(**wanted)["SearchResults"] == [
        {"Item": {"name": {"S": "b"}}, "Score": 0.051316678524017334}
    ]
    updates = [{"Delete": {"IndexName": "near"}}]
    changed = client.update_table(TableName="Picture", VectorIndexUpdates=updates)["TableDescription"]
    assert changed["VectorIndexes"][0]["IndexStatus"] == "DELETING"
    with pytest.raises(botocore.exceptions.ClientError, match="does not have the specified index: near"):
        client.search_vectors(**wanted)
    client.delete_table(TableName="Picture")


def test_boto3_backs_up_exports_and_imports(tmp_path: Path) -> None:
    """A boto3 client backs up, restores, recovers, exports and imports, with its paginator and its waiters."""
    with served("--bucket", f"mine={tmp_path}") as (_, connection):
        client = boto3.client(
            "dynamodb",
            endpoint_url=f"http://{connection.host}:{connection.port}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )
        keys = {
            "AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        arn = client.create_table(TableName="Kept", **keys)["TableDescription"]["TableArn"]
        client.put_item(TableName="Kept", Item={"name": {"S": "a"}, "data": {"B": b"\x00"}})
        recovered = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}
        client.update_continuous_backups(TableName="Kept", PointInTimeRecoverySpecification=recovered)
        for number in range(3):
            made = client.create_backup(TableName="Kept", BackupName=f"backup-{number}")["BackupDetails"]
        pages = client.get_paginator("list_backups").paginate(PaginationConfig={"PageSize": 2})
        names = [backup["BackupName"] for page in pages for backup in page["BackupSummaries"]]
        assert names == ["backup-0", "backup-1", "backup-2"]
        client.restore_table_from_backup(BackupArn=made["BackupArn"], TargetTableName="Restored")
        described = client.describe_continuous_backups(TableName="Kept")["ContinuousBackupsDescription"]
        moment = described["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"]
        client.restore_table_to_point_in_time(
            SourceTableName="Kept", TargetTableName="Recovered", RestoreDateTime=moment
        )
        export = client.export_table_to_point_in_time(TableArn=arn, S3Bucket="mine", S3Prefix="out")
        export_arn = export["ExportDescription"]["ExportArn"]
        client.get_waiter("export_completed").wait(ExportArn=export_arn, WaiterConfig={"Delay": 0})
        assert [each["ExportArn"] for each in client.list_exports(TableArn=arn)["ExportSummaries"]] == [export_arn]
        told = client.describe_export(ExportArn=export_arn)["ExportDescription"]
        data = told["ExportManifest"].replace("manifest-summary.json", "data/")
        begun = client.import_table(
            S3BucketSource={"S3Bucket": "mine", "S3KeyPrefix": data},
            InputFormat="DYNAMODB_JSON",
            InputCompressionType="GZIP",
            TableCreationParameters={"TableName": "Imported", **keys},
        )["ImportTableDescription"]
        client.get_waiter("import_completed").wait(ImportArn=begun["ImportArn"], WaiterConfig={"Delay": 0})
        for table in ("Kept", "Restored", "Recovered", "Imported"):
            client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 0})
            assert client.scan(TableName=table)["Items"] == [{"name": {"S": "a"}, "data": {"B": b"\x00"}}]
        with pytest.raises(client.exceptions.TableAlreadyExistsException):
            client.restore_table_from_backup(BackupArn=made["BackupArn"], TargetTableName="Kept")
        with pytest.raises(client.exceptions.TableNotFoundException):
            client.create_backup(TableName="Missing", BackupName="backup")
        client.close()


def test_many_connections_are_served_at_once(client: Any) -> None:
    """Threads of a client have a connection each."""
    with_error: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(10):
                assert client.list_tables()["TableNames"] == []
        except BaseException as error:
            with_error.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not with_error


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_cleanly(tmp_path: Path, ending: signal.Signals) -> None:
    """SIGTERM and SIGINT end the process with status 0 and nothing said; what was written is kept."""
    path = str(tmp_path / "data.db")
    table = {
        "TableName": "Kept",
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    with served("--db", path) as (process, connection):
        assert post(connection, "CreateTable", json.dumps(table).encode())[0] == 200
        process.send_signal(ending)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert os.listdir(tmp_path) == ["data.db"]
    with served("--db", path) as (_, connection):
        assert json.loads(post(connection, "ListTables")[2]) == {"TableNames": ["Kept"]}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes can be set on Linux only")
def test_too_many_connections_wait_for_their_turn() -> None:
    """A process that may open no more files serves the connections it has, and others when some have ended."""
    with served() as (process, connection), contextlib.ExitStack() as others:
        assert post(connection, "ListTables")[0] == 200
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (20, 20))
        host, port = connection.host, connection.port
        for _ in range(40):
            others.enter_context(socket.create_connection((host, port)))
        assert process.stderr is not None
        assert "Too many open files" in process.stderr.readline()
        assert post(connection, "ListTables")[0] == 200
        others.close()
        late = http.client.HTTPConnection(host, port)
        assert post(late, "ListTables")[0] == 200
        late.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_command_takes_names() -> None:
    """A name may be allowed, several times."""
    with served("--allow-host", "one.example", "--allow-host", "two.example") as (_, connection):
        assert post(connection, "ListTables", Host="two.example")[0] == 200
        assert post(connection, "ListTables", Host="three.example")[0] == 403


@pytest.mark.parametrize("source", ["file", "env"])
def test_the_command_checks_signatures(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come from a file or the environment; who signs with another one, or not at all, is refused."""
    path = tmp_path / "keys"
    path.write_text("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret%1\n[other]\nregion = x\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret%1")
    with served("--keys", str(path) if source == "file" else "env") as (_, connection):
        refused = post(connection, "ListTables")
        assert (refused[0], b"IncompleteSignatureException" in refused[2]) == (400, True)
        client = boto3.client(
            "dynamodb",
            endpoint_url=f"http://{connection.host}:{connection.port}",
            region_name="eu-west-1",
            aws_access_key_id="AKID",
            aws_secret_access_key="secret%1",
        )
        assert client.list_tables()["TableNames"] == []
        client.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read the file 'keys': No such file or directory"),
        ("secret", "the file 'keys' is not like ~/.aws/credentials"),
        ("[a]\naws_access_key_id = secret\n", "the file 'keys': no access key with its secret key is there"),
    ],
)
def test_bad_keys_are_said(
    text: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file without keys is refused, and nothing of what it holds is told."""
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("keys").write_text(text)
    assert main(["serve", "--port", "0", "--keys", "keys"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "= secret" not in told


def test_the_command_allows_pages() -> None:
    """Origins are named with commas between them."""
    with served("--cors", "https://one.example, two.example") as (_, connection):
        for origin in ("https://one.example", "http://two.example:1"):
            assert post(connection, "ListTables", Origin=origin)[0] == 200
        assert post(connection, "ListTables", Origin="http://one.example")[0] == 403


def test_the_command_warns(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Who listens for all machines is told what that means; this machine's own addresses need no warning."""
    serve._warn("0.0.0.0")
    assert "warning: whoever reaches this machine at 0.0.0.0" in capsys.readouterr().err
    assert server.is_local


def test_a_taken_port_is_said(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the port and what to do."""
    port = server.address[1]
    assert main(["serve", "--port", str(port)]) == 1
    assert (
        f"cannot listen at 127.0.0.1 port {port}: Address already in use; check --host, or try another"
        in capsys.readouterr().err
    )


def test_a_file_that_is_not_the_engines_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of another program is left alone, and the message names it."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear engine, " * 1000)
    assert main(["serve", "--port", "0", "--db", str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"dynamix serve: cannot open '{path}' as a database of dynamix: ")
    assert said.count("\n") == 1
    assert path.read_text() == "Dear engine, " * 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "--port", "http"], "'http' is not a port; give a number from 0 to 65535"),
        (["serve", "--port", "65536"], "'65536' is not a port; give a number from 0 to 65535"),
        (["serve", "--db", ""], "an empty path keeps nothing; name a file, or leave --db out"),
        (["serve", "--prot", "1"], "unrecognized arguments: --prot 1"),
        ([], "required: COMMAND"),
        (["surf"], "invalid choice: 'surf'"),
    ],
)
def test_bad_arguments_say_what_to_do(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Mistakes on the command line end it with status 2 and a message."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
