"""What a release says of itself: one version everywhere, and the Pythons that the suite runs on."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import dynamix
from dynamix import cli

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_there_is_one_version() -> None:
    """The package, the installed distribution and the newest entry of the changelog name the same version."""
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == dynamix.__version__ == importlib.metadata.version("dynamix-orm")


def test_the_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`dynamix --version` and `python -m dynamix --version` print name and version."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    said = f"dynamix {dynamix.__version__}\n"
    assert capsys.readouterr().out == said
    run = [sys.executable, "-m", "dynamix", "--version"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == said


def test_the_matrix_is_what_is_promised() -> None:
    """`make matrix` begins with the oldest Python that is allowed and runs every one that the classifiers name."""
    source = (ROOT / "tools" / "matrix.py").read_text()
    (listed,) = re.findall(r"^VERSIONS = \((.*)\)$", source, re.MULTILINE)
    versions = re.findall(r'"([\d.]+)"', listed)
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PYPROJECT["project"]["classifiers"]))
    assert PYPROJECT["project"]["requires-python"] == f">={versions[0]}"
    assert named == versions[: len(named)]


def test_the_oldest_dependencies_can_be_told() -> None:
    """Every dependency says one lowest version and nothing else, which is how `make matrix` installs it."""
    assert all(re.fullmatch(r"[\w-]+>=[\w.]+", dependency) for dependency in PYPROJECT["project"]["dependencies"])
