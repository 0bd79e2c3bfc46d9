"""Proxies that the environment names: found, passed by, and used, over real ones on this machine."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from authority import bundle, server_context
from peer import SECONDS, Conversation, Peer, always, answer, forwarding_to, peer
from sides import KEYS, Side

import dynamix
from dynamix import Connection
from dynamix.transport.http.endpoint import parse
from dynamix.transport.http.proxy import Proxy, Tunnel, find

HTTP = "http://tables.example:8000"
HTTPS = "https://tables.example"
ONCE: Any = {"max_attempts": 1}


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        (HTTP, {}, None),
        (HTTP, {"HTTP_PROXY": "http://proxy:3128"}, ("proxy", 3128)),
        (HTTP, {"http_proxy": "http://lower:1", "HTTP_PROXY": "http://upper:2"}, ("lower", 1)),
        (HTTP, {"http_proxy": "", "HTTP_PROXY": "http://upper:2"}, None),
        (HTTP, {"HTTPS_PROXY": "http://proxy:3128"}, None),
        (HTTPS, {"HTTP_PROXY": "http://proxy:3128"}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy:3128"}, ("proxy", 3128)),
        (HTTPS, {"https_proxy": "proxy:3128"}, ("proxy", 3128)),
        (HTTPS, {"https_proxy": "http://proxy"}, ("proxy", 80)),
        (HTTPS, {"https_proxy": "http://[::1]:3128"}, ("::1", 3128)),
        (HTTP, {"HTTP_PROXY": "http://proxy:3128", "REQUEST_METHOD": "POST"}, None),
        (HTTP, {"http_proxy": "http://proxy:3128", "REQUEST_METHOD": "POST"}, ("proxy", 3128)),
        (HTTPS, {"HTTPS_PROXY": "http://proxy:3128", "REQUEST_METHOD": "POST"}, ("proxy", 3128)),
        *[
            (url, {"HTTP_PROXY": "http://proxy", "HTTPS_PROXY": "http://proxy"}, None)
            for url in ("http://localhost:8000", "https://127.0.0.2", "http://[::1]:8000", "http://a.localhost")
        ],
    ],
)
def test_which_proxy(url: str, environ: dict[str, str], expected: tuple[str, int] | None) -> None:
    """The scheme's own variable counts, in lower case first; never in CGI, nor for an endpoint on this machine."""
    found = find(parse(url), environ)
    assert (found and (found.host, found.port)) == expected


@pytest.mark.parametrize(
    ("url", "no_proxy", "is_exempt"),
    [
        (HTTPS, "tables.example", True),
        (HTTPS, "TABLES.example", True),
        (HTTPS, ".example", True),
        (HTTPS, "*.example", True),
        (HTTPS, "example", True),
        (HTTPS, "*", True),
        (HTTPS, "other.example, tables.example ,", True),
        (HTTPS, "tables.example:443", True),
        (HTTPS, "tables.example:8000", False),
        (HTTP, "tables.example:8000", True),
        (HTTP, ".example:8000", True),
        (HTTP, "tables.example:80", False),
        (HTTPS, "", False),
        (HTTPS, ",", False),
        (HTTPS, ".", False),
        (HTTPS, "les.example", False),
        (HTTPS, "tables", False),
        (HTTPS, "a.tables.example", False),
        ("http://10.1.2.3:8000", "10.1.2.3", True),
        ("http://10.1.2.3:8000", "10.0.0.0/8,192.168.0.0/16", True),
        ("http://10.1.2.3:8000", "10.1.2.0/30", True),
        ("http://10.1.2.3:8000", "192.168.0.0/16", False),
        ("http://[2001:db8::1]:8000", "2001:db8::/32", True),
        ("http://[2001:db8::1]:8000", "[2001:db8::1]:8000", True),
        ("http://[2001:db8::1]:8000", "2001:db8::1", True),
    ],
)
def test_passing_a_proxy_by(url: str, no_proxy: str, is_exempt: bool) -> None:
    """NO_PROXY lists hosts, domains, both perhaps with a port, networks, or a star."""
    for name in ("no_proxy", "NO_PROXY"):
        environ = {"HTTP_PROXY": "http://proxy", "HTTPS_PROXY": "http://proxy", name: no_proxy}
        assert (find(parse(url), environ) is None) is is_exempt


@pytest.mark.parametrize(
    "value", ["https://user:hush@proxy", "socks5://user:hush@proxy", "http://user:hush@", "http://user:hush@a:b"]
)
def test_a_proxy_of_another_kind(value: str) -> None:
    """What cannot be used is refused with the name of its variable; its value may hold a password."""
    with pytest.raises(dynamix.ValidationException, match="HTTPS_PROXY must look like http://host:port") as caught:
        find(parse(HTTPS), {"HTTPS_PROXY": value})
    assert "hush" not in str(caught.value)


def test_credentials_of_a_proxy() -> None:
    """User and password of the URL, percent-decoded, are what the proxy is sent; the repr does not show them."""
    proxy = find(parse(HTTPS), {"HTTPS_PROXY": "http://us%40er:hush%3A%C3%A9@proxy:3128"})
    assert proxy is not None
    assert proxy.head == f"proxy-authorization: Basic {base64.b64encode('us@er:hush:é'.encode()).decode()}\r\n"
    assert repr(proxy) == "Proxy('proxy', 3128)"
    nameless = find(parse(HTTPS), {"HTTPS_PROXY": "http://user@proxy:3128"})
    assert nameless is not None
    assert nameless.authorization == f"Basic {base64.b64encode(b'user:').decode()}"


# Real proxies


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Peer], None]:
    """Makes a peer the proxy of both schemes, with credentials; the tests' authority is trusted."""

    def by_way_of(proxy: Peer) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://user:hush@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle(tmp_path)))

    return by_way_of


AUTHORIZATION = f"Basic {base64.b64encode(b'user:hush').decode()}"


def test_http_by_way_of_a_proxy(side: Side, use: Callable[[Peer], None]) -> None:
    """A plain request goes to the proxy with the whole URL, the endpoint's Host, and the proxy's credentials."""
    with peer(always(answer(b'{"found": true}'))) as proxy:
        use(proxy)
        with Connection(endpoint_url=f"{HTTP}/path", **KEYS) as connection:
            assert side.ask(connection) == side.ask(connection) == {"found": True}
            side.close(connection)
        assert proxy.connections == 1
        for request in proxy.requests:
            assert request.line == "POST http://tables.example:8000/path HTTP/1.1"
            assert request.headers["host"] == "tables.example:8000"
            assert request.headers["proxy-authorization"] == AUTHORIZATION


def test_tls_by_way_of_a_proxy(side: Side, use: Callable[[Peer], None]) -> None:
    """TLS goes through a tunnel, ends at the endpoint, is kept, and shows the endpoint nothing of the proxy."""
    with peer(always(answer(b'{"found": true}')), server_context("tables.example")) as there:
        with peer(forwarding_to(there)) as proxy:
            use(proxy)
            with Connection(endpoint_url=HTTPS, **KEYS) as connection:
                assert side.ask(connection) == side.ask(connection) == {"found": True}
                side.close(connection)
            (opening,) = proxy.requests
        assert opening.line == "CONNECT tables.example:443 HTTP/1.1"
        assert opening.headers == {"host": "tables.example:443", "proxy-authorization": AUTHORIZATION}
        assert there.connections == 1
        for request in there.requests:
            assert request.line == "POST / HTTP/1.1"
            assert "proxy-authorization" not in request.headers


def test_a_proxy_does_not_stand_in_for_the_endpoint(side: Side, use: Callable[[Peer], None]) -> None:
    """In a tunnel too the certificate must be the endpoint's."""
    with peer(always(answer()), server_context("proxy.example", "127.0.0.1")) as there:
        with peer(forwarding_to(there)) as proxy:
            use(proxy)
            with Connection(endpoint_url=HTTPS, **KEYS, **ONCE) as connection:
                with pytest.raises(dynamix.ConnectError, match=r"CERTIFICATE_VERIFY_FAILED.*tables\.example"):
                    side.ask(connection)
                side.close(connection)
        assert there.requests == []


def test_no_proxy_is_passed_by(side: Side, use: Callable[[Peer], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that NO_PROXY names, and one on this machine, are connected to directly."""
    with peer(always(answer())) as there, peer(always(answer())) as proxy:
        use(proxy)
        monkeypatch.setenv("NO_PROXY", "0.0.0.0")
        for url in (f"http://0.0.0.0:{there.port}", f"http://127.0.0.1:{there.port}"):
            with Connection(endpoint_url=url, **KEYS) as connection:
                side.ask(connection)
                side.close(connection)
        assert len(there.requests) == 2
        assert proxy.connections == 0


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "refused the connection: 'HTTP/1.1 403 Forbidden'"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "wants credentials"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "refused the connection: 'HTTP/1.1 502 Bad Gateway'"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "refused the connection: 'SSH-2.0-OpenSSH'"),
        (b"HTTP/1.1 200 OK\r\n", "gave no answer to CONNECT"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "gave no answer to CONNECT"),
        (b"", "gave no answer to CONNECT"),
    ],
)
def test_a_proxy_that_opens_no_tunnel(refusal: bytes, said: str, side: Side, use: Callable[[Peer], None]) -> None:
    """What the proxy says instead is in the error, with its address, and without its password; nothing was sent."""

    def talk(conversation: Conversation) -> None:
        if conversation.read() is not None:
            conversation.send(refusal)

    with peer(talk) as proxy:
        use(proxy)
        with Connection(endpoint_url=HTTPS, **KEYS, max_attempts=2, retry_delay=0.001) as connection:
            with pytest.raises(dynamix.ConnectError, match=f"the proxy 127.0.0.1:{proxy.port} {said}") as caught:
                side.write(connection)
            assert not caught.value.sent
            assert "hush" not in str(caught.value)
            assert proxy.connections == 2
            side.close(connection)


def test_a_proxy_that_wants_credentials_for_http(side: Side, use: Callable[[Peer], None]) -> None:
    """A proxy's own 407 to a plain request is told from an answer of the endpoint."""
    with peer(always(answer(b"<html>", status=407))) as proxy:
        use(proxy)
        with Connection(endpoint_url=HTTP, **KEYS, **ONCE) as connection:
            with pytest.raises(dynamix.ConnectError, match=f"the proxy 127.0.0.1:{proxy.port} wants credentials"):
                side.write(connection)
            side.close(connection)


@pytest.mark.parametrize("url", [HTTP, HTTPS])
def test_a_proxy_that_is_not_there(url: str, side: Side, use: Callable[[Peer], None]) -> None:
    """A connection that the proxy's machine refuses is an error that names both."""
    with peer(always(answer())) as proxy:
        use(proxy)
    with (
        Connection(endpoint_url=url, **KEYS, **ONCE) as connection,
        pytest.raises(dynamix.ConnectError, match=f"{url}/ by way of the proxy 127.0.0.1:{proxy.port}: \\[Errno"),
    ):
        side.ask(connection)


def test_a_proxy_that_hangs(side: Side, use: Callable[[Peer], None]) -> None:
    """The time for a connection bounds the opening of a tunnel too, and drops of an answer do not stretch it."""
    ended = threading.Event()

    def talk(conversation: Conversation) -> None:
        conversation.read()
        conversation.send(b"HTTP/1.1 200 OK\r\n")
        conversation.wait_for_end()
        ended.set()

    with peer(talk) as proxy:
        use(proxy)
        with Connection(endpoint_url=HTTPS, **KEYS, **ONCE, connect_timeout=0.1) as connection:
            with pytest.raises(dynamix.ConnectError, match=r"by way of the proxy .*: not within 0\.1 s"):
                side.ask(connection)
            assert ended.wait(SECONDS)
            side.close(connection)


def test_a_tunnel_stands_when_its_whole_head_is_there() -> None:
    """However the proxy's answer is cut, the tunnel stands at its end and not before; nothing may follow it."""
    whole = b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n"
    for size in range(1, len(whole) + 1):
        tunnel = Tunnel(Proxy("proxy", 1), parse("https://[2001:db8::1]:8443"))
        assert tunnel.request.startswith(b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nhost: [2001:db8::1]:8443\r\n")
        pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert [tunnel.feed(piece) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    with pytest.raises(dynamix.ConnectError):
        Tunnel(Proxy("proxy", 1), parse(HTTPS)).feed(whole + b"too early")
