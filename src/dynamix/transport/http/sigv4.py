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
from dynamix.transport.hidden import Hidden, Secret

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

TARGET_PREFIX = "DynamoDB_20120810."
STREAMS_PREFIX = "DynamoDBStreams_20120810."
STREAMS_OPERATIONS = frozenset(("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"))
_TOKEN_HEADER = "x-amz-security-token"  # noqa: S105 - a name
_CONTENT_TYPE = "application/x-amz-json-1.0"
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Request(Hidden, frozen=True, gc=False):
    """The bytes of a request, which hold the access key id and the session token."""

    data: bytes


class _Head(Hidden, frozen=True, gc=False):
    """A request up to its signature, and its canonical form up to the sum of the body."""

    sent: bytes
    canonical: bytes


class Signer:
    """Makes the bytes of signed requests with one set of credentials.

    `host` is the Host header, `path` the percent-encoded path, `request_target` what stands between POST and HTTP/1.1
    (a proxy wants the whole URL there), `extra_head` whole header lines that are not signed. `ahead` is by how many
    seconds the service's clock is ahead of `clock`.
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
        ahead: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ahead = ahead
        self.credentials = credentials
        self._region = region
        self._host = host
        self._canonical_path = _canonical_path(path)
        self._request_target = request_target or path
        self._extra_head = extra_head
        self._clock = clock
        self._second = _Second(self, int(clock()) + ahead, None)

    def request(self, target: str, body: bytes) -> Request:
        """The whole request for an operation, such as "GetItem", with its JSON body."""
        now = int(self._clock()) + self.ahead
        second = self._second
        if second.now != now:
            second = self._second = _Second(self, now, second)
        head = second.heads.get(target) or second.head(self, target)
        inner = second.inner.copy()
        canonical_sum = sha256(head.canonical + sha256(body).hexdigest().encode()).hexdigest()
        inner.update(second.to_sign + canonical_sum.encode())
        outer = second.outer.copy()
        outer.update(inner.digest())
        return Request(
            b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (head.sent, outer.hexdigest().encode(), len(body), body)
        )


class _Second:
    """What stays the same during one second. Never changed but for `heads`, which fills up; so threads share it."""

    __slots__ = ("amz_date", "heads", "inner", "now", "outer", "scope", "to_sign")

    def __init__(self, signer: Signer, now: int, before: "_Second | None") -> None:
        self.now = now
        self.amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        day = self.amz_date[:8]
        self.scope = f"{day}/{signer._region}/dynamodb/aws4_request"
        self.to_sign = f"AWS4-HMAC-SHA256\n{self.amz_date}\n{self.scope}\n".encode()
        self.heads: dict[str, _Head] = {}
        states = (
            (before.inner, before.outer)
            if before is not None and before.scope == self.scope
            else _keyed_states(_signing_key(signer.credentials, self.scope))
        )
        self.inner: Hash = states[0]
        self.outer: Hash = states[1]

    def head(self, signer: Signer, target: str) -> _Head:
        """What precedes the signature of a request for an operation. No variable here holds what is secret."""
        credentials = signer.credentials
        headers = {
            "content-type": _CONTENT_TYPE,
            "host": signer._host,
            "x-amz-date": self.amz_date,
            "x-amz-target": _prefix(target) + target,
        }
        names = sorted(headers) if credentials.token is None else sorted((*headers, _TOKEN_HEADER))
        signed = ";".join(names)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        # the name of the token's header sorts between those of date and target
        before = "".join(f"{name}:{headers[name]}\n" for name in names if name < _TOKEN_HEADER)
        end = "\n"
        after = f"x-amz-target:{headers['x-amz-target']}\n\n{signed}\n"
        made = self.heads[target] = _Head(
            (
                f"POST {signer._request_target} HTTP/1.1\r\n{lines}"
                + _token_line(credentials, ": ", "\r\n")
                + f"accept-encoding: identity\r\nuser-agent: dynamix\r\n{signer._extra_head}"
                f"authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key}/{self.scope}, "
                f"SignedHeaders={signed}, Signature="
            ).encode("latin-1"),
            f"POST\n{signer._canonical_path}\n\n{before}{_token_line(credentials, ':', end)}{after}".encode("latin-1"),
        )
        return made


def _token_line(credentials: Credentials, separator: str, end: str) -> str:
    """The header line of the session token, where there is one."""
    return "" if credentials.token is None else f"{_TOKEN_HEADER}{separator}{credentials.token}{end}"


def _prefix(target: str) -> str:
    """What stands before an operation's name, which says whose it is."""
    return STREAMS_PREFIX if target in STREAMS_OPERATIONS else TARGET_PREFIX


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


def _signing_key(credentials: Credentials, scope: str) -> Secret:
    key = Secret(f"AWS4{credentials.secret_key}".encode())
    for part in scope.split("/"):
        key = Secret(hmac.digest(key.value, part.encode(), "sha256"))
    return key


def _keyed_states(key: Secret) -> "tuple[Hash, Hash]":
    """The two hash states of an HMAC with this key (32 bytes) before its message; RFC 2104."""
    block = Secret(key.value.ljust(64, b"\0"))
    return sha256(block.value.translate(_INNER)), sha256(block.value.translate(_OUTER))
