"""The writes of one batch, and what became of each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from dynamix.errors import DynamixError, PartlyAppliedError, ValidationException
from dynamix.fields.refusals import shown
from dynamix.limits import BATCH_WRITE_ITEMS
from dynamix.operations.requests import Body, batch_write
from dynamix.schema.key import address
from dynamix.schema.table import Schema, Table
from dynamix.wire import Item

Fate: TypeAlias = Literal["no", "maybe", "yes"]
"""Whether a write was applied."""


class Writes:
    """The writes of a batch, one for each key. `given` is what the caller gave for each, in order.

    A key is its JSON here. `fates` has for each whether its write was applied; it is "maybe" from the moment that it is
    sent, so that it is right whenever another's failure ends the batch.
    """

    def __init__(self, table: Table[Any], given: Sequence[Any]) -> None:
        self.table = table
        self.fates: dict[bytes, Fate] = {}
        self._given = given
        self._parts: dict[bytes, Body | msgspec.Raw] = {}
        self._last: dict[bytes, int] = {}  # the position of the write that stands
        self._earlier: dict[bytes, list[int]] = {}  # of those that it took the place of
        self._names = [field.name for field in table.schema.table.keys]

    def add(self, position: int, item: Item, part: Body | msgspec.Raw) -> None:
        """Adds the write of an item, in place of one of the same key. `part` is what is sent of it,
        as it is or as JSON, which is smaller."""
        key = self._key(item)
        if key in self._last:
            self._earlier.setdefault(key, []).append(self._last[key])
        self._last[key] = position
        self._parts[key] = part
        self.fates[key] = "no"

    def chunks(self) -> list[list[bytes]]:
        """The keys, as many together as one request takes."""
        keys = list(self._parts)
        return [keys[start : start + BATCH_WRITE_ITEMS] for start in range(0, len(keys), BATCH_WRITE_ITEMS)]

    def body(self, keys: Iterable[bytes]) -> bytes:
        """The request that makes some of the writes."""
        return msgspec.json.encode(batch_write({self.table.name: [self._parts[key] for key in keys]}))

    def left(self, keys: Sequence[bytes], answer: bytes) -> list[bytes]:
        """Those of the keys of a request whose writes its answer says were not made."""
        entries = [entry for entries in _decode(answer).UnprocessedItems.values() for entry in entries]
        undone = [entry.PutRequest or entry.DeleteRequest or _Undone() for entry in entries]
        left = [self._key(write.item or write.key) for write in undone]
        if strange := set(left).difference(keys):
            raise msgspec.DecodeError(f"it leaves {len(strange)} items undone that it was not asked for")
        return left

    def mark(self, keys: Iterable[bytes], fate: Fate) -> None:
        """Says what became of some writes."""
        self.fates.update(dict.fromkeys(keys, fate))

    def positions(self, fate: Fate) -> list[int]:
        """The positions of what the caller gave whose writes fared like this, in the caller's order."""
        positions = [self._last[key] for key, fared in self.fates.items() if fared == fate]
        positions += [n for key, earlier in self._earlier.items() if self.fates[key] == fate for n in earlier]
        return sorted(positions)

    def given(self, fate: Fate) -> tuple[Any, ...]:
        """The same, as it was given."""
        return tuple(self._given[position] for position in self.positions(fate))

    def items(self, keys: Iterable[bytes]) -> tuple[Item, ...]:
        """The items to store, or the keys of those to delete, of some writes."""
        parts = (self._parts[key] for key in keys)
        writes = (msgspec.json.decode(part) if isinstance(part, msgspec.Raw) else part for part in parts)
        return tuple(item for write in writes for content in write.values() for item in content.values())

    def locate(self, error: ValidationException, key: bytes) -> None:
        """Has an error of the service name the one write that it is about."""
        keys = self.table.schema.table.keys
        values = {
            field.attribute: field.decode(wire) for field, wire in zip(keys, msgspec.json.decode(key), strict=True)
        }
        locate(self.table.schema, error, self._last[key], values)

    def partly(self, error: DynamixError) -> PartlyAppliedError:
        """The error that says which writes were made before another's failure ended the batch."""
        stored, not_stored, unknown = self.given("yes"), self.given("no"), self.given("maybe")
        parts = [f"{len(stored)} were written"]
        if not_stored:
            parts.append(f"{len(not_stored)} were not (in `not_stored`)")
        if unknown:
            parts.append(f"{len(unknown)} may have been (in `unknown`)")
        told = PartlyAppliedError(f"of {len(self._given)} items, {', '.join(parts)}: {error}")
        told.stored, told.not_stored, told.unknown = stored, not_stored, unknown
        told.applied = "partly" if stored else "maybe"
        return told

    def _key(self, item: Item) -> bytes:
        return address(item.get(name) for name in self._names)


class _Undone(msgspec.Struct):
    item: Item = msgspec.field(name="Item", default_factory=dict)
    key: Item = msgspec.field(name="Key", default_factory=dict)


class _Entry(msgspec.Struct):
    PutRequest: _Undone | None = None
    DeleteRequest: _Undone | None = None


class _Answer(msgspec.Struct):
    UnprocessedItems: dict[str, list[_Entry]]


_decode = msgspec.json.Decoder(_Answer).decode


def locate(schema: Schema[Any], error: ValidationException, position: int, values: Mapping[str, Any]) -> None:
    """Has an error name the element of a batch that it is about; `values`, by attribute, have as much of the key as
    there is."""
    key = ", ".join(f"{field.attribute}={shown(values.get(field.attribute))}" for field in schema.table.keys)
    error.index = position
    error.args = (f"element {position} of the batch ({key}): {error}", *error.args[1:])
