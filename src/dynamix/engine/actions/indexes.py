"""What a table's indexes hold of its items: the entries of local and global indexes, and the expiry times.

An entry lies under the index's key bytes followed by the item's own key bytes, so entries with equal index keys have
an order and never collide. An item that lacks a key attribute of an index has no entry in it, and neither has one that
was there before the index with a key value that the index cannot hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from dynamix.codec.sizes import item_size
from dynamix.engine.actions.capacity import write_units
from dynamix.engine.data.keys import raw_bytes
from dynamix.engine.data.rows import Execute, KeyedRow, Row, decode_item, encode_item
from dynamix.engine.faults import Fault, Kind, invalid
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Index, Table
from dynamix.limits import PARTITION_KEY_BYTES, SORT_KEY_BYTES
from dynamix.wire import Item

EXPIRY_BYTES = 8


class Version(NamedTuple):
    """An item as it was or as it will be, with its row."""

    item: Item
    row: Row


def replace(execute: Execute, table: Table, key: bytes, old: Version | None, new: Version | None) -> dict[str, float]:
    """Bring all indexes from the old version of an item to the new one. Returns the write units that each took."""
    units = {}
    for index in table.indexes:
        if old is not None and new is not None and index.holds_alike(old.item, new.item):
            continue
        before, after = _entry_key(index, key, old), _entry_key(index, key, new)
        old_size = None
        taken = 0.0
        if old is not None and before is not None:
            old_size = _entry_size(index, old)
            if before != after:
                index.store.delete(execute, before, old_size)
                taken += write_units(old_size, 0)
                old_size = None
        if new is not None and after is not None:
            size, body = _entry_row(index, new)
            index.store.put(execute, after, size, body, old_size)
            taken += write_units(old_size or 0, size)
        if taken:
            units[index.name] = taken
    return units


def _entry_key(index: Index, key: bytes, version: Version | None) -> bytes | None:
    """Where the index has an entry for the item under `key`, None where it has none."""
    if version is None or not index.keys.held_by(version.item) or _oversized(index, version.item) is not None:
        return None
    return index.keys.encode(version.item) + key


def _entry_size(index: Index, version: Version) -> int:
    return version.row[0] if index.kept is None else item_size(index.project(version.item))


def _entry_row(index: Index, version: Version) -> Row:
    """What the index holds of an item: the very bytes of its row where that is all."""
    if index.kept is None:
        return version.row
    held = index.project(version.item)
    return item_size(held), encode_item(held)


def replace_expiry(execute: Execute, table: Table, key: bytes, old: Item | None, new: Item | None) -> None:
    """Note by when the item expires now."""
    expiry, store = table.record.expiry, table.expiry_store
    if expiry is None or store is None:
        return
    before = expiry_key(expiry.attribute, old, key)
    after = expiry_key(expiry.attribute, new, key)
    if before != after:
        if before is not None:
            store.delete(execute, before, 0)
        if after is not None:
            store.put(execute, after, 0, b"", None)


def expiry_key(attribute: str, item: Item | None, key: bytes) -> bytes | None:
    """Under which an item's expiry is noted: the second, eight bytes, and the item's key. None if it never expires."""
    text = item.get(attribute, {}).get("N") if item else None
    if text is None:
        return None
    seconds = int(Decimal(text))
    return seconds.to_bytes(EXPIRY_BYTES, "big") + key if 0 < seconds < 1 << 63 else None


def check_index_types(table: Table, types: Mapping[str, str]) -> None:
    """Refuse an update that gives an index key another type. `types` are those of whole attributes, where known."""
    for name, type_, index in table.index_keys:
        if types.get(name, type_) != type_:
            raise _mismatch(name, type_, types[name], index)


def check_index_keys(table: Table, item: Item, *, updated: bool = False) -> None:
    """Refuse an item whose attributes cannot be keys of the table's indexes. `updated` chooses UpdateItem's words."""
    for name, type_, index in table.index_keys:
        value = item.get(name)
        if value is None:
            continue
        if type_ not in value:
            if updated:
                raise invalid("The update expression attempted to update the secondary index key to unsupported type")
            raise _mismatch(name, type_, next(iter(value)), index)
        if not value[type_]:
            raise _empty_key(name, type_, index, updated=updated)
    for held in table.indexes:
        if held.keys.held_by(item):
            _check_sizes(held, item)


def _mismatch(name: str, expected: str, actual: str, index: str) -> Fault:
    return invalid(
        f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {expected} "
        f"Actual: {actual} IndexName: {index}"
    )


def _empty_key(name: str, type_: str, index: str, *, updated: bool) -> Fault:
    kind = "binary" if type_ == "B" else "string"
    refusal = f"The AttributeValue for a key attribute cannot contain an empty {kind} value."
    if updated:
        return invalid(
            "One or more parameter values are not valid. The update expression attempted to update a secondary index "
            f"key to a value that is not supported. {refusal}",
            Kind.EMPTY_KEY,
        )
    return invalid(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        f"{refusal} IndexName: {index}, IndexKey: {name}",
        Kind.EMPTY_KEY,
    )


def _check_sizes(index: Index, item: Item) -> None:
    found = _oversized(index, item)
    if found is not None:
        name, kind, most = found
        raise invalid(
            f"One or more parameter values were invalid: Size of {kind} has exceeded the maximum size limit "
            f"of {most} bytes. IndexName: {index.name}, IndexKey: {name}"
        )


def _oversized(index: Index, item: Item) -> tuple[str, str, int] | None:
    """The first key attribute of an index that is too large in an item: its name, its kind, and how large it may be."""
    for attributes, most, kind in (
        (index.keys.partition, PARTITION_KEY_BYTES, "hashkey"),
        (index.keys.sort, SORT_KEY_BYTES, "range key"),
    ):
        for name, type_ in attributes:
            text = item[name][type_]
            if type_ != "N" and len(text) * 4 > most and len(raw_bytes(item[name], type_)) > most:
                return name, kind, most
    return None


def versions(rows: Iterable[KeyedRow]) -> Iterator[tuple[bytes, Version]]:
    """Items by their keys, decoded one at a time: many at once would keep the collector of garbage busy."""
    return ((key, Version(decode_item(body), (size, body))) for key, size, body in rows)


def fill(execute: Execute, index: Index, items: Iterable[tuple[bytes, Version]]) -> None:
    """Make the entries of items that an index has none of yet; what it cannot hold is left out."""
    keyed = ((_entry_key(index, key, version), version) for key, version in items)
    entries = [(key, *_entry_row(index, version)) for key, version in keyed if key is not None]
    index.store.fill(execute, entries)


def fill_expiry(execute: Execute, table: Table, items: Iterable[tuple[bytes, Version]]) -> None:
    """Note by when items expire of which nothing is noted yet, if the table has a time to live."""
    expiry, store = table.record.expiry, table.expiry_store
    if expiry is None or store is None:
        return
    noted = (expiry_key(expiry.attribute, version.item, key) for key, version in items)
    store.fill(execute, [(key, 0, b"") for key in noted if key is not None])


def backfill(catalog: Catalog, table: Table, index: Index) -> None:
    """Fill a new index from the table's items. Nobody may know of the index yet: others read meanwhile."""
    for piece in catalog.pieces(table.store, table.piece_rows):
        fill(catalog.execute, index, versions(piece))


def entry_of(index: Index, key: bytes, row: Row) -> KeyedRow | None:
    """The entry that an index has of a row of its table, if it has one."""
    version = Version(decode_item(row[1]), row)
    entry_key = _entry_key(index, key, version)
    return None if entry_key is None else (entry_key, *_entry_row(index, version))
