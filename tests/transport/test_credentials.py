"""Credentials that botocore finds and renews: from containers, processes and roles. All served on this machine."""

import asyncio
import datetime
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from loops import NAMES, runner
from peer import SECONDS, Conversation, Peer, always, answer, peer, refusal
from sides import Side, asked

import dynamix
from dynamix import Connection
from dynamix.transport import credentials
from dynamix.transport.credentials import BotocoreCredentials
from dynamix.transport.http.client import HttpTransport
from dynamix.transport.http.endpoint import parse


def in_minutes(minutes: float) -> str:
    """A time as services write it."""
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Container:
    """A container's credentials endpoint: the keys are KEY1, KEY2, ..., and expire after so many minutes."""

    def __init__(self, minutes: float) -> None:
        self.count = 0
        self._minutes = minutes

    def talk(self, conversation: Conversation) -> None:
        """What is done on each connection."""
        while conversation.read() is not None:
            self.count += 1
            number = self.count
            keys = {
                "AccessKeyId": f"KEY{number}",
                "SecretAccessKey": "verySecretKey",
                "Token": f"token{number}",
                "Expiration": in_minutes(self._minutes),
            }
            conversation.send(answer(json.dumps(keys).encode()))


def transport_to(there: Peer, recheck: float) -> HttpTransport:
    """A transport that asks botocore for credentials as often as this."""
    return HttpTransport(
        parse(f"http://127.0.0.1:{there.port}"),
        "eu-west-1",
        BotocoreCredentials(botocore.session.Session, recheck),
        {},
        connect_timeout=SECONDS,
        read_timeout=SECONDS,
        max_connections=10,
    )


def sent_keys(there: Peer) -> list[tuple[str, str | None]]:
    """Access key and session token of each request that arrived."""
    return [
        (
            request.headers["authorization"].partition("Credential=")[2].partition("/")[0],
            request.headers.get("x-amz-security-token"),
        )
        for request in there.requests
    ]


@pytest.mark.parametrize(
    ("minutes", "recheck", "expected"),
    [
        (60, 0, ["KEY1"] * 3),
        (5, 0, ["KEY2", "KEY3", "KEY4"]),
        (5, 3600, ["KEY2"] * 3),
    ],
    ids=["long before", "about to expire", "kept until the next look"],
)
def test_credentials_are_renewed_before_they_expire(
    minutes: float, recheck: float, expected: list[str], side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore is asked again from time to time, and what it has renewed signs the next request, token and all."""
    container = Container(minutes)
    with peer(container.talk) as lender, peer(always(answer())) as there:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{lender.port}/keys")
        transport = transport_to(there, recheck)
        for _ in expected:
            if side.loop is None:
                transport.send("GetItem", b"{}")
            else:
                side.run(transport.asend("GetItem", b"{}"))
        assert sent_keys(there) == [(key, f"token{key[3:]}") for key in expected]
        if side.loop is None:
            transport.close()
        else:
            side.run(transport.aclose())


def test_botocore_is_asked_each_minute() -> None:
    """Credentials are looked at often enough to never miss the fifteen minutes in which botocore renews them."""
    assert BotocoreCredentials(botocore.session.Session).recheck == credentials.RECHECK_SECONDS <= 300


@pytest.mark.parametrize("loop", NAMES)
def test_credentials_are_looked_up_once_for_all_tasks(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks that come while credentials are looked up wait for the same answer, off the event loop."""
    looking, over = threading.Event(), threading.Event()
    container = Container(60)

    def talk(conversation: Conversation) -> None:
        looking.set()
        assert over.wait(SECONDS)
        container.talk(conversation)

    async def main() -> None:
        transport = transport_to(there, 3600)
        tasks = [asyncio.create_task(transport.asend("GetItem", b"{}")) for _ in range(20)]
        await asyncio.to_thread(looking.wait, SECONDS)
        tasks[3].cancel()
        over.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(answers.pop(3), asyncio.CancelledError)
        assert {answer.status for answer in answers if not isinstance(answer, BaseException)} == {200}
        await transport.aclose()

    with peer(talk) as lender, peer(always(answer())) as there:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{lender.port}/keys")
        runner(loop)(main)
        assert container.count == 1
        assert sent_keys(there) == [("KEY1", "token1")] * 19


@pytest.mark.parametrize("loop", NAMES)
def test_a_look_up_that_fails_when_nobody_waits_any_more(
    loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the only task that waits for credentials is cancelled, their failure is nobody's; the next asks again."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    use_process(tmp_path, f"cat {pipe}", monkeypatch)

    async def main() -> None:
        transport = transport_to(there, 3600)
        task = asyncio.create_task(transport.asend("GetItem", b"{}"))
        with await asyncio.to_thread(open, pipe, "w") as writer:  # returns when the process reads
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            writer.write("no JSON")
        while transport._renewals:
            await asyncio.sleep(0.001)
        use_process(tmp_path, f"echo '{KEYS}'", monkeypatch)
        assert (await transport.asend("GetItem", b"{}")).status == 200
        await transport.aclose()

    with peer(always(answer())) as there:
        runner(loop)(main)


KEYS = json.dumps({"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": "verySecretKey", "SessionToken": "lent"})


def use_process(folder: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configures a process for the credentials."""
    script, config = folder / "script", folder / "config"
    script.write_text(command)
    config.write_text(f"[default]\nregion = eu-west-1\ncredential_process = sh {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


def test_credentials_of_a_process(side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile may name a process that prints the keys."""
    use_process(tmp_path, f"echo '{KEYS}'", monkeypatch)
    with peer(always(answer())) as there, Connection(endpoint_url=f"http://0.0.0.0:{there.port}") as connection:
        side.ask(connection)
        assert sent_keys(there) == [("PROCESS", "lent")]
        side.close(connection)


SECRET = "doNotShowThis"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 1", "could not be had"),
        ("echo refused >&2; exit 1", "refused"),
        (f"echo {SECRET}", "could not be had"),
        ("echo '{\"Version\": 1}'", "AccessKeyId"),
        (f'echo \'{{"Version": 7, "SecretAccessKey": "{SECRET}"}}\'', "Unsupported version"),
        (
            f'echo \'{{"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "{SECRET}", "SessionToken": "x", '
            '"Expiration": "2020-01-01T00:00:00Z"}\'',
            "still expired",
        ),
        (f'echo \'{{"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "{SECRET} "}}\'', "secret access key holds"),
        (f'echo \'{{"Version": 1, "AccessKeyId": "", "SecretAccessKey": "{SECRET}"}}\'', "incomplete"),
    ],
)
def test_credentials_that_cannot_be_had(
    command: str, said: str, side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in getting credentials is a CredentialsError with the reason, without any secret."""
    use_process(tmp_path, command, monkeypatch)
    with peer(always(answer())) as there, Connection(endpoint_url=f"http://0.0.0.0:{there.port}") as connection:
        with pytest.raises(dynamix.CredentialsError, match=said) as caught:
            side.ask(connection)
        assert not caught.value.sent
        assert SECRET not in str(caught.value)
        assert there.requests == []


def test_a_process_that_does_not_exist(side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that cannot be run is named."""
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-1\ncredential_process = /no/such/command\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with Connection() as connection, pytest.raises(dynamix.CredentialsError, match="/no/such/command"):
        side.ask(connection)


ROLE_KEYS = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>verySecretKey</SecretAccessKey><SessionToken>lent</SessionToken>
<Expiration>{in_minutes(60)}</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>""".encode()
DENIED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>Not authorized</Message></Error><RequestId>1</RequestId></ErrorResponse>"""


@pytest.fixture
def use_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Peer], None]:
    """Makes credentials those of a role for a web identity, to be had from a peer."""

    def use(there: Peer) -> None:
        token = tmp_path / "token"
        token.write_text("identity")
        for name, value in {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/reader",
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{there.port}",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }.items():
            monkeypatch.setenv(name, value)

    return use


def test_credentials_of_a_role(side: Side, use_role: Callable[[Peer], None]) -> None:
    """A role is assumed with a web identity, as in Kubernetes."""
    with peer(always(answer(ROLE_KEYS))) as roles, peer(always(answer())) as there:
        use_role(roles)
        with Connection(endpoint_url=f"http://0.0.0.0:{there.port}") as connection:
            side.ask(connection)
            side.ask(connection)
            side.close(connection)
        assert sent_keys(there) == [("ROLE", "lent")] * 2
        assert len(roles.requests) == 1


def test_a_role_that_may_not_be_assumed(side: Side, use_role: Callable[[Peer], None]) -> None:
    """A refusal by the service that lends roles is a CredentialsError with its words."""
    with peer(always(answer(DENIED, status=403))) as roles, peer(always(answer())) as there:
        use_role(roles)
        with (
            Connection(endpoint_url=f"http://0.0.0.0:{there.port}") as connection,
            pytest.raises(dynamix.CredentialsError, match="Not authorized"),
        ):
            side.ask(connection)
        assert there.requests == []


@pytest.mark.parametrize("name", ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"])
@pytest.mark.parametrize("value", [f"{SECRET}\n", f" {SECRET}", f"{SECRET}é", f"{SECRET}\r\nHost: evil"])
def test_keys_that_were_copied_badly(name: str, value: str, side: Side) -> None:
    """White space or a line break in a key, which would break the request or its signature, is named; not the key."""
    keys: Any = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1", name: value}
    with Connection(endpoint_url="http://0.0.0.0:1", **keys) as connection:
        with pytest.raises(dynamix.CredentialsError, match="holds white space") as caught:
            side.ask(connection)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "code",
    ["UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "AccessDeniedException"],
)
def test_keys_that_are_not_accepted(code: str, side: Side) -> None:
    """What the service says of the keys is an AccessDeniedError at once, with the request's id."""
    refused = refusal(code, 400, "x-amzn-RequestId: REQUEST1")
    with peer(always(refused)) as there, Connection(is_local_endpoint=there.address) as connection:
        with pytest.raises(dynamix.AccessDeniedError, match="said by the peer") as caught:
            side.ask(connection)
        assert (caught.value.code, caught.value.status, caught.value.request_id) == (code, 400, "REQUEST1")
        assert len(there.requests) == 1
        side.close(connection)


def test_threads_look_credentials_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that come at once find the credentials together."""
    container = Container(60)
    with peer(container.talk) as lender, peer(always(answer())) as there:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{lender.port}/keys")
        with Connection(endpoint_url=f"http://0.0.0.0:{there.port}", region_name="eu-west-1") as connection:
            threads = [
                threading.Thread(target=connection.run, args=(asked(connection, "GetItem", {}, repeatable=True),))
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (container.count, len(there.requests)) == (1, 8)
