"""Whether the item that has a key is there: for a condition of a write, and of what was read.

In a shared table it may be of another model; one that has expired may be hidden.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    Compare,
    Condition,
    Not,
    Or,
    Path,
    Value,
    all_of,
)
from dynamix.expressions.walk import met_by_nothing
from dynamix.schema.index import AnyField, Index
from dynamix.wire import Item

if TYPE_CHECKING:
    from dynamix.schema.kinds import Kinds


class Existence(Struct, frozen=True, eq=False, dict=True):
    """What exists for a model in its table. `hidden` is the TTLField by which items are hidden once they have expired,
    None where none are."""

    table: Index
    kinds: "Kinds | None"
    hidden: AnyField | None

    @cached_property
    def may_hide(self) -> bool:
        """Whether what is read may be hidden, by the model itself, or of a base, by that of the item."""
        return self.hidden is not None or (self.kinds is not None and self.kinds.own is None)

    def there(self, key: Item) -> Condition:
        """The condition that an item with this key exists, is of this model, and is not hidden."""
        if self.hidden is None and self.kinds is None:
            return self._stored
        parts = [self._stored]
        if self.hidden is not None:
            parts.append(Not(self.expired))
        kinds = self._told_by(key)
        if kinds is not None:
            parts.append(kinds.condition)
        return all_of(parts)

    def absent(self, key: Item) -> Condition:
        """The condition that no item has the key, or one of this model that is hidden."""
        if self.hidden is None:
            return self.gone
        kinds = self._told_by(key)
        return Or((self.gone, self.expired if kinds is None else And((kinds.condition, self.expired))))

    def replacing(self, key: Item) -> tuple[Condition, ...]:
        """The condition that a key has no item of another model; none where it cannot have one."""
        kinds = self._told_by(key)
        return () if kinds is None else (kinds.replaceable(self.table.hash_key),)

    def startable(self, key: Item) -> tuple[Condition, ...]:
        """The conditions that an upsert may change what a key has, or begin it: no item of another model, none that is
        hidden, whose values it would go on with."""
        return self.replacing(key) if self.hidden is None else (*self.replacing(key), Not(self.expired))

    def as_seen(self, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """Conditions of the caller's as what is stored has to meet them: a hidden item as if it were gone."""
        if not (conditions and self.may_hide):
            return conditions
        hidden = [each.expired if each.kinds is None else each._own_expired for each in self._hiding]
        return tuple(
            Or((*hidden, condition)) if met_by_nothing(condition) else And((*map(Not, hidden), condition))
            for condition in conditions
        )

    def is_own(self, key: Item) -> bool:
        """Whether a key tells that it is of this model's items alone."""
        return self._told_by(key) is None

    def _told_by(self, key: Item) -> "Kinds | None":
        """What tells whether the item with a key is of this model, None where the key itself does."""
        if self.kinds is None or (self.kinds.sure(self.table) and self.kinds.fits(key, self.table.keys)):
            return None
        return self.kinds

    @cached_property
    def _stored(self) -> Condition:
        return AttributeExists(Path((self.table.hash_key.name,)))

    def foreign(self, item: Item) -> str | None:
        """What a stored item is that is of another model, in words; None for one of this model."""
        return None if self.kinds is None else self.kinds.foreign(item, self.table.keys)

    @cached_property
    def gone(self) -> Condition:
        """The condition that no item has the key, not even a hidden one."""
        return AttributeNotExists(Path((self.table.hash_key.name,)))

    @property
    def expired(self) -> Condition:
        """The condition that an item, of a model that hides those, has expired by now."""
        assert self.hidden is not None  # noqa: S101 - the caller has looked
        return Compare("<=", self.hidden._path(), Value(self.hidden.to_wire(datetime.now(UTC))))

    @property
    def _own_expired(self) -> Condition:
        """The same, where the item is of this model and not of another one in its table."""
        assert self.kinds is not None  # noqa: S101 - the caller has looked
        return And((self.kinds.condition, self.expired))

    @property
    def _hiding(self) -> "list[Existence]":
        """By which models items may be hidden: this one, or those of a base."""
        if not self.may_hide:
            return []
        models = [self]
        if self.kinds is not None and self.kinds.own is None:
            models = [schema.existence for schema in self.kinds.schemas()]
        return [each for each in models if each.hidden is not None]

    @property
    def expiries(self) -> list[AnyField]:
        """The fields that tell whether an item is hidden."""
        return [each.hidden for each in self._hiding if each.hidden is not None]

    def hides(self, values: Mapping[str, Any]) -> bool:
        """Whether an instance with this `__dict__` is hidden, since it has expired."""
        if self.kinds is not None and self.kinds.own is None:
            model = self.kinds.models.get(str(values.get(self.kinds.field.attribute)))
            return model is not None and self.kinds.schema_of(model).existence.hides(values)
        moment = None if self.hidden is None else values.get(self.hidden.attribute)
        return moment is not None and moment <= datetime.now(UTC)

    def hides_item(self, item: Item) -> bool:
        """The same of an item in DynamoDB's form."""
        if self.kinds is not None and self.kinds.own is None:
            return any(each.hides_item(item) for each in self._hiding if each.foreign(item) is None)
        if self.hidden is None or "N" not in item.get(self.hidden.name, {}):
            return False
        return self.hides({self.hidden.attribute: self.hidden.decode(item[self.hidden.name])})
