"""Searches in vector indexes: which items are nearest to a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from dynamix.errors import IndexNotReadyError, InvalidQueryError, InvalidRequestError
from dynamix.expressions.nodes import Compare, Condition, Path, Value, all_of
from dynamix.expressions.render import Placeholders, render_condition, render_projection
from dynamix.expressions.walk import joined
from dynamix.operations import requests
from dynamix.operations.retry import RetryPolicy, request
from dynamix.schema.index import AnyField, Vectors
from dynamix.schema.table import Schema, Table
from dynamix.unreadable import readable
from dynamix.wire import AttributeValue, Call, Flow

M = TypeVar("M")


class Near(Struct, Generic[M], frozen=True, eq=False):
    """What is searched: the `top` items nearest to a vector that meet the conditions. `fields` are those to read, none
    meaning all that the index holds but the vector."""

    index: Vectors
    vector: list[AttributeValue]
    top: int
    conditions: tuple[Condition, ...]
    fields: tuple[AnyField, ...]


def search(policy: RetryPolicy, table: Table[M], near: Near[M]) -> Flow[list[tuple[M, float]]]:
    """The items with their scores, the nearest first. Raises IndexNotReadyError."""
    schema = table.schema
    fields = list(dict.fromkeys((*schema.table.keys, *_shown(schema, near))))
    read = schema.codec.reader(table.name, frozenset(field.attribute for field in fields)).page

    def scored(body: bytes) -> tuple[Any, list[float]]:
        found = _decode(body).results
        page = b'{"Items":[' + b",".join(bytes(result.item) for result in found) + b"]}"
        return read(page), [result.score for result in found]

    body = _body(table, near, fields)
    try:
        page, scores = yield from request(policy, Call("SearchVectors", msgspec.json.encode(body), scored))
    except InvalidRequestError as error:
        raise _explained(near.index, error) from error
    items, _ = readable(table, page.items, page.unread, "raise")
    pairs = [pair for pair in zip(items, scores, strict=True) if not schema.existence.hides(vars(pair[0]))]
    if schema.hooks.after_load is not None:
        for item, _ in pairs:
            schema.hooks.after_load(item)
    return pairs


def is_ready(policy: RetryPolicy, table: Table[M], near: Near[M]) -> Flow[bool]:
    """Whether the index can be searched: a search succeeds."""
    try:
        yield from search(policy, table, near)
    except IndexNotReadyError:
        return False
    return True


def checked(schema: Schema[Any], index: Vectors, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions of a search, each by itself. Raises InvalidQueryError for what the index cannot tell apart."""
    found = tuple(joined(conditions))
    if schema.kinds is not None:
        if not isinstance(schema.kinds.condition, Compare):
            raise InvalidQueryError(
                f"{schema.model_name} is a base of several models, and a search is of one of them; search that"
            )
        found = (*found, schema.kinds.condition)
    allowed = ", ".join(str(key) for key in index.keys) or "none"
    given = []
    for condition in found:
        match condition:
            case Compare("=", Path((str(name),)), Value()) if any(key.name == name for key in index.keys):
                given.append(name)
            case _:
                raise InvalidQueryError(
                    f"a search of the index {index.name!r} takes eq on its hash_key and filters alone, each by itself "
                    f"({allowed}); look through what it finds for the rest, or add a field to its filters"
                )
    if len({*given}) < len(given):
        raise InvalidQueryError(f"a search of the index {index.name!r} takes one condition on each field, not {given}")
    if index.hash_key is not None and index.hash_key.name not in given:
        raise InvalidQueryError(f"a search of the index {index.name!r} needs {index.hash_key}.eq(...), its hash_key")
    return found


def probe(schema: Schema[M], index: Vectors) -> Near[M]:
    """A search that only asks whether there can be one."""
    vector = [{"N": "1"}] * index.field.dimensions
    key = index.hash_key
    if key is None:
        return Near(index, vector, 1, (), schema.table.keys)
    any_value = {tag: text for tag, text in (("S", "x"), ("N", "0"), ("B", "eA==")) if tag == key.key_type}
    return Near(index, vector, 1, (Compare("=", key._path(), Value(any_value)),), schema.table.keys)


def _shown(schema: Schema[Any], near: Near[Any]) -> Iterator[AnyField]:
    """The fields that are read: those asked for, or what the index holds but its vector."""
    index = near.index
    if near.fields:
        yield from near.fields
    elif index.projection == "ALL":
        yield from (field for field in schema.fields.values() if field is not index.field)
    else:
        yield from (*index.keys, *(field for field in index.included if field is not index.field))
    if schema.hidden is not None:
        yield schema.hidden


def _body(table: Table[Any], near: Near[Any], fields: Sequence[AnyField]) -> dict[str, Any]:
    placeholders = Placeholders()
    body: dict[str, Any] = {
        "TableName": table.name,
        "IndexName": near.index.name,
        "SearchVector": near.vector,
        "TopK": near.top,
    }
    if near.conditions:
        body["SearchConditionExpression"] = render_condition(all_of(near.conditions), placeholders)
    names = dict.fromkeys(field.name for field in fields)
    body["ProjectionExpression"] = render_projection(tuple(Path((name,)) for name in names), placeholders)
    requests.name_and_value(body, placeholders)
    return body


def _explained(index: Vectors, error: InvalidRequestError) -> InvalidRequestError | IndexNotReadyError:
    """What to raise for an index that cannot be searched yet, or at all."""
    message = str(error)
    if "backfilling vector index" in message:
        reason = "is still being filled; search again later"
    elif "does not have the specified index" in message:
        reason = "is not there, or is just being made; dynamix.update_table(...) adds what is missing and waits"
    else:
        return error
    told = IndexNotReadyError(
        f"the vector index {index.name!r} {reason}: {message}",
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
    told.index = index.name
    return told


class _Result(Struct):
    item: Raw = msgspec.field(name="Item")
    score: float = msgspec.field(name="Score")


class _Results(Struct):
    results: list[_Result] = msgspec.field(name="SearchResults")


_decode = msgspec.json.Decoder(_Results).decode
