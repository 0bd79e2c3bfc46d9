"""Indexes declared in a model's class body, as attributes that `use_index` takes.

    by_author = GlobalIndex(hash_key=author, range_key=created, projections="ALL")

They say the same as `__secondary_indexes__` and `indexed=True`, and become the same Index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from dynamix.schema.index import AnyField, IndexOptions, Projections

if TYPE_CHECKING:
    from dynamix.fields.vector import Distance, VectorField

Key: TypeAlias = AnyField | str
"""A field of a key, by its name or itself."""


class _Declared:
    """What the declarations of indexes share."""

    def __init__(self, name: str | None) -> None:
        self._given = name
        self._model = ""
        self.attribute = ""

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute, self._model = attribute, owner.__name__

    @property
    def name(self) -> str:
        """The name of the index in the table."""
        return self.attribute if self._given is None else self._given

    def __str__(self) -> str:
        return f"{self._model}.{self.attribute}" if self.attribute else type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class GlobalIndex(_Declared):
    """A global index, declared as an attribute of a model.

    `hash_key` and `range_key` are its partition key and sort key: a field, or up to four in order, as in
    `hash_key=[tenant, region]`. An item that has not all of them is not in the index. `projections` is what it holds
    beside the keys: fields, "ALL", or "KEYS_ONLY", the default. `name` is its name in the table, else that of the
    attribute. The capacities, in units per second, are for tables that have some; without them they are the table's.
    """

    def __init__(
        self,
        *,
        hash_key: Key | Sequence[Key],
        range_key: Key | Sequence[Key] | None = None,
        projections: Projections = (),
        name: str | None = None,
        read_capacity: int | None = None,
        write_capacity: int | None = None,
    ) -> None:
        super().__init__(name)
        self.options: IndexOptions = {"hash_key": hash_key, "range_key": range_key, "projections": projections}
        if read_capacity is not None:
            self.options["read_capacity"] = read_capacity
        if write_capacity is not None:
            self.options["write_capacity"] = write_capacity


class LocalIndex(_Declared):
    """A local index, declared as an attribute of a model whose table has a sort key: its items have the table's
    partition key, and are sorted by `range_key`. The rest is as with GlobalIndex."""

    def __init__(self, *, range_key: Key, projections: Projections = (), name: str | None = None) -> None:
        super().__init__(name)
        self.range_key = range_key
        self.projections = projections


class VectorIndex(_Declared):
    """A vector index, declared as an attribute of a model that is billed on demand: what is near a vector of `field`
    is found by `Model.search`.

    With a `hash_key`, each search is among the items of one value of it; that field has to be `required`, since an item
    without it would be written and never be found. `filters` are up to 18 fields of which a search may give values.
    `distance` is by what nearness is measured, without it by what the field says. The rest is as with GlobalIndex.
    """

    def __init__(
        self,
        field: VectorField[Any],
        *,
        hash_key: Key | None = None,
        filters: Sequence[Key] = (),
        projections: Projections = (),
        distance: Distance | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.field = field
        self.hash_key = hash_key
        self.filters = filters
        self.projections = projections
        self.distance = distance


Queried: TypeAlias = GlobalIndex | LocalIndex
"""What queries and scans read."""

Declared: TypeAlias = Queried | VectorIndex
