"""What a change of an instance means for the fields that are computed from what is changed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dynamix.codec.state import LACKING, state_of
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Value
from dynamix.fields.computed import ComputedField
from dynamix.late import later
from dynamix.schema.index import AnyField
from dynamix.schema.table import Schema
from dynamix.updates.actions import Action, Remove, Set
from dynamix.updates.draft import Draft

if TYPE_CHECKING:
    from dynamix.updates import pending
else:
    later(
        globals(),
        pending="dynamix.updates.pending",
    )

Renewed = list[tuple[ComputedField[Any, Any], Any]]


def renewed(schema: Schema[Any], values: dict[str, Any], changes: Mapping[str, Any]) -> Renewed:
    """What is to be set of each field that is computed from one of `changes`, new values by attribute.

    Raises InvalidUpdateError where another part is not known, or where the field is part of the key of a stored item,
    and FieldValidationException where nothing can be computed.
    """
    made: Renewed = []
    if schema.part_names.isdisjoint(changes):
        return made
    new = state_of(values).new
    for field in schema.computed:
        if not changes.keys() & set(field.parts):
            continue
        if (field.hash_key or field.range_key) and not new:
            raise InvalidUpdateError(
                f"{', '.join(field.parts)} make {field}, which is part of the key, and no update can change a key; "
                "create an item with the new key and delete this one"
            )
        parts = {part: _known(schema, values, field, part) for part in field.parts if part not in changes}
        value = field.computed(schema.fields, {**parts, **changes})
        if value is None and field.required and not new:
            field.encode(None)
        elif value is not None:
            schema.encoder(field)(value)
        made.append((field, value))
    return made


def apply(values: dict[str, Any], made: Renewed) -> None:
    """Queue what was computed, and show it."""
    for field, value in made:
        if field.hash_key or field.range_key:
            values[field.attribute] = value
        else:
            pending.pending_of(values).change(values, field, Draft, _assigning(value))


def _assigning(value: Any) -> Any:
    return lambda draft: draft.assign(value)


def given_by(schema: Schema[Any], actions: Sequence[Action]) -> dict[str, Any]:
    """The new values of parts that actions set, by attribute. Raises InvalidUpdateError for other changes of them."""
    given: dict[str, Any] = {}
    for action in actions:
        field = action.path.source
        if isinstance(field, ComputedField):
            raise field.unsettable()
        if field.attribute not in schema.part_names:
            continue
        match action:
            case Set(operand=Value(form)) if not action.inside:
                given[field.attribute] = field.decode(form)
            case Remove() if not action.inside:
                given[field.attribute] = None
            case _:
                raise refused(schema, field)
    return given


def refused(schema: Schema[Any], field: AnyField) -> InvalidUpdateError:
    """The error for a change of a part whose result is not known before it is made."""
    computed = ", ".join(str(each) for each in schema.computed if field.attribute in each.parts)
    return InvalidUpdateError(f"{computed} is computed from {field}, of which the new value has to be known; set it")


def _known(schema: Schema[Any], values: dict[str, Any], field: ComputedField[Any, Any], part: str) -> Any:
    """The value of a part that is not changed. Raises InvalidUpdateError where it is not known."""
    source, state = schema.fields[part], state_of(values)
    value = source.value_in(values)
    unread = state.stored is None and not state.new and not (source.hash_key or source.range_key)
    if value is LACKING or (unread and not pending.pending_of(values).changes(part)):
        raise InvalidUpdateError(
            f"{field} is computed from {', '.join(field.parts)}, of which {part} was not loaded; load the item "
            "whole, or set all of them"
        )
    return value
