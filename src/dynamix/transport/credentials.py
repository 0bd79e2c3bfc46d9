"""Where the keys come from.

Keys that were given, or that stand in the environment, are fixed. All other ways (profiles, SSO, roles, containers,
instance metadata, processes) are botocore's, which is imported at the first request that needs it. botocore renews
credentials that expire, starting 15 minutes before, when it is asked for them; so it is asked again each minute.
"""

import threading
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from dynamix import forks
from dynamix.errors import CredentialsError, NotConfiguredError
from dynamix.interrupts import is_foreign
from dynamix.transport.hidden import Hidden

RECHECK_SECONDS = 60.0

WAYS = (
    "give set_connection() keys (aws_access_key_id=, aws_secret_access_key=, region_name=) or profile_name=, configure "
    "AWS as for its other tools (environment, profile, role), name a local endpoint (is_local_endpoint=True), or run "
    "without a server (embedded=True)"
)


class Credentials(Hidden, frozen=True):
    """One set of keys."""

    access_key: str
    secret_key: str
    token: str | None = None


def checked(keys: Credentials) -> Credentials:
    """The same keys. Raises CredentialsError for what no key looks like, such as the line break behind a copied one."""
    wrong = [name for name, key in zip(_NAMES, msgspec.structs.astuple(keys), strict=True) if not _could_be(key)]
    if wrong:
        raise CredentialsError(
            f"the {wrong[0]} holds white space or characters that no key has; look at how it was copied"
        )
    return keys


_NAMES = ("access key id", "secret access key", "session token")


def _could_be(key: str | None) -> bool:
    return key is None or (key.isascii() and key.isprintable() and " " not in key)


class Source(Protocol):
    """Gives credentials that are valid now; may block. `recheck` is for how many seconds they may be kept."""

    recheck: float

    def get(self) -> Credentials: ...


class FixedCredentials:
    """Credentials that never change."""

    recheck = float("inf")

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get(self) -> Credentials:
        """The credentials."""
        return self._credentials


class BotocoreCredentials:
    """Credentials that botocore finds and renews. `make_session` is called once, when they are first asked for."""

    def __init__(self, make_session: Callable[[], Any], recheck: float = RECHECK_SECONDS) -> None:
        self.recheck = recheck
        self._make_session = make_session
        self._found: Any = None
        self._after_fork()
        forks.register(self)

    def _after_fork(self) -> None:
        """Waits for nobody."""
        self._lock = threading.RLock()  # a signal's handler may come here while its thread is here

    def get(self) -> Credentials:
        """The credentials as of now. Raises NotConfiguredError or CredentialsError."""
        from botocore.exceptions import ProfileNotFound  # type: ignore[import-untyped]

        try:
            with self._lock:
                if self._found is None:
                    self._found = self._make_session().get_credentials()
            if self._found is None:
                raise NotConfiguredError(f"no AWS credentials were found; {WAYS}")
            keys = self._found.get_frozen_credentials()
        except NotConfiguredError:
            raise
        except ProfileNotFound as error:
            raise NotConfiguredError(f"{error}; {WAYS}") from error
        except Exception as error:  # there are many ways, some of them plugins, and each has errors of its own
            if is_foreign(error):
                raise
            raise CredentialsError(f"the AWS credentials could not be had: {error}") from error
        if not keys.access_key or not keys.secret_key:
            raise CredentialsError("the AWS credentials that were found are incomplete")
        return checked(Credentials(keys.access_key, keys.secret_key, keys.token))
