"""How a verb of a model runs: on the table that its class describes, over the connection in force.

The verbs call functions of modules, never methods of the model, since a model's own fields may have any name but those
that stand in `names.METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from dynamix.connection import Connection
from dynamix.current import current
from dynamix.errors import InvalidQueryError, InvalidUpdateError, WrongTypeError
from dynamix.expressions.nodes import Condition
from dynamix.late import later
from dynamix.operations.explained import explaining
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.describe import schema_of as schema_of
from dynamix.schema.table import Table
from dynamix.wire import Flow

if TYPE_CHECKING:
    from dynamix.expressions import renamed, walk
else:
    later(globals(), renamed="dynamix.expressions.renamed", walk="dynamix.expressions.walk")

M = TypeVar("M")
P = ParamSpec("P")
R = TypeVar("R")


def connection_of(model: type[Any]) -> Connection:
    """The model's own connection, or the one in force."""
    own: Connection | None = model.__connection__
    return own or current()


def checked(model: type[Any], condition: Condition | None) -> Condition | None:
    """The same condition, as what is stored has to meet it. Raises what `check_condition` raises."""
    return None if condition is None else check_condition(model, condition)


def check_condition(model: type[Any], condition: object) -> Condition:
    """The same condition, as what is stored has to meet it.

    Refuses what is no condition, by WrongTypeError, and one on fields of another model, by InvalidQueryError.
    """
    if not isinstance(condition, Condition):
        raise WrongTypeError(
            f"{condition!r} is not a condition; give such as {schema_of(model).table.hash_key}.exists()",
            field="",
            value=condition,
        )
    schema = schema_of(model)
    for path in walk.paths(condition):
        if path.source is not None and not schema.owns(path.source):
            raise InvalidQueryError(f"{path.source} is not a field of {model.__name__}")
    return renamed.under_both(condition, schema.projection.old_names) if schema.projection.old_names else condition


def refuse_base(model: type[Any]) -> None:
    """Raise InvalidUpdateError for a base of several models, whose items only their own models write."""
    kinds = schema_of(model).kinds
    if kinds is not None and kinds.own is None:
        names = ", ".join(sorted(member.__name__ for member in kinds.models.values())) or "a model derived from it"
        raise InvalidUpdateError(
            f"{model.__name__} is a base, and what is written by key or in a batch needs the model of the item: "
            f"{names}; or get the item, and change or delete its instance"
        )


def run(
    model: type[M], flow: Callable[Concatenate[RetryPolicy, Table[M], P], Flow[R]], *args: P.args, **kw: P.kwargs
) -> R:
    """Runs a flow on the model's table, blocking, and returns its result."""
    connection = connection_of(model)
    table = schema_of(model).at(connection.table_prefix)
    return connection.run(explaining(flow, connection.retry, table, *args, **kw))


async def arun(
    model: type[M], flow: Callable[Concatenate[RetryPolicy, Table[M], P], Flow[R]], *args: P.args, **kw: P.kwargs
) -> R:
    """Runs a flow on the model's table under asyncio, and returns its result."""
    connection = connection_of(model)
    table = schema_of(model).at(connection.table_prefix)
    return await connection.arun(explaining(flow, connection.retry, table, *args, **kw))
