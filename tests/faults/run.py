"""Writes through a proxy that hurts requests, and compares what was told of each with what is stored in the end.

A write is made by threads, by tasks, by processes of both, or by threads over a boto3 client whose own repeats are on.
What must hold, whatever happened on the way:

    told to be done               applied, once
    an error, `applied` "no"      not applied
    an error, `applied` "maybe"   applied once, or not
    an error, `applied` "partly"  each item as it says; of a set with additions and deletions, the first at least

As a program this file is the long run. It prints each write of which something else was told, and a summary:

    PYTHONPATH=tests python tests/faults/run.py HOST PORT [--operations 40000] [--seed 1]
    PYTHONPATH=tests python tests/faults/run.py HOST PORT --bank [--operations 20000] [--modes token]

The second one has rounds of the bank (bank.py) in place of the writes, in all modes of `repeat_writes`.
"""

import argparse
import asyncio
import contextlib
import contextvars
import copy
import json
import multiprocessing
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dynamix
from dynamix import Connection, use_connection
from faults.writes import BEFORE, HALF, WRITES, Thing

Address = tuple[str, int]

PATIENCE = 0.25  # seconds until the client gives an answer up
WORKERS = 24
DRIVERS = ("threads", "tasks", "processes", "boto3")
MODES = ("safe", "token", "never")


@dataclass
class Told:
    """What the program that made a write was told of it."""

    key: str
    kind: str
    applied: str
    error: str = ""
    parts: dict[str, list[str]] = field(default_factory=dict)  # of a batch: keys by what is told of them


@dataclass
class Report:
    """The outcome of a run."""

    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # kind, told, how often applied
    lost: list[Told] = field(default_factory=list)
    doubled: list[Told] = field(default_factory=list)
    told_wrongly: list[Told] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Counts another run in."""
        self.faults += other.faults
        self.outcomes += other.outcomes
        self.lost += other.lost
        self.doubled += other.doubled
        self.told_wrongly += other.told_wrongly

    @property
    def unknown(self) -> int:
        """How many writes were told to be perhaps applied."""
        return sum(count for (_, told, _), count in self.outcomes.items() if told == "maybe")

    @property
    def wrong(self) -> list[Told]:
        """Every write of which something else was told than is stored."""
        return [*self.lost, *self.doubled, *self.told_wrongly]


@contextlib.contextmanager
def hurting(server: Address, seed: int, rate: float, faults: Counter[str]) -> Iterator[Address]:
    """A proxy before the server, in a process of its own; at the end `faults` has what it did."""
    command = [sys.executable, str(Path(__file__).parent / "proxy.py"), server[0], str(server[1])]
    options = ["--seed", str(seed), "--rate", str(rate), "--patience", str(PATIENCE)]
    process = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield "127.0.0.1", int(process.stdout.readline())
        faults.update(json.loads(process.communicate()[0]))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def connect(address: Address, prefix: str, mode: Any = "safe") -> Connection:
    """A connection that gives up soon, and waits shortly before a repeat."""
    return Connection(
        is_local_endpoint=address,
        table_prefix=prefix,
        read_timeout=PATIENCE,
        retry_delay=0.002,
        throttle_delay=0.005,
        max_retry_delay=0.02,
        max_connections=WORKERS,
        repeat_writes=mode,
    )


def connect_boto(address: Address, prefix: str, mode: Any = "safe") -> Connection:
    """A connection over a boto3 client with the repeats that it makes where nothing is configured."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://{address[0]}:{address[1]}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(read_timeout=PATIENCE, max_pool_connections=WORKERS),
    )
    return Connection(boto_client=client, table_prefix=prefix, repeat_writes=mode)


def run(
    server: Address,
    prefix: str,
    driver: str,
    operations: int,
    *,
    seed: int,
    rate: float = 0.35,
    mode: str = "safe",
) -> Report:
    """Makes so many writes by one driver and in one mode of `repeat_writes`, and compares."""
    report = Report()
    chance = random.Random(seed)
    plan = [(f"{driver}-{seed}-{number}", chance.choice(list(WRITES))) for number in range(operations)]
    with Connection(is_local_endpoint=server, table_prefix=prefix) as direct:
        with use_connection(direct):
            dynamix.create_table(Thing)
        with hurting(server, seed, rate, report.faults) as proxy:
            told = DRIVE[driver](server, proxy, prefix, plan, mode)
        assert sorted(write.key for write in told) == sorted(key for key, _ in plan)
        with use_connection(direct):
            compare(told, report)
    return report


def prepare(plan: Iterable[tuple[str, str]]) -> dict[str, list[Thing]]:
    """Stores what the writes need; the instances by the key of the write."""
    stored = {
        key: [Thing(key=each, **copy.deepcopy(BEFORE)) for each in WRITES[kind].keys(key)]
        for key, kind in plan
        if WRITES[kind].stored_before
    }
    Thing.batch_write([thing for things in stored.values() for thing in things])
    return stored


def told_of(key: str, kind: str, error: Exception | None) -> Told:
    """What an outcome says."""
    if error is None:
        return Told(key, kind, "yes")
    if not isinstance(error, dynamix.DynamixError):
        raise error
    told = Told(key, kind, error.applied, f"{type(error).__name__}: {error}")
    if WRITES[kind].batch and isinstance(error, dynamix.PartlyAppliedError | dynamix.BatchIncompleteError):
        for name in ("stored", "not_stored", "unknown"):
            parts = getattr(error, name, ())
            told.parts[name] = [part["key"] if isinstance(part, dict) else part.key for part in parts]
    return told


def by_threads(connection: Connection, plan: Sequence[tuple[str, str]], stored: dict[str, list[Thing]]) -> list[Told]:
    """Makes the writes in threads."""
    told: list[Told] = []
    waiting = iter(plan)
    lock = threading.Lock()

    def work() -> None:
        with use_connection(connection):
            while True:
                with lock:
                    key, kind = next(waiting, ("", ""))
                if not key:
                    return
                method, _, arguments = WRITES[kind].call(key, stored.get(key, []))
                error = None
                try:
                    method(**arguments)
                except Exception as failure:
                    error = failure
                told.append(told_of(key, kind, error))

    threads = [threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def by_tasks(connection: Connection, plan: Sequence[tuple[str, str]], stored: dict[str, list[Thing]]) -> list[Told]:
    """Makes the writes in tasks of one event loop."""
    told: list[Told] = []
    waiting = iter(plan)

    async def work() -> None:
        for key, kind in waiting:
            _, method, arguments = WRITES[kind].call(key, stored.get(key, []))
            error = None
            try:
                await method(**arguments)
            except Exception as failure:
                error = failure
            told.append(told_of(key, kind, error))

    async def main() -> None:
        with use_connection(connection):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(WORKERS):
                    tasks.create_task(work())
        await connection.aclose()

    asyncio.run(main())
    return told


WAYS = {"threads": by_threads, "tasks": by_tasks, "boto3": by_threads}


def in_one_process(
    server: Address, proxy: Address, prefix: str, plan: list[tuple[str, str]], mode: str, way: str
) -> list[Told]:
    """Makes the writes in this process."""
    with Connection(is_local_endpoint=server, table_prefix=prefix) as direct, use_connection(direct):
        stored = prepare(plan)
    with (connect_boto if way == "boto3" else connect)(proxy, prefix, mode) as connection:
        return WAYS[way](connection, plan, stored)


def in_processes(server: Address, proxy: Address, prefix: str, plan: list[tuple[str, str]], mode: str) -> list[Told]:
    """Makes the writes in four processes, two with threads and two with tasks."""
    count = 4
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as processes:
        running = [
            processes.submit(in_one_process, server, proxy, prefix, plan[n::count], mode, ("threads", "tasks")[n % 2])
            for n in range(count)
        ]
        return [told for process in running for told in process.result()]


DRIVE: dict[str, Any] = {
    "threads": lambda *given: in_one_process(*given, "threads"),
    "tasks": lambda *given: in_one_process(*given, "tasks"),
    "boto3": lambda *given: in_one_process(*given, "boto3"),
    "processes": in_processes,
}


def compare(told: list[Told], report: Report) -> None:
    """Compares what was told with what is stored."""
    keys = [each for write in told for each in WRITES[write.kind].keys(write.key)]
    found = {thing.key: thing for thing in Thing.batch_get(*({"key": key} for key in keys), consistent=True)}
    for write in told:
        kind = WRITES[write.kind]
        applied = {key: kind.applied(found.get(key)) for key in kind.keys(write.key)}
        judge(write, applied, report)


def judge(write: Told, applied: dict[str, int], report: Report) -> None:
    """Says whether what was told of a write is true; `applied` is how often that of each of its keys was."""
    times = set(applied.values())
    report.outcomes[write.kind, write.applied, str(*times) if len(times) == 1 else "some"] += 1
    match write.applied:
        case "yes" if times != {1}:
            (report.lost if times & {0, HALF} else report.doubled).append(write)
        case "no" if times != {0}:
            report.told_wrongly.append(write)
        case "maybe" if not times <= {0, 1, HALF}:
            report.doubled.append(write)
        case "maybe" if write.parts and (write.parts["stored"] or not parts_hold(write, applied)):
            report.told_wrongly.append(write)
        case "partly" if not (parts_hold(write, applied) if write.parts else times <= {1, HALF}):
            report.told_wrongly.append(write)


def parts_hold(write: Told, applied: dict[str, int]) -> bool:
    """Whether what was told of the parts of a batch is true, and is told of every part."""
    parts = write.parts
    named = sorted(key for keys in parts.values() for key in keys)
    return (
        named == sorted(applied)
        and all(applied[key] == 1 for key in parts["stored"])
        and all(applied[key] == 0 for key in parts["not_stored"])
    )


def main() -> int:
    """The long run; the exit status says whether all that was told is true."""
    parser = argparse.ArgumentParser(description="Compares what writes are told with what is stored, under faults.")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--operations", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.35)
    parser.add_argument("--drivers", nargs="*", default=DRIVERS, choices=DRIVERS)
    parser.add_argument("--modes", nargs="*", choices=MODES, help="by default safe; of the bank all")
    parser.add_argument("--bank", action="store_true")
    given = parser.parse_args()
    return long_bank(given) if given.bank else long_run(given)


def parts(given: argparse.Namespace, modes: Sequence[str]) -> Iterator[tuple[str, str, int, int]]:
    """The runs that a long one is made of: driver, mode, how many operations, and seed."""
    each = min(2000, -(-given.operations // (len(given.drivers) * len(modes))))
    for number in range(-(-given.operations // each)):
        driver = given.drivers[number % len(given.drivers)]
        yield driver, modes[number // len(given.drivers) % len(modes)], each, given.seed + number


def long_run(given: argparse.Namespace) -> int:
    """Single writes, each of an item of its own."""
    report, done = Report(), 0
    for driver, mode, each, seed in parts(given, given.modes or ("safe",)):
        prefix = f"faults-{given.seed}-"
        one = run((given.host, given.port), prefix, driver, each, seed=seed, rate=given.rate, mode=mode)
        for write in one.wrong:
            print(f"{driver}, {mode}, seed {seed}: {write}")
        report.add(one)
        done += each
        print(f"{done} writes, {sum(one.faults.values())} requests by {driver}, {mode}", flush=True)
    print("faults:", json.dumps(dict(report.faults.most_common())))
    for (kind, told, applied), count in sorted(report.outcomes.items()):
        print(f"{kind:32} told {told:7} applied {applied:5} {count:6}")
    print(
        f"{done} writes: {len(report.lost)} lost, {len(report.doubled)} doubled, "
        f"{len(report.told_wrongly)} told wrongly, {report.unknown} told to be unknown"
    )
    return 1 if report.wrong else 0


def long_bank(given: argparse.Namespace) -> int:
    """Rounds of the bank, which meet on the same items."""
    from faults import bank

    report, done = bank.Report(), 0
    for driver, mode, each, seed in parts(given, given.modes or MODES):
        prefix = f"bank-{seed}-"
        one = bank.drive((given.host, given.port), prefix, driver, mode, each, seed=seed, rate=given.rate)
        for wrong in one.wrong:
            print(f"{driver}, {mode}, seed {seed}: {wrong}")
        report.add(one)
        done += each
        requests, unknown = sum(one.faults.values()), sum(one.unknown.values())
        print(f"{done} rounds, {requests} requests by {driver}, {mode}, {unknown} told to be unknown", flush=True)
    print("faults:", json.dumps(dict(report.faults.most_common())))
    for (kind, told, resolved), count in sorted(report.outcomes.items()):
        print(f"{kind:12} told {told:7} {resolved:24} {count:6}")
    unknown = sum(report.unknown.values())
    print(f"{done} rounds: {len(report.wrong)} wrong, {unknown} told to be unknown, of which {dict(report.unknown)}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
