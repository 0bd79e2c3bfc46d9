"""What queries and scans share: how users build them, and how they run.

Each method returns a new query and leaves the old one as it was. Iterating reads page after page to the end.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Generic, NoReturn, Self, TypeVar

from msgspec.structs import replace

from dynamix.connection import Connection
from dynamix.cursor import Cursor
from dynamix.errors import InvalidQueryError, WrongTypeError
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.fields.changeable import Element
from dynamix.operations import search as flows
from dynamix.operations.explained import explaining
from dynamix.selection import Search, select
from dynamix.wire import Flow

M = TypeVar("M")


class Searching(Generic[M]):
    """What a query and a scan share."""

    def __init__(self, search: Search[M], connection: Callable[[], Connection]) -> None:
        self._search = search
        self._connection = connection

    def __repr__(self) -> str:
        search = self._search
        index = f".use_index({search.index.name!r})" if search.index.name else ""
        verb = "query" if search.keyed else "scan"
        return f"<{search.schema.model_name}.{verb}(){index} with {len(search.conditions)} conditions>"

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a query has no truth value before it is run; ask first() for a match, count() for their number, or "
            "get_items() for a page"
        )

    def _with(self, **changes: Any) -> Self:
        return type(self)(replace(self._search, **changes), self._connection)

    def where(self, *conditions: Condition) -> Self:
        """Only what meets all conditions. Key conditions choose what is read; others filter what was read."""
        for condition in conditions:
            if not isinstance(condition, Condition):
                raise WrongTypeError(
                    f"where() takes conditions such as {self._search.index.hash_key}.eq(...), not {condition!r}",
                    field="",
                    value=condition,
                )
        return self._with(conditions=self._search.conditions + conditions)

    def limit(self, most: int) -> Self:
        """At most so many matches."""
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise InvalidQueryError(f"limit() takes an int of 1 or more, not {most!r}")
        return self._with(limit=most)

    def start_key(self, cursor: Cursor | str | None) -> Self:
        """Go on where the cursor of an earlier page says; None starts at the beginning.

        Raises InvalidCursorError for a damaged cursor, and when the query is sent, for one that cannot continue it: of
        another table or index, or of a place that its conditions rule out.
        """
        if isinstance(cursor, str):
            cursor = Cursor.parse(cursor)
        elif not isinstance(cursor, Cursor | None):
            raise WrongTypeError(
                f"start_key() takes a cursor, its text or None, not {cursor!r}", field="", value=cursor
            )
        return self._with(start=cursor)

    def consistent(self, consistent: bool = True) -> Self:
        """Read what was stored before the request, at twice the cost. Global indexes cannot."""
        return self._with(consistent=consistent)

    def _on_index(self, index: str | Field[Any, Any] | None) -> Self:
        schema = self._search.schema
        if index is None:
            return self._with(index=schema.table)
        if isinstance(index, str):
            return self._with(index=schema.index(index))
        if isinstance(index, Element):
            raise WrongTypeError(
                f"{index} is an element of a field, and an index sorts by a whole one", field="", value=index
            )
        if not isinstance(index, Field):
            raise WrongTypeError(f"use_index() takes an index's name or a field, not {index!r}", field="", value=index)
        return self._with(index=schema.index_on(index))

    def _run(self, flow: Callable[..., Flow[Any]], search: Search[M], *arguments: Any) -> Any:
        connection = self._connection()
        table, live = search.schema.at(connection.table_prefix), connection.indexes
        return connection.run(explaining(flow, connection.retry, table, live, search, *arguments))

    async def _arun(self, flow: Callable[..., Flow[Any]], search: Search[M], *arguments: Any) -> Any:
        connection = self._connection()
        table, live = search.schema.at(connection.table_prefix), connection.indexes
        return await connection.arun(explaining(flow, connection.retry, table, live, search, *arguments))

    def get_items(self, requery_for_all_projections: bool = False) -> tuple[list[M], Cursor | None]:
        """The matches, and the cursor of the next page: None at the end.

        Without a limit, one page: up to 1 MB of what the key conditions find. A page may be empty and still have a
        cursor, where a filter left nothing of it. `requery_for_all_projections` reads from the table what the index
        does not hold. Raises InvalidQueryError for what DynamoDB cannot do.
        """
        result: tuple[list[M], Cursor | None]
        result = self._run(flows.items, self._search, select(self._search), requery_for_all_projections)
        return result

    async def aget_items(self, requery_for_all_projections: bool = False) -> tuple[list[M], Cursor | None]:
        """See `get_items`."""
        result: tuple[list[M], Cursor | None]
        result = await self._arun(flows.items, self._search, select(self._search), requery_for_all_projections)
        return result

    def first(self) -> M | None:
        """The first match, or None."""
        items, _ = self.limit(1).get_items()
        return items[0] if items else None

    async def afirst(self) -> M | None:
        """See `first`."""
        items, _ = await self.limit(1).aget_items()
        return items[0] if items else None

    def count(self) -> int:
        """The number of matches, at most the limit. All of them are read, though not sent."""
        result: int = self._run(flows.count, self._search, select(self._search))
        return result

    async def acount(self) -> int:
        """See `count`."""
        result: int = await self._arun(flows.count, self._search, select(self._search))
        return result

    def __iter__(self) -> Iterator[M]:
        search, selection = self._search, select(self._search)
        while True:
            items, cursor = self._run(flows.items, search, selection)
            yield from items
            if cursor is None or search.limit is not None:  # up to a limit, the flow itself reads on
                return
            search = replace(search, start=cursor)

    async def __aiter__(self) -> AsyncIterator[M]:
        """Page after page; the next one is fetched while this one is used."""
        import asyncio  # here, so that programs without it start faster

        search, selection = self._search, select(self._search)
        fetching = asyncio.ensure_future(self._arun(flows.items, search, selection))
        try:
            while True:
                items, cursor = await fetching
                more = cursor is not None and search.limit is None
                if more:
                    search = replace(search, start=cursor)
                    fetching = asyncio.ensure_future(self._arun(flows.items, search, selection))
                for item in items:
                    yield item
                if not more:
                    return
        finally:
            if not fetching.done():
                fetching.cancel()
                await asyncio.wait([fetching])
            if not fetching.cancelled():
                fetching.exception()  # of a page that nobody asks for any more
