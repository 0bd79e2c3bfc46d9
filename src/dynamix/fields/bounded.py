"""Fields whose values have an order, and may have a least and a greatest one."""

from typing import Any, Generic, TypeVar

from dynamix.codec.values import UnstorableError
from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field

V = TypeVar("V")
T = TypeVar("T")


class Bounded(Field[V, T], Generic[V, T]):
    """What numbers and times have in common: `minimum` and `maximum` are allowed values themselves."""

    def __init__(self, *, minimum: Any = None, maximum: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.minimum = minimum
        self.maximum = maximum
        for name, bound in (("minimum", minimum), ("maximum", maximum)):
            if bound is not None:
                try:
                    self.to_wire(bound)
                except UnstorableError as error:
                    raise ModelDefinitionError(
                        f"{name}={bound!r} is no value of a {type(self).__name__}: {error}"
                    ) from error
        if minimum is not None and maximum is not None and minimum > maximum:
            raise ModelDefinitionError(f"minimum={minimum!r} is more than maximum={maximum!r}")

    def check(self, value: V) -> None:
        if self.minimum is not None and value < self.minimum:
            raise UnstorableError(f"it is less than {self.minimum}")
        if self.maximum is not None and value > self.maximum:
            raise UnstorableError(f"it is more than {self.maximum}")

    @property
    def constrained(self) -> bool:
        return self.minimum is not None or self.maximum is not None or super().constrained
