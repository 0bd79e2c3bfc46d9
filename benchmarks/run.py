"""Measures dynamix, its peers and the floors under them in one run, and writes benchmarks/results/.

    python benchmarks/run.py                        everything, in about ten minutes
    python benchmarks/run.py --only dynamix boto3   contestants whose titles contain one of these words; writes nothing
    python benchmarks/run.py --work get query_1000  some kinds of work; writes nothing
    python benchmarks/run.py --rounds 3             fewer rounds

Each contestant runs in a process and an environment of its own. A round of some work goes round all contestants before
the next round begins, so that a busy minute of the machine falls on all alike. docs/benchmarks.md says how to read the
outcome.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

import report
from environments import CONTESTANTS, DYNAMIX, HERE, Contestant, NotInstalledError, environment, interpreter, version

_STARTS = 7
"""How often each contestant is started to see its import and its first answer."""

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class FailedError(Exception):
    """A contestant could not do its work."""


class Worker:
    """The process of one contestant, which answers one command at a time."""

    def __init__(self, contestant: Contestant, python: str, url: str) -> None:
        self.contestant = contestant
        self.gives = ""
        command = [python, "worker.py", "rounds", contestant.module, url]
        self._process = subprocess.Popen(
            command, cwd=HERE, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def ask(self, command: str, work: str = "") -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"command": command, "work": work}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise FailedError(f"{self.contestant.title} failed; its traceback is above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.communicate()


def clean_environment() -> dict[str, str]:
    """The variables of a contestant's process: keys as in Lambda, and no file or proxy of this machine's user."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "PYTHON"))}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "NO_PROXY": "127.0.0.1"}
    return {**kept, **_CREDENTIALS, **nothing}


def install(contestants: list[Contestant], python: str) -> dict[Contestant, str | None]:
    """The interpreter of each contestant's environment; None for one that cannot be installed."""

    def made(contestant: Contestant) -> str | None:
        if contestant.is_floor:
            return python
        try:
            return environment(contestant.title, contestant.requirements, python)
        except NotInstalledError as error:
            print(error, file=sys.stderr)
            return None

    with ThreadPoolExecutor(2) as executor:
        return dict(zip(contestants, executor.map(made, contestants), strict=True))


@contextmanager
def responder(python: str) -> Iterator[str]:
    """The address of the constant server in DynamoDB's place."""
    inside = environment("responder", ("uvloop",), python)
    with subprocess.Popen([inside, "responder.py"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate()


@contextmanager
def verified_workers(pythons: dict[Contestant, str], url: str) -> Iterator[list[Worker]]:
    """A worker for each contestant, after it has shown that it does all its work rightly."""
    _say("verification")
    with ExitStack() as stack:
        workers = []
        for contestant, python in pythons.items():
            worker = Worker(contestant, python, url)
            stack.callback(worker.close)
            worker.gives = worker.ask("verify")["gives"]
            workers.append(worker)
        yield workers


def measure_work(workers: list[Worker], kinds: list[str], rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Contestant and kind of work -> median seconds of processor and wall clock of one operation."""
    figures: dict[str, dict[str, dict[str, float]]] = {worker.contestant.title: {} for worker in workers}
    for work in kinds:
        _say(report.WORK[work])
        able = [worker for worker in workers if not worker.ask("warm_up", work)["missing"]]
        measured = [[worker.ask("measure", work) for worker in able] for _ in range(rounds)]
        for worker, results in zip(able, zip(*measured, strict=True), strict=True):
            figures[worker.contestant.title][work] = {
                "cpu": median(result["cpu"] for result in results),
                "wall": median(result["wall"] for result in results),
                "least_cpu": min(result["cpu"] for result in results),
            }
    return figures


def measure_starts(pythons: dict[Contestant, str], url: str) -> dict[str, dict[str, float]]:
    """Contestant -> median seconds of its import, and from nothing to the first answer."""
    _say("import and cold start")
    contestants = [contestant for contestant in pythons if not contestant.is_floor]
    results: dict[str, list[dict[str, float]]] = {contestant.title: [] for contestant in contestants}
    for _ in range(_STARTS):
        for contestant in contestants:
            begun = time.perf_counter()
            result = _once(contestant, pythons[contestant], "start", url, contestant.statement)
            result["cold_start_wall"] = result.pop("answered_at") - begun
            results[contestant.title].append(result)
    return {
        title: {name: median(result[name] for result in started) for name in started[0]}
        for title, started in results.items()
    }


def measure_scans(pythons: dict[Contestant, str], url: str) -> dict[str, dict[str, float]]:
    """Contestant -> peak of memory, in MiB, of reading a table of 100,000 items; two at a time, as no time is taken."""
    _say("scan of 100,000 items")
    contestants = [contestant for contestant in pythons if not contestant.is_floor]
    with ThreadPoolExecutor(2) as executor:
        scans = executor.map(lambda contestant: _once(contestant, pythons[contestant], "scan", url), contestants)
        return {contestant.title: scan for contestant, scan in zip(contestants, scans, strict=True)}


def measure_engine(python: str) -> dict[str, float]:
    """Kind of call -> median seconds in the embedded engine."""
    _say("embedded engine")
    done = subprocess.run([python, "engine.py"], cwd=HERE, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _once(contestant: Contestant, python: str, *arguments: str) -> dict[str, float]:
    mode, *rest = arguments
    command = [python, "worker.py", mode, contestant.module, *rest]
    done = subprocess.run(command, cwd=HERE, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise FailedError(f"{contestant.title} failed; its traceback is above")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[0])
    return figures


def machine(python: str) -> dict[str, Any]:
    """What the figures depend on, in words that name no particular machine."""
    command = [python, "-c", "import platform; print(platform.python_implementation(), platform.python_version())"]
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip(),
    }


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORD")
    parser.add_argument("--work", nargs="+", choices=report.WORK)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()

    chosen = [
        contestant
        for contestant in CONTESTANTS
        if not arguments.only or any(word in contestant.title for word in arguments.only)
    ]
    python = interpreter()
    _say("environments")
    installed = install(chosen, python)
    pythons = {contestant: inside for contestant, inside in installed.items() if inside}
    results: dict[str, Any] = {
        "machine": machine(python),
        "rounds": arguments.rounds,
        "versions": {
            contestant.title: None if inside is None else version(inside, contestant.requirements[0])
            for contestant, inside in installed.items()
            if not contestant.is_floor
        },
    }
    with responder(python) as url:
        with verified_workers(pythons, url) as workers:
            results["gives"] = {worker.contestant.title: worker.gives for worker in workers}
            results["work"] = measure_work(workers, arguments.work or list(report.WORK), arguments.rounds)
        if not arguments.work:
            results["start"] = measure_starts(pythons, url)
            results["scan"] = measure_scans(pythons, url)
            if DYNAMIX in pythons:
                results["engine"] = measure_engine(pythons[DYNAMIX])
    if arguments.only or arguments.work:
        print(report.tables(results))
    else:
        report.write(results)


if __name__ == "__main__":
    main()
