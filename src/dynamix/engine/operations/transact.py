"""TransactGetItems and TransactWriteItems: all or nothing.

A transaction is one transaction of the database, and writers take turns, so it is serialisable and no two ever
conflict. Every action is tried even after one has failed, so that each has its reason; then all is undone.

A client token makes a repeated request answer as the first did, for ten minutes.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from dynamix.codec.sizes import item_size, text_size, value_size
from dynamix.engine.actions import throughput
from dynamix.engine.actions.action import Action
from dynamix.engine.actions.capacity import Charge, read_units, reports
from dynamix.engine.actions.throughput import THROTTLED, carry_out
from dynamix.engine.data.rows import Row, decode_item
from dynamix.engine.data.values import check_item
from dynamix.engine.faults import Fault, Kind, invalid
from dynamix.engine.operations.items import collection_metrics
from dynamix.engine.requests import actions
from dynamix.engine.requests.expressions import check_parameters, read
from dynamix.engine.storage.database import Storage
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.limits import TRANSACT_BYTES

T = TypeVar("T")

_TOKEN_SECONDS = 600.0
_ACTIONS: dict[str, Callable[[str, dict[str, Any], str], actions.Asked[Any]]] = {
    "Put": actions.put,
    "Update": actions.update,
    "Delete": actions.delete,
    "ConditionCheck": actions.check,
}
_REASONS = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ValidationException": "ValidationError",
    "DuplicateItemException": "DuplicateItem",
    **THROTTLED,
}


def transact_get_items(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Items by their keys, all as of one moment."""
    gets = [_Get(part["Get"]) for part in request["TransactItems"]]
    charges: dict[int, tuple[Table, Charge]] = {}
    with storage.reading() as catalog:
        all_or_none(catalog, [get.locate for get in gets])
        check_once(gets)
        rows = [get.table.store.get(catalog.execute, get.key) for get in gets]
    if sum(row[0] for row in rows if row) > TRANSACT_BYTES:
        raise _too_large()
    taken = [reading_charge(row) for row in rows]
    take_all(catalog, gets, taken)
    for get, charge in zip(gets, taken, strict=True):
        add_charge(charges, get.table, charge)
    responses = [{} if row is None else get.shown(row) for get, row in zip(gets, rows, strict=True)]
    answer: dict[str, Any] = {"Responses": responses}
    consumed = reports(request, charges.values(), kind="Read")
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    return answer


def transact_write_items(storage: Storage, request: dict[str, Any]) -> dict[str, Any]:
    """Puts, updates, deletes and checks that happen together or not at all."""
    asked = [_asked(part) for part in request["TransactItems"]]
    if sum(map(_sent, request["TransactItems"])) > TRANSACT_BYTES:
        raise _too_large()
    charges: dict[int, tuple[Table, Charge]] = {}
    metrics: dict[str, list[dict[str, Any]]] = {}
    with storage.writing() as catalog:
        located: list[Action] = all_or_none(catalog, [each.locate for each in asked])
        check_once(located)
        repeated = repeats(catalog, request, "TransactItems")
        if repeated:
            taken = [reading_charge(action.table.store.get(catalog.execute, action.key)) for action in located]
        else:
            taken = run_all(catalog, located)
        for action, charge in zip(located, taken, strict=True):
            add_charge(charges, action.table, charge)
            if request.get("ReturnItemCollectionMetrics") == "SIZE":
                told = collection_metrics(catalog, action)
                if told is not None:
                    metrics.setdefault(action.table.name, []).append(told)
    answer: dict[str, Any] = {}
    consumed = reports(request, charges.values(), kind="Read" if repeated else "Write")
    if consumed is not None:
        answer["ConsumedCapacity"] = consumed
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    return answer


class Placed(Protocol):
    """An item of a table, which an action is on."""

    @property
    def table(self) -> Table: ...

    @property
    def key(self) -> bytes: ...


class _Get:
    """One item to be read."""

    __slots__ = ("_expressions", "_given", "_name", "key", "table")

    table: Table
    key: bytes

    def __init__(self, request: dict[str, Any]) -> None:
        check_parameters("Get", request)
        self._given = check_item(request["Key"])
        self._expressions = read("Get", request)
        self._name = request["TableName"]

    def locate(self, catalog: Catalog) -> None:
        """Find the table and the key."""
        self.table = catalog.table(self._name)
        self.key = self.table.keys.encode_key(self._given)
        self.table.check_scalars(self._expressions.entered_by_projection)

    def shown(self, row: Row) -> dict[str, Any]:
        """What the answer shows of the item: nothing where a projection finds nothing in it."""
        projection = self._expressions.projection
        if projection is None:
            return {"Item": msgspec.Raw(row[1])}
        item = projection(decode_item(row[1]))
        return {"Item": item} if item else {}


def _asked(part: dict[str, Any]) -> actions.Asked[Any]:
    names = [name for name in _ACTIONS if part.get(name) is not None]
    if not names:
        raise invalid("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
    if len(names) > 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    (name,) = names
    return _ACTIONS[name](part[name]["TableName"], part[name], name)


def _sent(part: dict[str, Any]) -> int:
    """The bytes that an action sends: its item or key, its expressions, and their names and values."""
    (action,) = part.values()
    total = item_size(action["Item"] if "Item" in action else action["Key"])
    total += sum(text_size(action[name]) for name in ("UpdateExpression", "ConditionExpression") if name in action)
    total += sum(map(text_size, action.get("ExpressionAttributeNames", {}).values()))
    return total + sum(map(value_size, action.get("ExpressionAttributeValues", {}).values()))


def _too_large() -> Fault:
    return invalid("Collection size limit exceeded for a transaction")


def run_all(catalog: Catalog, located: Sequence[Action]) -> list[Charge]:
    """Do all actions."""
    steps = [partial(carry_out, action=action, transacted=True) for action in located]
    return [outcome.charge for outcome in all_or_none(catalog, steps)]


def take_all(catalog: Catalog, placed: Sequence[Placed], charges: Sequence[Charge]) -> None:
    """Take what the reads of a transaction took. Raises Fault."""
    if catalog.meter is not None:
        pairs = zip(placed, charges, strict=True)
        steps = [partial(throughput.read, table=each.table, charge=charge, transacted=True) for each, charge in pairs]
        all_or_none(catalog, steps)


def all_or_none(catalog: Catalog, steps: Iterable[Callable[[Catalog], T]]) -> list[T]:
    """Take a step of all actions; where any fails, raise a Fault with the reason of each.

    That a table does not exist, or that the value of a key is empty, is no reason but an answer of its own.
    """
    results: list[T] = []
    reasons: list[dict[str, Any]] = []
    for step in steps:
        try:
            results.append(step(catalog))
        except Fault as fault:
            if fault.code not in _REASONS or fault.kind is Kind.EMPTY_KEY:
                raise
            reasons.append({"Code": _REASONS[fault.code], "Message": fault.message, **fault.item})
        else:
            reasons.append({"Code": "None"})
    if len(results) < len(reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise Fault(
            "TransactionCanceledException",
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            CancellationReasons=reasons,
        )
    return results


def check_once(located: Sequence[Placed]) -> None:
    """Refuse two actions on one item."""
    if len({(action.table.id, action.key) for action in located}) < len(located):
        raise invalid("Transaction request cannot include multiple operations on one item")


def reading_charge(row: Row | None) -> Charge:
    """What reading a row consistently takes."""
    return Charge(read_units(row[0] if row else 0, {"ConsistentRead": True}))


def add_charge(charges: dict[int, tuple[Table, Charge]], table: Table, charge: Charge) -> None:
    """Add what an action took to what its table took."""
    charges.setdefault(table.id, (table, Charge()))[1].add(charge)


def repeats(catalog: Catalog, request: dict[str, Any], member: str) -> bool:
    """Whether the actions of this member were done before under the request's client token; notes it if not."""
    token = request.get("ClientRequestToken")
    if token is None:
        return False
    now = catalog.now()
    content = msgspec.json.encode(request[member], order="deterministic")
    digest = hashlib.sha256(content).digest()
    catalog.execute("DELETE FROM tokens WHERE expires <= ?", (now,))
    row = catalog.execute("SELECT digest FROM tokens WHERE token = ?", (token,)).fetchone()
    if row is None:
        catalog.execute("INSERT INTO tokens VALUES (?, ?, ?)", (token, digest, now + _TOKEN_SECONDS))
        return False
    if row[0] != digest:
        raise Fault(
            "IdempotentParameterMismatchException",
            "ClientRequestToken was used with a different set of parameters within the last 10 minutes",
        )
    return True
