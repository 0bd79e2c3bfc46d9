"""What is stored of a table: its description as DescribeTable gives it, less what is counted, and the numbers of its
row stores."""

from typing import Any

import msgspec

DAY_SECONDS = 24 * 3600
STREAM_SECONDS = DAY_SECONDS
"""For how long a stream shows a change."""


class Expiry(msgspec.Struct):
    """By which attribute the items of a table expire, and the store that has them by that time."""

    attribute: str
    store: int


class Log(msgspec.Struct):
    """The number of the log of a table's changes, and for how many seconds it keeps them."""

    id: int
    kept: int


class Change(msgspec.Struct, frozen=True):
    """A change of a table that is told as if it took its time: the table has `status` until `allocated`, and a new
    index is CREATING until `until`, in milliseconds since 1970.

    `indexes` are the statuses of indexes meanwhile; `gone` is what is told of one that is removed, after the member of
    the description that has it.
    """

    status: str
    allocated: int
    until: int
    indexes: dict[str, str] = {}
    gone: tuple[str, dict[str, Any]] | None = None


class Policy(msgspec.Struct, frozen=True):
    """A policy as it was given, and the id of this revision of it."""

    document: str
    revision: str


class Insights(msgspec.Struct, frozen=True):
    """Whether what is accessed of a table or an index is to be looked at, how, and since when: seconds since 1970."""

    enabled: bool
    mode: str
    since: float


class Destination(msgspec.Struct, frozen=True):
    """A Kinesis stream to which the changes of a table are to go, and how precisely their times are told."""

    active: bool
    precision: str


class Recovery(msgspec.Struct):
    """Since when a table can be recovered to any moment, in milliseconds since 1970, and for how many days."""

    since: int
    days: int


class Record(msgspec.Struct):
    """What is stored of a table. `index_stores` has the number of each index's row store, or of its vectors' rows.

    `policies` are those of the table, under "", and of its streams, by their labels; `insights` those of the table,
    under "", and of its indexes; `destinations` go by the ARNs of the Kinesis streams. They are kept and told only.
    `lag` is how many seconds the reads lag behind at most, as the engine was told that opened the database last.
    `copying` has the work that reads the whole table while others write to it, and what that makes: "index",
    "expiry" or "backup" (see tables/unfinished.py).
    """

    description: dict[str, Any]
    store: int
    index_stores: dict[str, int]
    tags: dict[str, str] = {}
    expiry: Expiry | None = None
    log: Log | None = None
    policies: dict[str, Policy] = {}
    insights: dict[str, Insights] = {}
    destinations: dict[str, Destination] = {}
    change: Change | None = None
    lag: int = 0
    recovery: Recovery | None = None
    copying: dict[str, str] = {}

    @property
    def log_kept(self) -> int:
        """For how many seconds the changes of the table are wanted, by whatever wants them for the longest time."""
        streamed = STREAM_SECONDS if "StreamSpecification" in self.description else 0
        recovered = self.recovery.days * DAY_SECONDS if self.recovery else 0
        return max(self.lag, streamed, recovered, DAY_SECONDS if self.copying else 0)

    @property
    def swept(self) -> bool:
        """Whether time alone changes what there is of the table."""
        return self.expiry is not None or self.log is not None


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(Record).decode
