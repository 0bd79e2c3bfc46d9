"""Measures `dynamix serve` and its peers under load in one run, and writes benchmarks/results/servers.md and .json.

    python benchmarks/servers.py                      everything, in about twenty minutes
    python benchmarks/servers.py --only dynamix moto  servers whose titles contain one of these words; writes nothing
    python benchmarks/servers.py --work get scan      some kinds of work; writes nothing
    python benchmarks/servers.py --seconds 0.4 --rounds 1 --starts 1 --print

All servers run at the same time, and are asked in turns, so that what else the machine does meets all of them. One
process asks, with requests that were made beforehand; each connection sends its next one when it has the answer to the
last. docs/benchmarks.md says how to read the outcome.
"""

import argparse
import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

from emulators import EMULATORS, Emulator, Program, Served, closes, whole
from environments import HERE, NotInstalledError, interpreter
from load import TABLE, item, request
from run import machine

Body = dict[str, Any]

PARTITIONS, QUERIED, SCANNED = 4, 100, 1000
_OWN = 4
"""How many keys each connection has for itself: writes that meet would be refused by some and not by others."""


def _keyed(number: int) -> Body:
    return {"pk": {"S": f"own{number}"}, "sk": {"S": "0"}}


def _transaction(number: int) -> Body:
    items = [{**_keyed(4 * number + place), "text": {"S": "x" * 200}} for place in range(3)]
    check = {
        "TableName": "load",
        "Key": {"pk": {"S": f"p{number % PARTITIONS}"}, "sk": {"S": f"{number % QUERIED:04}"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
    puts = [{"Put": {"TableName": "load", "Item": each}} for each in items]
    return {"TransactItems": [*puts, {"ConditionCheck": check}]}


WORK: dict[str, tuple[str, str, Callable[[int], Body]]] = {
    "get": (
        "GetItem",
        "GetItem",
        lambda number: {
            "TableName": "load",
            "Key": {"pk": {"S": f"p{number % PARTITIONS}"}, "sk": {"S": f"{number % QUERIED:04}"}},
        },
    ),
    "put": ("PutItem", "PutItem", lambda number: {"TableName": "load", "Item": item(f"own{number}", "0")}),
    "update": (
        "UpdateItem",
        "UpdateItem",
        lambda number: {
            "TableName": "load",
            "Key": _keyed(number),
            "UpdateExpression": "SET #t = :t ADD #n :n",
            "ExpressionAttributeNames": {"#t": "text", "#n": "number"},
            "ExpressionAttributeValues": {":t": {"S": "y" * 200}, ":n": {"N": "1"}},
        },
    ),
    "query": (
        "Query of 100",
        "Query",
        lambda number: {
            "TableName": "load",
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": f"p{number % PARTITIONS}"}},
        },
    ),
    "scan": (
        "filtered Scan of 1,000",
        "Scan",
        lambda number: {
            "TableName": "scanned",
            "FilterExpression": "#n = :n AND begins_with(sk, :s)",
            "ExpressionAttributeNames": {"#n": "number"},
            "ExpressionAttributeValues": {":n": {"N": "12"}, ":s": {"S": "000"}},
        },
    ),
    "transaction": ("transaction of 4", "TransactWriteItems", _transaction),
}
"""Kind of work -> its name in the tables, the operation, and the request for a number."""

_SHOWN = {"get": ("Item", 5), "query": ("Items", QUERIED), "scan": ("Items", 10)}
"""What an answer holds, and how much of it: looked at once before anything is timed."""


def fill(served: Served) -> None:
    """Make the tables and store what is read."""
    for name in ("load", "scanned"):
        status, body = served.ask("CreateTable", {**TABLE, "TableName": name})
        assert status == 200, (served.title, body)
        while b'"ACTIVE"' not in served.ask("DescribeTable", {"TableName": name})[1]:
            time.sleep(0.01)
    stored = [("load", f"p{number}", f"{place:04}") for number in range(PARTITIONS) for place in range(QUERIED)]
    stored += [("scanned", f"s{place}", f"{place:04}") for place in range(SCANNED)]
    for table in ("load", "scanned"):
        puts = [{"PutRequest": {"Item": item(pk, sk)}} for name, pk, sk in stored if name == table]
        for first in range(0, len(puts), 25):
            status, body = served.ask("BatchWriteItem", {"RequestItems": {table: puts[first : first + 25]}})
            assert status == 200, (served.title, body)


def refusal(served: Served, kind: str) -> str:
    """What keeps a server from doing some work rightly; nothing where it does it."""
    _, operation, make = WORK[kind]
    status, body = served.ask(operation, make(0))
    if status != 200:
        return f"{served.title} does not do {operation}: {status} {body[:200].decode(errors='replace')}"
    if kind in _SHOWN:
        member, count = _SHOWN[kind]
        found = len(json.loads(body)[member])
        if found != count:
            return f"{served.title} answers {operation} with {found} in place of {count}"
    return ""


def told(served: Served, kind: str) -> bool:
    """Whether a server does some work; if not, that is said."""
    why = refusal(served, kind)
    if why:
        _say(why)
    return not why


def drive(served: Served, asked: list[list[bytes]], seconds: float) -> tuple[int, float]:
    """Ask over as many connections as there are lists of requests; how many answers came, and in how many seconds.

    Raises ValueError for an answer other than 200.
    """
    poll = select.epoll()
    waiting: dict[int, list[Any]] = {}
    for requests in asked:
        _send(served, poll, waiting, served.connect(), requests, 0)
    begun = time.perf_counter()
    count = 0
    while waiting:
        for descriptor, _ in poll.poll(60):
            entry = waiting[descriptor]
            client, requests, turn, received = entry
            part = client.recv(1 << 18)
            received += part
            answer = whole(received)
            if answer is None:
                if not part:
                    raise ValueError(f"{served.title} has ended a connection")
                entry[3] = received
                continue
            if answer[0] != 200:
                raise ValueError(f"{served.title} answers {answer[0]}: {answer[1][:300]!r}")
            count += 1
            del waiting[descriptor]
            poll.unregister(descriptor)
            if time.perf_counter() - begun >= seconds:
                client.close()
                continue
            if closes(received):
                client.close()
                client = served.connect()
            _send(served, poll, waiting, client, requests, turn + 1)
    poll.close()
    return count, time.perf_counter() - begun


def _send(
    served: Served,
    poll: select.epoll,
    waiting: dict[int, list[Any]],
    client: socket.socket,
    requests: list[bytes],
    turn: int,
) -> None:
    client.sendall(requests[turn % len(requests)])
    poll.register(client.fileno(), select.EPOLLIN)
    waiting[client.fileno()] = [client, requests, turn, b""]


def rate(served: Served, kind: str, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second, and seconds of the server's processor for each."""
    _, operation, make = WORK[kind]
    asked = [
        [request(operation, make(_OWN * connection + place)) for place in range(_OWN)]
        for connection in range(connections)
    ]
    drive(served, asked, seconds / 3)
    before = served.cpu()
    count, taken = drive(served, asked, seconds)
    return {"rate": count / taken, "cpu": (served.cpu() - before) / count}


def measure(servers: list[Served], options: argparse.Namespace) -> dict[str, Any]:
    """Title -> kind of work -> connections -> medians."""
    figures: dict[str, Any] = {served.title: {} for served in servers}
    for kind in options.work:
        able = [served for served in servers if told(served, kind)]
        for connections in options.connections:
            _say(f"{WORK[kind][0]}, {connections} connections")
            measured: dict[str, list[dict[str, float]]] = {served.title: [] for served in able}
            for _ in range(options.rounds):
                for served in able:
                    try:
                        measured[served.title].append(rate(served, kind, connections, options.seconds))
                    except (OSError, ValueError) as error:
                        _say(str(error))
            for title, results in measured.items():
                if results:
                    medians = {name: median(result[name] for result in results) for name in ("rate", "cpu")}
                    figures[title].setdefault(kind, {})[str(connections)] = medians
    return figures


def start(emulator: Emulator, program: Program, starts: int) -> tuple[Served, dict[str, float]]:
    """A server that runs, and what its start took."""
    taken = []
    for _ in range(starts - 1):
        served = Served(emulator.title, program)
        taken.append(served.start_seconds)
        served.end()
    served = Served(emulator.title, program)
    return served, {"start": median([*taken, served.start_seconds]), "idle_mib": served.memory()}


def tables(results: dict[str, Any]) -> str:
    """All figures in Markdown."""
    machine_ = results["machine"]
    parts = [
        f"# Servers\n\nMeasured on {machine_['cores']} cores of {machine_['processor']}, {machine_['system']}, "
        f"{machine_['python']}; medians of {results['rounds']} rounds of {results['seconds']:g} s. "
        "[What they mean](../../docs/benchmarks.md#servers)."
    ]
    kinds = results["work"]
    for connections in results["connections"]:
        for name, title in (("rate", "Requests a second"), ("cpu", "Processor time of the server for a request")):
            rows = [
                [server, *(_cell(figures.get(kind, {}).get(str(connections)), name) for kind in kinds)]
                for server, figures in results["figures"].items()
            ]
            head = ["", *(WORK[kind][0] for kind in kinds)]
            parts.append(f"## {title}, {connections} connection{'s' * (connections > 1)}\n\n{_table(head, rows)}")
    rows = [
        [title, f"{figures['start']:.2f} s", f"{figures['idle_mib']:.0f} MiB", f"{figures['after_mib']:.0f} MiB"]
        for title, figures in results["starts"].items()
    ]
    head = ["", "start to first answer", "memory at first", "memory after the run"]
    parts.append(f"## Start and memory\n\n{_table(head, rows)}")
    rows = [[title, version or "cannot be installed here"] for title, version in results["versions"].items()]
    parts.append(f"## Versions\n\n{_table(['', 'version'], rows)}")
    return "\n\n".join(parts) + "\n"


def _cell(figure: dict[str, float] | None, name: str) -> str:
    if figure is None:
        return "–"
    return f"{figure['rate']:,.0f}" if name == "rate" else f"{figure['cpu'] * 1e6:,.0f} µs"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="WORD")
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--print", action="store_true", help="print the tables and write nothing")
    return parser.parse_args()


def main() -> None:
    options = _options()
    python = interpreter()
    chosen = [each for each in EMULATORS if not options.only or any(word in each.title for word in options.only)]
    servers: list[Served] = []
    results: dict[str, Any] = {
        "machine": machine(python),
        "load": os.getloadavg(),
        **{name: getattr(options, name) for name in ("rounds", "seconds", "connections", "work")},
        "versions": {},
        "starts": {},
    }
    with ExitStack() as stack:
        for emulator in chosen:
            _say(f"start of {emulator.title}")
            results["versions"][emulator.title] = None
            try:
                program = emulator.install(python)
                served, started = start(emulator, program, options.starts)
            except NotInstalledError as error:
                _say(str(error))
                continue
            stack.callback(served.end)
            servers.append(served)
            results["versions"][emulator.title] = program.version
            results["starts"][emulator.title] = started
            fill(served)
        results["figures"] = measure(servers, options)
        for served in servers:
            results["starts"][served.title]["after_mib"] = served.memory()
    whole_run = not options.only and options.work == list(WORK) and not options.print
    if whole_run:
        (HERE / "results" / "servers.json").write_text(json.dumps(results, indent=1) + "\n")
        (HERE / "results" / "servers.md").write_text(tables(results))
    print(tables(results))


if __name__ == "__main__":
    main()
