"""Nothing that is secret is shown: in reprs, in errors and their tracebacks, or in any log."""

import logging
import traceback
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from peer import always, answer, forwarding_to, peer, refusal
from sides import Side

import dynamix
from dynamix import Connection
from dynamix.transport.credentials import Credentials, FixedCredentials
from dynamix.transport.http import sigv4
from dynamix.transport.http.proxy import Proxy

SECRETS = ("AKIDEXAMPLE", "hushKey", "hushToken", "hushPassword", "aHVza")
"""The last is how base64 begins of what begins with "hush"."""

KEYS: Any = {
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "hushKey",
    "aws_session_token": "hushToken",
    "region_name": "eu-west-1",
}
KEYS_OF_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "hushKey",
    "AWS_SESSION_TOKEN": "hushToken",
    "AWS_REGION": "eu-west-1",
}
ONCE: Any = {"max_attempts": 1, "read_timeout": 0.1, "connect_timeout": 0.2}


HERE = str(Path(__file__).parent)


def told(error: BaseException) -> str:
    """An error with all that stands behind it, and with what tools print of the variables of all frames but the tests'.

    They look into built-in containers, and ask other things for their repr.
    """
    text = repr(error) + "".join(traceback.format_exception(error))
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += [one.__cause__, None if one.__suppress_context__ else one.__context__]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if not frame.f_code.co_filename.startswith(HERE):
                text += f"{frame.f_code.co_qualname}: {printed(frame.f_locals)}\n"
    return text


def printed(value: Any, depth: int = 5) -> str:
    """What tools print of a variable: the items of mappings and sequences, the repr of other things."""
    if depth and isinstance(value, Mapping):
        return str({str(key): printed(item, depth - 1) for key, item in value.items()})
    if depth and isinstance(value, list | tuple | set | frozenset | deque):
        return str([printed(item, depth - 1) for item in value])
    rich = getattr(value, "__rich_repr__", None)
    return f"{value!r} {list(rich()) if callable(rich) and not isinstance(value, type) else ''}"


@pytest.mark.parametrize(
    "talk",
    [
        always(answer()),
        always(refusal("InvalidSignatureException")),
        always(refusal("InternalServerError", 500)),
        always(b"garbage\r\n\r\n"),
        always(answer(b"<html>", status=407)),
        lambda conversation: conversation.wait_for_end(),
        lambda conversation: None,
    ],
    ids=["well", "refused", "fails", "garbage", "407", "hangs", "closes"],
)
@pytest.mark.parametrize("proxied", ["", "HTTP_PROXY", "HTTPS_PROXY"])
def test_whatever_happens_to_a_request(
    talk: Any, proxied: str, side: Side, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However a request ends, neither its error nor a log at the finest level shows keys, tokens or passwords."""
    caplog.set_level(logging.DEBUG)
    with peer(talk) as there:
        url = f"http{'s' if proxied == 'HTTPS_PROXY' else ''}://0.0.0.0:{there.port}"
        monkeypatch.setenv(proxied or "UNUSED", f"http://hushUser:hushPassword@127.0.0.1:{there.port}")
        connection = Connection(endpoint_url=url, **KEYS, **ONCE)
        shown = [repr(connection)]
        try:
            side.write(connection)
        except dynamix.DynamixError as error:
            shown.append(told(error))
        transport: Any = connection._transport
        shown += [repr(thing) for thing in (transport, transport._signer, transport._source, transport._proxy)]
        side.close(connection)
    for secret in SECRETS:
        assert secret not in "".join(shown) + caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"aws_secret_acess_key": "hushKey"},
        {"aws_secret_access_key": b"hushKey"},
        {"aws_secret_access_key": "hushKey", "aws_access_key_id": "AKIDEXAMPLE", "profile_name": "dev"},
        {"aws_secret_access_key": "hushKey", "aws_session_token": "hushToken"},
        {"embedded": True, **KEYS},
        {"endpoint_url": "https://hushUser:hushPassword@tables.example"},
        {"endpoint_url": "http://x:y:z", **KEYS},
        {"endpoint_url": "http://[", **KEYS},
        {"read_timeout": "1", **KEYS},
    ],
)
@pytest.mark.parametrize("make", [Connection, dynamix.set_connection])
def test_refused_options_show_nothing(options: Any, make: Any) -> None:
    """However options are wrong, no variable of a frame holds what was given, not even under a misspelt name."""
    with pytest.raises(dynamix.ValidationException) as caught:
        make(**options)
    for secret in ("hush", "AKID"):
        assert secret not in told(caught.value)


def test_a_connection_that_was_never_made_has_a_repr() -> None:
    """What prints the variables of the frames of a refusal meets the half-made connection there."""
    with pytest.raises(dynamix.UnknownNameError) as caught:
        Connection(region="eu-west-1")  # type: ignore[call-arg]
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert [repr(frame.f_locals["self"]) for frame in frames if "self" in frame.f_locals] == ["Connection()"]


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hushKey"}, "no AWS region"),
        ({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hushKey\n", "AWS_REGION": "x"}, "white space"),
        ({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hushKey", "AWS_REGION": "a b"}, "not the name"),
        ({"HTTPS_PROXY": "socks5://hushUser:hushPassword@proxy", **KEYS_OF_ENVIRONMENT}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://hushUser:hushPassword@proxy:port", **KEYS_OF_ENVIRONMENT}, "HTTPS_PROXY"),
        ({"AWS_CA_BUNDLE": "/no/such/file", **KEYS_OF_ENVIRONMENT}, "AWS_CA_BUNDLE"),
    ],
)
def test_the_environment_shows_nothing(variables: dict[str, str], error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment is wrong or lacks something, no variable of a frame shows what else stands in it."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Connection() as connection, pytest.raises(dynamix.DynamixError, match=error) as caught:
        connection.request("ListTables", {})
    for secret in ("hush", "AKID"):
        assert secret not in told(caught.value)


def test_an_interrupted_request_shows_nothing(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends a request amid its signing finds no secret in any variable."""

    class StoppedError(Exception):
        pass

    def interrupt(*_: object) -> Any:
        raise StoppedError

    with peer(always(answer())) as there:
        connection = Connection(endpoint_url=f"http://0.0.0.0:{there.port}", **KEYS, **ONCE)
        side.ask(connection)
        transport: Any = connection._transport
        for module, name in ((sigv4, "_token_line"), (sigv4, "sha256"), (sigv4, "_keyed_states"), (sigv4, "_prefix")):
            transport._signer = None
            with monkeypatch.context() as patch:
                if name != "_keyed_states":
                    transport._renew()
                patch.setattr(module, name, interrupt)
                with pytest.raises(StoppedError) as caught:
                    side.ask(connection)
            for secret in SECRETS:
                assert secret not in told(caught.value)
        side.close(connection)


def test_credentials_show_nothing() -> None:
    """The repr of credentials, and of what holds them, has no part of them."""
    keys = Credentials("AKIDEXAMPLE", "hushKey", "hushToken")
    for thing in (keys, FixedCredentials(keys), [keys], {"keys": keys}):
        assert "hush" not in repr(thing)
        assert "AKID" not in repr(thing)


def test_printed_variables_show_nothing() -> None:
    """What rich and its like print of the variables beside a traceback has no part of keys and passwords either."""
    proxy = Proxy("proxy.example", 3128, "Basic hush")
    assert "hush" not in repr([Credentials("AKIDEXAMPLE", "hushKey", "hushToken").__rich_repr__(), repr(proxy)])
    assert proxy.__rich_repr__() == [("host", "proxy.example"), ("port", 3128)]


def test_looking_credentials_up_shows_nothing(
    side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """botocore, too, logs no secret of a profile while it finds one."""
    caplog.set_level(logging.DEBUG)
    config = tmp_path / "config"
    config.write_text(
        "[default]\nregion = eu-west-1\naws_access_key_id = x\naws_secret_access_key = hushKey\n"
        "aws_session_token = hushToken\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with peer(always(answer())) as there, Connection(endpoint_url=f"http://0.0.0.0:{there.port}") as connection:
        side.ask(connection)
        assert there.requests[0].headers["x-amz-security-token"] == "hushToken"
        side.close(connection)
    assert "hush" not in caplog.text


def test_a_client_shows_nothing() -> None:
    """A connection over a caller's client shows the client, which shows none of its keys."""
    client = boto3.client("dynamodb", **KEYS)
    assert "hush" not in repr(Connection(boto_client=client))


def test_a_tunnel_shows_nothing_of_its_credentials(
    side: Side, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A handshake that fails inside a tunnel is told without the proxy's password."""
    caplog.set_level(logging.DEBUG)
    with peer(always(answer())) as there, peer(forwarding_to(there)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://hushUser:hushPassword@127.0.0.1:{proxy.port}")
        with Connection(
            endpoint_url="https://tables.example", **KEYS, max_attempts=1, connect_timeout=0.5
        ) as connection:
            with pytest.raises(dynamix.ConnectError) as caught:
                side.ask(connection)
            side.close(connection)
    assert "hush" not in told(caught.value) + caplog.text
