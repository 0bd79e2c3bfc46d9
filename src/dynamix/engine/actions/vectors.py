"""What a table's vector indexes hold of its items.

An index has a row for each item with a vector and, where its search schema has a HASH attribute, with that. A write of
a vector, or of an attribute of a search schema, that the index cannot hold is refused; an item that was there before
the index, with such a value, has no row.

What a change costs an index is counted in bytes, and only where that changes what the index holds: the 32-bit floats of
the vector, and the other attributes of its projection.

Sources: Amazon DynamoDB API Reference, PutItem; DynamoDB Developer Guide, "Vector indexes".
"""

from collections.abc import Iterable
from typing import NamedTuple

from dynamix.codec.sizes import item_size, text_size, value_size
from dynamix.engine.actions.capacity import Charge, vector_bytes, write_units
from dynamix.engine.actions.indexes import Version, versions
from dynamix.engine.data.keys import raw_bytes
from dynamix.engine.data.rows import Execute
from dynamix.engine.faults import Fault, Kind, invalid
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.engine.tables.vector_index import VectorIndex
from dynamix.engine.vectors.floats import is_float, packed
from dynamix.engine.vectors.rows import mark
from dynamix.limits import PARTITION_KEY_BYTES
from dynamix.wire import Item

_FLOAT = "Expected: 32-bit floating point number"


class _Vector(NamedTuple):
    """An indexed vector of an item, and by how much its list of numbers is larger than its floats."""

    floats: bytes
    packing: int


class _Held(NamedTuple):
    """What an index holds of an item: the row that is searched, and the other attributes."""

    marks: bytes
    floats: bytes
    others: Item
    size: int


def check(table: Table, item: Item) -> None:
    """Refuse an item that a vector index of the table cannot hold."""
    for index in table.vectors:
        _check_vector(index, item)
        for name, type_ in index.schema:
            value = item.get(name)
            if value is not None and type_ not in value:
                raise invalid(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                    f"Expected: {type_} Actual: {next(iter(value))} IndexName: {index.name}"
                )
            if value is not None and name == index.partition:
                _check_partition(index, name, type_, item)


def _check_vector(index: VectorIndex, item: Item) -> None:
    name, dimensions = index.attribute, index.dimensions
    value = item.get(name)
    if value is None or packed(value, dimensions) is not None:
        return
    if "L" not in value:
        raise _wrong(f"Invalid type for parameter {name}, {_FLOAT} list IndexName: {index.name}")
    elements = value["L"]
    if len(elements) != dimensions:
        sizes = f"Expected: {dimensions}, Actual: {len(elements)}"
        raise _wrong(f"Invalid size for parameter {name}, {sizes} IndexName: {index.name}")
    place = next(place for place, element in enumerate(elements) if not is_float(element))
    actual = next(iter(elements[place]))
    raise _wrong(f"Invalid type for parameter {name}[{place}], {_FLOAT}, Actual: {actual}. IndexName: {index.name}")


def _wrong(problem: str) -> Fault:
    return invalid(f"One or more parameter values were invalid. {problem}")


def _check_partition(index: VectorIndex, name: str, type_: str, item: Item) -> None:
    size = len(raw_bytes(item[name], type_))
    if not size:
        kind = "binary" if type_ == "B" else "string"
        raise invalid(
            "One or more parameter values are not valid. A value specified for a secondary index key is not "
            f"supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. "
            f"IndexName: {index.name}, IndexKey: {name}",
            Kind.EMPTY_KEY,
        )
    if size > PARTITION_KEY_BYTES:
        raise invalid(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of "
            f"{PARTITION_KEY_BYTES} bytes. IndexName: {index.name}, IndexKey: {name}"
        )


def replace(
    execute: Execute, table: Table, key: bytes, old: Version | None, new: Version | None, charge: Charge
) -> None:
    """Bring all vector indexes from the old version of an item to the new one.

    The charge of the table becomes that of an item whose indexed vectors are stored as floats.
    """
    before, after = _vectors(table, old), _vectors(table, new)
    for index in table.vectors:
        taken = _replace_row(execute, index, key, old, new, before.get(index.attribute), after.get(index.attribute))
        if taken:
            charge.vectors = {**charge.vectors, index.name: taken}
    charge.table = write_units(_packed_size(old, before), _packed_size(new, after))


def fill(execute: Execute, table: Table, index: VectorIndex, items: Iterable[tuple[bytes, Version]]) -> None:
    """Make the rows of items that a vector index has none of yet; what it cannot hold is left out."""
    count = total = packing = 0
    for key, version in items:
        vector = _vectors(table, version).get(index.attribute)
        held = _held(index, version, vector)
        if vector is not None:
            packing += vector.packing
        if held is not None:
            index.rows.put(execute, key, held.marks, held.floats)
            count += 1
            total += held.size
    index.rows.count(execute, count, total, packing, changed=True)


def backfill(catalog: Catalog, table: Table, index: VectorIndex) -> None:
    """Fill a new vector index from the table's items. Nobody may know of the index yet: others read meanwhile."""
    for piece in catalog.pieces(table.store, table.piece_rows):
        fill(catalog.execute, table, index, versions(piece))


def _replace_row(
    execute: Execute,
    index: VectorIndex,
    key: bytes,
    old: Version | None,
    new: Version | None,
    old_vector: _Vector | None,
    new_vector: _Vector | None,
) -> float:
    """Returns the bytes that the change takes of the index, 0 if it changes nothing there."""
    before, after = _held(index, old, old_vector), _held(index, new, new_vector)
    packing = (new_vector.packing if new_vector else 0) - (old_vector.packing if old_vector else 0)
    if before == after:
        if packing:
            index.rows.count(execute, 0, 0, packing, changed=False)
        return 0.0
    moved = before is None or after is None or before[:2] != after[:2]
    old_size, new_size = before.size if before else 0, after.size if after else 0
    index.rows.count(execute, bool(after) - bool(before), new_size - old_size, packing, changed=moved)
    if after is None:
        index.rows.delete(execute, key)
    elif moved:
        index.rows.put(execute, key, after.marks, after.floats)
    return vector_bytes(max(old_size, new_size))


def _held(index: VectorIndex, version: Version | None, vector: _Vector | None) -> _Held | None:
    """What the index holds of an item, None where it has no row of it."""
    if version is None or vector is None:
        return None
    item = version.item
    if any(type_ not in item.get(name, {type_: ""}) for name, type_ in index.schema):
        return None
    partition = index.partition
    if partition is not None and not _fits(item, partition, dict(index.schema)[partition]):
        return None
    others = index.project(item)
    marks = b"".join([mark(item.get(name)) for name, _ in index.schema])
    size = text_size(index.attribute) + len(vector.floats) + item_size(others)
    return _Held(marks, vector.floats, others, size)


def _fits(item: Item, partition: str, type_: str) -> bool:
    return partition in item and 0 < len(raw_bytes(item[partition], type_)) <= PARTITION_KEY_BYTES


def _vectors(table: Table, version: Version | None) -> dict[str, _Vector]:
    """The indexed vectors of an item."""
    if version is None:
        return {}
    item = version.item
    floats: dict[str, bytes] = {}
    for index in table.vectors:
        if index.attribute not in floats:
            found = packed(item.get(index.attribute), index.dimensions)
            if found is not None:
                floats[index.attribute] = found
    if len(floats) == 1:  # the lists are long: what the rest leaves of the item's size is found sooner
        ((name, found),) = floats.items()
        rest = item_size({other: value for other, value in item.items() if other != name})
        return {name: _Vector(found, version.row[0] - rest - text_size(name) - len(found))}
    return {name: _Vector(found, value_size(item[name]) - len(found)) for name, found in floats.items()}


def _packed_size(version: Version | None, vectors: dict[str, _Vector]) -> int:
    """The size of an item whose vectors are floats, 0 for none."""
    return version.row[0] - sum(vector.packing for vector in vectors.values()) if version else 0
