"""One PartiQL statement, checked before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dynamix.codec import values
from dynamix.errors import InvalidQueryError, StoredValueError, WrongTypeError
from dynamix.fields.base import Field
from dynamix.operations import partiql_text
from dynamix.operations.indexes import Held
from dynamix.schema.index import Index
from dynamix.schema.table import Table
from dynamix.wire import AttributeValue, Item

Parse: TypeAlias = Callable[[Item], Any]


class Plan(Struct, frozen=True):
    """A statement that was checked: its JSON members, its verb, and what becomes of an item that it finds.

    `table` is that of its model, if it has one, and `index` the index of it that is read. The result of `parse` is None
    for an item that its model hides, for a guard of unique values, and for an item of another model.
    """

    body: dict[str, Any]
    verb: str
    parse: Parse
    table: Table[Any] | None
    index: Index | None = None
    parser: Callable[[Held], Parse] | None = None

    def knowing(self, held: Held) -> Plan:
        """The same, which knows what the index really holds."""
        assert self.parser is not None  # noqa: S101 - the caller has looked
        return replace(self, parse=self.parser(held))

    @property
    def reads(self) -> bool:
        """Whether it stores nothing."""
        return self.verb == "SELECT"


def plan(
    statement: str,
    parameters: Sequence[Any],
    table: Table[Any] | None,
    scan: bool,
    consistent: bool | None,
    by_default: bool = False,
) -> Plan:
    """Check a statement. `by_default` says whether it reads consistently, where it can and nothing else is said.

    Raises InvalidQueryError, WrongTypeError or FieldValidationException.
    """
    words = partiql_text.tokens(statement)
    expected = partiql_text.parameters(words)
    if expected != len(parameters):
        raise InvalidQueryError(
            f"{statement!r} has {expected} question marks, and {len(parameters)} parameters were given"
        )
    body: dict[str, Any] = {"Statement": statement}
    if parameters:
        body["Parameters"] = [_encoded(number, parameter) for number, parameter in enumerate(parameters)]
    verb = partiql_text.verb(words)
    if consistent is None and by_default and verb == "SELECT" and _can_be_consistent(words, table):
        consistent = True
    if consistent is not None:
        body["ConsistentRead"] = consistent
    if verb == "SELECT" and not scan:
        _check_key(statement, words, table)
    place = partiql_text.place(words) if verb == "SELECT" else None
    if place is None or place[1] is None or table is None:
        return Plan(body, verb, _parser(statement, words, table, place, Held(None)), table)
    index = table.schema.index(place[1])
    parser = partial(_parser, statement, words, table, place)
    return Plan(body, verb, parser(Held(table.schema.projection.loaded_from(index))), table, index, parser)


def _can_be_consistent(words: list[partiql_text.Token], table: Table[Any] | None) -> bool:
    """Whether a SELECT reads a table or a local index; of a global one no read is consistent."""
    place = partiql_text.place(words)
    if place is None or place[1] is None:
        return place is not None
    return table is not None and table.schema.index(place[1]).local


def _encoded(number: int, parameter: Any) -> AttributeValue:
    """A parameter in DynamoDB's form: a value, or a pair of a field and a value that is stored as the field does."""
    if isinstance(parameter, tuple) and len(parameter) == 2 and isinstance(parameter[0], Field):
        field, value = parameter
        literal: AttributeValue = field._literal(value)
        return literal
    try:
        return values.encode(parameter)
    except values.UnstorableError as error:
        raise WrongTypeError(
            f"parameter {number + 1}: {error}; or give a pair (Model.field, value), which is stored as the field does",
            field="",
            value=parameter,
        ) from error


def _check_key(statement: str, words: list[partiql_text.Token], table: Table[Any] | None) -> None:
    """Refuse a SELECT that may read a whole table."""
    place = partiql_text.place(words)
    if table is None or place is None:
        raise InvalidQueryError(
            f"{statement!r} may read the whole table; give model=, whose key is known, or scan=True"
        )
    index = table.schema.table if place[1] is None else table.schema.index(place[1])
    if len(index.hash_keys) > 1 or len(index.range_keys) > 1:
        raise InvalidQueryError(
            f"PartiQL cannot read the index {index.name!r}, whose key has several attributes in one place; query it"
        )
    if not partiql_text.chooses(words, index.hash_key.name):
        raise InvalidQueryError(
            f"{statement!r} reads the whole {'table' if place[1] is None else 'index'}, since no condition says that "
            f"{index.hash_key.name!r} equals a value; add one with AND, or give scan=True"
        )


def _parser(
    statement: str,
    words: list[partiql_text.Token],
    table: Table[Any] | None,
    place: tuple[str, str | None] | None,
    in_index: Held,
) -> Parse:
    """What makes a result of an item that the statement found in a `place`, None for one that it wrote."""
    if table is None:
        return lambda item: {name: values.decode(value) for name, value in item.items()}
    schema = table.schema
    if place is not None and place[0] != table.name:
        raise InvalidQueryError(
            f"{statement!r} reads the table {place[0]!r}; that of {schema.model_name} is {table.name!r}"
        )
    if place is None and any(word.keyword == "MODIFIED" for word in words):
        raise InvalidQueryError(
            "RETURNING MODIFIED gives parts of items, of which no instance is made; leave out model="
        )
    held = None if place is None else _held(statement, words, table, place, in_index.attributes)
    projection = schema.projection
    sure = projection.sure_of(held)
    if not in_index.sure:
        sure = projection.keys_of_index(schema.index(str(place and place[1])))
    reader = schema.codec.reader(table.name, held, sure)

    def parse(item: Item) -> Any:
        if schema.is_guard(item) or schema.existence.foreign(item) is not None:
            return None
        try:
            found = reader.instance(item)
        except StoredValueError as error:
            error.table = table.name
            raise
        if schema.existence.hides(vars(found)):
            return None
        if schema.hooks.after_load is not None:
            schema.hooks.after_load(found)
        return found

    return parse


def _held(
    statement: str,
    words: list[partiql_text.Token],
    table: Table[Any],
    place: tuple[str, str | None],
    held: frozenset[str] | None,
) -> frozenset[str] | None:
    """The attributes that the instances found have, None for all, where that has these of which they are read."""
    schema = table.schema
    try:
        names = partiql_text.selected(words)
    except ValueError as error:
        raise InvalidQueryError(
            f"{statement!r} selects {error}, which is no whole attribute and makes no instance; leave out model="
        ) from error
    if names is None:
        return held
    needed = (
        *schema.table.keys,
        *schema.projection.telling(schema.table if place[1] is None else schema.index(place[1])),
    )
    if missing := [field.name for field in needed if field.name not in names]:
        raise InvalidQueryError(
            f"{statement!r} does not select {' and '.join(map(repr, missing))}, without which no instance of "
            f"{schema.model_name} is made; select it too, or leave out model="
        )
    chosen = frozenset(attribute for attribute, field in schema.fields.items() if field.name in names)
    if schema.versions is not None and schema.versions.field.name in names:
        chosen |= {schema.versions.field.attribute}
    return chosen if held is None else chosen & held
