"""What a query or scan would do, told without sending anything: `print(query.explain())`."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from dynamix.errors import WrongTypeError
from dynamix.expressions.nodes import Compare, Condition, all_of
from dynamix.expressions.shown import shown_condition
from dynamix.expressions.walk import paths
from dynamix.operations.asking import body_of, chosen, hiding, look, settled, target
from dynamix.operations.retry import RetryPolicy
from dynamix.operations.segments import in_segment
from dynamix.schema.table import Table
from dynamix.selection import Search, Selection

_UNIT = 4096
"""The bytes that one unit reads at once; half a unit where the read is not consistent."""
_PAGE = 2**20
"""The bytes that a request looks at, at most."""


class Explanation(Struct, frozen=True):
    """What a query or scan would do. `str()` of it is for people.

    `operation` is "Query" or "Scan", `index` None for the table itself. `key_condition` and `filter` are texts, None
    for none. `projection` are the fields that are read, None for all. `request` is the body of the first request.
    `units` are the read units that reading everything takes at least and at most, None where the table's size is not
    known. Of a scan in segments it is the first request of the first one.
    """

    operation: str
    table: str
    index: str | None
    key_condition: str | None
    filter: str | None
    projection: tuple[str, ...] | None
    request: dict[str, Any]
    units: tuple[float, float] | None
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        place = self.table if self.index is None else f"{self.table}, index {self.index}"
        lines = [f"{self.operation} of {place}"]
        for name, value in (
            ("key condition", self.key_condition),
            ("filter", self.filter),
            ("reads", "all fields" if self.projection is None else ", ".join(self.projection)),
            ("units", None if self.units is None else _range(*self.units)),
        ):
            if value is not None:
                lines.append(f"  {name + ':':<15}{value}")
        return "\n".join(lines + [f"  warning: {warning}" for warning in self.warnings])


def explain(
    policy: RetryPolicy,
    table: Table[Any],
    search: Search[Any],
    selection: Selection,
    description: Mapping[str, Any] | None,
) -> Explanation:
    """What a search would do. `description` is that of its table, from which its size is known."""
    search, selection = settled(policy, search), hiding(search, selection)
    if search.segments is not None:
        search = in_segment(policy, table, search, 0, {}, search.limit)
    body = body_of(table, search, selection)
    if search.limit is not None:
        body["Limit"] = look(search, selection, 0, search.limit)
    if search.start is not None and search.start.key:
        body["ExclusiveStartKey"] = search.start.key
    index, held = search.index, search.schema.projection.loaded_from(search.index)
    attributes = held
    if search.fields:
        attributes = frozenset(field.attribute for field in chosen(search))
    shown = None if attributes is None else tuple(name for name in search.schema.fields if name in attributes)
    return Explanation(
        target(search),
        table.name,
        index.name,
        _text(selection.key),
        _text(selection.filters),
        shown,
        body,
        None if description is None else _units(search, selection, description),
        tuple(_warnings(search, selection)),
    )


def _text(conditions: tuple[Condition, ...]) -> str | None:
    return shown_condition(all_of(conditions)) if conditions else None


def _range(least: float, most: float) -> str:
    return f"{most:g}" if least == most else f"{least:g} to {most:g}"


def _warnings(search: Search[Any], selection: Selection) -> Iterable[str]:
    index = search.index
    place = "table" if index.name is None else "index"
    if not search.keyed:
        yield f"a scan reads the whole {place}, whatever it filters"
    elif selection.filters:
        names = sorted({str(path.source or path.parts[0]) for c in selection.filters for path in paths(c)})
        yield (
            f"the filter on {', '.join(names)} leaves out what was read already: all that the key condition finds is "
            "looked at, and paid for"
        )
    if search.keyed and index.name is not None and not search.chosen:
        yield f"the index {index.name!r} was taken as the only one that can serve; use_index() says so in the program"
    if not search.fields and search.schema.projection.loaded_from(index) is None:
        yield "all fields are sent; select() sends fewer, though reading costs the same"


def _units(search: Search[Any], selection: Selection, description: Mapping[str, Any]) -> tuple[float, float]:
    """The least and the most units that reading everything takes, by the size of the table."""
    try:
        size, count = _size(search, description)
    except (KeyError, TypeError) as error:
        raise WrongTypeError(
            "explain() takes the description of the table, the `Table` of an answer to DescribeTable",
            field="description",
            value=description,
        ) from error
    item = math.ceil(size / count) if count else 0
    most = size
    if _is_of_one_item(search, selection):
        most = item
    elif search.limit is not None and not selection.filters:
        most = min(size, item * search.limit)
    bounds = search.bounds
    if bounds is not None and bounds.pages is not None:
        page = _PAGE if search.page_size is None else min(_PAGE, item * search.page_size)
        most = min(most, page * bounds.pages)
    reads_all = not search.keyed and search.limit is None and bounds is None
    return _paid(search, most if reads_all else min(item, most)), _paid(search, most)


def _size(search: Search[Any], description: Mapping[str, Any]) -> tuple[int, int]:
    """The bytes and the number of items of a table or index."""
    name = search.index.name
    if name is None:
        return description["TableSizeBytes"], description["ItemCount"]
    for group in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in description.get(group) or ():
            if index["IndexName"] == name:
                return index["IndexSizeBytes"], index["ItemCount"]
    raise KeyError(name)


def _is_of_one_item(search: Search[Any], selection: Selection) -> bool:
    """Whether a search names the whole key of the table."""
    equal = sum(isinstance(c, Compare) and c.operator == "=" for c in selection.key)
    return search.keyed and search.index.name is None and equal == len(search.index.keys)


def _paid(search: Search[Any], size: int) -> float:
    return max(1, math.ceil(size / _UNIT)) * (1.0 if search.consistent else 0.5)
