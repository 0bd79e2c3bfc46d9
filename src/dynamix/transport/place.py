"""From options to a transport: which endpoint, which region, whose credentials.

What the options do not say is looked up where every AWS tool does: first in the environment, then by botocore
(profiles, roles). botocore is imported only for what is still open then, since that takes longer than a request.

An endpoint on this machine (by name: localhost, 127.0.0.1, ::1) needs neither keys nor a region. Keys are sent to it
with letters and digits only, because DynamoDB Local accepts no others.
"""

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from dynamix.errors import NotConfiguredError
from dynamix.transport.credentials import WAYS, BotocoreCredentials, Credentials, FixedCredentials, Source, checked
from dynamix.transport.hidden import Variables
from dynamix.transport.http import endpoint as endpoints
from dynamix.transport.http.client import HttpTransport
from dynamix.transport.http.endpoint import Endpoint
from dynamix.transport.http.sigv4 import STREAMS_OPERATIONS
from dynamix.transport.options import SECRETS, ConnectionOptions, local_address

_LOCAL_KEY = "local"
_LOCAL: dict[str, Any] = {SECRETS[0]: _LOCAL_KEY, SECRETS[1]: _LOCAL_KEY, SECRETS[2]: None}
_LOCAL_REGION = "us-east-1"
_SEARCH = "SearchVectors"


def open_http(options: ConnectionOptions, environ: Variables) -> HttpTransport:
    """The transport that options and environment ask for. May read files; sends nothing.

    Raises NotConfiguredError where something is missing.
    """
    place = _Place(options, environ)
    region = place.region()
    endpoint = place.endpoint(region)
    elsewhere = place.endpoints_elsewhere(endpoint, region)
    open_at = partial(
        HttpTransport,
        region=region,
        source=place.source,
        environ=environ,
        connect_timeout=options.get("connect_timeout", 5.0),
        read_timeout=options.get("read_timeout", 30.0),
        max_connections=options.get("max_connections", 64),
    )
    open_once = cache(open_at)
    return open_at(endpoint, elsewhere={target: partial(open_once, other) for target, other in elsewhere.items()})


class _Place:
    """Answers what the options leave open."""

    def __init__(self, options: ConnectionOptions, environ: Variables) -> None:
        self._options = options
        self._environ = environ
        self._session = cache(self._make_session)
        self._given = self._given_endpoint()
        self._is_local = "is_local_endpoint" in options or (self._given is not None and self._given.is_loopback)
        self.source = self._source()

    def region(self) -> str:
        """The region: given, of the environment, or of the profile."""
        options, environ = self._options, self._environ
        region = options.get("region_name")
        if region is None and "is_local_endpoint" not in options:
            region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        if region is None and self._is_local:
            region = _LOCAL_REGION
        if region is None:
            region = self._look_up("region")
        if region is None:
            raise NotConfiguredError(f"no AWS region is configured; {WAYS}")
        return endpoints.checked_region(region)

    def endpoint(self, region: str) -> Endpoint:
        """The endpoint: given, of the environment, of the profile, or the region's public one."""
        if self._given is not None:
            return self._given
        if isinstance(self.source, BotocoreCredentials):
            configured = self._profile_endpoint()
            if configured is not None:
                return endpoints.parse(configured)
        return endpoints.of_region(region, fips=self._is_fips)

    def endpoints_elsewhere(self, endpoint: Endpoint, region: str) -> dict[str, Endpoint]:
        """Where operations go that have an endpoint of their own."""
        if "is_local_endpoint" in self._options or "endpoint_url" in self._options:
            return {}
        streams = None
        environ = self._environ
        if (environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or "").lower() != "true":
            url = environ.get("AWS_ENDPOINT_URL_DYNAMODB_STREAMS")
            streams = endpoints.parse(url) if url else None
        is_public = endpoint == endpoints.of_region(region, fips=self._is_fips)
        if streams is None and is_public:
            streams = endpoints.of_region(region, fips=self._is_fips, part="streams")
        found = {} if streams is None else dict.fromkeys(STREAMS_OPERATIONS, streams)
        if is_public:
            found[_SEARCH] = endpoints.of_region(region, fips=self._is_fips, part="search")
        return found

    @property
    def _is_fips(self) -> bool:
        return (self._environ.get("AWS_USE_FIPS_ENDPOINT") or "").lower() == "true"

    def _source(self) -> Source:
        """Where the keys come from."""
        options = self._options
        keys = self._given_keys()
        if keys is not None:
            if self._is_local:
                return FixedCredentials(
                    Credentials(
                        re.sub("[^A-Za-z0-9]", "", keys.access_key) or _LOCAL_KEY,
                        keys.secret_key,
                        re.sub("[^!-~]", "", keys.token or "") or None,
                    )
                )
            return FixedCredentials(checked(keys))
        if self._is_local and "profile_name" not in options:
            return FixedCredentials(Credentials(_LOCAL_KEY, _LOCAL_KEY))
        return BotocoreCredentials(self._session)

    def _given_endpoint(self) -> Endpoint | None:
        options, environ = self._options, self._environ
        if "is_local_endpoint" in options:
            host, port = local_address(options["is_local_endpoint"])
            return Endpoint("http", host, port)
        url = options.get("endpoint_url")
        if url is None and (environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or "").lower() != "true":
            url = environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL")
        return endpoints.parse(url) if url else None

    def _given_keys(self) -> Credentials | None:
        """Keys of the options, else of the environment where no profile is asked for."""
        options, environ = self._options, self._environ
        given: Mapping[str, Any] = options
        if "aws_access_key_id" in options or "aws_secret_access_key" in options:
            return Credentials(*(given[name].value if name in given else _LOCAL[name] for name in SECRETS))
        if "profile_name" in options or "is_local_endpoint" in options:
            return None
        found = Credentials(
            environ.get("AWS_ACCESS_KEY_ID") or "",
            environ.get("AWS_SECRET_ACCESS_KEY") or "",
            environ.get("AWS_SESSION_TOKEN") or None,
        )
        return found if found.access_key and found.secret_key else None

    def _make_session(self) -> Any:
        from botocore.session import Session  # type: ignore[import-untyped]

        return Session(profile=self._options.get("profile_name"))

    def _look_up(self, name: str) -> str | None:
        """One setting of the profile."""
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

        try:
            value = self._session().get_config_variable(name)
        except BotoCoreError as error:
            raise NotConfiguredError(f"{error}; {WAYS}") from error
        return None if value is None else str(value)

    def _profile_endpoint(self) -> str | None:
        """The endpoint that the profile names: for DynamoDB, or for all services."""
        from botocore.exceptions import BotoCoreError

        try:
            if self._session().get_config_variable("ignore_configured_endpoint_urls"):
                return None
            session = self._session()
            profile, services = session.get_scoped_config(), session.full_config.get("services", {})
        except BotoCoreError as error:
            raise NotConfiguredError(f"{error}; {WAYS}") from error
        own = services.get(profile.get("services"), {}).get("dynamodb", {})
        url = own.get("endpoint_url") if isinstance(own, dict) else None
        found: str | None = url or profile.get("endpoint_url")
        return found
