"""Methods of a model that are called before an instance is stored or deleted, and after one was loaded."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import dynamix
from dynamix import CharField, IntegerField, ListField, Model, ModelDefinitionError, VersionField
from places import Place

CALLS: list[str] = []


class Hooked(Model):
    """A model that notes which of its hooks are called."""

    key = CharField(hash_key=True)
    title = CharField()
    slug = CharField(required=True)
    items = ListField()
    version = VersionField()

    def before_save(self) -> None:
        CALLS.append(f"save {self.key}")
        self.slug = (self.title or "none").lower()

    def before_delete(self) -> None:
        CALLS.append(f"delete {self.key}")

    def after_load(self) -> None:
        CALLS.append(f"load {self.key}")
        self._shown = f"<{self.title}>"


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Hooked)
    CALLS.clear()


def calls(action: Callable[[], object]) -> list[str]:
    """What the hooks note while something is done."""
    CALLS.clear()
    action()
    return list(CALLS)


def loaded() -> Hooked:
    return Hooked.get_or_raise(key="k", consistent=True)


def test_before_an_instance_is_stored() -> None:
    """Each call that stores has the hook called once, whose changes are stored with it; an unloaded item has none."""
    made = Hooked(key="k", title="One")
    assert calls(made.save) == ["save k"]
    assert loaded().slug == "one"
    made.title = "Two"
    assert calls(made.save) == ["save k"]
    assert loaded().slug == "two"
    made.set_field(Hooked.title, "Three")
    assert calls(made.commit_changes) == ["save k"]
    assert loaded().slug == "three"
    assert calls(lambda: made.save(overwrite=True)) == ["save k"]
    assert calls(lambda: Hooked.create(key="c", title="C")) == ["save c"]
    batch = [{"key": "a", "title": "A"}, Hooked(key="b")]
    assert calls(lambda: Hooked.batch_write(batch, unchecked=True)) == ["save a", "save b"]
    assert calls(lambda: Hooked.get_or_create({"title": "G"}, key="g")) == ["save g"]
    assert sorted(item.slug for item in Hooked.scan()) == ["a", "c", "g", "none", "three"]
    assert calls(lambda: Hooked.modify(lambda item: item.set_field(Hooked.title, "M"), key="k")) == ["load k", "save k"]
    assert loaded().slug == "m"


def test_before_an_instance_is_deleted() -> None:
    """The hook is called once of each instance; what is given by its key has none."""
    made = Hooked.create(key="k")
    assert calls(made.delete) == ["delete k"]
    (one,) = Hooked.batch_write([{"key": "a"}], unchecked=True)
    assert calls(lambda: Hooked.batch_delete([one, {"key": "b"}], unchecked=True)) == ["delete a"]
    assert calls(lambda: Hooked.delete_by_key(key="k")) == []


def test_after_an_instance_was_loaded() -> None:
    """Whatever brings an instance has the hook called once of it, and what the hook puts there stays."""
    made = Hooked.create(key="k", title="T")
    one: dict[str, Callable[[], Any]] = {
        "get": loaded,
        "batch": lambda: Hooked.batch_get({"key": "k"}, consistent=True)[0],
        "query": lambda: Hooked.query().where(Hooked.key == "k").first(),
        "scan": lambda: next(iter(Hooked.scan())),
        "again": lambda: Hooked.scan(Hooked.title).get_items(requery_for_all_projections=True)[0][0],
        "refresh": made.refresh,
        "get or create": lambda: Hooked.get_or_create(key="k", consistent=True)[0],
    }
    for bring in one.values():
        CALLS.clear()
        found = bring()
        assert (found._shown, CALLS) == ("<T>", ["load k"])
    with pytest.raises(dynamix.ItemExistsError) as caught:
        Hooked(key="k").save()
    assert caught.value.item._shown == "<T>"
    assert calls(lambda: Hooked.delete_by_key(key="k", returns="old")) == ["load k"]
    assert calls(lambda: Hooked.get(key="k")) == []


def test_what_it_changes_in_a_refreshed_instance_is_saved(place: Place) -> None:
    """The hook is called with the instance that is loaded again, so what it changes there is queued there."""

    class Completed(Model):
        key = CharField(hash_key=True)
        title = CharField()

        def after_load(self) -> None:
            if self.title is None:
                self.title = "none"

    dynamix.create_table(Completed)
    made = Completed.create(key="k")
    assert made.refresh().title == "none"
    made.save()
    assert place.stored_item(Completed, key="k") == {"key": {"S": "k"}, "title": {"S": "none"}}


def test_twins_call_them_as_well() -> None:
    """The async verbs call the same hooks, which are plain methods."""

    async def work() -> None:
        made = await Hooked.acreate(key="k", title="T")
        await made.set_field(Hooked.title, "U").acommit_changes()
        await Hooked.aget(key="k")
        await made.asave()
        await made.adelete()

    assert calls(lambda: asyncio.run(work())) == ["save k", "save k", "load k", "save k", "delete k"]


def test_an_error_of_a_hook() -> None:
    """It comes out of the call; before a write nothing is sent, and the instance can be stored later."""

    class Strict(Model):
        key = CharField(hash_key=True)
        number = IntegerField()

        def before_save(self) -> None:
            if self.number is None:
                raise LookupError("no number")

        def after_load(self) -> None:
            if self.number == 13:
                raise LookupError("thirteen")

    dynamix.create_table(Strict)
    made = Strict(key="k")
    for write in (made.save, lambda: Strict.create(key="k"), lambda: Strict.batch_write([{"key": "k"}])):
        with pytest.raises(LookupError, match="no number"):
            write()
    assert not Strict.exists(key="k")
    made.number = 13
    made.save()
    with pytest.raises(LookupError, match="thirteen"):
        Strict.get(key="k", consistent=True)
    made.number = None
    with pytest.raises(LookupError, match="no number"):
        made.commit_changes()


class Keyed(Model):
    """Its hook completes the key."""

    __table_name__ = "keyed"

    key = CharField(hash_key=True)
    name = CharField()

    def before_save(self) -> None:
        if self.key is None and self.name is not None:
            self.key = self.name.casefold()


def test_a_key_that_a_hook_gives() -> None:
    """A transaction goes by the key that an instance has after its hook: it stores and checks that item, and refuses a
    second write of it."""
    dynamix.create_table(Keyed)
    with dynamix.transaction() as tx:
        tx.create(Keyed, name="A")
        tx.save(Keyed(name="B"))
    assert {keyed.key for keyed in Keyed.scan()} == {"a", "b"}

    def transact(*instances: Keyed, checked: str | None = None) -> None:
        with dynamix.transaction() as tx:
            for instance in instances:
                tx.create(instance)
            if checked is not None:
                tx.check(Keyed, Keyed.name == "x", key=checked)

    for second in (Keyed(name="C"), Keyed(key="c", name="x")):
        with pytest.raises(
            dynamix.InvalidUpdateError, match="key='c' is written twice in this transaction, by create and"
        ):
            transact(Keyed(name="C"), second)
    with pytest.raises(dynamix.TransactionCanceledError) as caught:
        transact(Keyed(name="D"), checked="d")
    assert len(caught.value.reasons) == 2
    with pytest.raises(dynamix.MissingKeyError):
        transact(Keyed())
    assert {keyed.key for keyed in Keyed.scan()} == {"a", "b"}


def test_text_that_a_hook_cannot_write() -> None:
    """Its own UnicodeEncodeError comes out as it is; that of a value which no item can hold names the field."""

    class Written(Model):
        key = CharField(hash_key=True)
        title = CharField()

        def before_save(self) -> None:
            if self.title is None:
                "\ud800".encode()

    dynamix.create_table(Written)
    with pytest.raises(UnicodeEncodeError):
        Written.create(key="k")
    with pytest.raises(dynamix.FieldValidationException, match="title cannot hold"):
        Written.create(key="k", title="\ud800")


def test_what_is_no_hook() -> None:
    """A field of such a name is a field; an async method or another value is refused when the model is used first."""

    class Named(Model):
        key = CharField(hash_key=True)
        before_save = CharField()
        after_load = CharField()

    dynamix.create_table(Named)
    Named.create(key="k", before_save="x", after_load="y")
    assert Named.get_or_raise(key="k", consistent=True).after_load == "y"

    class Later(Model):
        key = CharField(hash_key=True)

        async def before_save(self) -> None: ...

    class Value(Model):
        key = CharField(hash_key=True)
        after_load = 5

    for model, message in ((Later, "is an async method"), (Value, "is 5")):
        with pytest.raises(ModelDefinitionError, match=message):
            model(key="k")


def test_hooks_of_a_subclass() -> None:
    """A model inherits hooks, and may have its own, which call those of its parent by `super()`."""

    class Child(Hooked):
        __table_name__ = "child"

        def before_save(self) -> None:
            super().before_save()
            CALLS.append("child")

    dynamix.create_table(Child)
    assert calls(lambda: Child.create(key="k")) == ["save k", "child"]
    assert calls(lambda: Child.get(key="k", consistent=True)) == ["load k"]


def test_repeats_call_nothing(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    """A request that is sent again has the hooks called once."""
    transport = place.connection._open()
    send, failures = transport.send, [1, 1]

    def failing(*args: Any, **kw: Any) -> Any:
        if failures:
            failures.pop()
            raise dynamix.ConnectError("refused")
        return send(*args, **kw)

    monkeypatch.setattr(transport, "send", failing)
    assert calls(lambda: Hooked.create(key="k")) == ["save k"]
    failures += [1, 1]
    assert calls(lambda: Hooked.get(key="k", consistent=True)) == ["load k"]
