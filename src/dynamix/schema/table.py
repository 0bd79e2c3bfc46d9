"""The frozen description of a model's table: its key, its fields, its indexes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from dynamix.codec.compiled import ModelCodec
from dynamix.codec.evolving import MARK, READS, Evolving
from dynamix.codec.names import StoredName, name_for
from dynamix.codec.slot import Slot
from dynamix.codec.state import LACKING, NULL, STATE, State, Stored, as_wire, state_of, stored_of
from dynamix.codec.values import decode
from dynamix.errors import (
    DynamixError,
    FieldNotLoadedError,
    InvalidUpdateError,
    ModelDefinitionError,
    StoredValueError,
    UnknownNameError,
    unknown,
)
from dynamix.expressions.nodes import (
    And,
    AttributeExists,
    AttributeNotExists,
    Compare,
    Condition,
    Not,
    Or,
    Path,
    Value,
    all_of,
)
from dynamix.fields.base import Field
from dynamix.fields.computed import ComputedField
from dynamix.fields.datetime import DateTimeField
from dynamix.fields.refusals import shown
from dynamix.fields.ttl import TTLField
from dynamix.fields.version import VersionField
from dynamix.limits import (
    PARTITION_KEY_BYTES,
    SORT_KEY_BYTES,
    TABLE_NAME,
)
from dynamix.schema.declared import Declared, VectorIndex
from dynamix.schema.index import AnyField, Index, Vectors
from dynamix.schema.key import as_stored, check_key
from dynamix.schema.unique import COMPANION, WITHIN, Guards
from dynamix.wire import AttributeValue, Item, is_coroutine_function

if TYPE_CHECKING:
    from dynamix.schema.kinds import Kinds
    from dynamix.schema.upgrades import Versions

M = TypeVar("M")
Hook: TypeAlias = Callable[[Any], object]
"""A method of a model that is called with an instance."""


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
    guards: Guards | None = None
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

        return MixedCodec(self.model, slots, _Sorting(self.kinds, self.table), self.evolving)

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
    def old_names(self) -> dict[str, str]:
        """The old stored names by the new ones."""
        return {field.name: str(field.was) for field in self.renamed}

    def asked_for(self, fields: Sequence[AnyField], index: Index | None = None) -> tuple[str, ...]:
        """The stored names to ask for where some fields are read, of the table or of an index."""
        names = [field.name for field in fields]
        attributes = self.attributes_of(fields, index)
        if self.old_names and (index is None or index.projection == "ALL"):
            names += [self.old_names[name] for name in names if name in self.old_names]
        if self.versions is not None and MARK in attributes:
            names.append(self.versions.field.name)
        if self.versions is not None and READS in attributes:
            names += sorted(self.versions.reads)
        return tuple(dict.fromkeys(names))

    def attributes_of(self, fields: Sequence[AnyField], index: Index | None = None) -> frozenset[str]:
        """The attributes that a read of some fields brings, of the table or of an index."""
        attributes = frozenset(field.attribute for field in fields)
        if self.versions is None:
            return attributes
        held = None if index is None else self.loaded_from(index)
        if held is None:
            return attributes | {MARK, READS}
        return attributes | {MARK} if MARK in held else attributes

    def sure_of(self, attributes: frozenset[str] | None) -> frozenset[str] | None:
        """Those of some attributes that are missing where a read which did not ask for old names does not bring them;
        None where all are."""
        if attributes is None or not self.renamed:
            return None
        return attributes.difference(field.attribute for field in self.renamed)

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

    def index_declared(self, declared: Declared) -> Index:
        """The index that an attribute of the model declares. Raises UnknownNameError."""
        if self.declared.get(declared.attribute) is not declared:
            raise UnknownNameError(f"{declared} is not an index of {self.model_name}")
        return self.index(declared.name)

    def holds(self, index: Vectors, field: AnyField) -> bool:
        """Whether a vector index holds a field."""
        own = (index.field, *self.table.keys, *index.keys, *index.included)
        return index.projection == "ALL" or any(field is held for held in own)

    def vectors_of(self, given: object) -> Vectors:
        """The vector index that is given as the model declares it, by its name, or by its field where no other index
        has that one. Raises UnknownNameError."""
        if isinstance(given, VectorIndex):
            if self.declared.get(given.attribute) is not given:
                raise UnknownNameError(f"{given} is not an index of {self.model_name}")
            return self.vectors[given.name]
        by_name = isinstance(given, str)
        found = [index for index in self.vectors.values() if (index.name == given if by_name else index.field is given)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(map(repr, self.vectors)) or "there is none"
        raise UnknownNameError(f"{given!r} names {len(found) or 'no'} vector indexes of {self.model_name}: {names}")

    def index_on(self, field: AnyField) -> Index:
        """The index that sorts by a field: its local index, or the only global one; where none does, the only one whose
        partition key it is. Raises UnknownNameError."""
        found = [index for index in self.indexes.values() if any(key is field for key in index.range_keys)]
        local = [index for index in found if index.local]
        if not found:
            own = (index for index in self.indexes.values() if not index.local)
            found = [index for index in own if any(key is field for key in index.hash_keys)]
        if len(local) == 1 or len(found) == 1:
            return (local or found)[0]
        if not self.owns(field):
            raise UnknownNameError(f"{field} is not a field of {self.model_name}")
        names = ", ".join(map(repr, [index.name for index in found] or self.indexes)) or "there is none"
        number = len(found) or "no"
        raise UnknownNameError(f"{field} is a key of {number} indexes; give the index by its name: {names}")

    def loaded_from(self, index: Index) -> frozenset[str] | None:
        """The attributes that a read of an index brings, or None for all."""
        if index.projection == "ALL":
            return None
        return self.keys_of_index(index).union(field.attribute for field in index.included)

    def keys_of_index(self, index: Index) -> frozenset[str]:
        """The attributes that every item in an index has: its keys and the table's."""
        return frozenset(field.attribute for field in (*self.table.keys, *index.keys))

    def key_of(self, values: Mapping[str, Any]) -> Item:
        """The primary key in DynamoDB's form, as it is stored. Raises MissingKeyError or FieldValidationException."""
        if self._keys_are_exact or not stored_of(values):
            return self.codec.encode_key(values)
        return self.forms_of(self.table.keys, values)

    def forms_of(self, keys: Iterable[AnyField], values: Mapping[str, Any]) -> Item:
        """The stored forms of keys, of the table or of an index, in an instance's `__dict__`."""
        stored = stored_of(values)
        return {
            field.name: as_wire(stored.get(field.attribute)) or self.encoder(field)(values.get(field.attribute))
            for field in keys
        }

    def read_all(self, values: dict[str, Any]) -> dict[str, Any]:
        """An instance's `__dict__`, with everything read that was loaded. Raises StoredValueError."""
        for field in self.lazy:
            try:
                field.value_in(values)
            except StoredValueError as error:
                error.key, error.table = self.key_dict(values), state_of(values).table
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

    def item_of(self, values: dict[str, Any], times: Mapping[str, Any] | None = None) -> Item:
        """The whole item in DynamoDB's form, every value checked. `times` take the place of values, by attribute.

        What nobody touched since it was loaded is in the form in which it is stored; lists, maps and sets that nobody
        read are not checked. Raises InvalidUpdateError where the instance lacks attributes that the item may have.
        """
        return self.codec.item(self._written(values, times), values.get(STATE))

    def whole_of(self, values: dict[str, Any], times: Mapping[str, Any] | None = None) -> tuple[Item, Stored]:
        """The same, and what the instance keeps of the item once it is stored. Raises UnicodeEncodeError besides."""
        return self.codec.whole(self._written(values, times), values.get(STATE))

    def _written(self, values: dict[str, Any], times: Mapping[str, Any] | None) -> dict[str, Any]:
        """The values of an instance that is stored whole."""
        for field in self._lazily_shown:
            if field.required or not stored_of(values).get(field.attribute):
                field.value_in(values)  # the default that shows is stored
        written = {**values, **times} if times else values
        if not self.fields.keys() <= written.keys():
            self._refuse_lacking(written)
        self._refuse_in_part(values.get(STATE))
        for field in self.computed:
            field.check_in_step(self.fields, written)
        return written

    def _refuse_lacking(self, values: dict[str, Any]) -> None:
        """Refuse to store an instance whole that lacks attributes which the item may have."""
        state: State | None = values.get(STATE)
        stored, held = stored_of(values), None if state is None else state.held
        lacking = [
            name
            for name, field in self.fields.items()
            if name not in values
            and name not in stored
            and (not field.required or (held is not None and name not in held))
        ]
        if lacking:
            raise InvalidUpdateError(
                f"this {self.model_name} was loaded without {', '.join(lacking)}, and storing it whole would "
                "remove them; get it by its key first, or change fields by set_field and commit_changes"
            )

    def _refuse_in_part(self, state: State | None) -> None:
        """Refuse to store an instance whole of which no more was asked for than what the model declares."""
        if state is not None and state.held is not None:
            raise InvalidUpdateError(
                f"this {self.model_name} was loaded without what its item may have beside these fields, and storing it "
                "whole would remove that; get it by its key first, or change fields by set_field and commit_changes"
            )

    def undeclared(self, values: dict[str, Any]) -> Mapping[str, Any]:
        """The attributes of an instance's item that the model does not declare, as Python values by stored name.

        Raises FieldNotLoadedError where the instance was loaded in part.
        """
        state = state_of(values)
        if state.held is not None:
            raise FieldNotLoadedError(
                f"this {self.model_name} was loaded in part, so nobody asked for what the model does not declare; "
                "refresh() the instance, or get the item"
            )
        if state.others is None:
            return _NOTHING
        return MappingProxyType({name: decode(wire, Decimal) for name, wire in self.codec.undeclared(state).items()})

    @staticmethod
    def settle(values: dict[str, Any], stored: Stored) -> None:
        """The instance was stored whole: nothing is pending any more. `stored` is what it keeps of its item."""
        before = state_of(values)
        if before.pending is not None:
            before.pending.clear()
        values[STATE] = State(stored, None, before.table, before.pending, others=before.others)
        if before.defaults:  # those that still show, since a NULL was given back
            values[STATE].defaults = {
                attribute: default
                for attribute, default in before.defaults.items()
                if as_wire(stored.get(attribute)) == NULL
            }

    def has_more_than_key(self, values: Mapping[str, Any]) -> bool:
        """Whether a value is given of a field that is no part of the key."""
        for name in values:  # noqa: SIM110 - a generator would cost each new instance as much as all else here
            if name not in self._key_names and values[name] is not None:
                return True
        return False

    def key_from(self, names: Mapping[str, Any]) -> Item:
        """The primary key from names and values that a user gave, of keys or of what these are computed from; any other
        name is refused."""
        if names.keys() != self._key_names:
            names = self._composed(names)
        for name in names:
            if type(name) is StoredName:
                return self._key_as_stored(names)
        return self.codec.encode_key(names)

    def _key_as_stored(self, names: Mapping[str, Any]) -> Item:
        own = {name: name for name in names}
        key = {}
        for field in self.table.keys:
            name, value = own.get(field.attribute), names.get(field.attribute)
            if isinstance(name, StoredName) and name.says(value):
                key[field.name] = name.form
            else:
                key[field.name] = self.encoder(field)(value)
        return key

    def key_dict(self, values: dict[str, Any]) -> dict[str, Any]:
        """The key in an instance's `__dict__`, as `key_from` takes it: attributes and values."""
        stored = stored_of(values)
        key = {}
        for field in self.table.keys:
            value = values.get(field.attribute)
            key[name_for(field, as_wire(stored.get(field.attribute)), value)] = value
        return key

    def shown_key(self, item: Item) -> str:
        """The key of an item, as people read it."""
        return ", ".join(f"{f.attribute}={f.decode(item[f.name])!r}" for f in self.table.keys)

    def stored_key(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The key, as `key_from` takes it, of stored texts and numbers; a value of another type is a field's own."""
        if given.keys() != self._key_names:
            given = self._composed(given)
        key = {}
        for field in self.table.keys:
            value = given.get(field.attribute)
            form = as_stored(field, value)
            if form is None:
                form = self.encoder(field)(value)
            check_key(field, self.key_limits[field.attribute], value, form)
            if self._is_shared(field):
                _refuse_reserved(field, value, form)
            read = field.decode(form)
            key[name_for(field, form, read)] = read
        return key

    def there(self, key: Item) -> Condition:
        """The condition that an item with this key exists, is of this model, and is not hidden."""
        if self.hidden is None and self.kinds is None:
            return self._stored
        parts = [self._stored]
        if self.hidden is not None:
            parts.append(Not(self.expired))
        kinds = self._told_by(key)
        if kinds is not None:
            parts.append(kinds.condition)
        return all_of(parts)

    def absent(self, key: Item) -> Condition:
        """The condition that no item has the key, or one of this model that is hidden."""
        if self.hidden is None:
            return self.gone
        kinds = self._told_by(key)
        return Or((self.gone, self.expired if kinds is None else And((kinds.condition, self.expired))))

    def replacing(self, key: Item) -> tuple[Condition, ...]:
        """The condition that a key has no item of another model; none where it cannot have one."""
        kinds = self._told_by(key)
        return () if kinds is None else (kinds.replaceable(self.table.hash_key),)

    def startable(self, key: Item) -> tuple[Condition, ...]:
        """The conditions that an upsert may change what a key has, or begin it: no item of another model, none that is
        hidden, whose values it would go on with."""
        return self.replacing(key) if self.hidden is None else (*self.replacing(key), Not(self.expired))

    def is_own(self, key: Item) -> bool:
        """Whether a key tells that it is of this model's items alone."""
        return self._told_by(key) is None

    def _told_by(self, key: Item) -> "Kinds | None":
        """What tells whether the item with a key is of this model, None where the key itself does."""
        if self.kinds is None or (self.kinds.sure(self.table) and self.kinds.fits(key, self.table.keys)):
            return None
        return self.kinds

    @cached_property
    def _stored(self) -> Condition:
        return AttributeExists(Path((self.table.hash_key.name,)))

    def foreign(self, item: Item) -> str | None:
        """What a stored item is that is of another model, in words; None for one of this model."""
        return None if self.kinds is None else self.kinds.foreign(item, self.table.keys)

    def telling(self, index: Index) -> tuple[AnyField, ...]:
        """The discriminator, where there is one and an index holds it."""
        if self.kinds is None:
            return ()
        held = self.loaded_from(index)
        return (self.kinds.field,) if held is None or self.kinds.field.attribute in held else ()

    @cached_property
    def gone(self) -> Condition:
        """The condition that no item has the key, not even a hidden one."""
        return AttributeNotExists(Path((self.table.hash_key.name,)))

    @property
    def expired(self) -> Condition:
        """The condition that an item, of a model that hides those, has expired by now."""
        assert self.hidden is not None  # noqa: S101 - the caller has looked
        return Compare("<=", self.hidden._path(), Value(self.hidden.to_wire(datetime.now(UTC))))

    def hides(self, values: Mapping[str, Any]) -> bool:
        """Whether an instance with this `__dict__` is hidden, since it has expired."""
        if self.kinds is not None and self.kinds.own is None:
            model = self.kinds.models.get(str(values.get(self.kinds.field.attribute)))
            return model is not None and self.kinds.schema_of(model).hides(values)
        moment = None if self.hidden is None else values.get(self.hidden.attribute)
        return moment is not None and moment <= datetime.now(UTC)

    def hides_item(self, item: Item) -> bool:
        """The same of an item in DynamoDB's form."""
        if self.hidden is None or "N" not in item.get(self.hidden.name, {}):
            return False
        return self.hides({self.hidden.attribute: self.hidden.decode(item[self.hidden.name])})

    @cached_property
    def _keys_are_exact(self) -> bool:
        """Whether a key's value alone says how it is stored, whoever stored it."""
        return all(field.own_form.exact for field in self.table.keys)

    @cached_property
    def _key_names(self) -> frozenset[str]:
        return frozenset(field.attribute for field in self.table.keys)

    def _composed(self, names: Mapping[str, Any]) -> Mapping[str, Any]:
        """The key that names and values make of which some are parts of it; any other name is refused."""
        for name in names:
            self.field(name)
        from dynamix.schema.composing import composed  # which few programs need

        return composed(self.model_name, self.table, self.fields, names)

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
    def key_parts(self) -> frozenset[str]:
        """The attributes of the key, and those that it is computed from."""
        keys = self.table.keys
        parts = (part for field in keys if isinstance(field, ComputedField) for part in field.parts)
        return frozenset((*(field.attribute for field in keys), *parts))

    @cached_property
    def part_names(self) -> frozenset[str]:
        """The attributes that others are computed from."""
        return frozenset(part for field in self.computed for part in field.parts)

    @cached_property
    def renewed(self) -> tuple[DateTimeField[Any], ...]:
        """The fields that hold the time of the last write."""
        return tuple(f for f in self.fields.values() if isinstance(f, DateTimeField) and f.auto_now)

    def times_now(self) -> dict[str, datetime]:
        """The time of a write that begins, for each of these fields. An instance shows it once that is stored."""
        now = datetime.now(UTC)
        return {field.attribute: field.stamp(now) for field in self.renewed}

    @cached_property
    def stamped(self) -> tuple[DateTimeField[Any], ...]:
        """The fields outside the key that hold the time when an item was made."""
        times = (f for f in self.fields.values() if isinstance(f, DateTimeField) and f.auto_now_add)
        return tuple(field for field in times if not (field.hash_key or field.range_key))

    def times_whole(self, values: dict[str, Any], now: datetime) -> dict[str, datetime]:
        """The automatic times of an instance that is stored whole, which it shows once it is. One that was deleted
        becomes another item, which is made now, unless the caller has set another time since."""
        if not (self.renewed or self.stamped):
            return _NO_TIMES
        times = {field.attribute: field.stamp(now) for field in self.renewed}
        state = state_of(values)
        if self.stamped and state.new and state.stored is not None:
            for field in self.stamped:
                if state.pending is None or not state.pending.changes(field.attribute):
                    times[field.attribute] = field.stamp(now)
        return times

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
    def before_save(self) -> Hook | None:
        """The model's own method that is called before an instance is stored, if it has one."""
        return self._hook("before_save")

    @cached_property
    def before_delete(self) -> Hook | None:
        """The same before an instance's item is deleted."""
        return self._hook("before_delete")

    @cached_property
    def after_load(self) -> Hook | None:
        """The same after an instance was made of what is stored."""
        if self.kinds is not None and self.kinds.own is None:
            return self._loaded
        return self._hook("after_load")

    def _loaded(self, instance: Any) -> None:
        """Call the `after_load` of an instance's own model."""
        assert self.kinds is not None  # noqa: S101 - the caller has looked
        model = type(instance)
        hook = (self if model is self.model else self.kinds.schema_of(model))._hook("after_load")
        if hook is not None:
            hook(instance)

    def check_hooks(self) -> None:
        """Raise ModelDefinitionError where what has the name of a hook is none."""
        for name in ("before_save", "before_delete", "after_load"):
            self._hook(name)

    def _hook(self, name: str) -> Hook | None:
        """A method of the model; a field of that name is none."""
        method = getattr(self.model, name, None)
        if method is None or isinstance(method, Field):
            return None
        if not callable(method) or is_coroutine_function(method):
            kind = "an async method" if callable(method) else repr(method)
            raise ModelDefinitionError(f"{self.model_name}.{name} is {kind}; it has to be a plain method")
        return method  # type: ignore[no-any-return]

    @cached_property
    def taking(self) -> tuple[AnyField, ...]:
        """The fields whose values have other spellings."""
        return tuple(field for field in self.fields.values() if field.takes)

    @cached_property
    def lazy(self) -> tuple[AnyField, ...]:
        """The fields whose values are read when somebody asks for them."""
        return tuple(field for field in self.fields.values() if field.own_form.lazy)

    @cached_property
    def _lazily_shown(self) -> tuple[AnyField, ...]:
        """Those that show a value which need not be stored, or must have one."""
        return tuple(field for field in self.lazy if field.required or field.default is not None)

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
        return partial(_encode_shared_key if self._is_shared(field) else _encode_key, field, limit)

    def is_guard(self, item: Mapping[str, Any]) -> bool:
        """Whether an item, or a key, is that of a guard beside the items of the model."""
        if self.kinds is not None and self.kinds.own is None:
            return any(schema.is_guard(item) for schema in self.kinds.schemas())
        if self.guards is None or not self.guards.within:
            return False
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
        )


_NO_TIMES: dict[str, datetime] = {}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


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
        return None if companion is None else Table(companion, self.name + COMPANION)


def _turn(field: AnyField) -> int:
    """When the default of a field is made: that of one that looks at the instance after the others, and at last what
    is computed."""
    return 2 if isinstance(field, ComputedField) else int(field.default_using_instance is not None)


def _encode_kind(kinds: "Kinds", value: Any) -> AttributeValue:
    """The stored form of a model's discriminator, which has no other value."""
    if value is None or value != kinds.own:
        raise kinds.field.refused(kinds.model, value)
    return {"S": value}


class _Sorting(NamedTuple):
    """What the codec asks of the models whose items stand in one table."""

    kinds: "Kinds"
    table: Index

    @property
    def attribute(self) -> str:
        return self.kinds.field.attribute

    @property
    def name(self) -> str:
        return self.kinds.field.name

    @property
    def own(self) -> str | None:
        return self.kinds.own

    def codec(self, item: Item) -> Any:
        """The codec of an item's model, None for that of none of these. Raises StoredValueError."""
        model = self.kinds.model_of(item, self.table.keys)
        return None if model is None else self.kinds.schema_of(model).codec

    def strange(self, item: Item) -> StoredValueError:
        """The error for an item that has to be one of these."""
        found = self.kinds.foreign(item, self.table.keys)
        return StoredValueError(
            f"the item is one {found}, not of {self.kinds.model.__name__}",
            field=self.attribute,
            value=item.get(self.name),
        )


def _encode_key(field: AnyField, limit: int, value: Any) -> AttributeValue:
    """The stored form of a key's value: not empty, and at most `limit` bytes."""
    wire = field.encode(value)
    check_key(field, limit, value, wire)
    return wire


def _encode_shared_key(field: AnyField, limit: int, value: Any) -> AttributeValue:
    """The same where guards stand beside the items."""
    wire = _encode_key(field, limit, value)
    _refuse_reserved(field, value, wire)
    return wire


def _refuse_reserved(field: AnyField, value: object, form: AttributeValue) -> None:
    if form["S"].startswith(WITHIN):
        raise field.refusal(value, f"keys that begin with {WITHIN!r} are those of guards of unique values")
