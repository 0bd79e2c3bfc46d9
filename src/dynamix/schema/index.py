"""Indexes, and the table itself seen as one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

from msgspec import Struct

from dynamix.fields.base import Field

if TYPE_CHECKING:
    from dynamix.fields.vector import Distance, VectorField

AnyField = Field[Any, Any]


Projections: TypeAlias = Sequence[str | AnyField] | Literal["ALL", "KEYS_ONLY"]
"""What an index holds beside the keys."""


class IndexOptions(TypedDict, total=False):
    """What `__secondary_indexes__` says of one global index.

    `hash_key` and `range_key` are its partition key and sort key; a field is given by its name or itself, and of each
    there may be up to four, in order. `projections` is what it holds beside the keys: fields, "ALL", or "KEYS_ONLY",
    which is the default. The capacities, in units per second, are for tables that have some; without them they are the
    table's.
    """

    hash_key: Required[str | AnyField | Sequence[str | AnyField]]
    range_key: str | AnyField | Sequence[str | AnyField] | None
    projections: Projections
    read_capacity: int
    write_capacity: int


class Vectors(Struct, frozen=True, eq=False):
    """A vector index: what is found near a vector of `field`.

    Where there is a `hash_key`, a search is among the items of one value of it. `filters` are the other fields of which
    a search may give values. `projection` and `included` are those of an Index.
    """

    name: str
    field: "VectorField[Any]"
    hash_key: AnyField | None
    filters: tuple[AnyField, ...]
    distance: "Distance"
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    included: tuple[AnyField, ...] = ()

    @property
    def keys(self) -> tuple[AnyField, ...]:
        """The fields of which a search gives values."""
        return self.filters if self.hash_key is None else (self.hash_key, *self.filters)


class Index(Struct, frozen=True, eq=False):
    """A secondary index, or the table itself seen as one (`name` is None).

    A global one may have several fields in place of a partition key, and of a sort key, in order. `projection` is what
    the index holds beside the keys; `included` are the attributes of an INCLUDE.
    """

    name: str | None
    hash_keys: tuple[AnyField, ...]
    range_keys: tuple[AnyField, ...]
    local: bool
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    included: tuple[AnyField, ...] = ()
    read_capacity: int | None = None
    write_capacity: int | None = None

    @property
    def keys(self) -> tuple[AnyField, ...]:
        """The key's fields: the partition key, then the sort key if there is one."""
        return self.hash_keys + self.range_keys

    @property
    def hash_key(self) -> AnyField:
        """The partition key, or the first field of it."""
        return self.hash_keys[0]

    @property
    def range_key(self) -> AnyField | None:
        """The sort key, or the first field of it; None where there is none."""
        return self.range_keys[0] if self.range_keys else None
