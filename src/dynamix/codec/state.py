"""What an instance knows of itself beside its values.

An instance's values live in its `__dict__`, where one private name more, `STATE`, holds this. An instance that lacks it
was made by its constructor and has no changes yet.
"""

from collections.abc import Callable
from enum import Enum
from threading import RLock
from typing import Any

import msgspec
from msgspec import Raw, Struct

from dynamix.wire import AttributeValue, Item

STATE = "_dynamix_state"
"""The name of the state in an instance's `__dict__`. Names that begin with `_dynamix` are the library's own."""


class _Lack(Enum):
    """The value of a field that was not loaded; an enum's member stays itself when it is copied or pickled."""

    LACKING = "not loaded"


LACKING = _Lack.LACKING

Stored = dict[str, Any]
"""Stored forms by attribute: JSON (msgspec.Raw), what C code parsed it into (a Struct), or an AttributeValue. Of what
the item lacks, an empty Raw or None."""

Outdated = dict[str, AttributeValue | None]
"""What is stored of the attributes of which an instance shows something else, by stored name; None for none."""

NULL: AttributeValue = {"NULL": True}
"""What other programs store where dynamix stores nothing."""

NULL_JSON = Raw(msgspec.json.encode(NULL))


class State(Struct):
    """Whether an instance is new, loaded or loaded in part; what was loaded; what is pending.

    `stored` has stored forms by attribute; it is None while the instance was never stored nor loaded. A form is kept
    wherever the value alone does not say how it is stored: where other programs may spell it otherwise, where it may be
    edited in place, and where it is NULL. By it a key addresses its item, a whole write gives back what nobody touched,
    and edits in place are noticed. `held` names the attributes that were asked for, None meaning all. `pending` are the
    changes that wait for a commit, if there are any; once made, they stay the instance's own for ever, since another
    thread may be about to queue one. `defaults` has the defaults that show, by attribute, for what is not stored as far
    as is known; they belong to the state alone, and a list or map that shows is a copy. `new` is set where only a whole
    item can be stored: the instance was made with more than a key and never stored, or it was deleted. `given` has the
    stored forms of a key that the instance was made of, where that key carried them (see `dynamix.codec.names`).
    `table` is the name of the table that the instance was loaded from. `others` are the attributes that the model does
    not declare, or the JSON of the whole item with them, which a whole write gives back; None where it has none.
    `outdated` is set where the item was stored under an older schema: a save then stores what it has become.
    """

    stored: Stored | None = None
    held: frozenset[str] | None = None
    table: str | None = None
    pending: Any = None
    defaults: dict[str, Any] | None = None
    new: bool = False
    given: Stored | None = None
    others: Item | Raw | None = None
    outdated: Outdated | None = None

    def copy(self) -> "State":
        """The same, with changes of its own, for a copy of the instance."""
        return State(
            None if self.stored is None else dict(self.stored),
            self.held,
            self.table,
            None if self.pending is None else self.pending.copy(),
            None if self.defaults is None else dict(self.defaults),
            self.new,
            self.given,
            self.others,
            self.outdated,
        )

    @property
    def forms(self) -> Stored:
        """The stored forms that are known."""
        return (self.given or {}) if self.stored is None else self.stored

    def default(self, attribute: str, make: Callable[[], Any]) -> Any:
        """The default of what is not stored, made once; threads that ask at once get the same."""
        if self.defaults is None:
            made: dict[str, Any] = {}
            with once:
                if self.defaults is None:
                    self.defaults = made
        if attribute not in self.defaults:
            self.defaults.setdefault(attribute, make())
        return self.defaults[attribute]


once = RLock()
"""Held to look whether something is made and to put it there. Nothing is called meanwhile: so no signal's handler and
no finalizer comes between, and no other thread forks."""


def state_of(values: dict[str, Any]) -> State:
    """The state in an instance's `__dict__`, made where there is none."""
    state: State | None = values.get(STATE)
    return values.setdefault(STATE, State()) if state is None else state


def stored_of(values: Any) -> Stored:
    """The stored forms that an instance's `__dict__` has; mostly none for a new one, and none for a plain dict of
    values."""
    state: State | None = values.get(STATE)
    return {} if state is None else state.forms


def as_wire(form: Any) -> Any:
    """A stored form as an AttributeValue; None for none. Raises msgspec.DecodeError for damaged JSON."""
    if isinstance(form, Raw):
        return _decode(form) if form else None
    if not isinstance(form, Struct):
        return form
    wire = msgspec.to_builtins(form)  # of bytes as base64
    return {"N": str(wire["N"])} if "N" in wire else wire


_decode = msgspec.json.Decoder().decode
