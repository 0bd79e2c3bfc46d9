"""Repositories: the verbs of models for classes that are none.

    orders = dynamix.repository(Order, table_name="orders", hash_key="id")
    orders.create(Order(id="1", total=Decimal("12.50")))
    orders.get(id="1")                                        # an Order

A repository makes a model of the class, whose verbs do the work; between them and the caller it makes instances of the
one of those of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Generic, Literal, TypeVar, overload

from dynamix.connection import Connection
from dynamix.errors import (
    ModelDefinitionError,
    unknown,
)
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.model.batching import refuse_unguarded
from dynamix.model.changing import asked_update
from dynamix.model.classes import Stored, stored_class
from dynamix.model.declaration import Model
from dynamix.model.exchange import Exchange
from dynamix.model.reading import keys_of
from dynamix.model.running import arun, checked, connection_of, run, schema_of
from dynamix.model.writing import by_key
from dynamix.operations import batch, items, saving, verbs
from dynamix.query import Query
from dynamix.scan import Scan, spread
from dynamix.schema.index import IndexOptions
from dynamix.selection import Search
from dynamix.unreadable import OnError, check_on_error
from dynamix.updates.actions import Action
from dynamix.wire import Item, ReadProgress

T = TypeVar("T")


def repository(
    kind: type[T],
    /,
    *,
    table_name: str,
    hash_key: str,
    range_key: str | None = None,
    secondary_indexes: Mapping[str, IndexOptions] | None = None,
    connection: Connection | None = None,
) -> Repository[T]:
    """What stores the instances of a class in a table: a dataclass, an attrs class, a msgspec Struct or a model of
    pydantic.

    `hash_key` and `range_key` name attributes of the class. Each attribute is stored by the field that follows from its
    annotation, or by one that stands in it, as in `Annotated[Decimal, DecimalField(places=2)]`. Raises
    ModelDefinitionError for what cannot be stored.
    """
    stored = stored_class(kind)
    body: dict[str, Any] = dict(stored.fields)
    for option, key in (("hash_key", hash_key), ("range_key", range_key)):
        if key is not None:
            _make_key(kind, body, option, key)
    model = type(
        kind.__name__,
        (Model,),
        {
            **body,
            "__module__": kind.__module__,
            "__qualname__": kind.__qualname__,
            "__doc__": kind.__doc__,
            "__table_name__": table_name,
            "__secondary_indexes__": secondary_indexes or {},
            "__connection__": connection,
        },
    )
    schema_of(model)
    return Repository(stored, model)


def _make_key(kind: type, fields: Mapping[str, Field[Any, Any]], option: str, name: str) -> None:
    """Make a field a part of the key. Raises ModelDefinitionError or UnknownNameError."""
    if name not in fields:
        raise unknown(name, f"{option} of the repository: {kind.__name__} has no attribute", fields)
    field = fields[name]
    if field.key_type is None or field.null or not field.required:
        why = "can be None" if not field.required else "is not stored as a string, a number or binary"
        raise ModelDefinitionError(f"{kind.__name__}.{name} cannot be the {option}: it {why}")
    setattr(field, option, True)


class Repository(Generic[T]):
    """The table of a class that is no model; `dynamix.repository` makes it.

    `model` is the model behind it: `dynamix.create_table(orders.model)` makes its table. `orders["total"]` is the field
    of an attribute, for conditions and changes.
    """

    def __init__(self, stored: Stored, model: type[Model]) -> None:
        self.model = model
        self._exchange: Exchange[T] = Exchange(stored, model)

    def __repr__(self) -> str:
        return f"<Repository of {self.model.__name__} in {schema_of(self.model).table_name!r}>"

    def __getitem__(self, attribute: str) -> Field[Any, Any]:
        """The field of an attribute. Raises UnknownNameError."""
        return schema_of(self.model).field(attribute)

    def get(self, /, *, consistent: bool | None = None, **key: Any) -> T | None:
        """The instance with this key, or None.

        Raises MissingKeyError, UnknownNameError or FieldValidationException for a wrong key, and StoredValueError for
        an item that the class refuses.
        """
        return run(self.model, self._exchange.maybe(items.get), schema_of(self.model).key.from_names(key), consistent)

    async def aget(self, /, *, consistent: bool | None = None, **key: Any) -> T | None:
        """See `get`."""
        return await arun(
            self.model, self._exchange.maybe(items.get), schema_of(self.model).key.from_names(key), consistent
        )

    def get_or_raise(self, /, *, consistent: bool | None = None, **key: Any) -> T:
        """The instance with this key. Raises ItemNotFoundError where there is none."""
        return run(
            self.model, self._exchange.one(saving.get_or_raise), schema_of(self.model).key.from_names(key), consistent
        )

    async def aget_or_raise(self, /, *, consistent: bool | None = None, **key: Any) -> T:
        """See `get_or_raise`."""
        return await arun(
            self.model, self._exchange.one(saving.get_or_raise), schema_of(self.model).key.from_names(key), consistent
        )

    def exists(self, /, *, consistent: bool | None = None, **key: Any) -> bool:
        """Whether an item has this key."""
        return run(self.model, items.exists, schema_of(self.model).key.from_names(key), consistent)

    async def aexists(self, /, *, consistent: bool | None = None, **key: Any) -> bool:
        """See `exists`."""
        return await arun(self.model, items.exists, schema_of(self.model).key.from_names(key), consistent)

    def create(self, instance: T, /, *, condition: Condition | None = None) -> T:
        """Store a new item, and return what is stored.

        Raises ItemExistsError where an item has its key, and leaves that one alone; FieldValidationException before
        anything is sent.
        """
        return run(
            self.model,
            self._exchange.one(saving.save, writes=True),
            self.to_model(instance),
            False,
            False,
            checked(self.model, condition),
        )

    async def acreate(self, instance: T, /, *, condition: Condition | None = None) -> T:
        """See `create`."""
        return await arun(
            self.model,
            self._exchange.one(saving.save, writes=True),
            self.to_model(instance),
            False,
            False,
            checked(self.model, condition),
        )

    def put(self, instance: T, /, *, condition: Condition | None = None) -> T:
        """Store a whole item, whatever is there, and return what is stored. `condition` must be met by what is stored
        before."""
        return run(
            self.model,
            self._exchange.one(saving.save, writes=True),
            self._exchange.anew(instance),
            True,
            False,
            checked(self.model, condition),
        )

    async def aput(self, instance: T, /, *, condition: Condition | None = None) -> T:
        """See `put`."""
        return await arun(
            self.model,
            self._exchange.one(saving.save, writes=True),
            self._exchange.anew(instance),
            True,
            False,
            checked(self.model, condition),
        )

    def save(self, instance: T, /, *, loaded: T, if_unchanged: bool = False, condition: Condition | None = None) -> T:
        """Store what differs from the instance that was loaded, as one update, and return the instance as it is then.

        What others changed elsewhere in the item stays; where nothing differs, nothing is sent. `if_unchanged=True`
        raises ConditionalCheckFailedError where a changed attribute is not stored any more as it was loaded; so does a
        change inside a list, map or set that others changed so that it would hit something else. Raises VersionConflict
        where items have versions and others were first, ItemNotFoundError where the item is gone, and
        InvalidUpdateError where the two have not the same key.
        """
        return run(
            self.model,
            self._exchange.one(saving.save, writes=True),
            self._exchange.changed(instance, loaded),
            False,
            if_unchanged,
            checked(self.model, condition),
        )

    async def asave(
        self, instance: T, /, *, loaded: T, if_unchanged: bool = False, condition: Condition | None = None
    ) -> T:
        """See `save`."""
        return await arun(
            self.model,
            self._exchange.one(saving.save, writes=True),
            self._exchange.changed(instance, loaded),
            False,
            if_unchanged,
            checked(self.model, condition),
        )

    def delete(self, instance: T, /, *, condition: Condition | None = None) -> None:
        """Delete an item. One that is gone is no error where there is no condition. Where items have versions, it is
        deleted at that of the instance only."""
        run(
            self.model,
            self._exchange.none(verbs.delete_instance),
            self._exchange.as_loaded(instance),
            checked(self.model, condition),
        )

    async def adelete(self, instance: T, /, *, condition: Condition | None = None) -> None:
        """See `delete`."""
        await arun(
            self.model,
            self._exchange.none(verbs.delete_instance),
            self._exchange.as_loaded(instance),
            checked(self.model, condition),
        )

    @overload
    def delete_by_key(self, /, *, condition: Condition | None = None, returns: None = None, **key: Any) -> None: ...
    @overload
    def delete_by_key(
        self, /, *, condition: Condition | None = None, returns: Literal["old"], **key: Any
    ) -> T | None: ...
    def delete_by_key(
        self, /, *, condition: Condition | None = None, returns: Literal["old"] | None = None, **key: Any
    ) -> T | None:
        """Delete the item with this key; with `returns="old"` the result is what was deleted. See
        `Model.delete_by_key`."""
        return run(
            self.model,
            self._exchange.maybe(verbs.delete_by_key, writes=True),
            by_key(self.model, key, condition, returns),
        )

    @overload
    async def adelete_by_key(
        self, /, *, condition: Condition | None = None, returns: None = None, **key: Any
    ) -> None: ...
    @overload
    async def adelete_by_key(
        self, /, *, condition: Condition | None = None, returns: Literal["old"], **key: Any
    ) -> T | None: ...
    async def adelete_by_key(
        self, /, *, condition: Condition | None = None, returns: Literal["old"] | None = None, **key: Any
    ) -> T | None:
        """See `delete_by_key`."""
        return await arun(
            self.model,
            self._exchange.maybe(verbs.delete_by_key, writes=True),
            by_key(self.model, key, condition, returns),
        )

    @overload
    def update_by_key(
        self, /, *actions: Action, condition: Condition | None = None, returns: None = None, **key: Any
    ) -> None: ...
    @overload
    def update_by_key(
        self, /, *actions: Action, condition: Condition | None = None, returns: Literal["new"], **key: Any
    ) -> T: ...
    @overload
    def update_by_key(
        self, /, *actions: Action, condition: Condition | None = None, returns: Literal["old"], **key: Any
    ) -> T | None: ...
    def update_by_key(
        self,
        /,
        *actions: Action,
        condition: Condition | None = None,
        returns: Literal["new", "old"] | None = None,
        **key: Any,
    ) -> T | None:
        """Change an item without loading it, by actions such as `orders["total"].add(1)`. See `Model.update_by_key`."""
        return run(
            self.model,
            self._exchange.maybe(verbs.change, writes=True),
            asked_update(self.model, actions, condition, False, returns, key),
        )

    @overload
    async def aupdate_by_key(
        self, /, *actions: Action, condition: Condition | None = None, returns: None = None, **key: Any
    ) -> None: ...
    @overload
    async def aupdate_by_key(
        self, /, *actions: Action, condition: Condition | None = None, returns: Literal["new"], **key: Any
    ) -> T: ...
    @overload
    async def aupdate_by_key(
        self, /, *actions: Action, condition: Condition | None = None, returns: Literal["old"], **key: Any
    ) -> T | None: ...
    async def aupdate_by_key(
        self,
        /,
        *actions: Action,
        condition: Condition | None = None,
        returns: Literal["new", "old"] | None = None,
        **key: Any,
    ) -> T | None:
        """See `update_by_key`."""
        return await arun(
            self.model,
            self._exchange.maybe(verbs.change, writes=True),
            asked_update(self.model, actions, condition, False, returns, key),
        )

    def batch_get(self, *keys: Mapping[str, Any], consistent: bool | None = None) -> list[T]:
        """The instances with these keys, in the order given; duplicates and what does not exist are left out."""
        return run(self.model, self._exchange.many(batch.get), keys_of(self.model, keys), consistent)

    async def abatch_get(self, *keys: Mapping[str, Any], consistent: bool | None = None) -> list[T]:
        """See `batch_get`."""
        return await arun(self.model, self._exchange.many(batch.get), keys_of(self.model, keys), consistent)

    def batch_write(self, instances: Iterable[T]) -> list[T]:
        """Store many whole items, whatever is there, and return what is stored. Of several with one key the last is
        stored. Raises PartlyAppliedError and BatchIncompleteError as `Model.batch_write` does."""
        return run(self.model, self._exchange.many(batch.write, writes=True), self._all_anew(instances))

    async def abatch_write(self, instances: Iterable[T]) -> list[T]:
        """See `batch_write`."""
        return await arun(self.model, self._exchange.many(batch.write, writes=True), self._all_anew(instances))

    def batch_delete(self, keys: Iterable[Mapping[str, Any]]) -> None:
        """Delete the items with these keys. Those that are gone are no error."""
        run(self.model, self._exchange.none(batch.delete), *self._keys(keys))

    async def abatch_delete(self, keys: Iterable[Mapping[str, Any]]) -> None:
        """See `batch_delete`."""
        await arun(self.model, self._exchange.none(batch.delete), *self._keys(keys))

    def query(self, *, on_error: OnError = "raise") -> Query[T]:
        """A query, to be completed by `where`: `orders.query().where(orders["id"] == "1")`. See `Model.query`."""
        return Query(self._search(True, on_error), partial(connection_of, self.model))

    def scan(
        self,
        *,
        on_error: OnError = "raise",
        segments: int | None = None,
        rate: float | None = None,
        progress: Callable[[ReadProgress], object] | None = None,
    ) -> Scan[T]:
        """All items, to be narrowed by `where` and iterated. See `Model.scan`."""
        search = spread(self._search(False, on_error), segments, rate, progress)
        return Scan(search, partial(connection_of, self.model))

    def to_model(self, instance: T, /) -> Any:
        """A new instance of `model` with the same values, for a transaction or a batch. Raises WrongTypeError for what
        is no instance of the class, and FieldValidationException."""
        return self._exchange.to_model(instance)

    def from_model(self, instance: Any, /) -> T:
        """The instance of the class that one of `model` stands for, as a transaction or a stream gives it.

        Raises StoredValueError where the class refuses it, and FieldNotLoadedError where it was loaded in part.
        """
        return self._exchange.from_model(instance)

    def _all_anew(self, instances: Iterable[T]) -> tuple[list[Any], set[int]]:
        """The instances of the model to store, and the positions of those that get the time of this write: all."""
        refuse_unguarded(self.model)
        made = list(map(self._exchange.anew, instances))
        return made, set(range(len(made)))

    def _keys(self, keys: Iterable[Mapping[str, Any]]) -> tuple[list[Item], tuple[Mapping[str, Any], ...]]:
        """Keys as they are stored, and as they were given."""
        refuse_unguarded(self.model)
        given = tuple(keys)
        return keys_of(self.model, given), given

    def _search(self, keyed: bool, on_error: OnError) -> Search[Any]:
        schema = schema_of(self.model)
        convert, kind = self._exchange.from_model, self._exchange.of
        return Search(schema, keyed, schema.table, on_error=check_on_error(on_error), convert=convert, kind=kind)
