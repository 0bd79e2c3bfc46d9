"""The code that is written for the fields of one model.

Set the environment variable DYNAMIX_SHOW_CODE to print it to standard error.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from dynamix.codec.evolving import Evolving, OutdatedError
from dynamix.codec.forms import Binary, Form, Text, Truth, Whole
from dynamix.codec.slot import Slot, as_json
from dynamix.codec.state import NULL, NULL_JSON, STATE, State, Stored
from dynamix.interrupts import let_pass
from dynamix.wire import Item, SentItem

M = TypeVar("M")

_PARSED = re.compile(r"\bv\.")
"""Where the expression of a form speaks of the parsed struct."""


def noted(defaults: dict[str, Any] | None, attribute: str, default: Any) -> dict[str, Any]:
    """The defaults that an instance shows, with one more."""
    if defaults is None:
        return {attribute: default}
    defaults[attribute] = default
    return defaults


def dict_setter(model: type) -> Callable[[Any, dict[str, Any]], None]:
    """What sets an instance's `__dict__` without going through a `__setattr__` of the model."""
    for base in model.__mro__:
        descriptor = base.__dict__.get("__dict__")
        if descriptor is not None:
            return descriptor.__set__  # type: ignore[no-any-return]
    raise TypeError(f"instances of {model.__name__} have no __dict__")


def item_struct(model_name: str, slots: list[Slot], *, strict: bool, evolving: Evolving | None = None) -> type[Struct]:
    """What an item of a model is parsed into. A strict one takes no attributes that the model does not declare."""
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
    if evolving is not None:
        fields += [(f"old{index}", Raw, Raw()) for index in range(len(evolving.names))]
        rename |= {f"old{index}": name for index, name in enumerate(sorted(evolving.names))}
        if evolving.mark is not None:
            fields.append(("mark", Whole | None, None))
            rename["mark"] = evolving.mark[0]
    name = f"{model_name}Item"
    return msgspec.defstruct(name, fields, rename=rename, kw_only=True, gc=False, forbid_unknown_fields=strict)


def _bare(slot: Slot) -> bool:
    """Whether the value is what the struct has, or else None: then a struct that has None stands for what is missing,
    which saves looking."""
    form = slot.form
    bare = form.exact and form.struct in (Text, Whole, Truth, Binary) and form.read in ("v.S", "v.N", "v.BOOL", "v.B")
    return bare and not (slot.key or slot.required or slot.absent is not None)


def compile_reader(
    model: type[M],
    slots: list[Slot],
    table: str,
    held: frozenset[str] | None,
    evolving: Evolving | None = None,
    parse: Callable[[Raw], Any] | None = None,
) -> tuple[Callable[[Any], dict[str, Any]], Callable[[list[Any]], list[M]]]:
    """Code from a parsed item to the values by attribute, and from many to instances: the same in a loop, since calls
    take time. What is read later is copied, lest an instance that is kept keep the whole answer. An item of an older
    schema raises OutdatedError.

    With `parse` items are given as JSON, which `parse` parses, and is kept as the `others` of the state.
    """
    names: dict[str, Any] = {"State": State, "held": held, "table": table}
    names |= {"json": as_json, "noted": noted, "copied": deepcopy}
    entries, stored, after = [], [], []
    start, defaults = ["values = {"], ""
    for index, slot in enumerate(slots):
        found = f"item.f{index}"
        there = f"(v := {found}) is not None"
        if slot.form.lazy:
            stored.append(_kept(slot, f"{found}.copy()", found))
            there = f"(v := {found}) and (v := eager{index}(v)) is not None"
            names[f"eager{index}"] = slot.eager
        if slot.waits:
            continue
        if not slot.form.lazy and not slot.form.exact:
            frozen = slot.form.struct is not None and slot.form.frozen
            stored.append(_kept(slot, found if frozen else f"json({found})", f"{found} is not None"))
        read, parsed = f"({slot.form.read})", found
        if slot.form.lazy:
            read = "v"
        elif not slot.form.read or not take_names(names, slot.form):
            names[f"value{index}"] = slot.value
            read, parsed = "v", f"value{index}({found})"
            there = f"(v := {parsed}) is not None"
        if slot.key or _bare(slot):
            entries.append(f"{slot.attribute!r}: {parsed if read == 'v' else _PARSED.sub(found + '.', read)},")
        elif slot.absent is not None:
            names[f"absent{index}"] = slot.absent
            start, defaults = ["d = None", "values = {"], ", None, d"
            default = f"(d := noted(d, {slot.attribute!r}, absent{index}()))[{slot.attribute!r}]"
            default = default if slot.form.frozen else f"copied({default})"
            entries.append(f"{slot.attribute!r}: {read} if {there} else {default},")
        elif slot.required:
            after += [f"if {there}:", f"    values[{slot.attribute!r}] = {read}"]
        else:
            entries.append(f"{slot.attribute!r}: {read} if {there} else None,")
    kept = "" if parse is None else ", others=found.copy()"
    entries.append(f"{STATE!r}: State({{{', '.join(stored)}}}, held, table{defaults}{kept}),")
    given, parsing = ("item", []) if parse is None else ("found", ["item = parse(found)"])
    body = [*parsing, *_checks(evolving), *start, *(f"    {entry}" for entry in entries), "}", *after]
    names |= {"OutdatedError": OutdatedError, "parse": parse}
    names |= {"new": model.__new__, "model": model, "set_dict": dict_setter(model)}
    step = [*body, "instance = new(model)", "set_dict(instance, values)", "instances.append(instance)"]
    loop = ["instances = []", f"for {given} in items:", *(f"    {line}" for line in step), "return instances"]
    one = compiled("read", model.__name__, given, [*body, "return values"], names)
    return one, compiled("read_many", model.__name__, "items", loop, names)


def _checks(evolving: Evolving | None) -> list[str]:
    """The lines that look whether an item is of an older schema."""
    if evolving is None:
        return []
    olds = [f"item.old{index}" for index in range(len(evolving.names))]
    if evolving.mark is not None:
        olds.append(f"item.mark is None or item.mark.N != {evolving.mark[1]}")
    return [f"if {' or '.join(olds)}:", "    raise OutdatedError"]


def _kept(slot: Slot, form: str, present: str) -> str:
    """The entry of an attribute's form among those that the state keeps; none for what may be stored all the same."""
    entry = f"{slot.attribute!r}: {form}"
    return f"**({{{entry}}} if {present} else {{}})" if slot.unsure else entry


def take_names(names: dict[str, Any], form: Form) -> bool:
    """Whether the names of a form's expressions are free, or mean the same already; then they are taken."""
    if any(names.get(name, meant) is not meant for name, meant in form.names.items()):
        return False
    names.update(form.names)
    return True


def compile_writer(
    model_name: str,
    slots: tuple[Slot, ...],
    plain_item: Callable[[Mapping[str, Any]], Item],
    *,
    as_sent: bool = False,
) -> Callable[[Mapping[str, Any]], SentItem]:
    """Code from values by attribute to an item, or to one as it is sent. What cannot be stored is left to the plain way
    to name, and so are values that are not all there, but for those that were not read."""
    names: dict[str, Any] = {"plain_item": plain_item, "let_pass": let_pass}
    get = "values.get({!r})".format
    body = written(
        slots, names, lambda slot: get(slot.attribute) if slot.form.lazy else f"values[{slot.attribute!r}]", as_sent
    )
    guarded = ["item = {}", "try:", *(f"    {line}" for line in body), "except Exception as error:"]
    body = [*guarded, "    let_pass(error)", "    return plain_item(values)", "return item"]
    return compiled("write", model_name, "values", body, names)


def written(
    slots: tuple[Slot, ...], names: dict[str, Any], value_of: Callable[[Slot], str], as_sent: bool = False
) -> list[str]:
    """The lines that put the stored forms of values into `item`, and in `names` what they use. None and empty sets are
    left out, unless the field is required: then its `encode` refuses None. `value_of` is the expression of a value.
    With `as_sent` lazy forms are JSON."""
    names |= {"EMPTY": frozenset(), "NULL": NULL, "NULL_JSON": NULL_JSON, "Raw": Raw, "encode": msgspec.json.encode}
    body = []
    for index, slot in enumerate(slots):
        form, place, value = slot.form, f"item[{slot.name!r}]", value_of(slot)
        json = as_sent and form.lazy
        names[f"encode{index}"] = slot.encode
        when = form.when
        if slot.sure is not None and form.length:
            when += f" and {slot.sure[0]} <= {form.length} <= {slot.sure[1]}"
        stored = f"encode{index}(v)"
        if when and not slot.constrained and take_names(names, form):
            stored = f"{(json and form.tree) or form.write} if {when} else {stored}"
        write = f"{place} = Raw(encode({stored}))" if json else f"{place} = {stored}"
        if slot.required:
            body += [f"v = {value}", write]
            continue
        filled = " and v != EMPTY" if form.empties else ""
        body += [f"if (v := {value}) is not None{filled}:", f"    {write}"]
        if slot.null:
            body += ["elif v is None:", f"    {place} = {'NULL_JSON' if json else 'NULL'}"]
    return body


def reading(form: Form) -> Callable[[Raw], Any]:
    """What reads the JSON of one stored form, parsed by C code into the struct that the form has.

    Raises whatever a wrong value makes it raise.
    """
    names = {**form.names, "_decode": msgspec.json.Decoder(form.struct, strict=False).decode}
    return compiled("read", "one form", "v", ["v = _decode(v)", f"return {form.read}"], names)


def writing(form: Form) -> Callable[[Any], Raw | None]:
    """What writes a value as the JSON of its stored form; None for one that is not of the plainest kind.

    Raises whatever a wrong value makes it raise.
    """
    names = {**form.names, "json": as_json}
    return compiled(
        "write", "one form", "v", [f"return json({form.tree or form.write}) if {form.when} else None"], names
    )


def compile_keeper(model_name: str, slots: tuple[Slot, ...]) -> Callable[[SentItem], Stored]:
    """Code from an item as it is sent whole to what is kept of it: the same as `forms_kept`, but for exact forms that
    are NULL though their fields store no NULL."""
    names: dict[str, Any] = {"Raw": Raw, "encode": msgspec.json.encode, "NULL": NULL, "NOTHING": Raw()}
    entries, after = [], []
    for slot in slots:
        form, found = slot.form, f"item.get({slot.name!r})"
        if form.lazy:
            entries.append(f"{slot.attribute!r}: item.get({slot.name!r}, NOTHING),")
        elif form.exact:
            if slot.null:
                after += [f"if {found} == NULL:", f"    stored[{slot.attribute!r}] = NULL"]
        elif form.frozen:
            entries.append(f"{slot.attribute!r}: {found},")
        else:
            entries.append(f"{slot.attribute!r}: Raw(encode(w)) if (w := {found}) is not None else None,")
    body = ["stored = {", *(f"    {entry}" for entry in entries), "}", *after, "return stored"]
    return compiled("keep", model_name, "item", body, names)


def compiled(verb: str, model_name: str, argument: str, body: list[str], names: dict[str, Any]) -> Callable[[Any], Any]:
    """The function of this body. The name of a model or another class, which may be any text, only says where the code
    belongs."""
    place = f"dynamix {verb} {model_name!r}"
    source = "\n".join([f"def {verb}({argument}):", *(f"    {line}" for line in body), ""])
    if os.environ.get("DYNAMIX_SHOW_CODE"):
        sys.stderr.write(f"# {place}\n{source}")
    exec(compile(source, f"<{place}>", "exec"), names)  # noqa: S102 - our own text; names are given by repr
    return names[verb]  # type: ignore[no-any-return]
