"""One field, as the codec sees it, and what an instance keeps of its stored form."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from dynamix.codec.forms import Form
from dynamix.codec.state import Stored, as_wire
from dynamix.wire import AttributeValue, Item


class Slot(NamedTuple):
    """One field, as the codec sees it.

    `respelled` is how the field itself would store what a stored form reads as. `sure` is the range of lengths in which
    a str needs no further check (keys), `constrained` whether every value must go through `encode`. `absent` makes the
    value to show where the stored item has none; `required` fields then show nothing. With `null`, None is stored as
    NULL. With `unsure`, what an item lacks may be stored all the same, so nothing is shown for it. `eager` reads the
    JSON of a lazy form when the item is loaded all the same. `respells` says that values may have parts which were
    stored otherwise than `encode` stores them, or are none that the field knows; `as_read` is then `respelled` element
    by element, where that is something else.
    """

    attribute: str
    name: str
    form: Form
    encode: Callable[[Any], AttributeValue]
    decode: Callable[[AttributeValue], Any]
    respelled: Callable[[Any, Any], AttributeValue | None]
    constrained: bool = False
    sure: tuple[int, int] | None = None
    absent: Callable[[], Any] | None = None
    required: bool = False
    key: bool = False
    unsure: bool = False
    null: bool = False
    eager: Callable[[Raw], Any] | None = None
    respells: bool = False
    as_read: Callable[[Any], AttributeValue | None] | None = None

    @property
    def waits(self) -> bool:
        """Whether its value is read when somebody asks for it."""
        return self.form.lazy and self.eager is None

    def value(self, form: Any) -> Any:
        """The value of a stored form; None for none, and for a stored NULL."""
        wire = as_wire(form)
        return None if wire is None else self.decode(wire)


def forms_kept(slots: Iterable[Slot], item: Item) -> Stored:
    """What is kept of an item: see `State`. Forms that nobody can edit are kept as they are, but for lazy ones."""
    stored: Stored = {}
    for slot in slots:
        form, wire = slot.form, item.get(slot.name)
        if form.exact:
            if wire is not None and "NULL" in wire:
                stored[slot.attribute] = wire
        elif wire is not None:
            stored[slot.attribute] = wire if form.frozen and not form.lazy else as_json(wire)
        elif not slot.unsure:
            stored[slot.attribute] = Raw() if form.lazy else None
    return stored


def as_json(wire: AttributeValue | None) -> Raw | None:
    """A form as JSON, which nobody can edit."""
    return None if wire is None else Raw(msgspec.json.encode(wire))
