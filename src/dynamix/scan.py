"""Scans as users build them: `ForumThread.scan().where(...).get_items()`."""

from collections.abc import Callable
from typing import Any, Self, TypeVar

from msgspec.structs import replace

from dynamix.errors import InvalidQueryError
from dynamix.fields.base import Field
from dynamix.limits import SEGMENTS
from dynamix.matches import Matches
from dynamix.schema.declared import Queried
from dynamix.searching import positive
from dynamix.selection import Bounds, Search
from dynamix.watch import checked_progress
from dynamix.wire import ReadProgress

M = TypeVar("M")


class Scan(Matches[M]):
    """A scan: all items of the table or index, in no order."""

    @property
    def segment(self) -> tuple[int, int] | None:
        """The number of the segment that it reads, counted from 0, and of how many; None for no segment."""
        return self._search.segment

    def split(self, segments: int) -> list[Self]:
        """Scans of so many segments, 1 to 1,000,000, that together find the same.

        Each can be pickled and run where it likes: `executor.map(work, Model.scan().split(8))`. There it reads over the
        connection in force there, and goes on by `start_key` with a cursor of its own. A `rate` is divided among them.

        Raises InvalidQueryError where the scan has a limit, a bound or a beginning, of which each needs its own, or has
        segments already.
        """
        number, search = checked_segments(segments), self._search
        bounds = search.bounds or Bounds()
        if search.segment is not None or search.segments is not None:
            raise InvalidQueryError("the scan is in segments already; split() the whole one")
        if (
            search.begin is not None
            or search.limit is not None
            or (bounds.pages, bounds.units, bounds.seconds)
            != (
                None,
                None,
                None,
            )
        ):
            raise InvalidQueryError(
                "segments that run apart share no limit, bound or beginning; split() first, then give each its own"
            )
        if bounds.rate is not None:
            search = replace(search, bounds=replace(bounds, rate=bounds.rate / number))
        return [type(self)(replace(search, segment=(turn, number)), self._connection) for turn in range(number)]

    def use_index(self, index: str | Field[Any, Any] | Queried | None = None) -> Self:
        """Scan an index, given as the model declares it, by its name or by the field it sorts by, or the table (None).

        Raises UnknownNameError for an index that does not exist.
        """
        return self._on_index(index)


def checked_segments(segments: int) -> int:
    """The same number of segments. Raises InvalidQueryError for what is none."""
    if isinstance(segments, bool) or not isinstance(segments, int) or not 1 <= segments <= SEGMENTS:
        raise InvalidQueryError(f"the number of segments is an int of 1 to {SEGMENTS:,}, not {segments!r}")
    return segments


def spread(
    search: Search[M], segments: int | None, rate: float | None, progress: Callable[[ReadProgress], object] | None
) -> Search[M]:
    """The same scan in so many segments, at such a rate, and with somebody who is told how far it came."""
    if segments is not None:
        search = replace(search, segments=checked_segments(segments))
    if rate is None and progress is None:
        return search
    told = checked_progress(progress, "ReadProgress")
    return replace(search, bounds=Bounds(rate=None if rate is None else positive("rate", rate), progress=told))
