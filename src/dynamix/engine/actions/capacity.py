"""Read and write capacity: what a request consumes, and how the answer tells it.

A read unit is 4 KB read consistently, half a unit when read eventually consistent, two in a transaction. A
write unit is 1 KB, two in a transaction. An index is charged for its own entries, in a transaction as elsewhere; an
index of vectors in bytes.

Source: DynamoDB Developer Guide, "DynamoDB read and write operations" and "Capacity considerations for global secondary
indexes".
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from dynamix.engine.tables.table import Table

_READ_BYTES = 4096
_WRITE_BYTES = 1024
_VECTOR_BYTES = 1024


class Charge(msgspec.Struct):
    """The units that a request took of a table and of its indexes, by the index's name, and the bytes that it took of
    its vector indexes."""

    table: float = 0.0
    indexes: dict[str, float] = {}
    vectors: dict[str, float] = {}

    def add(self, other: "Charge") -> None:
        """Take another charge on the same table into this one."""
        self.table += other.table
        for name, units in other.indexes.items():
            self.indexes[name] = self.indexes.get(name, 0.0) + units
        if other.vectors:
            names = self.vectors.keys() | other.vectors.keys()
            self.vectors = {name: self.vectors.get(name, 0.0) + other.vectors.get(name, 0.0) for name in names}


def read_units(size: int, request: Mapping[str, Any]) -> float:
    """The units of reading `size` bytes, at least one read."""
    blocks = -(-size // _READ_BYTES) or 1
    return float(blocks) if request.get("ConsistentRead") else blocks * 0.5


def write_units(old_size: int, new_size: int) -> float:
    """The units of replacing a row of one size by one of another; 0 stands for no row."""
    return float(-(-max(old_size, new_size) // _WRITE_BYTES) or 1)


def vector_bytes(size: int) -> float:
    """What a vector index counts for an entry that is written, or for what a search compares: at least a kilobyte."""
    return float(max(size, _VECTOR_BYTES))


def report(
    request: Mapping[str, Any], table: Table, charge: Charge, *, kind: str | None = None
) -> dict[str, Any] | None:
    """The `ConsumedCapacity` of one table, or None where the request does not ask for it.

    `kind`, "Read" or "Write", says that it is a transaction: the table's own units count twice, and the answer repeats
    all units under the name of their kind.
    """
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode == "NONE":
        return None
    answer: dict[str, Any] = {"TableName": table.name}
    own = charge.table if kind is None else charge.table * 2
    answer |= _units(own + sum(charge.indexes.values()), kind)
    if mode == "INDEXES":
        answer["Table"] = _units(own, kind)
        for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
            units = {
                index.name: _units(charge.indexes[index.name], kind)
                for index in table.indexes
                if index.is_global is is_global and index.name in charge.indexes
            }
            if units:
                answer[member] = units
        if charge.vectors:
            taken = {name: {"VectorWriteRequestBytes": count} for name, count in sorted(charge.vectors.items())}
            answer["VectorIndexes"] = taken
    return answer


def reports(
    request: Mapping[str, Any], charges: Iterable[tuple[Table, Charge]], *, kind: str | None = None
) -> list[dict[str, Any]] | None:
    """The `ConsumedCapacity` of several tables, or None where the request does not ask for it."""
    answers = [report(request, table, charge, kind=kind) for table, charge in charges]
    return [answer for answer in answers if answer is not None] or None


def _units(units: float, kind: str | None) -> dict[str, float]:
    return {"CapacityUnits": units} if kind is None else {"CapacityUnits": units, f"{kind}CapacityUnits": units}
