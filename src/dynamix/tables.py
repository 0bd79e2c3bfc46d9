"""The tables of models."""

import warnings
from collections.abc import Sequence

from dynamix.differences import TableDifference
from dynamix.model.declaration import Model
from dynamix.model.running import arun, connection_of, run, schema_of
from dynamix.model.writing import alone
from dynamix.operations import companions


def create_table(model: type[Model], *, force: bool = False) -> None:
    """Create the model's table with its indexes, and wait until it is active.

    An existing table is left alone, with a warning where it differs from the model; `force=True` drops it first, with
    all its items. A table that several models share is made with the indexes of all of them that are declared by now.
    """
    _forget(alone(model) if force else model)
    _warn(model, run(model, companions.create, force))


async def acreate_table(model: type[Model], *, force: bool = False) -> None:
    """See `create_table`."""
    _forget(alone(model) if force else model)
    _warn(model, await arun(model, companions.create, force))


def _forget(model: type[Model]) -> None:
    """The connection looks at the table's indexes anew when it next reads one."""
    connection = connection_of(model)
    connection.indexes.forget(schema_of(model).at(connection.table_prefix).name)


def compare_table(model: type[Model]) -> list[TableDifference]:
    """How the model's table differs from the model, one value for each difference; nothing where it does not.

    Raises TableNotFoundError.
    """
    return run(model, companions.compare)


async def acompare_table(model: type[Model]) -> list[TableDifference]:
    """See `compare_table`."""
    return await arun(model, companions.compare)


def update_table(model: type[Model]) -> list[TableDifference]:
    """Make an existing table as the model is, and return how it differed. No item is changed or lost by it.

    Global indexes are added and removed one at a time, and each is waited for, also until it is filled, which takes
    hours for a large table; billing mode, throughput and deletion protection are set. Where the table differs in
    anything else, TableDiffersError says in what, and nothing is changed. Raises TableNotFoundError.
    """
    _forget(model)
    return run(model, companions.update)


async def aupdate_table(model: type[Model]) -> list[TableDifference]:
    """See `update_table`."""
    _forget(model)
    return await arun(model, companions.update)


def _warn(model: type[Model], differences: Sequence[TableDifference]) -> None:
    if differences:
        told = "; ".join(map(str, differences))
        warnings.warn(f"the existing table of {model.__name__} differs from the model: {told}", stacklevel=3)
