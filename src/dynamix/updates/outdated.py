"""What stores an instance whose item was stored under an older schema as what it has become.

Every attribute that is another one now is set or removed, on the guard that what it was made from is still stored. What
was changed since it was loaded goes as the value that the instance shows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dynamix.codec.state import LACKING, State, as_wire, state_of
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition, Path
from dynamix.schema.table import Schema
from dynamix.updates.draft import Changed, Draft
from dynamix.updates.pending import Pending
from dynamix.updates.unchanged import stored_as
from dynamix.wire import AttributeValue


class Moved(Draft):
    """A stored form that an attribute has now, None for none."""

    def __init__(self, field: Changed, form: AttributeValue | None) -> None:
        super().__init__(field)
        self.assigned = True
        self.moved = form

    def form(self) -> AttributeValue | None:
        return self.moved


class _Attribute:
    """An attribute that is no field's."""

    was = None

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return repr(self.name)

    def _path(self) -> Path:
        return Path((self.name,))


def brought_up(
    values: dict[str, Any],
    schema: Schema[Any],
    edits: Mapping[str, Draft] | None,
    guards: Sequence[tuple[Condition, str]],
) -> tuple[Mapping[str, Draft] | None, Sequence[tuple[Condition, str]]]:
    """The edits and guards of an update of the instance with this `__dict__`, with what its item lacks among them.

    Raises InvalidUpdateError where a new value is not known.
    """
    state = state_of(values)
    if not state.outdated:
        return edits, guards
    others = {**(as_wire(state.others) or {}), **schema.codec.mark}
    made, more = dict(edits or {}), list(guards)
    fields = {field.name: field for field in schema.fields.values()}
    pending: Pending | None = state.pending
    for name, form in state.outdated.items():
        field: Any = fields.get(name)
        shown = str(field or repr(name))
        more.append((stored_as(Path((name,)), form), shown))
        if field is None:
            made[f"-{name}"] = Moved(_Attribute(name), others.get(name))  # type: ignore[arg-type]
        elif field.attribute in made or (pending is not None and pending.changes(field.attribute)):
            made[field.attribute] = Draft(field)
            made[field.attribute].assign(_value_now(values, field))
        elif name in others:  # it was not asked for, and its upgrade sets it all the same
            made[field.attribute] = Moved(field, others[name])
        else:
            made[field.attribute] = Moved(field, _form_now(schema, values, state, field))
    return made, more


def _value_now(values: dict[str, Any], field: Any) -> Any:
    """The value that an instance shows of a field that was changed."""
    value = field.value_in(values)
    if value is LACKING:
        raise InvalidUpdateError(
            f"{field} is stored as an older schema has it and was not loaded, so that its new value is not known; "
            "get the item whole before it is changed, or set the whole value"
        )
    return value


def _form_now(schema: Schema[Any], values: dict[str, Any], state: State, field: Any) -> AttributeValue | None:
    """The form of a value that was not changed since its item was brought up, None for none."""
    if field.attribute in (state.stored or {}):
        form: AttributeValue | None = as_wire((state.stored or {})[field.attribute])
        return form
    value = values.get(field.attribute)
    if value is None or field.attribute in (state.defaults or {}):
        return None
    return schema.encoder(field)(value)
