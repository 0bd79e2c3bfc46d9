"""What a write through an instance requires of the stored version, and what it makes of it.

    update       the stored version is the one that was loaded, and is raised by one     `raised`
    delete       the same, or there is no item                                           `unchanged_or_gone`
    whole item   nothing here: a new item starts at a version of its own                 `started`

Where no version is stored, or a NULL, the one that was loaded is "none". An instance that was made of a key alone has
loaded nothing: it is not checked, and its update raises whatever is stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dynamix.codec.state import State, state_of
from dynamix.errors import InvalidUpdateError
from dynamix.expressions.nodes import Condition, Or
from dynamix.fields.version import VersionField
from dynamix.updates.draft import Draft
from dynamix.updates.number import NumberDraft
from dynamix.updates.unchanged import as_loaded
from dynamix.wire import Item

Guards = Sequence[tuple[Condition, str]]
"""Conditions of an update, each with the field that it looks at, as in a Plan."""


def raised(
    version: VersionField, values: dict[str, Any], edits: Mapping[str, Draft] | None = None, guards: Guards = ()
) -> tuple[dict[str, Draft], Guards]:
    """The edits and guards of an update of the instance with this `__dict__`, with the version's among them.

    Raises InvalidUpdateError where the instance was loaded without its version.
    """
    guard = unchanged(version, values)
    if guard is None:
        return {**(edits or {}), version.attribute: raise_of(version)}, guards
    draft = Draft(version)
    draft.assign(version.after(values.get(version.attribute)))
    return {**(edits or {}), version.attribute: draft}, ((guard, str(version)), *guards)


def raise_of(version: VersionField) -> NumberDraft:
    """The change that raises whatever version is stored, where none was loaded."""
    draft = NumberDraft(version, version.first())
    draft.add(1)
    return draft


def unchanged(version: VersionField, values: dict[str, Any]) -> Condition | None:
    """The condition that the stored version is the one that was loaded; None where nothing was.

    Raises InvalidUpdateError where the instance was loaded without its version.
    """
    state: State = state_of(values)
    if state.stored is None:
        return None
    if state.held is not None and version.attribute not in state.held:
        raise InvalidUpdateError(
            f"this instance was loaded without {version}, by which its writes are checked; refresh() it first, or "
            "change the item by an instance made of its key alone, which is not checked"
        )
    return as_loaded(values, version)


def unchanged_or_gone(version: VersionField, values: dict[str, Any], absent: Condition) -> Condition | None:
    """The same, or that there is no item. So a delete that is repeated after a lost answer finds what it wanted."""
    guard = unchanged(version, values)
    return None if guard is None else Or((absent, guard))


def started(version: VersionField, values: dict[str, Any], item: Item) -> int:
    """The version of an item that is stored whole, which is put into it.

    Raises InvalidUpdateError where the caller gave one.
    """
    given = values.get(version.attribute)
    if given is not None and state_of(values).stored is None:
        raise InvalidUpdateError(
            f"{version}={given!r} was given, but an item that is stored whole starts at a version of its own; leave it "
            "out; to write only at a certain version, get the item and save(condition=...) it"
        )
    first = version.first()
    item[version.name] = version.encode(first)
    return first
