"""The container's steps, carried out without Docker: what is copied is there, and what it runs serves and is well."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
BIN = str(Path(sys.executable).parent)


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with what follows them."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def command(name: str) -> list[str]:
    """What an instruction of the final image runs, as it would be run here."""
    *_, text = (text for instruction, text in instructions() if instruction == name)
    found: list[str] = json.loads(text[text.index("[") :])
    return [part.replace("/opt/dynamix/bin", BIN).replace("0.0.0.0", "127.0.0.1") for part in found]


def service() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["dynamodb"]


def test_what_is_copied_is_there() -> None:
    """Each file that the image is made of exists, and is not left out by the list of what is."""
    copied = [
        source
        for name, text in instructions()
        if name == "COPY" and not text.startswith("--from")
        for source in text.split()[:-1]
    ]
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == sent
    assert all((ROOT / source).exists() for source in copied)


def test_what_is_installed_is_what_the_package_needs() -> None:
    """The image has the dependencies of the project, less the one that the server never loads."""
    wanted = re.search(r"^dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert wanted is not None
    listed = re.findall('"(.*?)"', wanted[1])
    (installed,) = (json.loads(text)[3:] for name, text in instructions() if name == "RUN" and "msgspec" in text)
    assert [each for each in listed if not each.startswith("botocore")] == installed


WITHOUT_BOTOCORE = """
import sys
sys.modules["botocore"] = None
from dynamix.cli import main
main(["serve", "--help"])
"""


def test_the_server_does_without_botocore() -> None:
    """The command starts where it is not installed."""
    ended = subprocess.run([sys.executable, "-c", WITHOUT_BOTOCORE], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "usage: dynamix serve" in ended.stdout


def test_the_user_has_no_privileges() -> None:
    """Neither the image nor the service runs as root, or may become it."""
    assert [text for name, text in instructions() if name == "USER"] == ["10001:10001"]
    assert (service()["cap_drop"], service()["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service()["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service()["ports"])


@pytest.mark.parametrize("arguments", [command("CMD"), service()["command"]], ids=["image", "compose"])
def test_what_the_container_runs_is_well(arguments: list[str], tmp_path: Path) -> None:
    """Its command serves, keeps its data in the volume, passes its own health check, and fails it when it is gone."""
    arguments = [part.replace("/data", str(tmp_path)) for part in arguments]
    with subprocess.Popen(
        [*command("ENTRYPOINT"), *arguments, "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip().rpartition(":")[2]
            health = [part.replace(":8000/", f":{port}/") for part in command("HEALTHCHECK")]
            assert subprocess.run(health, capture_output=True).returncode == 0
        finally:
            process.terminate()
        assert process.wait(60) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["dynamix.db"]
    assert subprocess.run(health, capture_output=True).returncode != 0
