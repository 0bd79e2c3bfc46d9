"""The fast path: for each model, code written for its fields alone reads answers into instances and values into items.

Reading. An item is parsed into a msgspec Struct made for the model, whose fields are wrappers such as `{"S": str}` or
`{"N": int}`: C code does the typing and the number parsing. Straight-line code then builds the instance's `__dict__`.
Lists, maps and sets are free-form, so only Python code can read them, which takes longer than all the rest; their JSON
is kept in the instance's state and read by the field when somebody asks for it. Where a stored value is not of the type
its field declares, parsing fails. Then the items of the answer are parsed one by one: one that has NULLs without them,
and one that has a wrong value by each field's own `decode` (`Reader.plain_values`), which names the field. It fails as
well where an item has attributes that the model does not declare; from then on the JSON of each item is kept, for
whoever asks for them.

Writing. Straight-line code checks the exact type of each value and writes it; whatever is not of the plainest form goes
through the field's own `encode`. Where an item is stored whole, lists, maps and sets become JSON at once, which goes
into the request and into the instance's state.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

from dynamix.codec.evolving import Evolving
from dynamix.codec.generated import compile_keeper, compile_writer
from dynamix.codec.reader import Reader
from dynamix.codec.slot import Slot, as_json
from dynamix.codec.state import LACKING, NULL, NULL_JSON, State, Stored, as_wire
from dynamix.codec.versions import Versions
from dynamix.errors import FieldValidationException, all_wrong
from dynamix.wire import Item, SentItem

M = TypeVar("M")


class ModelCodec(Generic[M]):
    """The compiled way between one model's instances and DynamoDB's JSON."""

    def __init__(self, model: type[M], slots: Iterable[Slot], evolving: Evolving | None = None) -> None:
        self.model = model
        self.slots = tuple(slots)
        self._evolving = evolving
        self.mark: Item = {}
        """What says of an item by which version of the model it is stored; nothing where there are no versions."""
        self._names = frozenset(slot.name for slot in self.slots)
        if evolving is not None:
            self._names |= evolving.own_names
            self.mark = {} if evolving.mark is None else {evolving.mark[0]: {"N": str(evolving.mark[1])}}
        self._exact = {slot.name: slot.attribute for slot in self.slots if slot.form.exact}
        self._later = [slot.name for slot in self.slots if slot.form.lazy]
        self._nulls = [(slot.attribute, slot.name) for slot in self.slots if slot.null]
        self._by_attribute = {slot.attribute: slot for slot in self.slots}
        self._readers: dict[tuple[str, frozenset[str] | None, frozenset[str] | None], Reader[M]] = {}
        self.encode_key: Callable[[Mapping[str, Any]], Item] = compile_writer(
            model.__name__, tuple(slot for slot in self.slots if slot.key), self.plain_key
        )
        """The key of values by attribute. Raises MissingKeyError or FieldValidationException."""

    @cached_property
    def encode_item(self) -> Callable[[Mapping[str, Any]], Item]:
        """The item of values by attribute. Raises FieldValidationException."""
        return compile_writer(self.model.__name__, self.slots, self.plain_item)

    @cached_property
    def encode_sent(self) -> Callable[[Mapping[str, Any]], SentItem]:
        """The same item as a request has it: what is read later is JSON already. Raises UnicodeEncodeError besides."""
        return compile_writer(
            self.model.__name__, self.slots, lambda values: self._sent(self.plain_item(values)), as_sent=True
        )

    @cached_property
    def _kept(self) -> Callable[[SentItem], Stored]:
        return compile_keeper(self.model.__name__, self.slots)

    def plain_item(self, values: Mapping[str, Any]) -> Item:
        """The item of values by attribute: the slow twin of the generated code.

        Raises FieldValidationException, which tells of every value that its field cannot hold.
        """
        wanted = []
        for slot in self.slots:
            value = values.get(slot.attribute)
            empty = slot.form.empties and value == frozenset()
            if slot.required or (slot.null if value is None else not empty):
                wanted.append(slot)
        return _written(wanted, values)

    def plain_key(self, values: Mapping[str, Any]) -> Item:
        """The key of values by attribute: the slow twin of the generated code."""
        return _written((slot for slot in self.slots if slot.key), values)

    def item(self, values: Mapping[str, Any], state: State | None) -> Item:
        """The item of an instance's values.

        What nobody touched since it was loaded is in the form in which it is stored. A value was touched if a change of
        it is pending, or if it would be stored otherwise than what was loaded. Raises FieldValidationException.
        """
        item = self._encoded(self.encode_item, values, state)
        if state is not None:
            for attribute, form in state.forms.items():
                self._restore(attribute, form, item, values, state)
            if state.others is not None:
                item |= self.undeclared(state)
        return item

    def _encoded(
        self, encode: Callable[[Mapping[str, Any]], SentItem], values: Mapping[str, Any], state: State | None
    ) -> SentItem:
        """The item of values. What was missing when it was loaded does not become NULL."""
        item = encode(values)
        if self._nulls and state is not None and state.stored is not None:
            for attribute, name in self._nulls:
                touched = state.pending is not None and state.pending.changes(attribute)
                if item.get(name) in (NULL, NULL_JSON) and not touched and not state.stored.get(attribute):
                    del item[name]
        if self.mark:
            item |= self.mark
        return item

    def undeclared(self, state: State) -> Item:
        """The attributes of an instance's item that the model does not declare, as they are stored."""
        others = as_wire(state.others) or {}
        return {name: wire for name, wire in others.items() if name not in self._names}

    def kept(self, item: SentItem) -> Stored:
        """What the state of an instance keeps of an item as `whole` makes it. Raises UnicodeEncodeError."""
        stored = self._kept(item)
        for name, wire in item.items():
            if name in self._exact and "NULL" in wire:
                stored[self._exact[name]] = wire
        return stored

    def whole(self, values: Mapping[str, Any], state: State | None) -> tuple[SentItem, Stored]:
        """The same item as a request has it, and what is to be kept of it, which tells in most cases that nothing was
        touched. What is read later is JSON already, in both: `as_wire` gives its form. Raises UnicodeEncodeError."""
        item = self._encoded(self.encode_sent, values, state)
        kept = self._kept(item)
        if state is not None and state.others is not None:
            item |= self.undeclared(state)
        if state is None or not (forms := state.forms):
            return item, kept
        if kept == forms:
            return item, forms
        touched = [attribute for attribute, form in forms.items() if kept.get(attribute, LACKING) != form]
        restored = [self._restore(attribute, forms[attribute], item, values, state) for attribute in touched]
        return (self._sent(item), self.kept(item)) if any(restored) else (item, kept)

    def _sent(self, item: SentItem) -> SentItem:
        """An item with JSON in the place of what is read later. Raises UnicodeEncodeError."""
        for name in self._later:
            if isinstance(item.get(name), dict):
                item[name] = as_json(item[name])
        return item

    def _restore(self, attribute: str, form: Any, item: SentItem, values: Mapping[str, Any], state: State) -> bool:
        """Put the stored form of one attribute into an item, unless its value was touched; of one that was touched in
        places, the rest. Whether anything was put there."""
        slot = self._by_attribute.get(attribute)
        if slot is None or not form:
            return False
        queued = None if state.pending is None else state.pending.draft(attribute)
        if queued is not None and (queued.assigned or not slot.respells):
            return False
        wire, new = as_wire(form), as_wire(item.get(slot.name))
        if wire is None or wire == new:
            return False  # by far the most
        default = (state.defaults or {}).get(attribute)
        unedited = None if slot.key or attribute not in values else slot.respelled(form, default)
        if slot.key or attribute not in values or unedited == new:
            item[slot.name] = wire
            return True
        if not slot.respells or new is None or unedited is None:
            return False
        before = unedited if slot.as_read is None else slot.as_read(form)
        merged = new if before is None else Versions(wire, before, new).merged()
        if merged == new:
            return False
        item[slot.name] = merged
        return True

    def reader(
        self, table: str, attributes: frozenset[str] | None = None, sure: frozenset[str] | None = None
    ) -> "Reader[M]":
        """The reader for answers of a table that hold only some attributes of the model; None: all.

        Of these, an answer that lacks one of the `sure` ones says that it is not stored; None: of all.
        """
        reader = self._readers.get((table, attributes, sure))
        if reader is None:
            slots = [slot for slot in self.slots if attributes is None or slot.attribute in attributes]
            evolving = None if self._evolving is None else self._evolving.seen(attributes)
            if sure is not None:
                slots = [slot if slot.attribute in sure else slot._replace(**_UNSURE) for slot in slots]
            reader = self._readers.setdefault(
                (table, attributes, sure), Reader(self.model, slots, table, attributes, evolving)
            )
        return reader


def _written(slots: Iterable[Slot], values: Mapping[str, Any]) -> Item:
    """The stored forms of values. Raises FieldValidationException, which tells of all that cannot be stored."""
    item, errors = {}, []
    for slot in slots:
        try:
            item[slot.name] = slot.encode(values.get(slot.attribute))
        except FieldValidationException as error:
            errors.append(error)
    if errors:
        raise all_wrong(errors)
    return item


_UNSURE: dict[str, Any] = {"unsure": True, "required": True, "absent": None}
