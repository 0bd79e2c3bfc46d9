"""The changes of one item: put, update, delete, and the check of a condition.

A change is made from its request, which checks all that can be known without the table. `locate` finds its table and
key; `run` then makes the change within the running transaction and says what it did. The single operations, the
batches and the transactions all work with these.
"""

from typing import Any, Protocol

import msgspec

from dynamix.engine.actions import indexes
from dynamix.engine.actions.capacity import Charge, write_units
from dynamix.engine.actions.indexes import Version
from dynamix.engine.data.rows import Row
from dynamix.engine.data.values import check_item, item_size, measured_item, resized
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.requests.expressions import Expressions, check_parameters, read
from dynamix.engine.tables.catalog import Catalog, Table
from dynamix.limits import ITEM_BYTES
from dynamix.wire import AttributeValue, Item

_encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(dict[str, AttributeValue]).decode


class Outcome(msgspec.Struct):
    """What a change did: the row before and after it, and what it took."""

    old: Row | None = None
    new: Row | None = None
    charge: Charge = msgspec.field(default_factory=Charge)


class Change(Protocol):
    """One action on one item."""

    table: Table
    key: bytes

    def locate(self, catalog: Catalog) -> None: ...

    def run(self, catalog: Catalog) -> Outcome: ...

    def item_key(self) -> Item: ...


class _Located:
    """What all changes share: their request, its expressions, and where the item is."""

    __slots__ = ("expressions", "key", "request", "table")

    expressions: Expressions
    table: Table
    key: bytes

    def __init__(self, target: str, request: dict[str, Any]) -> None:
        self.request = request
        check_parameters(target, request)

    def current(self, catalog: Catalog) -> tuple[Row | None, Item | None]:
        """The item as it is: its row, and decoded where the condition had to see it. Raises where that fails."""
        row = self.table.store.get(catalog.once, self.key)
        condition = self.expressions.condition
        if condition is None:
            return row, None
        item = decode_item(row[1]) if row else None
        if not condition(item or {}):
            raise self._refused(item)
        return row, item

    def _refused(self, item: Item | None) -> Fault:
        members: dict[str, Any] = {}
        if item is not None and self.request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            members["Item"] = item
        return Fault("ConditionalCheckFailedException", "The conditional request failed", **members)


def _check_returns(request: dict[str, Any]) -> None:
    if request.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD"):
        raise invalid("ReturnValues can only be ALL_OLD or NONE")


class Put(_Located):
    """Store a whole item."""

    __slots__ = ("_size", "item")

    def __init__(self, request: dict[str, Any], target: str = "Put") -> None:
        super().__init__(target, request)
        self.item, self._size = measured_item(request["Item"])
        _check_returns(request)
        if self._size > ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        self.expressions = read(target, request)

    def locate(self, catalog: Catalog) -> None:
        self.table = catalog.table(self.request["TableName"])
        self.key = self.table.keys.encode_item(self.item)
        self.table.check_scalars(self.expressions.entered)

    def item_key(self) -> Item:
        return self.table.keys.key_of(self.item)

    def run(self, catalog: Catalog) -> Outcome:
        indexes.check_index_keys(self.table, self.item)
        row, old = self.current(catalog)
        new = (self._size, _encode(self.item))
        charge = write(catalog, self.table, self.key, row, old, new, self.item)
        return Outcome(row, new, charge)


class _Keyed(_Located):
    """A change of the item with a given key."""

    __slots__ = ("given",)

    def __init__(self, request: dict[str, Any], target: str) -> None:
        super().__init__(target, request)
        self.given = check_item(request["Key"])
        self.expressions = read(target, request)

    def locate(self, catalog: Catalog) -> None:
        self.table = catalog.table(self.request["TableName"])
        self.key = self.table.keys.encode_key(self.given)
        self._check_update()
        self.table.check_scalars(self.expressions.entered)

    def _check_update(self) -> None:
        """Refuse an update that cannot be, as far as that shows before the item is read."""

    def item_key(self) -> Item:
        return self.given


class Delete(_Keyed):
    """Remove an item, if it exists."""

    __slots__ = ()

    def __init__(self, request: dict[str, Any], target: str = "Delete") -> None:
        super().__init__(request, target)
        _check_returns(request)

    def run(self, catalog: Catalog) -> Outcome:
        row, old = self.current(catalog)
        if row is None:
            return Outcome(charge=Charge(1.0))
        return Outcome(row, None, erase(catalog, self.table, self.key, row, old))


class Check(_Keyed):
    """Only check the condition."""

    __slots__ = ()

    def __init__(self, request: dict[str, Any], target: str = "ConditionCheck") -> None:
        super().__init__(request, target)

    def run(self, catalog: Catalog) -> Outcome:
        row, _ = self.current(catalog)
        return Outcome(row, row, Charge(write_units(row[0] if row else 0, 0)))


class Update(_Keyed):
    """Change an item in place; it comes into being where it does not exist."""

    __slots__ = ("after", "before")

    def __init__(self, request: dict[str, Any], target: str = "Update") -> None:
        super().__init__(request, target)
        self.before: Item = {}
        self.after: Item = {}

    def _check_update(self) -> None:
        update = self.expressions.update
        if update is None:
            return
        for name, _ in self.table.keys.attributes:
            if name in update.attributes:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. "
                    "This attribute is part of the key"
                )
        if not update.attributes.isdisjoint(self.table.index_attributes):
            indexes.check_index_types(self.table, update.known_types())

    def run(self, catalog: Catalog) -> Outcome:
        row, old = self.current(catalog)
        if row is not None:
            self.before = old if old is not None else decode_item(row[1])
        update = self.expressions.update
        if row is None and update is not None and not update.creates:
            update.apply(self.given)  # its paths must fit all the same
            return Outcome(charge=Charge(1.0))
        start = self.before if row is not None else self.given
        self.after = start if update is None else update.apply(start)
        if update is not None and not update.attributes.isdisjoint(self.table.index_attributes):
            indexes.check_index_keys(self.table, self.after, updated=True)
        size = self._size(row)
        if size > ITEM_BYTES:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        new = (size, _encode(self.after))
        return Outcome(row, new, write(catalog, self.table, self.key, row, self.before, new, self.after))

    def _size(self, row: Row | None) -> int:
        """The size of the item after the update, which differs from that of the row by what was touched."""
        update = self.expressions.update
        if row is None:
            return item_size(self.after)
        return row[0] if update is None else resized(row[0], self.before, self.after, update.attributes)


def write(
    catalog: Catalog, table: Table, key: bytes, old: Row | None, old_item: Item | None, new: Row, new_item: Item
) -> Charge:
    """Store a row in place of the old one, in the table and its indexes. `old_item` is decoded if not given."""
    old_size = old[0] if old else None
    table.store.put(catalog.once, key, new[0], new[1], old_size)
    charge = Charge(write_units(old_size or 0, new[0]))
    if table.indexes or table.expiry_store:
        _follow(catalog, table, key, charge, _version(old, old_item), Version(new_item, new))
    return charge


def erase(catalog: Catalog, table: Table, key: bytes, old: Row, old_item: Item | None = None) -> Charge:
    """Remove a row from the table and its indexes."""
    table.store.delete(catalog.once, key, old[0])
    charge = Charge(write_units(old[0], 0))
    if table.indexes or table.expiry_store:
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
