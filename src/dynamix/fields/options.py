"""The options of fields, for type checkers: those of all, and those by which the type of a value goes."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, Literal, Required, TypedDict, TypeVar

V = TypeVar("V")


class Common(TypedDict, Generic[V], total=False):
    """The options of every field, whatever it reads as.

    `name` is the stored name (default: the attribute's own). `indexed` makes a local index on the field, and
    `projections` names what that index holds beside the keys (none or "KEYS_ONLY": keys only; "ALL": everything).
    `default_using_instance` computes a default from the new instance. `validator` is called with each value; None and
    True accept it, False and a ValueError refuse it; `choices` are all that are accepted. By `transform`, a function or
    several, each value goes first, also one that is compared with (`str.strip`). With `null=True`, None is stored as
    NULL instead of being left out. `unsorted=True` allows a sort key whose stored forms do not sort as its values do.
    `hidden` keeps values out of `repr` and `to_son`; `read_only` lets them be given once, and not be changed.
    """

    name: str
    indexed: bool
    projections: Sequence[str] | Literal["ALL", "KEYS_ONLY"]
    default_using_instance: Callable[[Any], V | None]
    validator: Callable[[V], bool | None]
    choices: Collection[V]
    transform: Callable[[Any], Any] | Sequence[Callable[[Any], Any]]
    null: bool
    unsorted: bool
    hidden: bool
    read_only: bool


class Options(Common[V], total=False):
    """The options of a field that may be without a value."""

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


class Bounds(TypedDict, Generic[V], total=False):
    """The least and the greatest value, both allowed themselves."""

    minimum: V | None
    maximum: V | None


class BoundedHashKey(HashKey[V], Bounds[V], total=False):
    """The options of a partition key whose values have bounds."""


class BoundedRangeKey(RangeKey[V], Bounds[V], total=False):
    """The options of a sort key whose values have bounds."""


class BoundedPresent(Present[V], Bounds[V], total=False):
    """The options of a field that must have a value, within bounds."""


class BoundedDefaulted(Defaulted[V], Bounds[V], total=False):
    """The options of a field with a default, whose values have bounds."""


class BoundedOptions(Options[V], Bounds[V], total=False):
    """The options of a field that may be without a value, and whose values have bounds."""


class Lengths(TypedDict, total=False):
    """The least and the greatest length, both allowed themselves."""

    min_length: int
    max_length: int | None


class SizedHashKey(HashKey[V], Lengths, total=False):
    """The options of a partition key whose values have a length."""


class SizedRangeKey(RangeKey[V], Lengths, total=False):
    """The options of a sort key whose values have a length."""


class SizedPresent(Present[V], Lengths, total=False):
    """The options of a field that must have a value, of some length."""


class SizedDefaulted(Defaulted[V], Lengths, total=False):
    """The options of a field with a default, whose values have a length."""


class SizedOptions(Options[V], Lengths, total=False):
    """The options of a field that may be without a value, and whose values have a length."""
