"""Delete: remove an item."""

import msgspec

from dynamix.engine.actions.action import Guard, Outcome, current, erase
from dynamix.engine.actions.capacity import Charge
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.wire import Item


class Delete(msgspec.Struct, frozen=True):
    """Remove an item, if it exists."""

    table: Table
    key: bytes
    given: Item
    guard: Guard | None = None

    def run(self, catalog: Catalog) -> Outcome:
        row, old = current(catalog, self.table, self.key, self.guard)
        if row is None:
            return Outcome(None, None, Charge(1.0))
        return Outcome(row, None, erase(catalog, self.table, self.key, row, old))
