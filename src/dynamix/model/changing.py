"""The verbs that change items: queued on the instance, shown there at once, sent together by `commit_changes()`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from dynamix.codec.state import State, state_of
from dynamix.errors import (
    FieldValidationException,
    InvalidUpdateError,
    UnknownNameError,
    WrongTypeError,
)
from dynamix.expressions.nodes import Condition, Or
from dynamix.fields.base import Field
from dynamix.fields.changeable import N
from dynamix.fields.computed import ComputedField
from dynamix.fields.element import Element, Part
from dynamix.late import later
from dynamix.model import computing
from dynamix.model.running import arun, check_condition, checked, refuse_base, run, schema_of
from dynamix.operations.requests import Returns
from dynamix.schema.table import Schema
from dynamix.updates.actions import Action
from dynamix.updates.draft import Draft
from dynamix.updates.list import ListDraft
from dynamix.updates.map import MapDraft
from dynamix.updates.number import NumberDraft
from dynamix.updates.set import SetDraft

if TYPE_CHECKING:
    from dynamix.fields.dict import DictField
    from dynamix.fields.list import ListField
    from dynamix.fields.set import SetField
    from dynamix.operations import modifying, update, verbs
    from dynamix.updates import changes, unchanged
    from dynamix.updates import pending as pendings
else:
    later(
        globals(),
        modifying="dynamix.operations.modifying",
        update="dynamix.operations.update",
        verbs="dynamix.operations.verbs",
        changes="dynamix.updates.changes",
        pendings="dynamix.updates.pending",
        unchanged="dynamix.updates.unchanged",
    )

D = TypeVar("D", bound=Draft)
M = TypeVar("M")
V = TypeVar("V")
AnyField = Field[Any, Any]
_EMPTY: frozenset[Any] = frozenset()
_ATTEMPTS = 10
"""How often `modify` tries where others write the item as well."""


class Changing:
    """What a model changes. Each change returns the instance, so that changes can be chained."""

    def set_field(self, field: Field[V, Any], value: V | None) -> Self:
        """Queue: set a field's whole value, or that of a field inside a model; None removes it."""
        if isinstance(field, Part):
            return _act(self, field.set(value))
        return assign(self, field, value)

    def add_to_field(self, field: Field[N, Any], amount: N) -> Self:
        """Queue: add a number (negative: subtract), atomically. A missing field counts as its default, or
        else as 0.
        """
        if isinstance(field, Part):
            return _act(self, field.add(amount))
        _own(self, field, NumberDraft)
        if amount is None:
            raise field.refusal(amount, "give the number to add", WrongTypeError)
        return _change(self, field, NumberDraft, lambda draft: draft.add(amount))

    def update_to_dict_field(self, field: DictField[Any], elements: Mapping[str, Any]) -> Self:
        """Queue: set keys of a map and leave its others alone. A missing map is created."""
        _own(self, field, MapDraft)
        if not isinstance(elements, Mapping):
            raise field.refusal(elements, "give a dict of the keys to set", WrongTypeError)
        new = field.taken(dict(elements))
        field._literal(new)
        return _change(self, field, MapDraft, lambda draft: draft.update(new))

    def remove_from_dict_field(self, field: DictField[Any], keys: Iterable[str]) -> Self:
        """Queue: remove keys of a map. Those that are not there are left at that."""
        _own(self, field, MapDraft)
        if not isinstance(keys, Iterable):
            raise field.refusal(keys, "give the keys to remove", WrongTypeError)
        gone = [keys] if isinstance(keys, str) else list(keys)
        field._literal(dict.fromkeys(gone))
        return _change(self, field, MapDraft, lambda draft: draft.discard(gone))

    def append_to_listfield(self, field: ListField[Any], value: Any) -> Self:
        """Queue: append a value to a list, or all elements of a list. A missing list is created."""
        _own(self, field, ListDraft)
        elements = field.taken(list(value) if isinstance(value, list | tuple) else [value])
        field._literal(elements)
        return _change(self, field, ListDraft, lambda draft: draft.append(elements))

    def replace_by_index_in_listfield(self, field: ListField[Any], index: int, value: Any) -> Self:
        """Queue: replace the element at `index`, counted from 0 after the changes queued before. Past the end it is
        appended.
        """
        _own(self, field, ListDraft)
        _check_index(field, index)
        (element,) = field.taken([value])
        field._literal([element])
        return _change(self, field, ListDraft, lambda draft: draft.replace(index, element))

    def remove_by_index_from_listfield(self, field: ListField[Any], index: int) -> Self:
        """Queue: remove the element at `index`, counted from 0 after the changes queued before. Past the end nothing
        happens.
        """
        _own(self, field, ListDraft)
        _check_index(field, index)
        return _change(self, field, ListDraft, lambda draft: draft.remove(index))

    def add_to_setfield(self, field: SetField[Any], elements: Iterable[Any]) -> Self:
        """Queue: add elements to a set. A missing set is created."""
        new = _elements(self, field, elements)
        return _change(self, field, SetDraft, lambda draft: draft.add(new)) if new else self

    def delete_from_setfield(self, field: SetField[Any], elements: Iterable[Any]) -> Self:
        """Queue: delete elements from a set. Those that are not there are left at that; an emptied set is removed."""
        gone = _elements(self, field, elements)
        return _change(self, field, SetDraft, lambda draft: draft.delete(gone)) if gone else self

    def change(self, *actions: Action) -> Self:
        """Queue: actions such as `Page.views.add(1)`, one after another; where one is refused, none is queued."""
        return _act(self, *actions)

    def set_modify_conditions(self, *conditions: Condition) -> Self:
        """Store or delete only if all conditions are met by what is stored, at the next `commit_changes()` or
        `delete()`.

        They replace conditions set before; see `add_modify_conditions`.
        """
        return _guard(self, conditions, add=False)

    def add_modify_conditions(self, *conditions: Condition) -> Self:
        """The same beside the conditions set before: all must be met."""
        return _guard(self, conditions, add=True)

    @overload
    @classmethod
    def update_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: None = None,
        **key: Any,
    ) -> None: ...
    @overload
    @classmethod
    def update_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: Literal["new"],
        **key: Any,
    ) -> Self: ...
    @overload
    @classmethod
    def update_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: Literal["old"],
        **key: Any,
    ) -> Self | None: ...
    @classmethod
    def update_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: Literal["new", "old"] | None = None,
        **key: Any,
    ) -> Self | None:
        """Change an item without loading it: all actions at once, each from what is stored, in one request.

        `returns` gives the instance as it is after the update, or as it was before. With `upsert=True` an item that
        does not exist is made, and what it lacks gets the fields' defaults.

        Raises InvalidUpdateError, FieldValidationException or UnknownNameError before anything is sent, where no one
        update can do it. Raises ItemNotFoundError where the item does not exist, and ConditionalCheckFailedError where
        `condition` is not met (`item` is what is stored); then nothing was stored. Raises StoredValueError where all
        was, and the item to return cannot be read. A map or list that is missing around a change is made, which takes
        one more request.
        """
        return run(cls, verbs.change, asked_update(cls, actions, condition, upsert, returns, key))

    @overload
    @classmethod
    async def aupdate_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: None = None,
        **key: Any,
    ) -> None: ...
    @overload
    @classmethod
    async def aupdate_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: Literal["new"],
        **key: Any,
    ) -> Self: ...
    @overload
    @classmethod
    async def aupdate_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: Literal["old"],
        **key: Any,
    ) -> Self | None: ...
    @classmethod
    async def aupdate_by_key(
        cls,
        /,
        *actions: Action,
        condition: Condition | None = None,
        upsert: bool = False,
        returns: Literal["new", "old"] | None = None,
        **key: Any,
    ) -> Self | None:
        """See `update_by_key`."""
        return await arun(cls, verbs.change, asked_update(cls, actions, condition, upsert, returns, key))

    def commit_changes(self, *, atomic: bool = False, condition: Condition | None = None) -> Self:
        """Send all queued changes; then the instance, which is returned, holds what the service answered.

        They go as one request, all or nothing. Only a set with elements both to add and to delete takes a second one,
        which `atomic=True` refuses by InvalidUpdateError. `condition` must be met beside those that were set. Raises
        ConditionalCheckFailedError where a condition is not met and ItemNotFoundError where the item does not exist;
        then nothing was stored, and the changes are still queued, to look at, to `discard_changes()` or to send again.
        Raises PartlyAppliedError where only the first of two requests was stored, and StoredValueError where all was,
        and what is stored then cannot be read. While it is under way, InvalidUpdateError refuses further changes and
        commits of this instance.
        """
        return run(type(self), verbs.commit, self, _changed(self), atomic, checked(type(self), condition))

    async def acommit_changes(self, *, atomic: bool = False, condition: Condition | None = None) -> Self:
        """See `commit_changes`."""
        return await arun(type(self), verbs.commit, self, _changed(self), atomic, checked(type(self), condition))

    @classmethod
    def modify(cls, function: Callable[[Self], Self | None], /, *, attempts: int | None = None, **key: Any) -> Self:
        """Read the item with this key, have `function` change the instance, save it, and return it.

        Where others wrote the item meanwhile, all of it is done anew after a short wait, with a fresh instance, up to
        `attempts` times in all (10 unless given); then VersionConflict is raised. Without a VersionField only what
        `function` changes is looked at, and the error is ConditionalCheckFailedError. `function` may run several times,
        so it had better have no other effects; it returns the instance or None, or else WrongTypeError is raised; if
        it deletes the item, nothing is saved. The read is consistent. Raises ItemNotFoundError where there is no item,
        and what `save` raises. (A key called `attempts` wins.)
        """
        return run(cls, modifying.modify, _modification(cls, function, attempts, key))

    @classmethod
    async def amodify(
        cls,
        function: Callable[[Self], Awaitable[Self | None] | Self | None],
        /,
        *,
        attempts: int | None = None,
        **key: Any,
    ) -> Self:
        """See `modify`; `function` may be an async one."""
        return await arun(cls, modifying.modify, _modification(cls, function, attempts, key))

    def discard_changes(self) -> Self:
        """Drop all queued changes and conditions, and edits in place, and show again what was there before them."""
        pendings.pending_of(vars(self)).discard(vars(self), schema_of(type(self)).editable)
        return self


def _modification(
    model: type[Any], function: Callable[[Any], Any], attempts: int | None, key: dict[str, Any]
) -> modifying.Modification:
    """What is to be modified. A key called `attempts` takes what was given by that name."""
    refuse_base(model)
    schema = schema_of(model)
    if not callable(function):
        raise WrongTypeError(
            f"{function!r} is no function; give one that changes the {model.__name__} that it is called with",
            field="function",
            value=function,
        )
    if attempts is None:
        attempts = _ATTEMPTS
    elif any(field.attribute == "attempts" for field in schema.table.keys):
        key, attempts = {**key, "attempts": attempts}, _ATTEMPTS
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise WrongTypeError(f"attempts={attempts!r} is no int of 1 or more", field="attempts", value=attempts)
    return modifying.Modification(schema.key.from_names(key), function, attempts)


def assign(instance: M, field: Field[V, Any], value: V | None) -> M:
    """Queue: set a field's whole value; None removes it."""
    schema, values = _own(instance, field), vars(instance)
    if field.hash_key or field.range_key:
        field._check_change(Draft, "set")
    value = field.taken(value)
    if value is not None and value != _EMPTY:
        schema.encoder(field)(value)
    elif field.required:
        field.encode(None)
    made = computing.renewed(schema, values, {field.attribute: value}) if schema.computed else []
    pendings.pending_of(values).change(values, field, Draft, lambda draft: draft.assign(value))
    if made:
        computing.apply(values, made)
    return instance


def asked_update(
    model: type[Any],
    actions: tuple[Action, ...],
    condition: Condition | None,
    upsert: bool,
    returns: str | None,
    key: dict[str, Any],
) -> update.ByKey:
    """What `update_by_key` sends. A key of the model that has the name of an option is meant by that name."""
    refuse_base(model)
    schema = schema_of(model)
    options: dict[str, Any] = {"condition": condition, "upsert": upsert, "returns": returns}
    for field in schema.table.keys:
        if field.attribute in options:
            key.setdefault(field.attribute, options.pop(field.attribute))
    returns = options.get("returns")
    if returns not in _RETURNS:
        raise WrongTypeError(f"returns={returns!r} is neither 'new' nor 'old' nor None", field="returns", value=returns)
    wire = schema.key.from_names(key)
    now = datetime.now(UTC)
    asked = changes.Changes.of(schema, actions, now)
    if options.get("upsert"):
        times = {field.attribute: field.stamp(now) for field in schema.times.stamped}
        new = vars(model(**{**key, **times, **asked.given()}))
        for field in schema.table.keys:
            if isinstance(field, ComputedField):
                field.check_in_step(schema.fields, new)
        asked = asked.with_defaults(schema, new)
    conditions = unchanged.resolved({}, checked(model, options.get("condition")))
    if schema.present is not None:
        present = Or((schema.existence.gone, schema.present)) if options.get("upsert") else schema.present
        conditions = (*conditions, present)
    terms = update.Terms(conditions, options.get("upsert", False), returns=_RETURNS[returns])
    return update.ByKey(wire, asked, terms)


_RETURNS: dict[str | None, Returns | None] = {None: None, "new": "ALL_NEW", "old": "ALL_OLD"}


def _change(instance: M, field: AnyField, kind: type[D], step: Callable[[D], None]) -> M:
    values = vars(instance)
    pendings.pending_of(values).change(values, field, kind, step)
    return instance


def _act(instance: M, *actions: Action) -> M:
    """Queue actions; where one is refused, none is queued."""
    schema, values = schema_of(type(instance)), vars(instance)
    for action in actions:
        changes.check_action(schema, action)
    made = computing.renewed(schema, values, computing.given_by(schema, actions)) if schema.computed else []
    pendings.pending_of(values).act(values, actions)
    computing.apply(values, made)
    return instance


def _guard(instance: M, conditions: tuple[Condition, ...], *, add: bool) -> M:
    """Set conditions on an instance, or add to them."""
    model = type(instance)
    checked = tuple([check_condition(model, condition) for condition in conditions])
    pendings.pending_of(vars(instance)).guard(checked, add=add)
    return instance


def _never_stored(instance: object, state: State) -> InvalidUpdateError:
    """Why an instance has no item that could be changed."""
    model = type(instance).__name__
    happened = "was given values when it was made and never stored" if state.stored is None else "was deleted"
    return InvalidUpdateError(
        f"this {model} {happened}, and commit_changes() changes what is stored; store it whole by save(), "
        f"{model}.create(...) or {model}.batch_write([...]), or change an item without reading it by an instance made "
        "of its key alone"
    )


def _changed(instance: object) -> pendings.Pending | None:
    """What is pending, None where nothing is. Edits in place are refused."""
    values, schema = vars(instance), schema_of(type(instance))
    state = state_of(values)
    pending: pendings.Pending | None = state.pending
    if state.new:
        raise _never_stored(instance, state)
    if schema.hooks.before_save is not None:
        schema.hooks.before_save(instance)
        pending = state.pending
    (pendings.Pending() if pending is None else pending).refuse_edits(values, schema.editable)
    return pending or None


def _own(instance: object, field: AnyField, draft: type[Draft] = Draft) -> Schema[Any]:
    """The schema of the model. Refuses what is not a field of it, or not of the kinds that a change is for."""
    model = type(instance)
    if not isinstance(field, Field):
        if isinstance(field, Element):
            raise _inside(field)
        raise WrongTypeError(f"{field!r} is not a field; give {model.__name__}.<name>", field=str(field), value=field)
    schema = schema_of(model)
    if not schema.owns(field):
        raise UnknownNameError(f"{field} is not a field of {model.__name__}")
    if field is schema.version:
        raise InvalidUpdateError(
            f"{field} is the version, which every write raises by itself; leave it alone, and give "
            f"condition={field} == ... to write only at a certain one"
        )
    if field.read_only and not state_of(vars(instance)).new:
        raise field.unchangeable()
    if isinstance(field, ComputedField):
        raise field.unsettable()
    if draft is not Draft and field.attribute in schema.part_names:
        raise computing.refused(schema, field)
    if not issubclass(field.draft, draft):
        raise InvalidUpdateError(f"{field} is a {type(field).__name__}; this change is for {draft.noun}")
    return schema


def _inside(element: Element) -> WrongTypeError:
    """Why an element, such as `T.d["a"]`, is no field, and what changes it."""
    path = element._path()
    whole, (_, first, *deeper) = path.source, path.parts
    shown = f"{whole}" + "".join(f"[{part!r}]" for part in path.parts[1:])
    value = f"the new value of {whole}[{first!r}]" if deeper else "value"
    if isinstance(element, Part):
        advice = f"change({element}.set(value))"
    elif isinstance(first, str):
        advice = f"update_to_dict_field({whole}, {{{first!r}: {value}}})"
    else:
        advice = f"replace_by_index_in_listfield({whole}, {first}, {value})"
    return WrongTypeError(
        f"{shown} is an element, and this change takes a field; use {advice}", field=whole.attribute, value=element
    )


def _elements(instance: object, field: SetField[Any], elements: Iterable[Any]) -> set[Any]:
    _own(instance, field, SetDraft)
    if isinstance(elements, str | bytes) or not isinstance(elements, Iterable):
        raise field.refusal(elements, "give a set of elements, not a single one", WrongTypeError)
    try:
        members = set(elements)
    except TypeError as error:
        raise field.refusal(elements, f"an element of it can be in no set: {error}", WrongTypeError) from error
    return field.from_wire(field._literal(members)) if members else members


def _check_index(field: AnyField, index: int) -> None:
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise FieldValidationException(
            f"{field} has no element {index!r}; DynamoDB counts from 0, and not from the end",
            field=field.attribute,
            value=index,
        )
