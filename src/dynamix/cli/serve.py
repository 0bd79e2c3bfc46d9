"""`dynamix serve`: the embedded engine for every program that speaks DynamoDB's protocol.

It also understands the options of Amazon's DynamoDB Local, as people have them in scripts: `-port`, `-inMemory`,
`-sharedDb`, `-dbPath`, `-cors`, `-disableTelemetry` and `-delayTransientStatuses`.
"""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from dynamix.cli.keys import read_keys
from dynamix.cli.workers import run_workers
from dynamix.engine import Engine
from dynamix.engine.engine import MOST_SECONDS, MOST_SHARDS
from dynamix.engine.http.accounts import Accounts
from dynamix.engine.http.control import Clock, Control
from dynamix.engine.http.server import Server, listen
from dynamix.errors import DynamixError

_ENDINGS = (signal.SIGTERM, signal.SIGINT)
_FILE = "dynamix.db"
"""The name of the file in a directory that is given as DynamoDB Local wants it."""

_TRANSIENT_SECONDS = 1.0
"""How long statuses last where it is asked for as of DynamoDB Local, which says no number."""

_SWITCH_SECONDS = 0.0001
"""How long a thread that does something long keeps the one that answers from going on."""


def add_to(subparsers: Any) -> None:
    """Adds the command to the parser's `subparsers`."""
    parser = subparsers.add_parser(
        "serve",
        help="serve the embedded engine over HTTP",
        description="Serve the embedded engine over DynamoDB's HTTP protocol until SIGTERM or SIGINT. "
        "The address is the first line of output. The options of DynamoDB Local are understood, too.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", "-port", type=_port, default=8000, help="the port to listen at; 0 picks a free one")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--db", metavar="PATH", type=_path, help="the file that keeps the data; without it the data lives in memory"
    )
    place.add_argument("-dbPath", dest="db", metavar="DIR", type=_file_in, help=f"keep the data in DIR/{_FILE}")
    place.add_argument("-inMemory", action="store_true", help="keep the data in memory, as without --db")
    parser.add_argument(
        "--durability",
        choices=("process", "full"),
        default="process",
        help="what an answered write survives: the end of the process, or with full also that of the machine",
    )
    parser.add_argument("--workers", metavar="N", type=_count, help="serve one file from so many processes; needs --db")
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        help="another name by which this server, or a web page that may use it, is called; may be given several times",
    )
    parser.add_argument(
        "--stream-shards",
        metavar="N",
        type=_shards,
        default=1,
        help="how many open shards a new stream has, by the hash of the partition key",
    )
    parser.add_argument(
        "--bucket",
        metavar="NAME=DIR",
        type=_bucket,
        action="append",
        help="a folder that stands for a bucket, to export tables to and import them from; may be given several times",
    )
    parser.add_argument(
        "--cors",
        "-cors",
        metavar="LIST",
        help="web pages that may use it: origins (https://app.example) or hosts, with commas; '*' for all",
    )
    parser.add_argument(
        "--keys",
        metavar="FILE",
        help="check signatures against the keys in a file like ~/.aws/credentials; 'env' takes the variables "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
    apart = parser.add_mutually_exclusive_group()
    apart.add_argument(
        "--accounts",
        action="store_true",
        help="keep tables apart by account (an access key of 12 digits; 000000000000 for all others) and by region",
    )
    apart.add_argument(
        "--per-key",
        action="store_true",
        help="keep tables apart by access key and region, as DynamoDB Local does without -sharedDb",
    )
    apart.add_argument("-sharedDb", action="store_true", help="one set of tables for all, as there always is")
    parser.add_argument(
        "--control",
        action="store_true",
        help="let tests control the server by requests to /_control/; whoever reaches it may use them",
    )
    parser.add_argument(
        "--lag",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="how old what reads see may be, unless they are consistent",
    )
    parser.add_argument(
        "--throttle",
        action="store_true",
        help="refuse requests for which a table or an index has not the throughput",
    )
    parser.add_argument("-disableTelemetry", action="store_true", help="send nothing to anybody, as it never does")
    delay = parser.add_mutually_exclusive_group()
    delay.add_argument(
        "--delay-statuses",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="for how long changes of tables are told as under way",
    )
    delay.add_argument(
        "-delayTransientStatuses",
        dest="delay_statuses",
        action="store_const",
        const=_TRANSIENT_SECONDS,
        help=f"as --delay-statuses {_TRANSIENT_SECONDS:g}",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serves until a signal ends it; returns the exit status."""
    given = {**vars(options), "clock": Clock()}
    count, path = given.get("workers", 1), given.get("db")
    if count > 1 and path is None:
        return _fail("several workers have no memory in common; give them a file: --db PATH")
    if count > 1 and "throttle" in given:
        return _fail("throughput is counted in one process; leave --workers out, or --throttle")
    if "control" in given and (count > 1 or "accounts" in given or "per_key" in given):
        return _fail("one engine is controlled; leave --workers, --accounts and --per-key out, or --control")
    try:
        keys = read_keys(given["keys"]) if "keys" in given else None
        engine = _engine(given)
    except (DynamixError, ValueError) as error:
        return _fail(str(error))
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        engine.close()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        return _fail(
            f"cannot listen at {options.host} port {options.port}: {reason}; check --host, or try another --port, or 0"
        )
    _allow_many_connections()
    if keys is None and not ip_address(listener.getsockname()[0]).is_loopback:
        _warn(options.host)
    if count == 1:
        return _serve(engine, listener, given, keys, announced=False)
    engine.close()
    _announce(listener)
    return run_workers(count, lambda: _serve(_engine(given), listener, given, keys, announced=True))


def _engine(given: Mapping[str, Any]) -> Engine | Accounts:
    """The engine that is served, or what makes one for each account."""
    path = given.get("db")
    options = {name: given[name] for name in ("durability", "stream_shards", "delay_statuses", "lag")}
    options["throttle"] = "throttle" in given
    options["buckets"] = dict(given.get("bucket", ()))

    def make(name: str, account: str, region: str) -> Engine:
        stem, ending = os.path.splitext(path or "")
        engine = Engine(path and f"{stem}-{name}{ending}", **options, account=account, region=region)
        engine.check()
        return engine

    if "accounts" in given or "per_key" in given:
        return Accounts(make, per_key="per_key" in given)
    engine = Engine(path, **options, clock=given["clock"])
    engine.check()
    return engine


def _control(engine: Engine | Accounts, given: Mapping[str, Any]) -> Control | None:
    if "control" not in given or isinstance(engine, Accounts):
        return None
    unused = Engine()
    empty = unused.snapshot()
    unused.close()
    return Control(engine, given["clock"], empty)


def _serve(
    engine: Engine | Accounts,
    listener: socket.socket,
    given: Mapping[str, Any],
    keys: dict[str, str] | None,
    *,
    announced: bool,
) -> int:
    sys.setswitchinterval(_SWITCH_SECONDS)
    ended = threading.Event()
    for ending in _ENDINGS:
        signal.signal(ending, lambda *_: ended.set())
    origins = [origin.strip() for origin in given.get("cors", "").split(",") if origin.strip()]
    allowed = given.get("allow_host", ())
    with Server(
        engine, listener=listener, allowed=allowed, origins=origins, keys=keys, control=_control(engine, given)
    ):
        if not announced:
            _announce(listener)
        ended.wait()
    engine.close()
    return 0


def _allow_many_connections() -> None:
    """As many as the system lets this process have."""
    try:
        import resource
    except ImportError:  # on Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _warn(host: str) -> None:
    _tell(
        f"warning: whoever reaches this machine at {host} can read and change all data, as signatures are not checked"
    )


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    print(f"dynamix serves DynamoDB at http://{authority}", flush=True)  # noqa: T201


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def _shards(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_SHARDS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of shards; give one from 1 to {MOST_SHARDS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} are no seconds; give a number from 0 to {MOST_SECONDS}")
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes; give one from 1 to 256")
    if not hasattr(os, "fork"):
        raise argparse.ArgumentTypeError("this system has no processes that share a port; leave --workers out")
    return int(text)


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty path keeps nothing; name a file, or leave --db out")
    return text


def _bucket(text: str) -> tuple[str, str]:
    name, _, directory = text.partition("=")
    if not name or not os.path.isdir(directory):
        raise argparse.ArgumentTypeError(f"{text!r} is no bucket; give a name and a folder that is there: NAME=DIR")
    return name, directory


def _file_in(directory: str) -> str:
    if not os.path.isdir(directory):
        raise argparse.ArgumentTypeError(f"there is no directory {directory!r}; make it first")
    return os.path.join(directory, _FILE)


def _fail(message: str) -> int:
    _tell(message)
    return 1


def _tell(message: str) -> None:
    print(f"dynamix serve: {message}", file=sys.stderr, flush=True)  # noqa: T201
