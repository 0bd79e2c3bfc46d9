"""The frozen description of a model's table: its key, its fields, its indexes.

Names follow the first dynamix, so that its tables keep working: a field with `indexed=True` is a local index named
`{table}_ix_{field}`, by the field's stored name, or by its attribute where the stored name holds what the name of an
index cannot. Projections given mean INCLUDE, none mean KEYS_ONLY. `__secondary_indexes__` describes global indexes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from dynamix.codec.compiled import FREE_FORM, LOADED, TEXTS, ModelCodec, Slot
from dynamix.errors import ModelDefinitionError, UnknownNameError, unknown
from dynamix.fields.base import NO_TEXT, Field
from dynamix.fields.temporal import DateTimeField
from dynamix.limits import (
    GLOBAL_INDEXES,
    LOCAL_INDEXES,
    NON_KEY_ATTRIBUTES_PER_INDEX,
    PARTITION_KEY_BYTES,
    SORT_KEY_BYTES,
)
from dynamix.wire import AttributeValue, Item

M = TypeVar("M")
AnyField = Field[Any, Any]

_INDEX_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_INDEX_OPTIONS = ("hash_key", "range_key", "read_capacity", "write_capacity", "projections")


class Index(Struct, frozen=True, eq=False):
    """A secondary index, or the table itself seen as one (`name` is None).

    `projection` is what the index holds beside the keys; `included` are the attributes of an INCLUDE.
    """

    name: str | None
    hash_key: AnyField
    range_key: AnyField | None
    local: bool
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    included: tuple[AnyField, ...] = ()
    read_capacity: int | None = None
    write_capacity: int | None = None

    @property
    def keys(self) -> tuple[AnyField, ...]:
        """The key's fields: the partition key, then the sort key if there is one."""
        return (self.hash_key,) if self.range_key is None else (self.hash_key, self.range_key)


class Schema(Struct, Generic[M], frozen=True, eq=False, dict=True):
    """A model's table. `fields` is by attribute, in the order of declaration, inherited ones first."""

    model: type[M]
    table_name: str
    fields: Mapping[str, AnyField]
    table: Index
    indexes: Mapping[str, Index]
    read_capacity: int | None
    write_capacity: int | None

    @property
    def model_name(self) -> str:
        """The name of the model's class."""
        return self.model.__name__

    @cached_property
    def codec(self) -> ModelCodec[M]:
        """The compiled codec of the model."""
        return ModelCodec(self.model, [self._slot(field) for field in self.fields.values()])

    @cached_property
    def _tables(self) -> "dict[str, Table[M]]":
        return {}

    def at(self, prefix: str) -> "Table[M]":
        """The table whose name has a connection's prefix."""
        table = self._tables.get(prefix)
        if table is None:
            table = self._tables.setdefault(prefix, Table(self, prefix + self.table_name))
        return table

    def field(self, name: str) -> AnyField:
        """The field of an attribute name. Raises UnknownNameError."""
        try:
            return self.fields[name]
        except KeyError:
            raise unknown(name, f"{self.model_name} has no field", self.fields) from None

    def owns(self, field: AnyField) -> bool:
        """Whether the field is one of this model's."""
        return self.fields.get(field.attribute) is field

    def index(self, name: str) -> Index:
        """The index of a name. Raises UnknownNameError."""
        try:
            return self.indexes[name]
        except KeyError:
            raise unknown(name, f"{self.model_name} has no index", self.indexes) from None

    def index_on(self, field: AnyField) -> Index:
        """The index that sorts by a field: its local index, or the only global one. Raises UnknownNameError."""
        found = [index for index in self.indexes.values() if index.range_key is field]
        local = [index for index in found if index.local]
        if local or len(found) == 1:
            return (local or found)[0]
        if not self.owns(field):
            raise UnknownNameError(f"{field} is not a field of {self.model_name}")
        names = ", ".join(map(repr, [index.name for index in found] or self.indexes)) or "there is none"
        number = len(found) or "no"
        raise UnknownNameError(f"{field} is the sort key of {number} indexes; give the index by its name: {names}")

    def loaded_from(self, index: Index) -> frozenset[str] | None:
        """The attributes that a read of an index brings, or None for all."""
        if index.projection == "ALL":
            return None
        held = (*self.table.keys, *index.keys, *index.included)
        return frozenset(field.attribute for field in held)

    @cached_property
    def _key_encoders(self) -> tuple[tuple[str, str, Callable[[Any], AttributeValue]], ...]:
        """The key's attributes, stored names and encoders."""
        return tuple((field.attribute, field.name, self.encoder(field)) for field in self.table.keys)

    def key_of(self, values: Mapping[str, Any]) -> Item:
        """The primary key in DynamoDB's form, as it is stored. Raises MissingKeyError or FieldValidationException."""
        loaded = values.get(LOADED, {})
        return {
            name: loaded.get(attribute) or encode(values.get(attribute))
            for attribute, name, encode in self._key_encoders
        }

    def key_from(self, names: Mapping[str, Any]) -> Item:
        """The primary key from names and values that a user gave; any other name is refused."""
        if names.keys() != self._key_names:
            self._refuse_other_names(names)
        return self.key_of(names)

    @cached_property
    def spelled_keys(self) -> tuple[AnyField, ...]:
        """The fields of the primary key that other programs may spell otherwise."""
        return tuple(field for field in self.table.keys if field.kind in TEXTS)

    @cached_property
    def _key_names(self) -> frozenset[str]:
        return frozenset(field.attribute for field in self.table.keys)

    def _refuse_other_names(self, names: Mapping[str, Any]) -> None:
        for name in names:
            self.field(name)
            if name not in self._key_names:
                keys = " and ".join(repr(field.attribute) for field in self.table.keys)
                raise UnknownNameError(f"{self.model_name}.{name} is not part of the key; give {keys} only")

    @cached_property
    def defaults(self) -> tuple[tuple[str, AnyField], ...]:
        """The fields that a new instance may have a default for, by attribute; last those that look at the instance."""
        defaults = [(name, field) for name, field in self.fields.items() if field.has_default]
        return tuple(sorted(defaults, key=lambda entry: entry[1].default_using_instance is not None))

    @cached_property
    def renewed(self) -> tuple[DateTimeField[Any], ...]:
        """The fields that hold the time of the last write."""
        return tuple(f for f in self.fields.values() if isinstance(f, DateTimeField) and f.auto_now)

    @cached_property
    def free_form(self) -> tuple[AnyField, ...]:
        """The fields of lists, maps and sets."""
        return tuple(field for field in self.fields.values() if field.kind in FREE_FORM)

    @cached_property
    def blank(self) -> dict[str, None]:
        """The values of an instance that has none."""
        return dict.fromkeys(self.fields)

    @cached_property
    def _key_limits(self) -> dict[str, int]:
        """The most bytes of each field that is a key of the table or of an index."""
        limits: dict[str, int] = {}
        for index in (self.table, *self.indexes.values()):
            for field, limit in zip(index.keys, (PARTITION_KEY_BYTES, SORT_KEY_BYTES), strict=False):
                limits[field.attribute] = min(limit, limits.get(field.attribute, limit))
        return limits

    def encoder(self, field: AnyField) -> Callable[[Any], AttributeValue]:
        """How a value of a field is written, with the checks of a key where the field is one."""
        limit = self._key_limits.get(field.attribute)
        return field.encode if limit is None else partial(_encode_key, field, limit)

    def _slot(self, field: AnyField) -> Slot:
        limit = self._key_limits.get(field.attribute)
        return Slot(
            attribute=field.attribute,
            name=field.name,
            kind="plain" if field.has_own_ways and field.kind not in FREE_FORM else field.kind,
            encode=self.encoder(field),
            decode=field.decode,
            constrained=field.constrained or field.has_own_ways,
            sure=None if limit is None else (1, limit // 4),
            absent=field.fresh_default if field.default is not None else None,
            required=field.required,
            key=any(field is key for key in self.table.keys),
        )


class Table(Struct, Generic[M], frozen=True, eq=False):
    """A schema under the name that its table has in one place."""

    schema: Schema[M]
    name: str


def _encode_key(field: AnyField, limit: int, value: Any) -> AttributeValue:
    """The stored form of a key's value: not empty, and at most `limit` bytes."""
    wire = field.encode(value)
    text = wire.get("S")
    if text is not None:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise field.refusal(value, NO_TEXT) from error
        if not size:
            raise field.refusal(value, "a key of a table or an index cannot be empty")
        if size > limit:
            raise field.refusal(value, f"it has {size} bytes, and a key may have at most {limit}")
    return wire


def describe(model: type[M]) -> Schema[M]:
    """The schema of a model class. Raises ModelDefinitionError."""
    fields = _fields(model)
    table_name = model.__dict__.get("__table_name__") or getattr(model, "__table_name__", None) or model.__name__
    hash_keys = [field for field in fields.values() if field.hash_key]
    range_keys = [field for field in fields.values() if field.range_key]
    if len(hash_keys) != 1 or len(range_keys) > 1:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(hash_keys)} fields with hash_key=True and {len(range_keys)} with "
            "range_key=True; a table has exactly one partition key and at most one sort key"
        )
    table = Index(None, hash_keys[0], range_keys[0] if range_keys else None, True, "ALL")
    if len({field.name for field in fields.values()}) < len(fields):
        raise ModelDefinitionError(f"two fields of {model.__name__} are stored under one name")
    indexes = [*_local_indexes(model, table_name, fields, table), *_global_indexes(model, fields)]
    return Schema(
        model=model,
        table_name=table_name,
        fields=fields,
        table=table,
        indexes={str(index.name): index for index in indexes},
        read_capacity=getattr(model, "ReadCapacityUnits", None),
        write_capacity=getattr(model, "WriteCapacityUnits", None),
    )


def _fields(model: type) -> dict[str, AnyField]:
    fields: dict[str, AnyField] = {}
    for base in reversed(model.__mro__):
        for attribute, value in vars(base).items():
            if isinstance(value, Field):
                if value.attribute != attribute:
                    raise ModelDefinitionError(
                        f"{model.__name__}.{attribute} is the same field as {value}; make a field of its own"
                    )
                fields[attribute] = value
            else:
                fields.pop(attribute, None)
    return fields


def _local_indexes(model: type, table_name: str, fields: Mapping[str, AnyField], table: Index) -> list[Index]:
    indexes = []
    for field in fields.values():
        if not field.indexed:
            if field.projections:
                raise ModelDefinitionError(f"{field} has projections but no index; give indexed=True as well")
            continue
        if table.range_key is None:
            raise ModelDefinitionError(
                f"{field} is indexed, but local indexes need a table with a sort key (range_key=True)"
            )
        projection, included = _projection(model, fields, field.projections)
        suffix = field.name if _INDEX_NAME.fullmatch(field.name) else field.attribute
        name = f"{table_name}_ix_{suffix}"
        indexes.append(Index(name, table.hash_key, field, True, projection, included))
    if len(indexes) > LOCAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(indexes)} local indexes; a table has at most {LOCAL_INDEXES}"
        )
    return indexes


def _global_indexes(model: type, fields: Mapping[str, AnyField]) -> list[Index]:
    described: Mapping[str, Mapping[str, Any]] = getattr(model, "__secondary_indexes__", {})
    if len(described) > GLOBAL_INDEXES:
        raise ModelDefinitionError(
            f"{model.__name__} has {len(described)} global indexes; a table has at most {GLOBAL_INDEXES}"
        )
    indexes = []
    for name, options in described.items():
        for option in options:
            if option not in _INDEX_OPTIONS:
                raise unknown(option, f"the index {name!r} of {model.__name__} has no option", _INDEX_OPTIONS)
        if "hash_key" not in options:
            raise ModelDefinitionError(f"the index {name!r} of {model.__name__} has no hash_key")
        keys = [
            _named(model, fields, options[role]) for role in ("hash_key", "range_key") if options.get(role) is not None
        ]
        for key in keys:
            if key.key_type is None:
                raise ModelDefinitionError(
                    f"{key} cannot be a key of the index {name!r}: it is no string and no number"
                )
        projection, included = _projection(model, fields, options.get("projections", ()))
        read, write = options.get("read_capacity"), options.get("write_capacity")
        indexes.append(
            Index(name, keys[0], keys[1] if len(keys) > 1 else None, False, projection, included, read, write)
        )
    return indexes


def _projection(
    model: type, fields: Mapping[str, AnyField], names: Sequence[str] | Literal["ALL"] | None
) -> tuple[Literal["ALL", "KEYS_ONLY", "INCLUDE"], tuple[AnyField, ...]]:
    if names == "ALL":
        return "ALL", ()
    if not names:
        return "KEYS_ONLY", ()
    if len(names) > NON_KEY_ATTRIBUTES_PER_INDEX:
        raise ModelDefinitionError(
            f"an index of {model.__name__} projects {len(names)} attributes; the most is {NON_KEY_ATTRIBUTES_PER_INDEX}"
        )
    return "INCLUDE", tuple(_named(model, fields, name) for name in names)


def _named(model: type, fields: Mapping[str, AnyField], name: str | AnyField) -> AnyField:
    """The field of an attribute name, of a stored name, or the field itself."""
    if isinstance(name, Field):
        name = name.attribute
    if name in fields:
        return fields[name]
    for field in fields.values():
        if field.name == name:
            return field
    raise unknown(name, f"an index of {model.__name__} names a field that does not exist:", fields)
