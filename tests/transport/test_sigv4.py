"""Signatures are those that botocore's own signer makes of the same request."""

import datetime
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import botocore.auth
import hypothesis
import hypothesis.strategies as st
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreKeys

from dynamix.transport.credentials import Credentials
from dynamix.transport.http.endpoint import Endpoint, parse
from dynamix.transport.http.sigv4 import Signer
from newest import against_botocore

pytestmark = against_botocore

NOW = 1_790_000_000
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def signer(
    keys: Credentials = KEYS,
    region: str = "eu-west-1",
    endpoint: Endpoint | None = None,
    clock: Callable[[], float] = lambda: NOW,
) -> Signer:
    """A signer for an endpoint."""
    endpoint = endpoint or parse(f"https://dynamodb.{region}.amazonaws.com")
    return Signer(keys, region, endpoint.authority, path=endpoint.path, clock=clock)


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Request line, headers and body."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    return line, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


def botocores(request: bytes, keys: Credentials, region: str, url: str, now: float) -> str:
    """The Authorization that botocore gives a request with the same URL, body, and headers that are signed."""
    _, headers, body = parts(request)
    kept = {name: headers[name] for name in ("content-type", "x-amz-target")}
    other = AWSRequest("POST", url, headers=kept, data=body)
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC).replace(tzinfo=None)
    with patch.object(botocore.auth, "get_current_datetime", lambda: moment):
        botocore.auth.SigV4Auth(
            BotocoreKeys(keys.access_key, keys.secret_key, keys.token), "dynamodb", region
        ).add_auth(other)
    return str(other.headers["Authorization"])


def assert_signed(request: bytes, keys: Credentials, region: str, url: str, now: float) -> None:
    """A request has botocore's signature."""
    assert parts(request)[1]["authorization"] == botocores(request, keys, region, url, now)


URLS = [
    "https://dynamodb.eu-west-1.amazonaws.com",
    "https://123456789012.ddb.us-east-1.amazonaws.com/",
    "https://dynamodb.cn-north-1.amazonaws.com.cn:443",
    "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com:8443",
    "http://localhost:8000",
    "http://LocalHost:80/",
    "http://[::1]:8000",
    "https://[2001:db8::1]",
    "https://gateway.example/a/path/",
    "https://gateway.example/with spaces/and~tilde/und-ümlaut",
    "https://gateway.example/already%20encoded/%E2%82%AC",
    "https://gateway.example//double//slashes/./and/../dots",
    "https://gateway.example/..",
    "https://gateway.example/a+b=c,d;e:f@g!$&'()*",
]
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzEXAMPLE//token=="])
def test_odd_addresses(url: str, token: str | None) -> None:
    """Hosts with and without ports, addresses in brackets, and paths that need encoding are signed as by botocore."""
    endpoint = parse(url)
    keys = Credentials(KEYS.access_key, KEYS.secret_key, token)
    request = signer(keys, "eu-west-1", endpoint).request("GetItem", b"{}").data
    assert_signed(request, keys, "eu-west-1", endpoint.url, NOW)
    assert parts(request)[0] == f"POST {endpoint.path} HTTP/1.1"
    assert parts(request)[1]["host"] == endpoint.authority


@hypothesis.given(
    TEXTS, TEXTS, st.none() | TEXTS, st.sampled_from(["GetItem", "Query"]), st.binary(), st.integers(0, 4_000_000_000)
)
def test_any_keys_bodies_and_times(
    access_key: str, secret_key: str, token: str | None, target: str, body: bytes, now: int
) -> None:
    """Whatever the keys, the body and the second are, the signature is botocore's, and the body is sent as it is."""
    keys = Credentials(access_key, secret_key, token)
    request = signer(keys, clock=lambda: now + 0.75).request(target, body).data
    assert_signed(request, keys, "eu-west-1", URLS[0], now)
    _, headers, sent = parts(request)
    assert sent == body
    assert headers["content-length"] == str(len(body))
    assert headers["x-amz-target"] == f"DynamoDB_20120810.{target}"
    assert headers.get("x-amz-security-token") == token


@hypothesis.given(st.lists(st.tuples(st.integers(-90_000, 90_000), st.sampled_from(["GetItem", "Query", "PutItem"]))))
def test_one_signer_over_time(steps: list[tuple[int, str]]) -> None:
    """What a signer keeps from earlier requests never shows: seconds, operations and days may come in any order."""
    now = NOW
    kept = signer(clock=lambda: now)
    for step, target in steps:
        now += step
        request = kept.request(target, b'{"n": 1}').data
        assert_signed(request, KEYS, "eu-west-1", URLS[0], now)


def test_the_key_of_the_next_day() -> None:
    """At midnight UTC the signing key is another, also for the operation that was asked for a second before."""
    midnight = 1_790_035_200
    now = midnight - 1
    kept = signer(clock=lambda: now)
    dates = []
    for now in (midnight - 1, midnight, midnight + 86_399, midnight + 86_400):
        request = kept.request("GetItem", b"{}").data
        assert_signed(request, KEYS, "eu-west-1", URLS[0], now)
        dates.append(parts(request)[1]["x-amz-date"])
    assert dates == ["20260921T235959Z", "20260922T000000Z", "20260922T235959Z", "20260923T000000Z"]


def test_regions_have_keys_of_their_own() -> None:
    """The region is part of what is signed."""
    for region in ("eu-west-1", "us-gov-west-1", "local"):
        request = signer(KEYS, region, parse(URLS[0])).request("GetItem", b"{}").data
        assert_signed(request, KEYS, region, URLS[0], NOW)


def test_a_proxy_gets_the_whole_url() -> None:
    """A request by way of a proxy names the whole URL, and the signature is that of the endpoint's path."""
    endpoint = parse("http://tables.example:8000/a b")
    by_way = Signer(
        KEYS,
        "eu-west-1",
        endpoint.authority,
        path=endpoint.path,
        request_target=endpoint.url,
        extra_head="proxy-authorization: Basic eA==\r\n",
        clock=lambda: NOW,
    )
    request = by_way.request("GetItem", b"{}").data
    assert parts(request)[0] == "POST http://tables.example:8000/a%20b HTTP/1.1"
    assert parts(request)[1]["proxy-authorization"] == "Basic eA=="
    assert_signed(request, KEYS, "eu-west-1", endpoint.url, NOW)


def test_the_host_is_what_a_client_of_http_would_say() -> None:
    """The Host header has the port unless it is the scheme's own, and brackets around an IPv6 address."""
    said: dict[str, Any] = {url: parse(url).authority for url in URLS[3:8]}
    assert list(said.values()) == [
        "vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com:8443",
        "localhost:8000",
        "localhost",
        "[::1]:8000",
        "[2001:db8::1]",
    ]
