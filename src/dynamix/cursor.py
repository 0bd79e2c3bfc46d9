"""A cursor: where the next page of a query or scan starts. It belongs to one table and index."""

from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Set as AbstractSet

import msgspec

from dynamix.codec.numbers import parse
from dynamix.errors import InvalidCursorError
from dynamix.wire import AttributeValue, Item


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

    def require(self, table: str, index: str | None, keys: AbstractSet[str]) -> None:
        """Raise InvalidCursorError unless the cursor belongs to this table and index, which have these keys."""
        if (self.table, self.index) != (table, index):
            raise InvalidCursorError(
                f"the cursor belongs to {_place(self.table, self.index)}, but the query reads {_place(table, index)}; "
                f"{_ADVICE}"
            )
        if self.key.keys() != keys or not all(map(_is_key, self.key.values())):
            raise InvalidCursorError(f"the cursor's key, {self.key!r}, is none of {_place(table, index)}; {_ADVICE}")

    def refused(self, message: str) -> InvalidCursorError | None:
        """The error for what the service said of a request that began here, if it is about where it began."""
        if any(words in message for words in _REFUSALS):
            return InvalidCursorError(f"the cursor cannot continue this query; {_ADVICE}: {message}")
        return None


_ADVICE = "pass a cursor only to the query that gave it"
_REFUSALS = ("starting key", "StartKey", "Start Key", "cannot be restarted", "Type mismatch for attribute")
"""What the service says of where a page begins, in parts of its words."""


def _is_key(value: AttributeValue) -> bool:
    """Whether a value is of the types that keys have, and well formed."""
    try:
        match value:
            case {"S": str(text), **others}:
                return text != "" and not others
            case {"B": str(text), **others}:
                return b64decode(text, validate=True) != b"" and not others
            case {"N": str(text), **others}:
                return parse(text).is_finite() and not others
    except ValueError:
        return False
    return False


def _place(table: str, index: str | None) -> str:
    return f"table {table!r}" if index is None else f"index {index!r} of table {table!r}"
