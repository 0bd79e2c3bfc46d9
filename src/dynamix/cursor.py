"""A cursor: where the next page of a query or scan starts. It belongs to one table and index."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from dynamix.errors import InvalidCursorError
from dynamix.wire import Item


class Cursor(msgspec.Struct, frozen=True):
    """Where the next page starts: after `key`, in `index` (None: the table itself) of `table`.

    `str(cursor)` is text that can be kept in a URL or a cookie; `start_key` takes it back. The text is not signed: who
    can change it can start elsewhere within the same query.
    """

    table: str
    index: str | None
    key: Item

    def __str__(self) -> str:
        return urlsafe_b64encode(msgspec.json.encode((self.table, self.index, self.key))).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor of a text. Raises InvalidCursorError for what is no cursor's text."""
        try:
            content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            table, index, key = msgspec.json.decode(content, type=tuple[str, str | None, dict[str, dict[str, str]]])
        except (ValueError, msgspec.DecodeError) as error:
            raise InvalidCursorError(f"{text!r} is not the text of a cursor; pass on str(cursor) unchanged") from error
        return cls(table, index, key)

    def require(self, table: str, index: str | None) -> None:
        """Raise InvalidCursorError unless the cursor belongs to this table and index."""
        if (self.table, self.index) != (table, index):
            raise InvalidCursorError(
                f"the cursor belongs to {_place(self.table, self.index)}, but the query reads {_place(table, index)}; "
                "pass a cursor only to the query that gave it"
            )


def _place(table: str, index: str | None) -> str:
    return f"table {table!r}" if index is None else f"index {index!r} of table {table!r}"
