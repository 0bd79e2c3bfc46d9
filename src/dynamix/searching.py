"""How users build queries and scans: each method returns a new one and leaves the old one as it was."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from msgspec.structs import replace

from dynamix.connection import Connection
from dynamix.cursor import Cursor, decoded
from dynamix.errors import InvalidQueryError, WrongTypeError, nearest
from dynamix.expressions.nodes import Condition
from dynamix.fields.base import Field
from dynamix.fields.element import Element
from dynamix.model.running import connection_of, schema_of
from dynamix.schema import lookup
from dynamix.schema.declared import GlobalIndex, LocalIndex, Queried, VectorIndex
from dynamix.selection import Bounds, Search, check_fields, check_owned

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
        number = len(search.conditions) + len(search.filters)
        return f"<{search.schema.model_name}.{verb}(){index} with {number} conditions>"

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a query has no truth value before it is run; ask first() for a match, count() for their number, or "
            "get_items() for a page"
        )

    if not TYPE_CHECKING:  # a checker knows the methods

        def __getattr__(self, name: str) -> NoReturn:
            """Called for what is not there. Raises AttributeError, which suggests the nearest method."""
            kind = type(self).__name__
            near = None if name.startswith("_") else nearest(name, [n for n in dir(type(self)) if n[0] != "_"])
            advice = "" if near is None else f"; did you mean {near!r}?"
            raise AttributeError(f"a {kind} has no attribute {name!r}{advice}", name=name)

    def __reduce__(self) -> tuple[Any, ...]:
        search = self._search
        if search.convert is not None:
            raise TypeError(
                f"cannot pickle a {type(self).__name__.lower()} of a repository, which has a model of its own in each "
                "process; make it there, and give the processes what it is made of"
            )
        from dynamix.schema.kinds import MEMBERS  # which few programs need

        parts = {name: getattr(search, name) for name in search.__struct_fields__}
        parts["index"] = search.index.name
        model, kinds = search.schema.model, search.schema.kinds
        del parts["schema"]
        return _unpickled, (type(self), model if kinds is None else vars(model).get(MEMBERS, model), parts)

    def _with(self, **changes: Any) -> Self:
        return type(self)(replace(self._search, **changes), self._connection)

    def where(self, *conditions: Condition) -> Self:
        """Only what meets all conditions. Key conditions choose what is read; others filter what was read.

        Raises WrongTypeError for what is no condition, and InvalidQueryError for one on another model's field.
        """
        return self._with(conditions=self._search.conditions + self._checked("where", conditions))

    def filter(self, *conditions: Condition) -> Self:
        """Only what meets all conditions, which filter what was read: they never choose by key, nor an index.

        Raises the same.
        """
        return self._with(filters=self._search.filters + self._checked("filter", conditions))

    def select(self, *fields: Field[Any, Any]) -> Self:
        """Read only these fields and the keys; none: all that the index holds. Reading another one of an instance
        raises FieldNotLoadedError.

        Raises WrongTypeError or UnknownNameError for what is no field of the model.
        """
        check_fields(self._search.schema, self._search.schema.table, fields)
        return self._with(fields=fields)

    def limit(self, most: int) -> Self:
        """At most so many matches, all pages together."""
        return self._with(limit=whole("limit", most))

    def page_size(self, most: int) -> Self:
        """Each request looks at no more than so many items, whether they match or not."""
        return self._with(page_size=whole("page_size", most))

    def max_pages(self, most: int) -> Self:
        """Send at most so many requests, for one read or one iteration as a whole.

        What is read then ends with ReadLimitError unless everything was looked at; a page of `get_items()` just ends
        with its cursor.
        """
        return self._bounded(pages=whole("max_pages", most))

    def max_units(self, most: float) -> Self:
        """Send no further request once so many read units were consumed, which one page may pass. See `max_pages`."""
        return self._bounded(units=positive("max_units", most))

    def max_seconds(self, most: float) -> Self:
        """Read for so many seconds at most, with what is done between the pages of an iteration. See `max_pages`."""
        return self._bounded(seconds=positive("max_seconds", most))

    def start_key(self, cursor: Cursor | str | Mapping[str, Any] | None) -> Self:
        """Go on where the cursor of an earlier page says; None starts at the beginning.

        It is given as it is, as its text, or as the service's own LastEvaluatedKey. Raises InvalidCursorError for a
        damaged text, and when the query is sent, for a cursor that cannot continue it: of another table, index,
        direction or partition, of a place that its conditions rule out, or of another `cursor_key`.
        """
        if isinstance(cursor, str):
            decoded(cursor)
        elif not isinstance(cursor, Cursor | Mapping | None):
            raise WrongTypeError(
                f"start_key() takes a cursor, its text, a LastEvaluatedKey or None, not {cursor!r}",
                field="",
                value=cursor,
            )
        return self._with(begin=cursor)

    def consistent(self, consistent: bool = True) -> Self:
        """Read what was stored before the request, at twice the cost. Global indexes cannot."""
        return self._with(consistent=consistent)

    def _bounded(self, **changes: Any) -> Self:
        return self._with(bounds=replace(self._search.bounds or Bounds(), **changes))

    def _checked(self, method: str, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        """The same conditions, if they are some, on fields of the model."""
        for condition in conditions:
            if not isinstance(condition, Condition):
                raise WrongTypeError(
                    f"{method}() takes conditions such as {self._search.index.hash_key}.eq(...), not {condition!r}",
                    field="",
                    value=condition,
                )
            check_owned(self._search.schema, condition)
        return conditions

    def _on_index(self, index: str | Field[Any, Any] | Queried | None) -> Self:
        schema = self._search.schema
        if index is None:
            return self._with(index=schema.table, chosen=True)
        if isinstance(index, str):
            return self._with(index=schema.index(index), chosen=True)
        if isinstance(index, VectorIndex):
            raise InvalidQueryError(f"{index} is a vector index, which {schema.model_name}.search() reads, no query")
        if isinstance(index, GlobalIndex | LocalIndex):
            return self._with(index=lookup.index_declared(schema, index), chosen=True)
        if isinstance(index, Element):
            raise WrongTypeError(
                f"{index} is an element of a field, and an index sorts by a whole one", field="", value=index
            )
        if not isinstance(index, Field):
            raise WrongTypeError(
                f"use_index() takes an index, its name or a field, not {index!r}", field="", value=index
            )
        return self._with(index=lookup.index_on(schema, index), chosen=True)


def _unpickled(made: Any, model: Any, parts: dict[str, Any]) -> Searching[Any]:
    """A query or scan that was pickled, of the model, or of all of some, as it is here."""
    if isinstance(model, tuple):
        from dynamix.schema.kinds import standing_for  # which few programs need

        model = standing_for(model)
    schema, name = schema_of(model), parts["index"]
    search = Search(schema, **{**parts, "index": schema.table if name is None else schema.index(name)})
    searching: Searching[Any] = made(search, partial(connection_of, model))
    return searching


def whole(method: str, most: int) -> int:
    """The same number, if it is a whole one above 0."""
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InvalidQueryError(f"{method}() takes an int of 1 or more, not {most!r}")
    return most


def positive(method: str, most: float) -> float:
    """The same number, if it is above 0."""
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 < most < float("inf"):
        raise InvalidQueryError(f"{method}() takes a number above 0, not {most!r}")
    return most
