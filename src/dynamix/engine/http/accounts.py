"""Tables apart by who asks: an engine for each account or access key, and region, as the signature names them."""

import re
from collections.abc import Callable
from typing import Protocol

from dynamix.engine.faults import Fault
from dynamix.engine.http.reader import Request
from dynamix.engine.http.work import Handler

_CREDENTIAL = re.compile(rb"\bCredential=([^/,\s]{1,128})/[^/,\s]*/([^/,\s]{1,64})/")
_ACCOUNT = re.compile("[0-9]{12}")
_ACCESS_KEY = re.compile("[A-Za-z0-9]+")
_REGION = re.compile("[a-z0-9-]+")
_OTHERS = "000000000000"
_MOST = 1000
"""How many engines there are at most, as whoever asks may name any number of accounts."""


class Kept(Handler, Protocol):
    """A handler that is closed at the end."""

    def close(self) -> None: ...


class Accounts:
    """Makes an engine by `make(name, account, region)` where there is none yet.

    By `per_key` each access key has tables of its own, as with Amazon's DynamoDB Local, in one account. Otherwise each
    account has, which is an access key of 12 digits; all other keys are of the account 000000000000. `name` is what
    tells an engine from others.
    """

    def __init__(self, make: Callable[[str, str, str], Kept], *, per_key: bool) -> None:
        self._make = make
        self._per_key = per_key
        self._engines: dict[tuple[str, str], Kept] = {}

    def engine_of(self, request: Request) -> Handler:
        """The engine of who signed a request. Raises Fault for names that no account or region can have."""
        found = _CREDENTIAL.search(request.headers.get(b"authorization", b""))
        if found is None:
            raise Fault("UnrecognizedClientException", "The signature names no access key and region.")
        access_key, region = found[1].decode("latin-1"), found[2].decode("latin-1")
        if not _REGION.fullmatch(region):
            raise Fault("UnrecognizedClientException", f"{region!r} is no region: letters, digits and '-' only.")
        if self._per_key and not _ACCESS_KEY.fullmatch(access_key):
            raise Fault("UnrecognizedClientException", "The Access Key ID or security token is invalid.")
        account = access_key if not self._per_key and _ACCOUNT.fullmatch(access_key) else _OTHERS
        key = (access_key if self._per_key else account, region)
        engine = self._engines.get(key)
        if engine is None:
            if len(self._engines) >= _MOST:
                raise Fault("LimitExceededException", f"this server keeps the tables of at most {_MOST} accounts apart")
            engine = self._engines[key] = self._make("_".join(key), account, region)
        return engine

    def close(self) -> None:
        """Close all engines."""
        for engine in self._engines.values():
            engine.close()
