"""JSON values."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Literal, TypeVar, Unpack, overload

from dynamix.codec import values
from dynamix.codec.forms import Form
from dynamix.codec.trees import Tree, tree
from dynamix.codec.values import UnstorableError
from dynamix.conditions import deeper
from dynamix.errors import InvalidQueryError, ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.element import Element
from dynamix.fields.options import Defaulted, Derived, Options, Present
from dynamix.wire import AttributeValue

T = TypeVar("T")


def _check(value: Any) -> None:
    """Refuse, by UnstorableError, what is not JSON, or would read back as something else."""
    match value:
        case dict():
            for key, element in value.items():
                if not isinstance(key, str):
                    raise UnstorableError(f"the key {key!r} is not a str", of_type=True)
                _check(element)
        case list():
            for element in value:
                _check(element)
        case float() if not isfinite(value):
            raise UnstorableError(f"JSON has no {value!r}")
        case str() | int() | float() | None:
            return
        case _:
            raise UnstorableError(
                f"JSON has no form for a {type(value).__name__} such as {value!r}; give a dict, list, str, int, float, "
                "bool or None",
                of_type=True,
            )


def _to_document(value: Any) -> AttributeValue:
    _check(value)
    return values.encode(value, 0, float)


def _to_tree(value: Any) -> Tree:
    _check(value)
    return tree(value, 0, float)


def _to_text(value: Any) -> AttributeValue:
    """The same text for equal values, but for 1 and 1.0."""
    _check(value)
    return {"S": json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))}


def _refuse_constant(name: str) -> Any:
    raise UnstorableError(f"JSON has no {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise UnstorableError(f"no float holds {text}")
    return number


_read_text = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant).decode

_FORMS = {
    "document": Form(
        when="v is not None",
        write="json_document(v)",
        names={"json_document": _to_document, "json_tree": _to_tree},
        lazy=True,
        tree="json_tree(v)",
    ),
    "text": Form(when="v is not None", write="json_text(v)", names={"json_text": _to_text}, lazy=True),
}


class JSONField(Field[Any, T]):
    """Any JSON value: dict, list, str, int, float, bool, and None inside them.

    It is stored as DynamoDB's own types, so that `Page.data["a"]` and `Page.data[0]` are elements for conditions and
    changes; or with `stored="text"` as JSON text with sorted keys, in which numbers of any length are exact and nothing
    can be looked for.
    """

    form = _FORMS["document"]
    sorts = False

    free = True

    @overload
    def __init__(
        self: JSONField[Any], *, stored: Literal["document", "text"] = ..., **options: Unpack[Present[Any]]
    ) -> None: ...
    @overload
    def __init__(
        self: JSONField[Any], *, stored: Literal["document", "text"] = ..., **options: Unpack[Derived[Any]]
    ) -> None: ...
    @overload
    def __init__(
        self: JSONField[Any | None], *, stored: Literal["document", "text"] = ..., **options: Unpack[Options[Any]]
    ) -> None: ...
    @overload
    def __init__(
        self: JSONField[Any], *, stored: Literal["document", "text"] = ..., **options: Unpack[Defaulted[Any]]
    ) -> None: ...
    def __init__(self, *, stored: Literal["document", "text"] = "document", **options: Any) -> None:
        if stored not in _FORMS:
            raise ModelDefinitionError(f"stored={stored!r} is neither 'document' nor 'text'")
        self.stored = stored
        self.form = _FORMS[stored]
        self.whole = stored == "text"
        super().__init__(**options)

    def __getitem__(self, part: str | int) -> Element:
        if self.whole:
            raise InvalidQueryError(f"{self} is stored as text, in which DynamoDB sees no elements")
        return Element(deeper(self._path(), part))

    def to_wire(self, value: Any) -> AttributeValue:
        return _to_text(value) if self.whole else _to_document(value)

    def part_to_wire(self, part: Any) -> AttributeValue:
        return values.encode(part)

    def from_wire(self, wire: AttributeValue) -> Any:
        if self.whole:
            return _read_text(wire["S"])
        value = values.decode(wire)
        _check(value)
        return value

    def from_json(self, son: Any) -> Any:
        return son
