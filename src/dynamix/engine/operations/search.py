"""Query and Scan: one page of items from a range of a table's or an index's rows.

A page ends at `Limit` rows, or with the row that takes the sizes of the rows read past 1 MB; filters do not change
what is counted. Where a page ended before the range did, `LastEvaluatedKey` names the last row read, and the next
page begins after it. Rows are taken from SQLite one at a time, so a page costs what it holds.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from dynamix.codec.sizes import value_size
from dynamix.engine.actions import throughput
from dynamix.engine.actions.capacity import Charge, read_units, report
from dynamix.engine.actions.lag import LaggingView, past_of
from dynamix.engine.data.keys import KeySchema
from dynamix.engine.data.rows import FIRST, LAST, Execute, KeyedRow, Store, decode_item, decoder_of
from dynamix.engine.evaluate.pages import (
    check_segment,
    check_within,
    most_rows,
    read_start,
    segment,
    start_key,
    tests_of,
)
from dynamix.engine.evaluate.ranges import key_range
from dynamix.engine.faults import invalid
from dynamix.engine.requests.expressions import Expressions, check_parameters, read
from dynamix.engine.requests.placeholders import VALUES
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Index, Table
from dynamix.limits import PAGE_BYTES

_FEW_ROWS = 16
"""So many are read whatever they take; only then is it found out how many more there may be."""
_OLDER_TESTS = 5
"""What a condition of an older filter takes, in tests."""


class _Search(msgspec.Struct):
    """A query or scan, ready to read its page."""

    request: dict[str, Any]
    table: Table
    index: Index | None
    expressions: Expressions
    low: bytes = FIRST
    high: bytes = LAST
    forward: bool = True

    @property
    def store(self) -> Store:
        return self.table.store if self.index is None else self.index.store

    @property
    def schema(self) -> KeySchema:
        return self.table.keys if self.index is None else self.index.keys


class _Page(msgspec.Struct):
    """What was read: the items to answer with, counts, and the last row's item where more may follow."""

    items: list[Any] = []
    scanned: int = 0
    size: int = 0
    fetched_units: float = 0.0
    last: bytes | None = None


def query(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """The items of one partition, in the order of their sort keys."""
    check_parameters("Query", request)
    start = read_start(request)
    expressions = read("Query", request)
    _check_select(request)
    tests = expressions.key_tests
    assert tests is not None  # noqa: S101 - a query without them has been refused
    with storage.reading() as catalog:
        search = _prepare(catalog, request, expressions)
        key = None if start is None else start_key(search.table, search.index, start, queried=True)
        search.low, search.high = key_range(search.schema, tests)
        search.forward = request.get("ScanIndexForward") is not False
        if key is not None:
            check_within(search.schema, search.low, search.high, key, tests)
            _start_after(search, key)
        search.table.check_scalars(expressions.entered_by_projection)
        _check_filter(search)
        _check_filter_projected(search)
        _check_projected(search)
        search.table.check_scalars(expressions.entered)
        return _answer(catalog, search, _page(catalog, search))


def scan(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """All items, or those of one segment, in the order of their partition keys' hashes."""
    check_parameters("Scan", request)
    start = read_start(request)
    part = segment(request)
    expressions = read("Scan", request)
    _check_select(request)
    with storage.reading() as catalog:
        search = _prepare(catalog, request, expressions)
        if part is not None:
            search.low, search.high = part
        _check_projected(search)
        if start is not None:
            key = start_key(search.table, search.index, start, queried=False)
            check_segment(request, search.low, search.high, key)
            _start_after(search, key)
        search.table.check_scalars(expressions.entered_by_projection)
        search.table.check_scalars(expressions.entered)
        return _answer(catalog, search, _page(catalog, search))


def _check_select(request: dict[str, Any]) -> None:
    select = request.get("Select")
    if select is None:
        return
    if select == "ALL_PROJECTED_ATTRIBUTES" and "IndexName" not in request:
        raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    for member in ("AttributesToGet", "ProjectionExpression"):
        if member in request and select != "SPECIFIC_ATTRIBUTES":
            wanted = "only the Count" if select == "COUNT" else select
            raise invalid(f"Cannot specify the {member} when choosing to get {wanted}")
    if select == "SPECIFIC_ATTRIBUTES" and not ("AttributesToGet" in request or "ProjectionExpression" in request):
        raise invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )


def _prepare(catalog: Catalog, request: dict[str, Any], expressions: Expressions) -> _Search:
    table = catalog.table(request["TableName"])
    name = request.get("IndexName")
    table.check_readable(name, "Scan" if expressions.key_tests is None else "Query")
    index = None if name is None else table.index(name)
    if index is not None and index.is_global and request.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return _Search(request, table, index, expressions)


def _check_filter_projected(search: _Search) -> None:
    """A query's filter names what its index holds. In a scan, what an index does not hold counts as absent."""
    index = search.index
    if index is None or index.kept is None:
        return
    unseen = sorted(search.expressions.filter_attributes - index.kept)
    if unseen and (index.is_global or search.request.get("Select") != "ALL_ATTRIBUTES"):
        raise invalid(
            f"One or more parameter values were invalid: Secondary index {index.name} does not project one or more "
            f"filter attributes: [{', '.join(unseen)}]"
        )


def _check_projected(search: _Search) -> None:
    """A global index answers only with what it holds."""
    index = search.index
    if index is None or index.kept is None or not index.is_global:
        return
    if search.request.get("Select") == "ALL_ATTRIBUTES":
        raise invalid(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
            f"secondary index {index.name} because its projection type is not ALL"
        )
    lacking = sorted(search.expressions.projection_attributes - index.kept)
    if lacking:
        raise invalid(
            f"One or more parameter values were invalid: Global secondary index {index.name} does not project "
            f"[{', '.join(lacking)}]"
        )


def _check_filter(search: _Search) -> None:
    """A filter of a query must leave the key attributes to the key condition."""
    for name, _ in search.schema.attributes:
        if name in search.expressions.filter_attributes:
            if "FilterExpression" in search.request:
                raise invalid(
                    f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
                )
            raise invalid(f"QueryFilter can only contain non-primary key attributes: Primary key attribute: {name}")


def _start_after(search: _Search, key: bytes) -> None:
    """Narrow the range to what comes after the start key."""
    if search.forward:
        search.low = key + b"\x00"
    else:
        search.high = key


def _page(catalog: Catalog, search: _Search) -> _Page:
    """Read rows until the page is full or the range ends."""
    page = _Page()
    limit: int | None = search.request.get("Limit")
    stop = _FEW_ROWS if limit is None else min(limit, _FEW_ROWS)
    past = past_of(catalog, search.table, search.index, search.request)
    view = _view(catalog.execute, search, page, past)
    append = page.items.append
    size = scanned = 0
    body = b""
    for _, row_size, body in _rows(catalog, search, past):
        scanned += 1
        size += row_size
        shown = msgspec.Raw(body) if view is None else view(body)
        if shown is not None:
            append(shown)
        if size > PAGE_BYTES:
            page.last = body
            break
        if scanned == stop:
            if stop != limit:
                stop = max(_most_rows(search.request, limit), _FEW_ROWS)
            if scanned == stop:
                page.last = body
                break
    page.scanned, page.size = scanned, size
    return page


def _rows(catalog: Catalog, search: _Search, past: LaggingView | None) -> Iterator[KeyedRow]:
    """The rows of the range, read as they are asked for."""
    if past is not None:
        return past.rows(search.index, search.low, search.high, forward=search.forward)
    return catalog.rows(search.store, search.low, search.high, forward=search.forward)


def _most_rows(request: dict[str, Any], limit: int | None) -> int:
    """How many rows a page has at most."""
    if "FilterExpression" in request:
        sizes = map(value_size, request.get(VALUES, {}).values())
        return most_rows(limit, tests_of(request["FilterExpression"]), sum(sizes))
    conditions = len(request.get("ScanFilter") or request.get("QueryFilter") or ())
    return most_rows(limit, conditions * _OLDER_TESTS)


def _view(execute: Execute, search: _Search, page: _Page, past: LaggingView | None) -> Callable[[bytes], Any] | None:
    """What the answer shows of a row, None for a row that the filter drops. No function where rows go out as they lie.

    A query of a local index that asks for more than the index holds reads each item from the table, for its price.
    """
    keep, projection = search.expressions.filter, search.expressions.projection
    fetch = _fetches(search)
    if keep is None and projection is None and not fetch:
        return None
    table = search.table

    tested = decoder_of(search.expressions.filter_attributes)
    shown = decoder_of(search.expressions.projection_attributes)

    def fetched(body: bytes) -> bytes:
        key = table.keys.encode(decode_item(body))
        row = table.store.get(execute, key)
        if past is not None:
            row = past.row(key, row)
        assert row is not None  # noqa: S101 - an index has no entry without its item
        page.fetched_units += read_units(row[0], search.request)
        return row[1]

    def show(body: bytes) -> Any:
        if fetch:
            body = fetched(body)
        if keep is not None and not keep(tested(body)):
            return None
        return msgspec.Raw(body) if projection is None else projection(shown(body))

    return show


def _fetches(search: _Search) -> bool:
    index = search.index
    if index is None or index.kept is None or index.is_global:
        return False
    select = search.request.get("Select")
    return select == "ALL_ATTRIBUTES" or not search.expressions.projection_attributes <= index.kept


def _answer(catalog: Catalog, search: _Search, page: _Page) -> dict[str, Any]:
    request, table, index = search.request, search.table, search.index
    answer: dict[str, Any] = {"Count": len(page.items), "ScannedCount": page.scanned}
    if request.get("Select") != "COUNT":
        answer["Items"] = page.items
    if page.last is not None:
        last = decode_item(page.last)
        key = table.keys.key_of(last)
        answer["LastEvaluatedKey"] = key if index is None else key | index.keys.key_of(last)
    units = read_units(page.size, request)
    charge = Charge(units) if index is None else Charge(page.fetched_units, {index.name: units})
    throughput.read(catalog, table, charge)
    consumed = report(request, table, charge)
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer
