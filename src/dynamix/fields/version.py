"""Versions of items."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, Unpack

from dynamix.errors import unknown
from dynamix.fields.integer import IntegerField


class Stored(TypedDict, total=False):
    """The options of a version: its stored name, the local index on it with its name, and what people should know."""

    name: str
    description: str
    indexed: bool
    projections: Sequence[str] | Literal["ALL", "KEYS_ONLY"]
    index_name: str


class VersionField(IntegerField[int | None]):
    """The version of an item: an int that every write raises, and by which a write notices that others were first.

    A write through an instance is made on the condition that the stored version is the one that was loaded; otherwise
    it raises VersionConflict. An item's first version is a random number below 2**52, so that who holds an item that
    was deleted and made anew is refused. None until an item is stored. No program sets it by hand.
    """

    def __init__(self, **options: Unpack[Stored]) -> None:
        for option in options:
            if option not in Stored.__annotations__:
                raise unknown(option, f"{type(self).__name__} has no option", Stored.__annotations__)
        given: dict[str, Any] = dict(options)
        super().__init__(**given)

    @staticmethod
    def first() -> int:
        """The version of a new item: random, by the operating system, so that equal seeds do not make equal ones."""
        return 1 + (int.from_bytes(os.urandom(7), "big") >> 4)

    def after(self, version: int | None) -> int:
        """The version that a write makes of the one that was loaded."""
        return self.first() if version is None else version + 1
