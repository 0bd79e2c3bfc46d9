"""Whether a request is signed with a key that the server knows: AWS Signature Version 4.

Only the form that SDKs use is taken: a signature of the whole request in the Authorization header. Time is looked at
before the key, and the key before the signature, as the service does.

Source: IAM User Guide, "Create a signed AWS API request"; the messages are those that users report of the service.
"""

import hmac
import re
import time
from calendar import timegm
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote, unquote_plus

from dynamix.engine.faults import Fault
from dynamix.engine.http.reader import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "dynamodb"
_TERMINATOR = "aws4_request"
_SKEW_SECONDS = 300
_STAMP = "%Y%m%dT%H%M%SZ"
_KEPT_KEYS = 64
_BLANKS = re.compile("[ \t]+")
_PRESIGNED = "requests signed in their address are not served here: sign in the Authorization header, as SDKs do"
_CHUNKED = "bodies signed in chunks ({}) are not served here: sign the whole body"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class _Given(NamedTuple):
    """What the Authorization header says."""

    access_key: str
    date: str
    region: str
    service: str
    terminator: str
    signed: list[str]
    signature: str


def refuse_chunked(request: Request) -> None:
    """Raises Fault for a body that is signed in chunks, which is no body of JSON."""
    digest = request.headers.get(b"x-amz-content-sha256", b"")
    if digest.startswith(b"STREAMING-"):
        raise _invalid(_CHUNKED.format(digest.decode("latin-1")))


class Signatures:
    """Checks requests against secret keys by their access keys."""

    def __init__(self, keys: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._signing_key = lru_cache(_KEPT_KEYS)(self._derived)

    def check(self, request: Request) -> None:
        """Raises the service's Fault for a request that is not signed with a key of ours."""
        authorization = request.headers.get(b"authorization", b"").decode("latin-1").strip()
        if not authorization:
            if b"X-Amz-Algorithm=" in request.url:
                raise _invalid(_PRESIGNED)
            raise Fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        given = _read(authorization, request)
        stamp = _stamp(request, authorization)
        _check_scope(given, stamp)
        self._check_time(stamp)
        if given.access_key not in self._keys:
            raise Fault("UnrecognizedClientException", "The security token included in the request is invalid.")
        if not self._matches(request, given, stamp):
            raise _invalid(_MISMATCH)

    def _check_time(self, stamp: str) -> None:
        asked, now = timegm(time.strptime(stamp, _STAMP)), int(self._clock())
        shown = time.strftime(_STAMP, time.gmtime(now))
        if asked < now - _SKEW_SECONDS:
            bound = time.strftime(_STAMP, time.gmtime(now - _SKEW_SECONDS))
            raise _invalid(f"Signature expired: {stamp} is now earlier than {bound} ({shown} - 5 min.)")
        if asked > now + _SKEW_SECONDS:
            bound = time.strftime(_STAMP, time.gmtime(now + _SKEW_SECONDS))
            raise _invalid(f"Signature not yet current: {stamp} is still later than {bound} ({shown} + 5 min.)")

    def _matches(self, request: Request, given: _Given, stamp: str) -> bool:
        """No variable of the callers holds what is secret."""
        scope = f"{given.date}/{given.region}/{_SERVICE}/{_TERMINATOR}"
        to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{sha256(_canonical(request, given.signed)).hexdigest()}"
        key = self._signing_key(given.access_key, given.date, given.region)
        expected = hmac.digest(key, to_sign.encode("latin-1"), "sha256").hex()
        return hmac.compare_digest(expected.encode(), given.signature.encode("latin-1"))

    def _derived(self, access_key: str, date: str, region: str) -> bytes:
        key = f"AWS4{self._keys[access_key]}".encode()
        for part in (date, region, _SERVICE, _TERMINATOR):
            key = hmac.digest(key, part.encode("latin-1"), "sha256")
        return key


def _read(authorization: str, request: Request) -> _Given:
    """The parts of the header, which commas part, with blanks or without."""
    algorithm, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    lacking = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if algorithm != _ALGORITHM:
        lacking = [f"Authorization header requires the algorithm '{_ALGORITHM}'."]
    if not (request.headers.get(b"x-amz-date") or request.headers.get(b"date")):
        lacking.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if lacking:
        raise _incomplete(lacking, authorization)
    scope = parts["Credential"].rsplit("/", 4)
    if len(scope) != 5:
        raise _incomplete(
            ["Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."],
            authorization,
        )
    access_key, date, region, service, terminator = scope
    signed = parts["SignedHeaders"].split(";")
    return _Given(access_key, date, region, service, terminator, signed, parts["Signature"])


def _stamp(request: Request, authorization: str) -> str:
    """When the request says that it was signed."""
    given = (request.headers.get(b"x-amz-date") or request.headers[b"date"]).decode("latin-1").strip()
    try:
        time.strptime(given, _STAMP)
    except ValueError:
        told = (
            f"Date must be in ISO-8601 'basic format'. Got '{given[:100]}'. See http://en.wikipedia.org/wiki/ISO_8601"
        )
        raise _incomplete([told], authorization) from None
    return given


def _check_scope(given: _Given, stamp: str) -> None:
    wrong = []
    if given.service != _SERVICE:
        wrong.append(f"Credential should be scoped to correct service: '{_SERVICE}'.")
    if given.terminator != _TERMINATOR:
        wrong.append(f"Credential should be scoped with a valid terminator: '{_TERMINATOR}', not '{given.terminator}'.")
    if given.date != stamp[:8]:
        wrong.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{given.date}' != '{stamp[:8]}', from '{stamp}'."
        )
    if "host" not in given.signed:
        wrong.append("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if wrong:
        raise _invalid(" ".join(wrong))


def _canonical(request: Request, signed: list[str]) -> bytes:
    path, _, query = request.url.decode("latin-1").partition("?")
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    pairs = sorted(
        tuple(quote(unquote_plus(half), safe="-_.~") for half in pair.partition("=")[::2])
        for pair in query.split("&")
        if pair
    )
    headers = ((name, request.headers.get(name.encode("latin-1"), b"")) for name in signed)
    lines = [f"{name}:{_BLANKS.sub(' ', value.decode('latin-1')).strip()}\n" for name, value in headers]
    return "\n".join(
        (
            request.method.decode("latin-1"),
            quote(path, safe="/~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            "".join(lines),
            ";".join(signed),
            sha256(request.body).hexdigest(),
        )
    ).encode("latin-1")


def _invalid(message: str) -> Fault:
    return Fault("InvalidSignatureException", message)


def _incomplete(lacking: list[str], authorization: str) -> Fault:
    """The service shows the header; here it is shown without the signature."""
    shown = authorization.partition("Signature=")[0]
    return Fault("IncompleteSignatureException", f"{' '.join(lacking)} Authorization={shown[:300]}")
