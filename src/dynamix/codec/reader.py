"""Answers to instances, by generated code, and item by item in the plain way where that code does not get on."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from dynamix.codec.evolving import MARK, READS, Evolving
from dynamix.codec.generated import compile_reader, dict_setter, item_struct, noted
from dynamix.codec.names import StoredName, name_for
from dynamix.codec.slot import Slot, forms_kept
from dynamix.codec.state import NULL, STATE, Outdated, State
from dynamix.errors import StoredValueError
from dynamix.interrupts import let_pass
from dynamix.wire import Item

M = TypeVar("M")


class Page(NamedTuple, Generic[M]):
    """One page of a query or scan: what matched, how many were looked at, and where the next page starts."""

    items: list[M]
    unread: list["Unread"]
    scanned: int
    last_key: Item | None


class Batch(NamedTuple, Generic[M]):
    """What an answer of BatchGetItem has of one table."""

    items: list[M]
    unread: list["Unread"]
    unprocessed: dict[str, Any]


Unread: TypeAlias = tuple[int, StoredValueError]
"""Why an item could not be read, and how many that could be read came before it."""


class _Parser(NamedTuple):
    """What parses each of the shapes in which items arrive, and one item alone."""

    one: Callable[[bytes], Any]
    item: Callable[[bytes], Any]
    page: Callable[[bytes], Any]
    batch: Callable[[bytes], Any]
    attributes: Callable[[bytes], Any]


def _parser(item_type: Any) -> _Parser:
    one = msgspec.defstruct("One", [("Item", item_type, None)])
    page = msgspec.defstruct(
        "Many",
        [
            ("Items", list[item_type]),
            ("ScannedCount", int, 0),
            ("LastEvaluatedKey", dict[str, Any] | None, None),
        ],
    )
    batch = msgspec.defstruct(
        "Batch",
        [
            ("Responses", dict[str, list[item_type]]),
            ("UnprocessedKeys", dict[str, Any], msgspec.field(default_factory=dict)),
        ],
    )
    attributes = msgspec.defstruct("Changed", [("Attributes", item_type)])
    shapes = (item_type, one, page, batch, attributes)
    return _Parser(*(msgspec.json.Decoder(shape, strict=False).decode for shape in shapes))


@cache
def as_raw() -> _Parser:
    """The parser that leaves each item as it is."""
    return _parser(Raw)


as_maybe_changed: Callable[[bytes], Any] = msgspec.json.Decoder(
    msgspec.defstruct("MaybeChanged", [("Attributes", Raw, Raw())])
).decode
"""Parses an answer that may have `Attributes`, which are left as they are."""
_ITEM: Callable[[Raw], Item] = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode


class Reader(Generic[M]):
    """Reads answers into instances that hold the same attributes of a model.

    A stored value that is not of the type its field declares is a StoredValueError, which names the field and the
    item's key: raised of a single item, listed of many.
    """

    def __init__(
        self,
        model: type[M],
        slots: list[Slot],
        table: str,
        held: frozenset[str] | None,
        evolving: Evolving | None = None,
    ) -> None:
        self._slots = slots
        self._table, self._held = table, held
        self._eager = {slot.name: slot.attribute for slot in slots if not slot.waits}
        self._new = model.__new__
        self._model = model
        self._set_dict = dict_setter(model)
        self._slot_names = self._names = frozenset(slot.name for slot in slots)
        self._evolving = evolving
        if evolving is not None:
            self._names |= evolving.own_names
        self._is_slow = self._keeps = False
        try:
            self._parser = _parser(item_struct(model.__name__, slots, strict=held is None, evolving=evolving))
            self._one = self._parser.one
            self._parsed, self._instances = compile_reader(model, slots, table, held, evolving)
            self._values = self._parsed
        except ValueError:  # a stored name that msgspec does not take
            self._parser, self._values, self._instances = as_raw(), self._one_by_one, self._slow_instances
            self._is_slow = True

    def item(self, body: bytes) -> M | None:
        """The instance in an answer of GetItem, or None."""
        try:
            found = self._parser.item(body).Item
            return None if found is None else self._instance(self._values(found))
        except Exception as error:  # of conversions of the user's own as well, which the slow way names
            let_pass(error)
            found = as_raw().item(body).Item
            return None if found is None else self._instance(self._one_by_one(found))

    def page(self, body: bytes) -> Page[M]:
        """The instances in an answer of Query or Scan."""
        unread: list[Unread] = []
        try:
            page = self._parser.page(body)
            items = self._instances(page.Items)
        except Exception as error:
            let_pass(error)
            page = as_raw().page(body)
            items, unread = self._readable(page.Items)
        return Page(items, unread, page.ScannedCount, page.LastEvaluatedKey or None)

    def batch(self, body: bytes) -> Batch[M]:
        """The instances in an answer of BatchGetItem from one table, and UnprocessedKeys."""
        unread: list[Unread] = []
        try:
            batch = self._parser.batch(body)
            items = self._instances([item for found in batch.Responses.values() for item in found])
        except Exception as error:
            let_pass(error)
            batch = as_raw().batch(body)
            items, unread = self._readable([item for found in batch.Responses.values() for item in found])
        return Batch(items, unread, batch.UnprocessedKeys)

    def attributes(self, body: bytes) -> dict[str, Any]:
        """The values by attribute in the `Attributes` of an answer."""
        try:
            return self._values(self._parser.attributes(body).Attributes)
        except Exception as error:
            let_pass(error)
            return self._one_by_one(as_raw().attributes(body).Attributes)

    def changed(self, body: bytes) -> M | None:
        """The instance in the `Attributes` of an answer, or None where there are none."""
        try:
            return self._instance(self._values(self._parser.attributes(body).Attributes))
        except Exception as error:
            let_pass(error)
            found = as_maybe_changed(body).Attributes
            return self._instance(self._one_by_one(found)) if found else None

    def one(self, found: Raw) -> M:
        """The instance of one item."""
        try:
            return self._instance(self._values(self._parser.one(found)))
        except Exception as error:
            let_pass(error)
            return self._instance(self._one_by_one(found))

    def instance(self, item: Item) -> M:
        """The instance of an item that is parsed already."""
        return self._instance(self.plain_values(item))

    def _one_by_one(self, found: Raw) -> dict[str, Any]:
        """The values by attribute of an item that the parser does not take: it may have NULLs, wrong values, attributes
        that the model does not declare, or an older schema."""
        item, outdated = self._brought_up(_ITEM(found))
        nulls = {name for name in self._eager if item.get(name) == NULL}
        others = self._others(item, outdated)
        if not self._is_slow:
            if others and self._held is None and not self._keeps:
                self._take_others()
            try:
                rest = {name: wire for name, wire in item.items() if name in self._names and name not in nulls}
                values = self._parsed(self._one(msgspec.json.encode(rest)))
            except Exception as error:
                let_pass(error)
                return self._plain_values(item, outdated)
            state = values[STATE]
            state.stored |= {self._eager[name]: NULL for name in nulls}
            state.others, state.outdated = others, outdated
            return values
        return self._plain_values(item, outdated)

    def _others(self, item: Item, outdated: Outdated | None) -> Item | None:
        """The attributes of an item that the model does not declare; None for none.

        Where some attributes were asked for, what an item of an older schema got beside them, which a save stores.
        """
        if self._held is not None:
            got = (name for name in outdated or () if name in item and name not in self._slot_names)
            return None if outdated is None else {name: item[name] for name in got}
        if item.keys() <= self._names:
            return None
        return {name: wire for name, wire in item.items() if name not in self._names}

    def _take_others(self) -> None:
        """Read from now on what has attributes that the model does not declare, and keep each item whole, for whoever
        asks for them. No table whose items have none pays for that."""
        item_type = item_struct(self._model.__name__, self._slots, strict=False, evolving=self._evolving)
        parse = msgspec.json.Decoder(item_type, strict=False).decode
        read = compile_reader(self._model, self._slots, self._table, self._held, self._evolving, parse)
        self._parser, (self._values, self._instances) = as_raw(), read
        self._keeps = True

    def plain_values(self, item: Item) -> dict[str, Any]:
        """The values by attribute of an item: the slow twin of the generated code."""
        return self._plain_values(*self._brought_up(item))

    def _plain_values(self, item: Item, outdated: Outdated | None) -> dict[str, Any]:
        values = {}
        defaults: dict[str, Any] | None = None
        for slot in self._slots:
            if slot.waits:
                continue
            try:
                if slot.key and slot.name not in item:
                    raise StoredValueError(
                        f"an item of {self._model.__name__} came without {slot.name!r}, which is part of its key",
                        field=slot.attribute,
                    )
                value = slot.value(item.get(slot.name))
            except StoredValueError as error:
                error.key = self.key_of(item)
                raise
            if value is None and slot.absent is not None:
                defaults = noted(defaults, slot.attribute, slot.absent())
                value = defaults[slot.attribute] if slot.form.frozen else deepcopy(defaults[slot.attribute])
            if value is not None or not slot.required:
                values[slot.attribute] = value
        state = values[STATE] = State(forms_kept(self._slots, item), self._held, self._table, None, defaults)
        state.others, state.outdated = self._others(item, outdated), outdated
        return values

    def _brought_up(self, item: Item) -> tuple[Item, Outdated | None]:
        """What an item has become, and where it is of an older schema, what is stored of all that differs.

        Raises StoredValueError.
        """
        evolving, asked = self._evolving, None
        if evolving is None or not evolving.takes(item):
            return item, None
        if self._held is not None:
            asked = self._names if MARK in self._held else self._names - evolving.mark_name
            asked |= evolving.reads if READS in self._held else frozenset()
        try:
            item, outdated = evolving.evolve(item, asked)
            return item, outdated or None
        except StoredValueError as error:
            error.key = self.key_of(item)
            raise

    def key_of(self, item: Item) -> dict[str, Any]:
        """The key of an item as `get` takes it; what cannot be read of it has its stored form as its value."""
        key: dict[str, Any] = {}
        for slot in self._slots:
            if slot.key:
                form = item.get(slot.name)
                try:
                    value = slot.value(form)
                    key[name_for(slot, form, value)] = value
                except StoredValueError:
                    key[StoredName(slot.attribute, form or {}, form)] = form
        return key

    def _instance(self, values: dict[str, Any]) -> M:
        instance = self._new(self._model)
        self._set_dict(instance, values)
        return instance

    def _slow_instances(self, items: list[Raw]) -> list[M]:
        return [self._instance(self._one_by_one(item)) for item in items]

    def _readable(self, items: list[Raw]) -> tuple[list[M], list[Unread]]:
        """The instances of those items that can be read, and why the others cannot be."""
        instances: list[M] = []
        unread: list[Unread] = []
        for item in items:
            try:
                instances.append(self._instance(self._one_by_one(item)))
            except StoredValueError as error:
                unread.append((len(instances), error))
        return instances, unread
