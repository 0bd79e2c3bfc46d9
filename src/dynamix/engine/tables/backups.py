"""The backups of tables: each is what a table's record was, and a row store of its own with the items of that moment.

A backup outlives its table. One that was made because its table was deleted while it could be recovered expires after
35 days; all others are there until somebody deletes them.

Source: DynamoDB Developer Guide, "Backup and restore for DynamoDB".
"""

import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

from dynamix.engine.data.rows import Store
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.record import DAY_SECONDS, Record, decode_record, encode_record

_COLUMNS = "label, name, kind, record, expires"
_KEPT_DAYS = 35
_OF_DELETED = "$DeletedTableBackup"


class Backup(NamedTuple):
    """One backup. `label` is made of its time and sorts by it, `expires` is in milliseconds since 1970."""

    label: str
    name: str
    kind: str
    record: Record
    expires: int | None

    @property
    def arn(self) -> str:
        """Its name for everybody."""
        return f"{self.record.description['TableArn']}/backup/{self.label}"

    @property
    def created(self) -> int:
        """When it was made, in milliseconds since 1970."""
        return int(self.label.partition("-")[0])

    @property
    def store(self) -> Store:
        """The items."""
        return Store(self.record.store)


def label_of(arn: str) -> str:
    """The label in the ARN of a backup, empty where it is none."""
    return arn.partition("/backup/")[2]


def find(catalog: Catalog, arn: str) -> Backup | None:
    """The backup of this ARN, if there is one."""
    row = catalog.execute(f"SELECT {_COLUMNS} FROM backups WHERE label = ?", (label_of(arn),)).fetchone()  # noqa: S608
    backup = None if row is None else _backup(row)
    return backup if backup is not None and backup.arn == arn else None


def listed(catalog: Catalog, table: str | None, after: str) -> Iterator[Backup]:
    """The backups, of one table or of all, that come after a label, the oldest first."""
    rows = catalog.execute(
        f"SELECT {_COLUMNS} FROM backups WHERE label > ? AND table_name = COALESCE(?, table_name) ORDER BY label",  # noqa: S608
        (after, table),
    )
    return map(_backup, rows)


def add(catalog: Catalog, record: Record, store: Store, name: str, kind: str, expires: int | None = None) -> Backup:
    """Keep what a table is now, with the items that lie in the store."""
    label = f"{catalog.milliseconds():013d}-{secrets.token_hex(4)}"
    kept = Record(record.description, store.id, {}, expiry=record.expiry)
    backup = Backup(label, name, kind, kept, expires)
    catalog.execute(
        "INSERT INTO backups (label, table_name, name, kind, record, expires) VALUES (?, ?, ?, ?, ?, ?)",
        (label, record.description["TableName"], name, kind, encode_record(kept), expires),
    )
    return backup


def add_of_deleted(catalog: Catalog, record: Record) -> Backup:
    """Keep a table that is deleted while it can be recovered; its own store becomes that of the backup."""
    expires = catalog.milliseconds() + _KEPT_DAYS * DAY_SECONDS * 1000
    name = record.description["TableName"] + _OF_DELETED
    return add(catalog, record, Store(record.store), name, "SYSTEM", expires)


def remove(catalog: Catalog, backup: Backup) -> None:
    """Remove a backup and its items."""
    backup.store.discard(catalog.execute)
    catalog.execute("DELETE FROM backups WHERE label = ?", (backup.label,))


def expired(catalog: Catalog) -> Backup | None:
    """A backup that has expired."""
    row = catalog.execute(
        f"SELECT {_COLUMNS} FROM backups WHERE expires <= ? ORDER BY expires LIMIT 1",  # noqa: S608
        (catalog.milliseconds(),),
    ).fetchone()
    return None if row is None else _backup(row)


def _backup(row: tuple[Any, ...]) -> Backup:
    label, name, kind, record, expires = row
    return Backup(label, name, kind, decode_record(record), expires)
