"""The writes of a fault run: how each is made, and how often it turns out to be applied.

Every write has an item (a batch: items) of its own, so what is stored at the end is what it did, once or twice or not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import dynamix

BATCH = 30
"""The items of a batch to store: more than one request takes."""


class Thing(dynamix.Model):
    """What is written."""

    __table_name__ = "thing"

    key = dynamix.CharField(hash_key=True)
    count = dynamix.IntegerField()
    version = dynamix.IntegerField()
    text = dynamix.CharField()
    words = dynamix.ListField()
    tags = dynamix.SetField()
    data = dynamix.DictField()

    @classmethod
    def transact(cls, *, key: str) -> None:
        """Adds to two items, and checks a third."""
        with dynamix.transaction() as tx:
            cls._ask(tx, key)

    @classmethod
    async def atransact(cls, *, key: str) -> None:
        """The same in a task."""
        async with dynamix.transaction() as tx:
            cls._ask(tx, key)

    @classmethod
    def _ask(cls, tx: dynamix.Transaction, key: str) -> None:
        tx.update(cls, cls.count.add(1), condition=cls.version == 1, key=f"{key}-0")
        tx.update(cls, cls.count.add(1), cls.words.append("new"), key=f"{key}-1")
        tx.check(cls, cls.text.not_exists(), key=f"{key}-2")

    @classmethod
    def transact_parts(cls, *, key: str) -> None:
        """Adds to two items on the way through a map that is not there."""
        with dynamix.transaction() as tx:
            cls._ask_parts(tx, key)

    @classmethod
    async def atransact_parts(cls, *, key: str) -> None:
        """The same in a task."""
        async with dynamix.transaction() as tx:
            cls._ask_parts(tx, key)

    @classmethod
    def _ask_parts(cls, tx: dynamix.Transaction, key: str) -> None:
        for number in range(2):
            tx.update(cls, cls.data["b"]["c"].set(1), cls.count.add(1), key=f"{key}-{number}")

    @classmethod
    def in_a_block(cls, put: list[dict[str, Any]], delete: list[dict[str, Any]]) -> None:
        """Stores and deletes in the block of a batch."""
        with cls.batch() as b:
            for values in put:
                b.put(values)
            for key in delete:
                b.delete(key)

    @classmethod
    async def ain_a_block(cls, put: list[dict[str, Any]], delete: list[dict[str, Any]]) -> None:
        """The same in asyncio."""
        async with cls.batch() as b:
            for values in put:
                await b.aput(values)
            for key in delete:
                await b.adelete(key)


BEFORE: dict[str, Any] = {
    "count": 0,
    "version": 1,
    "text": "old",
    "words": ["a", "b", "c"],
    "tags": {"x"},
    "data": {"a": 1},
}
"""What is stored of each item, apart from its key, before it is written."""

HALF = -1
"""How often a write of two requests was applied of which the first was."""

UNCLEAR = 9
"""How often a write was applied that left what no number of writes leaves."""


@dataclass(frozen=True)
class Write:
    """A kind of write.

    `queue` prepares an instance, the one that is stored or a new one, and `verb` is the method that sends; without it,
    that is the class's. `arguments` makes its arguments from the key; `actions` come before them. `applied` says how
    often it was, from the item, None where there is none.
    """

    verb: str
    applied: Callable[[Thing | None], int]
    queue: Callable[[Thing], object] | None = None
    arguments: Callable[[str], dict[str, Any]] | None = None
    stored_before: bool = True
    batch: int = 0
    actions: tuple[dynamix.Action, ...] = ()

    def keys(self, key: str) -> list[str]:
        """The keys of the items that it writes."""
        return [f"{key}-{number}" for number in range(self.batch)] if self.batch else [key]

    def call(self, key: str, stored: list[Thing]) -> tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]:
        """The method, its async twin, and the arguments; `stored` are the instances that were stored before."""
        if self.queue is None:
            owner: Any = Thing
        else:
            owner = stored[0] if self.stored_before else Thing(key=key)
            self.queue(owner)
        arguments = self.arguments(key) if self.arguments is not None else {}
        calls = (partial(getattr(owner, verb), *self.actions) for verb in (self.verb, f"a{self.verb}"))
        return *calls, arguments


def of(name: str, *states: Any) -> Callable[[Thing | None], int]:
    """How often a write was applied, from the value that an attribute has when it was not, once, twice, ..."""

    def applied(thing: Thing | None) -> int:
        value = None if thing is None else getattr(thing, name)
        return states.index(value) if value in states else UNCLEAR

    return applied


def _guarded(thing: Thing) -> None:
    thing.set_field(Thing.text, "new")
    thing.add_to_field(Thing.version, 1)
    thing.set_modify_conditions(Thing.version == 1)


def _both(thing: Thing) -> None:
    thing.add_to_setfield(Thing.tags, {"y"})
    thing.delete_from_setfield(Thing.tags, {"x"})


def _words(thing: Thing) -> None:
    thing.update_to_dict_field(Thing.data, {"b": 2})
    thing.remove_from_dict_field(Thing.data, ["a"])


def _text(thing: Thing) -> None:
    thing.text = "new"


def _edit_keys(thing: Thing) -> None:
    thing.data["b"] = 2
    del thing.data["a"]


def _edit_members(thing: Thing) -> None:
    thing.tags.add("y")
    thing.tags.remove("x")


def _edit_and_add(thing: Thing) -> None:
    thing.add_to_field(Thing.count, 1)
    thing.data["b"] = 2


def _renewed(thing: Thing | None) -> int:
    return HALF if thing is not None and thing.tags == {"x", "y"} else of("tags", {"x"}, {"y"})(thing)


def _gone(thing: Thing | None) -> int:
    return int(thing is None)


def commit(queue: Callable[[Thing], object], applied: Callable[[Thing | None], int]) -> Write:
    """A kind of commit."""
    return Write("commit_changes", applied, queue)


def update(applied: Callable[[Thing | None], int], *actions: dynamix.Action, **options: Any) -> Write:
    """A kind of update without loading."""
    return Write("update_by_key", applied, arguments=lambda key: {"key": key, **options}, actions=actions)


def save(edit: Callable[[Thing], object], applied: Callable[[Thing | None], int], **arguments: Any) -> Write:
    """A way to save."""
    return Write("save", applied, edit, lambda key: arguments)


WRITES: dict[str, Write] = {
    "add": commit(lambda thing: thing.add_to_field(Thing.count, 1), of("count", 0, 1, 2, 3)),
    "append": commit(
        lambda thing: thing.append_to_listfield(Thing.words, "new"),
        of("words", *[["a", "b", "c", *["new"] * times] for times in range(4)]),
    ),
    "set": commit(lambda thing: thing.set_field(Thing.text, "new"), of("text", "old", "new")),
    "commit on a condition": commit(_guarded, of("version", 1, 2, 3)),
    "add to and delete from a set": commit(_both, _renewed),
    "keys of a map": commit(_words, of("data", {"a": 1}, {"b": 2})),
    "replace by index": commit(
        lambda thing: thing.replace_by_index_in_listfield(Thing.words, 1, "new"),
        of("words", ["a", "b", "c"], ["a", "new", "c"]),
    ),
    "remove by index": commit(
        lambda thing: thing.remove_by_index_from_listfield(Thing.words, 0),
        of("words", ["a", "b", "c"], ["b", "c"], ["c"], []),
    ),
    "several changes of one list": commit(
        lambda thing: thing.change(Thing.words.prepend("new"), Thing.words.append("new")),
        of("words", *[[*["new"] * times, "a", "b", "c", *["new"] * times] for times in range(4)]),
    ),
    "set without loading": update(
        of("text", "old", "new"), Thing.text.set("new"), Thing.tags.add({"y"}), returns="new"
    ),
    "add without loading": update(of("count", 0, 1, 2, 3), Thing.count.add(1), upsert=True),
    "make a map without loading": update(of("data", {"a": 1}, {"a": 1, "b": {"c": 1}}), Thing.data["b"]["c"].set(1)),
    "append in a map without loading": update(
        of("data", *[{"a": 1} | ({"b": ["x"] * times} if times else {}) for times in range(4)]),
        Thing.data["b"].append("x"),
    ),
    "compute without loading": update(of("count", 0, 2, 4, 6), Thing.count.set(Thing.count + 2)),
    "update on a condition": update(
        of("version", 1, 2, 3), Thing.version.add(1), Thing.text.set("new"), condition=Thing.version == 1
    ),
    "save a new one": Write("save", of("text", None, "new"), _text, stored_before=False),
    "save keys of a map": save(_edit_keys, of("data", {"a": 1}, {"b": 2})),
    "save what was appended": save(
        lambda thing: thing.words.append("new"), of("words", *[["a", "b", "c", *["new"] * times] for times in range(4)])
    ),
    "save an element": save(
        lambda thing: thing.words.__setitem__(1, "new"), of("words", ["a", "b", "c"], ["a", "new", "c"])
    ),
    "save a list without its first": save(
        lambda thing: thing.words.pop(0), of("words", ["a", "b", "c"], ["b", "c"], ["c"], [])
    ),
    "save a member": save(lambda thing: thing.tags.add("y"), of("tags", {"x"}, {"x", "y"})),
    "save members that come and go": save(_edit_members, of("tags", {"x"}, {"y"})),
    "save edits beside what is queued": save(_edit_and_add, of("count", 0, 1, 2, 3)),
    "save if unchanged": save(_text, of("text", "old", "new"), if_unchanged=True),
    "save whole": save(_text, of("text", "old", "new"), overwrite=True),
    "save on a condition": save(_text, of("text", "old", "new"), condition=Thing.version == 1),
    "create on a condition": Write(
        "create",
        of("text", None, "new"),
        arguments=lambda key: {"key": key, "text": "new", "condition": Thing.key.not_exists()},
        stored_before=False,
    ),
    "delete and return": Write("delete_by_key", _gone, arguments=lambda key: {"key": key, "returns": "old"}),
    "create": Write(
        "create", of("text", None, "new"), arguments=lambda key: {"key": key, "text": "new"}, stored_before=False
    ),
    "create what must be new": Write(
        "create",
        of("text", None, "new"),
        arguments=lambda key: {"key": key, "text": "new", "overwrite": False},
        stored_before=False,
    ),
    "delete": Write("delete", _gone, lambda thing: None),
    "delete on a condition": Write("delete", _gone, lambda thing: thing.set_modify_conditions(Thing.version == 1)),
    "batch_write": Write(
        "batch_write",
        of("text", None, "new"),
        arguments=lambda key: {"items_or_dicts": [{"key": f"{key}-{n}", "text": "new"} for n in range(BATCH)]},
        stored_before=False,
        batch=BATCH,
    ),
    "transaction": Write("transact", of("count", 0, 1, 2, 3), arguments=lambda key: {"key": key}, batch=2),
    "transaction planned anew": Write(
        "transact_parts", of("count", 0, 1, 2, 3), arguments=lambda key: {"key": key}, batch=2
    ),
    "batch_delete": Write(
        "batch_delete",
        _gone,
        arguments=lambda key: {"keys": [{"key": f"{key}-{n}"} for n in range(5)]},
        batch=5,
    ),
    "batch block that stores": Write(
        "in_a_block",
        of("text", None, "new"),
        arguments=lambda key: {"put": [{"key": f"{key}-{n}", "text": "new"} for n in range(BATCH)], "delete": []},
        stored_before=False,
        batch=BATCH,
    ),
    "batch block that deletes": Write(
        "in_a_block",
        _gone,
        arguments=lambda key: {"put": [], "delete": [{"key": f"{key}-{n}"} for n in range(BATCH)]},
        batch=BATCH,
    ),
}
