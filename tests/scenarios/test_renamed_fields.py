"""Fields that had another name: items are read, found, changed and stored, whichever of the two they have."""

from typing import Any, ClassVar

import pytest

import dynamix
from places import Place


class Page(dynamix.Model):
    """Each kind of field has another name than before."""

    __table_name__ = "pages"
    __secondary_indexes__: ClassVar = {
        "wide": {"hash_key": "kind", "projections": "ALL"},
        "narrow": {"hash_key": "kind", "projections": ["title", "note"]},
    }
    key = dynamix.CharField(hash_key=True)
    kind = dynamix.CharField(default="page")
    title = dynamix.CharField(was="name", default="untitled")
    views = dynamix.IntegerField(was="hits")
    tags = dynamix.SetField(was="labels", of=str)
    log = dynamix.ListField(was="history")
    words = dynamix.DictField(was="w")
    note = dynamix.CharField()


OLD: dict[str, Any] = {
    "key": {"S": "k"},
    "kind": {"S": "page"},
    "name": {"S": "Emma"},
    "hits": {"N": "3"},
    "labels": {"SS": ["a", "b"]},
    "history": {"L": [{"S": "x"}]},
    "w": {"M": {"the": {"N": "1"}}},
    "other": {"S": "kept"},
}
NEW: dict[str, Any] = {
    "key": {"S": "k"},
    "kind": {"S": "page"},
    "title": OLD["name"],
    "views": OLD["hits"],
    "tags": OLD["labels"],
    "log": OLD["history"],
    "words": OLD["w"],
    "other": {"S": "kept"},
}


@pytest.fixture
def table(place: Place) -> Place:
    """The place, with a table of pages."""
    dynamix.create_table(Page)
    return place


def put(place: Place, item: dict[str, Any]) -> None:
    """Store an item as another program would."""
    place.call("PutItem", TableName=place.table_name(Page), Item=item)


def stored(place: Place) -> Any:
    """The item that is stored, its sets in order."""
    item = place.stored_item(Page, key="k") or {}
    return {name: {"SS": sorted(wire["SS"])} if "SS" in wire else wire for name, wire in item.items()}


def test_both_names_are_read(table: Place) -> None:
    """By every read, whole or of chosen fields; where both are there, the new one counts."""
    put(table, OLD)
    put(table, {**NEW, "key": {"S": "new"}})
    put(table, {**OLD, "key": {"S": "both"}, "title": {"S": "Newer"}})
    put(table, {"key": {"S": "none"}, "kind": {"S": "page"}, "title": {"NULL": True}, "name": {"S": "no"}})
    pages = {page.key: page for page in Page.scan()}
    for way in (
        Page.scan().all(),
        Page.query().use_index("wide").where(Page.kind == "page").all(),
        Page.batch_get(*[{"key": key} for key in pages]),
        [Page.get_or_raise(key=key) for key in pages],
    ):
        assert {page.key: page for page in way} == pages
    assert (pages["k"].title, pages["k"].views, pages["k"].tags) == ("Emma", 3, {"a", "b"})
    assert (pages["k"].log, pages["k"].words, pages["k"].undeclared) == (["x"], {"the": 1}, {"other": "kept"})
    assert pages["new"] == pages["k"].replace(key="new")
    assert (pages["both"].title, pages["none"].title) == ("Newer", "untitled")
    (part,) = Page.scan(Page.title, Page.views).where(Page.key == "k")
    assert (part.title, part.views) == ("Emma", 3)
    chosen = Page.get(Page.tags, key="k")
    assert chosen is not None
    assert chosen.tags == {"a", "b"}
    assert Page.from_item(OLD) == pages["k"]


def test_a_save_moves_what_was_read(table: Place) -> None:
    """With one update, changed or not; `commit_changes`, whole writes and transactions do the same."""
    put(table, OLD)
    page = Page.get_or_raise(key="k")
    assert page.save() is page
    assert stored(table) == NEW
    assert page.undeclared == {"other": "kept"}
    page.save()

    put(table, OLD)
    page = Page.get_or_raise(key="k")
    page.title = "New"
    page.log.append("y")
    page.change(Page.views.add(4), Page.tags.add({"c"}), Page.words["of"].set(2))
    page.save()
    changed = {
        **NEW,
        "title": {"S": "New"},
        "log": {"L": [{"S": "x"}, {"S": "y"}]},
        "views": {"N": "7"},
        "tags": {"SS": ["a", "b", "c"]},
        "words": {"M": {"the": {"N": "1"}, "of": {"N": "2"}}},
    }
    assert stored(table) == changed
    assert Page.get_or_raise(key="k") == page

    put(table, OLD)
    page = Page.get_or_raise(key="k")
    page.views = None
    page.commit_changes()
    assert stored(table) == {name: wire for name, wire in NEW.items() if name != "views"}
    for write in (lambda page: page.save(overwrite=True), lambda page: Page.batch_write([page])):
        put(table, OLD)
        write(Page.get_or_raise(key="k"))
        assert stored(table) == NEW
    for change in (None, "New"):
        put(table, OLD)
        page = Page.get_or_raise(key="k")
        page.title = page.title if change is None else change
        with dynamix.transaction() as transaction:
            transaction.save(page)
        assert stored(table) == {**NEW, "title": {"S": change or "Emma"}}
        assert page.words == {"the": 1}
        page.note = "n"
        page.save()
        assert stored(table)["note"] == {"S": "n"}


def test_a_save_notices_other_writers(table: Place) -> None:
    """What an older program stored since under the old name is a conflict, not lost."""
    put(table, OLD)
    page = Page.get_or_raise(key="k")
    put(table, {**OLD, "hits": {"N": "4"}})
    page.title = "New"
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="hits"):
        page.save()
    with pytest.raises(dynamix.TransactionCanceledError, match="hits"), dynamix.transaction() as transaction:
        transaction.save(page)
    assert stored(table)["name"] == OLD["name"]
    page.refresh(discard=True).save()
    assert stored(table)["views"] == {"N": "4"}
    put(table, OLD)
    page = Page.get_or_raise(key="k")
    put(table, NEW)
    with pytest.raises(dynamix.ConditionalCheckFailedError, match="changed by others"):
        page.save()


def test_a_condition_looks_at_both(table: Place) -> None:
    """Of writes and of filters, also where it is about elements, and in any combination."""
    put(table, OLD)
    put(table, {**NEW, "key": {"S": "new"}})
    put(table, {"key": {"S": "neither"}, "kind": {"S": "page"}})
    both = ["k", "new"]
    conditions: list[tuple[dynamix.Condition, list[str]]] = [
        (Page.title == "Emma", both),
        (Page.title != "Emma", ["neither"]),
        (~(Page.title == "Emma"), ["neither"]),
        (Page.title.exists(), both),
        (Page.title.not_exists(), ["neither"]),
        (Page.words["the"].exists(), both),
        (Page.words["the"].not_exists(), ["neither"]),
        (Page.words["the"].between(0, 1) & Page.tags.contains("a"), both),
        (Page.log.size() > 0, both),
        ((Page.views == 4) | Page.title.begins_with("Em"), both),
        (Page.title.is_in(["Emma", "x"]) & (Page.key == "new"), ["new"]),
    ]
    for condition, keys in conditions:
        assert sorted(page.key for page in Page.scan().where(condition)) == keys
        assert [key for key in ("k", "neither", "new") if is_met(condition, key)] == keys
    wide = Page.query().use_index("wide").where(Page.kind == "page", Page.title == "Emma")
    assert sorted(page.key for page in wide) == both
    with pytest.raises(dynamix.ConditionalCheckFailedError):
        Page.delete_by_key(key="k", condition=Page.views != 3)
    page = Page.get_or_raise(key="k").add_modify_conditions(Page.views == 3)
    page.change(Page.note.set("n")).commit_changes()
    page = Page.get_or_raise(key="new")
    page.delete(condition=Page.views.unchanged())


class Stock(dynamix.Model):
    """What two models share, with an index whose partition key tells them apart."""

    __table_name__ = "stock"
    __secondary_indexes__: ClassVar = {"by_kind": {"hash_key": "kind", "projections": "ALL"}}

    kind = dynamix.DiscriminatorField(unknown="base")
    key = dynamix.CharField(hash_key=True)
    note = dynamix.CharField(was="remark")


class Book(Stock):
    """A field of this one had another name."""

    __discriminator__ = "book"

    size = dynamix.IntegerField(was="pages")


class Disc(Stock):
    """This one has fields of both names."""

    __discriminator__ = "disc"

    size = dynamix.IntegerField(was="minutes")
    pages = dynamix.IntegerField()


def test_a_base_looks_at_the_old_names_of_each_model(place: Place) -> None:
    """A filter, or a choice of fields, of a base or a Table of models finds what each of them would, and nothing of one
    model by the old names of another; an item that says of no model is one of a base that takes unknown ones."""
    dynamix.create_table(Stock)
    for key, item in {
        "old": {"kind": {"S": "book"}, "pages": {"N": "7"}, "remark": {"S": "x"}},
        "new": {"kind": {"S": "book"}, "size": {"N": "7"}},
        "disc": {"kind": {"S": "disc"}, "minutes": {"N": "7"}},
        "other": {"kind": {"S": "disc"}, "pages": {"N": "7"}},
        "none": {"pages": {"N": "7"}, "remark": {"S": "x"}},
    }.items():
        place.call("PutItem", TableName=place.table_name(Stock), Item={"key": {"S": key}, **item})
    for reads in (Stock, dynamix.Table(Book, Disc)):
        found = reads.scan()
        assert {one.key for one in found.where(Book.size == 7)} == {"old", "new", "disc"}
        assert {one.key for one in found.where(Book.size.exists())} == {"old", "new", "disc"}
        assert {one.key for one in found.where(Book.size.not_exists())} == {"other"} | (
            {"none"} if reads is Stock else set()
        )
        books = reads.query().use_index("by_kind").where(Stock.kind == "book", Book.size == 7)
        assert {one.key for one in books} == {"old", "new"}
        assert {one.size for one in reads.scan(Book.size).where(Stock.kind == "book")} == {7}
    assert {type(one) for one in Stock.scan().where(Stock.note == "x")} == {Stock, Book}


def is_met(condition: dynamix.Condition, key: str) -> bool:
    """Whether an item meets a condition, by the service."""
    try:
        with dynamix.transaction() as transaction:
            transaction.check(Page, condition, key=key)
    except dynamix.TransactionCanceledError:
        return False
    return True


@pytest.mark.parametrize("item", [OLD, NEW], ids=["old", "new"])
def test_a_change_without_loading_moves(table: Place, item: dict[str, Any]) -> None:
    """Each action does the same whichever name the value has, and stores the new one."""
    actions: list[tuple[dynamix.Action, str, Any]] = [
        (Page.title.set("New"), "title", {"S": "New"}),
        (Page.views.remove(), "views", None),
        (Page.views.add(2), "views", {"N": "5"}),
        (Page.views.set_if_missing(9), "views", OLD["hits"]),
        (Page.tags.add({"c"}), "tags", {"SS": ["a", "b", "c"]}),
        (Page.tags.delete({"a"}), "tags", {"SS": ["b"]}),
        (Page.log.append("y"), "log", {"L": [{"S": "x"}, {"S": "y"}]}),
        (Page.words["of"].set(2), "words", {"M": {"the": {"N": "1"}, "of": {"N": "2"}}}),
    ]
    old = {"title": "name", "views": "hits", "tags": "labels", "log": "history", "words": "w"}
    for upsert in (False, True):
        for action, name, form in actions:
            if upsert and name == "words":
                continue
            put(table, item)
            Page.update_by_key(action, key="k", upsert=upsert)
            now = stored(table)
            assert (now.get(name), old[name] in now) == (form, False)
            assert Page.get_or_raise(key="k").title == ("New" if name == "title" else "Emma")
            put(table, item)
            Page(key="k").change(action).commit_changes()
            assert stored(table).get(name) == form
            put(table, item)
            with dynamix.transaction() as transaction:
                transaction.update(Page, action, key="k")
            assert stored(table).get(name) == form
    with pytest.raises(dynamix.InvalidUpdateError, match="may still be stored as 'hits'"):
        Page.update_by_key(Page.views.set(Page.views + 1), key="k")


def test_an_index_of_some_attributes_may_lack_them(table: Place) -> None:
    """What it does not show may stand under the old name: it is not loaded, and cannot be filtered by."""
    put(table, OLD)
    (page,) = Page.query().use_index("narrow").where(Page.kind == "page")
    assert page.note is None
    with pytest.raises(dynamix.FieldNotLoadedError):
        page.title  # noqa: B018
    (page,) = dynamix.partiql(f'SELECT "key", title FROM "{table.table_name(Page)}"', scan=True, model=Page)
    with pytest.raises(dynamix.FieldNotLoadedError):
        page.title  # noqa: B018
    (page,) = Page.query(Page.title).use_index("narrow").where(Page.kind == "page")
    with pytest.raises(dynamix.FieldNotLoadedError):
        page.title  # noqa: B018
    with pytest.raises(dynamix.InvalidQueryError, match="may still be stored as 'name'"):
        Page.query().use_index("narrow").where(Page.kind == "page", Page.title == "Emma").all()
    (page,) = Page.query().use_index("narrow").where(Page.kind == "page").all(requery_for_all_projections=True)
    assert page.title == "Emma"


def test_what_cannot_have_another_name() -> None:
    """Keys of tables and indexes, unique, computed and expiring fields, and names that another field has."""
    other = dynamix.CharField()
    wrong = {
        "part of the key": {"key": dynamix.CharField(hash_key=True, was="k")},
        "a key of the index 'by_x'": {
            "x": dynamix.CharField(was="y"),
            "__secondary_indexes__": {"by_x": {"hash_key": "x"}},
        },
        "it is unique": {"x": dynamix.CharField(was="y", unique=True)},
        "expires items": {"x": dynamix.TTLField(was="y")},
        "computed anew": {"other": other, "x": dynamix.ComputedField(str, str, "other", was="y")},
        "under one name": {"other": dynamix.CharField(), "x": dynamix.CharField(was="other")},
        "a str, not empty": {"x": dynamix.CharField(was="")},
    }
    for message, body in wrong.items():
        with pytest.raises(dynamix.ModelDefinitionError, match=message):
            type("Wrong", (dynamix.Model,), {"key": dynamix.CharField(hash_key=True), **body})(key="k")
