"""Check: see whether an item meets a condition, and change nothing."""

import msgspec

from dynamix.engine.actions.action import Guard, Outcome, current
from dynamix.engine.actions.capacity import Charge, write_units
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.wire import Item


class Check(msgspec.Struct, frozen=True):
    """Only check the condition."""

    table: Table
    key: bytes
    given: Item
    guard: Guard | None

    def run(self, catalog: Catalog) -> Outcome:
        row, _ = current(catalog, self.table, self.key, self.guard)
        return Outcome(row, row, Charge(write_units(row[0] if row else 0, 0)))
