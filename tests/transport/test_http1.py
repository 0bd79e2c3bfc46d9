"""HTTP/1.1 without I/O: any cut of an answer into pieces gives the same answer, and what is none is refused."""

import gzip
from zlib import crc32

import hypothesis
import hypothesis.strategies as st
import pytest
from peer import answer

from dynamix import errors
from dynamix.transport.http.http1 import MAX_BODY_BYTES, MAX_HEADER_BYTES, AnswerReader
from dynamix.wire import Response

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amzn-requestid: R\r\n\r\n"
    b'3\r\n{"a\r\n4;ext=1\r\n": 1\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n'
)
FORMS = {
    "length": (b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-AMZN-REQUESTID:R \r\n\r\n{"a": 1}', b'{"a": 1}', True),
    "chunks": (CHUNKED, b'{"a": 1}', True),
    "checksum": (
        answer(b'{"a": 1}', "x-amzn-RequestId: R"),
        b'{"a": 1}',
        True,
    ),
    "chunks with a checksum": (
        CHUNKED.replace(b"\r\n\r\n3", b"\r\nX-Amz-CRC32: %d\r\n\r\n3" % crc32(b'{"a": 1}')),
        b'{"a": 1}',
        True,
    ),
    "nothing": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amzn-RequestId: R\r\n\r\n", b"", True),
    "closing": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nx-amzn-RequestId: R\r\n\r\n{}",
        b"{}",
        False,
    ),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nx-amzn-RequestId: R\r\n\r\n{}", b"{}", False),
    "HTTP/1.0, kept": (
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\nx-amzn-RequestId: R\r\n\r\n{}",
        b"{}",
        True,
    ),
    "informed before": (
        b"HTTP/1.1 100 Continue\r\nx-amzn-RequestId: wrong\r\n\r\nHTTP/1.1 103 Early Hints\r\nx-amz-crc32: 1\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amzn-RequestId: R\r\n\r\n{}",
        b"{}",
        True,
    ),
    "said to be as it is": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity \r\nContent-Length: 2\r\nx-amzn-RequestId: R\r\n\r\n{}",
        b"{}",
        True,
    ),
}


def fed(reader: AnswerReader, pieces: list[bytes]) -> Response:
    """The answer that the last of these pieces completes."""
    for piece in pieces[:-1]:
        assert reader.feed(piece) is None
    response = reader.feed(pieces[-1])
    assert response is not None
    return response


@pytest.mark.parametrize("name", FORMS)
@hypothesis.given(data=st.data())
def test_any_cut_gives_the_same_answer(name: str, data: st.DataObject) -> None:
    """An answer in each form, cut anywhere, is whole at its last byte and not before."""
    sent, body, reusable = FORMS[name]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1))))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    reader = AnswerReader()
    assert fed(reader, pieces) == Response(200, body, "R")
    assert reader.reusable is reusable


def test_answers_follow_each_other() -> None:
    """A reader reads one answer after another, and mixes nothing up between them."""
    reader = AnswerReader()
    for name in ("checksum", "chunks", "nothing", "length", "chunks with a checksum", "informed before"):
        sent, body, _ = FORMS[name]
        assert fed(reader, [sent]) == Response(200, body, "R")
    bare = b"HTTP/1.1 400 X\r\nContent-Length: 2\r\n\r\n{}"
    assert fed(reader, [bare]) == Response(400, b"{}")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.0\r\n", "not one HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "not one HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", "not one HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "not one HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not one HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "not one HTTP answer"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "not one HTTP answer"),
        (answer() + answer(), "bytes follow the answer"),
        (answer() + b"garbage", "not one HTTP answer"),
        (answer(b"{}", "Connection: close") + b"more", "not one HTTP answer"),
        (answer().replace(b"{}", b"{]"), "does not fit its x-amz-crc32"),
        (answer(b"{}", "Content-Encoding: br"), "an encoding that was not asked for: b'br'"),
        (answer(gzip.compress(b"{}"), "content-encoding: gzip"), "an encoding that was not asked for: b'gzip'"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MAX_HEADER_BYTES // 6), f"exceed {MAX_HEADER_BYTES} bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * MAX_HEADER_BYTES, f"exceed {MAX_HEADER_BYTES} bytes"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_HEADER_BYTES // 20), f"exceed {MAX_HEADER_BYTES} bytes"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (MAX_BODY_BYTES + 1, b" " * MAX_HEADER_BYTES),
            f"exceeds {MAX_BODY_BYTES} bytes",
        ),
    ],
)
def test_what_is_refused(sent: bytes, said: str) -> None:
    """What is not one whole, undamaged answer of a possible size is an InvalidAnswerError and ends the connection."""
    reader = AnswerReader()
    with pytest.raises(errors.InvalidAnswerError, match=said) as caught:
        reader.feed(sent)
    assert caught.value.sent
    assert not reader.reusable


def test_chunks_without_end_are_refused() -> None:
    """A body in chunks that does not end is refused when it is too large, not kept for ever."""
    reader = AnswerReader()
    reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"1000000\r\n" + bytes(0x1000000) + b"\r\n"
    for _ in range(MAX_BODY_BYTES // len(chunk)):
        assert reader.feed(chunk) is None
    with pytest.raises(errors.InvalidAnswerError, match="exceeds"):
        reader.feed(chunk)


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", "before the whole answer had arrived"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "before the whole answer had arrived"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", "before the whole answer had arrived"),
    ],
)
def test_an_answer_that_ends_early(received: bytes, said: str) -> None:
    """A connection that ends within an answer, or instead of one, is lost; an answer must say how long it is."""
    reader = AnswerReader()
    assert received == b"" or reader.feed(received) is None
    error = reader.lost()
    assert said in str(error)
    assert error.sent
    assert not reader.reusable


@hypothesis.given(st.lists(st.binary(min_size=1), max_size=5))
def test_any_bytes_are_an_answer_or_refused(pieces: list[bytes]) -> None:
    """Whatever a server sends, nothing but an InvalidAnswerError comes of it."""
    reader = AnswerReader()
    for piece in (b"HTTP/1.1 200 OK\r\n", *pieces):
        try:
            if reader.feed(piece) is not None:
                return
        except errors.InvalidAnswerError:
            return
