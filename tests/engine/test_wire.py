"""The protocol around a request: signatures, encodings, web pages, and what is no JSON."""

import gzip
import http.client
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dynamix.engine import Engine
from dynamix.engine.faults import Fault
from dynamix.engine.http.encodings import preferred
from dynamix.engine.http.reader import Request
from dynamix.engine.http.server import Server
from dynamix.engine.http.signatures import Signatures
from dynamix.transport.credentials import Credentials as OwnCredentials
from dynamix.transport.http.sigv4 import Signer
from engine.database import Database
from engine.served import CONTENT, SIGNED, Echo, post

KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
NOW = 1_800_000_000


def signed(
    body: bytes = b"{}", *, secret: str | None = None, at: int = NOW, access: str = "AKIDEXAMPLE", **headers: str
) -> Request:
    """A request as botocore signs it at a moment."""
    asked = AWSRequest("POST", "http://localhost:8000/", data=body)
    for name, value in {"Host": "localhost:8000", "X-Amz-Target": "DynamoDB_20120810.ListTables", **CONTENT}.items():
        asked.headers[name] = value
    for name, value in headers.items():
        asked.headers[name] = value
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    signer = SigV4Auth(Credentials(access, secret or KEYS["AKIDEXAMPLE"]), "dynamodb", "eu-west-1")
    asked.context["timestamp"] = stamp
    signer._modify_request_before_signing(asked)
    text = signer.string_to_sign(asked, signer.canonical_request(asked))
    signer._inject_signature_to_request(asked, signer.signature(text, asked))
    request = Request()
    request.method, request.url, request.body = b"POST", b"/", bytearray(body)
    request.headers = {name.lower().encode(): value.encode() for name, value in asked.headers.items()}
    return request


def refusal(request: Request, *, keys: dict[str, str] = KEYS) -> str:
    """What a request is told: code and message; nothing if it is served."""
    try:
        Signatures(keys, lambda: NOW).check(request)
    except Fault as fault:
        return f"{fault.status} {fault.code}: {fault.message}"
    return ""


def test_a_request_that_botocore_signed_is_served() -> None:
    """The signature of a request by a known key is what the specification says, whatever the body and the headers."""
    assert refusal(signed()) == ""
    assert refusal(signed("é\0".encode(), **{"X-Amz-Security-Token": "a  b"})) == ""
    asked = signed()
    asked.headers[b"authorization"] = asked.headers[b"authorization"].replace(b", ", b",")
    assert refusal(asked) == ""


def test_a_request_that_dynamix_signed_is_served() -> None:
    """The mapper's own signer and the server agree."""
    signer = Signer(OwnCredentials("AKIDEXAMPLE", KEYS["AKIDEXAMPLE"]), "eu-west-1", "h", clock=lambda: NOW)
    head, _, body = signer.request("ListTables", b"{}").data.partition(b"\r\n\r\n")
    request = Request()
    request.method, request.url, request.body = b"POST", b"/", bytearray(body)
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b": ")
        request.headers[name.lower()] = value
    assert refusal(request) == ""


def changed(name: bytes, old: bytes, new: bytes) -> Request:
    request = signed()
    assert old in request.headers[name]
    request.headers[name] = request.headers[name].replace(old, new)
    return request


def other_body() -> Request:
    request = signed()
    request.body = bytearray(b"{ }")
    return request


def without_authorization(url: bytes) -> Request:
    request = signed()
    del request.headers[b"authorization"]
    request.url = url
    return request


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (signed(secret="other"), "400 InvalidSignatureException: The request signature we calculated does not match"),
        (other_body(), "400 InvalidSignatureException: The request signature we calculated does not match"),
        (changed(b"x-amz-target", b"List", b"Dump"), "400 InvalidSignatureException: The request"),
        (
            signed(access="AKIDOTHER"),
            "400 UnrecognizedClientException: The security token included in the request is invalid.",
        ),
        (
            signed(at=NOW - 301, access="AKIDOTHER"),
            "400 InvalidSignatureException: Signature expired: 20270115T075459Z is now earlier than 20270115T075500Z "
            "(20270115T080000Z - 5 min.)",
        ),
        (
            signed(at=NOW + 301),
            "400 InvalidSignatureException: Signature not yet current: 20270115T080501Z is still later than "
            "20270115T080500Z (20270115T080000Z + 5 min.)",
        ),
        (
            changed(b"authorization", b"/dynamodb/", b"/s3/"),
            "Credential should be scoped to correct service",
        ),
        (changed(b"authorization", b"aws4_request", b"aws3"), "with a valid terminator: 'aws4_request', not 'aws3'."),
        (
            changed(b"authorization", b"/20270115/", b"/20270114/"),
            "Date in Credential scope does not match",
        ),
        (changed(b"authorization", b"host;", b""), "'Host' or ':authority' must be a 'SignedHeader'"),
        (changed(b"authorization", b"Signature=", b"Sig="), "Authorization header requires 'Signature' parameter."),
        (
            changed(b"authorization", b"AWS4-HMAC-SHA256", b"Basic"),
            "Authorization header requires the algorithm",
        ),
        (
            changed(b"authorization", b"/20270115/", b"/"),
            "Credential must have exactly 5 slash-",
        ),
        (changed(b"x-amz-date", b"20270115T", b"2027 "), "400 IncompleteSignatureException: Date must be in ISO-8601"),
        (
            without_authorization(b"/"),
            "400 MissingAuthenticationTokenException: Request is missing",
        ),
        (
            without_authorization(b"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"),
            "400 InvalidSignatureException: requests signed in their address are not served here",
        ),
    ],
)
def test_a_request_that_is_not_signed_well_is_refused(request_: Request, told: str) -> None:
    """Time is looked at before the key, the key before the signature; the words are the service's."""
    said = refusal(request_)
    assert told in said
    assert KEYS["AKIDEXAMPLE"] not in said


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Echo(), origins=["https://app.example", "friend.example"]) as server:
        yield server


@pytest.fixture
def http_(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(*server.address)
    yield connection
    connection.close()


def test_boto3_is_served_with_the_right_key_only() -> None:
    """A server that has keys serves who signs with them, and tells others what is wrong."""
    engine = Engine()

    def client(secret: str) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url="http://{}:{}".format(*server.address),
            region_name="eu-west-1",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key=secret,
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )

    with Server(engine, keys=KEYS) as server:
        right, wrong = client(KEYS["AKIDEXAMPLE"]), client("x")
        assert right.list_tables()["TableNames"] == []
        with pytest.raises(botocore.exceptions.ClientError, match="InvalidSignatureException"):
            wrong.list_tables()
        right.close()
        wrong.close()
    engine.close()


def test_a_body_signed_in_chunks_is_refused(http_: http.client.HTTPConnection) -> None:
    """It is refused by name, with keys and without."""
    kind = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    status, _, body = post(http_, "ListTables", b"2;chunk-signature=0\r\n{}\r\n", **kind)
    assert status == 400
    assert "InvalidSignatureException" in json.loads(body)["__type"]
    assert "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" in json.loads(body)["message"]


def raw(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("GZIP", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", raw(b"hello")),
        ("identity", b"hello"),
    ],
)
def test_an_encoded_request_is_decoded(http_: http.client.HTTPConnection, encoding: str, body: bytes) -> None:
    """Bodies may come in gzip, also of several members, and deflate, with its header or without."""
    assert json.loads(post(http_, "PutItem", body, **{"Content-Encoding": encoding})[2]) == ["PutItem", 5, "hello"]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"hello"),
        ("gzip", b""),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-3]),
        ("gzip", gzip.compress(b"hello", mtime=0) + b"more"),
        ("deflate", b"hello"),
        ("br", b"hello"),
        ("gzip, deflate", b"hello"),
    ],
)
def test_what_cannot_be_decoded_is_a_500(http_: http.client.HTTPConnection, encoding: str, body: bytes) -> None:
    """A broken, empty or unknown encoding is an InternalServerError, as the service has it; the connection goes on."""
    status, _, told = post(http_, "PutItem", body, **{"Content-Encoding": encoding})
    assert status == 500
    assert json.loads(told) == {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}
    assert post(http_, "PutItem", b"")[0] == 200


def test_the_size_of_a_request_is_that_of_its_decoded_body(http_: http.client.HTTPConnection) -> None:
    """A small body that becomes too large is refused; at the limit it is served."""
    limit = 16 * 1024 * 1024
    headers = {"Content-Encoding": "gzip"}
    assert json.loads(post(http_, "PutItem", gzip.compress(bytes(limit), 1), **headers)[2])[1] == limit
    status, _, told = post(http_, "PutItem", gzip.compress(bytes(limit + 1), 1), **headers)
    assert status == 413
    assert json.loads(told)["__type"].endswith("#RequestEntityTooLargeException")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (b"gzip", b"gzip"),
        (b"deflate", b"deflate"),
        (b"gzip, deflate, br", b"gzip"),
        (b"gzip;q=0.5, deflate;q=0.8", b"deflate"),
        (b"*", b"gzip"),
        (b"gzip;q=0, *", None),
        (b"gzip;q=0", None),
        (b"identity", None),
        (b"", None),
        (b"br", None),
        (b"gzip;q=0.2, identity;q=0.9", None),
        (b"gzip;q=x", None),
    ],
)
def test_the_client_chooses_the_encoding(accepted: bytes, chosen: bytes | None) -> None:
    """The greatest weight wins, gzip where they are equal; `*` is gzip."""
    assert preferred(accepted) == chosen


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("size", [8_000, 300_000])
def test_a_large_answer_is_encoded_where_the_client_takes_it(encoding: str, size: int) -> None:
    """Answers over 4,096 bytes are encoded; the checksum is that of the bytes sent."""
    database = Database()
    database.create("a:S")
    database.put(a="x", text="y" * size)
    database.put(a="small")
    with Server(database.engine) as server:
        connection = http.client.HTTPConnection(*server.address)
        key = b'{"TableName": "tab", "Key": {"a": {"S": "%s"}}}'
        plain = post(connection, "GetItem", key % b"x", **{"Accept-Encoding": "identity"})[2]
        status, headers, sent = post(connection, "GetItem", key % b"x", **{"Accept-Encoding": encoding})
        assert (status, headers["Content-Encoding"]) == (200, encoding)
        assert (gzip if encoding == "gzip" else zlib).decompress(sent) == plain
        assert len(sent) < len(plain) / 4
        assert int(headers["x-amz-crc32"]) == zlib.crc32(sent)
        assert "Content-Encoding" not in post(connection, "GetItem", key % b"small", **{"Accept-Encoding": encoding})[1]
        connection.close()


@pytest.mark.parametrize("origin", ["https://app.example", "http://friend.example:81", "http://localhost:3000"])
def test_an_allowed_page_may_read_answers(http_: http.client.HTTPConnection, origin: str) -> None:
    """Answers to pages say so, errors too; the question before a request is answered as the page would like it."""
    for target, status in (("GetItem", 200), ("Fail", 500)):
        told, headers, _ = post(http_, target, Origin=origin)
        assert (told, headers["Access-Control-Allow-Origin"]) == (status, "*")
        assert "x-amzn-RequestId" in headers["Access-Control-Expose-Headers"]
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target,authorization"}
    http_.request("OPTIONS", "/", headers={"Origin": origin, **asked})
    answer = http_.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-amz-target,authorization"
    assert answer.headers["Access-Control-Max-Age"] == "172800"


@pytest.mark.parametrize("origin", ["http://app.example", "https://app.example:8443", "https://evil.example", "null"])
def test_other_pages_are_refused(http_: http.client.HTTPConnection, origin: str) -> None:
    """An origin is compared as a whole; one that is not allowed is refused with words that say how to allow it."""
    status, headers, body = post(http_, "GetItem", Origin=origin)
    assert status == 403
    assert "Access-Control-Allow-Origin" not in headers
    assert f"--cors {origin}" in body.decode()


def test_all_pages_may_be_allowed() -> None:
    """With `*` every page is served."""
    with Server(Echo(), origins=["*"]) as server:
        connection = http.client.HTTPConnection(*server.address)
        assert post(connection, "GetItem", Origin="https://evil.example")[0] == 200
        assert post(connection, "GetItem", Origin="null")[0] == 200
        connection.close()


def test_who_is_no_page_is_told_nothing_of_pages(http_: http.client.HTTPConnection) -> None:
    """Without Origin an answer has no such headers, and OPTIONS is no operation."""
    assert "Access-Control-Allow-Origin" not in post(http_, "GetItem")[1]
    http_.request("OPTIONS", "/")
    answer = http_.getresponse()
    assert (answer.status, answer.read()) == (404, b"<UnknownOperationException/>\n")


def test_the_endpoint_is_the_server_itself() -> None:
    """DescribeEndpoints names the address that the client used."""
    engine = Engine()
    with Server(engine) as server:
        connection = http.client.HTTPConnection(*server.address)
        expected = {"Endpoints": [{"Address": "localhost:77", "CachePeriodInMinutes": 1440}]}
        assert json.loads(post(connection, "DescribeEndpoints", Host="localhost:77")[2]) == expected
        assert post(connection, "DescribeEndpoints", b"[")[0] == 400
        connection.close()
    engine.close()


BYTES = [
    b"NaN",
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'{"a": "\\ud800"}',
    b'{"a": "\x01"}',
    b"[" * 100_000,
    "{}".encode("utf-16"),
]
SERIALIZATION = "com.amazon.coral.service#SerializationException"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"{}{}",
        b"[]",
        b'""',
        b"1",
        b"true",
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": 1,}',
        b"NaN",
        *BYTES,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_object_is_a_serialization_exception(body: bytes) -> None:
    """Whatever is wrong with a body, its answer is the service's, with status 400."""
    status, told = Engine().handle("ListTables", body)
    assert status == 400
    assert json.loads(told)["__type"] == SERIALIZATION


def test_null_is_an_empty_request() -> None:
    """A body that is `null` asks for nothing, as a member that is null is absent."""
    assert Engine().handle("ListTables", b"null") == (200, b'{"TableNames":[]}')


def test_of_members_that_come_twice_the_last_counts() -> None:
    """In a request, an item, a map and a value alike."""
    database = Database()
    database.create("a:S")
    for item in (
        b'{"a": {"S": "x", "S": "y"}}',
        b'{"a": {"N": "1"}, "a": {"S": "z"}, "m": {"M": {"k": {}, "k": {"S": "1"}}}}',
    ):
        status, _ = database.engine.handle("PutItem", b'{"TableName": "no", "TableName": "tab", "Item": %s}' % item)
        assert status == 200
    assert database.get(a="y") == {"a": {"S": "y"}}
    assert database.get(a="z") == {"a": {"S": "z"}, "m": {"M": {"k": {"S": "1"}}}}


def test_headers_of_one_name_are_put_together() -> None:
    """Two Hosts are no host of ours; a signature covers all values of a header."""
    with Server(Echo()) as server:
        connection = http.client.HTTPConnection(*server.address)
        connection.putrequest("POST", "/", skip_host=True)
        for host in ("localhost", "evil.example"):
            connection.putheader("Host", host)
        for name, value in {**SIGNED, **CONTENT, "Content-Length": "0"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status in (400, 403)
        connection.close()
