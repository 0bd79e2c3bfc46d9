"""Proxies that the environment names: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case; the lower case wins.

Plain HTTP is sent to the proxy with the whole URL in the request line; TLS goes through a tunnel opened with CONNECT.
A proxy is never used for an endpoint on this machine, which no proxy could reach. As curl and Python do, HTTP_PROXY in
capitals is ignored in a CGI program, where a client of the program could set it (CVE-2016-1000110).
"""

from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit

from dynamix.errors import ConnectError, ValidationException
from dynamix.transport.hidden import Hidden, Secret, Variables
from dynamix.transport.http.endpoint import Endpoint

_MAX_ANSWER_BYTES = 64 * 1024


class Proxy(Hidden, frozen=True):
    """Where to connect instead. `authorization` is the value of a Proxy-Authorization header."""

    host: str
    port: int
    authorization: str | None = None

    def __repr__(self) -> str:
        return f"Proxy({self.host!r}, {self.port})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Like the repr, without the authorization."""
        return [("host", self.host), ("port", self.port)]

    def unauthorized(self) -> ConnectError:
        """The error for a proxy that wants other credentials, or any."""
        return ConnectError(f"the proxy {self.host}:{self.port} wants credentials: http://user:password@host:port")

    @property
    def head(self) -> str:
        """The header lines that the proxy itself wants."""
        return "" if self.authorization is None else f"proxy-authorization: {self.authorization}\r\n"


def find(endpoint: Endpoint, environ: Variables) -> Proxy | None:
    """The proxy for an endpoint, or None. Raises ValidationException for a proxy of a kind that is not supported."""
    name = f"{endpoint.scheme}_proxy"
    url = Secret(environ.get(name))  # it may hold a password, and so do its parts
    if url.value is None and not (name == "http_proxy" and environ.get("REQUEST_METHOD") is not None):
        url = Secret(environ.get(name.upper()))
    if not url.value or endpoint.is_loopback or _is_exempt(endpoint, environ):
        return None
    found = _parsed(url)
    if found is None:
        raise ValidationException(f"the proxy in {name.upper()} must look like http://host:port")
    return found


def _parsed(url: Secret) -> Proxy | None:
    """The proxy of a URL, or None for what is no URL of one."""
    try:
        parts = urlsplit(url.value if "://" in url.value else f"http://{url.value}")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or not parts.hostname:
        return None
    authorization = None
    if parts.username is not None:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(words.encode()).decode()}"
    return Proxy(parts.hostname, port or 80, authorization)


def _is_exempt(endpoint: Endpoint, environ: Variables) -> bool:
    """Whether NO_PROXY names the host, with or without its port, a domain above it, or a network that it lies in."""
    for entry in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(","):
        name = entry.strip().lower().removeprefix("*.").removeprefix(".")
        if name == "*" or ("/" in name and _is_in_network(endpoint.host, name)):
            return True
        for host in (endpoint.host, endpoint.authority, f"{endpoint.host}:{endpoint.port}"):
            if name and (host == name or host.endswith(f".{name}")):
                return True
    return False


def _is_in_network(host: str, network: str) -> bool:
    """Whether a host is an address in a network, such as 10.0.0.0/8."""
    import ipaddress  # for what few environments name

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


class Tunnel:
    """The CONNECT exchange with a proxy, without I/O: send `request`, feed what arrives until `feed` says it stands."""

    def __init__(self, proxy: Proxy, endpoint: Endpoint) -> None:
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        address = f"{host}:{endpoint.port}"
        self.request = f"CONNECT {address} HTTP/1.1\r\nhost: {address}\r\n{proxy.head}\r\n".encode("latin-1")
        self._proxy = proxy
        self._received = b""

    def feed(self, data: bytes) -> bool:
        """Takes what arrived; whether the tunnel stands. Raises ConnectError where the proxy refuses."""
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not data or len(self._received) > _MAX_ANSWER_BYTES:
            raise ConnectError(f"the proxy {self._proxy.host}:{self._proxy.port} gave no answer to CONNECT")
        if not end:
            return False
        line = head.partition(b"\r\n")[0].decode("latin-1")
        version, _, status = line.partition(" ")
        if status.startswith("407"):
            raise self._proxy.unauthorized()
        if not version.startswith("HTTP/1.") or not status.startswith("2") or rest:
            raise ConnectError(f"the proxy {self._proxy.host}:{self._proxy.port} refused the connection: {line!r}")
        return True
