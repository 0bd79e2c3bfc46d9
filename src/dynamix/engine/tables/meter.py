"""How much throughput there is of tables and indexes, and whether there is enough for what a request takes.

Each table and each global index has a bucket for reads and one for writes. It fills at the rate that is provisioned, to
what comes in five minutes; a new one has what comes in a second. A request is served while there is what it takes, or
what comes in a second; what it takes beyond that is owed. Local indexes share the buckets of their table. A table that
is paid for by request has limits only where it was given some, and saves nothing up.

The buckets are in the memory of one engine.

Source: DynamoDB Developer Guide, "Burst and adaptive capacity", "DynamoDB maximum throughput for on-demand tables";
Amazon DynamoDB API Reference, ThrottlingReason.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from dynamix.engine.faults import Fault
from dynamix.engine.tables.billing import is_on_demand
from dynamix.engine.tables.table import Table

Kind = Literal["Read", "Write"]

_SAVED_SECONDS = 300
_ENOUGH = 1e-9
"""What the sums of fractions may lack."""
_OF_TABLE = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning "
    "level with the UpdateTable API."
)
_OF_INDEXES = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the "
    "UpdateTable API"
)
_ON_DEMAND = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"


class _Asked(NamedTuple):
    """What is asked of one bucket, and at which rate it fills. `name` is that of an index, empty for the table."""

    name: str
    arn: str
    units: float
    rate: float

    @property
    def needed(self) -> float:
        return min(self.units, self.rate)


class Meter:
    """The buckets of one engine, by its clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[int, str, Kind], tuple[float, float]] = {}

    def take(self, table: Table, kind: Kind, units: float, indexes: Mapping[str, float]) -> None:
        """Take units of a table, and of its indexes by their names. Raises Fault, and takes nothing, where one lacks
        them."""
        on_demand = is_on_demand(table.record.description)
        asked = list(_asked(table, kind, units, indexes, on_demand=on_demand))
        if not asked:
            return
        now = self._clock()
        with self._lock:
            left = {each: self._left(table.id, kind, each, now, saves=not on_demand) for each in asked}
            lacking = [each for each in asked if left[each] + _ENOUGH < each.needed]
            for each in asked:
                taken = 0.0 if lacking else each.units
                self._buckets[table.id, each.name, kind] = left[each] - taken, now
        if lacking:
            raise _throttled(kind, lacking, on_demand=on_demand)

    def _left(self, table: int, kind: Kind, asked: _Asked, now: float, *, saves: bool) -> float:
        balance, since = self._buckets.get((table, asked.name, kind), (asked.rate, now))
        most = asked.rate * (_SAVED_SECONDS if saves else 1)
        return min(most, balance + max(now - since, 0.0) * asked.rate)


def _asked(
    table: Table, kind: Kind, units: float, indexes: Mapping[str, float], *, on_demand: bool
) -> Iterator[_Asked]:
    description = table.record.description
    described = {entry["IndexName"]: entry for entry in description.get("GlobalSecondaryIndexes", ())}
    own = units + sum(taken for name, taken in indexes.items() if name not in described)
    wanted = [("", description["TableArn"], own, description)]
    wanted += [
        (name, described[name]["IndexArn"], taken, described[name])
        for name, taken in indexes.items()
        if name in described
    ]
    for index, arn, taken, described_as in wanted:
        rate = _rate(described_as, kind, on_demand=on_demand)
        if taken and rate is not None:
            yield _Asked(index, arn, taken, rate)


def _rate(described: dict[str, Any], kind: Kind, *, on_demand: bool) -> float | None:
    """The units in a second that a table or an index has, None for no limit."""
    if not on_demand:
        return float(described["ProvisionedThroughput"][f"{kind}CapacityUnits"])
    units = described.get("OnDemandThroughput", {}).get(f"Max{kind}RequestUnits", -1)
    return None if units == -1 else float(units)


def _throttled(kind: Kind, lacking: list[_Asked], *, on_demand: bool) -> Fault:
    limit = "MaxOnDemandThroughputExceeded" if on_demand else "ProvisionedThroughputExceeded"
    reasons = [
        {"reason": f"{'Index' if each.name else 'Table'}{kind}{limit}", "resource": each.arn} for each in lacking
    ]
    if on_demand:
        return Fault("ThrottlingException", _ON_DEMAND, throttlingReasons=reasons)
    of_table = any(not each.name for each in lacking)
    message = _OF_TABLE if of_table else _OF_INDEXES
    return Fault("ProvisionedThroughputExceededException", message, ThrottlingReasons=reasons)
