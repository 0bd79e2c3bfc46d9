"""How the values of a field stand in JSON: what `to_son` shows and `from_son` takes, and the JSON schema of that.

A class says so by `to_json`, `from_json` and `json_schema`. What has none of its own, or converts values in another way
than the class that it has them from, is left to its stored forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dynamix.codec.values import decode, encode
from dynamix.errors import FieldValidationException
from dynamix.fields.convertible import Convertible
from dynamix.interrupts import let_pass
from dynamix.late import later

if TYPE_CHECKING:
    from dynamix.codec import plain
else:
    later(globals(), plain="dynamix.codec.plain")

V = TypeVar("V")

_CONVERSIONS = frozenset({"to_wire", "from_wire", "to_json"})


class Printable(Convertible[V], Generic[V]):
    """What has values of type V that can be written as JSON. The options that it asks for are set by `Field`."""

    _description: str | None
    default: Any
    required: bool

    def to_json(self, value: V) -> Any:
        """The JSON form of a value, or of its stored form where JSON knows none. Raises FieldValidationException for
        what is no value of the field."""
        try:
            return plain.plain(value)
        except plain.UnprintableError:
            return plain.plain(decode(self._literal(value)))

    def from_json(self, son: Any) -> V:
        """The value that stands for this in JSON. Raises ValueError (or whatever else) for what stands for none; what
        is left as it is, is looked at by the field's checks."""
        try:
            value = self.from_wire(encode(son))
            if self.to_json(value) == son:
                return value
        except Exception as error:
            let_pass(error)
        try:
            self.from_wire(self.to_wire(son))
        except Exception as error:
            let_pass(error)
            raise ValueError(
                f"it is not what a {type(self).__name__} stores, and its class has no from_json that reads another form"
            ) from error
        return son  # type: ignore[no-any-return]

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of these forms, without what all fields share."""
        return {}

    def read_json(self, son: Any) -> V | None:
        """The value that stands for this in JSON, None for null. What JSON does not have is taken for the value itself.

        Raises FieldValidationException for what stands for none; the checks of the field are left to `encode`.
        """
        if son is None or not isinstance(son, str | int | float | list | tuple | dict):
            value: V | None = son
            return value
        try:
            return Printable.from_json(self, son) if self._is_foreign("from_json") else self.from_json(son)
        except FieldValidationException:
            raise
        except Exception as error:
            let_pass(error)
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            raise self.refusal(son, reason) from error

    def described(self, *, nullable: bool) -> dict[str, Any]:
        """The JSON schema of what `read_json` takes, and with `nullable` of null beside it."""
        schema = {} if self._is_foreign("json_schema") else dict(self.json_schema())
        if self.choices is not None:
            schema["enum"] = [self.to_json(choice) for choice in self.choices]
        if nullable:
            schema = _or_null(schema)
        if self._description is not None:
            schema["description"] = self._description
        return schema

    def _is_foreign(self, method: str) -> bool:
        """Whether a class below the one that has this method converts values in a way of its own."""
        return self._has_own(_CONVERSIONS, method)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the same and null."""
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    match schema:
        case {"type": str(kind)}:
            schema["type"] = [kind, "null"]
        case {"type": kinds}:
            schema["type"] = [*kinds, "null"]
        case {"anyOf": kinds}:
            schema["anyOf"] = [*kinds, {"type": "null"}]
        case _ if schema and "enum" not in schema:
            schema = {"anyOf": [schema, {"type": "null"}]}
    return schema
