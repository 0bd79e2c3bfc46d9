"""What the codec knows of items that were stored under another schema than the model's."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from dynamix.codec.state import Outdated
from dynamix.wire import Item

Asked: TypeAlias = frozenset[str] | None
"""The stored names that were asked for, None for all."""


class Evolving(NamedTuple):
    """How stored items become those of the model.

    `names` are the stored names of which any makes an item an older one. Where items have a version, `mark` is its
    stored name and the model's own; an item without it is older as well. `evolve` makes the model's item of one that
    is stored, and tells what is stored of all that differs.
    """

    names: frozenset[str]
    mark: tuple[str, int] | None
    evolve: Callable[[Item, Asked], tuple[Item, Outdated]]

    def takes(self, item: Item) -> bool:
        """Whether an item is an older one."""
        if self.mark is not None and item.get(self.mark[0]) != {"N": str(self.mark[1])}:
            return True
        return not self.names.isdisjoint(item)

    @property
    def own_names(self) -> frozenset[str]:
        """The stored names that are no fields', and yet no attributes that the model does not know."""
        return self.names if self.mark is None else self.names | {self.mark[0]}


class OutdatedError(Exception):
    """An item is an older one, which generated code does not read."""
