"""Whole items to store and keys to delete, as they are gathered for one round of requests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from dynamix.codec.state import Stored
from dynamix.limits import BATCH_WRITE_ITEMS, ITEM_BYTES
from dynamix.operations import requests
from dynamix.operations.items import refuse_too_large
from dynamix.operations.unwritable import no_text
from dynamix.operations.writes import Writes
from dynamix.schema.table import Table
from dynamix.updates.pending import Pending, pending_of
from dynamix.updates.version import started
from dynamix.wire import Item, SentItem

_MOST_WRITES = 40 * BATCH_WRITE_ITEMS
_MOST_BYTES = 16 * 2**20


_Unsettled: TypeAlias = tuple[Table[Any], dict[str, Any], Stored | None, Mapping[str, Any]]
"""An instance's `__dict__`, what it keeps of its item, None where that is deleted, and the values that the write gives
it."""


class Gathered:
    """Writes over any tables, ready to be sent. Of several with one key the last stands.

    An instance to store is stored as it is when it is gathered. Until `end` instances take no changes and commits of
    their own. `first` is the position of the first write among all that its batch was given.
    """

    def __init__(self, first: int = 0) -> None:
        self.writes = Writes(first)
        self._bytes = 0
        self._unsettled: dict[int, _Unsettled] = {}  # by the number of the write
        self._pendings: dict[int, Pending] = {}  # by the id of the instance, which `writes` holds

    @property
    def is_full(self) -> bool:
        """Whether it is as much as a block keeps in memory: 1,000 writes, or 16 MB."""
        return len(self.writes) >= _MOST_WRITES or self._bytes >= _MOST_BYTES

    def put(self, table: Table[Any], instance: Any, times: Mapping[str, datetime]) -> None:
        """Gather an instance to store, with these automatic times, which it shows once it is stored. Raises
        ValidationException; then nothing was gathered."""
        begun = self._begin(instance)
        try:
            item, kept, encoded, version = _encoded(table, instance, times)
        except BaseException:
            if begun:
                self._pendings.pop(id(instance)).end(self)
            raise
        number = self.writes.add(table, instance, item, msgspec.Raw(encoded))
        self._unsettled[number] = table, vars(instance), kept, {**times, **version} if version else times
        self._bytes += len(encoded)

    def delete(self, table: Table[Any], key: Item, given: Any) -> None:
        """Gather the key of an item to delete; `given` is the instance or the key that the caller gave."""
        is_instance = isinstance(given, table.schema.model)
        if is_instance:
            self._begin(given)
        number = self.writes.add(table, given, key, requests.batch_delete(key))
        if is_instance:
            self._unsettled[number] = table, vars(given), None, {}

    def _begin(self, instance: Any) -> bool:
        """Has an instance take no changes and commits of its own; False where it takes none already."""
        if id(instance) in self._pendings:
            return False
        pending = self._pendings[id(instance)] = pending_of(vars(instance))
        try:
            pending.begin(self)
        except BaseException:
            del self._pendings[id(instance)]
            pending.end(self)
            raise
        return True

    def settle(self) -> None:
        """Has instances say what became of their items: those that were stored have nothing queued any more, those
        that were deleted are new ones."""
        take = self._unsettled.pop
        for number in self.writes.numbers("yes"):
            entry = take(number, None)
            if entry is None:
                continue
            table, values, kept, marks = entry
            if kept is not None:
                table.schema.whole.settle(values, kept)
                if marks:
                    values.update(marks)
            else:
                pending_of(values).deleted(values)

    def end(self) -> None:
        """Nothing of it is under way any more."""
        for pending in self._pendings.values():
            pending.end(self)


def _encoded(
    table: Table[Any], instance: Any, times: Mapping[str, datetime]
) -> tuple[SentItem, Stored, bytes, dict[str, int]]:
    """An item of at most 400 KB, what the instance keeps of it, the JSON of its write, and the version that it gets, by
    attribute. `times` as for `whole_of`.

    Raises ValidationException.
    """
    values, version = vars(instance), table.schema.version
    try:
        item, kept = table.schema.whole.kept(values, times)
        first = _NO_VERSION
        if version is not None:
            first, kept = {version.attribute: started(version, values, item)}, table.schema.codec.kept(item)
        encoded = msgspec.json.encode(requests.batch_put(item))
    except UnicodeEncodeError as error:
        raise no_text(table.schema, error, instance) from error
    if len(encoded) > ITEM_BYTES:
        refuse_too_large(table, item)
    return item, kept, encoded, first


_NO_VERSION: dict[str, int] = {}
