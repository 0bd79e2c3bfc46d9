"""What is secret, held so that nobody prints it by accident.

Tools that print the variables beside a traceback, or send them to a service (rich, Sentry), ask for a repr, or look
into the types that they know. Of what is held here neither shows anything.
"""

import os
from typing import Any, Protocol

import msgspec


class Hidden(msgspec.Struct, frozen=True, gc=False):
    """Holds a secret. Classes of things that have secret members derive from it."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and its like ask for; msgspec's own would tell them all."""
        return []


class Secret(Hidden, frozen=True, gc=False):
    """One secret value."""

    value: Any


class Variables(Protocol):
    """Variables of the environment, or a dict in their place."""

    def get(self, name: str, /) -> str | None: ...


class Environment:
    """The variables of the environment, in which keys and passwords may stand."""

    __slots__ = ("get",)

    def __init__(self) -> None:
        self.get = os.environ.get
