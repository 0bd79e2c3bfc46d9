"""Place, region and keys are found where every AWS tool finds them; what is given comes first."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from authority import bundle, server_context
from botocore.config import Config
from peer import always, answer, peer
from sides import KEYS, Side

import dynamix
from dynamix import Connection
from dynamix.transport.http import endpoint as endpoints
from dynamix.transport.http.client import HttpTransport
from dynamix.transport.options import check
from dynamix.transport.place import open_http
from newest import against_botocore

PROFILES = """
[default]
region = eu-central-1
aws_access_key_id = DEFAULT
aws_secret_access_key = x

[profile dev]
region = ap-south-1
aws_access_key_id = DEV
aws_secret_access_key = x
aws_session_token = devtoken
endpoint_url = http://all.example:8000

[profile table]
region = ap-south-1
aws_access_key_id = TABLE
aws_secret_access_key = x
services = ours
endpoint_url = http://all.example:8000

[profile ignoring]
region = ap-south-1
aws_access_key_id = IGNORING
aws_secret_access_key = x
endpoint_url = http://all.example:8000
ignore_configured_endpoint_urls = true

[profile keyless]
region = sa-east-1

[profile half]
region = sa-east-1
aws_access_key_id = HALF

[services ours]
dynamodb =
  endpoint_url = http://tables.example:9000
"""

ENVIRON = {"AWS_ACCESS_KEY_ID": "ENVIRON", "AWS_SECRET_ACCESS_KEY": "x"}


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file with profiles."""
    path = tmp_path / "config"
    path.write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


def opened(**options: Any) -> HttpTransport:
    """The transport that these options and the environment of the process ask for."""
    return open_http(check(options), os.environ)


def found(**options: Any) -> tuple[str, str, str]:
    """URL, region and access key that these options and the environment of the process ask for."""
    transport = opened(**options)
    keys = transport._source.get()
    transport.close()
    return transport.endpoint.url, transport._region, keys.access_key


AWS = "https://dynamodb.{}.amazonaws.com/"


@pytest.mark.parametrize(
    ("environ", "options", "expected"),
    [
        ({}, {}, (AWS.format("eu-central-1"), "eu-central-1", "DEFAULT")),
        ({"AWS_PROFILE": "dev"}, {}, ("http://all.example:8000/", "ap-south-1", "DEV")),
        ({"AWS_PROFILE": "table"}, {}, ("http://tables.example:9000/", "ap-south-1", "TABLE")),
        ({"AWS_PROFILE": "ignoring"}, {}, (AWS.format("ap-south-1"), "ap-south-1", "IGNORING")),
        (
            {"AWS_PROFILE": "dev", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            {},
            (AWS.format("ap-south-1"), "ap-south-1", "DEV"),
        ),
        ({"AWS_PROFILE": "dev"}, {"profile_name": "default"}, (AWS.format("eu-central-1"), "eu-central-1", "DEFAULT")),
        ({}, {"profile_name": "dev"}, ("http://all.example:8000/", "ap-south-1", "DEV")),
        ({}, {"profile_name": "dev", "region_name": "us-west-2"}, ("http://all.example:8000/", "us-west-2", "DEV")),
        (
            {"AWS_REGION": "us-west-1", "AWS_DEFAULT_REGION": "us-west-2"},
            {},
            (AWS.format("us-west-1"), "us-west-1", "DEFAULT"),
        ),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, {}, (AWS.format("us-west-2"), "us-west-2", "DEFAULT")),
        (ENVIRON, {}, (AWS.format("eu-central-1"), "eu-central-1", "ENVIRON")),
        (ENVIRON, {"profile_name": "dev"}, ("http://all.example:8000/", "ap-south-1", "DEV")),
        (ENVIRON, KEYS, (AWS.format("eu-west-1"), "eu-west-1", "AKIDEXAMPLE")),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            {},
            (AWS.format("eu-central-1"), "eu-central-1", "DEFAULT"),
        ),
        (
            {**ENVIRON, "AWS_ENDPOINT_URL": "http://all.example:1"},
            {"region_name": "eu-west-1"},
            ("http://all.example:1/", "eu-west-1", "ENVIRON"),
        ),
        (
            {"AWS_ENDPOINT_URL": "http://all.example:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://tables.example:2"},
            {"profile_name": "dev"},
            ("http://tables.example:2/", "ap-south-1", "DEV"),
        ),
        (
            {**ENVIRON, "AWS_ENDPOINT_URL": "http://all.example:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"},
            {"region_name": "eu-west-1"},
            (AWS.format("eu-west-1"), "eu-west-1", "ENVIRON"),
        ),
        (
            {"AWS_ENDPOINT_URL": "http://all.example:1"},
            {"endpoint_url": "https://mine.example", **KEYS},
            ("https://mine.example/", "eu-west-1", "AKIDEXAMPLE"),
        ),
        (
            {**ENVIRON, "AWS_USE_FIPS_ENDPOINT": "true"},
            {"region_name": "us-east-2"},
            ("https://dynamodb-fips.us-east-2.amazonaws.com/", "us-east-2", "ENVIRON"),
        ),
        (
            {**ENVIRON, "AWS_REGION": "us-west-1"},
            {"is_local_endpoint": True},
            ("http://127.0.0.1:8000/", None, "local"),
        ),
        ({"AWS_ENDPOINT_URL": "http://localhost:4566"}, {}, ("http://localhost:4566/", None, "local")),
        ({}, {"endpoint_url": "http://[::1]:8000"}, ("http://[::1]:8000/", None, "local")),
        (
            {},
            {"is_local_endpoint": ("tables", "8000"), "profile_name": "dev"},
            ("http://tables:8000/", None, "DEV"),
        ),
    ],
)
def test_what_is_found(
    environ: dict[str, str],
    options: dict[str, Any],
    expected: tuple[str, str | None, str],
    profiles: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Options come before the environment, the environment before the profile; a place on this machine needs none."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    url, region, access_key = expected
    assert found(**options) == (url, region or "us-east-1", access_key)


def test_the_session_token_comes_along(profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that are lent have a token, from wherever they come."""
    assert opened(profile_name="dev")._source.get().token == "devtoken"
    for name, value in {**ENVIRON, "AWS_SESSION_TOKEN": "lent"}.items():
        monkeypatch.setenv(name, value)
    assert opened()._source.get().token == "lent"
    assert opened(**KEYS, aws_session_token="given")._source.get().token == "given"


@pytest.mark.parametrize(("token", "sent"), [("a b", "ab"), ("lent/+=", "lent/+="), ("é", None), (None, None)])
def test_a_token_goes_to_this_machine_too(token: str | None, sent: str | None, side: Side) -> None:
    """A local endpoint is sent the session token that was given, without what no header can hold."""
    given: Any = {} if token is None else {"aws_session_token": token}
    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address, **KEYS, **given) as connection:
        side.ask(connection)
        side.close(connection)
    assert there.requests[0].headers.get("x-amz-security-token") == sent


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        ({"aws_access_key_id": "*", "aws_secret_access_key": "*"}, "local"),
        ({"aws_access_key_id": "my-key_1", "aws_secret_access_key": "*", "aws_session_token": "a b"}, "mykey1"),
        ({"aws_access_key_id": "schlüssel\n"}, "schlssel"),
        ({"aws_secret_access_key": "*"}, "local"),
        ({"aws_session_token": "*"}, "local"),
        ({}, "local"),
    ],
)
def test_any_keys_will_do_on_this_machine(keys: dict[str, str], sent: str, side: Side) -> None:
    """A local endpoint takes any keys or none; the access key is sent with letters and digits only."""
    with peer(always(answer())) as there, Connection(is_local_endpoint=there.address, **keys) as connection:  # type: ignore[arg-type]
        side.ask(connection)
        assert f"Credential={sent}/" in there.requests[0].headers["authorization"]
        side.close(connection)


@against_botocore
def test_every_region_has_its_endpoint() -> None:
    """For each region that botocore knows, in every partition, the public endpoint is botocore's."""
    session = botocore.session.Session()
    for partition in session.get_component("data_loader").load_data("partitions")["partitions"]:
        for region in partition["regions"]:
            if not region.endswith("-global"):
                for fips in (False, True):
                    client = session.create_client(
                        "dynamodb",
                        region,
                        aws_access_key_id="x",
                        aws_secret_access_key="x",
                        config=Config(use_fips_endpoint=fips),
                    )
                    assert endpoints.of_region(region, fips=fips).url == client.meta.endpoint_url + "/"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no AWS region is configured"),
        ({"region_name": "eu-west-1"}, "no AWS credentials were found"),
        ({"profile_name": "nobody"}, "nobody"),
        ({"profile_name": "nobody", "region_name": "eu-west-1"}, "nobody"),
    ],
)
def test_nothing_is_configured(options: dict[str, Any], said: str, side: Side) -> None:
    """What is missing is named, and the ways to give it are too; nothing is sent."""
    with Connection(**options) as connection:
        with pytest.raises(dynamix.NotConfiguredError, match=said) as caught:
            side.ask(connection)
        assert not caught.value.sent
        for way in ("aws_access_key_id=", "profile", "region_name=", "is_local_endpoint=True", "embedded=True"):
            assert way in str(caught.value)
        side.close(connection)


def test_half_of_the_keys(profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One key without the other is an error that names what is missing, and is not made up from elsewhere."""
    with pytest.raises(dynamix.CredentialsError, match="aws_secret_access_key"):
        found(profile_name="half")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    with pytest.raises(dynamix.CredentialsError, match="AWS_SECRET_ACCESS_KEY"):
        found()


def test_a_broken_configuration_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side) -> None:
    """A configuration file that cannot be read is an error that names it."""
    broken = tmp_path / "broken"
    broken.write_text("this is [not a profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    for options in ({}, {"region_name": "eu-west-1"}):
        with Connection(**options) as connection, pytest.raises(dynamix.ConnectionException, match="broken"):  # type: ignore[arg-type]
            side.ask(connection)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"])
@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://localhost", "http://", "http://localhost:port", "http://a/?b=c"]
)
def test_a_wrong_url_of_the_environment(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no endpoint's URL is refused wherever it comes from."""
    monkeypatch.setenv(name, url)
    with pytest.raises(dynamix.ValidationException, match="endpoint URL"):
        opened(**KEYS)


@pytest.mark.parametrize("region", ["eu west 1", "eu-west-1\n", "eu/west", "é", "eu-west-1.evil.example"])
@pytest.mark.parametrize("place", [{}, {"endpoint_url": "https://tables.example"}])
def test_a_wrong_region(region: str, place: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be the name of a region is refused, given or from the environment."""
    keys = {name: value for name, value in KEYS.items() if name != "region_name"}
    with pytest.raises(dynamix.ValidationException, match="not the name of an AWS region"):
        opened(**keys, **place, region_name=region)
    monkeypatch.setenv("AWS_REGION", region)
    with pytest.raises(dynamix.ValidationException, match="not the name of an AWS region"):
        opened(**keys, **place)


PROGRAM = """
import asyncio, sys
import dynamix

class Note(dynamix.Model):
    name = dynamix.CharField(hash_key=True)

async def main():
    assert await Note.aget(name="x") is None

assert Note.get(name="x") is None
asyncio.run(main())
print(*sorted({"botocore", "boto3"} & sys.modules.keys()))
"""


@pytest.mark.parametrize("secure", [False, True], ids=["HTTP", "TLS"])
def test_botocore_is_not_imported_where_keys_stand_in_the_environment(secure: bool, tmp_path: Path) -> None:
    """With keys and region in the environment, as in Lambda, a program runs without importing botocore."""
    with peer(always(answer()), server_context("localhost") if secure else None) as there:
        environ = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": f"http{'s' if secure else ''}://localhost:{there.port}",
            "AWS_CA_BUNDLE": str(bundle(tmp_path)),
        }
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("\n", "", 0)
    assert [request.target for request in there.requests] == ["GetItem"] * 2
