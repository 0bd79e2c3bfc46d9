"""Queries as users build them: `ForumThread.query().where(...).use_index(...).get_items()`."""

from typing import Any, Self, TypeVar

from dynamix.fields.base import Field
from dynamix.matches import Matches
from dynamix.schema.declared import Queried

M = TypeVar("M")


class Query(Matches[M]):
    """A query: the items of one partition key, in the order of the sort key."""

    def use_index(self, index: str | Field[Any, Any] | Queried | None = None, *, asc: bool | None = None) -> Self:
        """Query an index, given as the model declares it, by its name or by the field it sorts by, or the table (None).
        `asc` is that of `order`.

        Where nothing is said of it, a query reads the table; if its conditions do not say which partition of the table,
        it reads the only index that can serve them.

        Raises UnknownNameError for an index that does not exist.
        """
        query = self._on_index(index)
        return query if asc is None else query.order(asc=asc)

    def order(self, *, asc: bool) -> Self:
        """Read in the order of the sort key, or with `asc=False` backwards."""
        return self._with(ascending=asc)
