"""Models: a class is a table, an instance an item.

An instance's values live in its `__dict__`. Changes are queued (`set_field`, `add_to_field`, ...; assigning to an
attribute is `set_field`), shown at once, and sent together by `commit_changes()`. Every method that talks to DynamoDB
has an async twin of the same name with an `a` in front.
"""

import warnings
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar

from dynamix.changes import Pending
from dynamix.codec.compiled import LOADED
from dynamix.connection import Connection
from dynamix.current import current
from dynamix.drafts import Draft, ListDraft, MapDraft, NumberDraft, SetDraft
from dynamix.errors import (
    FieldValidationException,
    InvalidQueryError,
    InvalidUpdateError,
    ModelDefinitionError,
    TableNotFoundError,
    UnknownNameError,
    ValidationException,
    WrongTypeError,
    unknown,
)
from dynamix.expressions.nodes import Condition
from dynamix.fields import DictField, FloatField, IntegerField, ListField, SetField
from dynamix.fields.base import Field
from dynamix.operations import batch, items, tables
from dynamix.operations.plan import Search, paths
from dynamix.operations.retry import RetryPolicy
from dynamix.query import Query, Scan
from dynamix.schema import Schema, Table, describe
from dynamix.wire import Flow, Item

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")
D = TypeVar("D", bound=Draft)
AnyField = Field[Any, Any]


class Model:
    """The base of all models.

    A model gives `__table_name__` (default: the class's name), `ReadCapacityUnits` and `WriteCapacityUnits` (absent:
    on-demand billing), `__secondary_indexes__`, and `__connection__` to use another connection than the default.
    """

    __table_name__: ClassVar[str]
    __secondary_indexes__: ClassVar[Mapping[str, Mapping[str, Any]]]
    __connection__: ClassVar[Connection | None] = None
    __schema: ClassVar[Schema[Any] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for attribute, value in (entry for base in cls.__mro__ for entry in vars(base).items()):
            if isinstance(value, Field) and (hidden := _hidden_by(attribute, value)):
                raise ModelDefinitionError(
                    f"{cls.__name__}.{attribute} hides {hidden}; give the field another attribute name and keep "
                    f"name={attribute!r} as the stored one"
                )
        cls.__schema = None

    def __init__(self, **values: Any) -> None:
        schema = type(self)._schema()
        shown = vars(self)
        shown.update(schema.blank)
        shown.update(values)
        if len(shown) > len(schema.blank):
            for name in values:
                schema.field(name)
        for attribute, field in schema.defaults:
            if shown[attribute] is None:
                shown[attribute] = field.default_for(self)

    @classmethod
    def _schema(cls) -> Schema[Self]:
        """The description of the model's table. Raises ModelDefinitionError."""
        schema = cls.__schema
        if schema is None:
            schema = cls.__schema = describe(cls)
        return schema

    @classmethod
    def _connection(cls) -> Connection:
        return cls.__connection__ or current()

    @classmethod
    def _run(
        cls, flow: Callable[Concatenate[RetryPolicy, Table[Self], P], Flow[R]], *args: P.args, **kw: P.kwargs
    ) -> R:
        connection = cls._connection()
        table = cls._schema().at(connection.table_prefix)
        try:
            return connection.run(flow(connection.retry, table, *args, **kw))
        except (TableNotFoundError, UnicodeEncodeError) as error:
            raise tables.explained(table, error) from error

    @classmethod
    async def _arun(
        cls, flow: Callable[Concatenate[RetryPolicy, Table[Self], P], Flow[R]], *args: P.args, **kw: P.kwargs
    ) -> R:
        connection = cls._connection()
        table = cls._schema().at(connection.table_prefix)
        try:
            return await connection.arun(flow(connection.retry, table, *args, **kw))
        except (TableNotFoundError, UnicodeEncodeError) as error:
            raise tables.explained(table, error) from error

    # Reading

    @classmethod
    def get(cls, *, consistent: bool = False, **key: Any) -> Self | None:
        """The instance with this key, or None.

        Raises MissingKeyError, UnknownNameError or FieldValidationException for a wrong key.
        """
        return cls._run(items.get, cls._schema().key_from(key), consistent)

    @classmethod
    async def aget(cls, *, consistent: bool = False, **key: Any) -> Self | None:
        """See `get`."""
        return await cls._arun(items.get, cls._schema().key_from(key), consistent)

    @classmethod
    def exists(cls, **key: Any) -> bool:
        """Whether an item has this key."""
        return cls._run(items.exists, cls._schema().key_from(key))

    @classmethod
    async def aexists(cls, **key: Any) -> bool:
        """See `exists`."""
        return await cls._arun(items.exists, cls._schema().key_from(key))

    @classmethod
    def batch_get(cls, *keys: Mapping[str, Any] | Self, consistent: bool = False) -> list[Self]:
        """The instances with these keys, in the order given; duplicates and what does not exist are left out."""
        return cls._run(batch.get, cls._keys(keys), consistent)

    @classmethod
    async def abatch_get(cls, *keys: Mapping[str, Any] | Self, consistent: bool = False) -> list[Self]:
        """See `batch_get`."""
        return await cls._arun(batch.get, cls._keys(keys), consistent)

    @classmethod
    def query(cls, *fields: AnyField) -> Query[Self]:
        """A query, to be completed by `where`. With `fields`, only these and the key are read."""
        schema = cls._schema()
        return Query(Search(schema, True, schema.table, fields), cls._connection)

    @classmethod
    def scan(cls, *fields: AnyField) -> Scan[Self]:
        """All items, to be narrowed by `where` and iterated. With `fields`, only these and the key are read."""
        schema = cls._schema()
        return Scan(Search(schema, False, schema.table, fields), cls._connection)

    @classmethod
    def item_count(cls) -> int:
        """The number of items as DynamoDB's description of the table has it, updated about every six hours.

        `scan().count()` counts now, and reads the whole table.
        """
        return cls._run(tables.count)

    @classmethod
    async def aitem_count(cls) -> int:
        """See `item_count`."""
        return await cls._arun(tables.count)

    # Writing whole items

    @classmethod
    def create(cls, *, overwrite: bool = True, **values: Any) -> Self:
        """Store a new item and return its instance.

        `overwrite=False` raises ItemExistsError where an item has this key, and leaves that one alone.
        Raises FieldValidationException or UnknownNameError before anything is sent.
        """
        instance = cls(**values)
        item = instance._item()
        cls._run(items.put, item, overwrite)
        instance._stored(cls._schema().codec.loaded(item))
        return instance

    @classmethod
    async def acreate(cls, *, overwrite: bool = True, **values: Any) -> Self:
        """See `create`."""
        instance = cls(**values)
        item = instance._item()
        await cls._arun(items.put, item, overwrite)
        instance._stored(cls._schema().codec.loaded(item))
        return instance

    @classmethod
    def batch_write(cls, items_or_dicts: Iterable[Self | Mapping[str, Any]]) -> list[Self]:
        """Store many whole items, and return their instances. Of several with one key the last is stored.

        All are checked before the first is sent. Raises BatchIncompleteError where the service would not take all.
        While it is under way, InvalidUpdateError refuses changes and commits of the instances given.
        """
        with ExitStack() as writing:
            instances = cls._instances(items_or_dicts, writing)
            kept: list[dict[str, Any]] = []
            cls._run(batch.put, cls._items(instances, kept))
            for instance, loaded in zip(instances, kept, strict=True):
                instance._stored(loaded)
        return instances

    @classmethod
    async def abatch_write(cls, items_or_dicts: Iterable[Self | Mapping[str, Any]]) -> list[Self]:
        """See `batch_write`."""
        with ExitStack() as writing:
            instances = cls._instances(items_or_dicts, writing)
            kept: list[dict[str, Any]] = []
            await cls._arun(batch.put, cls._items(instances, kept))
            for instance, loaded in zip(instances, kept, strict=True):
                instance._stored(loaded)
        return instances

    def delete(self) -> None:
        """Delete the item, if the conditions of `set_modify_conditions` are met. One that is gone is no error."""
        self._run(items.delete, self._key(), self._conditions())

    async def adelete(self) -> None:
        """See `delete`."""
        await self._arun(items.delete, self._key(), self._conditions())

    @classmethod
    def delete_by_key(cls, **key: Any) -> None:
        """Delete the item with this key. One that does not exist is no error."""
        cls._run(items.delete, cls._schema().key_from(key), ())

    @classmethod
    async def adelete_by_key(cls, **key: Any) -> None:
        """See `delete_by_key`."""
        await cls._arun(items.delete, cls._schema().key_from(key), ())

    @classmethod
    def batch_delete(
        cls, items_or_keys: Iterable[Self | Mapping[str, Any]] = (), *, keys: Iterable[Self | Mapping[str, Any]] = ()
    ) -> None:
        """Delete many items, given as instances or keys."""
        cls._run(batch.delete, cls._keys((*items_or_keys, *keys)))

    @classmethod
    async def abatch_delete(
        cls, items_or_keys: Iterable[Self | Mapping[str, Any]] = (), *, keys: Iterable[Self | Mapping[str, Any]] = ()
    ) -> None:
        """See `batch_delete`."""
        await cls._arun(batch.delete, cls._keys((*items_or_keys, *keys)))

    # Changes

    def set_field(self, field: Field[V, Any], value: V | None) -> None:
        """Queue: set a field's whole value; None removes it."""
        self._own(field)
        if field.hash_key or field.range_key:
            raise InvalidUpdateError(
                f"{field} is part of the key, which no update can change; create an item with the new key and "
                "delete this one"
            )
        if value is not None and value != frozenset():
            type(self)._schema().encoder(field)(value)
        elif field.required:
            field.encode(None)
        self._change(field, Draft, lambda draft: draft.assign(value))

    def add_to_field(self, field: "IntegerField[Any] | FloatField[Any]", amount: int | float) -> None:
        """Queue: add a number (negative: subtract), atomically. A missing field counts as 0."""
        self._own(field, IntegerField, FloatField)
        field._literal(amount)
        self._change(field, NumberDraft, lambda draft: draft.add(amount))

    def update_to_dict_field(self, field: DictField[Any], elements: Mapping[str, Any]) -> None:
        """Queue: set keys of a map and leave its others alone. A missing map is created."""
        self._own(field, DictField)
        if not isinstance(elements, Mapping):
            raise field.refusal(elements, "give a dict of the keys to set", WrongTypeError)
        new = dict(elements)
        field._literal(new)
        self._change(field, MapDraft, lambda draft: draft.update(new))

    def remove_from_dict_field(self, field: DictField[Any], keys: Iterable[str]) -> None:
        """Queue: remove keys of a map. Those that are not there are left at that."""
        self._own(field, DictField)
        if not isinstance(keys, Iterable):
            raise field.refusal(keys, "give the keys to remove", WrongTypeError)
        gone = [keys] if isinstance(keys, str) else list(keys)
        field._literal(dict.fromkeys(gone))
        self._change(field, MapDraft, lambda draft: draft.discard(gone))

    def append_to_listfield(self, field: ListField[Any], value: Any) -> None:
        """Queue: append a value to a list, or all elements of a list. A missing list is created."""
        self._own(field, ListField)
        elements = list(value) if isinstance(value, list | tuple) else [value]
        field._literal(elements)
        self._change(field, ListDraft, lambda draft: draft.append(elements))

    def replace_by_index_in_listfield(self, field: ListField[Any], index: int, value: Any) -> None:
        """Queue: replace the element at `index`, counted from 0 after the changes queued before. Past the end it is
        appended.
        """
        self._own(field, ListField)
        self._check_index(field, index)
        field._literal([value])
        self._change(field, ListDraft, lambda draft: draft.replace(index, value))

    def remove_by_index_from_listfield(self, field: ListField[Any], index: int) -> None:
        """Queue: remove the element at `index`, counted from 0 after the changes queued before. Past the end nothing
        happens.
        """
        self._own(field, ListField)
        self._check_index(field, index)
        self._change(field, ListDraft, lambda draft: draft.remove(index))

    def add_to_setfield(self, field: SetField[Any], elements: Iterable[Any]) -> None:
        """Queue: add elements to a set. A missing set is created."""
        new = self._elements(field, elements)
        if new:
            self._change(field, SetDraft, lambda draft: draft.add(new))

    def delete_from_setfield(self, field: SetField[Any], elements: Iterable[Any]) -> None:
        """Queue: delete elements from a set. Those that are not there are left at that; an emptied set is removed."""
        gone = self._elements(field, elements)
        if gone:
            self._change(field, SetDraft, lambda draft: draft.delete(gone))

    def set_modify_conditions(self, *conditions: Condition) -> None:
        """Store or delete only if all conditions are met by what is stored, at the next `commit_changes()` or
        `delete()`.

        They replace conditions set before.
        """
        for condition in conditions:
            if not isinstance(condition, Condition):
                raise WrongTypeError(f"{condition!r} is not a condition", field="", value=condition)
            for path in paths(condition):
                if path.source is not None and not type(self)._schema().owns(path.source):
                    raise InvalidQueryError(f"{path.source} is not a field of {type(self).__name__}")
        self._pending().conditions = conditions

    def commit_changes(self, *, atomic: bool = False) -> None:
        """Send all queued changes; then the instance holds what the service answered.

        They go as one request, all or nothing. Only a set with elements both to add and to delete takes a second one,
        which `atomic=True` refuses by InvalidUpdateError. Raises ConditionalCheckFailedError where a condition is not
        met and ItemNotFoundError where the item does not exist; then nothing was stored, and the changes are still
        queued, to look at, to `discard_changes()` or to send again. While it is under way, InvalidUpdateError refuses
        further changes and commits of this instance.
        """
        if pending := self._changed():
            with pending:
                self._run(items.commit, self._key(), pending, vars(self), atomic)

    async def acommit_changes(self, *, atomic: bool = False) -> None:
        """See `commit_changes`."""
        if pending := self._changed():
            with pending:
                await self._arun(items.commit, self._key(), pending, vars(self), atomic)

    def discard_changes(self) -> None:
        """Drop all queued changes and conditions, and edits in place, and show again what was there before them."""
        values = vars(self)
        pending = self._pending()
        pending.discard(values)
        for field in type(self)._schema().free_form:
            if pending.was_edited(values, field):
                del values[field.attribute]  # to be read again

    # The instance

    def validate(self) -> None:
        """Raise FieldValidationException if a value could not be stored."""
        self._item()

    def is_valid(self) -> bool:
        """Whether all values could be stored."""
        with suppress(ValidationException):
            self.validate()
            return True
        return False

    def to_son(self) -> dict[str, Any]:
        """The values as what `json.dumps` takes.

        Sets are sorted lists, times ISO 8601 text, timedeltas seconds, bytes base64, and numbers that neither int nor
        float holds exactly are text.
        """
        values = self._values()
        return {name: _plain(values[name]) for name in type(self)._schema().fields if name in values}

    def get_primary_key_dict(self) -> dict[str, Any]:
        """The key as `get` takes it."""
        return {field.attribute: getattr(self, field.attribute) for field in type(self)._schema().table.keys}

    def __repr__(self) -> str:
        values = self._values()
        shown = (f"{name}={values[name]!r}" for name in type(self)._schema().fields if values.get(name) is not None)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs, missing = self._values(), other._values(), object()
        return all(mine.get(name, missing) == theirs.get(name, missing) for name in type(self)._schema().fields)

    if not TYPE_CHECKING:  # a type checker that saw it would let every name pass

        def __setattr__(self, name: str, value: Any) -> None:
            field = type(self)._schema().fields.get(name)
            if field is None:
                if not name.startswith("_") and not hasattr(type(self), name):
                    fields = type(self)._schema().fields
                    raise unknown(name, f"{type(self).__name__} has no field", fields)
                super().__setattr__(name, value)
            elif (field.hash_key or field.range_key) and vars(self).get(name) is None:
                field.encode(value)
                vars(self)[name] = value
            else:
                self.set_field(field, value)

    def __getstate__(self) -> object:
        """What a copy or a pickle holds: everything read that was loaded, and queued changes of its own."""
        self._values()
        state = super().__getstate__()
        pending: Pending | None = vars(self).get("_changes")
        if pending is None:
            return state
        values, *slots = state if isinstance(state, tuple) else (state,)
        twin = pending.copy()
        values = {**values, "_changes": twin, **twin.shows()}
        return (values, *slots) if slots else values

    def _values(self) -> dict[str, Any]:
        """The instance's `__dict__`, with everything read that was loaded."""
        values = vars(self)
        for field in type(self)._schema().free_form:
            field.read_in(values)
        return values

    def _pending(self) -> Pending:
        pending: Pending | None = vars(self).get("_changes")
        if pending is None:
            pending = vars(self)["_changes"] = Pending()
        return pending

    def _change(self, field: AnyField, kind: type[D], step: Callable[[D], None]) -> None:
        self._pending().change(vars(self), field, kind, step)

    def _changed(self) -> Pending | None:
        """What is pending, with the automatic times; None where nothing is. Edits in place are refused."""
        pending: Pending | None = vars(self).get("_changes")
        (pending or Pending()).refuse_edits(vars(self), type(self)._schema().free_form)
        if not pending:
            return None
        now = datetime.now(UTC)
        for field in type(self)._schema().renewed:
            pending.change(vars(self), field, Draft, lambda draft: draft.assign(now))
        return pending

    def _conditions(self) -> tuple[Condition, ...]:
        pending: Pending | None = vars(self).get("_changes")
        return pending.conditions if pending is not None else ()

    def _key(self) -> Item:
        return type(self)._schema().key_of(vars(self))

    def _item(self) -> Item:
        """The whole item in DynamoDB's form, every value checked."""
        schema = type(self)._schema()
        values = self._values()
        lacking = [name for name, field in schema.fields.items() if name not in values and not field.required]
        if lacking:
            raise InvalidUpdateError(
                f"this {type(self).__name__} was loaded without {', '.join(lacking)}, and storing it whole would "
                "remove them; get it by its key first, or change fields by set_field and commit_changes"
            )
        item = schema.codec.encode_item(values)
        if schema.spelled_keys:
            item.update(schema.key_of(values))
        return item

    def _stored(self, loaded: dict[str, Any]) -> None:
        """The instance was stored whole: nothing is pending any more. `loaded` is what it keeps of its item."""
        values = vars(self)
        values.pop("_changes", None)
        values[LOADED] = loaded

    @classmethod
    def _items(cls, instances: Iterable[Self], kept: list[dict[str, Any]]) -> Iterator[Item]:
        """The whole item of each instance in turn, lest many be held at once; `kept` gets what is kept of each."""
        for instance in instances:
            item = instance._item()
            kept.append(cls._schema().codec.loaded(item))
            yield item

    @classmethod
    def _keys(cls, items_or_keys: Iterable[Mapping[str, Any] | Self]) -> list[Item]:
        keys = []
        for item in items_or_keys:
            if isinstance(item, cls):
                keys.append(item._key())
            elif isinstance(item, Mapping):
                keys.append(cls._schema().key_from(item))
            else:
                raise WrongTypeError(f"{item!r} is neither a key (a dict) nor a {cls.__name__}", field="", value=item)
        return keys

    @classmethod
    def _instances(cls, items_or_dicts: Iterable[Self | Mapping[str, Any]], writing: ExitStack) -> list[Self]:
        """The instances to store; those that were given have no changes and commits of their own while `writing`."""
        instances = []
        given = set()
        now = datetime.now(UTC)
        for item in items_or_dicts:
            if isinstance(item, cls):
                if id(item) not in given:
                    given.add(id(item))
                    writing.enter_context(item._pending())
                vars(item).update((field.attribute, now) for field in cls._schema().renewed)
                instances.append(item)
            elif isinstance(item, Mapping):
                instances.append(cls(**item))
            else:
                raise WrongTypeError(f"{item!r} is neither a dict nor a {cls.__name__}", field="", value=item)
        return instances

    def _own(self, field: AnyField, *kinds: type[AnyField]) -> None:
        """Refuse what is not a field of this model, or not of the kinds that a change is for."""
        if not isinstance(field, Field):
            raise WrongTypeError(
                f"{field!r} is not a field; give {type(self).__name__}.<name>", field=str(field), value=field
            )
        if not type(self)._schema().owns(field):
            raise UnknownNameError(f"{field} is not a field of {type(self).__name__}")
        if kinds and not isinstance(field, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise InvalidUpdateError(f"{field} is a {type(field).__name__}; this change is for a {names}")

    def _elements(self, field: SetField[Any], elements: Iterable[Any]) -> set[Any]:
        self._own(field, SetField)
        if isinstance(elements, str | bytes) or not isinstance(elements, Iterable):
            raise field.refusal(elements, "give a set of elements, not a single one", WrongTypeError)
        members = set(elements)
        return field.from_wire(field._literal(members)) if members else members

    @staticmethod
    def _check_index(field: AnyField, index: int) -> None:
        if isinstance(index, bool) or not isinstance(index, int) or index < 0:
            raise FieldValidationException(
                f"{field} has no element {index!r}; DynamoDB counts from 0, and not from the end",
                field=field.attribute,
                value=index,
            )


def _hidden_by(attribute: str, field: AnyField) -> str | None:
    """What a field of this name would hide."""
    if hasattr(Model, attribute):
        return "a method of Model"
    if attribute == "overwrite":
        return "an argument of create()"
    return "an argument of get()" if attribute == "consistent" and (field.hash_key or field.range_key) else None


def create_table(model: type[Model], *, force: bool = False) -> None:
    """Create the model's table with its indexes, and wait until it is active.

    An existing table is left alone, with a warning where its keys or indexes differ from the model's; `force=True`
    drops it first, with all its items.
    """
    _warn(model, model._run(tables.create, force))


async def acreate_table(model: type[Model], *, force: bool = False) -> None:
    """See `create_table`."""
    _warn(model, await model._arun(tables.create, force))


def _warn(model: type[Model], differences: list[str]) -> None:
    if differences:
        warnings.warn(
            f"the existing table of {model.__name__} differs from the model: {'; '.join(differences)}", stacklevel=3
        )


def _plain(value: Any) -> Any:
    match value:
        case set() | frozenset():
            return [_plain(element) for element in sorted(value)]
        case list() | tuple():
            return [_plain(element) for element in value]
        case dict():
            return {key: _plain(element) for key, element in value.items()}
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case Decimal():
            return str(value)
    return value
