"""Queries as users build them: `ForumThread.query().where(...).use_index(...).get_items()`."""

from typing import Any, Self, TypeVar

from dynamix.fields.base import Field
from dynamix.searching import Searching

M = TypeVar("M")


class Query(Searching[M]):
    """A query: the items of one partition key, in the order of the sort key."""

    def use_index(self, index: str | Field[Any, Any] | None = None, *, asc: bool = True) -> Self:
        """Query an index, given by its name or by the field it sorts by, or the table (None); `asc=False` reads
        backwards.

        Raises UnknownNameError for an index that does not exist.
        """
        return self._on_index(index)._with(ascending=asc)
