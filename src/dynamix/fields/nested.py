"""Models without a table: what a ModelField holds, declared with fields as models are."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

from dynamix.errors import ModelDefinitionError, nearest, unknown
from dynamix.fields.base import Field
from dynamix.fields.computed import ComputedField
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.declared import declared_fields
from dynamix.fields.ttl import TTLField
from dynamix.fields.version import VersionField

_FIELDS = "_dynamix_fields"

if TYPE_CHECKING:

    class _Nesting(Field[Any, Any], type):
        """What `User.address` is to type checkers: the class of its values, on which their fields are found, and a
        field, with its comparisons and changes. At run time it is the ModelField."""

        def __getitem__(cls, part: str) -> Any: ...

    class _Nested(metaclass=_Nesting): ...
else:

    class _Nested: ...


class NestedModel(_Nested):
    """The base of models that are parts of items: `address = ModelField(Address)`.

    Its fields are those of a model, but for what only a table knows: it has no keys and no indexes, nothing that is
    unique or computed, no version, and no time at which it expires or was written. An instance is a plain value; what
    is changed in it is noticed by the `save()` of the item.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Raises ModelDefinitionError for a field that only an item can have."""
        super().__init_subclass__(**options)
        for field in declared_fields(cls).values():
            _check(cls, field)
        if _FIELDS in vars(cls):  # copied by a class decorator
            delattr(cls, _FIELDS)

    def __init__(self, /, **values: Any) -> None:
        fields = nested_fields(type(self))
        shown = vars(self)
        for name in values:
            if name not in fields:
                raise unknown(name, f"{type(self).__name__} has no field", fields)
        for name, field in fields.items():
            shown[name] = field.taken(values[name]) if name in values else None
        lacking = [field for name, field in fields.items() if shown[name] is None and field.has_default]
        for field in sorted(lacking, key=lambda field: field.default_using_instance is not None):
            shown[field.attribute] = field.default_for(self)

    def replace(self, /, **values: Any) -> Self:
        """A copy with other values, which nothing connects with this instance. Raises UnknownNameError."""
        fields = nested_fields(type(self))
        twin = copy.deepcopy(self)
        for name, value in values.items():
            if name not in fields:
                raise unknown(name, f"{type(self).__name__} has no field", fields)
            vars(twin)[name] = fields[name].taken(value)
        return twin

    def __repr__(self) -> str:
        fields = nested_fields(type(self))
        shown = ((name, vars(self).get(name)) for name, field in fields.items() if not field.hidden)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown if value is not None)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        mine, others = vars(self), vars(other)
        return all(mine.get(name) == others.get(name) for name in nested_fields(type(self)))

    __hash__ = None  # type: ignore[assignment]  # its values change

    if not TYPE_CHECKING:  # a type checker that saw these would let every name pass

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):
                return object.__getattribute__(self, name)
            near = None if name.startswith("_") else nearest(name, nested_fields(type(self)))
            hint = f"; did you mean {near!r}?" if near else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}", name=name)

        def __setattr__(self, name: str, value: Any) -> None:
            fields = nested_fields(type(self))
            field = fields.get(name)
            if field is None:
                if not name.startswith("_") and not hasattr(type(self), name):
                    raise unknown(name, f"{type(self).__name__} has no field", fields)
                super().__setattr__(name, value)
                return
            if field.read_only and vars(self).get(name) is not None:
                raise field.unchangeable()
            value = field.taken(value)
            if field.required or not (value is None or value == frozenset()):
                field.encode(value)
            vars(self)[name] = value


def nested_fields(model: type[NestedModel]) -> dict[str, Field[Any, Any]]:
    """The fields of a NestedModel by attribute."""
    fields: dict[str, Field[Any, Any]] | None = vars(model).get(_FIELDS)
    if fields is None:
        fields = declared_fields(model)
        setattr(model, _FIELDS, fields)
    return fields


def _check(model: type, field: Field[Any, Any]) -> None:
    """Refuse what only an item of a table can have."""
    options = {
        "a key": field.hash_key or field.range_key,
        "indexed": field.indexed,
        "unique": field.unique,
        "renamed (was=)": field.was is not None,
        "the time of the last write": isinstance(field, DateTimeField) and field.auto_now,
        "computed": isinstance(field, ComputedField),
        "the time when an item expires": isinstance(field, TTLField),
        "the version of an item": isinstance(field, VersionField),
    }
    for what, refused in options.items():
        if refused:
            raise ModelDefinitionError(
                f"{model.__name__}.{field.attribute} cannot be {what}: a NestedModel is a part of an item; declare "
                "that in the Model"
            )
    if field.name != field.attribute and not field.name:
        raise ModelDefinitionError(f"{model.__name__}.{field.attribute} has no stored name")
