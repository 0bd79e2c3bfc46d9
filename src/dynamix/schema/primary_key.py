"""The primary key of a model's items: of an instance, of what a caller gives, of what is stored."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from dynamix.codec.compiled import ModelCodec
from dynamix.codec.names import StoredName, name_for
from dynamix.codec.state import as_wire, stored_of
from dynamix.errors import unknown
from dynamix.fields.computed import ComputedField
from dynamix.schema.index import AnyField, Index
from dynamix.schema.key import as_stored, check_key, refuse_reserved
from dynamix.wire import AttributeValue, Item


class PrimaryKey(Struct, frozen=True, eq=False, dict=True):
    """How the keys of a model's table are read and written. `limits` are the most bytes of each field that is a key;
    with `reserving`, guards of unique values have partition keys in the same table."""

    model_name: str
    table: Index
    fields: Mapping[str, AnyField]
    codec: ModelCodec[Any]
    encoder: Callable[[AnyField], Callable[[Any], AttributeValue]]
    limits: Mapping[str, int]
    reserving: bool

    def of(self, values: Mapping[str, Any]) -> Item:
        """The primary key in DynamoDB's form, as it is stored. Raises MissingKeyError or FieldValidationException."""
        if self._exact or not stored_of(values):
            return self.codec.encode_key(values)
        return self.forms_of(self.table.keys, values)

    def forms_of(self, keys: Iterable[AnyField], values: Mapping[str, Any]) -> Item:
        """The stored forms of keys, of the table or of an index, in an instance's `__dict__`."""
        stored = stored_of(values)
        return {
            field.name: as_wire(stored.get(field.attribute)) or self.encoder(field)(values.get(field.attribute))
            for field in keys
        }

    def from_names(self, names: Mapping[str, Any]) -> Item:
        """The primary key from names and values that a user gave, of keys or of what these are computed from; any other
        name is refused."""
        if names.keys() != self._names:
            names = self._composed(names)
        if StoredName.exist and StoredName in map(type, names):
            return self._as_stored(names)
        return self.codec.encode_key(names)

    def _as_stored(self, names: Mapping[str, Any]) -> Item:
        own = {name: name for name in names}
        key = {}
        for field in self.table.keys:
            name, value = own.get(field.attribute), names.get(field.attribute)
            if isinstance(name, StoredName) and name.says(value):
                key[field.name] = name.form
            else:
                key[field.name] = self.encoder(field)(value)
        return key

    def names_of(self, values: dict[str, Any]) -> dict[str, Any]:
        """The key in an instance's `__dict__`, as `from_names` takes it: attributes and values."""
        stored = stored_of(values)
        key = {}
        for field in self.table.keys:
            value = values.get(field.attribute)
            key[name_for(field, as_wire(stored.get(field.attribute)), value)] = value
        return key

    def shown(self, item: Item) -> str:
        """The key of an item, as people read it."""
        return ", ".join(f"{f.attribute}={f.decode(item[f.name])!r}" for f in self.table.keys)

    def from_stored(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The key, as `from_names` takes it, of stored texts and numbers; a value of another type is a field's own."""
        if given.keys() != self._names:
            given = self._composed(given)
        key = {}
        for field in self.table.keys:
            value = given.get(field.attribute)
            form = as_stored(field, value)
            if form is None:
                form = self.encoder(field)(value)
            check_key(field, self.limits[field.attribute], value, form)
            if self.reserving and field is self.table.hash_key:
                refuse_reserved(field, value, form)
            read = field.decode(form)
            key[name_for(field, form, read)] = read
        return key

    def is_less_than(self, values: Mapping[str, Any]) -> bool:
        """Whether a value is given of a field that is no part of the key."""
        for name in values:  # noqa: SIM110 - a generator would cost each new instance as much as all else here
            if name not in self._names and values[name] is not None:
                return True
        return False

    @cached_property
    def _exact(self) -> bool:
        """Whether a key's value alone says how it is stored, whoever stored it."""
        return all(field.own_form.exact for field in self.table.keys)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(field.attribute for field in self.table.keys)

    def _composed(self, names: Mapping[str, Any]) -> Mapping[str, Any]:
        """The key that names and values make of which some are parts of it; any other name is refused."""
        for name in names:
            if name not in self.fields:
                raise unknown(name, f"{self.model_name} has no field", self.fields)
        from dynamix.schema.composing import composed  # which few programs need

        return composed(self.model_name, self.table, self.fields, names)

    @cached_property
    def parts(self) -> frozenset[str]:
        """The attributes of the key, and those that it is computed from."""
        keys = self.table.keys
        parts = (part for field in keys if isinstance(field, ComputedField) for part in field.parts)
        return frozenset((*(field.attribute for field in keys), *parts))
