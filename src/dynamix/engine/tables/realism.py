"""What the service takes its time for, and the engine only where it is told so."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol


class Meter(Protocol):
    """Says whether there is enough throughput (see meter.py)."""

    def take(self, table: Any, kind: Literal["Read", "Write"], units: float, indexes: Mapping[str, float]) -> None: ...


class Realism(NamedTuple):
    """For how many milliseconds a change of a table is told as being under way, by how many reads lag behind where they
    may, and what throttles, if anything."""

    delay: int = 0
    lag: int = 0
    meter: Meter | None = None


AT_ONCE = Realism()
