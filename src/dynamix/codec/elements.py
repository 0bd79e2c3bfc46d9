"""Code for collections whose elements are of one kind: lists, maps and sets of what a `Form` reads and writes.

`L`, `M` and `S` stand for lists, maps and sets here, as DynamoDB's tags of them begin or end.
"""

from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Any, Literal, TypeAlias

import msgspec

from dynamix.codec.forms import Form

Shape: TypeAlias = Literal["L", "M", "S"]

_LOOPS = {
    "L": "[{read} for v in {elements}]",
    "M": "{{key: {read} for key, v in {elements}.items()}}",
    "S": "{{{read} for v in {elements}}}",
}
_WHENS = {
    "L": "type(v) is list",
    "M": "type(v) is dict and all(type(key) is str and key for key in v)",
    "S": "type(v) is set",
}


def collected(shape: Shape, tag: str, element: Form, encode: Callable[[Any], Any], *, constrained: bool) -> Form:
    """How generated code reads and writes such a collection. `encode` writes one element where `element` does not,
    `tag` is the type of a set's elements. Where `element` has no struct, code only writes."""
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
    form = Form(when=_WHENS[shape], write=whole, names=names, lazy=True, empties=shape == "S")
    if element.struct is None or not element.read:
        return form
    struct, read = _read(shape, tag, element.struct, element.read)
    return form._replace(struct=struct, read=read, names={**element.names, **names})


def _read(shape: Shape, tag: str, element: type[msgspec.Struct], read: str) -> tuple[type[msgspec.Struct], str]:
    """What C code parses such a collection into, and an expression over that."""
    parts: tuple[Any, ...] = (str, element) if shape == "M" else (element,)
    bare = False
    if shape == "S":
        (field,) = msgspec.structs.fields(element)
        read, parts = read.replace(f"v.{field.name}", "v"), (field.type,)
        bare = read in ("v", "(v)")
    name = f"{tag}S" if shape == "S" else shape
    whole = dict if shape == "M" else set if bare else list
    struct = msgspec.defstruct("Collection", [(name, GenericAlias(whole, parts))], gc=False)
    msgspec.json.Decoder(struct)
    return struct, f"v.{name}" if bare else _LOOPS[shape].format(read=read, elements=f"v.{name}")
