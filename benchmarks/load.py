"""`dynamix serve` under load: requests a second by connections, and what GetItem waits while something long runs.

Two or more versions of the sources are measured in turns, so that what else the machine does meets all of them:

    python benchmarks/load.py src ../other/src
    python benchmarks/load.py src ../other/src --stalls

One process asks, over sockets of its own and with requests that were made beforehand; each connection sends its next
request when it has the answer to the last. Beside the rate stands what the server's process used of the CPU for a
request, which other work on the machine disturbs less.
"""

import argparse
import contextlib
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TABLE = {
    "TableName": "load",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
}
OPERATIONS = ("GetItem", "PutItem", "Query")
VARIANTS = 64
TICKS = os.sysconf("SC_CLK_TCK")


def item(partition: str, sort: str, size: int = 200) -> dict[str, dict[str, str]]:
    return {
        "pk": {"S": partition},
        "sk": {"S": sort},
        "text": {"S": "x" * size},
        "number": {"N": "12"},
        "group": {"S": partition[-2:]},
    }


def request(operation: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: DynamoDB_20120810.{operation}\r\nX-Amz-Date: 20260101T000000Z\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, "
        f"Signature={'0' * 64}\r\nUser-Agent: load\r\nAccept-Encoding: identity\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def requests(operation: str, table: str = "load") -> list[bytes]:
    """Requests of one kind, with different keys."""
    if operation == "GetItem":
        bodies = [{"Key": {"pk": {"S": "p1"}, "sk": {"S": f"{n:04}"}}} for n in range(VARIANTS)]
    elif operation == "PutItem":
        bodies = [{"Item": item(f"w{n}", "0")} for n in range(VARIANTS)]
    else:
        bodies = [
            {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": f"p{n % 4}"}}}
            for n in range(VARIANTS)
        ]
    return [request(operation, {"TableName": table, **body}) for body in bodies]


class Served:
    """A server in a process of its own, with some items."""

    def __init__(self, source: str, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dynamix", "serve", "--port", "0", *arguments],
            env={**os.environ, "PYTHONPATH": os.path.abspath(source)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        host, _, port = self.process.stdout.readline().strip().rpartition("//")[2].rpartition(":")
        self.address = host, int(port)
        self.ask("CreateTable", TABLE)

    def connect(self) -> socket.socket:
        connection = socket.create_connection(self.address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, operation: str, body: object) -> bytes:
        with self.connect() as connection:
            connection.sendall(request(operation, body))
            answer = b""
            while not whole(answer):
                answer += connection.recv(1 << 20)
            assert answer.startswith(b"HTTP/1.1 200 "), (operation, answer[:600])
            return answer

    def fill(self, partition: str, count: int, size: int = 200, table: str = "load") -> None:
        for first in range(0, count, 25):
            puts = [
                {"PutRequest": {"Item": item(partition if count == 100 else f"{partition}{n}", f"{n:04}", size)}}
                for n in range(first, min(first + 25, count))
            ]
            self.ask("BatchWriteItem", {"RequestItems": {table: puts}})

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> int:
        """Resident, in MiB."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096 >> 20

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


def whole(answer: bytes) -> bool:
    """Whether an answer has all its bytes."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    at = head.find(b"Content-Length: ")
    return bool(blank) and len(body) >= int(head[at + 16 : head.find(b"\r\n", at)])


def drive(
    served: Served,
    asked: list[bytes],
    connections: int,
    ended: threading.Event,
    begin: Callable[[], None] | None = None,
) -> list[float]:
    """Asks until `ended`; the seconds that each request took, from `begin` on, when each connection has an answer."""
    poll = select.epoll()
    state: dict[int, list[object]] = {}
    clients = [served.connect() for _ in range(connections)]
    taken: list[float] = []
    clock = time.perf_counter
    for client in clients:
        client.sendall(asked[0])
        answer = b""
        while not whole(answer):
            answer += client.recv(262144)
    if begin is not None:
        begin()
    for number, client in enumerate(clients):
        poll.register(client.fileno(), select.EPOLLIN)
        client.sendall(asked[number % VARIANTS])
        state[client.fileno()] = [client, number, clock(), b""]
    waiting = connections
    while waiting:
        for descriptor, _ in poll.poll(1):
            entry = state[descriptor]
            client, number, begun, before = entry
            data = client.recv(262144)  # type: ignore[attr-defined]
            answer = before + data if before else data  # type: ignore[operator]
            if not whole(answer):
                entry[3] = answer
                continue
            assert answer.startswith(b"HTTP/1.1 200 "), answer[:600]
            now = clock()
            taken.append(now - begun)  # type: ignore[operator]
            if ended.is_set():
                waiting -= 1
                continue
            entry[1] = number + 1  # type: ignore[operator]
            entry[2], entry[3] = now, b""
            client.sendall(asked[entry[1] % VARIANTS])  # type: ignore[attr-defined, operator]
    for client in clients:
        client.close()
    poll.close()
    return taken


def rate(served: Served, operation: str, connections: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's CPU for each."""
    ended = threading.Event()
    timer = threading.Timer(seconds, ended.set)
    before: list[float] = []

    def begin() -> None:
        before.extend((served.cpu(), time.perf_counter()))
        timer.start()

    taken = drive(served, requests(operation), connections, ended, begin)
    cpu, begun = before
    return len(taken) / (time.perf_counter() - begun), (served.cpu() - cpu) / len(taken) * 1e6


@contextlib.contextmanager
def places() -> Iterator[dict[str, list[str]]]:
    with tempfile.TemporaryDirectory() as directory:
        yield {"memory": [], "file": ["--db", directory]}


def started(source: str, arguments: list[str], number: int) -> Served:
    own = [f"{each}/{number}-{time.monotonic_ns()}.db" if each.startswith("/") else each for each in arguments]
    return Served(source, own)


def rates(options: argparse.Namespace) -> None:
    with places() as found:
        for place in options.places:
            servers = [started(source, found[place], number) for number, source in enumerate(options.sources)]
            for served in servers:
                for partition in range(4):
                    served.fill(f"p{partition}", 100)
            for operation in options.operations:
                for connections in options.connections:
                    measured: list[list[tuple[float, float]]] = [[] for _ in servers]
                    for _ in range(options.rounds):
                        for served, results in zip(servers, measured, strict=True):
                            results.append(rate(served, operation, connections, options.seconds))
                    told = [
                        (statistics.median(r for r, _ in results), statistics.median(c for _, c in results))
                        for results in measured
                    ]
                    print(
                        f"{place:6} {operation:8} {connections:4}: "
                        + "   ".join(f"{r:7.0f}/s {c:5.0f} us" for r, c in told)
                        + f"   {told[0][0] / told[-1][0]:.2f} times",
                        flush=True,
                    )
            for served in servers:
                served.end()


INDEX = {
    "TableName": "load",
    "AttributeDefinitions": [{"AttributeName": "group", "AttributeType": "S"}],
    "GlobalSecondaryIndexUpdates": [
        {
            "Create": {
                "IndexName": "index",
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        }
    ],
}
DIMENSIONS = 256
LARGE = [{"pk": {"S": f"big{n}"}, "sk": {"S": f"{n:04}"}} for n in range(40)]
LONG: dict[str, tuple[str, dict[str, object]]] = {
    "BatchGetItem of 16 MB": ("BatchGetItem", {"RequestItems": {"load": {"Keys": LARGE}}}),
    "Scan with a filter": (
        "Scan",
        {
            "TableName": "load",
            "FilterExpression": "contains(#t, :x)",
            "ExpressionAttributeNames": {"#t": "text"},
            "ExpressionAttributeValues": {":x": {"S": "q"}},
        },
    ),
    "Scan": ("Scan", {"TableName": "load"}),
    "BatchWriteItem of 9.7 MB": (
        "BatchWriteItem",
        {"RequestItems": {"load": [{"PutRequest": {"Item": item(f"v{n}", "0", 390_000)}} for n in range(25)]}},
    ),
    "TransactWriteItems of 10 large": (
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "load", "Item": item(f"v{n}", "0", 390_000)}} for n in range(10)]},
    ),
    "an index over 60,000 items": ("UpdateTable", INDEX),
    "CreateBackup": ("CreateBackup", {"TableName": "load", "BackupName": "kept"}),
    "RestoreTableFromBackup": ("RestoreTableFromBackup", {"TargetTableName": "restored"}),
    "RestoreTableToPointInTime": (
        "RestoreTableToPointInTime",
        {"SourceTableName": "load", "TargetTableName": "again", "UseLatestRestorableTime": True},
    ),
    "ExportTableToPointInTime": ("ExportTableToPointInTime", {"S3Bucket": "bucket"}),
    "DeleteBackup": ("DeleteBackup", {}),
    "a vector index over 20,000 vectors": (
        "UpdateTable",
        {
            "TableName": "vectors",
            "VectorIndexUpdates": [
                {
                    "Create": {
                        "IndexName": "nearest",
                        "VectorAttribute": {"AttributeName": "v"},
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                        "Dimensions": DIMENSIONS,
                        "DistanceFunction": "COSINE",
                    }
                }
            ],
        },
    ),
    "SearchVectors": (
        "SearchVectors",
        {"TableName": "vectors", "IndexName": "nearest", "TopK": 10, "SearchVector": [{"N": "1"}] * DIMENSIONS},
    ),
    "DeleteTable": ("DeleteTable", {"TableName": "restored"}),
}
_ONCE = ("UpdateTable", "DeleteTable", "CreateBackup", "DeleteBackup", "ExportTableToPointInTime")


def prepared(served: Served, items: int) -> None:
    """Fill what the long requests work on, and beside it the small table that is read meanwhile."""
    served.ask("CreateTable", {**TABLE, "TableName": "read"})
    served.fill("p1", 100, table="read")
    served.fill("many", items)
    for key in LARGE:
        served.ask("PutItem", {"TableName": "load", "Item": item(key["pk"]["S"], key["sk"]["S"], 390_000)})
    served.ask("CreateTable", {**TABLE, "TableName": "vectors"})
    for first in range(0, items // 3, 25):
        puts = [
            {
                "PutRequest": {
                    "Item": {
                        **item(f"v{n}", "0", 10),
                        "v": {"L": [{"N": f"{(n * k) % 997}"} for k in range(DIMENSIONS)]},
                    }
                }
            }
            for n in range(first, first + 25)
        ]
        served.ask("BatchWriteItem", {"RequestItems": {"vectors": puts}})
    recovery = {"PointInTimeRecoveryEnabled": True}
    served.ask("UpdateContinuousBackups", {"TableName": "load", "PointInTimeRecoverySpecification": recovery})


def named(served: Served, operation: str, body: dict[str, object]) -> dict[str, object]:
    """The body of a request with the ARN that only the server knows."""
    if operation == "ExportTableToPointInTime":
        table = json.loads(served.ask("DescribeTable", {"TableName": "load"}).partition(b"\r\n\r\n")[2])
        return {**body, "TableArn": table["Table"]["TableArn"]}
    if operation in ("RestoreTableFromBackup", "DeleteBackup"):
        backups = json.loads(served.ask("ListBackups", {}).partition(b"\r\n\r\n")[2])
        return {**body, "BackupArn": backups["BackupSummaries"][0]["BackupArn"]}
    return body


def stalls(options: argparse.Namespace) -> None:
    """What GetItem on 16 connections takes while each long request runs, again and again for half a second."""
    with places() as found, tempfile.TemporaryDirectory() as bucket:
        for place in options.places:
            for number, source in enumerate(options.sources):
                served = started(source, [*found[place], "--bucket", f"bucket={bucket}"], number)
                prepared(served, options.items)
                for name, (operation, body) in LONG.items():
                    ended = threading.Event()
                    taken: list[float] = []
                    reader = threading.Thread(
                        target=lambda e=ended, t=taken, s=served: t.extend(drive(s, requests("GetItem", "read"), 16, e))
                    )
                    asked = request(operation, named(served, operation, body))
                    once = operation in _ONCE or operation.startswith("Restore")
                    command = [sys.executable, "-c", _ASK, str(served.address[1]), "1" if once else "8"]
                    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asker:
                        reader.start()
                        time.sleep(0.1)
                        begun = time.perf_counter()
                        told, _ = asker.communicate(asked)
                        lasted = time.perf_counter() - begun
                        ended.set()
                        reader.join()
                    taken.sort()
                    print(
                        f"{place:6} {source}: {name}: {told.decode().strip()} (all {lasted:.2f} s); GetItem p50 "
                        f"{taken[len(taken) // 2] * 1e3:.1f} ms, p99 {taken[len(taken) * 99 // 100] * 1e3:.1f} ms, "
                        f"most {taken[-1] * 1e3:.1f} ms ({len(taken)})",
                        flush=True,
                    )
                served.end()


_ASK = """
import socket, sys, time
data = sys.stdin.buffer.read()
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
worst = 0
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    s.sendall(data)
    answer = bytearray()
    while True:
        head, blank, _ = answer[:2000].partition(b"\\r\\n\\r\\n")
        if blank:
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\\r")[0])
            if len(answer) >= len(head) + 4 + length: break
        answer += s.recv(1 << 20)
    worst = max(worst, time.perf_counter() - begun)
    time.sleep(0.01)
print(bytes(answer[9:12]).decode(), f"in at most {worst * 1e3:.0f} ms")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="directories of sources")
    parser.add_argument("--stalls", action="store_true", help="what GetItem waits while something long runs")
    parser.add_argument("--places", nargs="+", default=["memory", "file"])
    parser.add_argument("--operations", nargs="+", default=list(OPERATIONS))
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 8, 64, 200])
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=60_000)
    options = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()}; sources: {options.sources}", flush=True)
    stalls(options) if options.stalls else rates(options)


if __name__ == "__main__":
    main()
