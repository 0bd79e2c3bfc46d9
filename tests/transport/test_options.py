"""What a connection may be told: wrong names, types and combinations are refused at once, and no secret is shown."""

import asyncio
import traceback
from pathlib import Path
from typing import Any

import aiobotocore.session
import boto3
import pytest

import dynamix
from dynamix import Connection
from dynamix.transport.options import SECRETS, ConnectionOptions, check

RESOURCE = boto3.resource("dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "verySecretKey"}
CLIENT = RESOURCE.meta.client


@pytest.mark.parametrize("name", ["regoin_name", "host", "endpoint", "aws_secret_key", "password"])
def test_an_unknown_option_lists_the_known_ones(name: str) -> None:
    """The error of a name that no option has names all that there are, and does not show its value."""
    with pytest.raises(dynamix.UnknownNameError) as caught:
        Connection(**{name: "hush"})  # type: ignore[arg-type]
    assert f"no option {name!r}" in str(caught.value)
    assert all(known in str(caught.value) for known in ConnectionOptions.__annotations__)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "is_local_endpoint",
            [
                1,
                "localhost",
                ("localhost", 0),
                ("localhost", True),
                ("localhost", "8000 "),
                ("localhost", "８０００"),
                ("http://localhost", 8000),
                ("local host", 8000),
                ("", 8000),
                (b"localhost", 8000),
                ("localhost", 8000, 1),
            ],
        ),
        ("endpoint_url", [True, False, b"https://x", "", 8000]),
        ("embedded", [1, "", b"", ["forum.db"]]),
        ("boto_client", [True, False, "client", RESOURCE, RESOURCE.Table("x"), boto3.Session(), object()]),
        ("aboto_client", [False, "client", CLIENT, RESOURCE]),
        ("aws_access_key_id", [5, "", True, False]),
        ("aws_secret_access_key", [b"hush", "", ["hush"]]),
        ("aws_session_token", [b"hush", ""]),
        ("profile_name", [5, "", False]),
        ("region_name", [5, "", b"eu-west-1", False]),
        ("table_prefix", [5, b"a", False]),
        ("connect_timeout", [0, -1, "5", float("inf"), float("nan"), True, False]),
        ("read_timeout", [0, "5", False]),
        ("retry_delay", [0, "5"]),
        ("throttle_delay", [-0.1]),
        ("max_retry_delay", ["1"]),
        ("max_connections", [0, -1, 1.0, "5", True, False]),
        ("max_attempts", [0, 2.5, "5", False]),
    ],
)
def test_a_wrong_type_is_named(name: str, values: list[Any]) -> None:
    """An option of a wrong type or size is a WrongTypeError of its name, which says what it takes."""
    for value in values:
        with pytest.raises(dynamix.WrongTypeError, match=f"^{name} must be ") as caught:
            check({name: value})
        assert caught.value.field == name
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "//localhost",
        "ftp://localhost",
        "http://",
        "http://localhost:0",
        "http://localhost:70000",
        "http://localhost/?a=b",
        "http://localhost/#a",
        "http://local host",
        "http://a..b",
        "http://[::1",
        "http://-é\ud800",
    ],
)
def test_a_wrong_url_is_refused(url: str) -> None:
    """An endpoint URL is http or https with a host that could exist; a port, and a path, may follow."""
    with pytest.raises(dynamix.ValidationException, match="endpoint URL"):
        Connection(endpoint_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hush@tables.example",
        "https://user:hush/more@tables.example",
        "https://user:hush\uff03@tables.example",
        "https:/user:hush@tables.example",
        "user:hush@tables.example:8000",
    ],
)
def test_a_url_with_a_password_is_refused(url: str) -> None:
    """Secrets do not belong into a URL, which is shown; however it is written, the error does not show them."""
    with pytest.raises(dynamix.ValidationException, match="must not hold a user name or password") as caught:
        Connection(endpoint_url=url)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"is_local_endpoint": True, "endpoint_url": "http://localhost"}, "contradict"),
        ({"is_local_endpoint": True, "embedded": True}, "contradict"),
        ({"endpoint_url": "http://localhost", "boto_client": CLIENT}, "contradict"),
        ({"embedded": True, "boto_client": CLIENT}, "contradict"),
        ({"embedded": "forum.db", "connect_timeout": 1}, "connect_timeout would have no effect with embedded"),
        ({"embedded": True, **KEYS}, "aws_access_key_id, aws_secret_access_key would have no effect with embedded"),
        ({"boto_client": CLIENT, "region_name": "eu-west-1"}, "region_name would have no effect with boto_client"),
        ({"boto_client": CLIENT, "max_connections": 1}, "max_connections would have no effect with boto_client"),
        ({"profile_name": "dev", **KEYS}, "profile_name contradict"),
        ({"aws_access_key_id": "x"}, "aws_access_key_id and aws_secret_access_key"),
        ({"aws_secret_access_key": "x"}, "aws_access_key_id and aws_secret_access_key"),
        ({"aws_session_token": "x"}, "aws_access_key_id and aws_secret_access_key"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], said: str) -> None:
    """Two places, two sources of keys, half of the keys, or an option without effect are refused with the names."""
    with pytest.raises(dynamix.ValidationException, match=said):
        Connection(**options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"is_local_endpoint": ("localhost", "8000")},
        {"is_local_endpoint": ["127.0.0.1", 8000]},
        {"is_local_endpoint": ("::1", 8000)},
        {"is_local_endpoint": ("[::1]", 8000)},
        {"is_local_endpoint": False, "embedded": True},
        {"is_local_endpoint": True, "embedded": False},
        {"is_local_endpoint": None, "endpoint_url": "https://bücher.example:8000/path", **KEYS},
        {"embedded": Path("forum.db")},
        {"table_prefix": ""},
        {"aws_session_token": None, **KEYS},
        {"read_timeout": 1, "connect_timeout": 0.5, "max_connections": 1, "max_attempts": 1},
    ],
)
def test_right_options_are_taken(options: dict[str, Any]) -> None:
    """None is as good as not given, and False says no to a place."""
    with Connection(**options) as connection:
        given = {name: value for name, value in options.items() if value is not None and value is not False}
        taken = {name: value.value if name in SECRETS else value for name, value in connection._options.items()}
        assert taken == given


def test_repr_shows_no_secret() -> None:
    """The repr has all options but the values of keys."""
    connection = Connection(
        endpoint_url="https://tables.example", aws_session_token="hush", **KEYS, region_name="eu-west-1"
    )
    assert repr(connection) == (
        "Connection(endpoint_url='https://tables.example', aws_session_token=..., aws_access_key_id=..., "
        "aws_secret_access_key=..., region_name='eu-west-1')"
    )


def test_set_connection_takes_names_only() -> None:
    """An option without its name is Python's own error."""
    with pytest.raises(TypeError):
        dynamix.set_connection(True)  # type: ignore[call-arg]


def test_a_client_for_asyncio_is_a_place_too() -> None:
    """Beside another place, or an option that only a place over HTTP has, it is refused as boto3's is."""

    async def refuse() -> None:
        making = aiobotocore.session.get_session().create_client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        async with making as client:
            with pytest.raises(dynamix.ValidationException, match="embedded and aboto_client contradict"):
                Connection(embedded=True, aboto_client=client)
            with pytest.raises(dynamix.ValidationException, match="region_name would have no effect with aboto_client"):
                Connection(aboto_client=client, region_name="eu-west-1")

    asyncio.run(refuse())
