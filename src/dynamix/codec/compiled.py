"""The fast path: for each model, code written for its fields alone reads answers into instances and values into items.

Reading. An item is parsed into a msgspec Struct made for the model, whose fields are wrappers such as `{"S": str}` or
`{"N": int}`: C code does the typing and the number parsing, and attributes that the model does not declare cost
nothing. Straight-line code then builds the instance's `__dict__`. Lists, maps and sets are free-form, so only Python
code can read them, which takes longer than all the rest; their JSON is kept in the instance's state and read by the
field when somebody asks for it. Where a stored value is not of the type its field declares, parsing fails. Then the
items of the answer are parsed one by one: one that has NULLs without them, and one that has a wrong value by each
field's own `decode` (`Reader.plain_values`), which names the field.

Writing. Straight-line code checks the exact type of each value and writes it; whatever is not of the plainest form goes
through the field's own `encode`.

Set the environment variable DYNAMIX_SHOW_CODE to print the generated code to standard error.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from dynamix.codec.forms import Form, Text, Truth, Whole
from dynamix.codec.state import NULL, STATE, State, Stored, as_wire
from dynamix.errors import StoredValueError
from dynamix.wire import AttributeValue, Item

M = TypeVar("M")

_PARSED = re.compile(r"\bv\.")
"""Where the expression of a form speaks of the parsed struct."""


class Slot(NamedTuple):
    """One field, as the codec sees it.

    `respelled` is how the field itself would store what a stored form reads as. `sure` is the range of lengths in which
    a str needs no further check (keys), `constrained` whether every value must go through `encode`. `absent` makes the
    value to show where the stored item has none; `required` fields then show nothing. With `null`, None is stored as
    NULL. With `unsure`, what an item lacks may be stored all the same, so nothing is shown for it.
    """

    attribute: str
    name: str
    form: Form
    encode: Callable[[Any], AttributeValue]
    decode: Callable[[AttributeValue], Any]
    respelled: Callable[[Any, Any], AttributeValue | None]
    constrained: bool = False
    sure: tuple[int, int] | None = None
    absent: Callable[[], Any] | None = None
    required: bool = False
    key: bool = False
    unsure: bool = False
    null: bool = False

    def value(self, form: Any) -> Any:
        """The value of a stored form; None for none, and for a stored NULL."""
        wire = as_wire(form)
        return None if wire is None else self.decode(wire)


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


class ModelCodec(Generic[M]):
    """The compiled way between one model's instances and DynamoDB's JSON."""

    def __init__(self, model: type[M], slots: Iterable[Slot]) -> None:
        self.model = model
        self.slots = tuple(slots)
        self._readers: dict[tuple[frozenset[str] | None, frozenset[str] | None], Reader[M]] = {}
        self.encode_item: Callable[[Mapping[str, Any]], Item] = _compile_writer(
            model.__name__, self.slots, self.plain_item
        )
        """The item of values by attribute. Raises FieldValidationException."""
        self.encode_key: Callable[[Mapping[str, Any]], Item] = _compile_writer(
            model.__name__, tuple(slot for slot in self.slots if slot.key), self.plain_key
        )
        """The key of values by attribute. Raises MissingKeyError or FieldValidationException."""

    def plain_item(self, values: Mapping[str, Any]) -> Item:
        """The item of values by attribute: the slow twin of the generated code.

        Raises FieldValidationException for a value that its field cannot hold.
        """
        item = {}
        for slot in self.slots:
            value = values.get(slot.attribute)
            empty = slot.form.empties and value == frozenset()
            if slot.required or (slot.null if value is None else not empty):
                item[slot.name] = slot.encode(value)
        return item

    def plain_key(self, values: Mapping[str, Any]) -> Item:
        """The key of values by attribute: the slow twin of the generated code."""
        return {slot.name: slot.encode(values.get(slot.attribute)) for slot in self.slots if slot.key}

    def stored(self, item: Item) -> Stored:
        """What the state of an instance keeps of an item that was just stored."""
        return _stored(self.slots, item)

    def restore(self, item: Item, values: Mapping[str, Any], state: State) -> None:
        """Put into an item, made of an instance's values, the stored forms of those that nobody touched.

        A value was touched if a change of it is pending, or if it would be stored otherwise than what was loaded.
        """
        for slot in self.slots:
            form = (state.stored or {}).get(slot.attribute)
            if not form or (state.pending is not None and state.pending.changes(slot.attribute)):
                continue
            wire = as_wire(form)
            if wire == item.get(slot.name):
                continue  # by far the most
            default = (state.defaults or {}).get(slot.attribute)
            if slot.key or slot.attribute not in values or slot.respelled(form, default) == item.get(slot.name):
                item[slot.name] = wire

    def reader(self, attributes: frozenset[str] | None = None, sure: frozenset[str] | None = None) -> "Reader[M]":
        """The reader for answers that hold only some attributes of the model; None: all.

        Of these, an answer that lacks one of the `sure` ones says that it is not stored; None: of all.
        """
        reader = self._readers.get((attributes, sure))
        if reader is None:
            slots = [slot for slot in self.slots if attributes is None or slot.attribute in attributes]
            if sure is not None:
                slots = [slot if slot.attribute in sure else slot._replace(**_UNSURE) for slot in slots]
            reader = self._readers.setdefault((attributes, sure), Reader(self.model, slots, attributes))
        return reader


_UNSURE: dict[str, Any] = {"unsure": True, "required": True, "absent": None}


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


_RAW = _parser(Raw)
_ITEM: Callable[[Raw], Item] = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode


class Reader(Generic[M]):
    """Reads answers into instances that hold the same attributes of a model.

    A stored value that is not of the type its field declares is a StoredValueError, which names the field and the
    item's key: raised of a single item, listed of many.
    """

    def __init__(self, model: type[M], slots: list[Slot], held: frozenset[str] | None) -> None:
        self._slots = slots
        self._held = held
        self._eager = {slot.name: slot.attribute for slot in slots if not slot.form.lazy}
        self._new = model.__new__
        self._model = model
        self._set_dict = _dict_setter(model)
        try:
            self._parser = _parser(_item_struct(model.__name__, slots))
            self._values, self._instances = _compile_reader(model, slots, held)
        except ValueError:  # a stored name that msgspec does not take
            self._parser, self._values, self._instances = _RAW, self._one_by_one, self._slow_instances

    def item(self, body: bytes) -> M | None:
        """The instance in an answer of GetItem, or None."""
        try:
            found = self._parser.item(body).Item
            return None if found is None else self._instance(self._values(found))
        except Exception:  # of conversions of the user's own as well, which the slow way names
            found = _RAW.item(body).Item
            return None if found is None else self._instance(self._one_by_one(found))

    def page(self, body: bytes) -> Page[M]:
        """The instances in an answer of Query or Scan."""
        unread: list[Unread] = []
        try:
            page = self._parser.page(body)
            items = self._instances(page.Items)
        except Exception:
            page = _RAW.page(body)
            items, unread = self._readable(page.Items)
        return Page(items, unread, page.ScannedCount, page.LastEvaluatedKey or None)

    def batch(self, body: bytes) -> Batch[M]:
        """The instances in an answer of BatchGetItem from one table, and UnprocessedKeys."""
        unread: list[Unread] = []
        try:
            batch = self._parser.batch(body)
            items = self._instances([item for found in batch.Responses.values() for item in found])
        except Exception:
            batch = _RAW.batch(body)
            items, unread = self._readable([item for found in batch.Responses.values() for item in found])
        return Batch(items, unread, batch.UnprocessedKeys)

    def attributes(self, body: bytes) -> dict[str, Any]:
        """The values by attribute in the `Attributes` of an answer."""
        try:
            return self._values(self._parser.attributes(body).Attributes)
        except Exception:
            return self._one_by_one(_RAW.attributes(body).Attributes)

    def instance(self, item: Item) -> M:
        """The instance of an item that is parsed already."""
        return self._instance(self.plain_values(item))

    def _one_by_one(self, found: Raw) -> dict[str, Any]:
        """The values by attribute of an item that may have NULLs or wrong values, which the parser does not take."""
        item = _ITEM(found)
        nulls = {name for name in self._eager if item.get(name) == NULL}
        if self._parser is not _RAW:
            try:
                rest = {name: wire for name, wire in item.items() if name not in nulls}
                values = self._values(self._parser.one(msgspec.json.encode(rest)))
            except Exception:
                return self.plain_values(item)
            values[STATE].stored |= {self._eager[name]: NULL for name in nulls}
            return values
        return self.plain_values(item)

    def plain_values(self, item: Item) -> dict[str, Any]:
        """The values by attribute of an item: the slow twin of the generated code."""
        values = {}
        defaults: dict[str, Any] | None = None
        for slot in self._slots:
            if slot.form.lazy:
                continue
            try:
                if slot.key and slot.name not in item:
                    raise StoredValueError(
                        f"an item of {self._model.__name__} came without {slot.name!r}, which is part of its key",
                        field=slot.attribute,
                    )
                value = slot.value(item.get(slot.name))
            except StoredValueError as error:
                error.key = self._key(item)
                raise
            if value is None and slot.absent is not None:
                defaults = _noted(defaults, slot.attribute, slot.absent())
                value = defaults[slot.attribute] if slot.form.frozen else deepcopy(defaults[slot.attribute])
            if value is not None or not slot.required:
                values[slot.attribute] = value
        values[STATE] = State(_stored(self._slots, item), self._held, None, defaults)
        return values

    def _key(self, item: Item) -> dict[str, Any]:
        """The key of an item, by attribute; what cannot be read of it as it is stored."""
        key: dict[str, Any] = {}
        for slot in self._slots:
            if slot.key:
                try:
                    key[slot.attribute] = slot.value(item.get(slot.name))
                except StoredValueError as error:
                    key[slot.attribute] = error.value
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


def _noted(defaults: dict[str, Any] | None, attribute: str, default: Any) -> dict[str, Any]:
    """The defaults that an instance shows, with one more."""
    if defaults is None:
        return {attribute: default}
    defaults[attribute] = default
    return defaults


def _stored(slots: Iterable[Slot], item: Item) -> Stored:
    """What is kept of an item: see `State`. Forms that nobody can edit are kept as they are."""
    stored: Stored = {}
    for slot in slots:
        form, wire = slot.form, item.get(slot.name)
        if form.exact:
            if wire is not None and "NULL" in wire:
                stored[slot.attribute] = wire
        elif wire is not None:
            stored[slot.attribute] = wire if form.frozen else _json(wire)
        elif not slot.unsure:
            stored[slot.attribute] = Raw() if form.lazy else None
    return stored


def _json(wire: AttributeValue | None) -> Raw | None:
    """A form as JSON, which nobody can edit."""
    return None if wire is None else Raw(msgspec.json.encode(wire))


def _dict_setter(model: type) -> Callable[[Any, dict[str, Any]], None]:
    """What sets an instance's `__dict__` without going through a `__setattr__` of the model."""
    for base in model.__mro__:
        descriptor = base.__dict__.get("__dict__")
        if descriptor is not None:
            return descriptor.__set__  # type: ignore[no-any-return]
    raise TypeError(f"instances of {model.__name__} have no __dict__")


def _item_struct(model_name: str, slots: list[Slot]) -> type[Struct]:
    fields: list[Any] = []
    for index, slot in enumerate(slots):
        parsed = slot.form.parsed
        if slot.key:
            fields.append((f"f{index}", parsed))
        elif slot.form.lazy:
            fields.append((f"f{index}", Raw, Raw()))
        elif _bare(slot):
            fields.append((f"f{index}", parsed, parsed(None)))
        else:
            fields.append((f"f{index}", parsed | None, None))
    rename = {f"f{index}": slot.name for index, slot in enumerate(slots)}
    return msgspec.defstruct(f"{model_name}Item", fields, rename=rename, kw_only=True, gc=False)


def _bare(slot: Slot) -> bool:
    """Whether the value is what the struct has, or else None: then a struct that has None stands for what is missing,
    which saves looking."""
    form = slot.form
    bare = form.exact and form.struct in (Text, Whole, Truth) and form.read in ("v.S", "v.N", "v.BOOL")
    return bare and not (slot.key or slot.required or slot.absent is not None)


def _compile_reader(
    model: type[M], slots: list[Slot], held: frozenset[str] | None
) -> tuple[Callable[[Any], dict[str, Any]], Callable[[list[Any]], list[M]]]:
    """Code from a parsed item to the values by attribute, and from many to instances: the same in a loop, since calls
    take time. What is read later is copied, lest an instance that is kept keep the whole answer."""
    names: dict[str, Any] = {"State": State, "held": held, "json": _json, "noted": _noted, "copied": deepcopy}
    entries, stored, after = [], [], []
    start, defaults = ["values = {"], ""
    for index, slot in enumerate(slots):
        found = f"item.f{index}"
        if slot.form.lazy:
            stored.append(_kept(slot, f"{found}.copy()", found))
            continue
        if not slot.form.exact:
            frozen = slot.form.struct is not None and slot.form.frozen
            stored.append(_kept(slot, found if frozen else f"json({found})", f"{found} is not None"))
        read, parsed = f"({slot.form.read})", found
        if not slot.form.read or not _take_names(names, slot.form):
            names[f"value{index}"] = slot.value
            read, parsed = "v", f"value{index}({found})"
        if slot.key or _bare(slot):
            entries.append(f"{slot.attribute!r}: {parsed if read == 'v' else _PARSED.sub(found + '.', read)},")
        elif slot.absent is not None:
            names[f"absent{index}"] = slot.absent
            start, defaults = ["d = None", "values = {"], ", None, d"
            default = f"(d := noted(d, {slot.attribute!r}, absent{index}()))[{slot.attribute!r}]"
            default = default if slot.form.frozen else f"copied({default})"
            entries.append(f"{slot.attribute!r}: {read} if (v := {parsed}) is not None else {default},")
        elif slot.required:
            after += [f"if (v := {parsed}) is not None:", f"    values[{slot.attribute!r}] = {read}"]
        else:
            entries.append(f"{slot.attribute!r}: {read} if (v := {parsed}) is not None else None,")
    entries.append(f"{STATE!r}: State({{{', '.join(stored)}}}, held{defaults}),")
    body = [*start, *(f"    {entry}" for entry in entries), "}", *after]
    names |= {"new": model.__new__, "model": model, "set_dict": _dict_setter(model)}
    step = [*body, "instance = new(model)", "set_dict(instance, values)", "instances.append(instance)"]
    loop = ["instances = []", "for item in items:", *(f"    {line}" for line in step), "return instances"]
    one = _compile("read", model.__name__, "item", [*body, "return values"], names)
    return one, _compile("read_many", model.__name__, "items", loop, names)


def _kept(slot: Slot, form: str, present: str) -> str:
    """The entry of an attribute's form among those that the state keeps; none for what may be stored all the same."""
    entry = f"{slot.attribute!r}: {form}"
    return f"**({{{entry}}} if {present} else {{}})" if slot.unsure else entry


def _take_names(names: dict[str, Any], form: Form) -> bool:
    """Whether the names of a form's expressions are free, or mean the same already; then they are taken."""
    if any(names.get(name, meant) is not meant for name, meant in form.names.items()):
        return False
    names.update(form.names)
    return True


def _compile_writer(
    model_name: str, slots: tuple[Slot, ...], plain_item: Callable[[Mapping[str, Any]], Item]
) -> Callable[[Mapping[str, Any]], Item]:
    """Code from values by attribute to an item. None and empty sets are left out, unless the field is required: then
    its `encode` refuses None. What cannot be stored is left to the plain way to name."""
    names: dict[str, Any] = {"EMPTY": frozenset(), "NULL": NULL, "plain_item": plain_item}
    body = []
    for index, slot in enumerate(slots):
        form, place = slot.form, f"item[{slot.name!r}]"
        names[f"encode{index}"] = slot.encode
        when = form.when
        if slot.sure is not None and form.length:
            when += f" and {slot.sure[0]} <= {form.length} <= {slot.sure[1]}"
        fast = when and not slot.constrained and _take_names(names, form)
        write = f"{place} = {form.write} if {when} else encode{index}(v)" if fast else f"{place} = encode{index}(v)"
        if slot.required:
            body += [f"v = values.get({slot.attribute!r})", write]
            continue
        filled = " and v != EMPTY" if form.empties else ""
        body += [f"if (v := values.get({slot.attribute!r})) is not None{filled}:", f"    {write}"]
        if slot.null:
            body += ["elif v is None:", f"    {place} = NULL"]
    guarded = ["item = {}", "try:", *(f"    {line}" for line in body), "except Exception:"]
    body = [*guarded, "    return plain_item(values)", "return item"]
    return _compile("write", model_name, "values", body, names)


def _compile(verb: str, model_name: str, argument: str, body: list[str], names: dict[str, Any]) -> Callable[[Any], Any]:
    """The function of this body. The model's name, which may be any text, only says where the code belongs."""
    place = f"dynamix {verb} {model_name!r}"
    source = "\n".join([f"def {verb}({argument}):", *(f"    {line}" for line in body), ""])
    if os.environ.get("DYNAMIX_SHOW_CODE"):
        sys.stderr.write(f"# {place}\n{source}")
    exec(compile(source, f"<{place}>", "exec"), names)  # noqa: S102 - our own text; names are given by repr
    return names[verb]  # type: ignore[no-any-return]
