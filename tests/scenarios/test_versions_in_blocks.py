"""Versions and hooks hold inside the blocks of transactions and batches as they do outside."""

from typing import Any

import pytest

import dynamix
from dynamix import CharField, IntegerField, InvalidUpdateError, Model, TransactionCanceledError, VersionField
from places import Place

CALLED: list[tuple[str, str]] = []


class Sheet(Model):
    name = CharField(hash_key=True)
    title = CharField()
    count = IntegerField()
    version = VersionField()

    def before_save(self) -> None:
        CALLED.append(("save", self.name))

    def before_delete(self) -> None:
        CALLED.append(("delete", self.name))

    def after_load(self) -> None:
        CALLED.append(("load", self.name))


@pytest.fixture(autouse=True)
def _table(place: Place) -> None:
    dynamix.create_table(Sheet)
    CALLED.clear()


def stored(name: str = "a") -> Sheet:
    return Sheet.get_or_raise(name=name, consistent=True)


def create_and_save(name: str, sheet: Sheet) -> None:
    """Both in one transaction."""
    with dynamix.transaction() as tx:
        tx.create(Sheet, name=name)
        tx.save(sheet)


def test_a_transaction_checks_and_raises_the_version() -> None:
    """Of what it saves; who holds an older one is refused, and nothing of the transaction is stored."""
    Sheet.create(name="a", title="t")
    mine, yours = stored(), stored()
    with dynamix.transaction() as tx:
        mine.title = "mine"
        tx.save(mine)
    assert (stored().title, stored().version) == ("mine", mine.version)
    assert mine.version == (yours.version or 0) + 1
    yours.title = "yours"
    with pytest.raises(TransactionCanceledError, match=r"changed by others since it was loaded: Sheet\.version") as it:
        create_and_save("b", yours)
    assert it.value.reasons[1].item == stored()
    assert not Sheet.exists(name="b", consistent=True)
    assert stored().title == "mine"
    mine.title = "again"
    mine.save()


def test_a_new_item_of_a_transaction_has_a_version() -> None:
    """As one that is created otherwise, by which it can be saved then."""
    with dynamix.transaction() as tx:
        sheet = tx.create(Sheet, name="a", title="t")
    assert sheet.version is not None
    assert stored() == sheet
    sheet.title = "u"
    sheet.save()
    with pytest.raises(InvalidUpdateError, match=r"Sheet\.version=5 was given"), dynamix.transaction() as tx:
        tx.create(Sheet, name="b", version=5)


def test_a_transaction_deletes_the_version_that_was_loaded() -> None:
    """Another one is a conflict."""
    Sheet.create(name="a", title="t")
    mine, yours = stored(), stored()
    mine.title = "new"
    mine.save()
    with pytest.raises(TransactionCanceledError, match=r"Sheet\.version"), dynamix.transaction() as tx:
        tx.delete(yours)
    with dynamix.transaction() as tx:
        tx.delete(mine)
    assert not Sheet.exists(name="a", consistent=True)


def test_an_update_without_loading_raises_the_version_unchecked() -> None:
    """Who loaded the item before is refused after it."""
    Sheet.create(name="a", title="t")
    yours = stored()
    with dynamix.transaction() as tx:
        tx.update(Sheet, Sheet.count.add(1), name="a")
    assert stored().version == (yours.version or 0) + 1
    yours.title = "late"
    with pytest.raises(dynamix.VersionConflict):
        yours.save()


def test_hooks_are_called_once_for_each_action() -> None:
    """Before anything is sent; what a transaction reads is loaded."""
    kept, gone = Sheet.create(name="a"), Sheet.create(name="b")
    CALLED.clear()
    with dynamix.transaction() as tx:
        tx.create(Sheet, name="c")
        kept.title = "new"
        tx.save(kept)
        tx.delete(gone)
    assert CALLED == [("save", "c"), ("save", "a"), ("delete", "b")]
    CALLED.clear()
    found: Any = dynamix.transact_get(Sheet.key_of(name="a"), Sheet.key_of(name="b"), Sheet.key_of(name="a"))
    assert [sheet and sheet.name for sheet in found] == ["a", None, "a"]
    assert CALLED == [("load", "a")]


def test_a_batch_refuses_what_it_cannot_check() -> None:
    """It takes no conditions, so it stores and deletes no instance at a version; keys it deletes."""
    sheet = Sheet.create(name="a")
    with dynamix.batch() as b:
        with pytest.raises(InvalidUpdateError, match=r"cannot look at Sheet\.version; store each by save\(\)"):
            b.put(Sheet, name="b")
        with pytest.raises(InvalidUpdateError, match=r"cannot look at Sheet\.version; delete each instance"):
            b.delete(sheet)
        b.delete(Sheet.key_of(name="a"))
    assert not Sheet.exists(name="a", consistent=True)
    assert not Sheet.exists(name="b", consistent=True)


class Article(Model):
    title = CharField(hash_key=True)
    slug = CharField(required=True)

    def before_save(self) -> None:
        self.slug = self.title.lower()


def test_a_hook_may_complete_what_a_block_is_given() -> None:
    """What it sets is stored, and needs not be given."""
    dynamix.create_table(Article)
    with dynamix.transaction() as tx:
        tx.create(Article, title="One")
        tx.put(Article, title="Two")
    with dynamix.batch() as b:
        b.put(Article, title="Three")
    Article.create(title="Four")
    assert {article.slug for article in Article.scan().consistent()} == {"one", "two", "three", "four"}


class Note(Model):
    name = CharField(hash_key=True)

    def before_save(self) -> None:
        CALLED.append(("save", self.name))

    def before_delete(self) -> None:
        CALLED.append(("delete", self.name))


def test_hooks_are_called_as_a_batch_is_given_its_writes() -> None:
    """Once for each instance that it stores or deletes."""
    dynamix.create_table(Note)
    with Note.batch() as b:
        b.put({"name": "a"})
        b.delete(b.put(Note, name="b"))
        b.delete({"name": "c"})
    assert CALLED == [("save", "a"), ("save", "b"), ("delete", "b")]
    assert [note.name for note in Note.scan().consistent()] == ["a"]
