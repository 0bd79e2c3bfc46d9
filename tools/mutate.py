"""Small faults put into the code, one at a time, to see which of them no test notices.

    python tools/mutate.py [--each 50] [--seed 1] [--work FOLDER] [PATH ...]

A copy of the tree is made in the work folder; nothing is changed in the tree itself. There the suite runs once, and
notes which test reaches which line and how long it takes. Then faults are drawn, `--each` of them for each PATH under
src/dynamix. With each fault the tests that reach its line are run, the quickest first, until one fails. A fault that
the quick ones let pass is given all of them. What is left is printed: each such fault is a missing test, or a change
that changes nothing. With the same folder a later run goes on where this one ended; two runs with one seed draw the
same faults. DynamoDB Local is left out: it would be started for each fault.
"""

import argparse
import ast
import contextlib
import copy
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import coverage

ROOT = Path(__file__).parent.parent
PATHS = ("operations", "updates", "transport", "engine")
LEFT_OUT = (
    "tests/engine/test_differential.py",
    "tests/test_dynamodb_local.py",
    "tests/test_typing.py",
    "tests/test_docs.py",
)
QUICK_SECONDS = 20.0
LIMIT_SECONDS = 240.0
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Break: ast.Continue, ast.Continue: ast.Break,
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One change of one file: what stands at the offsets is replaced. What stands outside of functions runs but once,
    when its module is imported."""

    path: Path
    in_function: bool
    line: int
    statement: int
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        where = str(self.path).rpartition("/dynamix/")[2]
        return f"{where}:{self.line}: {' '.join(self.old.split())}  ->  {' '.join(self.new.split())}"

    def put_into(self, source: bytes) -> bytes:
        """The file with the fault."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one small fault, in each way that is known for its kind."""
    match node:
        case ast.Compare(ops=ops):
            for number, operator in enumerate(ops):
                other = copy.deepcopy(node)
                other.ops[number] = SWAPPED[type(operator)]()
                yield other
        case ast.BoolOp(op=operator) | ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in SWAPPED:
            other = copy.deepcopy(node)
            other.op = SWAPPED[type(operator)]()
            yield other
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case ast.Break() | ast.Continue():
            yield SWAPPED[type(node)]()


def faults(path: Path) -> Iterator[Fault]:
    """Every fault that a file can be given."""
    source = path.read_bytes()
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    for statement, in_function, node in _running(ast.parse(source), 0, False):
        for other in changed(node):
            start = begins[node.lineno - 1] + node.col_offset
            end = begins[node.end_lineno - 1] + node.end_col_offset
            new = ast.unparse(other)
            if isinstance(node, ast.expr):
                new = f"({new})"
            fault = Fault(path, in_function, node.lineno, statement, start, end, source[start:end].decode(), new)
            with contextlib.suppress(SyntaxError):
                ast.parse(fault.put_into(source))
                yield fault


def _running(node: ast.AST, statement: int, in_function: bool) -> Iterator[tuple[int, bool, ast.AST]]:
    """The nodes that work, with the line of their statement and whether that is a function's: no annotations,
    decorators, options of classes, and no parts of texts with values."""
    if isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.stmt):
        statement = node.lineno
    yield statement, in_function, node
    in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    idle = {"annotation", "returns", "decorator_list"} | ({"keywords"} if isinstance(node, ast.ClassDef) else set())
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in idle:
                yield from _running(child, statement, in_function)


def copied(work: Path) -> Path:
    """The tree as it stands, without what is ignored, in the work folder."""
    tree = work / "tree"
    if not tree.exists():
        listed = subprocess.run(
            ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
    return tree


def pytest(tree: Path, arguments: list[str], limit: float | None = None) -> int | None:
    """Runs pytest on the copy; its exit status, or None where it did not end within the limit in seconds."""
    settings = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "HYPOTHESIS_PROFILE": "repeatable",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    with (tree.parent / "pytest.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tree, env=settings, start_new_session=True, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def observed(tree: Path, work: Path) -> tuple[dict[str, dict[int, set[str]]], dict[str, float]]:
    """The tests that reach each line of each file, and how many seconds each test takes."""
    report, data = work / "times.xml", work / "coverage"
    if not data.exists():
        left_out = [f"--ignore={name}" for name in LEFT_OUT]
        options = [
            "-k",
            "not (dynamodb and local)",
            "--cov",
            "--cov-context=test",
            "--cov-report=",
            f"--junitxml={report}",
        ]
        status = pytest(tree, ["-o", "junit_family=xunit1", "--cov-fail-under=0", *options, *left_out])
        if status != 0:
            sys.exit(f"the suite does not pass without a fault, see {tree.parent / 'pytest.log'}")
        shutil.move(tree / ".coverage", data)
    seconds = {}
    for case in ElementTree.parse(report).iter("testcase"):
        seconds[f"{case.get('file')}::{case.get('name')}"] = float(case.get("time") or 0)
    reached: dict[str, dict[int, set[str]]] = {}
    noted = coverage.CoverageData(str(data))
    noted.read()
    for name in noted.measured_files():
        lines = noted.contexts_by_lineno(name)
        reached[name] = {
            line: {context.rpartition("|")[0] for context in contexts} & seconds.keys()
            for line, contexts in lines.items()
        }
    return reached, seconds


def reaching(fault: Fault, reached: dict[str, dict[int, set[str]]]) -> set[str]:
    """The tests that reach a fault; of one that works when its module is imported, those that reach its folder.

    What a generator does after an error was thrown into it is not noted; there the lines before it speak for it.
    """
    if not fault.in_function:
        beside = (lines for name, lines in reached.items() if Path(name).parent == fault.path.parent)
        return set().union(*(tests for lines in beside for tests in lines.values()))
    lines = reached.get(str(fault.path), {})
    noted = [line for line in sorted(lines, reverse=True) if line <= fault.line]
    if noted and noted[0] < fault.statement:
        noted = [line for line in noted if lines[line]]
    return (lines[noted[0]] if noted else set()) or set().union(*lines.values())


def tried(tree: Path, work: Path, fault: Fault, tests: list[str], limit: float) -> str:
    """What became of a fault: "noticed", "too slow", or "survived"."""
    source, chosen = fault.path.read_bytes(), work / "tests.txt"
    chosen.write_text("\n".join(tests))
    try:
        fault.path.write_bytes(fault.put_into(source))
        status = pytest(tree, ["-x", "--timeout=60", f"@{chosen}"], limit)
    finally:
        fault.path.write_bytes(source)
    return "too slow" if status is None else "survived" if status == 0 else "noticed"


def judged(tree: Path, work: Path, fault: Fault, tests: list[str], seconds: dict[str, float]) -> str:
    """The same, by the quick tests first and then by all of them."""
    if not tests:
        return "reached by no test"
    spent = [sum(seconds[test] for test in tests[: number + 1]) for number in range(len(tests))]
    quick = [test for test, all_ in zip(tests, spent, strict=True) if all_ < QUICK_SECONDS] or tests[:1]
    verdict = tried(tree, work, fault, quick, LIMIT_SECONDS)
    if verdict == "survived" and len(quick) < len(tests):
        verdict = tried(tree, work, fault, tests[len(quick) :], LIMIT_SECONDS + 10 * spent[-1])
    return verdict


def main() -> None:
    """Tries the faults that the arguments ask for."""
    parser = argparse.ArgumentParser(
        description="Put small faults into the code, and see which of them no test notices."
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", default=PATHS, help="files or folders under src/dynamix")
    parser.add_argument("--each", type=int, default=50, help="how many faults for each path")
    parser.add_argument("--seed", type=int, default=1, help="draws other faults")
    parser.add_argument("--work", type=Path, help="a folder to keep the copy, what was observed, and the verdicts in")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the fault is taken out of the copy again
    work = (options.work or Path(tempfile.mkdtemp(prefix="dynamix-mutate-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    tree, verdicts = copied(work), work / "verdicts.jsonl"
    reached, seconds = observed(tree, work)
    done = [json.loads(line) for line in verdicts.read_text().splitlines()] if verdicts.exists() else []
    known = {entry["fault"] for entry in done}
    for path in options.paths:
        place = tree / "src" / "dynamix" / path
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        every = [fault for file in files for fault in faults(file)]
        for fault in random.Random(options.seed).sample(every, min(options.each, len(every))):
            if str(fault) in known:
                continue
            tests = reaching(fault, reached)
            verdict = judged(tree, work, fault, sorted(tests, key=seconds.__getitem__), seconds)
            done.append({"fault": str(fault), "verdict": verdict, "tests": len(tests)})
            with verdicts.open("a") as file:
                file.write(json.dumps(done[-1]) + "\n")
            print(f"{len(done)} {verdict}: {fault}", flush=True)
    for entry in done:
        if entry["verdict"] in ("survived", "reached by no test"):
            print(f"{entry['verdict']} ({entry['tests']} tests): {entry['fault']}")
    counts = {
        verdict: sum(entry["verdict"] == verdict for entry in done)
        for verdict in dict.fromkeys(e["verdict"] for e in done)
    }
    print(
        f"{len(done)} faults: {', '.join(f'{number} {verdict}' for verdict, number in counts.items())}; kept in {work}"
    )


if __name__ == "__main__":
    main()
