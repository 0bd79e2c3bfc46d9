"""SELECT: a page of what a statement asks for.

A page ends at `Limit` rows or 1 MB looked at, like that of a query or scan; where a statement names several partitions,
also at ten items found. Its token names the last row that was looked at, and the statement that it belongs to.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from dynamix.codec.sizes import value_size
from dynamix.engine.actions.capacity import Charge, read_units
from dynamix.engine.actions.lag import LaggingView, past_of
from dynamix.engine.data.keys import KeySchema
from dynamix.engine.data.rows import FIRST, LAST, Execute, KeyedRow, decode_item
from dynamix.engine.evaluate.conditions import compile_condition
from dynamix.engine.evaluate.pages import most_rows, tests_of
from dynamix.engine.evaluate.paths import reader
from dynamix.engine.faults import invalid
from dynamix.engine.partiql.keys import Range, attributes, ranges
from dynamix.engine.partiql.parse import result_name
from dynamix.engine.partiql.statements import Select
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Index, Table
from dynamix.expressions.nodes import Path
from dynamix.limits import PAGE_BYTES
from dynamix.wire import Item

_ITEMS_OF_SEVERAL = 10
_STRAY = "Invalid NextToken"


class Page(msgspec.Struct):
    """What was read: the items to answer with, what it took, and the key of the last row where more may follow."""

    items: list[Any]
    charge: Charge
    last: Item | None = None
    token: str | None = None


class Selection:
    """A SELECT on its table, ready to read a page. Raises Fault where the table cannot answer it."""

    def __init__(self, catalog: Catalog, select: Select, request: dict[str, Any]) -> None:
        self.table: Table = catalog.table(select.table)
        self._select = select
        self._request = request
        self.table.check_readable(select.index, "Scan")
        self._index: Index | None = None if select.index is None else self.table.index(select.index)
        schema = self._schema
        found = ranges(select.where, schema)
        self._keyed = found is not None
        self._ranges: list[Range] = [(FIRST, LAST)] if found is None else found
        self._forward = self._order(schema)
        self._check_index()

    @property
    def _schema(self) -> KeySchema:
        return self.table.keys if self._index is None else self._index.keys

    def _order(self, schema: KeySchema) -> bool:
        """Whether rows are read in the order of their keys."""
        order = self._select.order
        if not order:
            return True
        if not self._keyed:
            raise invalid(
                "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
            )
        for each in order:
            if each.name not in schema.names:
                raise invalid(f"Variable reference {each.name} in ORDER BY clause must be part of the primary key")
        last = order[-1]
        partition = {name for name, _ in schema.partition}
        for each in order:
            if each.name in partition and len(self._ranges) > 1 and each.ascending != last.ascending:
                raise invalid("ORDER BY takes one direction where a statement names several partitions")
        return last.ascending

    def _check_index(self) -> None:
        index = self._index
        if index is None:
            return
        if index.is_global and self._request.get("ConsistentRead"):
            raise invalid("Consistent reads are not supported on global secondary indexes")
        if len(index.keys.partition) > 1 or len(index.keys.sort) > 1:
            raise invalid(
                f"PartiQL does not support multi-attribute keys: read the index {index.name} by Query or Scan instead"
            )
        if index.kept is None or not index.is_global:
            return
        unseen = sorted(attributes(self._select.where) - index.kept) if self._keyed else []
        if unseen:
            raise invalid(
                f"One or more parameter values were invalid: Secondary index {index.name} does not project one or "
                f"more filter attributes: [{', '.join(unseen)}]"
            )
        lacking = sorted({str(path.parts[0]) for path in self._select.paths} - index.kept)
        if lacking:
            raise invalid(
                f"One or more parameter values were invalid: Global secondary index {index.name} does not "
                f"project [{', '.join(lacking)}]"
            )

    def page(self, catalog: Catalog) -> Page:
        """The page that follows the request's token, or the first."""
        limit = self._most_rows()
        several = len(self._ranges) > 1
        past = past_of(catalog, self.table, self._index, self._request)
        show = self._view(catalog.execute, past)
        items: list[Any] = []
        fetched = Charge()
        scanned = size = 0
        last: tuple[bytes, bytes] | None = None
        for low, high in self._remaining():
            for key, row_size, body in self._rows(catalog, past, low, high):
                scanned += 1
                size += row_size
                shown = show(body, fetched)
                if shown is not None:
                    items.append(shown)
                if scanned == limit or size > PAGE_BYTES or (several and len(items) == _ITEMS_OF_SEVERAL):
                    last = key, body
                    break
            if last is not None:
                break
        units = read_units(size, self._request)
        charge = Charge(units) if self._index is None else Charge(fetched.table, {self._index.name: units})
        if last is None:
            return Page(items, charge)
        return Page(items, charge, self._key_of(decode_item(last[1])), self._token(last[0]))

    def _rows(self, catalog: Catalog, past: LaggingView | None, low: bytes, high: bytes) -> Iterator[KeyedRow]:
        if past is not None:
            return past.rows(self._index, low, high, forward=self._forward)
        store = self.table.store if self._index is None else self._index.store
        return catalog.rows(store, low, high, forward=self._forward)

    def _most_rows(self) -> int | None:
        limit: int | None = self._request.get("Limit")
        if self._select.where is None and not self._select.paths:
            return limit
        sizes = map(value_size, self._request.get("Parameters", ()))
        return most_rows(limit, tests_of(self._request["Statement"]), sum(sizes))

    def _key_of(self, item: Item) -> Item:
        key = self.table.keys.key_of(item)
        return key if self._index is None else key | self._index.keys.key_of(item)

    def _view(self, execute: Execute, past: LaggingView | None) -> Callable[[bytes, Charge], Any]:
        where, index, table = self._select.where, self._index, self.table
        keep = None if where is None else compile_condition(where)({})
        project = _projection(self._select.paths)
        fetches = (
            index is not None
            and not index.is_global
            and index.kept is not None
            and not {str(path.parts[0]) for path in self._select.paths} | attributes(where) <= index.kept
        )

        def show(body: bytes, charge: Charge) -> Any:
            if keep is None and project is None:
                return msgspec.Raw(body)
            item = decode_item(body)
            if fetches:
                key = table.keys.encode(item)
                row = table.store.get(execute, key)
                if past is not None:
                    row = past.row(key, row)
                assert row is not None  # noqa: S101 - an index has no entry without its item
                charge.table += read_units(row[0], self._request)
                item = decode_item(row[1])
            if keep is not None and not keep(item):
                return None
            return msgspec.Raw(body) if project is None else project(item)

        return show

    def _remaining(self) -> list[Range]:
        """The ranges that the request's token leaves, in the order in which they are read."""
        token = self._request.get("NextToken")
        found = self._ranges if self._forward else self._ranges[::-1]
        if token is None:
            return found
        key = self._read_token(token)
        if self._forward:
            return [(max(low, key + b"\x00"), high) for low, high in found if high > key]
        return [(low, min(high, key)) for low, high in found if low < key]

    def _token(self, key: bytes) -> str:
        return urlsafe_b64encode(self._digest() + key).decode()

    def _read_token(self, token: str) -> bytes:
        try:
            content = urlsafe_b64decode(token)
        except ValueError as error:
            raise invalid(_STRAY) from error
        digest = self._digest()
        if not content.startswith(digest):
            raise invalid(_STRAY)
        return content[len(digest) :]

    def _digest(self) -> bytes:
        """What a token and its statement have in common."""
        content = [self._request["Statement"], self._request.get("Parameters"), self.table.id]
        return blake2b(msgspec.json.encode(content, order="deterministic"), digest_size=16).digest()


def _projection(paths: tuple[Path, ...]) -> Callable[[Item], Item] | None:
    """The function that gives what an answer shows of an item, by the last names of the paths; None for all of it."""
    if not paths:
        return None
    readers = [(result_name(path), reader(path)) for path in paths]

    def project(item: Item) -> Item:
        shown = {}
        for name, read in readers:
            value = read(item)
            if value is not None:
                shown[name] = value
        return shown

    return project


def project(select: Select, item: Item) -> Item:
    """What a SELECT shows of one item."""
    shown = _projection(select.paths)
    return item if shown is None else shown(item)
