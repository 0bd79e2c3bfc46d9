"""The bodies of requests, made of table, key or item, and expressions. They send nothing and know no model.

A write has one body wherever it stands. On its own it is the request; in a transaction the same body stands under
`Put`, `Update`, `Delete` or `ConditionCheck`, where only `returns` has no place. A get of a transaction is the body of
`get` under `Get`, where `consistent` has no place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from dynamix.expressions.nodes import Condition
from dynamix.late import later
from dynamix.wire import Item, SentItem

if TYPE_CHECKING:
    from dynamix.expressions import render, texts
else:
    later(globals(), render="dynamix.expressions.render", texts="dynamix.expressions.texts")

Body: TypeAlias = dict[str, Any]
"""The members of a request, or of a part of one, by name."""

Returns: TypeAlias = Literal["ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]
"""What the answer of a write tells of the item."""


class _Found(msgspec.Struct):
    item: Item | None = msgspec.field(name="Item", default=None)


_found = msgspec.json.Decoder(_Found).decode


def found(answer: bytes) -> Item | None:
    """The item of the answer to a get, whatever else it tells."""
    return _found(answer).item


def get(table: str, key: Item, *, consistent: bool = False, only: Iterable[str] = ()) -> Body:
    """Read an item, or of it the attributes `only`."""
    body: Body = {"TableName": table, "Key": key}
    if only:
        placeholders = render.Placeholders()
        body["ProjectionExpression"] = ", ".join(map(placeholders.name, only))
        body["ExpressionAttributeNames"] = placeholders.names
    if consistent:
        body["ConsistentRead"] = True
    return body


def put(table: str, item: SentItem, condition: Condition | None = None, *, returns: Returns | None = None) -> Body:
    """Store a whole item. Raises InvalidQueryError for a condition that is too large."""
    return _write({"TableName": table, "Item": item}, condition, returns)


def delete(table: str, key: Item, condition: Condition | None = None, *, returns: Returns | None = None) -> Body:
    """Delete an item. Raises InvalidQueryError for a condition that is too large."""
    return _write({"TableName": table, "Key": key}, condition, returns)


def check(table: str, key: Item, condition: Condition) -> Body:
    """Only look whether a condition is met, in a transaction. Raises InvalidQueryError for one that is too large."""
    return _write({"TableName": table, "Key": key}, condition, None)


def update(table: str, key: Item, expressed: "texts.Texts", *, returns: Returns | None = None) -> Body:
    """Change an item. The texts are those that `updates.written.write` makes of what is to be changed."""
    body: Body = {"TableName": table, "Key": key}
    if expressed.update:
        body["UpdateExpression"] = expressed.update
    return _express(body, expressed, returns)


def batch_get(keys: Mapping[str, Sequence[Item]], *, consistent: bool = False) -> Body:
    """Read the items with many keys, which are given by table."""
    return {"RequestItems": {table: {"Keys": wanted, "ConsistentRead": consistent} for table, wanted in keys.items()}}


def batch_write(writes: Mapping[str, Sequence[Body | msgspec.Raw]]) -> Body:
    """Make many writes, which are given by table: what `batch_put` and `batch_delete` make, or the JSON of it."""
    return {"RequestItems": writes}


def batch_put(item: SentItem) -> Body:
    """Store a whole item, as a part of a batch."""
    return {"PutRequest": {"Item": item}}


def batch_delete(key: Item) -> Body:
    """Delete an item, as a part of a batch."""
    return {"DeleteRequest": {"Key": key}}


def name_and_value(body: Body, placeholders: "render.Placeholders") -> None:
    """Add the names and values that a request's expressions stand for."""
    if names := placeholders.names:
        body["ExpressionAttributeNames"] = names
    if placeholders.values:
        body["ExpressionAttributeValues"] = placeholders.values


def _write(body: Body, condition: Condition | None, returns: Returns | None) -> Body:
    if condition is not None:
        return _express(body, texts.checked(condition), returns)
    if returns is not None:
        body["ReturnValues"] = returns
    return body


def _express(body: Body, expressed: "texts.Texts", returns: Returns | None) -> Body:
    """The same with its expressions. Where its condition is not met, the answer brings the stored item."""
    if expressed.condition:
        body["ConditionExpression"] = expressed.condition
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    name_and_value(body, expressed.placeholders)
    if returns is not None:
        body["ReturnValues"] = returns
    return body
