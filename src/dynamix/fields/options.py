"""The options of fields, for type checkers: those of all, and those by which the type of a value goes."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, Literal, Required, TypedDict, TypeVar

V = TypeVar("V")


class Shared(TypedDict, Generic[V], total=False):
    """The options of every field, but for its default and what computes one."""

    name: str
    """The stored name; without it, the attribute's own."""

    was: str
    """The stored name that it had before, under which it is read where the new one is missing."""

    indexed: bool
    """Makes a local index on the field."""

    projections: Sequence[str] | Literal["ALL", "KEYS_ONLY"]
    """What that index holds beside the keys; without it, or with "KEYS_ONLY", nothing."""

    index_name: str
    """What that index is called; without it, by the names of table and field."""

    validator: Callable[[V], bool | None]
    """Called with each value: None and True accept it, False and a ValueError refuse it."""

    choices: Collection[V]
    """The values that are accepted, no others."""

    transform: Callable[[Any], Any] | Sequence[Callable[[Any], Any]]
    """A function, or several, by which each value goes first, also one that is compared with (`str.strip`)."""

    null: bool
    """Stores None as NULL instead of leaving it out."""

    unsorted: bool
    """Allows a sort key whose stored forms do not sort as its values do."""

    hidden: bool
    """Keeps values out of `repr` and `to_son`."""

    read_only: bool
    """Lets a value be given when the item is made, and refuses to change it."""

    unique: bool
    """Lets no two items of the table have the same value."""

    description: str
    """What people should know of the field; a JSON schema has it."""


class Common(Shared[V], total=False):
    """The options of every field, but for its default."""

    default_using_instance: Callable[[Any], V | None]
    """Computes a default from the new instance."""


class Options(Shared[V], total=False):
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


class Derived(Shared[V], total=False):
    """The options of a field with a default that is computed from the new instance."""

    default_using_instance: Required[Callable[[Any], V]]
    """Computes a default from the new instance."""

    default: None
    required: bool


class Bounds(TypedDict, Generic[V], total=False):
    """The least and the greatest value, both allowed themselves."""

    minimum: V | None
    """The least value, itself allowed."""

    maximum: V | None
    """The greatest value, itself allowed."""


class BoundedHashKey(HashKey[V], Bounds[V], total=False):
    """The options of a partition key whose values have bounds."""


class BoundedRangeKey(RangeKey[V], Bounds[V], total=False):
    """The options of a sort key whose values have bounds."""


class BoundedPresent(Present[V], Bounds[V], total=False):
    """The options of a field that must have a value, within bounds."""


class BoundedDefaulted(Defaulted[V], Bounds[V], total=False):
    """The options of a field with a default, whose values have bounds."""


class BoundedDerived(Derived[V], Bounds[V], total=False):
    """The options of a field whose default is computed, and whose values have bounds."""


class BoundedOptions(Options[V], Bounds[V], total=False):
    """The options of a field that may be without a value, and whose values have bounds."""


class Lengths(TypedDict, total=False):
    """The least and the greatest length, both allowed themselves."""

    min_length: int
    """The least length, itself allowed."""

    max_length: int | None
    """The greatest length, itself allowed."""


class SizedHashKey(HashKey[V], Lengths, total=False):
    """The options of a partition key whose values have a length."""


class SizedRangeKey(RangeKey[V], Lengths, total=False):
    """The options of a sort key whose values have a length."""


class SizedPresent(Present[V], Lengths, total=False):
    """The options of a field that must have a value, of some length."""


class SizedDefaulted(Defaulted[V], Lengths, total=False):
    """The options of a field with a default, whose values have a length."""


class SizedDerived(Derived[V], Lengths, total=False):
    """The options of a field whose default is computed, and whose values have a length."""


class SizedOptions(Options[V], Lengths, total=False):
    """The options of a field that may be without a value, and whose values have a length."""
