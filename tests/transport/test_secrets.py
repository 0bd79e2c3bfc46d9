"""Nothing that is secret is shown: in reprs, in errors and their tracebacks, or in any log."""

import logging
import traceback
from pathlib import Path
from typing import Any

import boto3
import pytest
from peer import always, answer, forwarding_to, peer, refusal
from sides import Side

import dynamix
from dynamix import Connection
from dynamix.transport.credentials import Credentials, FixedCredentials
from dynamix.transport.http.proxy import Proxy

SECRETS = ("hushKey", "hushToken", "hushPassword", "aHVza")  # the last is how base64 begins of what begins with "hush"
KEYS: Any = {
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "hushKey",
    "aws_session_token": "hushToken",
    "region_name": "eu-west-1",
}
ONCE: Any = {"max_attempts": 1, "read_timeout": 0.1, "connect_timeout": 0.2}


def told(error: BaseException) -> str:
    """An error with all that stands behind it."""
    return repr(error) + "".join(traceback.format_exception(error))


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
