"""PartiQL: statements as text, with their parameters beside them."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

from msgspec import Struct

from dynamix.connection import Connection
from dynamix.current import current
from dynamix.errors import InvalidQueryError, WrongTypeError
from dynamix.model.declaration import Model
from dynamix.model.running import connection_of, schema_of
from dynamix.operations import statements
from dynamix.operations.statement import Plan, plan
from dynamix.operations.statements import Rows

M = TypeVar("M")
N = TypeVar("N", bound=Model)


class Statement(Struct, Generic[M], frozen=True):
    """A PartiQL statement for `partiql_batch` and `partiql_transaction`, see `partiql` for its parts.

    In a batch, a SELECT names the whole key of one item. A transaction, which reads as of one moment, takes no
    `consistent`.
    """

    text: str
    parameters: Sequence[Any] = ()
    model: type[M] | None = None
    consistent: bool | None = None


@overload
def partiql(
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    model: type[N],
    scan: bool = False,
    consistent: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Rows[N]: ...
@overload
def partiql(
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    scan: bool = False,
    consistent: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Rows[dict[str, Any]]: ...
def partiql(
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    model: type[Any] | None = None,
    scan: bool = False,
    consistent: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Rows[Any]:
    """Run a PartiQL statement and return the rows that it found: instances of `model`, or else dicts.

    Values go into `parameters`, one for each `?`: a value, or a pair `(Model.field, value)`, which is stored as the
    field does. A SELECT reads all pages, or at most `limit` rows from `cursor` on; the list's own `cursor` tells where
    to go on. One whose conditions do not name the partition key needs `scan=True`. Tables are named as they are stored.

    A write that may have been applied is not repeated: it raises OutcomeUnknownError. Statements know nothing of
    versions, unique values, automatic times and hooks. Raises InvalidQueryError before anything is sent.
    """
    connection, planned = _planned(statement, parameters, model, scan, consistent)
    return connection.run(
        statements.execute(connection.retry, connection.indexes, planned, _checked_limit(limit), cursor)
    )


@overload
async def apartiql(
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    model: type[N],
    scan: bool = False,
    consistent: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Rows[N]: ...
@overload
async def apartiql(
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    scan: bool = False,
    consistent: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Rows[dict[str, Any]]: ...
async def apartiql(
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    model: type[Any] | None = None,
    scan: bool = False,
    consistent: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Rows[Any]:
    """See `partiql`."""
    connection, planned = _planned(statement, parameters, model, scan, consistent)
    return await connection.arun(
        statements.execute(connection.retry, connection.indexes, planned, _checked_limit(limit), cursor)
    )


def partiql_batch(*asked: Statement[M]) -> list[M | None]:
    """Run any number of statements, each for itself, and return the row of each or None.

    Raises StatementsFailedError where some failed; the others did their work.
    """
    connection, plans = _all_planned(asked)
    return connection.run(statements.batch(connection.retry, plans))


async def apartiql_batch(*asked: Statement[M]) -> list[M | None]:
    """See `partiql_batch`."""
    connection, plans = _all_planned(asked)
    return await connection.arun(statements.batch(connection.retry, plans))


def partiql_transaction(*asked: Statement[M], token: str | None = None) -> list[M | None]:
    """Run up to 100 statements together or not at all, all of them reads or all writes, and return the row of each or
    None.

    `token` is as in `transaction`. Raises TransactionCanceledError, whose `reasons` are in the order of the statements.
    """
    connection, plans = _all_planned(asked, in_transaction=True)
    return connection.run(statements.transaction(connection.retry, plans, token))


async def apartiql_transaction(*asked: Statement[M], token: str | None = None) -> list[M | None]:
    """See `partiql_transaction`."""
    connection, plans = _all_planned(asked, in_transaction=True)
    return await connection.arun(statements.transaction(connection.retry, plans, token))


def _planned(
    text: str,
    parameters: Sequence[Any],
    model: type[Any] | None,
    scan: bool,
    consistent: bool | None,
    in_transaction: bool = False,
) -> tuple[Connection, Plan]:
    """The connection, and the statement after its checks."""
    if not isinstance(text, str):
        raise WrongTypeError(f"a statement is a str, not {text!r}", field="", value=text)
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Sequence):
        raise WrongTypeError(f"parameters are a list, not {parameters!r}", field="", value=parameters)
    connection = current() if model is None else connection_of(model)
    table = None if model is None else schema_of(model).at(connection.table_prefix)
    if in_transaction and consistent is not None:
        raise InvalidQueryError("a transaction reads as of one moment; leave out consistent=")
    by_default = connection.retry.consistent and not in_transaction
    return connection, plan(text, parameters, table, scan, consistent, by_default)


def _all_planned(asked: Sequence[Statement[Any]], *, in_transaction: bool = False) -> tuple[Connection, list[Plan]]:
    """The connection, and the statements after their checks. One of a batch reads one item, so none of them scans."""
    connection: Connection | None = None
    plans = []
    for one in asked:
        if not isinstance(one, Statement):
            raise WrongTypeError(f"give Statement(...), not {one!r}", field="", value=one)
        own, planned = _planned(one.text, one.parameters, one.model, True, one.consistent, in_transaction)
        connection = connection or own
        if own is not connection:
            raise InvalidQueryError("the models of these statements use several connections; one request has one place")
        plans.append(planned)
    return connection or current(), plans


def _checked_limit(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidQueryError(f"limit={limit!r} is not a number of rows; give 1 or more")
    return limit
