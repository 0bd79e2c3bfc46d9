"""What a type checker must infer and must reject, stated in tests/typing and tried with mypy and pyright, both strict.

A line that must be rejected ends with a comment that names each checker's rule, or rules with a + between them:

    thread.titel  # rejected: attr-defined, reportAttributeAccessIssue

Every other line must pass; `assert_type` states what is inferred.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = sorted((Path(__file__).parent / "typing").glob("*.py"))
REJECTED = re.compile(r"# rejected: ([\w+-]+), ([\w+]+)$")

Findings = set[tuple[str, int, str]]


def expected(checker: int) -> Findings:
    """File, line and rule of each line that a checker (0: mypy, 1: pyright) must reject."""
    return {
        (file.name, number, rule)
        for file in FILES
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (match := REJECTED.search(line))
        for rule in match.groups()[checker].split("+")
    }


def mypy() -> Findings:
    """What mypy finds."""
    command = [sys.executable, "-m", "mypy", "--strict", "--output=json", *map(str, FILES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = (json.loads(line) for line in done.stdout.splitlines())
    return {(Path(row["file"]).name, row["line"], row["code"]) for row in found if row["severity"] == "error"}


def pyright(tmp_path: Path) -> Findings:
    """What pyright finds, but for "type is unknown" where that follows from another finding on the line."""
    project = tmp_path / "pyrightconfig.json"
    folder = os.path.relpath(FILES[0].parent, tmp_path)
    project.write_text(json.dumps({"include": [folder], "extraPaths": [folder], "typeCheckingMode": "strict"}))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(project)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert report["summary"]["filesAnalyzed"] == len(FILES)
    found = {
        (Path(row["file"]).name, row["range"]["start"]["line"] + 1, row.get("rule", row["message"]))
        for row in report["generalDiagnostics"]
    }
    wrong = {(file, line) for file, line, rule in found if not rule.startswith("reportUnknown")}
    return {(file, line, rule) for file, line, rule in found if (file, line) not in wrong or "Unknown" not in rule}


def compare(found: Findings, expected: Findings) -> None:
    """Fails with the lines on which a checker and the files disagree."""
    problems = [f"{file}:{line} is not rejected for {rule}" for file, line, rule in sorted(expected - found)]
    problems += [f"{file}:{line} is rejected for {rule}" for file, line, rule in sorted(found - expected)]
    assert not problems, "\n".join(problems)


def test_mypy_infers_and_rejects() -> None:
    """mypy --strict accepts and rejects exactly the lines that tests/typing says."""
    compare(mypy(), expected(0))


def test_pyright_infers_and_rejects(tmp_path: Path) -> None:
    """pyright, strict, accepts and rejects exactly the lines that tests/typing says."""
    compare(pyright(tmp_path), expected(1))
