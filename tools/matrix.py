"""The suite on every Python that dynamix supports and that is here, and once with the oldest dependencies it allows.

    python tools/matrix.py [ARGUMENTS OF PYTEST]

Interpreters are looked for as `python3.N` on the path and among pyenv's. Each run has an environment of its own, which
is removed at its end. What is not here is skipped, and the last lines say so. The exit status is 1 where a run failed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OLDEST = "oldest dependencies"


def interpreter(version: str) -> str | None:
    """A Python of this version that runs, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    places = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")), reverse=True)]
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    for place in filter(None, places):
        done = subprocess.run([place, "-c", asked], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return place
    return None


def oldest() -> list[str]:
    """Each dependency of the package in the oldest version that it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [re.fullmatch(r"([\w-]+)>=([\w.]+)", dependency) for dependency in project["dependencies"]]
    return [f"{match[1]}=={match[2]}" for match in found if match is not None]


def passes(python: str, pins: list[str], arguments: list[str]) -> bool:
    """Whether the suite passes in a fresh environment of this Python, in which the pinned versions are installed."""
    with tempfile.TemporaryDirectory(prefix="dynamix-matrix-") as scratch:
        environment, pinned = Path(scratch) / "venv", Path(scratch) / "constraints.txt"
        pinned.write_text("\n".join(pins))
        settings = {**os.environ, "HYPOTHESIS_PROFILE": "repeatable", "PYTEST_ADDOPTS": "-p no:cacheprovider"}
        if pins:
            settings["PIP_CONSTRAINT"] = str(pinned)
        steps = [
            ["make", f"VENV={environment}", f"PYTHON={python}", f"{environment}/.dev"],
            [f"{environment}/bin/python", "-m", "pytest", *arguments],
        ]
        return all(subprocess.run(step, cwd=ROOT, env=settings, check=False).returncode == 0 for step in steps)


def main(arguments: list[str]) -> int:
    """Runs all that is here; returns the exit status."""
    runs = [(f"Python {version}", interpreter(version), []) for version in VERSIONS]
    here = [run for run in runs if run[1] is not None]
    if here:
        runs.append((f"{OLDEST} on {here[0][0]}", here[0][1], oldest()))
    results = {}
    for name, python, pins in runs:
        print(f"== {name}: {', '.join(pins) or python or 'not here'}", flush=True)
        results[name] = "skipped: no such interpreter here"
        if python is not None:
            results[name] = "passed" if passes(python, pins, arguments) else "FAILED"
    print(*(f"{name}: {result}" for name, result in results.items()), sep="\n")
    return int("FAILED" in results.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
