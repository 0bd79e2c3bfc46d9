"""Removing the rows that nobody needs any more, in many small transactions, between which others work."""

from collections.abc import Callable

from dynamix.engine.data import discarded
from dynamix.engine.storage.database import Storage


def clear(storage: Storage, stopped: Callable[[], bool] = lambda: False) -> None:
    """Remove what was discarded, by whomever, until nothing is left or `stopped` says so."""
    with storage.reading() as catalog:
        left = discarded.is_any(catalog.execute)
    while left and not stopped():
        with storage.writing() as catalog:
            left = discarded.remove_some(catalog.execute)
