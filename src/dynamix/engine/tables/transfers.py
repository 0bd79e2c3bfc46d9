"""The exports and imports of tables that were made: what is told of them, for 90 days.

A client token makes a repeated request answer as the first did, for eight hours.
"""

import hashlib
import secrets
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec

from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import DAY_SECONDS

Kind: TypeAlias = Literal["export", "import"]

_TOLD_SECONDS = 90 * DAY_SECONDS
_TOKEN_SECONDS = 8 * 3600


class MismatchError(Exception):
    """A client token was used for another request."""


def new_label(catalog: Catalog) -> str:
    """A label that no export or import has; labels sort by their time."""
    return f"{catalog.milliseconds():014d}-{secrets.token_hex(4)}"


def find(catalog: Catalog, kind: Kind, arn: str) -> dict[str, Any] | None:
    """What is told of the export or import of this ARN."""
    label = arn.partition(f"/{kind}/")[2]
    row = catalog.execute(
        "SELECT description FROM transfers WHERE label = ? AND kind = ? AND label >= ?", (label, kind, _oldest(catalog))
    ).fetchone()
    description: dict[str, Any] | None = None if row is None else msgspec.json.decode(row[0])
    return description if description is not None and description[f"{kind.capitalize()}Arn"] == arn else None


def listed(catalog: Catalog, kind: Kind, table: str | None, before: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The exports or imports, of the table of this ARN or name, or of all: the newest first that have a label before
    this one, with their labels."""
    table_arn = table if table is None or table.startswith("arn:") else catalog.home.table_arn(table)
    rows = catalog.execute(
        "SELECT label, description FROM transfers WHERE kind = ? AND table_arn = COALESCE(?, table_arn) "
        "AND label < ? AND label >= ? ORDER BY label DESC",
        (kind, table_arn, before, _oldest(catalog)),
    )
    return ((label, msgspec.json.decode(description)) for label, description in rows)


def repeated(catalog: Catalog, kind: Kind, request: dict[str, Any]) -> dict[str, Any] | None:
    """What was answered to the request before, if its token says that it is the same. Raises MismatchError."""
    token = request.get("ClientToken")
    if token is None:
        return None
    since = f"{max(catalog.milliseconds() - _TOKEN_SECONDS * 1000, 0):014d}"
    row = catalog.execute(
        "SELECT digest, description FROM transfers WHERE kind = ? AND token = ? AND label >= ? ORDER BY label DESC",
        (kind, token, since),
    ).fetchone()
    if row is None:
        return None
    digest, description = row
    if digest != _digest(request):
        raise MismatchError
    told: dict[str, Any] = msgspec.json.decode(description)
    return told


def add(catalog: Catalog, kind: Kind, label: str, request: dict[str, Any], description: dict[str, Any]) -> None:
    """Keep what is told of an export or import, and let go what is not told any more."""
    catalog.execute("DELETE FROM transfers WHERE label < ?", (_oldest(catalog),))
    catalog.execute(
        "INSERT INTO transfers (label, kind, table_arn, token, digest, description) VALUES (?, ?, ?, ?, ?, ?)",
        (
            label,
            kind,
            description["TableArn"],
            request.get("ClientToken"),
            _digest(request),
            msgspec.json.encode(description),
        ),
    )


def _oldest(catalog: Catalog) -> str:
    return f"{max(catalog.milliseconds() - _TOLD_SECONDS * 1000, 0):014d}"


def _digest(request: dict[str, Any]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).digest()
