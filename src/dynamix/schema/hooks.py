"""The methods of a model that are called with its instances."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from dynamix.errors import ModelDefinitionError
from dynamix.fields.base import Field
from dynamix.wire import is_coroutine_function

if TYPE_CHECKING:
    from dynamix.schema.kinds import Kinds

Hook: TypeAlias = Callable[[Any], object]
"""A method of a model that is called with an instance."""


class Hooks(Struct, frozen=True, eq=False, dict=True):
    """The hooks of a model; those of a base whose items are of several models are of each one's own."""

    model: type[Any]
    kinds: "Kinds | None"

    @cached_property
    def before_save(self) -> Hook | None:
        """The model's own method that is called before an instance is stored, if it has one."""
        return self._hook("before_save")

    @cached_property
    def before_delete(self) -> Hook | None:
        """The same before an instance's item is deleted."""
        return self._hook("before_delete")

    @cached_property
    def after_load(self) -> Hook | None:
        """The same after an instance was made of what is stored."""
        if self.kinds is not None and self.kinds.own is None:
            return self._after_load_of_its_own
        return self._hook("after_load")

    def _after_load_of_its_own(self, instance: Any) -> None:
        """Call the `after_load` of an instance's own model."""
        assert self.kinds is not None  # noqa: S101 - the caller has looked
        model = type(instance)
        hook = (self if model is self.model else self.kinds.schema_of(model).hooks)._hook("after_load")
        if hook is not None:
            hook(instance)

    def check(self) -> None:
        """Raise ModelDefinitionError where what has the name of a hook is none."""
        for name in ("before_save", "before_delete", "after_load"):
            self._hook(name)

    def _hook(self, name: str) -> Hook | None:
        """A method of the model; a field of that name is none."""
        method = getattr(self.model, name, None)
        if method is None or isinstance(method, Field):
            return None
        if not callable(method) or is_coroutine_function(method):
            kind = "an async method" if callable(method) else repr(method)
            raise ModelDefinitionError(f"{self.model.__name__}.{name} is {kind}; it has to be a plain method")
        return method  # type: ignore[no-any-return]
