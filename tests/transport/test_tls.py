"""TLS: who an endpoint is gets verified, what fails is named, and connections are kept as without it."""

import contextlib
import datetime
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from authority import AUTHORITY, bundle, server_context
from peer import SECONDS, Conversation, always, answer, peer
from sides import KEYS, Side

import dynamix
from dynamix import Connection

ONCE: Any = {"max_attempts": 1}


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' authority is trusted."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle(tmp_path)))


def refused(side: Side, port: int, said: str, host: str = "127.0.0.1", **options: Any) -> None:
    """A write to this port fails in connecting, with these words; it was never sent."""
    with Connection(endpoint_url=f"https://{host}:{port}", **KEYS, **ONCE, **options) as connection:
        with pytest.raises(dynamix.ConnectError, match=f"cannot connect to https://{host}:{port}/: .*{said}") as caught:
            side.write(connection)
        assert not caught.value.sent
        side.close(connection)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_authority_of_aws_ca_bundle_is_trusted(host: str, side: Side) -> None:
    """An endpoint whose certificate the bundle's authority has signed is used, on a connection that is kept."""
    with peer(always(answer(b'{"secure": true}')), server_context(host)) as there:
        with Connection(endpoint_url=f"https://{host}:{there.port}", **KEYS) as connection:
            assert [side.ask(connection) for _ in range(3)] == [{"secure": True}] * 3
            side.close(connection)
        assert there.connections == 1
        assert there.requests[0].headers["host"] == f"{host}:{there.port}"


def test_an_unknown_authority_is_refused(side: Side) -> None:
    """Without the bundle the same endpoint is nobody's."""
    with peer(always(answer()), server_context("127.0.0.1")) as there:
        refused(side, there.port, "CERTIFICATE_VERIFY_FAILED")
        assert there.requests == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_authority_is_refused(side: Side) -> None:
    """A bundle is all that is trusted."""
    with peer(always(answer()), server_context("127.0.0.1", authority=trustme.CA())) as there:
        refused(side, there.port, "CERTIFICATE_VERIFY_FAILED")
        assert there.requests == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("host", "name"), [("localhost", "tables.example"), ("127.0.0.1", "localhost")])
def test_a_certificate_for_another_host_is_refused(host: str, name: str, side: Side) -> None:
    """The certificate must be for the host that was asked for, be it a name or an address."""
    with peer(always(answer()), server_context(name)) as there:
        refused(side, there.port, f"not valid for '{host}'", host)
        assert there.requests == []


@pytest.mark.usefixtures("trusted")
def test_an_expired_certificate_is_refused(side: Side) -> None:
    """A certificate has its time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    AUTHORITY.issue_cert("127.0.0.1", not_before=past, not_after=past).configure_cert(context)
    with peer(always(answer()), context) as there:
        refused(side, there.port, "certificate has expired")
        assert there.requests == []


@pytest.mark.usefixtures("trusted")
def test_an_endpoint_without_tls(side: Side) -> None:
    """A server that speaks plain HTTP on the port is named as a failure of TLS."""

    def talk(conversation: Conversation) -> None:
        conversation.connected.recv(65536)
        conversation.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        conversation.wait_for_end()

    with peer(talk) as there:
        refused(side, there.port, "SSL")


@pytest.mark.usefixtures("trusted")
def test_a_handshake_that_breaks_off(side: Side) -> None:
    """A server that closes in the middle of the handshake is a failed connection."""

    def talk(conversation: Conversation) -> None:
        conversation.connected.recv(65536)

    with peer(talk) as there:
        refused(side, there.port, "")


@pytest.mark.usefixtures("trusted")
def test_a_handshake_that_hangs(side: Side) -> None:
    """The time for a connection bounds the handshake; the connection is closed then."""
    ended = threading.Event()

    def talk(conversation: Conversation) -> None:
        conversation.wait_for_end()
        ended.set()

    with peer(talk) as there:
        refused(side, there.port, r"not within 0\.1 s", connect_timeout=0.1)
        assert ended.wait(SECONDS)


@pytest.mark.usefixtures("trusted")
def test_large_requests_and_answers(side: Side) -> None:
    """Megabytes go both ways through TLS unharmed, more than any buffer holds."""

    def talk(conversation: Conversation) -> None:
        while (request := conversation.read()) is not None:
            conversation.send(answer(request.body))

    body = {"text": "x" * 3_000_000}
    with peer(talk, server_context("127.0.0.1")) as there:
        with Connection(endpoint_url=f"https://127.0.0.1:{there.port}", **KEYS) as connection:
            assert side.ask(connection, body=body) == body
            assert side.ask(connection, body=body) == body
            side.close(connection)
        assert there.connections == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("properly", [True, False])
def test_a_secured_connection_that_ended_while_idle_is_replaced(properly: bool, side: Side) -> None:
    """The end of TLS, or of the connection below it, on an idle connection is no error, not even for a write."""
    over = threading.Semaphore(0)

    def talk(conversation: Conversation) -> None:
        assert conversation.read() is not None
        conversation.send(answer())
        read.acquire(timeout=SECONDS)
        if properly:
            conversation.connected.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):  # it does not wait for the client's farewell
                conversation.connected.unwrap()  # type: ignore[attr-defined]
        conversation.connected.close()
        over.release()

    read = threading.Semaphore(0)
    with peer(talk, server_context("127.0.0.1")) as there:
        with Connection(endpoint_url=f"https://127.0.0.1:{there.port}", **KEYS, **ONCE) as connection:
            for _ in range(2):
                side.write(connection)
                read.release()
                assert over.acquire(timeout=SECONDS)
            side.close(connection)
        assert len(there.requests) == 2


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("no certificate", ""), ("", "")])
def test_a_bundle_that_cannot_be_read(
    content: str | None, said: str, side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that is missing or no bundle is named; nothing is trusted in its place."""
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    with (
        Connection(endpoint_url="https://127.0.0.1:1", **KEYS) as connection,
        pytest.raises(
            dynamix.ValidationException, match=f"AWS_CA_BUNDLE={str(path)!r} cannot be read: .*{said}|{said}"
        ),
    ):
        side.ask(connection)


LOADED = """
import sys
from dynamix.transport.http.tls import tls_context
print(tls_context({}).cert_store_stats()["x509_ca"] > 20, "botocore" in sys.modules)
"""


def test_a_machine_without_authorities_has_those_of_botocore(tmp_path: Path) -> None:
    """Where the system has no certificates, as in small containers, those that come with botocore are trusted."""
    for folder in (tmp_path / "missing", tmp_path):
        environ = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "missing"), "SSL_CERT_DIR": str(folder)}
        done = subprocess.run([sys.executable, "-c", LOADED], env=environ, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("True False\n", "")
