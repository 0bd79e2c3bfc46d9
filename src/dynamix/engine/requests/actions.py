"""Requests into actions: what PutItem, UpdateItem, DeleteItem, and the parts of batches and transactions ask for.

A request is read in two steps, as the service checks it. First by itself: `put`, `update`, `delete` and `check` look at
parameters, values and expressions. Then `Asked.locate` finds table and key, and makes the action.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from dynamix.engine.actions.action import Action, Guard
from dynamix.engine.actions.check import Check
from dynamix.engine.actions.delete import Delete
from dynamix.engine.actions.put import Put
from dynamix.engine.actions.update import Update
from dynamix.engine.data.keys import KeySchema
from dynamix.engine.data.values import check_item, measured_item
from dynamix.engine.faults import invalid
from dynamix.engine.requests.expressions import Expressions, check_parameters, read
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.limits import ITEM_BYTES
from dynamix.wire import Item

A = TypeVar("A", bound=Action)


class Asked(msgspec.Struct, Generic[A], frozen=True):
    """An action that is asked for, its request checked by itself. `given` is its item or key."""

    name: str
    given: Item
    expressions: Expressions
    guard: Guard | None
    encode: Callable[[KeySchema, Item], bytes]
    make: Callable[[Table, bytes, Item, Guard | None], A]

    def locate(self, catalog: Catalog) -> A:
        """The action. Raises Fault where table, key and expressions do not go together."""
        table = catalog.table(self.name)
        action = self.make(table, self.encode(table.keys, self.given), self.given, self.guard)
        table.check_scalars(self.expressions.entered)
        return action


def put(name: str, request: dict[str, Any], target: str) -> Asked[Put]:
    """The put into the table `name` that a request asks for: PutItem, Put, PutRequest (`target`)."""
    check_parameters(target, request)
    item, size = measured_item(request["Item"])
    _check_returns(request)
    if size > ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    expressions = read(target, request)

    def make(table: Table, key: bytes, given: Item, guard: Guard | None) -> Put:
        return Put(table, key, given, size, guard)

    encode = _encode_as_key if target == "PutRequest" else KeySchema.encode_item
    return Asked(name, item, expressions, _guard(request, expressions), encode, make)


def update(name: str, request: dict[str, Any], target: str) -> Asked[Update]:
    """The update that a request asks for: UpdateItem, Update."""
    item_key, expressions, guard = _of_key(request, target)

    def make(table: Table, key: bytes, given: Item, guard: Guard | None) -> Update:
        return Update(table, key, given, expressions.update, guard)

    return Asked(name, item_key, expressions, guard, KeySchema.encode_key, make)


def delete(name: str, request: dict[str, Any], target: str) -> Asked[Delete]:
    """The delete that a request asks for: DeleteItem, Delete, DeleteRequest."""
    key, expressions, guard = _of_key(request, target)
    _check_returns(request)
    return Asked(name, key, expressions, guard, KeySchema.encode_key, Delete)


def check(name: str, request: dict[str, Any], target: str) -> Asked[Check]:
    """The check that a request asks for: ConditionCheck."""
    key, expressions, guard = _of_key(request, target)
    return Asked(name, key, expressions, guard, KeySchema.encode_key, Check)


def _of_key(request: dict[str, Any], target: str) -> tuple[Item, Expressions, Guard | None]:
    """What an action on the item with a key is made of."""
    check_parameters(target, request)
    key = check_item(request["Key"])
    expressions = read(target, request)
    return key, expressions, _guard(request, expressions)


def _encode_as_key(keys: KeySchema, item: Item) -> bytes:
    """The bytes of an item's key. A batch says of a wrong key in an item what else is said of a key alone."""
    keys.encode_key({name: item[name] for name in keys.names if name in item})
    return keys.encode_item(item)


def _guard(request: dict[str, Any], expressions: Expressions) -> Guard | None:
    condition = expressions.condition
    if condition is None:
        return None
    return Guard(condition, request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")


def _check_returns(request: dict[str, Any]) -> None:
    if request.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD"):
        raise invalid("ReturnValues can only be ALL_OLD or NONE")
