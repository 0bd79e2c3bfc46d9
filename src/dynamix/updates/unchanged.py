"""`T.version.unchanged()`: what was loaded takes its place when a change or a delete is planned."""

from __future__ import annotations

from typing import Any

from dynamix.codec.state import LACKING, STATE, State, as_wire
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import (
    And,
    AttributeNotExists,
    AttributeType,
    Compare,
    Condition,
    Not,
    Or,
    Path,
    Unchanged,
    Value,
)
from dynamix.expressions.walk import replaced
from dynamix.fields.base import Field
from dynamix.schema.table import Schema
from dynamix.updates.pending import Pending
from dynamix.wire import AttributeValue


def resolved(values: dict[str, Any], condition: Condition | None = None) -> tuple[Condition, ...]:
    """The conditions set on the instance with this `__dict__`, and one more, as the service takes them.

    Raises InvalidUpdateError where one compares with what was not loaded.
    """
    state: State | None = values.get(STATE)
    pending: Pending | None = state.pending if state is not None else None
    if pending is None and condition is None:
        return ()
    conditions = () if pending is None else pending.conditions
    if condition is not None:
        conditions = (*conditions, condition)
    if _RESOLVED.isdisjoint(map(type, conditions)):
        return conditions
    return tuple([_resolved(condition, values, pending) for condition in conditions])


def as_loaded(values: dict[str, Any], field: Field[Any, Any]) -> Condition:
    """The condition that a field is stored as it was loaded. Raises InvalidUpdateError where it was not."""
    state: State = values[STATE]
    return stored_as(field._path(), loaded(field, values, state.pending))


def parts_unchanged(values: dict[str, Any], schema: Schema[Any], pending: Pending) -> list[tuple[Condition, str]]:
    """The guards of what is computed: its other parts are stored as they were loaded, each with the field's name."""
    guards: dict[str, tuple[Condition, str]] = {}
    for field in schema.computed:
        for part in field.parts if pending.changes(field.attribute) else ():
            source = schema.fields[part]
            if not (source.hash_key or source.range_key or pending.changes(part)):
                guards[part] = (as_loaded(values, source), str(source))
    return list(guards.values())


def _resolved(condition: Condition, values: dict[str, Any], pending: Pending | None) -> Condition:
    """The same condition with what was loaded in it."""

    def with_loaded(part: Condition) -> Condition:
        if not isinstance(part, Unchanged):
            return part
        return stored_as(part.path, loaded(part.path.source, values, pending))

    return replaced(condition, with_loaded)


_RESOLVED = frozenset({And, Or, Not, Unchanged})
"""The kinds of conditions that may have what was loaded in them."""


def stored_as(path: Path, form: AttributeValue | None) -> Condition:
    """Equal to a stored form; where there is none, or a NULL, nothing is there."""
    if form is None or "NULL" in form:
        return Or((AttributeNotExists(path), AttributeType(path, Value({"S": "NULL"}))))
    return Compare("=", path, Value(form))


def loaded(field: Field[Any, Any], values: dict[str, Any], pending: Pending | None) -> AttributeValue | None:
    """The stored form that was loaded of a field, None for none. Raises InvalidUpdateError where it was not."""
    state: State | None = values.get(STATE)
    attribute = field.attribute
    if state is None or state.stored is None or (state.held is not None and attribute not in state.held):
        raise InvalidUpdateError(
            f"{field}.unchanged() compares with what was loaded, but {field} was not loaded; get the item first"
        )
    if state.outdated is not None and field.name in state.outdated:
        return state.outdated[field.name]
    if attribute in state.stored:
        wire: AttributeValue | None = as_wire(state.stored[attribute])
        return wire
    if attribute in (state.defaults or {}):
        return None
    before = values.get(attribute, LACKING) if pending is None else pending.before(values, attribute)
    return None if before is None or before is LACKING else field.to_wire(before)
