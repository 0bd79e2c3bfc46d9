"""Vectors: what embeddings are, and what is searched by nearness."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from struct import Struct as Layout
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, Unpack, get_args, overload

import msgspec
from msgspec import Raw, Struct

from dynamix.codec.forms import Form
from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.fields.options import Defaulted, Options, Present
from dynamix.fields.refusals import wrong_type
from dynamix.limits import VECTOR_DIMENSIONS
from dynamix.wire import AttributeValue

T = TypeVar("T")

Distance: TypeAlias = Literal["cosine", "dot_product", "euclidean"]
"""By what the nearness of two vectors is measured."""


class Array(Protocol):
    """What numpy's arrays and those of other libraries are."""

    @property
    def ndim(self) -> int: ...

    @property
    def dtype(self) -> Any: ...

    def tolist(self) -> Any: ...


Floats: TypeAlias = "Sequence[float] | array[float] | Array"
"""What is taken as a vector."""

_LARGEST = 3.4028235677973366e38  # of what a 32-bit float can stand for
_SMALLEST = 1e-130  # of what DynamoDB stores, beside 0
_SINGLE = Layout("<f")


class _Number(Struct, gc=False):
    N: float


class _Vector(Struct, gc=False):
    L: list[_Number]


_decode: Callable[[Raw], _Vector] = msgspec.json.Decoder(_Vector, strict=False).decode


def _parse(form: Raw, _: object) -> tuple[float, ...]:
    """The vector of a stored form, as JSON."""
    return tuple([number.N for number in _decode(form).L])


class VectorField(Field[tuple[float, ...], T]):
    """A vector of so many `dimensions`, 1 to 4096; a tuple of floats, stored as a list of numbers.

    A list, an array and an array of numpy are taken as well; of 32-bit floats each is taken as the shortest decimal
    that stands for it. `distance` is by what indexes on it measure nearness.
    """

    form = Form(lazy=True, frozen=True, parse=_parse)
    sorts = False
    ordered = False
    whole = True

    @overload
    def __init__(
        self: VectorField[tuple[float, ...]],
        *,
        dimensions: int,
        distance: Distance = ...,
        **options: Unpack[Present[tuple[float, ...]]],
    ) -> None: ...
    @overload
    def __init__(
        self: VectorField[tuple[float, ...]],
        *,
        dimensions: int,
        distance: Distance = ...,
        **options: Unpack[Defaulted[tuple[float, ...]]],
    ) -> None: ...
    @overload
    def __init__(
        self: VectorField[tuple[float, ...] | None],
        *,
        dimensions: int,
        distance: Distance = ...,
        **options: Unpack[Options[tuple[float, ...]]],
    ) -> None: ...
    def __init__(self, *, dimensions: int, distance: Distance = "cosine", **options: Any) -> None:
        if isinstance(dimensions, bool) or not isinstance(dimensions, int) or not 1 <= dimensions <= VECTOR_DIMENSIONS:
            raise ModelDefinitionError(f"dimensions={dimensions!r} is no int of 1 to {VECTOR_DIMENSIONS}")
        self.dimensions = dimensions
        self.distance = checked_distance(distance)
        super().__init__(**options)

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | Floats) -> None: ...

    def taken(self, value: Any) -> Any:
        value = super().taken(value)
        try:
            return value if value is None else self.floats(value)
        except ValueError:  # which encode raises again
            return value

    def to_wire(self, value: Floats) -> AttributeValue:
        return {"L": self.numbers_of(value)}

    def numbers_of(self, value: Floats) -> list[AttributeValue]:
        """The numbers of a vector, in DynamoDB's form. Raises ValueError for what is none of this field."""
        floats = self.floats(value)
        if len(floats) != self.dimensions:
            raise UnstorableError(f"it has {len(floats)} dimensions, and the field {self.dimensions}")
        for number in floats:
            if not (number == 0 or _SMALLEST <= abs(number) <= _LARGEST):
                raise UnstorableError(f"{number!r} is nothing that a 32-bit float and DynamoDB can stand for")
        return [{"N": repr(number + 0.0)} for number in floats]

    def from_wire(self, wire: AttributeValue) -> tuple[float, ...]:
        return tuple([number.N for number in msgspec.convert(wire, _Vector, strict=False).L])

    def floats(self, value: Any) -> tuple[float, ...]:
        """The numbers of what is taken as a vector. Raises ValueError for what is not."""
        if isinstance(value, tuple | list):
            return tuple(map(_number, value))
        if isinstance(value, array) and value.typecode != "u":
            numbers = value.tolist()
            return tuple(map(_shortest if value.typecode == "f" else float, numbers))
        if hasattr(value, "dtype") and hasattr(value, "tolist"):
            if value.ndim != 1:
                raise UnstorableError(f"it takes an array of one dimension, not of {value.ndim}")
            kind = str(value.dtype)
            if "int" not in kind and "float" not in kind:
                raise UnstorableError(f"it takes an array of numbers, not of {kind}")
            return tuple(map(_shortest if kind.endswith(("float32", "float16")) else float, value.tolist()))
        raise wrong_type(value, "a vector: a list, tuple or array of numbers")


def checked_distance(distance: Any) -> Distance:
    """The same, if it is one. Raises ModelDefinitionError."""
    if distance not in get_args(Distance):
        names = ", ".join(map(repr, get_args(Distance)))
        raise ModelDefinitionError(f"distance={distance!r} is none of {names}")
    found: Distance = distance
    return found


def _number(value: Any) -> float:
    """One number of a vector."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or (not isinstance(value, int | float | Decimal) and not hasattr(value, "dtype")):
        raise wrong_type(value, "numbers")
    if getattr(value, "dtype", None) is not None and str(value.dtype).endswith(("float32", "float16")):
        return _shortest(float(value))
    return float(value)


def _shortest(value: float) -> float:
    """The float of the shortest decimal that stands for a 32-bit float."""
    for digits in (6, 7, 8):
        found = float(f"{value:.{digits}g}")
        if abs(found) <= _LARGEST and _SINGLE.unpack(_SINGLE.pack(found))[0] == value:
            return found
    return value
