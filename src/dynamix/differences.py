"""How a table differs from its model: a frozen value for each way, whose `str` is a clause of a sentence on the table.

`table` is what the table has, `model` what the model says. A key is written as pairs of attribute and role ("HASH" or
"RANGE"), a throughput as read and write units.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Key: TypeAlias = tuple[tuple[str, str], ...]
Throughput: TypeAlias = tuple[int, int]
BillingMode: TypeAlias = Literal["PAY_PER_REQUEST", "PROVISIONED"]


class TableDifference(Struct, frozen=True):
    """One way in which a table differs from its model."""

    @property
    def updatable(self) -> bool:
        """Whether `update_table` makes the table as the model is. What it cannot make, only a new table has."""
        return True


class KeyDiffers(TableDifference, frozen=True):
    """The table has another primary key."""

    table: Key
    model: Key

    @property
    def updatable(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"its key is {_key(self.table)}, the model's {_key(self.model)}"


class KeyTypeDiffers(TableDifference, frozen=True):
    """An attribute that is a key of the table, or of an index that both have, has another type ("S", "N" or "B")."""

    attribute: str
    table: str
    model: str

    @property
    def updatable(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"its key attribute {self.attribute!r} has the type {self.table}, the model's {self.model}"


class IndexMissing(TableDifference, frozen=True):
    """The model has an index that the table lacks. Only a global one can be made later."""

    index: str
    local: bool

    @property
    def updatable(self) -> bool:
        return not self.local

    def __str__(self) -> str:
        return f"it lacks the {_kind(self.local)} index {self.index!r}"


class IndexSurplus(TableDifference, frozen=True):
    """The table has an index that the model does not know. Only a global one can be removed."""

    index: str
    local: bool

    @property
    def updatable(self) -> bool:
        return not self.local

    def __str__(self) -> str:
        return f"it has the {_kind(self.local)} index {self.index!r}, the model not"


class IndexKeyDiffers(TableDifference, frozen=True):
    """An index that both have has another key."""

    index: str
    table: Key
    model: Key

    @property
    def updatable(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"the key of its index {self.index!r} is {_key(self.table)}, the model's {_key(self.model)}"


class IndexProjectionDiffers(TableDifference, frozen=True):
    """An index that both have holds other attributes: "ALL", "KEYS_ONLY", or the names of those beside the keys."""

    index: str
    table: str | frozenset[str]
    model: str | frozenset[str]

    @property
    def updatable(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"its index {self.index!r} projects {_projection(self.table)}, the model's {_projection(self.model)}"


class VectorIndexMissing(TableDifference, frozen=True):
    """The table lacks a vector index of the model."""

    index: str

    def __str__(self) -> str:
        return f"it lacks the vector index {self.index!r}"


class VectorIndexSurplus(TableDifference, frozen=True):
    """The table has a vector index that the model does not know."""

    index: str

    def __str__(self) -> str:
        return f"it has the vector index {self.index!r}, the model not"


class VectorIndexDiffers(TableDifference, frozen=True):
    """A vector index that both have is another one in the table in what `what` names: "attribute", "dimensions",
    "distance", "search schema" or "projection"."""

    index: str
    what: str

    @property
    def updatable(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"its vector index {self.index!r} has another {self.what} than the model's"


class BillingDiffers(TableDifference, frozen=True):
    """The table is billed in another way."""

    table: BillingMode
    model: BillingMode

    def __str__(self) -> str:
        return f"its billing mode is {self.table}, the model's {self.model}"


class ThroughputDiffers(TableDifference, frozen=True):
    """The table, or the global index of this name, has another provisioned throughput."""

    index: str | None
    table: Throughput
    model: Throughput

    def __str__(self) -> str:
        what = "its throughput" if self.index is None else f"the throughput of its index {self.index!r}"
        return f"{what} is {_units(self.table)}, the model's {_units(self.model)}"


class DeletionProtectionDiffers(TableDifference, frozen=True):
    """The table is protected from deletion, and should not be, or the other way round."""

    table: bool
    model: bool

    def __str__(self) -> str:
        return f"its deletion protection is {_switch(self.table)}, the model's {_switch(self.model)}"


class TimeToLiveDiffers(TableDifference, frozen=True):
    """Another attribute than the model's says when an item of the table expires, or none (None).

    Where it is another one, the service wants that to be disabled before, which takes it up to an hour.
    """

    table: str | None
    model: str

    @property
    def updatable(self) -> bool:
        return self.table is None

    def __str__(self) -> str:
        live = "off" if self.table is None else f"by {self.table!r}"
        return f"its time to live is {live}, the model's by {self.model!r}"


class GuardTableDiffers(TableDifference, frozen=True):
    """The table of the guards of unique values differs in what `difference` says; where that is None, it is missing.

    `name` is the name of that table.
    """

    name: str
    difference: TableDifference | None

    @property
    def updatable(self) -> bool:
        return self.difference is None or self.difference.updatable

    def __str__(self) -> str:
        if self.difference is None:
            return f"the table {self.name!r} of the guards of its unique values is missing"
        return f"of the table {self.name!r} of the guards of its unique values: {self.difference}"


def _key(key: Key) -> str:
    return ", ".join(f"{attribute} ({role})" for attribute, role in key)


def _kind(local: bool) -> str:
    return "local" if local else "global"


def _projection(projected: str | frozenset[str]) -> str:
    return projected if isinstance(projected, str) else ", ".join(map(repr, sorted(projected)))


def _units(units: Throughput) -> str:
    return f"{units[0]} read and {units[1]} write units"


def _switch(on: bool) -> str:
    return "on" if on else "off"
