"""What is known of one field that has changes."""

from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct

from dynamix.codec.state import LACKING, State, as_wire, state_of
from dynamix.fields.base import Field
from dynamix.updates.draft import Draft
from dynamix.updates.image import Image, image_of
from dynamix.updates.plan import MISSING, NULL, UNKNOWN, Picture
from dynamix.updates.set import SetDraft

Fields = Mapping[str, Field[Any, Any]]


class Entry(Struct, frozen=True):
    """The changes of one field. `before` is what the instance showed, `shown` is None where the value is not loaded.

    `image` is that of what is stored and was loaded, None where it is not known.
    """

    draft: Draft
    shown: Draft | None
    before: object
    picture: Picture
    image: Image | None = None

    def show(self, values: dict[str, Any]) -> None:
        """Put what the instance shows of the field among values by attribute."""
        draft = self.draft if self.shown is None else self.shown
        if self.shown is not None or draft.assigned:
            values[draft.field.attribute] = draft.value

    @classmethod
    def of(cls, values: dict[str, Any], field: Field[Any, Any]) -> Self:
        """No changes yet of a field of the instance with this `__dict__`."""
        before, state = field.value_in(values), state_of(values)
        attribute, stored, defaults = field.attribute, state.stored, state.defaults or {}
        kind, base = field.draft, None
        if attribute in defaults or stored is None:
            base = defaults.get(attribute)
        elif field.default is not None and kind is not Draft:
            base = field.when_absent()
        draft = kind(field, base)
        if before is LACKING:
            return cls(draft, None, before, UNKNOWN)
        shown = kind(field)
        shown.assign(before)
        form = None if stored is None else stored.get(attribute)
        if before is None or stored is None or (attribute in defaults and not _holds(form)):
            return cls(draft, shown, before, NULL if form else MISSING)
        image = image_of(before) if form and field.own_form.parse is not None else None
        return cls(draft, shown, before, Picture.of(before, form), image)


def _holds(form: Any) -> bool:
    """Whether a stored form is one of a value."""
    wire = as_wire(form)
    return bool(wire) and "NULL" not in wire


def keep_defaults(kept: dict[str, Any], state: State, values: dict[str, Any], fields: Fields) -> None:
    """What is still not stored shows the default that it has shown, though the next one may be another. A set's is for
    new instances, so that one is not kept."""
    for attribute, default in kept.items():
        field = fields[attribute]
        if field.default is None or field.draft is SetDraft:
            continue
        if state.defaults is not None and attribute in state.defaults:
            state.defaults[attribute] = values[attribute] = default
        elif attribute in (state.stored or {}) and not _holds((state.stored or {})[attribute]):
            state.defaults = {**(state.defaults or {}), attribute: default}
