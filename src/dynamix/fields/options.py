"""The options of fields, for type checkers: those of all, and those by which the type of a value goes."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Required, TypedDict, TypeVar

V = TypeVar("V")


class Common(TypedDict, Generic[V], total=False):
    """The options of every field, but for its default."""

    name: str
    """The stored name; without it, the attribute's own."""

    indexed: bool
    """Makes a local index on the field."""

    projections: Sequence[str] | Literal["ALL", "KEYS_ONLY"]
    """What that index holds beside the keys; without it, or with "KEYS_ONLY", nothing."""

    default_using_instance: Callable[[Any], V | None]
    """Computes a default from the new instance."""

    validator: Callable[[V], bool | None]
    """Called with each value: None and True accept it, False and a ValueError refuse it."""

    null: bool
    """Stores None as NULL instead of leaving it out."""

    unique: bool
    """Lets no two items of the table have the same value."""


class Options(Common[V], total=False):
    """The options of a field that may be missing. `default=None` says so to type checkers where a model is declared
    with annotations: the constructor can then do without the field.
    """

    default: None


class HashKey(Common[V], total=False):
    """The options of a partition key."""

    hash_key: Required[Literal[True]]
    required: bool
    default: V | Callable[[], V]


class RangeKey(Common[V], total=False):
    """The options of a sort key."""

    range_key: Required[Literal[True]]
    required: bool
    default: V | Callable[[], V]


class Present(Common[V], total=False):
    """The options of a field that must have a value."""

    required: Required[Literal[True]]
    default: V | Callable[[], V]


class Defaulted(Common[V], total=False):
    """The options of a field with a default: a value, copied per instance, or a callable without arguments."""

    default: Required[V | Callable[[], V]]
    required: bool
