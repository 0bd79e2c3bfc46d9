"""What becomes of items of which a stored value cannot be read: `on_error` of queries, scans and `batch_get`.

    "raise"     the first of them ends the reading (the default)
    "skip"      they are left out
    a function  is called with the StoredValueError of each, and they are left out; what it raises ends the reading

By default lists, maps and sets are read when somebody asks for them, so an error in one is raised there. Whoever asks
for something else than "raise" gets only items that were read whole.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias, TypeVar

from dynamix.codec.reader import Unread
from dynamix.errors import InvalidQueryError, StoredValueError
from dynamix.schema.table import Table
from dynamix.wire import is_coroutine_function

M = TypeVar("M")

OnError: TypeAlias = Literal["raise", "skip"] | Callable[[StoredValueError], object]


def check_on_error(on_error: OnError) -> OnError:
    """The same, if it is one of what `on_error` takes. Raises InvalidQueryError."""
    if on_error == "raise":
        return on_error
    if is_coroutine_function(on_error):
        raise InvalidQueryError(f"on_error takes a plain function, not {on_error!r}, which would have to be awaited")
    if on_error != "skip" and not callable(on_error):
        raise InvalidQueryError(f"on_error takes 'raise', 'skip' or a function of one argument, not {on_error!r}")
    return on_error


def readable(
    table: Table[M],
    found: list[M],
    unread: Iterable[Unread],
    on_error: OnError,
    most: int | None = None,
    convert: Callable[[Any], Any] | None = None,
) -> tuple[list[M], bool]:
    """Those of the instances found that can be read, and converted later, at most so many, and whether there was more
    to look at."""
    if on_error == "raise" and not unread:
        return (found, False) if most is None or len(found) <= most else (found[:most], True)
    kept: list[M] = []
    for instance, error in _in_order(table, found, deque(unread), convert, whole=on_error != "raise"):
        if len(kept) == most:
            return kept, True
        if error is None:
            kept.append(instance)
            continue
        error.table = table.name
        if on_error == "raise":
            raise error
        if on_error != "skip":
            on_error(error)
    return kept, False


def _in_order(
    table: Table[M],
    found: list[M],
    unread: deque[Unread],
    convert: Callable[[Any], Any] | None,
    *,
    whole: bool,
) -> Iterable[tuple[Any, StoredValueError | None]]:
    """Instances, or why they could not be read, in the order in which the items came."""
    for number, instance in enumerate(found):
        while unread and unread[0][0] == number:
            yield None, unread.popleft()[1]
        try:
            if whole:
                table.schema.read_all(vars(instance))
                if convert is not None:
                    convert(instance)
        except StoredValueError as error:
            yield None, error
        else:
            yield instance, None
    for _, left in unread:
        yield None, left
