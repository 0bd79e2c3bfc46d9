"""What is known of one field that has changes."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Self

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from dynamix.codec.state import LACKING, State, as_wire, state_of
from dynamix.fields.base import Field
from dynamix.updates.draft import Draft
from dynamix.updates.image import Image, image_of
from dynamix.updates.plan import MISSING, NULL, UNKNOWN, Picture
from dynamix.updates.set import SetDraft

Fields = Mapping[str, Field[Any, Any]]


class Entry(Struct, frozen=True):
    """The changes of one field. `before` is what the instance showed, `shown` is None where the value is not loaded.

    `image` is that of what is stored and was loaded, None where it is not known. Of a value that was loaded and that
    nobody has read yet, `unread` is the stored form, and `shown` is None until it is read.
    """

    draft: Draft
    shown: Draft | None
    before: object
    picture: Picture
    image: Image | None = None
    unread: Raw | None = None

    def show(self, values: dict[str, Any]) -> None:
        """Put what the instance shows of the field among values by attribute."""
        draft = self.draft if self.shown is None else self.shown
        if self.shown is not None or draft.assigned:
            values[draft.field.attribute] = draft.value

    @classmethod
    def of(cls, values: dict[str, Any], field: Field[Any, Any]) -> Self:
        """No changes yet of a field of the instance with this `__dict__`."""
        before, state = field.value_in(values), state_of(values)
        kind, stored, draft = field.draft, state.stored, _no_changes(field, state)
        if before is LACKING:
            return cls(draft, None, before, UNKNOWN)
        shown = kind(field)
        shown.assign(before)
        form = None if stored is None else stored.get(field.attribute)
        if before is None or stored is None or (field.attribute in (state.defaults or {}) and not _holds(form)):
            return cls(draft, shown, before, NULL if form else MISSING)
        return cls(draft, shown, before, Picture.of(before, form), _image(field, form, before))

    @classmethod
    def of_unread(cls, values: dict[str, Any], field: Field[Any, Any]) -> Self | None:
        """The same of a value that is left unread; None where it was read, or has to be."""
        state = state_of(values)
        form = LACKING if state.stored is None else state.stored.get(field.attribute)
        if field.attribute in values or type(form) is not Raw or (kind := _type_of(form)) not in field.draft.unseen:
            return None
        length = len(_elements(form)["L"]) if kind == "L" else None
        return cls(_no_changes(field, state), None, LACKING, Picture(True, length, form), unread=form)

    def read(self, before: Any, loaded: Any) -> Self:
        """The same once the value is read; `loaded` is the value as it was loaded, in which nothing was edited."""
        field: Any = self.draft.field
        shown = type(self.draft)(field)
        shown.assign(before)
        self.draft.replay(shown)
        image = _image(field, self.unread, loaded)
        return replace(self, shown=shown, before=before, image=image, unread=None)

    def set_whole(self) -> Self:
        """The same once a whole value takes the place of the one that nobody has read, which need not be read now."""
        shown = type(self.draft)(self.draft.field)
        return replace(self, shown=shown, unread=None)


def _no_changes(field: Field[Any, Any], state: State) -> Draft:
    """What changes of a field are folded into, with what they start from where nothing is stored."""
    kind, defaults, base = field.draft, state.defaults or {}, None
    if field.attribute in defaults or state.stored is None:
        base = defaults.get(field.attribute)
    elif field.default is not None and kind is not Draft:
        base = field.when_absent()
    return kind(field, base)


def _image(field: Field[Any, Any], form: Any, value: Any) -> Image | None:
    """The image of a value that is stored in a form, where its field reads that as plain values."""
    return image_of(value) if form and field.own_form.parse is not None else None


def _type_of(form: Raw) -> str:
    """The type of a stored form, as it is mostly spelled; else something else."""
    return bytes(memoryview(form)[2:5]).partition(b'"')[0].decode(errors="replace")


_elements = msgspec.json.Decoder(dict[str, list[Raw]]).decode


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
            state.defaults[attribute] = default
            values[attribute] = default if field.own_form.frozen else deepcopy(default)
        elif attribute in (state.stored or {}) and not _holds((state.stored or {})[attribute]):
            state.defaults = {**(state.defaults or {}), attribute: default}
