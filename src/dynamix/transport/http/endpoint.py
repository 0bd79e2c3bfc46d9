"""The address of a service: URL parts, and the public endpoints by region."""

import re
import socket
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec

from dynamix.errors import ValidationException

# AWS partitions other than the public one, by the beginning of their regions' names. Source: AWS endpoint data as
# shipped with its SDKs (partitions.json); a test compares.
_DOMAINS = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
)
_PORTS = {"http": 80, "https": 443}


class Endpoint(msgspec.Struct, frozen=True):
    """Where to send requests. `path` is percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str = "/"

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: without the scheme's usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine, as far as its name tells."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        family, of_loopback = (socket.AF_INET6, b"\0" * 15 + b"\1") if ":" in self.host else (socket.AF_INET, b"\x7f")
        try:
            return socket.inet_pton(family, self.host).startswith(of_loopback)
        except OSError:
            return False


def parse(url: str) -> Endpoint:
    """The endpoint that a URL names. Raises ValidationException."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # which quotes what is wrong
        raise _refusal(url, f"is not a URL: {error}") from (None if "@" in url else error)
    has_user = parts.username is not None or parts.password is not None
    if parts.scheme not in _PORTS or not parts.hostname or has_user or port == 0 or parts.query or parts.fragment:
        raise _refusal(url, f"must look like https://host or http://host:port, not {url!r}")
    host = checked_host(parts.hostname)
    if host is None:
        raise _refusal(url, f"{url!r} names no host that could exist")
    return Endpoint(parts.scheme, host, port or _PORTS[parts.scheme], quote(parts.path or "/", safe="/%~"))


def _refusal(url: str, reason: str) -> ValidationException:
    """The error for a URL. Nothing is shown of one that may hold a password, however badly it is written."""
    if "@" in url:
        reason = "must look like https://host or http://host:port, and must not hold a user name or password"
    return ValidationException(f"the endpoint URL {reason}")


def checked_host(host: str) -> str | None:
    """A host as it is looked up: a name in ASCII, or an address without brackets. None for what can be neither."""
    try:
        name = host.lower() if host.isascii() else host.encode("idna").decode()
        if re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", name):
            return name
        import ipaddress  # for what only few endpoints are: IPv6 addresses

        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def checked_region(region: str) -> str:
    """The same region. Raises ValidationException for what cannot be a region's name."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", region):
        return region
    raise ValidationException(f"{region!r} is not the name of an AWS region, such as 'eu-west-1'")


def of_region(region: str, *, fips: bool = False, part: Literal["tables", "streams", "search"] = "tables") -> Endpoint:
    """The public endpoint of a region, for tables, for their streams, or for the search in their vectors."""
    domain = next((domain for start, domain in _DOMAINS if region.startswith(start)), "amazonaws.com")
    if part != "tables" and region.startswith("us-gov-"):
        fips = False  # the usual one is that already
    host = f"dynamodb{'-fips' if fips else ''}.{region}.{domain}"
    prefix = {"tables": "", "streams": "streams.", "search": "search-"}[part]
    return Endpoint("https", prefix + host, 443)
