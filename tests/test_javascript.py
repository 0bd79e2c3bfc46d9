"""The AWS SDK for JavaScript v3 against `dynamix serve`, from the first table to the last, where there is node.

npm brings the SDK into the user's cache folder, once; the versions are written here.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from dynamix.engine import Engine
from dynamix.engine.http.server import Server
from dynamodb_local import locked

VERSION = "3.1162.0"
PACKAGES = [f"@aws-sdk/client-dynamodb@{VERSION}", f"@aws-sdk/lib-dynamodb@{VERSION}"]
SCRIPT = Path(__file__).parent / "javascript" / "forum.cjs"


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder with the SDK."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("the SDK for JavaScript needs node and npm, and they are not on the path")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamix"
    folder = cache / f"javascript-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / "fetch-javascript"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                asked = [npm, "install", "--prefix", scratch, "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
                done = subprocess.run([*asked, *PACKAGES], cwd=scratch, capture_output=True, text=True, timeout=500)
                if done.returncode:
                    pytest.skip(f"npm could not bring the SDK for JavaScript: {done.stderr.strip()[-300:]}")
                Path(scratch).rename(folder)
                Path(scratch).mkdir()  # for who removes it
    return folder


def test_a_program_in_javascript_is_served(modules: Path) -> None:
    """Tables, items, conditions, pages, transactions and statements are as its SDK expects them."""
    engine = Engine()
    with Server(engine) as server:
        endpoint = "http://{}:{}".format(*server.address)
        ended = subprocess.run(
            ["node", str(SCRIPT), str(modules), endpoint], capture_output=True, text=True, timeout=300
        )
    assert (ended.stdout, ended.returncode) == ("ok\n", 0), ended.stderr
    engine.close()
