"""What callers ask for in a transaction, kept until its block ends; then each becomes a part of the request.

An instance is stored as it is at the end of the block. A put is made as soon as it is asked for as well, so that a
wrong value is refused there; where the instance has not changed since, which is mostly so, that is sent.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from operator import is_
from typing import Any, Self

from msgspec import Struct

from dynamix.codec.state import STATE, State
from dynamix.errors import StoredValueError
from dynamix.fields.base import Field
from dynamix.operations.parts import Part, Put
from dynamix.operations.unwritable import no_text
from dynamix.schema.key import address
from dynamix.schema.table import Table
from dynamix.updates.image import Image, image_of
from dynamix.wire import Item


def place(table: Table[Any], key: Item) -> bytes:
    """What tells an item from all others. Raises FieldValidationException for a key that is no Unicode."""
    try:
        return table.name.encode() + address([key[field.name] for field in table.schema.table.keys])
    except UnicodeEncodeError as error:
        raise no_text(table.schema, error, key) from error


class Asked(Struct, eq=False, dict=True):
    """What a caller asked for: by which method, of which item, and how that becomes a part of the request, None where
    nothing need be sent. `instance` is the one that is stored or deleted. `key` is None where the model's own
    `before_save` may set it."""

    action: str
    table: Table[Any]
    key: Item | None
    make: Callable[[datetime], Part | None]
    instance: Any = None
    _ahead: "_Ahead | None" = None

    @cached_property
    def place(self) -> bytes:
        """What tells the item with its key from all others. Raises FieldValidationException for one that is no
        Unicode."""
        assert self.key is not None  # noqa: S101 - who asks for it has looked
        return place(self.table, self.key)

    def place_of(self, part: Part) -> bytes:
        """The same of the item with the key that its part has."""
        return self.place if part.key == self.key else place(part.table, part.key)

    def prepare(self) -> None:
        """Call the model's own `before_save` or `before_delete`, where an instance is stored or deleted."""
        schema = self.table.schema
        hook = schema.hooks.before_delete if self.action == "delete" else schema.hooks.before_save
        if hook is not None and self.instance is not None:
            hook(self.instance)

    def make_ahead(self, now: datetime) -> None:
        """Make the part as of now. Raises ValidationException or StoredValueError."""
        part = self.made(now)
        self._ahead = _Ahead.of(part) if isinstance(part, Put) else None

    def made(self, now: datetime) -> Part | None:
        """The part, at the time of the transaction. Raises ValidationException or StoredValueError."""
        if self._ahead is not None and self._ahead.stands():
            return self._ahead.put
        try:
            return self.make(now)
        except StoredValueError as error:
            error.table = self.table.name
            raise


class _Ahead(Struct, frozen=True):
    """A put that is made already, and what its instance was then: its `__dict__`, and the images of what can be edited
    in place."""

    put: Put
    values: dict[str, Any]
    images: list[Image | None]

    @classmethod
    def of(cls, put: Put) -> Self | None:
        """What is known of a put; None where no later look at the instance would tell whether it stands."""
        state: State = put.values[STATE]
        if put.times or state.stored is not None or state.given is not None or state.pending is not None:
            return None
        images = _images(put.values, put.table.schema.editable)
        return None if None in images else cls(put, dict(put.values), images)

    def stands(self) -> bool:
        """Whether the instance is what it was, nothing is queued on it, and it was not stored meanwhile."""
        now, then = self.put.values, self.values
        state: State = then[STATE]
        return (
            state.stored is None
            and (state.pending is None or not (state.pending or state.pending.conditions))
            and len(now) == len(then)
            and all(map(is_, map(now.get, then), then.values()))
            and _images(now, self.put.table.schema.editable) == self.images
        )


def _images(values: dict[str, Any], fields: Iterable[Field[Any, Any]]) -> list[Image | None]:
    """The images of those values that are there."""
    return [image_of(value) for field in fields if (value := values.get(field.attribute)) is not None]
