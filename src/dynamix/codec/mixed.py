"""Answers that may hold items of several models: each item is read by the codec of its own model.

Where a model has items of one kind alone, an answer is read at once, and only looked through afterwards.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Raw

from dynamix.codec.compiled import ModelCodec
from dynamix.codec.evolving import Evolving
from dynamix.codec.reader import Batch, Page, Reader, Unread, as_maybe_changed, as_raw
from dynamix.codec.slot import Slot
from dynamix.errors import StoredValueError
from dynamix.wire import Item

M = TypeVar("M")


class Sorting(Protocol):
    """What tells of which model an item is. `own` is the discriminator of a model with items of one kind."""

    @property
    def attribute(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def own(self) -> str | None: ...

    def codec(self, item: Item, /) -> "MixedCodec[Any] | None": ...
    def strange(self, item: Item, /) -> StoredValueError: ...


class MixedCodec(ModelCodec[M], Generic[M]):
    """The codec of a model in a shared table: other models' items are none of its own."""

    def __init__(
        self, model: type[M], slots: Iterable[Slot], sorting: Sorting, evolving: Evolving | None = None
    ) -> None:
        super().__init__(model, slots, evolving)
        self.sorting = sorting
        self._mixed: dict[Any, MixedReader[M]] = {}

    def reader(
        self, table: str, attributes: frozenset[str] | None = None, sure: frozenset[str] | None = None
    ) -> "MixedReader[M]":
        found = self._mixed.get((table, attributes, sure))
        if found is None:
            found = self._mixed.setdefault((table, attributes, sure), MixedReader(self, table, attributes, sure))
        return found

    def alone(self, table: str, attributes: frozenset[str] | None, sure: frozenset[str] | None) -> Reader[M]:
        """The reader of the model's own items."""
        return super().reader(table, attributes, sure)


class MixedReader(Reader[M], Generic[M]):
    """Reads answers of which each item may be of another model. What is none of the model's is left out."""

    def __init__(
        self, codec: MixedCodec[M], table: str, attributes: frozenset[str] | None, sure: frozenset[str] | None
    ) -> None:
        self._codec = codec
        self._sorting = codec.sorting
        self._alone = codec.alone(table, attributes, sure)
        self._which = table, attributes, sure
        self._kind: Callable[[Raw], Any] = _kind_decoder(codec.sorting.name)

    def item(self, body: bytes) -> M | None:
        if self._sorting.own is not None:
            try:
                own = self._alone.item(body)
            except StoredValueError:  # perhaps since it is another model's
                pass
            else:
                if own is None or self._are_own([own]):
                    return own
        found = as_raw().item(body).Item
        return None if found is None else self._read(found)

    def page(self, body: bytes) -> Page[M]:
        if self._sorting.own is not None:
            page = self._alone.page(body)
            if not page.unread and self._are_own(page.items):
                return page
        raw = as_raw().page(body)
        items, unread = self._sorted(raw.Items)
        return Page(items, unread, raw.ScannedCount, raw.LastEvaluatedKey or None)

    def batch(self, body: bytes) -> Batch[M]:
        if self._sorting.own is not None:
            batch = self._alone.batch(body)
            if not batch.unread and self._are_own(batch.items):
                return batch
        raw = as_raw().batch(body)
        items, unread = self._sorted([item for found in raw.Responses.values() for item in found])
        return Batch(items, unread, raw.UnprocessedKeys)

    def attributes(self, body: bytes) -> dict[str, Any]:
        return self._alone.attributes(body)

    def changed(self, body: bytes) -> M | None:
        found = as_maybe_changed(body).Attributes
        return self._read(found) if found else None

    def instance(self, item: Item) -> M:
        reader = self._reader_of(item)
        if reader is None:
            raise self._sorting.strange(item)
        return reader.instance(item)

    def plain_values(self, item: Item) -> dict[str, Any]:
        return self._alone.plain_values(item)

    def _are_own(self, items: list[M]) -> bool:
        """Whether all have the model's own discriminator, as far as they were read with it."""
        attribute, own = self._sorting.attribute, self._sorting.own
        held = self._which[1]
        if held is not None and attribute not in held:
            return True
        return all(vars(item).get(attribute) == own for item in items)

    def _read(self, found: Raw) -> M | None:
        """The instance of an item, None for one of another model. Raises StoredValueError."""
        kind = self._kind(found)
        if kind is not None:
            reader = self._reader_of({self._sorting.name: kind})
            return None if reader is None else reader.one(found)
        codec = self._sorting.codec(_decode(found))
        if codec is None:
            return None
        instance: M = codec.alone(*self._which).one(found)
        held = self._which[1]
        if held is None or self._sorting.attribute in held:
            vars(instance).setdefault(self._sorting.attribute, codec.sorting.own)
        return instance

    def _reader_of(self, item: Item) -> Reader[M] | None:
        codec = self._sorting.codec(item)
        return None if codec is None else codec.alone(*self._which)

    def _sorted(self, found: list[Raw]) -> tuple[list[M], list[Unread]]:
        instances: list[M] = []
        unread: list[Unread] = []
        for item in found:
            try:
                instance = self._read(item)
            except StoredValueError as error:
                if error.key is None:
                    error.key = self._alone.key_of(_decode(item))
                unread.append((len(instances), error))
                continue
            if instance is not None:
                instances.append(instance)
        return instances, unread


def _kind_decoder(name: str) -> Callable[[Raw], Any]:
    """What reads of an item its discriminator alone, None where it has none."""
    try:
        kind = msgspec.defstruct("Kind", [("kind", dict[str, Any] | None, None)], rename={"kind": name})
    except ValueError:  # a stored name that msgspec does not take
        return lambda item: _decode(item).get(name)
    decode: Callable[[Raw], Any] = msgspec.json.Decoder(kind).decode
    return lambda item: decode(item).kind


_decode: Callable[[Raw], Item] = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
