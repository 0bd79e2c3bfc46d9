"""Put: store a whole item."""

import msgspec

from dynamix.engine.actions import indexes, vectors
from dynamix.engine.actions.action import Guard, Outcome, current, write
from dynamix.engine.data.rows import encode_item
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.wire import Item


class Put(msgspec.Struct, frozen=True):
    """Store the item `given`, of `size` bytes, in place of the one with its key."""

    table: Table
    key: bytes
    given: Item
    size: int
    guard: Guard | None = None

    def run(self, catalog: Catalog) -> Outcome:
        indexes.check_index_keys(self.table, self.given)
        vectors.check(self.table, self.given)
        row, old = current(catalog, self.table, self.key, self.guard)
        new = (self.size, encode_item(self.given))
        return Outcome(row, new, write(catalog, self.table, self.key, row, old, new, self.given))
