"""What the requests of a block consume: `with dynamix.capacity() as used:`.

The service tells the units of an answer where it is asked to, so within a block every request of data asks. What fails
tells nothing, so what a failed condition consumes is not in the sums. Blocks may stand in each other; each counts.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import msgspec

from dynamix import context
from dynamix.errors import CapacityExceededError, InvalidQueryError

_TELLING = frozenset(
    {
        *("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems", "SearchVectors"),
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"),
        *("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
    }
)
"""The operations that tell what they consumed."""


class Capacity:
    """The units that the requests of a block consumed so far.

    `units` is their sum, `tables` that of each table by its name, `indexes` that of each part of it by the names of
    table and index, None being the table itself. `requests` is the number of answers, `untold` of those that did not
    tell.
    """

    def __init__(self, at_most: float | None = None) -> None:
        self.at_most = at_most
        self.units = 0.0
        self.tables: dict[str, float] = {}
        self.indexes: dict[tuple[str, str | None], float] = {}
        self.requests = 0
        self.untold = 0
        self._lock = threading.RLock()  # a signal's handler may come here while its thread is here

    def __repr__(self) -> str:
        lines = [f"{self.units:g} units in {self.requests} requests"]
        for (table, index), units in sorted(self.indexes.items(), key=lambda entry: (entry[0][0], entry[0][1] or "")):
            lines.append(f"  {table}{'' if index is None else ' / ' + index}: {units:g}")
        return "\n".join(lines)

    def check(self) -> None:
        """Raises CapacityExceededError where more was consumed than may be."""
        if self.at_most is not None and self.units > self.at_most:
            error = CapacityExceededError(f"the block consumed more than the {self.at_most:g} units it may: {self!r}")
            error.units = self.units
            raise error

    def add(self, told: "list[_Consumed] | None") -> None:
        """One more answer."""
        with self._lock:
            self.requests += 1
            if told is None:
                self.untold += 1
            for consumed in told or ():
                if consumed.table == "-":  # of a search in vectors, which consumes no units
                    continue
                self.units += consumed.units
                self.tables[consumed.table] = self.tables.get(consumed.table, 0.0) + consumed.units
                for index, units in consumed.parts():
                    place = consumed.table, index
                    self.indexes[place] = self.indexes.get(place, 0.0) + units


@contextlib.contextmanager
def capacity(at_most: float | None = None) -> Iterator[Capacity]:
    """Sums the units that the operations of a block consume, in this thread or task and those that asyncio starts.

    With `at_most`, CapacityExceededError is raised before the request that would follow once more was consumed, and
    else at the end of the block. Raises InvalidQueryError for other than a number above 0.
    """
    if at_most is not None and (isinstance(at_most, bool) or not isinstance(at_most, int | float) or not at_most > 0):
        raise InvalidQueryError(f"capacity() takes at_most= a number of units above 0, not {at_most!r}")
    used = Capacity(at_most)
    with context.changed(meters=(*context.in_force().meters, used)):
        yield used
    used.check()


class _Units(msgspec.Struct):
    units: float = msgspec.field(name="CapacityUnits", default=0.0)


class _Consumed(msgspec.Struct):
    """What an answer tells of one table."""

    table: str = msgspec.field(name="TableName", default="-")
    units: float = msgspec.field(name="CapacityUnits", default=0.0)
    own: _Units | None = msgspec.field(name="Table", default=None)
    local: dict[str, _Units] = msgspec.field(name="LocalSecondaryIndexes", default_factory=dict)
    others: dict[str, _Units] = msgspec.field(name="GlobalSecondaryIndexes", default_factory=dict)

    def parts(self) -> Iterator[tuple[str | None, float]]:
        """Its table and indexes, of which nothing need be told where there is one alone."""
        if self.own is not None and self.own.units:
            yield None, self.own.units
        for name, part in (*self.local.items(), *self.others.items()):
            if part.units:
                yield name, part.units
        if self.own is None and not self.local and not self.others:
            yield None, self.units


class _Answer(msgspec.Struct):
    consumed: _Consumed | list[_Consumed] | None = msgspec.field(name="ConsumedCapacity", default=None)


class _Asked(msgspec.Struct):
    asked: str | None = msgspec.field(name="ReturnConsumedCapacity", default=None)


_answer = msgspec.json.Decoder(_Answer).decode
_asked = msgspec.json.Decoder(_Asked).decode


def asking(target: str, body: bytes) -> bytes:
    """The body of a request, which asks what it consumes where the operation can tell."""
    if target not in _TELLING or _asked(body).asked is not None:
        return body
    return body[:-1] + (b"," if len(body) > 2 else b"") + b'"ReturnConsumedCapacity":"INDEXES"}'


def tell(meters: tuple[Any, ...], target: str, body: bytes) -> None:
    """Has the blocks count what an answer tells."""
    if target not in _TELLING:
        return
    try:
        found = _answer(body).consumed
    except msgspec.MsgspecError:  # whoever reads the answer refuses it
        found = None
    told = None if found is None else found if isinstance(found, list) else [found]
    for meter in meters:
        meter.add(told)
