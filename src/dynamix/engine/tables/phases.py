"""The phases of tables and indexes that come and go: CREATING, UPDATING, DELETING, Backfilling.

Here a change of a table is done when it is answered. An engine that is told to delay statuses goes on telling of it for
a while, and refuses meanwhile what the service refuses. What is under way stands in the record of the table, of a table
that is gone in `leaving`; it ends by the clock, and nobody has to end it.

Source: Amazon DynamoDB API Reference, TableDescription and GlobalSecondaryIndexDescription; DynamoDB Developer Guide,
"Managing Global Secondary Indexes".
"""

from typing import Any

import msgspec

from dynamix.engine.faults import Fault, invalid
from dynamix.engine.tables.record import Change

IN_USE = "Attempt to change a resource which is still in use: "
_DOING = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}


class Phase(msgspec.Struct, frozen=True):
    """In which phase a table is: its status, those of indexes where they are not ACTIVE, whether one is filled.

    `gone` is as in `Change`.
    """

    status: str = "ACTIVE"
    indexes: dict[str, str] = {}
    backfilling: bool = False
    gone: tuple[str, dict[str, Any]] | None = None

    def is_creating(self, index: str | None) -> bool:
        """Whether an index is being made."""
        return index is not None and self.indexes.get(index) == "CREATING"

    def check_readable(self, index: str | None, filling: str) -> None:
        """Refuse to read an index that is being made; `filling` is what is said of one that is being filled."""
        if not self.is_creating(index):
            return
        if self.backfilling:
            raise invalid(f"{filling}: {index}")
        raise invalid(f"The table does not have the specified index: {index}")


SETTLED = Phase()


def phase_of(change: Change | None, now: int) -> Phase | None:
    """The phase that a change makes at a time in milliseconds since 1970; None where it is over."""
    if change is None or now >= change.until:
        return None
    if now < change.allocated:
        return Phase(change.status, change.indexes, gone=change.gone)
    creating = {name: status for name, status in change.indexes.items() if status == "CREATING"}
    return Phase(indexes=creating, backfilling=True)


def check_made(name: str, phase: Phase | None) -> None:
    """Refuse to change something of a table that is being made."""
    if phase is not None and phase.status == "CREATING":
        raise in_use(name, phase.status)


def check_deletable(name: str, phase: Phase | None) -> None:
    """Refuse to delete a table in whose description something comes and goes."""
    if phase is None:
        return
    if phase.backfilling:
        raise Fault(
            "ResourceInUseException",
            f"{IN_USE}Cannot delete table while indexes are being created, updated, or deleted.",
        )
    raise in_use(name, phase.status)


def check_updatable(name: str, phase: Phase | None, made: set[str], removed: set[str]) -> None:
    """Refuse to update a table in such a phase. An index that is being filled can be removed, which ends that.

    `made` and `removed` are the names of indexes.
    """
    if phase is None or (phase.backfilling and not made and any(map(phase.is_creating, removed))):
        return
    if phase.status == "CREATING":
        raise in_use(name, phase.status)
    early = next(filter(phase.is_creating, removed), None)
    if early is not None:
        raise Fault(
            "ResourceInUseException",
            f"{IN_USE}Index creation is in resource allocation phase. Retry deletion during backfilling phase or when "
            f"the index is active. Table: {name} Index: {early}",
        )
    if made or removed:
        raise Fault(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )
    raise in_use(name, "UPDATING")


def in_use(name: str, status: str) -> Fault:
    """The refusal to change what is changing."""
    return Fault("ResourceInUseException", f"{IN_USE}Table is being {_DOING[status]}: {name}")
