"""Flows on one item: get, put, update, delete."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

import msgspec

from dynamix.codec import sizes
from dynamix.codec.state import STATE, State, stored_of
from dynamix.errors import (
    ConditionalCheckFailedError,
    DynamixError,
    InvalidRequestError,
    ItemExistsError,
    ItemNotFoundError,
    ItemTooLargeError,
    PartlyAppliedError,
    StoredValueError,
    VersionConflict,
)
from dynamix.expressions.nodes import Condition, all_of
from dynamix.expressions.shown import shown_condition
from dynamix.expressions.texts import Texts
from dynamix.limits import ITEM_BYTES
from dynamix.operations import requests
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Schema, Table
from dynamix.updates.draft import Draft
from dynamix.updates.pending import Pending, pending_of
from dynamix.updates.plan import NULL, Picture, Plan, holds
from dynamix.updates.unchanged import resolved
from dynamix.updates.version import raised, started, unchanged_or_gone
from dynamix.updates.written import write
from dynamix.wire import Call, Flow, Item

M = TypeVar("M")

_MOST_PICTURES = 10
_TOO_LARGE = "Item size to update has exceeded"
"""How the service says that an update makes an item too large, for which it has no code of its own."""


def get(
    policy: RetryPolicy, table: Table[M], key: Item, consistent: bool | None, fields: Sequence[AnyField] = ()
) -> Flow[M | None]:
    """The instance with this key, or None; of it only `fields` and the key, where they are given."""
    schema = table.schema
    consistent = policy.consistent if consistent is None else consistent
    hidden = schema.hidden
    if not fields:
        body, reader = requests.get(table.name, key, consistent=consistent), schema.codec.reader(table.name)
    else:
        chosen = (*schema.table.keys, *fields, *(() if hidden is None else (hidden,)))
        names = dict.fromkeys(field.name for field in chosen)
        body = requests.get(table.name, key, consistent=consistent, only=names)
        reader = schema.codec.reader(table.name, frozenset(field.attribute for field in chosen))
    asked = request(policy, Call("GetItem", msgspec.json.encode(body), reader.item))
    return asked if hidden is None and schema.after_load is None else _loaded(table, asked)


def _loaded(table: Table[Any], asked: Flow[M | None]) -> Flow[M | None]:
    """The instance that a flow gives, after the model's own `after_load`; None in place of one that is hidden."""
    found = yield from asked
    if found is None or table.schema.hides(vars(found)):
        return None
    if table.schema.after_load is not None:
        table.schema.after_load(found)
    return found


def exists(policy: RetryPolicy, table: Table[Any], key: Item, consistent: bool | None) -> Flow[bool]:
    """Whether an item has this key; only the key is read, and by what it may be hidden."""
    consistent = policy.consistent if consistent is None else consistent
    schema = table.schema
    only = key if schema.hidden is None else dict.fromkeys((*key, schema.hidden.name))
    body = requests.get(table.name, key, consistent=consistent, only=only)
    found = _found if schema.hidden is None else partial(_found_unhidden, schema)
    return request(policy, Call("GetItem", msgspec.json.encode(body), found))


def _found(body: bytes) -> bool:
    return "Item" in msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def _found_unhidden(schema: Schema[Any], body: bytes) -> bool:
    item = msgspec.json.decode(body, type=dict[str, Item]).get("Item")
    return item is not None and not schema.hides_item(item)


def put(
    policy: RetryPolicy, table: Table[Any], item: Item, overwrite: bool, conditions: tuple[Condition, ...] = ()
) -> Flow[None]:
    """Store a whole item, if the conditions are met. Raises ItemExistsError where one has the key and `overwrite` is
    False."""
    required = conditions if overwrite else (table.schema.absent, *conditions)
    body = requests.put(table.name, item, all_of(required) if required else None)
    call = Call("PutItem", _checked_body(table, item, body), _nothing, repeatable=not required)
    try:
        yield from request(policy, call)
    except ConditionalCheckFailedError as error:
        occupied = error.stored_item is not None and not table.schema.hides_item(error.stored_item)
        if not overwrite and (occupied or not conditions):
            raise _failed(ItemExistsError, table, item, error, "exists already; it was left alone") from error
        raise _unmet(table, item, error, conditions, "nothing was stored") from error


def create(
    policy: RetryPolicy, table: Table[M], instance: M, overwrite: bool | None, condition: Condition | None = None
) -> Flow[M]:
    """Store a new instance whole, after the model's own `before_save`, if its conditions and this one are met, and
    return it.

    Without a word about `overwrite` an item is replaced, unless items have versions.
    """
    if table.schema.before_save is not None:
        table.schema.before_save(instance)
    return store(policy, table, instance, overwrite, condition)


def store(
    policy: RetryPolicy, table: Table[M], instance: M, overwrite: bool | None, condition: Condition | None
) -> Flow[M]:
    """Store an instance whole, as `create` does."""
    schema, values = table.schema, vars(instance)
    conditions, item, version = resolved(values, condition), schema.item_of(values), schema.version
    first = None if version is None else started(version, values, item)
    yield from put(policy, table, item, version is None if overwrite is None else overwrite, conditions)
    schema.settle(values, schema.codec.stored(item))
    if version is not None:
        values[version.attribute] = first
    return instance


def delete(
    policy: RetryPolicy,
    table: Table[M],
    key: Item,
    conditions: tuple[Condition, ...] = (),
    decode: Callable[[bytes], M | None] | None = None,
    guard: Condition | None = None,
) -> Flow[M | None]:
    """Delete an item, if the conditions are met. One that does not exist is no error where no condition is given.

    `decode` makes the result of the answer, which then has what was deleted; a repeat could not tell that. `guard` is
    met by an item that has the version which was loaded, and where there is no item; so no repeat deletes another one.
    """
    required = conditions if guard is None else (*conditions, guard)
    body = requests.delete(
        table.name, key, all_of(required) if required else None, returns="ALL_OLD" if decode else None
    )
    repeatable = (guard is not None or not conditions) and decode is None
    call = Call("DeleteItem", msgspec.json.encode(body), decode or _nothing, repeatable=repeatable)
    try:
        return (yield from request(policy, call))
    except ConditionalCheckFailedError as error:
        if guard is not None and error.stored_item is not None and not holds(guard, error.stored_item):
            raise _conflict(table, key, error, (str(table.schema.version),), "it was not deleted") from error
        raise _unmet(table, key, error, conditions, "it was not deleted") from error


class ByKey(NamedTuple):
    """An item that is to be deleted without reading it, on which condition, and whether it is asked for."""

    key: Item
    condition: Condition | None
    returns: bool


def delete_by_key(policy: RetryPolicy, table: Table[M], which: ByKey) -> Flow[M | None]:
    """Delete an item without reading it; the result is the deleted one where it is asked for."""
    decode = table.schema.codec.reader(table.name).changed if which.returns else None
    deleting = delete(policy, table, which.key, resolved({}, which.condition), decode)
    try:
        return (yield from (deleting if decode is None else _loaded(table, deleting)))
    except StoredValueError as error:
        error.applied = "yes"
        raise


def delete_instance(
    policy: RetryPolicy, table: Table[Any], instance: Any, condition: Condition | None = None
) -> Flow[None]:
    """Delete an instance's item, if its conditions and this one are met; then it is a new one."""
    values, schema = vars(instance), table.schema
    if schema.before_delete is not None:
        schema.before_delete(instance)
    guard = None if schema.version is None else unchanged_or_gone(schema.version, values, schema.gone)
    yield from delete(policy, table, schema.key_of(values), resolved(values, condition), guard=guard)
    pending_of(values).deleted(values)


def commit(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    pending: Pending | None,
    atomic: bool = False,
    condition: Condition | None = None,
    edits: Mapping[str, Draft] | None = None,
    guards: Sequence[tuple[Condition, str]] = (),
) -> Flow[M]:
    """Send what is pending on an instance: one UpdateItem, or a second one where a set has both additions and
    deletions. Then the instance, which is the result, shows what the service answered.

    `edits` and `guards` are those of `Pending.begin`.
    Raises ItemNotFoundError where the item does not exist, ConditionalCheckFailedError where a condition is not met;
    then nothing was stored and all is still pending. Raises PartlyAppliedError where the first of two updates was
    stored and the second was not; then what the second is for is still pending. Raises StoredValueError where all was
    stored and an attribute of the stored item cannot be read; then nothing is pending, and only the key is shown.
    """
    if pending is None:
        return instance
    values, schema = vars(instance), table.schema
    key, sender = schema.key_of(values), object()
    if schema.version is not None:
        edits, guards = raised(schema.version, values, edits, guards)
    try:
        required = (schema.there, *resolved(values, condition))
        pending.begin(sender, edits, guards)
        answer, plan = yield from _update(policy, table, key, pending, required, atomic)
        if plan.then_delete:
            pending.settle_first(values, schema.fields, _known(table, values, answer))
            try:
                if schema.version is not None:
                    pending.expect(*raised(schema.version, values))
                answer, _ = yield from _update(policy, table, key, pending, (schema.there,), atomic)
            except DynamixError as error:
                raise _partly(table, key, error) from error
        pending.settle(values, schema.fields, _known(table, values, answer))
    finally:
        pending.end(sender)
    if isinstance(answer, StoredValueError):
        unread = StoredValueError(
            f"the changes were stored, but what is stored now cannot be read: {answer.args[0]}",
            field=answer.field,
            value=answer.value,
        )
        unread.key, unread.applied = answer.key, "yes"
        raise unread from answer
    return instance


def _partly(table: Table[Any], key: Item, error: DynamixError) -> PartlyAppliedError:
    """The error for a commit whose second update failed."""
    return PartlyAppliedError(
        f"the first of two updates of {table.schema.model_name} with {shown_key(table, key)} was stored; the second, "
        f"which deletes from sets, {'may have been' if error.applied == 'maybe' else 'was not'}, and is still queued: "
        f"{error}"
    )


_Answer = dict[str, Any] | StoredValueError
"""What is stored now, by attribute, or why that cannot be read."""


def _known(table: Table[Any], values: dict[str, Any], answer: _Answer) -> dict[str, Any]:
    """What an instance holds after a commit: what is stored, or where that is not known its key alone."""
    if isinstance(answer, dict):
        return answer
    stored = stored_of(values)
    keys = [field.attribute for field in table.schema.table.keys]
    state = State({key: stored[key] for key in keys if key in stored}, frozenset(keys), table.name)
    return {key: values[key] for key in keys} | {STATE: state}


def _update(
    policy: RetryPolicy,
    table: Table[Any],
    key: Item,
    pending: Pending,
    required: tuple[Condition, ...],
    atomic: bool,
) -> Flow[tuple[_Answer, Plan]]:
    """Send one plan, and where the stored item differs from the picture it was made for, the plan made anew.

    The result is the answer, and the plan that was carried out. What is required beside its facts is that the item
    exists, and more where conditions were set.
    """
    (plan, texts), guessed = write(pending, required), False
    for _ in range(_MOST_PICTURES):
        if atomic:
            pending.refuse_second(plan)
        try:
            repeatable = (plan.repeatable and len(required) == 1) or _is_checked(table, plan)
            return (yield from request(policy, _update_call(table, key, texts, repeatable))), plan
        except ConditionalCheckFailedError as error:
            if error.stored_item is None or table.schema.hides_item(error.stored_item):
                raise _failed(ItemNotFoundError, table, key, error, "does not exist; nothing was stored") from error
            broken = dict.fromkeys(name for guard, name in plan.guards if not holds(guard, error.stored_item))
            if broken:
                raise _conflict(table, key, error, broken) from error
            if all(holds(fact, error.stored_item) for fact in plan.facts):
                raise _unmet(table, key, error, required[1:], "nothing was stored") from error
            failure = error
            plan, texts = write(pending, required, partial(Picture.stored, error.stored_item))
        except InvalidRequestError as error:
            if _TOO_LARGE in str(error):
                raise ItemTooLargeError(
                    f"{table.schema.model_name} with {shown_key(table, key)} would have more than the {ITEM_BYTES} "
                    "bytes of an item; nothing was stored"
                ) from error
            if guessed or not pending.depends:
                raise
            guessed = True
            plan, texts = write(pending, required, lambda name: NULL)
    raise _failed(
        ConditionalCheckFailedError,
        table,
        key,
        failure,
        f"was changed by others before each of {_MOST_PICTURES} attempts; nothing was stored; commit again",
    ) from failure


def _is_checked(table: Table[Any], plan: Plan) -> bool:
    """Whether a plan is carried out at one version only, so that no repeat of it is carried out twice."""
    version = table.schema.version
    return version is not None and any(name == str(version) for _, name in plan.guards)


def _update_call(table: Table[Any], key: Item, texts: Texts, repeatable: bool) -> Call[_Answer]:
    body = requests.update(table.name, key, texts, returns="ALL_NEW")
    reader = table.schema.codec.reader(table.name)

    def answer(body: bytes) -> _Answer:
        try:
            return reader.attributes(body)
        except StoredValueError as error:
            return error

    return Call("UpdateItem", msgspec.json.encode(body), answer, repeatable)


def _checked_body(table: Table[Any], item: Item, body: dict[str, Any]) -> bytes:
    """The JSON of a put; an item over the limit is refused. JSON is never shorter than what the service counts."""
    encoded = msgspec.json.encode(body)
    if len(encoded) > ITEM_BYTES:
        refuse_too_large(table, item)
    return encoded


def refuse_too_large(table: Table[Any], item: Item) -> None:
    """Raise ItemTooLargeError for an item of more than 400 KB."""
    size = sizes.item_size(item)
    if size > ITEM_BYTES:
        largest = max(item, key=lambda name: sizes.value_size(item[name]))
        raise ItemTooLargeError(
            f"{table.schema.model_name} with {shown_key(table, item)} has {size} bytes, more than the {ITEM_BYTES} "
            f"of an item; {largest!r} alone has {sizes.value_size(item[largest])}"
        )


def shown_key(table: Table[Any], item: Item) -> str:
    return ", ".join(f"{f.attribute}={f.decode(item[f.name])!r}" for f in table.schema.table.keys)


def _conflict(
    table: Table[Any],
    key: Item,
    error: ConditionalCheckFailedError,
    fields: Iterable[str],
    then: str = "nothing was stored",
) -> ConditionalCheckFailedError:
    """The error for what others changed since it was loaded."""
    changed = tuple(fields)
    problem = (
        f"was changed by others since it was loaded: {', '.join(changed)}; {then}; look at .item of this error, or "
        "refresh(discard=True) and change it again"
    )
    kind = VersionConflict if str(table.schema.version) in changed else ConditionalCheckFailedError
    told = _failed(kind, table, key, error, problem)
    told.changed = changed
    return told


def _unmet(
    table: Table[Any], key: Item, error: ConditionalCheckFailedError, conditions: tuple[Condition, ...], then: str
) -> ConditionalCheckFailedError:
    """The error for conditions of the caller's that were not met."""
    where = "" if error.stored_item is not None else ", as there is no such item"
    problem = f"does not meet the condition {shown_condition(all_of(conditions))}{where}; {then}"
    return _failed(ConditionalCheckFailedError, table, key, error, problem)


def _failed(
    kind: type[ConditionalCheckFailedError],
    table: Table[Any],
    key: Item,
    error: ConditionalCheckFailedError,
    problem: str,
) -> ConditionalCheckFailedError:
    """The same error in words that name the item, with the instance that is stored."""
    told = kind(
        f"{table.schema.model_name} with {shown_key(table, key)} {problem}",
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
    told.stored_item = error.stored_item
    if error.stored_item is not None:
        with suppress(StoredValueError):
            told.item = table.schema.codec.reader(table.name).instance(error.stored_item)
        if told.item is not None and table.schema.after_load is not None:
            table.schema.after_load(told.item)
    return told


def _nothing(body: bytes) -> None:
    """The answer of a write whose answer says nothing. It is looked at, lest any web server be taken for DynamoDB."""
    _decode_object(body)


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
