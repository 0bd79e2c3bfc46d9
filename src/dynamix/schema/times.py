"""The times that a write gives an item by itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from msgspec import Struct

from dynamix.codec.state import state_of
from dynamix.fields.datetime import DateTimeField
from dynamix.schema.index import AnyField

_NONE: dict[str, datetime] = {}


class Times(Struct, frozen=True, eq=False, dict=True):
    """The fields of a model with `auto_now` or `auto_now_add`."""

    fields: Mapping[str, AnyField]

    @cached_property
    def renewed(self) -> tuple[DateTimeField[Any], ...]:
        """The fields that hold the time of the last write."""
        return tuple(f for f in self.fields.values() if isinstance(f, DateTimeField) and f.auto_now)

    def now(self) -> dict[str, datetime]:
        """The time of a write that begins, for each of these fields. An instance shows it once that is stored."""
        now = datetime.now(UTC)
        return {field.attribute: field.stamp(now) for field in self.renewed}

    @cached_property
    def stamped(self) -> tuple[DateTimeField[Any], ...]:
        """The fields outside the key that hold the time when an item was made."""
        times = (f for f in self.fields.values() if isinstance(f, DateTimeField) and f.auto_now_add)
        return tuple(field for field in times if not (field.hash_key or field.range_key))

    def whole(self, values: dict[str, Any], now: datetime) -> dict[str, datetime]:
        """The automatic times of an instance that is stored whole, which it shows once it is. One that was deleted
        becomes another item, which is made now, unless the caller has set another time since."""
        if not (self.renewed or self.stamped):
            return _NONE
        times = {field.attribute: field.stamp(now) for field in self.renewed}
        state = state_of(values)
        if self.stamped and state.new and state.stored is not None:
            for field in self.stamped:
                if state.pending is None or not state.pending.changes(field.attribute):
                    times[field.attribute] = field.stamp(now)
        return times
