"""Update: change an item in place."""

import msgspec

from dynamix.codec.sizes import item_size
from dynamix.engine.actions import indexes, vectors
from dynamix.engine.actions.action import Guard, Outcome, current, write
from dynamix.engine.actions.capacity import Charge
from dynamix.engine.data.rows import Row, decode_item, encode_item
from dynamix.engine.data.values import resized
from dynamix.engine.evaluate.updates import TOO_LARGE, BoundUpdate
from dynamix.engine.faults import invalid
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.limits import ITEM_BYTES
from dynamix.wire import Item


class Update(msgspec.Struct, frozen=True):
    """Change an item in place; it comes into being where it does not exist, with the key attributes `given`.

    Raises Fault when it is made if the update cannot be, as far as that shows before the item is read.
    """

    table: Table
    key: bytes
    given: Item
    update: BoundUpdate | None
    guard: Guard | None = None

    def __post_init__(self) -> None:
        if self.update is None:
            return
        touched = self.update.attributes
        for name, _ in self.table.keys.attributes:
            if name in touched:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. "
                    "This attribute is part of the key"
                )
        if not touched.isdisjoint(self.table.index_attributes):
            indexes.check_index_types(self.table, self.update.known_types())

    def run(self, catalog: Catalog) -> Outcome:
        row, old = current(catalog, self.table, self.key, self.guard)
        update = self.update
        if row is None:
            if update is not None and not update.creates:
                update.check_missing(self.given)
                return Outcome(None, None, Charge(1.0))
            before, start = {}, self.given
        else:
            before = start = old if old is not None else decode_item(row[1])
        after = start if update is None else update.apply(start)
        if update is not None and not update.attributes.isdisjoint(self.table.index_attributes):
            indexes.check_index_keys(self.table, after, updated=True)
            vectors.check(self.table, after)
        size = _size(row, before, after, update)
        if size > ITEM_BYTES:
            raise invalid(TOO_LARGE)
        new = (size, encode_item(after))
        charge = write(catalog, self.table, self.key, row, before, new, after)
        return Outcome(row, new, charge, before, after)


def _size(row: Row | None, before: Item, after: Item, update: BoundUpdate | None) -> int:
    """The size of the item after the update, which differs from that of the row by what was touched."""
    if row is None:
        return item_size(after)
    return row[0] if update is None else resized(row[0], before, after, update.attributes)
