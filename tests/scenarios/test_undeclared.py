"""Attributes that a model does not declare: shown on request, and never lost by a write of what was loaded."""

import copy
import pickle
from decimal import Decimal
from typing import Any, ClassVar

import pytest

import dynamix
from places import Place


class Page(dynamix.Model):
    """A part of what is stored."""

    __secondary_indexes__: ClassVar = {
        "by_title": {"hash_key": "title", "projections": "ALL"},
        "narrow": {"hash_key": "title", "projections": ["views"]},
    }
    key = dynamix.CharField(hash_key=True)
    title = dynamix.CharField()
    views = dynamix.IntegerField(default=0)
    tags = dynamix.SetField()


OTHERS: dict[str, Any] = {
    "_type": {"S": "Page"},
    "size": {"N": "12"},
    "price": {"N": "0.1"},
    "marks": {"SS": ["a", "b"]},
    "deep": {"M": {"list": {"L": [{"NULL": True}, {"B": "AP8="}]}}},
    "none": {"NULL": True},
}
ITEM: dict[str, Any] = {"key": {"S": "k"}, "title": {"S": "t"}, "views": {"N": "3"}, **OTHERS}


@pytest.fixture
def stored(place: Place) -> Place:
    """The place, with one item that has more than the model declares."""
    dynamix.create_table(Page)
    place.call("PutItem", TableName=place.table_name(Page), Item=ITEM)
    return place


def test_undeclared_attributes_are_shown_as_python_values(stored: Place) -> None:
    """However the item is read; whole numbers are int, others Decimal; and the mapping cannot be changed."""
    expected = {
        "_type": "Page",
        "size": 12,
        "price": Decimal("0.1"),
        "marks": {"a", "b"},
        "deep": {"list": [None, b"\x00\xff"]},
        "none": None,
    }
    by_index = Page.query().use_index("by_title").where(Page.title == "t").one()
    found = [Page.get(key="k"), *Page.scan(), *Page.scan(), by_index, *Page.batch_get({"key": "k"})]
    found += [*dynamix.transact_get(Page.key_of(key="k")), Page.from_item(ITEM), Page.get(key="k")]
    for page in found:
        assert page is not None
        assert page.undeclared == expected
        assert "size" not in page.to_son()
        assert page == found[0]
    with pytest.raises(TypeError):
        found[0].undeclared["size"] = 13  # type: ignore[index]
    assert Page(key="new", title="t").undeclared == {}
    changed = Page.update_by_key(Page.views.add(1), key="k", returns="new")
    assert changed is not None
    assert changed.undeclared == expected


def test_no_write_of_what_was_loaded_loses_them(stored: Place) -> None:
    """Updates leave them alone; whole writes of a loaded instance, by whatever way, give them back as stored."""

    def now() -> dict[str, Any]:
        item = stored.stored_item(Page, key="k")
        assert item is not None
        return {name: wire for name, wire in item.items() if name in OTHERS}

    (page,) = Page.scan()
    page.title = "saved"
    page.save()
    assert now() == OTHERS
    assert page.undeclared["size"] == 12
    page.views = 9
    page.save(overwrite=True)
    assert now() == OTHERS
    page.save(overwrite=True)
    Page.batch_write([page])
    assert now() == OTHERS
    for twin in (copy.copy(page), copy.deepcopy(page), pickle.loads(pickle.dumps(page)), page.replace(title="x")):
        twin.save(overwrite=True)
        assert now() == OTHERS
    with dynamix.batch() as batch:
        batch.put(page)
    with dynamix.transaction() as transaction:
        transaction.put(page)
    page.views = 10
    with dynamix.transaction() as transaction:
        transaction.save(page)
    page.save(overwrite=True)
    assert now() == OTHERS
    assert {name: page.to_item()[name] for name in OTHERS} == OTHERS
    page.delete()
    page.save()
    assert now() == OTHERS


def test_a_copy_under_another_key_has_them_too(stored: Place) -> None:
    """`replace` with another key makes a new item of all that the old one has."""
    page = Page.get_or_raise(key="k")
    page.replace(key="other").save()
    item = stored.stored_item(Page, key="other")
    assert item is not None
    assert {name: item[name] for name in OTHERS} == OTHERS


def test_a_new_instance_replaces_all(stored: Place) -> None:
    """An item that is made anew has what its model declares, whatever was stored under its key."""
    assert Page.create(key="k", title="new").undeclared == {}
    assert stored.stored_item(Page, key="k") == {"key": {"S": "k"}, "title": {"S": "new"}, "views": {"N": "0"}}


def test_what_was_loaded_in_part_does_not_know_them(stored: Place) -> None:
    """It says so where it is asked, and cannot be stored whole, though it has every field."""
    for page in (
        Page.get(Page.title, Page.views, Page.tags, key="k"),
        Page.query().use_index("narrow").where(Page.title == "t").one(),
    ):
        assert page is not None
        with pytest.raises(dynamix.FieldNotLoadedError, match="loaded in part"):
            page.undeclared  # noqa: B018
        with pytest.raises(dynamix.InvalidUpdateError, match="storing it whole would remove"):
            page.save(overwrite=True)
    assert page.refresh().undeclared["size"] == 12


def test_a_field_of_that_name_wins(place: Place) -> None:
    """Then it is a field as any other, and whole writes keep undeclared attributes all the same."""

    class Named(dynamix.Model):
        __table_name__ = "Page"
        key = dynamix.CharField(hash_key=True)
        undeclared = dynamix.CharField()

    dynamix.create_table(Named)
    item = {"key": {"S": "k"}, "undeclared": {"S": "u"}, "more": {"S": "m"}}
    place.call("PutItem", TableName=place.table_name(Named), Item=item)
    named = Named.get_or_raise(key="k")
    assert named.undeclared == "u"
    named.save(overwrite=True)
    assert place.stored_item(Named, key="k") == item
