"""INSERT, UPDATE, DELETE and EXISTS: statements into the actions that requests have too."""

from typing import Any

import msgspec

from dynamix.engine.actions.action import Action, Guard, Outcome
from dynamix.engine.actions.check import Check
from dynamix.engine.actions.delete import Delete
from dynamix.engine.actions.put import Put
from dynamix.engine.actions.update import Update
from dynamix.engine.data.values import measured_item
from dynamix.engine.evaluate.conditions import compile_condition
from dynamix.engine.evaluate.updates import BoundUpdate, CompiledUpdate
from dynamix.engine.faults import Fault, invalid
from dynamix.engine.partiql import statements
from dynamix.engine.partiql.keys import attributes, check_types, single
from dynamix.engine.partiql.parse import refuse_overlaps
from dynamix.engine.tables.catalog import Catalog
from dynamix.engine.tables.table import Table
from dynamix.expressions import nodes
from dynamix.limits import ITEM_BYTES
from dynamix.wire import Item

_NO_CHECK = "EXISTS() must contain a single item read with additional condition"

Writing = statements.Insert | statements.Update | statements.Delete | statements.Exists


class Located(msgspec.Struct, frozen=True):
    """A statement that writes, on its table. As an action it fails with the words that statements have."""

    action: Action
    returning: statements.Returning = "NONE"
    inserts: bool = False

    @property
    def table(self) -> Table:
        return self.action.table

    @property
    def key(self) -> bytes:
        return self.action.key

    @property
    def given(self) -> Item:
        return self.action.given

    def run(self, catalog: Catalog) -> Outcome:
        """Do it. Raises Fault where its condition does not hold."""
        try:
            return self.action.run(catalog)
        except Fault as fault:
            if self.inserts and fault.code == "ConditionalCheckFailedException":
                raise Fault(
                    "DuplicateItemException", "Duplicate primary key exists in table", **fault.members
                ) from fault
            raise

    def returned(self, outcome: Outcome) -> msgspec.Raw | Item | None:
        """The attributes that RETURNING asks for, None where there are none."""
        match self.returning:
            case "ALL_OLD":
                return msgspec.Raw(outcome.old[1]) if outcome.old else None
            case "ALL_NEW":
                return msgspec.Raw(outcome.new[1]) if outcome.new else None
            case "UPDATED_OLD" | "UPDATED_NEW" as mode if isinstance(self.action, Update):
                update, before, after = self.action.update, outcome.before, outcome.after
                if update is not None and before is not None and after is not None:
                    return update.returned(before, after, mode) or None
        return None


def locate(catalog: Catalog, statement: Writing, request: dict[str, Any]) -> Located:
    """The action of a statement. Raises Fault where table, key and condition do not go together."""
    shows = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    match statement:
        case statements.Insert(table_name, item):
            return _insert(catalog.table(table_name), item, shows)
        case statements.Update() as update:
            return _update(catalog.table(update.table), update, shows)
        case statements.Delete(table_name, where, returning):
            table = catalog.table(table_name)
            key, rest = single(where, table.keys)
            table.check_scalars(_entered(rest))
            guard = None if rest is None else _guard(rest, shows)
            return Located(Delete(table, table.keys.encode_key(key), key, guard), returning)
        case statements.Exists(select):
            return _exists(catalog.table(select.table), select, shows)


def _insert(table: Table, item: Item, shows: bool) -> Located:
    for name, _ in table.keys.attributes:
        if name not in item:
            raise invalid(f"Key attribute should be present in the item: Key {name}")
    check_types(item, table.keys)
    checked, size = measured_item(item)
    if size > ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    key = table.keys.encode_item(checked)
    return Located(Put(table, key, checked, size, Guard(lambda found: not found, shows)), inserts=True)


def _update(table: Table, update: statements.Update, shows: bool) -> Located:
    key, rest = single(update.where, table.keys)
    refuse_overlaps([path for path, _ in (*update.set, *update.add, *update.delete)] + list(update.remove))
    table.check_scalars(_entered(rest) | _looked_into(update))
    change = BoundUpdate(CompiledUpdate(nodes.Update(update.set, update.remove, update.add, update.delete)), {})
    guard = _guard_of_item(rest, shows)
    return Located(Update(table, table.keys.encode_key(key), key, change, guard), update.returning)


def _exists(table: Table, select: statements.Select, shows: bool) -> Located:
    if select.index is not None:
        raise invalid("Operations on indices are not supported in transactions")
    try:
        key, rest = single(select.where, table.keys)
    except Fault as fault:
        raise invalid(_NO_CHECK) from fault
    if rest is None:
        raise invalid(_NO_CHECK)
    table.check_scalars(_entered(rest))
    return Located(Check(table, table.keys.encode_key(key), key, _guard_of_item(rest, shows)))


def _guard(condition: nodes.Condition, shows: bool) -> Guard:
    return Guard(compile_condition(condition)({}), shows)


def _guard_of_item(condition: nodes.Condition | None, shows: bool) -> Guard:
    """What holds for an item that exists, and meets the condition."""
    test = None if condition is None else compile_condition(condition)({})
    return Guard(lambda item: bool(item) and (test is None or test(item)), shows)


def _looked_into(update: statements.Update) -> frozenset[str]:
    paths = [path for path, _ in (*update.set, *update.add, *update.delete)] + list(update.remove)
    return frozenset(str(path.parts[0]) for path in paths if len(path.parts) > 1)


def _entered(condition: nodes.Condition | None) -> frozenset[str]:
    return frozenset() if condition is None else attributes(condition, entered=True)
