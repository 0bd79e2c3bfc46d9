"""README and docs are programs: every Python block in them runs, and prints what the page says it prints.

The blocks of one page run in order as one program. A ```text block right after a Python block is what that block
prints. Blocks in other languages (console, toml) are not run.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"  # printed before each block, so that what a block prints can be told


def blocks(text: str) -> list[tuple[int, str, str | None]]:
    """Each Python block of a page: the line of its fence, its code, and what it should print where that is said."""
    found: list[tuple[int, str, str | None]] = []
    end_of_last = -1
    for match in FENCE.finditer(text):
        language, content = match.groups()
        if language == "python":
            found.append((text.count("\n", 0, match.start()), content, None))
            end_of_last = match.end()
        elif language == "text" and end_of_last >= 0 and not text[end_of_last : match.start()].strip():
            line, code, _ = found.pop()
            found.append((line, code, content))
            end_of_last = -1
    return found


def program(text: str) -> str:
    """The page as one program in which each line of code has the line number that it has on the page."""
    lines = [""] * (text.count("\n") + 1)
    for start, code, _ in blocks(text):
        lines[start] = f'print({MARK!r}, end="", flush=True)'
        lines[start + 1 : start + 1 + code.count("\n")] = code.splitlines()
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_runs(page: Path, tmp_path: Path) -> None:
    """Every Python block of the page runs without an error or a warning and prints what the page says."""
    text = page.read_text()
    script = tmp_path / "page.py"
    script.write_text(program(text))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(MARK)[1:]
    for (line, _, expected), actual in zip(blocks(text), printed, strict=True):
        if expected is not None:
            assert actual == expected, f"{page.name}, the block at line {line + 1}"


def test_the_example_runs(tmp_path: Path) -> None:
    """examples/forum.py, which `make demo` runs, ends without an error or a warning and shows each step."""
    example = ROOT / "examples" / "forum.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    steps = re.findall(r'step\("(.*)"\)', example.read_text())
    assert [line for line in done.stdout.splitlines() if line in steps] == steps


def test_blocks_keep_their_lines() -> None:
    """Code keeps its line numbers, text after code is its output, and other languages are left out."""
    text = "# Page\n\n```python\nx = 1\nprint(x)\n```\n\n```text\n1\n```\n\n```console\nmake\n```\n\n```text\nno\n```\n"
    assert blocks(text) == [(2, "x = 1\nprint(x)\n", "1\n")]
    assert program(text).splitlines()[3:5] == ["x = 1", "print(x)"]
