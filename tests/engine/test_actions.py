"""The four actions, made without a request."""

from collections.abc import Iterator

import pytest

from dynamix.engine.actions.action import Guard
from dynamix.engine.actions.check import Check
from dynamix.engine.actions.delete import Delete
from dynamix.engine.actions.put import Put
from dynamix.engine.actions.update import Update
from dynamix.engine.evaluate.updates import BoundUpdate, CompiledUpdate
from dynamix.engine.faults import Fault
from dynamix.engine.storage.database import Storage
from dynamix.expressions import nodes
from engine.database import Database, wire

KEY = wire({"a": "x"})


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()
    database.create("a:S")
    yield database
    database.engine.close()


@pytest.fixture
def storage(database: Database) -> Storage:
    return database.engine._session()


def _set(name: str, number: int) -> BoundUpdate:
    update = nodes.Update(((nodes.Path((name,)), nodes.Placeholder(":n")),), (), (), ())
    return BoundUpdate(CompiledUpdate(update), {":n": {"N": str(number)}})


def test_actions_are_made_of_table_key_and_expressions(database: Database, storage: Storage) -> None:
    """Put, update, delete and check work on a table and a key, whatever asks for them."""
    with storage.writing() as catalog:
        table = catalog.table("tab")
        key = table.keys.encode(KEY)
        item = wire({"a": "x", "n": 1})
        put = Put(table, key, item, 5).run(catalog)
        assert (put.old, put.new) == (None, (5, b'{"a":{"S":"x"},"n":{"N":"1"}}'))
        guard = Guard(lambda item: "n" in item)
        update = Update(table, key, KEY, _set("n", 2), guard).run(catalog)
        assert (update.before, update.after) == (item, wire({"a": "x", "n": 2}))
        assert Check(table, key, KEY, guard).run(catalog).new == update.new
    assert database.get(a="x") == wire({"a": "x", "n": 2})
    with storage.writing() as catalog:
        assert Delete(catalog.table("tab"), key, KEY).run(catalog).old == update.new
    assert database.get(a="x") is None


def test_a_guard_that_fails_shows_the_item_where_it_is_told_to(database: Database, storage: Storage) -> None:
    """The refusal of a guarded action has the item as it was, if the guard shows it."""
    database.put(a="x", n=1)
    for shows in (False, True):
        with storage.reading() as catalog:
            table = catalog.table("tab")
            check = Check(table, table.keys.encode(KEY), KEY, Guard(lambda item: False, shows))
            with pytest.raises(Fault, match="conditional request failed") as caught:
                check.run(catalog)
        assert caught.value.members == ({"Item": wire({"a": "x", "n": 1})} if shows else {})


def test_an_update_of_the_key_is_no_action(storage: Storage, database: Database) -> None:
    """An update that can never be done is refused when it is made."""
    with storage.reading() as catalog, pytest.raises(Fault, match="This attribute is part of the key"):
        Update(catalog.table("tab"), b"", KEY, _set("a", 2))
