"""Fields of one plain value: text, numbers, truth."""

from decimal import Decimal
from typing import Any, TypeVar, Unpack, overload

from dynamix.codec.numbers import from_text
from dynamix.codec.values import UnstorableError, encode, encode_number
from dynamix.fields.base import Defaulted, Field, HashKey, Options, Present, RangeKey, wrong_type
from dynamix.wire import AttributeValue

T = TypeVar("T")


class CharField(Field[str, T]):
    """A str, stored as a string. `min_length` and `max_length` count characters."""

    kind = "str"
    key_type = "S"

    @overload
    def __init__(
        self: "CharField[str]", *, min_length: int = ..., max_length: int | None = ..., **options: Unpack[HashKey[str]]
    ) -> None: ...
    @overload
    def __init__(
        self: "CharField[str]", *, min_length: int = ..., max_length: int | None = ..., **options: Unpack[RangeKey[str]]
    ) -> None: ...
    @overload
    def __init__(
        self: "CharField[str]", *, min_length: int = ..., max_length: int | None = ..., **options: Unpack[Present[str]]
    ) -> None: ...
    @overload
    def __init__(
        self: "CharField[str]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[Defaulted[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: "CharField[str | None]",
        *,
        min_length: int = ...,
        max_length: int | None = ...,
        **options: Unpack[Options[str]],
    ) -> None: ...
    def __init__(self, *, min_length: int = 0, max_length: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.min_length = min_length
        self.max_length = max_length

    def to_wire(self, value: str) -> AttributeValue:
        if not isinstance(value, str):
            raise wrong_type(value, "a str")
        return encode(value)

    def from_wire(self, wire: AttributeValue) -> str:
        return str(wire["S"])

    def check(self, value: str) -> None:
        if len(value) < self.min_length:
            raise UnstorableError(f"it has {len(value)} characters, fewer than {self.min_length}")
        if self.max_length is not None and len(value) > self.max_length:
            raise UnstorableError(f"it has {len(value)} characters, more than {self.max_length}")

    @property
    def constrained(self) -> bool:
        return super().constrained or self.min_length > 0 or self.max_length is not None


class IntegerField(Field[int, T]):
    """An int of at most 38 digits, stored as a number, exact. `minimum` and `maximum` are allowed values themselves."""

    kind = "int"
    key_type = "N"

    @overload
    def __init__(
        self: "IntegerField[int]",
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[HashKey[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: "IntegerField[int]",
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[RangeKey[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: "IntegerField[int]",
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[Present[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: "IntegerField[int]",
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[Defaulted[int]],
    ) -> None: ...
    @overload
    def __init__(
        self: "IntegerField[int | None]",
        *,
        minimum: int | None = ...,
        maximum: int | None = ...,
        **options: Unpack[Options[int]],
    ) -> None: ...
    def __init__(self, *, minimum: int | None = None, maximum: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.minimum = minimum
        self.maximum = maximum

    def to_wire(self, value: int) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, "an int")
        return {"N": encode_number(value)}

    def from_wire(self, wire: AttributeValue) -> int:
        number = from_text(wire["N"])
        if not isinstance(number, int):
            raise UnstorableError("it is not an integer")
        return number

    def check(self, value: int) -> None:
        if self.minimum is not None and value < self.minimum:
            raise UnstorableError(f"it is less than {self.minimum}")
        if self.maximum is not None and value > self.maximum:
            raise UnstorableError(f"it is more than {self.maximum}")

    @property
    def constrained(self) -> bool:
        return super().constrained or self.minimum is not None or self.maximum is not None


class FloatField(Field[float, T]):
    """A float, stored as a number: the shortest text that reads back as the same float.

    An int or Decimal is taken where a float holds it exactly.
    """

    kind = "float"
    key_type = "N"

    @overload
    def __init__(self: "FloatField[float]", **options: Unpack[HashKey[float]]) -> None: ...
    @overload
    def __init__(self: "FloatField[float]", **options: Unpack[RangeKey[float]]) -> None: ...
    @overload
    def __init__(self: "FloatField[float]", **options: Unpack[Present[float]]) -> None: ...
    @overload
    def __init__(self: "FloatField[float]", **options: Unpack[Defaulted[float]]) -> None: ...
    @overload
    def __init__(self: "FloatField[float | None]", **options: Unpack[Options[float]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: float) -> AttributeValue:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise wrong_type(value, "a float")
        try:
            exact = float(value) == value or Decimal(repr(float(value))) == value
        except OverflowError:
            exact = False
        if not exact:
            raise UnstorableError("a float would not keep all its digits, or it is not a number")
        if value != 0 and not 1e-130 <= abs(value) < 1e126:
            raise UnstorableError("DynamoDB holds magnitudes from 1E-130 to 9.99...E+125")
        return {"N": repr(float(value) + 0.0)}

    def from_wire(self, wire: AttributeValue) -> float:
        return float(wire["N"])


class BooleanField(Field[bool, T]):
    """A bool."""

    kind = "bool"

    @overload
    def __init__(self: "BooleanField[bool]", **options: Unpack[Present[bool]]) -> None: ...
    @overload
    def __init__(self: "BooleanField[bool]", **options: Unpack[Defaulted[bool]]) -> None: ...
    @overload
    def __init__(self: "BooleanField[bool | None]", **options: Unpack[Options[bool]]) -> None: ...
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def to_wire(self, value: bool) -> AttributeValue:
        if not isinstance(value, bool):
            raise wrong_type(value, "a bool")
        return {"BOOL": value}

    def from_wire(self, wire: AttributeValue) -> bool:
        return bool(wire["BOOL"])
