"""Several models of one table, read together and typed as a union: `Table(User, Order).query()` finds both."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar, overload

from dynamix.codec.names import Key
from dynamix.errors import ModelDefinitionError, WrongTypeError
from dynamix.fields.base import Field
from dynamix.fields.discriminator import discriminator_of, value_of
from dynamix.model.declaration import Model
from dynamix.model.reading import chosen, keys_of, search_of, with_equal
from dynamix.model.running import arun, connection_of, run, schema_of
from dynamix.operations import batch, items
from dynamix.query import Query
from dynamix.scan import Scan, spread
from dynamix.schema.kinds import standing_for
from dynamix.unreadable import OnError, check_on_error
from dynamix.wire import ReadProgress

M = TypeVar("M")
A = TypeVar("A", bound=Model)
B = TypeVar("B", bound=Model)
C = TypeVar("C", bound=Model)
D = TypeVar("D", bound=Model)
E = TypeVar("E", bound=Model)
F = TypeVar("F", bound=Model)


class Table(Generic[M]):
    """Some of the models that share a table. What it reads are their items, each as an instance of its own model; those
    of other models are passed by.

    Raises ModelDefinitionError for models that do not share one DiscriminatorField.
    """

    @overload
    def __init__(self: "Table[A]", first: type[A], /) -> None: ...
    @overload
    def __init__(self: "Table[A | B]", first: type[A], second: type[B], /) -> None: ...
    @overload
    def __init__(self: "Table[A | B | C]", first: type[A], second: type[B], third: type[C], /) -> None: ...
    @overload
    def __init__(
        self: "Table[A | B | C | D]", first: type[A], second: type[B], third: type[C], fourth: type[D], /
    ) -> None: ...
    @overload
    def __init__(
        self: "Table[A | B | C | D | E]",
        first: type[A],
        second: type[B],
        third: type[C],
        fourth: type[D],
        fifth: type[E],
        /,
    ) -> None: ...
    @overload
    def __init__(
        self: "Table[A | B | C | D | E | F]",
        first: type[A],
        second: type[B],
        third: type[C],
        fourth: type[D],
        fifth: type[E],
        sixth: type[F],
        /,
    ) -> None: ...
    @overload
    def __init__(self: "Table[A]", *models: type[A]) -> None: ...
    def __init__(self, *models: type[Any]) -> None:
        self.models = models
        self._model: type[M] = _joined(models)

    def __repr__(self) -> str:
        return f"Table({', '.join(model.__name__ for model in self.models)})"

    def query(self, /, *fields: Field[Any, Any], on_error: OnError = "raise", **equal: Any) -> Query[M]:
        """A query that finds items of these models. Names and values are fields of the base, or parts of a partition
        key that all of the models make of them alike: `query(user_id="1")`. Else see `Model.query`."""
        search = search_of(self._model, True, fields, on_error)
        if equal:
            search = with_equal(search, equal)
        return Query(search, partial(connection_of, self._model))

    def scan(
        self,
        *fields: Field[Any, Any],
        on_error: OnError = "raise",
        segments: int | None = None,
        rate: float | None = None,
        progress: Callable[[ReadProgress], object] | None = None,
    ) -> Scan[M]:
        """All items of these models. See `Model.scan`."""
        search = spread(search_of(self._model, False, fields, on_error), segments, rate, progress)
        return Scan(search, partial(connection_of, self._model))

    def get(self, /, *fields: Field[Any, Any], consistent: bool | None = None, **key: Any) -> M | None:
        """The instance with this key, as the base has it, or None. See `Model.get`."""
        wanted = schema_of(self._model).key.from_names(key)
        return run(self._model, items.get, wanted, consistent, fields and chosen(self._model, fields))

    async def aget(self, /, *fields: Field[Any, Any], consistent: bool | None = None, **key: Any) -> M | None:
        """See `get`."""
        wanted = schema_of(self._model).key.from_names(key)
        return await arun(self._model, items.get, wanted, consistent, fields and chosen(self._model, fields))

    def batch_get(
        self, *keys: Mapping[str, Any], consistent: bool | None = None, on_error: OnError = "raise"
    ) -> list[M]:
        """The instances with these keys, as the base has them. See `Model.batch_get`."""
        return run(self._model, batch.get, keys_of(self._model, keys), consistent, check_on_error(on_error))

    async def abatch_get(
        self, *keys: Mapping[str, Any], consistent: bool | None = None, on_error: OnError = "raise"
    ) -> list[M]:
        """See `batch_get`."""
        return await arun(self._model, batch.get, keys_of(self._model, keys), consistent, check_on_error(on_error))

    def key_of(self, /, **stored: Any) -> Key[M]:
        """The key of an item of whichever of these models, for `dynamix.transact_get` and `batch_get`. See
        `Model.key_of`."""
        return Key(self._model, schema_of(self._model).key.from_stored(stored))


def _joined(models: tuple[type[Any], ...]) -> type[Any]:
    """A model that stands for all of these, which nobody declares."""
    for model in models:
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise WrongTypeError(f"{model!r} is not a model", field="", value=model)
    fields = [discriminator_of(model) for model in models]
    field = fields[0] if fields else None
    if field is None or any(one is not field for one in fields) or any(value_of(model) is None for model in models):
        names = ", ".join(model.__name__ for model in models) or "no models"
        raise ModelDefinitionError(
            f"Table takes models that derive from one base with a DiscriminatorField, and have a __discriminator__ of "
            f"their own, not {names}"
        )
    if value_of(field.owner) is not None:  # the only one that there can be
        return field.owner
    return standing_for(models)
