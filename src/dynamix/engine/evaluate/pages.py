"""Where a page begins: the starting keys of queries and scans, and the segments of scans.

Source: DynamoDB Developer Guide, "Paginating table query results" and "Scanning tables in DynamoDB: Parallel scan".
"""

from collections.abc import Mapping
from typing import Any

from dynamix.engine.data.keys import KeySchema
from dynamix.engine.data.rows import hash_range
from dynamix.engine.data.values import check_item
from dynamix.engine.evaluate.ranges import KeyTest
from dynamix.engine.faults import Fault, Kind, invalid
from dynamix.engine.tables.table import Index, Table
from dynamix.wire import Item

_TESTS_A_PAGE = 5_000_000
_BYTES_A_TEST = 5
_CHARACTERS_A_TEST = 3
"""An expression has no more operands than that, such as `:a,` in an IN."""
_BAD_START = "The provided starting key is invalid"
_SAID_ALONE = frozenset({Kind.NUMBER, Kind.NUMBER_SET, Kind.DUPLICATES})
"""What the service says of a value of a starting key without saying that it is the starting key's."""


def most_rows(limit: int | None, tests: int, size: int = 0) -> int:
    """How many rows a page has at most; each takes `tests` tests of values of `size` bytes in all.

    What a row takes is bounded by the limits of a request alone, and a page may have hundreds of thousands of rows, so
    that also the work on a page is bounded.
    """
    most = max(_TESTS_A_PAGE // max(tests + size // _BYTES_A_TEST, 1), 1)
    return most if limit is None else min(limit, most)


def tests_of(text: str) -> int:
    """How many tests an expression makes of a row at most."""
    return len(text) // _CHARACTERS_A_TEST


def read_start(request: dict[str, Any]) -> Item | None:
    """The start key of a request, if it has one, checked as far as no table is needed."""
    start: Item | None = request.get("ExclusiveStartKey")
    if start is None:
        return None
    try:
        return check_item(start)
    except Fault as fault:
        if fault.kind in _SAID_ALONE:
            raise
        raise invalid(f"{_BAD_START}: {fault.message}") from fault


def start_key(table: Table, index: Index | None, start: Item, *, queried: bool) -> bytes:
    """The start key as bytes. A query, and a scan of an index, look at the keys that they search by first."""
    keys = table.keys
    schema = keys if index is None else index.keys
    names = keys.names | schema.names
    if queried or index is not None:
        if len(start) != len(names) or not schema.names <= start.keys():
            raise invalid(_BAD_START)
        schema.encode_key({name: start[name] for name in schema.names})
    elif len(start) != len(names):
        raise invalid(f"{_BAD_START}: The provided key element does not match the schema")
    try:
        key = keys.encode_key({name: start[name] for name in keys.names if name in start})
    except Fault as fault:
        raise invalid(f"{_BAD_START}: {fault.message}") from fault
    return key if index is None else index.keys.encode(start) + key


def check_within(schema: KeySchema, low: bytes, high: bytes, key: bytes, tests: Mapping[str, KeyTest]) -> None:
    """Refuse a start key of a query that its key condition does not select."""
    partition = schema.partition_of
    own, asked = partition(key), partition(low)
    if len(tests) > len(schema.partition):
        if not low <= asked + key[len(own) :] < high:
            raise invalid("The provided starting key does not match the range key predicate")
        if own != asked:
            raise invalid("The query can return at most one row and cannot be restarted")
    elif own != asked:
        raise invalid("The provided starting key is outside query boundaries based on provided conditions")


def segment(request: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """The key range of the segment asked for."""
    number, total = request.get("Segment"), request.get("TotalSegments")
    if number is None and total is None:
        return None
    if total is None:
        raise invalid(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
            "present"
        )
    if number is None:
        raise invalid(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
            "present"
        )
    if number >= total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {number} is not less than TotalSegments: {total}"
        )
    return hash_range(number, total)


def check_segment(request: dict[str, Any], low: bytes, high: bytes, key: bytes) -> None:
    """Refuse a start key of a scan that belongs to another segment."""
    if not low <= key < high:
        number, total = request["Segment"], request["TotalSegments"]
        raise invalid(
            f"{_BAD_START}: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
            f"correct Segment. TotalSegments: {total} Segment: {number}"
        )
