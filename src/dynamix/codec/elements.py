"""Code for collections whose elements are of one kind: lists, maps and sets of what a `Form` reads and writes.

`L`, `M` and `S` stand for lists, maps and sets here, as DynamoDB's tags of them begin or end.
"""

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw

from dynamix.codec.forms import Form

Shape: TypeAlias = Literal["L", "M", "S"]

_LOOPS = {
    "L": "[{} for v in elements]",
    "M": "{{key: {} for key, v in elements.items()}}",
    "S": "{{{} for v in elements}}",
}
_WHENS = {
    "L": "type(v) is list",
    "M": "type(v) is dict and all(type(key) is str and key for key in v)",
    "S": "type(v) is set",
}


def collected(shape: Shape, tag: str, element: Form, encode: Callable[[Any], Any], *, constrained: bool) -> Form:
    """How generated code writes such a collection. `encode` writes one element where `element` does not, `tag` is the
    type of a set's elements."""
    name = f"element_{id(encode)}"
    names: Mapping[str, Any] = {name: encode}
    write = f"{name}(v)"
    if element.write and element.when and not constrained:
        write, names = f"({element.write} if {element.when} else {write})", {**element.names, **names}
    match shape:
        case "L":
            whole = f'{{"L": [{write} for v in v]}}'
        case "M":
            whole = f'{{"M": {{key: {write} for key, v in v.items()}}}}'
        case "S":
            whole = f'{{"{tag}S": sorted({{{write}["{tag}"] for v in v}})}}'
    return Form(when=_WHENS[shape], write=whole, names=names, lazy=True, empties=shape == "S")


def reader(shape: Shape, tag: str, element: Form) -> Callable[[Raw], Any] | None:
    """What reads the JSON of such a collection, its elements parsed by C code; None where `element` has no struct.

    Raises whatever a wrong value makes it raise.
    """
    if element.struct is None or not element.read or element.lazy:
        return None
    (field,) = msgspec.structs.fields(element.struct)
    read = element.read.replace(f"v.{field.name}", "v") if shape == "S" else element.read
    parts = (field.type,) if shape == "S" else (str, element.struct) if shape == "M" else (element.struct,)
    parsed = GenericAlias(dict if shape == "M" else list, parts)
    name = f"{tag}S" if shape == "S" else shape
    struct: Any = msgspec.defstruct("Collection", [("elements", parsed)], rename={"elements": name})
    names = dict(element.names)
    source = f"def read(elements):\n    return {_LOOPS[shape].format(read)}\n"
    exec(compile(source, "<dynamix elements>", "exec"), names)  # noqa: S102 - our own text
    decode, convert = msgspec.json.Decoder(struct, strict=False).decode, names["read"]
    return lambda form: convert(decode(form).elements)
