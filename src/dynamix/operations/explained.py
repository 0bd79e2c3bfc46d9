"""Errors of flows on tables, which say which table they are about."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from dynamix.errors import DynamixError, StoredValueError, TableNotFoundError
from dynamix.late import later
from dynamix.operations.retry import RetryPolicy
from dynamix.schema.table import Table
from dynamix.wire import Flow

if TYPE_CHECKING:
    from dynamix.operations import unwritable
else:
    later(globals(), unwritable="dynamix.operations.unwritable")

M = TypeVar("M")
P = ParamSpec("P")
T = TypeVar("T")


def explained(tables: Iterable[Table[Any]], error: TableNotFoundError) -> TableNotFoundError:
    """What to raise in place of an error that does not say which of the tables does not exist and how to make it."""
    models = {table.name: table.schema.model_name for table in tables}
    each = ", ".join(f"{name!r} of {model}" for name, model in models.items())
    which = "the table" if len(models) == 1 else "one of the tables"
    model = next(iter(models.values())) if len(set(models.values())) == 1 else "<its model>"
    return TableNotFoundError(
        f"{which} {each} does not exist; create it with dynamix.create_table({model})",
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )


def explaining(
    flow: Callable[Concatenate[RetryPolicy, Table[M], P], Flow[T]],
    policy: RetryPolicy,
    table: Table[M],
    *args: P.args,
    **kw: P.kwargs,
) -> Flow[T]:
    """A flow on a table whose errors say which table it is, which does not exist, which text could not be written."""
    try:
        return (yield from flow(policy, table, *args, **kw))
    except TableNotFoundError as error:
        if isinstance(error.__cause__, TableNotFoundError):  # it was explained where more was known
            raise
        raise explained((table,), error) from error
    except UnicodeEncodeError as error:
        if not unwritable.is_own(error):  # of a hook
            raise
        raise unwritable.no_text(table.schema, error, *args) from error
    except StoredValueError as error:
        error.table = error.table or table.name  # that of another model, where a hook of the user's own has read it
        raise
    except DynamixError as error:
        if error._doubt is not None:
            error._doubt.about((table,))
        raise
