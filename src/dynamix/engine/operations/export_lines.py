"""The data of an export, line by line: each piece of the table is read for itself, so that nobody waits.

Source: DynamoDB Developer Guide, "DynamoDB table export output format".
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from dynamix.engine.buckets.exported import Exported
from dynamix.engine.data.changes import NetChange
from dynamix.engine.data.rows import decode_item, encode_item
from dynamix.engine.operations.recovery import check_same
from dynamix.engine.requests.expressions import Expressions
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.net_changes import NetChanges
from dynamix.engine.tables.past import Past
from dynamix.engine.tables.table import Table

BOTH_IMAGES = "NEW_AND_OLD_IMAGES"


class Export(msgspec.Struct):
    """An export that is being made: `first` and `last` are numbers of changes, `moments` what they stand for."""

    table: Table
    files: Exported
    label: str
    first: int
    last: int
    moments: tuple[int, int]
    started: float
    size: int = 0


def item_lines(
    storage: Storage, export: Export, expressions: Expressions, low: bytes, high: bytes
) -> Iterator[list[bytes]]:
    """The lines of a whole export."""
    table, test, projection = export.table, expressions.filter, expressions.projection
    assert table.log is not None  # noqa: S101 - a table that can be recovered has one
    with Past(table.store, table.log, export.last, low, high) as past:
        while True:
            with storage.reading() as catalog:
                check_same(catalog, export.table)
                piece = past.piece(catalog.execute)
            if piece is None:
                return
            export.size += sum(size for _, size, _ in piece)
            rows = [row for _, _, row in piece]
            if test is not None or projection is not None:
                items = (decode_item(row) for row in rows)
                wanted = (item for item in items if test is None or test(item))
                rows = [encode_item(item if projection is None else projection(item)) for item in wanted]
            yield [b'{"Item":%b}\n' % row for row in rows]


def changed_lines(storage: Storage, export: Export, specification: dict[str, Any]) -> Iterator[list[bytes]]:
    """The lines of an incremental export."""
    table = export.table
    assert table.log is not None  # noqa: S101 - a table that can be recovered has one
    both = specification.get("ExportViewType", BOTH_IMAGES) == BOTH_IMAGES
    with NetChanges(table.log, export.first, export.last) as changes:
        more = True
        while more:
            with storage.reading() as catalog:
                check_same(catalog, export.table)
                more = changes.read(catalog.execute)
        for change in changes.all():
            if change.old is not None or change.new is not None:
                export.size += sum(row[0] for row in (change.old, change.new) if row is not None)
                yield [_line(table, change, both=both)]


def _line(table: Table, change: NetChange, *, both: bool) -> bytes:
    row = change.new or change.old
    assert row is not None  # noqa: S101 - what came and went is left out
    line: dict[str, Any] = {
        "Metadata": {"WriteTimestampMicros": {"N": str(change.at * 1000)}},
        "Keys": table.keys.key_of(decode_item(row[1])),
    }
    if change.old is not None and both:
        line["OldImage"] = msgspec.Raw(change.old[1])
    if change.new is not None:
        line["NewImage"] = msgspec.Raw(change.new[1])
    return msgspec.json.encode(line) + b"\n"
