"""The verbs that store and delete whole items, and the one that deletes them all with their table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from dynamix.errors import InvalidUpdateError, ValidationException, WrongTypeError
from dynamix.expressions.nodes import Condition
from dynamix.late import later
from dynamix.model.reading import keys_of
from dynamix.model.running import arun, checked, refuse_base, run, schema_of
from dynamix.operations import items, verbs
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.wire import Flow, Item

if TYPE_CHECKING:
    from dynamix.model import batching
    from dynamix.operations import batch, saving, writes
else:
    later(
        globals(),
        batch="dynamix.operations.batch",
        batching="dynamix.model.batching",
        saving="dynamix.operations.saving",
        writes="dynamix.operations.writes",
    )

M = TypeVar("M")


class Writing:
    """What a model stores and deletes."""

    @classmethod
    def create(cls, /, *, overwrite: bool | None = None, condition: Condition | None = None, **values: Any) -> Self:
        """Store a new item and return its instance.

        `overwrite=False` raises ItemExistsError where an item has this key, and leaves that one alone; so does None for
        a model with a VersionField, while it replaces the item of any other. `condition` must
        be met by what is stored, or else ConditionalCheckFailedError is raised. An item of another model in the same
        table is never replaced: it raises ItemExistsError. (A field called `condition` wins; then
        use `add_modify_conditions` and `save`.) Raises FieldValidationException or UnknownNameError before anything is
        sent.
        """
        return run(cls, verbs.create, new_instance(cls, values, condition), overwrite, unclaimed(cls, condition))

    @classmethod
    async def acreate(
        cls, /, *, overwrite: bool | None = None, condition: Condition | None = None, **values: Any
    ) -> Self:
        """See `create`."""
        return await arun(cls, verbs.create, new_instance(cls, values, condition), overwrite, unclaimed(cls, condition))

    def save(self, *, overwrite: bool = False, if_unchanged: bool = False, condition: Condition | None = None) -> Self:
        """Store the instance, and return it. What is sent depends on what it is.

        A new one is put whole, if no item has its key: otherwise ItemExistsError is raised. Of a loaded one only what
        differs is sent, as one update: queued changes, and edits made in place inside lists, maps and sets; where
        nothing differs, nothing is sent. What others changed elsewhere in the item stays, and so does what was not
        loaded. Where others changed what an edit was made in, so that it would hit something else,
        ConditionalCheckFailedError is raised: it names the fields and has the stored instance as `.item`.

        `if_unchanged=True` raises it wherever a changed field is not stored any more as it was loaded. `overwrite=True`
        puts the instance whole, whatever is there. `condition` must be met besides. Otherwise raises what
        `commit_changes` raises; then nothing was stored, and all changes are still there.
        """
        return run(type(self), saving.save, self, overwrite, if_unchanged, checked(type(self), condition))

    async def asave(
        self, *, overwrite: bool = False, if_unchanged: bool = False, condition: Condition | None = None
    ) -> Self:
        """See `save`."""
        return await arun(type(self), saving.save, self, overwrite, if_unchanged, checked(type(self), condition))

    @classmethod
    def batch_write(cls, items_or_dicts: Iterable[Self | Mapping[str, Any]], *, unchecked: bool = False) -> list[Self]:
        """Store many whole items, and return their instances. Of several with one key the last is stored.

        Batches look at nothing that is stored, so for a model with a VersionField, for one whose keys may be those of
        another model's items in its table, and for instances with conditions of their own, `unchecked=True` has to say
        that whatever is there is replaced; otherwise InvalidUpdateError is raised.

        All are checked before the first is sent. Raises PartlyAppliedError where the service refused a part, or did not
        answer, and BatchIncompleteError where it would not take all.
        While it is under way, InvalidUpdateError refuses changes and commits of the instances given.
        """
        return run(cls, batch.write, _instances(cls, items_or_dicts, unchecked))

    @classmethod
    async def abatch_write(
        cls, items_or_dicts: Iterable[Self | Mapping[str, Any]], *, unchecked: bool = False
    ) -> list[Self]:
        """See `batch_write`."""
        return await arun(cls, batch.write, _instances(cls, items_or_dicts, unchecked))

    def delete(self, *, condition: Condition | None = None) -> None:
        """Delete the item, if the conditions of `set_modify_conditions` and this one are met. One that is gone is no
        error where there is no condition. Then the instance is a new one, which `save()` would store again. While it is
        under way, InvalidUpdateError refuses changes and commits of the instance, and so it is while a commit is.
        """
        run(type(self), verbs.delete_instance, self, checked(type(self), condition))

    async def adelete(self, *, condition: Condition | None = None) -> None:
        """See `delete`."""
        await arun(type(self), verbs.delete_instance, self, checked(type(self), condition))

    @overload
    @classmethod
    def delete_by_key(cls, /, *, condition: Condition | None = None, returns: None = None, **key: Any) -> None: ...
    @overload
    @classmethod
    def delete_by_key(
        cls, /, *, condition: Condition | None = None, returns: Literal["old"], **key: Any
    ) -> Self | None: ...
    @classmethod
    def delete_by_key(
        cls, /, *, condition: Condition | None = None, returns: Literal["old"] | None = None, **key: Any
    ) -> Self | None:
        """Delete the item with this key, if `condition` is met. One that does not exist is no error without one.

        With `returns="old"` the result is the instance that was deleted, None where there was none; it is a new one,
        which `save()` would store again. (Keys called
        `condition` or `returns` win.)
        """
        return run(cls, verbs.delete_by_key, by_key(cls, key, condition, returns))

    @overload
    @classmethod
    async def adelete_by_key(
        cls, /, *, condition: Condition | None = None, returns: None = None, **key: Any
    ) -> None: ...
    @overload
    @classmethod
    async def adelete_by_key(
        cls, /, *, condition: Condition | None = None, returns: Literal["old"], **key: Any
    ) -> Self | None: ...
    @classmethod
    async def adelete_by_key(
        cls, /, *, condition: Condition | None = None, returns: Literal["old"] | None = None, **key: Any
    ) -> Self | None:
        """See `delete_by_key`."""
        return await arun(cls, verbs.delete_by_key, by_key(cls, key, condition, returns))

    @classmethod
    def batch_delete(
        cls,
        items_or_keys: Iterable[Self | Mapping[str, Any]] = (),
        *,
        keys: Iterable[Self | Mapping[str, Any]] = (),
        unchecked: bool = False,
    ) -> None:
        """Delete many items, given as instances or keys. Raises what `batch_write` raises.

        Instances of a model with a VersionField, or with conditions of their own, need `unchecked=True`; keys know no
        version and never do. Where keys may be those of another model's items in the table, both need it.
        """
        run(cls, batch.delete, *_deletions(cls, (*items_or_keys, *keys), unchecked))

    @classmethod
    async def abatch_delete(
        cls,
        items_or_keys: Iterable[Self | Mapping[str, Any]] = (),
        *,
        keys: Iterable[Self | Mapping[str, Any]] = (),
        unchecked: bool = False,
    ) -> None:
        """See `batch_delete`."""
        await arun(cls, batch.delete, *_deletions(cls, (*items_or_keys, *keys), unchecked))

    @classmethod
    def batch(cls, *, progress: Callable[[int], object] | None = None) -> batching.Batch[Self]:
        """A block that stores and deletes any number of items of this model, as `dynamix.batch()` does; it takes dicts
        too."""
        return batching.Batch(cls, progress)

    @classmethod
    def delete_table(cls) -> None:
        """Delete the table with all its items, and wait until it is gone. One that does not exist is no error.

        Raises InvalidRequestError where the table is protected from deletion, and InvalidUpdateError for a model that
        shares it with others: the base deletes it.
        """
        run(alone(cls), _drop)

    @classmethod
    async def adelete_table(cls) -> None:
        """See `delete_table`."""
        await arun(alone(cls), _drop)


def new_instance(model: type[M], values: dict[str, Any], condition: object) -> M:
    """A new instance. A field called `condition` takes what was given by that name."""
    claimed = condition is not None and "condition" in schema_of(model).fields
    return model(**{**values, "condition": condition}) if claimed else model(**values)


def unclaimed(model: type[Any], condition: Condition | None) -> Condition | None:
    """The condition, if that is not the name of a field."""
    return None if condition is None or "condition" in schema_of(model).fields else checked(model, condition)


def by_key(model: type[Any], key: dict[str, Any], condition: Any, returns: object) -> items.ByKey:
    """What is to be deleted. A key called `condition` or `returns` takes what was given by that name."""
    refuse_base(model)
    schema = schema_of(model)
    names = {field.attribute for field in schema.table.keys}
    if condition is not None and "condition" in names:
        key, condition = {**key, "condition": condition}, None
    if returns is not None and "returns" in names:
        key, returns = {**key, "returns": returns}, None
    if returns not in (None, "old"):
        raise WrongTypeError(f"returns={returns!r} is neither 'old' nor None", field="returns", value=returns)
    return items.ByKey(schema.key.from_names(key), checked(model, condition), returns == "old")


def alone(model: type[M]) -> type[M]:
    """The same model. Raises InvalidUpdateError where others have items in its table, which would go with it."""
    kinds = schema_of(model).kinds
    if kinds is not None and kinds.own is not None and len(kinds.field.members) > 1:
        raise InvalidUpdateError(
            f"{model.__name__} shares its table with other models, whose items would be deleted too; say so by calling "
            f"this for {kinds.field.owner.__name__}"
        )
    return model


def _drop(policy: RetryPolicy, table: Table[Any]) -> Flow[None]:
    """Delete the table, as `operations.companions` does it, which many programs never need."""
    from dynamix.operations import companions

    return companions.drop(policy, table)


def _instances(
    model: type[M], items_or_dicts: Iterable[M | Mapping[str, Any]], unchecked: bool
) -> tuple[list[M], set[int]]:
    """The instances to store, and the positions of those that were given, which get the time of this write."""
    instances: list[M] = []
    renewed: set[int] = set()
    batching.refuse_unguarded(model, unchecked)
    if schema_of(model).version is not None and not unchecked:
        raise batching.unlooked(
            model, "store each by save() or create(), or give unchecked=True, whatever version is stored"
        )
    for position, item in enumerate(items_or_dicts):
        if isinstance(item, model):
            renewed.add(position)
        try:
            instances.append(batching.as_whole(model, item))
        except ValidationException as error:
            writes.locate(schema_of(model), error, position, item if isinstance(item, Mapping) else {})
            raise
    before_save = schema_of(model).hooks.before_save
    if before_save is not None:
        for instance in instances:
            before_save(instance)
    for position in () if unchecked else renewed:
        batching.refuse_conditions(instances[position])
    return instances, renewed


def _deletions(model: type[Any], given: tuple[Any, ...], unchecked: bool) -> tuple[list[Item], tuple[Any, ...]]:
    """The keys of what is to be deleted, and what was given for them."""
    batching.refuse_unguarded(model, unchecked)
    if schema_of(model).version is not None and not unchecked and any(isinstance(item, model) for item in given):
        raise batching.unlooked(
            model, "delete each instance by delete(), give keys, or give unchecked=True, whatever version is stored"
        )
    keys, before_delete = keys_of(model, given), schema_of(model).hooks.before_delete
    for key in () if unchecked or schema_of(model).kinds is None else keys:
        batching.refuse_foreign_key(model, key)
    for instance in given:
        if isinstance(instance, model):
            if before_delete is not None:
                before_delete(instance)
            if not unchecked:
                batching.refuse_conditions(instance)
    return keys, given
