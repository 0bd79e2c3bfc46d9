"""The verbs that store and delete whole items, and the one that deletes them all with their table."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from dynamix.errors import ValidationException, WrongTypeError
from dynamix.model.reading import keys_of
from dynamix.model.running import arun, run, schema_of
from dynamix.operations import batch, items, tables
from dynamix.operations.writes import locate
from dynamix.wire import Item

M = TypeVar("M")


class Writing:
    """What a model stores and deletes."""

    @classmethod
    def create(cls, /, *, overwrite: bool = True, **values: Any) -> Self:
        """Store a new item and return its instance.

        `overwrite=False` raises ItemExistsError where an item has this key, and leaves that one alone.
        Raises FieldValidationException or UnknownNameError before anything is sent.
        """
        return run(cls, items.create, cls(**values), overwrite)

    @classmethod
    async def acreate(cls, /, *, overwrite: bool = True, **values: Any) -> Self:
        """See `create`."""
        return await arun(cls, items.create, cls(**values), overwrite)

    @classmethod
    def batch_write(cls, items_or_dicts: Iterable[Self | Mapping[str, Any]]) -> list[Self]:
        """Store many whole items, and return their instances. Of several with one key the last is stored.

        All are checked before the first is sent. Raises PartlyAppliedError where the service refused a part, or did not
        answer, and BatchIncompleteError where it would not take all.
        While it is under way, InvalidUpdateError refuses changes and commits of the instances given.
        """
        return run(cls, batch.write, _instances(cls, items_or_dicts))

    @classmethod
    async def abatch_write(cls, items_or_dicts: Iterable[Self | Mapping[str, Any]]) -> list[Self]:
        """See `batch_write`."""
        return await arun(cls, batch.write, _instances(cls, items_or_dicts))

    def delete(self) -> None:
        """Delete the item, if the conditions of `set_modify_conditions` are met. One that is gone is no error."""
        run(type(self), items.delete_instance, self)

    async def adelete(self) -> None:
        """See `delete`."""
        await arun(type(self), items.delete_instance, self)

    @classmethod
    def delete_by_key(cls, /, **key: Any) -> None:
        """Delete the item with this key. One that does not exist is no error."""
        run(cls, items.delete, schema_of(cls).key_from(key), ())

    @classmethod
    async def adelete_by_key(cls, /, **key: Any) -> None:
        """See `delete_by_key`."""
        await arun(cls, items.delete, schema_of(cls).key_from(key), ())

    @classmethod
    def batch_delete(
        cls, items_or_keys: Iterable[Self | Mapping[str, Any]] = (), *, keys: Iterable[Self | Mapping[str, Any]] = ()
    ) -> None:
        """Delete many items, given as instances or keys. Raises what `batch_write` raises."""
        run(cls, batch.delete, *_deletions(cls, (*items_or_keys, *keys)))

    @classmethod
    async def abatch_delete(
        cls, items_or_keys: Iterable[Self | Mapping[str, Any]] = (), *, keys: Iterable[Self | Mapping[str, Any]] = ()
    ) -> None:
        """See `batch_delete`."""
        await arun(cls, batch.delete, *_deletions(cls, (*items_or_keys, *keys)))

    @classmethod
    def delete_table(cls) -> None:
        """Delete the table with all its items, and wait until it is gone. One that does not exist is no error.

        Raises InvalidRequestError where the table is protected from deletion.
        """
        run(cls, tables.drop)

    @classmethod
    async def adelete_table(cls) -> None:
        """See `delete_table`."""
        await arun(cls, tables.drop)


def _instances(model: type[M], items_or_dicts: Iterable[M | Mapping[str, Any]]) -> list[M]:
    """The instances to store, those that were given with the time of this write."""
    instances: list[M] = []
    times = dict.fromkeys((field.attribute for field in schema_of(model).renewed), datetime.now(UTC))
    for position, item in enumerate(items_or_dicts):
        if isinstance(item, model):
            vars(item).update(times)
            instances.append(item)
            continue
        try:
            if not isinstance(item, Mapping):
                raise WrongTypeError(f"{item!r} is neither a dict nor a {model.__name__}", field="", value=item)
            instances.append(model(**item))
        except ValidationException as error:
            locate(schema_of(model), error, position, item if isinstance(item, Mapping) else {})
            raise
    return instances


def _deletions(model: type[Any], given: tuple[Any, ...]) -> tuple[list[Item], tuple[Any, ...]]:
    """The keys of what is to be deleted, and what was given for them."""
    return keys_of(model, given), given
