"""The contestants, and a virtual environment for each under benchmarks/.envs.

An environment is made at its first use and again when its interpreter or its requirements change. dynamix is
installed from this checkout, anew in each run, as its users would install it.
"""

import glob
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".envs"


@dataclass(frozen=True)
class Contestant:
    """A module of `contestants` and its title in the tables. The first of the requirements is the library itself."""

    title: str
    module: str
    requirements: tuple[str, ...] = ()
    statement: str = ""
    """What imports the library; empty for the floors, of which neither start nor scan would mean anything."""

    @property
    def is_floor(self) -> bool:
        return not self.statement


DYNAMIX = Contestant("dynamix", "dynamix_model", (".",), "import dynamix")
FLOORS = (Contestant("raw socket", "raw_socket"), Contestant("json.loads", "json_loads"))
PEERS = (
    Contestant("dynamoxy", "dynamoxy_model", ("dynamoxy",), "import dynamoxy"),
    Contestant("pydynox", "pydynox_model", ("pydynox",), "import pydynox"),
    Contestant("aiodynamo", "aiodynamo_client", ("aiodynamo", "aiohttp"), "import aiodynamo.client, aiohttp"),
    Contestant("boto3 client", "boto3_client", ("boto3",), "import boto3"),
    Contestant("boto3 resource", "boto3_resource", ("boto3",), "import boto3"),
    Contestant("aioboto3", "aioboto3_resource", ("aioboto3",), "import aioboto3"),
    Contestant("PynamoDB", "pynamodb_model", ("pynamodb",), "import pynamodb.models"),
    Contestant("dyntastic", "dyntastic_model", ("dyntastic",), "import dyntastic"),
    Contestant("bloop", "bloop_model", ("bloop",), "import bloop"),
)
CONTESTANTS = (DYNAMIX, *FLOORS, *PEERS)


class NotInstalledError(Exception):
    """pip could not install a contestant."""


def interpreter() -> str:
    """The one interpreter that all contestants run on: Python 3.12 where there is one, since dynamoxy asks for it.

    Otherwise the one that runs this.
    """
    versions = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    candidates = [shutil.which("python3.12"), *glob.glob(f"{versions}/versions/3.12*/bin/python3.12")]
    for candidate in candidates if sys.version_info[:2] != (3, 12) else ():
        # A version manager's stand-in may be on the path while the version it stands for is not chosen.
        if candidate and subprocess.run([candidate, "--version"], capture_output=True).returncode == 0:
            return os.path.realpath(candidate)
    return os.path.realpath(sys.executable)


def environment(name: str, requirements: tuple[str, ...], python: str) -> str:
    """The interpreter of the environment `name`, in which `requirements` are installed."""
    directory = ENVIRONMENTS / name.replace(" ", "-").replace(".", "-")
    made_of = "\n".join((python, *requirements))
    stamp = directory / "made-of"
    inside = str(directory / "bin" / "python")
    if not stamp.exists() or stamp.read_text() != made_of:
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(directory)], check=True)
        _install(inside, requirements)
        stamp.write_text(made_of)
    elif "." in requirements:
        _install(inside, ("--force-reinstall", "--no-deps", "."))
    return inside


def _install(python: str, requirements: tuple[str, ...]) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise NotInstalledError(f"pip cannot install {requirements[0]} here")


def version(python: str, requirement: str) -> str:
    """The installed version of a contestant's library."""
    distribution = "dynamix-orm" if requirement == "." else requirement
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    done = subprocess.run([python, "-c", code, distribution], capture_output=True, text=True, check=True)
    return done.stdout.strip()
