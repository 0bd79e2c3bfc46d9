"""What is read of objects that are imported: lines of JSON, or rows of CSV.

Source: DynamoDB Developer Guide, "DynamoDB import format quotas and validation".
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO, TextIO

from dynamix.limits import ITEM_BYTES

LINE_BYTES = 16 * 1024 * 1024
"""How long a line may be: longer than any item is, however its JSON is written."""


class HeaderError(Exception):
    """The names of a CSV file's columns cannot be those of attributes."""


def lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a file that are not blank; None for one that is longer than any item."""
    while line := file.readline(LINE_BYTES):
        if len(line) == LINE_BYTES and not line.endswith(b"\n"):
            while (rest := file.readline(LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield None
        elif stripped := line.removeprefix(codecs.BOM_UTF8).strip():
            yield stripped


def rows(file: BinaryIO, delimiter: str, header: Sequence[str] | None) -> Iterator[dict[str, str] | None]:
    """The rows of a CSV file by the names of its columns, which its first line has where no header is given.

    None for a row that has more or fewer columns, or that cannot be read. Raises HeaderError.
    """
    csv.field_size_limit(max(csv.field_size_limit(), ITEM_BYTES))  # one for the process, which is never made smaller
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _rows(text, delimiter, header)
    finally:
        with suppress(ValueError):  # the file is closed
            text.detach()


def _rows(text: TextIO, delimiter: str, header: Sequence[str] | None) -> Iterator[dict[str, str] | None]:
    found = csv.reader(iter(lambda: text.readline(LINE_BYTES), ""), delimiter=delimiter, strict=True)
    try:
        names = list(header) if header is not None else next(found, [])
        "".join(names).encode()
    except (csv.Error, UnicodeEncodeError) as error:
        raise HeaderError("its first line does not name columns") from error
    if len(set(names)) < len(names) or "" in names:
        raise HeaderError(f"its columns have no names, or the same: {', '.join(names)[:200]}")
    while True:
        try:
            row = next(found)
            "".join(row).encode()
        except StopIteration:
            return
        except (csv.Error, UnicodeEncodeError):  # what was no UTF-8 is a surrogate now
            yield None
            continue
        if row:
            yield dict(zip(names, row, strict=True)) if len(row) == len(names) else None
