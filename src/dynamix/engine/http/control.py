"""What a test may do with a server that it started: begin anew, go back, move the clock, and break things on purpose.

Requests are POSTs of JSON to `/_control/NAME`; the answer is JSON, with status 200, or 400 and a message. Nothing of it
is there unless the server was told so.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from dynamix.engine.broken import Breakage, Broken
from dynamix.engine.http.work import Handler, Outcome

PATH = b"/_control/"
_ENCODER = msgspec.json.Encoder()
_DESCRIBED_ONLY = frozenset(
    (
        "TableStatus",
        "CreationDateTime",
        "TableSizeBytes",
        "ItemCount",
        "TableArn",
        "TableId",
        "IndexStatus",
        "IndexSizeBytes",
        "IndexArn",
        "Backfilling",
        "LatestStreamArn",
        "LatestStreamLabel",
        "NumberOfDecreasesToday",
        "LastIncreaseDateTime",
        "LastDecreaseDateTime",
        "ArchivalSummary",
        "Replicas",
        "GlobalTableVersion",
        "SSEDescription",
        "RestoreSummary",
        "WarmThroughput",
    )
)
"""What DescribeTable tells beside what CreateTable takes."""


class Clock:
    """The time as the engine sees it: that of the machine, moved, or standing still."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._now: float | None = None

    def __call__(self) -> float:
        return time.time() + self._ahead if self._now is None else self._now

    def set(self, *, now: float | None, ahead: float) -> None:
        """Stand still at `now`, in seconds since 1970, or go on `ahead` of the machine's clock by so many seconds."""
        self._now, self._ahead = now, ahead


class _Moved(msgspec.Struct, forbid_unknown_fields=True):
    now: float | None = None
    ahead: float = 0.0


class _Named(msgspec.Struct, forbid_unknown_fields=True):
    name: str = "default"


class _Faults(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[Broken]


class _Seed(msgspec.Struct, forbid_unknown_fields=True):
    tables: list[dict[str, Any]] = []
    items: dict[str, list[dict[str, Any]]] = {}


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Kept(Protocol):
    """A copy of all tables."""


class Controlled(Handler, Protocol):
    """The engine, as it can be controlled."""

    def snapshot(self) -> Any: ...

    def restore(self, snapshot: Any) -> None: ...

    def expire(self) -> int: ...

    def roll_shards(self) -> int: ...


class Control:
    """Controls an engine whose clock is `clock`; `empty` is a copy of an engine without tables."""

    def __init__(self, engine: Controlled, clock: Clock, empty: Kept) -> None:
        self._engine = engine
        self._clock = clock
        self._empty = empty
        self._snapshots: dict[str, Kept] = {}
        self.breakage = Breakage()
        self._verbs: dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]]]] = {
            "reset": (_Nothing, self._reset),
            "snapshot": (_Named, self._snapshot),
            "restore": (_Named, self._restore),
            "clock": (_Moved, self._move),
            "expire": (_Nothing, self._expire),
            "roll": (_Nothing, self._roll),
            "faults": (_Faults, self._break),
            "seed": (_Seed, self._seed),
        }

    def handle(self, verb: str, body: bytes) -> Outcome:
        """Carry out a request to `/_control/verb`, in any thread."""
        if verb not in self._verbs:
            return 404, _ENCODER.encode({"message": f"there is no {verb[:50]!r}: {', '.join(self._verbs)}"})
        shape, run = self._verbs[verb]
        try:
            return 200, _ENCODER.encode(run(msgspec.json.decode(body or b"{}", type=shape)))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return 400, _ENCODER.encode({"message": str(error)})

    def _reset(self, _: _Nothing) -> dict[str, Any]:
        """No tables, the machine's time, nothing that goes wrong; snapshots stay."""
        self._engine.restore(self._empty)
        self._clock.set(now=None, ahead=0.0)
        self.breakage.set(())
        return {}

    def _snapshot(self, given: _Named) -> dict[str, Any]:
        self._snapshots[given.name] = self._engine.snapshot()
        return {"snapshots": sorted(self._snapshots)}

    def _restore(self, given: _Named) -> dict[str, Any]:
        if given.name not in self._snapshots:
            raise ValueError(f"there is no snapshot {given.name!r}; those there are: {sorted(self._snapshots)}")
        self._engine.restore(self._snapshots[given.name])
        return {}

    def _move(self, given: _Moved) -> dict[str, Any]:
        if given.now is not None and given.ahead:
            raise ValueError("the clock either stands still at `now` or is `ahead`; give one of them")
        self._clock.set(now=given.now, ahead=given.ahead)
        return {"now": self._clock()}

    def _expire(self, _: _Nothing) -> dict[str, Any]:
        """Items whose time to live has passed are deleted now."""
        self._engine.expire()
        return {}

    def _roll(self, _: _Nothing) -> dict[str, Any]:
        """The open shards of all streams are closed, and children go on."""
        return {"closed": self._engine.roll_shards()}

    def _break(self, given: _Faults) -> dict[str, Any]:
        """These faults in place of those before."""
        self.breakage.set(given.faults)
        return {}

    def _seed(self, given: _Seed) -> dict[str, Any]:
        """Make tables as DescribeTable told of them, or CreateTable takes them, then store items."""
        for table in given.tables:
            self._ask("CreateTable", _creatable(table.get("Table", table)))
        for name, items in given.items.items():
            for first in range(0, len(items), 25):
                puts = [{"PutRequest": {"Item": item}} for item in items[first : first + 25]]
                self._ask("BatchWriteItem", {"RequestItems": {name: puts}})
        return {"tables": len(given.tables), "items": sum(map(len, given.items.values()))}

    def _ask(self, operation: str, request: dict[str, Any]) -> Any:
        """Raises ValueError with what the engine says where it refuses."""
        status, body = self._engine.handle(operation, _ENCODER.encode(request))
        told = msgspec.json.decode(body) if body else {}
        if status != 200:
            raise ValueError(f"{operation}: {told.get('message', told.get('Message', status))}")
        return told


def _creatable(described: dict[str, Any]) -> dict[str, Any]:
    """What CreateTable takes, from what it takes or what DescribeTable tells."""
    request = {name: value for name, value in described.items() if name not in _DESCRIBED_ONLY}
    mode = request.pop("BillingModeSummary", {}).get("BillingMode")
    request.setdefault("BillingMode", mode or ("PROVISIONED" if _is_paid(request) else "PAY_PER_REQUEST"))
    if "TableClassSummary" in request:
        request["TableClass"] = request.pop("TableClassSummary")["TableClass"]
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"):
        if member in request:
            request[member] = [
                {name: value for name, value in index.items() if name not in _DESCRIBED_ONLY}
                for index in request[member]
            ]
    for part in (request, *request.get("GlobalSecondaryIndexes", ())):
        throughput = part.pop("ProvisionedThroughput", None)
        if throughput is not None and request["BillingMode"] == "PROVISIONED":
            units = ("ReadCapacityUnits", "WriteCapacityUnits")
            part["ProvisionedThroughput"] = {name: throughput[name] for name in units if name in throughput}
    return request


def _is_paid(request: dict[str, Any]) -> bool:
    return bool(request.get("ProvisionedThroughput", {}).get("ReadCapacityUnits"))
