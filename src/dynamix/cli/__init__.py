"""The `dynamix` command. Each subcommand is a module of this package with `add_to(subparsers)`."""

import argparse
from collections.abc import Sequence

from dynamix.cli import serve
from dynamix.version import __version__


def parser() -> argparse.ArgumentParser:
    """The parser of the command line; `run` of what it parses carries the command out."""
    parser = argparse.ArgumentParser(prog="dynamix", description="An object mapper for DynamoDB, and its local engine.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve.add_to(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = parser().parse_args(arguments)
    status: int = options.run(options)
    return status
