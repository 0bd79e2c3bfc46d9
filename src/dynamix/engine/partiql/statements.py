"""What a statement asks for, as frozen values made of the nodes of `dynamix.expressions`.

Literals and parameters are values already: a statement is parsed with its parameters.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from dynamix.expressions.nodes import Condition, Path, SetOperand, Value
from dynamix.wire import Item


class Order(Struct, frozen=True):
    """One key attribute to sort by."""

    name: str
    ascending: bool = True


class Select(Struct, frozen=True):
    """Read items. `paths` is empty for all that there is, `index` None for the table itself."""

    table: str
    index: str | None
    paths: tuple[Path, ...]
    where: Condition | None
    order: tuple[Order, ...] = ()


class Insert(Struct, frozen=True):
    """Store an item whose key must be free."""

    table: str
    item: Item


Returning: TypeAlias = Literal["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]


class Update(Struct, frozen=True):
    """Change one item that exists. `add` and `delete` are for members of sets."""

    table: str
    set: tuple[tuple[Path, SetOperand], ...]
    remove: tuple[Path, ...]
    add: tuple[tuple[Path, Value], ...]
    delete: tuple[tuple[Path, Value], ...]
    where: Condition | None
    returning: Returning = "NONE"


class Delete(Struct, frozen=True):
    """Remove one item."""

    table: str
    where: Condition | None
    returning: Returning = "NONE"


class Exists(Struct, frozen=True):
    """Only check that one item meets a condition."""

    select: Select


Statement: TypeAlias = Select | Insert | Update | Delete | Exists
