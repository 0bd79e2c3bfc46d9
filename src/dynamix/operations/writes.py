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


class _Write(msgspec.Struct):
    """One write: what is sent of it, what the caller gave for it, and what became of it.

    `number` counts the writes that were added, from 0; `earlier` are the numbers of those whose place it took.
    """

    table: Table[Any]
    given: Any
    part: Body | msgspec.Raw
    number: int
    fate: Fate = "no"
    earlier: tuple[int, ...] = ()


class Writes:
    """The writes of a batch over any tables, one for each key.

    A key is the name of its table and its JSON here. The fate of a write is "maybe" from the moment that it is sent, so
    that it is right whenever another's failure ends the batch. `first` is the position of the first write that is
    added.
    """

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._added: list[Any] = []  # what the caller gave for each
        self._standing: dict[bytes, _Write] = {}
        self._doubtful: set[bytes] = set()
        self._keys: dict[str, tuple[bytes, list[str]]] = {}  # how keys of a table begin, and its key attributes

    def __len__(self) -> int:
        return len(self._added)

    def add(self, table: Table[Any], given: Any, item: Item, part: Body | msgspec.Raw) -> int:
        """Adds the write of an item, in place of one of the same key, and returns its number, from 0. `part` is what is
        sent of it, as it is or as JSON, which is smaller; `given` is what the caller gave for it."""
        known = self._keys.get(table.name)
        if known is None:
            known = f"{table.name} ".encode(), [field.name for field in table.schema.table.keys]
            self._keys[table.name] = known
        key, number = _key(known, item), len(self._added)
        before = self._standing.get(key)
        earlier = () if before is None else (*before.earlier, before.number)
        self._standing[key] = _Write(table, given, part, number, "no", earlier)
        self._added.append(given)
        return number

    def chunks(self) -> list[list[bytes]]:
        """The keys of the writes that are to be made, as many together as one request takes."""
        keys = [key for key, write in self._standing.items() if write.fate != "yes"]
        return [keys[start : start + BATCH_WRITE_ITEMS] for start in range(0, len(keys), BATCH_WRITE_ITEMS)]

    def body(self, keys: Iterable[bytes]) -> bytes:
        """The request that makes some of the writes."""
        parts: dict[str, list[Body | msgspec.Raw]] = {}
        for key in keys:
            write = self._standing[key]
            parts.setdefault(write.table.name, []).append(write.part)
        return msgspec.json.encode(batch_write(parts))

    def left(self, keys: Sequence[bytes], answer: bytes) -> list[bytes]:
        """Those of the keys of a request whose writes its answer says were not made."""
        left: list[bytes] = []
        strange = 0
        for table, entries in _decode(answer).UnprocessedItems.items():
            if table not in self._keys:
                strange += len(entries)
                continue
            undone = [entry.PutRequest or entry.DeleteRequest or _Undone() for entry in entries]
            left += [_key(self._keys[table], write.item or write.key) for write in undone]
        if strange := strange + len(set(left).difference(keys)):
            raise msgspec.DecodeError(f"it leaves {strange} items undone that it was not asked for")
        return left

    def mark(self, keys: Iterable[bytes], fate: Fate) -> None:
        """Says what became of some writes."""
        for key in keys:
            self._standing[key].fate = "maybe" if fate == "no" and key in self._doubtful else fate

    def doubt(self, keys: Iterable[bytes]) -> None:
        """An attempt to make some writes may have been applied. So it stays, whatever is refused or left undone when
        they are sent again."""
        self._doubtful.update(keys)

    def interrupted(self) -> None:
        """They are sent again, since an interrupt ended the round."""
        self.doubt(key for key, write in self._standing.items() if write.fate == "maybe")

    def fates(self) -> set[Fate]:
        """How any of the writes fared."""
        return {write.fate for write in self._standing.values()}

    def numbers(self, fate: Fate) -> list[int]:
        """Which of the writes that were added, counted from 0, fared like this, in order."""
        fared = [write for write in self._standing.values() if write.fate == fate]
        numbers = [write.number for write in fared]
        numbers += [number for write in fared for number in write.earlier]
        return sorted(numbers)

    def given(self, fate: Fate) -> tuple[Any, ...]:
        """What the caller gave for those."""
        return tuple(self._added[number] for number in self.numbers(fate))

    def items(self, keys: Iterable[bytes]) -> tuple[Item, ...]:
        """The items to store, or the keys of those to delete, of some writes."""
        parts = (self._standing[key].part for key in keys)
        writes = (msgspec.json.decode(part) if isinstance(part, msgspec.Raw) else part for part in parts)
        return tuple(item for write in writes for content in write.values() for item in content.values())

    def tables(self, keys: Iterable[bytes]) -> list[Table[Any]]:
        """The tables of some writes, one for each name."""
        return list({table.name: table for table in (self._standing[key].table for key in keys)}.values())

    def locate(self, error: ValidationException, key: bytes) -> None:
        """Has an error of the service name the one write that it is about."""
        write = self._standing[key]
        table = write.table
        forms = msgspec.json.decode(key.removeprefix(self._keys[table.name][0]))
        keys = table.schema.table.keys
        values = {field.attribute: field.decode(wire) for field, wire in zip(keys, forms, strict=True)}
        locate(table.schema, error, self._first + write.number, values)

    def partly(self, error: DynamixError, before: int = 0) -> PartlyAppliedError:
        """The error that says which writes were made before another's failure ended the batch, beside those that were
        made in earlier rounds."""
        stored, not_stored, unknown = self.given("yes"), self.given("no"), self.given("maybe")
        parts = [f"{len(stored)} were written"]
        if not_stored:
            parts.append(f"{len(not_stored)} were not (in `not_stored`)")
        if unknown:
            parts.append(f"{len(unknown)} may have been (in `unknown`)")
        earlier = f", after {before} before them" if before else ""
        told = PartlyAppliedError(f"of {len(self._added)} items, {', '.join(parts)}{earlier}: {error}")
        told.stored, told.not_stored, told.unknown = stored, not_stored, unknown
        told.applied = "partly" if stored else "maybe"
        return told


def _key(known: tuple[bytes, list[str]], item: Item) -> bytes:
    start, names = known
    return start + address(map(item.get, names))


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
