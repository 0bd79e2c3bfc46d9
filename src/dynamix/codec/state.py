"""What an instance knows of itself beside its values.

An instance's values live in its `__dict__`, where one private name more, `STATE`, holds this. An instance that lacks it
was made by its constructor and has no changes yet.
"""

from typing import Any

from msgspec import Struct

STATE = "_dynamix_state"
"""The name of the state in an instance's `__dict__`. Names that begin with `_dynamix` are the library's own."""

Stored = dict[str, Any]
"""Stored forms by attribute: JSON (msgspec.Raw), or an AttributeValue."""


class State(Struct):
    """Whether an instance is new, loaded or loaded in part; what was loaded; what is pending.

    `stored` has stored forms by attribute; it is None while the instance was never stored nor loaded. Of lists, maps
    and sets it has the JSON, empty for what the item lacks: they are read from it, and compared with it to tell whether
    they were edited in place. Of keys that other programs may spell otherwise it has the form itself, by which alone
    the item is found. `held` names the attributes that were asked for, None meaning all. `pending` are the changes that
    wait for a commit, if there are any.
    """

    stored: Stored | None = None
    held: frozenset[str] | None = None
    pending: Any = None

    def copy(self) -> "State":
        """The same, with changes of its own, for a copy of the instance."""
        stored = None if self.stored is None else dict(self.stored)
        return State(stored, self.held, None if self.pending is None else self.pending.copy())


def state_of(values: dict[str, Any]) -> State:
    """The state in an instance's `__dict__`, made where there is none."""
    state: State | None = values.get(STATE)
    return values.setdefault(STATE, State()) if state is None else state


def stored_of(values: Any) -> Stored:
    """The stored forms that an instance's `__dict__` has; empty for a new one, and for a plain dict of values."""
    state: State | None = values.get(STATE)
    return {} if state is None or state.stored is None else state.stored
