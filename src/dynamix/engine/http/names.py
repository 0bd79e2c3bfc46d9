"""By which names the server may be called: what Host and Origin of a request may say.

A browser sends with each request the host that the page asked for and, with those that could change something, the
origin of the page. Programs that are no browsers send a Host and no Origin.

Source: "DNS rebinding" in OWASP's testing guide; https://fetch.spec.whatwg.org, "Origin header"
"""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit


class Names:
    """The names of this machine, and others that are `allowed`. With `any_host` no Host is looked at.

    `origins` are pages that may come besides: whole origins ("https://app.example"), names of hosts, or "*" for all.
    """

    def __init__(self, allowed: Collection[str], *, any_host: bool, origins: Collection[str] = ()) -> None:
        self._allowed = frozenset(name.lower().rstrip(".") for name in allowed)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._any_host = any_host
        self.refusal = lru_cache(64)(self._refusal)
        """Why a request with this Host and Origin is refused, None where it is not."""

    def _refusal(self, host: str | None, origin: str | None) -> str | None:
        if origin is not None and not self._may_come(origin):
            return (
                f"requests of web pages at {origin!r} are refused; to serve them name them: --cors {origin}, or their "
                "host: --allow-host NAME"
            )
        if host is not None and not (self._any_host or self._is_known(_host_of(f"//{host}"))):
            return f"this server is not called {host!r}; to serve it by that name name it: --allow-host NAME"
        return None

    def _may_come(self, origin: str) -> bool:
        host = _host_of(origin)
        return not self._origins.isdisjoint(("*", origin.lower(), host)) or self._is_known(host)

    def _is_known(self, name: str | None) -> bool:
        if name is None:
            return False
        name = name.rstrip(".")
        if name in self._allowed or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False


def _host_of(address: str) -> str | None:
    """The host of an address in small letters, None where it has none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
