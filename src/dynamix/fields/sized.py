"""Fields whose values have a length."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field

V = TypeVar("V")
T = TypeVar("T")


class Sized(Field[V, T], Generic[V, T]):
    """What text, binary and collections have in common: the least and the greatest length, both allowed themselves."""

    unit: ClassVar[str] = "elements"
    """What a length counts."""

    def __init__(self, *, min_length: int = 0, max_length: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.min_length = min_length
        self.max_length = max_length
        for name, length in (("min_length", min_length), ("max_length", max_length or 0)):
            if type(length) is not int or length < 0:
                raise ModelDefinitionError(f"{name}={length!r} is no number of {self.unit}, an int of 0 or more")
        if max_length is not None and max_length < min_length:
            raise ModelDefinitionError(f"max_length={max_length!r} is less than min_length={min_length!r}")

    def check(self, value: Any) -> None:
        if len(value) < self.min_length:
            raise UnstorableError(f"it has {len(value)} {self.unit}, fewer than {self.min_length}")
        if self.max_length is not None and len(value) > self.max_length:
            raise UnstorableError(f"it has {len(value)} {self.unit}, more than {self.max_length}")

    def _json_lengths(self, what: str, least: int = 0) -> dict[str, int]:
        """The lengths in a JSON schema, in whose words they are those of `what`, such as "Items"."""
        lengths = {f"min{what}": max(self.min_length, least) or None, f"max{what}": self.max_length}
        return {name: length for name, length in lengths.items() if length is not None}

    @property
    def constrained(self) -> bool:
        return self.min_length > 0 or self.max_length is not None or super().constrained
