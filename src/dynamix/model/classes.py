"""Classes that are no models, as what a repository stores of them.

Its model has the fields of the class (see `dynamix.fields.kinds`) without their defaults: an instance has all its
values. What an item lacks shows the class's default, an empty set, or None, and where something else than None would
show, None is stored as NULL.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.kinds import Kind, is_kind, kind_of
from dynamix.fields.nested import NestedModel


class LackingError(KeyError):
    """An attribute without a default has no value."""


class Stored(NamedTuple):
    """A class whose instances are stored as items, and the fields of its model."""

    kind: Kind
    fields: Mapping[str, Field[Any, Any]]

    @property
    def of(self) -> type:
        """The class."""
        return self.kind.of

    def values(self, instance: Any) -> dict[str, Any]:
        """What is to be stored of an instance, by attribute. Raises FieldValidationException for an empty set that
        would be read back as something else."""
        values: dict[str, Any] = {}
        for name, field in self.kind.fields.items():
            values[name] = value = getattr(instance, name)
            if isinstance(value, set | frozenset) and not value and field.when_absent() != value:
                raise field.refusal(value, "an empty set is not stored, and would read back as None; give None")
        return values

    def instance(self, found: Mapping[str, Any], nulls: Container[str]) -> Any:
        """The instance of what was read, and of what is stored as NULL. Raises LackingError for an attribute that
        has to have a value and has none, and whatever the class raises."""
        values = {}
        for name, field in self.kind.fields.items():
            value = found.get(name)
            if value is None and name not in nulls:
                value = field.when_absent()
            if value is None and field.required:
                raise LackingError(name)
            values[name] = value
        return self.kind.make(values)


def stored_class(model: Any) -> Stored:
    """What is known of a class. Raises ModelDefinitionError for one that cannot be stored."""
    if not is_kind(model) or issubclass(model, NestedModel):
        raise ModelDefinitionError(
            f"{model!r} is no class that can be stored; give a dataclass, an attrs class, a msgspec Struct or a model "
            "of pydantic"
        )
    kind = kind_of(model, item=True)
    fields = {name: field.placed("", "") for name, field in kind.fields.items()}
    for field in fields.values():
        field.default = None
    return Stored(kind, fields)
