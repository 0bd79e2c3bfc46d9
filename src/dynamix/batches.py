"""Batches over several models: blocks that store and delete items, and reads of many keys."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dynamix.codec.names import Key
from dynamix.connection import Connection
from dynamix.current import current
from dynamix.errors import InvalidQueryError, WrongTypeError
from dynamix.model.batching import Batch
from dynamix.model.declaration import Model
from dynamix.model.running import connection_of, schema_of
from dynamix.operations.batch import get_any
from dynamix.schema.table import Table
from dynamix.unreadable import OnError, check_on_error
from dynamix.wire import Item

M = TypeVar("M", bound=Model)


def batch(*, progress: Callable[[int], object] | None = None) -> Batch[Model]:
    """A block that stores and deletes any number of items of any models, with `with` or `async with`.

    Of several writes of one key the last stands. `progress` is called with the number of writes that were made so far,
    after each round of requests. See Batch.
    """
    return Batch(None, progress)


def batch_get(*keys: Key[M] | M, consistent: bool | None = None, on_error: OnError = "raise") -> list[M]:
    """The instances with these keys of any models, in the order given; duplicates and what does not exist are left out.

    A key is `Model.key_of(...)`, `get_primary_key_dict()` or an instance. `on_error` is as in `Model.batch_get`. Raises
    InvalidQueryError for models of two connections, and BatchIncompleteError where the service would not answer all.
    """
    connection, wanted = _wanted(keys)
    return connection.run(get_any(connection.retry, wanted, consistent, check_on_error(on_error)))


async def abatch_get(*keys: Key[M] | M, consistent: bool | None = None, on_error: OnError = "raise") -> list[M]:
    """See `batch_get`."""
    connection, wanted = _wanted(keys)
    return await connection.arun(get_any(connection.retry, wanted, consistent, check_on_error(on_error)))


def _wanted(keys: Sequence[Any]) -> tuple[Connection, list[tuple[Table[Any], Item]]]:
    """The connection, and the keys to ask for over it, with their tables."""
    connection: Connection | None = None
    wanted: list[tuple[Table[Any], Item]] = []
    for position, key in enumerate(keys):
        if not isinstance(key, Key | Model):
            raise WrongTypeError(
                f"{key!r}, at position {position}, does not say of which model it is; give such as Model.key_of(...), "
                "the get_primary_key_dict() of an instance, or an instance",
                field="",
                value=key,
            )
        model = key.model if isinstance(key, Key) else type(key)
        own = connection_of(model)
        connection = connection or own
        if own is not connection:
            raise InvalidQueryError(
                f"{model.__name__} uses another connection than the models before it; call batch_get for each place"
            )
        schema = schema_of(model)
        wire = schema.key.from_names(key) if isinstance(key, Key) else schema.key.of(vars(key))
        wanted.append((schema.at(own.table_prefix), wire))
    return connection or current(), wanted
