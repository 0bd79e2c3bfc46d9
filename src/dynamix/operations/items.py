"""Flows on one item: get, put, delete."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from dynamix.codec import sizes
from dynamix.codec.state import as_wire
from dynamix.errors import ConditionalCheckFailedError, ItemExistsError, ItemTooLargeError, StoredValueError
from dynamix.expressions.nodes import Condition, all_of
from dynamix.late import later
from dynamix.limits import ITEM_BYTES
from dynamix.operations import requests, single
from dynamix.operations.failures import conflict, failed, refuse_foreign, shown_key, unmet
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField
from dynamix.schema.table import Schema, Table
from dynamix.wire import Call, Flow, Item, SentItem

if TYPE_CHECKING:
    from dynamix.schema.hooks import Hook
    from dynamix.updates import pending, plan, unchanged
    from dynamix.updates import version as versions
else:
    later(
        globals(),
        pending="dynamix.updates.pending",
        plan="dynamix.updates.plan",
        unchanged="dynamix.updates.unchanged",
        versions="dynamix.updates.version",
    )

M = TypeVar("M")


def get(
    policy: RetryPolicy,
    table: Table[M],
    key: Item,
    consistent: bool | None,
    fields: Sequence[AnyField] = (),
    *,
    for_write: bool = False,
    calls_hook: bool = True,
) -> Flow[M | None]:
    """The instance with this key, or None; of it only `fields` and the key, where they are given. The model's own
    `after_load` is called with it, if it `calls_hook`."""
    schema = table.schema
    consistent = policy.consistent if consistent is None else consistent
    if not fields:
        body, reader = requests.get(table.name, key, consistent=consistent), schema.codec.reader(table.name)
    else:
        chosen = (*schema.table.keys, *fields, *schema.existence.expiries, *schema.projection.telling(schema.table))
        names = schema.projection.asked_for(chosen)
        body = requests.get(table.name, key, consistent=consistent, only=names)
        reader = schema.codec.reader(table.name, schema.projection.attributes(chosen))
    asked = request(policy, Call("GetItem", msgspec.json.encode(body), reader.item, for_write=for_write))
    after_load = schema.hooks.after_load if calls_hook else None
    return asked if after_load is None and not schema.existence.may_hide else _loaded(table, asked, after_load)


def _loaded(table: Table[Any], asked: Flow[M | None], after_load: "Hook | None") -> Flow[M | None]:
    """The instance that a flow gives, after that hook; None in place of one that is hidden."""
    found = yield from asked
    if found is None or table.schema.existence.hides(vars(found)):
        return None
    if after_load is not None:
        after_load(found)
    return found


def exists(policy: RetryPolicy, table: Table[Any], key: Item, consistent: bool | None) -> Flow[bool]:
    """Whether an item has this key; only the key is read, and by what it may be hidden."""
    consistent = policy.consistent if consistent is None else consistent
    schema = table.schema
    more = (*schema.projection.telling(schema.table), *schema.existence.expiries)
    only = dict.fromkeys((*key, *(field.name for field in more))) if more else key
    body = requests.get(table.name, key, consistent=consistent, only=only)
    found = partial(_found_own, schema) if more else _found
    return request(policy, Call("GetItem", msgspec.json.encode(body), found))


def _found(body: bytes) -> bool:
    return "Item" in msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def _found_own(schema: Schema[Any], body: bytes) -> bool:
    item = requests.found(body)
    return item is not None and not schema.existence.hides_item(item) and schema.existence.foreign(item) is None


def put(
    policy: RetryPolicy,
    table: Table[Any],
    item: SentItem,
    overwrite: bool,
    conditions: tuple[Condition, ...] = (),
) -> Flow[None]:
    """Store a whole item, if the conditions are met. Raises ItemExistsError where one has the key and `overwrite` is
    False."""
    schema = table.schema
    required = (
        *(schema.existence.replacing(item) if overwrite else (schema.existence.absent(item),)),
        *schema.existence.as_seen(conditions),
    )
    body = requests.put(table.name, item, all_of(required) if required else None)
    call = Call("PutItem", _checked_body(table, item, body), nothing, repeatable=overwrite and not conditions)
    try:
        yield from single.send(policy, call)
    except ConditionalCheckFailedError as error:
        refuse_foreign(ItemExistsError, table, item, error, "it was left alone")
        occupied = error.stored_item is not None and not table.schema.existence.hides_item(error.stored_item)
        if not overwrite and (occupied or not conditions):
            raise failed(ItemExistsError, table, item, error, "exists already; it was left alone") from error
        raise unmet(table, item, error, conditions, "nothing was stored") from error


def store(
    policy: RetryPolicy,
    table: Table[M],
    instance: M,
    overwrite: bool | None,
    condition: Condition | None,
    times: Mapping[str, Any] | None = None,
) -> Flow[M]:
    """Store an instance whole, if its conditions and this one are met, and return it. `times` as for `whole_of`.

    Without a word about `overwrite` an item is replaced, unless items have versions.
    """
    schema, values = table.schema, vars(instance)
    conditions, (item, kept), version = (
        unchanged.resolved(values, condition),
        schema.whole.kept(values, times),
        schema.version,
    )
    first = None
    if version is not None:
        first, kept = versions.started(version, values, item), schema.codec.kept(item)
    overwrite = version is None if overwrite is None else overwrite
    yield from put(policy, table, item, overwrite, conditions)
    if times:
        values.update(times)
    schema.whole.settle(values, kept)
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
    schema = table.schema
    required = (
        *schema.existence.replacing(key),
        *schema.existence.as_seen(conditions),
        *(() if guard is None else (guard,)),
    )
    body = requests.delete(
        table.name, key, all_of(required) if required else None, returns="ALL_OLD" if decode else None
    )
    repeatable = (guard is not None or not conditions) and decode is None
    call = Call("DeleteItem", msgspec.json.encode(body), decode or nothing, repeatable=repeatable)
    try:
        return (yield from single.send(policy, call))
    except ConditionalCheckFailedError as error:
        refuse_foreign(ConditionalCheckFailedError, table, key, error, "it was not deleted")
        if guard is not None and error.stored_item is not None and not plan.holds(guard, error.stored_item):
            raise conflict(table, key, error, (str(table.schema.version),), "it was not deleted") from error
        raise unmet(table, key, error, conditions, "it was not deleted") from error


class ByKey(NamedTuple):
    """An item that is to be deleted without reading it, on which condition, and whether it is asked for."""

    key: Item
    condition: Condition | None
    returns: bool


def delete_by_key(policy: RetryPolicy, table: Table[M], which: ByKey) -> Flow[M | None]:
    """Delete an item without reading it; the result is the deleted one where it is asked for, which is a new one."""
    decode = None
    if which.returns:
        single.refuse_returns(policy, "ALL_OLD")
        decode = table.schema.codec.reader(table.name).changed
    deleting = delete(policy, table, which.key, unchanged.resolved({}, which.condition), decode)
    try:
        old = yield from (deleting if decode is None else _loaded(table, deleting, table.schema.hooks.after_load))
    except StoredValueError as error:
        error.applied = "yes"
        raise
    if old is not None:
        pending.pending_of(vars(old)).deleted(vars(old))
    return old


def delete_instance(
    policy: RetryPolicy, table: Table[Any], instance: Any, condition: Condition | None = None
) -> Flow[None]:
    """Delete an instance's item, if its conditions and this one are met."""
    values, schema = vars(instance), table.schema
    guard = (
        None if schema.version is None else versions.unchanged_or_gone(schema.version, values, schema.existence.gone)
    )
    yield from delete(policy, table, schema.key.of(values), unchanged.resolved(values, condition), guard=guard)


def _checked_body(table: Table[Any], item: SentItem, body: dict[str, Any]) -> bytes:
    """The JSON of a put; an item over the limit is refused. JSON is never shorter than what the service counts."""
    encoded = msgspec.json.encode(body)
    if len(encoded) > ITEM_BYTES:
        refuse_too_large(table, item)
    return encoded


def refuse_too_large(table: Table[Any], sent: SentItem) -> None:
    """Raise ItemTooLargeError for an item of more than 400 KB."""
    item: Item = {name: as_wire(form) for name, form in sent.items()}
    size = sizes.item_size(item)
    if size > ITEM_BYTES:
        largest = max(item, key=lambda name: sizes.value_size(item[name]))
        raise ItemTooLargeError(
            f"{table.schema.model_name} with {shown_key(table, item)} has {size} bytes, more than the {ITEM_BYTES} "
            f"of an item; {largest!r} alone has {sizes.value_size(item[largest])}"
        )


def nothing(body: bytes) -> None:
    """The answer of a write whose answer says nothing. It is looked at, lest any web server be taken for DynamoDB."""
    _decode_object(body)


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
