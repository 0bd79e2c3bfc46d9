"""Bytes of every kind on the wire: damaged requests, cut anywhere, are answered or refused, and the server goes on."""

import json
import os
import re
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamix.engine.http.server import Server
from engine.served import request, talk

EXAMPLES = int(os.environ.get("DYNAMIX_FUZZ", "25"))
GOOD = (
    request("Echo", b'{"a": 1}'),
    request("ListTables", b"{}", "Accept-Encoding: gzip;q=0.5, deflate"),
    request("Echo", b"x" * 300, "Expect: 100-continue", "Origin: http://localhost:3000"),
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nX-Amz-Target: DynamoDB_20120810.Echo\r\n"
    b"Authorization: AWS4-x\r\nContent-Type: application/json\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
)
PIECES = (
    *(b"\r\n", b"\r", b"\n", b"\r\n\r\n", b":", b" ", b"\x00", b"\xff", b"%", b"-1", b"99999999999999999999"),
    *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Upgrade: h2c\r\n"),
    *(b"HTTP/1.0", b"HTTP/9.9", b"HEAD", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01", b"Host: evil\r\n"),
)
MOVING = re.compile(rb"(Date|x-amzn-RequestId): [^\r]*\r\n|HTTP/1.1 100 Continue\r\n\r\n")
"""What differs from time to time; leave to send a body is not given where that has come already."""


class Told:
    """Answers with what it was asked."""

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        return 200, json.dumps([target, body.decode("latin-1")]).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Told()) as server:
        yield server


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Some requests in a row, in which a few places are changed."""
    stream = b"".join(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, len(stream)))
        end = begin + draw(st.sampled_from((0, 0, 1, 2, 20)))
        stream = stream[:begin] + draw(st.sampled_from(PIECES) | st.binary(max_size=5)) + stream[end:]
    return stream


@given(damaged(), st.lists(st.integers(0, 2000), max_size=4))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_on_the_wire(server: Server, stream: bytes, cuts: list[int]) -> None:
    """What comes in parts is answered as what comes at once; after it the server answers others as before."""
    bounds = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    parts = [stream[begin:end] for begin, end in pairwise(bounds)]
    told = talk(server, stream)
    assert not told or told.startswith(b"HTTP/1.1 ")
    cut = talk(server, *parts)
    assert MOVING.sub(b"", cut) == MOVING.sub(b"", told), (cut, told)
    while server._connections:  # those that have ended are soon forgotten
        time.sleep(0.001)
    assert b'["ListTables", "{}"]' in talk(server, request("ListTables", b"{}"))
