"""`dynamix serve`: the embedded engine for every program that speaks DynamoDB's protocol."""

import argparse
import configparser
import os
import signal
import sys
import threading
from typing import Any

from dynamix.engine import Engine
from dynamix.engine.http.server import Server
from dynamix.errors import DynamixError

_ENDINGS = (signal.SIGTERM, signal.SIGINT)
_SWITCH_SECONDS = 0.0001
"""How long a thread that does something long keeps the one that answers from going on."""


def add_to(subparsers: Any) -> None:
    """Adds the command to the parser's `subparsers`."""
    parser = subparsers.add_parser(
        "serve",
        help="serve the embedded engine over HTTP",
        description="Serve the embedded engine over DynamoDB's HTTP protocol until SIGTERM or SIGINT. "
        "The address is the first line of output.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", type=_port, default=8000, help="the port to listen at; 0 picks a free one")
    parser.add_argument(
        "--db",
        metavar="PATH",
        type=_path,
        default=argparse.SUPPRESS,
        help="the file that keeps the data; without it the data lives in memory",
    )
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=argparse.SUPPRESS,
        help="another name by which this server, or a web page that may use it, is called; may be given several times",
    )
    parser.add_argument(
        "--cors",
        "-cors",
        metavar="LIST",
        default=argparse.SUPPRESS,
        help="web pages that may use this server: origins such as https://app.example or hosts, with commas; '*' for all",
    )
    parser.add_argument(
        "--keys",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="check signatures against the keys in this file, which is like ~/.aws/credentials; or against those in the "
        "variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with --keys env",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serves until a signal ends it; returns the exit status."""
    given = vars(options)
    try:
        keys = _keys(given["keys"]) if "keys" in given else None
        engine = Engine(given.get("db"))
    except (DynamixError, ValueError) as error:
        return _fail(str(error))
    try:
        server = Server(
            engine,
            options.host,
            options.port,
            allowed=given.get("allow_host", ()),
            origins=[origin.strip() for origin in given.get("cors", "").split(",") if origin.strip()],
            keys=keys,
        )
    except OSError as error:
        engine.close()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        return _fail(
            f"cannot listen at {options.host} port {options.port}: {reason}; check --host, or try another --port, or 0"
        )
    if not server.is_local and keys is None:
        _warn(options.host)
    sys.setswitchinterval(_SWITCH_SECONDS)
    with server:
        _announce_and_wait(*server.address)
    engine.close()
    return 0


def _keys(source: str) -> dict[str, str]:
    """Secret keys by access keys, from a file or the environment. Raises ValueError, which says nothing of them."""
    if source == "env":
        pairs = [(os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", ""))]
        where = "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    else:
        where = f"the file {source!r}"
        parser = configparser.RawConfigParser()
        try:
            with open(source) as file:
                parser.read_file(file)
        except OSError as error:
            raise ValueError(
                f"cannot read {where}: {error.strerror}; give --keys a file like ~/.aws/credentials"
            ) from None
        except (configparser.Error, UnicodeDecodeError):
            raise ValueError(f"{where} is not like ~/.aws/credentials; give a section with the two keys") from None
        pairs = [
            (parser[name].get("aws_access_key_id", ""), parser[name].get("aws_secret_access_key", ""))
            for name in parser.sections()
        ]
    keys = {access: secret for access, secret in pairs if access and secret}
    if not keys:
        raise ValueError(f"{where}: no access key with its secret key is there; nobody could sign a request")
    return keys


def _warn(host: str) -> None:
    print(  # noqa: T201
        f"dynamix serve: warning: whoever reaches this machine at {host} can read and change all data, as signatures "
        "are not checked",
        file=sys.stderr,
        flush=True,
    )


def _announce_and_wait(host: str, port: int) -> None:
    ended = threading.Event()
    for ending in _ENDINGS:
        signal.signal(ending, lambda *_: ended.set())
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    print(f"dynamix serves DynamoDB at http://{authority}", flush=True)  # noqa: T201
    ended.wait()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty path keeps nothing; name a file, or leave --db out")
    return text


def _fail(message: str) -> int:
    print(f"dynamix serve: {message}", file=sys.stderr)  # noqa: T201
    return 1
