"""What the codec knows of items that were stored under another schema than the model's."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from dynamix.codec.state import Outdated
from dynamix.wire import Item

MARK = "__schema_version__"
"""Stands among attributes for the one that tells an item's version, which is no field."""

READS = "__schema_reads__"
"""Stands there for what upgrades say that they read, where that was asked for too."""

UPGRADED = "_dynamix_upgraded"
"""The name of what says that a class has upgrades, so that most programs need not load what knows them."""

Asked: TypeAlias = frozenset[str] | None
"""The stored names that were asked for, None for all."""


class Evolving(NamedTuple):
    """How stored items become those of the model.

    `names` are the stored names of which any makes an item an older one. Where items have a version, `mark` is its
    stored name and the model's own; an item without it is older as well. `evolve` makes the model's item of one that
    is stored, and tells what is stored of all that differs; of a part it may read `reads` as well. `keys` are the
    attributes of keys, which no evolution changes.
    """

    names: frozenset[str]
    mark: tuple[str, int] | None
    evolve: Callable[[Item, Asked], tuple[Item, Outdated]]
    reads: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    def seen(self, attributes: frozenset[str] | None) -> "Evolving | None":
        """The same for reads of some attributes. Where these are keys alone, the version does not matter."""
        if self.mark is None or attributes is None or MARK in attributes or not attributes <= self.keys:
            return self
        return self._replace(mark=None) if self.names else None

    def takes(self, item: Item) -> bool:
        """Whether an item is an older one."""
        if self.mark is not None and item.get(self.mark[0]) != {"N": str(self.mark[1])}:
            return True
        return not self.names.isdisjoint(item)

    @property
    def mark_name(self) -> frozenset[str]:
        """The stored name of the attribute that tells an item's version, if there is one."""
        return frozenset() if self.mark is None else frozenset({self.mark[0]})

    @property
    def own_names(self) -> frozenset[str]:
        """The stored names that are no fields', and yet no attributes that the model does not know."""
        return self.names | self.mark_name


class OutdatedError(Exception):
    """An item is an older one, which generated code does not read."""
