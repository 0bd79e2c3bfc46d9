"""What a query of several models found, by model: `found = query.grouped()`, `found.one(User)`, `found[Order]`."""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from dynamix.errors import ItemNotFoundError, MultipleItemsError, WrongTypeError
from dynamix.selection import Search

M = TypeVar("M")
N = TypeVar("N")


class Groups(Generic[M]):
    """Matches of several models, told apart by their models. Iterating gives all of them, in the order of the query.

    Raises WrongTypeError for a model whose items the query did not read.
    """

    def __init__(self, search: Search[M], items: Sequence[M]) -> None:
        self._search = search
        self._items = items

    def __iter__(self) -> Iterator[M]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for item in self._items:
            counts[type(item).__name__] = counts.get(type(item).__name__, 0) + 1
        return f"<Groups of {', '.join(f'{count} {name}' for name, count in counts.items()) or 'nothing'}>"

    def __getitem__(self, model: type[N]) -> list[N]:
        """The instances of a model, in the order of the query."""
        schema, kind = self._search.schema, self._search.kind
        read: list[type[Any]] = [schema.model if kind is None else kind]
        if schema.kinds is not None and kind is None:
            read += schema.kinds.models.values()
        if not isinstance(model, type) or not any(issubclass(one, model) or issubclass(model, one) for one in read):
            names = ", ".join(one.__name__ for one in read[1:] or read)
            raise WrongTypeError(f"the query reads items of {names}, not of {model!r}", field="", value=model)
        return [item for item in self._items if isinstance(item, model)]

    def first(self, model: type[N]) -> N | None:
        """The first instance of a model, None where there is none."""
        found = self[model]
        return found[0] if found else None

    def one(self, model: type[N]) -> N:
        """The only instance of a model. Raises ItemNotFoundError where there is none, MultipleItemsError where there is
        another."""
        found = self[model]
        if not found:
            raise ItemNotFoundError(f"the query found no {model.__name__}; first() gives None then")
        if len(found) > 1:
            error = MultipleItemsError(f"the query found {len(found)} of {model.__name__}; first() gives the first")
            error.items = tuple(found)
            raise error
        return found[0]
