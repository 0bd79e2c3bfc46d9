"""Signed requests: AWS Signature Version 4 for the one kind of request that DynamoDB takes.

Every request is a POST to the same path with the same headers, so a signature depends on four things only: the second,
the operation, the body and the credentials. What depends on less is kept: the signing key per day, the head of the
request and of its canonical form per second and operation. What remains per request is two SHA-256 sums and one HMAC,
whose two states keyed with the signing key are copied (RFC 2104), which is half the work of a fresh one.

Reference: IAM User Guide, "Create a signed AWS API request". Checked in tests against botocore's signer.
"""

import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from dynamix.transport.credentials import Credentials

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

TARGET_PREFIX = "DynamoDB_20120810."
_CONTENT_TYPE = "application/x-amz-json-1.0"
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Signer:
    """Makes the bytes of signed requests with one set of credentials.

    `host` is the Host header, `path` the percent-encoded path, `request_target` what stands between POST and HTTP/1.1
    (a proxy wants the whole URL there), `extra_head` whole header lines that are not signed.
    """

    def __init__(
        self,
        credentials: Credentials,
        region: str,
        host: str,
        *,
        path: str = "/",
        request_target: str | None = None,
        extra_head: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.credentials = credentials
        self._region = region
        self._host = host
        self._canonical_path = _canonical_path(path)
        self._request_target = request_target or path
        self._extra_head = extra_head
        self._clock = clock
        self._second = _Second(self, int(clock()), None)

    def request(self, target: str, body: bytes) -> bytes:
        """The whole request for an operation, such as "GetItem", with its JSON body."""
        now = int(self._clock())
        second = self._second
        if second.now != now:
            second = self._second = _Second(self, now, second)
        head, canonical = second.heads.get(target) or second.head(self, target)
        inner = second.inner.copy()
        canonical_sum = sha256(canonical + sha256(body).hexdigest().encode()).hexdigest()
        inner.update(second.to_sign + canonical_sum.encode())
        outer = second.outer.copy()
        outer.update(inner.digest())
        return b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (head, outer.hexdigest().encode(), len(body), body)


class _Second:
    """What stays the same during one second. Never changed but for `heads`, which fills up; so threads share it."""

    __slots__ = ("amz_date", "heads", "inner", "now", "outer", "scope", "to_sign")

    def __init__(self, signer: Signer, now: int, before: "_Second | None") -> None:
        self.now = now
        self.amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        day = self.amz_date[:8]
        self.scope = f"{day}/{signer._region}/dynamodb/aws4_request"
        self.to_sign = f"AWS4-HMAC-SHA256\n{self.amz_date}\n{self.scope}\n".encode()
        self.heads: dict[str, tuple[bytes, bytes]] = {}
        states = (
            (before.inner, before.outer)
            if before is not None and before.scope == self.scope
            else _keyed_states(_signing_key(signer.credentials.secret_key, self.scope))
        )
        self.inner: Hash = states[0]
        self.outer: Hash = states[1]

    def head(self, signer: Signer, target: str) -> tuple[bytes, bytes]:
        """The request up to its signature, and the canonical form up to the sum of the body."""
        credentials = signer.credentials
        headers = {
            "content-type": _CONTENT_TYPE,
            "host": signer._host,
            "x-amz-date": self.amz_date,
            "x-amz-target": TARGET_PREFIX + target,
        }
        if credentials.token is not None:
            headers["x-amz-security-token"] = credentials.token
        names = sorted(headers)
        signed = ";".join(names)
        canonical_headers = "".join(f"{name}:{headers[name]}\n" for name in names)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {signer._request_target} HTTP/1.1\r\n{lines}accept-encoding: identity\r\nuser-agent: dynamix\r\n"
            f"{signer._extra_head}authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key}/{self.scope}, "
            f"SignedHeaders={signed}, Signature="
        )
        canonical = f"POST\n{signer._canonical_path}\n\n{canonical_headers}\n{signed}\n"
        made = self.heads[target] = head.encode("latin-1"), canonical.encode("latin-1")
        return made


def _canonical_path(path: str) -> str:
    """The path without empty and dot segments, percent-encoded once more, as all services but S3 want it."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith("/") else ""
    return quote(f"/{'/'.join(kept)}{end}", safe="/~")


def _signing_key(secret_key: str, scope: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _keyed_states(key: bytes) -> "tuple[Hash, Hash]":
    """The two hash states of an HMAC with this key (32 bytes) before its message; RFC 2104."""
    block = key.ljust(64, b"\0")
    return sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))
