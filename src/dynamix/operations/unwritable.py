"""Text that is no Unicode and cannot be written as JSON: which field it was given for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from dynamix.codec.state import STATE, State
from dynamix.errors import FieldValidationException
from dynamix.expressions.nodes import Condition
from dynamix.expressions.render import Placeholders, render_condition
from dynamix.expressions.walk import paths, simple
from dynamix.fields.refusals import NO_TEXT, shown
from dynamix.interrupts import let_pass
from dynamix.schema.index import AnyField
from dynamix.schema.table import Schema
from dynamix.selection import Search


def no_text(schema: Schema[Any], error: UnicodeEncodeError, *given: object) -> Exception:
    """The error for a text that cannot be written as JSON. `given` is what a request was to be made of."""
    field = _holder(schema, given)
    if field is not None:
        return field.refusal(error.object, NO_TEXT)
    return FieldValidationException(
        f"a {schema.model_name} cannot hold {shown(error.object)}: {NO_TEXT}", field="", value=error.object
    )


def is_own(error: UnicodeEncodeError) -> bool:
    """Whether it was raised where a request is written, and not in a method of the user's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "dynamix"


def _holder(schema: Schema[Any], given: object) -> AnyField | None:
    """The field for which such a text was given: in an instance, an item, a key, a condition, or several of them."""
    if isinstance(given, schema.model):
        return _holder_in_values(schema, vars(given))
    if isinstance(given, Search):
        return _holder(schema, given.conditions)
    if isinstance(given, Condition):
        return _holder_in_condition(given)
    if isinstance(given, Mapping):
        return next((f for f in schema.fields.values() if f.name in given and _unwritable(given[f.name])), None)
    if isinstance(given, list | tuple):
        return next(filter(None, (_holder(schema, part) for part in given)), None)
    return None


def _holder_in_values(schema: Schema[Any], values: dict[str, Any]) -> AnyField | None:
    for attribute, field in schema.fields.items():
        try:
            if values.get(attribute) is not None and _unwritable(field.to_wire(values[attribute])):
                return field
        except Exception as error:  # conversions of the user's own may raise whatever
            let_pass(error)
    state: State | None = values.get(STATE)
    return None if state is None or state.pending is None else _holder(schema, state.pending.conditions)


def _holder_in_condition(condition: Condition) -> AnyField | None:
    for part in simple(condition):
        placeholders = Placeholders()
        render_condition(part, placeholders)
        if _unwritable((placeholders.names, placeholders.values)):
            return next((path.source for path in paths(part)), None)
    return None


def _unwritable(form: object) -> bool:
    try:
        msgspec.json.encode(form)
    except UnicodeEncodeError:
        return True
    return False
