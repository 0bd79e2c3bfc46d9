"""Scans as users build them: `ForumThread.scan().where(...).get_items()`."""

from typing import Any, Self, TypeVar

from dynamix.fields.base import Field
from dynamix.matches import Matches

M = TypeVar("M")


class Scan(Matches[M]):
    """A scan: all items of the table or index, in no order."""

    def use_index(self, index: str | Field[Any, Any] | None = None) -> Self:
        """Scan an index, given by its name or by the field it sorts by, or the table (None).

        Raises UnknownNameError for an index that does not exist.
        """
        return self._on_index(index)
