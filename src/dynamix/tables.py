"""The tables of models."""

import warnings

from dynamix.model.declaration import Model
from dynamix.model.running import arun, connection_of, run, schema_of
from dynamix.operations import tables


def create_table(model: type[Model], *, force: bool = False) -> None:
    """Create the model's table with its indexes, and wait until it is active.

    An existing table is left alone, with a warning where its keys or indexes differ from the model's; `force=True`
    drops it first, with all its items.
    """
    _forget(model)
    _warn(model, run(model, tables.create, force))


async def acreate_table(model: type[Model], *, force: bool = False) -> None:
    """See `create_table`."""
    _forget(model)
    _warn(model, await arun(model, tables.create, force))


def _forget(model: type[Model]) -> None:
    """The connection looks at the table's indexes anew when it next reads one."""
    connection = connection_of(model)
    connection.indexes.forget(schema_of(model).at(connection.table_prefix).name)


def _warn(model: type[Model], differences: list[str]) -> None:
    if differences:
        warnings.warn(
            f"the existing table of {model.__name__} differs from the model: {'; '.join(differences)}", stacklevel=3
        )
