"""What a table's indexes hold of its items: the entries of local and global indexes, and the expiry times.

An entry lies under the index's key bytes followed by the item's own key bytes, so entries with equal index keys have
an order and never collide. An item that lacks a key attribute of an index has no entry in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from dynamix.engine.capacity import write_units
from dynamix.engine.catalog import Index, Table
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.keys import raw_bytes
from dynamix.engine.rows import FIRST, LAST, Execute
from dynamix.engine.values import item_size
from dynamix.limits import PARTITION_KEY_BYTES, SORT_KEY_BYTES
from dynamix.wire import AttributeValue, Item

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, AttributeValue]).decode


EXPIRY_BYTES = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index holds of one item."""

    key: bytes
    size: int
    item: bytes


def entry(index: Index, key: bytes, item: Item | None) -> Entry | None:
    """The index's entry for the item under `key`, None where it has none."""
    if item is None or not index.keys.held_by(item):
        return None
    held = index.project(item)
    return Entry(index.keys.encode(item) + key, item_size(held), _encode(held))


def replace(execute: Execute, table: Table, key: bytes, old: Item | None, new: Item | None) -> dict[str, float]:
    """Bring all indexes from the old item to the new one. Returns the write units that each index took."""
    units = {}
    for index in table.indexes:
        before = entry(index, key, old)
        after = entry(index, key, new)
        if before == after:
            continue
        taken = 0.0
        in_place = before is not None and after is not None and before.key == after.key
        if before is not None and not in_place:
            index.store.delete(execute, before.key, before.size)
            taken += write_units(before.size, 0)
        if after is not None:
            old_size = before.size if before is not None and in_place else None
            index.store.put(execute, after.key, after.size, after.item, old_size)
            taken += write_units(old_size or 0, after.size)
        units[index.name] = taken
    return units


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
            f"key to a value that is not supported. {refusal}"
        )
    return invalid(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        f"{refusal} IndexName: {index}, IndexKey: {name}"
    )


def _check_sizes(index: Index, item: Item) -> None:
    for attributes, most, kind in (
        (index.keys.partition, PARTITION_KEY_BYTES, "hashkey"),
        (index.keys.sort, SORT_KEY_BYTES, "range key"),
    ):
        for name, type_ in attributes:
            if type_ != "N" and len(raw_bytes(item[name], type_)) > most:
                raise invalid(
                    f"One or more parameter values were invalid: Size of {kind} has exceeded the maximum size limit "
                    f"of {most} bytes. IndexName: {index.name}, IndexKey: {name}"
                )


def backfill(execute: Execute, table: Table, index: Index) -> None:
    """Fill a new index from the table's items. Items whose key values the index cannot hold are left out."""
    for key, _, body in table.store.between(execute, FIRST, LAST):
        item = _decode(body)
        if not index.keys.held_by(item) or not _fits(index, item):
            continue
        made = entry(index, key, item)
        if made is not None:
            index.store.put(execute, made.key, made.size, made.item, None)


def _fits(index: Index, item: Item) -> bool:
    try:
        _check_sizes(index, item)
    except Fault:
        return False
    return True
