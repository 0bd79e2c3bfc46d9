"""Measures a scan of 100,000 items in 4 segments against a scan as a whole, here and with the peers that have both.

    python benchmarks/segments.py                  some minutes; prints a table
    python benchmarks/segments.py --only dynamix

The server is `dynamix serve` in a process of its own, asked at once and once more with answers that each take 20 ms
longer, as a service that is not on this machine would. Each contestant runs in a process of its own, in turns; the
figures are the fastest of all rounds, wall clock.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import sample
from emulators import Program, Served
from environments import DYNAMIX, HERE, PEERS, NotInstalledError, environment, interpreter
from run import clean_environment

SEGMENTS = 4
PARTITIONS = 1000
_DELAY_SECONDS = 0.02


def ask_dynamix(url: str) -> dict[str, Callable[[], int]]:
    """The ways in which dynamix reads all items; each gives their number."""
    import asyncio

    from contestants import dynamix_model as contestant

    contestant.connect(url)
    post = contestant.Post

    async def in_tasks() -> int:
        return len([None async for _ in post.scan(segments=SEGMENTS)])

    return {
        "whole": contestant.scan,
        "segments": lambda: sum(1 for _ in post.scan(segments=SEGMENTS)),
        "segments, asyncio": lambda: asyncio.run(in_tasks()),
        "segments, 2 processes": lambda: _in_processes(url, post.scan().split(SEGMENTS)),
    }


def _in_processes(url: str, segments: list[Any]) -> int:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2, initializer=_connect, initargs=(url,)) as executor:
        return sum(executor.map(_count, segments))


def _connect(url: str) -> None:
    from contestants import dynamix_model

    dynamix_model.connect(url)


def _count(segment: Any) -> int:
    return sum(1 for _ in segment)


def ask_pydynox(url: str) -> dict[str, Callable[[], int]]:
    from contestants import pydynox_model as contestant

    contestant.connect(url)
    return {
        "whole": contestant.scan,
        "segments": lambda: len(contestant.Post.sync_parallel_scan(SEGMENTS)[0]),
    }


CONTESTANTS = {"dynamix": ask_dynamix, "pydynox": ask_pydynox}


def measure(name: str, url: str, rounds: int) -> dict[str, float]:
    """Way of reading -> seconds."""
    ways = CONTESTANTS[name](url)
    seconds: dict[str, float] = {}
    for _ in range(rounds):
        for way, read in ways.items():
            begun = time.perf_counter()
            count = read()
            taken = time.perf_counter() - begun
            assert count == sample.SCAN_COUNT, f"{name}, {way}: {count} items"
            seconds[way] = min(taken, seconds.get(way, taken))
    return seconds


def fill(url: str) -> None:
    """The table, with its items in many partitions, so that segments are alike."""
    from contestants import dynamix_model as contestant

    import dynamix

    contestant.connect(url)
    dynamix.create_table(contestant.Post)
    each = sample.SCAN_COUNT // PARTITIONS
    contestant.Post.batch_write(
        contestant.Post(**sample.post(number, f"forum-{number // each}")) for number in range(sample.SCAN_COUNT)
    )


def _run(python: str, *arguments: str) -> Any:
    command = [python, "segments.py", *arguments]
    done = subprocess.run(command, cwd=HERE, env=clean_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout or "null")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ask", nargs=2, metavar=("NAME", "URL"), help=argparse.SUPPRESS)
    parser.add_argument("--fill", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        return fill(arguments.fill)
    if arguments.ask:
        print(json.dumps(measure(*arguments.ask, arguments.rounds)))
        return None

    python = interpreter()
    inside = environment(DYNAMIX.title, DYNAMIX.requirements, python)
    pythons = {"dynamix": inside} if "dynamix" in arguments.only else {}
    for peer in PEERS:
        if peer.title in arguments.only:
            try:
                pythons[peer.title] = environment(peer.title, peer.requirements, python)
            except NotInstalledError as error:
                print(f"{peer.title}: {error}", file=sys.stderr)
    command = [inside, "-m", "dynamix", "serve", "--control", "--port"]
    with closing(Ended(Served("dynamix", Program(lambda port: [*command, str(port)], "")))) as server:
        _run(inside, "--fill", server.url)
        for delay in (0.0, _DELAY_SECONDS):
            if delay:
                server.delay(delay)
            print(f"\nanswers that take {delay * 1000:.0f} ms longer\n" if delay else "\nanswers at once\n")
            for name, own in pythons.items():
                seconds = _run(own, "--rounds", str(arguments.rounds), "--ask", name, server.url)
                for way, taken in seconds.items():
                    ratio = taken / seconds["whole"]
                    print(f"{name:<10} {way:<22} {taken:6.2f} s   {ratio:.2f} of the whole", flush=True)
    return None


class Ended:
    """A server that is ended by `close`."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.url = "http://{}:{}".format(*served.address)
        self.close = served.end

    def delay(self, seconds: float) -> None:
        """Has each answer to a Scan take so much longer from now on."""
        delay = {"kind": "delay", "operation": "Scan", "times": None, "seconds": seconds}
        body = json.dumps({"faults": [delay]}).encode()
        request = urllib.request.Request(f"{self.url}/_control/faults", body, method="POST")
        with urllib.request.urlopen(request) as answer:
            answer.read()


if __name__ == "__main__":
    main()
