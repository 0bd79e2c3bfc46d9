"""Indexes, and the table itself seen as one."""

from collections.abc import Sequence
from typing import Any, Literal, Required, TypedDict

from msgspec import Struct

from dynamix.fields.base import Field

AnyField = Field[Any, Any]


class IndexOptions(TypedDict, total=False):
    """What `__secondary_indexes__` says of one global index.

    `hash_key` and `range_key` are its partition key and sort key; a field is given by its name or itself. `projections`
    is what it holds beside the keys: fields, "ALL", or "KEYS_ONLY", which is the default. The capacities, in units per
    second, are for tables that have some; without them they are the table's.
    """

    hash_key: Required[str | AnyField]
    range_key: str | AnyField | None
    projections: Sequence[str | AnyField] | Literal["ALL", "KEYS_ONLY"]
    read_capacity: int
    write_capacity: int


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
