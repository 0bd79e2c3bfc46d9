"""Indexes, and the table itself seen as one."""

from typing import Any, Literal

from msgspec import Struct

from dynamix.fields.base import Field

AnyField = Field[Any, Any]


class Index(Struct, frozen=True, eq=False):
    """A secondary index, or the table itself seen as one (`name` is None).

    `projection` is what the index holds beside the keys; `included` are the attributes of an INCLUDE.
    """

    name: str | None
    hash_key: AnyField
    range_key: AnyField | None
    local: bool
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    included: tuple[AnyField, ...] = ()
    read_capacity: int | None = None
    write_capacity: int | None = None

    @property
    def keys(self) -> tuple[AnyField, ...]:
        """The key's fields: the partition key, then the sort key if there is one."""
        return (self.hash_key,) if self.range_key is None else (self.hash_key, self.range_key)
