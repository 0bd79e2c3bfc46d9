"""The fast path: for each model, code written for its fields alone reads answers into instances and values into items.

Reading. An item is parsed into a msgspec Struct made for the model, whose fields are wrappers such as `{"S": str}` or
`{"N": int}`: C code does the typing and the number parsing, and attributes that the model does not declare cost
nothing. Straight-line code then builds the instance's `__dict__`. Lists, maps and sets are free-form, so only Python
code can read them, which takes longer than all the rest; their JSON is kept in the instance's state and read by the
field when somebody asks for it. Where a stored value is not of the type its field declares, parsing fails and the
plain path (`Reader.plain_values`) reads the same bytes by each field's own `decode`, which names the field that is
wrong.

Writing. Straight-line code checks the exact type of each value and writes it; whatever is not of the plainest form goes
through the field's own `encode`.

Set the environment variable DYNAMIX_SHOW_CODE to print the generated code to standard error.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from dynamix.codec.forms import PLAIN, Form
from dynamix.codec.state import STATE, State, Stored
from dynamix.codec.values import UnstorableError
from dynamix.errors import StoredValueError
from dynamix.wire import AttributeValue, Item

M = TypeVar("M")


class Slot(NamedTuple):
    """One field, as the codec sees it.

    `sure` is the range of lengths in which a str needs no further check (keys), `constrained` whether every value must
    go through `encode`. `absent` makes the value to show where the stored item has none; `required` fields then show
    nothing. With `unsure`, what an item lacks may be stored all the same, so nothing is shown for it.
    """

    attribute: str
    name: str
    form: Form
    encode: Callable[[Any], AttributeValue]
    decode: Callable[[AttributeValue], Any]
    constrained: bool = False
    sure: tuple[int, int] | None = None
    absent: Callable[[], Any] | None = None
    required: bool = False
    key: bool = False
    unsure: bool = False

    def value(self, wire: AttributeValue | None) -> Any:
        """The value of a stored form; None for none, and for a stored NULL."""
        return None if wire is None else self.decode(wire)

    @property
    def kept(self) -> bool:
        """Whether the state keeps the stored form."""
        return self.form.lazy or (self.sure is not None and self.form.spelled)


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
        self._kept = tuple(slot for slot in self.slots if slot.kept)
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
            if slot.required or not (value is None or (slot.form.empties and value == frozenset())):
                item[slot.name] = slot.encode(value)
        return item

    def plain_key(self, values: Mapping[str, Any]) -> Item:
        """The key of values by attribute: the slow twin of the generated code."""
        return {slot.name: slot.encode(values.get(slot.attribute)) for slot in self.slots if slot.key}

    def stored(self, item: Item) -> Stored:
        """What the state of an instance keeps of an item that was just stored."""
        return _stored(self._kept, item)

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
    """What parses each of the shapes in which items arrive."""

    item: Callable[[bytes], Any]
    page: Callable[[bytes], Any]
    batch: Callable[[bytes], Any]
    attributes: Callable[[bytes], Any]


def _parser(item_type: Any) -> _Parser:
    one = msgspec.defstruct("One", [("Item", item_type | None, None)])
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
    return _Parser(*(msgspec.json.Decoder(shape, strict=False).decode for shape in (one, page, batch, attributes)))


_PLAIN = _parser(dict[str, dict[str, Any]])

_UNREADABLE = (msgspec.ValidationError, ValueError, ArithmeticError, StoredValueError)
"""What the fast way raises of a value that only the plain way can read, or name."""


class Reader(Generic[M]):
    """Reads answers into instances that hold the same attributes of a model.

    A stored value that is not of the type its field declares is a StoredValueError, which names the field and the
    item's key: raised of a single item, listed of many.
    """

    def __init__(self, model: type[M], slots: list[Slot], held: frozenset[str] | None) -> None:
        self._slots = slots
        self._held = held
        self._kept = tuple(slot for slot in slots if slot.kept)
        self._new = model.__new__
        self._model = model
        self._set_dict = _dict_setter(model)
        try:
            self._parser = _parser(_item_struct(model.__name__, slots))
            self._values: Callable[[Any], dict[str, Any]] = _compile_reader(model.__name__, slots, held)
        except ValueError:  # a stored name that msgspec does not take
            self._parser, self._values = _PLAIN, self.plain_values

    def item(self, body: bytes) -> M | None:
        """The instance in an answer of GetItem, or None."""
        try:
            found = self._parser.item(body).Item
            return None if found is None else self._instance(self._values(found))
        except _UNREADABLE:
            found = _PLAIN.item(body).Item
            return None if found is None else self._instance(self.plain_values(found))

    def page(self, body: bytes) -> Page[M]:
        """The instances in an answer of Query or Scan."""
        unread: list[Unread] = []
        try:
            page = self._parser.page(body)
            items = self._instances(page.Items)
        except _UNREADABLE:
            page = _PLAIN.page(body)
            items, unread = self._readable(page.Items)
        return Page(items, unread, page.ScannedCount, page.LastEvaluatedKey or None)

    def batch(self, body: bytes) -> Batch[M]:
        """The instances in an answer of BatchGetItem from one table, and UnprocessedKeys."""
        unread: list[Unread] = []
        try:
            batch = self._parser.batch(body)
            items = self._instances([item for found in batch.Responses.values() for item in found])
        except _UNREADABLE:
            batch = _PLAIN.batch(body)
            items, unread = self._readable([item for found in batch.Responses.values() for item in found])
        return Batch(items, unread, batch.UnprocessedKeys)

    def attributes(self, body: bytes) -> dict[str, Any]:
        """The values by attribute in the `Attributes` of an answer."""
        try:
            return self._values(self._parser.attributes(body).Attributes)
        except _UNREADABLE:
            return self.plain_values(_PLAIN.attributes(body).Attributes)

    def instance(self, item: Item) -> M:
        """The instance of an item that is parsed already."""
        return self._instance(self.plain_values(item))

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
                value = defaults[slot.attribute]
            if value is not None or not slot.required:
                values[slot.attribute] = value
        values[STATE] = State(_stored(self._kept, item), self._held, None, defaults)
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

    def _instances(self, items: list[Any]) -> list[M]:
        new, model, set_dict, values = self._new, self._model, self._set_dict, self._values
        instances = []
        for item in items:
            instance = new(model)
            set_dict(instance, values(item))
            instances.append(instance)
        return instances

    def _readable(self, items: list[Item]) -> tuple[list[M], list[Unread]]:
        """The instances of those items that can be read, and why the others cannot be."""
        instances: list[M] = []
        unread: list[Unread] = []
        for item in items:
            try:
                instances.append(self._instance(self.plain_values(item)))
            except StoredValueError as error:
                unread.append((len(instances), error))
        return instances, unread


def _noted(defaults: dict[str, Any] | None, attribute: str, default: Any) -> dict[str, Any]:
    """The defaults that an instance shows, with one more."""
    if defaults is None:
        return {attribute: default}
    defaults[attribute] = default
    return defaults


def _stored(kept: Iterable[Slot], item: Item) -> Stored:
    stored: Stored = {}
    for slot in kept:
        if slot.form.lazy and not (slot.unsure and slot.name not in item):
            stored[slot.attribute] = Raw(msgspec.json.encode(item[slot.name])) if slot.name in item else Raw()
        elif slot.name in item:
            stored[slot.attribute] = item[slot.name]
    return stored


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
        struct = slot.form.struct
        if slot.key:
            fields.append((f"f{index}", struct))
        elif struct is Raw:
            fields.append((f"f{index}", Raw, Raw()))
        else:
            fields.append((f"f{index}", struct | None, None))
    rename = {f"f{index}": slot.name for index, slot in enumerate(slots)}
    return msgspec.defstruct(f"{model_name}Item", fields, rename=rename, kw_only=True, gc=False)


def _compile_reader(model_name: str, slots: list[Slot], held: frozenset[str] | None) -> Callable[[Any], dict[str, Any]]:
    """Code from a parsed item to the values by attribute. What is read later is copied, lest an instance that is kept
    keep the whole answer."""
    names: dict[str, Any] = {"State": State, "held": held, "noted": _noted}
    entries, later, after = [], [], []
    start, defaults = ["values = {"], ""
    for index, slot in enumerate(slots):
        names.update(slot.form.names)
        read = slot.form.read
        if slot.form.lazy:
            copied = f"{slot.attribute!r}: item.f{index}.copy()"
            later.append(f"**({{{copied}}} if item.f{index} else {{}})" if slot.unsure else copied)
            continue
        if slot.kept:
            later.append(f"**({{{slot.attribute!r}: {{'S': item.f{index}.S}}}} if item.f{index} is not None else {{}})")
        parsed = f"item.f{index}"
        if slot.form is PLAIN:
            names[f"value{index}"] = slot.value
            read, parsed = "v", f"value{index}({parsed})"
        if slot.key:
            entries.append(f"{slot.attribute!r}: {parsed if read == 'v' else read.replace('v.', f'{parsed}.')},")
        elif slot.absent is not None:
            names[f"absent{index}"] = slot.absent
            start, defaults = ["d = None", "values = {"], ", None, d"
            default = f"(d := noted(d, {slot.attribute!r}, absent{index}()))[{slot.attribute!r}]"
            entries.append(f"{slot.attribute!r}: {read} if (v := {parsed}) is not None else {default},")
        elif slot.required:
            after += [f"if (v := {parsed}) is not None:", f"    values[{slot.attribute!r}] = {read}"]
        else:
            entries.append(f"{slot.attribute!r}: {read} if (v := {parsed}) is not None else None,")
    entries.append(f"{STATE!r}: State({{{', '.join(later)}}}, held{defaults}),")
    body = [*start, *(f"    {entry}" for entry in entries), "}", *after, "return values"]
    return _compile("read", model_name, "item", body, names)


def _compile_writer(
    model_name: str, slots: tuple[Slot, ...], plain_item: Callable[[Mapping[str, Any]], Item]
) -> Callable[[Mapping[str, Any]], Item]:
    """Code from values by attribute to an item. None and empty sets are left out, unless the field is required: then
    its `encode` refuses None. What cannot be stored is left to the plain way to name."""
    names: dict[str, Any] = {"UnstorableError": UnstorableError, "EMPTY": frozenset(), "plain_item": plain_item}
    body = []
    for index, slot in enumerate(slots):
        form = slot.form
        names.update(form.names)
        names[f"encode{index}"] = slot.encode
        when = form.when
        if slot.sure is not None and form.length:
            when += f" and {slot.sure[0]} <= {form.length} <= {slot.sure[1]}"
        plain = f"{form.write} if {when} else " if when and not slot.constrained else ""
        write = f"item[{slot.name!r}] = {plain}encode{index}(v)"
        if slot.required:
            body += [f"v = values.get({slot.attribute!r})", write]
        else:
            filled = " and v != EMPTY" if form.empties else ""
            body += [f"if (v := values.get({slot.attribute!r})) is not None{filled}:", f"    {write}"]
    guarded = ["item = {}", "try:", *(f"    {line}" for line in body), "except UnstorableError:"]
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
