"""Fields whose values have an order, and may have a least and a greatest one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.late import later

if TYPE_CHECKING:
    from dynamix.codec import plain
else:
    later(globals(), plain="dynamix.codec.plain")

V = TypeVar("V")
T = TypeVar("T")


class Bounded(Field[V, T], Generic[V, T]):
    """What numbers and times have in common: `minimum` and `maximum` are allowed values themselves."""

    def __init__(self, *, minimum: Any = None, maximum: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.minimum = self._bound_taken("minimum", minimum)
        self.maximum = self._bound_taken("maximum", maximum)
        if minimum is not None and maximum is not None and self.minimum > self.maximum:
            raise ModelDefinitionError(f"minimum={minimum!r} is more than maximum={maximum!r}")

    def _bound_taken(self, name: str, bound: Any) -> Any:
        """A bound as values are compared with it. Raises ModelDefinitionError for what is no value of the field."""
        if bound is not None:
            try:
                self.to_wire(bound)
            except UnstorableError as error:
                raise ModelDefinitionError(
                    f"{name}={bound!r} is no value of a {type(self).__name__}: {error}"
                ) from error
        return None if bound is None else self._in_order(bound)

    def _in_order(self, value: Any) -> Any:
        """What is compared of a value."""
        return value

    def check(self, value: V) -> None:
        if self.minimum is not None and self._in_order(value) < self.minimum:
            raise UnstorableError(f"it is less than {self.minimum}")
        if self.maximum is not None and self._in_order(value) > self.maximum:
            raise UnstorableError(f"it is more than {self.maximum}")

    def _json_bounds(self) -> dict[str, Any]:
        """The bounds of numbers in a JSON schema, where JSON holds them exactly."""
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        numbers = {name: plain.as_number(bound) for name, bound in bounds.items()}
        return {name: number for name, number in numbers.items() if number is not None}

    @property
    def constrained(self) -> bool:
        return self.minimum is not None or self.maximum is not None or super().constrained
