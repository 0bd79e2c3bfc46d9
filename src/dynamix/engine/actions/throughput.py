"""Whether there is the throughput that is taken, where the engine is told to look at that."""

from typing import Literal

from dynamix.engine.actions.action import Action, Outcome
from dynamix.engine.actions.capacity import Charge, write_units
from dynamix.engine.faults import Fault
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table

THROTTLED = {
    "ProvisionedThroughputExceededException": "ProvisionedThroughputExceeded",
    "ThrottlingException": "ThrottlingError",
}
"""The errors of requests for which there is not enough, by the codes that they have as one of several."""


def carry_out(catalog: Catalog, action: Action, *, transacted: bool = False) -> Outcome:
    """Run an action. Raises Fault, after which all is to be undone, where there is not enough for it.

    A condition that fails takes what a write of the item that is there would take.
    """
    if catalog.meter is None:
        return action.run(catalog)
    try:
        outcome = action.run(catalog)
    except Fault as fault:
        if fault.code == "ConditionalCheckFailedException":
            row = action.table.store.get(catalog.once, action.key)
            _take(catalog, action.table, "Write", Charge(write_units(row[0] if row else 0, 0)), transacted=transacted)
        raise
    _take(catalog, action.table, "Write", outcome.charge, transacted=transacted)
    return outcome


def carry_out_alone(catalog: Catalog, action: Action) -> Outcome:
    """As `carry_out`, for one of several actions that stand alone: where there is not enough it is undone by itself."""
    if catalog.meter is None:
        return action.run(catalog)
    catalog.once("SAVEPOINT alone")
    try:
        outcome = carry_out(catalog, action)
    except Fault:
        catalog.once("ROLLBACK TO alone")
        catalog.once("RELEASE alone")
        raise
    catalog.once("RELEASE alone")
    return outcome


def read(catalog: Catalog, table: Table, charge: Charge, *, transacted: bool = False) -> None:
    """Take what a read took. Raises Fault where there is not enough for it."""
    _take(catalog, table, "Read", charge, transacted=transacted)


def _take(catalog: Catalog, table: Table, kind: Literal["Read", "Write"], charge: Charge, *, transacted: bool) -> None:
    if catalog.meter is not None:
        units = charge.table * 2 if transacted else charge.table
        catalog.meter.take(table, kind, units, charge.indexes)
