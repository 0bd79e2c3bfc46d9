"""The values of a field that has only a few of them, and how each is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynamix.codec.forms import Form, Number, Text, comparable
from dynamix.codec.values import UnstorableError, decode, encode
from dynamix.errors import ModelDefinitionError
from dynamix.wire import AttributeValue

_STRUCTS = {"S": Text, "N": Number}


class Members(dict[Any, Any]):
    """The value of each stored content. One that is not among them stands for `unknown`, or is refused.

    `tag` is the type that they are stored as: "S" or "N".
    """

    def __init__(self, owner: str, stored: Mapping[Any, object], unknown: Any) -> None:
        """`stored` has what is stored for each value. Raises ModelDefinitionError."""
        super().__init__()
        self.unknown = unknown
        self._contents: dict[Any, str] = {}
        tags = set()
        for value, content in stored.items():
            try:
                ((tag, self._contents[value]),) = encode(content).items()
            except UnstorableError as error:
                raise ModelDefinitionError(f"{owner} cannot store {value!r}: {error}") from error
            tags.add(tag)
        if len(tags) != 1 or not tags <= _STRUCTS.keys():
            raise ModelDefinitionError(
                f"{owner} takes one or more values that are stored as one type: all str or all numbers"
            )
        (self.tag,) = tags
        self.update((content, value) for value, content in self._contents.items())
        if unknown is not None and unknown not in self._contents:
            raise ModelDefinitionError(f"unknown={unknown!r} is not among the values of {owner}")

    def __missing__(self, content: Any) -> Any:
        if self.unknown is None:
            raise self._foreign()
        return self.unknown

    def _foreign(self) -> UnstorableError:
        return UnstorableError(f"it is none of {', '.join(map(repr, self._contents))}")

    def write(self, value: Any) -> AttributeValue:
        """The stored form of a value. Raises UnstorableError for what is none of them."""
        content = self._contents.get(value)
        if content is None:
            raise self._foreign()
        return {self.tag: content}

    def read(self, wire: AttributeValue) -> Any:
        """The value of a stored form. Raises KeyError or UnstorableError."""
        return self[(comparable(wire) or wire)[self.tag]]

    def of_json(self, son: Any) -> Any:
        """The value whose content stands in JSON. Raises UnstorableError."""
        wire = encode(son)
        content = (comparable(wire) or wire).get(self.tag)
        if content not in self:
            raise UnstorableError(f"it is none of {', '.join(map(repr, self.in_json()))}")
        return self[content]

    def in_json(self) -> list[Any]:
        """The contents of all values, as they stand in JSON."""
        return [decode({self.tag: content}) for content in self._contents.values()]

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of these contents."""
        contents = self.in_json()
        whole = all(isinstance(content, int) for content in contents)
        return {"type": "string" if self.tag == "S" else "integer" if whole else "number", "enum": contents}

    def form(self, when: str, names: Mapping[str, Any]) -> Form:
        """How generated code reads and writes the values, where the condition `when` is met."""
        members, contents = f"members_{id(self)}", f"contents_{id(self)}"
        return Form(
            _STRUCTS.get(self.tag),
            f"{members}[v.{self.tag}]",
            when,
            f'{{"{self.tag}": {contents}[v]}}',
            {members: self, contents: self._contents, **names},
            exact=self.unknown is None,
            frozen=True,
        )
