"""Code for maps that have fields of their own: of the forms of these, instances of a class, and back.

C code parses such a map into a struct with a member for each field. Straight-line code makes the instance of that, in
one of three ways: by its `__dict__`, by calling its class, or by having its class look at the values.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw

from dynamix.codec.forms import Form
from dynamix.codec.generated import compiled, dict_setter, reading, take_names, written
from dynamix.codec.slot import Slot

Making: TypeAlias = Literal["dict", "call", "look"]
"""How an instance is made of values by attribute: they become its `__dict__`, the keywords of a call, or one dict that
a function looks at."""


def record(
    kind: type,
    slots: tuple[Slot, ...],
    making: Making,
    look: Callable[[dict[str, Any]], Any] | None,
    check: Callable[[Any], object] | None,
) -> Form:
    """How generated code reads and writes the maps of one class. Where no struct can be made, it only writes. `check`
    refuses what could not be read back."""
    write = _writer(kind, slots, making, check)
    names: dict[str, Any] = {f"kind_{id(kind)}": kind, f"write_{id(write)}": write}
    form = Form(when=f"type(v) is kind_{id(kind)}", write=f"write_{id(write)}(v)", names=names, lazy=True)
    try:
        parts = msgspec.defstruct(
            f"{kind.__name__}Map",
            [(f"f{index}", _parsed(slot) | None, None) for index, slot in enumerate(slots)],
            rename={f"f{index}": slot.name for index, slot in enumerate(slots)},
            gc=False,
        )
        struct = msgspec.defstruct(kind.__name__, [("M", parts)], gc=False)
        msgspec.json.Decoder(struct)
    except ValueError:  # a stored name that msgspec does not take
        return form
    read = _reader(kind, slots, making, look)
    return form._replace(struct=struct, read=f"read_{id(read)}(v.M)", names={**names, f"read_{id(read)}": read})


def tagged(forms: dict[str, tuple[type, Form, bool]], attribute: str) -> Form:
    """How the maps of several classes are read and written, by what they have in one attribute. `forms` has by tag the
    class, how its maps are, and whether they have the tag of themselves. An unknown tag is a KeyError."""
    writers = {}
    for tag, (kind, form, has_tag) in forms.items():
        own = compiled("write", kind.__name__, "v", [f"return {form.write}"], dict(form.names))
        writers[kind] = own, None if has_tag else {attribute: {"S": tag}}

    def write(value: Any) -> dict[str, Any]:
        own, mark = writers[type(value)]
        stored: dict[str, Any] = own(value)
        return stored if mark is None else {"M": mark | stored["M"]}

    names: dict[str, Any] = {f"kinds_{id(writers)}": writers, f"write_{id(write)}": write}
    whole = Form(when=f"type(v) in kinds_{id(writers)}", write=f"write_{id(write)}(v)", names=names, lazy=True)
    if any(form.struct is None for _, form, _ in forms.values()):
        return whole
    readers = {tag: reading(form) for tag, (_, form, _) in forms.items()}
    tags: Any = msgspec.defstruct("Tag", [("S", str)], gc=False)
    try:
        holder: Any = msgspec.defstruct("Tagged", [("tag", tags)], rename={"tag": attribute}, gc=False)
    except ValueError:  # a stored name that msgspec does not take
        return whole
    find: Any = msgspec.json.Decoder(msgspec.defstruct("Found", [("M", holder)], gc=False)).decode
    wrapped = msgspec.defstruct("Wrapped", [("M", Raw)], gc=False)

    def read(content: Raw) -> Any:
        form = Raw(b'{"M":' + bytes(content) + b"}")
        return readers[find(form).M.tag.S](form)

    return whole._replace(struct=wrapped, read=f"read_{id(read)}(v.M)", names={**names, f"read_{id(read)}": read})


def _parsed(slot: Slot) -> Any:
    form = slot.form
    return form.struct if form.struct is not None and form.read else dict[str, Any]


def _reader(
    kind: type, slots: tuple[Slot, ...], making: Making, look: Callable[[dict[str, Any]], Any] | None
) -> Callable[[Any], Any]:
    """Code from a parsed map to an instance. Raises KeyError where a field that is required is missing."""
    names: dict[str, Any] = {"kind": kind, "new": kind.__new__, "look": look, "missing": _missing}
    entries = []
    for index, slot in enumerate(slots):
        names[f"value{index}"] = slot.value
        own = slot.form.struct is not None and slot.form.read and take_names(names, slot.form)
        read = f"({slot.form.read})" if own else f"value{index}(v)"
        if slot.absent is not None:
            names[f"absent{index}"] = slot.absent
        otherwise = f"absent{index}()" if slot.absent is not None else "missing()" if slot.required else "None"
        found = f"(v := item.f{index}) is not None"
        value = f"{read} if {found} else {otherwise}"
        entries.append(f"{slot.attribute}={value}" if making == "call" else f"{slot.attribute!r}: {value}")
    inside = ", ".join(entries)
    match making:
        case "dict":
            names["set_dict"] = dict_setter(kind)
            body = ["instance = new(kind)", f"set_dict(instance, {{{inside}}})", "return instance"]
        case "call":
            body = [f"return kind({inside})"]
        case "look":
            body = [f"return look({{{inside}}})"]
    return compiled("read", kind.__name__, "item", body, names)


def _writer(
    kind: type, slots: tuple[Slot, ...], making: Making, check: Callable[[Any], object] | None
) -> Callable[[Any], dict[str, Any]]:
    """Code from an instance to its stored form, checked in every way. Raises whatever the fields do."""
    names: dict[str, Any] = {"check": check}
    inside = making == "dict"
    body = written(slots, names, lambda slot: f"values[{slot.attribute!r}]" if inside else f"instance.{slot.attribute}")
    start = ["values = instance.__dict__"] if inside else []
    end = ["check(instance)"] if check is not None else []
    return compiled("write", kind.__name__, "instance", [*start, "item = {}", *body, *end, 'return {"M": item}'], names)


def _missing() -> Any:
    raise KeyError
