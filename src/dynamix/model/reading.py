"""The verbs that read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from msgspec.structs import replace

from dynamix.codec.names import Key
from dynamix.errors import InvalidQueryError, UnknownNameError, ValidationException, WrongTypeError
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.late import later
from dynamix.limits import VECTOR_RESULTS
from dynamix.model.running import arun, check_condition, connection_of, run, schema_of
from dynamix.operations import items
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.wire import Flow, Item

if TYPE_CHECKING:
    from dynamix import query as queries
    from dynamix import scan as scans
    from dynamix import selection, unreadable
    from dynamix.fields.vector import Floats, VectorField
    from dynamix.operations import batch, saving, vectors, writes
    from dynamix.patterns import AccessPattern
    from dynamix.query import Query
    from dynamix.scan import Scan
    from dynamix.schema import lookup
    from dynamix.schema.declared import VectorIndex
    from dynamix.selection import Search
    from dynamix.unreadable import OnError
    from dynamix.wire import ReadProgress
else:
    later(
        globals(),
        batch="dynamix.operations.batch",
        lookup="dynamix.schema.lookup",
        queries="dynamix.query",
        saving="dynamix.operations.saving",
        scans="dynamix.scan",
        selection="dynamix.selection",
        unreadable="dynamix.unreadable",
        vectors="dynamix.operations.vectors",
        writes="dynamix.operations.writes",
    )

M = TypeVar("M")


class Reading:
    """What a model reads."""

    @classmethod
    def get(cls, /, *fields: Field[Any, Any], consistent: bool | None = None, **key: Any) -> Self | None:
        """The instance with this key, or None. With `fields`, only these and the key are read.

        `consistent` (here and elsewhere) reads what was stored before the request, at twice the cost; None: as the
        connection says. Raises MissingKeyError, UnknownNameError or FieldValidationException for a wrong key.
        """
        return run(cls, items.get, schema_of(cls).key.from_names(key), consistent, fields and chosen(cls, fields))

    @classmethod
    async def aget(cls, /, *fields: Field[Any, Any], consistent: bool | None = None, **key: Any) -> Self | None:
        """See `get`."""
        return await arun(
            cls, items.get, schema_of(cls).key.from_names(key), consistent, fields and chosen(cls, fields)
        )

    @classmethod
    def get_or_raise(cls, /, *, consistent: bool | None = None, **key: Any) -> Self:
        """The instance with this key. Raises ItemNotFoundError where there is none."""
        return run(cls, saving.get_or_raise, schema_of(cls).key.from_names(key), consistent)

    @classmethod
    async def aget_or_raise(cls, /, *, consistent: bool | None = None, **key: Any) -> Self:
        """See `get_or_raise`."""
        return await arun(cls, saving.get_or_raise, schema_of(cls).key.from_names(key), consistent)

    @classmethod
    def get_or_create(
        cls, defaults: Mapping[str, Any] | None = None, /, *, consistent: bool | None = None, **key: Any
    ) -> tuple[Self, bool]:
        """The instance with this key and False; where there is none, one with this key and `defaults` that is stored
        now, and True.

        Of several callers at once one stores its instance, and the others get that one. Raises
        FieldValidationException or UnknownNameError before anything is sent.
        """
        return run(cls, saving.get_or_create, _wanted(cls, defaults, key), consistent)

    @classmethod
    async def aget_or_create(
        cls, defaults: Mapping[str, Any] | None = None, /, *, consistent: bool | None = None, **key: Any
    ) -> tuple[Self, bool]:
        """See `get_or_create`."""
        return await arun(cls, saving.get_or_create, _wanted(cls, defaults, key), consistent)

    def refresh(self, *, discard: bool = False) -> Self:
        """Load the instance again, in place, by a consistent read, and return it.

        Raises ItemNotFoundError where its item is gone, and InvalidUpdateError where changes were queued or made in
        place that are not stored; `discard=True` drops them.
        """
        return run(type(self), saving.refresh, self, discard)

    async def arefresh(self, *, discard: bool = False) -> Self:
        """See `refresh`."""
        return await arun(type(self), saving.refresh, self, discard)

    @classmethod
    def exists(cls, /, *, consistent: bool | None = None, **key: Any) -> bool:
        """Whether an item has this key; only the key is read."""
        return run(cls, items.exists, schema_of(cls).key.from_names(key), consistent)

    @classmethod
    async def aexists(cls, /, *, consistent: bool | None = None, **key: Any) -> bool:
        """See `exists`."""
        return await arun(cls, items.exists, schema_of(cls).key.from_names(key), consistent)

    @classmethod
    def batch_get(
        cls, *keys: Mapping[str, Any] | Self, consistent: bool | None = None, on_error: OnError = "raise"
    ) -> list[Self]:
        """The instances with these keys, in the order given; duplicates and what does not exist are left out.

        Of an item that cannot be read `on_error` raises the StoredValueError, or leaves it out: "skip", or a function
        that is called with the error.
        """
        return run(cls, batch.get, keys_of(cls, keys), consistent, unreadable.check_on_error(on_error))

    @classmethod
    async def abatch_get(
        cls, *keys: Mapping[str, Any] | Self, consistent: bool | None = None, on_error: OnError = "raise"
    ) -> list[Self]:
        """See `batch_get`."""
        return await arun(cls, batch.get, keys_of(cls, keys), consistent, unreadable.check_on_error(on_error))

    @classmethod
    def key_of(cls, /, **stored: Any) -> Key[Self]:
        """The key of an item as it is stored: what `get(**key)`, `transact_get(key)` and all that takes a key take.

        Each value is the text or number that the table holds, or an AttributeValue (`{"S": "..."}`), however the field
        itself would spell it; a value of another type is spelled by its field. Raises MissingKeyError,
        UnknownNameError or FieldValidationException for a wrong key.
        """
        return Key(cls, schema_of(cls).key.from_stored(stored))

    @classmethod
    def query(cls, /, *fields: Field[Any, Any], on_error: OnError = "raise", **equal: Any) -> Query[Self]:
        """A query, to be completed by `where`. With `fields`, only these and the key are read.

        Names and values are conditions that these fields are equal: `query(user_id="1")` is
        `query().where(User.user_id == "1")`, and where keys are made of them by templates, chooses by key.
        Of an item that cannot be read `on_error` raises the StoredValueError, or leaves it out: "skip", or a function
        that is called with the error.
        """
        search = search_of(cls, True, fields, on_error)
        if equal:
            search = with_equal(search, equal)
        return queries.Query(search, partial(connection_of, cls))

    @classmethod
    def scan(
        cls,
        *fields: Field[Any, Any],
        on_error: OnError = "raise",
        segments: int | None = None,
        rate: float | None = None,
        progress: Callable[[ReadProgress], object] | None = None,
    ) -> Scan[Self]:
        """All items, to be narrowed by `where` and iterated. With `fields`, only these and the key are read.

        `on_error` is what it is for `query`. With `segments`, 1 to 1,000,000, the table is cut into so many parts that
        are read side by side, up to 32 at once, and items come in no order at all. `rate` is how many read units a
        second one read or iteration may consume. `progress` is called after each request, in the thread that made it,
        one call after another.
        """
        search = scans.spread(search_of(cls, False, fields, on_error), segments, rate, progress)
        return scans.Scan(search, partial(connection_of, cls))

    @classmethod
    def access_patterns(cls, description: Mapping[str, Any] | None = None) -> list[AccessPattern]:
        """The queries and scans that are marked by `dynamix.access_pattern`, each with what it would read; of a base of
        several models, theirs as well. Nothing is sent.

        With the description of the table, the `Table` of an answer to DescribeTable, it estimates units as well. Raises
        ModelDefinitionError for a pattern of which no example can be made.
        """
        from dynamix.patterns import patterns_of  # which few programs need

        return patterns_of(cls, description)

    @classmethod
    def search(
        cls,
        index: VectorField[Any] | VectorIndex | str,
        /,
        near: Floats,
        top: int = 10,
        *,
        where: Condition | Sequence[Condition] = (),
        fields: Field[Any, Any] | Sequence[Field[Any, Any]] = (),
    ) -> list[tuple[Self, float]]:
        """The items whose vectors are nearest to `near`, up to `top` (1 to 100), each with its score, nearest first.

        `index` is a vector index, its name, or its field where that has one. The score is the distance, 0 to 2 by
        cosine and from 0 by Euclid, the smaller the nearer; by dot product the greater is the nearer. `where` says of
        the index's hash_key and filters what they equal. `fields` are those to read; without them all that the index
        holds but the vector.

        Raises InvalidQueryError or FieldValidationException for what the index cannot search, IndexNotReadyError while
        it is being filled.
        """
        return run(cls, vectors.search, nearest(cls, index, near, top, where, fields))

    @classmethod
    async def asearch(
        cls,
        index: VectorField[Any] | VectorIndex | str,
        /,
        near: Floats,
        top: int = 10,
        *,
        where: Condition | Sequence[Condition] = (),
        fields: Field[Any, Any] | Sequence[Field[Any, Any]] = (),
    ) -> list[tuple[Self, float]]:
        """See `search`."""
        return await arun(cls, vectors.search, nearest(cls, index, near, top, where, fields))

    @classmethod
    def is_searchable(cls, index: VectorField[Any] | VectorIndex | str, /) -> bool:
        """Whether a vector index is there and filled, so that it can be searched."""
        return run(cls, vectors.is_ready, vectors.probe(schema_of(cls), lookup.vectors_of(schema_of(cls), index)))

    @classmethod
    async def ais_searchable(cls, index: VectorField[Any] | VectorIndex | str, /) -> bool:
        """See `is_searchable`."""
        return await arun(
            cls, vectors.is_ready, vectors.probe(schema_of(cls), lookup.vectors_of(schema_of(cls), index))
        )

    @classmethod
    def item_count(cls) -> int:
        """The number of items as DynamoDB's description of the table has it, updated about every six hours.

        In a table that several models share these are the items of all. `scan().count()` counts now, and reads the
        whole table.
        """
        return run(cls, _count)

    @classmethod
    async def aitem_count(cls) -> int:
        """See `item_count`."""
        return await arun(cls, _count)


def search_of(model: type[M], keyed: bool, fields: tuple[Field[Any, Any], ...], on_error: OnError) -> Search[M]:
    """What a query or scan of a model begins with."""
    schema = schema_of(model)
    return selection.Search(
        schema, keyed, schema.table, fields and chosen(model, fields), on_error=unreadable.check_on_error(on_error)
    )


def with_equal(search: Search[M], equal: Mapping[str, Any]) -> Search[M]:
    """The same where fields have these values, by attribute. Raises UnknownNameError or FieldValidationException."""
    from dynamix.parted import equal_to  # which few programs need

    return replace(search, conditions=equal_to(search.schema, equal))


def chosen(model: type[Any], fields: tuple[Field[Any, Any], ...]) -> tuple[Field[Any, Any], ...]:
    """The same fields. Raises WrongTypeError or UnknownNameError for what is no field of the model."""
    schema = schema_of(model)
    selection.check_fields(schema, schema.table, fields)
    return fields


def _wanted(model: type[M], defaults: Mapping[str, Any] | None, key: Mapping[str, Any]) -> tuple[Item, M]:
    """The key, and the instance to store where no item has it, both checked."""
    schema = schema_of(model)
    wanted = schema.key.from_names(key)
    for name in defaults or ():
        if name in key:
            raise UnknownNameError(f"{name!r} is part of the key; give it beside the defaults, not among them")
    instance = model(**{**(defaults or {}), **key})
    if schema.hooks.before_save is None:  # which may give values that are required
        schema.whole.item(vars(instance))
    return wanted, instance


def _count(policy: RetryPolicy, table: Table[Any]) -> Flow[int]:
    """The number of items, as `operations.tables` has it, which many programs never need."""
    from dynamix.operations import tables

    return tables.count(policy, table)


def nearest(
    model: type[M],
    index: object,
    near: Floats,
    top: int,
    where: Condition | Sequence[Condition],
    fields: Field[Any, Any] | Sequence[Field[Any, Any]],
) -> vectors.Near[M]:
    """What a search searches. Raises UnknownNameError, InvalidQueryError or FieldValidationException."""
    schema = schema_of(model)
    found = lookup.vectors_of(schema, index)
    conditions = (where,) if isinstance(where, Condition) else tuple(where)
    for condition in conditions:
        check_condition(model, condition)
    fields = (fields,) if isinstance(fields, Field) else tuple(fields)
    selection.check_fields(schema, schema.table, fields)
    lacking = [field for field in fields if not lookup.holds(schema, found, field)]
    if lacking:
        raise InvalidQueryError(f"the index {found.name!r} does not hold {lacking[0]}; add it to its projections")
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= VECTOR_RESULTS:
        raise InvalidQueryError(f"search() takes top= of 1 to {VECTOR_RESULTS}, not {top!r}")
    try:
        numbers = found.field.numbers_of(near)
    except ValueError as error:
        raise found.field.refusal(near, str(error)) from error
    return vectors.Near(found, numbers, top, vectors.checked(schema, found, conditions), fields)


def keys_of(model: type[Any], items_or_keys: Iterable[Any]) -> list[Item]:
    """The keys that were given as dicts or instances. Raises WrongTypeError for what is neither."""
    schema = schema_of(model)
    keys = []
    for position, item in enumerate(items_or_keys):
        try:
            if isinstance(item, model):
                keys.append(schema.key.of(vars(item)))
            elif isinstance(item, (dict, Mapping)):  # a dict is told much faster than any other mapping
                keys.append(schema.key.from_names(item))
            else:
                raise WrongTypeError(f"{item!r} is neither a key (a dict) nor a {model.__name__}", field="", value=item)
        except ValidationException as error:
            writes.locate(schema, error, position, item if isinstance(item, Mapping) else getattr(item, "__dict__", {}))
            raise
    return keys
