"""The frozen description of a model's table: its key, its fields, its indexes."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from dynamix.codec.compiled import ModelCodec
from dynamix.codec.evolving import Evolving
from dynamix.codec.slot import Slot
from dynamix.codec.state import LACKING, state_of, stored_of
from dynamix.errors import (
    DynamixError,
    ModelDefinitionError,
    StoredValueError,
    unknown,
)
from dynamix.expressions.nodes import (
    And,
    Compare,
    Condition,
    Path,
    Value,
)
from dynamix.fields.computed import ComputedField
from dynamix.fields.refusals import shown
from dynamix.fields.ttl import TTLField
from dynamix.fields.version import VersionField
from dynamix.limits import (
    PARTITION_KEY_BYTES,
    SORT_KEY_BYTES,
    TABLE_NAME,
)
from dynamix.schema.declared import Declared
from dynamix.schema.existence import Existence
from dynamix.schema.hooks import Hooks
from dynamix.schema.index import AnyField, Index, Vectors
from dynamix.schema.key import encode_key, encode_shared_key
from dynamix.schema.primary_key import PrimaryKey
from dynamix.schema.projection import Projection
from dynamix.wire import AttributeValue

if TYPE_CHECKING:
    from dynamix.schema.kinds import Kinds
    from dynamix.schema.times import Times
    from dynamix.schema.unique import Guards
    from dynamix.schema.upgrades import Versions
    from dynamix.schema.whole import Whole

M = TypeVar("M")


class Schema(Struct, Generic[M], frozen=True, eq=False, dict=True):
    """A model's table. `fields` is by attribute, in the order of declaration, inherited ones first.

    `declared` are the indexes that are attributes of the model, `vectors` its vector indexes by name. `guards` are
    those of unique values, None where there are none; `companion` is their table, where it is another one. `kinds` says
    which items of the table are the model's, None where all are. `versions` are those of the schema, where the model
    says by which its items are stored.
    """

    model: type[M]
    table_name: str
    fields: Mapping[str, AnyField]
    table: Index
    indexes: Mapping[str, Index]
    read_capacity: int | None
    write_capacity: int | None
    deletion_protection: bool | None
    guards: "Guards | None" = None
    declared: Mapping[str, Declared] = {}
    vectors: Mapping[str, Vectors] = {}
    companion: "Schema[Any] | None" = None
    kinds: "Kinds | None" = None
    versions: "Versions | None" = None

    @property
    def model_name(self) -> str:
        """The name of the model's class."""
        return self.model.__name__

    @cached_property
    def codec(self) -> ModelCodec[M]:
        """The compiled codec of the model."""
        slots = [self._slot(field) for field in self.fields.values()]
        if self.kinds is None:
            return ModelCodec(self.model, slots, self.evolving)
        from dynamix.codec.mixed import MixedCodec  # which programs without shared tables never need
        from dynamix.schema.kinds import Sorting

        return MixedCodec(self.model, slots, Sorting(self.kinds, self.table), self.evolving)

    @cached_property
    def key(self) -> PrimaryKey:
        """The primary key."""
        reserving = self.guards is not None and self.guards.within
        return PrimaryKey(
            self.model_name, self.table, self.fields, self.codec, self.encoder, self.key_limits, reserving
        )

    @cached_property
    def whole(self) -> "Whole":
        """How instances are stored whole."""
        from dynamix.schema.whole import Whole  # which programs that only read need not

        return Whole(self.model_name, self.fields, self.computed, self.codec)

    @cached_property
    def existence(self) -> Existence:
        """What exists of the model."""
        return Existence(self.table, self.kinds, self.hidden)

    @cached_property
    def projection(self) -> Projection:
        """What reads bring."""
        return Projection(self.table, self.kinds, self.versions, self.renamed)

    @cached_property
    def times(self) -> "Times":
        """The times that writes give by themselves."""
        from dynamix.schema.times import Times  # which programs that only read need not

        return Times(self.fields)

    @cached_property
    def hooks(self) -> Hooks:
        """The methods of the model that are called with instances."""
        return Hooks(self.model, self.kinds)

    @cached_property
    def evolving(self) -> Evolving | None:
        """How items of an older schema become those of the model; None where there is none."""
        if not self.renamed and self.versions is None:
            return None
        from dynamix.schema.evolution import evolving  # which most programs need not

        keys = [key for index in (self.table, *self.indexes.values()) for key in index.keys]
        unique = [field for each in (() if self.guards is None else self.guards.uniques) for field in each.fields]
        return evolving(self.renamed, self.versions, keys, (*self.table.keys, *unique))

    @cached_property
    def renamed(self) -> tuple[AnyField, ...]:
        """The fields that had another name."""
        return tuple(field for field in self.fields.values() if field.was is not None)

    @cached_property
    def present(self) -> Condition | None:
        """The condition that an item is stored in the version of the model; None where there are no versions."""
        if self.versions is None:
            return None
        return Compare("=", Path((self.versions.field.name,)), Value({"N": str(self.versions.present)}))

    def if_present(self, values: dict[str, Any], condition: Condition | None) -> Condition | None:
        """A condition of a change, and where the item was not loaded, that it is stored in the version of the model."""
        if self.present is None or state_of(values).stored is not None:
            return condition
        return self.present if condition is None else And((condition, self.present))

    @cached_property
    def _tables(self) -> "dict[str, Table[M]]":
        return {}

    def at(self, prefix: str) -> "Table[M]":
        """The table whose name has a connection's prefix.

        Raises ModelDefinitionError for a name that no table can have.
        """
        table = self._tables.get(prefix)
        if table is None:
            name = prefix + self.table_name
            if self.companion is not None:
                self.companion.at(prefix)  # so that its name is known to be one
            if not TABLE_NAME.fullmatch(name):
                raise ModelDefinitionError(
                    f"the table of {self.model_name} cannot be called {name!r}; a table's name has 3 to 255 of the "
                    "characters a-z, A-Z, 0-9, '_', '-' and '.'; give the model a __table_name__"
                    f"{' or the connection another table_prefix' if prefix else ''}"
                )
            table = self._tables.setdefault(prefix, Table(self, name))
        return table

    def field(self, name: str) -> AnyField:
        """The field of an attribute name. Raises UnknownNameError."""
        try:
            return self.fields[name]
        except KeyError:
            raise unknown(name, f"{self.model_name} has no field", self.fields) from None

    def owns(self, field: AnyField) -> bool:
        """Whether the field is one of this model's, or of those whose items it reads."""
        return self.fields.get(field.attribute) is field or (self.kinds is not None and self.kinds.owns(field))

    def index(self, name: str) -> Index:
        """The index of a name. Raises UnknownNameError."""
        try:
            return self.indexes[name]
        except KeyError:
            raise unknown(name, f"{self.model_name} has no index", self.indexes) from None

    def read_all(self, values: dict[str, Any]) -> dict[str, Any]:
        """An instance's `__dict__`, with everything read that was loaded. Raises StoredValueError."""
        for field in self.lazy:
            try:
                field.value_in(values)
            except StoredValueError as error:
                error.key, error.table = self.key.names_of(values), state_of(values).table
                raise
        return values

    def shown(self, values: dict[str, Any], *, hidden: bool = True) -> dict[str, Any]:
        """What an instance's `__dict__` has of each field, for whoever must not fail: an Unreadable of what cannot be
        read, None of a default that cannot be kept; without `hidden` nothing of hidden fields."""
        stored = stored_of(values)
        shown: dict[str, Any] = {}
        for attribute, field in self.fields.items():
            if field.hidden and not hidden:
                continue
            try:
                value = field.value_in(values)
                if value is not LACKING:
                    shown[attribute] = value
            except DynamixError:
                shown[attribute] = Unreadable(msgspec.json.encode(stored[attribute])) if stored[attribute] else None
        return shown

    @cached_property
    def defaults(self) -> tuple[tuple[str, AnyField], ...]:
        """The fields that a new instance may have a default for, by attribute; last those that look at the instance."""
        defaults = [(name, field) for name, field in self.fields.items() if field.has_default]
        return tuple(sorted(defaults, key=lambda entry: _turn(entry[1])))

    @cached_property
    def computed(self) -> tuple[ComputedField[Any, Any], ...]:
        """The fields that are computed from others."""
        return tuple(field for field in self.fields.values() if isinstance(field, ComputedField))

    @cached_property
    def part_names(self) -> frozenset[str]:
        """The attributes that others are computed from."""
        return frozenset(part for field in self.computed for part in field.parts)

    @cached_property
    def version(self) -> AnyField | None:
        """The VersionField of the model, if there is one."""
        return next((field for field in self.fields.values() if isinstance(field, VersionField)), None)

    @cached_property
    def expiry(self) -> AnyField | None:
        """The TTLField of the model, if there is one."""
        return next((field for field in self.fields.values() if isinstance(field, TTLField)), None)

    @cached_property
    def hidden(self) -> AnyField | None:
        """The TTLField by which items are hidden once they have expired, if there is one."""
        return self.expiry if self.expiry is not None and self.expiry.hide_expired else None

    @cached_property
    def taking(self) -> tuple[AnyField, ...]:
        """The fields whose values have other spellings."""
        return tuple(field for field in self.fields.values() if field.takes)

    @cached_property
    def lazy(self) -> tuple[AnyField, ...]:
        """The fields whose values are read when somebody asks for them."""
        return tuple(field for field in self.fields.values() if field.own_form.lazy)

    @cached_property
    def editable(self) -> tuple[AnyField, ...]:
        """The fields whose values may be edited in place."""
        return tuple(field for field in self.fields.values() if not field.own_form.frozen)

    @cached_property
    def blank(self) -> dict[str, None]:
        """The values of an instance that has none."""
        return dict.fromkeys(self.fields)

    @cached_property
    def key_limits(self) -> dict[str, int]:
        """The most bytes of each field that is a key of the table or of an index."""
        limits: dict[str, int] = {}
        for index in (self.table, *self.indexes.values()):
            for fields, limit in ((index.hash_keys, PARTITION_KEY_BYTES), (index.range_keys, SORT_KEY_BYTES)):
                for field in fields:
                    limits[field.attribute] = min(limit, limits.get(field.attribute, limit))
        for vectors in self.vectors.values():
            for field in vectors.keys:
                limits.setdefault(field.attribute, PARTITION_KEY_BYTES)
        return limits

    def encoder(self, field: AnyField) -> Callable[[Any], AttributeValue]:
        """How a value of a field is written, with the checks of a key where the field is one."""
        limit = self.key_limits.get(field.attribute)
        if self.kinds is not None and field is self.kinds.field:
            return partial(_encode_kind, self.kinds)
        if limit is None:
            return field.encode
        return partial(encode_shared_key if self._is_shared(field) else encode_key, field, limit)

    def is_guard(self, item: Mapping[str, Any]) -> bool:
        """Whether an item, or a key, is that of a guard beside the items of the model."""
        if self.kinds is not None and self.kinds.own is None:
            return any(schema.is_guard(item) for schema in self.kinds.schemas())
        if self.guards is None or not self.guards.within:
            return False
        from dynamix.schema.unique import WITHIN

        form = item.get(self.table.hash_key.name)
        return isinstance(form, Mapping) and str(form.get("S", "")).startswith(WITHIN)

    def _is_shared(self, field: AnyField) -> bool:
        """Whether a field is the partition key of a table that holds guards beside items."""
        return self.guards is not None and self.guards.within and field is self.table.hash_key

    def _slot(self, field: AnyField) -> Slot:
        limit = self.key_limits.get(field.attribute)
        if limit is not None and field.null:
            raise ModelDefinitionError(f"{field} is a key of an index, which is never NULL; leave out null=True")
        return Slot(
            attribute=field.attribute,
            name=field.name,
            form=field.own_form,
            encode=self.encoder(field),
            decode=field.decode,
            respelled=field.respelled,
            constrained=field._lax or self._is_shared(field) or field.is_discriminator,
            sure=None if limit is None else (1, limit // 4),
            absent=field.when_absent if field.default is not None else None,
            required=field.required,
            key=any(field is key for key in self.table.keys),
            null=field.null,
            eager=field.read if field.eager and field.own_form.lazy else None,
            respells=field.respells,
            as_read=field.as_read if field.transform is not None or field.transforms_parts else None,
        )


class Unreadable(Struct, frozen=True):
    """What stands for a stored value that its field cannot read."""

    json: bytes

    def __repr__(self) -> str:
        return f"<unreadable {shown(self.json.decode(errors='replace'))}>"


class Table(Struct, Generic[M], frozen=True, eq=False):
    """A schema under the name that its table has in one place."""

    schema: Schema[M]
    name: str

    @property
    def guarding(self) -> "Table[Any] | None":
        """The table of the guards of unique values, where that is another one."""
        companion = self.schema.companion
        if companion is None:
            return None
        from dynamix.schema.unique import COMPANION

        return Table(companion, self.name + COMPANION)


def _turn(field: AnyField) -> int:
    """When the default of a field is made: that of one that looks at the instance after the others, and at last what
    is computed."""
    return 2 if isinstance(field, ComputedField) else int(field.default_using_instance is not None)


def _encode_kind(kinds: "Kinds", value: Any) -> AttributeValue:
    """The stored form of a model's discriminator, which has no other value."""
    if value is None or value != kinds.own:
        raise kinds.field.refused(kinds.model, value)
    return {"S": value}
