"""What the four actions have in common: the condition that guards an item, its row before and after, what it took.

An action (put, update, delete, check) is made of a table, a key and what its expressions ask for; it knows of no
request. It runs within the transaction that the caller has begun, and says what it did.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from dynamix.engine.actions import indexes, vectors
from dynamix.engine.actions.capacity import Charge, write_units
from dynamix.engine.actions.indexes import Version
from dynamix.engine.data.rows import Row, decode_item
from dynamix.engine.faults import Fault
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.wire import Item


class Guard(msgspec.Struct, frozen=True):
    """The condition on which an action is done: a test of the item, {} for none.

    `shows` says whether a refusal shows the item.
    """

    holds: Callable[[Item], bool]
    shows: bool = False


class Outcome(msgspec.Struct):
    """What an action did: the row before and after it, what it took, and of an update the item before and after."""

    old: Row | None
    new: Row | None
    charge: Charge
    before: Item | None = None
    after: Item | None = None


class Action(Protocol):
    """One action on one item. `given` has the attributes of the item's key, and of a put all others too."""

    @property
    def table(self) -> Table: ...

    @property
    def key(self) -> bytes: ...

    @property
    def given(self) -> Item: ...

    def run(self, catalog: Catalog) -> Outcome: ...


def current(catalog: Catalog, table: Table, key: bytes, guard: Guard | None) -> tuple[Row | None, Item | None]:
    """The item as it is: its row, and decoded where the guard had to see it. Raises Fault where that refuses."""
    row = table.store.get(catalog.once, key)
    if guard is None:
        return row, None
    item = decode_item(row[1]) if row else None
    if not guard.holds(item or {}):
        members: dict[str, Any] = {} if item is None or not guard.shows else {"Item": item}
        raise Fault("ConditionalCheckFailedException", "The conditional request failed", **members)
    return row, item


def write(
    catalog: Catalog, table: Table, key: bytes, old: Row | None, old_item: Item | None, new: Row, new_item: Item
) -> Charge:
    """Store a row in place of the old one, in the table and its indexes. `old_item` is decoded if not given."""
    old_size = old[0] if old else None
    table.store.put(catalog.once, key, new[0], new[1], old_size)
    charge = Charge(write_units(old_size or 0, new[0]))
    if table.is_followed:
        if table.log is not None:
            table.log.append(catalog.once, catalog.milliseconds(), key, old, new)
        if table.is_indexed:
            _follow(catalog, table, key, charge, _version(old, old_item), Version(new_item, new))
    return charge


def erase(
    catalog: Catalog, table: Table, key: bytes, old: Row, old_item: Item | None = None, *, expired: bool = False
) -> Charge:
    """Remove a row from the table and its indexes. `expired` says that its time to live had ended."""
    table.store.delete(catalog.once, key, old[0])
    charge = Charge(write_units(old[0], 0))
    if table.is_followed:
        if table.log is not None:
            table.log.append(catalog.once, catalog.milliseconds(), key, old, None, expired=expired)
        if table.is_indexed:
            _follow(catalog, table, key, charge, _version(old, old_item), None)
    return charge


def _version(row: Row | None, item: Item | None) -> Version | None:
    return None if row is None else Version(decode_item(row[1]) if item is None else item, row)


def _follow(
    catalog: Catalog, table: Table, key: bytes, charge: Charge, old: Version | None, new: Version | None
) -> None:
    """Bring indexes and expiry times after a change of an item."""
    charge.indexes = indexes.replace(catalog.once, table, key, old, new)
    if table.expiry_store is not None:
        indexes.replace_expiry(catalog.once, table, key, old and old.item, new and new.item)
    if table.vectors:
        vectors.replace(catalog.once, table, key, old, new, charge)
