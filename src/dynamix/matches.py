"""What is done with the matches of a query or scan, and its twins for asyncio.

The first request is sent when one of these methods is called, or iteration begins.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from dynamix.cursor import Cursor
from dynamix.errors import InvalidUpdateError
from dynamix.late import later
from dynamix.operations import search as flows
from dynamix.pages import Pages, Read
from dynamix.searching import Searching, whole
from dynamix.updates.actions import Action
from dynamix.watch import checked_progress
from dynamix.wire import Flow

if TYPE_CHECKING:
    from dynamix import groups
    from dynamix.explanation import Explanation
    from dynamix.groups import Groups
    from dynamix.operations.sweep import Sweep
    from dynamix.updates import changes
else:
    later(globals(), changes="dynamix.updates.changes", groups="dynamix.groups")

M = TypeVar("M")
T = TypeVar("T")


class Matches(Searching[M]):
    """What a query and a scan do with what they find.

    A read that has bounds (`max_pages`, `max_units`, `max_seconds`) and comes to one raises ReadLimitError, unless
    everything was looked at by then.
    """

    def _run(self, flow: Callable[..., Flow[T]], *arguments: object) -> T:
        read = Read(self._search, self._connection())
        result: T = read.run(flow, read.search, *arguments)
        return result

    async def _arun(self, flow: Callable[..., Flow[T]], *arguments: object) -> T:
        read = Read(self._search, self._connection())
        result: T = await read.arun(flow, read.search, *arguments)
        return result

    def get_items(self, requery_for_all_projections: bool = False) -> tuple[list[M], Cursor | None]:
        """The matches, and the cursor of the next page: None at the end.

        Without a limit, one page: up to 1 MB of what the key conditions find, or `page_size`. A page may be empty and
        still have a cursor, where a filter left nothing of it, or a bound ended it. `requery_for_all_projections` reads
        from the table what the index does not hold. Raises InvalidQueryError for what DynamoDB cannot do.
        """
        return self._run(flows.page, requery_for_all_projections).pair()

    async def aget_items(self, requery_for_all_projections: bool = False) -> tuple[list[M], Cursor | None]:
        """See `get_items`."""
        return (await self._arun(flows.page, requery_for_all_projections)).pair()

    def all(self, requery_for_all_projections: bool = False) -> list[M]:
        """All matches in a list, at most the limit."""
        return self._run(flows.every, requery_for_all_projections)

    async def aall(self, requery_for_all_projections: bool = False) -> list[M]:
        """See `all`."""
        return await self._arun(flows.every, requery_for_all_projections)

    def grouped(self, requery_for_all_projections: bool = False) -> "Groups[M]":
        """All matches, at most the limit, told apart by their models: a user with its orders, by one query."""
        return groups.Groups(self._search, self._run(flows.every, requery_for_all_projections))

    async def agrouped(self, requery_for_all_projections: bool = False) -> "Groups[M]":
        """See `grouped`."""
        return groups.Groups(self._search, await self._arun(flows.every, requery_for_all_projections))

    def first(self) -> M | None:
        """The first match, or None where there is none."""
        return self._run(flows.first)

    async def afirst(self) -> M | None:
        """See `first`."""
        return await self._arun(flows.first)

    def one(self) -> M:
        """The only match, at most the limit. Raises ItemNotFoundError where there is none, MultipleItemsError where
        there is another."""
        match: M = self._run(flows.one)
        return match

    async def aone(self) -> M:
        """See `one`."""
        match: M = await self._arun(flows.one)
        return match

    def count(self) -> int:
        """The number of matches, at most the limit. All of them are read, though not sent."""
        return self._run(flows.count)

    async def acount(self) -> int:
        """See `count`."""
        return await self._arun(flows.count)

    def exists(self) -> bool:
        """Whether there is a match; none is sent."""
        return self._run(flows.exists)

    async def aexists(self) -> bool:
        """See `exists`."""
        return await self._arun(flows.exists)

    def delete(self, *, progress: Callable[[int], object] | None = None) -> int:
        """Delete all matches, at most the limit, and return how many were deleted.

        Only keys are read. Each item is deleted on condition that it still matches. `progress` is called with the
        number deleted so far, page by page. Hooks of the model are not called, as nothing is loaded.

        Raises PartlyAppliedError for what stops it: `count` were deleted, and `start_key(error.cursor)` goes on with
        the others.
        """
        return self._run(*self._sweep(None, progress))

    async def adelete(self, *, progress: Callable[[int], object] | None = None) -> int:
        """See `delete`."""
        return await self._arun(*self._sweep(None, progress))

    def update(self, *actions: Action, progress: Callable[[int], object] | None = None) -> int:
        """Change all matches, at most the limit, and return how many were changed: each by all actions at once, on
        condition that it still matches.

        Raises InvalidUpdateError, FieldValidationException or UnknownNameError before anything is sent, where no one
        update can do it. For the rest see `delete`; of the items behind `error.cursor`, those in `error.stored` were
        changed already.
        """
        return self._run(*self._sweep(actions, progress))

    async def aupdate(self, *actions: Action, progress: Callable[[int], object] | None = None) -> int:
        """See `update`."""
        return await self._arun(*self._sweep(actions, progress))

    def _sweep(
        self, actions: tuple[Action, ...] | None, progress: Callable[[int], object] | None
    ) -> "tuple[Callable[..., Flow[int]], Sweep]":
        """The flow that writes all matches, and what it does with each; None: deletes it."""
        from dynamix.operations.sweep import Sweep, refuse_several, sweep  # which few programs need

        refuse_several(self._search.schema, changes=actions is not None)
        if actions is not None and self._search.schema.versions is not None:
            raise InvalidUpdateError(
                f"items of {self._search.schema.model_name} may be of older versions, which no update brings up: "
                "iterate over them, and change and save() each"
            )
        asked = None if actions is None else changes.Changes.of(self._search.schema, actions, datetime.now(UTC))
        return sweep, Sweep(asked, checked_progress(progress))

    def explain(self, description: Mapping[str, Any] | None = None) -> "Explanation":
        """What would be read, by which request, and what to think of; nothing is sent.

        With the description of the table, the `Table` of an answer to DescribeTable, it estimates the units as well.
        Raises InvalidQueryError for what DynamoDB cannot do.
        """
        return Read(self._search, self._connection()).explain(description)

    def pages(self, size: int | None = None, *, requery_for_all_projections: bool = False) -> Pages[M]:
        """The pages of matches, one after another, for `for` and `async for`.

        With `size`, each has so many matches, but for the last; without, each is what one request found.
        """
        number = None if size is None else whole("pages", size)
        return Pages(self._search, self._connection, number, requery_for_all_projections)

    def __iter__(self) -> Iterator[M]:
        for page in self.pages():
            yield from page.items

    async def __aiter__(self) -> AsyncIterator[M]:
        """Page after page; the next one is fetched while this one is used."""
        pages = self.pages().__aiter__()
        try:
            async for page in pages:
                for item in page.items:
                    yield item
        finally:
            await pages.aclose()  # type: ignore[attr-defined]
