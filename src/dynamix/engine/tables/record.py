"""What is stored of a table: its description as DescribeTable gives it, less what is counted, and the numbers of its
row stores."""

from typing import Any

import msgspec

STREAM_SECONDS = 24 * 3600
"""For how long a stream shows a change."""


class Expiry(msgspec.Struct):
    """By which attribute the items of a table expire, and the store that has them by that time."""

    attribute: str
    store: int


class Log(msgspec.Struct):
    """The number of the log of a table's changes, and for how many seconds it keeps them."""

    id: int
    kept: int


class Record(msgspec.Struct):
    """What is stored of a table. `index_stores` has the number of each index's row store, or of its vectors' rows."""

    description: dict[str, Any]
    store: int
    index_stores: dict[str, int]
    tags: dict[str, str] = {}
    expiry: Expiry | None = None
    log: Log | None = None

    @property
    def log_kept(self) -> int:
        """For how many seconds the changes of the table are wanted, by whatever wants them for the longest time."""
        return STREAM_SECONDS if "StreamSpecification" in self.description else 0

    @property
    def swept(self) -> bool:
        """Whether time alone changes what there is of the table."""
        return self.expiry is not None or self.log is not None


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(Record).decode
