"""The servers that speak DynamoDB's protocol on this machine: how each is installed, and how it is started.

Each keeps its data in memory, unless its title says otherwise, and listens on 127.0.0.1; DynamoDB Local cannot be told
to. Statuses are not delayed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from environments import DYNAMIX, ENVIRONMENTS, HERE, NotInstalledError, environment, version
from load import request

sys.path.append(str(HERE.parent / "tests"))
from dynamodb_local import VERSION, DynamoDBLocalUnavailableError, installed

TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Program:
    """A server that is installed: its command at a port, and what it runs with; without a directory in a new one."""

    command: Callable[[int], list[str]]
    version: str
    directory: str | None = None
    variables: Callable[[int], dict[str, str]] = field(default=lambda port: {})


@dataclass(frozen=True)
class Emulator:
    """A server and how it is installed, which raises NotInstalledError where it cannot be."""

    title: str
    install: Callable[[str], Program]


@cache
def _dynamix(python: str) -> Program:
    inside = environment(DYNAMIX.title, DYNAMIX.requirements, python)
    return Program(lambda port: [inside, "-m", "dynamix", "serve", "--port", str(port)], version(inside, "."))


def _dynamix_on_a_file(python: str) -> Program:
    program = _dynamix(python)
    return Program(lambda port: [*program.command(port), "--db", "load.db"], program.version)


def _dynamodb_local(python: str) -> Program:
    try:
        directory = installed()
    except DynamoDBLocalUnavailableError as error:
        raise NotInstalledError(str(error)) from error
    command = ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb"]
    return Program(lambda port: [*command, "-port", str(port)], f"of simulator {VERSION}", str(directory))


def _ministack(python: str) -> Program:
    inside = environment("ministack", ("ministack",), python)
    return Program(
        lambda port: [inside, "-m", "ministack"],
        version(inside, "ministack"),
        variables=lambda port: {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"},
    )


def _moto(python: str) -> Program:
    inside = environment("moto", ("moto[server,dynamodb]",), python)
    command = [inside, "-m", "moto.server", "-H", "127.0.0.1"]
    return Program(lambda port: [*command, "-p", str(port)], version(inside, "moto"))


def _dynalite(python: str) -> Program:
    directory = ENVIRONMENTS / "dynalite"
    if not (directory / "node_modules" / "dynalite").exists():
        if shutil.which("npm") is None or shutil.which("node") is None:
            raise NotInstalledError("dynalite needs node and npm, and one of them is not on the path")
        directory.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "dynalite"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            raise NotInstalledError("npm cannot install dynalite here")
    package = directory / "node_modules" / "dynalite"
    delays = [word for name in ("createTableMs", "deleteTableMs", "updateTableMs") for word in (f"--{name}", "0")]
    return Program(
        lambda port: ["node", str(package / "cli.js"), "--host", "127.0.0.1", "--port", str(port), *delays],
        json.loads((package / "package.json").read_text())["version"],
    )


EMULATORS = (
    Emulator("dynamix", _dynamix),
    Emulator("dynamix, on a file", _dynamix_on_a_file),
    Emulator("DynamoDB Local", _dynamodb_local),
    Emulator("ministack", _ministack),
    Emulator("moto server", _moto),
    Emulator("dynalite", _dynalite),
)


class Served:
    """A server in a process of its own, from the moment that it answers. Raises NotInstalledError where it never does.

    `start_seconds` are those from its beginning to its first answer.
    """

    def __init__(self, title: str, program: Program) -> None:
        port = _free_port()
        self.title = title
        self.address = "127.0.0.1", port
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "PYTHON"))}
        self._scratch = tempfile.TemporaryDirectory()
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            program.command(port),
            cwd=program.directory or self._scratch.name,
            env={**kept, **program.variables(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - begun > _PATIENCE_SECONDS:
                self.end()
                raise NotInstalledError(f"{title} was started and does not answer")
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - begun

    def connect(self) -> socket.socket:
        connection = socket.create_connection(self.address, timeout=_PATIENCE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, operation: str, body: object) -> tuple[int, bytes]:
        """Status and body of an answer."""
        with self.connect() as connection:
            connection.sendall(request(operation, body))
            received = b""
            while (answer := whole(received)) is None:
                part = connection.recv(1 << 20)
                if not part:
                    return status_of(received), received.partition(b"\r\n\r\n")[2]
                received += part
            return answer

    def cpu(self) -> float:
        """Seconds of the processor that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """What it has in memory, in MiB."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._scratch.cleanup()

    def _answers(self) -> bool:
        try:
            return self.ask("ListTables", {})[0] == 200
        except (OSError, ValueError):
            return False


def whole(received: bytes) -> tuple[int, bytes] | None:
    """Status and body of an answer that has all its bytes; None for one that has not."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return None
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(lowered[at + 17 :].partition(b"\r\n")[0])
        return (status_of(head), body[:length]) if len(body) >= length else None
    if b"\r\ntransfer-encoding: chunked" in lowered and body.endswith(b"\r\n0\r\n\r\n"):
        return status_of(head), _joined(body)
    return None


def _joined(chunks: bytes) -> bytes:
    """The body that came in chunks."""
    body = b""
    while (size := int(chunks[: chunks.index(b"\r\n")], 16)) > 0:
        begin = chunks.index(b"\r\n") + 2
        body += chunks[begin : begin + size]
        chunks = chunks[begin + size + 2 :]
    return body


def status_of(head: bytes) -> int:
    """Raises ValueError where it is no answer."""
    return int(head[9:12])


def closes(received: bytes) -> bool:
    """Whether the server ends the connection after this answer."""
    head = received.partition(b"\r\n\r\n")[0].lower()
    return head.startswith(b"http/1.0") or b"\r\nconnection: close" in head


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
