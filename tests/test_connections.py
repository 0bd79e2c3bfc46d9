"""Which connection is in force, and what one may be told. All on engines in memory; nothing leaves the process."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

import dynamix
from dynamix import Connection, current, use_connection
from dynamix.transport.options import local_address


class Note(dynamix.Model):
    """A small item."""

    name = dynamix.CharField(hash_key=True)


def engine(*names: str) -> Connection:
    """An engine that holds these notes."""
    there = Connection(embedded=True)
    with use_connection(there):
        dynamix.create_table(Note)
        Note.batch_write([{"name": name} for name in names])
    return there


def names() -> list[str]:
    """The notes of the connection in force."""
    return sorted(note.name for note in Note.scan())


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_default", None)


def test_the_innermost_is_in_force() -> None:
    """A model's own connection comes first, then the inner block's, then the outer one's, and last the default."""
    with engine("a") as a, engine("b") as b, engine("c") as c, engine("d") as d:

        class Own(Note):
            __table_name__ = "Note"
            __connection__ = d

        current._default = a
        assert names() == ["a"]
        with use_connection(b):
            assert names() == ["b"]
            with use_connection(c):
                assert names() == ["c"]
                assert [note.name for note in Own.scan()] == ["d"]
            assert names() == ["b"]
        assert names() == ["a"]


def test_a_block_is_for_its_own_thread() -> None:
    """Threads do not see each other's blocks, but share the default."""
    with engine("default") as default, engine("mine") as mine:
        current._default = default
        seen: list[list[str]] = []
        with use_connection(mine):
            thread = threading.Thread(target=lambda: seen.append(names()))
            thread.start()
            thread.join()
            assert names() == ["mine"]
        assert seen == [["default"]]


def test_a_block_is_for_its_own_task() -> None:
    """Tasks do not see each other's blocks, however they interleave."""

    async def seen_in(place: Connection, rounds: int) -> set[str]:
        found = set()
        with use_connection(place):
            for _ in range(rounds):
                await asyncio.sleep(0)
                found |= {note.name async for note in Note.scan()}
        return found

    async def both() -> list[set[str]]:
        return list(await asyncio.gather(seen_in(a, 5), seen_in(b, 5)))

    with engine("a") as a, engine("b") as b:
        assert asyncio.run(both()) == [{"a"}, {"b"}]


def test_set_connection_sets_the_default() -> None:
    """set_connection returns the connection that it sets for the process."""
    with dynamix.set_connection(embedded=True, table_prefix="x-") as there:
        assert current.current() is there
        assert there.table_prefix == "x-"


def test_a_prefix_parts_tables(tmp_path: Path) -> None:
    """Two prefixes in one place are two tables."""
    for prefix in ("a-", "b-"):
        with Connection(embedded=tmp_path / "notes.db", table_prefix=prefix) as there, use_connection(there):
            dynamix.create_table(Note)
            Note.create(name=prefix)
            assert names() == [prefix]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"region": "eu-west-1"}, "did you mean 'region_name'.*embedded.*profile_name"),
        ({"is_local_endpoint": ("localhost",)}, "is_local_endpoint"),
        ({"is_local_endpoint": ("localhost", "http")}, "is_local_endpoint"),
        ({"is_local_endpoint": ("localhost", 99999)}, "is_local_endpoint"),
        ({"embedded": 5}, "embedded"),
        ({"embedded": True, "is_local_endpoint": True}, "contradict each other"),
        ({"embedded": True, "region_name": "eu-west-1"}, "would have no effect"),
        ({"aws_access_key_id": "x"}, "aws_secret_access_key"),
        ({"aws_access_key_id": "x", "aws_secret_access_key": "y", "profile_name": "z"}, "contradict each other"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"read_timeout": "5"}, "read_timeout"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_connections": 1.5}, "max_connections"),
        ({"table_prefix": 5}, "table_prefix"),
        ({"region_name": ""}, "region_name"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], said: str) -> None:
    """An unknown, mistyped, useless or contradictory option is refused when the connection is made."""
    with pytest.raises(dynamix.ValidationException, match=said):
        dynamix.set_connection(**options)
    assert current._default is None


def test_a_local_endpoint() -> None:
    """True is DynamoDB Local's own address; a port may be a number or its text."""
    assert local_address(True) == ("127.0.0.1", 8000)
    assert local_address(("localhost", "8001")) == local_address(("localhost", 8001)) == ("localhost", 8001)


def test_nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing is configured the first operation says so and names the ways."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(dynamix.ConnectionException) as no_region:
        Note.get(name="x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with pytest.raises(dynamix.ConnectionException) as no_keys, Connection() as there, use_connection(there):
        Note.get(name="x")
    for caught in (no_region, no_keys):
        for way in ("profile", "is_local_endpoint", "embedded="):
            assert way in str(caught.value)


def test_secrets_are_not_shown() -> None:
    """repr shows the options, but no keys."""
    there = Connection(region_name="eu-west-1", aws_access_key_id="AKIA", aws_secret_access_key="hush")
    assert "region_name='eu-west-1'" in repr(there)
    assert "hush" not in repr(there)
    there.close()


def test_a_closed_connection_says_so() -> None:
    """After close no operation is run, and the error says why."""
    there = engine("a")
    there.close()
    with use_connection(there), pytest.raises(dynamix.ConnectionException, match="was closed"):
        names()
